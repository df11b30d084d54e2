"""One kind in one place, kept as the API server has it: list in pages, then watch, for as long as the program runs.

A lost connection leaves what is known in place. What failed is a state with words, never an exception for the caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import Any, Protocol

import msgspec
from msgspec import Raw, Struct, field

from console.base.clock import Clock
from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded, ReachError
from console.facts.leftout import LeftOut
from console.facts.model import SourceStateWord
from console.facts.notjudged import MOST, NotJudged, not_judged
from console.sources.cluster.kinds import Decoder, Kind, list_path
from console.sources.cluster.lists import subject_in, uid_of
from console.wire.errors import ApiError, GoneError, InvalidError, NotFoundError, QuietError, status_error
from console.wire.reader import IDLE, Reader

QUIET = 200.0
"""Seconds without a byte on an open watch after which data are late: a quiet watch was begun anew before that. After
twice as long they are stale."""
BOOKMARKS = 90.0
"""The same where the server has sent bookmarks, which come once a minute."""
LATE = 45.0
"""Seconds since the last byte after which the data of a lost connection are stale."""
_FIRST_WAIT, _LONGEST_WAIT = 0.4, 20.0
_LOGIN_WAIT = 60.0
_RARE_WAIT = 300.0


class Sink(Protocol):
    """Who is told what a reflector sees. Called in the event loop, must not block."""

    def changed_by(self, reflector: Reflector) -> None:
        """Items or state changed."""
        ...

    def heard(self, reflector: Reflector) -> None:
        """A bookmark came: nothing changed, but `version` did."""
        ...

    def removed(self, reflector: Reflector, key: str, item: Any, before: Any, raw: bytes | None) -> None:
        """An object vanished. `item` is what the DELETED event held (None where none came), `before` what was known."""
        ...

    def noticed(self, reflector: Reflector, item: Any, raw: bytes | None) -> None:
        """An object came or changed; `raw` is its JSON where it came by the watch."""
        ...


class _ObjectMeta(Struct, gc=False):
    uid: str = ""
    namespace: str | None = ""
    name: str | None = ""
    resourceVersion: str = ""


class _Head(Struct, gc=False):
    metadata: _ObjectMeta = field(default_factory=_ObjectMeta)


class _Event(Struct, gc=False):
    type: str
    object: Raw


_EVENT: msgspec.json.Decoder[_Event] = msgspec.json.Decoder(_Event)
_HEAD: msgspec.json.Decoder[_Head] = msgspec.json.Decoder(_Head)


def _moment(item: Any) -> float:
    """When an event was seen last, or when an object was made."""
    return getattr(item, "last", None) or getattr(item, "created", None) or 0.0


class Reflector:
    """Keeps `items` (uid → fact) of one kind, namespace and selector.

    Attributes:
        listed: the first list came to its end.
        failed: objects that Console failed at, by uid; they are no items.
        problem: what is wrong now, or None.
        silence: nothing is heard, and the server does not answer either; None where it does, or was not asked.
        version: the last resourceVersion seen.
        generation: moves with every change of an item; `members` only when one comes or goes.
        last: when data came last, in the time of the clock; `contact` in monotonic seconds.
        trimmed: items beyond `limit` that were let go since the last list.
        unsaid: more objects failed than `failed` holds.
    """

    def __init__(
        self,
        reader: Reader,
        kind: Kind,
        api_version: str,
        decoder: Decoder,
        sink: Sink,
        clock: Clock,
        *,
        namespace: str = "",
        selector: str = "",
        limit: int = 0,
    ) -> None:
        self.kind, self.api_version, self.namespace, self.selector = kind, api_version, namespace, selector
        self.items: dict[str, Any] = {}
        self.failed: dict[str, NotJudged] = {}
        self.listed, self.version = False, ""
        self.problem: ConsoleError | None = None
        self.last: float | None = None
        self.contact = 0.0
        self.silence: ConsoleError | None = None
        self._bookmarked = False
        self.generation = self.members = 0
        self.trimmed, self.unsaid = 0, False
        self._reader, self._decoder, self._sink, self._clock = reader, decoder, sink, clock
        self._limit = limit
        self._wake = asyncio.Event()
        self.path = list_path(kind, api_version, namespace)
        wanted = {"labelSelector": selector, "fieldSelector": kind.fields}
        self._query = {k: v for k, v in wanted.items() if v}

    def word(self) -> SourceStateWord:
        """How far the items can be trusted now."""
        problem = self.problem
        if isinstance(problem, LoginNeeded):
            return "login needed"
        if isinstance(problem, ForbiddenError):
            return "forbidden"
        if isinstance(problem, NotFoundError):
            return "absent"
        age = time.monotonic() - self.contact
        if problem is not None:
            if not self.listed:
                return "unreachable"
            return "late" if age <= LATE else "stale"
        if not self.listed:
            return "loading"
        if self.silence is not None:
            return "late" if age <= LATE else "stale"
        quiet = BOOKMARKS if self._bookmarked else QUIET
        return "fresh" if age <= quiet else "late" if age <= 2 * quiet else "stale"

    @property
    def trouble(self) -> ConsoleError | None:
        """Why it is not fresh, where that is known."""
        return self.problem or self.silence

    def left_out(self) -> tuple[LeftOut, ...]:
        """Items beyond `limit`, and failures beyond those that are kept."""
        out = []
        if self.trimmed:
            kept = len(self.items)
            out.append(LeftOut(self.kind.name, "are kept", kept, kept + self.trimmed, "the newest first"))
        if self.unsaid:
            said = f"{self.kind.plural} that could not be read are named"
            out.append(LeftOut(self.kind.name, said, len(self.failed), blinds=True))
        return tuple(out)

    def retry(self) -> None:
        """Try again now instead of after the wait."""
        self._wake.set()

    async def run(self) -> None:
        """List and watch until cancelled."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                if not self.version:
                    await self._list()
                await self._watch()
            except GoneError:
                self.version = ""
            except QuietError:  # nothing happened, or nobody is there: the next try tells
                continue
            except Exception as error:
                if isinstance(error, InvalidError) or (isinstance(error, ApiError) and error.status == 504):
                    self.version = ""
                self._fail(error)
            failures = 0 if time.monotonic() - began > 5.0 else failures + 1
            await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        """Wait before the next try: nothing after a watch that ended well, long where a person has to act first."""
        if failures == 0 and self.problem is None:
            return
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(failures, 10)) * random.uniform(0.5, 1.0)
        if isinstance(self.problem, LoginNeeded):
            wait = _LOGIN_WAIT * random.uniform(0.9, 1.1)
        elif isinstance(self.problem, ForbiddenError | NotFoundError):
            wait = _RARE_WAIT * random.uniform(0.9, 1.1)
        elif isinstance(self.problem, ApiError) and self.problem.retry_after:
            wait = max(wait, self.problem.retry_after)
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._wake.wait()

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, ConsoleError):
            said = f": {error}" if isinstance(error, msgspec.DecodeError) else f" to Console: {type(error).__name__}"
            error = ReachError(f"the answer to {self.path} makes no sense{said}")
        self.problem = error.with_traceback(None)  # frames would keep sockets alive
        if isinstance(error, NotFoundError):
            for key in list(self.items):
                self._remove(key, None, None)
            self.version = ""
        self._sink.changed_by(self)

    def _open(self) -> None:
        """The server took the watch: what is known is current, even if nothing is said for a while."""
        troubled = self.trouble is not None
        self._heard()
        if troubled:
            self._sink.changed_by(self)

    def _heard(self) -> None:
        self.contact, self.last = time.monotonic(), self._clock.now()
        self.problem = self.silence = None

    async def _list(self) -> None:
        version, seen, self.trimmed, self.unsaid = "", set(), 0, False
        async with contextlib.aclosing(self._reader.pages(self.path, self._query, size=self.kind.page)) as pages:
            async for page in pages:
                self._heard()
                page_version, found = self._decoder.page(page.body, self._clock.now())
                version = version or page_version
                for key, item in found:
                    seen.add(key)
                    self._put(key, item, None)
                self._trim()
                self.generation += 1
                self._sink.changed_by(self)
        for key in [key for key in (*self.items, *self.failed) if key not in seen]:
            self._remove(key, None, None)
        self.version, self.listed = version, True
        self.generation += 1
        self._sink.changed_by(self)

    async def _watch(self) -> None:
        watch = self._reader.watch(self.path, self._query, self.version, idle=IDLE)
        async with contextlib.aclosing(watch) as lines:
            async for line in lines:
                if line:
                    self._take_line(line)
                else:
                    self._open()

    def _take_line(self, line: bytes) -> None:
        """One line of the watch. One that cannot be decoded is said of the object that it names.

        Raises:
            msgspec.DecodeError, RecursionError, UnicodeError: it names none.
        """
        try:
            event = _EVENT.decode(line)
            meta = _HEAD.decode(event.object).metadata if event.type != "ERROR" else _ObjectMeta()
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            subject = subject_in(line, self.kind.kind)
            if subject.endswith("/?"):  # it names no object: the stream itself is broken
                raise
            failed = not_judged(subject, f"decoding {self.kind.plural}", error)
            self._set_aside(failed.subject, failed)
            self._sink.changed_by(self)
        else:
            self._take(event, meta)

    def _take(self, event: _Event, meta: _ObjectMeta) -> None:
        """One event of the watch."""
        if event.type == "ERROR":
            raise status_error(msgspec.json.decode(event.object))
        troubled = self.trouble is not None
        self._heard()
        if event.type != "BOOKMARK":
            self._apply(event, meta)
        else:
            self._bookmarked = True
        self.version = meta.resourceVersion or self.version
        if event.type == "BOOKMARK" and not troubled:
            self._sink.heard(self)
        else:
            self._sink.changed_by(self)

    def _apply(self, event: _Event, meta: _ObjectMeta) -> None:
        gone = event.type == "DELETED"
        raw = bytes(event.object)
        key = meta.uid or uid_of({"metadata": {"namespace": meta.namespace, "name": meta.name}})
        try:
            item = self._decoder.one(raw, self._clock.now(), gone=gone)
        except Exception as error:
            item = not_judged(subject_in(raw, self.kind.kind), f"reading {self.kind.plural}", error)
        if gone and isinstance(item, NotJudged):
            item = None
        self.generation += 1
        if gone:
            self._remove(key, item, raw)
        elif item is not None:
            self._put(key, item, raw)
            self._trim()
        elif self.items.pop(key, None) is not None:
            self.members += 1

    def _put(self, key: str, item: Any, raw: bytes | None) -> None:
        if isinstance(item, NotJudged):
            self._set_aside(key, item)
            return
        if key not in self.items:
            self.members += 1
        self.items[key] = item
        self.failed.pop(key, None)
        self._sink.noticed(self, item, raw)

    def _set_aside(self, key: str, failed: NotJudged) -> None:
        """An object that Console failed at: what was known of it is old."""
        if len(self.failed) < MOST or key in self.failed:
            self.failed[key] = failed
        else:
            self.unsaid = True
        if self.items.pop(key, None) is not None:
            self.members += 1

    def _remove(self, key: str, final: Any, raw: bytes | None) -> None:
        self.failed.pop(key, None)
        before = self.items.pop(key, None)
        self.members += 1
        self._sink.removed(self, key, final, before, raw)

    def _trim(self) -> None:
        """Keep at most `limit` items, the newest."""
        if self._limit and len(self.items) > self._limit * 1.1:
            newest = sorted(self.items.items(), key=lambda pair: _moment(pair[1]))
            self.trimmed += len(newest) - self._limit
            self.items = dict(newest[-self._limit :])
            self.members += 1
