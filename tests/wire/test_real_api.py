"""The wire against a real kube-apiserver: what our peers replay is what it really does."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from console.base.clock import rfc3339
from console.base.errors import ForbiddenError, ReachError
from console.wire.config import ContextRef
from console.wire.connection import Connection
from console.wire.errors import ConflictError, InvalidError, NotFoundError
from console.wire.paths import object_path
from console.wire.writer import Writer
from tests.cluster.controlplane import KubeApi

pytestmark = pytest.mark.parts


@pytest.fixture
async def real(kube_api: KubeApi) -> AsyncIterator[Connection]:
    connection = await Connection.open(ContextRef(kubeconfig=str(kube_api.kubeconfig)))
    yield connection
    await connection.close()


@pytest.fixture
def namespace(kube_api: KubeApi) -> str:
    return kube_api.new_namespace("wire")


def pod(name: str) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "none"}], "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"a": "b"}}, "spec": spec}


async def test_identity(real: Connection, kube_api: KubeApi) -> None:
    found = real.identity
    assert found.server == kube_api.url and found.version.startswith("v1.") and len(found.ca_hash) == 64
    assert found.cluster_uid == kube_api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    assert "system:masters" in found.groups


async def test_impersonation_is_the_servers_view(kube_api: KubeApi) -> None:
    ref = ContextRef(kubeconfig=str(kube_api.kubeconfig), as_user="nobody-in-particular", as_groups=("ops",))
    connection = await Connection.open(ref)
    assert connection.identity.user == "nobody-in-particular" and "ops" in connection.identity.groups
    assert connection.identity.cluster_uid == ""
    with pytest.raises(ForbiddenError, match='User "nobody-in-particular" cannot list resource "pods"'):
        await connection.reader.get("/api/v1/pods")
    assert not (await connection.reader.may("list", "pods")).allowed
    await connection.close()


async def test_a_client_certificate(kube_api: KubeApi, tmp_path: Path) -> None:
    name = f"cert-{uuid.uuid4().hex[:6]}"
    path = kube_api.user(tmp_path / "user.kubeconfig", name, "ops")
    connection = await Connection.open(ContextRef(kubeconfig=str(path)))
    assert connection.identity.user == name and "ops" in connection.identity.groups
    await connection.close()


async def test_pages_and_a_watch(real: Connection, kube_api: KubeApi, namespace: str) -> None:
    path = object_path("v1", "pods", namespace)
    for n in range(7):
        kube_api.create(path, pod(f"p{n}"))
    names, version = [], ""
    async for page in real.reader.pages(path, {"labelSelector": "a=b"}, size=3):
        tree = json.loads(page.body)
        version = version or tree["metadata"]["resourceVersion"]
        names.append([item["metadata"]["name"] for item in tree["items"]])
    assert names == [["p0", "p1", "p2"], ["p3", "p4", "p5"], ["p6"]]
    seen: list[tuple[str, str]] = []
    async with asyncio.timeout(60), aclosing(real.reader.watch(path, {"labelSelector": "a=b"}, version)) as watch:
        assert await anext(watch) == b""
        kube_api.merge(f"{path}/p3/status", {"status": {"message": "changed"}})
        kube_api.delete(f"{path}/p3", gracePeriodSeconds="0")
        while not seen or seen[-1][0] != "DELETED":
            event = json.loads(await anext(watch))
            seen.append((event["type"], event["object"]["status"].get("message", "")))
    assert seen[0] == ("MODIFIED", "changed")


async def test_patches_say_what_they_would_do_and_then_do_it(
    real: Connection, kube_api: KubeApi, namespace: str
) -> None:
    writer = Writer(real)
    made = await writer.create(object_path("v1", "pods", namespace), pod("p"))
    path = object_path("v1", "pods", namespace, "p")
    label = {"metadata": {"labels": {"a": "c"}}}
    assert (await writer.patch(path, label, "merge", dry_run=True))["metadata"]["labels"]["a"] == "c"
    assert kube_api.get(path)["metadata"]["labels"]["a"] == "b"
    test = [{"op": "test", "path": "/metadata/labels/a", "value": "zzz"}]
    with pytest.raises(InvalidError):
        await writer.patch(path, test, "json")
    with pytest.raises(InvalidError, match="unknown field"):
        await writer.patch(path, {"spec": {"nonsense": 1}}, "strategic", strict=True)
    done = await writer.patch(path, label, "merge")
    assert done["metadata"]["uid"] == made["metadata"]["uid"]
    assert "console-oncall" in {m["manager"] for m in done["metadata"]["managedFields"]}
    with pytest.raises(ConflictError, match="UID in the precondition"):
        await writer.delete(path, uid="00000000-0000-0000-0000-000000000000")
    await writer.delete(path, uid=made["metadata"]["uid"], dry_run=True)
    assert kube_api.find(path)
    await writer.delete(path, uid=made["metadata"]["uid"], grace_seconds=0)
    assert kube_api.find(path) is None
    with pytest.raises(NotFoundError):
        await writer.evict(namespace, "p")


async def test_a_lease_and_an_event(real: Connection, kube_api: KubeApi, namespace: str) -> None:
    writer = Writer(real)
    lease = await writer.lease_create(namespace, "lock", "me", 30, annotations={"walk": "w"})
    with pytest.raises(ConflictError):
        await writer.lease_create(namespace, "lock", "you", 30)
    newer = await writer.lease_update(lease, seconds=60)
    with pytest.raises(ConflictError):
        await writer.lease_update(lease)
    with pytest.raises(ConflictError):
        await writer.lease_delete(lease)
    await writer.lease_delete(newer)
    assert await writer.lease_get(namespace, "lock") is None
    about = {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": "p", "uid": "u"}
    await writer.event(namespace, about=about, reason="Changed", message="for a test", at=1_790_000_000.0)
    (event,) = kube_api.get(object_path("v1", "events", namespace))["items"]
    told = event["reason"], event["involvedObject"]["name"], event["lastTimestamp"]
    assert told == ("Changed", "p", rfc3339(1_790_000_000.0))


async def test_a_viewer_reads_and_may_not_write(kube_api: KubeApi, namespace: str) -> None:
    connection = await Connection.open(ContextRef(kubeconfig=str(kube_api.viewer.kubeconfig)))
    reader = connection.reader
    assert json.loads(await reader.get(object_path("v1", "pods", namespace)))["items"] == []
    assert (await reader.may("list", "pods", namespace=namespace)).allowed
    assert not (await reader.may("delete", "pods", namespace=namespace)).allowed
    with pytest.raises(ForbiddenError):
        await Writer(connection).create(object_path("v1", "pods", namespace), pod("p"))
    await connection.close()


async def test_discovery_and_proxies(real: Connection, namespace: str) -> None:
    groups = await real.reader.groups()
    assert groups["apps"] == ("v1",)
    assert (await real.reader.resource("apps/v1", "Deployment")).plural == "deployments"
    with pytest.raises(NotFoundError, match="not found"):
        await real.reader.service_proxy(namespace, "nobody", 80, "/")
    service = {"metadata": {"name": "empty"}, "spec": {"ports": [{"port": 80}]}}
    await Writer(real).create(object_path("v1", "services", namespace), service)
    with pytest.raises(ReachError, match="no endpoints available"):
        await real.reader.service_proxy(namespace, "empty", 80, "/")
