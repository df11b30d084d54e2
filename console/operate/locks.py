"""One change of an object at a time, and one process on a walk at a time.

An object is locked by a Kubernetes Lease in its namespace where we may have one, else by a file on this machine; the
holder is shown. It is renewed while a person thinks. A walk is locked by a file whose lock the kernel gives back when
its process dies, however it dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import IO, Any, Literal, Protocol

from console.actions.effects import ObjectRef
from console.base import paths
from console.base.clock import parse_time
from console.base.errors import ConsoleError, ForbiddenError, RefusedError, UsageError
from console.base.text import clean, shorten
from console.base.units import human_duration
from console.wire.errors import ConflictError, NotFoundError
from console.wire.writer import Writer

LEASE_SECONDS = 30
RENEW_SECONDS = 10.0
SKEW_SECONDS = 30.0
"""How far the clock that wrote a Lease may be from ours before it counts as expired."""
LOOK = 0.02
"""Seconds after which a taken file is tried again: whoever only looks whether a walk is walked has it for less."""
OBJECT = "console.oncall/object"
TAKEN = "console.oncall/taken-because"
"""Why a Lease was taken from who held it; what its former holder is told."""


class Busy(RefusedError):
    """Somebody else holds the lock; the message says who, `holder` by name, where that is known."""

    holder: str = ""


def held_by(message: str, holder: str, hint: str | None = None) -> Busy:
    """The refusal, with the name of who holds it."""
    error = Busy(message, hint=hint)
    error.holder = holder
    return error


class ObjectLock(Protocol):
    """A lock that is held. `lost` is set when it is not ours any more, `why` says how that came."""

    kind: Literal["lease", "file"]
    lost: asyncio.Event
    why: str

    async def check(self) -> bool:
        """Whether it is still ours, asked of whoever keeps it."""
        ...

    async def release(self) -> None: ...


def lock_name(target: ObjectRef) -> str:
    """One name for one object, whatever its own name is."""
    what = f"{target.api_version.rpartition('/')[0]}/{target.kind}/{target.namespace}/{target.name}"
    return f"console-{hashlib.sha256(what.encode()).hexdigest()[:24]}"


@dataclass
class LeaseLock:
    """A Lease, renewed by a task until it is released or lost."""

    writer: Writer
    lease: dict[str, Any]
    holder: str
    renew_seconds: float
    kind: Literal["lease", "file"] = "lease"
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""
    _task: asyncio.Task[None] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def start(self) -> LeaseLock:
        self._task = asyncio.create_task(self._renew())
        return self

    async def _renew(self) -> None:
        renewed = time.monotonic()
        while not self.lost.is_set():
            await asyncio.sleep(self.renew_seconds)
            try:
                await self._once()
                renewed = time.monotonic()
            except ConsoleError as error:
                if time.monotonic() - renewed > LEASE_SECONDS:
                    self._lose(f"the Lease could not be renewed for {LEASE_SECONDS}s: {error.message}")

    async def _once(self) -> None:
        async with self._turn:
            if self.lost.is_set():
                return
            try:
                self.lease = await self.writer.lease_update(self.lease, seconds=LEASE_SECONDS)
            except (ConflictError, NotFoundError):
                meta = self.lease.get("metadata") or {}
                found = await self.writer.lease_get(str(meta.get("namespace")), str(meta.get("name")))
                if found is None:
                    self._lose("the Lease was deleted")
                elif _holder(found) != self.holder:
                    why = f": {because}" if (because := _because(found)) else ""
                    self._lose(f"the Lease was taken by {clean(_holder(found)) or 'nobody'}{why}")
                else:
                    self.lease = found

    def _lose(self, why: str) -> None:
        self.why = why
        self.lost.set()

    async def check(self) -> bool:
        if not self.lost.is_set():
            try:
                await self._once()
            except ConsoleError as error:
                self._lose(f"the Lease could not be renewed: {error.message}")
        return not self.lost.is_set()

    async def release(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self.lost.is_set():
            return
        async with self._turn:
            with contextlib.suppress(ConsoleError):
                try:
                    await self.writer.lease_delete(self.lease)
                except ForbiddenError:
                    await self.writer.lease_update(self.lease, holder="", seconds=1)


@dataclass
class FileLock:
    """A locked file on this machine. It says who holds it."""

    stream: IO[str]
    path: Path
    kind: Literal["lease", "file"] = "file"
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""

    async def check(self) -> bool:
        """Whether the file that we locked is still the one of that name."""
        try:
            same = os.fstat(self.stream.fileno()).st_ino == self.path.stat().st_ino
        except OSError:
            same = False
        if not same and not self.lost.is_set():
            self.why = f"the lock was taken by {taken}" if (taken := _taken(self.path)) else "the lock file was removed"
            self.lost.set()
        return same

    async def release(self) -> None:
        self.close()

    def close(self) -> None:
        if not self.stream.closed:
            self.stream.truncate(0)
            fcntl.flock(self.stream, fcntl.LOCK_UN)
            self.stream.close()


def lock_file(path: Path, holder: str) -> FileLock:
    """Lock the file at `path` for as long as this process lives or until `close`.

    Raises:
        Busy: another process has it.
        UsageError: there can be no such file.
    """
    paths.private_dir(path.parent)
    try:
        stream = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600), "r+", errors="replace")
    except OSError as error:
        raise UsageError(f"the lock {path} cannot be used: {error.strerror or error}") from None
    try:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sleep(LOOK)
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        said = _said(stream)
        stream.close()
        raise held_by(f"held by {said}", said) from None
    stream.truncate(0)
    stream.write(f"{holder} (process {os.getpid()})")
    stream.flush()
    return FileLock(stream, path)


def _said(stream: IO[str]) -> str:
    """Who a lock file says has it."""
    return clean(stream.read(300)) or "another process"


def _walk_file(folder: Path, walk: str) -> Path:
    return folder / f"walk-{hashlib.sha256(walk.encode()).hexdigest()[:24]}.lock"


def walked_by(folder: Path, walk: str) -> str:
    """Which process of this machine is on a walk, `` where none is; where that cannot be seen, none is known."""
    try:
        handle = os.open(_walk_file(folder, walk), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return ""
    with os.fdopen(handle, errors="replace") as stream:
        if not os.fstat(handle).st_size:  # given back: it is not touched, so that nobody finds it taken
            return ""
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _said(stream)
        return ""


def lock_walk(folder: Path, walk: str, actor: str) -> FileLock:
    """Be the only process on a walk.

    Raises:
        Busy: another process walks it.
    """
    try:
        return lock_file(_walk_file(folder, walk), actor)
    except Busy as busy:
        hint = "go on there, take it over with a reason, or end that process"
        raise held_by(f"walk {walk} is {busy.message}", busy.holder, hint) from None


def seize_walk(folder: Path, walk: str, actor: str) -> FileLock:
    """Be the only process on a walk, whoever was: the file that they locked is not the one of that name any more.

    Raises:
        Busy: somebody else seizes it at the same moment.
    """
    _walk_file(folder, walk).unlink(missing_ok=True)
    return lock_walk(folder, walk, actor)


def _taken(path: Path) -> str:
    """Who has the file of this name now, `` where that cannot be told."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), errors="replace") as stream:
            return clean(stream.read(300))
    except OSError:
        return ""


