"""Several saved generations of one object → its last one, without losing how its containers ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from console.base.units import parse_count
from console.facts.model import Condition, Container, Event, Pod, Workload

LOST = "ContainerStatusUnknown"


@dataclass
class PodGenerations:
    """All saved states of pods, in the order read."""

    states: dict[str, list[Pod]] = field(default_factory=dict)
    lists: list[tuple[int, set[str], set[str]]] = field(default_factory=list)
    """(resourceVersion, uids, namespaces) of each whole list that was saved."""

    def add(self, pod: Pod) -> None:
        self.states.setdefault(_identity(pod), []).append(pod)

    def saw_list(self, version: int, pods: Iterable[Pod]) -> None:
        held = list(pods)
        self.lists.append((version, {_identity(p) for p in held}, {p.namespace for p in held}))

    def merged(self) -> tuple[Pod, ...]:
        out = [self._one(key, states) for key, states in self.states.items()]
        out.sort(key=lambda p: (p.created or 0.0, p.namespace, p.name, p.uid))
        return tuple(out)

    def _one(self, key: str, states: list[Pod]) -> Pod:
        ordered = [s for _, s in sorted(enumerate(states), key=lambda p: (version(p[1]), p[0]))]
        last, latest_first = ordered[-1], ordered[::-1]
        containers = tuple(_remember(c, ordered) for c in last.containers)
        said = next((s for s in latest_first if s.reason), last)
        return replace(
            last,
            containers=containers or next((s.containers for s in latest_first if s.containers), ()),
            gone=any(s.gone for s in states) or self._vanished(key, last),
            conditions=_with_disruption(last, ordered),
            reason=said.reason,
            message=said.message if said.reason else last.message,
            deleted=next((s.deleted for s in latest_first if s.deleted), None),
            node=next((s.node for s in latest_first if s.node), ""),
            ip=next((s.ip for s in latest_first if s.ip), ""),
        )

    def _vanished(self, key: str, last: Pod) -> bool:
        """Whether a later list of its namespace does not hold it any more; one that ended may be gone from lists."""
        return last.phase not in ("Succeeded", "Failed") and any(
            listed > version(last) and key not in uids and (last.namespace in namespaces or not namespaces)
            for listed, uids, namespaces in self.lists
        )


def _with_disruption(last: Pod, ordered: list[Pod]) -> tuple[Condition, ...]:
    """The last conditions, and why it was disrupted where only an earlier state says so."""
    if last.condition("DisruptionTarget") is not None:
        return last.conditions
    target = next((found for s in ordered if (found := s.condition("DisruptionTarget")) is not None), None)
    return last.conditions if target is None else (*last.conditions, target)


def _identity(pod: Pod) -> str:
    return pod.uid or f"{pod.namespace}/{pod.name}"


def version(pod: Pod | Workload) -> int:
    text = getattr(pod, "resource_version", "")
    return parse_count(text) or 0


def _remember(container: Container, ordered: list[Pod]) -> Container:
    """An end that was seen stays seen, though a later object lost it."""
    now = container.terminated or container.last_terminated
    if container.state == "terminated" and now is not None and now.reason != LOST:
        return container
    if now is not None and now.reason not in (LOST, "") and container.state != "waiting":
        return container
    for state in reversed(ordered):
        for old in state.containers:
            if old.name == container.name and old.terminated is not None and old.terminated.reason != LOST:
                if old.restarts < container.restarts and container.state == "running":
                    continue
                return replace(container, terminated=old.terminated, state="terminated", started=old.started)
    return container


def drop_echoes(pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """Without the pods that a text (describe, a table) told of and that an object tells of better."""
    held = list(pods)
    exact = {(p.namespace, p.name) for p in held if p.uid}
    names = {p.name for p in held if p.uid}
    out: list[Pod] = []
    seen: set[tuple[str, str]] = set()
    for pod in sorted(held, key=lambda p: (not p.uid, -_richness(p))):
        if not pod.uid:
            known = (pod.namespace, pod.name) in exact or (not pod.namespace and pod.name in names)
            again = (pod.namespace, pod.name) in seen or (not pod.namespace and any(n == pod.name for _, n in seen))
            if known or again:
                continue
        seen.add((pod.namespace, pod.name))
        out.append(pod)
    out.sort(key=lambda p: (p.created or 0.0, p.namespace, p.name, p.uid))
    return tuple(out)


def _richness(pod: Pod) -> int:
    return len(pod.containers) + len(pod.conditions) + sum(c.terminated is not None for c in pod.containers)


class EventSet:
    """Saved events without their repetitions: the object with the highest count or the latest time stays."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, ...], Event] = {}

    def add(self, event: Event, name: str) -> None:
        key = ("", name) if name else (event.about, event.reason, event.message)
        old = self._held.get(key)
        if old is None or (event.count, event.last or 0.0) >= (old.count, old.last or 0.0):
            self._held[key] = event if old is None else replace(event, first=_earliest(old.first, event.first))

    def all(self) -> tuple[Event, ...]:
        timed = {(e.about, e.reason, e.message) for e in self._held.values() if e.last is not None}
        out = [e for e in self._held.values() if e.last is not None or (e.about, e.reason, e.message) not in timed]
        out.sort(key=lambda e: (e.last or 0.0, e.about, e.reason, e.message))
        return tuple(out)


def _earliest(a: float | None, b: float | None) -> float | None:
    known = [t for t in (a, b) if t is not None]
    return min(known) if known else None


class Newest:
    """Saved generations of custom resources and workloads: by uid or name, the newest stays."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, ...], tuple[tuple[int, int, int], Workload]] = {}
        self._count = 0

    def add(self, workload: Workload, resource_version: Any) -> None:
        self._count += 1
        text = str(resource_version or "")
        rank = (parse_count(text) or 0, workload.generation, self._count)
        key = (workload.api_version.split("/")[0], workload.kind, workload.namespace, workload.name)
        old = self._held.get(key)
        if old is None or rank >= old[0]:
            gone = workload.gone
            self._held[key] = (rank, replace(workload, gone=gone))

    def all(self) -> tuple[Workload, ...]:
        return tuple(sorted((w for _, w in self._held.values()), key=lambda w: (w.kind, w.namespace, w.name)))
