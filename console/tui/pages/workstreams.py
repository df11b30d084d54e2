"""Workstreams: features, what is ready or blocked, problems, graph, schedule and history of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Line, Lines, line, span, told
from console.tui.pages.base import FILTER, Page
from console.tui.views import workstreams as view
from console.workstreams.model import Index, Workstream
from console.workstreams.reports.view import StreamState, select

if TYPE_CHECKING:
    from console.sources.files.completion import Completion


class WorkstreamsPage(Page):
    name = "workstreams"
    root = True
    root_key = KeyBinding(
        "7", "workstreams", "workstreams", "Workstreams: progress, and whether the index tells the truth.", False
    )
    filters = True
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("enter", "open", "open", "Open the feature or the workstream."),
        KeyBinding("f", "features", "features", "Features with bars of what their rows say."),
        KeyBinding("r", "ready", "ready", "What can be begun now."),
        KeyBinding("b", "blocked", "blocked", "What waits, and for what."),
        KeyBinding("a", "all", "all", "Every workstream."),
        KeyBinding("p", "problems", "problems", "Where the file contradicts itself, with lines."),
        KeyBinding("t", "graph", "graph", "What is unfinished, as a tree of dependencies."),
        KeyBinding("s", "schedule", "schedule", "The critical path, and what can be done in parallel steps."),
        KeyBinding("h", "history", "history", "Progress over time, from git."),
        FILTER,
    )

    def __init__(self, hub: Hub, panel: str = "features", feature: str = "") -> None:
        super().__init__(hub)
        self.panel, self.feature = panel, feature

    @property
    def trail(self) -> tuple[str, ...]:
        return ("workstreams", self.feature or self.panel)

    def show(self, width: int, height: int) -> Lines:
        workstreams = self.hub.workstreams
        if workstreams is None or workstreams.index is None:
            words = "no index" if workstreams is None else workstreams.trouble or workstreams.state
            return FixedLines(told(words, width))
        index = workstreams.index
        head = view.head(index, workstreams.state, workstreams.file, width)
        return HeadedLines(head, self._panel(index, width, height - len(head)))

    def _panel(self, index: Index, width: int, height: int) -> Lines:
        if self.panel == "features":
            return FixedLines(view.features(index, self.wanted, width))
        if self.panel == "problems":
            return FixedLines(view.problems(index, self.wanted, width))
        if self.panel == "graph":
            return FixedLines(view.graph(index, self.feature or None, width))
        if self.panel == "schedule":
            return FixedLines(view.schedule(index, width))
        if self.panel == "history":
            return FixedLines(self._history(width, height))
        states: dict[str, StreamState | None] = {"ready": "ready", "blocked": "blocked"}
        numbers = select(index, state=states.get(self.panel), feature=self.feature or None, text=self.wanted)
        return view.RowLines(index, numbers)

    def _history(self, width: int, height: int) -> list[Line]:
        workstreams = self.hub.workstreams
        if workstreams is None or (workstreams.past is None and not workstreams.past_trouble):
            return [line(span(" reading the history …", "dim"))]
        return view.history(workstreams.past, workstreams.past_trouble, width, height)

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
        if self.hub.workstreams is not None:
            self.hub.workstreams.want_history()
        self._turn("history")


class WorkstreamPage(Page):
    name = "workstream"
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("enter", "open", "open", "Open the workstream that uses this one."),
        KeyBinding(
            "m", "complete", "complete", "See what marking it as completed changes in your files; then you are asked."
        ),
    )

    def __init__(self, hub: Hub, number: int) -> None:
        super().__init__(hub)
        self.number = number

    @property
    def trail(self) -> tuple[str, ...]:
        index = self.hub.workstreams.index if self.hub.workstreams else None
        return (
            "workstreams",
            index.workstreams[self.number].id if index and self.number < len(index.workstreams) else "",
        )

    def show(self, width: int, height: int) -> Lines:
        index = self.hub.workstreams.index if self.hub.workstreams else None
        if index is None or self.number >= len(index.workstreams):
            return FixedLines([line(span(" it is not there any more", "warn"))])
        return FixedLines(view.detail(index, self.number, width))

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
        index = self.hub.workstreams.index if self.hub.workstreams else None
        return index.workstreams[self.number] if index and self.number < len(index.workstreams) else None


class CompletePage(Page):
    """What completing a workstream would change in the user's own files, and the question whether to."""

    name = "complete"
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("y", "yes", "yes, write", "Write what is shown into your files."),
    )

    def __init__(self, hub: Hub, feature: str, id: str) -> None:
        super().__init__(hub)
        self.feature, self.id = feature, id
        self.completion: Completion | None = None
        self.written = False

    @property
    def trail(self) -> tuple[str, ...]:
        return ("workstreams", f"complete {self.feature}/{self.id}")

    def entered(self) -> None:
        if self.hub.workstreams is not None and self.completion is None:
            self.hub.host.when_done(self.hub.workstreams.completion(self.feature, self.id), self._arrived)

    def _arrived(self, completion: Completion) -> None:
        self.completion = completion
        self.hub.host.refresh_page()

    def show(self, width: int, height: int) -> Lines:
        if self.completion is None:
            return FixedLines([line(span(" reading the files …", "dim"))])
        return FixedLines(view.completion(self.completion, width))

    def why_yes(self) -> str:
        if self.completion is None:
            return "the files are still being read"
        if not self.completion.changes:
            return "there is nothing to change"
        return "it is being written" if self.written else ""

    def do_yes(self) -> None:
        if self.completion is None or self.hub.workstreams is None:
            return
        self.written = True
        completion = self.completion

        def done(_: object) -> None:
            self.hub.host.pop()
            self.hub.host.say(f"{completion.key} is completed in your files; nothing was committed")

        self.hub.host.when_done(self.hub.workstreams.complete(completion), done)


class PreventedPage(Page):
    """Planned work that bears on an incident class."""

    name = "prevented by"

    keys: ClassVar[tuple[KeyBinding, ...]] = (KeyBinding("enter", "open", "open", "Open the workstream."),)

    def __init__(self, hub: Hub, incident: str) -> None:
        super().__init__(hub)
        self.incident = incident

    @property
    def trail(self) -> tuple[str, ...]:
        return ("workstreams", self.incident)

    def show(self, width: int, height: int) -> Lines:
        workstreams = self.hub.workstreams
        if workstreams is None or workstreams.index is None:
            return FixedLines(told(workstreams.trouble if workstreams else "no index", width))
        return FixedLines(view.prevented_by(workstreams.index, self.incident, width))

    def opened(self, key: str) -> None:
        if key.startswith("row:"):
            self.hub.host.push(WorkstreamPage(self.hub, int(key.removeprefix("row:"))))


class HeadedLines:
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
