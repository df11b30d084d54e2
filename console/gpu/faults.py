"""What is wrong with a GPU's hardware: its XIDs with their times, ECC and row remapping, and lines of the kernel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from console.apps.evidence import of_event, of_hit
from console.facts import logs
from console.facts.evidence import Evidence
from console.facts.model import Facts
from console.facts.wordings import WORDINGS
from console.gpu.asks import REACH, STEP
from console.gpu.model import Xid
from console.gpu.read import Entity
from console.gpu.xid import KERNEL, meaning, pci_address

MAX_XID = 1000
_SPOKEN = re.compile(r"(?i)xid[ =:]*(\d+)")


class Kernel(Struct, frozen=True):
    """An XID that a kernel log or an event tells. `pci` or `node` may be ``."""

    number: int
    evidence: Evidence
    pci: str = ""
    node: str = ""

    def about(self, node: str, pci: str, gpus: int) -> bool:
        """Whether it speaks of the GPU at `pci` of `node`. A line that names no node is of whom its address fits, and
        one without an address of a node's only GPU."""
        if self.node and self.node != node:
            return False
        if self.pci and pci:
            return pci_address(self.pci) == pci_address(pci)
        return bool(self.node) and gpus == 1


def errors(found: Sequence[Entity], now: float, kernel: Iterable[Kernel] = ()) -> tuple[Xid, ...]:
    """The XIDs of a GPU, the latest first. The gauge holds only the last one, and holds it until the driver is loaded
    again; counters and the kernel's lines know when."""
    out: dict[int, Xid] = {}

    def add(xid: Xid) -> None:
        old = out.get(xid.number)
        out[xid.number] = xid if old is None else _joined(old, xid)

    for line in kernel:
        add(Xid(line.number, line.evidence.at, source=line.evidence.locator))
    for entity in found:
        for number, sample in entity.counted.items():
            since = entity.counted_since.get(number)
            bound = since is not None and since <= now - REACH + 2 * STEP
            add(Xid(number, since, bound, source=sample.name))
        for number, since in entity.xid_since.items():
            bound = entity.xid_first is not None and since <= entity.xid_first + STEP
            add(Xid(number, since, bound, latched=True, source="the gauge of the last XID"))
        value = entity.values.get("xid")
        if value is not None and 0 < value < MAX_XID:
            add(Xid(int(value), latched=True, source=entity.names["xid"]))
    return tuple(sorted(out.values(), key=lambda x: (-(x.since or 0.0), x.number)))


def _joined(a: Xid, b: Xid) -> Xid:
    """One error that two sources tell: what knows when it came wins over the gauge, and the earliest time counts."""
    first, second = (b, a) if a.latched and not b.latched else (a, b)
    times = [x.since for x in (first, second) if x.since is not None and not x.bound]
    if times:
        return replace(first, since=min(times), bound=False)
    return first if first.since is not None else replace(first, since=second.since, bound=second.bound)


def faults_of(entity: Entity, xids: Sequence[Xid], works: bool) -> tuple[str, ...]:
    """What is wrong with the hardware, in words. An XID that only the gauge remembers, from before anything else is
    known, is no fault of a GPU that works."""
    out = []
    for xid in xids:
        said = meaning(xid.number)
        if said.hardware and not (works and stale(xid)):
            out.append(f"XID {xid.number} ({said.meaning})")
    if entity.values.get("ecc_double", 0.0) > 0:
        out.append("double-bit ECC errors")
    if entity.values.get("remap_failed", 0.0) > 0:
        out.append("row remapping failed")
    return tuple(out)


def stale(xid: Xid) -> bool:
    """Whether nothing but the gauge tells of it, and not since when."""
    return xid.latched and (xid.since is None or xid.bound)


def kernel_lines(facts: Facts) -> tuple[Kernel, ...]:
    """XIDs that kernel logs and events tell."""
    nodes = {node.name for node in facts.nodes}
    out: list[Kernel] = []
    texts = [logs.Text(log) for log in facts.logs if "NVRM: Xid" in log.text]
    for hit in logs.find(texts, "xid", WORDINGS["xid"]):
        told = KERNEL.search(hit.text)
        if told is not None:
            place = {part for part in re.split(r"[/ ]", hit.log.subject) if part in nodes}
            out.append(Kernel(int(told.group(2)), of_hit(hit), told.group(1), next(iter(place), "")))
    for event in facts.events:
        if "xid" not in event.message.lower():
            continue
        node = event.name if event.kind == "Node" else ""
        told = KERNEL.search(event.message)
        if told is not None:
            out.append(Kernel(int(told.group(2)), of_event(event), told.group(1), node))
        elif node and (spoken := _SPOKEN.search(event.message)) is not None:
            out.append(Kernel(int(spoken.group(1)), of_event(event), node=node))
    return tuple(out)
