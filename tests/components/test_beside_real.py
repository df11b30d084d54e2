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
from console.findings.model import Finding
from console.findings.of_components import findings_of_components
from console.settings.presets import load_library
from console.sources.cluster.advice import catalogue, read_posture
from console.sources.cluster.beside import BesideComponents
from console.sources.cluster.names import ReferencedNames
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.cluster.controlplane import KubeApi
from tests.cluster.processes import wait_until
from tests.components.manifests import CRDS, collection, crd
from tests.components.test_beside import CONNECT, DENY, PLAIN, PORT, WIDE, plain

pytestmark = pytest.mark.parts
DEFINITIONS = tuple(load_library().components.values())
LABELS = {**CONNECT, "helm.sh/chart": "spark-4.1-0.1.0"}


def server(kube: KubeApi, space: str, **main: Any) -> None:
    """A Connect server with a ready replica and nothing else."""
    pod = {"containers": [{"name": "main", "image": "spark:4.1.0", **main}]}
    spec = {"replicas": 1, "selector": {"matchLabels": CONNECT},
            "template": {"metadata": {"labels": LABELS}, "spec": pod}}  # fmt: skip
    path = collection("Deployment", space)
    meta = {"name": "rel-spark-41-connect", "labels": LABELS}
    kube.create(path, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})
    kube.merge(f"{path}/rel-spark-41-connect/status",
               {"status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}})  # fmt: skip


def said(facts: Facts, space: str) -> dict[str, Finding]:
    """What is found of the namespace, components among it."""
    judged = diagnose(facts, ())
    found = [*judged, *findings_of_components(judge(facts, DEFINITIONS), judged)]
    return {f"{one.code} {one.subject}": one for one in found if f"/{space}" in one.subject}


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


async def test_configmaps_without_a_chart_are_seen_by_what_they_hold(kube_api: KubeApi) -> None:
    space = kube_api.new_namespace("plain")
    server(kube_api, space)
    maps = f"/api/v1/namespaces/{space}/configmaps"
    plain(
        lambda name, labels, data: (
            None
            if kube_api.find(f"{maps}/{name}")
            else kube_api.create(maps, {"metadata": {"name": name, "labels": labels}, "data": data})
        )
    )
    facts, _ = await looked(kube_api, space)
    found = {id: {thing.name for thing in one.things} for id, one in find(facts, DEFINITIONS).items()}
    assert found["dashboards"] == {"spark-overview", "by-label", "by-other-label"}
    assert (found["budgets"], found["alert-rules"]) == ({"team-limits"}, {"platform-rules", "prometheus-budget-rules"})
    assert set(said(facts, space)) == {one.format(space) for one in PLAIN}


async def test_secrets_that_their_operators_do_not_make_are_found_on_a_real_api_server(kube_api: KubeApi) -> None:
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for group, version, kind in CRDS[2:]:
        if kube_api.find(f"{definitions}/{kind.lower()}s.{group}") is None:
            kube_api.create(definitions, crd(group, version, kind))
        served = f"/apis/{group}/{version}/{kind.lower()}s"
        wait_until(f"{kind} is served", lambda served=served: kube_api.serves(served), seconds=30)  # type: ignore[misc]
    space = kube_api.new_namespace("sealed")
    server(kube_api, space, envFrom=[{"secretRef": {"name": name}} for name in ("s3", "db")])
    made = {
        "ExternalSecret": ("s3", {"secretStoreRef": {"name": "vault", "kind": "SecretStore"}}, "Ready"),
        "SealedSecret": ("db", {"encryptedData": {"password": "AgB"}}, "Synced"),
        "SecretStore": (
            "aws",
            {"provider": {"aws": {"auth": {"jwt": {"serviceAccountRef": {"name": "reader"}}}}}},
            "Ready",
        ),
    }
    for kind, (name, spec, condition) in made.items():
        path = collection(kind, space)
        group = next(f"{group}/{version}" for group, version, one in CRDS if one == kind)
        kube_api.create(path, {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec})
        wrong = {"type": condition, "status": "False", "reason": f"{kind}Error", "message": "no key fits"}
        kube_api.merge(f"{path}/{name}/status", {"status": {"conditions": [wrong]}})
    facts, _ = await looked(kube_api, space)
    (sync,) = (one for one in judge(facts, DEFINITIONS) if one.id == "external-secrets")
    assert (sync.state, len(sync.found), len(sync.troubles)) == ("degraded", 3, 3)
    found = said(facts, space)
    assert set(found) == {
        f"reference-missing Secret/{space}/s3",
        f"reference-missing Secret/{space}/db",
        f"reference-missing SecretStore/{space}/vault",
        f"reference-missing ServiceAccount/{space}/reader",
        next(key for key in found if key.startswith("component-degraded ")),
    }
    assert "ExternalSecret s3 is to make it: ExternalSecretError no key fits" in (
        found[f"reference-missing Secret/{space}/s3"].detail
    )
    assert "SealedSecret db is to make it" in found[f"reference-missing Secret/{space}/db"].detail


async def test_a_gpu_that_no_node_has_is_found_until_one_has_it(kube_api: KubeApi) -> None:
    space = kube_api.new_namespace("gpus")
    gpu = f"{space}.example.com/gpu"  # a vendor of its own: other tests have nodes too
    server(kube_api, space, resources={"limits": {gpu: "1", "cpu": "1"}})
    kube_api.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": space}})
    node = f"/api/v1/nodes/{space}"
    kube_api.merge(f"{node}/status", {"status": {"capacity": {"cpu": "4"}, "allocatable": {"cpu": "4"}}})
    try:
        facts, _ = await looked(kube_api, space)
        (one,) = (one for one in diagnose(facts, ()) if one.code == "reference-missing" and space in one.subject)
        assert one.title == f"no node has {gpu}, which Deployment rel-spark-41-connect asks for"
        assert one.subject == f"NodeResource//{gpu}" and "its pods wait for ever" in one.detail
        kube_api.merge(f"{node}/status", {"status": {"capacity": {gpu: "8"}, "allocatable": {gpu: "8"}}})
        facts, _ = await looked(kube_api, space)
        assert not [one for one in diagnose(facts, ()) if space in one.subject]
    finally:
        kube_api.delete(node)
