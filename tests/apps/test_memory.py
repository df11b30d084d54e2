"""Spark's arithmetic of containers: heap + max(factor * heap, 384 MiB), unless an overhead is given."""

from __future__ import annotations

import pytest

from console.apps.memory import MIB, plan, size


@pytest.mark.parametrize(
    ("heap", "language", "given", "total"),
    [
        ("512m", "Scala", {}, 512 + 384),
        ("512m", "Python", {}, 512 + 384),
        ("4g", "Scala", {}, 4096 + 409),
        ("4g", "Python", {}, 4096 + 1638),
        ("4g", "Python", {"spark.executor.memoryOverheadFactor": "0.2"}, 4096 + 819),
        ("4g", "Scala", {"spark.kubernetes.memoryOverheadFactor": "0.5"}, 4096 + 2048),
        ("4g", "Scala", {"spark.executor.memoryOverhead": "600"}, 4096 + 600),
        ("512m", "Scala", {"spark.executor.memoryOverhead": "200m"}, 712),
        ("512m", "Scala", {"spark.executor.minMemoryOverhead": "100m"}, 612),
        ("2g", "Scala", {"spark.memory.offHeap.enabled": "true", "spark.memory.offHeap.size": "1g"}, 2048 + 384 + 1024),
        ("2g", "Scala", {"spark.memory.offHeap.size": "1g"}, 2048 + 384),
        ("2g", "Python", {"spark.executor.pyspark.memory": "1g"}, 2048 + 819 + 1024),
    ],
)
def test_the_container_of_an_executor(heap: str, language: str, given: dict[str, str], total: int) -> None:
    found = plan("executor", conf={"spark.executor.memory": heap, **given}, language=language, complete=True)
    assert found is not None and found.total == total * MIB


def test_the_spec_of_a_custom_resource_goes_before_its_configuration() -> None:
    conf = {"spark.executor.memory": "1g", "spark.executor.memoryOverhead": "1g"}
    found = plan("executor", conf=conf, spec={"memory": "2g", "memoryOverhead": "512m"}, complete=True)
    assert found is not None and (found.heap, found.overhead) == (2048 * MIB, 512 * MIB)
    assert found.source == "spec.executor.memory, overhead: spec.executor.memoryOverhead"
    factor = plan("driver", conf={}, spec={"memory": "4g"}, factor="0.25", complete=True)
    assert factor is not None and factor.overhead == 1024 * MIB and factor.factor == 0.25


def test_what_is_not_configured_has_sparks_default_only_when_all_is_known() -> None:
    whole = plan("executor", conf={}, complete=True)
    assert whole is not None and whole.heap == 1024 * MIB and whole.source == "default, overhead: minimum"
    assert plan("executor", conf={}) is None


def test_the_pod_tells_what_no_configuration_does() -> None:
    found = plan("executor", conf={}, env_heap="512m", limit=640.0 * MIB)
    assert found is not None and found.overhead == 128 * MIB and found.source.endswith("pod limit")
    conf = {
        "spark.executor.pyspark.memory": "100m",
        "spark.memory.offHeap.enabled": "true",
        "spark.memory.offHeap.size": "50m",
    }
    shared = plan("executor", conf=conf, env_heap="512m", limit=1_000.0 * MIB)
    assert shared is not None and (shared.overhead, shared.pyspark, shared.off_heap) == (338 * MIB, 100 * MIB, 50 * MIB)
    driver = plan("driver", conf={}, limit=896.0 * MIB)
    assert driver is not None and driver.heap is None and driver.total == 896 * MIB


@pytest.mark.parametrize(
    ("text", "bytes_"), [("512", 512 * MIB), ("1g", 1024 * MIB), ("1200Mi", 1200 * MIB), ("1.5g", None), ("", None)]
)
def test_sizes(text: str, bytes_: float | None) -> None:
    assert size(text) == bytes_
