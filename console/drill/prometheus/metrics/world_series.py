"""All series of the world by metric name: pods, nodes, quotas, Deployments, the operator, Spark's own, `up`, alerts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from console.base.units import parse_quantity
from console.drill.control.gpus import Gpus
from console.drill.prometheus.metrics.gpu import EXPORTER, GpuSeries
from console.drill.prometheus.metrics.pods import CADVISOR_NAMES, KSM_NAMES, PodSeries
from console.drill.prometheus.metrics.scraped import Scraped, ScrapeTarget, named
from console.drill.prometheus.metrics.spark import SPARK_NAMES, SparkSeries
from console.drill.prometheus.metrics.workloads import WORKLOAD_NAMES, WorkloadSeries
from console.drill.prometheus.promql.model import NAME, Labels, Matcher, TimeSeries, matching
from console.drill.spark.runs import Spark
from console.drill.state.cluster import ClusterState
from console.drill.state.resources import NODES

Object = dict[str, Any]
Builder = Callable[[str, float, float, int], Iterator[Scraped]]
_UNSPELLED = re.compile(r"[^a-zA-Z0-9]")
NODE_NAMES = (
    "kube_node_info",
    "kube_node_status_condition",
    "kube_node_status_allocatable",
    "kube_node_status_capacity",
    "kube_node_spec_unschedulable",
    "kube_node_spec_taint",
)
ALERTS = ("ALERTS", "ALERTS_FOR_STATE")


def spelled(resource: str) -> str:
    """A resource as kube-state-metrics writes it into a label."""
    return _UNSPELLED.sub("_", resource)


class Uptime(Protocol):
    """When a process ran."""

    times: list[tuple[float, bool]]

    def at(self, when: float) -> bool:
        """Whether it ran at a time."""


class WorldStorage:
    """Series of one world, as one Prometheus has them."""

    def __init__(
        self,
        cluster: ClusterState,
        spark: Spark,
        gpus: Gpus,
        *,
        interval: float,
        since: float,
        operator_since: float,
        operator: Uptime | None = None,
    ) -> None:
        self._uptime = operator
        self.cluster, self.interval, self.since = cluster, interval, since
        self.ksm = ScrapeTarget("kube-state-metrics", "10.244.1.20:8080", interval, since)
        self.operator = ScrapeTarget(
            "spark-operator",
            "10.244.1.21:8080",
            interval,
            operator_since,
            None,
            (("namespace", "spark-operator"), ("service", "spark-operator-metrics")),
        )
        self.prometheus = ScrapeTarget("prometheus", "localhost:9090", interval, since)
        pods = PodSeries(cluster, spark, self.ksm, interval)
        self._spark = SparkSeries(spark, interval)
        self._gpus = GpuSeries(cluster, gpus, spark, interval)
        self.alerts: Callable[[str, int], Iterable[TimeSeries]] = lambda _name, _now: ()
        self._builders: dict[str, Builder] = {
            **dict.fromkeys((*KSM_NAMES, *CADVISOR_NAMES), pods.build),
            **dict.fromkeys(SPARK_NAMES, self._spark.build),
            **dict.fromkeys(self._gpus.names(), self._gpus.build),
            **dict.fromkeys(NODE_NAMES, self._nodes),
            **dict.fromkeys(WORKLOAD_NAMES, WorkloadSeries(cluster, self.ksm, since).build),
            **dict.fromkeys(cluster.operator_metrics.counters, self._operator),
            "spark_application_start_latency_seconds_histogram_bucket": self._buckets,
            "up": self._up,
        }
        self.node_history: dict[str, list[tuple[float, Object]]] = {}
        for node in cluster.store.all(NODES):
            self.remember_node(node)
        cluster.store.listen(NODES, lambda change: self.remember_node(change.object))

    @property
    def now(self) -> float:
        """Virtual epoch seconds."""
        return self.cluster.heap.now

    def remember_node(self, node: Object) -> None:
        """A node changed: its series follow."""
        history = self.node_history.setdefault(node["metadata"]["name"], [])
        history.append((self.cluster.heap.now if history else self.since, node))

    @property
    def lasting(self) -> frozenset[str]:
        """Metrics whose past never changes: others are told of the objects that there are now."""
        return frozenset(self.cluster.operator_metrics.counters)

    def names(self) -> list[str]:
        """Metric names that exist."""
        return sorted([*self._builders, *ALERTS])

    def _named(self, matchers: list[Matcher]) -> list[str]:
        """Metric names that pass, in order."""
        exact = next((m.value for m in matchers if m.op == "="), None)
        names = self.names() if exact is None else [exact] if exact in self._builders or exact in ALERTS else []
        tests = [m.test() for m in matchers]
        return [name for name in names if all(test(name) for test in tests)]

    def select(self, matchers: list[Matcher], start: int, end: int) -> Iterable[TimeSeries]:
        """Series that match and may have samples in the span (ms)."""
        by_name = [m for m in matchers if m.name == NAME]
        passes = matching(m for m in matchers if m.name != NAME)
        now = int(self.cluster.heap.now * 1000)
        for name in self._named(by_name):
            found: Iterable[TimeSeries]
            if name in ALERTS:
                found = self.alerts(name, now)
            else:
                found = self._builders[name](name, start / 1000, end / 1000, now)
            for series in found:
                if passes(series.labels):
                    yield series

    def targets(self) -> list[ScrapeTarget]:
        """What is scraped now."""
        now = self.cluster.heap.now
        gone = self._uptime is not None and not self._uptime.at(now)
        fixed = [self.prometheus, self.ksm, *(() if gone else (self.operator,))]
        for node in self.cluster.store.all(NODES):
            address = self.cluster.node_address(node["metadata"]["name"])
            extra = (("metrics_path", "/metrics/cadvisor"), ("node", node["metadata"]["name"]))
            fixed.append(
                ScrapeTarget("kubelet", f"{address}:10250", self.interval, self.since, None, extra, "/metrics/cadvisor")
            )
        return fixed + self._gpus.targets() + [t for t in self._spark.targets(now, now) if t.until is None]

    def answers(self, target: ScrapeTarget) -> Callable[[float], float]:
        """`up` of a target at a time."""
        return self._gpus.answers(target) if target.job == EXPORTER else lambda _t: 1.0

    def _up(self, name: str, start: float, end: float, now: int) -> Iterator[Scraped]:
        live = [t for t in self.targets() if t.job not in ("spark-drivers", self.operator.job)]
        live.append(self.operator)
        for target in [*live, *self._spark.targets(start, end)]:
            if target is self.operator:
                yield self._told(named(name, target, {}), lambda _t: 1.0, now, monotone=False)
                continue
            yield Scraped(named(name, target, {}), target, self.answers(target), now)

    def _operator(self, name: str, start: float, end: float, now: int) -> Iterator[Scraped]:
        counter = self.cluster.operator_metrics.counters[name]
        labels = named(name, self.operator, {"app_type": "Unknown"})
        yield self._told(labels, counter.at, now, monotone="running" not in name)

    def _told(self, labels: Labels, read: Callable[[float], float], now: int, *, monotone: bool) -> Scraped:
        """A series of the operator, which there is only while it runs."""
        uptime = self._uptime
        if uptime is None or not uptime.times:
            return Scraped(labels, self.operator, read, now, monotone=monotone)
        last, up = uptime.times[-1]
        value: Callable[[float], float | None] = lambda t: read(t) if uptime.at(t) else None  # noqa: E731
        return Scraped(labels, self.operator, value, now, monotone=monotone, until=None if up else last)

    def _buckets(self, name: str, start: float, end: float, now: int) -> Iterator[Scraped]:
        for bound, counter in self.cluster.operator_metrics.buckets.items():
            le = "+Inf" if bound == float("inf") else f"{bound:g}"
            labels = named(name, self.operator, {"app_type": "Unknown", "le": le})
            yield self._told(labels, counter.at, now, monotone=True)

    def _node_at(self, name: str, when: float) -> Object | None:
        found: Object | None = None
        for since, node in self.node_history.get(name, ()):
            if since > when:
                break
            found = node
        return found

    def _nodes(self, name: str, start: float, end: float, now: int) -> Iterator[Scraped]:
        for node in self.node_history:
            for labels in self._node_labels(name, node):
                value = self._node_value(name, node, labels)
                yield Scraped(named(name, self.ksm, {"node": node, **labels}), self.ksm, value, now)

    def _node_labels(self, name: str, node: str) -> list[dict[str, str]]:
        latest = self.node_history[node][-1][1]
        if name == "kube_node_status_condition":
            kinds = [c["type"] for c in latest["status"]["conditions"]]
            return [{"condition": k, "status": s} for k in kinds for s in ("true", "false", "unknown")]
        if name in ("kube_node_status_allocatable", "kube_node_status_capacity"):
            units = {"memory": "byte", "cpu": "core", "ephemeral-storage": "byte"}
            return [{"resource": spelled(r), "unit": units.get(r, "integer")} for r in latest["status"]["allocatable"]]
        if name == "kube_node_spec_taint":
            taints = {
                (t["key"], t.get("value", ""), t["effect"])
                for _, n in self.node_history[node]
                for t in n["spec"].get("taints", ())
            }
            return [{"key": k, "value": v, "effect": e} for k, v, e in sorted(taints)]
        if name == "kube_node_info":
            info = latest["status"]["nodeInfo"]
            return [{"kubelet_version": info["kubeletVersion"], "os_image": info["osImage"]}]
        return [{}]

    def _node_value(self, name: str, node: str, labels: dict[str, str]) -> Callable[[float], float | None]:
        def value(when: float) -> float | None:
            obj = self._node_at(node, when)
            if obj is None:
                return None
            if name == "kube_node_status_condition":
                status = {c["type"]: c["status"].lower() for c in obj["status"]["conditions"]}
                return float(status.get(labels["condition"]) == labels["status"])
            if name in ("kube_node_status_allocatable", "kube_node_status_capacity"):
                amounts = obj["status"][name.rsplit("_", 1)[1]]
                return next((parse_quantity(v) for k, v in amounts.items() if spelled(k) == labels["resource"]), None)
            if name == "kube_node_spec_unschedulable":
                return float(bool(obj["spec"].get("unschedulable")))
            if name == "kube_node_spec_taint":
                wanted = (labels["key"], labels["value"], labels["effect"])
                return (
                    1.0
                    if any((t["key"], t.get("value", ""), t["effect"]) == wanted for t in obj["spec"].get("taints", ()))
                    else None
                )
            return 1.0

        return value
