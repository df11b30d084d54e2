"""The shape of a step in the short form: one struct for each verb. The verb is the key that no other struct has."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from console.base import decode
from console.runbook.documents import DurationText, EditDoc, Id, Name, NonEmptyText, SaidText

StepTarget = Annotated[
    str,
    Meta(
        pattern=r"^(run )?[a-z][a-z0-9]*([- ][a-z0-9]+)*$",
        extra={"says": "the id of a step, an end such as `handed over`, `verify`, `next`, or `run RUNBOOK`"},
    ),
]


Lately = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]* within (\d+(\.\d+)?(ms|min|[smhdwy]))+$",
        extra={"says": "an object and a time, like `operator within 1h`"},
    ),
]
Captured = Annotated[str, Meta(pattern="^captured$", extra={"says": "the word `captured`"})]


class VerifyClause(
    Struct, frozen=True, forbid_unknown_fields=True, rename={"hold": "for", "also": "and", "counts": "while"}
):
    """What must be seen after a change, for how long, and how long it is waited for; it counts only `while`."""

    that: NonEmptyText
    also: str = ""
    counts: str = ""
    hold: DurationText = "1m"
    within: DurationText = "15m"
    moves: str = ""
    done: str = ""
    fails: str = ""
    worse: str = ""
    query: str = ""
    every: decode.Duration | None = None
    objectives: DurationText = "2h"
    shows: list[NonEmptyText] = []


class ShortDoc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Id | None = None
    when: str = ""
    query: str = ""
    shows: list[NonEmptyText] = []


class CheckStep(ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"otherwise": "else"}):
    """A question that the evidence answers."""

    EXACTLY_ONE = (("finding", "that", "changed"),)
    check: NonEmptyText
    finding: str | list[Id] | None = None
    that: NonEmptyText | None = None
    changed: Lately | None = None
    then: StepTarget | None = None
    otherwise: StepTarget | None = None
    unknown: StepTarget | None = None
    because: str = ""


class AskStep(ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question that a person answers. A choice is `VALUE: what it means`, with `then` and `hint` beside it."""

    ask: NonEmptyText
    text: str = ""
    choices: Annotated[list[dict[str, str]], Meta(min_length=2)]
    then: StepTarget | None = None


class DoStep(ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"otherwise": "else"}):
    """A change: the verb and what it is done to, with the verb's keys beside it; `by` chooses a patch of several."""

    EXCLUSIVE = (("rollback", "irreversible"),)
    do: Annotated[dict[str, Any], Meta(min_length=1)]
    title: str = ""
    text: str = ""
    then: StepTarget | None = None
    refused: StepTarget | None = None
    failed: StepTarget | None = None
    unknown: StepTarget | None = None
    otherwise: StepTarget | None = None
    verify: VerifyClause | None = None
    rollback: Captured | None = None
    irreversible: str = ""
    restarts: str = ""
    loses: str = ""
    risk: Literal["low", "high"] = "low"
    edit: EditDoc | None = None


class ManualStep(ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"hold": "for"}):
    """What a person does elsewhere; `until` is watched, where it can be seen that it was done."""

    manual: NonEmptyText
    text: str = ""
    until: str = ""
    hold: DurationText = "0s"
    within: DurationText = "1h"
    every: decode.Duration | None = None
    then: StepTarget | None = None


class NoteStep(ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that a person must have read."""

    note: NonEmptyText
    text: str = ""
    then: StepTarget | None = None


class WaitStep(
    ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"hold": "for", "otherwise": "else"}
):
    """A time (`wait: 5m`), or words about the condition that is waited for (`until`)."""

    wait: NonEmptyText
    until: str = ""
    hold: DurationText = "0s"
    within: DurationText = "30m"
    every: decode.Duration | None = None
    moves: str = ""
    fails: str = ""
    then: StepTarget | None = None
    otherwise: StepTarget | None = None
    unknown: StepTarget | None = None


class SaveStep(ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values that later steps read as `saved.NAME`; `because` says them in words."""

    save: Annotated[dict[Name, NonEmptyText], Meta(min_length=1)]
    because: str = ""
    title: str = ""
    then: StepTarget | None = None
    unknown: StepTarget | None = None


class RunStep(ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"given": "with"}):
    """Another runbook, walked within this one."""

    run: Id
    given: dict[Name, str] = {}
    then: StepTarget | None = None


class EscalateStep(ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"otherwise": "else"}):
    """Whom to call, why, and what to paste; `within`: by when somebody must have answered, `else` where nobody has."""

    escalate: SaidText
    because: str = ""
    paste: SaidText | None = None
    within: DurationText | None = None
    otherwise: StepTarget | None = None


class EachStep(ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"item": "as"}):
    """Steps for each member of a list, one member after the other."""

    each: NonEmptyText
    item: Name
    steps: Annotated[list[Any], Meta(min_length=1)]
    most: Annotated[int, Meta(ge=1, le=100)] = 20
    title: str = ""
    then: StepTarget | None = None


class EndStep(ShortDoc, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An end that says more than it would by itself."""

    end: StepTarget
    text: NonEmptyText


SHORT: dict[str, type[ShortDoc]] = {
    "check": CheckStep,
    "ask": AskStep,
    "do": DoStep,
    "manual": ManualStep,
    "note": NoteStep,
    "wait": WaitStep,
    "save": SaveStep,
    "run": RunStep,
    "escalate": EscalateStep,
    "each": EachStep,
    "end": EndStep,
}
