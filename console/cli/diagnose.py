"""`console diagnose`: what is wrong, from a folder of saved evidence or from one application of the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.base.clock import rfc3339
from console.base.errors import Exit, ReachError
from console.base.text import clean
from console.cli.options import Where, where_options
from console.cli.output import finding_json, plain, print_json, say, table
from console.cli.times import live_json, live_lines, report_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.health.facts import Facts
    from console.health.model import Board, Finding, SparkApp
    from console.health.rule import Trial
    from console.health.slow.items import Report
    from console.live import Live
    from console.live.times import Times

WAIT = 30.0
"""Seconds that the rules may take."""
TIMES_WITHIN = 90.0
"""Seconds within which the driver or the History Server must have answered."""


@click.command()
@click.argument("what", metavar="DIR|APP")
@where_options
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--slow", is_flag=True, help="Also where the time of each application went that it need not have.")
@click.option("--explain", is_flag=True, help="Also every rule that was tried and why it did not hold.")
def command(what: str, where: Where, output: str, slow: bool, explain: bool) -> int:
    """Findings from a folder of saved evidence, or of one application of the cluster (NAMESPACE/NAME or NAME).

    An existing folder wins. Exit code 0: nothing is wrong; 1: there are findings, or nothing can be said because
    the folder holds no evidence; 2: there is no such folder or application.
    """
    path = Path(what)
    if path.exists() or what.startswith((".", "/", "~")) or what.endswith("/"):
        return _folder(path.expanduser(), output, slow, explain)
    return _live(what, where, output, slow, explain)


def _folder(path: Path, output: str, slow: bool, explain: bool) -> int:
    from console.health.case import World
    from console.health.diagnose import Engine
    from console.health.diagnose import explain as explained
    from console.health.incidents import group
    from console.health.slow.report import reports
    from console.sources.folder import read_folder

    facts = read_folder(path)
    verdict = Engine().judge(facts)
    apps, findings = verdict.apps, verdict.findings
    trials = explained(facts, apps) if explain else ()
    times = reports(World(facts, apps)) if slow else []
    unread = [{"locator": clean(locator), "reason": clean(reason)} for locator, reason in facts.unread]
    if output == "json":
        document: dict[str, Any] = {"findings": [finding_json(f) for f in findings], "unread": unread}
        document["incidents"] = plain(list(group(findings, apps, facts)))
        document["apps"] = [_app_json(app, findings) for app in apps if _speaks(app, findings, len(apps))]
        document["read"] = {s.name: s.detail for s in facts.sources}
        if slow:
            document["slow"] = [{"app": app.key, "appId": app.app_id, **plain(report)} for app, report in times]
        if explain:
            document["tried"] = plain(list(trials))
        print_json(document)
    else:
        say(text_of(findings, apps, trials, facts, times))
    if findings:
        return Exit.UNHEALTHY
    return Exit.OK if _was_read(facts) else Exit.UNHEALTHY


def _was_read(facts: Facts) -> bool:
    """Whether there was any evidence, so that no finding means something."""
    return any(s.state != "absent" for s in facts.sources)


def _live(what: str, where: Where, output: str, slow: bool, explain: bool) -> int:
    from console.cli.board import find_app
    from console.cli.connect import looking

    with looking(where) as live:
        app = find_app(live.situation.board, what)
        board = live.examined(app.key).result(WAIT)
        app = board.app(app.key) or app
        trials = live.explain(app.key).result(WAIT) if explain else ()
        times = _times(live, app) if slow else None
    findings = _with_causes(board, board.findings_of(app.key))
    if output == "json":
        document = {"findings": [finding_json(f) for f in findings], "unread": [], "apps": [_app_json(app, findings)]}
        document |= {"slow": [live_json(app, times)]} if times is not None else {}
        print_json(document | ({"tried": plain(list(trials))} if explain else {}))
    else:
        say(text_of(findings, (app,), trials, None, more=live_lines(app, times) if times is not None else ()))
    return Exit.UNHEALTHY if findings else Exit.OK


def _times(live: Live, app: SparkApp) -> Times:
    """Where the time of `app` went.

    Raises:
        ReachError: nobody said in time.
    """
    try:
        return live.times(app.key).result(TIMES_WITHIN)
    except TimeoutError:
        message = f"neither the driver of {app.key} nor the History Server said within {TIMES_WITHIN:.0f}s"
        raise ReachError(message, hint="ask again, or read its event log: console diagnose FOLDER --slow") from None


def _with_causes(board: Board, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings of an application, after those about nodes, claims, workers or operators that caused them."""
    named = {cause for finding in findings for cause in finding.causes}
    return (*(f for f in board.findings if f.key in named and not f.app), *findings)


