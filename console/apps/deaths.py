"""How a pod of Spark ended, in one word with a reason: from states, conditions and events, never from exit code alone.

137 is no proof of anything: only `reason: OOMKilled` is. OOMKilled without 137 means that a child was killed (a Python
worker) while the JVM lived on. What ends together with the driver ends normally.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.apps.model import Death
from console.facts.model import Container, Event, Pod, Terminated

STOP_SLACK = 20.0
"""Seconds before the driver's own end in which executors are already being stopped."""

_DISK_WORDS = ("emptydir", "ephemeral", "disk", "inode")
_DRAIN_REASONS = frozenset(
    {
        "TaintManagerEviction",
        "Evicted",
        "NodeShutdown",
        "NodeControllerEviction",
        "ScaleDown",
        "Disrupted",
        "TerminationNotice",
        "SpotInterruption",
        "SpotInterrupted",
    }
)
UNSAID_EVICTION = "evicted by the kubelet"
"""The words of an eviction whose message is not known."""
_BY_API = "Evicted pod"
"""How those who evict through the API begin their events (Karpenter, descheduler); the kubelet says what was short."""
_PREEMPTED = frozenset({"Preempted", "Preempting"})
_KIND_OF_TARGET = {
    "PreemptionByScheduler": "preempted",
    "PreemptionByKubeScheduler": "preempted",
    "DeletionByTaintManager": "drained",
    "EvictionByEvictionAPI": "drained",
    "DeletionByPodGC": "node-lost",
    "TerminationByKubelet": "evicted",
}

EXIT_WORDS = {
    1: "an error of the application or of start-up",
    2: "misuse of a shell command",
    3: "a path was not found, or the JVM ended itself on OutOfMemoryError",
    11: "too many executors failed",
    20: "a fatal CUDA error",
    50: "an uncaught exception",
    51: "an uncaught exception, twice",
    52: "OutOfMemoryError in the JVM",
    53: "a local directory could not be made",
    56: "heartbeats to the driver failed",
    57: "the task reaper gave up",
    58: "the block manager could not register again",
    101: "a class was not found",
    124: "the driver timed out",
    126: "the command cannot be executed",
    127: "the command was not found",
    134: "abort in native code (SIGABRT)",
    137: "SIGKILL",
    139: "segmentation fault in native code",
    143: "SIGTERM",
}
_KIND_OF_CODE = {
    0: "normal",
    11: "max-executor-failures",
    52: "heap-oom",
    53: "start-error",
    101: "start-error",
    126: "start-error",
    127: "start-error",
    128: "start-error",
}


def ending(pod: Pod) -> tuple[Container | None, Terminated | None]:
    """The Spark container and how it ended; after a restart, or when the state was lost, how it ended last."""
    main = pod.main
    if main is None:
        return None, None
    return main, main.terminated or main.last_terminated


def over(pod: Pod) -> bool:
    """Whether the pod's Spark container will do no more work. `terminated` comes before the terminal phase."""
    if pod.gone or pod.phase in ("Succeeded", "Failed"):
        return True
    main = pod.main
    return main is not None and main.terminated is not None


def ended_at(pod: Pod) -> float | None:
    """When it ended, as exactly as the object tells."""
    end = ending(pod)[1]
    if end is not None and end.finished:
        return end.finished
    if not over(pod):
        return None
    if pod.deleted:
        return pod.deleted
    ready = pod.condition("Ready")
    return ready.since if ready is not None and ready.status == "False" else None


def disruption(pod: Pod, events: Iterable[Event] = ()) -> tuple[str, str] | None:
    """(kind, words) where Kubernetes itself ended the pod: eviction, preemption, drain, node loss, deadline, disk."""
    return by_reason(pod.reason, pod.message) or _by_condition(pod) or _by_events(events)


def by_reason(reason: str, message: str) -> tuple[str, str] | None:
    """(kind, words) by the reason and message of a pod's status."""
    if not reason:
        return None
    if reason == "Evicted":
        if _of_disk(message):
            return "disk-limit", message or "evicted for local storage"
        return "evicted", message or UNSAID_EVICTION
    if reason == "DeadlineExceeded":
        return "deadline", message or "active longer than its deadline"
    if reason in ("NodeLost", "NodeUnreachable"):
        return "node-lost", message or "the node was lost"
    if reason in ("Shutdown", "NodeShutdown", "Terminated"):
        return "drained", message or "the node shut down"
    if reason.startswith("Preempt"):
        return "preempted", message or "preempted for a pod of higher priority"
    return None


