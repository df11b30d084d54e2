"""From rows to workstreams: ranges expanded, every dependency looked up.

An id is looked up in its own feature, then where it is unique, else it is ambiguous. The id of a feature stands for all
its rows. What stands in a row that could not be read is neither unknown nor completed: whoever waits for it is blocked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from console.workstreams.grammar import values
from console.workstreams.model import DataRow, Dependency, Estimate, Feature, Link, Workstream

_PHASE = re.compile(r"(?i)\bphase\s+([0-9]{1,6})(?![0-9A-Za-z])")


def workstreams(features: Sequence[Feature]) -> tuple[Workstream, ...]:
    """All workstreams in file order. Rows that declare the same one again are joined to the first."""
    rows: dict[tuple[str, str], list[DataRow]] = {}
    for feature in features:
        for row in feature.entries:
            if isinstance(row, DataRow):
                for name in row.ids:
                    rows.setdefault((feature.id, name), []).append(row)
    out: list[Workstream] = []
    for (feature_id, name), found in rows.items():
        first = found[0]
        wanted = first.dependencies
        completed = first.status.completed
        again: tuple[int, ...] = ()
        if len(found) > 1:
            wanted = tuple(dict.fromkeys(token for row in found for token in row.dependencies))
            completed = all(row.status.completed for row in found)
            again = tuple(row.line for row in found[1:])
        out.append(
            Workstream(
                number=len(out),
                feature=feature_id,
                id=name,
                line=first.line,
                name=first.name,
                status=first.status,
                completed=completed,
                dependencies=wanted,
                scope=_own(first.scope) if len(first.ids) > 1 else first.scope,
                scenarios=first.scenarios if len(first.ids) == 1 else None,
                bead=first.bead,
                again=again,
            )
        )
    return tuple(out)


def _own(scope: Estimate | None) -> Estimate | None:
    """The scope of one of several workstreams in a row: the LOC belong to all of them together."""
    return msgspec.structs.replace(scope, loc=None) if scope else None


def members(features: Sequence[Feature], items: Sequence[Workstream]) -> tuple[tuple[int, ...], ...]:
    """Numbers of the workstreams that the rows of each feature declare."""
    numbers = {(item.feature, item.id): item.number for item in items}
    return tuple(
        tuple(dict.fromkeys(numbers[feature.id, name] for row in feature.rows for name in row.ids))
        for feature in features
    )


class Lookup:
    """Finds what dependency tokens stand for. Equal tokens share one `Link` where they mean the same."""

    def __init__(self, features: Sequence[Feature], items: Sequence[Workstream]) -> None:
        self.items = items
        self.own: dict[str, dict[str, int]] = {feature.id: {} for feature in features}
        self.anywhere: dict[str, list[int]] = {}
        for item in items:
            self.own[item.feature][item.id] = item.number
            self.anywhere.setdefault(item.id, []).append(item.number)
        self.unread: dict[str, list[int]] = {}
        self.unread_ids: dict[str, dict[str, int]] = {}
        self.phases: dict[int, list[str]] = {}
        mentioned: dict[int, list[str]] = {}
        for feature in features:
            lines = [entry.line for entry in feature.unread]
            if lines:
                self.unread.setdefault(feature.id, []).extend(lines)
                known = self.unread_ids.setdefault(feature.id, {})
                for entry in feature.unread:
                    known.setdefault(entry.id, entry.line)
            for found in _PHASE.finditer(feature.title[:500]):
                place = self.phases if found.start() == 0 else mentioned
                names = place.setdefault(int(found.group(1)), [])
                if feature.id not in names:
                    names.append(feature.id)
        for phase, names in mentioned.items():
            self.phases.setdefault(phase, names)
        self.rows = {name: tuple(sorted(found.values())) for name, found in self.own.items()}
        self.cache: dict[tuple[str, str], Link] = {}
        self.budget = 500_000

    def links(self, item: Workstream) -> tuple[Link, ...]:
        """The dependencies of a workstream, looked up."""
        return tuple(self.link(token, item.feature) for token in item.dependencies)

    def link(self, token: Dependency, feature: str) -> Link:
        """What a token in a row of `feature` stands for."""
        at = (feature, token.text)
        found = self.cache.get(at)
        if found is None:
            found = self.cache[at] = self._link(token, feature)
        return found

    def _link(self, token: Dependency, feature: str) -> Link:
        text = token.text
        if token.kind == "phase":
            names = self.phases.get(int(token.first), [])
            if len(names) == 1:
                return self._feature(text, names[0])
            said = (
                "no feature has it in its title" if not names else f"{' and '.join(names[:4])} have it in their titles"
            )
            return Link(text, "unknown", (), missing=(f"{text}: {said}",))
        if token.kind == "qualified":
            number = self.own.get(token.first, {}).get(token.last)
            return self._done(text, [number]) if number is not None else self._not_there(text)
        if token.kind == "range":
            return self._range(token, feature)
        if token.kind == "id" and token.first in self.own[feature]:
            return self._done(text, [self.own[feature][token.first]])
        if token.first in self.own:
            return self._feature(text, token.first)
        return self._id(text, token.first, feature)

    def _feature(self, text: str, name: str) -> Link:
        at = ("", f"{text}\0{name}")
        if at not in self.cache:
            members = self.rows[name]
            missing: tuple[str, ...] = ()
            if lines := self.unread.get(name):
                missing = (f"{name} has {len(lines)} unread: line {', '.join(map(str, lines[:3]))}",)
            elif not members:
                missing = (f"{name} has no rows, so nothing shows that it is completed",)
            self.cache[at] = self._made(text, members, missing)
        return self.cache[at]

    def _range(self, token: Dependency, feature: str) -> Link:
        try:
            ids = values.expand(token.first, token.last)
        except values.RangeError as error:
            return Link(token.text, "unknown", (), missing=(str(error),))
        self.budget -= len(ids)
        if self.budget < 0:
            return Link(token.text, "unknown", (), missing=(f"{token.text}: the index has too many long ranges",))
        parts = [self.link(Dependency(name, "id", name), feature) for name in ids]
        members = tuple(sorted({number for part in parts for number in part.members}))
        missing = tuple(dict.fromkeys(words for part in parts for words in part.missing))
        bad = [part.state for part in parts if part.state in ("unknown", "ambiguous")]
        if bad:
            state = "unknown" if "unknown" in bad else "ambiguous"
            waiting = self._waiting(members)
            return Link(token.text, state, members, waiting, missing)  # type: ignore[arg-type]
        return self._made(token.text, members, missing)

    def _id(self, text: str, name: str, feature: str) -> Link:
        line = self.unread_ids.get(feature, {}).get(name)
        if line:
            return Link(text, "waiting", (), missing=(f"{name} stands in line {line}, which cannot be understood",))
        places = self.anywhere.get(name, [])
        if len(places) == 1:
            return self._done(text, places)
        if places:
            names = " and ".join(self.items[number].key for number in places[:4])
            more = f" and {len(places) - 4} more" if len(places) > 4 else ""
            return Link(text, "ambiguous", (), missing=(f"{name} may be {names}{more}",))
        for known in self.unread_ids.values():
            if name in known:
                said = f"{name} stands in line {known[name]}, which cannot be understood"
                return Link(text, "waiting", (), missing=(said,))
        return self._not_there(text)

    def _not_there(self, text: str) -> Link:
        shown = text if len(text) <= 60 else text[:59] + "…"
        return Link(text, "unknown", (), missing=(f"{shown!r} is not in the index",))

    def _done(self, text: str, numbers: Iterable[int]) -> Link:
        return self._made(text, tuple(numbers), ())

    def _made(self, text: str, members: tuple[int, ...], missing: tuple[str, ...]) -> Link:
        waiting = self._waiting(members)
        return Link(text, "waiting" if waiting or missing else "done", members, waiting, missing)

    def _waiting(self, members: tuple[int, ...]) -> tuple[int, ...]:
        items = self.items
        return tuple(number for number in members if not items[number].completed)


def readiness(items: Sequence[Workstream], links: Sequence[Sequence[Link]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the ready and of the blocked workstreams; together they are all that are not completed."""
    ready: list[int] = []
    blocked: list[int] = []
    for item in items:
        if not item.completed:
            (ready if all(link.state == "done" for link in links[item.number]) else blocked).append(item.number)
    return tuple(ready), tuple(blocked)
