"""How Spark sizes a container: heap + overhead (+ off-heap + pyspark) = total, all in bytes.

Spark on Kubernetes asks for `max(factor * heap, minimum)` of overhead unless one is given; the factor is 0.1 for JVM
applications and 0.4 for Python and R, the minimum 384 MiB. Overheads and heaps without a unit are MiB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from console.apps.model import MemoryPlan
from console.base.units import parse_jvm_size, parse_quantity

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
    heap, source = _heap(role, conf, spec, env_heap, complete)
    off_heap, pyspark = _beside_the_heap(role, conf)
    overhead: float | None = None
    said, used_factor = "", None
    if (given := _given_overhead(role, conf, spec)) is not None:
        overhead, said = given
    elif heap is not None:
        rest = limit - heap - (off_heap or 0) - (pyspark or 0) if limit is not None and not complete else -1.0
        if rest >= 0:
            overhead, said = rest, "pod limit"
        elif complete or conf:
            used_factor = _factor(role, conf, factor, language)
            overhead, said = _overhead_by_factor(role, conf, heap, used_factor)
    if heap is None and limit is None:
        return None
    total = limit
    if heap is not None and overhead is not None:
        total = heap + overhead + (off_heap or 0.0) + (pyspark or 0.0)
    return MemoryPlan(
        heap=heap,
        overhead=overhead,
        off_heap=off_heap,
        pyspark=pyspark,
        total=total,
        factor=used_factor,
        source=_source(source, heap, said, overhead),
    )


def _heap(
    role: Role, conf: Mapping[str, str], spec: Mapping[str, Any], env_heap: str, complete: bool
) -> tuple[float | None, str]:
    """(bytes, where they are said)."""
    for text, where in (
        (spec.get("memory"), f"spec.{role}.memory"),
        (conf.get(f"spark.{role}.memory"), f"spark.{role}.memory"),
        (env_heap, "SPARK_EXECUTOR_MEMORY"),
    ):
        if (heap := size(text)) is not None:
            return heap, where
    return (1024.0 * MIB, "default") if complete else (None, "")


def _beside_the_heap(role: Role, conf: Mapping[str, str]) -> tuple[float | None, float | None]:
    """(off-heap memory, pyspark's share) of an executor; a driver has neither."""
    if role == "driver":
        return None, None
    enabled = str(conf.get("spark.memory.offHeap.enabled", "")).lower() == "true"
    off_heap = size(conf.get("spark.memory.offHeap.size")) if enabled else None
    return off_heap, size(conf.get("spark.executor.pyspark.memory"))


def _given_overhead(role: Role, conf: Mapping[str, str], spec: Mapping[str, Any]) -> tuple[float, str] | None:
    """(bytes, where they are said) of an overhead that is given as such."""
    for text, where in (
        (spec.get("memoryOverhead"), f"spec.{role}.memoryOverhead"),
        (conf.get(f"spark.{role}.memoryOverhead"), f"spark.{role}.memoryOverhead"),
    ):
        if (overhead := size(text)) is not None:
            return overhead, where
    return None


def _overhead_by_factor(role: Role, conf: Mapping[str, str], heap: float, factor: float) -> tuple[float, str]:
    minimum = size(conf.get(f"spark.{role}.minMemoryOverhead")) or float(MIN_OVERHEAD)
    overhead = max(float(int(factor * heap / MIB) * MIB), minimum)
    return overhead, "factor" if overhead > minimum else "minimum"


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
