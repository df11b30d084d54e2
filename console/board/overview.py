"""Findings as a first screen needs them: one entry per cause, with everything that follows from it behind it. Pure."""

from __future__ import annotations

from msgspec import Struct

from console.board.model import Board
from console.causes.model import Incident
from console.findings.model import Finding


class Cause(Struct, frozen=True):
    """One cause: `lead` speaks for it, `rest` are the findings that share it or follow from it, the nearest first.

    `incident` says what speaks for the grouping and against it; None where nothing was grouped. `apps` are the keys of
    the applications that suffer.
    """

    lead: Finding
    rest: tuple[Finding, ...]
    incident: Incident | None
    apps: tuple[str, ...]

    @property
    def key(self) -> str:
        """The incident's key where several applications share it, else the lead's."""
        return f"incident:{self.incident.key}" if self.shared and self.incident else self.lead.key

    @property
    def shared(self) -> bool:
        """Whether it is more than one application's own trouble."""
        return len(self.apps) > 1

    @property
    def title(self) -> str:
        return self.incident.title if self.shared and self.incident else self.lead.title

    @property
    def where(self) -> str:
        """What the applications share, or the subject."""
        if self.shared and self.incident:
            return self.incident.shared
        return self.lead.subject.split("/", 1)[-1].strip("/")

    @property
    def since(self) -> float | None:
        return self.incident.since if self.incident else self.lead.since

    @property
    def classes(self) -> tuple[str, ...]:
        """Incident classes of its findings, the lead's first."""
        return tuple(dict.fromkeys(f.class_ for f in (self.lead, *self.rest) if f.class_))


def causes(board: Board) -> tuple[Cause, ...]:
    """Every finding of the board, in its order, exactly once."""
    by_key = {f.key: f for f in board.findings}
    grouped = {key: incident for incident in board.incidents for key in incident.findings}
    seen: set[str] = set()
    out: list[Cause] = []
    for finding in board.findings:
        incident = grouped.get(finding.key)
        if incident is None:
            out.append(Cause(finding, (), None, (finding.app,) if finding.app else ()))
        elif incident.key not in seen:
            seen.add(incident.key)
            members = [by_key[key] for key in dict.fromkeys(incident.findings) if key in by_key]
            apps = tuple(dict.fromkeys(f.app for f in members if f.app))
            out.append(Cause(members[0], tuple(members[1:]), incident, apps))
    return tuple(out)
