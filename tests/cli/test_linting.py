"""`console runbooks lint` of drills: whatever a case names that its runbook or its world does not have is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.base.paths import library
from console.cli.engine.linting import drill_problems, drills_of
from console.cli.main import run
from console.rehearse.lint.run import lint_text
from console.runbook import schema
from console.runbook.lint.problems import LintProblem
from console.sources.files.runbooks import Library
from tests.cli.test_proving import BOOK

SHIPPED = Library.read()
DRILL = """\
apiVersion: console.drill/v1
kind: Scenario
name: node-cordoned
title: A drill to be spoilt
runbook: node-cordoned
warmup: 60s
world: platform
cases:
  default:
    title: Somebody cordoned the nodes
    break:
    - {cordon: node-011, at: -30s}
    - {scale: Deployment/hive-metastore, to: 0, at: -30s}
    - {image-collected: "registry.local/spark:4.1.4", nodes: [node-012], at: -30s}
    - {create: {apiVersion: v1, kind: ConfigMap, metadata: {name: notes}}, at: -20s}
    - {patch: ConfigMap/notes, with: {data: {a: b}}, at: -10s}
    - {delete: Pod/any-name-that-a-controller-makes, at: -10s}
    page: {alert: SparkPodsUnschedulable}
    truth: {incident: I14}
    accepted:
    - {resource: nodes, name: node-011, fields: [spec.unschedulable]}
    inputs: {agreed: alice, about: cluster}
    answers: {whose: [agreed, leave]}
    expect:
      outcomes: [resolved]
      end: resolved
      path: [whose@0, placed]
      writes: 1
      findings: [unschedulable]
      others: [component-down]
  healthy:
    title: Nothing is wrong
    expect: {outcomes: [not_applicable], writes: 0}
"""


def problems(old: str, new: str) -> list[LintProblem]:
    assert old in DRILL
    return list(lint_text(DRILL.replace(old, new, 1), "drills/d.yaml", SHIPPED.runbooks))


SPOILT = [
    # the runbook
    ("runbook: node-cordoned", "runbook: node-cordond", "unknown-runbook", "runbook", "'node-cordoned'"),
    ("path: [whose@0, placed]", "path: [whos@0, placed]", "unknown-step", "expect.path[0]", "'whose'"),
    ("path: [whose@0, placed]", "path: [placed, whose@0]", "no-such-way", "expect.path[1]", "it leads to"),
    ("end: resolved", "end: resolvd", "unknown-step", "expect.end", "'resolved'"),
    ("end: resolved", "end: placed", "no-end", "expect.end", "of kind end"),
    ("end: resolved", "end: handed-over", "end-of-other-outcome", "expect.end", "outcomes: [handed_over]"),
    ("outcomes: [resolved]", "outcomes: [mitigated, resolved]", "no-such-end", "expect.outcomes[0]", "it can end"),
    ("answers: {whose: [", "answers: {whos: [", "unknown-step", "answers.whos", "'whose'"),
    ("answers: {whose: [", "answers: {applies: yes, whose: [", "asks-nothing", "answers.applies", "these ask: whose"),
    ("[agreed, leave]", "[agreed, leav]", "no-such-answer", "answers.whose[1]", "'leave'"),
    ("{agreed: alice,", "{agred: alice,", "unknown-input", "inputs.agred", "'agreed'"),
    # the names of the field
    ("findings: [unschedulable]", "findings: [unschedulble]", "unknown-finding", "expect.findings[0]", "'unsched"),
    ("others: [component-down]", "others: [component-dwn]", "unknown-finding", "expect.others[0]", "'component-down'"),
    ("incident: I14", "incident: I88", "unknown-class", "truth.incident", "I01 to I30"),
    # the world
    ("scale: Deployment/hive-metastore", "scale: Deployment/hive-metastor", "not-in-world", "break[1].scale", "hive-m"),
    ("spark:4.1.4", "spark:4.1.5", "not-in-world", "break[2].image-collected", "'registry.local/spark:4.1.4'"),
    ("nodes: [node-012]", "nodes: [node-12]", "not-in-world", "break[2].nodes[0]", "'node-012'"),
    ("ConfigMap/notes", "ConfigMap/nots", "not-in-world", "break[4].patch", ""),
    ("resource: nodes", "resource: node", "unknown-resource", "accepted[0].resource", "'nodes'"),
    ("name: node-011, fields", "name: node-11, fields", "not-in-world", "accepted[0].name", "'node-011'"),
    ("name: node-011, fields", "verbs: [PACH], fields", "unknown-verb", "accepted[0].verbs[0]", "'PATCH'"),
    # what can never pass
    ("    accepted:\n    - {resource: nodes, name: node-011, fields: [spec.unschedulable]}\n", "", "nothing-accepted",
     "expect.writes", "accepted: ["),
    ("    title: Nothing is wrong\n", "    title: Nothing is wrong\n    break: [{cordon: node-012}]\n",
     "no-healthy-case", "cases", "not_applicable"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "key", "hint"), SPOILT, ids=[f"{s[2]} {s[3]}" for s in SPOILT])
def test_what_a_drill_names_and_there_is_not_is_told_at_its_line(
    old: str, new: str, code: str, key: str, hint: str
) -> None:
    found = [p for p in problems(old, new) if p.code == code]
    assert [p.key.removeprefix("cases.default.") for p in found] == [key]
    wrong = DRILL.replace(old, new, 1).split("\n")[found[0].line - 1]
    assert key.split(".")[-1].split("[")[0] in wrong and hint in found[0].hint


def test_a_right_drill_has_no_problem() -> None:
    assert problems("title: A drill to be spoilt", "title: A good drill") == []


def test_a_runbook_that_changes_nothing_has_no_writes() -> None:
    watched = schema.load(f"{BOOK.partition('steps:')[0]}steps:\n- escalate: somebody\n", "b.yaml")
    text = DRILL.replace("runbook: node-cordoned", f"runbook: {watched.id}")
    assert "no-writes" in {p.code for p in lint_text(text, "d.yaml", {watched.id: watched})}


def test_a_world_that_does_not_load_is_told_where_it_is_wrong() -> None:
    (found,) = lint_text(DRILL.replace("world: platform", "world: platfrm"), "d.yaml", SHIPPED.runbooks)
    assert found.code == "schema" and found.line == 7 and "'platform'" in found.hint


def test_the_shipped_drills_have_no_problem() -> None:
    assert drill_problems(drills_of([library("runbooks")]), SHIPPED) == []


def test_a_folder_is_linted_with_its_drills_and_a_drill_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "drills").mkdir()
    (tmp_path / "operator-asleep.yaml").write_text(BOOK)
    drill = tmp_path / "drills" / "mine.yaml"
    drill.write_text(DRILL.replace("[whose@0, placed]", "[whos@0, placed]"))
    assert run(["runbooks", "lint", str(drill)]) == 1
    told = capsys.readouterr()
    assert f"{drill}:27:" in told.out and "has no step 'whos@0'" in told.out and "did you mean" in told.out
    assert "0 runbooks and 1 drill checked: 1 error" in told.err
    assert run(["runbooks", "lint", str(tmp_path), "-o", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["runbooks"], document["drills"]) == (1, 1)
    assert [p["code"] for p in document["problems"]] == ["unknown-step"]
