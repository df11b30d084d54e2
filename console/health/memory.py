"""How Spark sizes a container: heap + overhead (+ off-heap + pyspark) = total, all in bytes.

Spark on Kubernetes asks for `max(factor * heap, minimum)` of overhead unless one is given; the factor is 0.1 for JVM
applications and 0.4 for Python and R, the minimum 384 MiB. Overheads and heaps without a unit are MiB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from console.base.units import parse_jvm_size, parse_quantity
from console.health.model import MemoryPlan

MIB = 2**20
FACTOR_JVM, FACTOR_OTHER = 0.1, 0.4
MIN_OVERHEAD = 384 * MIB
Role = Literal["driver", "executor"]


def size(text: Any) -> float | None:
    """Bytes of a JVM size (`512m`, `2g`; a bare number is MiB) or a Kubernetes quantity (`1200Mi`)."""
    if text is None or isinstance(text, bool) or text == "":
        return None
    try:
        return float(parse_jvm_size(str(text), default_unit="m"))
    except ValueError:
        pass
    try:
        return parse_quantity(str(text))
    except (ValueError, ArithmeticError):
        return None


def number(text: Any) -> float | None:
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if 0 <= value < 1e6 else None


def plan(
    role: Role,
    *,
    conf: Mapping[str, str],
    spec: Mapping[str, Any] | None = None,
    factor: Any = None,
    env_heap: str = "",
    limit: float | None = None,
    language: str = "",
    complete: bool = False,
) -> MemoryPlan | None:
    """The plan of one role, as far as it can be known.

    Args:
        conf: Spark configuration keys.
        spec: `spec.driver` or `spec.executor` of a custom resource.
        factor: `spec.memoryOverheadFactor` of a custom resource.
        env_heap: `SPARK_EXECUTOR_MEMORY` of the container.
        limit: memory limit of the container.
        language: Python and R have another factor.
        complete: the configuration is known as a whole, so what is not in it has Spark's default.
    """
    spec = spec or {}
    heap, source = size(spec.get("memory")), f"spec.{role}.memory"
    if heap is None:
        heap, source = size(conf.get(f"spark.{role}.memory")), f"spark.{role}.memory"
    if heap is None:
        heap, source = size(env_heap), "SPARK_EXECUTOR_MEMORY"
    if heap is None and complete:
        heap, source = 1024.0 * MIB, "default"
    off_heap = None
    if str(conf.get("spark.memory.offHeap.enabled", "")).lower() == "true" and role == "executor":
        off_heap = size(conf.get("spark.memory.offHeap.size"))
    pyspark = size(conf.get("spark.executor.pyspark.memory")) if role == "executor" else None
    overhead = size(spec.get("memoryOverhead"))
    said = f"spec.{role}.memoryOverhead"
    if overhead is None:
        overhead, said = size(conf.get(f"spark.{role}.memoryOverhead")), f"spark.{role}.memoryOverhead"
    used_factor = None
    if overhead is None and heap is not None and limit is not None and not complete:
        rest = limit - heap - (off_heap or 0) - (pyspark or 0)
        overhead, said = (rest, "pod limit") if rest >= 0 else (None, "")
    if overhead is None and heap is not None and (complete or conf):
        used_factor = _factor(role, conf, factor, language)
        minimum = size(conf.get(f"spark.{role}.minMemoryOverhead")) or float(MIN_OVERHEAD)
        overhead = max(float(int(used_factor * heap / MIB) * MIB), minimum)
        said = "factor" if overhead > minimum else "minimum"
    if heap is None and limit is None:
        return None
    parts = (heap, overhead, off_heap, pyspark)
    total = sum(p for p in parts if p is not None) if heap is not None and overhead is not None else limit
    return MemoryPlan(
        heap=heap,
        overhead=overhead,
        off_heap=off_heap,
        pyspark=pyspark,
        total=total,
        factor=used_factor,
        source=_source(source, heap, said, overhead),
    )


def _source(of_heap: str, heap: float | None, of_overhead: str, overhead: float | None) -> str:
    if heap is None:
        return "pod limit"
    return f"{of_heap}, overhead: {of_overhead}" if overhead is not None else of_heap


def _factor(role: Role, conf: Mapping[str, str], spec_factor: Any, language: str) -> float:
    for text in (
        conf.get(f"spark.{role}.memoryOverheadFactor"),
        spec_factor,
        conf.get("spark.kubernetes.memoryOverheadFactor"),
    ):
        value = number(text) if text not in (None, "") else None
        if value is not None:
            return value
    return FACTOR_OTHER if language in ("Python", "R") else FACTOR_JVM
