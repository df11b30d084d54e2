"""What a kind of failure is: words that decide, whose it is, what it is taken for, and the smallest next step."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from console.facts.logs import LogRole
from console.findings.model import Confidence, Severity

ResponsibleParty = Literal["owner of the job", "platform", "data owner", "cloud", "platform or owner of the job"]


class FailureKind(Struct, frozen=True, kw_only=True):
    """One kind of failure, as data.

    Attributes:
        code: of its finding.
        class_: incident class, or None.
        owner: who can mend it.
        title: one line; `{name}` are named groups of `pattern`, as the quoted text has them.
        words: any of these in a text is the kind; plain text, without quotes (structured logs escape them).
        pattern: a text counts only where this regular expression is found in it, too.
        never: a text that holds one of these is a look-alike.
        roles: whose logs count; none are all.
        means: what really happens.
        step: the smallest safe next step.
        decide: what would decide where it is not sure.
        like: look-alikes, and why it is none of them.
        ceiling: as bad as it gets.
        confidence: at most.
        usual: it also stands in logs of applications that are well: without a failure it is nothing.
        general: a wide net: it only speaks where nothing else explains the end.
        ends: these words themselves say that the process ended, whatever exception stands beside them.
        gives_way: other kinds that explain it where they are found, too.
    """

    code: str
    owner: ResponsibleParty
    title: str
    words: tuple[str, ...]
    means: str
    step: str
    decide: str
    class_: str | None = None
    pattern: str = ""
    never: tuple[str, ...] = ()
    roles: tuple[LogRole, ...] = ()
    like: tuple[tuple[str, str], ...] = ()
    ceiling: Severity = "critical"
    confidence: Confidence = "high"
    usual: bool = True
    general: bool = False
    ends: bool = False
    gives_way: tuple[str, ...] = ()
