"""Running a script of the library: an argv, no shell, a process group of its own, a deadline, bounded clean output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from console.base.errors import ConsoleError
from console.base.redact import redact
from console.base.text import clean

HEAD_BYTES, TAIL_BYTES = 16 * 2**10, 48 * 2**10
"""What is kept of the output; the middle is dropped."""
GRACE_SECONDS = 3.0
"""Between SIGTERM and SIGKILL, and how long children may hold the output open after the script has ended."""
POLL_SECONDS = 0.02
_PASSED = ("PATH", "HOME", "TMPDIR")


@dataclass(frozen=True)
class Finished:
    """How a script ended. `exit_code` is None where it had to be killed; a signal's is negative.

    Attributes:
        output: what it wrote to stdout and stderr, cleaned and redacted, its middle cut where it was long.
        result: its last line where that is one JSON object, else ``.
    """

    exit_code: int | None
    output: str
    result: str = ""
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def words(self) -> str:
        if self.timed_out:
            return "killed: it did not end in time"
        return "done" if self.ok else f"ended with exit code {self.exit_code}"


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """What a script sees: no more than it needs, and nothing of ours that could be a secret."""
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **passed, **more}


async def run(argv: tuple[str, ...], *, timeout: float, env: Mapping[str, str]) -> Finished:
    """Run a script to its end. When this is cancelled, its whole process group is killed.

    Args:
        argv: argv[0] is the interpreter; `python` means the one that runs Console.
        timeout: real seconds.
        env: added to the minimal environment.

    Raises:
        ConsoleError: it cannot be started.
    """
    words = [sys.executable if argv[0] == "python" else argv[0], *argv[1:]]
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment(env),
            start_new_session=True,
        )
    except OSError as error:
        raise ConsoleError(f"cannot start {clean(words[0])}: {error.strerror or error}") from None
    kept = _Kept()
    reading = asyncio.create_task(_read(process, kept))
    timed_out = False
    try:
        try:
            await asyncio.wait_for(_exit(process), timeout)
        except TimeoutError:
            timed_out = True
            await _end(process)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(reading), GRACE_SECONDS)
    finally:
        _signal(process.pid, signal.SIGKILL)
        reading.cancel()
        await _exit(process)
    text = clean(redact(kept.text()), lines=True)
    return Finished(None if timed_out else process.returncode, text, _result(text), timed_out)


class _Kept:
    """The head and the tail of a stream."""

    def __init__(self) -> None:
        self.head, self.tail, self.dropped = bytearray(), bytearray(), 0

    def add(self, chunk: bytes) -> None:
        room = HEAD_BYTES - len(self.head)
        self.head += chunk[:room]
        self.tail += chunk[room:] if room > 0 else chunk
        over = len(self.tail) - TAIL_BYTES
        if over > 0:
            del self.tail[:over]
            self.dropped += over

    def text(self) -> str:
        gap = f"\n[… {self.dropped} bytes left out …]\n".encode() if self.dropped else b""
        return bytes(self.head + gap + self.tail).decode("utf-8", "replace")


async def _read(process: asyncio.subprocess.Process, kept: _Kept) -> None:
    assert process.stdout is not None
    while chunk := await process.stdout.read(65536):
        kept.add(chunk)


async def _exit(process: asyncio.subprocess.Process) -> None:
    """Return when the process itself has ended. (`wait` may also wait for children that hold its output open.)"""
    while process.returncode is None:
        await asyncio.sleep(POLL_SECONDS)


async def _end(process: asyncio.subprocess.Process) -> None:
    _signal(process.pid, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_exit(process), GRACE_SECONDS)
    _signal(process.pid, signal.SIGKILL)
    await _exit(process)


def _signal(group: int, number: int) -> None:
    """To the whole group; it is named after its first process and lives as long as any of it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _result(text: str) -> str:
    last = text.rstrip().rpartition("\n")[2].strip()
    if not last.startswith("{"):
        return ""
    try:
        return last if isinstance(msgspec.json.decode(last.encode()), dict) else ""
    except msgspec.DecodeError:
        return ""
