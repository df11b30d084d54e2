"""Tools of authors: words with examples that are true, a new runbook that passes lint, what is not covered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.actions import verbs
from console.base.errors import UsageError
from console.cli.runbooks import group
from console.runbook import schema, template
from console.runbook.authors.scaffold import SCHEMA, Answers, runbook
from console.runbook.authors.vocabulary import NAMES, Term, search, terms
from console.runbook.catalogue.codes import codes
from console.runbook.language.shapes import SHORT
from console.runbook.lint.run import lint
from console.runbook.lint.shape import context
from tests.runbook.player import LIBRARY

TERMS = terms(LIBRARY.catalogue)
GENERAL = schema.load(
    "apiVersion: console/v1\nkind: Runbook\nid: a\ntitle: A\nabout: [node, schedule]\nsteps:\n"
    "- check: A\n  query: up\n  that: query.value > 1\n  then: observed\n",
    "a.yaml",
)


def test_every_name_that_a_template_may_use_is_in_the_vocabulary() -> None:
    known = set(context(GENERAL, GENERAL.steps[1]))
    assert known <= set(NAMES), known - set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_name_is_a_template(name: str) -> None:
    example = NAMES[name][1]
    if "{{" in example:
        template.parse(example)
    else:
        template.parse_expression(example)


def test_every_finding_verb_and_step_is_there_with_its_keys() -> None:
    words = {(term.topic, term.word) for term in TERMS}
    assert {("findings", code) for code in codes()} <= words
    assert {("verbs", verb.name) for verb in verbs().values() if verb.step == "change"} <= words
    assert {("steps", verb) for verb in SHORT} <= words
    (oom,) = search(TERMS, "executor-oom-heap")
    assert {"limit: number", "decided: value"} <= set(oom.keys)


@pytest.mark.parametrize("term", [t for t in TERMS if t.topic == "steps"], ids=lambda term: term.word)
def test_the_example_of_a_step_loads(term: Term) -> None:
    head = "apiVersion: console/v1\nkind: Runbook\nid: a\ntitle: A\nabout: cluster\n"
    objects = "objects:\n  operator: workload\n  pods: {kind: Pod, labels: {a: b}}\n"
    verify = "verify: {that: operator.spec.replicas > 0}\n"
    schema.load(f"{head}{objects}steps:\n{term.example}\n- id: more\n  note: More\n{verify}", "a.yaml")


def test_a_word_is_found_by_its_topic_by_itself_or_by_what_it_says() -> None:
    assert {term.topic for term in search(TERMS, "verbs")} == {"verbs"}
    assert [term.word for term in search(TERMS, "jvm_size")] == ["jvm_size"]
    assert "executor-oom-heap" in [term.word for term in search(TERMS, "oom")]
    assert search(TERMS, "no such thing at all") == ()


@pytest.mark.parametrize(
    "about", ["app", "component spark-operator", "node", "schedule", "object ConfigMap", "cluster"]
)
@pytest.mark.parametrize("verb", ["none", "patch", "delete"])
def test_a_new_runbook_passes_lint(about: str, verb: str) -> None:
    if about == "cluster" and verb != "none":
        with pytest.raises(UsageError, match="no one object to change"):
            runbook(Answers("a-new-one", about, "operator-down", verb, "It is broken", "2026-11-24"))
        return
    text = runbook(Answers("a-new-one", about, "operator-down", verb, 'It is "broken": no', "2026-11-24"))
    book = schema.load(text, "a-new-one.yaml")
    found = lint(book, scripts={}, catalogue=LIBRARY.catalogue, today="2026-11-25")
    assert [f"{p.line} {p.message} {p.hint}" for p in found] == []
    assert (book.title, book.writes) == ('It is "broken": no', verb != "none")
    assert text.startswith("# yaml-language-server: $schema=")


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"about": "planet"}, "component"),
        ({"finding": "operator-dwn"}, "operator-down"),
        ({"verb": "pathc"}, "patch"),
        ({"id": "A b"}, "spark-oom"),
    ],
)
def test_an_answer_that_means_nothing_is_refused_with_what_would(change: dict[str, str], hint: str) -> None:
    answers = Answers("a", "node", "operator-down", "patch", "T", "2026-11-24")._replace(**change)
    with pytest.raises(UsageError) as caught:
        runbook(answers)
    assert hint in (caught.value.hint or "")


def test_the_command_asks_what_is_not_given_and_overwrites_nothing(tmp_path: Path) -> None:
    args = ["new", "mine", "--about", "node", "--finding", "operator-down", "--folder", str(tmp_path)]
    first = CliRunner().invoke(group, args, input="pathc\nnone\nIt is broken\n", standalone_mode=False)
    assert first.exit_code == 0 and (tmp_path / "mine.yaml").exists(), first.output
    assert "there is no verb 'pathc': did you mean 'patch'?" in first.output
    assert "no shipped drill shows operator-down of node: its drill breaks nothing yet" in first.output
    written, drill = (tmp_path / "mine.yaml").read_text(), tmp_path / "drills" / "mine.yaml"
    assert json.loads((tmp_path / SCHEMA).read_text()) == schema.json_schema()
    assert drill.read_text().startswith("# No shipped drill shows operator-down here, so nothing is broken yet")
    again = CliRunner().invoke(group, args, input="patch\nIt is broken\n", standalone_mode=False)
    assert isinstance(again.exception, UsageError) and "is there already" in again.exception.message
    assert (tmp_path / "mine.yaml").read_text() == written
    (tmp_path / "mine.yaml").unlink()
    again = CliRunner().invoke(group, args, input="patch\nIt is broken\n", standalone_mode=False)
    assert isinstance(again.exception, UsageError) and "drills/mine.yaml is there already" in again.exception.message
    assert not (tmp_path / "mine.yaml").exists()
