"""The figures of an out-of-memory finding: the limit, heap and overhead of who ended, and peaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from console.apps import deaths
from console.apps.memory import Role, size
from console.apps.model import MemoryPlan, SparkApp
from console.facts.model import Pod
from console.findings.case import Case
from console.findings.figures.memory import Filler, MemoryFigures
from console.findings.lost.victims import Victim, nodes_of

HEAP, PYTHON, JVM = "JVMHeapMemory", "ProcessTreePythonRSSMemory", "ProcessTreeJVMRSSMemory"
"""Names of Spark's peak metrics."""
_SHOWN = 50
"""Executors, pods and nodes that are named."""


def memory_figures(
    case: Case,
    role: Role,
    victims: Sequence[Victim],
    kind: str,
    *,
    decided: Filler = "unknown",
    likely: Literal["heap", "overhead", ""] = "",
    one_task: bool = False,
) -> MemoryFigures:
    """The figures of these executors, or of this driver; of the application alone where none is known to have ended."""
    app = case.app
    last = victims[-1] if victims else Victim(role, kind, "", None, attempt=app.attempt)
    pods = [v.pod for v in victims if v.pod is not None]
    limit = _limit(app, role, pods)
    plan = (app.driver_memory if role == "driver" else app.executor_memory) or MemoryPlan(None, None, total=limit)
    heap, overhead = _heap_and_overhead(plan, limit, pods)
    executors = tuple(dict.fromkeys(v.executor for v in victims if v.executor))
    heap_peak, python, jvm = _peaks(case, role, victims, last)
    return MemoryFigures(
        namespace=app.namespace,
        name=app.name,
        app_id=last.app_id or app.app_id,
        attempt=last.attempt,
        attempts=tuple(sorted({v.attempt for v in victims})),
        current=any(v.current for v in victims or [last]),
        launcher=app.launcher,
        language=app.language,
        role=role,
        exit_code=last.exit_code,
        reason=last.reason,
        kind=kind,
        deaths=len(victims),
        executors=executors[:_SHOWN],
        pods=tuple(v.name for v in victims if v.name)[:_SHOWN],
        nodes=nodes_of(victims)[:_SHOWN],
        heap=heap,
        overhead=overhead,
        off_heap=plan.off_heap,
        pyspark=plan.pyspark,
        limit=limit,
        factor=plan.factor,
        total=plan.total,
        heap_peak=heap_peak.size,
        python_rss=python.size,
        jvm_rss=jvm.size,
        peaks_at=_latest(heap_peak, python, jvm),
        decided=decided,
        likely=likely,
        tmpfs=_in_memory_dirs(pods) or app.conf.get("spark.kubernetes.local.dirs.tmpfs", "").lower() == "true",
        one_task=one_task,
        proposal=None,
    )


class MemoryPeak(NamedTuple):
    """The highest measurement in bytes, and when it was read; None where there was none."""

    size: float | None
    at: float | None


def peak(case: Case, metric: str, executors: Sequence[tuple[str, str]]) -> MemoryPeak:
    """The highest peak of a memory metric over executors (application id of their attempt, executor id).

    Attempts number their executors from 1 again, so what was measured of another attempt's executor is not theirs.
    """
    found = [one for app_id, executor in executors for one in case.rest.peaks(executor, metric, app_id)]
    for sample in case.samples(f"metrics_executor_{metric}_bytes"):
        of, executor = sample.labels.get("application_id", ""), sample.labels.get("executor_id", "")
        if sample.value > 0 and any(e == executor and (not of or not a or a == of) for a, e in executors):
            found.append((sample.value, sample.at))
    size, at = max(found, key=lambda one: one[0], default=(None, None))
    return MemoryPeak(size, at)


def _peaks(case: Case, role: Role, victims: Sequence[Victim], last: Victim) -> Iterator[MemoryPeak]:
    """Of the heap, of Python's workers and of the whole JVM, in those who ended."""
    whose = tuple(dict.fromkeys((v.app_id, v.executor) for v in victims if v.executor))
    measured = whose or (((last.app_id or case.app.app_id, "driver"),) if role == "driver" else ())
    return (peak(case, metric, measured) for metric in (HEAP, PYTHON, JVM))


def _latest(*peaks: MemoryPeak) -> float | None:
    return max((one.at for one in peaks if one.at is not None), default=None)


def _in_memory_dirs(pods: Sequence[Pod]) -> bool:
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


def _limit(app: SparkApp, role: Role, pods: Sequence[Pod]) -> float | None:
    """The memory limit of the containers that ended, else of the driver or of any executor that has one."""
    for pod in pods:
        main = pod.main
        if main is not None and main.limits.get("memory") is not None:
            return main.limits["memory"]
    member = app.driver if role == "driver" else next((m for m in app.executors if m.memory_limit), None)
    return member.memory_limit if member is not None else None


def limit_at_the_end(app: SparkApp, victims: Sequence[Victim], limit: float | None) -> float | None:
    """`limit` where it was that of those who ended: none of them left a pod, and executors that were created since may
    have another one."""
    if not victims or any(v.pod is not None for v in victims):
        return limit
    last = max((v.at for v in victims if v.at is not None), default=None)
    then = [m for m in app.executors if m.memory_limit and (last is None or m.created is None or m.created <= last)]
    return limit if then else None


def _heap_and_overhead(plan: MemoryPlan, limit: float | None, pods: Sequence[Pod]) -> tuple[float | None, float | None]:
    """The plan's, unless pods show what they really had: their own heap, and what their limit leaves beside it."""
    if not pods or plan.heap is None or limit is None:
        return plan.heap, plan.overhead
    own = _heap_of(pods)
    heap = own if own is not None else plan.heap
    return heap, max(0.0, limit - heap - (plan.off_heap or 0) - (plan.pyspark or 0))


def _heap_of(pods: Sequence[Pod]) -> float | None:
    """SPARK_EXECUTOR_MEMORY of the first container that has it."""
    for pod in pods:
        main, _ = deaths.ending(pod)
        if main is not None and (text := main.env.get("SPARK_EXECUTOR_MEMORY")):
            return size(text)
    return None
