"""A folder of saved evidence → `Facts`, judged by the same engine as a live cluster.

Every file is optional and known by its content: Kubernetes lists, objects, watch streams and timelines (JSON, lines of
JSON, YAML), `kubectl` tables and descriptions, events, logs, Spark's REST answers and event logs, metrics in text,
answers of Prometheus and Alertmanager. What cannot be read is listed in `Facts.unread` with the reason.
"""

from __future__ import annotations

from pathlib import Path

from console.base.errors import UsageError
from console.health.facts import (
    Facts,
)
from console.sources.folder_bytes import Reader
from console.sources.folder_harvest import Harvest


def read_folder(path: Path) -> Facts:
    """All facts of a folder of evidence.

    Raises:
        UsageError: it does not exist, is no folder, or may not be read.
    """
    if not path.exists():
        raise UsageError(f"there is no folder {str(path)!r}", hint="give a folder of saved evidence")
    if not path.is_dir():
        raise UsageError(f"{str(path)!r} is no folder", hint="give the folder that holds the saved evidence")
    try:
        next(path.iterdir(), None)
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    reader = Reader(path)
    harvest = Harvest(reader.unread)
    for piece in reader.pieces():
        try:
            harvest.take(piece)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            reader.unread.append((piece.locator, f"not understood: {type(error).__name__}"))
    return harvest.facts()
