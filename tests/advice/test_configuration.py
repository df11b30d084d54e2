"""Advice on configuration: each rule with a case that it is for, one that it is not for, and its version."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from console.advice.engine import advise
from console.apps.assemble import assemble
from console.facts.model import SourceState
from console.sources.cluster.advice import catalogue
from tests.advice.test_catalogue import ENVIRONMENT
from tests.advice.worlds import advised, app, driver, environment, executor, ids, report
from tests.findings.worlds import APP_ID, NS, facts, node, rest, workload

GOOD = {
    "spark.executor.memoryOverhead": "512m",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.shuffle.partitions": "400",
    "spark.dynamicAllocation.enabled": "true",
    "spark.dynamicAllocation.shuffleTracking.enabled": "true",
    "spark.decommission.enabled": "true",
    "spark.storage.decommission.enabled": "true",
    "spark.eventLog.enabled": "true",
    "spark.eventLog.dir": "s3a://logs/spark",
    "spark.kubernetes.executor.podNamePrefix": "etl-orders",
    "spark.executor.resource.gpu.amount": "1",
    "spark.executor.resource.gpu.vendor": "nvidia.com",
    "spark.executor.resource.gpu.discoveryScript": "/opt/spark/getGpusResources.sh",
    "spark.task.resource.gpu.amount": "1",
    "spark.rapids.sql.enabled": "true",
    "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
    "spark.network.timeout": "300s",
}


def test_a_well_configured_application_gives_no_advice() -> None:
    whole = environment({**GOOD, "spark.executor.cores": "1"})
    roomy = {"memory": "4Gi"}
    found = report(
        app(GOOD), driver(limits=roomy), executor(1, limits=roomy), whole, node(allocatable={"memory": "64Gi"})
    )
    assert found.items == () and found.unjudged == () and found.apps == (f"{NS}/etl",)


def test_the_environment_of_real_applications_gives_no_advice_on_keys() -> None:
    conf = dict(json.loads(ENVIRONMENT.read_text())["sparkProperties"])
    found = [i for i in report(app(version="4.3.0"), driver(), environment(conf)).items if "key" in i.id]
    assert [i.about for i in found] == []


def test_every_advice_says_where_why_what_since_when_and_by_whom() -> None:
    (item,) = report(app({"spark.sql.adaptive.enabled": "false"})).items
    assert item.id == "aqe-off" and item.subject == f"SparkApplication/{NS}/etl" and item.app == f"{NS}/etl"
    assert item.evidence[0].excerpt == "spec.sparkConf spark.sql.adaptive.enabled: false"
    assert item.because and item.do and item.holds_for == "Spark 3.2 and later"
    assert item.source.startswith("https://spark.apache.org/docs/")


def test_a_key_set_in_the_driver_is_cited_from_its_environment_page() -> None:
    (item,) = report(app(), driver(), environment({"spark.shuffle.compress": "false"})).items
    assert item.evidence[0].source == "spark-rest" and item.evidence[0].locator.endswith(f"{APP_ID}/environment")


# keys


def test_an_unknown_key_names_the_nearest() -> None:
    item = advised(app({"spark.sql.shuffle.partition": "400"}))["unknown-key"]
    assert "did you mean spark.sql.shuffle.partitions?" in item.statement
    assert item.holds_for == "Spark 3.5.9 to 4.3.0" and item.priority == "medium"


@pytest.mark.parametrize(
    ("key", "value", "version", "words"),
    [
        ("spark.python.unix.domain.socket.enabled", "true", "4.0.5", "not there before Spark 4.1.4"),
        ("spark.mesos.coarse", "true", "4.1.4", "gone after Spark 3.5.9"),
    ],
)
def test_a_key_of_another_version_is_advised_only_there(key: str, value: str, version: str, words: str) -> None:
    assert words in advised(app({key: value}, version=version))["key-of-another-version"].statement
    has = "4.3.0" if version == "4.0.5" else "3.5.9"
    assert ids(app({key: value}, version=has)) == []


def test_a_deprecated_key_names_its_successor() -> None:
    key = "spark.shuffle.unsafe.file.output.buffer"
    item = advised(app({key: "32k"}, version="4.0.5"))["deprecated-key"]
    assert item.do == "use spark.shuffle.localDisk.file.output.buffer" and item.holds_for == "Spark 4.0.0 and later"
    assert ids(app({key: "32k"}, version="3.5.9")) == []


def test_a_removed_key_is_urgent_from_the_version_that_removed_it() -> None:
    key = "spark.sql.legacy.parquet.int96RebaseModeInWrite"
    item = advised(app({key: "LEGACY"}, version="4.0.5"))["removed-key"]
    assert item.priority == "high" and item.do == "use spark.sql.parquet.int96RebaseModeInWrite"
    assert ids(app({key: "LEGACY"}, version="3.5.9")) == ["deprecated-key"]


def test_without_a_version_a_deprecated_key_is_not_judged_and_that_is_said() -> None:
    found = report(app({"spark.shuffle.unsafe.file.output.buffer": "32k"}, version=""))
    assert found.items == ()
    assert any("spark.shuffle.unsafe.file.output.buffer" in u.what for u in found.unjudged)


def test_a_version_that_the_catalogue_lacks_is_said() -> None:
    (said,) = report(app({"spark.sql.adaptive.enabled": "true"}, version="3.3.1")).unjudged
    assert "Spark 3.3.1" in said.because and "3.5.9 to 4.3.0" in said.because


def test_the_version_that_the_driver_reports_outweighs_the_declared_one() -> None:
    key = {"spark.python.unix.domain.socket.enabled": "true"}
    ran = rest("", {"id": APP_ID, "name": "etl", "attempts": [{"appSparkVersion": "4.0.5"}]})
    assert "key-of-another-version" in ids(app(key, version="4.1.4"), driver(), ran)
    assert ids(app(key, version="4.1.4")) == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("spark.executor.memoryOverhead", "1Gi", "Spark has no unit 'Gi'"),
        ("spark.sql.adaptive.enabled", "yes", "neither true nor false"),
        ("spark.network.timeout", "5 minutes", "no time"),
        ("spark.executor.cores", "1.5", "no whole number"),
        ("spark.scheduler.mode", "LIFO", "none of FAIR, FIFO, NONE"),
    ],
)
def test_a_value_of_the_wrong_type_or_unit(key: str, value: str, words: str) -> None:
    item = advised(app({key: value}))["wrong-value"]
    assert words in item.statement and item.priority == "high"


def test_a_field_of_the_custom_resource_is_read_as_the_key_it_becomes() -> None:
    item = advised(app(executor={"instances": 2, "memory": "4Gi"}))["wrong-value"]
    assert item.about == "spark.executor.memory" and item.evidence[0].excerpt == "spec.executor.memory: 4Gi"


def test_a_heap_without_a_unit() -> None:
    assert "450m" in advised(app({"spark.executor.memory": "4"}))["heap-too-small"].statement
    assert ids(app({"spark.executor.memory": "4g"})) == []


def test_off_heap_memory_without_a_unit() -> None:
    conf = {"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "2048"}
    assert "2048 bytes" in advised(app(conf))["off-heap-too-small"].statement
    assert ids(app({**conf, "spark.memory.offHeap.size": "2g"})) == []


# settings


def test_adaptive_execution_was_off_by_default_before_3_2() -> None:
    assert "aqe-off" in ids(app(version="3.1.3")) and ids(app(version="3.5.9")) == []
    assert "aqe-off" not in ids(app({"spark.sql.adaptive.enabled": "true"}, version="3.1.3"))


def test_partitions_that_may_not_be_merged() -> None:
    item = advised(app({"spark.sql.adaptive.coalescePartitions.enabled": "false"}))["aqe-off"]
    assert item.priority == "low"


def test_java_serialization_matters_to_scala_only_and_is_a_default_that_only_the_driver_can_confirm() -> None:
    java = {"spark.serializer": "org.apache.spark.serializer.JavaSerializer"}
    assert ids(app(java, language="Scala")) == ["java-serializer"]
    assert ids(app(java)) == [] and ids(app(language="Scala")) == []
    assert ids(app(language="Scala"), driver(), environment({"spark.app.name": "etl"})) == ["java-serializer"]


@pytest.mark.parametrize("key", ["spark.shuffle.compress", "spark.shuffle.spill.compress"])
def test_compression_switched_off(key: str) -> None:
    assert ids(app({key: "false"})) == ["compression-off"] and ids(app({key: "true"})) == []


def test_an_uncompressed_event_log_matters_where_one_is_written() -> None:
    conf = {"spark.eventLog.compress": "false"}
    assert ids(app(conf)) == [] and ids(app({**conf, "spark.eventLog.enabled": "true"})) == ["compression-off"]


def test_fewer_shuffle_partitions_than_slots() -> None:
    executor = {"instances": 10, "cores": 4, "memory": "4g"}
    conf = {"spark.sql.shuffle.partitions": "16"}
    item = advised(app(conf, executor=executor))["few-shuffle-partitions"]
    assert item.statement == "16 shuffle partitions for 40 task slots"
    assert ids(app({"spark.sql.shuffle.partitions": "80"}, executor=executor)) == []
    assert ids(app({**conf, "spark.dynamicAllocation.enabled": "true"}, executor=executor)) == []


# executors


@pytest.mark.parametrize(("prefix", "words"), [("a" * 240, "240 characters"), ("ETL_orders", "no DNS name")])
def test_a_prefix_that_makes_no_pod_name(prefix: str, words: str) -> None:
    item = advised(app({"spark.kubernetes.executor.podNamePrefix": prefix}))["pod-name-prefix"]
    assert words in item.statement
    assert ids(app({"spark.kubernetes.executor.podNamePrefix": "a" * 237})) == []


def test_a_prefix_that_two_living_applications_share() -> None:
    conf = {"spark.kubernetes.executor.podNamePrefix": "etl"}
    item = advised(app(conf, name="a"), app(conf, name="b"))["pod-name-prefix-shared"]
    assert "2 living applications" in item.statement and len(item.evidence) == 2
    ended = replace(app(conf, name="b"), status={"applicationState": {"state": "COMPLETED"}})
    assert ids(app(conf, name="a"), ended) == []


def test_dynamic_allocation_without_anything_that_keeps_shuffle_files() -> None:
    on, tracking = "spark.dynamicAllocation.enabled", "spark.dynamicAllocation.shuffleTracking.enabled"
    assert ids(app({on: "true", tracking: "false"})) == ["dynamic-allocation"]
    assert ids(app({on: "true"})) == [] and "dynamic-allocation" in ids(app({on: "true"}, version="3.3.2"))
    kept = {"spark.decommission.enabled": "true", "spark.storage.decommission.enabled": "true"}
    assert ids(app({on: "true", tracking: "false", **kept})) == []
    celeborn = {"spark.shuffle.manager": "org.apache.spark.shuffle.celeborn.SparkShuffleManager"}
    assert ids(app({on: "true", tracking: "false", **celeborn})) == []


def test_dynamic_allocation_of_an_unknown_version_is_not_judged() -> None:
    found = report(app({"spark.dynamicAllocation.enabled": "true"}, version=""))
    assert found.items == () and any("tracks shuffle files" in u.what for u in found.unjudged)


def test_the_operator_switches_tracking_on_by_itself() -> None:
    assert ids(app(version="3.3.2", dynamicAllocation={"enabled": True})) == []


def test_an_external_shuffle_service_is_not_to_be_had() -> None:
    assert ids(app({"spark.shuffle.service.enabled": "true"})) == ["shuffle-service"]


def test_decommissioning_that_leaves_blocks_behind() -> None:
    conf = {"spark.decommission.enabled": "true", "spark.storage.decommission.enabled": "false"}
    assert ids(app(conf)) == ["decommission-without-storage"]
    assert ids(app({"spark.decommission.enabled": "true"})) == []


# GPUs

GPU = {k: v for k, v in GOOD.items() if ".resource.gpu." in k}


def test_a_gpu_without_a_vendor() -> None:
    conf = {k: v for k, v in GPU.items() if not k.endswith("vendor")}
    item = advised(app(conf))["gpu-vendor"]
    assert item.about == "spark.executor.resource.gpu.vendor" and ids(app(GPU)) == []


def test_a_missing_discovery_script_counts_only_where_the_whole_configuration_is_known() -> None:
    conf = {k: v for k, v in GPU.items() if not k.endswith("Script")}
    assert ids(app(conf)) == []
    assert ids(app(conf), driver(), environment(conf)) == ["gpu-discovery"]
    plugin = {**conf, "spark.resources.discoveryPlugin": "com.nvidia.spark.ExclusiveModeGpuDiscoveryPlugin"}
    assert ids(app(plugin), driver(), environment(plugin)) == []


@pytest.mark.parametrize(
    ("task", "executor_", "cores", "words"),
    [
        ("2", "1", "", "a task asks for 2 gpu, an executor has 1"),
        ("1.5", "2", "", "above 1 it must be a whole number"),
        ("1", "", "", "executors have none"),
        ("1", "1", "8", "lets 1 tasks run at once in an executor, its cores would let 8"),
    ],
)
def test_what_tasks_ask_for_against_what_executors_have(task: str, executor_: str, cores: str, words: str) -> None:
    conf = {"spark.task.resource.gpu.amount": task, "spark.executor.resource.gpu.vendor": "nvidia.com"}
    conf |= {"spark.executor.resource.gpu.amount": executor_} if executor_ else {}
    conf |= {"spark.executor.cores": cores} if cores else {}
    assert words in advised(app(conf))["gpu-task-amount"].statement


def test_a_shared_gpu_is_fine() -> None:
    shared = {**GPU, "spark.task.resource.gpu.amount": "0.125", "spark.executor.cores": "8"}
    assert ids(app(shared)) == []


# sizes


def test_a_container_that_no_node_can_hold() -> None:
    big = {"instances": 2, "memory": "60g"}
    item = advised(app(executor=big), node(allocatable={"memory": "32Gi"}))["memory-does-not-fit"]
    assert item.statement == "an executor needs 84Gi, the largest node has 32Gi"
    assert "heap 60Gi + overhead 24Gi = 84Gi" in item.because
    assert ids(app(executor=big), node(allocatable={"memory": "128Gi"})) == []


@pytest.mark.parametrize(
    ("source", "state"), [("nodes", "forbidden"), ("nodes", "absent"), ("limitranges", "forbidden")]
)
def test_what_a_container_could_not_be_compared_with_is_said(source: str, state: Any) -> None:
    world = replace(facts(app()), sources=(SourceState(source, state, detail="cannot list"),))
    (said,) = advise(world, assemble(world), catalogue()).unjudged
    assert said.because == f"{source}: {state}, cannot list" and said.needs == f"list {source}"
    known = replace(world, sources=(SourceState(source, "fresh"),))
    assert advise(known, assemble(known), catalogue()).unjudged == ()


def test_off_heap_and_python_memory_count() -> None:
    conf = {
        "spark.memory.offHeap.enabled": "true",
        "spark.memory.offHeap.size": "8g",
        "spark.executor.pyspark.memory": "8g",
        "spark.executor.memoryOverhead": "1g",
    }
    item = advised(app(conf, executor={"memory": "8g"}), node(allocatable={"memory": "16Gi"}))["memory-does-not-fit"]
    assert "heap 8Gi + overhead 1Gi + off-heap 8Gi + pyspark 8Gi = 25Gi" in item.because


def test_a_container_above_the_limit_range() -> None:
    limits = workload("LimitRange", "most", spec={"limits": [{"type": "Container", "max": {"memory": "4Gi"}}]})
    item = advised(app(executor={"memory": "8g"}), limits)["memory-does-not-fit"]
    assert item.about == "executor most" and "the namespace allows 4Gi" in item.statement
    assert ids(app(executor={"memory": "2g"}), limits) == []


def test_executors_that_a_quota_has_no_room_for() -> None:
    quota = workload("ResourceQuota", "team", spec={"hard": {"limits.memory": "20Gi"}})
    executor = {"instances": 10, "memory": "4g", "memoryOverhead": "1g"}
    item = advised(app(executor=executor), quota)["quota-too-small"]
    assert item.statement == "the quota has room for 3 of 10 executors"
    assert ids(app(executor={**executor, "instances": 3}), quota) == []
    alone = advised(app(executor={"instances": 1, "memory": "30g"}), quota)["memory-does-not-fit"]
    assert "the whole quota is 20Gi" in alone.statement


def test_a_quota_for_other_pods_is_no_matter() -> None:
    quota = workload("ResourceQuota", "batch", spec={"hard": {"memory": "1Gi"}, "scopes": ["BestEffort"]})
    assert ids(app(), quota) == []


def test_a_living_pod_whose_limit_is_below_what_spark_uses() -> None:
    application = app(executor={"memory": "4g", "instances": 1})
    item = advised(application, driver(), executor(1, limits={"memory": "2Gi"}))["memory-does-not-fit"]
    assert item.about == "executor pod" and "limited to 2Gi and sized for" in item.statement
    fits = {"memory": "6Gi"}
    assert ids(application, driver(limits=fits), executor(1, limits=fits)) == []
