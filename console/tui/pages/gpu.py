"""GPU: nodes × GPUs as shapes with holders and waste, a table of every GPU, and one node in detail."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.gpu import names_gpu
from console.findings.model import Finding
from console.gpu.model import GpuNode
from console.live.shown import gpu_findings, gpu_findings_on, runbooks_of
from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Lines, line, span
from console.tui.pages.base import FILTER, Page
from console.tui.pages.begin import begin
from console.tui.pages.evidence import EvidencePage
from console.tui.views import gpu as view
from console.tui.views.gpu_node import about

EVIDENCE = KeyBinding("e", "evidence", "evidence", "What was seen, ruled out and left open about the selected GPUs.")


class GpuPage(Page):
    name = "gpu"
    root = True
    root_key = KeyBinding("8", "gpu", "gpu", "GPU: who holds each one, which are broken, which are wasted.", False)
    filters = True
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("enter", "open", "open", "Open the node, or the application that holds the GPUs."),
        KeyBinding("t", "table", "table", "Every GPU as a row; again for the grid of nodes."),
        EVIDENCE,
        KeyBinding("r", "runbook", "runbook", "Walk the runbook that fits what is found about the selected GPUs."),
        FILTER,
    )

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.rows = False

    @property
    def trail(self) -> tuple[str, ...]:
        return ("gpu", "table") if self.rows else ("gpu",)

    def show(self, width: int, height: int) -> Lines:
        show = view.table if self.rows else view.lines
        return FixedLines(show(self.hub.board, self.wanted, width))

    def side(self, width: int) -> Lines | None:
        nodes = self.hub.board.gpus.nodes
        node = self._node() or next(iter(nodes), None)
        if node is None:
            return None
        return FixedLines(about(self.hub.board, node, gpu_findings_on(self.hub.board, node), width))

    def opened(self, key: str) -> None:
        kind, _, rest = key.partition(":")
        if any(f.key == key for f in self.hub.board.findings):
            self.do_evidence()
        elif kind == "holder" and self.hub.board.app(rest) is not None:
            self.hub.host.open_app(rest)
        elif (node := self._node()) is not None:
            self.hub.host.push(GpuNodePage(self.hub, node.name))
        elif kind == "holder":
            self.hub.host.say("the holder is no Spark application: nothing more is known of it")

    def _node(self) -> GpuNode | None:
        kind, _, rest = self.selected.partition(":")
        fleet = self.hub.board.gpus
        if (told := next((f for f in self.hub.board.findings if f.key == self.selected), None)) is not None:
            return next((n for name in told.data.nodes if (n := fleet.node(name)) is not None), None)
        if kind == "node":
            return fleet.node(rest)
        if kind == "gpu":
            return next((n for n in fleet.nodes if any(rest.startswith(f"{g.id}:") for g in n.gpus)), None)
        return None

    def finding(self) -> Finding | None:
        """The worst finding about what the cursor stands on."""
        kind, _, rest = self.selected.partition(":")
        if (told := next((f for f in self.hub.board.findings if f.key == self.selected), None)) is not None:
            return told
        if kind == "holder":
            return next((f for f in gpu_findings(self.hub.board) if f.app == rest), None)
        node = self._node()
        found = gpu_findings_on(self.hub.board, node) if node is not None else ()
        if kind == "gpu":
            mine = rest.rpartition(":")[0]
            exact = [f for f in found if names_gpu(f.data, mine)]
            return next(iter(exact), next(iter(found), None))
        return next(iter(found), None)

    def do_table(self) -> None:
        self.rows = not self.rows
        self.hub.host.refresh_page()

    def why_evidence(self) -> str:
        return "" if self.finding() is not None else "nothing is found about these GPUs"

    def do_evidence(self) -> None:
        if (finding := self.finding()) is not None:
            self.hub.host.push(EvidencePage(self.hub, finding.key))

    def why_runbook(self) -> str:
        finding = self.finding()
        fits = finding is not None and runbooks_of(self.hub.situation, finding)
        return "" if fits else "no runbook fits what is found here"

    def do_runbook(self) -> None:
        if (finding := self.finding()) is not None:
            begin(self.hub, runbooks_of(self.hub.situation, finding), app=finding.app)


class GpuNodePage(Page):
    """One node with its GPUs and what is found about them."""

    name = "gpu node"

    def __init__(self, hub: Hub, node: str) -> None:
        super().__init__(hub)
        self.node = node

    @property
    def trail(self) -> tuple[str, ...]:
        return ("gpu", self.node)

    def show(self, width: int, height: int) -> Lines:
        node = self.hub.board.gpus.node(self.node)
        if node is None:
            return FixedLines([line(span(" this node offers no GPUs any more", "warn"))])
        return FixedLines(about(self.hub.board, node, gpu_findings_on(self.hub.board, node), width))
