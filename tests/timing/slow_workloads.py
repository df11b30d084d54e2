"""Work with and without one cause of lost time, for a real PySpark: `spark-submit slow_workloads.py CAUSE bad|good`.

Several causes (`CAUSE,CAUSE bad|good FOLDER LOGS`) are applications one after the other in one JVM, each with its event
log in a folder of its own below LOGS.

Where it can, the work is time spent asleep, so that what a cause costs does not depend on the machine.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pyspark import TaskContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

FIXED = {"spark.sql.adaptive.enabled": "false"}
"""Plans stay as they are written."""
FEW = {**FIXED, "spark.sql.shuffle.partitions": "8"}
CONF: dict[str, dict[str, str]] = {
    "skew": FIXED,
    "few-tasks": FIXED,
    "many-tasks": FIXED,
    "no-broadcast": FIXED,
    "gc": {
        **FIXED,
        "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "100000000",
        "spark.sql.shuffle.partitions": "8",
    },
    "spill": FIXED,
    **dict.fromkeys(("small-writes", "cross-join", "row-explosion", "repeated-work", "large-broadcast"), FEW),
    "shuffle-wait": {
        **FIXED,
        "spark.shuffle.readHostLocalDisk": "false",
        "spark.shuffle.compress": "false",
        "spark.reducer.maxSizeInFlight": "256k",
    },
}


class Throttled:
    """Processes that run only a part of each period, as on a node whose CPU is taken away."""

    def __init__(self, pids: Callable[[], Sequence[int]], run: float, stopped: float) -> None:
        self._pids, self._run, self._stopped = pids, run, stopped
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._end.wait(self._run):
            pids = self._pids()
            try:
                _signal(pids, signal.SIGSTOP)
                time.sleep(self._stopped)
            finally:
                _signal(pids, signal.SIGCONT)


def _signal(pids: Sequence[int], what: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, what)


def below(pid: int) -> list[int]:
    """A process and everything under it."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    out = [pid]
    for listed in children:
        with contextlib.suppress(OSError):
            for word in listed.read_text().split():
                out += below(int(word))
    return out


def executor(number: int) -> Sequence[int]:
    """The JVM of one executor of `local-cluster`, with its Python workers."""
    for pid in below(os.getppid()):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            if "--executor-id" in words and words[words.index("--executor-id") + 1] == str(number) and "-cp" in words:
                return below(pid)
    return ()


def napping(seconds: float) -> Callable[[Iterator[Any]], Iterator[int]]:
    """Work that takes a fixed time for each record, in slices: a process that is stopped makes no progress."""

    def run(records: Iterator[Any]) -> Iterator[int]:
        count = 0
        for _ in records:
            for _ in range(int(seconds / 0.01)):
                time.sleep(0.01)
            count += 1
        yield count

    return run


def asleep(seconds: float) -> Callable[[Iterator[Any]], Iterator[int]]:
    """Work that takes a fixed time for each record."""

    def run(records: Iterator[Any]) -> Iterator[int]:
        count = 0
        for _ in records:
            time.sleep(seconds)
            count += 1
        yield count

    return run


def failing(bad: bool) -> Callable[[int, Iterator[Any]], Iterator[int]]:
    def run(index: int, records: Iterator[Any]) -> Iterator[int]:
        context = TaskContext.get()
        if bad and index < 4 and context is not None and context.attemptNumber() == 0:
            time.sleep(6)
            raise ValueError("fails the first time")
        time.sleep(1)
        yield 1

    return run


def work(spark: SparkSession, cause: str, way: str, folder: Path) -> None:
    bad = way == "bad"
    context = spark.sparkContext
    if cause == "skew":
        keys = [0 if (bad and i % 4) else i for i in range(800)]
        pairs = context.parallelize([(k, "x" * 2000) for k in keys], 8).partitionBy(4)
        pairs.mapPartitions(asleep(0.02)).sum()
    elif cause == "few-tasks":
        context.parallelize(range(400), 1 if bad else 16).mapPartitions(asleep(0.02)).sum()
    elif cause == "many-tasks":
        spark.range(0, 4_000_000, 1, 2000 if bad else 8).select(f.sum(f.hash("id"))).collect()
    elif cause == "retries":
        context.parallelize(range(8), 8).mapPartitionsWithIndex(failing(bad)).sum()
    elif cause == "driver-gap":
        for _ in range(3):
            context.parallelize(range(8), 4).mapPartitions(asleep(0.2)).sum()
            if bad:
                time.sleep(3)
    elif cause == "python-udf":
        twice: Any = f.udf(lambda x: x * 2 + 1, "long") if bad else lambda column: column * 2 + 1
        spark.range(0, 3_000_000, 1, 4).select(f.sum(twice(f.col("id")))).collect()
    elif cause == "small-files":
        path = str(folder / f"table-{bad}")
        if not Path(path, "_SUCCESS").exists():
            spark.range(0, 200_000, 1, 1500 if bad else 4).write.mode("overwrite").parquet(path)
        else:
            spark.read.parquet(path).select(f.sum("id")).collect()
    elif cause == "no-broadcast":
        big = spark.range(0, 4_000_000, 1, 4).select((f.col("id") % 1000).alias("k"), f.lit("x" * 60).alias("pad"))
        small = spark.range(0, 1000).select(f.col("id").alias("k"), (f.col("id") * 3).alias("v"))
        big.join(small, "k").select(f.sum(f.col("v") + f.length("pad"))).collect()
    elif cause == "gc":
        java: Any = spark.sparkContext._jvm
        live = java.java.util.stream.IntStream.range(0, 10_000_000).boxed()
        spark._live = live.collect(java.java.util.stream.Collectors.toList())  # type: ignore[attr-defined]
        lists = spark.range(0, 1_600_000, 1, 4).groupBy((f.col("id") % 160_000).alias("k")).agg(f.collect_list("id"))
        lists.select(f.sum(f.size("collect_list(id)"))).collect()
    elif cause == "spill":
        rows = spark.range(0, 3_000_000, 1, 4).select(f.sha2(f.col("id").cast("string"), 512).alias("h"), "id")
        rows.repartition(4, "id").sortWithinPartitions("h").write.format("noop").mode("overwrite").save()
    elif cause == "nightly":
        rows = (
            context.parallelize(range(800 if way == "grown" else 400), 8).map(lambda x: (x, "x" * 500)).partitionBy(8)
        )
        rows.mapPartitions(asleep(0.02 if way != "slow" else 0.045)).sum()
    elif not work_of_plans(spark, cause, bad, folder):
        work_of_cluster(spark, cause, bad, folder)