@dataclass
class Locks:
    """Locks on objects for one walk.

    Attributes:
        holder: who we are in a Lease: the same for the same walk on the same machine, so that a walk that is resumed
            takes its own Lease again.
        folder: where file locks lie.
    """

    writer: Writer
    folder: Path
    holder: str
    renew_seconds: float = RENEW_SECONDS

    @classmethod
    def of(cls, writer: Writer, folder: Path, actor: str, walk: str) -> Locks:
        name = actor.partition(" ")[0]  # without its terminal: a walk is resumed in another one
        return cls(writer, folder, f"{name if '@' in name else f'{name}@{socket.gethostname()}'}/{walk}")

    async def take(self, target: ObjectRef) -> ObjectLock:
        """The lock of an object.

        Raises:
            Busy: somebody else holds it.
            ConsoleError: the server cannot be asked.
        """
        try:
            return await self._lease(target)
        except ForbiddenError:
            try:
                return lock_file(self.folder / f"{lock_name(target)}.lock", self.holder)
            except Busy as busy:
                if self._of_this_walk(busy.holder.partition(" ")[0]):
                    return self._seized(target, self.holder)
                raise held_by(f"{target.words} is {busy.message}, on this machine", busy.holder) from None

    async def seize(self, target: ObjectRef, because: str) -> ObjectLock:
        """The lock of an object, whoever holds it. They are told by whom it was taken, and why, when they look at it.

        Raises:
            Busy: others take it at the same moment.
            ConsoleError: the server cannot be asked.
        """
        try:
            return await self._lease(target, because)
        except ForbiddenError:
            return self._seized(target, f"{self.holder}, because {because}")

    def _seized(self, target: ObjectRef, holder: str) -> FileLock:
        path = self.folder / f"{lock_name(target)}.lock"
        path.unlink(missing_ok=True)
        return lock_file(path, holder)

    def _of_this_walk(self, holder: str) -> bool:
        """Whether somebody held it for this walk: only one process is on a walk, and that is this one now."""
        walk = _walk_of(self.holder)
        return holder == self.holder or (bool(walk) and _walk_of(holder) == walk)

    async def give_back(self, target: ObjectRef) -> None:
        """Give back the Lease that an earlier process of this walk left behind when it died."""
        with contextlib.suppress(ConsoleError):
            found = await self.writer.lease_get(target.namespace or "default", lock_name(target))
            if found is not None and self._of_this_walk(_holder(found)):
                await LeaseLock(self.writer, found, self.holder, self.renew_seconds).release()

    async def _lease(self, target: ObjectRef, because: str = "") -> ObjectLock:
        """`because`: why it is taken although somebody holds it."""
        namespace, name = target.namespace or "default", lock_name(target)
        notes = {OBJECT: f"{target.kind}/{target.words}"}
        for _ in range(3):
            found = await self.writer.lease_get(namespace, name)
            try:
                if found is None:
                    lease = await self.writer.lease_create(
                        namespace, name, self.holder, LEASE_SECONDS, annotations=notes
                    )
                elif because or self._free(found):
                    told = {TAKEN: because} if because or _because(found) else {}
                    lease = await self.writer.lease_update(
                        found, holder=self.holder, seconds=LEASE_SECONDS, annotations={**notes, **told}
                    )
                else:
                    hint = "talk to them, or wait for the end"
                    raise held_by(f"{target.words} is held by {_words(found)}", clean(_holder(found)), hint)
            except (ConflictError, NotFoundError):
                continue
            return LeaseLock(self.writer, lease, self.holder, self.renew_seconds).start()
        raise Busy(f"{target.words}: others take its Lease at the same moment")

    def _free(self, lease: dict[str, Any]) -> bool:
        if _holder(lease) == "" or self._of_this_walk(_holder(lease)):
            return True
        spec = lease.get("spec") or {}
        renewed = parse_time(str(spec.get("renewTime") or ""))
        lasts = spec.get("leaseDurationSeconds")
        lasts = lasts if isinstance(lasts, int) else LEASE_SECONDS
        return renewed is None or time.time() - renewed > lasts + SKEW_SECONDS


def _holder(lease: dict[str, Any]) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity") or "")


def _walk_of(holder: str) -> str:
    """The walk that a holder names, behind a name that may have strokes of its own; `` where it names none."""
    _, stroke, walk = holder.rpartition("/")
    return walk if stroke else ""


def _because(lease: dict[str, Any]) -> str:
    notes = (lease.get("metadata") or {}).get("annotations") or {}
    return clean(shorten(str(notes.get(TAKEN) or ""), 200))


def _words(lease: dict[str, Any]) -> str:
    renewed = parse_time(str((lease.get("spec") or {}).get("renewTime") or ""))
    ago = "" if renewed is None else f", last renewed {human_duration(max(0.0, time.time() - renewed))} ago"
    return f"{clean(_holder(lease))}{ago}"
