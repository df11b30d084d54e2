"""The driver's memory (I04): container, heap, results that are too large, broadcasts."""

from __future__ import annotations

import re
from collections.abc import Collection

from msgspec.structs import asdict

from console.apps import deaths
from console.apps.evidence import of_hit, of_pod, of_rest, of_sample
from console.apps.model import Death
from console.base.units import human_bytes, parse_quantity
from console.facts.evidence import Evidence
from console.facts.logs import Hit
from console.facts.model import Pod
from console.facts.rest import num
from console.findings.case import Case
from console.findings.figures.memory import ResultSizeFigures
from console.findings.lost.victims import Victim
from console.findings.memory.figures import memory_figures
from console.findings.memory.sizes import sized
from console.findings.rule import Answer, Rule, finding, severity_of
from console.findings.simple import LogRule

_RESULT = re.compile(
    r"Total size of serialized results of (\d+) tasks \(([\d.]+ ?\w+)\) is (?:bigger|larger) "
    r"than spark\.driver\.maxResultSize \(([\d.]+ ?\w+)\)"
)
_EXECUTORS_OWN = ("TaskSetManager", "DAGScheduler", "TaskSchedulerImpl", "KubernetesClusterSchedulerBackend")


def _driver_victims(case: Case, kind: str) -> list[Victim]:
    out = []
    for pod in case.drivers:
        killed = deaths.death(pod, events=case.events_of(pod.key)) or _restarted(pod)
        if killed is not None and killed.kind == kind:
            number, app_id, current = case.attempt_of(pod)
            out.append(
                Victim(
                    "driver",
                    kind,
                    killed.words,
                    killed.at,
                    killed.exit_code,
                    killed.reason,
                    pod,
                    number,
                    app_id,
                    current,
                    pod.node,
                    [of_pod(pod)],
                )
            )
    return out


def _restarted(pod: Pod) -> Death | None:
    """How the server's container ended last, where it is restarted in place (Spark Connect)."""
    main = pod.main
    end = main.last_terminated if main is not None else None
    if end is None or end.reason != "OOMKilled":
        return None
    kind = "container-oom" if end.exit_code == 137 else "python-oom"
    return Death(kind, "OOMKilled before its last restart", end.exit_code, end.reason, end.finished)


def container_oom(case: Case) -> Answer:
    """The driver's container was OOMKilled, its JVM (137) or a child of it."""
    killed = [*_driver_victims(case, "container-oom"), *_driver_victims(case, "python-oom")]
    metrics = [] if killed else _oom_metrics(case)
    if not killed and not metrics:
        return "the driver's container was not OOMKilled"
    figures = memory_figures(case, "driver", killed, "container")
    if any(v.kind == "python-oom" for v in killed):
        title = "a child process of the driver was OOMKilled"
        detail = "the JVM lived on; the Python side of the driver outgrew what lies beside the heap"
    else:
        limit = f" of {human_bytes(figures.limit)}" if figures.limit else ""
        title = f"driver OOMKilled at the container's limit{limit}"
        detail = "the log of a killed driver just stops: nothing in it says why"
    return [
        finding(
            case,
            "driver-oom-container",
            "I04",
            severity_of(case, current=figures.current),
            "high" if killed else "medium",
            title,
            subject=killed[-1].pod.key if killed and killed[-1].pod is not None else case.driver_subject,
            detail=detail,
            evidence=[*(e for v in killed for e in v.evidence), *metrics],
            ruled_out=[
                ("I06", "the container's own reason is OOMKilled; no eviction or deletion came first"),
                ("driver-oom-heap", "the JVM did not end itself"),
            ],
            questions=[
                "heap or Python: toPandas() and collect() bring rows into Python; compare JVMHeapMemory of executor "
                "`driver` (REST allexecutors) with the heap size"
            ],
            data=sized(case, figures),
        )
    ]


def _oom_metrics(case: Case) -> list[Evidence]:
    """kube-state-metrics' word, where the pod is not left. 0 is "not so", not "unknown"."""
    return [
        of_sample(s)
        for s in case.samples("kube_pod_container_status_terminated_reason")
        if s.labels.get("reason") == "OOMKilled" and s.value > 0 and "driver" in s.labels.get("container", "")
    ]


