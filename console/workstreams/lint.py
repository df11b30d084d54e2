"""What the index says in two places, compared: rows with headers, sums, drawings and dates, and rows with each other.

`console.workstreams.codes` lists what can come out of here. The summary and everything else outside the features is
compared in `lint_tail`, workstream files in `lint_files`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.workstreams import values
from console.workstreams.codes import LOC_TOLERANCE, problem
from console.workstreams.derive import Derived, agrees, derive
from console.workstreams.graph import Graph
from console.workstreams.lint_art import lint_drawing
from console.workstreams.model import Feature, Index, Link, Number, Problem, Workstream


def lint_rows(index: Index, graph: Graph) -> Iterator[Problem]:
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
    for cycle in graph.cycles():
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


def _duplicates(index: Index) -> Iterator[Problem]:
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


def _unresolved(item: Workstream, link: Link) -> Problem:
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


def _on_open(index: Index, item: Workstream, waiting: Sequence[int]) -> Problem:
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


def lint_features(index: Index) -> Iterator[Problem]:
    """Headers and drawings of the features against their rows."""
    known = {item.id for item in index.workstreams} | {feature.id for feature in index.features}
    for feature, numbers in zip(index.features, index.members, strict=True):
        found = derive(feature, [index.workstreams[number] for number in numbers])
        if not found.total:
            what = f"none of its {found.unread} rows was understood" if found.unread else "it has no rows"
            yield problem("feature-empty", feature.line, f"{feature.id}: {what}", feature=feature.id)
        yield from _header(feature, found)
        yield from _status(index, feature, found)
        yield from lint_drawing(index, feature, known)


def _header(feature: Feature, found: Derived) -> Iterator[Problem]:
    key = feature.key("total workstreams")
    if key and feature.total and not agrees(feature.total, found.total, more=found.unread):
        yield problem(
            "header-vs-rows",
            key.line,
            f"{feature.id} declares {feature.total} workstreams, its rows hold {found.total}",
            feature=feature.id,
            declared=feature.total,
            derived=found.total,
        )
    key = feature.key("total scenarios")
    if key and feature.scenarios and found.total and found.scenarios_missing < len(feature.rows):
        more = found.unread + found.scenarios_missing
        if not agrees(feature.scenarios, found.scenarios, more=more):
            yield problem(
                "scenario-sum",
                key.line,
                f"{feature.id} declares {feature.scenarios} scenarios, its rows sum up to {found.scenarios}",
                feature=feature.id,
                declared=feature.scenarios,
                derived=found.scenarios,
            )
    key = feature.key("estimated loc", "actual loc")
    if key and feature.loc and found.loc and not loc_agrees(feature.loc, found):
        least = "at least " if found.loc_missing or found.unread else ""
        yield problem(
            "loc-sum",
            key.line,
            f"{feature.id} declares {feature.loc} LOC, its rows sum up to {least}{found.loc}"
            f"{_off(feature.loc, found.loc)}",
            feature=feature.id,
            declared=feature.loc,
            derived=f"~{found.loc}" if found.loc_about else found.loc,
        )


def loc_agrees(declared: Number, found: Derived) -> bool:
    """Whether declared LOC fit the sum of the rows: within the tolerance where one of them is `~`, else exactly."""
    slack = declared.value * LOC_TOLERANCE if declared.about or found.loc_about else 0
    low = declared.value - slack <= found.loc or found.loc_missing > 0 or found.unread > 0
    high = found.loc <= declared.value + slack or declared.at_least
    return low and high


def _off(declared: Number, derived: int) -> str:
    return f", {abs(derived - declared.value) * 100 // declared.value} % off" if declared.value else ""


def _status(index: Index, feature: Feature, found: Derived) -> Iterator[Problem]:
    status, key = feature.status, feature.key("status")
    if status is None or key is None:
        return
    if not values.is_known(status):
        yield problem(
            "status-word",
            key.line,
            f"{status.text!r} is no known status of a feature, so it was not compared",
            feature=feature.id,
            declared=status.text,
        )
        return
    why = ""
    if found.total:
        open_text = f"{found.open} of {found.total} are not completed"
        if status.progress == "completed" and found.open:
            why = open_text
        elif status.progress != "completed" and found.status == "completed":
            why = f"all {found.total} are completed"
        elif status.progress == "waiting" and (found.completed or found.begun):
            why = f"{found.completed} of {found.total} are completed" + (
                f", {found.begun} begun" if found.begun else ""
            )
        elif status.progress == "begun" and found.waiting == found.total and not found.unread:
            why = f"none of {found.total} has begun"
    named = [] if why else _named_as_completed(index, feature, status.text)
    if named:
        why = f"it names {', '.join(named)} as completed, which is not"
    if why:
        yield problem(
            "status-vs-rows",
            key.line,
            f"{feature.id} is {status.text!r}, but {why}",
            feature=feature.id,
            declared=status.text,
            derived=found.status,
        )


def _named_as_completed(index: Index, feature: Feature, text: str) -> list[str]:
    """Ids that a status like `In Progress (WS-028-01, WS-028-03 completed)` calls completed and that are not."""
    head, bracket, note = text.partition("(")
    note = note.rpartition(")")[0]
    if not bracket or len(note) > 2000:
        return []
    words = note.lower().split()
    if not (values.status(head).completed or (words and words[-1] in values.COMPLETED_WORDS)):
        return []
    own = {index.workstreams[number].id: index.workstreams[number] for number in index.members[feature.number]}
    names = [name.strip().split(" ")[0] for name in note.split(",")]
    return [name for name in names if name in own and not own[name].completed]


def _name(index: Index, number: int, feature: str) -> str:
    item = index.workstreams[number]
    return item.id if item.feature == feature else item.key


def _names(index: Index, numbers: Sequence[int], feature: str) -> str:
    shown = ", ".join(_name(index, number, feature) for number in numbers[:5])
    return shown + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")


def _range(ids: tuple[str, ...]) -> str:
    return ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"
