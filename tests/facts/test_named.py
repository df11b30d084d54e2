"""What objects name and is not there: one rule, kinds are data. Jobs, applications, catalogs and buckets among them."""

from __future__ import annotations

from typing import Any

import pytest

from console.facts.model import Facts, Workload
from console.facts.references import missing, references
from console.facts.storage_names import missing_storage
from console.findings.diagnose import diagnose
from tests.components.worlds import NOW, conf, facts, workload

PARTS: dict[str, Any] = {
    "containers": [{"name": "main", "envFrom": [{"secretRef": {"name": "db"}}]}],
    "initContainers": [{"name": "first", "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf"}}}]}],
    "volumes": [
        {"persistentVolumeClaim": {"claimName": "data"}},
        {"projected": {"sources": [{"secret": {"name": "token"}}, {"configMap": {"name": "ca", "optional": True}}]}},
    ],
    "serviceAccountName": "runner",
}
NAMED = {"Secret/spark/db", "ConfigMap/spark/conf", "PersistentVolumeClaim/spark/data", "Secret/spark/token",
         "ServiceAccount/spark/runner"}  # fmt: skip


def job(spec: dict[str, Any], **over: Any) -> Workload:
    return workload("Job", "init", api="batch/v1", spec={"template": {"spec": spec}}, **over)


def targets(*things: Any) -> set[str]:
    return {one.target for one in references(facts(*things))}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"])
def test_every_workload_names_what_its_pods_need(kind: str) -> None:
    template = {"template": {"spec": PARTS}}
    spec = {"jobTemplate": {"spec": template}} if kind == "CronJob" else template
    assert targets(workload(kind, "one", api="batch/v1", spec=spec)) == NAMED


def test_a_job_that_has_ended_needs_nothing_more() -> None:
    failed = {"conditions": [{"type": "Failed", "status": "True"}]}
    assert targets(job(PARTS, status={"active": 1})) == NAMED
    assert targets(job(PARTS, status={"completionTime": "2026-01-01T00:00:00Z"})) == set()
    assert targets(job(PARTS, status=failed)) == set()


def test_an_application_names_accounts_volumes_and_configuration() -> None:
    spec = {
        "driver": {"serviceAccount": "spark", "configMaps": [{"name": "log4j"}]},
        "executor": {"secrets": [{"name": "s3"}], "envFrom": [{"configMapRef": {"name": "env"}}]},
        "volumes": [{"name": "v", "secret": {"secretName": "keytab"}}],
        "hadoopConfigMap": "hadoop",
        "sparkConf": {"spark.hadoop.fs.s3a.endpoint": "http://minio:9000"},
    }
    named = {"ServiceAccount/spark/spark", "ConfigMap/spark/log4j", "Secret/spark/s3", "ConfigMap/spark/env",
             "Secret/spark/keytab", "ConfigMap/spark/hadoop", "Service/spark/minio"}  # fmt: skip
    api = "sparkoperator.k8s.io/v1beta2"
    assert targets(workload("SparkApplication", "etl", api=api, spec=spec)) == named
    ended = workload("SparkApplication", "etl", api=api, spec=spec, status={"applicationState": {"state": "FAILED"}})
    assert targets(ended) == set()
    scheduled = {"template": {**spec, "sparkConf": {}}}
    assert targets(workload("ScheduledSparkApplication", "etl", api=api, spec=scheduled)) == named - {
        "Service/spark/minio"
    }


def test_stores_of_secrets_and_routes_name_what_they_lead_to() -> None:
    external = workload("ExternalSecret", "s3", spec={"secretStoreRef": {"name": "vault", "kind": "SecretStore"}})
    wide = workload("ExternalSecret", "wide", spec={"secretStoreRef": {"name": "all", "kind": "ClusterSecretStore"}})
    store = workload(
        "SecretStore", "vault", spec={"provider": {"aws": {"auth": {"jwt": {"serviceAccountRef": {"name": "eso"}}}}}}
    )
    route = workload("Route", "history", spec={"to": {"kind": "Service", "name": "rel-history"}})
    assert targets(external, wide, store, route) == {
        "SecretStore/spark/vault", "ServiceAccount/spark/eso", "Service/spark/rel-history",
    }  # fmt: skip


def test_only_kinds_whose_names_were_read_can_be_missing() -> None:
    known = facts(job(PARTS))
    assert missing(known, {}) == ()
    assert [one.name for one in missing(known, {"Secret/spark": frozenset({"token"})})] == ["db"]
    assert missing(known, {"Secret/other": frozenset()}) == ()


def found(*things: Any, names: dict[str, frozenset[str]] | None = None) -> dict[str, Any]:
    known = facts(*things)
    whole = Facts(at=NOW, workloads=known.workloads, spark=known.spark, names=names or {})
    return {one.subject: one for one in diagnose(whole, ()) if one.code == "reference-missing"}


def test_a_missing_secret_says_what_is_to_make_it_and_why_it_does_not() -> None:
    status = {
        "conditions": [{"type": "Ready", "status": "False", "reason": "SecretSyncedError", "message": "no store"}]
    }
    external = workload("ExternalSecret", "from-vault", spec={"target": {"name": "db"}}, status=status)
    one = found(job(PARTS), external, names={"Secret/spark": frozenset({"token"})})["Secret/spark/db"]
    assert one.title == "no Secret db, which Job init names"
    assert one.detail.endswith("; ExternalSecret from-vault is to make it: SecretSyncedError no store")


MAKES = {
    "containers": [{"name": "mc", "command": ["sh", "-c", "mc mb --ignore-existing store/warehouse\nmc mb s/logs"]}]
}


def test_a_bucket_that_no_job_makes_is_said_with_its_doubt() -> None:
    named = conf("spark.eventLog.dir=s3a://spark-logs/events", "spark.sql.warehouse.dir=s3a://warehouse/a")
    one = found(named, job(MAKES))
    assert list(one) == ["Bucket/spark/spark-logs"]
    said = one["Bucket/spark/spark-logs"]
    assert said.title.startswith("no Job makes the bucket spark-logs, which ConfigMap conf-")
    assert said.confidence == "medium" and said.open_questions


def test_where_nobody_can_read_which_buckets_are_made_none_is_called_missing() -> None:
    named = conf("spark.eventLog.dir=s3a://spark-logs/events")
    loop = {"containers": [{"name": "mc", "args": ["for b in a c; do mc mb store/$b; done"]}]}
    tool = {"containers": [{"name": "aws", "args": ["aws s3 mb s3://other"]}]}
    assert missing_storage(facts(named)) == ()
    assert missing_storage(facts(named, job(loop))) == ()
    assert missing_storage(facts(named, job(tool))) == ()
    assert missing_storage(facts(named, job(MAKES, namespace="elsewhere"))) == ()


def test_a_catalog_without_its_class_is_none() -> None:
    lonely = conf("spark.sql.catalog.lake.type=hadoop", "spark.sql.defaultCatalog=lake")
    one = found(lonely)["Catalog/spark/lake"]
    assert one.title.startswith("no catalog lake is configured, which ConfigMap conf-")
    assert "spark.sql.catalog.NAME" in one.detail
    whole = conf("spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog", "spark.sql.catalog.lake.type=hadoop",
                 "spark.sql.catalog.spark_catalog.type=hive")  # fmt: skip
    assert found(whole) == {}
    assert found(lonely, whole) == {}
