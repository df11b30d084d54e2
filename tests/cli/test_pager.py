"""A document that is longer than the terminal goes through the reader's pager, and nowhere else does anything."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

SHOW = [sys.executable, "-m", "console", "runbooks", "show", "spark-oom"]
ENV = {**os.environ, "PAGER": "head -n 2", "TERM": "xterm"}


def read_all(descriptor: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # the last one who could write has gone
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts).decode()


def at_a_terminal(rows: int) -> list[str]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))
    env = {key: value for key, value in ENV.items() if key not in ("LINES", "COLUMNS")}
    with subprocess.Popen(SHOW, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as ran:
        os.close(theirs)
        lines = read_all(ours).splitlines()
        assert ran.wait(60) == 0
    os.close(ours)
    return lines


@pytest.fixture(scope="module")
def piped() -> list[str]:
    ran = subprocess.run(SHOW, capture_output=True, text=True, env=ENV, timeout=60, check=True)
    return ran.stdout.splitlines()


def test_at_a_terminal_that_is_shorter_it_is_paged(piped: list[str]) -> None:
    assert at_a_terminal(24) == piped[:2]


def test_at_a_terminal_that_shows_all_of_it_it_is_not(piped: list[str]) -> None:
    assert len(piped) > 24
    assert at_a_terminal(len(piped) + 2) == piped
