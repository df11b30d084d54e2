"""Which attempt is which number: operators begin to count anew when the spec is edited, and pods of old attempts go."""

from __future__ import annotations

from collections.abc import Sequence

from console.apps.groups import Group
from console.facts.counted import CountedAttempts
from console.facts.model import Owner

KEPT_NUMBERS = 16
"""Attempts of one application whose numbers are remembered, the latest."""
_BETWEEN = frozenset({"", "NEW", "PENDING_RERUN", "RESUMING"})
"""States in which the operator's count is about the attempt that ended, and a driver that lives is the next one's."""


def object_of(group: Group) -> str:
    """Names what an application is counted by: its launcher, namespace, name, and the uid of its object."""
    root = group.cr or group.deployment
    uid = root.uid if root is not None else next((o.uid for pod in group.drivers for o in pod.owners if _leads(o)), "")
    return f"{group.launcher}/{group.namespace}/{group.name}/{uid}"


def _leads(owner: Owner) -> bool:
    return owner.kind == "SparkApplication"


def said_attempts(group: Group) -> int | None:
    """How many attempts the operator counted since the spec was edited; None where none counts."""
    said = group.cr.status.get("executionAttempts") if group.cr is not None else None
    if isinstance(said, int):
        return said
    return 0 if group.cr is not None and group.launcher == "kubeflow" else None


def unnamed(app_id: str) -> bool:
    """Whether an attempt has no application id, but a place among its like."""
    return app_id.startswith("#")


def numbered(
    group: Group, ids: Sequence[str], known: CountedAttempts | None, *, ended: bool
) -> tuple[list[int], CountedAttempts]:
    """The number of each attempt, and the count for the next look.

    Args:
        ids: application ids of the attempts that are seen, in order.
        ended: whether the last of them will do no more work.
    """
    said = said_attempts(group) or 0
    place = _place(group, ids, ended=ended)
    counted_id = _counted_id(group, ids, place)
    base, exact, generation = _base(group, known, said, counted_id)
    numbers = _numbers(ids, known, base, (place, base + said) if said else None)
    newest = numbers[-1] if numbers else 0
    if said:
        counted = _at(numbers, place) if place < len(ids) else max(base + said, newest + 1 if numbers else 0)
        newest, base = max(newest, counted), max(base, counted - said)
    number = max(newest, known.number if known is not None else 0)
    named = dict(known.numbers) if known is not None else {}
    named.update({app_id: at for app_id, at in zip(ids, numbers, strict=True) if not unnamed(app_id)})
    if counted_id and said:
        named.setdefault(counted_id, base + said)
    latest = sorted(named.items(), key=lambda item: item[1])[-KEPT_NUMBERS:]
    return numbers, CountedAttempts(
        number, base, said, generation, exact, numbers=dict(latest), counted_id=counted_id or _former_id(known, said)
    )


def _at(numbers: Sequence[int], place: int) -> int:
    """The number at `place`; that of the attempt before all of them at -1."""
    return numbers[place] if place >= 0 else numbers[0] - 1


def _place(group: Group, ids: Sequence[str], *, ended: bool) -> int:
    """Where in `ids` the attempt stands that the operator's count is about: before or behind them where it is none."""
    its = _its_id(group)
    if its and its in ids:
        return ids.index(its)
    if group.cr is None or not ids or unnamed(ids[-1]):
        return len(ids) - 1 if ids else 0
    if its:
        return len(ids)
    if ended:
        return len(ids) - (_state(group) != "SUBMITTED")
    return len(ids) - 1 - (_state(group) in _BETWEEN)


def _its_id(group: Group) -> str:
    its = group.cr.status.get("sparkApplicationId") if group.cr is not None else None
    return its if isinstance(its, str) else ""


def _state(group: Group) -> str:
    state = group.cr.status.get("applicationState") if group.cr is not None else None
    return str(state.get("state") or "") if isinstance(state, dict) else ""


def _counted_id(group: Group, ids: Sequence[str], place: int) -> str:
    """The application id of the attempt that the operator's count is about; empty where it is not known."""
    return _its_id(group) or (ids[place] if 0 <= place < len(ids) and not unnamed(ids[place]) else "")


def _former_id(known: CountedAttempts | None, said: int) -> str:
    return known.counted_id if known is not None and known.said == said else ""


def _base(group: Group, known: CountedAttempts | None, said: int, counted_id: str) -> tuple[int, bool, int]:
    """(attempts before the operator's count, whether they are known, generation of that count)."""
    generation = group.cr.generation if group.cr is not None else 0
    if known is None:
        if group.launcher == "kubeflow":
            return 0, group.cr is not None and generation <= 1, generation
        return 0, group.launcher != "apache", generation
    if said and counted_id in known.numbers:
        first = known.generation if counted_id == known.counted_id else generation
        return max(known.base, known.numbers[counted_id] - said), known.exact, first
    other = bool(counted_id and known.counted_id) and counted_id != known.counted_id
    if group.cr is None or (said == known.said and not other):
        return known.base, known.exact, known.generation
    if said < known.said or not said or (other and said == known.said):
        return known.number, known.exact and known.watched, generation
    if generation == known.generation:
        return known.base, known.exact, generation
    # It was edited since, and may have been counted anew: at least the next one, and as many as are counted.
    return max(known.base, known.number + 1 - said), False, generation


def _numbers(ids: Sequence[str], known: CountedAttempts | None, base: int, claim: tuple[int, int] | None) -> list[int]:
    """The number of each attempt: the one it had, else the next; those before the first one that had one count back.

    Args:
        claim: place among `ids`, and number there, by the operator's count.
    """
    given = known.numbers if known is not None else {}
    had = [given.get(app_id, 0) for app_id in ids]
    place, said = claim if claim is not None else (0, 0)
    behind = max(0, said - had[place]) if said and 0 <= place < len(ids) and had[place] else 0
    numbers = [number + behind if number else 0 for number in had]
    top = max(base, *given.values(), 0) + behind
    if known is None and ids:  # they count back from the newest
        numbers[-1] = max(top + 1, said + len(ids) - 1 - place if said else 0, len(ids))
    for index in range(max((i for i, number in enumerate(numbers) if number), default=-1) + 1, len(ids)):
        claimed = said + index - place if said and index >= place else 0
        after = numbers[index - 1] + 1 if index else 1
        numbers[index] = max(after, top if unnamed(ids[index]) else top + 1, claimed)
    return _filled(numbers)


def _filled(numbers: list[int]) -> list[int]:
    """With a number for each, one more from one to the next at least; those without one count back."""
    out = list(numbers)
    for index in range(len(out) - 2, -1, -1):
        out[index] = out[index] or max(1, out[index + 1] - 1)
    for index in range(1, len(out)):
        out[index] = max(out[index], out[index - 1] + 1)
    return out
