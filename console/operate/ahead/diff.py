"""The difference between two objects as lines for people: what the server would store, without noise and secrets."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from typing import Any

import yaml

from console.actions.effects import STAMP
from console.base.redact import MARK, redact, redact_value
from console.base.text import clean, shorten

ANOTHER_VALUE = "  # another value"
_CHANGED = f"{MARK}~another~"
CONTEXT = 3
MAX_LINES, MAX_WIDTH = 400, 400
_VOLATILE = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "selfLink", "uid")
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def settled(obj: dict[str, Any]) -> dict[str, Any]:
    """The object without what moves by itself: status, managed fields, counters, and Console's own stamp."""
    out = {k: v for k, v in obj.items() if k != "status"}
    meta = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in _VOLATILE}
    notes = {k: v for k, v in (meta.get("annotations") or {}).items() if k != STAMP}
    if notes:
        meta["annotations"] = notes
    else:
        meta.pop("annotations", None)
    out["metadata"] = meta
    return out


def diff(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    """Lines that begin with ` `, `-` or `+`; empty where nothing of substance differs.

    Every hunk stands under the keys that lead to it. Secrets are redacted; one that changes says so.
    """
    old, new = settled(before), settled(after)
    if old == new:
        return ()
    new = _in_order_of(old, new)
    shown = _mark_changed(old, new, redact_value(old), redact_value(new))
    return unified(_dump(redact_value(old)), _dump(shown))


def _in_order_of(old: Any, new: Any) -> Any:
    """`new` with its keys in the order in which `old` has them: servers promise none."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*(k for k in old if k in new), *(k for k in new if k not in old)]
        return {k: _in_order_of(old.get(k), new[k]) for k in keys}
    if isinstance(old, list) and isinstance(new, list):
        return [_in_order_of(a, b) for a, b in zip(old, new, strict=False)] + new[len(old) :]
    return new


def unified(old: Sequence[str], new: Sequence[str]) -> tuple[str, ...]:
    """The unified diff of two YAML texts; gaps are shown as `…`."""
    out: list[str] = []
    shown_until = 0
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        first = group[0][1]
        for number in _parents(old, first):
            if number >= shown_until:
                _gap(out, number, shown_until)
                out.append(" " + old[number])
                shown_until = number + 1
        _gap(out, first, shown_until)
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                out += [" " + line for line in old[i1:i2]]
            else:
                out += ["-" + line for line in old[i1:i2]] + ["+" + line for line in new[j1:j2]]
        shown_until = group[-1][2]
    if len(out) > MAX_LINES:
        out = [*out[:MAX_LINES], f" … {len(out) - MAX_LINES} more lines"]
    return tuple(shorten(clean(redact(line)), MAX_WIDTH) for line in out)


def _gap(out: list[str], at: int, shown_until: int) -> None:
    if at > shown_until and (not out or not out[-1].endswith("…")):
        out.append(" …")


def fingerprint(lines: Sequence[str]) -> str:
    """A hash that is the same as long as the same would change."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _dump(value: Any) -> list[str]:
    text: str = yaml.dump(
        value, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=10**6, default_flow_style=False
    )
    return [line.replace(_CHANGED, MARK) + ANOTHER_VALUE if _CHANGED in line else line for line in text.splitlines()]


def _parents(lines: Sequence[str], at: int) -> list[int]:
    """Numbers of the lines that lead to line `at` in block-style YAML, outermost first."""
    found: list[int] = []
    depth = _depth(lines[at]) if at < len(lines) else 0
    for number in range(min(at, len(lines)) - 1, -1, -1):
        here = _depth(lines[number])
        if here < depth or (here == depth and lines[at].lstrip().startswith("- ") and lines[number].endswith(":")):
            found.append(number)
            depth = here
        if depth == 0:
            break
    return found[::-1]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _mark_changed(old: Any, new: Any, old_shown: Any, new_shown: Any) -> Any:
    """`new_shown` in which a leaf says so when it differs although both sides are shown alike."""
    if isinstance(new, dict) and isinstance(new_shown, dict):
        before, before_shown = (old, old_shown) if isinstance(old, dict) else ({}, {})
        return {k: _mark_changed(before.get(k), v, before_shown.get(k), new_shown.get(k)) for k, v in new.items()}
    if isinstance(new, list) and isinstance(new_shown, list):
        pairs = old if isinstance(old, list) and len(old) == len(new) else [None] * len(new)
        shown = old_shown if pairs is old else [None] * len(new)
        return [_mark_changed(a, b, c, d) for a, b, c, d in zip(pairs, new, shown, new_shown, strict=True)]
    if old != new and old_shown == new_shown and isinstance(new_shown, str):
        return new_shown.replace(MARK, _CHANGED)
    return new_shown
