"""What marking a workstream as completed would change in the user's own files. Reads them; writes nothing."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from console.base.redact import redact
from console.base.text import listed, plural, shorten
from console.sources.files.workstreams import folder_beside, read_bytes, read_files
from console.workstreams.build import build
from console.workstreams.displayed import displayed
from console.workstreams.grammar.edit import FileChange, complete_in_file, complete_in_index, diff
from console.workstreams.lint.files import folder_says
from console.workstreams.model import Index, WorkFile
from console.workstreams.reports import view


class Completion(Struct, frozen=True):
    """A workstream that would be completed.

    Attributes:
        key: `feature/id`; `feature` and `id` as the index writes them.
        changes: in the order of writing; none where it is completed already.
        diffs: one text per change.
        notes: what is known to be wrong or doubtful about it, and what it sets free, as sentences.
    """

    key: str
    feature: str
    id: str
    changes: tuple[FileChange, ...]
    diffs: tuple[str, ...]
    notes: tuple[str, ...]


def read_for_completion(path: Path, folder: Path | None, *, index_only: bool = False) -> tuple[Index, Path | None]:
    """The index as it lies now, with its files (`folder`, else those beside it), and the folder that was read.

    Raises:
        UsageError: a file or folder cannot be read.
    """
    found = None if index_only else folder or folder_beside(path)
    files = read_files(found, skip=path) if found else None
    return build(read_bytes(path), file=str(path), files=files), found


def completion(
    index: Index, number: int, path: Path, folder: Path | None, *, move: bool = True, summary: bool = False
) -> Completion:
    """What completing `number` changes.

    Args:
        folder: of workstream files, None leaves them alone.
        move: also from backlog/ to completed/.
        summary: also one from open to completed in the summary table.

    Raises:
        ConsoleError: the change cannot be made without touching more than it should.
    """
    item = index.workstreams[number]
    changes: list[FileChange] = []
    notes: list[str] = []
    if not item.completed:
        changes.append(complete_in_index(index, number, read_bytes(path), path=str(path), summary=summary))
    if folder is not None:
        mine = [file for file in index.files or () if file.number == number]
        if len(mine) > 1:
            names = ", ".join(displayed(file.path) for file in mine)
            notes.append(f"{len(mine)} files belong to it, so none is changed: {names}")
        elif mine and (change := _file_change(mine[0], folder, move=move)) is not None:
            changes.append(change)
    notes += _consequences(index, number, changes)
    diffs = tuple(redact(diff(change)) for change in changes)
    return Completion(displayed(item.key), item.feature, item.id, tuple(changes), diffs, tuple(notes))


def _file_change(item: WorkFile, folder: Path, *, move: bool) -> FileChange | None:
    path = folder / item.path
    target = path.parent.parent / "completed" / path.name
    moved_to = str(target) if move and folder_says(item.folder) is False and target.parent.is_dir() else ""
    return complete_in_file(item, read_bytes(path), path=str(path), moved_to=moved_to)


def _consequences(index: Index, number: int, changes: list[FileChange]) -> list[str]:
    item = index.workstreams[number]
    out = []
    if not item.completed:
        waits = view.row(index, number).waits_for
        if waits:
            out.append(f"it still waits for {shorten(', '.join(waits), 200)}")
        unlocked = view.rows(index, view.graph_of(index).unlocks(number).now)
        if unlocked:
            out.append(f"this makes {listed((row.key for row in unlocked), 10)} ready")
    for work in index.files or ():
        if work.number == number and work.open_criteria:
            out.append(f"{displayed(work.path)}: {plural(work.open_criteria, 'criterion', 'criteria')} not ticked")
    first = changes[0] if changes and not item.completed else None
    if first is not None:
        known = {(p.code, p.message) for p in index.problems}
        after = build(first.after, file=index.file)
        new = [p for p in after.problems if p.severity == "error" and (p.code, p.message) not in known]
        out.extend(f"then lint will say, line {p.line}: {p.message}" for p in new[:5])
    return out
