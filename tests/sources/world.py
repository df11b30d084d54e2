"""A peer that looks like a small cluster: every kind is there and empty until a test says otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from console.base.clock import WallClock
from console.sources.cluster.captured import EvidenceFolder
from console.sources.cluster.kinds import ALL, KUBEFLOW
from console.sources.cluster.picture import ClusterFacts
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.connection import Connection
from tests.wire.peer import Peer, Streams, recorded, until

FORBIDDEN = recorded("kubernetes/sa_default_list_403.json")
KUBEFLOW_KINDS = ("sparkapplications", "scheduledsparkapplications", "sparkconnects")


def listed(items: list[Any], version: int = 10, more: str = "") -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version), "continue": more}, "items": items}


def named(name: str, *, namespace: str = "jobs", version: int = 1, **more: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": {**meta, **more.pop("metadata", {})}, **more}


def executor(name: str = "etl-exec-1", *, version: int = 1, status: dict[str, Any] | None = None, **meta: Any) -> Any:
    labels = {"spark-role": "executor", "spark-app-selector": "spark-1", "spark-exec-id": name.rsplit("-", 1)[-1]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        **named(name, version=version, metadata={"labels": labels, **meta}),
        "spec": {"containers": [{"name": "spark-kubernetes-executor"}]},
        "status": status or running(),
    }


def running() -> dict[str, Any]:
    state = {"running": {"startedAt": "2026-11-23T10:00:00Z"}}
    return {"phase": "Running", "containerStatuses": [{"name": "spark-kubernetes-executor", "state": state}]}


def ended(code: int, reason: str, phase: str = "Failed") -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "reason": reason}}
    return {"phase": phase, "containerStatuses": [{"name": "spark-kubernetes-executor", "state": state}]}


def event(kind: str, item: Any) -> dict[str, Any]:
    return {"type": kind, "object": item}


def bookmark(version: int) -> dict[str, Any]:
    return event("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": str(version)}})


class World:
    """A cluster as a peer. `pods` and the other streams are fed by the test."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.streams: dict[str, Streams] = {}
        for kind in ALL:
            if kind.version:
                prefix = f"/apis/{kind.group}/v1" if kind.group else "/api/v1"
                self.serve(kind.name, f"{prefix}/{kind.plural}")
        self.groups()

    def serve(self, name: str, path: str, *items: Any) -> Streams:
        stream = self.streams[name] = Streams(self.peer, path)
        stream.lists(listed(list(items)))
        return stream

    def groups(self, *, kubeflow: bool = False) -> None:
        groups = []
        if kubeflow:
            versions = [{"version": "v1beta2"}, {"version": "v1alpha1"}]
            groups.append({"name": KUBEFLOW, "versions": versions, "preferredVersion": versions[0]})
            for version, kinds in (("v1beta2", KUBEFLOW_KINDS[:2]), ("v1alpha1", KUBEFLOW_KINDS[2:])):
                resources = [{"name": kind, "kind": kind, "namespaced": True} for kind in kinds]
                self.peer.answer(f"/apis/{KUBEFLOW}/{version}", {"resources": resources})
                for kind in kinds:
                    self.serve(kind, f"/apis/{KUBEFLOW}/{version}/{kind}")
        self.peer.answer("/apis", {"groups": groups})

    @property
    def pods(self) -> Streams:
        return self.streams["pods"]


@asynccontextmanager
async def watching(
    connection: Connection, scope: Scope | None = None, *, evidence: EvidenceFolder | None = None, wait: bool = True
) -> AsyncIterator[ClusterSource]:
    """A source that has read everything once."""
    source = ClusterSource(connection, scope or Scope(), WallClock(), evidence=evidence)
    await source.start()
    try:
        if wait:
            async with asyncio.timeout(60):
                await source.synced()
        yield source
    finally:
        await source.stop()


async def picture(source: ClusterSource, holds: Any, seconds: float = 60.0) -> ClusterFacts:
    """The first picture for which `holds` is true."""
    await until(lambda: holds(source.snapshot()), seconds)
    return source.snapshot()


async def calm(source: ClusterSource, seconds: float = 0.3) -> None:
    """Once nothing has changed for so long; `changed` is clear then."""
    quiet = False
    while not quiet:
        source.changed.clear()
        await asyncio.sleep(seconds)
        quiet = not source.changed.is_set()


def state_of(source: ClusterSource, name: str) -> Any:
    return next(s for s in source.snapshot().sources if s.name == name)


def oom_watch() -> list[dict[str, Any]]:
    """A recorded driver and one of its executors from birth to OOM and deletion, as watch events."""
    return [json.loads(line) for line in recorded("kubernetes/executor-oom.watch.jsonl").splitlines()]
