"""What the command line says after the terminal UI was left, and that it then leaves at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console import __main__ as program
from console.cli import ui
from console.runbook.walk import Entered, Started, WalkEnded, fold
from console.tui.workstreams_index import WatchedIndex
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


PATIENCE = 60.0
HELD = """
import sys, threading
from console.__main__ import leave
threading.Thread(target=threading.Event().wait).start()
print("kept")
leave({code!r})
"""
"""A program with a thread that never ends."""


def ended(code: Any, stdout: Any) -> subprocess.CompletedProcess[bytes]:
    """The program after it has printed and left; its output is written when it leaves, as it is without a terminal."""
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", HELD.format(code=code)]
    return subprocess.run(command, stdout=stdout, env=environment, timeout=PATIENCE, check=False)


@pytest.mark.parametrize(("code", "number"), [(None, 0), (0, 0), (130, 130), ("a word", 1)])
def test_no_thread_and_no_memory_holds_the_program_and_what_it_said_is_written(code: Any, number: int) -> None:
    done = ended(code, subprocess.PIPE)
    assert (done.returncode, done.stdout) == (number, b"kept\n")


def test_an_answer_that_could_not_be_written_is_no_success() -> None:
    with Path("/dev/full").open("wb") as full:
        assert ended(0, full).returncode == 1


def test_a_reader_that_has_gone_changes_no_exit_code() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert ended(3, writing).returncode == 3
    finally:
        os.close(writing)


def test_the_program_ends_with_the_code_of_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["console", "--version"])
    monkeypatch.setattr(ui, "face", None)
    left: list[int] = []

    def end(code: int) -> None:
        left.append(code)
        raise KeyboardInterrupt

    monkeypatch.setattr(program.os, "_exit", end)
    with pytest.raises(KeyboardInterrupt):
        program.main()
    assert left == [0] and ui.face is program.show


def test_leaving_waits_for_no_reading_of_the_workstreams_but_for_what_is_being_written(tmp_path: Path) -> None:
    index, going, wrote = WatchedIndex(tmp_path / "INDEX.md"), threading.Event(), threading.Event()

    def write() -> None:
        going.wait(PATIENCE)
        wrote.set()

    index._files.submit(write)
    never = index._files.submit(wrote.clear)
    never.add_done_callback(lambda _: going.set())
    index.close()
    assert wrote.is_set() and never.cancelled()
