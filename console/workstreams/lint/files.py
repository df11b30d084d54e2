"""Rows against workstream files: their status, their folder, what is missing, what is there twice."""

from __future__ import annotations

from collections.abc import Iterator

from console.workstreams.codes import problem
from console.workstreams.model import Index, IndexProblem, WorkFile

_FOLDERS = {"completed": True, "done": True, "closed": True, "backlog": False, "open": False, "todo": False}
"""Folders whose name says whether what lies in them is completed."""


def folder_says(folder: str) -> bool | None:
    """Whether files in a folder of this name are completed; None where the name does not say."""
    return _FOLDERS.get(folder.lower())


def lint_files(index: Index) -> Iterator[IndexProblem]:
    """Everything that needs `--files`."""
    files = index.files or ()
    by_number: dict[int, list[WorkFile]] = {}
    by_id: dict[str, list[WorkFile]] = {}
    for item in files:
        if item.number is not None:
            by_number.setdefault(item.number, []).append(item)
        if item.raw_id and item.number is None:
            by_id.setdefault(item.id, []).append(item)
        yield from _alone(index, item)
    for number, found in by_number.items():
        yield from _joined(index, number, found)
    for name, found in by_id.items():
        for again in found[1:]:
            yield problem(
                "file-duplicate",
                None,
                f"{again.path}: {name} also has the file {found[0].path}",
                workstream=name,
                file=again.path,
                at=again.id_line,
            )
    ambiguous = {item.id for item in files if item.number is None}
    for workstream in index.workstreams:
        if workstream.number not in by_number and workstream.id not in ambiguous:
            yield problem(
                "file-missing",
                workstream.line,
                f"{workstream.id} has no file",
                feature=workstream.feature,
                workstream=workstream.id,
            )


def _alone(index: Index, item: WorkFile) -> Iterator[IndexProblem]:
    """What a file says against itself, its folder, or the whole index."""
    completed = folder_says(item.folder)
    if item.unread:
        yield problem("file-unread", None, f"{item.path}: {item.unread}", file=item.path)
    elif item.number is None:
        numbers = index.by_id().get(item.id, ())
        keys = ", ".join(index.workstreams[number].key for number in numbers)
        why = "is not in the index"
        if numbers:
            why = f"may be {keys}; its front matter should name the feature"
            if any(feature.id == item.feature for feature in index.features):
                why = f"is not in feature {item.feature}, which it names, but in {keys}"
        yield problem(
            "file-unknown",
            None,
            f"{item.path}: {item.id} {why}",
            workstream=item.id,
            file=item.path,
            at=item.id_line,
        )
    said = item.status
    if said and completed is not None and said.progress != "unknown" and said.completed != completed:
        yield problem(
            "file-vs-folder",
            None,
            f"{item.path}: its status is {said.text!r}, its folder {item.folder!r}",
            workstream=item.id or None,
            declared=said.text,
            derived=item.folder,
            file=item.path,
            at=item.status_line,
        )
    if item.open_criteria and (completed or (item.status is not None and item.status.completed)):
        yield problem(
            "file-criteria",
            None,
            f"{item.path}: {item.open_criteria} of {item.open_criteria + item.done_criteria} criteria are not ticked",
            workstream=item.id or None,
            derived=item.open_criteria,
            file=item.path,
        )


def _joined(index: Index, number: int, found: list[WorkFile]) -> Iterator[IndexProblem]:
    """A row against its file, or its files."""
    row = index.workstreams[number]
    word = "completed" if row.completed else "not completed"
    if len(found) > 1:
        yield problem(
            "file-duplicate",
            row.line,
            f"{row.id} has several files: {', '.join(item.path for item in found[:4])}",
            feature=row.feature,
            workstream=row.id,
            file=found[1].path,
            at=found[1].id_line,
        )
    for item in found:
        if item.status and item.status.progress != "unknown" and item.status.completed != row.completed:
            yield problem(
                "status-vs-file",
                row.line,
                f"{row.id} is {row.status.text!r} here, {item.status.text!r} in {item.path}:{item.status_line}",
                feature=row.feature,
                workstream=row.id,
                declared=row.status.text,
                derived=item.status.text,
                file=item.path,
                at=item.status_line,
            )
        completed = folder_says(item.folder)
        if completed is not None and completed != row.completed:
            yield problem(
                "status-vs-folder",
                row.line,
                f"{row.id} is {word} here, its file is in the folder {item.folder!r} ({item.path})",
                feature=row.feature,
                workstream=row.id,
                declared=row.status.text,
                derived=item.folder,
                file=item.path,
            )
