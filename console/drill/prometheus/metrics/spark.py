"""Series of Spark drivers: `/metrics/executors/prometheus` of every application that runs or ran."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.drill.prometheus.metrics.scraped import Scraped, ScrapeTarget, named
from console.drill.spark.progress import SparkRun
from console.drill.spark.runs import Spark
from console.drill.spark.stats import EXPOSED, RunStats

Object = dict[str, Any]
SPARK_NAMES = (*EXPOSED, "spark_info")


class SparkSeries:
    """Builds series of drivers that served metrics in a span."""

    def __init__(self, spark: Spark, interval: float) -> None:
        self._spark, self.interval = spark, interval

    def target(self, run: SparkRun) -> ScrapeTarget | None:
        """The scrape target of a driver, once its UI was up."""
        if run.started is None:
            return None
        meta = run.driver["metadata"]
        extra = (("namespace", meta["namespace"]), ("pod", meta["name"]), ("spark_role", "driver"))
        return ScrapeTarget(
            "spark-drivers",
            f"{run.driver_ip}:4040",
            self.interval,
            run.started,
            run.ended,
            extra,
            "/metrics/executors/prometheus",
        )

    def targets(self, start: float, end: float) -> list[ScrapeTarget]:
        """Targets of drivers that were up in the span."""
        found = (self.target(run) for run in self._runs(start, end))
        return [target for target in found if target is not None]

    def _runs(self, start: float, end: float) -> list[SparkRun]:
        return [
            r
            for r in self._spark.runs
            if r.started is not None and r.started <= end and (r.ended is None or r.ended >= start - 300)
        ]

    def build(self, name: str, start: float, end: float, now: int) -> Iterator[Scraped]:
        """Series of one metric name."""
        for run in self._runs(start, end):
            target = self.target(run)
            if target is None:
                continue
            if name == "spark_info":
                labels = {
                    "version": str(run.spec.get("sparkVersion", "4.1.4")),
                    "revision": "45b9b176e6e27f530a86ac5421b03865b7ea6287",
                }
                yield Scraped(named(name, target, labels), target, lambda _t: 1.0, now)
                continue
            stats = RunStats(run)
            for executor in ["driver", *map(str, run.executors)]:
                labels = {"application_id": run.app_id, "application_name": run.name, "executor_id": executor}
                read = stats.reader(name, executor)
                yield Scraped(named(name, target, labels), target, read, now)
