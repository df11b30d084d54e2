"""`console slo`: objectives with budgets and burn rates, one of them with its arithmetic, rules for Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.base.errors import Exit, UsageError, did_you_mean
from console.base.units import human_duration, percent
from console.cli.options import Where, output_option, where_options
from console.cli.output import narrate, plain, print_json, say, table
from console.live.shown import no_objectives
from console.slo import words

if TYPE_CHECKING:
    from console.board.model import Board
    from console.slo.model import Burn, SloStatus
    from console.slo.spec import SloSpec


class _ObjectiveCommands(click.Group):
    """A group in which a word that is no command is the id of an objective."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            return "show", self.get_command(ctx, "show"), args
        return super().resolve_command(ctx, args)


@click.group("slo", cls=_ObjectiveCommands, invoke_without_command=True)
@where_options
@output_option()
@click.pass_context
def command(ctx: click.Context, where: Where, output: str) -> int:
    """Objectives, error budgets and burn rates; with the id of one its arithmetic, windows and contributors."""
    ctx.obj = where
    if ctx.invoked_subcommand is not None:
        return Exit.OK
    board = _board(where)
    if output == "json":
        print_json({"kind": "SloList", "at": plain({"at": board.at})["at"], "slos": plain(list(board.slos))})
    elif not board.slos:
        say(no_objectives(board))
    else:
        say(slo_table(board))
    return _exit(board.slos)


@command.command("show")
@click.argument("id")
@where_options
@output_option()
def show(id: str, where: Where, output: str) -> int:
    """One objective: what was counted, each window with its burn, what burns it, and the queries."""
    board = _board(where)
    slo = next((s for s in board.slos if s.id == id), None)
    if slo is None:
        raise UsageError(f"there is no objective {id!r}", hint=did_you_mean(id, [s.id for s in board.slos]))
    if output == "json":
        print_json({"kind": "Slo", "at": plain({"at": board.at})["at"], "slo": plain(slo)})
    else:
        say(slo_page(slo, board.at))
    return _exit((slo,))


@command.command("rules")
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["rules", "prometheusrule", "tests"]),
    default="rules",
    show_default=True,
    help="A rule file, an object of the Prometheus operator, or unit tests for promtool.",
)
@click.option("--only", multiple=True, metavar="ID", help="Only this objective; promtool tests small files faster.")
@click.option("--name", default="console-slo", show_default=True, help="Name of the PrometheusRule object.")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Label of the PrometheusRule object.")
@click.option("--rule-file", default="console-slo.rules.yaml", show_default=True, help="File that the tests load.")
@where_options
def rules(form: str, only: tuple[str, ...], name: str, labels: tuple[str, ...], rule_file: str, where: Where) -> int:
    """Print recording and alerting rules of a preset's objectives, or the unit tests for `promtool test rules`."""
    import yaml

    from console.slo import rules as slo_rules

    specs = _specs(where, only)
    named = _pairs(labels)
    for note in (text for spec in specs for text in slo_rules.impossible(spec)):
        narrate(note)
    if form == "rules":
        document = slo_rules.rule_file(specs)
    elif form == "tests":
        document = slo_rules.unit_tests(specs, rule_file)
    else:
        document = slo_rules.prometheus_rule(specs, name, _one_namespace(where), named)
    say(yaml.dump(document, Dumper=_plain_dumper(), sort_keys=False, width=1000, allow_unicode=True).rstrip())
    return Exit.OK


def _one_namespace(where: Where) -> str:
    """Where the object belongs; `` leaves it open.

    Raises:
        UsageError: several are named.
    """
    if len(where.namespaces) > 1:
        raise UsageError("a PrometheusRule is in one namespace", hint="say -n once")
    return next(iter(where.namespaces), "")


def _specs(where: Where, only: tuple[str, ...]) -> tuple[SloSpec, ...]:
    """The objectives of the preset, or those with the ids in `only`.

    Raises:
        UsageError: no preset is named, or it has no such objective.
    """
    from console.settings.load import load
    from console.settings.presets import load_library

    settings = load(where.config, context=where.context or "", flags={"preset": where.preset})
    if settings.preset is None:
        raise UsageError("no preset is named", hint="console slo rules --preset NAME")
    specs = tuple(load_library(settings.folders("preset_paths")).preset(settings.preset).specs())
    ids = [spec.id for spec in specs]
    for id in only:
        if id not in ids:
            raise UsageError(f"there is no objective {id!r}", hint=did_you_mean(id, ids))
    return tuple(spec for spec in specs if not only or spec.id in only)


