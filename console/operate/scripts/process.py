"""Running a script of the library: an argv, no shell, an end for all that came of it, bounded clean output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import site
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from console.base.errors import ConsoleError
from console.base.redact import redact
from console.base.text import clean
from console.operate.scripts import warden
from console.wire.guarded import ProxiedCall

HEAD_BYTES, TAIL_BYTES = 16 * 2**10, 48 * 2**10
"""What is kept of the output; the middle is dropped."""
GRACE_SECONDS = 3.0
"""Between SIGTERM and SIGKILL, and how long children may go on after the script has ended."""
PATH = "/usr/local/bin:/usr/bin:/bin"
"""Where a script finds programs: where a machine has them, not where a person may have put others."""


@dataclass(frozen=True)
class Finished:
    """How a script ended. `exit_code` is None where it had to be killed; a signal's is negative.

    Attributes:
        output: what it wrote to stdout and stderr, cleaned and redacted, its middle cut where it was long.
        result: its last line where that is one JSON object, else ``.
        calls: what it sent to the API server, and what was not passed on.
        left: processes of it that could not be ended.
    """

    exit_code: int | None
    output: str
    result: str = ""
    timed_out: bool = False
    calls: tuple[ProxiedCall, ...] = ()
    left: int = 0

    @property
    def refused(self) -> tuple[ProxiedCall, ...]:
        """The writes that were not passed on."""
        return tuple(call for call in self.calls if call.refused)

    @property
    def ok(self) -> bool:
        return self.exit_code == 0 and not self.refused

    @property
    def words(self) -> str:
        said = "killed: it did not end in time" if self.timed_out else f"ended with exit code {self.exit_code}"
        if self.exit_code == 0:
            said = "done" if self.ok else "ended as if all were well"
        if self.refused:
            said += f", but was not let through: {self.refused[0].refused}"
        return said + (f"; {self.left} of its processes could not be ended" if self.left else "")


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """What a script sees: no more than it needs, and nothing of the person's."""
    own = {"PYTHONUSERBASE": site.getuserbase()} if site.ENABLE_USER_SITE else {}
    return {"PATH": PATH, "LANG": "C.UTF-8", **own, **more}


async def run(
    argv: tuple[str, ...],
    *,
    timeout: float,
    env: Mapping[str, str],
    folder: Path | None = None,
    hide: Callable[[str], str] = str,
) -> Finished:
    """Run a script to its end. When this is cancelled, or Console dies, all that came of it is killed.

    Args:
        argv: argv[0] is the interpreter; `python` means the one that runs Console.
        timeout: real seconds.
        env: added to the minimal environment.
        folder: where it runs; None means the root folder.
        hide: takes out of its output what nobody else may see.

    Raises:
        ConsoleError: it cannot be started.
    """
    command = [sys.executable if argv[0] == "python" else argv[0], *argv[1:]]
    ending, told = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", warden.__file__, str(told), str(GRACE_SECONDS), *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment(env),
            cwd=folder or "/",
            pass_fds=(told,),
            start_new_session=True,
        )
    except OSError as error:
        os.close(ending)
        raise ConsoleError(f"cannot start {clean(command[0])}: {error.strerror or error}") from None
    finally:
        os.close(told)
    kept = _Kept()
    timed_out = False
    with os.fdopen(ending, "rb") as said:
        working = asyncio.ensure_future(_read(process, kept))
        try:
            try:
                await asyncio.wait_for(asyncio.shield(working), timeout)
            except TimeoutError:
                timed_out = True
                _tell(process, b"t")
                await asyncio.wait_for(asyncio.shield(working), 2 * GRACE_SECONDS + warden.SWEEP_SECONDS)
        except TimeoutError:
            pass
        finally:
            _tell(process, None)
            await _ended(process, working)
        end, _, left = said.read().decode("utf-8", "replace").partition(", ")
    word, _, more = end.partition(" ")
    if word == "failed":
        raise ConsoleError(f"cannot start {clean(command[0])}: {clean(more)}")
    code = int(more) if word == "ended" and not timed_out else None
    text = clean(redact(hide(kept.text())), lines=True)
    return Finished(code, text, _result(text), timed_out, left=int(left.partition(" ")[0] or 0))


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
    """Until the warden and all below it have let go of the output, and the warden has ended."""
    assert process.stdout is not None
    while chunk := await process.stdout.read(65536):
        kept.add(chunk)
    await process.wait()


def _tell(process: asyncio.subprocess.Process, word: bytes | None) -> None:
    """Ask the warden for an end, or (None) for one at once."""
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError, RuntimeError):
        if word is None:
            process.stdin.close()
        else:
            process.stdin.write(word)


async def _ended(process: asyncio.subprocess.Process, working: asyncio.Future[None]) -> None:
    """Wait for the warden, which ends all that it watches; where it does not, end it."""
    done, _ = await asyncio.wait({working}, timeout=warden.SWEEP_SECONDS + GRACE_SECONDS)
    if not done:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


def _result(text: str) -> str:
    last = text.rstrip().rpartition("\n")[2].strip()
    if not last.startswith("{"):
        return ""
    try:
        return last if isinstance(msgspec.json.decode(last.encode()), dict) else ""
    except msgspec.DecodeError:
        return ""
