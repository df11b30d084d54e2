"""`console diagnose`: what is wrong, from a folder of saved evidence or from one application of the cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from console.base.clock import rfc3339
from console.base.errors import Exit, ReachError
from console.base.text import clean, plural, shorten
from console.cli.diagnosis.against import comparison_lines, live_comparison, live_comparison_lines, saved_comparisons
from console.cli.diagnosis.times import live_json, live_lines, report_lines
from console.cli.options import Where, where_options
from console.cli.output import finding_json, left_out_json, left_out_lines, plain, print_json, say, table
from console.live.shown import aged, runbook_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from console.apps.model import SparkApp
    from console.board.model import Board
    from console.facts.leftout import LeftOut
    from console.facts.model import Facts
    from console.findings.coverage import Uncovered
    from console.findings.model import Finding
    from console.findings.rule import Trial
    from console.live import Live, Situation
    from console.live.times import Times
    from console.sources.files.runbooks import Library
    from console.timing.items import TimeReport

WAIT = 30.0
"""Seconds that the rules may take."""
NAME_WIDTH = 100
"""Characters of a subject in the column of a table."""
TIMES_WITHIN = 90.0
"""Seconds within which the driver or the History Server must have answered."""


@click.command()
@click.argument("what", metavar="DIR|FILE|-|APP")
@where_options
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--slow", is_flag=True, help="Also where the time of each application went that it need not have.")
@click.option(
    "--against", "run", metavar="RUN", help="Also what changed since RUN: a name, Spark's id, or saved evidence."
)
@click.option("--explain", is_flag=True, help="Also every rule that was tried and why it did not hold.")
def command(what: str, where: Where, output: str, slow: bool, run: str | None, explain: bool) -> int:
    """Findings from saved evidence (a folder, a file, an archive, or `-` for what is piped in), or of one application
    of the cluster (NAMESPACE/NAME or NAME).

    An existing folder or file wins. Exit code 0: nothing is wrong; 1: there are findings, or what was read is not
    enough to say; 2: there is no such folder, file or application.
    """
    if what == "-":
        return _saved_evidence(None, where, output, slow, explain, run)
    path = Path(what)
    if path.exists() or what.startswith((".", "/", "~")) or what.endswith("/"):
        return _saved_evidence(path.expanduser(), where, output, slow, explain, run)
    return _live(what, where, output, slow, explain, run)


def _saved_evidence(path: Path | None, where: Where, output: str, slow: bool, explain: bool, run: str | None) -> int:
    """`path`: None for what is piped in."""
    from console.cli.library import read_library
    from console.findings.case import ClusterView
    from console.findings.coverage import unjudged
    from console.findings.diagnose import Engine, gathered
    from console.findings.diagnose import explain as explained
    from console.live.crashes import CrashFiles
    from console.sources.folder.read import read_folder, read_stream
    from console.timing.report import reports

    facts = read_folder(path) if path is not None else read_stream(sys.stdin.buffer)
    verdict = Engine().judge(facts)
    CrashFiles().keep(verdict.not_judged)
    apps, findings = verdict.apps, verdict.findings
    situation = _saved(facts, apps, findings, read_library(where))
    trials, untold = gathered(explained(facts, apps)) if explain else ((), ())
    times = reports(((c.app, c.rest) for c in ClusterView(facts, apps).cases), facts.at) if slow else []
    gaps = unjudged(facts, apps, findings)
    compared = saved_comparisons(facts, apps, findings, run)
    if output == "json":
        document = _document(situation, facts, apps, findings)
        document["not_judged"] = plain(list(gaps))
        document["left_out"] = left_out_json((*facts.left_out, *untold))
        document |= {"against": [{"app": key, **plain(one)} for key, one in compared]} if compared else {}
        if slow:
            document["slow"] = [{"app": app.key, "appId": app.app_id, **plain(report)} for app, report in times]
        if explain:
            document["tried"] = plain(list(trials))
        print_json(document)
    else:
        more = [*(text for _, one in compared for text in comparison_lines(one))]
        say(text_of(situation, findings, apps, trials, facts, times, more, gaps=gaps, untold=untold))
    if findings or any(one.grave for one in gaps):
        return Exit.UNHEALTHY
    return Exit.OK if _was_read(facts) else Exit.UNHEALTHY


def _document(
    situation: Situation, facts: Facts, apps: Sequence[SparkApp], findings: tuple[Finding, ...]
) -> dict[str, Any]:
    """What was found in saved evidence, and what was read of it."""
    return {
        "findings": [finding_json(situation, f) for f in findings],
        "unread": _unread_json(facts.unread),
        "incidents": plain(list(situation.board.incidents)),
        "apps": [_app_json(app, findings) for app in apps],
        "read": {s.name: s.detail for s in facts.sources},
    }


def _saved(facts: Facts, apps: tuple[SparkApp, ...], findings: tuple[Finding, ...], library: Library) -> Situation:
    """Saved evidence as a situation, with the runbooks that fit what was found."""
    from console.board.model import Board, Cluster
    from console.causes.incidents import group
    from console.live.matches import matches
    from console.live.situation import Situation

    board = Board(
        facts.at, Cluster(kind="saved"), "UNKNOWN", apps=apps, findings=findings, alerts=facts.alerts,
        incidents=tuple(group(findings, apps, facts)),
    )  # fmt: skip
    return Situation(board, matches=matches(tuple(library.runbooks.values()), board, facts.alerts))


def _was_read(facts: Facts) -> bool:
    """Whether there was any evidence, so that no finding means something."""
    return any(s.state != "absent" for s in facts.sources)


def _live(what: str, where: Where, output: str, slow: bool, explain: bool, run: str | None) -> int:
    from console.cli.board.apps import find_app
    from console.cli.connect import looking
    from console.findings.diagnose import gathered

    with looking(where) as live:
        app = find_app(live.situation.board, what)
        board = live.examined(app.key).result(WAIT)
        app = board.app(app.key) or app
        situation = replace(live.situation, board=board)
        trials, untold = gathered(live.explain(app.key).result(WAIT)) if explain else ((), ())
        times = _times(live, app) if slow else None
        unread = live.unread(app.key).result(WAIT)
        changed = live_comparison(live, app, run)
    findings = _with_causes(board, board.findings_of(app.key))
    if output == "json":
        document: dict[str, Any] = {"findings": [finding_json(situation, f) for f in findings]}
        document["unread"] = _unread_json(unread)
        document["left_out"] = left_out_json((*board.left_out, *untold))
        document["apps"] = [_app_json(app, findings)]
        document |= {"slow": [live_json(app, times)]} if times is not None else {}
        document |= {"against": [{"app": app.key, **plain(changed)}]} if changed is not None else {}
        print_json(document | ({"tried": plain(list(trials))} if explain else {}))
    else:
        more = [*(live_lines(app, times) if times is not None else ()), *live_comparison_lines(changed)]
        say(text_of(situation, findings, (app,), trials, None, more=more, untold=untold, unread=unread))
    return Exit.UNHEALTHY if findings or unread else Exit.OK


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


def _app_json(app: SparkApp, findings: tuple[Finding, ...]) -> dict[str, Any]:
    from console.findings.story import story

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
    situation: Situation,
    findings: tuple[Finding, ...],
    apps: tuple[SparkApp, ...],
    trials: tuple[Trial, ...],
    facts: Facts | None,
    times: Sequence[tuple[SparkApp, TimeReport]] = (),
    more: Sequence[str] = (),
    gaps: Sequence[Uncovered] = (),
    untold: Sequence[LeftOut] = (),
    unread: Sequence[tuple[str, str]] = (),
) -> str:
    """The findings for a person: one block each, causes before consequences.

    Args:
        unread: (what, why) for what could not be read of a live application; `facts` say it of saved evidence.
        untold: what was left out of the trials.
    """
    lines: list[str] = []
    for finding in findings:
        lines += [*_block(situation, finding), ""]
    if not findings:
        lines += [_nothing_found(facts, gaps or unread), ""]
    lines += [f"not judged  {one.subject}: {one.why}" for one in gaps] + ([""] if gaps else [])
    for app in apps:
        lines += _attempts(app, findings)
    for app, report in times:
        lines += [*report_lines(app.key.strip("/") or app.app_id, report), ""]
    lines += [*more, ""] if more else []
    lines += _read(facts) if facts is not None else _unread(unread)
    lines += left_out_lines(facts.left_out if facts is not None else situation.board.left_out)
    lines += _tried(trials, untold)
    return "\n".join(clean(line, lines=True) for line in lines).rstrip()


def _nothing_found(facts: Facts | None, gaps: Sequence[object]) -> str:
    if facts is not None and not _was_read(facts):
        return "nothing can be said: it holds no evidence that is known"
    return "not enough to say: nothing was found in what could be read and judged" if gaps else "no findings"


def _read(facts: Facts) -> list[str]:
    """What of a folder was read, and what was not."""
    read = ", ".join(f"{s.name} {s.detail.split(' ')[0]}" for s in facts.sources if s.state != "absent")
    return [
        *([f"read    {read}"] if _was_read(facts) else []),
        *_unread(facts.unread),
    ]


def _unread(items: Iterable[tuple[str, str]]) -> list[str]:
    return [f"unread  {locator}: {reason}" for locator, reason in items]


def _unread_json(items: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"locator": clean(locator), "reason": clean(reason)} for locator, reason in items]


def _tried(trials: tuple[Trial, ...], untold: Sequence[LeftOut]) -> list[str]:
    rows = [(t.rule, t.class_ or "-", "held" if t.held else "no", _whose(t), t.because) for t in trials]
    return ["", table(("RULE", "CLASS", "HELD", "SUBJECT", "WHY"), rows), *left_out_lines(untold)] if rows else []


def _whose(trial: Trial) -> str:
    others = f" and {plural(trial.also, 'other')}" if trial.also else ""
    return shorten(trial.subject or "all", NAME_WIDTH, middle=True) + others


def _block(situation: Situation, finding: Finding) -> list[str]:
    mark = "  └ " if finding.causes else ""
    since = rfc3339(finding.since) or "time unknown"
    return [
        f"{mark}{finding.severity.upper()} {finding.class_ or '-'} {finding.code}: {finding.title}",
        f"    {finding.subject}  since {since}  confidence {finding.confidence}",
        *([f"    {finding.detail}"] if finding.detail else []),
        *(f"    saw     {e.locator}: {e.excerpt}{aged(situation.board, e.at)}" for e in finding.evidence),
        *(f"    not     {r.class_}: {r.because}" for r in finding.ruled_out),
        *(f"    decide  {q}" for q in finding.open_questions),
        *(f"    open    console runbook {name}" for name in runbook_names(situation, finding)),
    ]


def _attempts(app: SparkApp, findings: tuple[Finding, ...]) -> list[str]:
    from console.findings.story import story

    told = story(app, findings)
    return [f"{app.key}: {told.words}", *(f"    {line}" for line in told.lines), ""] if told.words else []
