"""`console config`: the config file's place, its schema, what is wrong with it, and what holds with its origin."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from console.base.errors import Exit, UsageError
from console.base.text import clean


@click.group("config")
def config() -> None:
    """Look at the settings and check the config file."""


@config.command("path")
def path() -> None:
    """Print where the config file lies or would lie."""
    from console.settings.load import config_path

    click.echo(config_path())


@config.command("schema")
def schema() -> None:
    """Print the JSON Schema of the config file."""
    from console.settings.schema import config_schema

    click.echo(_json(config_schema()))


@config.command("validate")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print.")
def validate(file: Path | None, output: str) -> None:
    """Check a config file (the usual one if none is named) and print every problem."""
    from console.base.errors import DocumentError
    from console.settings.load import config_path, read
    from console.settings.load import validate as check

    target = file or config_path()
    try:
        _, problems = check(read(target))
    except DocumentError as error:
        problems = [error]
    if output == "json":
        rows = [
            {"file": p.file, "line": p.line, "column": p.column, "key": p.key, "message": p.message, "hint": p.hint}
            for p in problems
        ]
        click.echo(_json({"apiVersion": "console/v1", "kind": "Problems", "file": str(target), "problems": rows}))
    else:
        for problem in problems:
            click.echo(clean(str(problem), lines=True))
        if not problems:
            click.echo(f"{target}: fine")
    if problems:
        raise click.exceptions.Exit(Exit.USAGE)


@config.command("show")
@click.argument("key", required=False)
@click.option("--context", default="", help="The kubeconfig context to show the settings for.")
@click.option("--config", "file", type=click.Path(path_type=Path), help="The config file.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print.")
def show(key: str | None, context: str, file: Path | None, output: str) -> None:
    """Print the settings that hold and where each comes from. Secrets are not printed."""
    from console.base.errors import did_you_mean
    from console.settings.load import load

    settings = load(file, context=context)
    if output == "json":
        click.echo(_json(settings.as_json()))
        return
    rows = [row for row in settings.rows() if key is None or row[0] == key or row[0].startswith(f"{key}.")]
    if not rows:
        known = [row[0] for row in settings.rows()]
        raise UsageError(f"there is no setting {key!r}", hint=did_you_mean(key or "", known))
    width = max(len(name) for name, _, _ in rows)
    for name, value, origin in rows:
        shown = "-" if value in (None, "", [], {}) else str(value)
        click.echo(clean(f"{name:<{width}}  {shown:<24}  {origin}"))


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
