"""The logs of one application, in which each wording is looked for once, whatever many rules ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.facts import logs
from console.facts.logs import Hit, Text
from console.facts.wordings import USUAL, WORDINGS


class AppLogs:
    """Texts of one application's logs and the places of their wordings."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self.texts = texts
        self._hits: dict[str, list[Hit]] = {}

    def hits(self, *wordings: str, roles: Iterable[str] = ()) -> list[Hit]:
        """Places of these wordings, in order of time. `roles` limits whose logs."""
        if not self.texts:
            return []
        out: list[Hit] = []
        for wording in wordings:
            if wording not in self._hits:
                self._hits[wording] = logs.find(self.texts, wording, WORDINGS[wording], usual=wording in USUAL)
            out.extend(self._hits[wording])
        wanted = set(roles)
        found = [h for h in out if not wanted or h.log.role in wanted]
        if len(wordings) > 1:
            found.sort(key=lambda h: (h.at or 0.0, h.log.origin.locator, h.line))
        return found

    def of(self, role: str) -> list[Text]:
        """The logs that one role wrote."""
        return [t for t in self.texts if t.log.role == role]
