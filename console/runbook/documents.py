"""The shape of a runbook file: a struct for each kind of step, so that a key that means nothing there is an error."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import NODEFAULT, Meta, Struct, defstruct
from msgspec.structs import FieldInfo, fields

from console.actions import verbs
from console.actions.effects import CallVerb, Subresource
from console.base import decode
from console.runbook.model import CheckState, InputType, Outcome

ID = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
Id = Annotated[
    str, Meta(pattern=ID, max_length=63, extra={"says": "a name like spark-oom: lower case, digits and dashes"})
]
Semver = Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$", extra={"says": "a version like 1.0.0"})]
Day = Annotated[
    str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", extra={"says": "a day like 2026-11-24"})
]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=63, extra={"says": "a name like max_size"})]
NonEmptyText = Annotated[str, Meta(min_length=1)]
SaidText = Annotated[
    str, Meta(pattern=r"\S", extra={"says": "a text that says something", "hint": "write it, or remove the key"})
]
DurationText = Annotated[
    str,
    Meta(
        pattern=r"^(\d+(\.\d+)?(ms|min|[smhdwy]))+$|\{\{",
        extra={"says": "a duration like 10m, or a template", "hint": "write a unit: 90s, 10m, 1h"},
    ),
]


class AlertDoc(Struct, frozen=True, forbid_unknown_fields=True):
    name: NonEmptyText
    labels: dict[str, str] = {}


class MatchDoc(Struct, frozen=True, forbid_unknown_fields=True):
    findings: list[Id] = []
    classes: list[Annotated[str, Meta(pattern=r"^I\d\d$", extra={"says": "an incident class I01 to I30"})]] = []
    alerts: list[NonEmptyText | AlertDoc] = []
    slos: list[NonEmptyText] = []
    objectives: list[NonEmptyText] = []


class ObjectDoc(Struct, frozen=True, forbid_unknown_fields=True, rename={"api_version": "apiVersion"}):
    """A live object by name, or all that have `labels`, or `all`. Without `apiVersion` the usual one of its kind."""

    EXACTLY_ONE = (("name", "labels", "all"),)
    kind: NonEmptyText
    api_version: str = ""
    name: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    all: bool = False


PortName = Annotated[
    str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$", extra={"says": "a port's number or name"})
]


class ProbeDoc(Struct, frozen=True, forbid_unknown_fields=True):
    """What a port answers, asked through the API server. Without `get` only whether anything takes connections there.

    `of`: a name of `objects`, a Service, a Pod or a workload (of which one pod is asked), or `object`.
    """

    of: Name
    port: Annotated[int, Meta(ge=1, le=65535)] | PortName
    get: Annotated[str, Meta(pattern=r"^/[!-~]*$", extra={"says": "a path", "hint": "/api/v1/version"})] = ""
    scheme: Literal["http", "https"] = "http"


ABOUT = r"^(app|component( [a-z][a-z0-9-]*)?|nodes?|schedule|object( [A-Z][A-Za-z0-9]*)?|cluster)$"
ABOUT_WORDS = "app, component spark-operator, node, nodes, schedule, object PersistentVolumeClaim, cluster"
AboutText = Annotated[
    str,
    Meta(
        pattern=ABOUT,
        extra={
            "says": "what a walk is about",
            "hint": ABOUT_WORDS,
        },
    ),
]


class InputDoc(Struct, frozen=True, forbid_unknown_fields=True, rename={"sources": "from"}):
    type: InputType
    title: str = ""
    required: bool = True
    default: Any = None
    sources: list[
        Annotated[
            str,
            Meta(
                pattern=r"^(selection\.app|alert\.app|finding\.app|default|alert\.labels\.[A-Za-z_][A-Za-z0-9_]*"
                r"|finding\.data\.[a-z_][a-z0-9_.]*|app\.[a-z_][a-z0-9_.]*)$",
                extra={
                    "says": "a source",
                    "hint": "sources: selection.app, alert.app, finding.app, alert.labels.NAME, finding.data.NAME, "
                    "app.FIELD, default",
                },
            ),
        ]
    ] = []
    choices: list[str] = []
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None


class BranchDoc(Struct, frozen=True, forbid_unknown_fields=True):
    when: NonEmptyText
    goto: Id
    because: str = ""
    status: CheckState = "pass"


class ElseDoc(Struct, frozen=True, forbid_unknown_fields=True):
    goto: Id
    because: str = ""
    status: CheckState = "pass"


class ChoiceDoc(Struct, frozen=True, forbid_unknown_fields=True):
    value: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$", extra={"says": "a word like raise-overhead"})]
    label: NonEmptyText
    goto: Id | None = None
    hint: str = ""


class TargetDoc(Struct, frozen=True, forbid_unknown_fields=True, rename={"api_version": "apiVersion"}):
    api_version: NonEmptyText
    kind: NonEmptyText
    name: NonEmptyText
    namespace: str = ""


class CallDoc(Struct, frozen=True, forbid_unknown_fields=True, rename={"api_version": "apiVersion"}):
    verbs: Annotated[list[CallVerb], Meta(min_length=1)]
    api_version: NonEmptyText
    kind: NonEmptyText
    name: NonEmptyText
    namespace: str = ""
    subresource: Subresource = ""


class ArgumentDoc(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Without a type it is the one that the script declares."""

    type: InputType | None = None
    value: NonEmptyText
    flag: str | None = None


class EditDoc(Struct, frozen=True, forbid_unknown_fields=True):
    input: Name
    value: NonEmptyText
    minimum: NonEmptyText
    maximum: NonEmptyText


class StepDoc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Id
    kind: str
    title: NonEmptyText
    text: str = ""
    when: str = ""
    query: str = ""
    shows: list[NonEmptyText] = []


class NoteDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["note"]
    text: NonEmptyText
    next: Id | None = None


class AskDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["ask"]
    question: NonEmptyText
    choices: Annotated[list[ChoiceDoc], Meta(min_length=1)]
    next: Id | None = None


class ManualDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["manual"]
    text: NonEmptyText
    choices: list[ChoiceDoc] = []
    next: Id | None = None


class DecideDoc(StepDoc, frozen=True, kw_only=True, rename={"otherwise": "else"}):
    kind: Literal["decide"]
    branches: Annotated[list[BranchDoc], Meta(min_length=1)]
    otherwise: ElseDoc | None = None
    on_unknown: Id | None = None
    next: Id | None = None


class CheckDoc(StepDoc, frozen=True, kw_only=True, rename={"otherwise": "else"}):
    kind: Literal["check"]
    branches: Annotated[list[BranchDoc], Meta(min_length=1)]
    otherwise: ElseDoc | None = None
    on_unknown: Id | None = None
    next: Id | None = None


class WriteDoc(StepDoc, frozen=True, kw_only=True):
    rollback: Literal["captured"] | None = None
    irreversible: str = ""
    restarts: str = ""
    loses: str = ""
    risk: Literal["low", "high"] = "low"
    edit: EditDoc | None = None
    verify: Id | None = None
    on_refused: Id | None = None
    on_failed: Id | None = None


class AnyChangeDoc(WriteDoc, frozen=True, kw_only=True):
    """A change of one object; `ChangeDoc` has the keys of every verb beside these."""

    EXCLUSIVE = (("rollback", "irreversible"),)
    kind: Literal["change"]
    target: TargetDoc
    action: str = "patch"
    on_unknown: Id | None = None
    next: Id | None = None


def _change_doc() -> type[AnyChangeDoc]:
    """`ChangeDoc` with the verbs that there are. Lint says which of their keys mean nothing to the verb of a step."""
    changing = [verb for verb in verbs().values() if verb.step == "change"]
    keys: dict[str, FieldInfo] = {}
    for verb in changing:
        for field in fields(verb.arguments):
            if field.required or (field.name in keys and keys[field.name].type != field.type):
                raise TypeError(f"key {field.name!r} of verb {verb.name!r} has no default, or another type elsewhere")
            keys[field.name] = field
    actions: Any = cast(Any, Literal)[tuple(verb.name for verb in changing)]
    own = [(field.name, field.type, _default(field)) for field in keys.values()]
    doc = defstruct(
        "ChangeDoc",
        [("action", actions, "patch"), *own],
        bases=(AnyChangeDoc,),
        module=__name__,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return cast(type[AnyChangeDoc], doc)


def _default(field: FieldInfo) -> Any:
    return field.default if field.default_factory is NODEFAULT else msgspec.field(default_factory=field.default_factory)


ChangeDoc = _change_doc()


class ScriptDoc(WriteDoc, frozen=True, kw_only=True):
    EXCLUSIVE = (("rollback", "irreversible"),)
    kind: Literal["script"]
    script: NonEmptyText
    effect: Literal["read", "write"]
    arguments: dict[Name, ArgumentDoc] = {}
    timeout: decode.Duration = 60.0
    target: TargetDoc | None = None
    touches: list[
        Annotated[str, Meta(pattern=r"^(/[^/]+)+$", extra={"says": "a pointer like /spec/executor/cores"})]
    ] = []
    calls: list[CallDoc] = []
    next: Id | None = None
    on_unknown: Id | None = None


class VerifyDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["verify"]
    until: NonEmptyText
    progress: str = ""
    rises: str = ""
    completed: str = ""
    fails: str = ""
    worse: str = ""
    hold: DurationText = "0s"
    deadline: DurationText = "30m"
    poll: decode.Duration = 5.0
    on_effective: Id | None = None
    on_ineffective: Id | None = None
    on_worse: Id | None = None
    on_unknown: Id | None = None
    next: Id | None = None


class WaitDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["wait"]
    duration: DurationText
    next: Id | None = None


class EscalateDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["escalate"]
    whom: SaidText
    paste: SaidText
    answer_within: DurationText | None = None
    on_unanswered: Id | None = None
    next: Id | None = None


class EndDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["end"]
    outcome: Outcome


KINDS: dict[str, type[StepDoc]] = {
    "note": NoteDoc, "ask": AskDoc, "check": CheckDoc, "decide": DecideDoc, "change": ChangeDoc, "script": ScriptDoc,
    "verify": VerifyDoc, "wait": WaitDoc, "manual": ManualDoc, "escalate": EscalateDoc,
    "end": EndDoc,
}  # fmt: skip


class RunbookDoc(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"api_version": "apiVersion", "last": "finally"},
):
    api_version: Literal["console/v1"]
    kind: Literal["Runbook"]
    id: Id
    version: Semver = "1.0.0"
    title: NonEmptyText
    about: str | list[AboutText] = []  # a text with constraints beside a list corrupts memory in msgspec 0.22
    on_demand: bool = False
    changes: Literal["none"] | None = None
    objects: dict[Name, Literal["workload"] | ObjectDoc] = {}
    probes: dict[Name, ProbeDoc] = {}
    owner: str = ""
    severity: Literal["critical", "warning", "info", ""] = ""
    tags: list[str] = []
    what: str = ""
    when_to_use: str = ""
    when_not_to_use: str = ""
    expected_duration: str = ""
    blast_radius: str = ""
    reviewed: Day | None = None
    metrics: list[NonEmptyText] = []
    match: MatchDoc = MatchDoc()
    inputs: dict[Name, InputDoc] = {}
    values: dict[Name, NonEmptyText] = {}
    steps: Annotated[list[Any], Meta(min_length=1)]
    verify: Any = None
    last: list[Any] = []
