"""The live picture against a real kube-apiserver: permissions, watches, a restart, and a page of thousands."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from console.base.clock import WallClock
from console.sources.cluster.captured import EvidenceFolder
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.cluster.controlplane import ControlPlane, KubeApi
from tests.sources.world import ended, picture, running, state_of
from tests.wire.peer import until

pytestmark = pytest.mark.parts


def executor(name: str) -> dict[str, Any]:
    labels = {"spark-role": "executor", "spark-app-selector": "spark-1", "spark-exec-id": "1"}
    container = {"name": "spark-kubernetes-executor", "image": "none", "resources": {"limits": {"memory": "1Gi"}}}
    spec = {"containers": [container], "nodeName": "nowhere", "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


async def source_for(
    path: Path, scope: Scope, evidence: EvidenceFolder | None = None
) -> tuple[Connection, ClusterSource]:
    connection = await Connection.open(ContextRef(kubeconfig=str(path)))
    source = ClusterSource(connection, scope, WallClock(), evidence=evidence)
    await source.start()
    async with asyncio.timeout(30):
        await source.synced()
    return connection, source


@pytest.fixture
async def opened() -> AsyncIterator[list[Any]]:
    things: list[Any] = []
    yield things
    for connection, source in things:
        await source.stop()
        await connection.close()


async def test_an_executor_lives_dies_and_vanishes(kube_api: KubeApi, opened: list[Any], tmp_path: Path) -> None:
    namespace = kube_api.new_namespace("live")
    path = f"/api/v1/namespaces/{namespace}/pods"
    connection, source = await source_for(
        kube_api.viewer.kubeconfig, Scope(namespaces=(namespace,)), EvidenceFolder(tmp_path / "evidence")
    )
    opened.append((connection, source))
    assert state_of(source, "pods").state == "fresh" and source.snapshot().pods == ()
    kube_api.create(path, executor("etl-exec-1"))
    kube_api.merge(f"{path}/etl-exec-1/status", {"status": running()})
    facts = await picture(source, lambda f: f.pods and f.pods[0].phase == "Running")
    assert facts.pods[0].main is not None and facts.pods[0].main.limits == {"memory": 2**30}
    seen = kube_api.merge(f"{path}/etl-exec-1/status", {"status": ended(137, "OOMKilled")})
    async with asyncio.timeout(60):
        await source.seen("pods", seen["metadata"]["resourceVersion"])
    kube_api.delete(f"{path}/etl-exec-1", gracePeriodSeconds="0")
    facts = await picture(source, lambda f: f.pods and f.pods[0].gone)
    main = facts.pods[0].main
    assert main is not None and main.terminated is not None and main.terminated.reason == "OOMKilled"
    async with asyncio.timeout(60):
        await source.kept()
    assert len(list((tmp_path / "evidence").rglob("pod.json"))) == 1


async def test_a_user_of_one_namespace_sees_that_one(kube_api: KubeApi, opened: list[Any], tmp_path: Path) -> None:
    mine, other = kube_api.new_namespace("mine"), kube_api.new_namespace("other")
    user = f"u-{uuid.uuid4().hex[:6]}"
    for namespace in (mine, other):
        kube_api.create(f"/api/v1/namespaces/{namespace}/pods", executor(f"{namespace}-exec-1"))
    kube_api.grant(user, {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}, namespace=mine)
    path = kube_api.user(tmp_path / "user.kubeconfig", user, namespace=mine)
    opened.append(await source_for(path, Scope()))
    source = opened[0][1]
    assert [p.namespace for p in source.snapshot().pods] == [mine]
    state = state_of(source, "pods")
    assert (state.state, state.detail) == ("partial", f"only namespace {mine} is read: namespaces may not be listed")
    assert state_of(source, "nodes").state == "forbidden"


async def test_a_restart_of_the_server_is_survived(own_control_plane: ControlPlane, opened: list[Any]) -> None:
    ready = own_control_plane.start()
    api = KubeApi(ready)
    path = "/api/v1/namespaces/default/pods"
    api.create(path, executor("a-exec-1"))
    opened.append(await source_for(api.kubeconfig, Scope()))
    source = opened[0][1]
    assert len(source.snapshot().pods) == 1
    await asyncio.to_thread(own_control_plane.server.stop)
    await until(lambda: state_of(source, "pods").state == "late", 20)
    assert len(source.snapshot().pods) == 1
    await until(lambda: "cannot be reached" in state_of(source, "pods").detail, 20)
    await asyncio.to_thread(own_control_plane.start_server)
    api.create(path, executor("a-exec-2"))
    await picture(source, lambda f: len(f.pods) == 2, 60)
    await until(lambda: state_of(source, "pods").state == "fresh", 60)


async def test_a_server_that_was_stopped_with_its_connections_open_is_not_called_fresh(
    own_control_plane: ControlPlane, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = own_control_plane.start()
    api = KubeApi(ready)
    path = "/api/v1/namespaces/default/pods"
    api.create(path, executor("a-exec-1"))
    for name, seconds in (("PULSE", 2.0), ("_PULSE_EVERY", 0.5), ("_PULSE_WITHIN", 2.0)):
        monkeypatch.setattr(f"console.sources.cluster.source.{name}", seconds)
    monkeypatch.setattr("console.sources.cluster.reflector.LATE", 15.0)
    opened.append(await source_for(api.kubeconfig, Scope()))
    source = opened[0][1]
    assert state_of(source, "pods").state == "fresh"
    own_control_plane.server.freeze()
    try:
        await until(lambda: state_of(source, "pods").state == "late", 30)
        assert "did not answer" in state_of(source, "pods").detail
        await until(lambda: state_of(source, "pods").state == "stale", 60)
        assert len(source.snapshot().pods) == 1
    finally:
        own_control_plane.server.thaw()
    await until(lambda: state_of(source, "pods").state == "fresh", 60)
    api.create(path, executor("a-exec-2"))
    await picture(source, lambda f: len(f.pods) == 2, 60)
