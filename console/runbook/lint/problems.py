"""What lint says: one problem with its place, and the document that knows where each key stands."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from console.base.document import Document, Path, dotted, parse
from console.base.errors import DocumentError
from console.runbook.lint import short
from console.runbook.model import Runbook


class LintProblem(Struct, frozen=True):
    """One thing that is wrong with a runbook.

    Attributes:
        code: stable kebab-case word, e.g. `write-without-verify`.
        severity: only an error makes lint fail.
        line, column: from 1; 0 means the whole file.
        key: dotted place in the document.
    """

    code: str
    severity: Literal["error", "warning"]
    message: str
    file: str
    line: int = 0
    column: int = 0
    key: str = ""
    hint: str = ""

    @property
    def place(self) -> str:
        """`file:line:column`, as far as it is known."""
        return ":".join(
            [self.file, *([str(self.line)] if self.line else []), *([str(self.column)] if self.column else [])]
        )


def of_error(error: DocumentError) -> LintProblem:
    """A document that does not load, as a problem."""
    return LintProblem(
        "schema", "error", error.message, error.file, error.line, error.column, error.key, error.hint or ""
    )


class LintReport:
    """Collects the problems of one runbook, each at its key."""

    def __init__(self, runbook: Runbook) -> None:
        self.runbook = runbook
        self.document: Document = parse(runbook.text, runbook.file)
        self.places = {step.id: step.at or ("steps", index) for index, step in enumerate(runbook.steps)}
        self.problems: list[LintProblem] = []
        self._told: set[tuple[str, Path]] = set()

    def add(
        self,
        code: str,
        path: Path,
        message: str,
        hint: str | None = "",
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """A problem at a path of the document. What one short step has become says the same of it once."""
        if short.is_short(self.document, path):
            step = path[:4] if path[2:3] == ("steps",) else path[:2]
            if code in short.ONCE and (code, step) in self._told:
                return
            self._told.add((code, step))
            hint = short.HINTS.get(code, hint)
        line, column = self.document.mark(path)
        found = LintProblem(code, severity, message, self.runbook.file, line, column, dotted(path), hint or "")
        if found not in self.problems:
            self.problems.append(found)

    def at(self, step: str, *key: str | int) -> Path:
        """The path of a key of a step, as it is written."""
        at = self.places[step]
        return short.written(self.document, at, key) if short.is_short(self.document, at) else (*at, *key)

    def is_written(self, step: str) -> bool:
        """Whether a step stands in the file: ends and proofs of the short form come in by being led to."""
        at = self.places[step]
        return at[:1] == ("steps",) and short.value_at(self.document, at) is not None

    def has(self, *codes: str) -> bool:
        return any(p.code in codes for p in self.problems)

    def done(self) -> tuple[LintProblem, ...]:
        return tuple(sorted(self.problems, key=lambda p: (p.line, p.column, p.code, p.message)))
