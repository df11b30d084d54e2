"""What one look knows of the looks before it: since when, what burns, which sources and objectives there were, and
how often each application was tried.

A small file for each cluster, beside the evidence, so that commands and the UI say the same one after the other.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from console.base.errors import ConsoleError
from console.base.jsontext import decode_json, encode_json
from console.base.paths import private_dir, replace_file
from console.facts.counted import CountedAttempts
from console.facts.model import SourceState
from console.findings.model import Finding
from console.findings.since import KnownTrouble, kept, resumed
from console.slo.model import SloStatus

MAX_BYTES = 4 * 2**20
EVERY = 5.0
"""Seconds of real time between two writes."""
MONTH = 30 * 86400.0
"""Seconds for which a source that was there is missed; for an objective, a day."""
DAY = 86400.0
WATCHED = 60.0
"""Seconds between two looks that are as good as one: no attempt comes and goes within them."""
MOST_COUNTED = 2_000
"""Applications whose attempts are counted on; those that were tried more than once, and seen last, first."""
METRICS = ("prometheus", "alertmanager")
"""Sources that come and go without a trace in the cluster."""


class _Count(Struct, frozen=True):
    """`seen`: when the application was seen last (epoch seconds)."""

    known: CountedAttempts
    seen: float


class _File(Struct):
    troubles: dict[str, KnownTrouble] = {}
    signs: dict[str, dict[str, float]] = {}
    had: dict[str, float] = {}
    measured: dict[str, float] = {}
    counts: dict[str, _Count] = {}


class Remembered:
    """The memory of one cluster. A disk that cannot be read or written is no reason to fail: then it lasts as long as
    the session.

    Args:
        path: where it lies.
        now: epoch seconds of the clock.
    """

    def __init__(self, path: Path, now: float) -> None:
        self._path = path
        self._file = _read(path)
        self._file.troubles = resumed(self._file.troubles, now)
        self.counted: Mapping[str, CountedAttempts] = {
            key: one.known if one.known.watched == watched else replace(one.known, watched=watched)
            for key, one in self._file.counts.items()
            if 0 <= now - one.seen <= MONTH
            for watched in (now - one.seen <= WATCHED,)
        }
        """How often applications were tried, for `Facts.counted`."""
        self._written, self._dirty = 0.0, False

    @property
    def signs(self) -> dict[str, dict[str, float]]:
        """What last showed that an objective burns, by its id; changed in place by who measures."""
        return self._file.signs

    def since(self, findings: Sequence[Finding], now: float) -> tuple[Finding, ...]:
        """The findings, each with its earliest proof."""
        found, self._file.troubles = kept(findings, self._file.troubles, now)
        self._dirty = True
        return found

    def count(self, counted: Mapping[str, CountedAttempts], now: float) -> None:
        """Note how often applications were tried, by this look."""
        self.counted = {**self.counted, **counted}
        noted = {**self._file.counts, **{key: _Count(known, now) for key, known in counted.items()}}
        if len(noted) > MOST_COUNTED:
            first = sorted(noted.items(), key=lambda item: (item[1].known.number > 1, item[1].seen), reverse=True)
            noted = dict(first[:MOST_COUNTED])
        self._file.counts = {key: one for key, one in noted.items() if now - one.seen <= MONTH}
        self._dirty = True

    def missed(self, sources: Iterable[SourceState], now: float) -> tuple[SourceState, ...]:
        """The states of sources; one that is absent and was there before is `unreachable`."""
        out = []
        for source in sources:
            last = self._file.had.get(source.name)
            if source.name in METRICS and source.state in ("fresh", "late", "partial"):
                self._file.had[source.name] = now
            elif source.state == "absent" and last is not None and 0 <= now - last <= MONTH:
                detail = f"it was here before, and is not found now: {source.detail}".rstrip(": ")
                source = replace(source, state="unreachable", detail=detail, last=last)
            out.append(source)
        return tuple(out)

    def lost(self, slos: Iterable[SloStatus], now: float) -> tuple[str, ...]:
        """Titles of the objectives that have no data and had some within a day."""
        out = []
        for slo in slos:
            if slo.state != "no data":
                self._file.measured[slo.id] = now
            elif (last := self._file.measured.get(slo.id)) is not None and 0 <= now - last <= DAY:
                out.append(slo.title)
        return tuple(out)

    def save(self, *, at_once: bool = False) -> None:
        """Write it, at most every few seconds."""
        if not self._dirty or (not at_once and time.monotonic() - self._written < EVERY):
            return
        self._written, self._dirty = time.monotonic(), False
        with contextlib.suppress(OSError, ConsoleError):
            private_dir(self._path.parent)
            replace_file(self._path, encode_json(self._file))


def _read(path: Path) -> _File:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        return decode_json(data, _File) if len(data) <= MAX_BYTES else _File()
    except (OSError, msgspec.DecodeError):
        return _File()