def _by_condition(pod: Pod) -> tuple[str, str] | None:
    """By its condition DisruptionTarget."""
    target = pod.condition("DisruptionTarget")
    if target is None or target.status != "True":
        return None
    words = f"DisruptionTarget {target.reason}: {target.message}".rstrip(": ")
    return _KIND_OF_TARGET.get(target.reason, "evicted"), words


def tells(event: Event) -> bool:
    """Whether an event may say that Kubernetes itself ended a pod. No other is looked at here."""
    return event.reason in _DRAIN_REASONS or event.reason in _PREEMPTED


def _by_events(events: Iterable[Event]) -> tuple[str, str] | None:
    for event in events:
        if event.reason in _PREEMPTED:
            return "preempted", event.message
        if event.reason in _DRAIN_REASONS:
            by_kubelet = event.reason == "Evicted" and not event.message.startswith(_BY_API)
            kind = "evicted" if by_kubelet else "drained"
            return "disk-limit" if _of_disk(event.message) else kind, event.message
    return None


def _of_disk(message: str) -> bool:
    low = message.lower()
    return any(word in low for word in _DISK_WORDS)


def death(pod: Pod, *, events: Sequence[Event] = (), stop: float | None = None, app_over: bool = False) -> Death | None:
    """How the pod's Spark container ended, or None while it lives.

    Args:
        events: those about this pod.
        stop: when the driver ended; None while it runs or where it is not known.
        app_over: the application is over: its executors were stopped with it.
    """
    end = ending(pod)[1]
    killed = disruption(pod, events)
    if not over(pod) and pod.deleted is None and killed is None:
        return None
    at = ended_at(pod) or pod.deleted
    if end is None or (end.reason == "ContainerStatusUnknown" and end.exit_code == 137 and killed is None):
        found = killed or _without_end(pod, at, stop, app_over)
    elif end.reason == "OOMKilled":
        found = _out_of_memory(end.exit_code)
    elif killed is not None:
        found = killed
    elif end.reason in ("StartError", "ContainerCannotRun"):
        found = "start-error", end.message or "the container could not be started"
    elif end.exit_code in (137, 143, 1) and _with_the_driver(at, stop, app_over):
        found = "normal", f"exit code {end.exit_code} as the application stopped"
    else:
        found = _by_exit_code(pod, end.exit_code, at)
    if found is None:
        return None
    code = end.exit_code if end is not None else None
    reason = (end.reason if end is not None else "") or pod.reason
    return Death(kind=found[0], words=found[1], exit_code=code, reason=reason, at=at)


def _out_of_memory(code: int | None) -> tuple[str, str]:
    if code == 137:
        return "container-oom", "OOMKilled: the container passed its memory limit"
    return "python-oom", f"OOMKilled with exit code {code}: a child process was killed, the JVM lived on"


def _by_exit_code(pod: Pod, code: int | None, at: float | None) -> tuple[str, str]:
    if code == 0:
        return "normal", "exit code 0"
    if code == 143:
        if pod.deleted is not None or pod.gone:
            return "deleted", "SIGTERM after its deletion was asked for"
        return "sigterm", "SIGTERM that nobody in the cluster explains"
    if code == 137:
        if pod.deleted is not None and at is not None and at >= pod.deleted:
            return "deleted", "SIGKILL after its deletion was asked for (it did not stop in time)"
        return "sigkill", "SIGKILL without OOMKilled"
    words = EXIT_WORDS.get(code if code is not None else -1, "")
    return _KIND_OF_CODE.get(code or -1, "unknown"), f"exit code {code}" + (f": {words}" if words else "")


def _with_the_driver(at: float | None, stop: float | None, app_over: bool) -> bool:
    if stop is None:
        return app_over
    return at is None or at >= stop - STOP_SLACK


def _without_end(pod: Pod, at: float | None, stop: float | None, app_over: bool) -> tuple[str, str] | None:
    """No exit status is known: deleted before it was reported, or lost with the node. None: it only stops yet."""
    if not over(pod) and pod.deleted is not None:
        if _with_the_driver(pod.deleted, stop, app_over):
            return None
        return "deleted", "its deletion was asked for"
    if at is None and stop is not None:
        return "unknown", "vanished; how and when it ended is not known"
    if _with_the_driver(at, stop, app_over):
        return "normal", "stopped with the application; no exit status is known"
    if pod.deleted is not None or pod.gone:
        return "deleted", "deleted; no exit status is known"
    if pod.phase == "Succeeded":
        return "normal", "phase Succeeded"
    return "unknown", "ended; no exit status is known"
