"""A runbook file is read exactly, or refused with file, line, column, key and the nearest valid choice."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, get_args

import jsonschema
import pytest
import yaml

from console.actions import verb_of
from console.base.errors import DocumentError
from console.runbook import schema, scripts
from console.runbook.model import StepKind

MINIMAL = """\
apiVersion: console/v1
kind: Runbook
id: look
version: 1.0.0
title: Look
inputs:
  app: {type: spark_app, from: [selection.app]}
steps:
  - id: first
    kind: decide
    title: Which way?
    branches:
      - {when: app.live, goto: done, because: it lives}
    else: {goto: change-it}
  - id: change-it
    kind: change
    title: Change it
    target: {apiVersion: v1, kind: Node, name: "{{ inputs.app }}"}
    patch: {spec: {unschedulable: true}}
    rollback: captured
    verify: check-it
    on_refused: done
  - id: check-it
    kind: verify
    title: Did it help?
    until: app.live
    progress: app.live
    hold: "{{ inputs.hold }}"
    poll: 10s
    on_effective: done
  - id: run-it
    kind: script
    title: Run it
    script: lower-executor-cores
    effect: read
    arguments:
      app: {type: spark_app, value: "{{ inputs.app }}"}
      divide_by: {type: int, value: "2", flag: ""}
  - {id: wait, kind: wait, title: Wait, duration: 5m}
  - {id: say, kind: note, title: Say, text: Hello}
  - {id: do, kind: manual, title: Do, text: By hand, choices: [{value: done, label: Done}]}
  - {id: ask, kind: ask, title: Ask, question: Why, choices: [{value: a, label: A, goto: done}, {value: b, label: B}]}
  - {id: see, kind: check, title: See, query: up, branches: [{when: query.value > 0, goto: done}], else: {goto: done}}
  - {id: done, kind: end, title: Done, outcome: resolved}
"""


def test_a_file_becomes_a_runbook() -> None:
    book = schema.load(MINIMAL, "look.yaml")
    assert [s.kind for s in book.steps] == [
        "decide", "change", "verify", "script", "wait", "note", "manual", "ask", "check", "end",
    ]  # fmt: skip
    first, change, verify, script = book.steps[:4]
    assert [(b.when, b.goto, b.because) for b in first.branches] == [
        ("app.live", "done", "it lives"),
        ("", "change-it", ""),
    ]
    assert change.action == "patch" and change.writes
    assert change.settings == {"patch": {"spec": {"unschedulable": True}}}
    assert verb_of(change.action).body(change.settings).patch_type == "merge"
    assert verify.hold == "{{ inputs.hold }}" and verify.poll == 10.0
    assert [(a.name, a.flag) for a in script.arguments] == [("app", "--app"), ("divide_by", "")] and not script.writes
    assert book.inputs[0].sources == ("selection.app",)
    assert (
        MINIMAL.splitlines()[book.steps[1].line - 1] == "  - id: change-it"
        and book.text == MINIMAL
        and len(book.hash) == 64
    )
    assert book.writes


@pytest.mark.parametrize(
    ("old", "new", "below", "words", "hint"),
    [
        ("title: Look", "titel: Look", 0, "unknown key 'titel'", "did you mean 'title'?"),
        ("title: Look\n", "", -4, "key 'title' is missing", None),
        ("console/v1", "console/v2", 0, "'console/v2' is not one of the choices", "did you mean 'console/v1'?"),
        ("version: 1.0.0", "version: 1.0", 0, "text (a version like 1.0.0) is expected", "put it in quotes"),
        ("id: look", "id: Look It", 0, "'Look It' is not a name like spark-oom", None),
        ("type: spark_app, from", "type: sparkapp, from", 0, "'sparkapp' is not one of", "did you mean 'spark_app'?"),
        ("[selection.app]", "[selection.pod]", 0, "'selection.pod' is not a source",
         "sources: selection.app, alert.app, finding.app, alert.labels.NAME, finding.data.NAME, app.FIELD, default"),
        ("kind: decide", "kind: decied", 0, "'decied' is no kind of step", "did you mean 'decide'?"),
        ("    kind: decide\n", "", -1, "key 'kind' is missing", "verbs: check, ask, do, manual, note, wait, save, "
         "run, escalate, each, end"),
        ("    rollback: captured", "    rollbak: captured", 0, "unknown key 'rollbak'", "did you mean 'rollback'?"),
        ("    rollback: captured", "    until: x", 0, "key 'until' means nothing in a 'change' step",
         "it belongs to verify"),
        ("    rollback: captured", "    rollback: captured\n    irreversible: no way", 1,
         "'rollback' and 'irreversible' exclude each other", "keep one of them"),
        ("    rollback: captured", "    rollback: always", 0, "'always' is not one of the choices",
         "valid choices: captured"),
        ("poll: 10s", "poll: soon", 0, "'soon' is not a duration like 90s", None),
        ("duration: 5m", "duration: 5", 0, "text (a duration like 10m, or a template) is expected", "put it in quotes"),
        ("outcome: resolved", "outcome: fine", 0, "'fine' is not one of the choices", "valid choices"),
        ("choices: [{value: a, label: A, goto: done}, {value: b, label: B}]", "choices: []", 0,
         "at least 1 entries", None),
        ("id: wait,", "id: first,", 0, "step 'first' stands here twice", "first at line 9"),
        ("value: b", "value: Yes please", 0, "'Yes please' is not a word like raise-overhead", None),
        ("  - {id: say,", "  - say\n  - {id: say,", 0, "a step is a mapping with id, kind and title", None),
        ("effect: read", "effect: maybe", 0, "'maybe' is not one of the choices", None),
        ("from: [selection.app]}", "from: [selection.app], from: []}", 0, "key 'from' stands here twice", None),
        ("steps:", "steps: []\nxsteps:", 0, "at least 1 entries are needed here", None),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_place(old: str, new: str, below: int, words: str, hint: str | None) -> None:
    """`below`: lines between the changed text and the place that is named."""
    line = MINIMAL[: MINIMAL.index(old) + len(old) - len(old.lstrip())].count("\n") + 1 + below
    with pytest.raises(DocumentError) as caught:
        schema.load(MINIMAL.replace(old, new, 1), "look.yaml")
    error = caught.value
    assert (error.file, error.line) == ("look.yaml", line) and error.column > 0, str(error)
    assert words in error.message
    assert hint is None or (error.hint or "").startswith(hint)
    assert error.exit_code == 2


def test_all_mistakes_are_found_at_once_in_the_order_of_lines() -> None:
    text = MINIMAL.replace("version: 1.0.0", "version: one").replace("poll: 10s", "poll: soon")
    text = text.replace("outcome: resolved", "outcome: fine")
    book, problems = schema.check(text, "look.yaml")
    assert book is None
    assert [p.line for p in problems] == sorted(p.line for p in problems)
    assert [p.key for p in problems] == ["version", "steps[2].poll", "steps[9].outcome"]


@pytest.mark.parametrize(
    "text", ["", "[]", "a: [", "- 1\n", "a: !!python/object:os.system x", "a: &x [*x]", "\x00", "k: \x07"]
)
def test_what_is_no_runbook_is_refused_not_crashed_on(text: str) -> None:
    with pytest.raises(DocumentError):
        schema.load(text, "x.yaml")


def mutations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The document with one value replaced by each of a few others, or left out, or one key added."""

    def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        yield at
        for key, item in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            yield from paths(item, (*at, key))

    for path in paths(document):
        for other in (None, 3, -1.5, True, "", "zzz", "10m", [], {}, ["zzz"], {"zzz": "zzz"}):
            if not path:
                continue
            out = copy.deepcopy(document)
            inner: Any = out
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = other
            yield f"{path}={other!r}", out
        out = copy.deepcopy(document)
        inner = out
        for key in path[:-1]:
            inner = inner[key]
        if path and isinstance(inner, dict):
            del inner[path[-1]]
            yield f"del {path}", out
        out = copy.deepcopy(document)
        inner = out
        for key in path:
            inner = inner[key]
        if isinstance(inner, dict):
            inner["zzz"] = 1
            yield f"{path}+zzz", out


