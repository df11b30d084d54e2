"""Who holds GPUs, and what comes of it: one row per application or pod, the most wasteful first."""

from __future__ import annotations

from msgspec import Struct

from console.base.units import human_duration
from console.gpu.cells import idleness
from console.gpu.model import Fleet, Gpu, GpuState, Holder, Slice

WORDS: dict[GpuState, str] = {
    "busy": "busy",
    "idle": "held and idle",
    "held": "held, use unknown",
    "free": "free",
    "faulty": "broken",
    "lost": "lost",
    "unknown": "unknown",
}


class Holding(Struct, frozen=True):
    """What one holder has.

    Attributes:
        states: of its GPUs or MIG instances, in order of node and number.
        use: mean utilisation of those of which it is known, 0-1.
        idle_since: since when the idle ones are idle, all of them; `bound`: at least since then.
        wasted: GPU seconds of the idle ones, at least.
        exact: whether the exporter names the holder; else it follows from requests.
    """

    holder: Holder
    states: tuple[GpuState, ...]
    nodes: tuple[str, ...]
    use: float | None = None
    idle_since: float | None = None
    bound: bool = False
    wasted: float = 0.0
    exact: bool = True


def holdings(fleet: Fleet) -> tuple[Holding, ...]:
    """Every holder of GPUs. Where an exporter names no holders, those that ask for GPUs of its node stand for it."""
    cells: dict[str, list[tuple[str, Gpu | Slice]]] = {}
    holder_of: dict[str, Holder] = {}
    for node in fleet.nodes:
        named = False
        for gpu in node.gpus:
            for cell in gpu.cells:
                if cell.holder is not None:
                    named = True
                    cells.setdefault(cell.holder.name, []).append((node.name, cell))
                    holder_of.setdefault(cell.holder.name, cell.holder)
        if not named:
            for claim in node.claims:
                held: list[tuple[str, Gpu | Slice]] = [(node.name, Gpu("", node.name, "held"))] * round(claim.count)
                cells.setdefault(claim.holder.name, []).extend(held)
                holder_of.setdefault(claim.holder.name, claim.holder)
    out = [_holding(holder_of[name], mine, fleet.at) for name, mine in cells.items()]
    return tuple(sorted(out, key=lambda h: (-h.wasted, -len(h.states), h.holder.name)))


def _holding(holder: Holder, mine: list[tuple[str, Gpu | Slice]], now: float) -> Holding:
    known = [c.utilisation for _, c in mine if c.utilisation is not None]
    unused = [c for _, c in mine if c.state == "idle" and c.idle_since is not None]
    idle = idleness(unused, now) if unused else None
    return Holding(
        holder=holder,
        states=tuple(c.state for _, c in mine),
        nodes=tuple(dict.fromkeys(node for node, _ in mine)),
        use=sum(known) / len(known) if known else None,
        idle_since=idle.since if idle is not None else None,
        bound=idle is not None and idle.bound,
        wasted=idle.seconds if idle is not None else 0.0,
        exact=holder.source == "dcgm",
    )


def mean_use(gpus: tuple[Gpu, ...]) -> float | None:
    """Mean utilisation of those of which it is known."""
    known = [c.utilisation for gpu in gpus for c in gpu.cells if c.utilisation is not None]
    return sum(known) / len(known) if known else None


def idle_for(since: float | None, bound: bool, now: float) -> str:
    """How long it has been idle, in one word; `>` where it is at least so long."""
    return "?" if since is None else f"{'>' if bound else ''}{human_duration(now - since)}"


def summary(fleet: Fleet) -> str:
    """The fleet in one line. What is not known is said, never counted as nothing."""
    if not fleet.nodes:
        return "no node offers GPUs"
    counts = fleet.counts
    total = sum(counts.values())
    parts = [f"{counts[state]} {word}" for state, word in WORDS.items() if counts[state]]
    return f"{total} {'GPU' if total == 1 else 'GPUs'} on {len(fleet.nodes)} nodes: {', '.join(parts)}"
