"""Event logs, dropped listener events and the History Server (I25)."""

from __future__ import annotations

import re

from console.apps.evidence import of_hit, of_pod, of_sample
from console.facts.logs import Hit
from console.facts.model import Pod, Sample
from console.findings.case import Case, ClusterView
from console.findings.figures.base import Figures
from console.findings.figures.storage import DroppedEventsFigures
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, WorldRule, finding

_DROPPED = re.compile(r"Dropping event from queue (\w+)|Dropped (\d+) events from (\w+) since")


def listener_drops(case: Case) -> Answer:
    """The driver drops listener events: UI, REST and event log are wrong from then on."""
    hits = case.hits("listener-drop", "listener-dropped", roles=("driver",))
    series = _counters(case)
    if not hits and not series:
        return "no listener event was dropped"
    named = [m.group(1) or m.group(3) for h in hits if (m := _DROPPED.search(h.record.body))]
    queues = sorted({queue for queue in named if queue})
    which = ", ".join(queues) or "see metric"
    return [
        finding(
            case,
            "listener-drops",
            "I25",
            "warning",
            "high",
            f"listener events were dropped ({which}): REST, UI and event log are incomplete",
            subject=case.driver_subject,
            detail="the job itself is not affected; numbers of UI and REST are wrong from here on",
            evidence=[*[of_hit(h) for h in hits[:3]], *[of_sample(s) for s in series[:2]]],
            data=DroppedEventsFigures(queues=tuple(queues)),
        )
    ]


def _counters(case: Case) -> list[Sample]:
    """Counters of dropped events above zero. Their names hold the application's id; a sole one owns them all."""
    mine = case.app.app_id.replace("-", "_")
    return [
        sample
        for name, found in case.world.series("LiveListenerBus_queue_", "numDroppedEvents_Count").items()
        for sample in found
        if sample.value > 0 and (mine in name or case.world.alone)
    ]


def history_server(case: Case) -> Answer:
    """Event logs that cannot be written or read."""
    full = [h for h in case.hits("disk-full", roles=("driver",)) if of_event_log(h)]
    hits = [*case.hits("history-error"), *full]
    if not hits:
        return "event logs can be written and read"
    questions = [
        "whether the directory exists and may be written by this identity; whether the History Server reads "
        "rolling logs"
    ]
    if full:
        questions.insert(0, "which volume spark.eventLog.dir lies on: a claim that is full is I09")
    return [
        finding(
            case,
            "event-log-broken",
            "I25",
            "warning" if not case.failed else "critical",
            "medium",
            "event logs cannot be written: no space left" if full else "event logs cannot be written or read",
            evidence=[of_hit(h) for h in hits[:3]],
            questions=questions,
        )
    ]


def of_event_log(hit: Hit) -> bool:
    """Whether it was the event log that could not be written."""
    return "EventLoggingListener" in hit.record.body or "EventLogFileWriter" in hit.record.body


def history_pods(world: ClusterView) -> Answer:
    """The History Server's own pods: killed, crashing, not started."""
    servers = (p for p in world.others if _serves_history(p))
    out = [found for pod in servers if (found := _crashing(pod)) is not None]
    return out or "no pod of a History Server crashes, as far as it is seen"


def _serves_history(pod: Pod) -> bool:
    if "spark-role" in pod.labels or pod.gone:
        return False
    names = (pod.name, pod.labels.get("app.kubernetes.io/name", ""), pod.labels.get("app", ""))
    return any("history-server" in n or "historyserver" in n for n in names)


def _crashing(pod: Pod) -> Finding | None:
    """Its pod where it restarts again and again, or was killed for memory."""
    main = pod.main
    if main is None:
        return None
    end = main.terminated or main.last_terminated
    loops = main.waiting_reason == "CrashLoopBackOff" or main.restarts >= 3
    if not loops and (end is None or end.reason != "OOMKilled"):
        return None
    how = f"exit code {end.exit_code} {end.reason}" if end is not None else main.waiting_reason
    return finding(
        None,
        "history-server-down",
        "I25",
        "warning",
        "medium",
        f"History Server {pod.name} does not stay up: {how}",
        subject=pod.key,
        evidence=[of_pod(pod, f"{main.waiting_reason or pod.phase}, restarts {main.restarts}, last {how}")],
        questions=["its log; spark.history.store.path and the memory of its heap, where it was OOMKilled"],
        data=Figures(pods=(pod.key,)),
    )


RULES = [
    Rule("listener-drops", "I25", listener_drops),
    Rule("event-log-broken", "I25", history_server, after=("object-store-denied",)),
    WorldRule("history-server-down", "I25", history_pods),
]
