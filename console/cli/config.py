"""`console config`: the config file's place, its schema, what is wrong with it, and what holds with its origin."""

from __future__ import annotations

from pathlib import Path

import click

from console.base.errors import Exit, UsageError
from console.base.text import clean
from console.cli.options import Where, output_option, where_options
from console.cli.output import print_document, print_json, say, table


@click.group("config")
def group() -> None:
    """Look at the settings and check the config file."""


@group.command("path")
@where_options
def path(where: Where) -> None:
    """Print where the config file lies or would lie."""
    from console.settings.load import config_path

    say(where.config or str(config_path()))


@group.command("schema")
def schema() -> None:
    """Print the JSON Schema of the config file."""
    from console.settings.schema import config_schema

    print_document(config_schema())


@group.command("validate")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@output_option()
@where_options
def validate(file: Path | None, output: str, where: Where) -> None:
    """Check a config file (the usual one if none is named) and print every problem."""
    from console.base.errors import DocumentError
    from console.settings.load import config_path, read
    from console.settings.load import validate as check

    target = file or (Path(where.config) if where.config else config_path())
    try:
        _, problems = check(read(target))
    except DocumentError as error:
        problems = [error]
    if output == "json":
        rows = [
            {"file": p.file, "line": p.line, "column": p.column, "key": p.key, "message": p.message, "hint": p.hint}
            for p in problems
        ]
        print_json({"kind": "Problems", "file": str(target), "problems": rows})
    else:
        for problem in problems:
            say(clean(str(problem), lines=True))
        if not problems:
            say(f"{target}: fine")
    if problems:
        raise click.exceptions.Exit(Exit.USAGE)


@group.command("show")
@click.argument("key", required=False)
@output_option()
@where_options
def show(key: str | None, output: str, where: Where) -> None:
    """Print the settings that hold for a context and where each comes from. Secrets are not printed."""
    from console.base.errors import did_you_mean
    from console.settings.load import load

    flags = {"preset": where.preset, "prometheus.url": where.prometheus}
    settings = load(where.config, context=where.context or "", flags=flags)
    if output == "json":
        print_json(settings.as_json())
        return
    known = settings.rows()
    rows = [row for row in known if key is None or row[0] == key or row[0].startswith(f"{key}.")]
    if not rows:
        raise UsageError(f"there is no setting {key!r}", hint=did_you_mean(key or "", [row[0] for row in known]))
    shown = [(name, "-" if value in (None, "", [], {}) else str(value), str(origin)) for name, value, origin in rows]
    say(table(["SETTING", "VALUE", "ORIGIN"], shown))
