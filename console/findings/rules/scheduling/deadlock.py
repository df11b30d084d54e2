"""Drivers that starve each other: all of them run, and hold what their executors wait for (I14)."""

from __future__ import annotations

from console.apps.evidence import of_pod
from console.base.text import listed
from console.findings.case import Case, ClusterView
from console.findings.figures.base import Figures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding
from console.findings.rules.scheduling.waiting import Unplaced, waiting_pods

DEADLOCK = 3
"""Running drivers without executors in one namespace from which on they are taken to starve each other. Two may both
wait for others."""


def starving_drivers(world: ClusterView) -> Answer:
    """Several drivers run, none has executors, and their executors wait: drivers hold what executors need."""
    by_space: dict[str, list[Case]] = {}
    for case in world.cases:
        if _runs_alone(case) and _starves(world, case):
            by_space.setdefault(case.app.namespace, []).append(case)
    out = [_deadlock(namespace, cases) for namespace, cases in by_space.items() if len(cases) >= DEADLOCK]
    return out or "no namespace has several running drivers without executors"


def _deadlock(namespace: str, cases: list[Case]) -> Finding:
    return finding(
        None,
        "driver-deadlock",
        "I14",
        "critical",
        "medium",
        f"{len(cases)} drivers in {namespace} hold the resources that their own executors wait for",
        subject=f"Namespace//{namespace}",
        detail=listed((c.app.name for c in cases), 8),
        evidence=[
            of_pod(c.driver, f"driver of {c.app.name} Running, 0 executors") for c in cases[:5] if c.driver is not None
        ],
        questions=["which is the youngest: suspending it frees its driver's share"],
        data=Figures(apps=tuple(c.app.key for c in cases)),
    )


def _runs_alone(case: Case) -> bool:
    driver = case.driver
    return case.app.live and driver is not None and driver.phase == "Running" and not case.app.running_executors


def _starves(world: ClusterView, case: Case) -> bool:
    """Whether its executors wait for what others hold: by their pods, or by its log where it has none."""
    waiting = waiting_pods(case)
    if not waiting:
        return bool(case.hits("no-resources", "quota", roles=("driver",)))
    return any(_lacks_room(world, one) for one in waiting)


def _lacks_room(world: ClusterView, one: Unplaced) -> bool:
    """Whether a pod waits for what others hold: it lacks room, and some node would be large enough."""
    if "Insufficient" not in one.words and "Too many pods" not in one.words:
        return False
    wanted = one.pod.main.requests.get("memory") if one.pod.main is not None else None
    sizes = [n.allocatable["memory"] for n in world.facts.nodes if "memory" in n.allocatable]
    return wanted is None or not sizes or wanted <= max(sizes)


RULES = [WorldRule("driver-deadlock", "I14", starving_drivers)]
