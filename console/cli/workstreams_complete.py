"""`console workstreams complete`: the one command that changes files, after a difference and a question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from console.base.errors import Exit, RefusedError, UsageError
from console.base.text import clean, plural, shorten
from console.cli.options import output_option
from console.cli.output import narrate, print_json, say
from console.cli.workstreams_common import index_argument, index_path, name_first, one
from console.workstreams.model import Index


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
    from console.sources.workstreams import apply, folder_beside, read_bytes, read_files
    from console.workstreams.build import build
    from console.workstreams.edit import complete_in_index, diff

    name, file = name_first(name, file)
    if file == "-":
        raise UsageError("an index on stdin cannot be edited")
    path = index_path(file)
    folder = None if index_only else files or folder_beside(path)
    data = read_bytes(path)
    index = build(data, file=str(path), files=read_files(folder, skip=path) if folder else None)
    number = one(index, name)
    item = index.workstreams[number]
    changes = []
    if not item.completed:
        changes.append(complete_in_index(index, number, data, path=str(path), summary=with_summary))
    if folder is not None:
        changes.extend(_file_changes(index, number, folder, move=not no_move))
    shown = [diff(change) for change in changes]
    if not changes:
        narrate(f"{clean(item.key)} is completed already; nothing to do")
    elif output != "json":
        for text in shown:
            say(clean(text, lines=True))
    for words in _consequences(index, number, changes, folder):
        narrate(words)
    if changes and not dry_run:
        if not yes and not _confirmed(f"Write {plural(len(changes), 'change')} for {clean(item.key)}?"):
            raise RefusedError("nothing was written")
        apply(changes)
    if output == "json":
        print_json(
            {
                "workstream": {"feature": item.feature, "id": item.id},
                "written": bool(changes) and not dry_run,
                "changes": [
                    {"path": change.path, "moved_to": change.moved_to or None, "diff": text}
                    for change, text in zip(changes, shown, strict=True)
                ],
            }
        )
    return Exit.OK


def _file_changes(index: Index, number: int, folder: Path, *, move: bool) -> list[Any]:
    from console.sources.workstreams import read_bytes
    from console.workstreams.edit import complete_in_file
    from console.workstreams.lint_files import folder_says

    mine = [item for item in index.files or () if item.number == number]
    if len(mine) > 1:
        narrate(f"{len(mine)} files belong to it, so none is changed: {', '.join(clean(item.path) for item in mine)}")
        return []
    out = []
    for item in mine:
        path = folder / item.path
        target = path.parent.parent / "completed" / path.name
        moved_to = str(target) if move and folder_says(item.folder) is False and target.parent.is_dir() else ""
        change = complete_in_file(item, read_bytes(path), path=str(path), moved_to=moved_to)
        if change is not None:
            out.append(change)
    return out


def _consequences(index: Index, number: int, changes: list[Any], folder: Path | None) -> list[str]:
    """What is known to be wrong or doubtful about completing this, in words."""
    from console.workstreams import view
    from console.workstreams.build import build

    item = index.workstreams[number]
    out = []
    if not item.completed:
        waits = view.row(index, number).waits_for
        if waits:
            out.append(f"it still waits for {shorten(', '.join(waits), 200)}")
        unlocked = view.rows(index, view.graph_of(index).unlocks(number).now)
        if unlocked:
            out.append(f"this makes {', '.join(row.key for row in unlocked[:10])} ready")
    for work in index.files or ():
        if work.number == number and work.open_criteria:
            out.append(f"{clean(work.path)}: {plural(work.open_criteria, 'criterion', 'criteria')} not ticked")
    first = changes[0] if changes and not item.completed else None
    if first is not None:
        known = {(p.code, p.message) for p in index.problems}
        after = build(first.after, file=index.file)
        new = [p for p in after.problems if p.severity == "error" and (p.code, p.message) not in known]
        out.extend(f"then lint will say, line {p.line}: {p.message}" for p in new[:5])
    return out


def _confirmed(question: str) -> bool:
    """Ask on stderr; no answer is No."""
    try:
        return click.confirm(question, default=False, err=True)
    except click.Abort:
        return False
