"""Series of DCGM exporters in both generations of names, and of the GPU operator's view of each node."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from console.drill.gpus import Card, Held
from console.drill.metrics.scraped import Scraped, Target, named
from console.drill.promql.model import LOOKBACK
from console.drill.tracks import latest

if TYPE_CHECKING:
    from console.drill.world import World

Value = Callable[[float], float | None]
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

    def __init__(self, world: World, interval: float) -> None:
        self.world, self.interval = world, interval

    def names(self) -> tuple[str, ...]:
        """Metric names that some exporter of this world has; none in a world without GPUs."""
        gpus = self.world.gpus
        used = set(gpus.generation.values())
        found = (*(_LEGACY if "legacy" in used else ()), *(_RENAMED if "renamed" in used else ()))
        return (*found, *_BOTH, *_OPERATOR) if used else _OPERATOR if gpus.cards else ()

    def target(self, node: str) -> Target:
        """The exporter of a node."""
        extra = (
            ("namespace", "gpu-operator"),
            ("pod", f"nvidia-dcgm-exporter-{sum(node.encode()) % 36**5:05x}"),
            ("container", "nvidia-dcgm-exporter"),
            ("node", node),
        )
        since = self.world.start - PAST
        return Target(EXPORTER, f"{self.world.node_address(node)}:9400", self.interval, since, None, extra)

    def targets(self) -> list[Target]:
        return [self.target(node) for node in self.world.gpus.generation]

    def answers(self, target: Target) -> Callable[[float], float]:
        """`up` of an exporter."""
        node = dict(target.extra)["node"]
        blind = self.world.gpus.blind.get(node, [])
        return lambda when: 0.0 if latest(blind, when) == 2 else 1.0

    def build(self, name: str, start: float, end: float, now: int) -> Iterator[Scraped]:
        """Series of one metric name."""
        gpus = self.world.gpus
        if name in _OPERATOR:
            for node, cards in gpus.cards.items():
                address = f"{self.world.node_address(node)}:8000"
                target = Target("gpu-operator", address, self.interval, self.world.start)
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
        target: Target,
        card: Card,
        reader: Callable[[Held | None], Value],
        now: int,
        span: tuple[float, float],
        **more: str,
    ) -> Iterator[Scraped]:
        """One series for each holder, and one for the time in which nobody holds the card."""
        host = "hostname" if self.world.gpus.generation[card.node] == "renamed" else "Hostname"
        own = {
            "gpu": str(card.index),
            "UUID": card.uuid,
            "pci_bus_id": card.pci,
            "device": f"nvidia{card.index}",
            "modelName": card.model,
            host: card.node,
            **more,
        }
        for held in (None, *card.held):
            if not _in_span(card, held, span):
                continue
            labels = dict(own)
            if held is not None:
                meta = held.track.pod["metadata"]
                labels |= {
                    "exported_namespace": meta["namespace"],
                    "exported_pod": meta["name"],
                    "exported_container": held.track.pod["spec"]["containers"][0]["name"],
                }
            yield Scraped(named(name, target, labels), target, self._while(card, held, reader(held)), now)

    def _while(self, card: Card, held: Held | None, read: Value) -> Value:
        blind = self.world.gpus.blind.get(card.node, [])

        def value(when: float) -> float | None:
            if bool(latest(blind, when)):
                return None
            mine = held.at(when) if held is not None else not any(h.at(when) for h in card.held)
            return read(when) if mine else None

        return value

    def _reader(self, name: str, card: Card, held: Held | None) -> Value:
        """The value of a series of one card, in the unit of its name."""
        short = name.removeprefix("DCGM_FI_").removeprefix("DEV_")
        if short in _PLAIN:
            return functools.partial(_PLAIN[short], card)
        busy = self.world.gpus.busy_of(card, held)
        used = float(card.memory * 8 // 10 if held is not None else 0)

        def power(t: float) -> float:
            return 560.0 if card.fact("power", t) else 90.0 + 500.0 * busy(t)

        def temperature(t: float) -> float:
            return card.fact("temperature", t) or round(40.0 + 30.0 * busy(t))

        live: dict[str, Value] = {
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


def _in_span(card: Card, held: Held | None, span: tuple[float, float]) -> bool:
    """Whether a series may have a sample in a span."""
    start, end = span
    if held is not None:
        return held.since <= end and (held.until is None or held.until >= start)
    return not any(h.since <= start and (h.until is None or h.until > end) for h in card.held)


def _counted(card: Card, number: int) -> Value:
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
