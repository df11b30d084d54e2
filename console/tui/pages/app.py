"""One application: a summary and its panels."""

from __future__ import annotations

from typing import ClassVar

from console.health.model import Member, SparkApp
from console.live.situation import FocusOn
from console.tui.hub import Hub
from console.tui.keys import Key
from console.tui.lines import Fixed, Line, Lines, Span, line, rule, span
from console.tui.pages.base import FILTER, Page
from console.tui.views import app as view
from console.tui.views.times import times


class AppPage(Page):
    name = "app"
    filters = True
    keys: ClassVar[tuple[Key, ...]] = (
        *(
            Key(str(i), panel.replace(" ", "_"), panel, tip, i <= 4)
            for i, (panel, tip) in enumerate(view.PANELS.items(), 1)
        ),
        Key("r", "runbook", "runbook", "Walk the runbook that fits this application."),
        Key("l", "log_of", "logs", "The log of the selected driver or executor.", False),
        Key("p", "previous", "previous", "The log of the container's previous run.", False),
        Key("e", "evidence", "evidence", "What was seen, ruled out and left open.", False),
        Key("y", "yaml", "yaml", "The object as YAML.", False),
        Key("a", "advice", "advice", "What could be set better or safer here.", False),
        FILTER,
    )

    def __init__(self, hub: Hub, app: str, panel: str = "executors") -> None:
        super().__init__(hub)
        self.app_key, self.panel, self.pod, self.old = app, panel, "", False

    @property
    def trail(self) -> tuple[str, ...]:
        return ("apps", self.app_key.rpartition("/")[2])

    @property
    def app(self) -> SparkApp | None:
        return self.hub.board.app(self.app_key)

    def entered(self) -> None:
        self._look()

    def left(self) -> None:
        self.hub.source.focus(FocusOn())

    def _look(self) -> None:
        pod = self.pod or self._main_pod()
        wanted = self.panel == "logs"
        self.hub.source.focus(
            FocusOn(
                app=self.app_key,
                pod=pod if wanted else "",
                previous=self.old,
                manifest=self.panel == "yaml",
                explain=self.panel == "why not",
                times=self.panel == "times",
            )
        )
        self.hub.host.turn_panel(follow=wanted)

    def _main_pod(self) -> str:
        app = self.app
        members: list[Member] = [m for m in ((app.driver, *app.executors) if app else ()) if m is not None and m.pod]
        return f"{members[0].namespace}/{members[0].pod}" if members else ""

    def show(self, width: int, height: int) -> Lines:
        app = self.app
        if app is None:
            return Fixed([line(span(f" {self.app_key} is not there any more", "warn"))])
        head = [*view.head(self.hub.situation, app, width), self._tabs(width)]
        return Fixed([*head, *self._panel(app, width)])

    def _tabs(self, width: int) -> Line:
        spans: list[Span] = [Span("── ", "rule")]
        for number, panel in enumerate(view.PANELS, 1):
            spans += [span(f"{number} ", "key"), span(panel, "title" if panel == self.panel else "dim"), Span("  ")]
        used = sum(len(s.text) for s in spans)
        return Line((*spans, Span("─" * max(0, width - used), "rule")))

    def _panel(self, app: SparkApp, width: int) -> list[Line]:
        board, focus = self.hub.board, self.hub.focus
        if self.panel == "evidence":
            return view.evidence(board, board.findings_of(app.key), width)
        if self.panel == "events":
            return view.events(board, focus, width)
        if self.panel == "logs":
            pod = self.pod or self._main_pod()
            return [rule(pod + (" (previous)" if self.old else ""), width), *view.log(focus, self.wanted)]
        if self.panel == "conf":
            return view.conf(app, width)
        if self.panel == "yaml":
            return view.manifest(focus)
        if self.panel == "why not":
            return view.trials(focus, self.wanted, width)
        if self.panel == "times":
            return times(board, focus, width)
        return view.members(board, app, width)

    def _turn(self, panel: str) -> None:
        self.panel, self.old = panel, False
        if panel != "logs":
            self.pod = ""
        self._look()

    def do_executors(self) -> None:
        self._turn("executors")

    def do_evidence(self) -> None:
        self._turn("evidence")

    def do_events(self) -> None:
        self._turn("events")

    def do_logs(self) -> None:
        self._turn("logs")

    def do_conf(self) -> None:
        self._turn("conf")

    def do_yaml(self) -> None:
        self._turn("yaml")

    def do_why_not(self) -> None:
        self._turn("why not")

    def do_times(self) -> None:
        self._turn("times")

    def opened(self, key: str) -> None:
        if key.startswith("pod:"):
            self.pod = key.removeprefix("pod:")
            self._turn("logs")

    def why_log_of(self) -> str:
        return "" if self.selected.startswith("pod:") else "the cursor stands on no pod"

    def do_log_of(self) -> None:
        self.opened(self.selected)

    def why_previous(self) -> str:
        return "" if self.panel == "logs" else "open a log first"

    def do_previous(self) -> None:
        self.old = not self.old
        self._look()

    def do_advice(self) -> None:
        from console.tui.pages.advice import AdvicePage

        self.hub.host.push(AdvicePage(self.hub, self.app_key))

    def why_runbook(self) -> str:
        return "" if self.hub.situation.matches.get(f"app:{self.app_key}") else "no runbook fits this application"

    def do_runbook(self) -> None:
        from console.tui.pages.begin import begin

        begin(self.hub, self.hub.situation.matches[f"app:{self.app_key}"], app=self.app_key)
