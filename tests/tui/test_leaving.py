"""What the command line says after the terminal UI was left."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from console.cli import ui
from console.runbook.walk import Entered, Started, WalkEnded, fold
from tests.tui.scenes import KEY, NOW, Scene, situation

STARTED = Started(NOW - 60, "w1", "spark-oom", "1.0.0", "0" * 64, "", {}, {}, {}, KEY, "sre", "console")
OPEN = fold([STARTED, Entered(NOW - 50, "raise-overhead")])
OVER = fold([STARTED, Entered(NOW - 50, "end"), WalkEnded(NOW - 40, "resolved", "it works")])


@pytest.fixture(autouse=True)
def left_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ui, "face", lambda live, first: 0)


def said(capsys: pytest.CaptureFixture[str], **changes: Any) -> str:
    assert ui.run_ui(Scene(situation(**changes))) == 0  # type: ignore[arg-type]
    return capsys.readouterr().err


def test_a_walk_that_was_left_names_the_command_that_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert "console runbook --resume w1" in said(capsys, walks=(OPEN,))


def test_nothing_is_said_of_walks_that_ended(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, walks=(OVER,)) == ""


def test_a_drill_cannot_be_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    board = situation().board
    simulated = msgspec.structs.replace(board.cluster, kind="simulated")
    assert said(capsys, walks=(OPEN,), board=msgspec.structs.replace(board, cluster=simulated)) == ""
