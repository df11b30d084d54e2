"""GPU: who holds each one, which are sick or wasted? Nodes × GPUs as shapes, holders with their waste, and a table."""

from __future__ import annotations

from collections.abc import Sequence

from console.base.units import human_bytes, human_duration
from console.board.model import Board
from console.gpu.held import WORDS, Holding, holdings, idle_for, mean_use
from console.gpu.model import Fleet, Gpu, GpuNode, GpuState, Slice
from console.gpu.xid import meaning
from console.live.shown import gpu_findings, no_gpu_because
from console.tui.filters import fits
from console.tui.lines import BLANK, Cell, Line, Span, TableColumn, TextRole, fit, header, layout, line, row, span, wrap
from console.tui.words import severity

SHAPE: dict[GpuState, tuple[str, TextRole]] = {
    "busy": ("■", "ok"),
    "idle": ("□", "warn"),
    "held": ("▪", "accent"),
    "free": ("·", "dim"),
    "faulty": ("×", "crit"),
    "lost": ("–", "crit"),
    "unknown": ("?", "warn"),
}
NODES = (
    TableColumn("NODE", 14, names=True),
    TableColumn("GPUS", 0, least=10),
    TableColumn("OFFERS", 7, "right"),
    TableColumn("ASKED", 6, "right", drop=2),
    TableColumn("USE", 5, "right"),
    TableColumn("WARMEST", 7, "right", drop=3),
    TableColumn("XID", 7, drop=1),
    TableColumn("HOLDERS", 0, least=22, grow=3),
)
HOLDERS = (
    TableColumn("HOLDER", 0, least=24, grow=2, names=True),
    TableColumn("GPUS", 0, least=10),
    TableColumn("USE", 5, "right"),
    TableColumn("IDLE FOR", 8, "right"),
    TableColumn("WASTED", 9, "right"),
    TableColumn("NODES", 0, least=10, drop=1),
)
CARDS = (
    TableColumn("NODE", 12, names=True),
    TableColumn("GPU", 12),
    TableColumn("STATE", 10),
    TableColumn("USE", 6, "right"),
    TableColumn("MEMORY", 13, "right", drop=4),
    TableColumn("TEMP", 6, "right", drop=2),
    TableColumn("POWER", 6, "right", drop=5),
    TableColumn("SLOWED", 6, "right", drop=6),
    TableColumn("XID", 7, drop=1),
    TableColumn("IDLE", 6, "right", drop=3),
    TableColumn("HOLDER", 0, least=16, names=True),
)


def lines(board: Board, wanted: str, width: int) -> list[Line]:
    """The grid of nodes, and below it who holds what."""
    fleet = board.gpus
    if not fleet.nodes:
        return nothing(board)
    out = head(board, width)
    nodes = [n for n in fleet.nodes if fits(wanted, n.name, *(c.holder.name for c in n.claims))]
    out += [header(NODES, width), *(_node(n, fleet, width) for n in nodes)]
    out += _found(board, wanted, width)
    held = [h for h in holdings(fleet) if fits(wanted, h.holder.name, *h.nodes)]
    if held:
        out += [BLANK, header(HOLDERS, width), *(_holding(h, board, width) for h in held)]
    return [*out, *_below(fleet, width)]


def _found(board: Board, wanted: str, width: int) -> list[Line]:
    """What is wrong with GPUs, one line each."""
    found = [f for f in gpu_findings(board) if fits(wanted, f.title, f.app)]
    out = [line(Span(" "), severity(f), span(" " + fit(f.title, width - 7)), key=f.key) for f in found[:8]]
    if len(found) > 8:
        out.append(line(span(f"      and {len(found) - 8} more", "dim")))
    return [BLANK, *out] if out else []


def table(board: Board, wanted: str, width: int) -> list[Line]:
    """One row for each GPU or MIG instance."""
    fleet = board.gpus
    if not fleet.nodes:
        return nothing(board)
    out = [*head(board, width), header(CARDS, width)]
    for node in fleet.nodes:
        for gpu in node.gpus:
            for cell in gpu.cells:
                if fits(wanted, node.name, cell.state, cell.holder.name if cell.holder else "", gpu.model):
                    out.append(_card(gpu, cell, board, width))
    return [*out, *_below(fleet, width)]


def nothing(board: Board) -> list[Line]:
    """Why there is no GPU to be seen."""
    if why := no_gpu_because(board):
        return [line(span(f" {why}", "warn"))]
    return [line(span(" no node of this cluster offers GPUs, and no exporter speaks of any", "dim"))]


