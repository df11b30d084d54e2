"""Drivers that starve each other: all of them run, and hold what their executors wait for (I14)."""

from __future__ import annotations

from console.apps.evidence import of_pod
from console.base.text import listed
from console.findings.case import Case, ClusterView, Home
from console.findings.figures.base import Figures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding
from console.findings.rules.scheduling.waiting import Unplaced, each_waiting

DEADLOCK = 3
"""Running drivers without executors in one namespace from which on they are taken to starve each other. Two may both
wait for others."""


def starving_drivers(world: ClusterView) -> Answer:
    """Several drivers run, none has executors, and their executors wait: drivers hold what executors need."""
    by_space: dict[str, list[Home]] = {}
    for home in world.homes:
        if _runs_alone(home):
            by_space.setdefault(home.app.namespace, []).append(home)
    largest = max((n.allocatable["memory"] for n in world.facts.nodes if "memory" in n.allocatable), default=None)
    out = []
    for namespace, alone in by_space.items():
        if len(alone) < DEADLOCK:
            continue
        cases = [case for home in alone if _starves(case := world.case_at(home), largest)]
        mute = [case for home in alone if (case := world.case_at(home)) not in cases and _waits_mutely(case)]
        if cases and len(cases) + len(mute) >= DEADLOCK:
            out.append(_deadlock(namespace, cases, mute))
    return out or "no namespace has several running drivers without executors"


def _deadlock(namespace: str, told: list[Case], mute: list[Case]) -> Finding:
    """`told` wait for room by the scheduler's words; of `mute` only that they wait was read."""
    cases = [*told, *mute]
    return finding(
        None,
        "driver-deadlock",
        "I14",
        "critical",
        "medium" if len(told) >= DEADLOCK else "low",
        f"{len(cases)} drivers in {namespace or 'one namespace'} hold the resources that their own executors wait for",
        subject=f"Namespace//{namespace}",
        detail=listed((c.app.name for c in cases), 8),
        evidence=[
            of_pod(c.driver, f"driver of {c.app.name} Running, 0 executors") for c in cases[:5] if c.driver is not None
        ],
        questions=["which is the youngest: suspending it frees its driver's share"],
        data=Figures(apps=tuple(c.app.key for c in cases)),
    )


def _runs_alone(home: Home) -> bool:
    if home.app.running_executors or not home.app.live or home.group is None or not home.group.drivers:
        return False
    return home.group.drivers[-1].phase == "Running"


def _starves(case: Case, largest: float | None) -> bool:
    """Whether its executors wait for what others hold: by their pods, or by its log where it has none."""
    waits = False
    for one in each_waiting(case):
        if _lacks_room(one, largest):
            return True
        waits = True
    return not waits and bool(case.hits("no-resources", "quota", roles=("driver",)))


def _waits_mutely(case: Case) -> bool:
    """Whether its executors wait for a node and nothing that was read says for what: events were kept of some only."""
    pending = [pod for pod in case.executors if pod.phase == "Pending" and not pod.node and not pod.gone]
    return bool(pending) and not any(pod.conditions or case.events_of(pod.key) for pod in pending)


def _lacks_room(one: Unplaced, largest: float | None) -> bool:
    """Whether a pod waits for what others hold: it lacks room, and some node would be large enough.

    Args:
        largest: memory of the largest node; None where no node was read.
    """
    if "Insufficient" not in one.words and "Too many pods" not in one.words:
        return False
    wanted = one.pod.main.requests.get("memory") if one.pod.main is not None else None
    return wanted is None or largest is None or wanted <= largest


RULES = [WorldRule("driver-deadlock", "I14", starving_drivers)]
