"""Faults of applications on GPUs (I27), and executors that see none although they have one (I30)."""

from __future__ import annotations

from console.apps.evidence import of_hit
from console.findings.case import Case
from console.findings.figures.gpu import GpuNodes
from console.findings.rule import Answer, Rule, finding, severity_of


def application_fault(case: Case) -> Answer:
    """GPU out of memory in RAPIDS, or a fatal CUDA error (exit code 20): mostly software."""
    oom = case.hits("gpu-oom", roles=("executor", "driver"))
    fatal = case.hits("cuda-fatal", roles=("executor", "driver"))
    dead = [v for v in case.victims if v.kind == "cuda"]
    if not oom and not fatal and not dead:
        return "no GPU out of memory, no fatal CUDA error, no exit code 20"
    code = "gpu-fatal" if fatal or dead else "gpu-oom"
    title = (
        "fatal CUDA error in an executor"
        if code == "gpu-fatal"
        else "GPU out of memory: a batch could not be split further"
    )
    return [
        finding(
            case,
            code,
            "I27",
            severity_of(case),
            "high" if oom or fatal else "medium",
            title + (f" (exit code 20 in {len(dead)} executors)" if dead else ""),
            detail="the executor stops itself after a fatal CUDA error"
            if code == "gpu-fatal"
            else "too many tasks share the GPU, or its batches are too large",
            evidence=[*[of_hit(h) for h in (*oom[:2], *fatal[:2])], *(e for v in dead[-2:] for e in v.evidence)],
            ruled_out=[("I01", "the GPU's memory ran out, not the container's")]
            if code == "gpu-oom"
            else [("I01", "no container was OOMKilled")],
            questions=["job or GPU: does it follow the job to other GPUs (software), or the GPU to other jobs (I28)?"],
            data=GpuNodes(nodes=tuple(sorted({v.node for v in dead if v.node}))),
        )
    ]


def absent(case: Case) -> Answer:
    """Executors that see no GPU although the pod has one."""
    hits = case.hits("gpu-absent", roles=("executor", "driver", "other"))
    if not hits:
        return "no executor says that its GPU is missing"
    mismatch = any("version mismatch" in h.text for h in hits)
    return [
        finding(
            case,
            "gpu-not-usable",
            "I30",
            severity_of(case),
            "high",
            "driver and library of the GPU do not fit: the node needs a reboot"
            if mismatch
            else "executors see no usable GPU",
            evidence=[of_hit(h) for h in hits[:3]],
            questions=["the node: driver upgrade, container toolkit, device plugin"],
            data=GpuNodes(nodes=tuple(sorted({p.node for p in case.executors if p.node}))),
        )
    ]


RULES = [
    Rule("gpu-oom", "I27", application_fault, after=("gpu-hardware", "gpu-memory-taken")),
    Rule("gpu-not-usable", "I30", absent, after=("gpu-gone", "gpu-hardware")),
]
