"""Advice of a real API server with real rights: what the administrator sees, and what a user who may not look."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from console.advice.model import AdviceReport
from console.base.clock import WallClock
from console.live.advice import report
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.advice.worlds import SPARK_NEEDS
from tests.cluster.controlplane import KubeApi

pytestmark = pytest.mark.parts
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def pod(name: str, role: str, account: str) -> dict[str, Any]:
    labels = {"spark-role": role, "spark-app-selector": "spark-1", "spark-version": "4.1.4"}
    container = {"name": f"spark-kubernetes-{role}", "image": "registry.local/spark:latest"}
    spec = {"containers": [container], "serviceAccountName": account, "hostNetwork": role == "driver"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


@pytest.fixture
def namespace(kube_api: KubeApi) -> str:
    """A namespace with a driver whose account may read every Secret of the cluster."""
    name = kube_api.new_namespace("advice")
    base = f"/api/v1/namespaces/{name}"
    kube_api.create(f"{base}/serviceaccounts", {"metadata": {"name": "spark"}})
    for one, role in (("etl-driver", "driver"), ("etl-exec-1", "executor")):
        kube_api.create(f"{base}/pods", pod(one, role, "spark"))
    subject = {"kind": "ServiceAccount", "name": "spark", "namespace": name}
    kube_api.create(f"{RBAC}/namespaces/{name}/roles", {"metadata": {"name": "spark"}, "rules": SPARK_NEEDS})
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "spark"}
    kube_api.create(
        f"{RBAC}/namespaces/{name}/rolebindings", {"metadata": {"name": "spark"}, "roleRef": ref, "subjects": [subject]}
    )
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
    kube_api.create(f"{RBAC}/clusterroles", {"metadata": {"name": f"{name}-secrets"}, "rules": [rule]})
    wide = {**ref, "kind": "ClusterRole", "name": f"{name}-secrets"}
    kube_api.create(f"{RBAC}/clusterrolebindings", {"metadata": {"name": name}, "roleRef": wide, "subjects": [subject]})
    return name


async def advised(kubeconfig: Path, namespace: str, *, wide: bool = True) -> AdviceReport:
    connection = await Connection.open(ContextRef(kubeconfig=str(kubeconfig)))
    source = ClusterSource(connection, Scope(namespaces=(namespace,)), WallClock())
    await source.start()
    try:
        await source.synced()
        facts, version = source.snapshot().facts(), connection.identity.version
        return await report(connection.reader, facts, WallClock(), version=version, wide=wide)
    finally:
        await source.stop()
        await connection.close()


async def test_the_administrator_is_told_everything(kube_api: KubeApi, namespace: str) -> None:
    found = await advised(kube_api.kubeconfig, namespace)
    states = {s.name: s.state for s in found.sources}
    assert states.pop("securitycontextconstraints") == "absent" and set(states.values()) == {"fresh"}
    items = {i.id: i for i in found.items}
    assert items["over-wide-account"].statement == "2 Spark pods may read every Secret in every namespace"
    assert items["over-wide-account"].evidence[0].locator == f"{RBAC}/clusterrolebindings/{namespace}"
    assert "hostNetwork" in items["host-access"].statement
    assert items["pod-security-level"].subject == f"Namespace//{namespace}"
    assert {"no-ingress-policy", "no-egress-policy", "executor-token", "floating-tag"} <= set(items)


async def test_what_is_put_right_is_advised_no_more(kube_api: KubeApi, namespace: str) -> None:
    deny = {"metadata": {"name": "deny"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}
    kube_api.create(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies", deny)
    level = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}
    kube_api.merge(f"/api/v1/namespaces/{namespace}", level)
    kube_api.delete(f"{RBAC}/clusterrolebindings/{namespace}")
    items = {i.id for i in (await advised(kube_api.kubeconfig, namespace)).items}
    gone = {"no-ingress-policy", "no-egress-policy", "pod-security-level", "over-wide-account"}
    assert not items & gone and "host-access" in items


async def test_a_user_who_may_not_read_bindings_is_told_so(kube_api: KubeApi, namespace: str, tmp_path: Path) -> None:
    user = f"u-{uuid.uuid4().hex[:6]}"
    rules = [
        {"apiGroups": ["", "apps"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["list"]},
    ]
    kube_api.grant(user, *rules, namespace=namespace)
    found = await advised(kube_api.user(tmp_path / "user.kubeconfig", user, namespace=namespace), namespace)
    states = {s.name: s for s in found.sources}
    for kind in ("roles", "rolebindings", "clusterroles", "clusterrolebindings"):
        assert states[kind].state == "forbidden" and f'resources: ["{kind}"]' in states[kind].hint
    assert states["networkpolicies"].state == states["serviceaccounts"].state == "partial"
    items = {i.id for i in found.items}
    assert "over-wide-account" not in items and {"no-ingress-policy", "pod-security-level"} <= items
    said = [u for u in found.unjudged if "service accounts" in u.what and "rights" in u.what]
    assert len(said) == 2 and all("may not be read" in u.because and u.needs for u in said)
