"""A verification while it runs, in figures: what has to become true, what it is now, how long we wait. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from console.apps.counted import counted
from console.apps.progress import ProgressSample, rate
from console.base.clock import rfc3339, time_of_day
from console.base.errors import ConsoleError
from console.base.units import human_duration
from console.board.model import Board
from console.runbook import say, trust
from console.runbook.context.after import After, since_the_change
from console.runbook.context.build import build
from console.runbook.context.objectives import answered_for
from console.runbook.context.objects import LiveObject, with_objects
from console.runbook.context.scope import in_scope
from console.runbook.context.turns import in_turn
from console.runbook.model import Runbook, Step
from console.runbook.schema import walked
from console.runbook.walk import Walk
from console.slo.model import Burn, SloStatus
from console.slo.recovery import CALM
from console.slo.spec import promql_duration
from console.slo.words import rate as rate_words

UNPROVED = ", not proved: nothing more has completed since"
WatchedState = Literal["good", "bad", "not yet", "unknown"]


class WatchedFigure(Struct, frozen=True):
    """One figure. `words` is what it is now, with what is wanted; `share` (0 to 1) how far it has come, or None."""

    name: str
    standing: WatchedState
    words: str
    share: float | None = None


class Watching(Struct, frozen=True):
    """A verify step that runs.

    Attributes:
        held, hold: seconds for which it has been true (None: it is not now, though the last look may have found it so),
            and for which it must be.
        until: epoch seconds at which it is judged at the latest; `left` seconds until then.
        proved: whether what has to rise has risen since it has been true; while it has not, nothing is proved.
        paused: why what is seen does not count now, so that time is paused; `` where it does.
        moved_from: until when it would have been judged, had nobody taken the walk up since; None: as it was.
        estimate: when it may be over, in words; `` where that cannot be told.
        says: the lines of the runbook beside the step.
    """

    step: str
    standing: WatchedState
    figures: tuple[WatchedFigure, ...]
    held: float | None
    hold: float
    until: float
    left: float
    estimate: str = ""
    says: tuple[str, ...] = ()
    proved: bool = True
    paused: str = ""
    moved_from: float | None = None

    @property
    def ends(self) -> str:
        """When it is judged, in words, and that this was put off."""
        moved = f", put off from {_clock(self.moved_from)} when it was taken up" if self.moved_from is not None else ""
        return f"judged at {_clock(self.until)} at the latest, in {human_duration(self.left)}{moved}"

    @property
    def waits_for(self) -> str:
        """What is missing, in words."""
        missing = [f"{figure.name} {figure.words}" for figure in self.figures if figure.standing != "good"]
        return "; ".join(missing)


def watching(
    board: Board,
    walk: Walk,
    runbook: Runbook | None,
    samples: Sequence[ProgressSample] = (),
    looked: Mapping[str, LiveObject] | None = None,
) -> Watching | None:
    """The verification that a walk is in; None where it is in none.

    Args:
        samples: how its application moved, the latest last.
        looked: the live objects that the runbook names, as they were read last.
    """
    step = runbook.step(walk.current) if runbook is not None else None
    state = walk.state(walk.current)
    if step is None or runbook is None or state is None or step.kind != "verify" or state.state != "current":
        return None
    book, mine = in_scope(runbook, walk)
    ctx = build(board, app=mine.subject, walk=mine, inputs=mine.inputs, alert=mine.alert, now=board.at, runbook=book)
    ctx = in_turn(with_objects(ctx, book, looked or {}, mine.subject), mine, book) if book.about else ctx
    hold, limit = _seconds(step, "hold", step.hold, ctx), _seconds(step, "deadline", step.deadline, ctx)
    since = walk.watched_since(walk.current)
    doubt = trust.doubt(step, board.sources)
    held, proved = _held(step, ctx, walk, board.at if doubt is None else _known(doubt, board.at))
    asked = trust.asked(step)
    after = since_the_change(board.app(walk.subject), walk)
    ours = answered_for(board.slos, walk, runbook) if "recovery." in asked else []
    figures = [*(_application(after, samples, asked, board.at) if "after." in asked else []), *_burns_of(ours)]
    if doubt is not None:
        figures = [replace(figure, standing="unknown") for figure in figures]
    return Watching(
        step=step.id,
        standing=_standing(doubt, held, proved=proved, measured=state.measured),
        figures=tuple(figures),
        held=held,
        hold=hold,
        until=since + limit,
        left=max(0.0, since + limit - board.at),
        estimate=_estimate(board.at, held, hold, after, ours, walk) if doubt is None else "",
        says=say.shows(step, ctx, runbook.id),
        proved=proved,
        paused="" if doubt is None else f"{doubt.because}, known until {_clock(_known(doubt, board.at))}",
        moved_from=state.entered + limit if state.entered is not None and since - state.entered >= 1 else None,
    )


class SinceChange(Struct, frozen=True):
    """What an application shows since the last change that a walk made of it: deaths, and the burn against its target.

    Attributes:
        walk: id of the walk; `at` when it changed something (epoch seconds).
    """

    walk: str
    at: float
    figures: tuple[WatchedFigure, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """One line for each figure."""
        return tuple(f"{figure.name} {figure.words}" for figure in self.figures)


def since_change(board: Board, walks: Sequence[Walk], key: str) -> SinceChange | None:
    """The same figures as a verification shows, for the application itself; None where nothing of it was changed."""
    mine = [walk for walk in walks if walk.subject == key and walk.changed is not None]
    walk = max(mine, key=lambda one: one.changed or 0.0, default=None)
    app = board.app(key)
    if walk is None or walk.changed is None or app is None:
        return None
    after = since_the_change(app, walk)
    figures = [] if after.deaths is None else [_deaths(after, _died(after))]
    figures += _burns_of(answered_for(board.slos, walk, stored_runbook(walk)))
    return SinceChange(walk.id, walk.changed, tuple(figures))


def stored_runbook(walk: Walk) -> Runbook | None:
    """The runbook that a walk has stored; None where it does not read any more."""
    return _stored(walk.text, walk.runbook, tuple(walk.parts.items()))


@lru_cache(maxsize=8)
def _stored(text: str, name: str, parts: tuple[tuple[str, str], ...]) -> Runbook | None:
    try:
        return walked(text, name, dict(parts)) if text else None
    except ConsoleError:
        return None


def _standing(doubt: trust.Doubt | None, held: float | None, *, proved: bool, measured: bool) -> WatchedState:
    """How it stands as a whole; unknown before the first data, and while what is seen cannot be believed."""
    if doubt is not None or (held is None and not measured):
        return "unknown"
    return "good" if held is not None and proved else "not yet"


def _known(doubt: trust.Doubt, now: float) -> float:
    """Until when all was known that the verification asks."""
    return now if doubt.known_until is None else min(now, doubt.known_until)


def _held(step: Step, ctx: Mapping[str, Any], walk: Walk, now: float) -> tuple[float | None, bool]:
    """For how long it has been true, None where it is not now; and whether what must rise has risen since."""
    if walk.hold_since is None or any(say.truth(text, ctx)[0] is False for text in (step.progress, step.until)):
        return None, True
    mark, _ = say.number(step.rises, ctx)
    proved = not step.rises or (mark is not None and walk.mark is not None and mark > walk.mark)
    return max(0.0, now - walk.hold_since), proved


def _seconds(step: Step, key: str, text: str, ctx: Mapping[str, Any]) -> float:
    try:
        return say.span(step, key, text, ctx)
    except ConsoleError:
        return 0.0


def _application(after: After, samples: Sequence[ProgressSample], asked: str, now: float) -> list[WatchedFigure]:
    """Executors of wanted, tasks and their rate, deaths: since the change. One that completed has no executors left."""
    out: list[WatchedFigure] = []
    if after.completed:
        out.append(WatchedFigure("completed", "good", "the application has completed since the change"))
        return [*out, *([_deaths(after, _died(after))] if after.deaths is not None else [])]
    if after.new_driver is not None:
        standing: WatchedState = "good" if after.new_driver else "not yet"
        out.append(WatchedFigure("driver", standing, "new, since the change" if after.new_driver else "not new yet"))
    if "after.executors" in asked or after.executors:
        out.append(_executors(after))
    out.append(_tasks(after, samples, now))
    if after.deaths is not None:
        out.append(_deaths(after, _died(after)))
    return out


def _died(after: After) -> str:
    """`2 since the change: 2 OOMKilled at the container's limit (3 of before still run)`."""
    old = f" ({after.old.running} of before still run)" if after.old is not None and after.old.running else ""
    kinds = counted(after.new.deaths) if after.new is not None else ""
    return f"{after.deaths} since the change{f': {kinds}' if kinds else ''}{old}"


def _deaths(after: After, words: str) -> WatchedFigure:
    """None died is good only where there was somebody who could."""
    if after.deaths:
        return WatchedFigure("deaths", "bad", words)
    if after.completed or (after.new is not None and after.new.running):
        return WatchedFigure("deaths", "good", words)
    return WatchedFigure("deaths", "unknown", f"{words}, but no new executor runs")


def _executors(after: After) -> WatchedFigure:
    if after.executors is None:
        return WatchedFigure("executors", "unknown", "no data")
    wanted = after.wanted
    if wanted is None:
        return WatchedFigure("executors", "unknown", f"{after.executors}; how many are wanted is not known")
    share = after.executors / wanted if wanted else 1.0
    if after.new_driver is False and after.executors:
        return WatchedFigure("executors", "not yet", f"{after.executors} of {wanted}, but of the driver of before")
    standing: WatchedState = "good" if after.executors >= wanted else "not yet"
    return WatchedFigure("executors", standing, f"{after.executors} of {wanted}", min(1.0, share))


def _tasks(after: After, samples: Sequence[ProgressSample], now: float) -> WatchedFigure:
    """Completed tasks of the new driver, how fast they come, and when they may be through."""
    if after.tasks is None:
        return WatchedFigure("tasks", "unknown", "no data of the new driver yet")
    speed = rate(samples) if samples else None
    total = samples[-1].total if samples else None
    if total is not None and total < after.tasks:
        total = None  # counted before stages were added: what is left is not known
    words = f"{after.tasks:.0f} completed" + (f" of {total} known so far" if total else "")
    if speed is None:
        return WatchedFigure("tasks", "unknown", f"{words}, rate not known yet", _share(after.tasks, total))
    words += f", {speed * 60:.0f} a minute"
    if total and speed > 0 and total > after.tasks:
        words += f", {_to_go((total - after.tasks) / speed, samples, now)}"
    return WatchedFigure("tasks", "good" if speed > 0 else "not yet", words, _share(after.tasks, total))


def _to_go(seconds: float, samples: Sequence[ProgressSample], now: float) -> str:
    """How long the rest takes, counted from when the last one was seen to complete: it does not stand still."""
    last = samples[-1]
    since = last.at
    for one in reversed(samples):
        if one.driver != last.driver or one.completed != last.completed:
            break
        since = one.at
    left = since + seconds - now
    waited = human_duration(max(0.0, now - since))
    return f"{human_duration(left)} to go of those" if left > 0 else f"none for {waited}, longer than their rate says"


def _share(done: float, total: int | None) -> float | None:
    return min(1.0, done / total) if total else None


def _burns_of(slos: Sequence[SloStatus]) -> list[WatchedFigure]:
    return [figure for status in slos for figure in _burns(status)]


def _burns(status: SloStatus) -> list[WatchedFigure]:
    """The burn of every window that is waited for, against what is wanted."""
    waited = sorted((b for b in status.burns if b.awaited), key=lambda b: b.window)
    return [_burn(status, burn) for burn in waited] or [WatchedFigure(f"burn {status.id}", "unknown", "no data")]


def _burn(status: SloStatus, burn: Burn) -> WatchedFigure:
    name = f"burn {promql_duration(burn.window)}"
    if burn.rate is None:
        return WatchedFigure(name, "unknown", f"no data ({status.id})")
    standing: WatchedState = "good" if burn.rate < CALM else "not yet"
    return WatchedFigure(name, standing, f"{rate_words(burn.rate)} now, below {CALM:g} is wanted ({status.id})")


def _estimate(now: float, held: float | None, hold: float, after: After, ours: Sequence[SloStatus], walk: Walk) -> str:
    """When it may be over. A window of burn forgets what failed before the change when it lies wholly after it."""
    if held is not None:
        return f"over at {_clock(now + max(0.0, hold - held))} if it stays so"
    late = [b.window for s in ours for b in s.burns if b.awaited and b.rate is not None and b.rate >= CALM]
    if late and walk.changed is not None:
        end = walk.changed + max(late)
        if end > now:
            return (
                f"the {promql_duration(max(late))} window has forgotten what failed before the change by {_clock(end)}"
            )
        return "failures since the change keep the burn up"
    full = after.new_driver is not False and after.executors is not None and after.executors >= (after.wanted or 1)
    if not ours and full and after.wanted:
        return f"over at {_clock(now + hold)} at the earliest"
    return ""


def _clock(at: float) -> str:
    return time_of_day(at, to_the_minute=True)


def words(watched: Watching) -> str:
    """The verification in one line, for narration."""
    figures = " · ".join(f"{f.name} {f.words}" for f in watched.figures)
    needed = human_duration(watched.hold)
    held = f"not yet (then it has to stay true for {needed})"
    if watched.paused:
        kept = f" at {human_duration(watched.held)} of {needed}" if watched.held is not None else ""
        parts = [f"paused{kept}: {watched.paused}", figures, watched.ends]
        return " · ".join(part for part in parts if part)
    if watched.held is not None:
        held = f"true for {human_duration(watched.held)} of {needed}" + ("" if watched.proved else UNPROVED)
    parts = [held, figures or "; ".join(watched.says), watched.estimate, watched.ends]
    return " · ".join(part for part in parts if part)


def document(watched: Watching) -> dict[str, Any]:
    """The verification as scripts read it: seconds as numbers, times as RFC 3339."""
    return {
        "step": watched.step,
        "standing": watched.standing,
        "figures": [
            {"name": f.name, "standing": f.standing, "words": f.words, "share": f.share} for f in watched.figures
        ],
        "held_seconds": watched.held,
        "proved": watched.proved,
        "paused": watched.paused or None,
        "hold_seconds": watched.hold,
        "judged_by": rfc3339(watched.until),
        "left_seconds": watched.left,
        "estimate": watched.estimate,
        "says": list(watched.says),
    }
