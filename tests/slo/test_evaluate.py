"""From measurements to a verdict: when it burns, when it is spent, and when nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from console.slo.arithmetic import Measure, Measured, contributors, evaluate
from console.slo.model import Burn, Contributor, SloStatus
from console.slo.recovery import recovered
from console.slo.spec import Alerting, Contributors, Events, Pair, Ratio, Sli, Slices, SloSpec

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
    assert "20.0 over 1h and 20.0 over 5m (page above 14.4)" in both.reason


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


@pytest.mark.parametrize(("long", "short"), [(144, 200), (200, 144)])
def test_one_window_at_exactly_the_factor_does_not_fire(long: float, short: float) -> None:
    status = evaluate(spec(), measured(calm(**{"1h": (long, 1000), "5m": (short, 1000)})), NOW)
    assert status.state == "good"


def test_a_pair_may_look_at_the_whole_period() -> None:
    """An objective over a day, whose slow pair is that day and two hours."""
    daily = spec(period=DAY, alerting=Alerting(pairs=(Pair(DAY, 2 * HOUR, "ticket", factor=1.0),)))
    burnt = {"2h": (3.0, 100.0), "1d": (20.0, 1000.0)}
    status = evaluate(daily, measured(burnt), NOW)
    assert [b.rate for b in status.burns] == [3.0, 2.0] and status.severity == "ticket"
    assert status.state == "exhausted" and status.budget_left == -1.0


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
    assert "90% left" in status.arithmetic and "60% left" in status.arithmetic
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


def test_a_status_holds_all_that_was_measured() -> None:
    pair = Pair(long=HOUR, short=300, severity="page", factor=14.0)
    named = spec(
        alerting=Alerting(pairs=(pair,)), runbooks=("job-failed",), contributors=Contributors(by=("app",), bad="x")
    )
    windows = (
        Measure(HOUR, bad=200, total=1000, covered=0.5), Measure(300, bad=-1, total=10),
        Measure(PERIOD, bad=20.126, total=10000.004, covered=0.123456789),
    )  # fmt: skip
    found = Measured(
        windows=windows, at=NOW, newest=NOW - 15, problem="slow", partial=False, source="prometheus",
        queries=("q",), contributors=(("etl", 5.0), ("ml", 25.0)), arithmetic="as counted",
    )  # fmt: skip
    status = evaluate(named, found, NOW)
    assert status.exhausted_in == pytest.approx(0.79874 * PERIOD / 20)
    assert status == SloStatus(
        id="job-success", title="Job success", objective=0.99, period=PERIOD, state="good", reason="slow",
        budget_left=0.79874, bad=20.13, total=10000.0,
        burns=(
            Burn(300.0, 0.0, 0.0, 0.0, 10.0, False, 14.0, None, True),
            Burn(3600.0, 0.2, 20.0, 200.0, 1000.0, False, 14.0, 0.5, True),
        ),
        severity="", low_traffic=False, exhausted_in=status.exhausted_in,
        contributors=(Contributor("ml", 25.0, 0.833333), Contributor("etl", 5.0, 0.166667)), contributors_by=("app",),
        arithmetic="as counted", source="prometheus", queries=("q",), covered=0.123457, measured_at=NOW - 15,
        runbooks=("job-failed",), partial=False,
    )  # fmt: skip


def test_what_was_not_measured_is_taken_from_the_objective_or_left_open() -> None:
    status = evaluate(spec(origin="slos.yaml"), Measured(windows=(Measure(HOUR, bad=0, total=5),), at=NOW), NOW)
    assert (status.source, status.measured_at, status.covered) == ("slos.yaml", NOW, None)
    assert (status.state, status.budget_left, status.bad, status.total) == ("good", None, None, None)
    assert (status.exhausted_in, status.contributors_by, status.queries) == (None, (), ())
    assert status.arithmetic == "events: bad/total over 30d"


def test_late_and_stale_begin_after_their_limit() -> None:
    for age, state, reason in (
        (150, "good", ""), (151, "good", "data is 2m late"),
        (600, "good", "data is 10m late"), (601, "no data", "the newest sample is 10m old"),
    ):  # fmt: skip
        status = evaluate(spec(), measured(calm(), newest=NOW - age), NOW)
        assert (status.state, status.reason) == (state, reason)
    undated = evaluate(spec(), measured(calm(), at=None, newest=None), NOW)
    assert (undated.state, undated.reason) == ("good", "")


def test_reasons_stand_side_by_side_and_what_burns_comes_first() -> None:
    burning = calm(**{"5m": (200, 1000), "1h": (200, 1000)})
    status = evaluate(spec(), measured(burning, newest=NOW - 240, problem="slow"), NOW)
    assert status.reason == "burns 20.0 over 1h and 20.0 over 5m (page above 14.4); data is 4m late; slow"
    partial = evaluate(spec(), measured(calm(), partial=True), NOW)
    assert (partial.reason, partial.partial) == ("partial: some series are missing", True)
    spent = evaluate(spec(), measured(calm(**{"30d": (100, 10000)}), problem="slow"), NOW)
    assert (spent.state, spent.reason) == ("exhausted", "the budget is spent; slow")
    assert evaluate(spec(), Measured(at=NOW), NOW).reason == "the queries give nothing"


def test_an_objective_without_any_allowance_is_broken_by_one_error() -> None:
    status = evaluate(spec(objective=100.0), measured(calm(**{"30d": (1, 10000)})), NOW)
    assert (status.state, status.reason) == ("exhausted", "an objective of 100% allows no error")


def test_no_verdict_of_stale_data_is_a_forecast_or_a_page() -> None:
    burning = calm(**{"5m": (200, 1000), "1h": (200, 1000)})
    stale = evaluate(spec(), measured(burning, newest=NOW - 1200), NOW)
    assert (stale.exhausted_in, stale.severity) == (None, "")
    late = evaluate(spec(), measured(burning), NOW)
    assert late.exhausted_in == pytest.approx(0.9 * PERIOD / 20)
    assert late.severity == "page"


def test_the_forecast_takes_the_first_pair_that_has_data() -> None:
    slower = calm(**{"1h": (0, 0), "6h": (90, 1000)})
    assert evaluate(spec(), measured(slower), NOW).exhausted_in == pytest.approx(0.9 * PERIOD / 9)


def test_low_traffic_is_that_of_the_pair_that_fires() -> None:
    quiet_hour = calm(**{"1h": (0, 19), "6h": (70, 1000), "30m": (70, 1000)})
    status = evaluate(spec(), measured(quiet_hour), NOW)
    assert (status.state, status.low_traffic) == ("burning", False)
    assert evaluate(spec(), measured(calm(**{"1h": (0, 19)})), NOW).low_traffic is True
    assert evaluate(spec(), measured(calm(**{"1h": (0, 20)})), NOW).low_traffic is False


def test_as_many_failures_as_the_objective_asks_for_are_enough() -> None:
    counts = measured(calm(**{"5m": (3, 4), "1h": (3, 4)}))
    assert evaluate(spec(alerting=Alerting(at_least=3)), counts, NOW).state == "burning"
    ready = Measured(windows=(Measure(300, ratio=0.2), Measure(HOUR, ratio=0.2)), at=NOW)
    assert evaluate(spec(alerting=Alerting(at_least=3)), ready, NOW).state == "burning", "nothing was counted"


def test_a_window_without_data_fires_nothing() -> None:
    for gone in ("5m", "1h"):
        counts = {k: v for k, v in calm(**{"5m": (200, 1000), "1h": (200, 1000)}).items() if k != gone}
        assert evaluate(spec(), measured(counts), NOW).severity == ""


def test_the_budget_comes_from_events_else_from_a_rule_else_from_the_ratio() -> None:
    def left(whole: Measure, **over: Any) -> float | None:
        return evaluate(spec(), Measured(windows=(whole,), at=NOW, **over), NOW).budget_left

    assert left(Measure(PERIOD, bad=10, total=10000, ratio=0.5), budget_left=0.3) == 0.9
    assert left(Measure(PERIOD, ratio=0.005), budget_left=0.3) == 0.3
    assert left(Measure(PERIOD, ratio=0.005)) == 0.5
    assert left(Measure(PERIOD, bad=10)) is None
    assert left(Measure(PERIOD, total=10)) is None
    assert left(Measure(PERIOD, bad=-1, total=10)) == 1.0


def test_both_arithmetics_are_named_from_one_percent_on() -> None:
    def said(mean: float, **over: Any) -> str:
        return evaluate(spec(), measured(calm(), mean_ratio=mean, **over), NOW).arithmetic

    assert said(0.004) == (
        "events: bad/total over 30d (90% left); the mean of ratios would say 60% left, because it weighs quiet "
        "hours like busy ones"
    )
    assert "mean" in said(0.00111) and "mean" in said(0.00089)
    assert "mean" not in said(0.00109) and "mean" not in said(0.00091)
    ready = Measured(windows=(Measure(PERIOD, ratio=0.001),), at=NOW, mean_ratio=0.004)
    assert "mean" not in evaluate(spec(), ready, NOW).arithmetic, "without events there is only the one"


def test_an_error_ratio_needs_both_counts_and_some_events() -> None:
    assert Measure(300, bad=1, total=4).error_ratio == 0.25
    assert Measure(300, bad=-1, total=4).error_ratio == 0
    assert Measure(300, bad=0, total=0, ratio=0.5).error_ratio is None
    assert Measure(300, bad=1, ratio=0.5).error_ratio == 0.5
    assert Measure(300, total=1, ratio=0.5).error_ratio == 0.5


def test_the_largest_five_contributors_by_count_then_by_name() -> None:
    counted = (("f", 1.0), ("e", 2.0), ("d", 2.0), ("c", 3.0), ("b", 4.0), ("a", 5.0), ("none", 0.0), ("less", -1.0))
    assert [(c.name, c.share) for c in contributors(counted, 34.0)] == [
        ("a", 0.147059), ("b", 0.117647), ("c", 0.0882353), ("d", 0.0588235), ("e", 0.0588235),
    ]  # fmt: skip
    assert [c.share for c in contributors((("a", 3.0), ("b", 1.0)), 2.0)] == [0.75, 0.25], "of their own sum"
    assert [c.share for c in contributors((("a", 4.0),), None)] == [1.0]
    assert [c.share for c in contributors((("a", 0.5),), None)] == [1.0], "`increase` may count less than one"
    assert contributors((("a", 4.0),), None, most=0) == ()
