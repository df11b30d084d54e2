"""The real parts are what they claim to be: versions, permissions, a node that runs Spark, metrics that are scraped."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from console.base.clock import WallClock
from console.settings.presets import load_library
from console.slo.model import SloStatus
from console.sources.files.runbooks import read_catalogue
from console.sources.prometheus.client import Prometheus as Reader
from console.sources.prometheus.objectives import SloSource
from console.wire.endpoint import UrlEndpoint
from tests.cluster import inventory
from tests.cluster.controlplane import ControlPlane, KubeApi
from tests.cluster.kube import KubeError
from tests.cluster.monitoring import Alertmanager, KubeStateMetrics, Prometheus
from tests.cluster.network import answer
from tests.cluster.node import SparkNode
from tests.cluster.processes import wait_until
from tests.cluster.spark import PySpark, submit_sparkapplication

ROOT = inventory.HERE.parent.parent

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "probe"},
    "spec": {"containers": [{"name": "main", "image": inventory.IMAGE}]},
}


# -- without any part -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "path", "version"),
    [
        ("kubernetes", "k8s.io/kubernetes", inventory.KUBERNETES),
        ("kubernetes", "go.etcd.io/etcd/server/v3", inventory.ETCD),
        ("containerd", "github.com/containerd/containerd/v2", inventory.CONTAINERD),
        ("spark-operator", "github.com/kubeflow/spark-operator/v2", inventory.SPARK_OPERATOR),
        ("kube-state-metrics", "k8s.io/kube-state-metrics/v2", inventory.KUBE_STATE_METRICS),
    ],
)
def test_the_folder_names_say_the_versions_that_are_compiled(module: str, path: str, version: str) -> None:
    pinned = (inventory.HERE / "modules" / module / "go.mod").read_text()
    assert re.search(rf"^\s+{re.escape(path)} v{re.escape(version)}( //|$)", pinned, re.MULTILINE)


def test_a_missing_part_names_the_command_that_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_PARTS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(inventory.PartMissing) as missing:
        inventory.require("etcd", "kube-apiserver", "prometheus")
    assert str(missing.value) == (
        "needs etcd, kube-apiserver, prometheus: python -m tests.cluster.build kubernetes monitoring"
    )


def test_a_program_of_the_users_own_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "etcd"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert inventory.PARTS["etcd"].find() == own
    monkeypatch.setenv("CONSOLE_PART_ETCD", str(tmp_path))
    assert inventory.PARTS["etcd"].find() == tmp_path


@pytest.mark.parametrize(("demanded", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_a_missing_part_skips_and_fails_where_parts_are_demanded(tmp_path: Path, demanded: str, outcome: str) -> None:
    """A real pytest of its own, in which no part can be found."""
    (tmp_path / "test_probe.py").write_text("def test_probe(kube_api): ...\n")
    program = [sys.executable, "-m", "pytest", "-p", "tests.cluster.parts", "-rs", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*program, str(tmp_path / "test_probe.py")],
        cwd=tmp_path,
        env={
            "PATH": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path),
            "CONSOLE_PARTS": str(tmp_path),
            "CONSOLE_REQUIRE_PARTS": demanded,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert outcome in run.stdout
    assert (
        "needs etcd, kube-apiserver, spark-operator-crds: python -m tests.cluster.build kubernetes crds" in run.stdout
    )


def test_the_stand_in_for_cluster_dns_answers_known_names_only() -> None:
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03svc\x02ns\x03svc\x00\x00\x01\x00\x01"
    known = answer(query, lambda name: ["10.0.0.7"] if name == "svc.ns.svc" else [])
    assert known[:2] == b"\x12\x34"
    assert known.endswith(bytes([0, 4, 10, 0, 0, 7]))
    assert known[3] & 0x0F == 0
    unknown = answer(query, lambda _: [])
    assert unknown[3] & 0x0F == 3, "NXDOMAIN"


# -- the API server -------------------------------------------------------------------------------------------


@pytest.mark.parts
def test_the_api_server_says_its_version(kube_api: KubeApi) -> None:
    assert kube_api.get("/version")["gitVersion"] == f"v{inventory.KUBERNETES}"


@pytest.mark.parts
def test_the_viewer_reads_and_does_not_delete(kube_api: KubeApi) -> None:
    namespace = kube_api.new_namespace()
    pods = f"/api/v1/namespaces/{namespace}/pods"
    kube_api.create(pods, POD)
    assert [pod["metadata"]["name"] for pod in kube_api.viewer.get(pods)["items"]] == ["probe"]
    with pytest.raises(KubeError) as refused:
        kube_api.viewer.delete(f"{pods}/probe")
    assert refused.value.status == 403
    assert kube_api.viewer.kubectl("-n", namespace, "get", "pods", "-o", "name").stdout == "pod/probe\n"
    with pytest.raises(KubeError) as hidden:
        kube_api.viewer.get(f"/api/v1/namespaces/{namespace}/secrets/any")
    assert hidden.value.status in (403, 404)


@pytest.mark.parts
def test_a_new_user_has_no_rights_until_the_test_gives_some(kube_api: KubeApi, tmp_path: Path) -> None:
    kubeconfig = kube_api.user(tmp_path / "alice.kubeconfig", "alice")
    asked = kube_api.kubectl("--kubeconfig", str(kubeconfig), "auth", "can-i", "list", "pods", check=False)
    assert asked.stdout == "no\n"


@pytest.mark.parts
def test_sparkapplications_are_served(kube_api: KubeApi) -> None:
    namespace = kube_api.new_namespace()
    path = f"/apis/sparkoperator.k8s.io/v1beta2/namespaces/{namespace}/sparkapplications"
    assert kube_api.get(path)["items"] == []


@pytest.mark.parts
def test_a_control_plane_of_its_own_survives_a_restart_of_its_server(own_control_plane: ControlPlane) -> None:
    kube = KubeApi(own_control_plane.start())
    namespace = kube.new_namespace()
    own_control_plane.server.stop()
    own_control_plane.start_server()
    assert kube.find(f"/api/v1/namespaces/{namespace}") is not None


# -- Prometheus and Alertmanager ------------------------------------------------------------------------------


@pytest.mark.parts
def test_kube_state_metrics_counts_the_pods_of_a_cluster(
    kube_api: KubeApi,
    prometheus_server: Callable[..., Prometheus],
    kube_state_metrics: Callable[..., KubeStateMetrics],
) -> None:
    namespace = kube_api.new_namespace()
    kube_api.create(f"/api/v1/namespaces/{namespace}/pods", POD)
    exporter = kube_state_metrics(kube_api.kubeconfig, resources="pods", namespaces=namespace)
    jobs = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {"job_name": "ksm", "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{exporter.port}"]}]}
        ],
    }
    found = prometheus_server(jobs).await_series(f'kube_pod_info{{namespace="{namespace}"}}')
    assert [series["metric"]["pod"] for series in found] == ["probe"]


@pytest.mark.parts
def test_prometheus_sends_a_firing_alert_to_alertmanager(
    prometheus_server: Callable[..., Prometheus], alertmanager_server: Callable[..., Alertmanager], tmp_path: Path
) -> None:
    alertmanager = alertmanager_server()
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{alert: AlwaysOn, expr: vector(1), labels: {severity: page}}]}]")
    prometheus = prometheus_server(
        {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager.port}"]}]}]},
        }
    )
    assert prometheus.await_series('ALERTS{alertname="AlwaysOn", alertstate="firing"}')
    wait_until("the alert arrives", lambda: bool(alertmanager.get("/api/v2/alerts")), seconds=30)
    assert alertmanager.get("/api/v2/alerts")[0]["labels"]["alertname"] == "AlwaysOn"


@pytest.mark.parts
def test_prometheus_scrapes_a_real_pyspark_application(
    pyspark_home: PySpark, prometheus_server: Callable[..., Prometheus], tmp_path: Path
) -> None:
    application = pyspark_home.run(tmp_path / "spark")
    try:
        target = application.ui.removeprefix("http://")
        prometheus = prometheus_server(
            {
                "global": {"scrape_interval": "1s"},
                "scrape_configs": [
                    {
                        "job_name": "spark-driver",
                        "metrics_path": "/metrics/executors/prometheus",
                        "static_configs": [{"targets": [target]}],
                    }
                ],
            }
        )
        found = prometheus.await_series("metrics_executor_totalTasks_total > 0", seconds=60)
        assert {series["metric"]["executor_id"] for series in found} == {"driver"}
    finally:
        application.process.stop()


# -- the node -------------------------------------------------------------------------------------------------


@pytest.mark.parts
@pytest.mark.xdist_group("node")
def test_the_node_is_ready_with_the_spark_image(spark_node: SparkNode) -> None:
    node = spark_node.get(f"/api/v1/nodes/{spark_node.node}")
    assert {c["type"]: c["status"] for c in node["status"]["conditions"]}["Ready"] == "True"
    assert node["status"]["nodeInfo"]["kubeletVersion"] == f"v{inventory.KUBERNETES}"
    assert any(spark_node.image in image["names"] for image in node["status"]["images"])


@pytest.mark.parts
@pytest.mark.xdist_group("node")
def test_a_real_sparkapplication_completes_and_the_operator_counts_it(
    spark_node: SparkNode, prometheus_server: Callable[..., Prometheus]
) -> None:
    target = spark_node.operator_metrics.removeprefix("http://").partition("/")[0]
    operator = {"job_name": "spark-operator", "static_configs": [{"targets": [target]}]}
    prometheus = prometheus_server({"global": {"scrape_interval": "1s"}, "scrape_configs": [operator]})
    application = submit_sparkapplication(spark_node, "parts-healthy", "healthy")
    try:
        assert application.wait("COMPLETED") == "COMPLETED"
        assert [state for _, state, _ in application.timeline if state][-2:] == ["RUNNING", "COMPLETED"]
        assert "MARK job2" in application.log()
        count = prometheus.await_series("spark_application_count > 0")
        assert float(count[0]["value"][1]) >= 1
        assert prometheus.await_series("spark_application_success_count > 0")
        exported = prometheus.get("/api/v1/label/__name__/values")["data"]
        known = read_catalogue()
        assert [name for name in exported if name.startswith("spark_") and known.find(name) is None] == []
        seen: dict[str, SloStatus] = {}

        def read() -> bool:
            seen.update({slo.id: slo for slo in asyncio.run(objectives(prometheus.url))})
            return not any("no series" in slo.reason for slo in seen.values() if slo.id != "submission-success")

        wait_until("Console reads the operator's own counters", read, seconds=90)
        assert seen["job-success"].measured_at is not None
        assert "spark_application_success_count" in seen["job-success"].source
    finally:
        application.delete()


async def objectives(url: str) -> tuple[SloStatus, ...]:
    """What Console makes of the operator's counters."""
    server = Reader(UrlEndpoint(url), WallClock())
    try:
        return await SloSource(load_library().preset("spark-jobs").specs(), server).read(time.time())
    finally:
        await server.close()
