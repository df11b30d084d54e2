"""The ways through a runbook: where each step may lead, and what is certain to have happened before it."""

from __future__ import annotations

from collections.abc import Iterable

from console.runbook.language.ends import RETURN
from console.runbook.model import Runbook, Step

VERDICTS = ("effective", "ineffective", "worse", "unknown")
WAITING = frozenset({"ask", "note", "manual", "escalate", "wait", "verify", "change", "each", "run"})
"""Kinds that wait for a person, the clock or the cluster: a circle through one of them does not spin."""


def following(runbook: Runbook, step: Step) -> str:
    """`next`, else the step that stands below, else ``."""
    if step.next:
        return step.next
    if step.kind == "run":
        return ""
    ids = [s.id for s in runbook.steps]
    index = ids.index(step.id) + 1
    return ids[index] if index < len(ids) else ""


def route(runbook: Runbook, step: Step, why: str) -> str:
    """Where a step leads for a reason: next, refused, failed, applied, or a verdict of a verify step. `` is nowhere."""
    match why:
        case "refused":
            return step.on_refused
        case "failed":
            return step.on_failed or step.on_refused
        case "applied":
            return step.verify or following(runbook, step)
        case "effective":
            return step.on_effective or following(runbook, step)
        case "ineffective" | "worse" | "unknown":
            return {"ineffective": step.on_ineffective, "worse": step.on_worse, "unknown": step.on_unknown}[why]
        case "next":
            return following(runbook, step)
    raise ValueError(f"unknown reason {why!r}")


def successors(runbook: Runbook, step: Step) -> tuple[tuple[str, str], ...]:
    """(reason, step id or ``) of every way out of a step, in the order in which they are tried."""
    if step.kind == "end":
        return (("finally", runbook.last[0]),) if runbook.last and step.id != RETURN else ()
    if step.kind == "run" and not step.next:
        return (*_runs(step), ("on_unknown", step.on_unknown))
    out = _own(runbook, step)
    if step.when:
        out.append(("skipped", following(runbook, step)))
        out += [("on_unknown", step.on_unknown)] if step.kind == "change" and step.on_unknown else []
    return tuple(out)


def _own(runbook: Runbook, step: Step) -> list[tuple[str, str]]:
    """The ways out of a step that is walked."""
    out: list[tuple[str, str]] = []
    match step.kind:
        case "check" | "decide":
            out += [(f"branches[{i}]" if b.when else "else", b.goto) for i, b in enumerate(step.branches)]
            out += [("on_unknown", step.on_unknown)] if step.on_unknown else []
        case "ask" | "manual" if step.choices:
            out += [(f"choices[{i}]", choice.goto or following(runbook, step)) for i, choice in enumerate(step.choices)]
        case "escalate":
            out.append(("next", following(runbook, step)))
            out += [("unanswered", step.on_unanswered)] if step.on_unanswered else []
        case "each":
            out += [("a turn", step.branches[0].goto), ("next", step.next)]
            out += [("on_unknown", step.on_unknown)] if step.on_unknown else []
        case "run":
            out += [*_runs(step), ("next", following(runbook, step))]
        case "change" | "script":
            out.append(("applied", route(runbook, step, "applied")))
            if step.writes:
                out.append(("refused", route(runbook, step, "refused")))
            out.append(("failed", route(runbook, step, "failed")))
        case "verify":
            out += [(verdict, route(runbook, step, verdict)) for verdict in VERDICTS]
        case _:
            out.append(("next", following(runbook, step)))
    return out


def _runs(step: Step) -> list[tuple[str, str]]:
    """Into the runbook that it runs, once that one's steps stand beside it."""
    return [("runs", branch.goto) for branch in step.branches]


def reachable(runbook: Runbook) -> frozenset[str]:
    """Steps that some walk enters."""
    return _closure({runbook.steps[0].id} if runbook.steps else set(), _edges(runbook))


def beyond(runbook: Runbook, id: str) -> frozenset[str]:
    """Steps that some walk enters after it has left this one."""
    edges = _edges(runbook)
    return _closure(edges.get(id, set()), edges)


def ending(runbook: Runbook) -> frozenset[str]:
    """Steps from which some way leads to an `end`."""
    back: dict[str, set[str]] = {}
    for source, targets in _edges(runbook).items():
        for target in targets:
            back.setdefault(target, set()).add(source)
    return _closure({s.id for s in runbook.steps if s.kind == "end" or (s.kind == "run" and not s.next)}, back)


def spinning(runbook: Runbook) -> tuple[str, ...]:
    """Steps in circles that never wait for a person, the clock or the cluster."""
    busy = {s.id for s in runbook.steps if s.kind not in WAITING}
    edges = {source: {t for t in targets if t in busy} for source, targets in _edges(runbook).items() if source in busy}
    return tuple(s.id for s in runbook.steps if s.id in busy and s.id in _closure(edges.get(s.id, set()), edges))


def certain(runbook: Runbook) -> dict[str, frozenset[str]]:
    """For each reachable step, the steps that every walk has left before it is entered."""
    edges = _edges(runbook)
    seen = reachable(runbook)
    everything = frozenset(seen)
    sure = dict.fromkeys(seen, everything)
    if runbook.steps:
        sure[runbook.steps[0].id] = frozenset()
    changed = True
    while changed:
        changed = False
        for source in (s.id for s in runbook.steps if s.id in seen):
            after = sure[source] | {source}
            for target in edges[source] & seen:
                both = sure[target] & after
                if both != sure[target]:
                    sure[target], changed = both, True
    return sure


def _edges(runbook: Runbook) -> dict[str, set[str]]:
    ids = {s.id for s in runbook.steps}
    return {s.id: {t for _, t in successors(runbook, s) if t in ids} for s in runbook.steps}


def _closure(start: Iterable[str], edges: dict[str, set[str]]) -> frozenset[str]:
    found, todo = set(start), list(start)
    while todo:
        for target in edges.get(todo.pop(), ()):
            if target not in found:
                found.add(target)
                todo.append(target)
    return frozenset(found)
