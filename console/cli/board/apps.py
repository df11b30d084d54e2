"""`console apps`: Spark applications, once, as a table or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from console.apps.model import Member, SparkApp
from console.base.clock import rfc3339
from console.base.errors import Exit, UsageError, did_you_mean
from console.board.model import Board
from console.board.waits import wait_of
from console.cli.options import Where, output_option, where_options
from console.cli.output import (
    finding_json,
    left_out_json,
    left_out_lines,
    plain,
    print_json,
    say,
    since_change_of,
    table,
)
from console.live.shown import (
    age,
    aged,
    apps_named,
    attempt,
    executors,
    last_change,
    looked_at,
    members,
    memory,
    memory_seen,
    no_app_because,
    runbook_names,
    tasks,
    tries,
)

if TYPE_CHECKING:
    from console.live import Situation
    from console.live.trends import MemoryTrend

EXAMINED_WITHIN = 30.0
"""Seconds for the log and the REST API of one application."""


def _settled(where: Where) -> Situation:
    from console.cli.connect import settled

    return settled(where)


@click.command()
@click.argument("name", required=False)
@where_options
@output_option()
def apps(name: str | None, where: Where, output: str) -> int:
    """Spark applications; with NAME (or NAMESPACE/NAME) one of them with its driver and executors."""
    if name is not None:
        return _one_app(where, name, output)
    situation = _settled(where)
    board = situation.board
    if output == "json":
        items = [app_document(situation, a) for a in board.apps]
        print_json({"items": items, "sources": plain(list(board.sources)), "left_out": left_out_json(board.left_out)})
    else:
        head = ("NAMESPACE", "NAME", "STATE", "BY", "ATTEMPT", "EXECUTORS", "AGE", "WHY")
        rows = [app_row(board, a) for a in board.apps]
        say("\n".join([table(head, rows) if rows else _no_app(board), *left_out_lines(board.left_out)]))
    return Exit.UNHEALTHY if any(f.app and f.severity == "critical" for f in board.findings) else Exit.OK


def _no_app(board: Board) -> str:
    if blind := no_app_because(board):
        return f"no Spark application can be seen: {blind[0]}"
    return f"no Spark application runs in {looked_at(board.cluster) or 'the namespaces that may be read'}"


def find_app(board: Board, name: str) -> SparkApp:
    """The application called `name` or `namespace/name`.

    Raises:
        UsageError: there is none, or several namespaces have one.
    """
    found = apps_named(board, name)
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
        trend = live.memory(key).result(EXAMINED_WITHIN)
        situation = replace(live.situation, board=board)
    app = find_app(board, key)
    findings = board.findings_of(app.key)
    if output == "json":
        print_json({**app_document(situation, app), "memory_over_time": trend_document(trend)})
    else:
        say(app_text(situation, app, trend))
    return Exit.UNHEALTHY if findings else Exit.OK


def trend_document(trend: MemoryTrend | None) -> dict[str, Any] | None:
    """The memory of executors over time as scripts read it: a moment and bytes for each sample, null where none was."""
    if trend is None:
        return None
    return {**plain(trend), "samples": [{"at": rfc3339(at), "bytes": value} for at, value in trend.samples]}


def app_document(situation: Situation, app: SparkApp) -> dict[str, Any]:
    """One application with its members and findings."""
    findings = situation.board.findings_of(app.key)
    since = since_change_of(situation, app.key)
    wait = wait_of(situation.board, app.key)
    return {
        **plain(app),
        "waits": None if wait is None else plain(wait),
        "findings": [finding_json(situation, f) for f in findings],
        "since_change": None if since is None else plain(since),
    }


def app_row(board: Board, app: SparkApp) -> tuple[str, ...]:
    worst = next(iter(board.findings_of(app.key)), None)
    return (
        app.namespace, app.name, app.state, app.launcher, tries(app) or "-", executors(app),
        age(board, app.started), worst.title if worst else "-",
    )  # fmt: skip


def _member_row(board: Board, member: Member) -> tuple[str, ...]:
    death = member.death
    code = "-" if death is None or death.exit_code is None else str(death.exit_code)
    words = death.words if death else member.waiting or "-"
    return (member.id, member.state, age(board, last_change(member)), member.node or "-", code, words)


def _moves(board: Board, app: SparkApp, trend: MemoryTrend | None) -> list[str]:
    """How it moves: tasks, and the memory of its executors over time, as the page of the application shows them."""
    done = tasks(board, app)
    out = [f"tasks    {done}"] if done else []
    seen = memory_seen(board, trend, live=app.live) if trend is not None else ""
    return [*out, f"seen     {seen}"] if seen else out


def app_text(situation: Situation, app: SparkApp, trend: MemoryTrend | None = None) -> str:
    """One application on a page."""
    board = situation.board
    plan = app.executor_memory
    lines = [
        f"{app.key}  {app.state}  attempt {attempt(app)}  {app.launcher}  Spark {app.spark_version or '?'}",
        *([f"message  {app.message}"] if app.message else []),
    ]
    if plan:
        lines.append(f"executor memory {memory(plan)} ({plan.source})")
    lines += _moves(board, app, trend)
    if (since := since_change_of(situation, app.key)) is not None:
        lines.append(f"change   at {rfc3339(since.at)} by walk {since.walk}")
        lines += [f"         {said}" for said in since.words]
    if (wait := wait_of(board, app.key)) is not None:
        lines.append(f"waits    {wait.line}")
    rows = [_member_row(board, m) for m in members(app)]
    if rows:
        lines += ["", table(("MEMBER", "STATE", "AGE", "NODE", "EXIT", "WHY"), rows)]
    for finding in board.findings_of(app.key):
        klass = finding.class_ or "no class"
        lines += ["", f"{finding.severity.upper()} {finding.title} ({klass}, {finding.confidence} confidence)"]
        lines += [f"  {finding.detail}"] if finding.detail else []
        lines += [f"  seen: {e.excerpt}{aged(board, e.at)}  [{e.locator}]" for e in finding.evidence]
        lines += [f"  not {r.class_}: {r.because}" for r in finding.ruled_out]
        lines += [f"  open: {q}" for q in finding.open_questions]
        lines += [f"  runbook: {r}" for r in runbook_names(situation, finding)]
    return "\n".join(lines)
