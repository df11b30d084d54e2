"""From measurements to a verdict: when it burns, when it is spent, and when nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from console.health.slo.arithmetic import Measure, Measured, evaluate, recovered
from console.health.slo.spec import Alerting, Events, Pair, Ratio, Sli, Slices, SloSpec

NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86400.0
PERIOD = 30 * DAY
WINDOWS = {
    "5m": 300.0,
    "30m": 1800.0,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "6h": 6 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
    "30d": PERIOD,
}


def spec(**over: Any) -> SloSpec:
    events = Events(total="sum(increase(total[{window}]))", bad="sum(increase(bad[{window}]))")
    fields = {"id": "job-success", "title": "Job success", "objective": 99.0, "sli": Sli(events=events), **over}
    return SloSpec(**fields)


def measured(counts: dict[str, tuple[float, float]], **over: Any) -> Measured:
    windows = tuple(Measure(WINDOWS[name], bad=bad, total=total) for name, (bad, total) in counts.items())
    return Measured(windows=windows, **{"at": NOW, "newest": NOW - 15, **over})


def calm(**over: tuple[float, float]) -> dict[str, tuple[float, float]]:
    base = dict.fromkeys(WINDOWS, (0.0, 1000.0))
    return {**base, "30d": (10.0, 10000.0), **over}


def test_good_with_the_budget_that_is_left() -> None:
    status = evaluate(spec(), measured(calm()), NOW)
    assert (status.state, status.budget_left, status.bad, status.total) == ("good", 0.9, 10, 10000)
    assert status.severity == ""
    assert status.arithmetic == "events: bad/total over 30d"
    assert recovered(status) is True


def test_both_windows_of_a_pair_must_burn() -> None:
    only_long = evaluate(spec(), measured(calm(**{"1h": (200, 1000)})), NOW)
    assert only_long.state == "good"
    only_short = evaluate(spec(), measured(calm(**{"5m": (200, 1000)})), NOW)
    assert only_short.state == "good"
    both = evaluate(spec(), measured(calm(**{"5m": (200, 1000), "1h": (200, 1000)})), NOW)
    assert (both.state, both.severity) == ("burning", "page")
    assert "20 over 1h and 20 over 5m (page above 14.4)" in both.reason


@pytest.mark.parametrize(
    ("long", "short", "ratio", "severity"),
    [("6h", "30m", 0.07, "page"), ("1d", "2h", 0.04, "ticket"), ("3d", "6h", 0.02, "ticket")],
)
def test_each_pair_of_the_table(long: str, short: str, ratio: float, severity: str) -> None:
    status = evaluate(spec(), measured(calm(**{long: (ratio * 1000, 1000), short: (ratio * 1000, 1000)})), NOW)
    assert (status.state, status.severity) == ("burning", severity)


def test_exactly_the_factor_does_not_fire() -> None:
    status = evaluate(spec(), measured(calm(**{"5m": (144, 1000), "1h": (144, 1000)})), NOW)
    assert status.state == "good"


def test_a_spent_budget_stays_spent_after_recovery() -> None:
    status = evaluate(spec(), measured(calm(**{"30d": (150, 10000)})), NOW)
    assert (status.state, status.severity) == ("exhausted", "")
    assert status.reason == "the budget is spent, overspent by 50%"
    assert status.budget_left == -0.5
    assert recovered(status) is True


def test_a_spent_budget_that_still_burns_pages() -> None:
    status = evaluate(spec(), measured(calm(**{"30d": (150, 10000), "5m": (900, 1000), "1h": (900, 1000)})), NOW)
    assert (status.state, status.severity) == ("exhausted", "page")
    assert recovered(status) is False
    assert status.exhausted_in == 0


def test_the_forecast_uses_the_present_burn() -> None:
    status = evaluate(spec(), measured(calm(**{"1h": (200, 1000)})), NOW)
    assert status.exhausted_in == pytest.approx(0.9 * PERIOD / 20)


def test_no_data_is_not_good() -> None:
    nothing = evaluate(spec(), Measured(at=NOW, problem="nobody exports spark_application_success_count"), NOW)
    assert (nothing.state, nothing.reason) == ("no data", "nobody exports spark_application_success_count")
    assert (nothing.budget_left, nothing.bad, nothing.severity) == (None, None, "")
    assert recovered(nothing) is None


def test_no_events_is_no_data_and_says_so() -> None:
    status = evaluate(spec(), measured(dict.fromkeys(WINDOWS, (0.0, 0.0))), NOW)
    assert (status.state, status.reason) == ("no data", "no events in 30d")
    assert [burn.rate for burn in status.burns] == [None] * 7


def test_recovery_is_unknown_while_a_fast_window_has_no_events() -> None:
    status = evaluate(spec(), measured(calm(**{"5m": (0, 0)})), NOW)
    assert status.state == "good"
    assert recovered(status) is None


def test_late_data_says_so_and_old_data_gives_no_verdict() -> None:
    burning = calm(**{"5m": (200, 1000), "1h": (200, 1000)})
    late = evaluate(spec(), measured(burning, newest=NOW - 240), NOW)
    assert late.state == "burning"
    assert "data is 4m late" in late.reason
    assert late.measured_at == NOW - 240
    stale = evaluate(spec(), measured(burning, newest=NOW - 1200), NOW)
    assert (stale.state, stale.reason, stale.severity) == ("no data", "the newest sample is 20m old", "")
    assert stale.budget_left == 0.9


def test_an_old_answer_is_late_even_where_the_newest_sample_is_unknown() -> None:
    status = evaluate(spec(), measured(calm(), at=NOW - 3600, newest=None), NOW)
    assert status.state == "no data"


def test_a_partial_answer_is_shown_as_partial() -> None:
    status = evaluate(spec(), measured(calm(), partial=True, problem="a store of Thanos is missing"), NOW)
    assert status.reason == "partial: a store of Thanos is missing"


def test_low_traffic_is_marked_in_the_long_window() -> None:
    status = evaluate(spec(), measured(calm(**{"5m": (1, 1), "1h": (1, 4)})), NOW)
    assert (status.state, status.low_traffic) == ("burning", True)
    hour, minutes = status.burn(HOUR), status.burn(300)
    assert hour is not None and minutes is not None
    assert (hour.bad, hour.total, hour.low_traffic, minutes.low_traffic) == (1, 4, True, True)


def test_a_few_failures_do_not_page_where_the_objective_asks_for_more() -> None:
    counts = measured(calm(**{"5m": (1, 1), "1h": (1, 4)}))
    assert evaluate(spec(alerting=Alerting(at_least=3)), counts, NOW).state == "good"


def test_the_covered_part_of_the_window_is_stated() -> None:
    windows = (Measure(PERIOD, bad=1, total=1000, covered=0.25), Measure(HOUR, bad=0, total=10, covered=1.0))
    status = evaluate(spec(), Measured(windows=windows, at=NOW), NOW)
    assert status.covered == 0.25
    burn = status.burn(HOUR)
    assert burn is not None and burn.covered == 1.0


def test_where_events_and_the_mean_of_ratios_differ_both_are_shown() -> None:
    status = evaluate(spec(), measured(calm(), mean_ratio=0.004), NOW)
    assert status.budget_left == 0.9
    assert "90.0% left" in status.arithmetic and "60.0% left" in status.arithmetic
    same = evaluate(spec(), measured(calm(), mean_ratio=0.001), NOW)
    assert "mean" not in same.arithmetic


def test_a_ready_ratio_has_no_event_counts() -> None:
    sli = Sli(ratio=Ratio(errors="slo:sli_error:ratio_rate{window}"))
    windows = (Measure(300, ratio=0.2), Measure(HOUR, ratio=0.2), Measure(PERIOD, ratio=0.005))
    status = evaluate(spec(sli=sli), Measured(windows=windows, at=NOW, budget_left=0.5), NOW)
    assert (status.state, status.bad, status.total, status.budget_left) == ("burning", None, None, 0.5)


def test_contributors_share_the_bad_events() -> None:
    named = (("etl", 6.0), ("ml", 2.0), ("calm", 0.0))
    status = evaluate(spec(), measured(calm(), contributors=named), NOW)
    assert [(c.name, c.bad, c.share) for c in status.contributors] == [("etl", 6, 0.6), ("ml", 2, 0.2)]


def test_factors_of_existing_rules_are_used_as_read() -> None:
    pairs = (Pair(long=HOUR, short=300, severity="page", factor=14.0),)
    status = evaluate(
        spec(alerting=Alerting(pairs=pairs)), measured(calm(**{"5m": (142, 1000), "1h": (142, 1000)})), NOW
    )
    assert status.state == "burning"
    assert [burn.factor for burn in status.burns] == [14.0, 14.0]


def test_recovery_uses_the_fastest_pair_where_there_is_no_hour() -> None:
    pairs = (
        Pair(long=1800, short=150, severity="page", factor=14.0),
        Pair(long=3 * HOUR, short=900, severity="page", factor=7.0),
    )
    windows = tuple(Measure(w, bad=b, total=100) for w, b in ((150, 0), (1800, 0), (900, 50), (3 * HOUR, 50)))
    status = evaluate(spec(alerting=Alerting(pairs=pairs)), Measured(windows=windows, at=NOW), NOW)
    assert recovered(status) is True


def test_time_slices_are_counted_as_events_and_named() -> None:
    sliced = spec(sli=Sli(slices=Slices(good="min(up) > bool 0", every=60)))
    assert sliced.total(300) == "count_over_time((min(up) > bool 0)[5m:1m])"
    assert sliced.bad(300) == f"({sliced.total(300)}) - (sum_over_time((min(up) > bool 0)[5m:1m]))"
    assert sliced.arithmetic == "time slices of 1m: bad/total over 30d"


def test_good_events_are_turned_into_bad_ones() -> None:
    good = spec(sli=Sli(events=Events(total="sum(increase(t[{window}]))", good="sum(increase(g[{window}]))")))
    assert good.bad(HOUR) == "(sum(increase(t[1h]))) - (sum(increase(g[1h])))"


def test_rounded_for_the_screen() -> None:
    status = evaluate(spec(objective=99.9), measured(calm(**{"5m": (1, 3000)})), NOW)
    burn = status.burn(300)
    assert burn is not None
    assert (status.objective, burn.rate) == (0.999, 0.333333)
