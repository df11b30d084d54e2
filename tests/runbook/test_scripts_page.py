"""docs/scripts.md: its script is played as the page says, its step passes lint, and what breaks the contract is said."""

# ruff: noqa: E501

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from console.base.errors import DocumentError
from console.cli.main import run
from console.rehearse.scripting import try_script
from console.runbook import schema, scripts
from console.runbook.lint.run import lint
from console.runbook.scripts import ScriptSpec
from console.sources.files.runbooks import Library
from tests.runbook.player import LIBRARY

PAGE = (Path(__file__).parents[2] / "docs" / "scripts.md").read_text()
DESCRIBED, STEP = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def folder(at: Path, program: str = PROGRAM, described: str = DESCRIBED) -> Path:
    (at / "scripts").mkdir()
    (at / "scripts" / "pause-scans.yaml").write_text(described)
    (at / "scripts" / "pause-scans.py").write_text(program)
    return at


def spec(at: Path, program: str = PROGRAM, described: str = DESCRIBED) -> ScriptSpec:
    found = Library.read([folder(at, program, described)], shipped=False)
    assert [p.message for p in found.problems] == []
    return found.scripts["pause-scans"]


def test_its_script_passes_its_tests_by_the_command_that_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["runbooks", "test", str(folder(tmp_path))]) == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split() for row in rows] == [
        ["pause-scans", "script", "scans-are-paused", "as", "expected", "1", "ok"],
        ["pause-scans", "script", "they-were-paused-before", "as", "expected", "0", "ok"],
    ]


def test_its_step_is_held_to_the_script_and_passes_lint(tmp_path: Path) -> None:
    look = "id: scans-are-paused\nkind: verify\ntitle: Look\nuntil: seen.scans.state == 'found'\nprogress: now > 0\n"
    book = {
        "apiVersion": "console/v1", "kind": "Runbook", "id": "pausing", "version": "1.0.0", "title": "Scans are too many",
        "owner": "me", "reviewed": "2026-11-20", "what": "Pauses them.", "when_not_to_use": "Never.",
        "match": {"findings": ["operator-down"]},
        "objects": {"scans": {"kind": "ConfigMap", "name": "scans", "namespace": "spark-prod"}},
        "steps": [
            yaml.safe_load(STEP),
            {**yaml.safe_load(look), **{f"on_{v}": "declined" for v in ("effective", "ineffective", "worse", "unknown")}},
            {"id": "declined", "kind": "end", "title": "Done", "outcome": "handed_over", "text": "done"},
        ],
    }  # fmt: skip
    book["steps"][0]["on_failed"] = "declined"  # type: ignore[index]
    loaded = schema.load(yaml.safe_dump(book), "page.yaml")
    known = {"pause-scans": spec(tmp_path)}
    found = lint(loaded, scripts=known, catalogue=LIBRARY.catalogue)
    assert [p.message for p in found if p.severity == "error" and "script" in p.message] == []
    assert [p.code for p in lint(loaded, scripts={}, catalogue=LIBRARY.catalogue) if p.code == "unknown-script"]


SEND = 'api.patch_namespaced_config_map(name, namespace, {"data": {"scans": "paused"}})'


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (f"{SEND}; api.patch_namespaced_config_map(name, namespace, {{'data': {{'window': 'day'}}}})",
         "/data/window of ConfigMap spark-prod/scans is not declared under `touches`"),
        (f"{SEND}; api.delete_namespaced_config_map(name, namespace)", "the step does not declare: delete configmaps"),
        (f"{SEND}; api.patch_namespaced_config_map('other', namespace, {{'data': {{}}}})", "does not declare: patch"),
        (f"{SEND}; api.list_namespaced_secret(namespace)", "exit code 1"),
        ("pass", "it did not change /data/scans"),
        (SEND.replace('"paused"', '"off"'), "/data/scans is 'off' afterwards, not 'paused'"),
        (f"{SEND}; sys.exit(3)", "ended with exit code 3, not with 0"),
        (f"import os; os.environ.get('CONSOLE_DRY_RUN') or {SEND}; os.environ.get('CONSOLE_DRY_RUN') and sys.exit(1)",
         "its dry run ended with exit code 1"),
    ],
    ids=["another field", "another verb", "another object", "a secret", "nothing", "another value", "a code", "dry run"],
)  # fmt: skip
def test_what_breaks_its_contract_fails_its_test(tmp_path: Path, instead: str, said: str) -> None:
    score = try_script(spec(tmp_path, PROGRAM.replace(SEND, instead)), "scans-are-paused")
    assert any(said in problem for problem in score.problems), score.problems


