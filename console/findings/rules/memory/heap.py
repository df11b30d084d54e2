"""Executors whose heap was full: the JVM ended itself (I02), or collects garbage more than it works (I03)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from console.apps.evidence import of_hit, of_rest, of_sample
from console.base.units import human_bytes
from console.facts.evidence import Evidence
from console.facts.model import Sample
from console.facts.rest import num
from console.findings.case import Case
from console.findings.figures.memory import GcFigures
from console.findings.lost.victims import Victim, count_of, task_losses
from console.findings.memory.figures import memory_figures, peak
from console.findings.memory.sizes import sized
from console.findings.model import Confidence
from console.findings.rule import Answer, Rule, finding, severity_of
from console.findings.rules.memory.words import before_them, of_kind, of_one_size, profile_words, proof_of

GC_SHARE = 0.15
GC_MIN_SECONDS = 30.0
"""Task time of an executor below which its share of garbage collection says nothing."""
_HEAP_KINDS = (
    ("gc-overhead", "executor-gc-overhead", "GC overhead limit exceeded"),
    ("metaspace", "executor-oom-heap", "metaspace"),
    ("direct-memory", "executor-oom-heap", "direct memory"),
    ("spark-memory", "executor-oom-heap", "Spark's execution memory"),
    ("array-size", "executor-oom-heap", "an array beyond the VM's limit"),
    ("exit-on-oom", "executor-oom-heap", "Java heap space (ExitOnOutOfMemoryError)"),
    ("heap", "executor-oom-heap", "Java heap space"),
)


def heap_oom(case: Case) -> Answer:
    """The executor's JVM ended itself with OutOfMemoryError (52), or its tasks failed with it."""
    dead, before = of_one_size(of_kind(case, "heap-oom"))
    errors = _errors(case)
    failures = _task_failures(case)
    if not dead and not errors and not failures:
        return "no executor ended with 52 and no OutOfMemoryError is in its log or its tasks"
    if not errors and case.hits("native-thread", roles=("executor",)):
        return "no thread could be started: an OutOfMemoryError of the system's limits, not of the heap"
    wording, code, shown = _heap_kind(case, errors)
    if dead and not errors:
        shown = "OutOfMemoryError in the JVM"
    figures = memory_figures(
        case, "executor", dead, wording, decided="heap", likely="heap", one_task=_one_task(case, dead)
    )
    profile = profile_words(case, dead)
    proven = bool(dead) or any(case.hits(w, roles=("executor",)) for w in errors)
    confidence: Confidence = "high" if proven else "medium"
    survived = not dead and not case.failed
    return [
        finding(
            case,
            code,
            "I02",
            severity_of(case, current=figures.current) if not survived else "warning",
            confidence,
            f"{count_of(dead) if dead else 'tasks of executors'} ran out of memory in the JVM: {shown}",
            detail=f"heap {human_bytes(figures.heap)}; the JVM ended itself, the kernel did not"
            + before_them(before, dead)
            if dead
            else "tasks failed with OutOfMemoryError; how their executors ended is not known",
            since=min((v.at for v in (*before, *dead) if v.at is not None), default=None),
            evidence=[
                *proof_of(dead, 2),
                *proof_of(before[:1]),
                *(e for some in errors.values() for e in some),
                *failures,
            ],
            ruled_out=[
                ("I01", "exit code 52 is the JVM's own end; a container at its limit ends with 137 and OOMKilled"),
                ("I04", "the error stands in executors and their tasks, not in the driver"),
            ],
            questions=[*profile, *_heap_questions(wording, proven=proven, one_task=figures.one_task)],
            data=figures if profile else sized(case, figures),
        )
    ]


def _errors(case: Case) -> dict[str, list[Evidence]]:
    """Wording of an OutOfMemoryError → where it stands: logs of executors, the driver's word of a task."""
    out: dict[str, list[Evidence]] = {}
    for wording, _, _ in _HEAP_KINDS:
        own = [
            h
            for h in case.hits(wording, roles=("executor",))
            if h.record.level in ("ERROR", "FATAL", "WARN", "") or "OutOfMemoryError" in h.text
        ]
        lost = [t.hit for t in task_losses(case.logs, wording)]
        if own or lost:
            out[wording] = [of_hit(h) for h in [*own[:2], *lost[:2]]]
    return out


def _heap_kind(case: Case, errors: Collection[str]) -> tuple[str, str, str]:
    """The row of `_HEAP_KINDS` that is the cause: the overhead of GC where it came first, else the most usual."""
    if "gc-overhead" in errors and ("heap" not in errors or _first(case, "gc-overhead") <= _first(case, "heap")):
        return _HEAP_KINDS[0]
    return next((kind for kind in reversed(_HEAP_KINDS) if kind[0] in errors), _HEAP_KINDS[-1])


