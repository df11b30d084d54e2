"""Kubernetes events: written in the wording of 1.37, counted when they repeat, gone after an hour."""

from __future__ import annotations

from typing import Any

from console.base.clock import parse_time
from console.drill.state.clock import EventHeap
from console.drill.state.ids import Ids, stamp, stamp_micro
from console.drill.state.resources import EVENTS
from console.drill.state.store import Store

Object = dict[str, Any]
KEPT_SECONDS = 3600.0
SWEEP_SECONDS = 300.0
AGGREGATE_AFTER = 10
SCHEDULER = "default-scheduler"


class Recorder:
    """Writes events into the store."""

    def __init__(self, heap: EventHeap, store: Store, ids: Ids) -> None:
        self._heap, self._store, self._ids = heap, store, ids
        self._same: dict[tuple[str, str, str, str], str] = {}
        self._similar: dict[tuple[str, str], int] = {}
        heap.after(SWEEP_SECONDS, self._sweep)

    def record(
        self,
        about: Object,
        kind: str,
        reason: str,
        message: str,
        component: str,
        *,
        host: str = "",
        container: str = "",
    ) -> None:
        """One event about an object; `container` gives it the field path of that container."""
        uid = about["metadata"]["uid"]
        namespace = about["metadata"].get("namespace") or "default"
        if component not in (SCHEDULER, "kubelet"):
            similar = self._similar[uid, reason] = self._similar.get((uid, reason), 0) + 1
            if similar > AGGREGATE_AFTER:
                message = f"(combined from similar events): {message}"
                if self._repeat((uid, reason, "", container), namespace, message):
                    return
                self._write((uid, reason, "", container), about, namespace, kind, reason, message, component, host)
                return
        key = (uid, reason, message, container)
        if component != SCHEDULER and self._repeat(key, namespace, message):
            return
        self._write(key, about, namespace, kind, reason, message, component, host)

    def _repeat(self, key: tuple[str, str, str, str], namespace: str, message: str) -> bool:
        name = self._same.get(key)
        old = self._store.get(EVENTS, namespace, name) if name else None
        if old is None:
            return False
        now = stamp(self._heap.now)
        self._store.update(EVENTS, {**old, "message": message, "count": old["count"] + 1, "lastTimestamp": now})
        return True

    def _write(
        self,
        key: tuple[str, str, str, str],
        about: Object,
        namespace: str,
        kind: str,
        reason: str,
        message: str,
        component: str,
        host: str,
    ) -> None:
        now, meta = self._heap.now, about["metadata"]
        name = f"{meta['name']}.{int(now * 1e9) & (2**64 - 1):016x}"
        while self._store.get(EVENTS, namespace, name):
            name = f"{meta['name']}.{self._ids.hex(16)}"
        involved: Object = {"kind": about["kind"], "name": meta["name"], "uid": meta["uid"]}
        if "namespace" in meta:
            involved["namespace"] = meta["namespace"]
        involved |= {"apiVersion": about["apiVersion"], "resourceVersion": meta.get("resourceVersion", "")}
        if key[3]:
            involved["fieldPath"] = f"spec.containers{{{key[3]}}}"
        event: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": self._ids.uid(),
                "creationTimestamp": stamp(now),
            },
            "involvedObject": involved,
            "reason": reason,
            "message": message,
        }
        if component == SCHEDULER:
            event |= {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "type": kind}
            event |= {"eventTime": stamp_micro(now), "action": "Binding" if reason == "Scheduled" else "Scheduling"}
            event |= {"reportingComponent": component, "reportingInstance": f"{component}-control-plane-1"}
        else:
            event["source"] = {"component": component, **({"host": host} if host else {})}
            event |= {"firstTimestamp": stamp(now), "lastTimestamp": stamp(now), "count": 1, "type": kind}
            event |= {"eventTime": None, "reportingComponent": component, "reportingInstance": host}
        self._same[key] = name
        self._store.create(EVENTS, event)

    def _sweep(self) -> None:
        limit = self._heap.now - KEPT_SECONDS
        for event in list(self._store.each(EVENTS)):
            latest = parse_time(event.get("lastTimestamp") or event.get("eventTime"))
            if latest is not None and latest < limit:
                self._store.delete(EVENTS, event["metadata"]["namespace"], event["metadata"]["name"])
        for key in [
            key
            for key, name in self._same.items()
            if self._heap.now - int(name.rsplit(".", 1)[-1], 16) / 1e9 > 2 * KEPT_SECONDS
        ]:
            del self._same[key]
        self._heap.after(SWEEP_SECONDS, self._sweep)
