"""What the trouble cost, out of what a walk keeps of it: one sentence each, and what is not known is said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from console.apps.counted import counted
from console.base.clock import rfc3339
from console.base.shapes import is_number
from console.base.units import human_duration
from console.board.impact import AlertFired, Impact
from console.runbook.state import Walk
from console.slo.words import bad_of_total, budget_left, target


def of(walk: Walk) -> tuple[Impact | None, tuple[tuple[str, Impact], ...], Impact | None]:
    """What was known when it began, on each occasion in between, and at the end; None where it was not recorded.

    Who was lost stays lost: where less of them is seen later, what was known before still counts.
    """
    most = 0
    out: list[tuple[str, Impact | None]] = []
    for occasion, kept in (("", walk.impact_before), *walk.impacts, ("", walk.impact_after)):
        one = _read(kept)
        if one is not None and one.lost is not None:
            most = max(most, _most(one))
            one = replace(one, told=most or one.told)
        out.append((occasion, one))
    between = tuple((occasion, one) for occasion, one in out[1:-1] if one is not None)
    return out[0][1], between, out[-1][1]


def _read(kept: dict[str, Any]) -> Impact | None:
    try:
        return msgspec.convert(kept, Impact) if kept else None
    except msgspec.ValidationError:
        return None


def sentences(walk: Walk) -> tuple[str, ...]:
    """What it cost; nothing of walks that were made before this was recorded."""
    before, between, after = of(walk)
    first = before or after
    if first is None:
        return ()
    return (
        _since(walk, first, after),
        _alerts(first, after),
        *(() if walk.subject.count("/") == 2 else (_attempts(first, after), _lost(first, after))),
        *_objectives(walk, first, after),
        *_meanwhile(walk, before, between),
        "who of the users noticed it is not known to Console",
    )


def _since(walk: Walk, first: Impact, after: Impact | None) -> str:
    known = [one.since for one in (first, after) if one is not None and one.since is not None]
    if not known:
        return "since when it goes on is not known: no finding of it has a time"
    since = min(known)
    before = f", {human_duration(walk.started - since)} before the walk began" if since < walk.started else ""
    return f"since {_moment(since)} at the latest (the earliest proof of a finding; an alert may be older){before}"


def _alerts(first: Impact, after: Impact | None) -> str:
    said = []
    late = {alert.name for alert in after.alerts} if after is not None else set()
    for alert in first.alerts:
        over = ", not any more at the end" if after is not None and alert.name not in late else ""
        said.append(_fired(alert) + over)
    new = [a for a in (after.alerts if after is not None else ()) if a.name not in {b.name for b in first.alerts}]
    said += [f"{_fired(alert)}, only after the walk began" for alert in new]
    return "alerts that fired: " + ("; ".join(said) or "none was seen")


def _fired(alert: AlertFired) -> str:
    return f"{alert.name} since {_moment(alert.since)}" if alert.since is not None else f"{alert.name} (since unknown)"


def _attempts(first: Impact, after: Impact | None) -> str:
    if first.attempts is None:
        return "attempts of the application: not known"
    said = f"attempts of the application: {_count(first)} when the walk began"
    return said + (f", {_count(after)} at the end" if after is not None and after.attempts is not None else "")


def _count(one: Impact) -> str:
    count = f"{one.attempts}" if one.exact else f"at least {one.attempts}"
    return f"{count} ({one.failed} of them seen to have failed)" if one.failed else count


def _lost(first: Impact, after: Impact | None) -> str:
    if first.lost is None:
        return "executors lost: not known"
    said = f"executors lost: {_seen(first)} when the walk began"
    said += f", {_seen(after)} at the end" if after is not None and after.lost is not None else ""
    return f"{said}; attempts whose pods and logs are gone are not counted"


def _seen(one: Impact) -> str:
    """`at least 10 (of those that are still seen: 3 OOMKilled at the container's limit)`."""
    kinds, most = counted(one.lost or {}), _most(one)
    if not most:
        return "none was seen"
    return f"at least {most}" + (f" (of those that are still seen: {kinds})" if kinds else "")


def _most(one: Impact) -> int:
    return max(sum((one.lost or {}).values()), one.told or 0)


def _objectives(walk: Walk, first: Impact, after: Impact | None) -> tuple[str, ...]:
    """Objectives that burned: what was promised, what was spent of the budget, and how much of that meanwhile."""
    between = (one for _, kept in walk.impacts if (one := _read(kept)) is not None)
    ids = dict.fromkeys(id for one in (first, *between, after) if one is not None for id in one.objectives)
    said = tuple(_spent(id, walk) for id in ids)
    return said or ("no objective that is measured here burned",)


def _meanwhile(walk: Walk, before: Impact | None, between: Iterable[tuple[str, Impact]]) -> tuple[str, ...]:
    """On each occasion in between, what differs from the one before."""
    said = []
    for occasion, now in between:
        if before is not None:
            differs = _differs(walk, before, now)
            said.append(f"{occasion} (as seen at {_moment(now.at)}): {'; '.join(differs) or 'as before'}")
        before = now
    return tuple(said)


def _differs(walk: Walk, was: Impact, now: Impact) -> list[str]:
    out = []
    if now.attempts is not None and (was.attempts, was.failed) != (now.attempts, now.failed):
        out.append(f"attempts {_count(was) if was.attempts is not None else 'not known'} → {_count(now)}")
    if now.lost is not None and _most(was) != _most(now):
        out.append(f"executors lost at least {_most(was)} → {_most(now)}")
    out += [f"{_name(walk, id)}: {budget_left(was.budgets[id])} → {budget_left(left)} of the budget left"
            for id, left in now.budgets.items()
            if id in was.budgets and budget_left(was.budgets[id]) != budget_left(left)]  # fmt: skip
    names, late = [a.name for a in was.alerts], [a.name for a in now.alerts]
    out += [f"{name} fires now" for name in late if name not in names]
    return out + [f"{name} fires no more" for name in names if name not in late]


def _name(walk: Walk, id: str) -> str:
    kept = walk.slo_before.get(id)
    return str(kept.get("title") or id) if isinstance(kept, dict) else id


def _spent(id: str, walk: Walk) -> str:
    then, now = walk.slo_before.get(id), walk.slo_after.get(id)
    was: dict[str, Any] = then if isinstance(then, dict) else {}
    became: dict[str, Any] = now if isinstance(now, dict) else {}
    name = str(became.get("title") or was.get("title") or id)
    objective, period = _number(was, became, "objective"), _number(was, became, "period")
    goal = f" ({target(objective)} over {human_duration(period)})" if objective is not None and period else ""
    left, later = _number(was, {}, "budget_left"), _number(became, {}, "budget_left")
    spent = "" if left is None else f"{budget_left(left)} of the budget was left when the walk began"
    if later is not None:
        spent += f", {budget_left(later)} at the end" if spent else f"budget left at the end: {budget_left(later)}"
    counts = [bad_of_total(one.get("bad"), one.get("total")) for one in (was, became) if is_number(one.get("bad"))]
    events = f"; bad events of all: {', then '.join(counts)}" if counts else ""
    return f"{name}{goal}: {spent or 'how much of the budget is left is not known'}{events}"


def _number(was: dict[str, Any], became: dict[str, Any], key: str) -> float | None:
    return next((float(one[key]) for one in (was, became) if is_number(one.get(key))), None)


def _moment(at: float | None) -> str:
    return f"{(rfc3339(at) or '')[:19].replace('T', ' ')} UTC"
