"""An effect is one change, as data: what would be done, to what, and how it is undone. Nothing here does it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Tier = Literal["diff", "typed", "second"]
STAMP = "console.oncall/effect"
"""Annotation that a change leaves on its object, so that it can be asked later whether it arrived."""


class ObjectRef(Struct, frozen=True):
    """One Kubernetes object. `uid` pins it; `` until it was read."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""

    @property
    def words(self) -> str:
        """`namespace/name`, what a person types to confirm."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Effect(Struct, frozen=True):
    """One change of one object, or one run of a script.

    Attributes:
        id: `walk/sequence`, stamped as an annotation where the object survives.
        action: patch, delete, script.
        patch: body for `patch`; `argv` for a script (after redaction it is what is shown).
        touched: JSON pointers of the fields that the patch sets; their present values are the precondition.
        reversible: whether `rollback` (captured before) restores the state.
        reason: why it is irreversible.
        restarts, loses: consequences in words.
        inverse_of: id of the effect that this one rolls back.
        writes: False for a script that only reads.
    """

    id: str
    step: str
    title: str
    action: Literal["patch", "delete", "script"]
    target: ObjectRef | None = None
    patch_type: Literal["merge", "json", ""] = ""
    patch: Any = None
    argv: tuple[str, ...] = ()
    timeout: float = 60.0
    touched: tuple[str, ...] = ()
    reversible: bool = False
    reason: str = ""
    restarts: str = ""
    loses: str = ""
    risk: Literal["low", "high"] = "low"
    inverse_of: str = ""
    writes: bool = True


class Consequence(Struct, frozen=True):
    """One thing a person should know before saying yes. `level`: info, warning, stop (stop refuses the change)."""

    topic: Literal[
        "owner", "next run", "quota", "limit range", "nodes", "restart", "loss", "sink", "permission", "fields"
    ]
    level: Literal["info", "warning", "stop", "unknown"]
    text: str


class Preview(Struct, frozen=True):
    """What the server says would change, and what follows from it.

    Attributes:
        diff: unified lines with a leading ` `, `-` or `+`, redacted.
        accepted: the server-side dry run accepted it; None where there is none (scripts).
        fingerprint: hash of what would change; when it differs at the time of apply, the person is asked again.
        rollback_at: when the previous values were captured, or None.
        tier: how it must be confirmed; `expect` is the text to type for `typed`.
    """

    effect: Effect
    diff: tuple[str, ...]
    accepted: bool | None
    message: str = ""
    consequences: tuple[Consequence, ...] = ()
    fingerprint: str = ""
    rollback_at: float | None = None
    before: dict[str, Any] = {}
    """JSON pointer → present value of each touched field; absent fields are missing here."""
    generation: int = 0
    tier: Tier = "diff"
    expect: str = ""
    cluster: str = ""
    read_only: str = ""
    """Why it cannot be applied here (mode, policy, permission), or ``."""
