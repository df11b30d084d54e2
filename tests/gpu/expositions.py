"""What a DCGM exporter serves, in both generations of names. Written by hand from the public counter lists of
dcgm-exporter and the field list of DCGM 4.7: no GPU was at hand, so nothing here was recorded from one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from console.facts.model import Origin, Sample

UNSUPPORTED = 9223372036854775794
MODEL = "NVIDIA H100 80GB HBM3"
MIB = 1048576


@dataclass
class Card:
    """One GPU, in today's units: ratio 0-1, bytes, °C, watts."""

    index: int
    busy: float | None = 0.0
    used: float = 0.0
    total: float = 80 * 1024 * MIB
    temperature: float = 45.0
    power: float = 90.0
    xid: int = 0
    pod: str = ""
    namespace: str = "spark-prod"
    mig: tuple[str, str] | None = None
    more: dict[str, float] = field(default_factory=dict)
    """Series that no default list has, by full name and in its own unit."""
    engine: float | None = None
    memory_temperature: float = UNSUPPORTED
    node: str = "gpu-1"

    @property
    def uuid(self) -> str:
        return f"GPU-{self.node}-{self.index}"


def exposition(cards: Sequence[Card], *, renamed: bool = False, pods: bool = True, hosts: bool = True) -> str:
    """The text of `/metrics`."""
    lines: list[str] = []
    for card in cards:
        labels = {
            "gpu": str(card.index),
            "UUID": card.uuid,
            "pci_bus_id": f"00000000:{0x1B + card.index:02X}:00.0",
            "device": f"nvidia{card.index}",
            "modelName": MODEL,
        }
        if hosts:
            labels["hostname" if renamed else "Hostname"] = card.node
        if card.mig:
            labels |= {"GPU_I_ID": card.mig[0], "GPU_I_PROFILE": card.mig[1]}
        if pods and card.pod:
            labels |= {"namespace": card.namespace, "pod": card.pod, "container": "spark-kubernetes-executor"}
        shown = ",".join(f'{k}="{v}"' for k, v in labels.items())
        lines += [f"{name}{{{shown}}} {value:.17g}" for name, value in _values(card, renamed).items()]
    return "\n".join(lines) + "\n"


def _values(card: Card, renamed: bool) -> dict[str, float]:
    free = card.total - card.used
    out: dict[str, float] = {}
    if renamed:
        out |= {
            "DCGM_FI_DEV_GPU_TEMP_CELSIUS": card.temperature,
            "DCGM_FI_DEV_MEMORY_TEMP_CELSIUS": card.memory_temperature,
            "DCGM_FI_DEV_BOARD_POWER_WATTS": card.power,
            "DCGM_FI_DEV_FB_USED_BYTES": card.used,
            "DCGM_FI_DEV_FB_FREE_BYTES": free,
            "DCGM_FI_DEV_FB_CAPACITY_BYTES": card.total,
            "DCGM_FI_DEV_XID_ERROR": card.xid,
            "DCGM_FI_DEV_ROW_REMAP_FAILED": 0,
        }
        if card.busy is not None:
            out["DCGM_FI_DEV_GPU_UTIL_RATIO"] = card.busy
        if card.engine is not None:
            out["DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"] = card.engine
    else:
        out |= {
            "DCGM_FI_DEV_GPU_TEMP": card.temperature,
            "DCGM_FI_DEV_MEMORY_TEMP": card.memory_temperature,
            "DCGM_FI_DEV_POWER_USAGE": card.power,
            "DCGM_FI_DEV_FB_USED": card.used / MIB,
            "DCGM_FI_DEV_FB_FREE": free / MIB,
            "DCGM_FI_DEV_XID_ERRORS": card.xid,
            "DCGM_FI_DEV_ROW_REMAP_FAILURE": 0,
        }
        if card.busy is not None:
            out["DCGM_FI_DEV_GPU_UTIL"] = round(card.busy * 100)
        if card.engine is not None:
            out["DCGM_FI_PROF_GR_ENGINE_ACTIVE"] = card.engine
    return out | card.more


_LINE = re.compile(r"(\w+)\{(.*)\} (\S+)")
_PAIR = re.compile(r'(\w+)="([^"]*)"')


def scraped(text: str, at: float, *, honor: bool = False, **target: str) -> list[Sample]:
    """The samples that Prometheus keeps of a text: labels of the target win, and the exporter's own are renamed to
    `exported_…`; with `honor` (honor_labels) the exporter's win."""
    out = []
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        assert found is not None, line
        own = dict(_PAIR.findall(found.group(2)))
        labels = (
            {**target, **own}
            if honor
            else {**{f"exported_{k}" if k in target else k: v for k, v in own.items()}, **target}
        )
        out.append(Sample(found.group(1), labels, float(found.group(3)), at, Origin("prometheus", found.group(1), at)))
    return out
