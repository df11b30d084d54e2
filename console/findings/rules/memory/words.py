"""What the rules of executors' memory share: who ended how, and the proof of it."""

from __future__ import annotations

from collections.abc import Sequence

from console.base.text import plural
from console.facts.evidence import Evidence
from console.findings.case import Case
from console.findings.victims import Victim


def of_kind(case: Case, *kinds: str) -> list[Victim]:
    """The executors that ended like this."""
    return [v for v in case.victims if v.kind in kinds]


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
    limits = [(v, v.pod.main.limits.get("memory")) for v in victims if v.pod is not None and v.pod.main is not None]
    known = [(v, limit) for v, limit in limits if limit is not None]
    if not known:
        return list(victims), []
    others = {(v.app_id, v.attempt) for v, limit in known if limit != known[-1][1]}
    others -= {(v.app_id, v.attempt) for v, limit in known if limit == known[-1][1]}
    first = max((i for i, v in enumerate(victims) if (v.app_id, v.attempt) in others), default=-1) + 1
    return list(victims[first:]), list(victims[:first])


def before_them(before: Sequence[Victim]) -> str:
    """What is said of victims that had another size; `` where there are none."""
    return f"; {plural(len(before), 'executor')} before them had another size and are not counted" if before else ""
