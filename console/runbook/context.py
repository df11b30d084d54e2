"""The data that templates see: one plain tree. What a source did not have is absent, never None and never zero."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from console.base.redact import redact_value
from console.health.facts import Alert, Node, Sample
from console.health.model import Board, Finding, SloStatus, SparkApp
from console.runbook import template
from console.runbook.inputs import the_finding
from console.runbook.model import Runbook
from console.runbook.walk import Walk

OOM_KINDS = frozenset({"container-oom", "heap-oom", "gc-overhead", "python-oom"})
QUIET_KINDS = frozenset({"normal", "decommissioned"})
DONE = frozenset({"COMPLETED", "SUCCEEDED", "FINISHED", "RESOURCERELEASED"})
BROKEN = frozenset({"FAILED", "SUBMISSION_FAILED", "FAILING", "SCHEDULINGFAILURE"})
FAST, SLOW = 300.0, 3600.0
"""Windows, in seconds, whose burn rates must both be below 1 for an objective to count as recovered."""


def build(
    board: Board,
    *,
    app: str,
    walk: Walk | None,
    inputs: Mapping[str, Any],
    alert: Alert | None = None,
    now: float,
    runbook: Runbook | None = None,
) -> dict[str, Any]:
    """The context of one evaluation.

    Args:
        board: the present picture.
        app: key of the application (`namespace/name`), or ``.
        walk: the walk so far, or None before it starts.
        inputs: resolved inputs.
        alert: the alert that led here.
        now: epoch seconds.
        runbook: decides which finding is `finding` and which objectives count for `recovery`.
    """
    one = board.app(app) if app else None
    mine = board.findings_of(app) if app else board.findings
    chosen = the_finding(runbook, board, app, alert) if runbook is not None else next(iter(mine), None)
    codes = set(runbook.match.findings) if runbook is not None else set()
    outputs = walk.outputs if walk is not None else {}
    ctx: dict[str, Any] = {
        "now": now,
        "app": _app(one) if one is not None else {},
        "findings": [_finding(f) for f in mine],
        "found": _by_code(mine),
        "elsewhere": [_finding(f) for f in board.findings if f.app and f.app != app and f.code in codes],
        "inputs": dict(inputs),
        "steps": {**{id.replace("-", "_"): o for id, o in outputs.items()}, **outputs},
        "slos": {s.id.replace("-", "_"): _slo(s) for s in board.slos},
        "recovery": _recovery(board.slos, walk, runbook),
        "alert": _plain(alert) if alert is not None else {},
        "cluster": _plain(board.cluster),
        "nodes": [_node(n) for n in board.nodes],
        "sources": {s.name: _plain(s) for s in board.sources},
        "after": _after(one, walk) if walk is not None else {},
    }
    if chosen is not None:
        ctx["finding"] = _finding(chosen)
    tree: dict[str, Any] = _without_none(ctx)
    tree["values"] = _values(runbook, tree) if runbook is not None else {}
    return tree


def _values(runbook: Runbook, ctx: dict[str, Any]) -> dict[str, Any]:
    """The runbook's named expressions, each seeing those above it. What cannot be known is left out."""
    out: dict[str, Any] = {}
    for name, expression in runbook.values.items():
        with contextlib.suppress(template.TemplateError):
            out[name] = template.evaluate(expression, {**ctx, "values": out})
    return out


def with_query(ctx: Mapping[str, Any], samples: Sequence[Sample] | None, error: str = "") -> dict[str, Any]:
    """`ctx` with `query`: `state` (`ok`, `empty`, `error`), `samples`, and `value` of the first one."""
    query: dict[str, Any] = {"samples": [], "error": error}
    if samples is None:
        query["state"] = "error"
    else:
        real = [s for s in samples if s.value == s.value]
        query["state"] = "ok" if real else "empty"
        query["samples"] = [{"labels": dict(s.labels), "value": s.value} for s in real]
        if real:
            query["value"] = real[0].value
    return {**ctx, "query": query}


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_without_none(v) for v in value if v is not None]
    return value


def _app(app: SparkApp) -> dict[str, Any]:
    tree: dict[str, Any] = redact_value(_plain(app))
    return {**tree, "subject": app.subject, "live": app.live}


