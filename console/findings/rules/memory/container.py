"""Executors whose container was OOMKilled (I01): the JVM with 137, or a Python worker while the JVM lived on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from console.apps.evidence import of_event, of_hit, of_sample
from console.base.units import human_bytes
from console.facts.evidence import Evidence
from console.findings.case import Case
from console.findings.figures.memory import Filler, MemoryFigures
from console.findings.lost.victims import Victim, count_of
from console.findings.memory.figures import limit_at_the_end, memory_figures
from console.findings.memory.sizes import sized
from console.findings.model import Confidence
from console.findings.rule import Answer, Rule, finding, severity_of
from console.findings.rules.memory.words import before_them, of_kind, of_one_size, profile_words, proof_of


def container_oom(case: Case) -> Answer:
    """The executor's container passed its limit and its JVM was killed: 137 *and* OOMKilled."""
    killed, before = of_one_size(of_kind(case, "container-oom"))
    metrics = [] if killed else _oom_metrics(case)
    if not killed and not metrics:
        return "no executor ended with exit code 137 and reason OOMKilled"
    figures = memory_figures(case, "executor", killed, "container")
    theirs = limit_at_the_end(case.app, killed, figures.limit)
    filled = _heap_or_overhead(figures, then=theirs == figures.limit)
    profile = profile_words(case, killed)
    figures = replace(figures, decided=filled.decided, likely=filled.likely)
    confidence: Confidence = "high" if any(v.pod is not None or v.reason == "OOMKilled" for v in killed) else "medium"
    limit = f" of {human_bytes(theirs)}" if theirs else ""
    return [
        finding(
            case,
            filled.code,
            "I01",
            severity_of(case, current=figures.current),
            confidence,
            f"{count_of(killed) if killed else 'executors'} OOMKilled at the container's limit{limit}",
            detail=filled.why + before_them(before, killed),
            evidence=[*proof_of(killed), *proof_of(before[:1]), *metrics, *_operator_words(case, killed)],
            ruled_out=[
                ("I06", "the container's own reason is OOMKilled; no eviction, preemption or deletion came first"),
                ("I02", "the JVM did not end itself with 52: the kernel killed it"),
                ("I08", "the pod was not evicted for local storage"),
            ],
            questions=(*profile, *filled.questions),
            data=figures if profile else sized(case, figures),
        )
    ]


def _operator_words(case: Case, killed: Sequence[Victim]) -> list[Evidence]:
    names = {v.name for v in killed}
    found = [
        e
        for e in case.events
        if e.reason == "SparkExecutorFailed" and "OOMKilled" in e.message and any(n and n in e.message for n in names)
    ]
    return [of_event(found[-1])] if found else []


def _oom_metrics(case: Case) -> list[Evidence]:
    """kube-state-metrics' and cAdvisor's word, where neither pod nor log is left. 0 is "not so", not "unknown"."""
    out = []
    for sample in case.samples("kube_pod_container_status_terminated_reason"):
        labels = sample.labels
        if labels.get("reason") == "OOMKilled" and sample.value > 0 and "executor" in labels.get("container", ""):
            out.append(of_sample(sample))
    return out


class _Filled(Struct, frozen=True):
    """What filled a container, with the reasoning and what would decide it where it is open."""

    code: str
    decided: Filler
    likely: Literal["heap", "overhead", ""]
    why: str
    questions: tuple[str, ...] = ()


def _heap_or_overhead(figures: MemoryFigures, *, then: bool) -> _Filled:
    """Decided only where Python's memory was measured; else what is more likely.

    Args:
        then: whether the sizes are those that they ended with.
    """
    heap, limit, rss, heap_peak = figures.heap, figures.limit, figures.python_rss, figures.heap_peak
    rest = (limit - heap) if heap is not None and limit is not None else None
    sizes = f"heap {human_bytes(heap)}, room outside it {human_bytes(rest)}, limit {human_bytes(limit)}"
    sizes += "" if then else ", which is how it is now; what they ended with is not known"
    if rss is not None and rest is not None and rss >= rest * 0.6:
        why = f"Python workers held up to {human_bytes(rss)} beside the heap ({sizes})"
        return _Filled("executor-oom-python", "overhead", "overhead", why)
    if rss is None or heap_peak is None or heap is None:
        return _undecided(figures, sizes)
    peak_of = f"{human_bytes(heap_peak)} of {human_bytes(heap)}"
    if heap_peak >= heap * 0.9:
        why = f"the heap was nearly full ({peak_of}) and Python small ({human_bytes(rss)}): {sizes}"
        return _Filled("executor-oom-container", "heap", "heap", why)
    why = f"the heap was not full ({peak_of}): the rest grew ({sizes})"
    return _Filled("executor-oom-overhead", "overhead", "overhead", why)


def _undecided(figures: MemoryFigures, sizes: str) -> _Filled:
    """Nobody measured it: tmpfs and Python speak for the overhead, without proof."""
    questions = [
        "whether heap or overhead filled the container: compare peakMemoryMetrics.ProcessTreePythonRSSMemory and "
        "JVMHeapMemory of the executor (REST allexecutors); 0 unless spark.executor.processTreeMetrics.enabled=true"
    ]
    if figures.off_heap:
        questions.append("whether off-heap memory was in use: peakMemoryMetrics.OffHeapUnifiedMemory")
    why = f"what filled the container is not known: {sizes}"
    if figures.tmpfs:
        why = f"local directories lie in memory (tmpfs): shuffle and spill count against the container; {sizes}"
        questions.insert(0, "how much shuffle the executor wrote: its local directories are tmpfs and count as memory")
    likely: Literal["overhead", ""] = "overhead" if figures.tmpfs or figures.language in ("Python", "R") else ""
    return _Filled("executor-oom-container", "unknown", likely, why, tuple(questions))


def python_oom(case: Case) -> Answer:
    """OOMKilled though the JVM lived on: the kernel killed a child, which in an executor is a Python worker."""
    killed = of_kind(case, "python-oom")
    if not killed:
        return "no executor has reason OOMKilled with an exit code other than 137"
    crashes = case.hits("python-crash", roles=("driver", "executor"))
    figures = memory_figures(case, "executor", killed, "python", decided="overhead", likely="overhead")
    rss, profile = figures.python_rss, profile_words(case, killed)
    detail = "a child process was killed by the kernel while the JVM lived on, so the memory outside the heap ran out"
    if crashes:
        detail += "; the driver saw Python workers crash"
    codes = {v.exit_code for v in killed}
    return [
        finding(
            case,
            "executor-oom-python",
            "I01",
            severity_of(case, current=figures.current),
            "high",
            f"Python worker OOMKilled in {count_of(killed)}, the JVM lived on",
            detail=detail + (f"; Python held up to {human_bytes(rss)}" if rss else ""),
            evidence=[*proof_of(killed), *[of_hit(h) for h in crashes[:2]]],
            ruled_out=[
                ("I12", "the container's reason is OOMKilled: the worker did not crash by itself"),
                ("I02", f"the JVM ended with {', '.join(str(c) for c in sorted(codes, key=str))}, not 52"),
                ("healthy", "phase Succeeded and exit code 0 do not exclude an OOM kill of a child"),
            ],
            questions=profile,
            data=figures if profile else sized(case, figures),
        )
    ]


RULES = [
    Rule("executor-oom-container", "I01", container_oom),
    Rule("executor-oom-python", "I01", python_oom),
]
