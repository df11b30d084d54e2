"""`console runbooks coverage`: what has no runbook, and runbooks that nothing leads to, by severity and owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.base.errors import Exit, UsageError
from console.base.text import clean, joined, plural
from console.cli.library import read_library
from console.cli.options import Where, output_option, where_options
from console.cli.output import narrate, plain, print_json, say, table

if TYPE_CHECKING:
    from console.monitoring.rulefiles import WrittenRule
    from console.runbook.authors.covered import CoverageGap
    from console.runbook.authors.led import AlertLead
    from console.runbook.authors.waivers import Coverable, Waiver
    from console.runbook.model import Runbook

SAID = {"": "as grave as what is seen"}
PLATFORM = "platform"


@click.command("coverage")
@click.option("--waivers", type=click.Path(path_type=Path, dir_okay=False), help="YAML: what may stay so, and why.")
@click.option(
    "--alerts", "files", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="To which runbook each alert of this file leads: rules of Prometheus, a PrometheusRule or a ConfigMap.",
)  # fmt: skip
@click.option("--all", "waived_too", is_flag=True, help="List what is waived as well.")
@click.option(
    "--fail-on",
    type=click.Choice(["critical", "warning", "any"]),
    default="any",
    show_default=True,
    help="From which severity on an open gap ends with 1.",
)
@where_options
@output_option()
def command(
    waivers: Path | None, files: tuple[Path, ...], waived_too: bool, fail_on: str, where: Where, output: str
) -> int:
    """Both ways: findings, alerts, objectives and components without a runbook, and runbooks that nothing leads to.

    Exit code 1 where something is open that is not waived.
    """
    from console.runbook.authors import covered

    books = list(read_library(where).runbooks.values())
    things = everything(where, books)
    if files:
        return _coverage_of(files, books, things, waivers, output)
    found = covered.gaps(books, things, waiving(waivers, things))
    if output == "json":
        gaps = [{**plain(gap.thing), "because": gap.because, "waived": gap.waived} for gap in found]
        print_json({"kind": "RunbookCoverage", "gaps": gaps})
    else:
        _tell(found, waived_too=waived_too)
    still = [gap for gap in found if not gap.waived]
    narrate(f"{len(still)} open, {len(found) - len(still)} waived")
    grave = covered.ORDER if fail_on == "any" else covered.ORDER[: covered.ORDER.index(fail_on) + 1]
    failing = [gap for gap in still if fail_on == "any" or gap.thing.severity in grave]
    return Exit.UNHEALTHY if failing else Exit.OK


def _coverage_of(
    files: Iterable[Path], books: list[Runbook], things: list[Coverable], own: Path | None, output: str
) -> int:
    """Each alert of these files with its runbook, or that the library lacks one."""
    from console.runbook.authors import led
    from console.runbook.authors.waivers import Coverable

    written = [(file, _rules_of(file)) for file in files]
    theirs = [Coverable("alert", rule.name, "", "") for _, rules in written for rule in rules if rule.name]
    waivers = waiving(own, [*things, *theirs])
    waived = {one.name: w.because for one in theirs for w in waivers if w.fits(one)}
    found = [one for file, rules in written for one in led.leads(rules, str(file), books, waived)]
    if not found:
        raise UsageError(
            f"no alert is in {', '.join(map(str, files))}", hint="`groups:` with rules that have an `alert:`"
        )
    if output == "json":
        print_json({"kind": "AlertCoverage", "alerts": [plain(one) for one in found]})
    else:
        say(table(("ALERT", "RUNBOOK", "NOTE", "FILE"), map(_row, found)))
    lacking = [one for one in found if not one.runbook]
    still = [one for one in lacking if not one.waived]
    narrate(f"{plural(len(found), 'alert')}: {len(found) - len(lacking)} lead to a runbook, {len(still)} lack one")
    return Exit.UNHEALTHY if still else Exit.OK


def _rules_of(file: Path) -> list[WrittenRule]:
    from console.base.document import parse_all
    from console.runbook.authors import led

    return [
        rule for document in parse_all(file.read_text(encoding="utf-8"), str(file)) for rule in led.rules_in(document)
    ]


def _row(one: AlertLead) -> tuple[str, ...]:
    note = joined(one.because, one.waived, clean(one.wrong), sep="; ")
    return clean(one.alert), one.runbook or "lacks", note, one.place


def _tell(found: Iterable[CoverageGap], *, waived_too: bool) -> None:
    """Gaps below their severity and owner, then what is waived and why."""
    group: tuple[int, str] | None = None
    gaps = list(found)
    for gap in (one for one in gaps if waived_too or not one.waived):
        if gap.group != group:
            severity = SAID.get(gap.thing.severity, gap.thing.severity)
            say(("\n" if group else "") + f"{severity.upper()} · {gap.thing.owner or 'nobody is named'}")
            group = gap.group
        waived = f" (waived: {gap.waived})" if gap.waived else ""
        say(f"  {gap.thing.what:<10} {gap.thing.name:<36} {gap.because}{waived}")
    for because, count in Counter(gap.waived for gap in gaps if gap.waived).items():
        narrate(f"{count} waived: {because}")


def everything(where: Where, books: list[Runbook]) -> list[Coverable]:
    """All that a runbook can be for: findings, alerts of presets and drills, objectives, components; and runbooks."""
    from console.drill.scenario import files
    from console.runbook.authors import covered
    from console.runbook.authors.waivers import Coverable
    from console.settings.load import load
    from console.settings.presets import load_library
    from console.slo.rules import alert_name

    settings = load(Path(where.config) if where.config else None)
    presets = load_library(settings.folders("preset_paths"))
    specs = {spec.id: spec for preset in presets.presets.values() for spec in preset.specs()}
    rules = {rule.alert: rule.labels for name in files.names() for rule in files.load(name).world.rules}
    alerts = {
        name: Coverable("alert", name, labels.get("severity", ""), labels.get("team", ""))
        for name, labels in rules.items()
    }
    for spec in specs.values():
        for what, severity in (("BudgetBurn", "critical"), ("NoData", "warning")):
            name = alert_name(spec, what)
            alerts.setdefault(name, Coverable("alert", name, severity, PLATFORM))
    return [
        *covered.findings(),
        *sorted(alerts.values(), key=lambda one: one.name),
        *(Coverable("objective", id, "critical", PLATFORM) for id in sorted(specs)),
        *(Coverable("component", id, "critical", PLATFORM) for id in sorted(presets.components)),
        *covered.runbooks(books),
    ]


def waiving(own: Path | None, things: list[Coverable]) -> list[Waiver]:
    """The waivers that count everywhere, and those of a file.

    Raises:
        DocumentError: one is wrong. UsageError: the file cannot be read.
    """
    from console.base.document import parse
    from console.runbook.authors import waivers

    shipped = Path(waivers.__file__).with_suffix(".yaml")
    out: list[Waiver] = []
    for file in (shipped, *([own] if own else [])):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
        out += waivers.read(parse(text, str(file)), things)
    return out
