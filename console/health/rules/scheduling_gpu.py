"""Pods that wait for GPUs, a MIG profile or a toleration for GPU nodes (I15)."""

from __future__ import annotations

from console.health.case import Case
from console.health.evidence import of_hit, of_pod
from console.health.rule import Answer, Rule, finding
from console.health.rules.scheduling_waiting import GPU_TEXT, asks_gpu, waiting_pods, wants_gpu


def unschedulable_gpu(case: Case) -> Answer:
    """Pods that wait for GPUs, a MIG profile or a toleration for GPU nodes."""
    waiting = [(p, w, s) for p, w, s in waiting_pods(case) if wants_gpu(p, w)]
    standalone = (
        case.hits("no-resources", roles=("driver",))
        if (case.hits("gpu-limits-cores", roles=("driver",)) or asks_gpu(case))
        else []
    )
    if not waiting and not (standalone and not case.pods):
        return "no pod waits for a GPU"
    words = waiting[-1][1] if waiting else ""
    found = GPU_TEXT.search(words)
    resource = found.group(1).rstrip(".,") if found else ""
    if not resource and waiting:
        main = waiting[-1][0].main
        resource = next(
            (k for k in (main.limits if main is not None else {}) if k.startswith("nvidia.com/")), "nvidia.com/gpu"
        )
    allocatable = sum(n.allocatable.get(resource, 0.0) for n in case.world.facts.nodes)
    nodes_known = bool(case.world.facts.nodes)
    if not waiting:
        why = "no worker offers the GPU that executors ask for"
    elif nodes_known and allocatable == 0:
        why = f"no node offers {resource}"
    elif "taint" in words and not found:
        why = "the taint of the GPU nodes is not tolerated"
    else:
        why = f"every {resource or 'GPU'} is taken"
    questions = [
        "busy, gone or not asked for rightly: allocatable against requested GPUs per node, the pod's tolerations, "
        "its resource name",
    ]
    if not nodes_known and waiting:
        questions.insert(0, "whether any node offers it: allocatable of the nodes is not among the evidence")
    proof = [of_pod(p, f"Pending, PodScheduled=False: {w}") for p, w, _ in waiting[:3]]
    return [
        finding(
            case,
            "unschedulable-gpu",
            "I15",
            "critical" if case.app.running_executors == 0 else "warning",
            "high" if waiting else "medium",
            f"{len(waiting)} pods wait for a GPU: {why}" if waiting else f"executors never came: {why}",
            since=min((s for _, _, s in waiting if s is not None), default=None),
            detail=words or "the application asks for GPUs and gets no executors",
            evidence=[
                *proof,
                *[
                    of_hit(h)
                    for h in (
                        *case.hits("gpu-limits-cores", roles=("driver",))[:1],
                        *case.hits("too-big")[:1],
                        *standalone[:1],
                    )
                ],
            ],
            ruled_out=[("I14", "what is missing is the GPU, not CPU or memory")],
            questions=questions,
            data={
                "resource": resource,
                "allocatable": allocatable if nodes_known else None,
                "pods": [p.name for p, _, _ in waiting],
            },
        )
    ]


RULES = [
    Rule("unschedulable-gpu", "I15", unschedulable_gpu, after=("gpu-gone",)),
]
