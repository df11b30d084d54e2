"""A runbook file to a `Runbook`: exact errors with file, line, column and key; and the published JSON Schema."""

from __future__ import annotations

import hashlib
from typing import Any, cast

import msgspec

from console.actions import verb_of, verbs
from console.base import decode
from console.base.document import Document, Path, parse
from console.base.errors import DocumentError, did_you_mean
from console.base.text import listed, shorten
from console.runbook.documents import (
    KINDS,
    AnyChangeDoc,
    AskDoc,
    CheckDoc,
    DecideDoc,
    ManualDoc,
    RunbookDoc,
    ScriptDoc,
    StepDoc,
    TargetDoc,
    WriteDoc,
)
from console.runbook.model import (
    AlertMatch,
    Argument,
    Branch,
    CallTemplate,
    Choice,
    Edit,
    Input,
    Runbook,
    RunbookMatch,
    Step,
    TargetTemplate,
)


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
                (*path, "kind"), f"{shorten(str(kind), 40)!r} is no kind of step", hint=did_you_mean(str(kind), KINDS)
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
    owners = listed(_OWNERS[key], 4)
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
        match=RunbookMatch(
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
    if isinstance(doc, WriteDoc) and doc.edit is not None:
        fields["edit"] = Edit(doc.edit.input, doc.edit.value, doc.edit.minimum, doc.edit.maximum)
    match doc:
        case AskDoc() | ManualDoc():
            fields["choices"] = tuple(Choice(c.value, c.label, c.goto or "", c.hint) for c in doc.choices)
        case CheckDoc() | DecideDoc():
            last = doc.otherwise
            fields["branches"] = (
                *(Branch(b.when, b.goto, b.because, b.status) for b in doc.branches),
                *([Branch("", last.goto, last.because, last.status)] if last else []),
            )
        case AnyChangeDoc():
            fields["target"] = _target(doc.target)
            fields["settings"] = _settings(doc)
            fields |= _way_back(doc)
        case ScriptDoc():
            fields["action"] = "script"
            fields["target"] = _target(doc.target) if doc.target else None
            fields["touches"] = tuple(doc.touches)
            fields["calls"] = tuple(
                CallTemplate(tuple(c.verbs), TargetTemplate(c.api_version, c.kind, c.name, c.namespace), c.subresource)
                for c in doc.calls
            )
            fields["arguments"] = tuple(
                Argument(name, a.type, a.value, f"--{name.replace('_', '-')}" if a.flag is None else a.flag)
                for name, a in doc.arguments.items()
            )
    return Step(**fields)


def _settings(doc: AnyChangeDoc) -> dict[str, Any]:
    """The keys that belong to a verb, as far as the file has them."""
    keys = dict.fromkeys(key for verb in verbs().values() for key in verb.arguments.__struct_fields__)
    return {key: value for key in keys if (value := getattr(doc, key, None)) is not None}


def _way_back(doc: AnyChangeDoc) -> dict[str, Any]:
    """What the verb says of its way back, where the step says nothing."""
    verb = verb_of(doc.action)
    never = verb.no_way_back(target=True) if verb.way_back == "never" else None
    if doc.rollback or doc.irreversible:
        return {}
    if never:
        return {"irreversible": never[0]}
    return {"rollback": "captured"} if verb.way_back == "always" else {}


def _target(doc: TargetDoc) -> TargetTemplate:
    return TargetTemplate(doc.api_version, doc.kind, doc.name, doc.namespace)


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
