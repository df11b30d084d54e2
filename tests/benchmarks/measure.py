"""Measuring what a command costs: seconds, peak memory, and what a terminal shows and receives."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pyte


@dataclass(frozen=True)
class Cost:
    """What one run of a command took. `peak` is the largest resident size in MiB."""

    seconds: float
    peak: float
    code: int
    output: bytes


def _high_water(pid: int) -> float:
    """The peak resident size so far in MiB, of the program and its children; 0 once it ended."""
    peak = 0.0
    with contextlib.suppress(psutil.Error, OSError):
        top = psutil.Process(pid)
        for process in (top, *top.children(recursive=True)):
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peak = max(peak, int(line.split()[1]) / 1024)
    return peak


def cost(command: Sequence[str], environment: Mapping[str, str] | None = None, *, sample: bool = False) -> Cost:
    """Run a command to its end, its output going to a file.

    The kernel's own figure for the peak is never below the size of this process, from which the command was forked.
    With `sample` the peak is looked up every few milliseconds instead, which makes a short command slower.
    """
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        sampled = 0.0
        while not (ended := os.wait4(child.pid, os.WNOHANG if sample else 0))[0]:
            sampled = max(sampled, _high_water(child.pid))
            time.sleep(0.003)
        seconds = time.perf_counter() - began
        _, status, usage = ended
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return Cost(seconds, sampled if sample else usage.ru_maxrss / 1024, child.returncode, output.read())


def best(runs: int, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """The fastest of several runs, which is the least disturbed one, with the peak of a further run if it is small."""
    fastest = min((cost(command, environment) for _ in range(runs)), key=lambda run: run.seconds)
    own = psutil.Process().memory_info().rss / (1 << 20)
    if fastest.peak > own * 1.2:
        return fastest
    return replace(fastest, peak=cost(command, environment, sample=True).peak)


class Terminal:
    """A program on a terminal of its own, and the screen that its output paints."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        columns: int = 120,
        lines: int = 40,
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.received = 0
        self.began = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            own = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
            os.execvpe(command[0], list(command), own)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def pump(self, seconds: float) -> int:
        """Feed the screen for at most `seconds` until something came. Answers the bytes received."""
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        if not ready:
            return 0
        try:
            data = os.read(self._terminal, 1 << 16)
        except OSError:  # the program has closed its side
            data = b""
        if not data:
            time.sleep(min(seconds, 0.05))
            return 0
        self.received += len(data)
        with contextlib.suppress(Exception):  # pyte does not know every sequence; the figures do not need them
            self._stream.feed(data)
        return len(data)

    def wait(self, shows: Callable[[str], bool], seconds: float) -> float | None:
        """Seconds from the start until the screen's text satisfies `shows`; None if it never does."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            if self.pump(0.05) and shows("\n".join(self.screen.display)):
                return time.perf_counter() - self.began
            if self.ended():
                return None
        return None

    def quiet(self, seconds: float) -> int:
        """The bytes that come within `seconds`."""
        before, deadline = self.received, time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self.pump(left)
        return self.received - before

    def resident(self) -> float:
        """The program's resident size in MiB, its children included; 0 once it ended."""
        with contextlib.suppress(psutil.Error):
            top = psutil.Process(self.pid)
            return sum(process.memory_info().rss for process in (top, *top.children(recursive=True))) / (1 << 20)
        return 0.0

    def processor_seconds(self) -> float:
        """User and system time so far."""
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(self.pid).cpu_times()
            return float(times.user + times.system)
        return 0.0

    def send(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def press(self, key: str) -> float:
        """Seconds from a key to the first bytes after it; a second where none come."""
        while self.pump(0.02):
            pass
        pressed = time.perf_counter()
        self.send(key)
        self.pump(1.0)
        return time.perf_counter() - pressed

    def text(self) -> str:
        """What the screen says, on one line."""
        return " | ".join(line.strip() for line in self.screen.display if line.strip())

    def ended(self) -> bool:
        return not psutil.pid_exists(self.pid) or psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self._terminal)
