"""Memory physics of one Spark process: what Spark reserves for it, what it uses over time, and what kills it.

A container's limit is what Spark computes from the configuration. What lives in it is the heap (a JVM grows into the
heap that it was given), the JVM's own memory, native memory, and Python workers beside it. The kernel kills the
container when the sum passes the limit; the JVM gives up when the objects that are really alive do not fit the heap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from console.base.units import parse_jvm_size, parse_quantity

MI = 2**20
JVM_OWN = 220 * MI
"""Metaspace, code cache, thread stacks, network buffers."""
BASE_LIVE = 150 * MI
HEAP_FILL_SECONDS = 40.0
"""How long a busy JVM takes to grow into the whole heap."""

Role = Literal["driver", "executor"]
DeathCause = Literal["cgroup", "heap"]


@dataclass(frozen=True)
class Sizing:
    """What Spark asks Kubernetes for, in bytes."""

    heap: int
    overhead: int
    offheap: int = 0
    pyspark: int = 0
    cores: int = 1
    raised: int = 0

    @property
    def request(self) -> int:
        """The container's memory request."""
        return self.heap + self.overhead + self.offheap + self.pyspark

    @property
    def limit(self) -> int:
        """The container's memory limit: the request, unless the operator's `memoryLimit` raises it."""
        return max(self.request, self.raised)


def sizing(spec: Mapping[str, Any], role: Role) -> Sizing:
    """Sizes of a SparkApplication `spec` for one role, by Spark's own formula.

    Raises:
        ValueError: a size in the spec is none.
    """
    part: Mapping[str, Any] = spec.get(role) or {}
    conf: Mapping[str, str] = spec.get("sparkConf") or {}
    heap = parse_jvm_size(part.get("memory") or conf.get(f"spark.{role}.memory") or "1g", "b")
    explicit = part.get("memoryOverhead") or conf.get(f"spark.{role}.memoryOverhead")
    if explicit:
        overhead = parse_jvm_size(explicit, "m")
    else:
        default = 0.1 if str(spec.get("type", "")) in ("Java", "Scala") else 0.4
        named = (
            conf.get(f"spark.{role}.memoryOverheadFactor")
            or spec.get("memoryOverheadFactor")
            or conf.get("spark.kubernetes.memoryOverheadFactor")
        )
        factor = float(named) if named else default
        least = parse_jvm_size(conf.get(f"spark.{role}.minMemoryOverhead") or "384m", "m")
        overhead = max(int(factor * (heap // MI)) * MI, least)
    offheap = pyspark = 0
    if role == "executor":
        if str(conf.get("spark.memory.offHeap.enabled", "false")).lower() == "true":
            offheap = parse_jvm_size(conf.get("spark.memory.offHeap.size") or "0", "b")
        if conf.get("spark.executor.pyspark.memory"):
            pyspark = parse_jvm_size(conf["spark.executor.pyspark.memory"], "m")
    cores = int(part.get("cores") or conf.get(f"spark.{role}.cores") or 1)
    raised = int(parse_quantity(part["memoryLimit"])) if part.get("memoryLimit") else 0
    return Sizing(heap, overhead, offheap, pyspark, cores, raised)


@dataclass(frozen=True)
class Demand:
    """What a stage makes one process hold, at its peak.

    Attributes:
        heap: bytes of live objects.
        python: resident bytes of each Python worker; one per running task.
        native: bytes outside heap and Python (Arrow, netty, off-heap).
        ramp: seconds from the first task to the peak.
    """

    heap: int = BASE_LIVE
    python: int = 0
    native: int = 0
    ramp: float = 30.0


@dataclass(frozen=True)
class Use:
    """Memory of one process at one time, in bytes."""

    live: int
    committed: int
    python: int
    native: int

    @property
    def jvm(self) -> int:
        """Resident size of the JVM."""
        return self.committed + JVM_OWN + self.native

    @property
    def resident(self) -> int:
        """Resident size of the container."""
        return self.jvm + self.python


def use(size: Sizing, demand: Demand, seconds: float, *, busy: float | None = None) -> Use:
    """Memory `seconds` after the process began the work that `demand` describes.

    Args:
        size: the process's sizes.
        demand: the work.
        seconds: since this work began.
        busy: since the process began any work; the heap fills by that. Default: `seconds`.
    """
    part = min(1.0, max(0.0, seconds) / demand.ramp)
    live = int(BASE_LIVE + max(0, demand.heap - BASE_LIVE) * part)
    filled = 0.25 + 0.75 * min(1.0, max(0.0, seconds if busy is None else busy) / HEAP_FILL_SECONDS)
    committed = min(size.heap, max(int(live * 1.15), int(size.heap * filled)))
    workers = size.cores
    return Use(live, committed, int(demand.python * workers * part), int(demand.native * part))


def fate(size: Sizing, demand: Demand, *, busy: float = 0.0, jitter: float = 1.0) -> tuple[float, DeathCause] | None:
    """When and how the work kills the process: (seconds after its begin, how), or None when it fits.

    Args:
        size: the process's sizes.
        demand: the work.
        busy: how long the process had worked before.
        jitter: stretches the ramp; processes do not die in the same instant.
    """
    stretched = Demand(demand.heap, demand.python, demand.native, demand.ramp * jitter)
    horizon = math.ceil(max(stretched.ramp, HEAP_FILL_SECONDS)) + 2

    def death(at: float) -> DeathCause | None:
        now = use(size, stretched, at, busy=busy + at)
        if now.live > size.heap * 0.98:
            return "heap"
        return "cgroup" if now.resident > size.limit else None

    # Memory only grows while the work goes on, so the first half second that kills is found by halving.
    low, high = 0, 2 * horizon
    if death(high / 2) is None:
        return None
    while low < high:
        middle = (low + high) // 2
        if death(middle / 2) is None:
            low = middle + 1
        else:
            high = middle
    how = death(low / 2)
    return None if how is None else (low / 2, how)


def gc_share(size: Sizing, live: int) -> float:
    """Share of task time that garbage collection takes when so many bytes are alive."""
    pressure = live / max(1, size.heap)
    return 0.02 + 0.55 * max(0.0, pressure - 0.75) / 0.25 if pressure > 0.75 else 0.02


def seen_heap(size: Sizing, live: int) -> int:
    """`JVMHeapMemory` as Spark reports it: live objects and the garbage of the moment, never more than the heap."""
    return min(size.heap, int(live * 1.2 + 0.12 * size.heap))
