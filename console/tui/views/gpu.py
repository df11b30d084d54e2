"""GPU: who holds each one, which are sick or wasted? Nodes × GPUs as shapes, holders with their waste, and a table."""

from __future__ import annotations

from collections.abc import Sequence

from console.base.text import plural
from console.base.units import human_bytes, human_duration
from console.health.gpu.held import Holding, holdings, mean_use
from console.health.gpu.model import Fleet, Gpu, GpuNode, GpuState, Slice
from console.health.gpu.xid import meaning
from console.health.model import Board, Finding
from console.tui.lines import BLANK, Cell, Column, Line, Role, Span, fit, header, line, row, rule, span, wrap
from console.tui.words import severity

SHAPE: dict[GpuState, tuple[str, Role]] = {
    "busy": ("■", "ok"),
    "idle": ("□", "warn"),
    "held": ("▪", "accent"),
    "free": ("·", "dim"),
    "faulty": ("×", "crit"),
    "lost": ("–", "crit"),
    "unknown": ("?", "warn"),
}
WORDS: dict[GpuState, str] = {
    "busy": "busy",
    "idle": "held and idle",
    "held": "held, use unknown",
    "free": "free",
    "faulty": "broken",
    "lost": "lost",
    "unknown": "unknown",
}
NODES = (
    Column("NODE", 14),
    Column("GPUS", 0, least=10),
    Column("OFFERS", 7, "right"),
    Column("ASKED", 6, "right", drop=2),
    Column("USE", 5, "right"),
    Column("WARMEST", 7, "right", drop=3),
    Column("XID", 7, drop=1),
    Column("HOLDERS", 0, least=22, grow=3),
)
HOLDERS = (
    Column("HOLDER", 0, least=24, grow=2),
    Column("GPUS", 0, least=10),
    Column("USE", 5, "right"),
    Column("IDLE FOR", 8, "right"),
    Column("WASTED", 9, "right"),
    Column("NODES", 0, least=10, drop=1),
)
CARDS = (
    Column("NODE", 12),
    Column("GPU", 12),
    Column("STATE", 10),
    Column("USE", 6, "right"),
    Column("MEMORY", 13, "right", drop=4),
    Column("TEMP", 6, "right", drop=2),
    Column("POWER", 6, "right", drop=5),
    Column("SLOWED", 6, "right", drop=6),
    Column("XID", 7, drop=1),
    Column("IDLE", 6, "right", drop=3),
    Column("HOLDER", 0, least=16),
)


def lines(board: Board, wanted: str, width: int) -> list[Line]:
    """The grid of nodes, and below it who holds what."""
    fleet = board.gpus
    if not fleet.nodes:
        return nothing(board)
    out = head(board, width)
    nodes = [n for n in fleet.nodes if _fits(wanted, n.name, *(c.holder.name for c in n.claims))]
    out += [header(NODES, width), *(_node(n, fleet, board, width) for n in nodes)]
    out += _found(board, wanted, width)
    held = [h for h in holdings(fleet) if _fits(wanted, h.holder.name, *h.nodes)]
    if held:
        out += [BLANK, header(HOLDERS, width), *(_holding(h, board, width) for h in held)]
    return [*out, *_below(fleet, width)]


def _found(board: Board, wanted: str, width: int) -> list[Line]:
    """What is wrong with GPUs, one line each."""
    found = [f for f in board.findings if f.code.startswith("gpu-") and _fits(wanted, f.title, f.app)]
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
                if _fits(wanted, node.name, cell.state, cell.holder.name if cell.holder else "", gpu.model):
                    out.append(_card(gpu, cell, board, width))
    return [*out, *_below(fleet, width)]


