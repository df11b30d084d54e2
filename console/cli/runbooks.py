"""`console runbooks`: the library as a list, one runbook as a page, what lint says, and the schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from console.base.errors import Exit, UsageError
from console.base.text import plural
from console.cli import authors
from console.cli.engine.coverage import command as coverage
from console.cli.engine.linting import command as lint
from console.cli.engine.proving import command as test
from console.cli.engine.stats import command as stats
from console.cli.library import read_library
from console.cli.options import Where, output_option, where_options
from console.cli.output import narrate, page, plain, print_document, print_json, say, table

if TYPE_CHECKING:
    from console.runbook.model import Runbook
    from console.sources.files.runbooks import Library


@click.group("runbooks")
def group() -> None:
    """Look at the library of runbooks and check it."""


group.add_command(lint)
group.add_command(test)
group.add_command(stats)


@group.command("list")
@where_options
@output_option()
def list_(where: Where, output: str) -> int:
    """Every runbook with what leads to it."""
    library = read_library(where)
    if output == "json":
        print_json({"kind": "Runbooks", "runbooks": [summary(library, r) for r in library.runbooks.values()]})
    else:
        rows = [
            (r.id, r.version, r.severity or "-", "writes" if r.writes else "reads", _triggers(r), r.title)
            for r in library.runbooks.values()
        ]
        say(table(("ID", "VERSION", "SEVERITY", "EFFECT", "LEADS HERE", "TITLE"), rows))
    for problem in library.problems:
        narrate(f"{problem.severity}: {problem.place}: {problem.message}")
    return Exit.USAGE if any(p.severity == "error" for p in library.problems) else Exit.OK


@group.command("show")
@click.argument("name")
@click.option("--markdown", is_flag=True, help="As Markdown, for a page elsewhere.")
@click.option("--expanded", is_flag=True, help="As YAML of the long form, with every way written out.")
@where_options
@output_option()
def show(name: str, markdown: bool, expanded: bool, where: Where, output: str) -> int:
    """One runbook as a checklist: when to use it, every step with its ways, what a change does, how it ends."""
    from console.runbook.authors import checklist
    from console.runbook.language.expanded import text as long_form

    library = read_library(where)
    runbook = _one_file(Path(name)) if name.endswith((".yaml", ".yml")) else library.get(name)
    if expanded:
        page(long_form(runbook).rstrip())
        return Exit.OK
    lines = checklist.checklist(runbook)
    if output == "json":
        said = [line._asdict() for line in lines]
        tree = {**summary(library, runbook), **plain(runbook), "text": runbook.text, "checklist": said}
        print_json({"kind": "Runbook", "runbook": tree})
    else:
        page(checklist.markdown(lines) if markdown else checklist.text(lines))
    return Exit.OK


def _one_file(path: Path) -> Runbook:
    """The runbook in a file. Raises UsageError, DocumentError."""
    from console.runbook.schema import load

    try:
        return load(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


@group.command("schema")
@click.argument("kind", type=click.Choice(["runbook", "script"]), default="runbook")
def schema(kind: Literal["runbook", "script"]) -> None:
    """Print the JSON Schema of a runbook file, or of the file that describes a script."""

    from console.runbook import schema as runbook_schema
    from console.runbook import scripts

    document = runbook_schema.json_schema() if kind == "runbook" else scripts.json_schema()
    print_document(document)


def summary(library: Library, runbook: Runbook) -> dict[str, Any]:
    """A runbook without its steps."""
    keys = ("id", "version", "title", "owner", "severity", "reviewed", "hash", "expected_duration", "blast_radius")
    return {
        **{key: getattr(runbook, key) for key in keys},
        "file": str(library.files.get(runbook.id, runbook.file)),
        "writes": runbook.writes,
        "match": plain(runbook.match),
        "inputs": [plain(i) for i in runbook.inputs],
    }


def _triggers(runbook: Runbook) -> str:
    match = runbook.match
    counts = [
        plural(len(items), noun)
        for items, noun in ((match.findings, "finding"), (match.alerts, "alert"), (match.slos, "SLO"))
        if items
    ]
    return ", ".join(counts) or "nothing"


for _command in (authors.vocabulary, authors.new, authors.import_, coverage):
    group.add_command(_command)
