"""Monitoring that is blind on real parts: Prometheus, kube-state-metrics and an API server, each with known faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from msgspec.structs import replace

from console.base.clock import WallClock
from console.components.judge import judge
from console.facts.model import Facts
from console.facts.monitoring import Monitoring
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from console.findings.of_components import findings_of_components
from console.findings.rules.monitoring import scraping
from console.settings.presets import load_library
from console.sources.files.runbooks import read_catalogue
from console.sources.prometheus import monitoring as module
from console.sources.prometheus.client import Prometheus as Reader
from console.sources.prometheus.monitoring import MonitoringSource
from console.sources.prometheus.scrape_objects import ScrapeObjects
from console.wire.config import ContextRef
from console.wire.connection import Connection
from console.wire.endpoint import UrlEndpoint
from tests.cluster.controlplane import ControlPlane, KubeApi
from tests.cluster.inventory import CONTROL_PLANE
from tests.cluster.monitoring import KubeStateMetrics, Prometheus
from tests.cluster.parts import require_parts
from tests.cluster.processes import free_port, wait_until
from tests.components.test_applied import facts_when, watched
from tests.monitoring.worlds import RULES, written
from tests.slo.history import served

pytestmark = [pytest.mark.parts, pytest.mark.xdist_group("monitoring")]

SPECS = load_library().preset("spark-jobs").specs()
KEPT = "pods=[spark-role,spark-app-selector,spark-app-name,sparkoperator.k8s.io/app-name]"
GROUP = "monitoring.coreos.com"
KINDS = ("ServiceMonitor", "PodMonitor", "PrometheusRule")
HOUR = 3600.0
CONNECT = "rel-spark-41-connect"


TEN_MINUTES = scraping.YOUNG


class Blind(NamedTuple):
    """A cluster with one Spark driver, and a Prometheus whose monitoring has faults."""

    kube: KubeApi
    namespace: str
    dead: str
    server: Prometheus
    without: Prometheus


def crd(kind: str) -> dict[str, Any]:
    names = {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower(), "listKind": f"{kind}List"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def fill(kube: KubeApi, namespace: str) -> None:
    """A running driver, a Service without pods, and objects of the Prometheus operator."""
    for kind in KINDS:
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        if kube.find(f"{path}/{kind.lower()}s.{GROUP}") is None:
            kube.create(path, crd(kind))
        listed = f"/apis/{GROUP}/v1/namespaces/{namespace}/{kind.lower()}s"
        wait_until(f"{kind} is served", lambda listed=listed: kube.serves(listed), seconds=30)  # type: ignore[misc]
    container = {"name": "spark-kubernetes-driver", "image": "spark:4.1.4"}
    labels = {"spark-role": "driver", "spark-app-selector": "spark-1"}
    pods = f"/api/v1/namespaces/{namespace}/pods"
    spec = {"containers": [container], "automountServiceAccountToken": False}
    kube.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "etl-driver", "labels": labels},
                       "spec": spec})  # fmt: skip
    server = {"app": "spark-connect", "app.kubernetes.io/component": "connect"}
    main = {"containers": [{"name": "main", "image": "spark:4.1.0"}], "automountServiceAccountToken": False}
    body = {
        "replicas": 1,
        "selector": {"matchLabels": server},
        "template": {"metadata": {"labels": server}, "spec": main},
    }
    deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    kube.create(deployments, {"apiVersion": "apps/v1", "kind": "Deployment",
                              "metadata": {"name": CONNECT, "labels": server}, "spec": body})  # fmt: skip
    kube.merge(
        f"{deployments}/{CONNECT}/status", {"status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}}
    )
    kube.create(pods, {"apiVersion": "v1", "kind": "Pod",
                       "metadata": {"name": f"{CONNECT}-7f9c4-abcde", "labels": server}, "spec": main})  # fmt: skip
    state = {**container, "imageID": "x", "ready": True, "restartCount": 0, "state": {"running": {}}}
    ready = {"type": "Ready", "status": "True"}
    kube.merge(f"{pods}/etl-driver/status",
               {"status": {"phase": "Running", "containerStatuses": [state], "conditions": [ready]}})  # fmt: skip
    kube.merge(f"{pods}/{CONNECT}-7f9c4-abcde/status", {"status": {"phase": "Running", "conditions": [ready]}})
    port = {"name": "metrics", "port": 4040}
    kube.create(
        f"/api/v1/namespaces/{namespace}/services",
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "connect", "labels": {"app": "spark-connect"}},
         "spec": {"selector": {"app": "spark-connect"}, "ports": [port]}},
    )  # fmt: skip
    monitors = {
        "connect": {"selector": {"matchLabels": {"app": "spark-connect"}}, "endpoints": [{"port": "metrics"}]},
        "nothing": {"selector": {"matchLabels": {"app": "spark"}}, "endpoints": [{"port": "metrics"}]},
        "port": {"selector": {"matchLabels": {"app": "spark-connect"}}, "endpoints": [{"port": "http"}]},
    }
    objects = [("ServiceMonitor", name, spec) for name, spec in monitors.items()]
    roles = {"selector": {"matchLabels": {"spark-role": "driver"}}, "podMetricsEndpoints": [{"port": "metrics"}]}
    chained = {"groups": [{"name": "g", "rules": [{"alert": "Elevated", "expr": "> 0.02 and < 0.05"}]}]}
    objects += [("PodMonitor", "drivers", roles), ("PrometheusRule", "spark", chained)]
    for kind, name, body in objects:
        made = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, "spec": body}
        kube.create(f"/apis/{GROUP}/v1/namespaces/{namespace}/{kind.lower()}s", made)


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blind]:
    """History up to now, then a real server that scrapes: a dead target, one that is scraped too seldom, a rule that
    fails, and rules on series and jobs that do not exist."""
    require_parts(*CONTROL_PLANE, "kube-state-metrics", "prometheus", "promtool")
    folder = tmp_path_factory.mktemp("blind")
    plane = ControlPlane(folder / "control-plane")  # of its own: its node is no business of other tests
    kube_api = KubeApi(plane.start())
    namespace = kube_api.new_namespace("monitored")
    fill(kube_api, namespace)
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{namespace}"}}
    kube_api.create("/api/v1/nodes", node)
    pressure = {"type": "MemoryPressure", "status": "False"}
    kube_api.merge(f"/api/v1/nodes/node-{namespace}/status", {"status": {"conditions": [pressure]}})
    exporters = [
        KubeStateMetrics(folder / name, kube_api.kubeconfig, labels=labels, namespaces=namespace)
        for name, labels in (("a", KEPT), ("b", ""))
    ]
    dead, end = f"127.0.0.1:{free_port()}", time.time()
    known = f"127.0.0.1:{exporters[0].port}"
    mine = {"namespace": namespace, "pod": f"{CONNECT}-7f9c4-abcde"}
    of_pod = "".join(f',{key}="{value}"' for key, value in mine.items())
    past = {
        f'up{{job="connect-ui",instance="{dead}"{of_pod}}}': lambda at: float(at < end - HOUR),
        f'up{{job="seldom",instance="{known}"}}': lambda at: 1.0 if at % 180 < 30 else None,
        'up{job="spark-operator",instance="operator:8080"}': lambda _: 1.0,
        'spark_application_count{job="spark-operator"}': lambda at: at - end + 2 * HOUR,
        'spark_executor_running_count{job="spark-operator"}': lambda _: 2.0,
    }
    broken = {"name": "broken", "interval": "1s", "rules": [{"alert": "ManyToMany", "expr": "up * on () up > 0"}]}
    servers = []
    for name, exporter in zip("ab", exporters, strict=True):
        rules = folder / f"{name}.rules.yaml"
        rules.write_text(yaml.safe_dump({"groups": [*yaml.safe_load(RULES.read_text())["groups"], broken]}))
        jobs = [("kube-state-metrics", f"127.0.0.1:{exporter.port}", "1s"), ("connect-ui", dead, "1s")]
        jobs += [("seldom", known, "30s")] if name == "a" else []  # the other has none but its own exporter
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [
                {"job_name": job, "scrape_interval": every, "scrape_timeout": "1s", "honor_labels": True,
                 "static_configs": [{"targets": [target], "labels": mine if target == dead else {}}]}
                for job, target, every in jobs
            ],
        }  # fmt: skip
        servers.append(served(folder / f"prometheus-{name}", past, end - 2 * HOUR, end, 30.0, config))
    for server in servers:
        server.await_series('kube_pod_container_info{pod="etl-driver"}')
        wait_until("the rules are evaluated", lambda s=server: failed(s), seconds=30)  # type: ignore[misc]
        wait_until("the dead target was tried", lambda s=server: tried(s, dead), seconds=30)  # type: ignore[misc]
    yield Blind(kube_api, namespace, dead, *servers)
    for part in (*servers, *exporters, plane):
        part.stop()


def tried(server: Prometheus, address: str) -> bool:
    targets = server.get("/api/v1/targets")["data"]["activeTargets"]
    return any(target["lastError"] for target in targets if address in target["scrapeUrl"])


def failed(server: Prometheus) -> bool:
    groups = server.get("/api/v1/rules")["data"]["groups"]
    health = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
    return health.get("ManyToMany") == "err" and "unknown" not in health.values()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is looked up at once, and objects have no time to become effective."""
    monkeypatch.setattr(module, "MAX_LOOKUPS", 30)
    monkeypatch.setattr(scraping, "YOUNG", 0.0)


