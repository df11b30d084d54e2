"""`console status`, `apps`, `alerts`: the board, once, as a table or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from console.base.errors import Exit, UsageError, did_you_mean
from console.base.units import human_bytes, human_duration
from console.cli.options import Where, output_option, where_options
from console.cli.output import exit_for, finding_json, plain, print_json, say, table
from console.health.model import Board, Member, SloStatus, SparkApp
from console.health.overview import causes

MOST_MEMBERS = 5
"""Findings of one shared cause that a page of text lists."""

if TYPE_CHECKING:
    from collections.abc import Iterator

    from console.live import Situation

EXAMINED_WITHIN = 30.0
"""Seconds for the log and the REST API of one application."""


def _settled(where: Where) -> Situation:
    from console.cli.connect import settled

    return settled(where)


def age(board: Board, at: float | None) -> str:
    """How long ago, in one word."""
    return "?" if at is None else human_duration(board.at - at)


@click.command()
@where_options
@output_option()
def status(where: Where, output: str) -> int:
    """What is burning, since when, and how far each source can be trusted."""
    situation = _settled(where)
    board = situation.board
    if output == "json":
        print_json(status_document(situation))
    else:
        say(status_text(board))
    return exit_for(board)


def status_document(situation: Situation) -> dict[str, Any]:
    """The whole board without the members of each application."""
    board = situation.board
    return {
        "at": plain({"at": board.at})["at"],
        "cluster": plain(board.cluster),
        "verdict": board.verdict,
        "summary": board.summary,
        "sources": plain(list(board.sources)),
        "slos": plain(list(board.slos)),
        "findings": [finding_json(f) for f in board.findings],
        "incidents": plain(list(board.incidents)),
        "alerts": plain(list(board.alerts)),
        "components": plain(list(board.components)),
        "apps": len(board.apps),
        "pods": board.pods,
        "runbooks": plain({key: list(matched) for key, matched in situation.matches.items()}),
        "walks": [
            {"id": w.id, "runbook": w.runbook, "subject": w.subject, "status": w.status, "step": w.current}
            for w in situation.walks
        ],
    }


def status_text(board: Board) -> str:
    """The board on one page of plain text."""
    where = f"{board.cluster.context or board.cluster.server} [{board.cluster.mode}]"
    from console.live.picture import condensed

    lines = [f"{board.verdict}  {board.summary}", f"where         {where}"]
    for source in condensed(board.sources):
        lines.append(f"{source.name:<14}{source.state}{f' ({source.detail})' if source.detail else ''}")
    if board.slos:
        lines += [
            "",
            table(
                ("SLO", "TARGET", "STATE", "BUDGET LEFT", "BURN 5M", "1H", "6H", "BAD/TOTAL"), map(slo_row, board.slos)
            ),
        ]
    if board.findings:
        lines += ["", table(("SEVERITY", "FINDING", "CLASS", "WHERE", "SINCE", "RUNBOOK"), _cause_rows(board))]
        for cause in causes(board):
            if cause.shared and cause.incident is not None:
                lines += ["", f"one cause of {len(cause.apps)}: {cause.title}"]
                lines += [f"  for      {text}" for text in cause.incident.speaks_for]
                lines += [f"  against  {text}" for text in cause.incident.against]
    blind = [s for s in board.sources if s.name == "prometheus" and s.state not in ("fresh", "late")]
    if blind and not board.alerts:
        lines += ["", f"alerts unknown: prometheus {blind[0].state}"]
    if board.alerts:
        fired = [
            (a.name, a.state + (" (silenced)" if a.silenced else ""), age(board, a.since), _labels(a.labels))
            for a in board.alerts
        ]
        lines += ["", table(("ALERT", "STATE", "SINCE", "LABELS"), fired)]
    return "\n".join(lines)


def _cause_rows(board: Board) -> Iterator[tuple[str, ...]]:
    """One row per cause; what follows from it, or shares it, is indented below."""
    for cause in causes(board):
        members = (cause.lead, *cause.rest)
        if cause.shared and cause.incident is not None:
            books = ",".join(dict.fromkeys(book for f in members for book in f.runbooks))
            classes = ",".join(cause.classes) or "-"
            yield (
                cause.incident.severity, cause.title, classes, cause.where, age(board, cause.since), books or "-",
            )  # fmt: skip
        for place, f in enumerate(members[:MOST_MEMBERS] if cause.shared else members):
            lead = "  " if cause.shared else "└ " if place else ""
            yield (
                f.severity, lead + f.title, f.class_ or "-", f.subject, age(board, f.since),
                ",".join(f.runbooks) or "-",
            )  # fmt: skip
        if cause.shared and len(members) > MOST_MEMBERS:
            yield ("", f"  and {len(members) - MOST_MEMBERS} more: -o json has them all", "", "", "", "")


def _labels(labels: dict[str, str]) -> str:
    return " ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k not in ("alertname", "__name__"))


def slo_row(slo: SloStatus) -> tuple[str, ...]:
    """One objective as cells; what is not known is a word, never a zero."""

    def rate(window: float) -> str:
        burn = slo.burn(window)
        return "no data" if burn is None or burn.rate is None else f"{burn.rate:.1f}{'~' if burn.low_traffic else ''}"

    left = "no data" if slo.budget_left is None else f"{slo.budget_left:.0%}"
    counts = "no data" if slo.bad is None or slo.total is None else f"{slo.bad:.0f}/{slo.total:.0f}"
    state = f"{slo.state}, partial" if slo.partial and slo.state != "no data" else slo.state
    return (slo.title, f"{slo.objective:.2%}", state, left, rate(300), rate(3600), rate(21600), counts)


@click.command()
@click.argument("name", required=False)
@where_options
@output_option()
def apps(name: str | None, where: Where, output: str) -> int:
    """Spark applications; with NAME (or NAMESPACE/NAME) one of them with its driver and executors."""
    if name is not None:
        return _one_app(where, name, output)
    board = _settled(where).board
    if output == "json":
        print_json({"items": [app_document(board, a) for a in board.apps], "sources": plain(list(board.sources))})
    elif not board.apps:
        say(_no_app(board, where.namespace))
    else:
        say(
            table(
                ("NAMESPACE", "NAME", "STATE", "BY", "ATTEMPT", "EXECUTORS", "AGE", "WHY"),
                (app_row(board, a) for a in board.apps),
            )
        )
    return Exit.UNHEALTHY if any(f.app and f.severity == "critical" for f in board.findings) else Exit.OK


def _no_app(board: Board, namespace: str | None) -> str:
    blind = [s for s in board.sources if s.name in ("pods", "sparkapplications") and s.state not in ("fresh", "absent")]
    if blind:
        return f"no Spark application can be seen: {blind[0].name} {blind[0].state} {blind[0].detail}".rstrip()
    return "no Spark application runs in " + (f"namespace {namespace}" if namespace else "the watched namespaces")


def find_app(board: Board, name: str) -> SparkApp:
    """The application called `name` or `namespace/name`.

    Raises:
        UsageError: there is none, or several namespaces have one.
    """
    found = [a for a in board.apps if name in (a.key, a.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{name!r} is in several namespaces", hint="say " + " or ".join(a.key for a in found))
    keys = [a.key for a in board.apps] + [a.name for a in board.apps]
    raise UsageError(f"no Spark application {name!r} is known here", hint=did_you_mean(name, keys))


def _one_app(where: Where, name: str, output: str) -> int:
    from console.cli.connect import looking

    with looking(where) as live:
        key = find_app(live.situation.board, name).key
        board = live.examined(key).result(EXAMINED_WITHIN)
    app = find_app(board, key)
    findings = board.findings_of(app.key)
    if output == "json":
        print_json(app_document(board, app))
    else:
        say(app_text(board, app))
    return Exit.UNHEALTHY if findings else Exit.OK


def app_document(board: Board, app: SparkApp) -> dict[str, Any]:
    """One application with its members and findings."""
    return {**plain(app), "findings": [finding_json(f) for f in board.findings_of(app.key)]}


def app_row(board: Board, app: SparkApp) -> tuple[str, ...]:
    worst = next(iter(board.findings_of(app.key)), None)
    executors = f"{app.running_executors}/{'?' if app.wanted_executors is None else app.wanted_executors}"
    return (
        app.namespace, app.name, app.state, app.launcher, str(app.attempt or "-"), executors, age(board, app.started),
        worst.title if worst else "-",
    )  # fmt: skip


def _member_row(board: Board, member: Member) -> tuple[str, ...]:
    death = member.death
    code = "-" if death is None or death.exit_code is None else str(death.exit_code)
    words = death.words if death else member.waiting or "-"
    return (member.id, member.state, age(board, member.created), member.node or "-", code, words)


def app_text(board: Board, app: SparkApp) -> str:
    """One application on a page."""
    plan = app.executor_memory
    lines = [
        f"{app.key}  {app.state}  attempt {app.attempt or '-'}  {app.launcher}  Spark {app.spark_version or '?'}",
        *([f"message  {app.message}"] if app.message else []),
    ]
    if plan:
        total, heap, over = human_bytes(plan.total), human_bytes(plan.heap), human_bytes(plan.overhead)
        lines.append(f"executor memory {total} = heap {heap} + overhead {over} ({plan.source})")
    rows = [_member_row(board, m) for m in (app.driver, *app.executors) if m]
    if rows:
        lines += ["", table(("MEMBER", "STATE", "AGE", "NODE", "EXIT", "WHY"), rows)]
    for finding in board.findings_of(app.key):
        klass = finding.class_ or "no class"
        lines += ["", f"{finding.severity.upper()} {finding.title} ({klass}, {finding.confidence} confidence)"]
        lines += [f"  {finding.detail}"] if finding.detail else []
        lines += [f"  seen: {e.excerpt}  [{e.locator}]" for e in finding.evidence]
        lines += [f"  not {r.class_}: {r.because}" for r in finding.ruled_out]
        lines += [f"  open: {q}" for q in finding.open_questions]
        lines += [f"  runbook: {r}" for r in finding.runbooks]
    return "\n".join(lines)


@click.command()
@where_options
@output_option()
def alerts(where: Where, output: str) -> int:
    """Firing alerts and the runbook of each."""
    situation = _settled(where)
    board = situation.board
    metrics = next((s for s in board.sources if s.name == "prometheus"), None)
    word = metrics.state if metrics else "absent"
    matches = situation.matches
    runbooks = {
        a.name: list(dict.fromkeys(m.runbook for m in matches.get(f"alert:{a.name}", ()))) for a in board.alerts
    }
    if output == "json":
        items = [{**plain(a), "runbooks": runbooks[a.name]} for a in board.alerts]
        print_json({"items": items, "sources": plain(list(board.sources))})
    elif board.alerts:
        rows = [
            (a.name, a.state, age(board, a.since), ",".join(runbooks[a.name]) or "-", _labels(a.labels))
            for a in board.alerts
        ]
        say(table(("ALERT", "STATE", "SINCE", "RUNBOOK", "LABELS"), rows))
    else:
        say("no alert fires" if word == "fresh" else f"alerts unknown: Prometheus is {word}")
    known = word in ("fresh", "late", "partial")
    return Exit.OK if known and not board.alerts else Exit.UNHEALTHY
