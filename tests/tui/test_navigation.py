"""A page takes part by lying in the folder of pages: its number, the command line and the help find it there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.tui import navigation, pages
from tests.tui.scenes import Scene, situation
from tests.tui.test_pages import press, shown, text
from tools.keys import table

PAGE = """
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, line
from console.tui.pages.base import Page


class QueuesPage(Page):
    name = "queues"
    root = True
    root_key = KeyBinding("9", "queues", "queues", "Queues: who waits for whom.")
    keys = (KeyBinding("w", "wait", "wait", "How long the selected queue waits."),)

    def show(self, width, height):
        return FixedLines([line(" the queue of the night")])
"""


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more page, in a folder that is searched like that of the pages."""
    (tmp_path / "queues_of_a_test.py").write_text(PAGE)
    monkeypatch.setattr(pages, "__path__", [*pages.__path__, str(tmp_path)])
    navigation.page_classes.cache_clear()
    yield
    navigation.page_classes.cache_clear()


@pytest.mark.usefixtures("added")
async def test_a_new_page_is_one_file_and_is_found_by_number_by_name_and_in_the_help() -> None:
    async with shown(Scene(situation()), (100, 60)) as pilot:
        await press(pilot, "9")
        assert "queue of the night" in "\n".join(text(pilot))
        await press(pilot, "question_mark")
        screen = "\n".join(text(pilot))
        assert "Queues: who waits for whom." in screen and "How long the selected queue waits." in screen
        await press(pilot, "escape", "1", "colon", *"queu", "enter")
        assert "queues" in text(pilot)[0]


def test_root_pages_stand_in_the_order_of_their_numbers_and_each_number_opens_one() -> None:
    numbers = [key.key for key in navigation.number_keys()]
    assert numbers == sorted(set(numbers))
    assert list(navigation.root_pages())[:3] == ["now", "apps", "slo"]


def test_the_key_table_of_the_readme_is_that_of_the_pages() -> None:
    readme = Path(__file__).resolve().parents[2] / "README.md"
    assert table() in readme.read_text()
