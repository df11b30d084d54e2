"""Pods that wait for GPUs, a MIG profile or a toleration for GPU nodes (I15)."""

from __future__ import annotations

from collections.abc import Sequence

from console.apps.evidence import of_hit, of_pod
from console.apps.members import GPU_RESOURCE
from console.facts.logs import Hit
from console.findings.case import Case
from console.findings.figures.scheduling import UnschedulableGpuFigures
from console.findings.rule import Answer, Rule, finding
from console.findings.rules.scheduling.waiting import GPU_TEXT, Unplaced, asks_gpu, begun, waiting_pods
from console.findings.waits.nodes import node_wait


def unschedulable_gpu(case: Case) -> Answer:
    """Pods that wait for GPUs, a MIG profile or a toleration for GPU nodes."""
    waiting = [w for w in waiting_pods(case) if w.wants_gpu]
    starved = _starved(case)
    if not waiting and (case.pods or not starved):
        return "no pod waits for a GPU"
    resource = _resource(waiting)
    nodes = case.world.nodes.values()
    allocatable = sum(n.allocatable.get(resource, 0.0) for n in nodes) if nodes else None
    why = _why(waiting, resource, allocatable)
    told = node_wait(case, waiting)
    questions = [
        "busy, gone or not asked for rightly: allocatable against requested GPUs per node, the pod's tolerations, "
        "its resource name",
    ]
    if not nodes and waiting:
        questions.insert(0, "whether any node offers it: allocatable of the nodes is not among the evidence")
    hits = (*case.hits("gpu-limits-cores", roles=("driver",))[:1], *case.hits("too-big")[:1], *starved[:1])
    return [
        finding(
            case,
            "unschedulable-gpu",
            "I15",
            "critical" if case.app.running_executors == 0 else "warning",
            "high" if waiting else "medium",
            f"{len(waiting)} pods wait for a GPU: {why}" if waiting else f"executors never came: {why}",
            since=begun(waiting),
            detail=(waiting[-1].words if waiting else "") or "the application asks for GPUs and gets no executors",
            evidence=[
                *[of_pod(w.pod, f"Pending, PodScheduled=False: {w.words}") for w in waiting[:3]],
                *map(of_hit, hits),
            ],
            ruled_out=[("I14", "what is missing is the GPU, not CPU or memory")],
            questions=questions,
            data=UnschedulableGpuFigures(
                pods=tuple(w.pod.name for w in waiting),
                resource=resource,
                allocatable=allocatable,
                keeper=told.keeper,
                holders=case.world.spark_holders(resource, "", case.app.key) if told.keeper else (),
                never=told.never or (bool(told.keeper) and allocatable == 0),
                lets_in=told.lets_in,
            ),
        )
    ]


def _starved(case: Case) -> list[Hit]:
    """Places where the driver says that no executor came, of an application that asks for GPUs."""
    if case.hits("gpu-limits-cores", roles=("driver",)) or asks_gpu(case):
        return case.hits("no-resources", roles=("driver",))
    return []


def _resource(waiting: Sequence[Unplaced]) -> str:
    """What the last of them waits for: as the scheduler names it, else as the pod asks for it."""
    if not waiting:
        return ""
    found = GPU_TEXT.search(waiting[-1].words)
    if found is not None:
        return found.group(1).rstrip(".,")
    main = waiting[-1].pod.main
    return next((k for k in (main.limits if main is not None else {}) if GPU_RESOURCE.fullmatch(k)), "nvidia.com/gpu")


def _why(waiting: Sequence[Unplaced], resource: str, allocatable: float | None) -> str:
    """Whether the GPU is absent, behind a taint, or taken. `allocatable` is None where no node was read."""
    if not waiting:
        return "no worker offers the GPU that executors ask for"
    if allocatable == 0:
        return f"no node offers {resource}"
    words = waiting[-1].words
    if "taint" in words and not GPU_TEXT.search(words):
        return "the taint of the GPU nodes is not tolerated"
    return f"every {resource} is taken"


RULES = [
    Rule("unschedulable-gpu", "I15", unschedulable_gpu, after=("gpu-gone",)),
]
