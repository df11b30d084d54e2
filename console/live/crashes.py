"""Crash files: where Console failed at one subject, for whoever mends it. Few, small, redacted, for the owner only."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from console import __version__
from console.base.errors import UsageError
from console.base.paths import private_dir, state_dir
from console.facts.notjudged import NotJudged

MOST_FILES = 50
"""Files that are kept, the latest ones."""
MOST_BYTES = 16_384


class CrashFiles:
    """The folder `crashes` of a state folder: one file for each place of the code at which something failed.

    A disk that cannot be written is no reason to fail: then the finding alone says what happened.
    """

    def __init__(self, state: Path | None = None) -> None:
        self.folder = (state_dir() if state is None else state) / "crashes"
        self._written: set[str] = set()

    def keep(self, failed: Iterable[NotJudged]) -> None:
        """Write what was not written yet."""
        for one in failed:
            if one.reference not in self._written:
                self._written.add(one.reference)
                with contextlib.suppress(OSError, UsageError):
                    self._write(one)

    def _write(self, one: NotJudged) -> None:
        path = private_dir(private_dir(self.folder.parent) / self.folder.name) / one.reference
        data = f"console {__version__}\n{one.trace}\n".encode("utf-8", "replace")[:MOST_BYTES]
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        kept = sorted(self.folder.glob("crash-*.txt"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in kept[MOST_FILES:]:
            old.unlink(missing_ok=True)