def _node(node: Node) -> dict[str, Any]:
    """A node, with the types of the conditions that are True as `true`."""
    return {**_plain(node), "true": [c.type for c in node.conditions if c.status == "True"]}


def _finding(finding: Finding) -> dict[str, Any]:
    return {**_plain(finding), "key": finding.key}


def _by_code(findings: Iterable[Finding]) -> dict[str, Any]:
    """Code → its finding; of several, one of the present attempt, else the first."""
    out: dict[str, Finding] = {}
    for finding in findings:
        there = out.get(finding.code)
        if there is None or (not there.data.get("current") and finding.data.get("current")):
            out[finding.code] = finding
    return {code: _finding(f) for code, f in out.items()}


def _slo(slo: SloStatus) -> dict[str, Any]:
    burns = {f"burn_{_window(b.window)}": b.rate for b in slo.burns}
    return {**_plain(slo), **burns}


def _window(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


def _recovery(slos: tuple[SloStatus, ...], walk: Walk | None, runbook: Runbook | None) -> dict[str, Any]:
    """How the objectives stand that this runbook answers for.

    They are those that it names or that name it; where there are none, those that burned when the walk began.
    """
    named = set(runbook.match.slos) if runbook is not None else set()
    ours = [s for s in slos if s.id in named or (runbook is not None and runbook.id in s.runbooks)]
    if not ours and walk is not None:
        burned = {id for id, was in walk.slo_before.items() if isinstance(was, dict) and _burned(was)}
        ours = [s for s in slos if s.id in burned]
    if not ours:
        return {"state": "none", "ids": [], "words": "no objective is measured for this"}
    words, rates = [], []
    for slo in ours:
        pair = [(w, b.rate if (b := slo.burn(w)) is not None else None) for w in (FAST, SLOW)]
        rates += [rate for _, rate in pair]
        said = ", ".join(f"{'no data' if r is None else f'{r:.1f}'} over {_window(w)}" for w, r in pair)
        words.append(f"{slo.id}: burn {said}")
    if any(rate is not None and rate >= 1 for rate in rates):
        state = "burning"
    elif any(rate is None for rate in rates):
        state = "no data"
    else:
        state = "recovered"
    return {"state": state, "ids": [s.id for s in ours], "words": "; ".join(words)}


def _burned(was: dict[str, Any]) -> bool:
    state = was.get("state")
    if isinstance(state, str):
        return state in ("burning", "exhausted")
    left = was.get("budget_left")
    return isinstance(left, int | float) and left < 0


def _after(app: SparkApp | None, walk: Walk) -> dict[str, Any]:
    """What happened to the application since the walk's last write (before one: since the walk began).

    Only members that were created afterwards count: what dies of the old attempt says nothing about the change.
    """
    since = walk.changed if walk.changed is not None else walk.started
    out: dict[str, Any] = {"at": since, "written": walk.changed is not None}
    if app is None:
        return out
    driver = app.driver
    new_driver = driver is not None and driver.created is not None and driver.created > since
    begun = max(since, driver.created or since) if new_driver and driver is not None else since
    fresh = [m for m in app.executors if m.created is not None and m.created > since]
    deaths = [m.death for m in fresh if m.death is not None and m.death.kind not in QUIET_KINDS]
    drivers = [driver.death] if new_driver and driver is not None and driver.death is not None else []
    drivers += [a.death for a in app.attempts if a.death is not None and a.started is not None and a.started >= since]
    state = app.state.upper()
    ended = app.ended is not None and app.ended >= since
    out.update(
        new_driver=new_driver,
        executors=sum(1 for m in fresh if m.state == "Running" and not m.gone and (m.created or 0) > begun),
        wanted=app.wanted_executors,
        oom_deaths=sum(1 for d in deaths if d.kind in OOM_KINDS),
        driver_oom_deaths=1 if any(d.kind in OOM_KINDS or d.kind == "driver-result" for d in drivers) else 0,
        deaths=len(deaths),
        completed=state in DONE and (new_driver or ended),
        failed=state in BROKEN and (new_driver or ended or state == "SUBMISSION_FAILED"),
        tasks=app.tasks.get("completed") if new_driver else None,
        failed_tasks=app.tasks.get("failed") if new_driver else None,
    )
    return out