def nothing(board: Board) -> list[Line]:
    """Why there is no GPU to be seen."""
    state = next((s for s in board.sources if s.name == "nodes"), None)
    if state is not None and state.state not in ("fresh", "late"):
        return [line(span(f" GPUs unknown: nodes are {state.state} {state.detail}".rstrip(), "warn"))]
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
    trust: Role = "dim" if fleet.metrics == "dcgm" else "warn"
    waste = f" {wasted / 3600:.1f} GPU hours wasted ·" if wasted else ""
    first, *more = wrap(" · ".join(parts), width - 2 - len(waste))
    return [
        Line(tuple(spans)),
        line(span(waste, "warn"), span(f" {first}", trust)),
        *(line(span(f" {text}", trust)) for text in more),
    ]


def _below(fleet: Fleet, width: int) -> list[Line]:
    out: list[Line] = []
    for note in fleet.notes:
        first, *more = wrap(note, width - 8)
        out += [line(Span(" note  ", "warn"), span(first, "dim")), *(line(span(f"       {m}", "dim")) for m in more)]
    return [BLANK, *out] if out else []


def _fits(wanted: str, *texts: str) -> bool:
    text = " ".join(texts).lower()
    return all((word[1:] not in text) if word.startswith("!") else word in text for word in wanted.lower().split())


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


def _node(node: GpuNode, fleet: Fleet, board: Board, width: int) -> Line:
    cells = [cell for gpu in node.gpus for cell in gpu.cells]
    offered = sum(r.allocatable for r in node.resources)
    capacity = sum(r.capacity for r in node.resources)
    asked = sum(r.requested for r in node.resources)
    hot = [g.temperature for g in node.gpus if g.temperature is not None]
    use = mean_use(node.gpus)
    offers: Cell = span(f"{offered:g}/{capacity:g}", "crit" if offered < capacity else "text")
    cellsize = next(size for index, size in _sizes(NODES, width) if index == 1)
    cordoned = " cordoned" if node.cordoned else ""
    return row(
        NODES,
        [
            span(node.name + cordoned, "text" if node.known else "warn"),
            shapes([c.state for c in cells], cellsize),
            offers if node.resources else "–",
            f"{'' if fleet.complete else '≥'}{asked:g}" if node.resources else "–",
            _share(use),
            _warmest(node, max(hot)) if hot else "–",
            _xids(node.gpus),
            _holders(node, board),
        ],
        width,
        key=f"node:{node.name}",
    )


def _sizes(columns: Sequence[Column], width: int) -> list[tuple[int, int]]:
    from console.tui.lines import layout

    return layout(columns, width - 1)


def _share(use: float | None) -> Span:
    return span("–", "dim") if use is None else span(f"{use:.0%}")


def _warmest(node: GpuNode, most: float) -> Span:
    slowed = any((g.thermal or 0.0) > 0.1 for g in node.gpus)
    return span(f"{most:.0f}°C", "crit" if slowed or most > 90 else "warn" if most > 85 else "text")


def _xids(gpus: Sequence[Gpu]) -> Span:
    numbers = list(dict.fromkeys(x.number for g in gpus for x in g.xids))
    if not numbers:
        return span("–", "dim")
    bad = any(meaning(n).hardware for n in numbers) and any(g.state == "faulty" for g in gpus)
    return span(",".join(map(str, numbers[:2])) + ("…" if len(numbers) > 2 else ""), "crit" if bad else "warn")


def _holders(node: GpuNode, board: Board) -> Span:
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
        idle = f"{'>' if held.bound else ''}{human_duration(board.at - held.idle_since)}"
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
        idle = f"{'>' if cell.idle_bound else ''}{human_duration(board.at - cell.idle_since)}"
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
            _who(cell),
        ],
        width,
        key=f"gpu:{gpu.id}:{cell.id}",
    )


def _figure(value: float | None, form: str, unsupported: bool) -> Span:
    if value is not None:
        return span(form.format(value))
    return span("n/a" if unsupported else "–", "dim")


def _who(cell: Gpu | Slice) -> Span:
    if cell.holder is None:
        return span("–", "dim")
    member = cell.holder.member
    return span(f"{cell.holder.name}{f' {member}' if member else ''}")


