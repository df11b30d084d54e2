"""`console workstreams complete`: the one command that changes files, after a difference and a question."""

from __future__ import annotations

from pathlib import Path

import click

from console.base.errors import Exit, RefusedError, UsageError
from console.base.text import clean, plural
from console.cli.options import output_option
from console.cli.output import narrate, print_json, say
from console.cli.workstreams.common import index_argument, index_path, name_first, one


@click.command("complete")
@click.argument("name", metavar="WS-ID")
@index_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show the difference and stop.")
@click.option("--files", type=click.Path(path_type=Path), metavar="DIR", help="Folder of its workstream file.")
@click.option("--index-only", is_flag=True, help="Leave its workstream file alone.")
@click.option("--no-move", is_flag=True, help="Change the status in its file, but do not move it to completed/.")
@click.option("--with-summary", is_flag=True, help="Also move one from open to completed in the summary table.")
@output_option()
def complete(
    name: str,
    file: str | None,
    yes: bool,
    dry_run: bool,
    files: Path | None,
    index_only: bool,
    no_move: bool,
    with_summary: bool,
    output: str,
) -> Exit:
    """Mark a workstream as completed in the index and in its file, after showing the difference and asking.

    `F11/WS-011-01` names one among equal ids. Files beside the index (completed/, backlog/) are found by themselves.
    """
    from console.sources.files.completion import completion, read_for_completion
    from console.sources.files.workstreams import apply

    name, file = name_first(name, file)
    if file == "-":
        raise UsageError("an index on stdin cannot be edited")
    path = index_path(file)
    index, folder = read_for_completion(path, files, index_only=index_only)
    planned = completion(index, one(index, name), path, folder, move=not no_move, summary=with_summary)
    if not planned.changes:
        narrate(f"{planned.key} is completed already; nothing to do")
    elif output != "json":
        for text in planned.diffs:
            say(clean(text, lines=True))
    for words in planned.notes:
        narrate(words)
    write = bool(planned.changes) and not dry_run
    if write:
        if not yes and not _confirmed(f"Write {plural(len(planned.changes), 'change')} for {planned.key}?"):
            raise RefusedError("nothing was written")
        apply(planned.changes)
    if output == "json":
        print_json(
            {
                "workstream": {"feature": planned.feature, "id": planned.id},
                "written": write,
                "changes": [
                    {"path": change.path, "moved_to": change.moved_to or None, "diff": text}
                    for change, text in zip(planned.changes, planned.diffs, strict=True)
                ],
            }
        )
    return Exit.OK


def _confirmed(question: str) -> bool:
    """Ask on stderr; no answer is No."""
    try:
        return click.confirm(question, default=False, err=True)
    except click.Abort:
        return False
