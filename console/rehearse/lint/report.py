"""The problems of one drill, each at its key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from console.base.document import Document, Path, dotted
from console.base.errors import did_you_mean
from console.runbook.lint.problems import LintProblem


class DrillReport:
    """Collects what is wrong with a drill."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[LintProblem] = []

    def add(
        self,
        code: str,
        path: Path,
        message: str,
        hint: str | None = "",
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        line, column = self.document.mark(path)
        file = self.document.file
        self.problems.append(LintProblem(code, severity, message, file, line, column, dotted(path), hint or ""))

    def known(self, code: str, path: Path, word: str, known: Iterable[str], message: str) -> bool:
        """Whether a word is one of those that there are; else that is a problem, with the nearest one."""
        choices = list(known)
        if word not in choices:
            self.add(code, path, message, did_you_mean(word, choices))
        return word in choices

    def done(self) -> tuple[LintProblem, ...]:
        """All problems in the order of their lines."""
        return tuple(sorted(self.problems, key=lambda one: (one.line, one.column)))
