"""Calling somebody at 3 a.m. in 80x24: whom, why, what is left of the time, and one key that copies what to paste."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.runbook.walk import Escalated, EscalationAnswered, WalkEnded, apply
from console.tui.screen import MainScreen
from tests.tui.scenes import NOW, Scene
from tests.tui.test_pages import press, shown, text
from tests.tui.test_walk import ask, open_walk, replies, walked

PASTE = "claim data-0 is full\nwaits since 02:51Z\nNothing was changed."


def calling(paste: str = PASTE, *, due: float | None = NOW + 600.0, answer: Any = None) -> Scene:
    """A walk that called the storage team."""
    question = ask("escalate", paste=paste, due=due or 0.0, late="Call the platform team" if due else "", choices=())
    question = msgspec.structs.replace(question, title="Call the storage team", text="Only they can make it larger.")
    scene = walked(3, question if answer is None else None)
    [walk] = scene.situation.walks
    walk = apply(walk, Escalated(NOW, walk.current, "the storage team", "Only they can.", paste, due))
    for event in answer or ():
        walk = apply(walk, event)
    return Scene(msgspec.structs.replace(scene.situation, walks=(walk,)))


async def test_whom_why_what_to_paste_and_the_time_that_is_left_are_in_sight() -> None:
    async with shown(calling(), (80, 24)) as pilot:
        await open_walk(pilot)
        screen = text(pilot)
        assert any("Call the storage team" in line for line in screen)
        assert any("Only they can make it larger." in line for line in screen)
        said = " ".join(" ".join(screen).split())
        assert "in 10m; if nobody does: Call the platform team" in said
        pasted = [line.partition("│ ")[2].rstrip() for line in screen if line.startswith("   │ ")]
        assert pasted == PASTE.splitlines()


async def test_enter_asks_who_took_it() -> None:
    scene = calling()
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "enter")
        assert text(pilot)[-1].strip().startswith("who took it")
        await press(pilot, *"Ben", "enter")
        assert replies(scene) == [("Ben", "")]


async def test_one_key_copies_what_is_to_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(MainScreen, "copy", lambda self, text: copied.append(text))
    async with shown(calling(), (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "C")
        assert copied == [PASTE]


async def test_what_is_too_long_for_the_clipboard_is_written_and_the_place_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    long = "x" * 80_000
    async with shown(calling(long), (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "C")
        assert "written: " in text(pilot)[-1]
    [written] = tmp_path.rglob("w1-paste.txt")
    assert written.read_text() == long


async def test_the_end_says_that_the_deadline_passed() -> None:
    late = [
        EscalationAnswered(NOW + 600.0, "step-3", "late", "handed-over"),
        WalkEnded(NOW + 601.0, "handed_over", "Somebody else has to go on."),
    ]
    async with shown(calling(answer=late), (80, 24)) as pilot:
        await open_walk(pilot)
        said = " ".join(" ".join(text(pilot)).split())
        assert "the storage team: the deadline passed: no answer of the storage team was recorded by" in said
