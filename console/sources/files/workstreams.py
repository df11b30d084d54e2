"""The user's own files of workstreams: finding and reading them, noticing changes, writing what was confirmed.

Reading follows the index wherever it lies; nothing is written except by `apply`, after a person or a flag said yes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from console.base.errors import ConsoleError, UsageError
from console.base.paths import replace_file
from console.base.text import plural
from console.workstreams.build import build
from console.workstreams.grammar.edit import FileChange
from console.workstreams.model import Index

USUAL = Path("docs") / "workstreams" / "INDEX.md"
MAX_INDEX = 64_000_000
MAX_FILE = 2_000_000
MAX_FILES = 20_000


class Stamp(Struct, frozen=True):
    """What a file looked like; a different stamp means that it may have changed."""

    inode: int
    size: int
    modified: int


def stamp(path: Path) -> Stamp | None:
    """The stamp of a file, None while it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns)


def repository_of(folder: Path) -> Path | None:
    """The root of the git repository around a folder, None where there is none."""
    at = folder.resolve()
    for candidate in (at, *at.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def find_index(start: Path, configured: Path | None = None) -> Path:
    """The index to use when none is named: that of the repository around `start`, else the configured one.

    Raises:
        UsageError: there is neither.
    """
    root = repository_of(start)
    if root is not None and (root / USUAL).is_file():
        return root / USUAL
    if configured is not None:
        return configured
    where = f"{root / USUAL} does not exist" if root else f"{start} lies in no git repository"
    raise UsageError(
        f"no workstreams index is named, and {where}", hint="name the file, or set workstreams.index in the config"
    )


def read_bytes(path: Path, limit: int = MAX_INDEX) -> bytes:
    """The bytes of a regular file.

    Raises:
        UsageError: it does not exist, is no file, cannot be read or is larger than `limit`.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UsageError(f"{path} is no file")
            data = file.read(limit + 1)
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder, not an index", hint=f"did you mean {path / 'INDEX.md'}?") from None
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > limit:
        raise UsageError(f"{path} is larger than {limit // 1_000_000} MB")
    return data


def read_files(folder: Path, *, skip: Path | None = None) -> list[tuple[str, bytes]]:
    """Every Markdown file below a folder as (relative path with `/`, content), sorted; not through symbolic links.

    Args:
        skip: the index itself, when it lies in the folder.

    Raises:
        UsageError: it is no folder, a file cannot be read, or there are too many.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder of workstream files")
    skipped = skip.resolve() if skip else None
    found: list[Path] = []
    for root, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(root) / name
            if name.lower().endswith(".md") and name.upper() != "README.MD" and not path.is_symlink():
                found.append(path)
    if len(found) > MAX_FILES:
        raise UsageError(f"{folder} holds {plural(len(found), 'file')}; at most {MAX_FILES} are read")
    return [
        (path.relative_to(folder).as_posix(), read_bytes(path, MAX_FILE))
        for path in sorted(found)
        if path.resolve() != skipped
    ]


def load(path: Path, files: Path | None = None) -> Index:
    """Read and check an index, and the workstream files beside it if a folder is given.

    Raises:
        UsageError: a file or folder cannot be read.
    """
    data = read_bytes(path)
    return build(data, file=str(path), files=read_files(files, skip=path) if files else None)


def folder_beside(index: Path) -> Path | None:
    """The folder of an index where it also holds workstream files in `completed/` or `backlog/`."""
    folder = index.resolve().parent
    return folder if any((folder / name).is_dir() for name in ("completed", "backlog")) else None


def apply(changes: Sequence[FileChange]) -> None:
    """Write confirmed changes: each file at once, with its mode, and only if it still is what the change was made from.

    A file that moves is written in its new place before the old one goes.

    Raises:
        ConsoleError: a file changed meanwhile, its new place is taken, or it cannot be written. Files before it in the
            list are then written, those after it are not.
    """
    for change in changes:
        path = Path(change.path).resolve()
        if read_bytes(path, max(MAX_INDEX, len(change.before))) != change.before:
            raise ConsoleError(f"{path} changed meanwhile; nothing was written to it", hint="run the command again")
    for change in changes:
        path = Path(change.path).resolve()
        target = Path(change.moved_to).resolve() if change.moved_to else path
        try:
            if target != path:
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.exists():
                    raise ConsoleError(f"{target} already exists; {path} was left where it is")
            replace_file(target, change.after, mode=stat.S_IMODE(path.stat().st_mode), durable=True)
            if target != path:
                path.unlink()
        except OSError as error:
            raise ConsoleError(f"{target} cannot be written: {error.strerror or error}") from None
