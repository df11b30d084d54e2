"""Now: the first page."""

from __future__ import annotations

from typing import ClassVar

from console.board.overview import Cause, causes
from console.findings.model import Finding
from console.live.shown import runbooks_of
from console.runbook.match import Matched
from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Lines
from console.tui.pages.app import AppPage
from console.tui.pages.begin import begin
from console.tui.pages.evidence import CausePage, EvidencePage
from console.tui.pages.slo import SloPage
from console.tui.pages.takeup import TAKE_UP, ListsWalks
from console.tui.pages.walk import WalkPage
from console.tui.pages.workstreams import PreventedPage
from console.tui.views import app as app_view
from console.tui.views import now


class NowPage(ListsWalks):
    name = "now"
    root = True
    root_key = KeyBinding("1", "now", "now", "Now: what is burning, since when, and what to do.")
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("enter", "open", "open", "Open what the cursor stands on; unfold what several applications share."),
        KeyBinding("r", "runbook", "runbook", "Walk the runbook that fits the selected finding, alert or objective."),
        KeyBinding("e", "evidence", "evidence", "What was seen, ruled out and left open for the selected finding."),
        TAKE_UP,
        KeyBinding(
            "w", "prevented", "planned", "Planned work that would have prevented this class of incident.", False
        ),
    )

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.opened_causes: set[str] = set()

    def show(self, width: int, height: int) -> Lines:
        return FixedLines(now.lines(self.hub.situation, width, self.selected, self.opened_causes))

    def preferred(self) -> str:
        asked = next((f"walk:{id}" for id in self.hub.situation.questions), "")
        return asked or next((cause.key for cause in causes(self.hub.board)), "")

    def side(self, width: int) -> Lines | None:
        cause = self.cause()
        if cause is not None and cause.shared:
            lines = app_view.cause(self.hub.situation, cause, width)
        else:
            finding = self.finding() or next(iter(self.hub.board.findings), None)
            if finding is None:
                return None
            lines = app_view.evidence(self.hub.situation, (finding,), width)
        return FixedLines([line._replace(key="") for line in lines])

    def finding(self) -> Finding | None:
        """The finding under the cursor; of trouble that several applications share, the one that speaks for it."""
        cause = self.cause()
        if cause is not None:
            return cause.lead
        return next((f for f in self.hub.board.findings if f.key == self.selected), None)

    def cause(self) -> Cause | None:
        return next((c for c in causes(self.hub.board) if c.key == self.selected), None)

    def opened(self, key: str) -> None:
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
                host.open_app(finding.app)
            else:
                self.do_evidence()

    def opens(self) -> tuple[str, tuple[KeyBinding, ...]]:
        finding = self.finding()
        if finding is not None and finding.app:
            return "application", AppPage.keys
        return ("walk", WalkPage.keys) if self.selected.startswith("walk:") else ("", ())

    def unknown(self, key: str) -> str:
        walks = [walk for walk in self.hub.situation.walks if walk.status != "ended"]
        if walks and not self.selected.startswith("walk:") and any(k.label == key for k in WalkPage.keys):
            return f"{key} is a key of the walk: g and enter open it"
        return super().unknown(key)

    def do_evidence(self) -> None:
        finding, cause = self.finding(), self.cause()
        if cause is not None and cause.shared:
            self.hub.host.push(CausePage(self.hub, cause.key))
            return
        if finding is not None and finding.app:
            self.hub.host.open_app(finding.app, "evidence")
        elif finding is not None:
            self.hub.host.push(EvidencePage(self.hub, finding.key))

    def why_evidence(self) -> str:
        return "" if self.finding() else "the cursor stands on no finding"

    def why_prevented(self) -> str:
        finding = self.finding()
        return "" if finding is not None and finding.class_ else "the finding has no incident class"

    def do_prevented(self) -> None:
        finding = self.finding()
        if finding is not None and finding.class_:
            self.hub.host.push(PreventedPage(self.hub, finding.class_))

    def why_runbook(self) -> str:
        return "" if self._matched() else "no runbook fits what the cursor stands on"

    def _matched(self) -> tuple[Matched, ...]:
        """What fits the selected line."""
        situation, finding = self.hub.situation, self.finding()
        return situation.matches.get(self.selected, ()) if finding is None else runbooks_of(situation, finding)

    def do_runbook(self) -> None:
        alert = next((a for a in self.hub.board.alerts if f"alert:{a.key}" == self.selected), None)
        finding = self.finding()
        begin(self.hub, self._matched(), app=finding.app if finding else "", alert=alert)