async def read(blind: Blind, server: Prometheus) -> tuple[Monitoring, dict[str, Finding]]:
    connection = await Connection.open(ContextRef(kubeconfig=str(blind.kube.kubeconfig)))
    prometheus = Reader(UrlEndpoint(server.url), WallClock())
    source = MonitoringSource(prometheus, SPECS, read_catalogue(), ScrapeObjects(connection.reader))
    seen = await source.read(time.time())
    await prometheus.close()
    await connection.close()
    assert seen is not None and not seen.unread
    return seen, {one.key: one for one in diagnose(Facts(at=seen.at, monitoring=seen), ())}


async def test_every_fault_is_found_and_nothing_else(blind: Blind) -> None:
    seen, found = await read(blind, blind.server)
    here = blind.namespace
    said: dict[str, str] = {}
    for key, finding in found.items():
        word = {"monitoring-series-missing": "missing", "monitoring-selector-empty": "empty"}.get(finding.code)
        if word is not None:
            said |= dict.fromkeys(finding.data.rules, word)
        else:
            assert here in key or not key.partition("@")[2].startswith(tuple(KINDS)), key
    assert {rule.name: said.get(rule.name, "no") for rule, _ in written()} == {r.name: what for r, what in written()}
    others = {key for key, f in found.items() if not f.code.startswith(("monitoring-series", "monitoring-selector"))}
    assert others == {
        "monitoring-rule-error@RuleGroupFigures//broken",
        "monitoring-target-down@ScrapeJob//connect-ui",
        "monitoring-scrape-gap@ScrapeJob//seldom",
        f"monitoring-no-endpoints@ServiceMonitor/{here}/connect",
        f"monitoring-selects-nothing@ServiceMonitor/{here}/nothing",
        f"monitoring-port-missing@ServiceMonitor/{here}/port",
        f"monitoring-port-missing@PodMonitor/{here}/drivers",
        f"monitoring-rule-invalid@PrometheusRule/{here}/spark",
    }
    failing = found["monitoring-rule-error@RuleGroupFigures//broken"]
    assert "duplicate series" in failing.evidence[0].excerpt
    down = found["monitoring-target-down@ScrapeJob//connect-ui"]
    assert down.evidence[0].locator == f"http://{blind.dead}/metrics" and "refused" in down.evidence[0].excerpt
    assert down.since is not None and seen.at - down.since == pytest.approx(HOUR, abs=300)


