"""Executors out of memory: the container's limit (I01), the JVM's heap (I02), garbage collection before that (I03)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.base.units import human_bytes
from console.health import deaths
from console.health.case import Case
from console.health.evidence import of_event, of_hit, of_pod, of_rest, of_sample
from console.health.figures import memory_figures, peak
from console.health.model import Confidence, Evidence, Finding
from console.health.restview import num
from console.health.rule import Answer, Rule, finding, severity_of
from console.health.victims import Victim, task_losses

RUNBOOK = ("spark-oom",)
GC_SHARE = 0.15
GC_MIN_SECONDS = 30.0
"""Task time of an executor below which its share of garbage collection says nothing."""


def _of_kind(case: Case, *kinds: str) -> list[Victim]:
    return [v for v in case.victims if v.kind in kinds]


def _evidence(victims: Sequence[Victim], limit: int = 3) -> list[Evidence]:
    """Proof of the newest victims first, then one of the oldest."""
    out: list[Evidence] = []
    for victim in [*list(victims)[-limit:], *list(victims)[:1]]:
        out.extend(victim.evidence[:2])
    return out


def _who(victims: Sequence[Victim]) -> str:
    count = len(victims)
    return f"executor {victims[0].executor}" if count == 1 and victims[0].executor else f"{count} executors"


def container_oom(case: Case) -> Answer:
    """The executor's container passed its limit and its JVM was killed: 137 *and* OOMKilled."""
    killed = _of_kind(case, "container-oom")
    metrics = [] if killed else _oom_metrics(case)
    if not killed and not metrics:
        return "no executor ended with exit code 137 and reason OOMKilled"
    data = memory_figures(case, "executor", killed, "container")
    code, why, questions = _heap_or_overhead(case, data)
    confidence: Confidence = "high" if any(v.pod is not None or v.reason == "OOMKilled" for v in killed) else "medium"
    limit = f" of {human_bytes(data['limit'])}" if data["limit"] else ""
    ruled = [
        ("I06", "the container's own reason is OOMKilled; no eviction, preemption or deletion came first"),
        ("I02", "the JVM did not end itself with 52: the kernel killed it"),
        ("I08", "the pod was not evicted for local storage"),
    ]
    return [
        finding(
            case,
            code,
            "I01",
            severity_of(case, current=data["current"]),
            confidence,
            f"{_who(killed) if killed else 'executors'} OOMKilled at the container's limit{limit}",
            detail=why,
            evidence=[*_evidence(killed), *metrics, *_operator_words(case, killed)],
            ruled_out=ruled,
            questions=questions,
            runbooks=RUNBOOK,
            data=data,
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


def _heap_or_overhead(case: Case, data: dict[str, Any]) -> tuple[str, str, list[str]]:
    """(code, reasoning, open questions): what filled the container, where that can be known."""
    heap, limit, rss, heap_peak = data["heap"], data["limit"], data["python_rss"], data["heap_peak"]
    rest = (limit - heap) if heap is not None and limit is not None else None
    sizes = f"heap {human_bytes(heap)}, room outside it {human_bytes(rest)}, limit {human_bytes(limit)}"
    if rss is not None and rest is not None and rss >= rest * 0.6:
        data["decided"] = data["likely"] = "overhead"
        return (
            "executor-oom-python",
            f"Python workers held up to {human_bytes(rss)} beside the heap ({sizes})",
            [],
        )
    if rss is not None and heap_peak is not None and heap is not None:
        if heap_peak >= heap * 0.9:
            data["decided"] = data["likely"] = "heap"
            return (
                "executor-oom-container",
                f"the heap was nearly full ({human_bytes(heap_peak)} of {human_bytes(heap)}) and Python small "
                f"({human_bytes(rss)}): {sizes}",
                [],
            )
        data["decided"] = data["likely"] = "overhead"
        return (
            "executor-oom-overhead",
            f"the heap was not full ({human_bytes(heap_peak)} of {human_bytes(heap)}): the rest grew ({sizes})",
            [],
        )
    questions = [
        "whether heap or overhead filled the container: compare peakMemoryMetrics.ProcessTreePythonRSSMemory and "
        "JVMHeapMemory of the executor (REST allexecutors); 0 unless spark.executor.processTreeMetrics.enabled=true"
    ]
    if data["off_heap"]:
        questions.append("whether off-heap memory was in use: peakMemoryMetrics.OffHeapUnifiedMemory")
    why = f"what filled the container is not known: {sizes}"
    if data["tmpfs"]:
        data["likely"] = "overhead"
        why = f"local directories lie in memory (tmpfs): shuffle and spill count against the container; {sizes}"
        questions.insert(0, "how much shuffle the executor wrote: its local directories are tmpfs and count as memory")
    elif data["language"] in ("Python", "R"):
        data["likely"] = "overhead"
    return "executor-oom-container", why, questions


def python_oom(case: Case) -> Answer:
    """OOMKilled though the JVM lived on: the kernel killed a child, which in an executor is a Python worker."""
    killed = _of_kind(case, "python-oom")
    if not killed:
        return "no executor has reason OOMKilled with an exit code other than 137"
    crashes = case.hits("python-crash", roles=("driver", "executor"))
    data = memory_figures(case, "executor", killed, "python")
    data["decided"] = data["likely"] = "overhead"
    rss = data["python_rss"]
    detail = "a child process was killed by the kernel while the JVM lived on, so the memory outside the heap ran out"
    if crashes:
        detail += "; the driver saw Python workers crash"
    codes = {v.exit_code for v in killed}
    return [
        finding(
            case,
            "executor-oom-python",
            "I01",
            severity_of(case, current=data["current"]),
            "high",
            f"Python worker OOMKilled in {_who(killed)}, the JVM lived on",
            detail=detail + (f"; Python held up to {human_bytes(rss)}" if rss else ""),
            evidence=[*_evidence(killed), *[of_hit(h) for h in crashes[:2]]],
            ruled_out=[
                ("I12", "the container's reason is OOMKilled: the worker did not crash by itself"),
                ("I02", f"the JVM ended with {', '.join(str(c) for c in sorted(codes, key=str))}, not 52"),
                ("healthy", "phase Succeeded and exit code 0 do not exclude an OOM kill of a child"),
            ],
            runbooks=RUNBOOK,
            data=data,
        )
    ]


_HEAP_KINDS = (
    ("gc-overhead", "executor-gc-overhead", "GC overhead limit exceeded"),
    ("metaspace", "executor-oom-heap", "metaspace"),
    ("direct-memory", "executor-oom-heap", "direct memory"),
    ("native-thread", "executor-oom-heap", "native threads"),
    ("spark-memory", "executor-oom-heap", "Spark's execution memory"),
    ("array-size", "executor-oom-heap", "an array beyond the VM's limit"),
    ("exit-on-oom", "executor-oom-heap", "Java heap space (ExitOnOutOfMemoryError)"),
    ("heap", "executor-oom-heap", "Java heap space"),
)


def heap_oom(case: Case) -> Answer:
    """The executor's JVM ended itself with OutOfMemoryError (52), or its tasks failed with it."""
    dead = _of_kind(case, "heap-oom")
    words: dict[str, list[Evidence]] = {}
    for wording, _, _ in _HEAP_KINDS:
        executor_hits = [
            h
            for h in case.hits(wording, roles=("executor",))
            if h.record.level in ("ERROR", "FATAL", "WARN", "") or "OutOfMemoryError" in h.text
        ]
        lost = [t.hit for t in task_losses(case, wording)]
        if executor_hits or lost:
            words[wording] = [of_hit(h) for h in [*executor_hits[:2], *lost[:2]]]
    failures = _task_failures(case)
    if not dead and not words and not failures:
        return "no executor ended with 52 and no OutOfMemoryError is in its log or its tasks"
    names = set(words)
    if "gc-overhead" in names and ("heap" not in names or _first(case, "gc-overhead") <= _first(case, "heap")):
        wording, code, shown = _HEAP_KINDS[0]
    else:
        wording, code, shown = next(
            (k for k in reversed(_HEAP_KINDS) if k[0] in names), ("heap", "executor-oom-heap", "Java heap space")
        )
        if wording == "heap" and not words and dead:
            shown = "OutOfMemoryError in the JVM"
    data = memory_figures(case, "executor", dead, wording if wording != "heap" else "heap")
    data["decided"] = data["likely"] = "heap"
    tasks = {(t.stage, t.index) for t in task_losses(case, "heap", "gc-overhead", "spark-memory")}
    data["one_task"] = len(tasks) == 1 and (len(dead) >= 3 or len(data["executors"]) >= 3)
    proven = bool(dead) or any(case.hits(w, roles=("executor",)) for w in names)
    confidence: Confidence = "high" if proven and (words or len(dead) > 0) else "medium"
    since = min((v.at for v in dead if v.at is not None), default=None)
    survived = not dead and not case.failed
    questions = []
    if data["one_task"]:
        questions.append(
            "whether one partition is too large: the same task failed on every executor (see stage taskSummary)"
        )
    elif wording in ("heap", "gc-overhead"):
        questions.append(
            "one partition or all: compare max and median of the stage's taskSummary (a single one is skew, I11)"
        )
    if confidence != "high" and not questions:
        questions.append("how the executors ended: their exit codes, and what their own logs say last")
    who = _who(dead) if dead else "tasks of executors"
    return [
        finding(
            case,
            code,
            "I02",
            severity_of(case, current=data["current"]) if not survived else "warning",
            confidence,
            f"{who} ran out of memory in the JVM: {shown}",
            detail=f"heap {human_bytes(data['heap'])}; the JVM ended itself, the kernel did not"
            if dead
            else "tasks failed with OutOfMemoryError; how their executors ended is not known",
            since=since,
            evidence=[*_evidence(dead, 2), *(e for some in words.values() for e in some), *failures],
            ruled_out=[
                ("I01", "exit code 52 is the JVM's own end; a container at its limit ends with 137 and OOMKilled"),
                ("I04", "the error stands in executors and their tasks, not in the driver"),
            ],
            questions=questions,
            runbooks=RUNBOOK,
            data=data,
        )
    ]


def _first(case: Case, wording: str) -> float:
    times = [h.at for h in case.hits(wording, roles=("executor",)) if h.at is not None]
    times += [t.hit.at for t in task_losses(case, wording) if t.hit.at is not None]
    return min(times, default=float("inf"))


def _task_failures(case: Case) -> list[Evidence]:
    """Stages whose failure reason says that a task ran out of memory."""
    out = []
    for (stage, attempt), row in case.rest.stages.items():
        reason = str(row.get("failureReason") or "")
        if "most recent failure: Lost task" in reason and "OutOfMemoryError" in reason:
            out.append(of_rest(case.rest.origin("stages"), f"stage {stage}.{attempt} failureReason: {reason}"))
    return out[:2]


def gc_pressure(case: Case) -> Answer:
    """Executors that spend a good part of their task time in garbage collection, though none died of it."""
    if _of_kind(case, "heap-oom") or case.hits("gc-overhead", roles=("executor",)):
        return "executors died of it already: that is I02"
    worst: list[tuple[float, str, float]] = []
    for key, row in case.rest.executors.items():
        total, gc = num(row, "totalDuration") / 1000, num(row, "totalGCTime") / 1000
        if key != "driver" and total >= GC_MIN_SECONDS and gc / total > GC_SHARE:
            worst.append((gc / total, key, total))
    series = {s.labels.get("executor_id", ""): s for s in case.samples("metrics_executor_totalGCTime_seconds_total")}
    durations = {
        s.labels.get("executor_id", ""): s for s in case.samples("metrics_executor_totalDuration_seconds_total")
    }
    evidence: list[Evidence] = []
    for key, sample in series.items():
        duration = durations.get(key)
        if key in ("", "driver") or key in case.rest.executors or duration is None or duration.value < GC_MIN_SECONDS:
            continue
        share = sample.value / duration.value
        if share > GC_SHARE:
            worst.append((share, key, duration.value))
            evidence.append(of_sample(sample))
    if not worst:
        return f"no executor spends more than {GC_SHARE:.0%} of {GC_MIN_SECONDS:.0f} s of task time or more in GC"
    worst.sort(reverse=True)
    share, key, total = worst[0]
    origin = case.rest.origin("allexecutors", "executors")
    cached = [
        r
        for k, r in case.rest.executors.items()
        if num(r, "maxMemory") and num(r, "memoryUsed") > 0.8 * num(r, "maxMemory")
    ]
    if not evidence:
        evidence = [of_rest(origin, f"executor {k}: {s:.0%} of {t:.0f} s task time in GC") for s, k, t in worst[:3]]
    return [
        finding(
            case,
            "executor-gc-pressure",
            "I03",
            "warning",
            "medium" if len(worst) > 1 or share > 0.3 else "low",
            f"{len(worst)} of the executors spend up to {share:.0%} of their task time in garbage collection",
            detail="cached data fills the storage memory"
            if cached
            else "no cached data to blame: objects of the tasks fill the heap",
            evidence=evidence,
            ruled_out=[("I02", "no executor ended with OutOfMemoryError"), ("I07", "no heartbeat was missed")],
            questions=["whether CPU throttling slows the collector: container_cpu_cfs_throttled_periods_total"],
            data={
                "share": share,
                "executors": [k for _, k, _ in worst],
                "heap_peak": peak(case, "JVMHeapMemory", [key]),
            },
        )
    ]


def other_container(case: Case) -> Answer:
    """Another container of a Spark pod ended badly: not Spark's own memory, though the pod shows 137 or OOMKilled."""
    out: list[Finding] = []
    for pod in case.pods:
        main = pod.main
        for container in pod.containers:
            end = container.terminated or container.last_terminated
            if container is main or end is None or container.role == "init":
                continue
            if end.reason == "OOMKilled":
                out.append(
                    finding(
                        case,
                        "sidecar-oom",
                        None,
                        "warning",
                        "high",
                        f"container {container.name} of {pod.name} OOMKilled: not Spark's own memory",
                        subject=pod.key,
                        evidence=[
                            of_pod(pod, f"container {container.name} terminated: exit code {end.exit_code}, OOMKilled")
                        ],
                        ruled_out=[("I01", "the Spark container was not the one that was killed")],
                    )
                )
            elif end.exit_code not in (0, None, 137, 143) and container.restarts >= 3 and not deaths.over(pod):
                out.append(
                    finding(
                        case,
                        "sidecar-crash",
                        None,
                        "warning",
                        "high",
                        f"container {container.name} of {pod.name} crashes again and again (exit code {end.exit_code})",
                        subject=pod.key,
                        evidence=[of_pod(pod, f"container {container.name} restarted {container.restarts} times")],
                    )
                )
    return out or "no other container of its pods was killed or crashes again and again"


RULES = [
    Rule("executor-oom-container", "I01", container_oom),
    Rule("executor-oom-python", "I01", python_oom),
    Rule("executor-oom-heap", "I02", heap_oom),
    Rule("executor-gc-pressure", "I03", gc_pressure),
    Rule("sidecar-oom", None, other_container),
]
