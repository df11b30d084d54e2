"""When changes are frozen."""

from __future__ import annotations

import pytest

from console.base.clock import parse_time
from console.settings.freeze import frozen
from console.settings.model import Dates, Freeze, Weekly

FRIDAY = Weekly(name="friday", days=("fri",), from_="16:00", until="08:00", timezone="Europe/Berlin", reason="weekend")
SALE = Dates(name="sale", from_="2026-11-27T00:00:00Z", until="2026-11-30T00:00:00Z")


def at(text: str) -> float:
    value = parse_time(text)
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ("2026-11-20T14:59:00Z", None),
        ("2026-11-20T15:00:00Z", "friday"),
        ("2026-11-21T06:59:00Z", "friday"),
        ("2026-11-21T07:00:00Z", None),
        ("2026-07-03T14:00:00Z", "friday"),
        ("2026-11-26T23:59:59Z", None),
        ("2026-11-28T12:00:00Z", "sale"),
        ("2026-11-30T00:00:00Z", None),
    ],
)
def test_a_freeze_holds_in_its_own_time_zone_and_ends(moment: str, name: str | None) -> None:
    found = frozen(Freeze(weekly=(FRIDAY,), dates=(SALE,)), at(moment))
    assert (found.name if found else None) == name


def test_of_two_freezes_the_one_that_ends_last_is_named() -> None:
    found = frozen(Freeze(weekly=(FRIDAY,), dates=(SALE,)), at("2026-11-27T20:00:00Z"))
    assert found is not None
    assert (found.name, found.until) == ("sale", at("2026-11-30T00:00:00Z"))


def test_no_freeze_is_no_freeze() -> None:
    assert frozen(Freeze(), at("2026-11-27T20:00:00Z")) is None
