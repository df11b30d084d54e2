"""XID codes of the NVIDIA driver: what each means, what to do about it, and whether the device plugin acts on it.

The table (`xids.csv`) condenses the driver's public catalogue of XIDs (as of October 2025) and the list of codes
that the Kubernetes device plugin ignores. An XID that it does not hold is shown as such, never taken for harmless.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from msgspec import Struct

XidAction = Literal[
    "observe", "follow", "restart-app", "reset", "reboot", "drain", "nvlink", "hardware", "update", "escalate",
    "unknown",
]  # fmt: skip
ACTIONS: dict[str, str] = {
    "observe": "nothing now; look again if it repeats",
    "follow": "follow the error that came before it",
    "restart-app": "restart the application; on the same GPU again, diagnose the GPU",
    "reset": "take every client off the GPU, then reset it",
    "reboot": "drain the node and reboot it; again, then the hardware",
    "drain": "drain the GPU's pods, then diagnose and reset it",
    "nvlink": "drain jobs that use several GPUs, then check the links",
    "hardware": "check cables, power and seating of the card",
    "update": "update driver or guest software",
    "escalate": "drain the GPU and ask the vendor",
    "unknown": "no published action is known here: drain the GPU's pods and ask the vendor",
}
HARDWARE = frozenset({"reset", "reboot", "drain", "nvlink", "hardware", "escalate", "unknown"})
"""Actions that no application can take for itself: the GPU or its node is at fault."""
KERNEL = re.compile(r"NVRM: Xid \(PCI:([\w:.]+)\)?:? ?(\d+)")
"""The driver's line in a kernel log: PCI address and code."""


class XidMeaning(Struct, frozen=True):
    """One row of the table. `plugin_ignores`: the device plugin leaves the GPU allocatable."""

    number: int
    meaning: str
    action: XidAction
    plugin_ignores: bool = False

    @property
    def hardware(self) -> bool:
        return self.action in HARDWARE

    @property
    def what_to_do(self) -> str:
        return ACTIONS[self.action]


@lru_cache(maxsize=1)
def table() -> dict[int, XidMeaning]:
    """Every known XID."""
    text = files("console.gpu").joinpath("xids.csv").read_text(encoding="utf-8")
    return {
        int(row["xid"]): XidMeaning(
            int(row["xid"]),
            row["meaning"],
            row["action"],  # type: ignore[arg-type]
            row["device_plugin"] == "ignores",
        )
        for row in csv.DictReader(text.splitlines())
    }


def meaning(number: int) -> XidMeaning:
    """What an XID means; one that the table does not hold is of hardware until somebody knows better."""
    return table().get(number) or XidMeaning(number, "not in the table of known errors", "unknown")


def pci_address(text: str) -> str:
    """A PCI address without its domain's leading zeros and its function: `1b:00` of `00000000:1B:00.0`."""
    parts = text.lower().partition(".")[0].split(":")
    return ":".join(parts[-2:]) if len(parts) >= 2 else text.lower()
