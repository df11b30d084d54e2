"""When an objective has recovered: its paging windows, whatever they are; ticket windows are said, not waited for."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.slo.arithmetic import NO_SIGNS, Measure, Measured, evaluate
from console.slo.found import pyrra_pairs
from console.slo.hysteresis import BurnSigns
from console.slo.model import SloStatus
from console.slo.recovery import awaited, recovered, still_burns, words
from console.slo.spec import GOOGLE, Alerting, Events, Pair, Sli, SloSpec

NOW = 1_795_000_000.0
PERIOD = 30 * 86400.0


def status(
    pairs: tuple[Pair, ...], burns: dict[float, float | None], before: BurnSigns = NO_SIGNS, **measured: Any
) -> SloStatus:
    """An objective of 99 % with these burn rates; windows that are not named are calm, None has no events."""
    events = Events(total="sum(increase(total[{window}]))", bad="sum(increase(bad[{window}]))")
    spec = SloSpec(id="jobs", title="Jobs", objective=99.0, sli=Sli(events=events), alerting=Alerting(pairs=pairs))
    windows = []
    for window in spec.windows:
        burn = burns.get(window, 0.0)
        bad, total = (0.0, 0.0) if burn is None else (burn * 10, 1000.0)
        windows.append(Measure(window, bad=bad, total=total))
    return evaluate(spec, Measured(windows=tuple(windows), **{"at": NOW, "newest": NOW, **measured}), NOW, before)


PYRRA = pyrra_pairs(PERIOD)


def test_pyrras_windows_recover_as_any_others_do() -> None:
    """321 and 3857 seconds at 30 days: there are no windows of 300 and 3600 seconds to wait for."""
    assert (PYRRA[0].short, PYRRA[0].long) == (321, 3857)
    assert recovered(status(PYRRA, {})) is True
    assert recovered(status(PYRRA, {321: 0.99, 3857: 0.99})) is True
    assert recovered(status(PYRRA, {321: 1.0})) is False
    assert recovered(status(PYRRA, {3857: 1.0})) is False


@pytest.mark.parametrize(("burn", "over"), [(0.99, True), (1.0, False), (1.01, False)])
def test_a_burn_of_exactly_one_is_not_below_one(burn: float, over: bool) -> None:
    assert recovered(status(GOOGLE, {300.0: burn})) is over
    assert recovered(status(GOOGLE, {3600.0: burn})) is over


def test_a_slower_pair_that_pages_is_waited_for_until_it_cannot_fire() -> None:
    assert recovered(status(GOOGLE, {1800.0: 50.0, 21600.0: 50.0})) is False
    calmed = status(GOOGLE, {1800.0: 0.0, 21600.0: 3.8})
    assert recovered(calmed) is True, "its long window holds the incident for six hours"
    assert words(calmed).endswith("(not waited for: 3.80 over 6h)")


def test_tickets_are_said_and_not_waited_for() -> None:
    ticketed = status(GOOGLE, {7200.0: 9.375, 86400.0: 4.0})
    assert recovered(ticketed) is True
    assert (
        words(ticketed) == "burn 0.00 over 5m, 0.00 over 30m, 0.00 over 1h (not waited for: 9.38 over 2h, 4.00 over 1d)"
        "; still called burning: burns 4.00 over 1d and 9.38 over 2h (ticket above 3)"
    )


def test_an_objective_that_never_pages_waits_for_its_most_urgent_pair() -> None:
    pairs = tuple(pair for pair in GOOGLE if pair.severity == "ticket")
    assert awaited(pairs) == {86400.0, 7200.0}
    assert recovered(status(pairs, {7200.0: 2.0})) is False


def test_a_window_without_events_leaves_it_unknown_unless_another_one_burns() -> None:
    assert recovered(status(GOOGLE, {300.0: None})) is None
    assert recovered(status(GOOGLE, {300.0: None, 3600.0: 2.0})) is False
    assert recovered(status(GOOGLE, {}, problem="unreachable", newest=NOW - 9000)) is None


def test_what_is_waited_for_is_said_from_the_shortest_window_on_and_what_else_burns_beside_it() -> None:
    assert words(status(GOOGLE, {3600.0: None, 7200.0: 0.94})) == (
        "burn 0.00 over 5m, 0.00 over 30m, no data over 1h"
    ), "a calm ticket window is not worth a word"
    edge = status(GOOGLE, {7200.0: 1.0})
    assert words(edge) == "burn 0.00 over 5m, 0.00 over 30m, 0.00 over 1h (not waited for: 1.00 over 2h)"
    assert words(replace(edge, burns=())) == "burn no data"


def test_an_objective_that_recovered_and_is_still_called_burning_says_until_when() -> None:
    ticketed = status(GOOGLE, {7200.0: 9.375, 86400.0: 4.0})
    assert ticketed.burns_until is None, "its short window is above the factor"
    changed = NOW - 3600
    until = "(ticket above 3), at the latest until 2026-11-18 14:06Z if nothing more fails"
    assert still_burns(ticketed, changed).endswith(until)
    calming = replace(ticketed, burns_until=NOW + 600)
    assert still_burns(calming, changed).endswith("until 2026-11-18 11:16Z if nothing more fails")


def test_what_recovered_says_with_its_figures_until_when_it_is_called_burning() -> None:
    ticketed = status(GOOGLE, {7200.0: 9.375, 86400.0: 4.0})
    assert words(ticketed, NOW - 3600).endswith(f"; still called burning: {still_burns(ticketed, NOW - 3600)}")
    assert "until" not in words(ticketed), "where nobody changed anything, it is not known"


def test_a_budget_that_is_spent_stays_so_when_the_burn_is_over_and_no_time_is_promised() -> None:
    spent = replace(status(GOOGLE, {}), state="exhausted", reason="the budget is spent")
    assert still_burns(spent, NOW - 3600) == "the budget is spent"


@pytest.mark.parametrize(
    ("short", "until"),
    [
        pytest.param(None, "", id="a window without events promises nothing"),
        pytest.param(3.0, "", id="at its factor it is not above it"),
        pytest.param(3.01, ", at the latest until 2026-11-18 14:06Z if nothing more fails", id="above its factor"),
    ],
)
def test_until_when_it_is_called_burning_follows_from_the_shortest_window_above_its_factor(
    short: float | None, until: str
) -> None:
    ticketed = status(GOOGLE, {7200.0: 9.375, 86400.0: 3.0})
    burns = tuple(replace(burn, rate=short) if burn.window == 7200.0 else burn for burn in ticketed.burns)
    assert [burn.factor for burn in burns if burn.window in (7200.0, 86400.0)] == [3.0, 3.0]
    burning = replace(ticketed, state="burning", reason="", burns=burns)
    assert still_burns(burning, NOW - 3600) == f"burning{until}"


def test_one_that_burns_in_a_paging_window_or_is_good_says_nothing_of_that() -> None:
    assert still_burns(status(GOOGLE, {300.0: 20.0, 3600.0: 20.0})) == ""
    assert still_burns(status(GOOGLE, {})) == ""


def test_a_pair_that_is_below_its_factor_again_is_over_when_its_short_window_has_passed() -> None:
    burning = {"3600/300": NOW - 60.0, "21600/1800": NOW - 600.0}
    calm = status(GOOGLE, {}, burning)
    assert calm.state == "burning" and calm.burns_until == NOW - 600.0 + 1800.0
    assert status(GOOGLE, {300.0: 20.0, 3600.0: 20.0}, burning).burns_until is None
    assert status(GOOGLE, {}).burns_until is None
    ticketed = {"86400/7200": NOW - 60.0}
    at, above = (status(GOOGLE, {7200.0: short}, ticketed) for short in (3.0, 3.01))
    assert (at.burns_until, above.burns_until) == (NOW - 60.0 + 7200.0, None), "at its factor it is not above it"
