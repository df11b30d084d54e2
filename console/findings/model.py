"""A finding: something that is wrong, as one statement with proof. Immutable, JSON-able by msgspec."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from console.facts.evidence import Evidence
from console.findings.figures.base import Figures

Severity = Literal["critical", "warning", "info"]


Confidence = Literal["high", "medium", "low"]


SEVERITY_ORDER: dict[str, int] = {"critical": 0, "warning": 1, "info": 2}


class RuledOut(Struct, frozen=True, gc=False, rename={"class_": "class"}):
    """A look-alike that does not hold: `class_` is an incident class or a short word, `because` the reason."""

    class_: str
    because: str


class Finding(Struct, frozen=True, gc=False, rename={"class_": "class"}):
    """Something that is wrong, as one statement with proof.

    Attributes:
        code: stable kebab-case word of the rule, e.g. `executor-oom-container`.
        class_: incident class `I01`…`I30`, or None (user code, or not classed).
        subject: `kind/namespace/name` of what it is about.
        since: epoch seconds of the first proof, or None.
        title: one short line for a row; `detail` one or two lines of reasoning.
        open_questions: what would decide between the causes still open: the exact thing to look at.
        runbooks: what the definition of a component names; to what a rule finds, the runbook leads that matches it.
        app: key of the SparkApp it belongs to, `` if none.
        data: figures that runbooks and other rules use, of the family of the code (`findings/figures`).
    """

    code: str
    class_: str | None
    severity: Severity
    subject: str
    since: float | None
    confidence: Confidence
    title: str
    detail: str = ""
    evidence: tuple[Evidence, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    open_questions: tuple[str, ...] = ()
    runbooks: tuple[str, ...] = ()
    app: str = ""
    causes: tuple[str, ...] = ()
    """Keys (`code@subject`) of the findings that this one is a consequence of."""
    data: Figures = Figures()

    @property
    def key(self) -> str:
        return f"{self.code}@{self.subject}"
