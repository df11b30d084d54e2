"""Headers and drawings of the features against their rows."""

from __future__ import annotations

from collections.abc import Iterator

from console.workstreams.codes import LOC_TOLERANCE, problem
from console.workstreams.derived.figures import Derived, agrees, derive
from console.workstreams.grammar import values
from console.workstreams.lint.drawing import lint_drawing
from console.workstreams.model import Feature, Index, IndexProblem, Number, WorkProgress


def lint_features(index: Index) -> Iterator[IndexProblem]:
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


def _header(feature: Feature, found: Derived) -> Iterator[IndexProblem]:
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


def _status(index: Index, feature: Feature, found: Derived) -> Iterator[IndexProblem]:
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
    why = _rows_against(status.progress, found) if found.total else ""
    if not why and (named := _named_as_completed(index, feature, status.text)):
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


def _rows_against(declared: WorkProgress, found: Derived) -> str:
    """What the rows say against a declared progress, empty where they agree."""
    if declared == "completed":
        return f"{found.open} of {found.total} are not completed" if found.open else ""
    if found.status == "completed":
        return f"all {found.total} are completed"
    if declared == "waiting" and (found.completed or found.begun):
        begun = f", {found.begun} begun" if found.begun else ""
        return f"{found.completed} of {found.total} are completed{begun}"
    if declared == "begun" and found.waiting == found.total and not found.unread:
        return f"none of {found.total} has begun"
    return ""


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
