"""The evidence as a whole: whose log each one is, the moment it speaks of last, how much there is of each kind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from console.facts import lognames
from console.facts import logs as logtext
from console.facts.model import Event, Facts, Log, Pod, SourceState, Workload

_DATE = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d) (?:UTC |GMT )(\d{4})")
_CLUSTER_WIDE = frozenset({"Node", "Namespace", "PersistentVolume", "StorageClass"})


def with_subject(log: Log, pods: tuple[Pod, ...]) -> Log:
    """Whose log it is: a pod that its file's name or its own first lines give, else an executor id or its role."""
    base = log.subject or log.origin.locator.rpartition("/")[2].rpartition("!")[2]
    host = log.subject or lognames.process_host(log.text)
    folders = set(log.origin.locator.split("/")[:-1])
    best: Pod | None = None
    for pod in pods:
        named = pod.name in base or pod.name in folders or (bool(host) and host == pod.name)
        if named and (best is None or len(pod.name) > len(best.name) or (pod.created or 0) > (best.created or 0)):
            best = pod
    if best is not None and log.role not in ("submit", "master", "worker", "operator"):
        role = best.labels.get("spark-role", "")
        kept = log.role if log.role != "other" else ("driver" if role == "driver" else "executor" if role else "other")
        return replace(log, subject=f"Pod/{best.namespace}/{best.name}", role=kept)
    if log.role == "executor":
        return replace(log, subject=lognames.executor_id(log.text) or "executor")
    return replace(log, subject=log.role)


def latest_time(facts: Facts) -> float:
    """The moment that the evidence speaks of last."""
    times: list[float] = [0.0]
    for pod in facts.pods:
        times.extend(t for t in (pod.created, pod.started, pod.deleted) if t)
        times.extend(c.since for c in pod.conditions if c.since)
        for container in pod.containers:
            end = container.terminated or container.last_terminated
            times.extend(t for t in (container.started, end.finished if end else None) if t)
    times.extend(e.last for e in facts.events if e.last)
    times.extend(s.at for s in facts.samples if s.at)
    for log in facts.logs:
        for line in reversed(log.text[-4_000:].splitlines()):
            at = logtext.time_of(line)
            if at is not None:
                times.append(at)
                break
    return max(times)


def moment(text: str) -> float | None:
    """When something was saved, where a text begins with what `date -u` prints; of other time zones nobody knows."""
    found = _DATE.fullmatch(text.lstrip().partition("\n")[0].rstrip())
    if found is None:
        return None
    try:
        told = datetime.strptime(" ".join(found.groups()), "%b %d %H:%M:%S %Y")
    except ValueError:
        return None
    return told.replace(tzinfo=UTC).timestamp()


def in_one_namespace(
    pods: Iterable[Pod], events: Iterable[Event], others: Iterable[Workload]
) -> tuple[list[Pod], tuple[Event, ...]]:
    """Pods and events, those whose namespace was not printed in the one that all objects have, if it is one."""
    held = list(pods)
    objects: list[Pod | Workload] = [*held, *others]
    spaces = {one.namespace for one in objects if one.namespace}
    if len(spaces) != 1:
        return held, tuple(events)
    (space,) = spaces
    return [pod if pod.namespace else replace(pod, namespace=space) for pod in held], tuple(
        event if event.namespace or event.kind in _CLUSTER_WIDE else replace(event, namespace=space) for event in events
    )


def source_states(facts: Facts) -> tuple[SourceState, ...]:
    """What was read of each kind of evidence, and what was not there."""
    counts = {
        "pods": len(facts.pods),
        "nodes": len(facts.nodes),
        "events": len(facts.events),
        "applications": len(facts.spark),
        "logs": len(facts.logs),
        "spark-rest": len(facts.rest),
        "metrics": len(facts.samples),
        "alerts": len(facts.alerts),
    }
    return tuple(
        SourceState(
            name, "fresh" if count else "absent", detail=f"{count} read" if count else "nothing of it in the folder"
        )
        for name, count in counts.items()
    )
