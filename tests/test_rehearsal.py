"""Drills play themselves: the shipped runbook with the real engine, over the wire, on the simulated cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from console.rehearse.playing import Rehearsal

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def drill(case: str, folder: Path) -> tuple[int, dict[str, Any], str]:
    """`console drill spark-oom --auto --case CASE -o json`, as a person would type it."""
    ran = subprocess.run(
        [sys.executable, "-m", "console", "drill", "spark-oom", "--auto", "--case", case, "-o", "json"],
        env={**ENVIRONMENT, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout), ran.stderr


def fields(document: dict[str, Any]) -> list[str]:
    return [field for write in document["writes"] for field in write["fields"]]


def burn(document: dict[str, Any], when: str, window: int) -> float:
    return float(document["slo"][when]["job-success"]["burn"][str(window)])


def test_the_incident_ends_resolved_and_the_spent_budget_stays_spent(tmp_path: Path) -> None:
    code, document, narration = drill("default", tmp_path)
    assert (code, document["outcome"], document["ok"]) == (0, "resolved", True), narration
    assert fields(document) == ["spec.executor.memoryOverhead", "spec.template.executor.memoryOverhead"]
    assert [write["name"] for write in document["writes"]] == ["etl-orders", "nightly-etl"]
    assert "give-overhead" in document["path"] and "next-run-overhead" in document["path"]
    assert document["path"][-1] == "resolved"
    assert "still to do" not in document["timeline"], "the schedule has the new size, too"
    assert burn(document, "before", 300) > 1 or burn(document, "before", 3600) > 1
    assert burn(document, "after", 300) < 1 and burn(document, "after", 3600) < 1
    before, after = (document["slo"][when]["job-success"]["budget_left"] for when in ("before", "after"))
    assert after < 1 and abs(after - before) < 0.05
    assert document["timeline"].startswith("# ")
    assert "+" in document["timeline"] and "memoryOverhead" in document["timeline"]


def test_a_healthy_application_is_not_changed(tmp_path: Path) -> None:
    code, document, narration = drill("healthy", tmp_path)
    assert (code, document["outcome"], document["writes"]) == (0, "not_applicable", []), narration


def test_evicted_executors_take_another_branch_without_a_write(tmp_path: Path) -> None:
    code, document, narration = drill("look-alike", tmp_path)
    assert (code, document["ok"], document["writes"]) == (0, True, []), narration
    assert document["path"][-2:] == ["other", "not-applicable"] and "fixed" not in document["path"]


def test_the_wrong_fix_does_not_help_and_ends_unresolved(tmp_path: Path) -> None:
    code, document, narration = drill("wrong-fix", tmp_path)
    assert (code, document["outcome"]) == (0, "unresolved"), narration
    assert fields(document)[0] == "spec.executor.memory"


@pytest.mark.parametrize(
    ("case", "field"), [("heap", "spec.executor.memory"), ("driver", "spec.driver.memoryOverhead")]
)
def test_other_kinds_of_memory_get_the_change_that_helps_them(case: str, field: str, tmp_path: Path) -> None:
    code, document, narration = drill(case, tmp_path)
    assert (code, document["outcome"], document["ok"]) == (0, "resolved", True), narration
    assert fields(document) == [field, field.replace("spec.", "spec.template.", 1)]


def test_an_unknown_drill_or_case_names_the_nearest_one() -> None:
    for argv, hint in ((["spark-om"], "spark-oom"), (["spark-oom", "--case", "heapp"], "heap")):
        ran = subprocess.run(
            [sys.executable, "-m", "console", "drill", *argv, "--auto"], capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 2
        assert f"did you mean '{hint}'" in ran.stderr


def gone(rehearsal: Rehearsal) -> None:
    """Wait for the process that removes the evidence of a drill by hand: who leaves it does not."""
    assert rehearsal.removing is not None and rehearsal.removing.wait(60) == 0


def test_a_drill_is_not_told_what_was_seen_in_an_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.live import Live
    from console.rehearse.playing import Rehearsal

    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    with Rehearsal("spark-oom", step=True, keep=True) as rehearsal, Live(rehearsal.plan()) as live:
        assert live.settle(60).board.findings
        plan = rehearsal.plan()
        assert plan.evidence is not None and not plan.evidence.is_relative_to(tmp_path)
        assert plan.state.is_relative_to(tmp_path)
        first = plan.state
    gone(rehearsal)
    assert not plan.evidence.exists() and not list(tmp_path.rglob("pod.json"))
    with Rehearsal("spark-oom", step=True, keep=True) as again:
        assert again.plan().state != first and first.is_dir()
    gone(again)


def test_a_change_of_the_last_drill_blocks_nothing_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.operate.journal import Journal
    from console.rehearse.playing import Rehearsal
    from tests.operate.test_journal import patch, started

    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    with Rehearsal("spark-oom", step=True, keep=True) as rehearsal:
        journal = Journal(rehearsal.plan().state / "journal.db")
        journal.append("w-1", started())
        journal.append("w-1", patch("w-1/2"))
    gone(rehearsal)
    with Rehearsal("spark-oom", step=True, keep=True) as again:
        assert list(Journal(again.plan().state / "journal.db").changes(0.0)) == []
    gone(again)


def test_only_the_journals_of_the_latest_drills_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.rehearse import playing

    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(playing, "KEPT_DRILLS", 2)
    made = [playing._folder_for("spark-oom") for _ in range(3)]
    assert made[2].is_dir() and sum(path.exists() for path in made) == 2
