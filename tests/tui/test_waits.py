# ruff: noqa: E501  (objects are as wide as what prints them)
"""The page of waits, and the line of an application that waits."""

from __future__ import annotations

from typing import Any

import msgspec

from console.findings.figures.waits import WaitFigures
from console.findings.model import Finding
from tests.tui.scenes import KEY, NOW, Scene, situation
from tests.tui.test_pages import press, shown, text

TOLD = WaitFigures(
    keeper="kueue", queue="team (gpus)", resource="nvidia.com/gpu of flavor a100", missing="4", holders=("jobs/big (8 nvidia.com/gpu)",),
    position=2, of=3, reckoned=True, lets_in="an end of one that holds it", forbids="setting suspend to false",
)  # fmt: skip


def waits(told: WaitFigures = TOLD) -> Any:
    found = Finding(
        "waits-in-queue", None, "warning", f"SparkApplication/{KEY}", NOW - 7_200, "high", "waits", app=KEY, data=told
    )  # fmt: skip
    base = situation()
    return msgspec.structs.replace(base, board=msgspec.structs.replace(base.board, findings=(found,)))


async def test_w_on_the_applications_lists_who_waits_for_whom_and_enter_opens_it() -> None:
    async with shown(Scene(waits()), (140, 36)) as pilot:
        await press(pilot, "2", "w")
        seen = "\n".join(text(pilot))
        assert "1 application waits" in seen and "kueue" in seen and "~2/3" in seen and "jobs/big (8 nvidia.com" in seen
        assert "let in by an end of one that holds it" in seen and "not: setting suspend to false" in seen
        await press(pilot, "enter")
        seen = "\n".join(text(pilot))
        assert "waits   waits for Kueue in queue team (gpus): 4 nvidia.com/gpu of flavor a100 missing" in seen


async def test_nobody_waits_is_said_and_a_hostile_queue_is_shown_as_text() -> None:
    async with shown(Scene(situation()), (100, 30)) as pilot:
        await press(pilot, "colon", *"waits", "enter")
        assert "nobody waits" in "\n".join(text(pilot))
    bad = msgspec.structs.replace(TOLD, queue="[red]q\x1b[31m", holders=())
    async with shown(Scene(waits(bad)), (140, 36)) as pilot:
        await press(pilot, "colon", *"waits", "enter")
        seen = "\n".join(text(pilot))
        assert "[red]q" in seen and "\x1b" not in seen


def test_the_command_prints_a_row_for_each_and_says_what_must_not_be_done() -> None:
    from console.board.waits import waits_of
    from console.cli.board.waits import page

    board = waits().board
    told = page(board, waits_of(board))
    assert "APPLICATION" in told and "~2/3" in told and "not: setting suspend to false" in told
    assert page(situation().board, ()) == "no application waits"