def _one_task(case: Case, dead: Sequence[Victim]) -> bool:
    """Whether one and the same task failed on three executors or more."""
    tasks = {(t.stage, t.index) for t in task_losses(case.logs, "heap", "gc-overhead", "spark-memory")}
    return len(tasks) == 1 and len(dead) >= 3


def _heap_questions(wording: str, *, proven: bool, one_task: bool) -> list[str]:
    if one_task:
        return ["whether one partition is too large: the same task failed on every executor (see stage taskSummary)"]
    if wording in ("heap", "gc-overhead"):
        return ["one partition or all: compare max and median of the stage's taskSummary (a single one is skew, I11)"]
    return [] if proven else ["how the executors ended: their exit codes, and what their own logs say last"]


def _first(case: Case, wording: str) -> float:
    times = [h.at for h in case.hits(wording, roles=("executor",)) if h.at is not None]
    times += [t.hit.at for t in task_losses(case.logs, wording) if t.hit.at is not None]
    return min(times, default=float("inf"))


def _task_failures(case: Case) -> list[Evidence]:
    """Stages whose failure reason says that a task ran out of memory."""
    out = []
    for (stage, attempt), row in case.rest.stages.items():
        reason = str(row.get("failureReason") or "")
        if "most recent failure: Lost task" in reason and "OutOfMemoryError" in reason:
            out.append(of_rest(case.rest.origin("stages"), f"stage {stage}.{attempt} failureReason: {reason}"))
    return out[:2]


class _GcShare(NamedTuple):
    """How much of its task time an executor spends in garbage collection; ordered by that."""

    share: float
    executor: str
    seconds: float


def gc_pressure(case: Case) -> Answer:
    """Executors that spend a good part of their task time in garbage collection, though none died of it."""
    if of_kind(case, "heap-oom") or case.hits("gc-overhead", roles=("executor",)):
        return "executors died of it already: that is I02"
    measured = _gc_by_metrics(case)
    worst = sorted((*_gc_by_rest(case), *(share for share, _ in measured)), reverse=True)
    if not worst:
        return f"no executor spends more than {GC_SHARE:.0%} of {GC_MIN_SECONDS:.0f} s of task time or more in GC"
    origin = case.rest.origin("allexecutors", "executors")
    evidence = [of_sample(sample) for _, sample in measured] or [
        of_rest(origin, f"executor {one.executor}: {one.share:.0%} of {one.seconds:.0f} s task time in GC")
        for one in worst[:3]
    ]
    first = worst[0]
    return [
        finding(
            case,
            "executor-gc-pressure",
            "I03",
            "warning",
            "medium" if len(worst) > 1 or first.share > 0.3 else "low",
            f"{len(worst)} of the executors spend up to {first.share:.0%} of their task time in garbage collection",
            detail="cached data fills the storage memory"
            if _cache_is_full(case)
            else "no cached data to blame: objects of the tasks fill the heap",
            evidence=evidence,
            ruled_out=[("I02", "no executor ended with OutOfMemoryError"), ("I07", "no heartbeat was missed")],
            questions=["whether CPU throttling slows the collector: container_cpu_cfs_throttled_periods_total"],
            data=GcFigures(
                share=first.share,
                executors=tuple(one.executor for one in worst),
                heap_peak=peak(case, "JVMHeapMemory", [(case.app.app_id, first.executor)]).size,
            ),
        )
    ]


def _gc_by_rest(case: Case) -> list[_GcShare]:
    out = []
    for key, row in case.rest.executors.items():
        total, gc = num(row, "totalDuration") / 1000, num(row, "totalGCTime") / 1000
        works = key != "driver" or len(case.rest.executors) == 1  # a driver alone runs the tasks itself
        if works and total >= GC_MIN_SECONDS and gc / total > GC_SHARE:
            out.append(_GcShare(gc / total, key, total))
    return out


def _gc_by_metrics(case: Case) -> list[tuple[_GcShare, Sample]]:
    """The same from Prometheus, of executors of which REST knows nothing."""
    gc, durations = (
        {s.labels.get("executor_id", ""): s for s in case.samples(f"metrics_executor_{name}_seconds_total")}
        for name in ("totalGCTime", "totalDuration")
    )
    out = []
    for key, sample in gc.items():
        duration = durations.get(key)
        if key in ("", "driver") or key in case.rest.executors or duration is None or duration.value < GC_MIN_SECONDS:
            continue
        share = sample.value / duration.value
        if share > GC_SHARE:
            out.append((_GcShare(share, key, duration.value), sample))
    return out


def _cache_is_full(case: Case) -> bool:
    """Whether cached data holds most of the storage memory of some executor."""
    return any(
        num(row, "maxMemory") and num(row, "memoryUsed") > 0.8 * num(row, "maxMemory")
        for row in case.rest.executors.values()
    )


RULES = [
    Rule("executor-oom-heap", "I02", heap_oom),
    Rule("executor-gc-pressure", "I03", gc_pressure),
]