def test_a_dry_run_that_takes_no_notice_of_it_changes_nothing(tmp_path: Path) -> None:
    """The program of the page never looks at CONSOLE_DRY_RUN."""
    score = try_script(spec(tmp_path), "scans-are-paused")
    assert (score.problems, score.writes) == ((), 1)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("effect: write ", "effect: read ", 9, "a script that only reads changes nothing"),
        ("kind: ConfigMap}\narguments", "kind: Secret}\narguments", 10, "Secrets are neither read nor written"),
        ("touches: [/data/scans]", "touches: [data.scans]", 8, "no JSON pointer"),
        ("arguments: {settings: spark-prod/scans}", "arguments: {setings: a/b}", 21, "no argument 'setings'"),
        ("arguments: {settings: spark-prod/scans}", "arguments: {}", 21, "needs the argument 'settings'"),
        ("arguments: {settings: spark-prod/scans}", "arguments: {settings: --all}", 21, "looks like a flag"),
        ("arguments: {settings: spark-prod/scans}", "arguments: {settings: ~/.kube/config}", 21, "a person's files"),
        ("about: [{apiVersion: v1, kind: ConfigMap", "about: [{apiVersion: v1, kind: Pod", 22, "no call on a Pod"),
        ("interpreter: python ", "interpreter: bash ", 6, "bash"),
    ],
)
def test_a_description_that_does_not_hold_together_is_refused_at_its_line(
    old: str, new: str, line: int, said: str
) -> None:
    assert old in DESCRIBED
    with pytest.raises(DocumentError) as refused:
        scripts.load(DESCRIBED.replace(old, new, 1), "pause-scans.yaml", "/scripts")
    assert said in refused.value.message, refused.value.message
    assert refused.value.line == line


def test_a_script_without_tests_is_a_warning(tmp_path: Path) -> None:
    bare = DESCRIBED.partition("tests:")[0]
    found = Library.read([folder(tmp_path, described=bare)], shipped=False)
    assert [(p.code, p.severity) for p in found.problems] == [("script-untested", "warning")]


BOOK = """\
apiVersion: console/v1
kind: Runbook
id: pausing
version: 1.0.0
title: Scans are too many
owner: me
reviewed: 2026-11-20
what: Pauses them.
when_not_to_use: Somebody needs them.
about: cluster
on_demand: true
objects:
  scans: {kind: ConfigMap, name: scans, namespace: spark-prod}
steps:
- id: pause-scans
  kind: script
  title: Pause the scans
  script: pause-scans
  effect: write
  arguments: {settings: {type: string, value: spark-prod/scans}}
  target: {apiVersion: v1, kind: ConfigMap, namespace: spark-prod, name: scans}
  rollback: captured
  verify: paused
  on_refused: no
  on_failed: no
- id: paused
  kind: verify
  title: They are paused
  until: scans.data.scans == 'paused'
  progress: seen.scans.state == 'found'
  hold: 10s
  deadline: 2m
  on_effective: done
  on_ineffective: no
  on_worse: no
  on_unknown: no
- {id: done, kind: end, title: Done, outcome: resolved, text: They are paused.}
- {id: no, kind: end, title: Not done, outcome: unresolved, text: They are not paused.}
"""
DRILL = """\
apiVersion: console.drill/v1
kind: Scenario
name: pausing
title: Scans are too many
runbook: pausing
warmup: 60s
world:
  from: platform
  objects:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: scans}, data: {scans: "on"}}
cases:
  default:
    title: They are to be paused
    accepted: [{resource: configmaps, name: scans}]
    expect: {outcomes: [resolved], path: [pause-scans, paused], writes: 1}
"""


def test_a_drill_runs_it_as_an_incident_would(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its dry run, the question with the server's diff, the proxy: all that the drill's cluster sees is one write."""
    at = folder(tmp_path)
    (at / "pausing.yaml").write_text(BOOK)
    (at / "drills").mkdir()
    (at / "drills" / "pausing.yaml").write_text(DRILL)
    code = run(["runbooks", "test", str(at / "drills" / "pausing.yaml"), "-v"])
    out = capsys.readouterr()
    assert code == 0, out
    assert "scans: paused" in out.err and "it may send: patch ConfigMap spark-prod/scans, and nothing else" in out.err
