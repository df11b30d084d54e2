"""Series of DCGM exporters in both generations of names, and of the GPU operator's view of each node."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator

from console.drill.control.gpus import Card, CardAllocation, Gpus
from console.drill.prometheus.metrics.scraped import Scraped, ScrapeTarget, named
from console.drill.prometheus.promql.model import LOOKBACK
from console.drill.spark.runs import Spark
from console.drill.state.cluster import ClusterState
from console.drill.state.tracks import latest

ValueAt = Callable[[float], float | None]
MIB = 2**20
BLANK = 9223372036854775794.0
"""What older exporters give for a figure that a card does not support."""
PAST = 8 * 3600.0
EXPORTER = "nvidia-dcgm-exporter"
_LEGACY = (
    "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_GPU_TEMP",
    "DCGM_FI_DEV_MEMORY_TEMP", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_ROW_REMAP_FAILURE",
    "DCGM_FI_DEV_THERMAL_VIOLATION", "DCGM_FI_DEV_POWER_VIOLATION", "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
)  # fmt: skip
_RENAMED = (
    "DCGM_FI_DEV_GPU_UTIL_RATIO", "DCGM_FI_DEV_FB_USED_BYTES", "DCGM_FI_DEV_FB_FREE_BYTES",
    "DCGM_FI_DEV_FB_CAPACITY_BYTES", "DCGM_FI_DEV_GPU_TEMP_CELSIUS", "DCGM_FI_DEV_BOARD_POWER_WATTS",
    "DCGM_FI_DEV_XID_ERROR", "DCGM_FI_DEV_ROW_REMAP_FAILED", "DCGM_FI_DEV_GPU_THERMAL_THROTTLE_SECONDS_TOTAL",
    "DCGM_FI_DEV_GPU_POWER_THROTTLE_SECONDS_TOTAL", "DCGM_EXP_XID_ERRORS_TOTAL",
)  # fmt: skip
_BOTH = ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "DCGM_FI_DEV_ROW_REMAP_PENDING")
_OPERATOR = ("gpu_operator_node_device_plugin_devices_total",)


class GpuSeries:
    """Builds series of the exporters of nodes with GPUs."""

    def __init__(self, cluster: ClusterState, gpus: Gpus, spark: Spark, interval: float) -> None:
        self.cluster, self._gpus, self._spark, self.interval = cluster, gpus, spark, interval

    def names(self) -> tuple[str, ...]:
        """Metric names that some exporter of this world has; none in a world without GPUs."""
        gpus = self._gpus
        used = set(gpus.generation.values())
        found = (*(_LEGACY if "legacy" in used else ()), *(_RENAMED if "renamed" in used else ()))
        return (*found, *_BOTH, *_OPERATOR) if used else _OPERATOR if gpus.cards else ()

    def target(self, node: str) -> ScrapeTarget:
        """The exporter of a node."""
        extra = (
            ("namespace", "gpu-operator"),
            ("pod", f"nvidia-dcgm-exporter-{sum(node.encode()) % 36**5:05x}"),
            ("container", "nvidia-dcgm-exporter"),
            ("node", node),
        )
        since = self.cluster.start - PAST
        return ScrapeTarget(EXPORTER, f"{self.cluster.node_address(node)}:9400", self.interval, since, None, extra)

    def targets(self) -> list[ScrapeTarget]:
        return [self.target(node) for node in self._gpus.generation]

    def answers(self, target: ScrapeTarget) -> Callable[[float], float]:
        """`up` of an exporter."""
        node = dict(target.extra)["node"]
        blind = self._gpus.blind.get(node, [])
        return lambda when: 0.0 if latest(blind, when) == 2 else 1.0

    def build(self, name: str, start: float, end: float, now: int) -> Iterator[Scraped]:
        """Series of one metric name."""
        gpus = self._gpus
        if name in _OPERATOR:
            for node, cards in gpus.cards.items():
                address = f"{self.cluster.node_address(node)}:8000"
                target = ScrapeTarget("gpu-operator", address, self.interval, self.cluster.start)
                healthy = float(sum(not card.unhealthy for card in cards))
                yield Scraped(named(name, target, {"node": node}), target, lambda _t, n=healthy: n, now)  # type: ignore[misc]
            return
        for node, generation in gpus.generation.items():
            if name not in _BOTH and (name in _RENAMED) != (generation == "renamed"):
                continue
            target = self.target(node)
            for card in gpus.cards[node]:
                span = (start - LOOKBACK / 1000, end)
                if name == "DCGM_EXP_XID_ERRORS_TOTAL":
                    for number in sorted({n for _, n in card.xids}):
                        counted = _counted(card, number)
                        yield from self._series(name, target, card, lambda _h, c=counted: c, now, span, xid=str(number))  # type: ignore[misc]
                else:
                    read = functools.partial(self._reader, name, card)
                    yield from self._series(name, target, card, read, now, span)

    def _series(
        self,
        name: str,
        target: ScrapeTarget,
        card: Card,
        reader: Callable[[CardAllocation | None], ValueAt],
        now: int,
        span: tuple[float, float],
        **more: str,
    ) -> Iterator[Scraped]:
        """One series for each holder, and one for the time in which nobody holds the card."""
        host = "hostname" if self._gpus.generation[card.node] == "renamed" else "Hostname"
        own = {
            "gpu": str(card.index),
            "UUID": card.uuid,
            "pci_bus_id": card.pci,
            "device": f"nvidia{card.index}",
            "modelName": card.model,
            host: card.node,
            **more,
        }
        for allocation in (None, *card.allocations):
            if not _in_span(card, allocation, span):
                continue
            labels = dict(own)
            if allocation is not None:
                meta = allocation.track.pod["metadata"]
                labels |= {
                    "exported_namespace": meta["namespace"],
                    "exported_pod": meta["name"],
                    "exported_container": allocation.track.pod["spec"]["containers"][0]["name"],
                }
            yield Scraped(named(name, target, labels), target, self._while(card, allocation, reader(allocation)), now)

    def _while(self, card: Card, allocation: CardAllocation | None, read: ValueAt) -> ValueAt:
        blind = self._gpus.blind.get(card.node, [])

        def value(when: float) -> float | None:
            if bool(latest(blind, when)):
                return None
            mine = allocation.at(when) if allocation is not None else not any(h.at(when) for h in card.allocations)
            return read(when) if mine else None

        return value

    def _busy_of(self, card: Card, allocation: CardAllocation | None) -> Callable[[float], float]:
        """How busy a card is at a time, 0-1, while `allocation` has it."""
        if allocation is None:
            return lambda _when: 0.0
        labels = allocation.track.pod["metadata"].get("labels") or {}
        app = labels.get("sparkoperator.k8s.io/app-name") or labels.get("spark-app-name", "")
        idle = self._gpus.idle.get(app, [])
        run = self._spark.run_of_uid(allocation.track.uid)
        executor = run.executor_of(allocation.track.uid) if run is not None else None

        def busy(when: float) -> float:
            if bool(latest(idle, when)) or card.fact("idle", when) or card.fact("off", when):
                return 0.0
            if executor is not None and not any(since <= when and rate > 0 for since, _, rate in executor.work):
                return 0.0
            return round(0.72 + 0.2 * math.sin(when / 97.0 + card.index), 3)

        return busy

    def _reader(self, name: str, card: Card, allocation: CardAllocation | None) -> ValueAt:
        """The value of a series of one card, in the unit of its name."""
        short = name.removeprefix("DCGM_FI_").removeprefix("DEV_")
        if short in _PLAIN:
            return functools.partial(_PLAIN[short], card)
        busy = self._busy_of(card, allocation)
        used = float(card.memory * 8 // 10 if allocation is not None else 0)

        def power(t: float) -> float:
            return 560.0 if card.fact("power", t) else 90.0 + 500.0 * busy(t)

        def temperature(t: float) -> float:
            return card.fact("temperature", t) or round(40.0 + 30.0 * busy(t))

        live: dict[str, ValueAt] = {
            "GPU_UTIL": lambda t: float(round(busy(t) * 100)),
            "GPU_UTIL_RATIO": busy,
            "PROF_GR_ENGINE_ACTIVE": busy,
            "FB_USED": lambda _t: used / MIB,
            "FB_FREE": lambda _t: (card.memory - used) / MIB,
            "FB_USED_BYTES": lambda _t: used,
            "FB_FREE_BYTES": lambda _t: card.memory - used,
            "GPU_TEMP": temperature,
            "GPU_TEMP_CELSIUS": temperature,
            "POWER_USAGE": power,
            "BOARD_POWER_WATTS": power,
        }
        read, blank = live[short], BLANK if name in _LEGACY else None
        return (lambda t: blank if card.fact("off", t) else read(t)) if "off" in card.facts else read


def _in_span(card: Card, allocation: CardAllocation | None, span: tuple[float, float]) -> bool:
    """Whether a series may have a sample in a span."""
    start, end = span
    if allocation is not None:
        return allocation.since <= end and (allocation.until is None or allocation.until >= start)
    return not any(h.since <= start and (h.until is None or h.until > end) for h in card.allocations)


def _counted(card: Card, number: int) -> ValueAt:
    def value(when: float) -> float | None:
        count = sum(1 for since, n in card.xids if n == number and since <= when)
        return float(count) if count else None

    return value


_PLAIN: dict[str, Callable[[Card, float], float | None]] = {
    "XID_ERRORS": lambda card, t: float(card.xid(t)),
    "XID_ERROR": lambda card, t: float(card.xid(t)),
    "ROW_REMAP_FAILURE": lambda card, t: card.fact("failed", t) or 0.0,
    "ROW_REMAP_FAILED": lambda card, t: card.fact("failed", t) or 0.0,
    "ROW_REMAP_PENDING": lambda card, t: card.fact("pending", t) or 0.0,
    "ECC_DBE_VOL_TOTAL": lambda card, t: card.fact("ecc", t) or 0.0,
    "THERMAL_VIOLATION": lambda card, t: card.spent("thermal", t) * 1e9,
    "POWER_VIOLATION": lambda card, t: card.spent("power", t) * 1e9,
    "GPU_THERMAL_THROTTLE_SECONDS_TOTAL": lambda card, t: card.spent("thermal", t),
    "GPU_POWER_THROTTLE_SECONDS_TOTAL": lambda card, t: card.spent("power", t),
    "FB_CAPACITY_BYTES": lambda card, _t: float(card.memory),
    "MEMORY_TEMP": lambda _card, _t: BLANK,
}
