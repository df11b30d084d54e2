"""The dependency drawing of a feature against its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.workstreams.codes import problem
from console.workstreams.grammar import art
from console.workstreams.model import Feature, Index, IndexProblem

MAX_DRAWN = 1500
"""Drawings with more names are not compared."""


def lint_drawing(index: Index, feature: Feature, known: set[str]) -> Iterator[IndexProblem]:
    """One entry per drawing that cannot be compared, else one per workstream about which drawing and table differ."""
    for section in feature.sections:
        if "graph" not in section.title.lower() and "dependenc" not in section.title.lower():
            continue
        drawn = art.read(section, known)
        if drawn is None:
            continue
        if drawn.unread:
            yield problem(
                "art-unread",
                drawn.line,
                f"the drawing of {feature.id} was not compared: {drawn.unread} (line {drawn.unread_line})",
                feature=feature.id,
            )
            continue
        if len(drawn.lines) > MAX_DRAWN:
            said = f"the drawing of {feature.id} was not compared: it has more than {MAX_DRAWN} names"
            yield problem("art-unread", drawn.line, said, feature=feature.id)
            continue
        yield from _compare(index, feature, drawn)


def _compare(index: Index, feature: Feature, drawn: art.Art) -> Iterator[IndexProblem]:
    """One entry per workstream whose drawn dependencies do not follow from the table, or the other way round."""
    table = _table_needs(index, feature)
    features = {other.id for other in index.features}
    drawn_above, table_above = _Above(drawn.needs), _Above(table)
    for name, line in drawn.lines.items():
        shown = drawn.needs[name]
        if name not in table:
            if not feature.unread and shown and name not in features and name not in index.by_id():
                yield problem(
                    "art-vs-table",
                    line,
                    f"the drawing shows {name} as a part of {feature.id}, the table does not have it",
                    feature=feature.id,
                    workstream=name,
                    declared=", ".join(shown),
                )
            continue
        wanted = table[name]
        drawable = [other for other in wanted if other in drawn.lines]
        if not table_above.holds(name, shown) or not drawn_above.holds(name, drawable):
            drawn_text, table_text = ", ".join(shown) or "nothing", ", ".join(wanted) or "nothing"
            yield problem(
                "art-vs-table",
                line,
                f"the drawing lets {name} wait for {drawn_text}, the table for {table_text}",
                feature=feature.id,
                workstream=name,
                declared=drawn_text,
                derived=table_text,
            )


def _table_needs(index: Index, feature: Feature) -> dict[str, list[str]]:
    """Per own workstream, the names that its row waits for: ids, and features by their id."""
    out: dict[str, list[str]] = {}
    features = {f.id for f in index.features}
    for number in index.members[feature.number]:
        item = index.workstreams[number]
        names: list[str] = []
        for token, link in zip(item.dependencies, index.links[number], strict=True):
            if token.first in features and token.kind == "id":
                names.append(token.first)
            elif token.kind == "phase" and link.members:
                names.append(index.workstreams[link.members[0]].feature)
            elif link.members:
                names.extend(index.workstreams[n].id for n in link.members[:1000])
            else:
                names.append(token.last if token.kind == "qualified" else token.first)
        out[item.id] = list(dict.fromkeys(names))
    return out


class _Above:
    """Everything that a name waits for, directly or through others."""

    def __init__(self, needs: dict[str, list[str]] | dict[str, tuple[str, ...]]) -> None:
        self.needs = needs
        self.known: dict[str, set[str]] = {}

    def holds(self, name: str, others: Sequence[str]) -> bool:
        """Whether a name waits for all of these."""
        return set(others) <= set(self.needs.get(name, ())) or set(others) <= self.of(name)

    def of(self, name: str) -> set[str]:
        if name not in self.known:
            seen: set[str] = set()
            todo = list(self.needs.get(name, ()))
            while todo:
                other = todo.pop()
                if other not in seen:
                    seen.add(other)
                    todo.extend(self.needs.get(other, ()))
            self.known[name] = seen
        return self.known[name]
