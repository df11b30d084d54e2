"""Findings that share one cause."""

from __future__ import annotations

from msgspec import Struct

from console.findings.model import Severity


class Incident(Struct, frozen=True):
    """Findings that share one cause, shown as one row. `speaks_for` and `against` are sentences."""

    key: str
    title: str
    findings: tuple[str, ...]
    severity: Severity
    since: float | None = None
    shared: str = ""
    speaks_for: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
