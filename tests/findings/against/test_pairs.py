"""Pairs of runs with one planted change: it stands first. Pairs without a change blame nothing."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.findings.against.compare import compared
from tests.findings.against.runs import against, base, seen, setting, world

PAIRS: dict[str, tuple[Any, str, str]] = {
    "executor memory in conf": (
        setting("conf", "spark.executor.memory", to="2g"),
        "oom",
        "configuration: spark.executor.memory: 4g → 2g",
    ),
    "executor memory in spec": (
        setting("spec", "executor", to={"instances": 4, "memory": "2g", "cores": 2}),
        "oom",
        "executor.memory",
    ),
    "overhead taken away": (
        setting("conf", "spark.executor.memoryOverheadFactor", to="0.05"),
        "oom",
        "configuration: spark.executor.memoryOverheadFactor is new",
    ),
    "off-heap switched on": (
        setting("conf", "spark.memory.offHeap.size", to="2g"),
        "oom",
        "configuration: spark.memory.offHeap.size",
    ),
    "fewer partitions": (
        setting("conf", "spark.sql.shuffle.partitions", to="8"),
        "oom",
        "configuration: spark.sql.shuffle.partitions: 200 → 8",
    ),
    "more input": (setting("rows", to=9_000_000.0), "oom", "input: "),
    "more files": (setting("files", to="90,000"), "oom", "input: "),
    "a broadcast in the plan": (
        setting("plan", to=["Scan parquet", "BroadcastHashJoin", "BroadcastExchange", "Exchange"]),
        "oom",
        "plan: first query",
    ),
    "a smaller limit": (setting("memory", to="3Gi"), "oom", "memory: 5Gi → 3Gi"),
    "other image, new tag": (setting("image", to="registry.local/etl:8"), "pull", "image: "),
    "other image, same tag": (setting("digest", to="b" * 64), "class", "image: "),
    "Spark upgraded": (setting("spark", to="4.2.0"), "class", "version: Spark: 4.1.4 → 4.2.0"),
    "Java upgraded": (setting("java", to="21.0.1"), "class", "version: Java"),
    "a jar of another version": (
        setting("jar", to="hadoop-aws-3.3.4.jar"),
        "class",
        "version: jar hadoop-aws: 3.4.1 → 3.3.4",
    ),
    "a package of another version": (
        setting("spec", "deps", to={"packages": ["a:b:2"]}),
        "class",
        "spec: deps.packages",
    ),
    "another Python": (
        setting("env", "PYSPARK_PYTHON", to="/opt/py312/bin/python"),
        "class",
        "environment: driver PYSPARK_PYTHON",
    ),
    "spot nodes": (setting("labels", "karpenter.sh/capacity-type", to="spot"), "fetch", "node: "),
    "smaller instances": (setting("labels", "node.kubernetes.io/instance-type", to="m7i.large"), "fetch", "node: "),
    "another zone": (
        setting("labels", "topology.kubernetes.io/zone", to="eu-1c"),
        "network",
        "topology.kubernetes.io/zone",
    ),
    "another architecture": (setting("labels", "kubernetes.io/arch", to="arm64"), "class", "kubernetes.io/arch"),
    "shuffle service": (
        setting("conf", "spark.shuffle.service.enabled", to="true"),
        "fetch",
        "configuration: spark.shuffle.service.enabled",
    ),
    "another account": (setting("user", to="default"), "denied", "spec: service account: etl → default"),
    "a rotated secret": (setting("objects", to={"Secret/etl-s3": 2_000}), "denied", "object: Secret etl-s3"),
    "an endpoint": (
        setting("conf", "spark.hadoop.fs.s3a.endpoint", to="s3.other"),
        "denied",
        "configuration: spark.hadoop.fs.s3a.endpoint",
    ),
    "a network policy": (
        setting("objects", to={"NetworkPolicy/egress": 2_000}),
        "network",
        "object: NetworkPolicy egress",
    ),
    "a config map": (
        setting("objects", to={"ConfigMap/etl-settings": 2_000}),
        "network",
        "object: ConfigMap etl-settings",
    ),
    "a quota": (setting("objects", to={"ResourceQuota/team": 2_000}), "pending", "object: ResourceQuota team"),
    "a limit range": (setting("objects", to={"LimitRange/sizes": 2_000}), "oom", "object: LimitRange sizes"),
    "more executors": (
        setting("spec", "executor", to={"instances": 40, "memory": "4g", "cores": 2}),
        "pending",
        "executor.instances: 4 → 40",
    ),
    "priority lost": (setting("priority", to="low"), "pending", "spec: priority class: batch → low"),
    "scratch moved": (
        setting("conf", "spark.local.dir", to="/tmp"),
        "disk",
        "configuration: spark.local.dir: /scratch → /tmp",
    ),
    "an argument": (
        setting("arguments", to=["--day", "2026-11-23", "--mode", "incremental"]),
        "network",
        "arguments: arguments",
    ),
    "a sidecar": (setting("sidecar", to="mesh:2"), "network", "image: "),
    "an operator": (setting("operator", to="spark-operator:2.5.2"), "fetch", "operator: "),
}


@pytest.mark.parametrize(("number", "name"), list(enumerate(PAIRS)))
def test_the_planted_change_stands_first(number: int, name: str) -> None:
    planted, symptom, words = PAIRS[name]
    found = against(planted, symptom, number)
    assert found.changes, name
    assert words in found.changes[0].line, [c.line for c in found.changes[:4]]


@pytest.mark.parametrize("number", range(10))
def test_a_pair_without_a_change_blames_nothing(number: int) -> None:
    symptom = ("oom", "class", "denied", "network", "fetch")[number % 5]
    assert [c.line for c in against(lambda spec: None, symptom, number).changes] == []


def test_what_differs_among_good_runs_already_is_no_change() -> None:
    def plant(spec: Any) -> None:
        spec["labels"] = {**spec["labels"], "topology.kubernetes.io/zone": "eu-1b"}

    noisy = base()
    noisy["labels"] = {**noisy["labels"], "topology.kubernetes.io/zone": "eu-1c"}
    bad = base()
    plant(bad)
    failed, findings = seen(world(bad, 7, began=3_600, symptom="oom"))
    good, other = seen(world(base(), 8, began=0))[0], seen(world(noisy, 9, began=-3_600))[0]
    assert compared(failed, good, findings).changes
    assert compared(failed, good, findings, [other]).changes == ()


def test_what_could_not_be_read_of_both_is_said_and_is_no_change() -> None:
    failed, findings = seen(world(base(), 7, began=3_600, symptom="oom"))
    good = seen(world(base(), 8, began=0))[0]
    blind = replace(good, read=good.read - {"node", "input"}, traits={**good.traits, "node": {}, "input": {}})
    found = compared(failed, blind, findings)
    assert {"node", "input"} <= set(found.unread) and not found.changes


def test_a_run_of_which_only_the_spec_is_known_lacks_nothing_that_only_the_environment_has() -> None:
    failed, findings = seen(world(base(), 7, began=3_600, symptom="oom"))
    good = seen(world(base(), 8, began=0))[0]
    conf = {"spark.executor.memory": "2g"}
    by_spec = replace(
        failed, whole=False, traits={**failed.traits, "configuration": dict(conf), "version": {"Spark": "4.1.4"}}
    )
    assert [c.key for c in compared(by_spec, good, findings).changes] == ["spark.executor.memory"]