def _own(case: Case, *wordings: str) -> list[Hit]:
    """Out-of-memory errors that are the driver's own, not the executors' that its scheduler reports."""
    out = []
    for hit in case.hits(*wordings, roles=("driver",)):
        if hit.record.logger.split("$")[0] in _EXECUTORS_OWN:
            continue
        body = hit.record.body
        if "Job aborted due to stage failure" in body and "most recent failure: Lost task" in body:
            continue
        if hit.record.logger == "Executor" and "Exception in task" in body and not _local_mode(case):
            continue
        if not hit.record.level and _below_task_failure(hit):
            continue
        out.append(hit)
    return out


def _below_task_failure(hit: Hit) -> bool:
    """A bare line of a stack trace whose record is not known: whose trace is it?"""
    lines = hit.log.text.split("\n", hit.line)[max(0, hit.line - 60) : hit.line]
    for line in reversed(lines[:-1]):
        if "Lost task" in line or "Job aborted due to stage failure" in line:
            return "most recent failure" in line or "Lost task" in line
        if "TaskResultGetter" in line or "taskresult_" in line or "Exception in thread" in line:
            return False
    return hit.text.lstrip().startswith("Caused by") or hit.text.startswith("java.lang.OutOfMemoryError")


def _local_mode(case: Case) -> bool:
    return not case.executors and not any(k != "driver" for k in case.rest.executors) and not case.role_logs("executor")


_OOM_KINDS = (
    ("exit-on-oom", "exit-on-oom", "the JVM ended itself (ExitOnOutOfMemoryError)"),
    ("gc-overhead", "gc-overhead", "GC overhead limit exceeded"),
    ("metaspace", "metaspace", "metaspace"),
    ("direct-memory", "direct", "direct memory"),
    ("heap", "heap", "Java heap space"),
    ("array-size", "heap", "an array beyond the VM's limit"),
)


def heap_oom(case: Case) -> Answer:
    """OutOfMemoryError in the driver's JVM. REST does not say so: there it may read `unread block data`."""
    errors = _errors(case)
    if other := _other_memory(case, errors):
        return other
    dead = _driver_victims(case, "heap-oom")
    broadcast = case.hits("broadcast-memory", roles=("driver",))
    disguised = _disguised(case)
    if not errors and not dead and not broadcast and not disguised:
        return "no OutOfMemoryError of the driver itself is in its log"
    kind, shown = _heap_kind(errors, broadcast=bool(broadcast))
    figures = memory_figures(case, "driver", dead, kind)
    sure = bool(errors or dead or broadcast)
    hits = [*broadcast[:2], *(h for found in errors.values() for h in found[:2])]
    return [
        finding(
            case,
            "driver-oom-heap",
            "I04",
            severity_of(case, current=True, fatal=True),
            "high" if sure else "low",
            f"driver out of memory in the JVM: {shown}"
            if sure
            else "driver probably out of memory: results could not be read",
            subject=case.driver_subject,
            detail="REST calls it `unread block data`: results broke off while the driver's heap was full"
            if disguised
            else f"heap {human_bytes(figures.heap)}",
            evidence=[*(e for v in dead for e in v.evidence), *(of_hit(h) for h in hits), *disguised],
            ruled_out=[
                ("I02", "the error is in the driver's own threads, not in tasks of executors"),
                ("driver-oom-container", "the container was not OOMKilled"),
            ]
            if sure
            else [],
            questions=[]
            if sure
            else ["the driver's log: is there `java.lang.OutOfMemoryError` in TaskResultGetter or BlockManager?"],
            data=sized(case, figures),
        )
    ]


def _other_memory(case: Case, errors: dict[str, list[Hit]]) -> str:
    """Which other memory than the driver's heap it was, `` where none is known."""
    if _driver_victims(case, "container-oom"):
        return "the driver's container was OOMKilled: that came first"
    if not errors and case.hits("native-thread", roles=("driver",)):
        return "no thread could be started: an OutOfMemoryError of the system's limits, not of the heap"
    return ""


