"""What the Spark applications of the tests do: `workloads.py NAME`, NAME being one of the functions below.

The file is baked into the Spark image as /opt/jobs/workloads.py and also runs on a plain PySpark in local mode.
Lines `MARK <what> <seconds since the epoch>` in the driver's log say how far a run came. The environment may set
APP_NAME (default: the workload's name, as people name applications in code) and HOLD (seconds the driver stays up
at the end, default 5).
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

MIB = 1 << 20


def mark(what: str) -> None:
    print(f"MARK {what} {time.time():.3f}", flush=True)


def _fill_memory(total_mib: int) -> int:
    """Hold and touch memory in steps of 20 MiB, slowly enough for a kubelet to see it grow."""
    held = []
    for _ in range(total_mib // 20):
        held.append(bytearray(b"x") * (20 * MIB))
        time.sleep(0.1)
    return len(held)


def healthy(spark: Any) -> None:
    """Three small shuffles that fit everywhere."""
    for job in range(3):
        numbers = spark.range(0, 2_000_000, 1, 4).selectExpr("id", "id % 1000 AS k")
        numbers.groupBy("k").sum("id").repartition(2).count()
        mark(f"job{job}")


def executor_oom(spark: Any) -> None:
    """A shuffle of about 1.6 GB.

    With `spark.kubernetes.local.dirs.tmpfs=true` its files count as the container's memory, so an executor with a
    small overhead is killed by the kernel (137, OOMKilled) though its heap is fine; a larger overhead cures it.
    """
    spark.range(0, 4, 1, 2).selectExpr("sum(id)").collect()
    mark("warm")
    time.sleep(3)
    spark.range(0, 40_000_000, 1, 8).selectExpr("uuid() AS u").repartition(8, "u").selectExpr("max(u)").collect()
    mark("shuffled")


def python_oom(spark: Any) -> None:
    """Python workers beside the executor's JVM outgrow the container."""

    def grow(rows: Iterable[int]) -> Iterator[int]:
        for _ in rows:
            yield _fill_memory(2400)

    spark.sparkContext.parallelize(range(2), 2).mapPartitions(grow).collect()


def driver_oom(spark: Any) -> None:
    """The driver's Python process outgrows the driver's container."""
    _fill_memory(2400)


def pyfail(spark: Any) -> None:
    """User code divides by zero in one task: a failure that no setting cures."""
    spark.sparkContext.parallelize(range(100), 4).map(lambda x: 10 // (x - 77)).sum()


def slow(spark: Any) -> None:
    """Forty tasks of two seconds: time to look at a running application."""
    spark.sparkContext.parallelize(range(40), 20).map(lambda _: time.sleep(2)).count()
    mark("slept")


def deleted(spark: Any) -> None:
    """As slow, and longer: the test takes an executor away meanwhile, and the application must finish."""
    spark.sparkContext.parallelize(range(60), 30).map(lambda _: time.sleep(2)).count()
    mark("slept")


def heap_oom(spark: Any) -> None:
    """All rows of one key in one list: about 1 GB in the executor's JVM."""
    rows = spark.range(0, 4_000_000, 1, 4).selectExpr("1 AS k", "concat('order-', id, repeat('x', 200)) AS s")
    rows.groupBy("k").agg({"s": "collect_list"}).selectExpr("length(to_json(struct(*)))").collect()


def driver_heap_oom(spark: Any) -> None:
    """All rows to the driver: about 1 GB in its JVM. Needs `spark.driver.maxResultSize=0`."""
    spark.range(0, 4_000_000, 1, 4).selectExpr("concat('order-', id, repeat('x', 200)) AS s").collect()


def result_size(spark: Any) -> None:
    """More results than `spark.driver.maxResultSize` allows."""
    spark.range(0, 2_000_000, 1, 4).selectExpr("uuid() AS u").collect()


def python_crash(spark: Any) -> None:
    """The Python worker of one task dies in native code."""

    def crash(rows: Iterable[int]) -> Iterator[int]:
        if 7 in rows:
            os.kill(os.getpid(), signal.SIGSEGV)
        yield 0

    spark.sparkContext.parallelize(range(100), 4).mapPartitions(crash).sum()


def module_missing(spark: Any) -> None:
    """The executors' image lacks a package that a function needs."""

    def load(row: int) -> int:
        import orders_pricing  # type: ignore[import-not-found]

        return int(orders_pricing.price(row))

    spark.sparkContext.parallelize(range(100), 4).map(load).sum()


def _signal_jvm(sent: int) -> None:
    """Send a signal to the JVM that this Python worker belongs to: its daemon's parent."""
    stat = Path(f"/proc/{os.getppid()}/stat").read_text()
    os.kill(int(stat.rpartition(")")[2].split()[1]), sent)


def _signal_once(spark: Any, sent: int) -> None:
    """A shuffle of eight mappers and forty slow reducers; the sixth reducer to start sends a signal to its executor."""
    from pyspark import TaskContext  # type: ignore[import-not-found]

    def reduce(rows: Iterable[Any]) -> Iterator[int]:
        time.sleep(0.7)
        if TaskContext.get().taskAttemptId() == 13:  # counted over the application, so it comes once
            mark("signal")
            _signal_jvm(sent)
            time.sleep(600)
        yield sum(len(values) for _, values in rows)

    pairs = spark.sparkContext.parallelize(range(4000), 8).map(lambda n: (n % 40, "x" * 1000))
    pairs.groupByKey(40).mapPartitions(reduce).sum()
    mark("reduced")


def killed(spark: Any) -> None:
    """An executor is killed from outside Kubernetes while others read its shuffle data."""
    _signal_once(spark, signal.SIGKILL)


def frozen(spark: Any) -> None:
    """An executor stops, as in a very long pause: it sends no heartbeat. Wants a short `spark.network.timeout`."""
    _signal_once(spark, signal.SIGSTOP)


WORKLOADS = {
    function.__name__: function
    for function in (
        *(healthy, slow, deleted, executor_oom, python_oom, driver_oom, heap_oom, driver_heap_oom, result_size),
        *(pyfail, python_crash, module_missing, killed, frozen),
    )
}


def main() -> int:
    from pyspark.sql import SparkSession  # type: ignore[import-not-found]  # it lives in the image and in its own venv

    name = sys.argv[1]
    spark = SparkSession.builder.appName(os.environ.get("APP_NAME", name)).getOrCreate()
    mark(f"app {spark.sparkContext.applicationId}")
    code = 0
    try:
        WORKLOADS[name](spark)
    except Exception as error:
        mark(f"exception {type(error).__name__}")
        traceback.print_exc()
        code = 1
    mark("hold")
    time.sleep(float(os.environ.get("HOLD", "5")))
    spark.stop()
    return code


if __name__ == "__main__":
    sys.exit(main())
