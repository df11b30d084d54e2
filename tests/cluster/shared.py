"""One running part for all processes of a test session.

The first user starts a supervisor (`serve.py`), later ones join it, the last one waits until it is gone. Users are
counted by the kernel: each holds a shared lock on the file `users` while it needs the part. A user that crashes
loses its lock, and the supervisor, seeing that it could lock the file alone, stops by itself.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from tests.cluster.inventory import HERE
from tests.cluster.processes import PartFailed, Process


@contextmanager
def locked(path: Path, how: int) -> Iterator[IO[str]]:
    """Hold a file lock (`fcntl.LOCK_EX` or `LOCK_SH`).

    Raises:
        BlockingIOError: with `LOCK_NB`, and somebody holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        fcntl.flock(stream, how)
        yield stream


def _free(path: Path, how: int = fcntl.LOCK_EX) -> bool:
    try:
        with locked(path, how | fcntl.LOCK_NB):
            return True
    except BlockingIOError:
        return False


def _others(users: Path) -> bool:
    """Whether somebody else uses the part: a shared lock can be had, the sole one (a stopping supervisor's) cannot."""
    return _free(users, fcntl.LOCK_SH) and not _free(users)


def _start(kind: str, folder: Path, seconds: float) -> None:
    for name in ("ready.json", "failed.txt"):
        (folder / name).unlink(missing_ok=True)
    log = folder / "supervisor.log"
    with log.open("ab") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.serve", kind, str(folder)],
            cwd=HERE.parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + seconds
    while not (folder / "ready.json").exists():
        ended = supervisor.poll()
        if ended is not None or time.monotonic() > deadline:
            if ended is None:
                supervisor.terminate()
            failed = folder / "failed.txt"
            why = failed if failed.exists() else log
            raise PartFailed(f"{kind} did not start: {why.read_text(errors='replace')[-6000:]}")
        time.sleep(0.05)


@contextmanager
def using(kind: str, folder: Path, *, seconds: float) -> Iterator[dict[str, Any]]:
    """Use the part `kind` that runs in `folder`; start it where nobody has yet. Gives what `ready.json` holds.

    Raises:
        PartFailed: it did not start within `seconds`. The message holds the last lines of what failed.
    """
    users, alive, starting = (folder / name for name in ("users", "alive", "starting"))
    with locked(users, fcntl.LOCK_SH) as use:
        with locked(starting, fcntl.LOCK_EX):
            if _free(alive):
                if (folder / "failed.txt").exists():  # say it again rather than fail as slowly again
                    raise PartFailed((folder / "failed.txt").read_text(errors="replace"))
                _start(kind, folder, seconds)
        try:
            yield json.loads((folder / "ready.json").read_text())
        finally:
            fcntl.flock(use, fcntl.LOCK_UN)
            deadline = time.monotonic() + 90
            while not _free(alive) and not _others(users) and time.monotonic() < deadline:
                time.sleep(0.2)


class Part(Protocol):
    """What can be shared. `stop` may be called twice, and before anything was started."""

    def start(self) -> dict[str, Any]: ...

    def stop(self) -> None: ...

    def processes(self) -> Sequence[Process]: ...


def supervise(folder: Path, part: Part) -> None:
    """Run `part` until nobody uses it. Called in the supervisor.

    What `start` answers becomes `ready.json`; why it does not start becomes `failed.txt`; that one of its
    processes ended early stands in the supervisor's log.
    """
    with locked(folder / "alive", fcntl.LOCK_EX | fcntl.LOCK_NB):
        try:
            ready = part.start()
            temporary = folder / ".ready.json"
            temporary.write_text(json.dumps(ready))
            temporary.rename(folder / "ready.json")
            _until_unused(folder, part)
        except Exception as error:
            (folder / "failed.txt").write_text(f"{error}")
            raise
        finally:
            part.stop()
            (folder / "ready.json").unlink(missing_ok=True)


def _until_unused(folder: Path, part: Part, *, grace: float = 1.0) -> None:
    reported: set[str] = set()
    with (folder / "users").open("a") as users:
        idle_since: float | None = None
        while True:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                idle_since = None
            else:
                idle_since = idle_since if idle_since is not None else time.monotonic()
                if time.monotonic() - idle_since >= grace:
                    part.stop()  # with the lock held: who comes now waits, finds nobody alive and starts anew
                    return
                fcntl.flock(users, fcntl.LOCK_UN)
            for process in part.processes():
                if process.ended() is not None and process.name not in reported:
                    reported.add(process.name)
                    print(f"{process.name} ended early with {process.ended()}:\n{process.tail()}", flush=True)
            time.sleep(0.1)
