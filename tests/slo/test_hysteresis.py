"""The word burning does not flap: it begins with both windows, and ends when the short one stayed below long enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from console.facts.model import Alert, Origin
from console.slo import words
from console.slo.arithmetic import Measure, Measured, evaluate
from console.slo.hysteresis import alarmed, signs
from console.slo.model import SloStatus
from console.slo.spec import Alerting, Pair, SloSpec
from tests.slo.test_evaluate import spec as basis

HOUR, SHORT = 3600.0, 300.0
PAIR = Pair(long=HOUR, short=SHORT, severity="page", factor=14.4)
SPEC: SloSpec = replace(basis(), objective=99.0, alerting=Alerting(pairs=(PAIR,)))


class Watch:
    """Looks at an objective of 99 %, whose budget is one in a hundred."""

    def __init__(self) -> None:
        self.signs: dict[str, float] = {}

    def look(self, at: float, long: float, short: float) -> SloStatus:
        windows = (Measure(HOUR, long * 10, 1000), Measure(SHORT, short * 10, 1000), Measure(SPEC.period, 10, 10000))
        status = evaluate(SPEC, Measured(windows=windows, at=at, newest=at), at, self.signs)
        self.signs = signs(SPEC, status.burns, self.signs, at)
        return status


def test_a_burn_around_its_factor_is_one_burn_and_not_many() -> None:
    watch = Watch()
    assert watch.look(0, 20, 14.29).state == "good", "the short window has not exceeded it yet"
    seen = [watch.look(15.0 * n, 20, 14.5 if n % 4 == 0 else 14.29).state for n in range(40)]
    assert set(seen) == {"burning"}


def test_it_ends_when_the_short_window_stayed_below_for_its_own_length() -> None:
    watch = Watch()
    watch.look(0, 20, 15)
    assert watch.look(299, 20, 0).state == "burning"
    over = watch.look(300, 20, 0)
    assert (over.state, over.severity) == ("good", "")
    assert watch.look(315, 20, 14).state == "good", "it does not begin again by the long window alone"


def test_a_short_window_that_is_still_above_keeps_it_burning_when_the_long_one_has_calmed_down() -> None:
    watch = Watch()
    watch.look(0, 15, 15)
    assert [watch.look(60.0 * n, 10, 15).state for n in range(1, 30)] == ["burning"] * 29


def test_it_says_how_long_it_has_been_below() -> None:
    watch = Watch()
    assert not watch.look(60, 20, 15).held
    below = watch.look(180, 20, 3)
    until = "leaves BURNING once the 5m burn was below 14.4 (page) for 5m, 2m so far"
    assert below.held and below.reason == f"burn 20.0 over 1h and 3.00 over 5m now: {until}"
    assert words.to_tell(below) == below.reason and not words.to_tell(watch.look(200, 20, 15)), "its figures say it"


def test_a_short_window_that_lost_its_data_is_said_to_have_none() -> None:
    watch = Watch()
    watch.look(0, 20, 15)
    windows = (Measure(HOUR, 200, 1000), Measure(SPEC.period, 10, 10000))
    status = evaluate(SPEC, Measured(windows=windows, at=60, newest=60), 60, watch.signs)
    assert status.reason.startswith("burn 20.0 over 1h and no data over 5m now: leaves BURNING once") and status.held


def test_what_was_seen_long_ago_or_in_the_future_counts_for_nothing() -> None:
    assert signs(SPEC, (), {"3600/300": 1000.0}, 1301.0) == {}
    assert signs(SPEC, (), {"3600/300": 1000.0}, 900.0) == {}
    assert signs(SPEC, (), {"3600/300": 1000.0}, 1200.0) == {"3600/300": 1000.0}


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30)), min_size=2, max_size=60))
def test_it_never_changes_back_and_forth_faster_than_the_short_window(rates: list[tuple[float, float]]) -> None:
    watch, began, before = Watch(), 0.0, "good"
    for number, (long, short) in enumerate(rates):
        at = 15.0 * number
        state = watch.look(at, long, short).state
        if long > 14.4 and short > 14.4:
            assert state == "burning"
            began = at if before == "good" else began
        if before == "burning" and state == "good":
            assert at - began >= SHORT
        before = state


def test_a_budget_that_will_be_gone_is_not_called_good() -> None:
    status = Watch().look(0, 5, 0)
    assert status.state == "good" and words.gone_in(status)
    assert words.state(status) == "spending"
    assert words.state(replace(status, exhausted_in=None)) == "good"


def fires(state: str = "firing", **labels: str) -> Alert:
    return Alert("Burn", {"slo": SPEC.id, "severity": "page", **labels}, Origin("prometheus", "ALERTS"), state)


def test_who_begins_while_the_alert_of_a_burn_fires_calls_it_burning_too() -> None:
    watch = Watch()
    watch.signs = alarmed(SPEC, [fires(long="1h", short="5m")], 1000.0)
    assert watch.look(1000, 14.3, 14.3).state == "burning"
    assert watch.look(1299, 14.3, 14.3).state == "burning"
    assert watch.look(1300, 14.3, 14.3).state == "good", "the alert would have shown it by then"


def test_an_alert_counts_for_the_pair_that_it_names_and_a_page_without_windows_for_the_most_urgent() -> None:
    slower = Pair(long=6 * HOUR, short=1800.0, severity="ticket", factor=6)
    two = replace(SPEC, alerting=Alerting(pairs=(PAIR, slower)))
    assert alarmed(two, [fires(long="6h", short="30m")], 7.0) == {"21600/1800": 7.0}
    assert alarmed(two, [fires()], 7.0) == alarmed(two, [fires(severity="critical")], 7.0) == {"3600/300": 7.0}
    for other in (fires("pending"), fires(severity="ticket"), fires(slo="other"), fires(long="2h", short="5m")):
        assert alarmed(two, [other], 7.0) == {}