def _speaks(app: SparkApp, findings: tuple[Finding, ...], count: int) -> bool:
    return count <= 50 or any(f.app == app.key for f in findings)


def _app_json(app: SparkApp, findings: tuple[Finding, ...]) -> dict[str, Any]:
    from console.health.story import story

    told = story(app, findings)
    return {
        "key": app.key,
        "launcher": app.launcher,
        "state": app.state,
        "appId": app.app_id,
        "sparkVersion": app.spark_version,
        "attempts": plain(list(app.attempts)),
        "story": told.words,
        "sameCause": told.same,
        "trend": told.trend,
        "executors": len(app.executors),
    }


def text_of(
    findings: tuple[Finding, ...],
    apps: tuple[SparkApp, ...],
    trials: tuple[Trial, ...],
    facts: Facts | None,
    times: Sequence[tuple[SparkApp, Report]] = (),
    more: Sequence[str] = (),
) -> str:
    """The findings for a person: one block each, causes before consequences."""
    lines: list[str] = []
    for finding in findings:
        lines += [*_block(finding), ""]
    if not findings:
        nothing = facts is not None and not _was_read(facts)
        lines += ["nothing can be said: it holds no evidence that is known" if nothing else "no findings", ""]
    for app in apps:
        lines += _attempts(app, findings)
    for app, report in times:
        lines += [*report_lines(app.key.strip("/") or app.app_id, report), ""]
    lines += [*more, ""] if more else []
    if facts is not None:
        if _was_read(facts):
            lines.append(
                "read    "
                + ", ".join(f"{s.name} {s.detail.split(' ')[0]}" for s in facts.sources if s.state != "absent")
            )
        lines += [f"unread  {locator}: {reason}" for locator, reason in facts.unread]
    if trials:
        rows = [(t.rule, t.class_ or "-", "held" if t.held else "no", t.subject or "all", t.because) for t in trials]
        lines += ["", table(("RULE", "CLASS", "HELD", "SUBJECT", "WHY"), rows)]
    return "\n".join(clean(line, lines=True) for line in lines).rstrip()


def _block(finding: Finding) -> list[str]:
    mark = "  └ " if finding.causes else ""
    since = rfc3339(finding.since) or "time unknown"
    return [
        f"{mark}{finding.severity.upper()} {finding.class_ or '-'} {finding.code}: {finding.title}",
        f"    {finding.subject}  since {since}  confidence {finding.confidence}",
        *([f"    {finding.detail}"] if finding.detail else []),
        *(f"    saw     {e.locator}: {e.excerpt}" for e in finding.evidence),
        *(f"    not     {r.class_}: {r.because}" for r in finding.ruled_out),
        *(f"    decide  {q}" for q in finding.open_questions),
        *(f"    open    console runbook {name}" for name in finding.runbooks),
    ]


def _attempts(app: SparkApp, findings: tuple[Finding, ...]) -> list[str]:
    from console.health.story import story

    told = story(app, findings)
    return [f"{app.key}: {told.words}", *(f"    {line}" for line in told.lines), ""] if told.words else []
