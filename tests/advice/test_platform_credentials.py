"""Credentials as plain values are told in any workload or configuration of the platform, and never shown."""

from __future__ import annotations

from typing import Any

from tests.advice.worlds import report
from tests.components.worlds import workload

PLAIN: list[dict[str, Any]] = [
    {"name": "MINIO_ROOT_USER", "value": "minioadmin"},
    {"name": "MINIO_ROOT_PASSWORD", "value": "minioadmin"},
    {"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": {"secretKeyRef": {"name": "s3", "key": "k"}}},
    {"name": "POSTGRES_PASSWORD", "value": "$(FROM_ELSEWHERE)"},
]


def deployed(name: str, image: str, kind: str = "Deployment") -> Any:
    pod = {"containers": [{"name": "main", "image": image, "env": PLAIN}]}
    return workload(kind, name, {"app": name}, namespace="infra", spec={"template": {"spec": pod}})


def told(*things: Any) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for item in report(*things).items:
        if item.id == "credential-in-workload":
            out.setdefault(item.subject, []).append(item.about)
            assert "minioadmin" not in item.statement + "".join(e.excerpt for e in item.evidence)
    return out


def test_a_password_of_the_store_is_told_where_no_spark_pod_runs() -> None:
    assert told(deployed("minio", "minio/minio:latest")) == {"Deployment/infra/minio": ["MINIO_ROOT_PASSWORD"]}
    assert told(deployed("rel-db", "postgres:16", "StatefulSet")) == {
        "StatefulSet/infra/rel-db": ["MINIO_ROOT_PASSWORD"]
    }


def test_keys_in_a_configuration_of_spark_are_told() -> None:
    lines = "spark.hadoop.fs.s3a.access.key=minioadmin\nspark.hadoop.fs.s3a.secret.key ${AWS_SECRET_ACCESS_KEY}\n"
    conf = workload("ConfigMap", "rel-connect-config", namespace="infra", spec={"spark.conf": lines})
    assert told(conf) == {"ConfigMap/infra/rel-connect-config": ["spark.hadoop.fs.s3a.access.key"]}


def test_what_is_no_part_of_the_platform_is_left_alone() -> None:
    assert told(deployed("shop", "shop:1")) == {}
