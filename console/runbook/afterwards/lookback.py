"""After a rollback: is the object as it was, how does the application stand, and what is left to do, by whom? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from console.actions import patches
from console.actions.effects import Effect
from console.actions.owners import dotted
from console.apps.model import SparkApp
from console.apps.states import over
from console.base.clock import time_of_day
from console.base.redact import MARK, redact
from console.base.text import clean, plural, shorten
from console.base.units import human_duration
from console.board.model import Board
from console.runbook.context.after import BROKEN, DONE, After, since_the_change
from console.runbook.model import Runbook
from console.runbook.walk import LookedBack, Walk

SOON, EVERY, LONGEST = 5.0, 5.0, 180.0
"""Seconds that whoever runs the object gets before the first look, between two looks, and in all."""
Restored = Literal["yes", "no", "unknown"]


def settled(board: Board, walk: Walk) -> bool:
    """Whether it shows what came of the rollback: the application runs anew with its executors, or has ended since; or
    there is none."""
    app = board.app(walk.subject)
    if app is None:
        return True
    after = since_the_change(app, walk)
    if after.completed or after.failed:
        return True
    runs = bool(after.new_driver) and app.state.upper() in ("RUNNING", "READY")
    return runs and (after.executors or 0) >= (app.wanted_executors or 0)


def looked(
    walk: Walk, rollback: Effect, obj: Mapping[str, Any] | None, board: Board, runbook: Runbook | None, now: float
) -> LookedBack:
    """What is seen after a rollback.

    Args:
        obj: the object as it is; None where it could not be read.
    """
    restored, fields = _fields(walk, rollback, obj)
    app = board.app(walk.subject)
    stands, runs = _stands(app, since_the_change(app, walk), walk)
    who = _who(app, runbook)
    todo = []
    if restored != "yes":
        todo.append(f"{who}: see that {rollback.about} is as it was before the change ({fields})")
    if runs is False:
        todo.append(f"{who}: {stands}; see that it is run again, or say why not")
    if walk.finding:
        todo.append(f"{who}: what the walk was for is not mended ({_trouble(walk, board)}): diagnose it again")
    words = "; ".join(part for part in (fields, stands) if part)
    return LookedBack(now, walk.current or rollback.step, rollback.id, restored, words, tuple(todo))


def _fields(walk: Walk, rollback: Effect, obj: Mapping[str, Any] | None) -> tuple[Restored, str]:
    """Whether the fields have the values of before the change."""
    shown = [s.preview for s in walk.steps if s.preview is not None and s.preview.effect.id == rollback.inverse_of]
    pointers = shown[-1].effect.touched if shown else ()
    if obj is None or not pointers:
        return "unknown", f"whether {rollback.about} is as it was could not be seen"
    differs, same = [], []
    for pointer in pointers:
        was, now = shown[-1].before.get(pointer), patches.get(dict(obj), pointer)
        now = None if now is patches.MISSING else now
        if MARK in str(was):
            return "unknown", f"{dotted(pointer)} was a secret, which is not kept, so it is not compared"
        if was == now:
            same.append(f"{dotted(pointer)} is {_value(now)} again, as before the change")
        else:
            differs.append(f"{dotted(pointer)} is {_value(now)}, and was {_value(was)} before the change")
    return ("no", "; ".join(differs)) if differs else ("yes", "; ".join(same))


def _value(value: object) -> str:
    return "absent" if value is None else clean(redact(shorten(str(value), 60)))


def _stands(app: SparkApp | None, after: After, walk: Walk) -> tuple[str, bool | None]:
    """How the application stands in words, and whether it runs (None: not known, or there is none)."""
    if app is None:
        said = f"{clean(walk.subject)} is not seen any more" if "/" in walk.subject else ""
        return said, None
    state = clean(app.state) or "new"
    if app.state.upper() in DONE and after.completed:
        return f"the application has completed ({state}{_at(app.ended)})", True
    if over(app.state) or app.state.upper() in BROKEN:
        said = f": {clean(redact(shorten(app.message, 160)))}" if app.message else ""
        return f"the application does not run ({state}{_at(app.ended)}{said})", False
    if not after.new_driver:
        return f"the application has no new driver yet ({state}, {human_duration(LONGEST)} is waited for)", None
    began = _at(app.driver.created if app.driver is not None else None)
    wanted = "" if app.wanted_executors is None else f" of {app.wanted_executors}"
    deaths = f", {plural(after.deaths, 'executor')} lost since" if after.deaths else ""
    return f"the application runs ({state}, new driver{began}, {after.executors or 0}{wanted} executors{deaths})", True


def _at(at: float | None) -> str:
    return f" at {time_of_day(at)}" if at is not None else ""


def _trouble(walk: Walk, board: Board) -> str:
    """What the walk was for, as it is seen now; else as it was told when it began, or its code."""
    code, _, subject = walk.finding.partition("@")
    same = [f for f in board.findings if f.code == code and (f.subject == subject or f.app == walk.subject)]
    return clean(same[0].title) if same else f"when it began: {walk.trouble}" if walk.trouble else code


def _who(app: SparkApp | None, runbook: Runbook | None) -> str:
    """Whose it is: the owner of the runbook, and of the application where its labels say so."""
    labels = app.labels if app is not None else {}
    team = next((labels[key] for key in ("team", "owner") if labels.get(key)), "")
    names = [runbook.owner if runbook is not None else "", f"team {team}" if team else ""]
    return clean(", with ".join(name for name in names if name)) or "whoever is on call"