def about(board: Board, node: GpuNode, findings: Sequence[Finding], width: int) -> list[Line]:
    """One node: what it offers, its GPUs, what is found about them."""
    out: list[Line] = [line(Span(" "), span(node.name, "title"), span("  cordoned" if node.cordoned else "", "warn"))]
    for r in node.resources:
        sign = "" if board.gpus.complete else "at least "
        words = f" {r.name}: {r.allocatable:g} of {r.capacity:g} allocatable, {sign}{r.requested:g} asked for"
        out.append(line(span(words, "crit" if r.allocatable < r.capacity else "text")))
    seen = {
        "series": "the exporter speaks of its GPUs", "blind": "the exporter is up and says nothing of any GPU",
        "down": "the exporter does not answer", "none": "no exporter is scraped", "unknown": "the exporter is unknown",
    }[node.exporter]  # fmt: skip
    named = " and names no holders" if node.exporter == "series" and not node.labelled else ""
    out.append(line(span(f" {seen}{named}", "dim" if node.exporter == "series" else "warn")))
    for name, value in node.operator.items():
        if name.endswith("_ready") and value < 1:
            words = name.removeprefix("node_").removesuffix("_ready")
            out.append(line(span(f" the GPU operator says that its {words} is not ready", "warn")))
    if node.plugin_devices is not None:
        out.append(line(span(f" the device plugin offers {node.plugin_devices:g}", "dim")))
    product = node.labels.get("nvidia.com/gpu.product") or next((g.model for g in node.gpus if g.model), "")
    if product:
        out.append(line(span(f" {product}", "dim")))
    for finding in findings:
        out += [rule("", width), line(Span(" "), severity(finding), span(f" {finding.title}", "title"))]
        out += [line(span(f"   {text}")) for text in wrap(finding.detail, width - 4)]
        for item in finding.evidence[:4]:
            first, *more = wrap(item.excerpt, width - 10)
            out += [line(Span("   seen  ", "ok"), span(first)), *(line(span(f"         {m}")) for m in more)]
    out.append(rule(plural(len(node.gpus), "GPU"), width))
    for gpu in node.gpus:
        for cell in gpu.cells:
            out += _story(gpu, cell, board, width)
    return out


def _story(gpu: Gpu, cell: Gpu | Slice, board: Board, width: int) -> list[Line]:
    """One GPU in two lines."""
    shape, role = SHAPE[cell.state]
    name = f" {gpu.index or '?'}" + (f"/{cell.id} {cell.profile}" if isinstance(cell, Slice) else "")
    parts = [] if cell.utilisation is None else [f"{cell.utilisation:.0%}"]
    parts += [f"{gpu.temperature:.0f} °C"] if gpu.temperature is not None else []
    parts += [f"{gpu.power:.0f} W"] if gpu.power is not None else []
    if cell.memory_used is not None and cell.memory_total is not None:
        parts.append(f"{human_bytes(cell.memory_used)} of {human_bytes(cell.memory_total)}")
    figures = span("  " + " · ".join(parts))
    head = line(Span(name, "head"), Span(f" {shape} ", role), span(WORDS[cell.state], role), figures)
    second: list[str] = []
    for words, share in (("heat", gpu.thermal), ("the power limit", gpu.power_capped)):
        if share is not None and share > 0.01:
            second.append(f"slowed down by {words} for {share:.0%} of the last 10 minutes")
    if cell.holder is not None:
        second.append(f"{_who(cell).text}, pod {cell.holder.pod}")
    if cell.state == "idle" and cell.idle_since is not None:
        least = "at least " if cell.idle_bound else ""
        second.append(f"idle for {least}{human_duration(board.at - cell.idle_since)}")
    for xid in gpu.xids[:2]:
        when = "since an unknown time" if xid.since is None else f"{human_duration(board.at - xid.since)} ago"
        if xid.bound:
            when = f"at least {when}"
        second.append(f"XID {xid.number} {meaning(xid.number).meaning}, {when}")
    second += [f"not supported: {', '.join(gpu.unsupported).replace('_', ' ')}"] if gpu.unsupported else []
    return [head, *(line(span(f"     {text}", "dim")) for part in second for text in wrap(part, width - 6))]
