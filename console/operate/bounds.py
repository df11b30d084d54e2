"""The rules of a walk over its life: the stricter bind at once, wider ones only once somebody was told and said yes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from console.base.text import clean
from console.operate import asking
from console.operate.person import YES, Question, Reply
from console.operate.policy import ChangeRules
from console.runbook.walk import RulesWidened, Walk
from console.settings.model import MODES

SECOND_PERSON = ("never", "irreversible", "production", "always")
"""From the least to the most that needs a second person."""
_KEPT = (
    "mode",
    "production",
    "production_namespaces",
    "deny",
    "max_targets",
    "cooldown",
    "second_person",
    "approvals",
    "freeze",
    "max_runs",
    "stop_when_worse",
)


def kept(rules: ChangeRules) -> dict[str, Any]:
    """What a walk keeps of the rules that it was begun under."""
    tree: dict[str, Any] = msgspec.to_builtins(rules)
    return {key: tree[key] for key in _KEPT}


def then(cluster: dict[str, Any], now: ChangeRules) -> ChangeRules:
    """The rules that a walk goes by, out of what it keeps; what an older journal does not hold is as it is now."""
    known = {key: cluster[key] for key in ("mode", "production") if key in cluster}
    tree = {**kept(now), **known, **(cluster.get("rules") or {})}
    return replace(msgspec.convert(tree, ChangeRules), patience=now.patience)


def strictest(one: ChangeRules, other: ChangeRules) -> ChangeRules:
    """What both allow."""
    windows = replace(
        one.freeze,
        weekly=tuple(dict.fromkeys((*one.freeze.weekly, *other.freeze.weekly))),
        dates=tuple(dict.fromkeys((*one.freeze.dates, *other.freeze.dates))),
    )
    return replace(
        other,
        mode=min(one.mode, other.mode, key=MODES.index),
        production=one.production or other.production,
        production_namespaces=tuple(dict.fromkeys((*one.production_namespaces, *other.production_namespaces))),
        deny=tuple(dict.fromkeys((*one.deny, *other.deny))),
        max_targets=min(one.max_targets, other.max_targets),
        cooldown=max(one.cooldown, other.cooldown),
        second_person=max(one.second_person, other.second_person, key=SECOND_PERSON.index),
        approvals=one.approvals if one.approvals == other.approvals else "",
        freeze=windows,
        max_runs=min(one.max_runs, other.max_runs),
        stop_when_worse=one.stop_when_worse or other.stop_when_worse,
    )


def wider(before: ChangeRules, now: ChangeRules) -> tuple[str, ...]:
    """In words, what is allowed now and was not before."""
    both, out = strictest(before, now), []
    if both.mode != now.mode:
        out.append(f"mode {before.mode} → {now.mode}")
    if both.production != now.production or set(both.production_namespaces) != set(now.production_namespaces):
        out.append("less of it counts as production")
    if gone := [pattern for pattern in before.deny if pattern not in now.deny]:
        out.append(f"policy.deny without {', '.join(gone)}")
    if both.max_targets != now.max_targets:
        out.append(f"policy.max_targets {before.max_targets} → {now.max_targets}")
    if both.cooldown != now.cooldown:
        out.append(f"policy.cooldown {before.cooldown:g}s → {now.cooldown:g}s")
    if both.max_runs != now.max_runs:
        out.append(f"policy.max_runs_per_hour {before.max_runs} → {now.max_runs}")
    if both.stop_when_worse != now.stop_when_worse:
        out.append("policy.stop_when_worse yes → no")
    if both.second_person != now.second_person:
        out.append(f"policy.second_person {before.second_person} → {now.second_person}")
    if both.approvals != now.approvals and now.second_person != "never":
        out.append(f"policy.approvals.namespace {before.approvals or 'none'} → {now.approvals}")
    if len(both.freeze.weekly) + len(both.freeze.dates) != len(now.freeze.weekly) + len(now.freeze.dates):
        out.append("policy.freeze has fewer windows")
    return tuple(out)


async def agreed(
    walk: Walk,
    now: ChangeRules,
    ask: Callable[[Question], Awaitable[Reply | None]],
    clock: Callable[[], float],
    emit: Callable[[RulesWidened], None],
) -> ChangeRules:
    """The rules that a walk goes by from here on: wider ones are told, and asked for once."""
    before = then(walk.cluster, now)
    more = wider(before, now)
    if not more:
        return strictest(before, now)
    terminal = now.production or before.production
    reply = await ask(asking.of_rules(walk, more, now=clock(), terminal=terminal))
    yes = reply is not None and reply.value == YES and (reply.terminal or not terminal)
    by = clean(reply.by) if reply is not None else "nobody"
    answer: Literal["yes", "no"] = "yes" if yes else "no"
    emit(RulesWidened(clock(), more, answer, by, kept(now)))
    return now if yes else strictest(before, now)
