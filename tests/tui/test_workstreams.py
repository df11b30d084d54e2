"""The workstreams page: progress, what can be begun, contradictions, and a file that changes while one looks."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from console.tui.app import ConsoleApp
from console.tui.palette import Palette
from tests.cli.test_workstreams import plan
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
    app = ConsoleApp(Scene(situation()), {}, palette=Palette("ansi"), index=file)
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
    app = ConsoleApp(Scene(situation()), {}, palette=Palette("ansi"), index=file)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await press(pilot, "w")
        assert "judge for yourself" in await until(pilot, "I01")


async def test_what_can_be_done_in_which_order(tmp_path: Path) -> None:
    file = tmp_path / "INDEX.md"
    shutil.copy(SEED, file)
    app = ConsoleApp(Scene(situation()), {}, palette=Palette("ansi"), index=file)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "7")
        await until(pilot, "completed")
        await press(pilot, "s")
        screen = await until(pilot, "critical path")
        assert "in a row" in screen
        await press(pilot, "h")
        await until(pilot, "so it has no history")


async def test_progress_over_time_and_completing_one_after_the_difference(tmp_path: Path) -> None:
    repository = plan(tmp_path)
    file = repository / "docs" / "workstreams" / "INDEX.md"
    app = ConsoleApp(Scene(situation()), {}, palette=Palette("ansi"), index=file)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press(pilot, "7")
        await until(pilot, "1 of 3 completed")
        await press(pilot, "h")
        screen = await until(pilot, "in 2 versions")
        assert "█" in screen and "PLAN.md" in screen
        await press(pilot, "r", "enter")
        await until(pilot, "finishing it unlocks")
        before = file.read_bytes()
        await press(pilot, "m")
        screen = await until(pilot, "+| WS-001-02 | master | completed | WS-001-01 |")
        assert "this makes F01/WS-001-03 ready" in screen and "-status: backlog" in screen
        assert file.read_bytes() == before
        await press(pilot, "escape")
        await until(pilot, "finishing it unlocks")
        assert file.read_bytes() == before
        await press(pilot, "m")
        await until(pilot, "writes this into your files")
        await press(pilot, "y")
        await until(pilot, "is completed in your files")
        assert "| WS-001-02 | master | completed | WS-001-01 |" in file.read_text()
        assert (file.parent / "completed" / "WS-001-02.md").exists()
