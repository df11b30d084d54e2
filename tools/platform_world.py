"""A release of the platform's charts in the simulated cluster that is ready on paper and closed in fact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from msgspec import structs

from console.live import Pace
from console.live.plan import Plan
from console.rehearse.playing import Rehearsal
from tests.components.release import Release

NAMESPACE = "analytics"
CONNECT = {"app": "spark-connect", "app.kubernetes.io/component": "connect"}
CHART = {"helm.sh/chart": "spark-4.1-0.1.0"}
CONF = """spark.master=k8s://https://kubernetes.default.svc:443
spark.eventLog.dir=s3a://spark-logs/events
spark.sql.catalog.lake.type=hadoop
"""
RULES = """groups:
  - name: platform
    rules:
      - alert: JobsFail
        expr: failed_jobs / jobs > 0.02 and < 0.05
"""
BUDGET = """groups:
  - name: budget
    rules:
      - alert: BudgetSpent
        expr: spend_total / budget_total > 1
"""


def plan_of(rehearsal: Rehearsal, pace: Pace) -> Plan:
    """Apply the release; the plan that looks at its namespace only."""
    release = Release(rehearsal, NAMESPACE)
    container: dict[str, Any] = {"env": [{"name": "S3_ENDPOINT", "value": "http://minio:9000"},
                                         {"name": "AWS_SECRET_ACCESS_KEY", "value": "minioadmin"}]}  # fmt: skip
    release.workload("rel-spark-41-connect", {**CONNECT, **CHART}, image="spark:4.1.0", main=container)
    release.apply("ConfigMap", "rel-connect-config", {"data": {"spark.conf": CONF}}, labels=CHART)
    port = {"port": 15002, "targetPort": "grpc"}
    release.apply("Service", "rel-spark-41-connect", {"spec": {"selector": CONNECT, "ports": [port]}})
    named = {"kubernetes.io/service-name": "rel-spark-41-connect"}
    ready = [{"addresses": ["10.0.0.7"], "conditions": {"ready": True}}]
    slice_ = {"addressType": "IPv4", "endpoints": ready, "ports": [{"port": 15002}]}
    release.apply("EndpointSlice", "rel-spark-41-connect-x1", slice_, labels=named)
    release.apply("NetworkPolicy", "default-deny", {"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}})
    release.workload("rel-spark-41-jupyter", {"app": "jupyter"}, image="jupyter:4.1.0")
    metastore = {"app.kubernetes.io/name": "spark-41-hive-metastore"}
    release.workload("rel-hive-metastore", metastore, ready=0)
    release.pod("rel-hive-metastore-7f9c4-abcde", "rel-hive-metastore-7f9c4", metastore, restarts=14,
                waiting="CrashLoopBackOff")  # fmt: skip
    store = {"spec": {"secretStoreRef": {"name": "vault", "kind": "SecretStore"}}}
    unready = {"type": "Ready", "status": "False", "reason": "SecretSyncedError"}
    release.apply("ExternalSecret", "s3-credentials", store, status={"conditions": [unready]})
    release.apply("ConfigMap", "platform-rules", {"data": {"platform.yaml": RULES}})
    release.apply("ConfigMap", "budget-rules", {"data": {"budget.yaml": BUDGET}})
    release.apply("ConfigMap", "spark-overview", {"data": {"overview.json": '{"panels": []}'}})
    plan = rehearsal.plan(pace=pace)
    return replace(plan, ref=structs.replace(plan.ref, namespace=NAMESPACE))
