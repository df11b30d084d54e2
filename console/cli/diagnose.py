"""`console diagnose`: what is wrong, from a folder of saved evidence or from one application of the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.base.clock import rfc3339
from console.base.errors import Exit, UsageError, did_you_mean
from console.base.text import clean
from console.cli.options import Where, where_options
from console.cli.output import finding_json, plain, print_json, say, table

if TYPE_CHECKING:
    from console.health.facts import Facts
    from console.health.model import Finding, SparkApp
    from console.health.rule import Trial


@click.command()
@click.argument("what", metavar="DIR|APP")
@where_options
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--explain", is_flag=True, help="Also every rule that was tried and why it did not hold.")
def command(what: str, where: Where, output: str, explain: bool) -> int:
    """Findings from a folder of saved evidence, or of one application of the cluster (NAMESPACE/NAME or NAME).

    An existing folder wins. Exit code 0: nothing is wrong; 1: there are findings; 2: the folder cannot be read.
    """
    path = Path(what)
    if path.exists() or what.startswith((".", "/", "~")) or what.endswith("/"):
        return _folder(path.expanduser(), output, explain)
    return _live(what, where, output, explain)


def _folder(path: Path, output: str, explain: bool) -> int:
    from console.health.apps import assemble
    from console.health.diagnose import diagnose
    from console.health.diagnose import explain as explained
    from console.sources.folder import read_folder

    facts = read_folder(path)
    apps = assemble(facts)
    findings = diagnose(facts, apps)
    trials = explained(facts, apps) if explain else ()
    unread = [{"locator": clean(locator), "reason": clean(reason)} for locator, reason in facts.unread]
    if output == "json":
        document: dict[str, Any] = {"findings": [finding_json(f) for f in findings], "unread": unread}
        document["apps"] = [_app_json(app) for app in apps if _speaks(app, findings, len(apps))]
        document["read"] = {s.name: s.detail for s in facts.sources}
        if explain:
            document["tried"] = plain(list(trials))
        print_json(document)
    else:
        say(text_of(findings, apps, trials, facts))
    return Exit.UNHEALTHY if findings else Exit.OK


def _live(what: str, where: Where, output: str, explain: bool) -> int:
    from console.cli.connect import settled

    situation = settled(where)
    board = situation.board
    app = next((a for a in board.apps if a.key == what), None)
    named = [a for a in board.apps if a.name == what]
    if app is None and len(named) == 1:
        app = named[0]
    if app is None:
        if named:
            raise UsageError(f"{what!r} exists in several namespaces", hint=", ".join(a.key for a in named))
        raise UsageError(
            f"{what!r} is neither a folder nor an application of this cluster",
            hint=did_you_mean(what, [a.key for a in board.apps]),
        )
    findings = board.findings_of(app.key)
    if output == "json":
        print_json({"findings": [finding_json(f) for f in findings], "unread": [], "apps": [_app_json(app)]})
    else:
        say(text_of(findings, (app,), (), None))
    return Exit.UNHEALTHY if findings else Exit.OK


def _speaks(app: SparkApp, findings: tuple[Finding, ...], count: int) -> bool:
    return count <= 50 or any(f.app == app.key for f in findings)


def _app_json(app: SparkApp) -> dict[str, Any]:
    return {
        "key": app.key,
        "launcher": app.launcher,
        "state": app.state,
        "appId": app.app_id,
        "sparkVersion": app.spark_version,
        "attempts": plain(list(app.attempts)),
        "executors": len(app.executors),
    }


def text_of(
    findings: tuple[Finding, ...], apps: tuple[SparkApp, ...], trials: tuple[Trial, ...], facts: Facts | None
) -> str:
    """The findings for a person: one block each, causes before consequences."""
    lines: list[str] = []
    for finding in findings:
        mark = "  └ " if finding.causes else ""
        since = rfc3339(finding.since) or "time unknown"
        lines.append(f"{mark}{finding.severity.upper()} {finding.class_ or '-'} {finding.code}: {finding.title}")
        lines.append(f"    {finding.subject}  since {since}  confidence {finding.confidence}")
        if finding.detail:
            lines.append(f"    {finding.detail}")
        lines += [f"    saw     {e.locator}: {e.excerpt}" for e in finding.evidence]
        lines += [f"    not     {r.class_}: {r.because}" for r in finding.ruled_out]
        lines += [f"    decide  {q}" for q in finding.open_questions]
        lines += [f"    open    console runbook {name}" for name in finding.runbooks]
        lines.append("")
    if not findings:
        lines += ["no findings", ""]
    if facts is not None:
        lines.append(
            "read    " + ", ".join(f"{s.name} {s.detail.split(' ')[0]}" for s in facts.sources if s.state != "absent")
        )
        lines += [f"unread  {locator}: {reason}" for locator, reason in facts.unread]
    if trials:
        rows = [(t.rule, t.class_ or "-", "held" if t.held else "no", t.subject or "all", t.because) for t in trials]
        lines += ["", table(("RULE", "CLASS", "HELD", "SUBJECT", "WHY"), rows)]
    return "\n".join(clean(line, lines=True) for line in lines).rstrip()
