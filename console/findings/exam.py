"""How well a case is answered: what its label asks for against what was found first.

A confident answer that names something else is worse than none: it sends people the wrong way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from console.findings.model import Finding

Result = Literal["right", "unsure", "silent", "wrong"]
RESULTS: tuple[Result, ...] = ("right", "unsure", "silent", "wrong")


class Label(Struct, frozen=True, forbid_unknown_fields=True, rename={"not_": "not"}):
    """What is true of a case.

    Attributes:
        cause: a regular expression that the first finding (title, detail, evidence, questions) must match; `` where
            nothing is wrong, so that nothing above an information may be found.
        classes: incident classes that are accepted; None for a finding without one. Empty: any.
        not_: codes or classes that are confidently wrong.
        kind: the kind of failure, by which results are counted; `` for its first class.
    """

    cause: str = ""
    classes: tuple[str | None, ...] = ()
    not_: tuple[str, ...] = ()
    kind: str = ""


class Scored(Struct, frozen=True):
    """The result of one case. `first` is what was found first, `` where nothing was; `why` says why it is no right."""

    case: str
    kind: str
    result: Result
    why: str
    seconds: float
    first: str = ""
    title: str = ""


def scored(case: str, label: Label, findings: Sequence[Finding], *, spoke: bool, seconds: float) -> Scored:
    """The result of one case.

    Args:
        spoke: whether it was said that something could not be judged, where nothing was found.
    """
    grave = [f for f in findings if f.severity != "info"]
    counts = (grave or findings) if label.cause else grave
    first = counts[0] if counts else None
    result, why = _result(label, first, spoke=spoke)
    kind = label.kind or next((c for c in label.classes if c), "no class")
    shown = f"{first.code} {first.class_ or '-'} {first.confidence}" if first is not None else ""
    return Scored(case, kind, result, why, round(seconds, 3), shown, first.title if first is not None else "")


def _result(label: Label, first: Finding | None, *, spoke: bool) -> tuple[Result, str]:
    if not label.cause:
        if first is None:
            return "right", ""
        return ("wrong" if first.confidence == "high" else "unsure"), "nothing is wrong with it"
    if first is None:
        return (
            ("unsure", "nothing was found, and that is said to mean little")
            if spoke
            else ("silent", "nothing was found")
        )
    if first.confidence != "low" and {first.code, first.class_ or ""} & set(label.not_):
        return "wrong", f"{first.code} {first.class_ or ''} is what it looks like and is not".replace("  ", " ")
    named = re.search(label.cause, _words(first), re.DOTALL) is not None
    accepted = not label.classes or first.class_ in label.classes
    if named and accepted:
        return "right", ""
    if first.class_ is not None and accepted and label.classes:
        return "unsure", "the class is right, and the cause is not named"
    why = "the cause is not named" if not named else f"class {first.class_ or '-'} is not accepted"
    return ("wrong" if first.confidence == "high" else "unsure"), why


def _words(finding: Finding) -> str:
    excerpts = (e.excerpt for e in finding.evidence)
    return "\n".join((finding.title, finding.detail, *excerpts, *finding.open_questions))


def counted(cases: Iterable[Scored]) -> Mapping[str, dict[str, int]]:
    """Kind → how many cases had each result, kinds in alphabetical order."""
    out: dict[str, dict[str, int]] = {}
    for one in sorted(cases, key=lambda c: c.kind):
        out.setdefault(one.kind, dict.fromkeys(RESULTS, 0))[one.result] += 1
    return out
