"""References, policies, endpoints and credentials of a real API server: what closes a platform is found there too."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.advice.engine import advise
from console.base.clock import WallClock
from console.components.find import find
from console.components.judge import judge
from console.facts.model import Facts
from console.findings.diagnose import diagnose
from console.settings.presets import load_library
from console.sources.cluster.advice import catalogue, read_posture
from console.sources.cluster.beside import BesideComponents
from console.sources.cluster.names import ReferencedNames
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.cluster.controlplane import KubeApi
from tests.components.test_beside import CONNECT, DENY, PORT, WIDE

pytestmark = pytest.mark.parts
DEFINITIONS = tuple(load_library().components.values())
LABELS = {**CONNECT, "helm.sh/chart": "spark-4.1-0.1.0"}


def fill(kube: KubeApi, space: str) -> None:
    """A Connect server with a ready replica, whose Service selects it and has nobody behind it."""

    def apply(api: str, plural: str, kind: str, name: str, body: dict[str, Any], labels: dict[str, str]) -> str:
        path = f"/{'apis' if '/' in api else 'api'}/{api}/namespaces/{space}/{plural}"
        meta = {"name": name, "labels": labels}
        kube.create(path, {"apiVersion": api, "kind": kind, "metadata": meta, **body})
        return f"{path}/{name}"

    env = [
        {"name": "S3_ENDPOINT", "value": "http://minio:9000"},
        {"name": "AWS_SECRET_ACCESS_KEY", "value": "minioadmin"},
    ]
    volume = {"name": "conf", "configMap": {"name": "rel-connect-config"}}
    pod = {"containers": [{"name": "main", "image": "spark:4.1.0", "env": env}], "volumes": [volume],
           "serviceAccountName": "spark-41"}  # fmt: skip
    template = {"metadata": {"labels": LABELS}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": CONNECT}, "template": template}
    made = apply("apps/v1", "deployments", "Deployment", "rel-spark-41-connect", {"spec": spec}, LABELS)
    kube.merge(f"{made}/status", {"status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}})
    lines = "spark.master=k8s://https://kubernetes.default.svc\nspark.sql.catalog.lake.type=hadoop\n"
    lines += "spark.eventLog.dir=s3a://spark-logs/events\n"
    apply("v1", "configmaps", "ConfigMap", "rel-connect-config", {"data": {"spark.conf": lines}}, LABELS)
    service = {"spec": {"selector": CONNECT, "ports": [PORT]}}
    apply("v1", "services", "Service", "rel-spark-41-connect", service, LABELS)
    behind = {"addressType": "IPv4", "endpoints": [], "ports": []}
    of = {"kubernetes.io/service-name": "rel-spark-41-connect"}
    apply("discovery.k8s.io/v1", "endpointslices", "EndpointSlice", "rel-x1", behind, of)
    for name, policy in (("default-deny", DENY), ("connect-ingress", WIDE)):
        apply("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", name, {"spec": policy}, {})
    job = {"restartPolicy": "Never", "containers": [{"name": "mc", "image": "mc", "args": ["mc mb s/warehouse"],
           "envFrom": [{"secretRef": {"name": "s3-credentials"}}]}]}  # fmt: skip
    apply("batch/v1", "jobs", "Job", "init-buckets", {"spec": {"template": {"spec": job}}}, {})


async def looked(kube: KubeApi, space: str) -> tuple[Facts, Any]:
    """What is read of the namespace, and the security of it."""
    connection = await Connection.open(ContextRef(kubeconfig=str(kube.kubeconfig)))
    source = ClusterSource(connection, Scope(namespaces=(space,)), WallClock())
    beside = BesideComponents(connection.reader, WallClock(), 60.0)
    names = ReferencedNames(connection.reader, WallClock(), 60.0)
    await source.start()
    try:
        await source.synced()
        facts = source.snapshot().facts()
        assert set(find(facts, DEFINITIONS)) >= {"connect-41"}
        assert await beside.refresh([space])
        facts = replace(facts, workloads=beside.beside(facts))
        assert await names.refresh(facts, [space], beside.names)
        assert beside.unread == names.unread == ()
        posture = await read_posture(connection.reader, [space], WallClock(), wide=False)
        return replace(facts, names={**names.names, **beside.names}), posture
    finally:
        await source.stop()
        await beside.stop()
        await connection.close()


async def test_what_closes_a_platform_is_found_on_a_real_api_server(kube_api: KubeApi) -> None:
    space = kube_api.new_namespace("closed")
    fill(kube_api, space)
    facts, posture = await looked(kube_api, space)
    found = {f"{one.code} {one.subject}": one for one in diagnose(facts, ()) if f"/{space}" in one.subject}
    assert set(found) == {
        f"reference-missing Service/{space}/minio",
        f"reference-missing Secret/{space}/s3-credentials",
        f"reference-missing ServiceAccount/{space}/spark-41",
        f"reference-missing Catalog/{space}/lake",
        f"reference-missing Bucket/{space}/spark-logs",
        f"network-policy-blocks Deployment/{space}/rel-spark-41-connect",
        f"network-policy-selects-nothing NetworkPolicy/{space}/connect-ingress",
    }
    (connect,) = (one for one in judge(facts, DEFINITIONS) if one.id == "connect-41")
    assert (connect.state, connect.troubles[0].cause) == ("down", "endpoints")
    told = [i for i in advise(facts, (), catalogue(), posture).items if i.id == "credential-in-workload"]
    assert [(i.subject, i.about) for i in told] == [
        (f"Deployment/{space}/rel-spark-41-connect", "AWS_SECRET_ACCESS_KEY")
    ]
    assert all("minioadmin" not in one.excerpt for item in told for one in item.evidence)


async def test_what_is_mended_is_no_longer_told(kube_api: KubeApi) -> None:
    space = kube_api.new_namespace("mended")
    fill(kube_api, space)
    core = f"/api/v1/namespaces/{space}"
    kube_api.create(f"{core}/secrets", {"metadata": {"name": "s3-credentials"}})
    kube_api.create(f"{core}/serviceaccounts", {"metadata": {"name": "spark-41"}})
    kube_api.create(f"{core}/services", {"metadata": {"name": "minio"}, "spec": {"ports": [{"port": 9000}]}})
    end = {"addresses": ["10.0.0.1"], "conditions": {"ready": True}}
    kube_api.merge(
        f"/apis/discovery.k8s.io/v1/namespaces/{space}/endpointslices/rel-x1",
        {"endpoints": [end], "ports": [{"name": "grpc", "port": 15002, "protocol": "TCP"}]},
    )
    facts, _ = await looked(kube_api, space)
    left = {one.subject for one in diagnose(facts, ()) if one.code == "reference-missing"}
    assert left == {f"Catalog/{space}/lake", f"Bucket/{space}/spark-logs"}
    (connect,) = (one for one in judge(facts, DEFINITIONS) if one.id == "connect-41")
    assert connect.state != "down"
