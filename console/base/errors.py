"""Errors that reach a user: one clear sentence, a place, the nearest valid choice and an exit code.

ConsoleError              1  something is unhealthy or failed
├── UsageError            2  wrong arguments or configuration
│   └── DocumentError     2  a YAML or JSON document is wrong: file, line, column, key
├── ReachError            3  a server cannot be reached in time, or cannot serve anybody now
│   └── LoginNeeded       3  it was reached, but who we are is not settled
├── ForbiddenError        3  the server knows us and says no to a read
├── RefusedError          4  policy or a person said no to a change
└── Interrupted         130  the user stopped it
                        143  SIGTERM stopped it

`console.wire.errors` adds what a server answers: a no is an ApiError (1), "not now" is a ReachError too (3).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum

from console.base.text import utf8


class Exit(IntEnum):
    """Exit codes are an interface: scripts branch on them."""

    OK = 0
    UNHEALTHY = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    INTERRUPTED = 130
    TERMINATED = 143


class ConsoleError(Exception):
    """Base of everything that is shown to a user as one message.

    Args:
        message: what is wrong, in one sentence, without a final full stop.
        hint: what to do about it, or the nearest valid choice.
    """

    exit_code: Exit = Exit.UNHEALTHY

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = utf8(message)
        self.hint = utf8(hint) if hint else hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class UsageError(ConsoleError):
    """Wrong arguments or configuration."""

    exit_code = Exit.USAGE


class DocumentError(UsageError):
    """A document is wrong at a known place. `line` and `column` start at 1; 0 means the whole file."""

    def __init__(
        self,
        message: str,
        *,
        file: str = "",
        line: int = 0,
        column: int = 0,
        key: str = "",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.file, self.line, self.column, self.key = file, line, column, key

    @property
    def place(self) -> str:
        """`file:line:column`, as far as it is known."""
        parts = [utf8(self.file) or "<document>"]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)

    def __str__(self) -> str:
        key = f" [{self.key}]" if self.key else ""
        tail = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{self.place}: {self.message}{key}{tail}"


class ReachError(ConsoleError):
    """A server cannot be reached, or did not answer in time."""

    exit_code = Exit.UNREACHABLE


class LoginNeeded(ReachError):
    """Credentials are missing, expired or their plugin failed; `hint` holds the command to run."""


class ForbiddenError(ConsoleError):
    """The server refused a read to this identity (HTTP 403)."""

    exit_code = Exit.UNREACHABLE


class RefusedError(ConsoleError):
    """Policy or a person refused a change."""

    exit_code = Exit.REFUSED


class Interrupted(ConsoleError):
    """The user stopped it."""

    exit_code = Exit.INTERRUPTED


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice most like `word`, or None when nothing is near enough to suggest."""
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A hint that names the nearest choice, else all of them (at most twelve)."""
    known = sorted(set(choices))
    near = nearest(word, known)
    if near:
        return f"did you mean {near!r}?"
    shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return f"valid choices: {shown}" if known else "there are no valid choices here"
