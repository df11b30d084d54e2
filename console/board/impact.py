"""What the trouble that a walk is for has cost so far: since when, which alerts, attempts, executors. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from console.apps.alerts import named_by
from console.apps.model import SparkApp
from console.base.clock import not_before
from console.board.model import Board
from console.facts.model import Alert
from console.findings.model import Finding


class AlertFired(Struct, frozen=True):
    """An alert that fired; `since` is epoch seconds, None where that is not known."""

    name: str
    since: float | None = None


class Impact(Struct, frozen=True):
    """As it was known at one moment; None is not known.

    Attributes:
        since: the earliest proof of a finding about the subject.
        attempts: how many the application has begun (`exact`: no more than that), and `failed` of those that are seen.
        lost: how the executors that are seen ended otherwise than they should, by kind; those that a change of the walk
            ended are none. `told`: how many a finding tells of, out of logs and events.
        objectives: ids of those that burn, or whose budget is spent, or of which an alert fires.
        budgets: how much of the budget is left, by objective, where that is known.
    """

    at: float
    since: float | None = None
    alerts: tuple[AlertFired, ...] = ()
    attempts: int | None = None
    exact: bool = True
    failed: int | None = None
    lost: dict[str, int] | None = None
    told: int | None = None
    objectives: tuple[str, ...] = ()
    budgets: dict[str, float] = {}


def impact_of(
    board: Board,
    subject: str,
    alert: Alert | None = None,
    changed: Iterable[float] = (),
    *,
    about: Iterable[Finding] | None = None,
    objects: Iterable[str] = (),
) -> Impact:
    """What is known on this board.

    Args:
        subject: key of an application, or what else the walk is about.
        alert: the one that led to the walk.
        changed: when the walk changed something.
        about: findings about the subject; None: those of the application.
        objects: keys of what the subject consists of, as a component does.
    """
    app = board.app(subject)
    burning = _burning(board)
    about = [f for f in board.findings if f.app == subject or subject in ("", "cluster")] if about is None else [*about]
    found = [f for f in about if f.severity != "info"]
    deaths = [d for f in about if isinstance(d := getattr(f.data, "deaths", None), int)]
    return Impact(
        at=board.at,
        since=min((f.since for f in found if f.since is not None), default=None),
        alerts=_alerts(board, app, alert, burning, tuple(objects)),
        attempts=app.attempt or None if app is not None else None,
        exact=app is None or app.attempt_exact,
        failed=sum(1 for attempt in app.attempts if attempt.failed) if app is not None else None,
        lost=_lost(app, tuple(changed)) if app is not None else None,
        told=max(deaths, default=None),
        objectives=burning,
        budgets={slo.id: slo.budget_left for slo in board.slos if slo.budget_left is not None},
    )


def _burning(board: Board) -> tuple[str, ...]:
    alarmed = {value for a in board.alerts if a.state == "firing" for value in a.labels.values()}
    return tuple(slo.id for slo in board.slos if slo.state in ("burning", "exhausted") or slo.id in alarmed)


def _alerts(
    board: Board, app: SparkApp | None, led: Alert | None, burning: tuple[str, ...], objects: tuple[str, ...]
) -> tuple[AlertFired, ...]:
    """Those that fire about the application, the objects or an objective that burns, the one that led here first."""
    firing = [a for a in board.alerts if a.state == "firing"]
    ours = [a for a in firing if app is not None and app.key in named_by(a, board.apps).apps]
    ours += [a for a in firing if _of_objects(a, board, objects)]
    ours += [a for a in firing if burning and any(value in burning for value in a.labels.values())]
    if led is not None and led.state == "firing":
        ours.insert(0, led)
    since: dict[str, float | None] = {}
    for one in ours:
        known = [at for at in (since.get(one.name), one.since) if at is not None]
        since[one.name] = min(known, default=None)
    return tuple(AlertFired(name, at) for name, at in since.items())


def _of_objects(alert: Alert, board: Board, objects: tuple[str, ...]) -> bool:
    """Whether it is about one of these objects, by the name of a workload and its namespace."""
    named = named_by(alert, board.apps)
    return bool(named.workload) and any(key.endswith(f"/{named.namespace}/{named.workload}") for key in objects)


def _lost(app: SparkApp, changed: tuple[float, ...]) -> dict[str, int]:
    deaths = Counter[str]()
    for member in app.executors:
        death, made = member.death, member.created
        if death is None or death.harmless:
            continue
        ended_by_us = death.at is not None and any((made or 0.0) < at and not_before(death.at, at) for at in changed)
        if not ended_by_us:
            deaths[death.kind] += 1
    return dict(deaths)
