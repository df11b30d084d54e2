"""Ctrl-C, SIGTERM and Ctrl-Z: the UI leaves and rests as every program of a terminal does."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.cli import main
from tests.tui.scenes import Scene, situation
from tests.tui.test_pages import press, shown, text
from tests.tui.test_walk import ask, open_walk, walked

PATIENCE = 60.0
CHILD = """
import sys
from console.tui.app import ConsoleApp
from console.tui.palette import Palette
from tests.tui.scenes import Scene, situation
app = ConsoleApp(Scene(situation()), {}, palette=Palette("ansi"))
app.run(mouse=False)
sys.exit(app.return_code or 0)
"""
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
while True:
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        print(f"<left {os.waitstatus_to_exitcode(status)}>", flush=True)
        break
    os.tcsetpgrp(0, os.getpgrp())
    print("<stopped>", flush=True)
    sys.stdin.readline()
    os.tcsetpgrp(0, child)
    os.kill(-child, signal.SIGCONT)
"""
"""A shell with one job: it says when the job stops, and brings it to the foreground again after a line of input."""


class Terminal:
    """A terminal with that shell in it, or with the UI alone."""

    def __init__(self, *argv: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x18\x00\x50\x00\x00\x00\x00\x00")

        def own() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        env = {**os.environ, "TERM": "xterm-256color"}
        command = [sys.executable, "-c", *argv]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, preexec_fn=own, env=env)
        os.close(slave)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def until(self, words: str) -> str:
        """What was painted up to `words`."""
        seen = b""
        while words.encode() not in seen:
            ready, _, _ = select.select([self.master], [], [], PATIENCE)
            assert ready, seen.decode(errors="replace")[-2000:]
            seen += os.read(self.master, 65536)
        return seen.decode(errors="replace")


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def made(*argv: str) -> Terminal:
        opened.append(Terminal(*argv))
        return opened[-1]

    yield made
    for terminal in opened:
        _close(terminal)


def _close(opened: Terminal) -> None:
    if opened.process.poll() is None:
        os.killpg(opened.process.pid, signal.SIGKILL)
    opened.process.wait()
    os.close(opened.master)


def test_ctrl_z_gives_the_shell_a_clean_terminal_fg_brings_the_page_back_and_ctrl_c_is_130(
    open_terminal: Callable[..., Terminal],
) -> None:
    terminal = open_terminal(SHELL, CHILD)
    terminal.until("etl-orders")
    terminal.type(b"\x1a")
    assert "\x1b[?1049l" in terminal.until("<stopped>"), "the alternate screen was left"
    terminal.type(b"fg\n")
    assert "\x1b[?1049h" in terminal.until("etl-orders")
    terminal.type(b"\x03")
    assert "<left 130>" in terminal.until("<left")


def test_where_no_shell_could_bring_it_back_ctrl_z_strands_nobody(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal(CHILD)
    terminal.until("etl-orders")
    terminal.type(b"\x1a")
    terminal.until("\x1b[?1049l")
    terminal.until("etl-orders")
    terminal.type(b"\x03")
    assert terminal.process.wait(PATIENCE) == 130


async def test_ctrl_c_leaves_while_something_is_typed_too() -> None:
    async with shown(walked(3, ask("confirm", preview=None))) as pilot:
        await open_walk(pilot)
        await press(pilot, "n", "h")
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert pilot.app.return_code == 130


async def test_sigterm_leaves_with_143() -> None:
    async with shown(Scene(situation())) as pilot:
        os.kill(os.getpid(), signal.SIGTERM)
        while pilot.app.return_code is None:
            await pilot.pause(0.01)
        assert pilot.app.return_code == 143


def test_sigterm_ends_a_command_in_order_with_143() -> None:
    script = (
        "import threading, sys\nfrom console.cli import main\n"
        "def run(argv):\n    try:\n        print('up', flush=True); threading.Event().wait()\n"
        "    finally:\n        print('closed', flush=True)\n"
        "main.run = run\nmain.main([])\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        process.terminate()
        assert process.stdout.readline() == "closed\n"
        assert process.wait(PATIENCE) == 143
    assert main.Exit.TERMINATED == 143


async def test_a_timeline_lies_below_the_state_folder_and_the_foot_says_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    async with shown(walked(3, None)) as pilot:
        await open_walk(pilot)
        await press(pilot, "t")
        path = tmp_path / "state" / "timelines" / "w1.md"
        assert text(pilot)[-1].strip() == "written: ~/state/timelines/w1.md"
        assert path.read_text() == "# Timeline\n" and path.stat().st_mode & 0o777 == 0o600
        assert [p.name for p in tmp_path.iterdir()] == ["state"], "nothing is left in the folder one stands in"
        await press(pilot, "T", *["backspace"] * 40, *"mine.md", "enter")
        assert (tmp_path / "mine.md").read_text() == "# Timeline\n"
        await press(pilot, "T", *["backspace"] * 40, *"mine.md", "enter")
        assert "mine.md: File exists" in text(pilot)[-1]
