"""Paging through entries that are longer than the screen: every line comes into sight, and the end is reached."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from console.tui.lines import FixedLines, line, span
from console.tui.palette import Palette
from console.tui.pane import Pane


class Reading(App[None]):
    """A pane with entries of some lines each; only the first line of each can be selected."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.lines = [
            line(span(f"entry {entry} line {at}"))._replace(key=f"e{entry}" if at == 0 else "")
            for entry, size in enumerate(sizes)
            for at in range(size)
        ]

    def compose(self) -> ComposeResult:
        yield Pane(Palette("ansi"))

    def on_mount(self) -> None:
        self.query_one(Pane).show(FixedLines(self.lines))


@pytest.mark.parametrize("sizes", [(70,), (3, 90), (60, 60, 2), (1,) * 70], ids=str)
async def test_ctrl_f_brings_every_line_of_a_long_entry_into_sight_and_ctrl_b_leads_back(
    sizes: tuple[int, ...],
) -> None:
    app = Reading(*sizes)
    async with app.run_test(size=(80, 20)) as pilot:
        pane = app.query_one(Pane)
        pane.focus()
        await pilot.pause()
        for key, end in (("ctrl+f", len(app.lines) - pane.size.height), ("ctrl+b", 0)):
            read = set(range(pane.scroll_offset.y, pane.scroll_offset.y + pane.size.height))
            for _ in range(20):
                await pilot.press(key)
                read |= set(range(pane.scroll_offset.y, pane.scroll_offset.y + pane.size.height))
            assert pane.scroll_offset.y == end
            assert set(range(len(app.lines))) <= read
