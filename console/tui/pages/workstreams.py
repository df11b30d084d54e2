"""Workstreams: features, what is ready or blocked, problems, graph, schedule and history of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from console.tui.hub import Hub
from console.tui.keys import Key
from console.tui.lines import Fixed, Line, Lines, line, span, told
from console.tui.pages.base import FILTER, Page
from console.tui.views import workstreams as view
from console.workstreams.model import Index, Workstream
from console.workstreams.view import State, select

if TYPE_CHECKING:
    from console.sources.workstreams_complete import Completion


class WorkstreamsPage(Page):
    name = "workstreams"
    filters = True
    keys: ClassVar[tuple[Key, ...]] = (
        Key("enter", "open", "open", "Open the feature or the workstream."),
        Key("f", "features", "features", "Features with bars of what their rows say."),
        Key("r", "ready", "ready", "What can be begun now."),
        Key("b", "blocked", "blocked", "What waits, and for what."),
        Key("a", "all", "all", "Every workstream."),
        Key("p", "problems", "problems", "Where the file contradicts itself, with lines."),
        Key("t", "graph", "graph", "What is unfinished, as a tree of dependencies."),
        Key("s", "schedule", "schedule", "The critical path, and what can be done in parallel steps."),
        Key("h", "history", "history", "Progress over time, from git."),
        FILTER,
    )

    def __init__(self, hub: Hub, panel: str = "features", feature: str = "") -> None:
        super().__init__(hub)
        self.panel, self.feature = panel, feature

    @property
    def trail(self) -> tuple[str, ...]:
        return ("workstreams", self.feature or self.panel)

    def show(self, width: int, height: int) -> Lines:
        planned = self.hub.planned
        if planned is None or planned.index is None:
            words = "no index" if planned is None else planned.trouble or planned.state
            return Fixed(told(words, width))
        index = planned.index
        head = view.head(index, planned.state, planned.file, width)
        return Headed(head, self._panel(index, width, height - len(head)))

    def _panel(self, index: Index, width: int, height: int) -> Lines:
        if self.panel == "features":
            return Fixed(view.features(index, self.wanted, width))
        if self.panel == "problems":
            return Fixed(view.problems(index, self.wanted, width))
        if self.panel == "graph":
            return Fixed(view.graph(index, self.feature or None, width))
        if self.panel == "schedule":
            return Fixed(view.schedule(index, width))
        if self.panel == "history":
            return Fixed(self._history(width, height))
        states: dict[str, State | None] = {"ready": "ready", "blocked": "blocked"}
        numbers = select(index, state=states.get(self.panel), feature=self.feature or None, text=self.wanted)
        return view.RowLines(index, numbers)

    def _history(self, width: int, height: int) -> list[Line]:
        planned = self.hub.planned
        if planned is None or (planned.past is None and not planned.past_trouble):
            return [line(span(" reading the history …", "dim"))]
        return view.history(planned.past, planned.past_trouble, width, height)

    def opened(self, key: str) -> None:
        kind, _, rest = key.partition(":")
        if kind == "feature":
            self.hub.host.push(WorkstreamsPage(self.hub, "all", rest.partition(":")[2]))
        elif kind == "row":
            self.hub.host.push(WorkstreamPage(self.hub, int(rest)))

    def _turn(self, panel: str) -> None:
        self.panel = panel
        self.hub.host.refresh_page()

    def do_features(self) -> None:
        self.feature = ""
        self._turn("features")

    def do_ready(self) -> None:
        self._turn("ready")

    def do_blocked(self) -> None:
        self._turn("blocked")

    def do_all(self) -> None:
        self._turn("all")

    def do_problems(self) -> None:
        self._turn("problems")

    def do_graph(self) -> None:
        self._turn("graph")

    def do_schedule(self) -> None:
        self._turn("schedule")

    def do_history(self) -> None:
        if self.hub.planned is not None:
            self.hub.planned.want_history()
        self._turn("history")


class WorkstreamPage(Page):
    name = "workstream"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("enter", "open", "open", "Open the workstream that uses this one."),
        Key("m", "complete", "complete", "See what marking it as completed changes in your files; then you are asked."),
    )

    def __init__(self, hub: Hub, number: int) -> None:
        super().__init__(hub)
        self.number = number

    @property
    def trail(self) -> tuple[str, ...]:
        index = self.hub.planned.index if self.hub.planned else None
        return (
            "workstreams",
            index.workstreams[self.number].id if index and self.number < len(index.workstreams) else "",
        )

    def show(self, width: int, height: int) -> Lines:
        index = self.hub.planned.index if self.hub.planned else None
        if index is None or self.number >= len(index.workstreams):
            return Fixed([line(span(" it is not there any more", "warn"))])
        return Fixed(view.detail(index, self.number, width))

    def opened(self, key: str) -> None:
        if key.startswith("row:"):
            self.hub.host.push(WorkstreamPage(self.hub, int(key.removeprefix("row:"))))

    def why_complete(self) -> str:
        item = self._item()
        if item is None:
            return "it is not there any more"
        return "it is completed already" if item.completed else ""

    def do_complete(self) -> None:
        item = self._item()
        if item is not None:
            self.hub.host.push(CompletePage(self.hub, item.feature, item.id))

    def _item(self) -> Workstream | None:
        index = self.hub.planned.index if self.hub.planned else None
        return index.workstreams[self.number] if index and self.number < len(index.workstreams) else None


class CompletePage(Page):
    """What completing a workstream would change in the user's own files, and the question whether to."""

    name = "complete"
    keys: ClassVar[tuple[Key, ...]] = (Key("y", "yes", "yes, write", "Write what is shown into your files."),)

    def __init__(self, hub: Hub, feature: str, id: str) -> None:
        super().__init__(hub)
        self.feature, self.id = feature, id
        self.planned: Completion | None = None
        self.written = False

    @property
    def trail(self) -> tuple[str, ...]:
        return ("workstreams", f"complete {self.feature}/{self.id}")

    def entered(self) -> None:
        if self.hub.planned is not None and self.planned is None:
            self.hub.host.when_done(self.hub.planned.completion(self.feature, self.id), self._arrived)

    def _arrived(self, planned: Completion) -> None:
        self.planned = planned
        self.hub.host.refresh_page()

    def show(self, width: int, height: int) -> Lines:
        if self.planned is None:
            return Fixed([line(span(" reading the files …", "dim"))])
        return Fixed(view.completion(self.planned, width))

    def why_yes(self) -> str:
        if self.planned is None:
            return "the files are still being read"
        if not self.planned.changes:
            return "there is nothing to change"
        return "it is being written" if self.written else ""

    def do_yes(self) -> None:
        if self.planned is None or self.hub.planned is None:
            return
        self.written = True
        planned = self.planned

        def done(_: object) -> None:
            self.hub.host.pop()
            self.hub.host.say(f"{planned.key} is completed in your files; nothing was committed")

        self.hub.host.when_done(self.hub.planned.complete(planned), done)


