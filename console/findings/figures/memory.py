"""Figures of an end by memory, and of the ends that look like one: who, what was asked for, what was measured."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct

from console.findings.figures.base import Figures

Filler = Literal["heap", "overhead", "unknown"]
"""What filled a container."""
SizedField = Literal["overhead", "heap", "driver-overhead", "driver-heap", "result-size", "cores"]
"""What a proposal sets; `overhead`, `heap` and `cores` are the executors'."""
Sureness = Literal["measured", "tried", "guess"]


class SizeProposal(Struct, frozen=True, gc=False, kw_only=True):
    """The smallest change that the evidence carries, in bytes.

    Attributes:
        field: what to set. `result-size` is spark.driver.maxResultSize together with the driver's heap.
        value: what to set it to; null where nothing that is allowed covers the need.
        heap: the driver's heap that goes with a `result-size`.
        bound: the largest value that nodes, limit ranges and quotas allow; null where none of them is known.
        now: what it is at present.
        sure: `measured` by peaks, `tried` by attempts of other sizes, or a `guess`.
        because: one sentence with the figures that carry it.
    """

    field: SizedField
    value: int | None
    heap: int | None = None
    bound: int | None
    now: int
    sure: Sureness
    because: str


class MemoryFigures(Figures, frozen=True, kw_only=True):
    """Sizes are bytes, null where they are not known.

    Attributes:
        namespace, name, launcher, language: of the application, as a `SparkApp` has them.
        app_id: Spark's id of the attempt that was hit last.
        attempt: that attempt's number; `attempts` all that were hit, `current` whether the present one was.
        role: whose memory, `driver` or `executor`.
        exit_code, reason: of the container that ended last.
        kind: what ran out or how it ended: `container`, `heap`, `metaspace`, `evicted`, `sigkill`, …
        deaths: how many ended so; `executors` their ids, `pods` and `nodes` their names, 50 at most.
        heap, overhead, off_heap, pyspark: the parts of the container's memory.
        limit: of the container; `total` what its parts add up to.
        factor: share of the heap that the overhead was computed with, where it was.
        heap_peak, python_rss, jvm_rss: the highest measured use of the JVM's heap, of Python workers, and of the whole
            JVM's resident memory; `peaks_at` when it was read.
        decided: what filled the container, where that is proven.
        likely: what it most likely was, where it is not; `` where nothing speaks for either.
        tmpfs: whether local directories lie in memory and count as the container's.
        one_task: whether one and the same task failed on every executor.
        proposal: the size to set; null where no size is known to help.
    """

    CODES: ClassVar[tuple[str, ...]] = (
        "executor-oom-container",
        "executor-oom-overhead",
        "executor-oom-python",
        "executor-oom-heap",
        "executor-gc-overhead",
        "driver-oom-container",
        "driver-oom-heap",
        "executor-evicted",
        "driver-evicted",
        "executor-sigterm",
        "executor-killed",
        "executor-deleted",
        "ended-by-change",
        "ended-by-console",
        "driver-deleted",
        "driver-killed",
        "pod-deadline",
    )

    namespace: str
    name: str
    app_id: str
    attempt: int
    attempts: tuple[int, ...]
    current: bool
    launcher: str
    language: str
    role: Literal["driver", "executor"]
    exit_code: int | None
    reason: str
    kind: str
    deaths: int
    executors: tuple[str, ...]
    pods: tuple[str, ...]
    nodes: tuple[str, ...]
    heap: float | None
    overhead: float | None
    off_heap: float | None
    pyspark: float | None
    limit: float | None
    factor: float | None
    total: float | None
    heap_peak: float | None
    python_rss: float | None
    jvm_rss: float | None
    decided: Filler
    likely: Literal["heap", "overhead", ""]
    tmpfs: bool
    one_task: bool
    proposal: SizeProposal | None
    peaks_at: float | None = None


class ResultSizeFigures(MemoryFigures, frozen=True, kw_only=True):
    """Results that were bigger than allowed: bytes of all of them, and of spark.driver.maxResultSize."""

    CODES: ClassVar[tuple[str, ...]] = ("driver-result-size",)

    result_size: float | None
    max_result_size: float | None


class GcFigures(Figures, frozen=True, kw_only=True):
    """Garbage collection before memory runs out.

    Attributes:
        share: of its task time that the worst executor spends in it, 0-1.
        executors: ids of those above the bound, the worst first.
        heap_peak: highest use of the worst one's heap in bytes, null where it was not measured.
    """

    CODES: ClassVar[tuple[str, ...]] = ("executor-gc-pressure",)

    share: float
    executors: tuple[str, ...]
    heap_peak: float | None
