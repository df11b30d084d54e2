"""What the commands of `console workstreams` share: the index they work on, and how workstreams are named."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from console.base.errors import UsageError, did_you_mean
from console.base.text import clean, listed
from console.cli.options import Where
from console.workstreams.model import Index

F = TypeVar("F", bound=Callable[..., Any])


def index_argument(function: F) -> F:
    """The optional FILE."""
    return click.argument("file", required=False, metavar="[FILE]")(function)


def files_option(function: F) -> F:
    """The folder of workstream files."""
    return click.option(
        "--files",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Folder of individual workstream files (with completed/ and backlog/), joined to the index by id.",
    )(function)


def index_path(file: str | None) -> Path:
    """The index that a command works on."""
    from console.sources.files.workstreams import find_index

    if file:
        return Path(file)
    where = click.get_current_context().find_object(Where) or Where()
    from console.settings.load import load

    settings = load(Path(where.config) if where.config else None)
    configured = settings.workstreams_index
    if configured is not None and settings.origin("workstreams.index").kind in ("env", "flag"):
        return configured
    return find_index(Path.cwd(), configured)


def load_index(file: str | None, files: Path | None = None) -> Index:
    """Read the index that FILE names, and the workstream files if a folder is given."""
    from console.sources.files.workstreams import MAX_INDEX, load, read_files

    if file == "-":
        from console.workstreams.build import build

        data = sys.stdin.buffer.read(MAX_INDEX + 1)
        if len(data) > MAX_INDEX:
            raise UsageError(f"the index on stdin is larger than {MAX_INDEX // 1_000_000} MB")
        return build(data, file="-", files=read_files(files) if files else None)
    return load(index_path(file), files)


def name_first(name: str, file: str | None) -> tuple[str, str | None]:
    """WS-ID and FILE, in whichever order they were given."""
    return (file, name) if file and Path(name).is_file() and not Path(file).is_file() else (name, file)


def one(index: Index, name: str) -> int:
    """The workstream that a name means.

    Raises:
        UsageError: there is none, or more than one.
    """
    from console.workstreams.reports.view import find

    found = find(index, name)
    if len(found) == 1:
        return found[0]
    if not found:
        wanted = name.rpartition("/")[2]
        hint = did_you_mean(wanted, [item.id for item in index.workstreams][:5000])
        raise UsageError(f"there is no workstream {clean(name)!r} in {index.file}", hint=hint)
    keys = listed((clean(index.workstreams[number].key) for number in found), 10)
    raise UsageError(f"{clean(name)!r} may be any of {len(found)} workstreams", hint=f"name one: {keys}")


def feature_named(index: Index, name: str | None) -> str | None:
    """The feature that an option names, in the spelling of the index.

    Raises:
        UsageError: there is none.
    """
    if name is None:
        return None
    known = {feature.id.lower(): feature.id for feature in index.features}
    if name.lower() not in known:
        raise UsageError(
            f"there is no feature {clean(name)!r} in {index.file}", hint=did_you_mean(name, known.values())
        )
    return known[name.lower()]


def items(index: Index, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Workstreams as scripts see them: feature and id."""
    return [{"feature": index.workstreams[n].feature, "id": index.workstreams[n].id} for n in numbers]
