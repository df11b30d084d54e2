"""One kind of the picture: its reflectors (one for the cluster, or one per namespace and selector) and its state."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded
from console.base.text import listed
from console.facts.model import SourceState, SourceStateWord
from console.sources.cluster.kinds import OPTIONAL, Kind
from console.sources.cluster.reflector import Reflector
from console.wire.errors import NotFoundError

SILENT = "nothing was heard for longer than a watch is ever silent"
_WORST: tuple[SourceStateWord, ...] = ("login needed", "unreachable", "loading", "stale", "late", "fresh")


class Watched:
    """One kind.

    Attributes:
        parts: reflectors with their tasks, by namespace and selector.
        absent: the cluster has no such kind.
        trouble: why its group could not be looked up.
        falling_back: the cluster as a whole is forbidden, and the readable namespaces are being found.
        note: what is missing although nothing is wrong ("12 of 50 namespaces").
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.parts: dict[tuple[str, str], tuple[Reflector, asyncio.Task[None]]] = {}
        self.absent = False
        self.trouble: ConsoleError | None = None
        self.falling_back = False
        self.fell_back = False
        self.note = ""
        self._state: SourceState | None = None
        self._merged: tuple[tuple[int, ...], dict[str, Any]] = ((), {})

    @property
    def reflectors(self) -> list[Reflector]:
        return [reflector for reflector, _ in self.parts.values()]

    @property
    def settled(self) -> bool:
        """Whether the first answer is there: data, a no, or that there is no such kind."""
        if self.absent:
            return True
        if self.falling_back or not self.parts:
            return False
        return all(r.listed or isinstance(r.problem, ForbiddenError | NotFoundError) for r in self.reflectors)

    @property
    def answered(self) -> bool:
        """Whether anything was heard yet, be it a failure."""
        return self.settled or self.trouble is not None or any(r.problem or r.items for r in self.reflectors)

    def items(self) -> dict[str, Any]:
        """All items of all parts, by uid."""
        reflectors = self.reflectors
        if len(reflectors) == 1:
            return reflectors[0].items
        key = tuple(r.generation for r in reflectors)
        if self._merged[0] != key:
            merged: dict[str, Any] = {}
            for reflector in reflectors:
                merged.update(reflector.items)
            self._merged = (key, merged)
        return self._merged[1]

    def state(self, now: float) -> SourceState:
        """How far this kind can be trusted. The same object until a word of it changes (`last` follows along)."""
        word, detail, hint = self._judge()
        last = max((r.last for r in self.reflectors if r.last is not None), default=None)
        held = self._state
        if held is not None and (held.state, held.detail, held.hint) == (word, detail, hint):
            self._state = msgspec.structs.replace(held, last=last) if held.last != last else held
        else:
            since = held.since if held is not None and held.state == word else now
            self._state = SourceState(self.kind.name, word, detail, hint, since, last, self.kind.name in OPTIONAL)
        return self._state

    def _judge(self) -> tuple[SourceStateWord, str, str]:
        if self.absent:
            return "absent", f"this cluster has no {self.kind.kind} ({self.kind.group or 'core'})", ""
        if self.trouble is not None:
            word: SourceStateWord = "login needed" if isinstance(self.trouble, LoginNeeded) else "unreachable"
            return word, self.trouble.message, self.trouble.hint or ""
        if not self.parts:
            return ("fresh" if self.fell_back and not self.falling_back else "loading"), self.note, ""
        words = [(r.word(), r) for r in self.reflectors]
        readable = [(w, r) for w, r in words if w not in ("forbidden", "absent")]
        if not readable:
            return self._refused(*words[0])
        denied = sorted({r.namespace for w, r in words if w == "forbidden"}) if len(readable) < len(words) else None
        return self._read(*min(readable, key=lambda pair: _WORST.index(pair[0])), denied, len(words))

    def _refused(self, word: SourceStateWord, first: Reflector) -> tuple[SourceStateWord, str, str]:
        """None of it may be read, or there is no such kind after all."""
        if word == "absent":
            return "absent", f"this cluster has no {self.kind.plural}", ""
        said = first.problem.message if first.problem is not None else ""
        return "forbidden", said, f"needs get, list and watch on {self.kind.plural}"

    def _read(
        self, word: SourceStateWord, worst: Reflector, denied: list[str] | None, parts: int
    ) -> tuple[SourceStateWord, str, str]:
        """At least a part of it is read: the word of the worst part. `denied`: namespaces that may not be read."""
        problem = worst.trouble
        detail, hint = (problem.message, problem.hint or "") if problem is not None else ("", "")
        if problem is None and word in ("late", "stale"):
            detail = SILENT
        if denied is not None:
            detail = detail or f"{len(denied)} of {parts} namespaces may not be read: {listed(denied, 5)}"
            return ("partial" if word == "fresh" else word), detail, hint
        partly = bool(self.note) and problem is None and word == "fresh"
        return ("partial" if partly else word), detail or self.note, hint
