"""The catalogue of Spark's keys: real names, their versions and types, and what is never called unknown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.advice.catalogue import version_of, wrong_value
from console.sources.cluster.advice import catalogue

ENVIRONMENT = Path(__file__).parents[1] / "data" / "advice" / "environment.json"
"""Properties that real applications of 3.5, 4.1 and 4.3 reported on their environment page."""
KEYS = catalogue()


def test_it_holds_the_versions_that_are_supported() -> None:
    assert [version_of(v) for v in KEYS.versions] == [(3, 5), (4, 0), (4, 1), (4, 2), (4, 3)]
    assert len(KEYS.keys) > 1900 and KEYS.index((4, 1)) == 2 and KEYS.index((3, 4)) is None


@pytest.mark.parametrize(
    ("key", "first", "last", "type_"),
    [
        ("spark.executor.memory", 0, 4, "bytes:m"),
        ("spark.executor.memoryOverhead", 0, 4, "bytes:m"),
        ("spark.memory.offHeap.size", 0, 4, "bytes:b"),
        ("spark.sql.adaptive.enabled", 0, 4, "bool"),
        ("spark.network.timeout", 0, 4, "time:s"),
        ("spark.kubernetes.executor.podNamePrefix", 0, 4, ""),
        ("spark.api.mode", 1, 4, "enum:classic|connect"),
        ("spark.mesos.coarse", 0, 0, "bool"),
        ("spark.python.unix.domain.socket.enabled", 2, 4, "bool"),
    ],
)
def test_keys_have_the_versions_and_types_of_the_jars(key: str, first: int, last: int, type_: str) -> None:
    known = KEYS.keys[key]
    assert (known.first, known.last, known.type) == (first, last, type_)


@pytest.mark.parametrize(
    "key",
    [
        "spark.rapids.sql.enabled",
        "spark.celeborn.client.spark.fetch.throwsFetchFailure",
        "spark.hadoop.fs.s3a.endpoint",
        "spark.sql.catalog.lake",
        "spark.sql.catalog.lake.type",
        "spark.sql.iceberg.handle-timestamp-without-timezone",
        "spark.databricks.delta.schema.autoMerge.enabled",
        "spark.executorEnv.AWS_REGION",
        "spark.kubernetes.driverEnv.HOME",
        "spark.kubernetes.driver.label.team",
        "spark.kubernetes.executor.volumes.emptyDir.scratch.mount.path",
        "spark.kubernetes.executor.secretKeyRef.TOKEN",
        "spark.kubernetes.authenticate.driver.mounted.oauthTokenFile",
        "spark.executor.resource.gpu.amount",
        "spark.shuffle.io.maxRetries",
        "spark.scheduler.listenerbus.eventqueue.streams.capacity",
        "spark.openlineage.transport.type",
        "spark.mycompany.feature",
        "hive.metastore.uris",
    ],
)
def test_open_namespaces_are_never_unknown(key: str) -> None:
    assert KEYS.stranger(key) == (False, "")


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("spark.dynamicAlocation.enabled", "spark.dynamicAllocation.enabled"),
        ("spark.dynamicallocation.enabled", "spark.dynamicAllocation.enabled"),
        ("spark.sql.shuffle.partition", "spark.sql.shuffle.partitions"),
        ("spark.executor.memory-overhead", "spark.executor.memoryOverhead"),
        ("spark.sql.adaptive.enable", "spark.sql.adaptive.enabled"),
    ],
)
def test_a_slip_of_the_pen_has_a_nearest_key(key: str, near: str) -> None:
    assert KEYS.stranger(key) == (True, near)


def test_a_made_up_key_among_sparks_own_is_unknown() -> None:
    assert KEYS.stranger("spark.executor.zzzPlanets")[0]


def test_no_key_of_a_real_application_is_unknown() -> None:
    seen = [key for key, _ in json.loads(ENVIRONMENT.read_text())["sparkProperties"]]
    assert len(seen) > 30 and [key for key in seen if KEYS.stranger(key)[0]] == []


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("bool", "yes"),
        ("int", "4.5"),
        ("bytes:m", "4Gi"),
        ("bytes:m", "1.5g"),
        ("bytes:m", "four"),
        ("time:s", "10 minutes"),
        ("time:s", "1.5h"),
        ("number", "much"),
        ("enum:FAIR|FIFO", "LIFO"),
    ],
)
def test_values_that_spark_cannot_read(type_: str, value: str) -> None:
    assert wrong_value(type_, value)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("bool", "TRUE"),
        ("int", "-1"),
        ("bytes:m", "4G"),
        ("bytes:m", "4096"),
        ("bytes:b", "-1"),
        ("bytes:m", "512mb"),
        ("time:s", "5min"),
        ("time:ms", "100"),
        ("number", "0.6"),
        ("enum:FAIR|FIFO", "fair"),
        ("bool", "${spark.other}"),
        ("int", "[redacted]"),
        ("", "anything"),
    ],
)
def test_values_that_spark_can_read(type_: str, value: str) -> None:
    assert wrong_value(type_, value) == ""
