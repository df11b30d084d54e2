"""A runbook file to a `Runbook`: exact errors with file, line, column and key; and the published JSON Schema.

Each step kind has a struct of its own here, so that a key which means nothing for the kind is an error.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta, Struct

from console.base import decode
from console.base.document import Document, Path, parse
from console.base.errors import DocumentError, did_you_mean, nearest
from console.runbook.model import (
    AlertMatch,
    Argument,
    Branch,
    Choice,
    Input,
    InputType,
    Judgement,
    Match,
    Outcome,
    Runbook,
    Step,
    Target,
)

API_VERSION = "console/v1"
ID = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
Id = Annotated[
    str, Meta(pattern=ID, max_length=63, extra={"says": "a name like spark-oom: lower case, digits and dashes"})
]
Semver = Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+$", extra={"says": "a version like 1.0.0"})]
Day = Annotated[
    str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", extra={"says": "a day like 2026-11-24"})
]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=63, extra={"says": "a name like max_size"})]
Text = Annotated[str, Meta(min_length=1)]
Span = Annotated[
    str,
    Meta(
        pattern=r"^(\d+(\.\d+)?(ms|min|[smhdwy]))+$|\{\{",
        extra={"says": "a duration like 10m, or a template", "hint": "write a unit: 90s, 10m, 1h"},
    ),
]


class AlertDoc(Struct, frozen=True, forbid_unknown_fields=True):
    name: Text
    labels: dict[str, str] = {}


class MatchDoc(Struct, frozen=True, forbid_unknown_fields=True):
    findings: list[Id] = []
    classes: list[Annotated[str, Meta(pattern=r"^I\d\d$", extra={"says": "an incident class I01 to I30"})]] = []
    alerts: list[AlertDoc] = []
    slos: list[Text] = []


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
    when: Text
    goto: Id
    because: str = ""
    status: Judgement = "pass"


class ElseDoc(Struct, frozen=True, forbid_unknown_fields=True):
    goto: Id
    because: str = ""
    status: Judgement = "pass"


class ChoiceDoc(Struct, frozen=True, forbid_unknown_fields=True):
    value: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$", extra={"says": "a word like raise-overhead"})]
    label: Text
    goto: Id | None = None
    hint: str = ""


class TargetDoc(Struct, frozen=True, forbid_unknown_fields=True, rename={"api_version": "apiVersion"}):
    api_version: Text
    kind: Text
    name: Text
    namespace: str = ""


class ArgumentDoc(Struct, frozen=True, forbid_unknown_fields=True):
    type: InputType
    value: Text
    flag: str | None = None


class StepDoc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Id
    kind: str
    title: Text
    text: str = ""
    when: str = ""
    shows: list[Text] = []


class NoteDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["note"]
    text: Text
    next: Id | None = None


class AskDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["ask"]
    question: Text
    choices: Annotated[list[ChoiceDoc], Meta(min_length=1)]
    next: Id | None = None


class ManualDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["manual"]
    text: Text
    choices: list[ChoiceDoc] = []
    next: Id | None = None


class DecideDoc(StepDoc, frozen=True, kw_only=True, rename={"otherwise": "else"}):
    kind: Literal["decide"]
    branches: Annotated[list[BranchDoc], Meta(min_length=1)]
    otherwise: ElseDoc | None = None
    on_unknown: Id | None = None


class CheckDoc(StepDoc, frozen=True, kw_only=True, rename={"otherwise": "else"}):
    kind: Literal["check"]
    branches: Annotated[list[BranchDoc], Meta(min_length=1)]
    otherwise: ElseDoc | None = None
    query: str = ""
    on_unknown: Id | None = None


class WriteDoc(StepDoc, frozen=True, kw_only=True):
    rollback: Literal["captured"] | None = None
    irreversible: str = ""
    restarts: str = ""
    loses: str = ""
    risk: Literal["low", "high"] = "low"
    verify: Id | None = None
    on_refused: Id | None = None
    on_failed: Id | None = None


class ChangeDoc(WriteDoc, frozen=True, kw_only=True):
    EXCLUSIVE = (("rollback", "irreversible"),)
    kind: Literal["change"]
    target: TargetDoc
    action: Literal["patch", "delete"] = "patch"
    patch_type: Literal["merge", "json"] | None = None
    patch: Any = None


class ScriptDoc(WriteDoc, frozen=True, kw_only=True):
    EXCLUSIVE = (("rollback", "irreversible"),)
    kind: Literal["script"]
    script: Text
    effect: Literal["read", "write"]
    arguments: dict[Name, ArgumentDoc] = {}
    timeout: decode.Duration = 60.0
    target: TargetDoc | None = None
    touches: list[
        Annotated[str, Meta(pattern=r"^(/[^/]+)+$", extra={"says": "a pointer like /spec/executor/cores"})]
    ] = []
    next: Id | None = None


class VerifyDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["verify"]
    until: Text
    progress: str = ""
    rises: str = ""
    completed: str = ""
    fails: str = ""
    worse: str = ""
    hold: Span = "0s"
    deadline: Span = "30m"
    poll: decode.Duration = 5.0
    on_effective: Id | None = None
    on_ineffective: Id | None = None
    on_worse: Id | None = None
    on_unknown: Id | None = None


class WaitDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["wait"]
    duration: Span
    next: Id | None = None


class EndDoc(StepDoc, frozen=True, kw_only=True):
    kind: Literal["end"]
    outcome: Outcome


AnyStepDoc = NoteDoc | AskDoc | ManualDoc | DecideDoc | CheckDoc | ChangeDoc | ScriptDoc | VerifyDoc | WaitDoc | EndDoc
KINDS: dict[str, type[StepDoc]] = {
    "note": NoteDoc, "ask": AskDoc, "check": CheckDoc, "decide": DecideDoc, "change": ChangeDoc, "script": ScriptDoc,
    "verify": VerifyDoc, "wait": WaitDoc, "manual": ManualDoc, "end": EndDoc,
}  # fmt: skip


class RunbookDoc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"api_version": "apiVersion"}):
    api_version: Literal["console/v1"]
    kind: Literal["Runbook"]
    id: Id
    version: Semver
    title: Text
    owner: str = ""
    severity: Literal["critical", "warning", "info", ""] = ""
    tags: list[str] = []
    what: str = ""
    when_to_use: str = ""
    when_not_to_use: str = ""
    expected_duration: str = ""
    blast_radius: str = ""
    reviewed: Day | None = None
    metrics: list[Text] = []
    match: MatchDoc = MatchDoc()
    inputs: dict[Name, InputDoc] = {}
    values: dict[Name, Text] = {}
    steps: Annotated[list[Any], Meta(min_length=1)]


def keys_of(kind: type[Any]) -> tuple[str, ...]:
    """The keys that a struct reads from a document."""
    return tuple(kind.__struct_encode_fields__)


_OWNERS: dict[str, list[str]] = {}
for _kind, _struct in KINDS.items():
    for _key in keys_of(_struct):
        _OWNERS.setdefault(_key, []).append(_kind)


def load(text: str, file: str) -> Runbook:
    """The runbook in `text`.

    Raises:
        DocumentError: the first problem, with file, line, column, key and the nearest valid choice.
    """
    runbook, problems = check(text, file)
    if runbook is None:
        raise min(problems, key=lambda error: error.message.endswith("is missing"))  # a mistyped key explains it
    return runbook


def check(text: str, file: str) -> tuple[Runbook | None, tuple[DocumentError, ...]]:
    """The runbook, or None with every problem of the document in the order of its lines."""
    try:
        document = parse(text, file)
    except DocumentError as error:
        return None, (error,)
    tree, problems = decode.check(document, RunbookDoc)
    steps: list[Any] = []
    raw = document.data.get("steps") if isinstance(document.data, dict) else None
    for index, item in enumerate(raw if isinstance(raw, list) else []):
        step, wrong = _check_step(document, item, ("steps", index))
        steps.append(step)
        problems += wrong
    problems += _twice(document, raw)
    if problems:
        return None, tuple(sorted(problems, key=lambda error: (error.line, error.column)))
    head = msgspec.convert(tree, RunbookDoc)
    built = tuple(_step(document, index, step) for index, step in enumerate(steps))
    return _runbook(head, built, text, file), ()


def _check_step(document: Document, item: Any, path: Path) -> tuple[StepDoc | None, list[DocumentError]]:
    if not isinstance(item, dict):
        return None, [document.error(path, "a step is a mapping with id, kind and title")]
    kind = item.get("kind")
    if kind is None:
        return None, [document.error(path, "key 'kind' is missing", hint=f"kinds: {', '.join(KINDS)}")]
    if not isinstance(kind, str) or kind not in KINDS:
        return None, [
            document.error(
                (*path, "kind"), f"{str(kind)[:40]!r} is no kind of step", hint=did_you_mean(str(kind), KINDS)
            )
        ]
    struct = KINDS[kind]
    tree, found = decode.check(document, struct, path)
    problems = [_foreign(document, error, kind, path) for error in found]
    return (None if problems else msgspec.convert(tree, struct)), problems


def _foreign(document: Document, error: DocumentError, kind: str, path: Path) -> DocumentError:
    """A key that another kind has is named as such, instead of as a mistyped one."""
    key = error.key.rsplit(".", 1)[-1]
    if not error.message.startswith("unknown key") or key not in _OWNERS:
        return error
    if error.key != f"steps[{path[1]}].{key}":
        return error
    owners = " and ".join(_OWNERS[key][:4])
    return document.error((*path, key), f"key {key!r} means nothing in a {kind!r} step", hint=f"it belongs to {owners}")


def _twice(document: Document, raw: Any) -> list[DocumentError]:
    seen: dict[str, int] = {}
    problems = []
    for index, item in enumerate(raw if isinstance(raw, list) else []):
        id = item.get("id") if isinstance(item, dict) else None
        if isinstance(id, str):
            if id in seen:
                first = document.line(("steps", seen[id]))
                problems.append(
                    document.error(
                        ("steps", index, "id"), f"step {id!r} stands here twice", hint=f"first at line {first}"
                    )
                )
            seen.setdefault(id, index)
    return problems


def _runbook(head: RunbookDoc, steps: tuple[Step, ...], text: str, file: str) -> Runbook:
    return Runbook(
        id=head.id,
        version=head.version,
        title=head.title,
        file=file,
        text=text,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        owner=head.owner,
        severity=head.severity,
        tags=tuple(head.tags),
        what=head.what,
        when_to_use=head.when_to_use,
        when_not_to_use=head.when_not_to_use,
        expected_duration=head.expected_duration,
        blast_radius=head.blast_radius,
        reviewed=head.reviewed or "",
        metrics=tuple(head.metrics),
        values=dict(head.values),
        match=Match(
            findings=tuple(head.match.findings),
            classes=tuple(head.match.classes),
            alerts=tuple(AlertMatch(a.name, a.labels) for a in head.match.alerts),
            slos=tuple(head.match.slos),
        ),
        inputs=tuple(
            Input(
                name=name,
                type=i.type,
                title=i.title,
                required=i.required,
                default=i.default,
                sources=tuple(i.sources),
                choices=tuple(i.choices),
                pattern=i.pattern,
                minimum=i.minimum,
                maximum=i.maximum,
            )
            for name, i in head.inputs.items()
        ),
        steps=steps,
    )


def _step(document: Document, index: int, doc: StepDoc | None) -> Step:
    assert doc is not None
    fields: dict[str, Any] = {
        name: getattr(doc, name)
        for name in doc.__struct_fields__
        if name in Step.__struct_fields__ and getattr(doc, name) is not None
    }
    fields["line"] = document.line(("steps", index))
    fields["shows"] = tuple(doc.shows)
    match doc:
        case AskDoc() | ManualDoc():
            fields["choices"] = tuple(Choice(c.value, c.label, c.goto or "", c.hint) for c in doc.choices)
        case CheckDoc() | DecideDoc():
            last = doc.otherwise
            fields["branches"] = (
                *(Branch(b.when, b.goto, b.because, b.status) for b in doc.branches),
                *([Branch("", last.goto, last.because, last.status)] if last else []),
            )
        case ChangeDoc():
            fields["target"] = _target(doc.target)
            fields["patch_type"] = (doc.patch_type or "merge") if doc.action == "patch" else ""
        case ScriptDoc():
            fields["target"] = _target(doc.target) if doc.target else None
            fields["touches"] = tuple(doc.touches)
            fields["arguments"] = tuple(
                Argument(name, a.type, a.value, f"--{name.replace('_', '-')}" if a.flag is None else a.flag)
                for name, a in doc.arguments.items()
            )
    return Step(**fields)


def _target(doc: TargetDoc) -> Target:
    return Target(doc.api_version, doc.kind, doc.name, doc.namespace)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a runbook file: what editors complete, and what `load` accepts in shape."""
    root = decode.schema(RunbookDoc)
    definitions: dict[str, Any] = root["$defs"]
    names = []
    for struct in KINDS.values():
        part = decode.schema(struct)
        definitions.update(part["$defs"])
        names.append(struct.__name__)
    runbook = cast(dict[str, Any], definitions["RunbookDoc"])
    runbook["properties"]["steps"]["items"] = {
        "type": "object",
        "required": ["kind"],
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in names],
    }
    return {**root, "title": "Runbook", "$id": "https://console/v1/runbook.schema.json"}


def nearest_step(id: str, runbook: Runbook) -> str | None:
    """The step id most like `id`."""
    return nearest(id, [s.id for s in runbook.steps])
