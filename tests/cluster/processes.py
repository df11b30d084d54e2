"""Starting programs, waiting until they serve, and saying with their own last words why they do not."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import random
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO


class PartFailed(Exception):
    """A part that is here did not start. The message ends with the last lines of its log."""


_PORTS = range(20_000, 32_000)
"""Below those that the kernel gives to connections, which could take one between two starts of a server."""
_taken: list[IO[str]] = []


def free_port(address: str = "127.0.0.1") -> int:
    """A port that nobody listens on, and that no other test process is given while this one lives."""
    held = Path(tempfile.gettempdir()) / f"console-test-ports-{os.getuid()}"
    held.mkdir(exist_ok=True)
    for port in random.sample(_PORTS, len(_PORTS)):
        claim = (held / str(port)).open("a")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind((address, port))
        except OSError:
            claim.close()
            continue
        _taken.append(claim)
        return port
    raise PartFailed("no port is free")


class Process:
    """A child process with its output in a file. It is killed when the thread that made it ends, however it ends.

    So make it in the main thread.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        logs: Path,
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        keep_input_open: bool = False,
    ) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        logs.mkdir(parents=True, exist_ok=True)
        argv = ["setpriv", "--pdeathsig", "KILL", "--", *(str(word) for word in command)]
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if keep_input_open else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                cwd=cwd,
                start_new_session=True,  # a Ctrl-C at the terminal is for the tests, which then stop their parts
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    def ended(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._child.poll()

    def close_input(self) -> None:
        """End the child's standard input, which some children take as the word to stop."""
        if self._child.stdin:
            self._child.stdin.close()

    def tail(self, lines: int = 12) -> str:
        """The last lines of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(f"    {line[:400]}" for line in text.splitlines()[-lines:])

    def wait(self, seconds: float) -> int:
        """Its exit code.

        Raises:
            PartFailed: it did not end in time.
        """
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise PartFailed(f"{self.name} still runs after {seconds:.0f} s; its log ends:\n{self.tail()}") from None

    def freeze(self) -> None:
        """SIGSTOP: it does nothing any more, and its connections stay open."""
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT after `freeze`."""
        self._child.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL to the process alone, not to what it started."""
        self._child.kill()
        self._child.wait()

    def stop(self, seconds: float = 5) -> None:
        """Ask it to end, then end it."""
        if self.ended() is None:
            self._child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)
                return
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()


def wait_until(
    what: str, holds: Callable[[], bool], *, seconds: float, processes: Sequence[Process] = (), every: float = 0.05
) -> None:
    """Ask again until `holds()`.

    Raises:
        PartFailed: the time is over, or one of `processes` has ended. Their logs' last lines are in the message.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        dead = [process for process in processes if process.ended() is not None]
        late = time.monotonic() > deadline
        if dead or late:
            why = f"not so after {seconds:.0f} s" if late else f"{dead[0].name} ended with {dead[0].ended()}"
            logs = "".join(f"\n  {process.log}:\n{process.tail()}" for process in (dead or processes))
            raise PartFailed(f"{what}: {why}{logs}")
        time.sleep(every)


def answers(url: str, *, authority: Path | None = None, token: str = "") -> bool:
    """Whether a GET of `url` gives 200."""
    context = ssl.create_default_context(cafile=str(authority)) if authority else None
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=2, context=context) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False
