"""What stands beside components is read and judged: policies, endpoints, Jobs, secrets of operators."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.cli.board.status import status_text
from console.cli.main import run
from console.drill.kube.access import DenyRule
from console.findings.rules.monitoring import scraping
from console.rehearse.playing import Rehearsal
from tests.components.release import Release

CONNECT = {"app": "spark-connect", "app.kubernetes.io/component": "connect"}
DENY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
WIDE = {
    "podSelector": {"matchLabels": {"app": "spark-connect"}}, "policyTypes": ["Ingress"],
    "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"namespace": "spark"}}}]}],
}  # fmt: skip
PORT = {"port": 15002, "targetPort": "grpc"}


@pytest.fixture(scope="module")
def drill() -> Iterator[Rehearsal]:
    with Rehearsal("spark-oom", "healthy", step=True) as rehearsal:
        yield rehearsal


def closed(drill: Rehearsal, namespace: str) -> Release:
    """A Connect server that is ready, behind a Service without endpoints and policies without rules for executors."""
    release = Release(drill, namespace)
    release.workload("rel-spark-41-connect", CONNECT, image="spark:4.1.0")
    release.apply("Service", "rel-spark-41-connect", {"spec": {"selector": CONNECT, "ports": [PORT]}})
    named: dict[str, str] = {"kubernetes.io/service-name": "rel-spark-41-connect"}
    slice_: dict[str, Any] = {"addressType": "IPv4", "endpoints": [], "ports": []}
    release.apply("EndpointSlice", "rel-spark-41-connect-x1", slice_, labels=named)
    release.apply("NetworkPolicy", "default-deny", {"spec": DENY})
    release.apply("NetworkPolicy", "connect-ingress", {"spec": WIDE})
    pod = {
        "restartPolicy": "Never",
        "containers": [{"name": "mc", "image": "mc", "envFrom": [{"secretRef": {"name": "s3"}}]}],
    }
    release.apply("Job", "init-buckets", {"spec": {"template": {"spec": pod}}})
    reason = {"type": "Ready", "status": "False", "reason": "SecretSyncedError", "message": "store is not ready"}
    release.apply("ExternalSecret", "s3", {"spec": {"secretStoreRef": {"name": "vault", "kind": "SecretStore"}}},
                  status={"conditions": [reason]})  # fmt: skip
    return release


def test_what_closes_a_platform_while_every_replica_is_ready_stands_on_the_first_page(drill: Rehearsal) -> None:
    release = closed(drill, "closed-off")
    situation = release.looked()
    found = {f"{f.code} {f.subject}": f.title for f in situation.board.findings}
    assert found == {
        "component-down Deployment/closed-off/rel-spark-41-connect": "Spark Connect 4.1 is down: Service "
        "rel-spark-41-connect has no ready endpoints, while 1 replica of rel-spark-41-connect is ready",
        "network-policy-blocks Deployment/closed-off/rel-spark-41-connect": "NetworkPolicies of closed-off stop "
        "executors to the driver of rel-spark-41-connect on 7078: sessions get no executors",
        "network-policy-selects-nothing NetworkPolicy/closed-off/connect-ingress": "NetworkPolicy "
        "closed-off/connect-ingress admits namespaces with namespace=spark, and no namespace has it",
        "reference-missing Secret/closed-off/s3": "no Secret s3, which Job init-buckets names",
        "reference-missing SecretStore/closed-off/vault": "no SecretStore vault, which ExternalSecret s3 names",
        "component-degraded ExternalSecret/closed-off/s3": "External secret sync is degraded: a Secret is not "
        "made, or its store cannot be read (s3: False)",
    }  # fmt: skip
    board = situation.board
    assert board.verdict == "DEGRADED" and "Spark Connect 4.1 is down" in board.because
    assert "stop executors to the driver" in status_text(situation)
    secret = next(f for f in board.findings if f.subject == "Secret/closed-off/s3")
    assert "ExternalSecret s3 is to make it: SecretSyncedError store is not ready" in secret.detail


def test_of_policies_and_endpoints_that_may_not_be_read_nothing_is_said_but_that(drill: Rehearsal) -> None:
    release = closed(drill, "unreadable")
    drill.session.deny(DenyRule(resources=("networkpolicies", "endpointslices"), namespaces=("unreadable",)))
    situation = release.looked()
    assert not {f.code for f in situation.board.findings} & {
        "component-down", "network-policy-blocks", "network-policy-selects-nothing",
    }  # fmt: skip


PANELS = '{"title": "Jobs", "schemaVersion": 39, "panels": [{"type": "graph"}]}'
TORN = "groups:\n- name: slo\n  rules:\n  - {alert: Fine, expr: up == 0}\n  - {alert: Elevated, expr: up > 1 and < 5}\n"
SOUND = "groups:\n- name: budget\n  rules:\n  - {alert: Spent, expr: spend_total > 5}\n"


def plain(apply: Callable[[str, dict[str, str], dict[str, str]], None]) -> None:
    """ConfigMaps as hand-written manifests have them: no label of a chart, and some that are no business of ours."""
    apply("spark-overview", {}, {"spark-overview.json": PANELS})
    apply("by-label", {"grafana_dashboard": "1"}, {"a.json": "{}"})
    apply("by-other-label", {"grafana.dashboard": "1"}, {"a.json": "{}"})
    apply("team-limits", {"team": "etl"}, {"limit": "0", "period": "monthly", "budget.txt": ""})
    apply("platform-rules", {"prometheus": "k8s", "role": "alert-rules"}, {"platform.yaml": TORN})
    apply("prometheus-budget-rules", {}, {"budget-alerts.yaml": SOUND})
    apply("spark-config", {}, {"spark-defaults.conf": "spark.master spark://nowhere:7077\n"})
    apply("kube-root-ca.crt", {}, {"ca.crt": "x"})
    apply("shop", {}, {"shop.json": '{"price": 1}'})


PLAIN = {
    "component-degraded ConfigMap/{0}/team-limits",
    "component-degraded ConfigMap/{0}/platform-rules",
    "monitoring-rule-invalid ConfigMap/{0}/platform-rules",
    "monitoring-rules-not-mounted ConfigMap/{0}/platform-rules",
    "monitoring-rules-not-mounted ConfigMap/{0}/prometheus-budget-rules",
    "reference-missing Service/{0}/nowhere",
}


def test_configmaps_without_a_chart_are_seen_by_what_they_hold(drill: Rehearsal) -> None:
    release = Release(drill, "plain")
    release.workload("rel-spark-41-connect", CONNECT, image="spark:4.1.0")
    plain(lambda name, labels, data: release.apply("ConfigMap", name, {"data": data}, labels=labels))
    board = release.looked().board
    found = {one.id: {key.rpartition("/")[2] for key in one.found} for one in board.components}
    assert found["dashboards"] == {"spark-overview", "by-label", "by-other-label"}
    assert found["budgets"] == {"team-limits"}
    assert found["alert-rules"] == {"platform-rules", "prometheus-budget-rules"}
    assert {f"{f.code} {f.subject}" for f in board.findings} == {one.format("plain") for one in PLAIN}
    (torn,) = (f for f in board.findings if f.code == "monitoring-rule-invalid")
    (rules,) = (f for f in board.findings if f.title.startswith("Alert rules is degraded: rules are no PromQL"))
    assert torn.key in rules.causes
    assert torn.title == "ConfigMap plain/platform-rules: Elevated is no PromQL"
    assert torn.evidence[0].excerpt == "at 1:12 '<' has nothing on its left: up > 1 and < 5"


def test_monitors_and_rules_that_reach_nothing_are_told_and_young_ones_are_not_judged_yet(
    drill: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Release(drill, "monitored")
    release.workload("rel-spark-41-connect", CONNECT, image="spark:4.1.0")
    monitor = {"selector": {"matchLabels": {"app": "nobody"}}, "endpoints": [{"port": "metrics"}]}
    release.apply("ServiceMonitor", "spark-connect", {"spec": monitor})
    release.apply("PrometheusRule", "platform", {"spec": yaml.safe_load(TORN)})

    def told() -> dict[str, str]:
        found = release.looked().board.findings
        return {f.code: f.title for f in found if f.code.startswith("monitoring") and "/monitored/" in f.subject}

    torn = {"monitoring-rule-invalid": "PrometheusRule monitored/platform: Elevated is no PromQL"}
    assert told() == torn
    monkeypatch.setattr(scraping, "YOUNG", 0.0)
    lonely = "ServiceMonitor monitored/spark-connect selects no Service"
    assert told() == {**torn, "monitoring-selects-nothing": lonely}


def test_default_credentials_are_told_of_a_namespace_without_a_spark_pod(
    drill: Rehearsal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = Release(drill, "store")
    give_away(release)
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    credentials_are_told(release, drill.session.kubeconfig, capsys)


def give_away(release: Release) -> None:
    """Default credentials in a workload, in a ConfigMap and in an application that has no pod yet."""
    root = {"env": [{"name": "MINIO_ROOT_PASSWORD", "value": "minioadmin"}]}
    release.workload("minio", {"app": "minio"}, image="minio/minio:1", main=root)
    lines = "spark.hadoop.fs.s3a.access.key minioadmin\nspark.hadoop.fs.s3a.secret.key minioadmin\n"
    release.apply("ConfigMap", "spark-config", {"data": {"spark-defaults.conf": lines}})
    spec = {"type": "Scala", "mode": "cluster", "sparkVersion": "4.1.4", "mainApplicationFile": "local:///job.jar",
            "sparkConf": {"spark.hadoop.fs.s3a.secret.key": "minioadmin"}, "executor": {},
            "driver": {"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "minioadmin"}]}}  # fmt: skip
    release.apply("SparkApplication", "etl", {"spec": spec})


def credentials_are_told(release: Release, kubeconfig: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--kubeconfig", str(kubeconfig), "-n", release.namespace, "--fail-on", "high"]
    assert run(["advise", *where, "-o", "json"]) == 1
    said = capsys.readouterr().out
    items = [item for item in json.loads(said)["items"] if item["id"].startswith("credential-in-")]
    assert {(item["subject"].replace(f"/{release.namespace}/", "/"), item["about"]) for item in items} == {
        ("Deployment/minio", "MINIO_ROOT_PASSWORD"),
        ("ConfigMap/spark-config", "spark.hadoop.fs.s3a.access.key"),
        ("ConfigMap/spark-config", "spark.hadoop.fs.s3a.secret.key"),
        ("SparkApplication/etl", "spark.hadoop.fs.s3a.secret.key"),
        ("SparkApplication/etl", "driver AWS_SECRET_ACCESS_KEY"),
    }
    assert "minioadmin" not in said.replace("such as minioadmin", "")
