"""Pods that the API refuses to create for a workload: quota, Pod Security, constraints, webhooks (I16).

Who reads only pods sees nothing of it: there is none.
"""

from __future__ import annotations

from console.apps.evidence import excerpt
from console.facts.evidence import Evidence
from console.facts.refusals import CreateFailure, create_failures
from console.findings.case import ClusterView
from console.findings.figures.refusals import PodRefusalFigures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding

CODE = "pods-refused"


def pods_refused(world: ClusterView) -> Answer:
    """A Deployment, StatefulSet, DaemonSet or Job whose pods are not created."""
    return [_finding(one) for one in create_failures(world.facts)] or "no workload is refused its pods"


def _finding(one: CreateFailure) -> Finding:
    kind, _, name = one.subject.partition("/")
    by = one.refusal.by if one.refusal.kind != "other" else "the API"
    title = f"pods refused: {by} ({kind} {name.rpartition('/')[2]})"
    detail = "; ".join(one.refusal.fields) or (one.refusal.by if one.refusal.kind == "other" else "")
    remedy = f"remedy: {one.refusal.remedy}" if one.refusal.remedy else ""
    return finding(
        None,
        CODE,
        "I16",
        "critical" if one.none_ready else "warning",
        "high",
        title,
        subject=one.subject,
        since=one.since,
        detail=". ".join(part for part in (detail, remedy) if part),
        evidence=[Evidence("kubernetes", one.place, excerpt(f"FailedCreate: {one.message}"), one.last)],
        ruled_out=[("I14", "the API refused the pod: it never reached the scheduler")],
        data=PodRefusalFigures(by=one.refusal.kind, fields=one.refusal.fields, remedy=one.refusal.remedy),
    )


RULES = [WorldRule(CODE, "I16", pods_refused)]
