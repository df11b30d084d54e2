"""Work with and without one cause of lost time, for a real PySpark: `spark-submit slow_workloads.py CAUSE bad|good`.

Where it can, the work is time spent asleep, so that what a cause costs does not depend on the machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pyspark import TaskContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

CONF = {
    "skew": {"spark.sql.adaptive.enabled": "false"},
    "few-tasks": {"spark.sql.adaptive.enabled": "false"},
    "many-tasks": {"spark.sql.adaptive.enabled": "false"},
    "no-broadcast": {"spark.sql.adaptive.enabled": "false"},
}


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
            time.sleep(3)
            raise ValueError("fails the first time")
        time.sleep(1)
        yield 1

    return run


def work(spark: SparkSession, cause: str, bad: bool, folder: Path) -> None:
    context = spark.sparkContext
    if cause == "skew":
        keys = [0 if (bad and i % 4) else i for i in range(800)]
        pairs = context.parallelize([(k, "x" * 2000) for k in keys], 8).partitionBy(16)
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


def main(cause: str, way: str, folder: str = ".") -> None:
    builder = SparkSession.builder.appName(f"work {way}")
    for key, value in CONF.get(cause, {}).items():
        builder = builder.config(key, value)
    if cause == "no-broadcast":
        builder = builder.config("spark.sql.autoBroadcastJoinThreshold", "-1" if way == "bad" else "10485760")
    spark = builder.getOrCreate()
    spark.sparkContext.parallelize(range(4), 4).map(lambda x: x).count()
    work(spark, cause, way == "bad", Path(folder))
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
