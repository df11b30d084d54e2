"""Saved evidence, a folder, a file, an archive or what is piped in → `Facts`, judged by the engine of a live cluster.

Every file is optional and known by its content: Kubernetes lists, objects, watch streams and timelines (JSON, lines of
JSON, YAML), `kubectl` tables and descriptions, events, logs, Spark's REST answers and event logs, metrics in text,
answers of Prometheus and Alertmanager. What cannot be read is listed in `Facts.unread` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO

from console.base.errors import UsageError
from console.facts.model import Facts
from console.sources.folder.contents import FolderContents, Piece
from console.sources.folder.harvest import Harvest


def read_folder(path: Path) -> Facts:
    """All facts of a folder of evidence, or of one file or archive.

    Raises:
        UsageError: it does not exist, or may not be read.
    """
    if not path.exists():
        raise UsageError(f"there is no folder or file {str(path)!r}", hint="give saved evidence, or `-` to pipe it in")
    reader = FolderContents(path)
    if path.is_dir():
        try:
            next(path.iterdir(), None)
        except OSError as error:
            raise UsageError(f"{str(path)!r} cannot be read: {error.strerror}") from None
        return _facts(reader, reader.pieces())
    return _facts(reader, reader.of_file(path), alone=True)


def read_stream(stream: IO[bytes]) -> Facts:
    """All facts of what is piped in."""
    reader = FolderContents(Path())
    return _facts(reader, reader.of_stream(stream, "stdin"), alone=True)


def _facts(reader: FolderContents, pieces: Iterable[Piece], *, alone: bool = False) -> Facts:
    harvest = Harvest(reader.unread, alone=alone)
    for piece in pieces:
        try:
            harvest.take(piece)
        except Exception as error:
            harvest.failed.note(piece.locator, "reading a file", error)
    return harvest.facts()