def head(board: Board, width: int) -> list[Line]:
    """The fleet in shapes and numbers, and how far its figures can be trusted."""
    fleet = board.gpus
    spans = [Span(" ")]
    for state, count in fleet.counts.items():
        if count or state in ("busy", "idle"):
            shape, role = SHAPE[state]
            spans += [Span(shape, role), span(f" {count} {WORDS[state]}  ")]
    wasted = sum(w.seconds for w in fleet.waste)
    waste = f" {wasted / 3600:.1f} GPU hours wasted ·" if wasted else ""
    trust: TextRole = "dim" if fleet.metrics == "dcgm" else "warn"
    first, *more = wrap(" · ".join(_caveats(board)), width - 2 - len(waste))
    return [
        Line(tuple(spans)),
        line(span(waste, "warn"), span(f" {first}", trust)),
        *(line(span(f" {text}", trust)) for text in more),
    ]


def _caveats(board: Board) -> list[str]:
    """How far the figures can be trusted: where they come from, how old they are, which parts do not work."""
    fleet = board.gpus
    figures = {
        "dcgm": "figures by DCGM", "partial": "figures are not whole", "none": "no figures: no exporter is scraped",
        "unknown": "no figures: nobody could be asked",
    }[fleet.metrics]  # fmt: skip
    if fleet.metrics == "unknown" and any(s.name == "prometheus" and s.state == "loading" for s in board.sources):
        figures = "no figures yet: asking Prometheus"
    spelling = {"legacy": ", older names", "renamed": ", newer names", "both": ", older and newer names"}
    parts = [figures + spelling.get(fleet.generation, "")]
    age = board.at - fleet.measured if fleet.measured is not None else 0.0
    if age >= 60:  # whole minutes: at rest nothing is painted
        parts.append(f"{human_duration(age // 60 * 60)} old")
    parts += [f"{p.name} {p.ready}/{p.wanted}" for p in fleet.parts if p.ready < p.wanted]
    if fleet.operator.get("reconciliation_status", 1.0) < 1:
        parts.append("the GPU operator cannot bring the nodes into the wanted state")
    return parts


def _below(fleet: Fleet, width: int) -> list[Line]:
    out: list[Line] = []
    for note in fleet.notes:
        first, *more = wrap(note, width - 8)
        out += [line(Span(" note  ", "warn"), span(first, "dim")), *(line(span(f"       {m}", "dim")) for m in more)]
    return [BLANK, *out] if out else []


def shapes(states: Sequence[GpuState], room: int) -> tuple[Span, ...]:
    """States as shapes, equal neighbours as one span; what does not fit is counted."""
    shown = list(states) if len(states) <= room else list(states[: max(1, room - 4)])
    spans: list[Span] = []
    for state in shown:
        shape, role = SHAPE[state]
        if spans and spans[-1].role == role and spans[-1].text[0] == shape:
            spans[-1] = Span(spans[-1].text + shape, role)
        else:
            spans.append(Span(shape, role))
    if len(shown) < len(states):
        spans.append(span(f"+{len(states) - len(shown)}", "dim"))
    return tuple(spans)


def _node(node: GpuNode, fleet: Fleet, width: int) -> Line:
    cells = [cell for gpu in node.gpus for cell in gpu.cells]
    cellsize = next(size for index, size in _sizes(NODES, width) if index == 1)
    cordoned = " cordoned" if node.cordoned else ""
    return row(
        NODES,
        [
            span(node.name + cordoned, "text" if node.known else "warn"),
            shapes([c.state for c in cells], cellsize),
            *_offers(node, fleet),
            _share(mean_use(node.gpus)),
            _warmest(node),
            _xids(node.gpus),
            _holders(node),
        ],
        width,
        key=f"node:{node.name}",
    )


def _offers(node: GpuNode, fleet: Fleet) -> tuple[Cell, Cell]:
    """What a node offers of what it has, and what is asked of it: at least so much where not every pod is seen."""
    if not node.resources:
        return "–", "–"
    offered, capacity = sum(r.allocatable for r in node.resources), sum(r.capacity for r in node.resources)
    asked = sum(r.requested for r in node.resources)
    shown = span(f"{offered:g}/{capacity:g}", "crit" if offered < capacity else "text")
    return shown, f"{'' if fleet.complete else '≥'}{asked:g}"


def _sizes(columns: Sequence[TableColumn], width: int) -> list[tuple[int, int]]:
    return layout(columns, width - 1)