def _pairs(labels: tuple[str, ...]) -> dict[str, str]:
    pairs = [label.partition("=") for label in labels]
    if not all(sign and key for key, sign, _ in pairs):
        raise UsageError("a label is written KEY=VALUE", hint="--label release=prometheus")
    return {key: value for key, _, value in pairs}


@command.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--title", default="Imported objectives", show_default=True, help="Title of the preset.")
def import_(files: tuple[Path, ...], title: str) -> int:
    """Print a preset with the objectives of files of Sloth, Pyrra or OpenSLO v1.

    What cannot be read is named on stderr with its place; the rest is still printed.
    """
    import yaml

    from console.base.document import parse_all
    from console.slo.imported import read

    documents = []
    for file in files:
        try:
            documents += parse_all(file.read_text(encoding="utf-8"), str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read: {error}") from None
    found = read(documents)
    for note in (*found.notes, *(str(problem) for problem in found.problems)):
        narrate(note)
    document = {"title": title, "slos": found.slos}
    say(yaml.dump(document, Dumper=_plain_dumper(), sort_keys=False, width=1000, allow_unicode=True).rstrip())
    return Exit.USAGE if found.problems or not found.slos else Exit.OK


def _plain_dumper() -> Any:
    """A YAML dumper without anchors, which people and other tools read badly."""
    import yaml

    class AnchorlessDumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

    return AnchorlessDumper


def _board(where: Where) -> Board:
    from console.cli.connect import settled

    return settled(where).board


def _exit(slos: tuple[SloStatus, ...]) -> Exit:
    """0 when every objective is known and good."""
    return Exit.OK if slos and all(slo.state == "good" for slo in slos) else Exit.UNHEALTHY


def slo_table(board: Board) -> str:
    """All objectives as a table. `~` marks few events; what is not known is a word."""
    rows = [
        (
            slo.id,
            words.target(slo.objective),
            words.state(slo),
            words.budget_left(slo.budget_left),
            *(words.burn_rate(words.burn_over(slo, window)) for window in (300.0, 3600.0, 21600.0, 259200.0)),
            words.bad_of_total(slo.bad, slo.total),
            words.gone_in(slo) or "-",
            slo.reason or "-",
        )
        for slo in board.slos
    ]
    return table(("SLO", "TARGET", "STATE", "LEFT", "BURN 5M", "1H", "6H", "3D", "BAD/TOTAL", "GONE IN", "WHY"), rows)


def slo_page(slo: SloStatus, now: float) -> str:
    """Everything about one objective."""
    lines = [
        f"{slo.title} ({slo.id}): {words.state(slo)}",
        *([f"  {slo.reason}"] if slo.reason else []),
        "",
        f"objective   {words.target(slo.objective)} over {human_duration(slo.period)}",
        f"budget left {words.budget_left(slo.budget_left)}",
        f"counted     {_counted(slo)}",
        f"arithmetic  {slo.arithmetic or 'no data'}",
        f"source      {slo.source or 'no data'}",
        f"measured    {'no data' if slo.measured_at is None else human_duration(now - slo.measured_at) + ' ago'}",
        f"covered     {words.covered(slo.covered)}{'' if slo.covered is None else ' of the period'}",
        f"gone in     {words.gone_in(slo) or '-'}",
        "",
        table(("WINDOW", "BAD/TOTAL", "ERROR RATIO", "BURN", "ALERTS ABOVE", "COVERED"), map(_window, slo.burns)),
    ]
    if slo.contributors:
        rows = [(c.name, words.events(c.bad), percent(c.share)) for c in slo.contributors]
        if slo.unattributed is not None and slo.unattributed >= 0.005:
            rows.append(("not known", "-", percent(slo.unattributed)))
        by = f" ({'/'.join(slo.contributors_by).upper()})" if slo.contributors_by else ""
        lines += ["", table((f"SPENT BY{by}", "BAD", "SHARE"), rows)]
    if slo.runbooks:
        lines += ["", f"runbooks    {', '.join(slo.runbooks)}"]
    lines += ["", "queries", *(f"  {query}" for query in slo.queries)]
    return "\n".join(lines)


def _counted(slo: SloStatus) -> str:
    if slo.bad is None or slo.total is None:
        return "no data"
    few = " (few events: burn rates are doubtful)" if slo.low_traffic else ""
    return f"{words.events(slo.bad)} bad of {words.events(slo.total)}{few}"


def _window(burn: Burn) -> tuple[Any, ...]:
    return (
        human_duration(burn.window),
        words.bad_of_total(burn.bad, burn.total),
        words.ratio(burn.ratio),
        words.burn_rate(burn),
        "-" if burn.factor is None else f"{burn.factor:g}",
        words.covered(burn.covered),
    )
