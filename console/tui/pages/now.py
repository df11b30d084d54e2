"""Now: the first page."""

from __future__ import annotations

from typing import ClassVar

from console.health.model import Finding
from console.tui.keys import Key
from console.tui.lines import Fixed, Lines
from console.tui.pages.base import Page
from console.tui.views import app as app_view
from console.tui.views import now

WIDE = 130


class NowPage(Page):
    name = "now"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("enter", "open", "open", "Open what the cursor stands on."),
        Key("r", "runbook", "runbook", "Walk the runbook that fits the selected finding, alert or objective."),
        Key("e", "evidence", "evidence", "What was seen, ruled out and left open for the selected finding."),
        Key("w", "prevented", "planned", "Planned work that would have prevented this class of incident.", False),
    )

    def show(self, width: int, height: int) -> Lines:
        return Fixed(now.lines(self.hub.situation, width, self.selected))

    def preferred(self) -> str:
        asked = next((f"walk:{id}" for id in self.hub.situation.questions), "")
        return asked or next((f.key for f in self.hub.board.findings), "")

    def side(self, width: int) -> Lines | None:
        finding = self.finding() or next(iter(self.hub.board.findings), None)
        if finding is None:
            return None
        return Fixed([line._replace(key="") for line in app_view.evidence(self.hub.board, (finding,), width)])

    def finding(self) -> Finding | None:
        return next((f for f in self.hub.board.findings if f.key == self.selected), None)

    def opened(self, key: str) -> None:
        from console.tui.pages.app import AppPage
        from console.tui.pages.slo import SloPage
        from console.tui.pages.walk import WalkPage

        host = self.hub.host
        if key.startswith("slo:"):
            host.push(SloPage(self.hub, key))
        elif key.startswith("walk:"):
            host.push(WalkPage(self.hub, key.removeprefix("walk:")))
        elif key.startswith("alert:"):
            self.do_runbook()
        elif (finding := self.finding()) is not None:
            if finding.app:
                host.push(AppPage(self.hub, finding.app))
            else:
                self.do_evidence()

    def do_evidence(self) -> None:
        from console.tui.pages.app import AppPage
        from console.tui.pages.evidence import EvidencePage

        finding = self.finding()
        if finding is not None and finding.app:
            self.hub.host.push(AppPage(self.hub, finding.app, panel="evidence"))
        elif finding is not None:
            self.hub.host.push(EvidencePage(self.hub, finding.key))

    def why_evidence(self) -> str:
        return "" if self.finding() else "the cursor stands on no finding"

    def why_prevented(self) -> str:
        finding = self.finding()
        return "" if finding is not None and finding.class_ else "the finding has no incident class"

    def do_prevented(self) -> None:
        from console.tui.pages.workstreams import PreventedPage

        finding = self.finding()
        if finding is not None and finding.class_:
            self.hub.host.push(PreventedPage(self.hub, finding.class_))

    def why_runbook(self) -> str:
        return "" if self.hub.situation.matches.get(self.selected) else "no runbook fits what the cursor stands on"

    def do_runbook(self) -> None:
        from console.tui.pages.begin import begin

        alert = next((a for a in self.hub.board.alerts if f"alert:{a.name}" == self.selected), None)
        finding = self.finding()
        begin(self.hub, self.hub.situation.matches[self.selected], app=finding.app if finding else "", alert=alert)
