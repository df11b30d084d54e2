"""One application: a summary and its panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from console.apps.model import Member, SparkApp
from console.live.situation import Focus, FocusOn
from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Line, Lines, Span, line, span
from console.tui.pages.advice import AdvicePage
from console.tui.pages.base import FILTER, Page
from console.tui.pages.begin import begin
from console.tui.pages.changes import ChangesPage
from console.tui.pages.reader import ReaderPage
from console.tui.views import app as view
from console.tui.views import texts
from console.tui.views import trends as trend_view
from console.tui.views.texts import PagedText, PagerView
from console.tui.views.times import times

ROOMY = 30
"""Lines from which the summary stands above every panel, and not above the first alone."""


class AppPage(Page):
    name = "app"
    filters = True
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        *(
            KeyBinding(str(i), panel.replace(" ", "_"), panel, tip, False)  # their line shows them
            for i, (panel, tip) in enumerate(view.PANELS.items(), 1)
        ),
        KeyBinding("r", "runbook", "runbook", "Walk the runbook that fits this application."),
        KeyBinding("l", "log_of", "logs", "The log of the selected driver or executor."),
        KeyBinding("f", "follow", "follow", "Logs: keep the end in sight as lines come, or stand still.", False),
        KeyBinding("w", "wrap", "wrap", "Logs, YAML: long lines go on below, or end in an ellipsis.", False),
        KeyBinding("p", "previous", "previous run", "Logs: of the container's previous run, and back.", False),
        KeyBinding("n", "next_hit", "next", "Logs, YAML: to the next line that was searched for.", False),
        KeyBinding("N", "last_hit", "last", "Logs, YAML: to the one before.", False),
        KeyBinding("ampersand", "narrow", "narrow", "Logs, YAML: only lines that fit (!word: must not).", False),
        KeyBinding("C", "copy_all", "copy all", "YAML: the whole object to the clipboard of your terminal.", False),
        KeyBinding("e", "evidence", "evidence", "What was seen, ruled out and left open.", False),
        KeyBinding("y", "yaml", "yaml", "The object as YAML.", False),
        KeyBinding("a", "advice", "advice", "What could be set better or safer here."),
        KeyBinding("d", "changes", "changes", "What changed since its last good run."),
        FILTER._replace(what="search", tip="Logs, YAML: search; elsewhere: narrow the list (!word: must not)."),
    )

    def __init__(self, hub: Hub, app: str, panel: str = "executors") -> None:
        super().__init__(hub)
        self.app_key, self.panel, self.pod = app, panel, ""
        self.reading, self._still, self._text = PagerView(), Focus(FocusOn()), PagedText([], 0, 0, ())
        self._made_of: tuple[object, ...] | None = None

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
                previous=self.reading.previous,
                manifest=self.panel == "yaml",
                explain=self.panel == "why not",
                times=self.panel == "times",
                trends=self.panel == "executors",
            )
        )
        self.hub.host.turn_panel(follow=wanted and self.reading.follow)

    def _main_pod(self) -> str:
        app = self.app
        members: list[Member] = [m for m in ((app.driver, *app.executors) if app else ()) if m is not None and m.pod]
        return f"{members[0].namespace}/{members[0].pod}" if members else ""

    def show(self, width: int, height: int) -> Lines:
        app = self.app
        if app is None:
            return FixedLines([line(span(f" {self.app_key} is not there any more", "warn"))])
        if self.panel in ("logs", "yaml"):
            return FixedLines(self._text.lines)
        head = [view.state(app)]
        if self.panel == "executors" or height >= ROOMY:
            head = view.head(self.hub.situation, app, width)
        moves = trend_view.lines(self.hub.situation, app, self.hub.focus, width) if self.panel == "executors" else []
        return FixedLines([*head, *moves, self._tabs(width), *self._panel(app, width)])

    def pinned(self, width: int, room: int) -> tuple[Sequence[Line], Sequence[Line]]:
        if self.app is None or self.panel not in ("logs", "yaml"):
            return (), ()
        focus, reading = self._shown_focus(), self.reading._replace(narrow=self.wanted)
        made_of = (focus.log, focus.manifest, focus.state, reading, width)
        if self._made_of is None or any(a is not b and a != b for a, b in zip(made_of, self._made_of, strict=True)):
            self._made_of = made_of
            self._text = (texts.manifest if self.panel == "yaml" else texts.log)(focus, reading, width)
        if self.panel == "yaml":
            return (self._tabs(width), *texts.manifest_head(reading, self._text, self.selected, width)), ()
        pod = self.pod or self._main_pod()
        return (self._tabs(width), *texts.log_head(focus, pod, reading, self._text, self.selected, width)), ()

    def _shown_focus(self) -> Focus:
        """What is in focus; a log that is not followed stands still as it was."""
        focus = self.hub.focus
        on = focus.on
        if self.panel == "yaml":
            return focus if on.app == self.app_key and on.manifest else Focus(on)
        if (on.pod, on.previous) != (self.pod or self._main_pod(), self.reading.previous):
            return self._still if self._still.log is not None and not self.reading.follow else Focus(on)
        if self.panel == "logs" and not self.reading.follow and self._still.log is not None:
            return self._still
        self._still = focus
        return focus

    def moves_to(self) -> str:
        following = self.panel == "logs" and self.reading.follow and self._text.total
        return next((made.key for made in reversed(self._text.lines) if made.key), "") if following else ""

    def touched(self) -> None:
        if self.panel == "logs" and self.reading.follow:
            self._read(follow=False)

    def clear(self) -> bool:
        if self.reading.search:
            self.reading = self.reading._replace(search="")
            return True
        return super().clear()

    def _tabs(self, width: int) -> Line:
        spans: list[Span] = [Span("─", "rule")]
        for number, panel in enumerate(view.PANELS, 1):
            spans += [span(f" {number} ", "key"), span(panel, "title" if panel == self.panel else "dim"), Span(" ")]
        used = sum(len(s.text) for s in spans)
        return Line((*spans, Span("─" * max(0, width - used), "rule")))

    def _panel(self, app: SparkApp, width: int) -> list[Line]:
        board, focus = self.hub.board, self.hub.focus
        if self.panel == "evidence":
            return view.evidence(self.hub.situation, board.findings_of(app.key), width)
        if self.panel == "events":
            return view.events(board, focus, width)
        if self.panel == "conf":
            return view.conf(app, width)
        if self.panel == "why not":
            return view.trials(focus, self.wanted, width)
        if self.panel == "times":
            return times(board, focus, width)
        return view.members(board, app, width)

    def _turn(self, panel: str) -> None:
        self.panel, self.reading, self.wanted = panel, PagerView(wrapped=self.reading.wrapped), ""
        self._still, self._made_of = Focus(FocusOn()), None
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
        elif key.startswith("event:"):
            self.hub.host.push(ReaderPage(self.hub, "event", lambda width: self._event(key, width)))

    def _event(self, key: str, width: int) -> list[Line]:
        found = next((e for e in self.hub.focus.events if view.event_key(e) == key), None)
        return view.event(self.hub.board, found, width) if found is not None else []

    def why_log_of(self) -> str:
        return "" if self.selected.startswith("pod:") else "the cursor stands on no pod"

    def do_log_of(self) -> None:
        self.opened(self.selected)

    # how a text is read

    @property
    def own_digits(self) -> bool:
        """They open panels, and never lead to another page."""
        return True

    def digit(self, number: int) -> bool:
        if number <= len(view.PANELS) and number:
            return False
        self.hub.host.say(f"there is no panel {number}: :{number} goes to the page")
        return True

    def offers(self) -> tuple[tuple[str, str], ...]:
        if self.panel == "logs":
            run = "present run" if self.reading.previous else "previous run"
            return (("f", "follow"), ("w", "wrap"), ("p", run), ("/", "search"), ("&", "narrow"))
        return (("w", "wrap"), ("/", "search"), ("C", "copy all")) if self.panel == "yaml" else ()

    def _read(self, **how: Any) -> None:
        self.reading = self.reading._replace(**how)
        self.hub.host.refresh_page()

    def why_previous(self) -> str:
        return "" if self.panel == "logs" else "open a log first"

    why_follow = why_previous

    def why_wrap(self) -> str:
        return "" if self.panel in ("logs", "yaml") else "open a log or the YAML first"

    why_narrow = why_next_hit = why_last_hit = why_wrap

    def why_copy_all(self) -> str:
        return "" if self.panel == "yaml" else "open the YAML first"

    def do_previous(self) -> None:
        self.reading = self.reading._replace(previous=not self.reading.previous, follow=True)
        self._still = Focus(FocusOn())
        self._look()

    def do_follow(self) -> None:
        self._read(follow=not self.reading.follow)

    def do_wrap(self) -> None:
        self._read(wrapped=not self.reading.wrapped)

    def do_copy_all(self) -> None:
        self.hub.host.copy(texts.manifest_text(self.hub.focus) if self.hub.focus.manifest else "")

    def do_narrow(self) -> None:
        super().do_filter("&")

    def do_filter(self, label: str = "/") -> None:
        if self.panel not in ("logs", "yaml"):
            super().do_filter(label)
            return

        def done(text: str | None) -> None:
            if text is not None:
                self._read(search=text, follow=False)
                self._to_hit(1, here=True)

        self.hub.host.ask("search: ", done, value=self.reading.search)

    def do_next_hit(self) -> None:
        self._to_hit(1)

    def do_last_hit(self) -> None:
        self._to_hit(-1)

    def _to_hit(self, step: int, *, here: bool = False) -> None:
        """To the next (or the previous) line that was searched for, round the end where there is none further."""
        hits, sought = self._text.hits, self.reading.search
        if not sought:
            self.hub.host.say("nothing is searched for: / searches")
            return
        if not hits:
            self.hub.host.say(f"nothing found: no line of {self._text.kept} holds {sought!r}")
            return
        now = int(self.selected.partition(":")[2] or -1) if self.selected.startswith("text:") else -1
        numbers = [int(hit.partition(":")[2]) for hit in hits]
        further = [n for n in numbers if (n - now) * step > 0 or (here and n == now)]
        if not further:
            self.hub.host.say("from the beginning again" if step > 0 else "from the end again")
        target = (further or numbers)[0 if step > 0 else -1]
        self.reading = self.reading._replace(follow=False)
        self.hub.host.select(f"text:{target}")
        self.hub.host.refresh_page()

    def do_advice(self) -> None:
        self.hub.host.push(AdvicePage(self.hub, self.app_key))

    def do_changes(self) -> None:
        self.hub.host.push(ChangesPage(self.hub, self.app_key))

    def why_runbook(self) -> str:
        return "" if self.hub.situation.matches.get(f"app:{self.app_key}") else "no runbook fits this application"

    def do_runbook(self) -> None:
        begin(self.hub, self.hub.situation.matches[f"app:{self.app_key}"], app=self.app_key)
