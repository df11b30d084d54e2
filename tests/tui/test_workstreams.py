"""The workstreams page: progress, what can be begun, contradictions, and a file that changes while one looks."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from console.tui.app import ConsoleApp
from console.tui.palette import Palette
from tests.tui.scenes import Scene, situation
from tests.tui.test_pages import press, settled, text

SEED = Path(__file__).parents[1] / "data" / "workstreams" / "index.md"


async def until(pilot: Any, words: str) -> str:
    """The screen, once `words` stand on it."""
    for _ in range(300):
        screen = "\n".join(text(pilot))
        if words in screen:
            return screen
        await pilot.pause(0.02)
    raise AssertionError(f"{words!r} never came:\n" + "\n".join(text(pilot)))


async def test_progress_readiness_contradictions_and_reload(tmp_path: Path) -> None:
    file = tmp_path / "INDEX.md"
    shutil.copy(SEED, file)
    app = ConsoleApp(Scene(situation()), {}, palette=Palette("ansi"), planned=file)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "7")
        screen = await until(pilot, "completed")
        assert "109 of 170 completed" in screen
        assert "contradictions" in screen
        await press(pilot, "p")
        assert "error" in await until(pilot, "LINE")
        await press(pilot, "r")
        assert " ready" in await until(pilot, "WORKSTREAM")
        await press(pilot, "enter")
        await until(pilot, "finishing it unlocks")
        await press(pilot, "escape", "f")
        file.write_text("## Feature F01: One\n\n| ID | Name | Status |\n|--|--|--|\n| WS-001-01 | a | completed |\n")
        await until(pilot, "1 of 1 completed")
        file.unlink()
        await until(pilot, "the file is away: this is old")


async def test_an_incident_class_leads_to_the_work_that_bears_on_it(tmp_path: Path) -> None:
    file = tmp_path / "INDEX.md"
    shutil.copy(SEED, file)
    app = ConsoleApp(Scene(situation()), {}, palette=Palette("ansi"), planned=file)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await press(pilot, "w")
        assert "judge for yourself" in await until(pilot, "I01")
