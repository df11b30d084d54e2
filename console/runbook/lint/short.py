"""Problems of expanded steps, told as the short step says it: its key, its line, a cure in its own words."""

from __future__ import annotations

from typing import Any

from console.base.document import Document, Path
from console.runbook.language.shapes import SHORT

_SAME: dict[str, tuple[str, ...]] = {
    "until": ("until", "that"),
    "title": ("title", *SHORT),
    "question": ("ask",),
    "target": ("do",),
    "on_refused": ("refused",),
    "on_failed": ("failed",),
    "on_unknown": ("unknown",),
    "on_effective": ("then",),
    "on_ineffective": ("else",),
    "on_worse": ("else",),
    "hold": ("for",),
    "deadline": ("within",),
    "duration": ("wait",),
    "whom": ("escalate",),
    "answer_within": ("within",),
    "on_unanswered": ("else",),
    "completed": ("done",),
    "rises": ("moves",),
    "saves": ("save",),
    "progress": ("while",),
    "given": ("with",),
    "next": ("then",),
    "shows": ("shows", "finding", "that", "until"),
    "verify": ("verify", "then"),
    "else": ("else", "then"),
}
"""Key of the long form → keys of the short one that may stand for it."""
HINTS: dict[str, str] = {
    "write-without-verify": "add `verify: {that: …, for: 1m, within: 10m}` to the step, or `verify:` to the runbook",
    "write-without-rollback": "remove `irreversible`, or give the reason",
    "no-leads-to-write": "let `refused` lead to an end, like `refused: handed over`",
    "unknown-leads-to-write": "let `unknown` lead to an end, like `unknown: handed over`",
    "unreachable-step": "let a `then` or `else` lead there, or move it below a step that leads on",
    "never-ends": "end a way, with `then: handed over`",
    "spins": "put a `wait` between, or lead on to an end",
    "vacuous-verify": "say in `until` what is to be seen",
}
"""Code of a problem → how to mend it in the short form."""
ONCE = frozenset(HINTS)
"""Codes that one short step has once, however many steps it became."""


def value_at(document: Document, path: Path) -> Any:
    """What stands at a path, None where there is nothing."""
    value = document.data
    for part in path:
        if isinstance(value, dict):
            value = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def is_short(document: Document, at: Path) -> bool:
    """Whether a step of the short form, or a part of one, stands there."""
    if not at or at[0] != "steps":
        return bool(at)
    item = value_at(document, at[:2])
    return isinstance(item, dict) and "kind" not in item


def written(document: Document, at: Path, key: Path) -> Path:
    """Where `key` of the long form is written in the short step at `at`; the step itself where nothing says it."""
    if not key:
        return at
    whole = at[: at.index("do")] if "do" in at else at
    tried = [(*at, *key[1:])] if whole != at and key[0] == "patch" else []
    for path in (*tried, *((*whole, *candidate) for candidate in _candidates(key))):
        if value_at(document, path) is not None:
            return path
    return at


def _candidates(key: Path) -> list[Path]:
    first, rest = str(key[0]), key[1:]
    out: list[Path] = [key]
    if first == "branches" and len(rest) == 2:
        way = "then" if rest[0] == 0 else "else"
        names = {
            "when": ("that", "finding", "changed", "when"),
            "goto": (way,),
            "because": ("because", "finding", "that"),
        }
        out += [(name,) for name in names.get(str(rest[1]), ())]
    if first == "choices" and len(rest) == 2:
        out += [("choices", rest[0], "then"), ("choices", rest[0])] if rest[1] == "goto" else [("choices", rest[0])]
    if first == "arguments":
        out += [("do", "with", *rest), ("do", "with")]
    if first in ("patch", "patch_type"):
        out += [("do", kind, *rest[:n]) for n in range(len(rest), -1, -1) for kind in ("merge", "json")]
    out += [(name, *rest) for name in _SAME.get(first, ())]
    out += [(name,) for name in _SAME.get(first, ())]
    out += [("do", *key), ("do", first), (first,)]
    return out