async def test_young_monitors_are_not_judged_yet_and_rules_that_are_no_promql_are(
    blind: Blind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scraping, "YOUNG", TEN_MINUTES)
    _, found = await read(blind, blind.server)
    of_here = {key.partition("@")[0] for key in found if blind.namespace in key}
    assert of_here == {"monitoring-rule-invalid"}


async def test_a_ready_server_that_does_not_answer_prometheus_is_degraded_since_it_last_did(blind: Blind) -> None:
    seen, _ = await read(blind, blind.server)
    async with watched(blind.kube.kubeconfig, blind.namespace) as source:
        facts = await facts_when(source, lambda f: any(pod.name.startswith(CONNECT) for pod in f.pods))
    judged = {one.id: one for one in judge(replace(facts, monitoring=seen), load_library().components.values())}
    connect = judged["connect-41"]
    assert (connect.state, connect.troubles[0].cause) == ("degraded", "silent")
    assert f"is ready and silent: http://{blind.dead}/metrics does not answer Prometheus" in connect.reason
    (told,) = (one for one in findings_of_components([connect], ()) if one.code == "component-degraded")
    assert told.subject == f"Deployment/{blind.namespace}/{CONNECT}"
    assert told.since is not None and seen.at - told.since == pytest.approx(HOUR, abs=300)


async def test_the_allow_list_of_pod_labels_decides_whether_they_are_kept(blind: Blind) -> None:
    (with_list, found), (without, blank) = await read(blind, blind.server), await read(blind, blind.without)
    assert with_list.pod_labels is not None and with_list.pod_labels.spark >= 1, "other tests have pods there, too"
    assert without.pod_labels is not None and without.pod_labels.containers >= 1 and without.pod_labels.spark == 0
    key = "monitoring-pod-labels@Exporter//kube-state-metrics"
    assert key not in found
    assert "--metric-labels-allowlist=pods=[spark-role" in blank[key].detail


async def test_what_a_viewer_may_not_read_is_said_and_accuses_nobody(blind: Blind) -> None:
    connection = await Connection.open(ContextRef(kubeconfig=str(blind.kube.viewer.kubeconfig)))
    objects, unread = await ScrapeObjects(connection.reader).read()
    await connection.close()
    assert objects is not None and objects.monitors == ()
    assert {what for what, _ in unread} == set(KINDS)
