"""`console incident`: the journal from the command line, without a cluster."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from console.cli.main import run
from console.operate.journal import Journal
from console.runbook.walk import Entered
from tests.timeline.story import PLANTED, WALK, events, written


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    return Journal(tmp_path / "journal.db")


def test_an_empty_journal_is_said_to_be_empty(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "list"]) == 0
    assert capsys.readouterr().out.startswith("no walk yet")
    assert run(["incident", "list", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"] == []
    assert not journal.path.exists()
    assert run(["incident", "show"]) == 2
    assert "no walk" in capsys.readouterr().err


def test_walks_are_listed(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    written(journal)
    assert run(["incidents", "list"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["WALK", "BEGAN", "TOOK", "RUNBOOK", "SUBJECT", "OUTCOME", "CHANGES", "CHAIN"]
    assert line.split() == [
        WALK, "2026-11-24T10:42:07Z", "11m", "small", "spark-jobs/etl-orders", "resolved", "1", "whole",
    ]  # fmt: skip
    assert run(["incident", "list", "-o", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["apiVersion"]
    assert document["items"][0]["outcome"] == "resolved"
    assert document["items"][0]["journal"]["head"] == journal.head(WALK)


def test_a_walk_that_was_left_is_not_called_running(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    for place, event in enumerate(events()[:2]):
        journal.append(WALK, event, expected=place)
    assert run(["incident", "list"]) == 0
    listed = capsys.readouterr().out
    assert "not ended" in listed and "running" not in listed
    run(["incident", "show"])
    assert capsys.readouterr().out.startswith(f"NOT ENDED  console runbook --resume {WALK} goes on with it\n")


def test_a_walk_is_shown_on_a_page(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    written(journal)
    assert run(["incident", "show", "w-2026"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("RESOLVED  it runs again\n")
    assert "+    memoryOverhead: 1200m" in shown
    assert "slo      job-success: burning, budget 84% left" in shown
    assert PLANTED not in shown
    assert run(["incident", "show", "-o", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["writes"][0]["effect"] == f"{WALK}/1"
    assert "events" not in document


def test_a_timeline_in_three_formats(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    written(journal)
    assert run(["incident", "timeline"]) == 0
    assert capsys.readouterr().out.startswith("# spark-jobs/etl-orders: Give executors more room\n")
    assert run(["incident", "timeline", WALK, "-o", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["events"]) == 15
    assert run(["incident", "timeline", WALK, "-o", "text"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 16
    assert "ada confirmed" in lines[9]


def test_a_walk_that_was_left_says_how_to_go_on(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    for event in events()[:6]:
        journal.append(WALK, event)
    assert run(["incident", "show"]) == 0
    assert f"go on with: console runbook --resume {WALK}" in capsys.readouterr().out


def test_a_broken_chain_is_an_exit_code(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    written(journal)
    db = sqlite3.connect(journal.path)
    db.execute("DROP TRIGGER records_remain")
    db.execute("DELETE FROM records WHERE seq = 4")
    db.commit()
    assert run(["incident", "show"]) == 1
    assert "BROKEN: record 4 is missing" in capsys.readouterr().out
    assert run(["incident", "list"]) == 1
    assert "BROKEN" in capsys.readouterr().out


def test_a_walk_that_does_not_exist_is_named(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    written(journal)
    journal.append("w-other", events()[0])
    journal.append("w-other", Entered(1.0, "look"))
    assert run(["incident", "show", "w-nonsense"]) == 2
    assert "no walk 'w-nonsense'" in capsys.readouterr().err
