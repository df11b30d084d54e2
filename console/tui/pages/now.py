"""Now: the first page."""

from __future__ import annotations

from typing import ClassVar

from console.health.model import Finding
from console.health.overview import Cause, causes
from console.runbook.match import Matched
from console.tui.hub import Hub
from console.tui.keys import Key
from console.tui.lines import Fixed, Lines
from console.tui.pages.base import Page
from console.tui.views import app as app_view
from console.tui.views import now

WIDE = 130


class NowPage(Page):
    name = "now"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("enter", "open", "open", "Open what the cursor stands on; unfold what several applications share."),
        Key("r", "runbook", "runbook", "Walk the runbook that fits the selected finding, alert or objective."),
        Key("e", "evidence", "evidence", "What was seen, ruled out and left open for the selected finding."),
        Key("w", "prevented", "planned", "Planned work that would have prevented this class of incident.", False),
    )

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.opened_causes: set[str] = set()

    def show(self, width: int, height: int) -> Lines:
        return Fixed(now.lines(self.hub.situation, width, self.selected, self.opened_causes))

    def preferred(self) -> str:
        asked = next((f"walk:{id}" for id in self.hub.situation.questions), "")
        return asked or next((cause.key for cause in causes(self.hub.board)), "")

    def side(self, width: int) -> Lines | None:
        cause = self.cause()
        if cause is not None and cause.shared:
            lines = app_view.cause(self.hub.board, cause, width)
        else:
            finding = self.finding() or next(iter(self.hub.board.findings), None)
            if finding is None:
                return None
            lines = app_view.evidence(self.hub.board, (finding,), width)
        return Fixed([line._replace(key="") for line in lines])

    def finding(self) -> Finding | None:
        """The finding under the cursor; of trouble that several applications share, the one that speaks for it."""
        cause = self.cause()
        if cause is not None:
            return cause.lead
        return next((f for f in self.hub.board.findings if f.key == self.selected), None)

    def cause(self) -> Cause | None:
        return next((c for c in causes(self.hub.board) if c.key == self.selected), None)

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
        elif key.startswith("incident:"):
            self.opened_causes ^= {key}
            host.refresh_page()
        elif (finding := self.finding()) is not None:
            if finding.app:
                host.push(AppPage(self.hub, finding.app))
            else:
                self.do_evidence()

    def do_evidence(self) -> None:
        from console.tui.pages.app import AppPage
        from console.tui.pages.evidence import CausePage, EvidencePage

        finding, cause = self.finding(), self.cause()
        if cause is not None and cause.shared:
            self.hub.host.push(CausePage(self.hub, cause.key))
            return
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
        return "" if self._matched() else "no runbook fits what the cursor stands on"

    def _matched(self) -> tuple[Matched, ...]:
        """What fits the selected line; a consequence is helped by what helps its cause."""
        matches, finding = self.hub.situation.matches, self.finding()
        if finding is None:
            return matches.get(self.selected, ())
        cause = next((c for c in causes(self.hub.board) if finding in (c.lead, *c.rest)), None)
        return matches.get(finding.key) or matches.get(cause.lead.key if cause else "", ())

    def do_runbook(self) -> None:
        from console.tui.pages.begin import begin

        alert = next((a for a in self.hub.board.alerts if f"alert:{a.name}" == self.selected), None)
        finding = self.finding()
        begin(self.hub, self._matched(), app=finding.app if finding else "", alert=alert)
