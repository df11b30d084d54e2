"""What every view shows: one immutable picture, and bounded details of what is in focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from console.apps.progress import ProgressSample
from console.board.model import Board
from console.facts.model import Event, Log, RestDocument
from console.live.times import Times
from console.live.trends import MemoryTrend
from console.timeline.prose import outcome

if TYPE_CHECKING:
    from console.components.match import Conformance, Detection
    from console.findings.rule import Trial
    from console.operate.approvals.request import ApprovalRequest
    from console.operate.person import Question
    from console.runbook.context.objects import LiveObject
    from console.runbook.match import Matched
    from console.runbook.walk import Walk

Phase = Literal["connecting", "loading", "live", "lost", "failed"]


class Situation(Struct, frozen=True):
    """The board, the runbooks that fit it and the walks under way.

    Attributes:
        phase: `connecting` and `loading` before the first facts, `live`, `lost` (data stays, marked stale), `failed`.
        trouble, hint: one sentence and what to do, where the phase is `lost` or `failed`.
        matches: finding key, `alert:` and the alert's key, `slo:ID` or `app:KEY` → runbooks, best first.
        walks: open ones first, then the latest that ended.
        walks_unread: walks that cannot be read, by id (`journal`: all of earlier sessions), and why.
        questions: walk id → what a person is asked.
        here: ids of the walks that this process is on; `elsewhere` those that another one is on, and which. The others
            wait.
        history: application key → how it moved, of those that are walked or in focus; the latest sample last.
        conformance: the preset against what runs; None before anything was judged.
        detection: which presets fit what runs.
        looked: walk id → the live objects that its runbook names, as they were read last.
        requests: what others ask for as second persons, the most urgent first.
    """

    board: Board
    phase: Phase = "connecting"
    trouble: str = ""
    hint: str = ""
    matches: dict[str, tuple[Matched, ...]] = {}
    walks: tuple[Walk, ...] = ()
    walks_unread: tuple[tuple[str, str], ...] = ()
    questions: dict[str, Question] = {}
    here: frozenset[str] = frozenset()
    elsewhere: dict[str, str] = {}
    history: dict[str, tuple[ProgressSample, ...]] = {}
    conformance: Conformance | None = None
    detection: Detection | None = None
    requests: tuple[ApprovalRequest, ...] = ()
    looked: dict[str, dict[str, LiveObject]] = {}
    number: int = 0

    def walk(self, id: str) -> Walk | None:
        return next((w for w in self.walks if w.id == id), None)

    def on_it(self, walk: Walk) -> str:
        """Which process is on the walk, `` where it waits for one."""
        return "this Console" if walk.id in self.here else self.elsewhere.get(walk.id, "")

    def walk_state(self, walk: Walk) -> str:
        """Where an open walk stands, in words; never `running` where nobody is on it."""
        if (asked := self.questions.get(walk.id)) is not None:
            return "second person" if asked.kind == "approval" else "waits for you"
        return walk.status if walk.id in self.here or walk.status == "ended" else outcome(walk, self.on_it(walk))

    def left(self, walk: Walk) -> bool:
        """Whether this process is not on the walk, so that it can be taken up (unless another process is on it)."""
        return walk.status != "ended" and walk.id not in self.here and walk.id not in self.questions


class FocusOn(Struct, frozen=True):
    """What a screen wants details of: an application, the log of one of its pods, where its time went."""

    app: str = ""
    pod: str = ""
    container: str = ""
    previous: bool = False
    manifest: bool = False
    explain: bool = False
    """Also every rule that was tried on the application."""
    times: bool = False
    trends: bool = False
    """Also how the memory of its executors went."""


class Focus(Struct, frozen=True):
    """Bounded details of `on`. `state` says whether they are there: loading, ready, forbidden, gone, unreachable."""

    on: FocusOn
    state: str = "loading"
    detail: str = ""
    log: Log | None = None
    events: tuple[Event, ...] = ()
    rest: tuple[RestDocument, ...] = ()
    manifest: dict[str, Any] = {}
    trials: tuple[Trial, ...] | None = None
    times: Times | None = None
    memory: MemoryTrend | None = None
    at: float | None = None
