"""The workstreams index that the UI shows: found once, read again when the file changes, kept when it goes away."""

from __future__ import annotations

from pathlib import Path

from console.base.errors import ConsoleError
from console.sources.workstreams import Stamp, find_index, load, stamp
from console.workstreams.model import Index


class Planned:
    """`state` is loading, shown, stale (the file is away; what is shown is old) or none, then `trouble` says why.

    `look` does file work: call it outside the UI's thread.
    """

    def __init__(self, configured: Path | None) -> None:
        self._configured = configured
        self._path: Path | None = None
        self._seen: Stamp | None = None
        self.index: Index | None = None
        self.state, self.trouble = "loading", ""

    @property
    def file(self) -> str:
        return str(self._path or "")

    def look(self) -> bool:
        """Read the index if its file changed. True when there is something new to show."""
        before = (self.state, self.trouble, self.index)
        try:
            self._look()
        except ConsoleError as error:
            self.state = "none" if self.index is None else "stale"
            self.trouble = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
        return (self.state, self.trouble, self.index) != before

    def _look(self) -> None:
        if self._path is None:
            self._path = find_index(Path.cwd(), self._configured)
        now = stamp(self._path)
        if now is None and self.index is not None:
            self.state = "stale"
        elif now != self._seen or self.index is None:
            self.index = load(self._path)
            self._seen, self.state, self.trouble = now, "shown", ""
        else:
            self.state = "shown"