def _share(use: float | None) -> Span:
    return span("–", "dim") if use is None else span(f"{use:.0%}")


def _warmest(node: GpuNode) -> Cell:
    most = max((g.temperature for g in node.gpus if g.temperature is not None), default=None)
    if most is None:
        return "–"
    slowed = any((g.thermal or 0.0) > 0.1 for g in node.gpus)
    return span(f"{most:.0f}°C", "crit" if slowed or most > 90 else "warn" if most > 85 else "text")


def _xids(gpus: Sequence[Gpu]) -> Span:
    numbers = list(dict.fromkeys(x.number for g in gpus for x in g.xids))
    if not numbers:
        return span("–", "dim")
    bad = any(meaning(n).hardware for n in numbers) and any(g.state == "faulty" for g in gpus)
    return span(",".join(map(str, numbers[:2])) + ("…" if len(numbers) > 2 else ""), "crit" if bad else "warn")


def _holders(node: GpuNode) -> Span:
    """Holders of one node with how many they have; what is not seen is said first."""
    counts: dict[str, int] = {}
    for gpu in node.gpus:
        for cell in gpu.cells:
            if cell.holder is not None:
                counts[_short(cell.holder.name)] = counts.get(_short(cell.holder.name), 0) + 1
    if not counts:
        for claim in node.claims:
            counts[_short(claim.holder.name)] = counts.get(_short(claim.holder.name), 0) + round(claim.count)
    words = ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda c: -c[1]))
    lost = f"{node.lost:.0f} lost" if node.lost else ""
    seen = {"blind": "exporter blind", "down": "exporter down", "none": "no exporter"}.get(node.exporter, "")
    text = "; ".join(part for part in (seen, lost, words) if part)
    return span(text or "–", "warn" if seen or lost else "text" if words else "dim")


def _short(name: str) -> str:
    """An application without its namespace: the row of the holder has it."""
    return name.rpartition("/")[2]


def _holding(held: Holding, board: Board, width: int) -> Line:
    cellsize = next(size for index, size in _sizes(HOLDERS, width) if index == 1)
    idle = "–"
    if held.idle_since is not None:
        idle = idle_for(held.idle_since, held.bound, board.at)
    return row(
        HOLDERS,
        [
            span(held.holder.name + ("" if held.exact else " (by requests)")),
            shapes(held.states, cellsize),
            _share(held.use),
            span(idle, "warn" if held.idle_since is not None else "dim"),
            span(f"{held.wasted / 3600:.1f} h" if held.wasted else "–", "warn" if held.wasted else "dim"),
            span(", ".join(held.nodes), "dim"),
        ],
        width,
        key=f"holder:{held.holder.name}",
    )


def _card(gpu: Gpu, cell: Gpu | Slice, board: Board, width: int) -> Line:
    shape, role = SHAPE[cell.state]
    name = gpu.index or "–"
    if isinstance(cell, Slice):
        name += f"/{cell.id} {cell.profile}"
    used, total = cell.memory_used, cell.memory_total
    slowed = max((s for s in (gpu.thermal, gpu.power_capped) if s is not None), default=None)
    idle = "–"
    if cell.state == "idle" and cell.idle_since is not None:
        idle = idle_for(cell.idle_since, cell.idle_bound, board.at)
    return row(
        CARDS,
        [
            span(gpu.node),
            span(name),
            (Span(shape, role), span(fit(f" {cell.state}", 9), role)),
            _figure(cell.utilisation, "{:.0%}", "util" in gpu.unsupported or "engine" in gpu.unsupported),
            "–" if used is None or total is None else f"{human_bytes(used)}/{human_bytes(total)}",
            _figure(gpu.temperature, "{:.0f}°C", "temperature" in gpu.unsupported),
            _figure(gpu.power, "{:.0f}W", "power" in gpu.unsupported),
            span("–", "dim") if slowed is None else span(f"{slowed:.0%}", "warn" if slowed > 0.1 else "text"),
            _xids((gpu,)),
            span(idle, "warn" if idle != "–" else "dim"),
            who(cell),
        ],
        width,
        key=f"gpu:{gpu.id}:{cell.id}",
    )


def _figure(value: float | None, form: str, unsupported: bool) -> Span:
    if value is not None:
        return span(form.format(value))
    return span("n/a" if unsupported else "–", "dim")


def who(cell: Gpu | Slice) -> Span:
    """The holder, and which of its members."""
    if cell.holder is None:
        return span("–", "dim")
    member = cell.holder.member
    return span(f"{cell.holder.name}{f' {member}' if member else ''}")
