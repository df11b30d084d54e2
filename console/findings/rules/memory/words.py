"""What the rules of executors' memory share: who ended how, and the proof of it."""

from __future__ import annotations

from collections.abc import Sequence

from console.base.text import plural
from console.facts.evidence import Evidence
from console.findings.case import Case
from console.findings.lost.victims import Victim


def of_kind(case: Case, *kinds: str) -> list[Victim]:
    """The executors that ended like this."""
    return [v for v in case.victims if v.kind in kinds]


def profile_words(case: Case, victims: Sequence[Victim]) -> tuple[str, ...]:
    """What is to be known of executors whose sizes a resource profile of the job's own code gives; nothing where they
    have those of the configuration."""
    found = next((id for v in reversed(victims) if (id := _profile(case, v)) not in ("", "0")), "")
    said = "which the job's code sets (ResourceProfileBuilder): spark.executor.* and the spec do not change it"
    return (f"their size is that of resource profile {found}, {said}",) if found else ()


def _profile(case: Case, victim: Victim) -> str:
    """Id of the resource profile of an executor, by its pod or by REST; `` where neither says it."""
    if victim.pod is not None and (label := victim.pod.labels.get("spark-exec-resourceprofile-id")):
        return label
    row = case.rest.executors.get(victim.executor) if victim.current else None
    found = row.get("resourceProfileId") if row is not None else None
    return str(found) if isinstance(found, int) else ""


def proof_of(victims: Sequence[Victim], limit: int = 3) -> list[Evidence]:
    """Proof of the newest victims first, then one of the oldest."""
    out: list[Evidence] = []
    for victim in [*list(victims)[-limit:], *list(victims)[:1]]:
        out.extend(victim.evidence[:2])
    return out


def of_one_size(victims: Sequence[Victim]) -> tuple[list[Victim], list[Victim]]:
    """Those whose container had the limit of the newest, and those before them, who had another one.

    A change of the sizes starts another attempt: whoever shares one with a container of another limit had that too.
    """
    known = [(v, limit) for v in victims if (limit := _limit(v)) is not None]
    if not known:
        return list(victims), []
    others = {(v.app_id, v.attempt) for v, limit in known if limit != known[-1][1]}
    others -= {(v.app_id, v.attempt) for v, limit in known if limit == known[-1][1]}
    first = max((i for i, v in enumerate(victims) if (v.app_id, v.attempt) in others), default=-1) + 1
    return list(victims[first:]), list(victims[:first])


def before_them(before: Sequence[Victim], counted: Sequence[Victim] = ()) -> str:
    """What is said of victims that are not counted, as another size came between; `` where there are none.

    Args:
        counted: those that are. Where a change of the sizes was undone, some of those before had the present size.
    """
    if not before:
        return ""
    same = {limit for v in counted if (limit := _limit(v)) is not None}
    again = {(v.app_id, v.attempt) for v in before if _limit(v) in same}
    others = [v for v in before if (v.app_id, v.attempt) not in again]
    if len(others) == len(before):
        return f"; {plural(len(before), 'executor')} before them had another size and are not counted"
    between = f"{plural(len(others), 'executor')} of another size" if others else "another size"
    return f"; {plural(len(before), 'executor')} before them are not counted: {between} came between"


def _limit(victim: Victim) -> object:
    """The memory limit of its container; None where that is not known."""
    main = victim.pod.main if victim.pod is not None else None
    return main.limits.get("memory") if main is not None else None
