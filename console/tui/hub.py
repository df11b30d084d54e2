"""What pages may use: the present values, and the few things that they can ask for. No widget, no cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from console.base.errors import ConsoleError
from console.board.model import Board, Cluster
from console.facts.model import Alert
from console.live.situation import Focus, FocusOn, Situation
from console.runbook.model import Runbook

if TYPE_CHECKING:
    from console.advice.model import AdviceReport
    from console.live.against import AgainstRead
    from console.operate.person import Person, Question, Reply
    from console.tui.workstreams_index import WatchedIndex


class LiveApi(Protocol):
    """What the UI needs of `console.live.Live`."""

    def start(self) -> None: ...

    def stop(self, timeout: float = 5.0) -> None: ...

    def subscribe(
        self, situation: Callable[[Situation], None], focus: Callable[[Focus], None] | None = None
    ) -> None: ...

    @property
    def situation(self) -> Situation: ...

    def focus(self, on: FocusOn) -> None: ...

    def begin(
        self,
        runbook: str,
        *,
        app: str = "",
        alert: Alert | None = None,
        given: Mapping[str, str] | None = None,
        person: Person | None = None,
    ) -> Future[str]: ...

    def resume(
        self, walk: str, person: Person | None = None, *, bind: bool = False, because: str = ""
    ) -> Future[str]: ...

    def drift(self, walk: str) -> Future[tuple[str, ...]]: ...

    def reply(self, walk: str, reply: Reply | None, question: Question | None = None) -> Future[None]: ...

    def note(self, walk: str, text: str) -> Future[None]: ...

    def hand_over(self, walk: str, text: str) -> Future[None]: ...

    def stop_walk(self, walk: str, because: str = "stopped") -> Future[None]: ...

    def rollback(self, walk: str, effect: str) -> Future[None]: ...

    def timeline(self, walk: str) -> Future[str]: ...

    def asked_of_me(self, digest: str) -> Future[Question]: ...

    def approve(self, digest: str, person: Person) -> Future[int]: ...

    def advise(self, app: str = "") -> Future[AdviceReport]: ...

    def against(self, app: str, run: str = "") -> Future[AgainstRead]: ...


class PageHost(Protocol):
    """What the UI's one screen does for pages."""

    def push(self, page: Any) -> None: ...

    def pop(self) -> None: ...

    def root(self, name: str) -> None:
        """Leave all pages for the root page `name`."""
        ...

    def open_app(self, key: str, panel: str = "executors") -> None:
        """Show the application `key` with one of its panels."""
        ...

    def ask(
        self,
        label: str,
        done: Callable[[str | None], None],
        *,
        value: str = "",
        live: bool = False,
        draft: bool = True,
    ) -> None:
        """Read a line at the bottom. With `live` every keystroke calls `done`; None means escape.

        Args:
            draft: whether what is typed and not sent stands there when `label` is asked again.
        """
        ...

    def ask_again(self, label: str, done: Callable[[str | None], None], text: str, why: str) -> None:
        """`text` was refused (`why`): it is not lost, but stands there to be sent again."""
        ...

    def say(self, text: str, bad: bool = False) -> None:
        """A notice at the bottom."""
        ...

    def refresh_page(self) -> None: ...

    def select(self, key: str) -> None:
        """Put the cursor on the line of `key`."""
        ...

    def copy(self, text: str) -> None:
        """Send a text to the clipboard of the terminal."""
        ...

    def at_last(self) -> bool:
        """Whether the cursor stands on the last line that it can stand on."""
        ...

    def turn_panel(self, *, follow: bool = False) -> None:
        """The page shows something else now: from its first line, or `follow`ing its last one."""
        ...

    def once(self, act: Callable[[Situation], bool]) -> None:
        """Call `act` with the present and every later situation until it says True."""
        ...

    def when_done(
        self,
        future: Future[Any],
        done: Callable[[Any], None],
        failed: Callable[[ConsoleError], bool] = lambda error: False,
    ) -> None:
        """Call `done` with the future's result on the UI thread; an error that `failed` does not take is a notice."""
        ...

    def export(self, name: str, text: str) -> None:
        """Write a file for the person, below the state folder, and say where it lies."""
        ...

    def export_as(self, name: str, text: str) -> None:
        """The same, into a file that the person names; one that exists is not overwritten."""
        ...


@dataclass
class Hub:
    """The present values. Pages read them; only the host changes them."""

    source: LiveApi
    host: PageHost
    runbooks: Mapping[str, Runbook]
    situation: Situation = field(default_factory=lambda: Situation(Board(at=0.0, cluster=Cluster(), verdict="UNKNOWN")))
    focus: Focus = field(default_factory=lambda: Focus(FocusOn()))
    actor: str = ""
    workstreams: WatchedIndex | None = None

    @property
    def board(self) -> Board:
        return self.situation.board
