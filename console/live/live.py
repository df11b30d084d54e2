"""`Live`: one background thread with its own event loop that turns sources into Situations.

Views get immutable values by callback, on the background thread; they bring them to their own thread themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from console.base.errors import ConsoleError, ReachError
from console.board.model import Board, Cluster
from console.board.verdict import untrusted
from console.facts.model import Alert, SourceState, SourceStateWord
from console.live.plan import Plan
from console.live.situation import Focus, FocusOn, Situation
from console.wire.errors import ApiError

if TYPE_CHECKING:
    from console.advice.model import AdviceReport
    from console.findings.rule import Trial
    from console.live.against import AgainstRead
    from console.live.session import Session
    from console.live.times import Times
    from console.live.trends import MemoryTrend
    from console.operate.person import Person, Question, Reply

T = TypeVar("T")
_RETRY = (1.0, 2.0, 5.0, 10.0, 20.0)


class Live:
    """A running picture of one cluster.

    `start` returns at once. `settle` waits until everything was read once, or says what is missing.
    Every method may be called from any thread.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        cluster = Cluster(context=plan.ref.context or "", mode=plan.settings.mode, kind=plan.kind)
        self._situation = Situation(Board(at=plan.clock.now(), cluster=cluster, verdict="UNKNOWN"))
        self._focus = Focus(FocusOn())
        self._on_situation: list[Callable[[Situation], None]] = []
        self._on_focus: list[Callable[[Focus], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._settled = threading.Event()
        self._stop: asyncio.Event | None = None
        self._session: Session | None = None
        self._failure: ConsoleError | None = None

    # life

    def start(self) -> None:
        """Begin to read, in the background."""
        self._thread = threading.Thread(target=self._run, name="console-live", daemon=True)
        self._thread.start()
        self._ready.wait()

    def stop(self, timeout: float = 5.0) -> None:
        """End reading and every walk that waits; the journal keeps where they stood."""
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and not loop.is_closed():
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)
        if self._thread is not None:
            self._thread.join(timeout)

    def __enter__(self) -> Live:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        work = asyncio.create_task(self._keep_connected())
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if work.done() and not work.cancelled() and (error := work.exception()) is not None:
            self._fail(error if isinstance(error, ConsoleError) else ConsoleError(f"{type(error).__name__}: {error}"))
            await stopped
        for task in (work, stopped):
            task.cancel()
        await asyncio.gather(work, stopped, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _keep_connected(self) -> None:
        from console.live.session import Session

        tries = 0
        while True:
            try:
                self._session = await Session.open(self.plan, self._publish, self._publish_focus, self._settled.set)
                break
            except (ReachError, ApiError) as error:
                self._fail(error, retry=True)
                await asyncio.sleep(_RETRY[min(tries, len(_RETRY) - 1)])
                tries += 1
        self._failure = None
        await self._session.run()

    def _fail(self, error: ConsoleError, *, retry: bool = False) -> None:
        self._failure = error
        word: SourceStateWord = "login needed" if type(error).__name__ == "LoginNeeded" else "unreachable"
        source = SourceState("cluster", word, detail=error.message, hint=error.hint or "", since=self.plan.clock.now())
        board = msgspec.structs.replace(
            untrusted(self._situation.board, error.message),
            sources=(source,),
            summary=error.message,
            at=self.plan.clock.now(),
        )
        self._publish(
            msgspec.structs.replace(
                self._situation,
                board=board,
                phase="lost" if retry else "failed",
                trouble=error.message,
                hint=error.hint or "",
            )
        )
        self._settled.set()

    # what views see

    @property
    def situation(self) -> Situation:
        return self._situation

    @property
    def failure(self) -> ConsoleError | None:
        """Why there is no cluster, or None."""
        return self._failure

    def settle(self, timeout: float) -> Situation:
        """The situation once every source was read once, or after `timeout` seconds what is known by then.

        Raises:
            ConsoleError: there is no cluster to be read (its exit code says why).
        """
        arrived = self._settled.wait(timeout)
        if self._failure is not None:
            raise self._failure
        if not arrived and self._situation.phase in ("connecting", "loading"):
            raise ReachError(f"the cluster did not answer within {timeout:.0f}s", hint="raise --request-timeout")
        return self._situation

    def subscribe(self, situation: Callable[[Situation], None], focus: Callable[[Focus], None] | None = None) -> None:
        """Call `situation` (and `focus`) with every new value, on the background thread."""
        self._on_situation.append(situation)
        if focus is not None:
            self._on_focus.append(focus)

    def _publish(self, situation: Situation) -> None:
        self._situation = msgspec.structs.replace(situation, number=self._situation.number + 1)
        for callback in self._on_situation:
            callback(self._situation)

    def _publish_focus(self, focus: Focus) -> None:
        self._focus = focus
        for callback in self._on_focus:
            callback(focus)

    # intents

    def _submit(self, make: Callable[[Session], Coroutine[Any, Any, T]]) -> Future[T]:
        session, loop = self._session, self._loop
        if session is None or loop is None:
            raise ReachError("there is no cluster yet", hint=self._situation.trouble or None)
        return asyncio.run_coroutine_threadsafe(make(session), loop)

    def focus(self, on: FocusOn) -> None:
        """Subscribe to the details of `on`, instead of what was in focus before."""
        if self._session is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._session.loops.focus.turn_to, on)

    def begin(
        self,
        runbook: str,
        *,
        app: str = "",
        alert: Alert | None = None,
        given: Mapping[str, str] | None = None,
        person: Person | None = None,
    ) -> Future[str]:
        """Start a walk; the future holds its id. Without `person` its questions appear on the Situation."""
        return self._submit(lambda s: s.intents.begin(runbook, app=app, alert=alert, given=given or {}, person=person))

    def resume(self, walk: str, person: Person | None = None, *, bind: bool = False, because: str = "") -> Future[str]:
        """Go on with a walk that was cut off: an id, its beginning, or `latest`; the future holds its id.

        Args:
            bind: walk the copy of the runbook that the walk has stored, although the library has another text now.
        """
        return self._submit(lambda s: s.intents.resume(walk, person, bind=bind, because=because))

    def drift(self, walk: str) -> Future[tuple[str, ...]]:
        """How its runbook differs now from the copy that the walk has stored: a unified diff, or nothing."""
        return self._submit(lambda s: s.intents.drift(walk))

    def reply(self, walk: str, reply: Reply | None, question: Question | None = None) -> Future[None]:
        """Answer what the walk asks, as long as that is `question` (None: whatever it asks); a reply of None is No."""
        return self._submit(lambda s: s.intents.reply(walk, reply, question))

    def note(self, walk: str, text: str) -> Future[None]:
        """Add a note to the walk's timeline."""
        return self._submit(lambda s: s.intents.note(walk, text))

    def hand_over(self, walk: str, text: str) -> Future[None]:
        """Leave the walk to somebody else (`text`: to whom, and why); it waits until somebody resumes it."""
        return self._submit(lambda s: s.intents.hand_over(walk, text))

    def stop_walk(self, walk: str, because: str = "stopped") -> Future[None]:
        """End the walk without a further change."""
        return self._submit(lambda s: s.intents.stop_walk(walk, because))

    def rollback(self, walk: str, effect: str) -> Future[None]:
        """Undo one change of the walk, through the same gate."""
        return self._submit(lambda s: s.intents.rollback(walk, effect))

    def undoable(self, walk: str, change: str = "") -> Future[tuple[str, str]]:
        """A future of (walk, change) that can be undone: the change of this id, else the last one of the walk."""
        return self._submit(lambda s: s.intents.undoable(walk, change))

    def undo(self, walk: str, change: str, person: Person) -> Future[Any]:
        """Undo a change, through the same gate; the future holds the Walk."""
        return self._submit(lambda s: s.intents.undo(walk, change, person))

    def explain(self, app: str) -> Future[tuple[Trial, ...]]:
        """Every rule that was tried on an application, and why it held or did not."""
        return self._submit(lambda s: s.questions.explain(app))

    def unread(self, app: str) -> Future[tuple[tuple[str, str], ...]]:
        """Resolves to (what, why) for everything of one application that could not be read."""
        return self._submit(lambda s: s.questions.unread(app))

    def memory(self, app: str) -> Future[MemoryTrend | None]:
        """How the memory of an application's executors went."""
        return self._submit(lambda s: s.questions.memory(app))

    def examined(self, app: str) -> Future[Board]:
        """The board once an application was read as one in focus is: its driver's log and REST API."""
        return self._submit(lambda s: s.loops.examined(app))

    def finished(self, walk: str) -> Future[Any]:
        """A future of the walk's end; its result is the Walk."""
        return self._submit(lambda s: s.intents.finished(walk))

    def seen(self, versions: Mapping[str, int]) -> Future[None]:
        """A future that is done when the sources have read these resource versions (kind → version)."""
        return self._submit(lambda s: s.loops.seen(versions))

    def advise(self, app: str = "") -> Future[AdviceReport]:
        """A future of advice on one application, or on everything in scope. Reads a little more of the cluster."""
        return self._submit(lambda s: s.questions.advise(app))

    def times(self, app: str) -> Future[Times]:
        """Where the time of an application went, once it was read."""
        return self._submit(lambda s: s.loops.times(app))

    def against(self, app: str, run: str = "") -> Future[AgainstRead]:
        """What changed since the run `run` of an application, or since its last good one."""
        return self._submit(lambda s: s.questions.against(app, run))

    def asked_of_me(self, digest: str) -> Future[Question]:
        """What a second person is shown of the request with this digest, worked out from the cluster as it is."""
        return self._submit(lambda s: s.requests.question(digest))

    def approve(self, digest: str, person: Person) -> Future[int]:
        """Approve it as the second person; the future holds for how many seconds that counts."""
        return self._submit(lambda s: s.requests.approve(digest, person))

    def timeline(self, walk: str) -> Future[str]:
        """The walk's timeline as Markdown."""
        return self._submit(lambda s: s.intents.timeline(walk))