class PreventedPage(Page):
    """Planned work that bears on an incident class."""

    name = "prevented by"

    keys: ClassVar[tuple[Key, ...]] = (Key("enter", "open", "open", "Open the workstream."),)

    def __init__(self, hub: Hub, incident: str) -> None:
        super().__init__(hub)
        self.incident = incident

    @property
    def trail(self) -> tuple[str, ...]:
        return ("workstreams", self.incident)

    def show(self, width: int, height: int) -> Lines:
        planned = self.hub.planned
        if planned is None or planned.index is None:
            return Fixed(told(planned.trouble if planned else "no index", width))
        return Fixed(view.prevented_by(planned.index, self.incident, width))

    def opened(self, key: str) -> None:
        if key.startswith("row:"):
            self.hub.host.push(WorkstreamPage(self.hub, int(key.removeprefix("row:"))))


class Headed:
    """Lines below a head that scrolls with them."""

    def __init__(self, head: list[Line], body: Lines) -> None:
        self._head, self._body = head, body

    def __len__(self) -> int:
        return len(self._head) + len(self._body)

    def line(self, index: int, width: int) -> Line:
        size = len(self._head)
        return self._head[index] if index < size else self._body.line(index - size, width)

    def key(self, index: int) -> str:
        size = len(self._head)
        return "" if index < size else self._body.key(index - size)

    def find(self, key: str) -> int | None:
        place = self._body.find(key)
        return None if place is None else place + len(self._head)
