"""Filters say the same on every page: every word must be there, and no word that is preceded by an exclamation mark."""

from __future__ import annotations

import pytest

from console.live.situation import Situation
from console.sources.files.runbooks import Library
from console.tui.filters import fits
from console.tui.views import runbooks
from tests.tui.scenes import Scene, situation
from tests.tui.test_pages import press, text
from tests.tui.test_pages import shown as page_shown


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        ("", True),
        ("etl", True),
        ("ORDERS etl", True),
        ("etl ads", False),
        ("etl !failed", True),
        ("etl !running", False),
        ("etl !", True),
    ],
)
def test_every_word_must_be_there_and_none_that_is_refused(wanted: str, held: bool) -> None:
    assert fits(wanted, "spark-prod/etl-orders", "RUNNING") is held


def test_the_library_is_filtered_as_everything_else_is() -> None:
    shown: Situation = situation()
    books = Library.read().runbooks.values()
    assert any(line.key for line in runbooks.library(shown, books, "memory spark-oom", 120))
    others = [line.key for line in runbooks.library(shown, books, "!spark-oom", 120) if line.key]
    assert others and not any("spark-oom" in key for key in others)


async def test_a_filter_stays_in_sight_as_long_as_it_hides_something() -> None:
    async with page_shown(Scene(situation()), (100, 24)) as pilot:
        await press(pilot, "2", "slash", *"007", "enter")
        assert "only '007'" in text(pilot)[0]
        await press(pilot, "escape")
        assert "only" not in text(pilot)[0]
