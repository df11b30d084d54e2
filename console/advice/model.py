"""Advice and the report that holds it. Immutable, JSON-able by msgspec.

Advice is no finding: nothing is broken because of it now. It has no part in the verdict of a board.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from console.facts.evidence import Evidence
from console.facts.leftout import LeftOut
from console.facts.model import SourceState

Family = Literal["configuration", "security", "versions"]
Priority = Literal["high", "medium", "low"]
FAMILIES: tuple[Family, ...] = ("configuration", "security", "versions")
_UNREAD = ("forbidden", "partial", "unreachable", "login needed")
PRIORITIES: tuple[Priority, ...] = ("high", "medium", "low")


class Advice(Struct, frozen=True):
    """One thing to change, with the reason.

    Attributes:
        id: stable kebab-case word of the rule.
        priority: high: it fails, or opens the cluster; medium: it costs or risks something; low: tidiness.
        subject: `Kind/namespace/name` of what it is about.
        about: the key, label, binding or image within the subject, `` where the subject says enough.
        statement: what is so, in one line.
        because: why it matters.
        do: what to change.
        holds_for: the versions for which this is true.
        source: URL of public documentation.
        app: key of the SparkApp, `` where it is about a namespace.
    """

    id: str
    family: Family
    priority: Priority
    subject: str
    statement: str
    because: str
    do: str
    holds_for: str
    source: str
    about: str = ""
    evidence: tuple[Evidence, ...] = ()
    app: str = ""
    namespace: str = ""

    @property
    def key(self) -> str:
        return f"{self.id}@{self.subject}#{self.about}"


class Unjudged(Struct, frozen=True):
    """Something that no rule could decide. It is neither good nor bad.

    Attributes:
        what: what was not judged.
        because: what is missing.
        needs: a permission or a fact that would decide it.
    """

    family: Family
    what: str
    because: str
    needs: str = ""
    subject: str = ""


class AdviceReport(Struct, frozen=True):
    """Everything that was advised at `at`, what could not be judged, and what was read for it."""

    at: float
    items: tuple[Advice, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    sources: tuple[SourceState, ...] = ()
    apps: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    """What bounds left out: of what is not known here there is no advice."""

    def unread(self) -> tuple[SourceState, ...]:
        """What may not or cannot be read, wholly or in part."""
        return tuple(s for s in self.sources if s.state in _UNREAD)

    def of(self, families: tuple[str, ...]) -> AdviceReport:
        """Only these families, with the sources that they need; all where none is named."""
        if not families:
            return self
        return AdviceReport(
            self.at,
            tuple(i for i in self.items if i.family in families),
            tuple(u for u in self.unjudged if u.family in families),
            self.sources if "security" in families else (),
            self.apps,
            self.namespaces,
            self.left_out,
        )
