"""The library: each runbook is short, has drills of what it is for and of what only looks like it, and passes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.base.document import parse
from console.base.paths import library
from console.drill.scenario.files import drills_dir, load
from console.rehearse.playing import play
from console.sources.files.runbooks import Library

BOOKS = sorted(path.stem for path in library("runbooks").glob("*.yaml"))
MOST = {"spark-oom": 15}
"""How many steps a runbook may have that needs more than twelve: it answers for eight ends of three memories."""
CASES = ("default", "healthy")
"""What is played here; `console runbooks test` plays every case."""
ELSEWHERE = {"spark-oom"}
"""Runbooks whose drills `test_rehearsal` plays."""
PLAYED = [(name, case) for name in BOOKS if name not in ELSEWHERE for case in CASES]


@pytest.mark.parametrize("name", BOOKS)
def test_a_runbook_has_a_drill_of_its_fault_of_health_and_of_a_look_alike(name: str) -> None:
    cases = load(drills_dir() / f"{name}.yaml").cases
    assert {"default", "healthy", "look-alike"} <= set(cases)
    assert all(case.truth.cause for key, case in cases.items() if key != "healthy"), "a drill tells what it was"
    assert cases["healthy"].expect.writes == 0


@pytest.mark.parametrize("name", BOOKS)
def test_a_runbook_can_be_read_aloud(name: str) -> None:
    path = library("runbooks") / f"{name}.yaml"
    written = parse(path.read_text(encoding="utf-8"), str(path)).data
    inner = sum(len(step.get("steps", ())) for step in written["steps"])
    assert len(written["steps"]) + inner <= MOST.get(name, 12)
    book = Library.read([]).get(name)
    assert book.what and book.when_not_to_use and book.owner and book.reviewed


@pytest.mark.parametrize(("name", "case"), PLAYED)
def test_a_drill_ends_as_it_should(name: str, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("CONSOLE_CONFIG_DIR", str(tmp_path))
    score = play(drills_dir() / f"{name}.yaml", case)
    assert score.problems == (), (score.path, score.because, score.timeline)
