"""The operator's pod as the place where spark-submit runs: its memory limit, and Secrets that it waits for."""

from __future__ import annotations

import re

from console.apps.evidence import of_event, of_pod, of_workload
from console.base.units import human_bytes
from console.facts.model import Event, Pod
from console.findings.case import Case, ClusterView
from console.findings.figures.operators import OperatorFigures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding

_KILLED = re.compile(r"spark-submit[^\n]*: signal: killed")
_OFTEN = 3
KILLED, WAITS = "operator-submit-killed", "operator-volume-missing"


def submit_killed(world: ClusterView) -> Answer:
    """spark-submit was killed in the operator's container: each takes some hundred MiB of its memory."""
    told = [case for case in world.cases if _KILLED.search(case.app.message)]
    if not told:
        return "no spark-submit was killed in an operator's pod"
    pods = [p for p in world.operators if p.main is not None and not p.gone and "webhook" not in p.name]
    return [_killed(told, pods[0] if len(pods) == 1 else None)]


def _killed(told: list[Case], pod: Pod | None) -> Finding:
    limit = pod.main.limits.get("memory") if pod is not None and pod.main is not None else None
    size = f"its memory limit is {human_bytes(limit)}" if limit else "its memory limit was not read"
    crs = [
        (case.group.cr, case.app.state, case.app.message)
        for case in told
        if case.group is not None and case.group.cr is not None
    ]
    return finding(
        None,
        KILLED,
        "I17",
        "critical",
        "medium",
        f"spark-submit is killed in the operator's pod{f' {pod.name}' if pod is not None else ''}: {size}",
        subject=pod.key if pod is not None else "Component//spark-operator",
        detail="spark-submit is a JVM in the operator's own container: the kernel kills it where the limit is too "
        "small for it, and the operator lives on; for the platform: a larger memory limit of the operator, or fewer "
        "submissions at once",
        evidence=[
            *[of_workload(cr, f"state {state}: {said}") for cr, state, said in crs[:2]],
            *([of_pod(pod, f"memory limit {human_bytes(limit)}")] if pod is not None and limit else []),
        ],
        ruled_out=[("user code", "nothing of the job ran: its submission was killed")],
        questions=["OOM kills of the operator's container in the node's kernel log; a restart sends SIGKILL, too"],
        data=OperatorFigures(why="signal: killed"),
    )


def volumes_missing(world: ClusterView) -> Answer:
    """An operator's own pod that does not start: a Secret or ConfigMap that it mounts is not there."""
    out = []
    for pod in world.operators:
        if pod.phase == "Pending" and not pod.gone and (failed := _missed(world.events.get(pod.key, []))):
            out.append(_waiting(pod, failed[-1]))
    return out or "no operator's pod waits for a Secret or ConfigMap"


def _missed(events: list[Event]) -> list[Event]:
    if any(e.reason == "Started" for e in events):
        return []
    return [
        e
        for e in events
        if e.reason == "FailedMount"
        and e.count >= _OFTEN
        and re.search(r"(?:secret|configmap) .{1,200}not found|references non-existent", e.message)
    ]


def _waiting(pod: Pod, event: Event) -> Finding:
    found = re.search(r"(secret|configmap) \W{0,3}([\w./-]+?)\W{0,3} not found", event.message)
    what = f"{found.group(1)} {found.group(2)}" if found is not None else "a key of a Secret or ConfigMap"
    return finding(
        None,
        WAITS,
        "I19",
        "critical",
        "high",
        f"operator pod {pod.name} does not start: {what} is missing",
        subject=pod.key,
        detail="nothing is submitted, retried or cleaned up; for the platform: install the operator with what makes it "
        "(the job of the chart that issues the webhook's certificates), or make it by hand",
        evidence=[of_pod(pod, f"phase {pod.phase}"), of_event(event)],
        ruled_out=[("I09", "no claim is waited for")],
        questions=["the job or hook that makes it: did it run, and in this namespace?"],
        data=OperatorFigures(why=what),
    )


RULES = [WorldRule(KILLED, "I17", submit_killed), WorldRule(WAITS, "I19", volumes_missing)]
