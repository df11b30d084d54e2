"""Every shipped component: found in its own world, and not healthy while all is ready but its function is broken."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from console.base.clock import rfc3339
from console.components.judge import judge
from console.components.model import Component
from console.facts.model import SourceState
from console.settings.presets import load_library
from tests.components.worlds import NOW, app, event, facts, log, node, pod, rest, sample, workload

LIBRARY = load_library()
DEFINITIONS = LIBRARY.components


def deployed(name: str, labels: dict[str, str], **over: Any) -> list[Any]:
    """A ready workload with its ready pod."""
    kind = over.pop("kind", "Deployment")
    return [workload(kind, name, labels, **over), pod(name, labels)]


CONNECT = {"app": "spark-connect", "app.kubernetes.io/component": "connect"}
OPERATOR = {"app.kubernetes.io/name": "spark-operator"}
ADMITTED = {"ingress": [{"conditions": [{"type": "Admitted", "status": "True"}]}]}
REFUSED = {"ingress": [{"conditions": [{"type": "Admitted", "status": "False", "reason": "HostAlreadyClaimed"}]}]}
ICEBERG = {"spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog"}
CHART = {"helm.sh/chart": "spark-3.5-0.2.0"}
EXTERNAL = "external-secrets.io/v1"
RULES = "groups:\n- name: g\n  rules:\n  - {alert: Down, expr: up == 0}\n"
RAPIDS = {"spark.plugins": "com.nvidia.spark.SQLPlugin", "spark.rapids.sql.enabled": "true"}


def condition(type: str, status: str) -> dict[str, Any]:
    return {"conditions": [{"type": type, "status": status, "reason": "SecretSyncedError"}]}


def budget(name: str, limit: str) -> Any:
    made = workload("ConfigMap", name, {"app.kubernetes.io/component": "budget", **CHART})
    return replace(made, spec={"data": {"limit": limit, "period": "monthly"}})


def rules(name: str) -> Any:
    made = workload("ConfigMap", name, CHART)
    return replace(made, spec={"content": "rules", "data": {"r.yaml": RULES}})


def connect(version: str, image: str) -> list[Any]:
    return deployed(f"rel-spark-{version}-connect", CONNECT, image=image, probe=True)


WORLD: dict[str, list[Any]] = {
    "connect-35": connect("35", "spark:3.5.7"),
    "connect-41": connect("41", "spark:4.1.0"),
    "standalone-master": deployed("rel-standalone-master", {"app.kubernetes.io/component": "spark-master"}),
    "standalone-worker": deployed("rel-standalone-worker", {"app.kubernetes.io/component": "spark-worker"}),
    "shuffle-service": deployed("shuffle", {"app": "spark-shuffle-service"}, kind="DaemonSet"),
    "spark-operator": deployed("spark-operator-controller", OPERATOR),
    "spark-operator-apache": deployed(
        "spark-kubernetes-operator", {"app.kubernetes.io/name": "spark-kubernetes-operator"}
    ),
    "history-server": deployed("rel-spark-35-history", {"app": "spark-history-server"}),
    "hive-metastore": deployed("rel-hive-metastore", {"app.kubernetes.io/name": "spark-41-hive-metastore"}),
    "postgresql": deployed("rel-spark-base-postgresql", {"app": "postgresql"}, kind="StatefulSet"),
    "minio": deployed("minio", {"app": "minio"}, probe=True),
    "airflow": deployed(
        "rel-standalone-airflow-scheduler", {"app.kubernetes.io/component": "airflow-scheduler"}, probe=True
    ),
    "mlflow": deployed("mlflow", {"app": "mlflow"}, probe=True),
    "jupyter": deployed("rel-spark-41-jupyter", {"app": "jupyter"}, probe=True),
    "celeborn": deployed("rel-celeborn-worker", {"app": "celeborn-worker"}, kind="StatefulSet"),
    "keda": [workload("ScaledObject", "spark-connect-s3-scaler", api="keda.sh/v1alpha1")],
    "iceberg": [app("etl", conf=ICEBERG)],
    "gpu": [node("gpu-01")],
    "gpu-operator": deployed(
        "nvidia-device-plugin-daemonset", {"app": "nvidia-device-plugin-daemonset"}, kind="DaemonSet"
    ),
    "dcgm-exporter": deployed("nvidia-dcgm-exporter", {"app": "nvidia-dcgm-exporter"}, kind="DaemonSet"),
    "rapids": [app("etl-rapids", conf=RAPIDS), pod("etl-rapids", {"sparkoperator.k8s.io/app-name": "etl-rapids"})],
    "openshift-routes": [workload("Route", "rel-history", api="route.openshift.io/v1", status=ADMITTED)],
    "openshift-scc": [
        *deployed("rel-spark-35-connect", {"app": "x"}, annotations={"openshift.io/scc": "restricted-v2"}),
    ],
    "prometheus": deployed("prometheus-k8s", {"app.kubernetes.io/name": "prometheus"}, kind="StatefulSet", probe=True),
    "alertmanager": deployed("alertmanager", {"app.kubernetes.io/name": "alertmanager"}, probe=True),
    "kafka": deployed("kafka", {"app": "kafka"}, probe=True),
    "zookeeper": deployed("zookeeper", {"app": "zookeeper"}, probe=True),
    "kube-state-metrics": deployed(
        "rel-kube-state-metrics", {"app.kubernetes.io/name": "kube-state-metrics"}, probe=True
    ),
    "prometheus-operator": deployed("rel-operator", {"app.kubernetes.io/name": "prometheus-operator"}, probe=True),
    "loki": deployed("loki", {"app": "loki"}, kind="StatefulSet", probe=True),
    "jaeger": deployed("jaeger", {"app": "jaeger"}, probe=True),
    "grafana": deployed("grafana", {"app.kubernetes.io/name": "grafana"}, probe=True),
    "openlineage": deployed("marquez", {"app.kubernetes.io/name": "marquez"}, probe=True),
    "cost-exporter": [workload("CronJob", "spark-cost-exporter", status={"lastSuccessfulTime": rfc3339(NOW - 1800)})],
    "backups": [workload("CronJob", "rel-hive-backup", status={"lastSuccessfulTime": rfc3339(NOW - 7200)})],
    "external-secrets": [workload("ExternalSecret", "s3", api=EXTERNAL, status=condition("Ready", "True"))],
    "dashboards": [workload("ConfigMap", "rel-dashboard-overview", {"grafana_dashboard": "1", **CHART})],
    "budgets": [budget("rel-budget", "9000")],
    "alert-rules": [rules("rel-rules")],
}

BROKEN: dict[str, list[Any]] = {
    "connect-35": [
        log(
            "rel-spark-35-connect",
            "WARN TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI",
        )
    ],
    "connect-41": [
        log(
            "rel-spark-41-connect", 'configmaps is forbidden: User "system:serviceaccount:spark:spark-41" cannot create'
        )
    ],
    "standalone-master": [rest("master", {"aliveworkers": 0, "workers": []})],
    "standalone-worker": [
        log(
            "rel-standalone-worker",
            "Successfully registered with master spark://m:7077",
            "All masters are unresponsive! Giving up.",
        )
    ],
    "shuffle-service": [sample("shuffle-service", "probe", 0)],
    "spark-operator": [app("new", "", age=1200)],
    "spark-operator-apache": [app("new", "Submitted", api="spark.apache.org/v1", age=1200)],
    "history-server": [
        log(
            "rel-spark-35-history",
            "FileNotFoundException: Log directory specified does not exist: s3a://spark-logs/4.1/events",
        )
    ],
    "hive-metastore": [
        log("rel-hive-metastore", "org.postgresql.util.PSQLException: The authentication type 10 is not supported.")
    ],
    "postgresql": [sample("postgresql", "answers", 0)],
    "minio": [sample("minio", "cluster-health", 0)],
    "airflow": [sample("airflow", "heartbeat", 0)],
    "mlflow": [log("mlflow", "sqlalchemy.exc.OperationalError: could not connect to server")],
    "jupyter": [log("rel-spark-41-jupyter", "[W] KernelRestarter: restart failed")],
    "celeborn": [sample("celeborn", "workers", 0)],
    "keda": [
        workload(
            "ScaledObject",
            "spark-connect-s3-scaler",
            api="keda.sh/v1alpha1",
            status={"conditions": [{"type": "Ready", "status": "False", "reason": "ScaledObjectCheckFailed"}]},
        )
    ],
    "iceberg": [
        pod("etl", {"sparkoperator.k8s.io/app-name": "etl"}),
        log("etl", "org.apache.iceberg.exceptions.CommitFailedException: Cannot commit"),
    ],
    "gpu": [node("gpu-02", allocatable=7)],
    "gpu-operator": [sample("gpu-operator", "devices", 0)],
    "dcgm-exporter": [sample("dcgm-exporter", "series", math.nan)],
    "rapids": [log("etl-rapids", "java.lang.ClassNotFoundException: com.nvidia.spark.SQLPlugin")],
    "openshift-routes": [workload("Route", "rel-jupyter", api="route.openshift.io/v1", status=REFUSED)],
    "openshift-scc": [
        event(
            "ReplicaSet",
            "rel-spark-35-history-5d9",
            "FailedCreate",
            'Error creating: pods "h-" is forbidden: unable to validate against any security context constraint',
        )
    ],
    "prometheus": [SourceState("prometheus", "unreachable", "no answer in 10 s")],
    "alertmanager": [sample("alertmanager", "notifications", 0.1)],
    "kafka": [log("kafka", "kafka.zookeeper.ZooKeeperClientTimeoutException: Timed out waiting for connection")],
    "zookeeper": [log("zookeeper", "WARN [QuorumPeer] Exception when following the leader java.net.SocketException")],
    "kube-state-metrics": [sample("kube-state-metrics", "series", 0)],
    "prometheus-operator": [sample("prometheus-operator", "rejected", 2)],
    "loki": [sample("loki", "lines", 0)],
    "jaeger": [sample("jaeger", "dropped", 3.5)],
    "grafana": [sample("grafana", "datasource-errors", 0.2)],
    "openlineage": [sample("openlineage", "probe", 0)],
    "cost-exporter": [workload("CronJob", "eu-cost-exporter", status={"lastSuccessfulTime": rfc3339(NOW - 5 * 3600)})],
    "backups": [workload("CronJob", "rel-minio-backup", status={"lastSuccessfulTime": rfc3339(NOW - 40 * 3600)})],
    "external-secrets": [workload("SecretStore", "vault", api=EXTERNAL, status=condition("Ready", "False"))],
    "dashboards": [workload("Deployment", "grafana", {"app.kubernetes.io/name": "grafana"}, ready=0)],
    "budgets": [budget("rel-nothing", "0")],
    "alert-rules": deployed("prometheus", {"app": "prometheus"}, ready=0),
}


def one(id: str, *things: Any) -> Component:
    found = {component.id: component for component in judge(facts(*things), DEFINITIONS.values())}
    assert id in found, f"{id} was not found; found: {sorted(found)}"
    return found[id]


def test_every_component_has_a_world() -> None:
    assert set(WORLD) == set(BROKEN) == set(DEFINITIONS)


@pytest.mark.parametrize("id", sorted(WORLD))
def test_it_is_found_in_its_own_world_and_only_it(id: str) -> None:
    found = judge(facts(*WORLD[id]), DEFINITIONS.values())
    assert [component.id for component in found] == [id]
    assert found[0].state in ("healthy", "unknown")


@pytest.mark.parametrize("id", sorted(BROKEN))
def test_ready_replicas_do_not_make_it_healthy_while_its_function_is_broken(id: str) -> None:
    component = one(id, *WORLD[id], *BROKEN[id])
    assert component.state in ("degraded", "down"), (component.state, component.reason)
    assert component.reason
    assert component.evidence and all(item.excerpt and item.locator for item in component.evidence)


def replicated(id: str) -> list[Any]:
    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    return [thing for thing in WORLD[id] if getattr(thing, "kind", "") in kinds and DEFINITIONS[id].replicas]


@pytest.mark.parametrize("id", [id for id in sorted(WORLD) if replicated(id)])
def test_replicas_that_are_not_ready_are_never_healthy(id: str) -> None:
    thing = replicated(id)[0]
    image = "spark:4.1.0" if id == "connect-41" else "spark:3.5.7"
    assert one(id, workload(thing.kind, thing.name, dict(thing.labels), ready=0, image=image)).state == "down"


def test_where_no_signal_says_anything_it_is_unknown() -> None:
    component = one("history-server", *WORLD["history-server"])
    assert (component.state, component.reason) == (
        "unknown",
        "the replicas are ready, but nothing says whether it works",
    )


def test_a_good_line_after_a_bad_one_lifts_it() -> None:
    lines = (
        "Initial job has not accepted any resources",
        "Registered executor NettyRpcEndpointRef(spark-client://Executor)",
    )
    component = one("connect-41", *WORLD["connect-41"], log("rel-spark-41-connect", *lines))
    assert component.state == "healthy"


def test_one_release_of_two_that_is_down_makes_it_degraded() -> None:
    second = workload("Deployment", "other-spark-41-connect", CONNECT, ready=0, image="spark:4.1.0")
    component = one("connect-41", *WORLD["connect-41"], second)
    assert component.state == "degraded"
    assert "other-spark-41-connect" in component.reason


def test_two_releases_that_select_each_others_pods_are_told_apart() -> None:
    crashing = pod("rel-spark-35-connect", CONNECT, ready=False, waiting="CrashLoopBackOff")
    things = [WORLD["connect-35"][0], crashing, *WORLD["connect-41"]]
    assert one("connect-35", *things).state == "down"
    assert one("connect-41", *things).state == "healthy"


def test_the_trouble_of_a_store_is_the_trouble_of_those_that_need_it() -> None:
    down = workload("StatefulSet", "rel-spark-base-postgresql", {"app": "postgresql"}, ready=0)
    component = one("hive-metastore", *WORLD["hive-metastore"], down)
    assert component.state == "down"
    assert component.reason.startswith("its database is in trouble: PostgreSQL is down")


def test_a_sealed_secret_that_cannot_be_opened_is_told() -> None:
    sealed = workload("SealedSecret", "db", api="bitnami.com/v1alpha1", status=condition("Synced", "False"))
    component = one("external-secrets", sealed)
    assert (component.state, component.reason.split(" (")[0]) == ("degraded", "a sealed Secret cannot be opened")


def test_part_of_is_not_looked_at() -> None:
    stray = workload("Deployment", "anything", {"app.kubernetes.io/part-of": "spark-k8s"})
    assert judge(facts(stray), DEFINITIONS.values()) == ()


def test_plain_manifests_without_a_chart_are_found_by_the_label_that_they_have() -> None:
    """`app: postgres` beside `app: kafka`, as hand-written manifests say it."""
    things = deployed("db", {"app": "postgres"}, probe=True)
    assert one("postgresql", *things).state == "healthy"


def test_a_hadoop_catalog_needs_no_metastore_and_nothing_of_another_namespace() -> None:
    down = workload("Deployment", "rel-hive-metastore", {"app": "hive-metastore"}, ready=0)
    for type, state in (("hadoop", "unknown"), ("hive", "degraded")):
        conf = {**ICEBERG, "spark.sql.catalog.lake.type": type}
        assert one("iceberg", app("etl", conf=conf), down).state == state
    elsewhere = workload("Deployment", "rel-hive-metastore", {"app": "hive-metastore"}, ready=0, namespace="other")
    assert (
        one("iceberg", app("etl", conf={**ICEBERG, "spark.sql.catalog.lake.type": "hive"}), elsewhere).state
        == "unknown"
    )
    named = {
        **ICEBERG,
        "spark.sql.catalog.lake.type": "hive",
        "spark.hadoop.hive.metastore.uris": "thrift://m.other:9083",
    }
    assert one("iceberg", app("etl", conf=named), elsewhere).state == "degraded"


def test_a_backup_that_is_not_due_yet_has_not_failed() -> None:
    young = workload("CronJob", "rel-hive-backup")
    assert one("backups", replace(young, created=NOW - 3600)).state == "unknown"
    assert one("backups", replace(young, created=NOW - 200_000)).state == "down"


def test_of_a_long_line_that_part_is_quoted_which_tells() -> None:
    line = "26/01/03 10:28:13 INFO KubernetesClusterSchedulerBackend$DriverEndpoint: Registered executor x with ID 1"
    server = workload("Deployment", "rel-spark-41-connect", CONNECT, image="spark:4.1.0")
    component = one("connect-41", server, pod("rel-spark-41-connect", CONNECT), log("rel-spark-41-connect", line))
    assert component.reason == "its log says '…Registered executor x with ID 1'"
    assert component.evidence[0].excerpt == line
