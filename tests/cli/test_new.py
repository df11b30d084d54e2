"""`console runbooks new`: what it writes passes lint, and its drill passes when it is played."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.cli.main import run
from console.drill.scenario.files import read
from console.rehearse import newdrill
from console.rehearse.lint.run import lint_text
from console.runbook import schema
from console.runbook.authors.scaffold import Answers, runbook
from console.sources.files.runbooks import Library

SHIPPED = Library.read().runbooks
SHOWN = [
    ("component spark-operator", "operator-down", "scale", "operator-down"),
    ("component hive-metastore", "component-down", "restart", "metastore-down"),
    ("app", "quota-exceeded", "suspend", "quota"),
    ("schedule", "schedule-missed", "resume", "schedule-missed"),
    ("cluster", "unschedulable", "none", "node-cordoned"),
    ("node", "gpu-hardware", "cordon", "gpu-xid"),
    ("node", "operator-down", "none", ""),
    ("component hive-metastore", "operator-down", "none", ""),
    ("object ConfigMap", "limit-range", "patch", ""),
]
"""What a new runbook is about, its finding, its verb, and the shipped drill whose fault shows that (`` for none)."""


@pytest.mark.parametrize(("about", "finding", "verb", "shipped"), SHOWN)
def test_a_new_drill_takes_the_fault_of_a_shipped_one_that_shows_the_finding_of_such_a_thing(
    about: str, finding: str, verb: str, shipped: str
) -> None:
    text = runbook(Answers("a-new-one", about, finding, verb, "It is 'broken': no", "2026-11-24"))
    book = schema.load(text, "a-new-one.yaml")
    found = newdrill.recipe(finding, book.about[0], SHIPPED)
    assert (found.scenario.name if found is not None else "") == shipped
    made = newdrill.drill(book, found)
    assert [f"{p.line} {p.message}" for p in lint_text(made, "d.yaml", {book.id: book})] == []
    drill = read(made)
    assert drill.title == "It is 'broken': no"
    assert bool(drill.cases["default"].breaks) == bool(shipped)
    assert finding in drill.cases["default"].expect.findings or not shipped


def test_what_is_written_is_played_and_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = [
        "--about",
        "component spark-operator",
        "--finding",
        "operator-down",
        "--verb",
        "scale",
        "--title",
        "Down",
    ]
    assert run(["runbooks", "new", "asleep", *answers, "--folder", str(tmp_path)]) == 0
    written = [Path(line) for line in capsys.readouterr().out.split()]
    assert written == [tmp_path / "asleep.yaml", tmp_path / "drills" / "asleep.yaml"]
    assert run(["runbooks", "lint", str(tmp_path)]) == 0
    capsys.readouterr()
    assert run(["runbooks", "test", str(tmp_path / "asleep.yaml"), "-o", "json"]) == 0
    cases = {case["case"]: case for case in json.loads(capsys.readouterr().out)["cases"]}
    assert cases["default"]["path"] == ["applies", "still-so", "be-changed-now", "handed-over"]
    assert cases["healthy"]["outcome"] == "not_applicable"