def _errors(case: Case) -> dict[str, list[Hit]]:
    """Wording of an OutOfMemoryError → where the driver's own log has it, in the order of `_OOM_KINDS`."""
    found = {
        wording: case.hits(wording, roles=("driver", "other")) if wording == "exit-on-oom" else _own(case, wording)
        for wording, _, _ in _OOM_KINDS
    }
    return {wording: hits for wording, hits in found.items() if hits}


def _heap_kind(errors: Collection[str], *, broadcast: bool) -> tuple[str, str]:
    """(kind, words) of the cause: a broadcast before all, unless the JVM ended itself; else the first that fits."""
    if broadcast and "exit-on-oom" not in errors:
        return "broadcast", "a broadcast table did not fit"
    return next(
        ((kind, shown) for wording, kind, shown in _OOM_KINDS if wording in errors), ("heap", "Java heap space")
    )


def _disguised(case: Case) -> list[Evidence]:
    out = [of_hit(h) for h in case.hits("unread-block", roles=("driver",))[:1]]
    for (stage, attempt), row in case.rest.stages.items():
        reason = str(row.get("failureReason") or "")
        if "unread block data" in reason or "TaskResultLost" in reason:
            out.append(of_rest(case.rest.origin("stages"), f"stage {stage}.{attempt} failureReason: {reason}"))
    return out[:3]


def result_size(case: Case) -> Answer:
    """Results of tasks that are together bigger than spark.driver.maxResultSize."""
    hits = case.hits("result-size", roles=("driver",))
    proof = [of_hit(h) for h in hits[:3]]
    text = hits[-1].record.body if hits else ""
    for (stage, attempt), row in case.rest.stages.items():
        reason = str(row.get("failureReason") or "")
        if "spark.driver.maxResultSize" in reason:
            text = text or reason
            proof.append(of_rest(case.rest.origin("stages"), f"stage {stage}.{attempt} failureReason: {reason}"))
    if not proof:
        return "nothing says that results are bigger than spark.driver.maxResultSize"
    found = _RESULT.search(text)
    figures = ResultSizeFigures(
        **asdict(memory_figures(case, "driver", [], "result-size")),
        result_size=_size(found.group(2)) if found else None,
        max_result_size=_size(found.group(3)) if found else None,
    )
    return [
        finding(
            case,
            "driver-result-size",
            "I04",
            severity_of(case, current=True),
            "high",
            f"results are bigger than spark.driver.maxResultSize ({found.group(2)} > {found.group(3)})"
            if found
            else "results are bigger than spark.driver.maxResultSize",
            subject=case.driver_subject,
            detail="collect() or toPandas() brings too much to the driver; a larger limit needs a larger heap too",
            evidence=proof,
            ruled_out=[("driver-oom-heap", "Spark refused the results before they could fill the heap")],
            data=sized(case, figures, results=_tasks(case, text)),
        )
    ]


def _tasks(case: Case, text: str) -> tuple[int, int]:
    """How many tasks had brought results, and how many the stage that broke off has; 0 where that is not known."""
    found = _RESULT.search(text)
    broken = [
        row for row in case.rest.stages.values() if "spark.driver.maxResultSize" in str(row.get("failureReason") or "")
    ]
    return (int(found.group(1)), int(num(broken[-1], "numTasks"))) if found and broken else (0, 0)


def _size(text: str) -> float | None:
    """Bytes of Spark's `81.3 MiB`."""
    try:
        return parse_quantity(text.replace(" ", "").removesuffix("B"))
    except ValueError:
        return None


BROADCAST_TIMEOUT = LogRule(
    code="broadcast-timeout",
    class_="I04",
    wordings=("broadcast-timeout",),
    roles=("driver",),
    holds_not="no broadcast ran into its timeout",
    title="a broadcast was not ready within spark.sql.broadcastTimeout",
    confidence="low",
    about="driver",
    quoted=2,
    questions=(
        "whether the table is too large for the driver (its heap was full) or its own stages were only slow: "
        "look at the broadcast's job and at the driver's heap",
    ),
    after=("driver-oom-heap",),
)


RULES = [
    Rule("driver-oom-container", "I04", container_oom),
    Rule("driver-oom-heap", "I04", heap_oom),
    Rule("driver-result-size", "I04", result_size),
    BROADCAST_TIMEOUT,
]
