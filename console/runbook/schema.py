"""A runbook file to a `Runbook`: exact errors with file, line, column and key; and the published JSON Schema."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from console.actions import verb_of, verbs
from console.base import decode
from console.base.document import Document, Path, parse
from console.base.errors import DocumentError, did_you_mean
from console.base.text import listed, shorten
from console.runbook.documents import (
    ABOUT,
    ABOUT_WORDS,
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
from console.runbook.language.before import kept_before
from console.runbook.language.ends import FINALLY
from console.runbook.language.expand import Expander
from console.runbook.language.link import link
from console.runbook.language.named import named_objects, named_probes
from console.runbook.language.read import NOT_IN_A_BLOCK, ShortItem, read, verb_in
from console.runbook.language.shapes import SHORT, VerifyClause
from console.runbook.model import (
    About,
    AlertMatch,
    Argument,
    Branch,
    CallTemplate,
    Choice,
    Edit,
    Input,
    NamedObject,
    Probe,
    Runbook,
    RunbookMatch,
    Step,
    TargetTemplate,
)

NUMBERS = ("int", "float", "bool", "duration", "quantity", "jvm_size")
"""Types of inputs whose default may be a number or a truth value; all others are texts."""


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


def walked(text: str, name: str, parts: Mapping[str, str]) -> Runbook:
    """The runbook of a walk, with the texts of those that it runs by id, as the walk has stored them."""
    others = {id: load(other, f"{id}, run by {name}") for id, other in parts.items()}
    return link(load(text, name), others)


def check(text: str, file: str) -> tuple[Runbook | None, tuple[DocumentError, ...]]:
    """The runbook, or None with every problem of the document in the order of its lines."""
    try:
        document = parse(text, file)
    except DocumentError as error:
        return None, (error,)
    tree, problems = decode.check(document, RunbookDoc, lenient=True)
    raw = document.data.get("steps") if isinstance(document.data, dict) else None
    items, wrong = _items(document, raw if isinstance(raw, list) else [])
    last, unfit = _last(document, [item.id for item in items])
    clause, unclear = _clause(document)
    problems += [*wrong, *unfit, *unclear, *_twice(document, raw)]
    if problems:
        return None, tuple(sorted(problems, key=lambda error: (error.line, error.column)))
    head = msgspec.convert(tree, RunbookDoc)
    if isinstance(head.about, str) and not re.fullmatch(ABOUT, head.about):
        said = f"{shorten(head.about, 40)!r} is nothing that a walk can be about"
        return None, (document.error(("about",), said, hint=f"one of {ABOUT_WORDS}"),)
    objects, problems = named_objects(document, head)
    probes, unclear = named_probes(document, head, objects)
    problems += unclear
    expander = Expander(objects, clause, objectives=bool(head.match.slos or head.match.objectives))
    expander.last(document, last)
    steps = _steps(document, head, items, expander)
    problems += expander.problems
    if problems:
        return None, tuple(sorted(problems, key=lambda error: (error.line, error.column)))
    return _runbook(document, head, steps, tuple(objects.values()), probes), ()


def _items(document: Document, raw: list[Any]) -> tuple[list[ShortItem | StepDoc], list[DocumentError]]:
    """The steps as they are written, in either form, and what is wrong with them."""
    taken = {str(item["id"]) for item in raw if isinstance(item, dict) and "id" in item}
    items: list[ShortItem | StepDoc] = []
    problems: list[DocumentError] = []
    for index, item in enumerate(raw):
        made: ShortItem | StepDoc | None
        if verb_in(item):
            made, wrong = read(document, item, ("steps", index), taken)
        else:
            made, wrong = _check_step(document, item, ("steps", index))
        problems += wrong
        items += [made] if made is not None else []
    return items, problems


def _last(document: Document, ids: list[str]) -> tuple[list[ShortItem], list[DocumentError]]:
    """The steps of `finally`: changes that undo what must not stay, and what a person does for it."""
    raw = document.data.get("finally") if isinstance(document.data, dict) else None
    out: list[ShortItem] = []
    problems: list[DocumentError] = []
    for index, item in enumerate(raw if isinstance(raw, list) else []):
        at = ("finally", index)
        if verb_in(item) not in ("do", "manual", "each"):
            said = "`finally` holds `do`, `manual` and `each` steps"
            problems.append(document.error(at, said, hint="- do: {delete: canary}"))
            continue
        made, wrong = read(document, item, at, {*ids, *(one.id for one in out)})
        problems += wrong
        if made is not None:
            for one in (made, *made.block):
                one.id = f"{FINALLY}{one.id}"
            out.append(made)
    return out, problems


def _clause(document: Document) -> tuple[VerifyClause | None, list[DocumentError]]:
    """The verification of the runbook as a whole."""
    data = document.data
    if not isinstance(data, dict) or data.get("verify") is None:
        return None, []
    tree, problems = decode.check(document, VerifyClause, ("verify",), lenient=True)
    return (None if problems else msgspec.convert(tree, VerifyClause)), problems


def _steps(
    document: Document, head: RunbookDoc, items: list[ShortItem | StepDoc], expander: Expander
) -> tuple[Step, ...]:
    """Every step in the long form. A file that has only steps of that form stands as it is written."""
    built = [item if isinstance(item, ShortItem) else _step(document, index, item) for index, item in enumerate(items)]
    if not head.about and not any(isinstance(item, ShortItem) for item in built):
        return tuple(item for item in built if isinstance(item, Step))
    placed = [
        replace(item, at=("steps", index)) if isinstance(item, Step) else item for index, item in enumerate(built)
    ]
    return kept_before(expander.steps(document, placed, on_demand=head.on_demand), head.values)


def _check_step(document: Document, item: Any, path: Path) -> tuple[StepDoc | None, list[DocumentError]]:
    if not isinstance(item, dict):
        return None, [document.error(path, "a step is a mapping with id, kind and title")]
    kind = item.get("kind")
    if kind is None:
        return None, [_verbless(document, item, path)]
    if not isinstance(kind, str) or kind not in KINDS:
        return None, [
            document.error(
                (*path, "kind"), f"{shorten(str(kind), 40)!r} is no kind of step", hint=did_you_mean(str(kind), KINDS)
            )
        ]
    struct = KINDS[kind]
    tree, found = decode.check(document, struct, path, lenient=True)
    problems = [_foreign(document, error, kind, path) for error in found]
    return (None if problems else msgspec.convert(tree, struct)), problems


def _verbless(document: Document, item: dict[str, Any], path: Path) -> DocumentError:
    """A step that says neither `kind` nor a verb."""
    near = next((key for key in item if isinstance(key, str) and did_you_mean(key, SHORT).startswith("did")), "")
    if near:
        return document.error(
            (*path, near), f"{shorten(near, 40)!r} is no verb of a step", hint=did_you_mean(near, SHORT)
        )
    hint = f"verbs: {', '.join(SHORT)}; or the long form with kind: {', '.join(KINDS)}"
    return document.error(path, "key 'kind' is missing, and none of the keys is a verb", hint=hint)


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


def _runbook(
    document: Document,
    head: RunbookDoc,
    steps: tuple[Step, ...],
    objects: tuple[NamedObject, ...],
    probes: tuple[Probe, ...],
) -> Runbook:
    text, file = document.text, document.file
    about = [head.about] if isinstance(head.about, str) else head.about
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
            alerts=tuple(
                AlertMatch(a) if isinstance(a, str) else AlertMatch(a.name, a.labels) for a in head.match.alerts
            ),
            slos=tuple(dict.fromkeys((*head.match.slos, *head.match.objectives))),
        ),
        inputs=tuple(
            Input(
                name=name,
                type=i.type,
                title=i.title,
                required=i.required,
                default=i.default if i.type in NUMBERS else document.written(("inputs", name, "default"), i.default),
                sources=tuple(i.sources),
                choices=tuple(i.choices),
                pattern=i.pattern,
                minimum=i.minimum,
                maximum=i.maximum,
            )
            for name, i in head.inputs.items()
        ),
        steps=steps,
        about=tuple(About(words.partition(" ")[0], words.partition(" ")[2]) for words in about),  # type: ignore[arg-type]
        objects=objects,
        probes=probes,
        on_demand=head.on_demand,
        changes_nothing=head.changes == "none",
        last=tuple(step.id for step in steps if step.id.startswith(FINALLY) and step.at[:1] == ("finally",)),
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
                Argument(name, a.type or "", a.value, f"--{name.replace('_', '-')}" if a.flag is None else a.flag)
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
    root = decode.schema(RunbookDoc, lenient=True)
    definitions: dict[str, Any] = root["$defs"]
    names = []
    structs: tuple[type[Any], ...] = (*KINDS.values(), *SHORT.values(), VerifyClause)
    for struct in structs:
        part = decode.schema(struct, lenient=True)
        definitions.update(part["$defs"])
        names.append(struct.__name__)
    steps = {"type": "object", "oneOf": [{"$ref": f"#/$defs/{name}"} for name in names[:-1]]}
    runbook = cast(dict[str, Any], definitions["RunbookDoc"])
    runbook["properties"]["steps"]["items"] = steps
    runbook["properties"]["verify"] = {"$ref": "#/$defs/VerifyClause"}
    definitions["EachStep"]["properties"]["steps"]["items"] = {
        "type": "object",
        "oneOf": [{"$ref": f"#/$defs/{SHORT[verb].__name__}"} for verb in SHORT if verb not in NOT_IN_A_BLOCK],
    }
    return {**root, "title": "Runbook", "$id": "https://console/v1/runbook.schema.json"}
