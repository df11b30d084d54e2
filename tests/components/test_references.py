"""What objects name and is not there is said, by one rule for all kinds; what is there, or not read, is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from console.drill.kube.access import DenyRule
from console.facts.model import SourceState
from console.facts.references import missing
from console.rehearse.playing import Rehearsal
from tests.components.release import Release
from tests.components.worlds import facts, node, workload

CONNECT = {"app": "spark-connect", "app.kubernetes.io/component": "connect"}
CHART = {"helm.sh/chart": "spark-4.1-0.1.0"}
MAIN: dict[str, Any] = {
    "env": [
        {"name": "SPARK_CONNECT_URL", "value": "sc://spark-connect:15002"},
        {"name": "S3", "value": "https://s3.eu.example.com"},
        {"name": "LOCAL", "value": "http://localhost:4040"},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s3-credentials", "key": "access-key"}}},
        {"name": "MORE", "valueFrom": {"secretKeyRef": {"name": "extra", "key": "k", "optional": True}}},
    ],
    "envFrom": [{"configMapRef": {"name": "spark-env"}}],
}


@pytest.fixture(scope="module")
def drill() -> Iterator[Rehearsal]:
    with Rehearsal("spark-oom", "healthy", step=True) as rehearsal:
        yield rehearsal


def pointing(drill: Rehearsal, namespace: str) -> Release:
    return point(Release(drill, namespace))


def point(release: Release) -> Release:
    release.workload(
        "rel-spark-41-connect", CONNECT, image="spark:4.1.0", main=MAIN, pod={"serviceAccountName": "spark-41"}
    )
    conf = "spark.master=spark://rel-standalone-master:7077\nspark.hadoop.fs.s3a.endpoint=http://minio.infra.svc:9000\n"
    release.apply("ConfigMap", "rel-connect-config", {"data": {"spark.conf": conf}}, labels=CHART)
    target = {"spec": {"scaleTargetRef": {"name": "spark-connect"}}}
    release.apply("ScaledObject", "spark-connect-s3-scaler", target)
    scaled = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "celeborn"}
    release.apply("HorizontalPodAutoscaler", "workers", {"spec": {"scaleTargetRef": scaled, "maxReplicas": 5}})
    return release


def nowhere(namespace: str) -> dict[str, str]:
    """What `point` names and is not there."""
    connect = "which Deployment rel-spark-41-connect names"
    scaler = "which ScaledObject spark-connect-s3-scaler names"
    return {
        f"Service/{namespace}/spark-connect": f"no Service spark-connect, {connect}",
        f"Service/{namespace}/rel-standalone-master": "no Service rel-standalone-master, which ConfigMap "
        "rel-connect-config names",
        f"Secret/{namespace}/s3-credentials": f"no Secret s3-credentials, {connect}",
        f"ConfigMap/{namespace}/spark-env": f"no ConfigMap spark-env, {connect}",
        f"ServiceAccount/{namespace}/spark-41": f"no ServiceAccount spark-41, {connect}",
        f"Deployment/{namespace}/spark-connect": f"no Deployment spark-connect, {scaler}",
        f"StatefulSet/{namespace}/celeborn": "no StatefulSet celeborn, which HorizontalPodAutoscaler workers names",
    }


def said(release: Release) -> dict[str, str]:
    return {f.subject: f.title for f in release.looked().board.findings if f.code == "reference-missing"}


def test_a_name_that_leads_nowhere_is_said_with_who_names_it(drill: Rehearsal) -> None:
    assert said(pointing(drill, "pointing")) == nowhere("pointing")


def test_a_catalog_without_a_class_and_a_bucket_that_no_job_makes_are_said(drill: Rehearsal) -> None:
    release = Release(drill, "warehouse")
    release.workload("rel-spark-41-connect", CONNECT, image="spark:4.1.0")
    lines = "spark.sql.catalog.lake.type=hadoop\nspark.eventLog.dir=s3a://spark-logs/events\n"
    release.apply("ConfigMap", "rel-connect-config", {"data": {"spark.conf": lines}}, labels=CHART)
    pod = {"restartPolicy": "Never", "containers": [{"name": "mc", "image": "mc", "args": ["mc mb s/warehouse"]}]}
    release.apply("Job", "init-buckets", {"spec": {"template": {"spec": pod}}})
    assert set(said(release)) == {"Catalog/warehouse/lake", "Bucket/warehouse/spark-logs"}


def test_a_device_that_no_node_has_is_said(drill: Rehearsal) -> None:
    release = Release(drill, "devices")
    asked = {"resources": {"limits": {"nvidia.com/gpu": "1", "cpu": "1"}}}
    release.workload("rel-spark-41-connect", CONNECT, image="spark:4.1.0", main=asked)
    assert said(release) == {
        "NodeResource//nvidia.com/gpu": "no node has nvidia.com/gpu, which Deployment rel-spark-41-connect asks for"
    }


def test_a_device_that_a_node_has_is_not_said_nor_where_nodes_may_not_be_read() -> None:
    asking = workload("Deployment", "connect", resources={"nvidia.com/gpu": "1"})
    plain = replace(node("cpu-01"), capacity={"cpu": 8.0})
    read = SourceState("nodes", "fresh")
    assert [one.name for one in missing(facts(asking, plain, read), {})] == ["nvidia.com/gpu"]
    assert missing(facts(asking, plain, node("gpu-01"), read), {}) == ()
    assert missing(facts(asking, SourceState("nodes", "forbidden")), {}) == ()


def test_what_is_there_is_not_said(drill: Rehearsal) -> None:
    release = pointing(drill, "whole")
    release.workload("spark-connect", {"app": "other"})
    release.workload("celeborn", {"app": "celeborn-worker"}, kind="StatefulSet")
    port = {"spec": {"ports": [{"port": 15002}]}}
    for name in ("spark-connect", "rel-standalone-master"):
        release.apply("Service", name, port)
    release.apply("Secret", "s3-credentials", {"stringData": {"access-key": "a"}})
    release.apply("ConfigMap", "spark-env", {"data": {"A": "b"}})
    release.apply("ServiceAccount", "spark-41", {})
    assert said(release) == {}


def test_of_what_may_not_be_read_nobody_says_that_it_is_missing(drill: Rehearsal) -> None:
    release = pointing(drill, "closed")
    drill.session.deny(DenyRule(resources=("secrets", "services"), namespaces=("closed",)))
    assert {key.split("/")[0] for key in said(release)} == {
        "ConfigMap", "ServiceAccount", "Deployment", "StatefulSet",
    }  # fmt: skip
