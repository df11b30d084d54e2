"""How an objective is said: the same level and the same words wherever it stands."""

from __future__ import annotations

from typing import Any

import pytest

from console.slo import words
from console.slo.model import Burn, SloStatus


def status(left: float | None, **fields: Any) -> SloStatus:
    return SloStatus(**{"id": "jobs", "title": "Jobs", "objective": 0.99, "period": 2592000.0, "state": "good"} | fields
                     | {"budget_left": left})  # fmt: skip


@pytest.mark.parametrize(
    ("left", "state", "level"),
    [
        (0.69, "good", "ample"),
        (0.5, "good", "ample"),
        (0.49, "good", "low"),
        (0.1, "good", "critical"),
        (0.69, "burning", "critical"),
        (-0.2, "exhausted", "critical"),
        (None, "no data", "no data"),
    ],
)
def test_a_budget_looks_good_only_while_enough_is_left_and_nothing_burns(
    left: float | None, state: str, level: str
) -> None:
    assert words.budget_level(status(left, state=state)) == level


@pytest.mark.parametrize(
    ("rate", "factor", "level"),
    [
        (0.9, 14.4, "within"),
        (1.0, 14.4, "spending"),
        (14.4, 14.4, "spending"),
        (14.5, 14.4, "over"),
        (5.0, None, "spending"),
    ],
)
def test_a_burn_is_over_its_factor_exactly_when_an_alert_would_count_it(
    rate: float, factor: float | None, level: str
) -> None:
    assert words.burn_level(Burn(3600.0, rate / 100, rate, factor=factor)) == level


def test_a_column_shows_the_window_that_is_nearest_to_its_head_and_none_that_is_far() -> None:
    slo = status(0.5, burns=(Burn(321.0, 0.2, 20.0), Burn(3857.0, 0.1, 10.0), Burn(86400.0, 0.02, 2.0)))
    rates = [words.burn_rate(words.burn_over(slo, window)) for window in (300.0, 3600.0, 21600.0)]
    assert rates == ["20.0", "10.0", "no data"]


def test_no_events_are_not_no_data_and_few_events_are_marked() -> None:
    assert words.burn_rate(None) == "no data" and words.burn_level(None) == "no data"
    assert words.burn_rate(Burn(300.0, None, None, total=0)) == "no events"
    assert words.burn_rate(Burn(300.0, 0.149, 14.94, low_traffic=True)) == "14.9~"
    assert words.burn_rate(Burn(300.0, 1.44, 144.2)) == "144"


@pytest.mark.parametrize(
    ("left", "said"),
    [(1.0, "100%"), (0.9999, "99%"), (0.69999, "69%"), (0.7, "70%"), (0.29, "29%"), (0.004, "<1%"), (0.0, "0%"),
     (-0.003, "-1%"), (-1.2, "-120%"), (None, "no data")],
)  # fmt: skip
def test_a_budget_is_whole_percent_and_never_looks_untouched_or_spent_when_it_is_not(
    left: float | None, said: str
) -> None:
    assert words.budget_left(left) == said


@pytest.mark.parametrize(
    ("rate", "said"),
    [(0.0, "0.00"), (0.4, "0.40"), (0.996, "0.99"), (1.0, "1.00"), (3.27, "3.27"), (14.44, "14.4"), (120.6, "121")],
)
def test_a_burn_that_is_below_one_looks_so(rate: float, said: str) -> None:
    assert words.rate(rate) == words.burn_rate(Burn(300.0, None, rate)) == said


def test_a_target_is_never_rounded_to_a_promise_that_nobody_made() -> None:
    assert [words.target(share) for share in (0.99, 0.9995, 0.99999)] == ["99%", "99.95%", "99.999%"]


def test_counts_are_whole_numbers_and_some_is_not_none() -> None:
    assert words.bad_of_total(41.37, 4982136.2) == "41/4982136"
    assert words.bad_of_total(0.37, 3.0) == "<1/3" and words.bad_of_total(2.07, 2.6) == "2/3"
    assert words.bad_of_total(0.0, 0.0) == "0/0"
    assert words.bad_of_total(0.0, None) == "no data"


def test_a_budget_that_is_gone_is_spent_and_never_gone_in_no_time() -> None:
    assert words.gone_in(status(-0.1, exhausted_in=0.0, state="exhausted")) == "spent"
    assert words.gone_in(status(0.4, exhausted_in=7200.0)) == "2h"
    assert words.gone_in(status(0.4)) == ""
