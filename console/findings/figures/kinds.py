"""Figures of kinds of failures: whose they are and what is done first."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures
from console.findings.kinds import all_kinds, operator_kinds


class KindFigures(Figures, frozen=True, kw_only=True):
    """Who can mend it, the smallest safe next step, and the line that decides, whole."""

    CODES: ClassVar[tuple[str, ...]] = (
        *(kind.code for kind in (*all_kinds(), *operator_kinds())),
        "unknown-failure",
        "part-failed",
        "operator-error",
        "api-token-not-mounted",
        "api-certificate-refused",
    )

    owner: str
    step: str
    line: str
