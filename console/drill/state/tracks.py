"""The life of every pod over time: what kube-state-metrics and cAdvisor would have seen at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from console.drill.state.clock import EventHeap
from console.drill.state.logs import ContainerLogs
from console.drill.state.pods import terminated
from console.drill.state.resources import PODS
from console.drill.state.store import ObjectChange, Store

Object = dict[str, Any]
T = TypeVar("T")
FORGET_SECONDS = 6 * 3600.0


@dataclass
class Track:
    """One pod. Times are virtual epoch seconds; None = has not happened."""

    pod: Object
    created: float
    node: str = ""
    scheduled: float | None = None
    started: float | None = None
    ended: float | None = None
    gone: float | None = None
    exit_code: int = 0
    reason: str = ""
    phases: list[tuple[float, str]] = field(default_factory=list)
    ready: list[tuple[float, bool]] = field(default_factory=list)
    unschedulable: list[tuple[float, bool]] = field(default_factory=list)
    waiting: list[tuple[float, str]] = field(default_factory=list)
    pod_reason: list[tuple[float, str]] = field(default_factory=list)

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return str(self.pod["metadata"]["uid"])

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return str(self.pod["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """The pod's name."""
        return str(self.pod["metadata"]["name"])

    def began(self, when: float) -> None:
        """It has been as it is since `when`: for pods that are older than the world."""
        self.created = self.scheduled = when
        self.started = when + 2
        self.phases[:] = [(when, value) for _, value in self.phases[-1:]]
        self.ready[:] = [(when, value) for _, value in self.ready[-1:]]
        self.unschedulable.clear()
        self.waiting.clear()
        self.pod_reason.clear()

    def exists(self, when: float) -> bool:
        """Whether the pod object existed."""
        return self.created <= when and (self.gone is None or when < self.gone)

    def running(self, when: float) -> bool:
        """Whether its container ran."""
        return self.started is not None and self.started <= when and (self.ended is None or when < self.ended)


def latest(changes: Sequence[tuple[float, T]], when: float) -> T | None:
    """The value that held at `when`."""
    found: T | None = None
    for since, value in changes:
        if since > when:
            break
        found = value
    return found


class Tracks:
    """All pods that were, in the order of their making."""

    def __init__(self, heap: EventHeap, store: Store, logs: ContainerLogs) -> None:
        self._heap, self._logs = heap, logs
        self.all: list[Track] = []
        self._by_uid: dict[str, Track] = {}
        store.listen(PODS, self._changed)

    def of(self, uid: str) -> Track | None:
        """The life of one pod."""
        return self._by_uid.get(uid)

    def between(self, start: float, end: float) -> list[Track]:
        """Pods that existed at some time of the span."""
        return [t for t in self.all if t.created <= end and (t.gone is None or t.gone >= start)]

    def _changed(self, change: ObjectChange) -> None:
        now, pod = self._heap.now, change.object
        uid = pod["metadata"]["uid"]
        track = self._by_uid.get(uid)
        if track is None:
            track = self._by_uid[uid] = Track(pod, now)
            self.all.append(track)
        track.pod = pod
        if change.type == "DELETED":
            track.gone = now
            self._logs.forget(uid)
            self._forget(now)
            return
        status = pod["status"]
        node = pod["spec"].get("nodeName", "")
        if node and track.scheduled is None:
            track.node, track.scheduled = node, now
        _note(track.phases, now, str(status.get("phase", "Pending")))
        _note(track.pod_reason, now, str(status.get("reason", "")))
        conditions = {c["type"]: c for c in status.get("conditions", ())}
        _note(track.ready, now, conditions.get("Ready", {}).get("status") == "True")
        _note(track.unschedulable, now, conditions.get("PodScheduled", {}).get("reason") == "Unschedulable")
        for container in status.get("containerStatuses", ()):
            state = container["state"]
            _note(track.waiting, now, str(state.get("waiting", {}).get("reason", "")))
            if "running" in state and track.started is None:
                track.started = now
        ended = terminated(pod)
        if ended and track.ended is None:
            track.ended, track.exit_code, track.reason = now, int(ended["exitCode"]), str(ended.get("reason", ""))

    def _forget(self, now: float) -> None:
        while self.all and (gone := self.all[0].gone) is not None and gone < now - FORGET_SECONDS:
            self._by_uid.pop(self.all.pop(0).uid, None)


def _note(changes: list[tuple[float, T]], now: float, value: T) -> None:
    if not changes or changes[-1][1] != value:
        changes.append((now, value))
