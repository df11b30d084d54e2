"""The workstreams index that the UI shows: found once, read again when the file changes, kept when it goes away."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from console.base.errors import ConsoleError
from console.sources.files.workstreams import Stamp, apply, find_index, load, stamp
from console.workstreams.model import Index

if TYPE_CHECKING:
    from console.sources.files.completion import Completion
    from console.workstreams.reports.history import Point

MOST_VERSIONS = 100


class WatchedIndex:
    """`state` is loading, shown, stale (the file is away; what is shown is old) or none, then `trouble` says why.

    `look` does file work: call it outside the UI's thread. The history is read once it was asked for by
    `want_history`; `past` is then what was found, or None with `past_trouble` saying why.
    """

    def __init__(self, configured: Path | None) -> None:
        self._configured = configured
        self._path: Path | None = None
        self._seen: Stamp | None = None
        self.index: Index | None = None
        self.state, self.trouble = "loading", ""
        self.past: tuple[Point, ...] | None = None
        self.past_trouble = ""
        self._past_wanted = False
        self._files = ThreadPoolExecutor(1, "workstreams")

    @property
    def file(self) -> str:
        return str(self._path or "")

    def look(self) -> bool:
        """Read the index if its file changed. True when there is something new to show."""
        before = (self.state, self.trouble, self.index, self.past, self.past_trouble)
        try:
            self._look()
        except ConsoleError as error:
            self.state = "none" if self.index is None else "stale"
            self.trouble = f"{error.message}{f' ({error.hint})' if error.hint else ''}"
        if self._past_wanted and self._path is not None:
            self._past_wanted = False
            self._look_back(self._path)
        return (self.state, self.trouble, self.index, self.past, self.past_trouble) != before

    def want_history(self) -> None:
        """Let the next `look` read the git history of the index."""
        self._past_wanted = True

    def completion(self, feature: str, id: str) -> Future[Completion]:
        """What completing a workstream would change, read from the files as they lie now."""
        return self._files.submit(self._completion, feature, id)

    def close(self) -> None:
        """Return once what is being written is written; what was asked for after it is not begun."""
        self._files.shutdown(cancel_futures=True)

    def complete(self, change: Completion) -> Future[None]:
        """Write what was shown and confirmed."""
        return self._files.submit(apply, change.changes)

    def _completion(self, feature: str, id: str) -> Completion:
        from console.sources.files.completion import completion, read_for_completion

        if self._path is None:
            raise ConsoleError("there is no index to change")
        index, folder = read_for_completion(self._path, None)
        number = next((n for n, item in enumerate(index.workstreams) if (item.feature, item.id) == (feature, id)), None)
        if number is None:
            raise ConsoleError(f"{feature}/{id} is not in the index any more")
        return completion(index, number, self._path, folder)

    def _look_back(self, path: Path) -> None:
        from console.sources.files.git import History, progress, sample

        try:
            past = History(path)
            self.past = progress(past, sample(past.versions(), MOST_VERSIONS))
            self.past_trouble = "older versions were not fetched" if past.shallow() else ""
        except ConsoleError as error:
            self.past, self.past_trouble = None, f"{error.message}{f' ({error.hint})' if error.hint else ''}"

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