def work_of_plans(spark: SparkSession, cause: str, bad: bool, folder: Path) -> bool:
    """Causes that only the plan shows. False: none of them is asked for."""
    table = str(folder / f"table-{cause}-{bad}")
    if cause == "small-writes":
        rows = spark.range(0, 200_000, 1, 12).withColumn("k", f.col("id") % 60)
        (rows if bad else rows.repartition(8, "k")).write.mode("overwrite").partitionBy("k").parquet(table)
    elif cause == "cross-join":
        left, right = spark.range(0, 40_000, 1, 4), spark.range(0, 40_000, 1, 4).withColumnRenamed("id", "o")
        near = (f.col("id") - f.col("o")) == 0 if bad else f.col("id") == f.col("o")
        how = (f.col("id") - f.col("o")).between(0, 0) if bad else near
        left.join(f.broadcast(right), how).select(f.sum("o")).collect()
    elif cause == "row-explosion":
        big = spark.range(0, 600_000, 1, 4).select((f.col("id") % 3000).alias("k"), "id")
        small = spark.range(0, 600_000 if bad else 3000, 1, 4).select(
            (f.col("id") % 3000).alias("k"), f.col("id").alias("v")
        )
        big.join(small, "k").select(f.sum(f.hash("v", "id"))).collect()
    elif cause == "unpruned-scan":
        if not Path(table, "_SUCCESS").exists():
            rows = spark.range(0, 30_000_000, 1, 4).select((f.col("id") % 25).alias("k"), f.hash("id").alias("h"))
            writer = rows.repartition(4, "k" if not bad else "h").write.mode("overwrite")
            (writer if bad else writer.partitionBy("k")).parquet(table)
        else:
            spark.read.parquet(table).where("k = 7 and length(string(h)) > 3").select(f.sum("h")).collect()
    elif cause == "large-broadcast":
        large = spark.range(0, 2_500_000, 1, 4).select("id", f.repeat(f.col("id").cast("string"), 12).alias("pad"))
        small = spark.range(0, 1000, 1, 4).withColumnRenamed("id", "k")
        sides = (small, f.broadcast(large)) if bad else (large, f.broadcast(small))
        sides[0].join(sides[1], f.col("id") == f.col("k")).select(f.sum(f.length("pad"))).collect()
    elif cause == "repeated-work":
        rows = spark.range(0, 6_000_000, 1, 4).select(
            f.sha2(f.sha2(f.col("id").cast("string"), 512), 512).alias("h"), "id"
        )
        counts = rows.groupBy(f.substring("h", 1, 3).alias("p")).agg(f.count("*").alias("n"))
        counts = counts if bad else counts.cache()
        for threshold in (0, 1, 2):
            counts.where(f.col("n") > threshold).agg(f.sum("n")).collect()
    else:
        return False
    return True


def work_of_cluster(spark: SparkSession, cause: str, bad: bool, folder: Path) -> None:
    """Causes that need executors of their own."""
    context = spark.sparkContext
    if cause == "slow-node":
        with Throttled(lambda: executor(1) if bad else (), 0.05, 0.15):
            context.parallelize(range(160), 32).mapPartitions(napping(0.1)).sum()
    elif cause == "scheduler-delay":
        with Throttled(lambda: [os.getppid()] if bad else (), 0.1, 0.9):
            context.parallelize(range(48), 48).mapPartitions(napping(0.4)).sum()
    elif cause == "shuffle-wait":
        rows = spark.range(0, 400_000, 1, 4).select("id", f.repeat(f.col("id").cast("string"), 40).alias("pad"))
        rows.repartition(8, "id").select(f.sum(f.length("pad"))).collect()
    elif cause == "late-executors":
        context.parallelize(range(48), 48).mapPartitions(napping(0.4)).sum()
    elif cause == "idle-slots":
        kept = context.parallelize(range(64), 32).cache()
        kept.count()
        kept.mapPartitions(napping(0.25)).sum()
    elif cause == "idle-executors":
        context.parallelize(range(200), 1).mapPartitions(napping(0.1)).sum()


def main(cause: str, way: str, folder: str = ".", logs: str = "") -> None:
    builder = SparkSession.builder.appName(f"work {way}" if cause != "nightly" else "nightly-2026112400")
    for key, value in CONF.get(cause, {}).items():
        builder = builder.config(key, value)
    if cause == "no-broadcast":
        builder = builder.config("spark.sql.autoBroadcastJoinThreshold", "-1" if way == "bad" else "10485760")
    if logs:
        own = Path(logs, cause)
        own.mkdir(parents=True)
        builder = builder.config("spark.eventLog.dir", own.as_uri())
    spark = builder.getOrCreate()
    spark.sparkContext.parallelize(range(4), 4).map(lambda x: x).count()
    work(spark, cause, way, Path(folder))
    spark.stop()


if __name__ == "__main__":
    for each in sys.argv[1].split(","):
        main(each, *sys.argv[2:])
