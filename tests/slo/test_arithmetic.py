"""The arithmetic of error budgets, held to its own laws and to worked examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.slo.arithmetic import (
    BOUNDLESS,
    budget,
    budget_left,
    burn_rate,
    exhausted_in,
)
from console.slo.spec import GOOGLE, Pair, promql_duration

DAY = 86400.0
PERIOD = 30 * DAY
goals = st.floats(0.5, 0.99999)
ratios = st.floats(0, 1)
counts = st.integers(1, 10**7)


def test_the_table_of_the_workbook_for_thirty_days() -> None:
    assert [pair.threshold(PERIOD) for pair in GOOGLE] == [14.4, 6, 3, 1]
    assert [pair.short * 12 for pair in GOOGLE] == [pair.long for pair in GOOGLE]


def test_the_same_shares_over_twenty_eight_days() -> None:
    assert [round(pair.threshold(28 * DAY), 3) for pair in GOOGLE] == [13.44, 5.6, 2.8, 0.933]


def test_a_factor_that_was_read_is_not_recomputed() -> None:
    assert Pair(long=3600, short=300, severity="page", factor=14.0).threshold(PERIOD) == 14.0


def test_one_failure_of_ten_against_three_nines_is_a_hundredfold_burn() -> None:
    burn = burn_rate(1 / 10, 0.999)
    assert burn == pytest.approx(100)
    assert burn * 3600 / PERIOD == pytest.approx(0.1389, abs=1e-4)
    assert 1 - (budget_left(1, 7200, 0.999) or 0) == pytest.approx(0.1389, abs=1e-4)


def test_no_events_leave_no_budget_figure() -> None:
    assert budget_left(0, 0, 0.99) is None


def test_an_objective_of_a_hundred_percent_is_guarded() -> None:
    assert budget(1.0) == 0
    assert burn_rate(0.0, 1.0) == 0
    assert burn_rate(0.001, 1.0) == BOUNDLESS
    assert budget_left(0, 100, 1.0) == 1.0
    assert budget_left(1, 100, 1.0) == 0.0


def test_binary_noise_is_gone() -> None:
    assert budget(0.999) == 0.001
    assert budget(0.9990000000000001) == 0.001


@given(goals, counts, counts)
def test_more_bad_events_never_leave_more_budget(goal: float, bad: int, more: int) -> None:
    total = bad + more + 1
    low, high = budget_left(bad + more, total, goal), budget_left(bad, total, goal)
    assert low is not None and high is not None and low < high


@given(goals, ratios, ratios)
def test_burn_grows_with_the_error_ratio(goal: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert burn_rate(low, goal) <= burn_rate(high, goal)


@given(goals, st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 1000)), min_size=1, max_size=20))
def test_spending_is_additive_over_parts_of_the_period(goal: float, parts: list[tuple[int, int]]) -> None:
    events = [(min(bad, total), total) for bad, total in parts]
    total = sum(t for _, t in events)
    whole = budget_left(sum(b for b, _ in events), total, goal)
    allowed = budget(goal) * total
    assert whole == pytest.approx(1 - sum(b / allowed for b, _ in events), rel=1e-6, abs=1e-6)


@given(goals, counts)
def test_a_period_at_exactly_the_objective_leaves_nothing(goal: float, total: int) -> None:
    assert budget_left(budget(goal) * total, total, goal) == pytest.approx(0, abs=1e-9)
    assert burn_rate(budget(goal), goal) == pytest.approx(1)


@given(goals, ratios, st.sampled_from([300.0, 3600.0, DAY, 3 * DAY]))
def test_burn_times_window_over_period_is_what_even_traffic_spends(goal: float, ratio: float, window: float) -> None:
    per_second = 10.0
    bad, total = ratio * per_second * window, per_second * PERIOD
    left = budget_left(bad, total, goal)
    assert left is not None
    assert 1 - left == pytest.approx(burn_rate(ratio, goal) * window / PERIOD, rel=1e-6, abs=1e-9)


@given(st.floats(0.001, 1), st.floats(0.1, 1000))
def test_the_forecast_spends_exactly_what_is_left(left: float, burn: float) -> None:
    seconds = exhausted_in(left, burn, PERIOD)
    if seconds is None:
        assert burn < left
    else:
        assert burn * seconds / PERIOD == pytest.approx(left)
        assert seconds <= PERIOD * 1.000001


def test_a_spent_budget_is_gone_now_and_a_calm_one_is_not_forecast() -> None:
    assert exhausted_in(-0.2, 5, PERIOD) == 0
    assert exhausted_in(0.5, 0, PERIOD) is None
    assert exhausted_in(0.9, 0.5, PERIOD) is None


@pytest.mark.parametrize(("seconds", "text"), [(300, "5m"), (90, "90s"), (7200, "2h"), (PERIOD, "30d"), (5400, "90m")])
def test_windows_in_promql(seconds: float, text: str) -> None:
    assert promql_duration(seconds) == text


def test_an_overspent_or_impossible_figure_has_its_limits() -> None:
    assert budget(1.5) == 0.0
    assert burn_rate(1.0, 0.9999999999) == BOUNDLESS == 1e6
    assert budget_left(1, 0.5, 0.0) == -1.0
    assert budget_left(-1, 100, 1.0) == 1.0
    assert budget_left(-1, 100, 0.99) == 1.0
    assert budget_left(2, 100, 0.99) == pytest.approx(-1)


def test_a_budget_that_lasts_exactly_for_the_period_is_forecast() -> None:
    assert exhausted_in(0.5, 0.5, PERIOD) == PERIOD
    assert exhausted_in(0.0, 5, PERIOD) == 0
    assert exhausted_in(0.0, 0.0, PERIOD) == 0
    assert exhausted_in(0.5, 5, PERIOD) == PERIOD / 10
