"""`console advise`: what could be set better or safer, from the cluster or from a folder of saved evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.advice.model import FAMILIES, PRIORITIES, Priority
from console.base.errors import Exit, UsageError, did_you_mean
from console.base.text import clean, joined, plural
from console.cli.options import Where, where_options
from console.cli.output import left_out_json, left_out_lines, plain, print_json, say

if TYPE_CHECKING:
    from console.advice.model import Advice, AdviceReport, Unjudged


@click.command("advise")
@click.argument("what", metavar="[APP|DIR]", required=False)
@where_options
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--family", "families", type=click.Choice(FAMILIES), multiple=True, help="Only this family of advice.")
@click.option(
    "--fail-on",
    type=click.Choice(PRIORITIES),
    help="Exit code 1 where there is advice of this priority or above, or where something could not be read.",
)
def command(what: str | None, where: Where, output: str, families: tuple[str, ...], fail_on: Priority | None) -> int:
    """What could be set better or safer: configuration, security of namespaces, drift of versions and images.

    APP is NAMESPACE/NAME or NAME; an existing folder wins; neither means everything in scope. Nothing is changed, and
    advice is no finding: the exit code is 0 with or without advice, unless --fail-on says otherwise.
    """
    path = Path(what) if what is not None else None
    if what is not None and path is not None and (path.exists() or what.startswith((".", "/", "~")) or what[-1] == "/"):
        report = _folder(path.expanduser())
    else:
        report = _live(what or "", where)
    report = report.of(families)
    if output == "json":
        print_json(document(report))
    else:
        say(text_of(report))
    return Exit.UNHEALTHY if fail_on is not None and gated(report, fail_on) else Exit.OK


def _folder(path: Path) -> AdviceReport:
    from console.advice.engine import advise
    from console.apps.assemble import assemble
    from console.sources.cluster.advice import catalogue, saved_posture
    from console.sources.folder.read import read_folder

    facts = read_folder(path)
    return advise(facts, assemble(facts), catalogue(), saved_posture(facts))


def _live(what: str, where: Where) -> AdviceReport:
    from console.cli.connect import PATIENCE, open_live
    from console.live.shown import apps_named

    with open_live(where) as live:
        board = live.settle(PATIENCE).board
        named = [a.key for a in apps_named(board, what)]
        if what and len(named) != 1:
            if named:
                raise UsageError(f"{what!r} exists in several namespaces", hint=", ".join(named))
            raise UsageError(
                f"{what!r} is neither a folder nor an application of this cluster",
                hint=did_you_mean(what, [a.key for a in board.apps]),
            )
        return live.advise(named[0] if what else "").result(PATIENCE * 2)


def gated(report: AdviceReport, level: Priority) -> bool:
    """Whether a gate at `level` must stay shut: advice of that priority, or something that may not be read."""
    worst = PRIORITIES[: PRIORITIES.index(level) + 1]
    blind = bool(report.unread()) or any(one.blinds for one in report.left_out)
    return blind or any(i.priority in worst for i in report.items)


def document(report: AdviceReport) -> dict[str, Any]:
    """The published form of a report."""
    return {
        "kind": "AdviceList",
        "items": [item_json(item) for item in report.items],
        "unjudged": plain(list(report.unjudged)),
        "sources": plain(list(report.sources)),
        "apps": list(report.apps),
        "namespaces": list(report.namespaces),
        "left_out": left_out_json(report.left_out),
    }


def item_json(item: Advice) -> dict[str, Any]:
    evidence = [{k: e[k] for k in ("source", "locator", "excerpt")} for e in plain(list(item.evidence))]
    return {
        "id": item.id,
        "family": item.family,
        "priority": item.priority,
        "subject": item.subject,
        "about": item.about,
        "statement": item.statement,
        "because": item.because,
        "do": item.do,
        "holdsFor": item.holds_for,
        "source": item.source,
        "evidence": evidence,
        "app": item.app,
        "namespace": item.namespace,
    }


def text_of(report: AdviceReport) -> str:
    """The report for a person: advice under its subject, then what could not be judged."""
    lines: list[str] = []
    subjects = list(dict.fromkeys(item.subject for item in report.items))
    for subject in subjects:
        lines += [subject]
        for item in (i for i in report.items if i.subject == subject):
            lines += [*_block(item), ""]
    if not report.items:
        lines += ["no advice", ""]
    lines += [_unjudged(u) for u in report.unjudged]
    looked = f"{plural(len(report.apps), 'application')} in {plural(len(report.namespaces), 'namespace')}"
    lines.append(f"looked at {looked}")
    lines += [joined(f"cannot read {s.name}: {s.state}", s.detail, sep=", ") for s in report.unread()]
    lines += left_out_lines(report.left_out)
    return "\n".join(clean(line, lines=True) for line in lines).rstrip()


def _block(item: Advice) -> list[str]:
    return [
        f"  {item.priority.upper()} {item.id}: {item.statement}",
        f"      why     {item.because}",
        f"      do      {item.do}",
        *(f"      saw     {e.locator}: {e.excerpt}" for e in item.evidence),
        f"      holds   {item.holds_for}",
        f"      read    {item.source}",
    ]


def _unjudged(item: Unjudged) -> str:
    about = f"{item.subject}: " if item.subject else ""
    needs = f" (needs {item.needs})" if item.needs else ""
    return f"not judged  {about}{item.what}: {item.because}{needs}"
