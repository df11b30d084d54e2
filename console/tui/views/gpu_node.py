"""One node with GPUs: what it offers, what its exporter and the GPU operator say, each GPU, and what is found."""

from __future__ import annotations

from collections.abc import Sequence

from console.base.text import plural
from console.base.units import human_bytes, human_duration
from console.board.model import Board
from console.findings.model import Finding
from console.gpu.held import WORDS
from console.gpu.model import Gpu, GpuNode, Slice, Xid
from console.gpu.xid import meaning
from console.live.shown import measured_ago
from console.tui.lines import Line, Span, line, rule, span, wrap
from console.tui.views.gpu import SHAPE, who
from console.tui.words import severity


def about(board: Board, node: GpuNode, findings: Sequence[Finding], width: int) -> list[Line]:
    """One node: what it offers, its GPUs, what is found about them."""
    out: list[Line] = [line(Span(" "), span(node.name, "title"), span("  cordoned" if node.cordoned else "", "warn"))]
    sign = "" if board.gpus.complete else "at least "
    for r in node.resources:
        words = f" {r.name}: {r.allocatable:g} of {r.capacity:g} allocatable, {sign}{r.requested:g} asked for"
        out.append(line(span(words, "crit" if r.allocatable < r.capacity else "text")))
    out += [_exporter(node), *_operator(node)]
    if old := measured_ago(board):
        out.append(line(span(f" figures were measured{old}", "warn")))
    product = node.labels.get("nvidia.com/gpu.product") or next((g.model for g in node.gpus if g.model), "")
    if product:
        out.append(line(span(f" {product}", "dim")))
    for finding in findings:
        out += _finding(finding, width)
    out.append(rule(plural(len(node.gpus), "GPU"), width))
    for gpu in node.gpus:
        for cell in gpu.cells:
            out += _gpu(gpu, cell, board, width)
    return out


def _exporter(node: GpuNode) -> Line:
    seen = {
        "series": "the exporter speaks of its GPUs", "blind": "the exporter is up and says nothing of any GPU",
        "down": "the exporter does not answer", "none": "no exporter is scraped", "unknown": "the exporter is unknown",
    }[node.exporter]  # fmt: skip
    named = " and names no holders" if node.exporter == "series" and not node.labelled else ""
    return line(span(f" {seen}{named}", "dim" if node.exporter == "series" else "warn"))


def _operator(node: GpuNode) -> list[Line]:
    """Which parts of the GPU operator are not ready on the node, and what its device plugin offers."""
    out = []
    for name, value in node.operator.items():
        if name.endswith("_ready") and value < 1:
            words = name.removeprefix("node_").removesuffix("_ready")
            out.append(line(span(f" the GPU operator says that its {words} is not ready", "warn")))
    if node.plugin_devices is not None:
        out.append(line(span(f" the device plugin offers {node.plugin_devices:g}", "dim")))
    return out


def _finding(finding: Finding, width: int) -> list[Line]:
    out = [rule("", width), line(Span(" "), severity(finding), span(f" {finding.title}", "title"))]
    out += [line(span(f"   {text}")) for text in wrap(finding.detail, width - 4)]
    for item in finding.evidence:
        first, *more = wrap(item.excerpt, width - 10)
        out += [line(Span("   seen  ", "ok"), span(first)), *(line(span(f"         {m}")) for m in more)]
    return out


def _gpu(gpu: Gpu, cell: Gpu | Slice, board: Board, width: int) -> list[Line]:
    """One GPU: its figures on a line, then what slows it, who holds it, since when it is idle or broken."""
    shape, role = SHAPE[cell.state]
    name = f" {gpu.index or '?'}" + (f"/{cell.id} {cell.profile}" if isinstance(cell, Slice) else "")
    figures = span("  " + " · ".join(_figures(gpu, cell)))
    head = line(Span(name, "head"), Span(f" {shape} ", role), span(WORDS[cell.state], role), figures)
    second = [
        f"slowed down by {words} for {share:.0%} of the last 10 minutes"
        for words, share in (("heat", gpu.thermal), ("the power limit", gpu.power_capped))
        if share is not None and share > 0.01
    ]
    if cell.holder is not None:
        second.append(f"{who(cell).text}, pod {cell.holder.pod}")
    if cell.state == "idle" and cell.idle_since is not None:
        least = "at least " if cell.idle_bound else ""
        second.append(f"idle for {least}{human_duration(board.at - cell.idle_since)}")
    second += [_xid(xid, board) for xid in gpu.xids]
    second += [f"not supported: {', '.join(gpu.unsupported).replace('_', ' ')}"] if gpu.unsupported else []
    return [head, *(line(span(f"     {text}", "dim")) for part in second for text in wrap(part, width - 6))]


def _figures(gpu: Gpu, cell: Gpu | Slice) -> list[str]:
    """Use, temperature, power and memory, as far as they are known."""
    out = [] if cell.utilisation is None else [f"{cell.utilisation:.0%}"]
    out += [f"{gpu.temperature:.0f} °C"] if gpu.temperature is not None else []
    out += [f"{gpu.power:.0f} W"] if gpu.power is not None else []
    if cell.memory_used is not None and cell.memory_total is not None:
        out.append(f"{human_bytes(cell.memory_used)} of {human_bytes(cell.memory_total)}")
    return out


def _xid(xid: Xid, board: Board) -> str:
    when = "since an unknown time" if xid.since is None else f"{human_duration(board.at - xid.since)} ago"
    least = "at least " if xid.bound else ""
    return f"XID {xid.number} {meaning(xid.number).meaning}, {least}{when}"
