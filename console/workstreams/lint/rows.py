"""Rows against each other: ids that stand twice, dependencies, cycles, status words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.workstreams.codes import problem
from console.workstreams.derived.cycles import cycles
from console.workstreams.derived.graph import Graph
from console.workstreams.grammar import values
from console.workstreams.model import Index, IndexProblem, Link, Workstream


def lint_rows(index: Index, graph: Graph) -> Iterator[IndexProblem]:
    """Duplicate ids, dependencies, completed on open, cycles, status words."""
    yield from _duplicates(index)
    for feature in index.features:
        for row in feature.rows:
            if not values.is_known(row.status):
                said = f"{row.status.word!r} is no known status" if row.status.word else "the status is empty"
                yield problem(
                    "status-word",
                    row.line,
                    f"{said}; {_range(row.ids)} counts as not completed",
                    feature=feature.id,
                    workstream=row.ids[0],
                    declared=row.status.text,
                )
    for item, links in zip(index.workstreams, index.links, strict=True):
        for link in links:
            if link.state == "unknown" or link.state == "ambiguous":
                yield _unresolved(item, link)
        if item.completed:
            waiting = [number for link in links for number in link.waiting]
            if waiting:
                yield _on_open(index, item, waiting)
    for cycle in cycles(graph):
        first = index.workstreams[cycle[0]]
        names = [_name(index, number, first.feature) for number in (*cycle, cycle[0])]
        shown = names if len(names) <= 12 else [*names[:10], f"… {len(names) - 11} more …", names[-1]]
        yield problem(
            "cycle",
            first.line,
            f"{first.id} waits for itself: {' waits for '.join(shown)}",
            feature=first.feature,
            workstream=first.id,
            declared=" -> ".join(shown),
        )


def _duplicates(index: Index) -> Iterator[IndexProblem]:
    headings: dict[str, int] = {}
    first: dict[str, tuple[str, int]] = {}
    for feature in index.features:
        if feature.id in headings:
            yield problem(
                "feature-duplicate",
                feature.line,
                f"feature {feature.id} already stands in line {headings[feature.id]}",
                feature=feature.id,
            )
        headings.setdefault(feature.id, feature.line)
        for row in feature.rows:
            for name in row.ids:
                if name in first:
                    other, line = first[name]
                    where = "this feature" if other == feature.id else other
                    yield problem(
                        "id-duplicate",
                        row.line,
                        f"{name} also stands in line {line}, in {where}",
                        feature=feature.id,
                        workstream=name,
                        declared=f"{feature.id}/{name}",
                        derived=f"{other}/{name}",
                    )
                else:
                    first[name] = (feature.id, row.line)


def _unresolved(item: Workstream, link: Link) -> IndexProblem:
    said = "; ".join(link.missing[:3]) + (f"; and {len(link.missing) - 3} more" if len(link.missing) > 3 else "")
    hint = "; write it as FEATURE/ID" if link.state == "ambiguous" else ""
    return problem(
        "dependency-unknown" if link.state == "unknown" else "dependency-ambiguous",
        item.line,
        f"{item.id} depends on {said}{hint}",
        feature=item.feature,
        workstream=item.id,
        declared=link.text,
    )


def _on_open(index: Index, item: Workstream, waiting: Sequence[int]) -> IndexProblem:
    numbers = list(dict.fromkeys(waiting))
    names = _names(index, numbers, item.feature)
    return problem(
        "completed-on-open",
        item.line,
        f"{item.id} is completed, but depends on {names}, not completed",
        feature=item.feature,
        workstream=item.id,
        declared=item.status.word,
        derived=f"waits for {names}",
    )


def _name(index: Index, number: int, feature: str) -> str:
    item = index.workstreams[number]
    return item.id if item.feature == feature else item.key


def _names(index: Index, numbers: Sequence[int], feature: str) -> str:
    shown = ", ".join(_name(index, number, feature) for number in numbers[:5])
    return shown + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")


def _range(ids: tuple[str, ...]) -> str:
    return ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"