def small_documents() -> Iterator[dict[str, Any]]:
    """The head with one plain step, and each step with a head that is as small as possible."""
    document = yaml.safe_load(MINIMAL)
    yield {**document, "steps": document["steps"][-1:]}
    head = {key: document[key] for key in ("apiVersion", "kind", "id", "version", "title")}
    for step in document["steps"]:
        yield {**head, "steps": [step]}


def test_the_published_schema_accepts_exactly_what_the_loader_accepts() -> None:
    validator = jsonschema.Draft202012Validator(schema.json_schema())
    validator.validate(yaml.safe_load(MINIMAL))
    count = 0
    for document in small_documents():
        for name, changed in mutations(document):
            if count and "steps" not in name:
                continue
            book, problems = schema.check(json.dumps(changed), "x.yaml")
            assert (book is not None) == validator.is_valid(changed), (name, [str(p) for p in problems])
            count += 1
        count += 1
    assert count > 1000


def test_every_kind_of_step_is_known_to_the_schema_and_to_the_effects() -> None:
    assert set(schema.KINDS) == set(get_args(StepKind)) - {"each", "run"}  # of the short form only
    assert schema.json_schema()["$defs"]["RunbookDoc"]["properties"]["steps"]["items"]["oneOf"]


def test_a_script_is_described_beside_it() -> None:
    text = "apiVersion: console/v1\nkind: Script\nname: x\ntitle: X\nfile: x.sh\ninterpreter: sh\neffect: read\n"
    spec = scripts.load(text, "x.yaml", "/lib/scripts")
    assert (spec.path, spec.interpreter, spec.effect) == ("/lib/scripts/x.sh", "sh", "read")
    with pytest.raises(DocumentError, match="a file in the same folder"):
        scripts.load(text.replace("x.sh", "../../etc/x.sh"), "x.yaml", "/lib/scripts")
    jsonschema.Draft202012Validator(scripts.json_schema()).validate(yaml.safe_load(text))


def test_objects_by_no_label_name_nothing_and_all_of_them_are_said() -> None:
    text = MINIMAL.replace("steps:\n", "objects: {pods: {kind: Pod, namespace: spark, labels: {}}}\nsteps:\n", 1)
    with pytest.raises(DocumentError, match="names nothing") as error:
        schema.load(text, "book.yaml")
    assert error.value.hint == "all: true"
    assert schema.load(text.replace("labels: {}", "all: true"), "book.yaml").objects[0].listed
