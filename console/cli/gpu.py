"""`console gpu`: every GPU, who holds it, which are broken and which are wasted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.base.errors import Exit, UsageError, did_you_mean
from console.base.text import clean
from console.base.units import human_bytes
from console.cli.options import Where, output_option, where_options
from console.cli.output import finding_json, plain, print_json, say, table
from console.gpu.held import idle_for
from console.live.shown import gpu_findings, gpu_findings_on, measured_ago, no_gpu_because

if TYPE_CHECKING:
    from console.board.model import Board
    from console.findings.model import Finding
    from console.gpu.held import Holding
    from console.gpu.model import Fleet, Gpu, GpuNode, Slice


@click.command("gpu")
@click.argument("node", required=False)
@where_options
@output_option()
def command(node: str | None, where: Where, output: str) -> int:
    """Nodes with GPUs: what they offer, who holds each, how busy it is, which are broken or wasted.

    With NODE only that one. Without an exporter of GPUs only capacity, allocatable and requests are known, which is
    said. The exit code is 1 where something is wrong or not known.
    """
    from console.cli.connect import settled
    from console.gpu.held import holdings

    situation = settled(where)
    board = situation.board
    fleet, findings = _of(board, node)
    held = holdings(fleet)
    if output == "json":
        document = {
            "kind": "GpuFleet",
            "at": plain({"at": board.at})["at"],
            "counts": fleet.counts,
            "resources": plain(list(fleet.resources())),
            "fleet": plain(fleet),
            "holders": plain(list(held)),
            "findings": [finding_json(situation, f) for f in findings],
            "sources": plain(list(board.sources)),
        }
        print_json(document)
    else:
        say(page(board, fleet, held, findings))
    return _exit(board, fleet, findings)


def _of(board: Board, name: str | None) -> tuple[Fleet, tuple[Finding, ...]]:
    from msgspec.structs import replace

    if name is None:
        return board.gpus, gpu_findings(board)
    found = board.gpus.node(name)
    if found is None:
        names = [node.name for node in board.gpus.nodes]
        raise UsageError(f"no node {clean(name)!r} with GPUs is known here", hint=did_you_mean(name, names))
    return replace(board.gpus, nodes=(found,)), gpu_findings_on(board, found)


def _exit(board: Board, fleet: Fleet, findings: tuple[Finding, ...]) -> Exit:
    if not fleet.nodes:
        return Exit.UNHEALTHY if no_gpu_because(board) else Exit.OK
    return Exit.OK if fleet.metrics == "dcgm" and not findings else Exit.UNHEALTHY


def page(board: Board, fleet: Fleet, held: tuple[Holding, ...], findings: tuple[Finding, ...]) -> str:
    """The whole of it as plain text."""
    from console.gpu.held import summary

    if not fleet.nodes:
        return no_gpu_because(board) or summary(fleet)
    out = [summary(fleet), *([f"figures were measured{old}"] if (old := measured_ago(board)) else [])]
    out += [f"! {f.severity} {clean(f.title)}" for f in findings]
    out += [
        "",
        table(("NODE", "CAPACITY", "ALLOCATABLE", "REQUESTED", "EXPORTER"), (_node(n, fleet) for n in fleet.nodes)),
    ]
    head = ("NODE", "GPU", "STATE", "USE", "MEMORY", "TEMP", "POWER", "XID", "IDLE FOR", "HOLDER")
    rows = [_cell(node, gpu, cell, board.at) for node in fleet.nodes for gpu in node.gpus for cell in gpu.cells]
    out += ["", table(head, rows)]
    if held:
        out += [
            "",
            table(("HOLDER", "GPUS", "NODES", "USE", "IDLE FOR", "WASTED"), (_holding(h, board.at) for h in held)),
        ]
    if fleet.parts:
        out += ["", table(("PART", "READY"), ((p.name, f"{p.ready}/{p.wanted}") for p in fleet.parts))]
    return "\n".join([*out, *(f"note: {clean(note)}" for note in fleet.notes)])


def _node(node: GpuNode, fleet: Fleet) -> tuple[str, ...]:
    sign = "" if fleet.complete else ">="
    kinds = [(r.name.removeprefix("nvidia.com/"), r) for r in node.resources]
    if not kinds:
        return (node.name, "-", "-", "-", node.exporter)
    return (
        node.name,
        ", ".join(f"{r.capacity:g} {name}" for name, r in kinds),
        ", ".join(f"{r.allocatable:g}" for _, r in kinds),
        ", ".join(f"{sign}{r.requested:g}" for _, r in kinds),
        node.exporter,
    )


def _cell(node: GpuNode, gpu: Gpu, cell: Gpu | Slice, now: float) -> tuple[str, ...]:
    from console.gpu.model import Slice

    name = gpu.index or "?"
    if isinstance(cell, Slice):
        name += f"/{cell.id} {cell.profile}"
    used, total = cell.memory_used, cell.memory_total
    return (
        node.name,
        name,
        cell.state,
        _known(cell.utilisation, "{:.0%}", gpu, "util"),
        "-" if used is None or total is None else f"{human_bytes(used)} of {human_bytes(total)}",
        _known(gpu.temperature, "{:.0f}C", gpu, "temperature"),
        _known(gpu.power, "{:.0f}W", gpu, "power"),
        " ".join(f"{x.number}{'~' if x.bound or x.since is None else ''}" for x in gpu.xids) or "-",
        idle_for(cell.idle_since, cell.idle_bound, now) if cell.state == "idle" else "-",
        _holder(cell),
    )


def _known(value: float | None, form: str, gpu: Gpu, field: str) -> str:
    if value is not None:
        return form.format(value)
    return "unsupported" if field in gpu.unsupported else "no data"


def _holder(cell: Gpu | Slice) -> str:
    if cell.holder is None:
        return "-"
    member = f" exec {cell.holder.member}" if cell.holder.member.isdigit() else f" {cell.holder.member}".rstrip()
    return cell.holder.name + member + (" (by requests)" if cell.holder.source == "requests" else "")


def _holding(held: Holding, now: float) -> tuple[str, ...]:
    return (
        held.holder.name,
        str(len(held.states)),
        ",".join(held.nodes),
        "no data" if held.use is None else f"{held.use:.0%}",
        idle_for(held.idle_since, held.bound, now) if held.idle_since is not None else "-",
        f"{held.wasted / 3600:.1f} GPU hours" if held.wasted else "-",
    )
