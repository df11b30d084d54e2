"""Series about pods that existed in a span: what kube-state-metrics and cAdvisor have of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.base.units import parse_quantity
from console.drill.prometheus.metrics.ksm import CONTAINER, POD, ValueAt, series_of
from console.drill.prometheus.metrics.scraped import Scraped, ScrapeTarget, named
from console.drill.spark.progress import SparkRun
from console.drill.spark.runs import Spark
from console.drill.spark.use import cpu_seconds
from console.drill.spark.use import resident as resident_of
from console.drill.state.cluster import ClusterState
from console.drill.state.tracks import Track

Object = dict[str, Any]
HOUSEKEEPING = 10.0
"""cAdvisor looks at a container every so many seconds: a scrape shows what it saw last."""

KSM_NAMES = (*POD, *CONTAINER)
CADVISOR_NAMES = (
    "container_memory_working_set_bytes",
    "container_memory_rss",
    "container_spec_memory_limit_bytes",
    "container_cpu_usage_seconds_total",
    "container_oom_events_total",
)


class PodSeries:
    """Builds series of pods that existed in a span."""

    def __init__(self, cluster: ClusterState, spark: Spark, ksm: ScrapeTarget, interval: float) -> None:
        self.cluster, self._spark, self.ksm, self.interval = cluster, spark, ksm, interval

    def build(self, name: str, start: float, end: float, now: int) -> Iterator[Scraped]:
        """Series of one metric name."""
        cadvisor = name in CADVISOR_NAMES
        for track in self.cluster.tracks.between(start, end):
            if cadvisor and track.node:
                yield from self._cadvisor(name, track, now)
            elif not cadvisor:
                for labels, value in series_of(name, track):
                    base = {"namespace": track.namespace, "pod": track.name, "uid": track.uid}
                    series = named(name, self.ksm, {**base, **labels})
                    alive = _while(track, value)
                    yield Scraped(series, self.ksm, alive, now, since=track.created, until=track.gone)

    def _cadvisor(self, name: str, track: Track, now: int) -> Iterator[Scraped]:
        address = self.cluster.node_address(track.node)
        extra = (("metrics_path", "/metrics/cadvisor"), ("node", track.node))
        target = ScrapeTarget(
            "kubelet", f"{address}:10250", self.interval, self.ksm.since, None, extra, "/metrics/cadvisor"
        )
        run = self._spark.run_of_uid(track.uid)
        for spec in track.pod["spec"]["containers"]:
            labels = {
                "container": spec["name"],
                "id": f"/kubepods/burstable/pod{track.uid}/{spec['name']}",
                "image": spec["image"],
                "name": spec["name"],
                "namespace": track.namespace,
                "pod": track.name,
            }
            limit = parse_quantity(((spec.get("resources") or {}).get("limits") or {}).get("memory", 0))
            value: ValueAt
            if name == "container_spec_memory_limit_bytes":
                value = lambda _t, limit=limit: limit  # type: ignore[misc]  # noqa: E731
            elif name == "container_oom_events_total":
                # The series ends with its container, so the count of a killed one is hardly ever scraped.
                value = lambda _t: 0.0  # noqa: E731
            elif name == "container_cpu_usage_seconds_total":
                labels = {**labels, "cpu": "total"}
                value = _cpu(run, track)
            else:
                value = _memory(run, track, limit, name == "container_memory_rss")
            ended = track.ended or track.gone
            alive = _running(track, value)
            yield Scraped(named(name, target, labels), target, alive, now, since=track.created, until=ended)


def _while(track: Track, value: ValueAt) -> ValueAt:
    return lambda t: value(t) if track.exists(t) else None


def _running(track: Track, value: ValueAt) -> ValueAt:
    return lambda t: value(t) if track.running(t) else None


def _seen(t: float, track: Track) -> float:
    """The time of cAdvisor's latest look."""
    started = track.started or t
    return max(started, started + (t - started) // HOUSEKEEPING * HOUSEKEEPING)


def _memory(run: SparkRun | None, track: Track, limit: float, resident: bool) -> ValueAt:
    if run is None:
        share = 0.35 + (sum(track.uid.encode()) % 20) / 100
        return lambda _t: float(int(limit * share * (0.95 if resident else 1.0)))
    return lambda t: float(resident_of(run, track.uid, _seen(t, track))) * (0.97 if resident else 1.0)


def _cpu(run: SparkRun | None, track: Track) -> ValueAt:
    if run is None:
        return lambda t: round((t - (track.started or t)) * 0.05, 3)
    return lambda t: round(cpu_seconds(run, track.uid, _seen(t, track)), 3)
