"""Applications that a queue has not let in: which queue, what is missing, who holds it, what would let it in."""

from __future__ import annotations

from console.findings.case import Case
from console.findings.rule import Answer, Rule, finding
from console.findings.waits.kueue import kueue_wait
from console.findings.waits.model import Wait
from console.findings.waits.others import gated, not_taken_up, suspended
from console.findings.waits.volcano import gang_wait, volcano_wait
from console.findings.waits.yunikorn import yunikorn_wait


def wait_of(case: Case) -> Wait | None:
    """The wait of an application, by whoever knows most of it."""
    if case.over:
        return None
    ways = (kueue_wait, volcano_wait, gang_wait, yunikorn_wait, gated, suspended, not_taken_up)
    return next((found for way in ways if (found := way(case)) is not None), None)


def queued(case: Case) -> Answer:
    """An application that is held back on purpose."""
    wait = wait_of(case)
    if wait is None:
        return "no queue that was read holds it back"
    said = [wait.says] if wait.says not in wait.line else []
    helps = [f"what lets it in: {wait.helps}"] if wait.helps else []
    forbids = [f"not: {wait.forbids}"] if wait.forbids else []
    return [
        finding(
            case,
            "waits-in-queue",
            None,
            "critical" if wait.never else "warning",
            "medium" if wait.says.startswith("its Workload was not read") or wait.keeper == "person" else "high",
            wait.line,
            since=wait.since,
            detail=". ".join((*said, *helps, *forbids)),
            evidence=wait.evidence,
            ruled_out=[("I14", "it is not let in: no scheduler looks for a node yet")] if not case.pods else [],
            data=wait.figures,
        )
    ]


RULES = [Rule("waits-in-queue", None, queued)]
