"""An effect is one change, as data: what would be done, to what, and how it is undone. Nothing here does it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

Tier = Literal["diff", "typed", "second"]
CallVerb = Literal["create", "update", "patch", "delete"]
Subresource = Literal["", "status", "scale", "eviction"]
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


class AllowedCall(Struct, frozen=True):
    """What a script may send to one object after the confirmation. `subresource` is `` for the object itself."""

    verbs: tuple[CallVerb, ...]
    target: ObjectRef
    subresource: Subresource = ""

    @property
    def words(self) -> str:
        """`patch SparkApplication spark-jobs/etl`, `create eviction of Pod spark-jobs/etl-exec-1`."""
        what = f"{self.subresource} of " if self.subresource else ""
        return f"{' and '.join(self.verbs)} {what}{self.target.kind} {self.target.words}"


class Effect(Struct, frozen=True):
    """One change of one object, or one run of a script.

    Attributes:
        id: `walk/sequence`, stamped as an annotation where the object survives.
        action: name of the verb.
        patch: what the verb sets, of type `patch_type`; `argv` of a script (after redaction it is what is shown).
        arguments: keys of a step whose patch is worked out beside the object (`given` reads them); not set where it is
            none.
        touched: JSON pointers of the fields that the patch sets; their present values are the precondition.
        reversible: whether `rollback` (captured before) restores the state.
        reason: why it is irreversible.
        restarts, loses: consequences in words.
        inverse_of: id of the effect that this one rolls back.
        writes: False for a script that only reads.
        calls: all that a script may send, and nothing else passes (`allowed` reads it); not set where it is no script.
    """

    id: str
    step: str
    title: str
    action: str
    target: ObjectRef | None = None
    patch_type: Literal["merge", "json", ""] = ""
    patch: Any = None
    arguments: dict[str, Any] | UnsetType = UNSET
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
    calls: tuple[AllowedCall, ...] | UnsetType = UNSET

    @property
    def allowed(self) -> tuple[AllowedCall, ...]:
        return () if isinstance(self.calls, UnsetType) else self.calls

    @property
    def given(self) -> dict[str, Any]:
        """The keys of its step, where its patch is worked out beside the object."""
        return {} if isinstance(self.arguments, UnsetType) else self.arguments

    @property
    def objects(self) -> tuple[ObjectRef, ...]:
        """Everything that it may change, the target first."""
        found: dict[tuple[str, str], ObjectRef] = {}
        for one in (self.target, *(call.target for call in self.allowed)):
            if one is not None:
                found.setdefault((one.kind, one.words), one)
        return tuple(found.values())

    @property
    def about(self) -> str:
        """`SparkApplication spark-jobs/etl-orders`, or `the script`."""
        return f"{self.target.kind} {self.target.words}" if self.target is not None else "the script"


class Consequence(Struct, frozen=True):
    """One thing a person should know before saying yes. `level`: info, warning, stop (stop refuses the change).

    `obstacle`: it must not be done now, whatever it is, a way back included.
    `maker`: name of the schedule that makes the object again, where that is what it is about.
    """

    topic: Literal[
        "owner", "next run", "quota", "limit range", "nodes", "restart", "loss", "sink", "permission", "fields",
        "obstacle",
    ]  # fmt: skip
    level: Literal["info", "warning", "stop", "unknown"]
    text: str
    maker: str = ""


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
