"""The figures that runbooks need of an out-of-memory finding: one dictionary, every key always there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.health import deaths
from console.health.case import Case
from console.health.facts import Pod
from console.health.victims import Victim

MIB = 2**20
_STEP = 64 * MIB


def rounded(count: float) -> int:
    """Up to the next 64 MiB."""
    return int(-(-count // _STEP) * _STEP)


def peak(case: Case, metric: str, executors: Sequence[str]) -> float | None:
    """The highest peak of a memory metric over executors; None where it was never measured (0 is no measurement)."""
    values = [v for key in executors if (v := case.rest.peak(key, metric)) is not None]
    for sample in case.samples(f"metrics_executor_{metric}_bytes"):
        if sample.labels.get("executor_id") in executors and sample.value > 0:
            values.append(sample.value)
    return max(values, default=None)


def in_memory_dirs(pods: Sequence[Pod]) -> bool:
    """Whether Spark's local directories lie in memory, where shuffle and spill count against the container."""
    for pod in pods:
        for volume in pod.volumes:
            empty = volume.get("emptyDir")
            if (
                isinstance(empty, dict)
                and empty.get("medium") == "Memory"
                and "spark-local-dir" in str(volume.get("name"))
            ):
                return True
    return False


def memory_figures(case: Case, role: str, victims: Sequence[Victim], kind: str) -> dict[str, Any]:
    """Documented in the plan of the rooms: sizes in bytes, None where not known."""
    app = case.app
    plan = app.driver_memory if role == "driver" else app.executor_memory
    pods = [v.pod for v in victims if v.pod is not None]
    limit = next((m for p in pods if (m := _limit(p)) is not None), None)
    member = app.driver if role == "driver" else next((m for m in app.executors if m.memory_limit), None)
    if limit is None and member is not None:
        limit = member.memory_limit
    last = victims[-1] if victims else None
    executors = list(dict.fromkeys(v.executor for v in victims if v.executor))
    heap = plan.heap if plan is not None else None
    overhead = plan.overhead if plan is not None else None
    if pods and heap is not None and limit is not None:
        env = _env_heap(pods)
        heap = env if env is not None else heap
        overhead = max(
            0.0, limit - heap - ((plan.off_heap if plan else None) or 0) - ((plan.pyspark if plan else None) or 0)
        )
    tmpfs = in_memory_dirs(pods) or app.conf.get("spark.kubernetes.local.dirs.tmpfs", "").lower() == "true"
    return {
        "namespace": app.namespace,
        "name": app.name,
        "app_id": (last.app_id if last is not None and last.app_id else app.app_id),
        "attempt": last.attempt if last is not None else app.attempt,
        "attempts": sorted({v.attempt for v in victims}),
        "current": any(v.current for v in victims) if victims else True,
        "launcher": app.launcher,
        "language": app.language,
        "role": role,
        "exit_code": last.exit_code if last is not None else None,
        "reason": last.reason if last is not None else "",
        "kind": kind,
        "deaths": len(victims),
        "executors": executors[:50],
        "pods": [v.name for v in victims if v.name][:50],
        "nodes": sorted({v.node for v in victims if v.node})[:50],
        "heap": heap,
        "overhead": overhead,
        "off_heap": plan.off_heap if plan is not None else None,
        "pyspark": plan.pyspark if plan is not None else None,
        "limit": limit,
        "factor": plan.factor if plan is not None else None,
        "total": plan.total if plan is not None else limit,
        "heap_peak": peak(case, "JVMHeapMemory", executors or (["driver"] if role == "driver" else [])),
        "python_rss": peak(case, "ProcessTreePythonRSSMemory", executors or (["driver"] if role == "driver" else [])),
        "decided": "unknown",
        "likely": "",
        "tmpfs": tmpfs,
        "suggested_overhead": rounded(max((overhead or 0) * 2, 512 * MIB)),
        "suggested_heap": rounded((heap or 1024 * MIB) * 1.5),
        "one_task": False,
    }


def _limit(pod: Pod) -> float | None:
    main = pod.main
    return main.limits.get("memory") if main is not None else None


def _env_heap(pods: Sequence[Pod]) -> float | None:
    from console.health.memory import size

    for pod in pods:
        main, _ = deaths.ending(pod)
        if main is not None and (text := main.env.get("SPARK_EXECUTOR_MEMORY")):
            return size(text)
    return None
