"""The warden of one script: a small program that starts it, and ends whatever came of it.

It runs by itself (`python -I -S warden.py FD GRACE ARGV…`), with the standard library only. Its standard input is held
open by Console: the byte `t` asks for an end with SIGTERM first, its closing (Console has died, or wants it at once)
for SIGKILL. On Linux it adopts every descendant that lost its parent, whatever group or session that has moved to, so
that nothing is left when it ends. It writes one line to FD: `ended CODE` (negative for a signal), `killed`, or
`failed WORDS`; `, N left` follows where processes could not be ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

SWEEP_SECONDS = 5.0
"""How long descendants are killed again and again before they count as left."""
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


def main(argv: list[str]) -> None:
    """Run the command in argv[2:] to its end, or to the end of Console."""
    status, grace, command = int(argv[0]), float(argv[1]), argv[2:]
    adopt()
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        os.write(status, f"failed {error.strerror or error}".encode())
        return
    code = _watch(child.pid, woken, grace)
    left = sweep(child.pid)
    said = "killed" if code is None else f"ended {code}"
    os.write(status, (said + (f", {left} left" if left else "")).encode())


def adopt() -> None:
    """Become the parent of every descendant whose own parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)


def _watch(script: int, woken: int, grace: float) -> int | None:
    """Wait for the script, then `grace` seconds for what it left behind. None where it was ended before its end."""
    code: int | None = None
    until: float | None = None
    asked = False
    while True:
        for pid, ended in _reaped():
            if pid == script:
                code, until = ended, time.monotonic() + grace
        if code is not None and (asked or not _children()):
            return code
        wait = None if until is None else max(0.0, until - time.monotonic())
        ready, _, _ = select.select([0, woken], [], [], wait)
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 4096)
        if 0 in ready:
            if os.read(0, 1) != b"t":
                return code
            for pid in descendants() or [script]:
                _kill(pid, signal.SIGTERM)
            asked, until = True, time.monotonic() + grace
        elif not ready:
            return code


def sweep(group: int) -> int:
    """Kill every descendant until none is left; how many could not be ended."""
    until = time.monotonic() + SWEEP_SECONDS
    while True:
        left = descendants()
        for pid in left:
            _kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        list(_reaped())
        if not _children():
            return 0
        if time.monotonic() > until:
            return max(1, len(left))
        time.sleep(0.005)


def descendants() -> list[int]:
    """Every process below this one, the nearest first; direct children only where there is no /proc."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                below.setdefault(int(fields[1]), []).append(int(entry.name))
    found = list(below.get(os.getpid(), []))
    for pid in found:
        found += below.get(pid, [])
    return found


def _reaped() -> Iterator[tuple[int, int]]:
    """Children that have ended, with their exit codes."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            yield pid, os.waitstatus_to_exitcode(status)


def _children() -> bool:
    """Whether any child is left, ended or not."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


if __name__ == "__main__":
    main(sys.argv[1:])
