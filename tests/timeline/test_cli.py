"""`console incident`: the journal from the command line, without a cluster."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from console.cli.main import run
from console.operate.journal import Journal
from console.operate.locks import lock_walk
from console.runbook.walk import Entered, Intent, Noted
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


def left(journal: Journal, records: int = 2) -> None:
    """A walk that its process has left after so many records."""
    for place, event in enumerate(events()[:records]):
        journal.append(WALK, event, expected=place)


def test_a_walk_that_was_left_is_not_called_running(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    left(journal)
    assert run(["incident", "list"]) == 0
    listed = capsys.readouterr().out
    assert "waits, nobody is on it" in listed and "running" not in listed
    run(["incident", "show"])
    told = capsys.readouterr().out
    assert told.startswith(f"WAITS, NOBODY IS ON IT  console runbook --resume {WALK} goes on with it\n")
    assert f"or end it:  console incident stop {WALK} --because TEXT" in told
    assert "\nstands   at step 1: Is it there?\n" in told and " step 1: Is it there?  current" in told
    for command in (["list"], ["show"], ["timeline"]):
        run(["incident", *command, "-o", "json"])
        document = json.loads(capsys.readouterr().out)
        told_of = document["items"][0] if command == ["list"] else document
        assert (told_of["status"], told_of["walked_by"]) == ("waiting", None), command
    run(["incident", "timeline"])
    assert "running" not in capsys.readouterr().out


def test_a_walk_that_another_process_is_on_names_it_and_does_not_wait(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left(journal)
    with contextlib.closing(lock_walk(tmp_path / "run", WALK, "grace")):
        run(["incident", "show"])
        told = capsys.readouterr().out
        assert told.startswith("GRACE (PROCESS ") and "--resume" not in told
        run(["incident", "list", "-o", "json"])
        (item,) = json.loads(capsys.readouterr().out)["items"]
        assert item["status"] == "running" and item["walked_by"].startswith("grace (process ")
        assert run(["incident", "stop", WALK, "--because", "lunch"]) == 4
        assert "grace" in capsys.readouterr().err
    run(["incident", "list"])
    assert "waits, nobody is on it" in capsys.readouterr().out
    assert len(journal.read(WALK)) == 2


def test_a_walk_that_waits_is_ended_from_the_command_line_with_a_reason(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    left(journal)
    assert run(["incident", "stop", WALK]) == 2
    assert run(["incident", "stop", WALK, "--because", " "]) == 2
    capsys.readouterr()
    assert run(["incident", "stop", "latest", "--because", "the owner took over"]) == 0
    assert capsys.readouterr().out == f"{WALK} has ended\n"
    run(["incident", "list", "-o", "json"])
    (item,) = json.loads(capsys.readouterr().out)["items"]
    assert (item["status"], item["outcome"], item["journal"]["whole"]) == ("ended", "unresolved", True)
    run(["incident", "timeline"])
    assert "the owner took over" in capsys.readouterr().out
    assert run(["incident", "stop", WALK, "--because", "again"]) == 2
    assert "has ended" in capsys.readouterr().err


def test_a_walk_whose_change_is_in_doubt_cannot_be_ended_and_says_what_asks_the_cluster(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    records = next(place for place, event in enumerate(events(), 1) if isinstance(event, Intent))
    left(journal, records)
    assert run(["incident", "stop", WALK, "--because", "lunch"]) == 1
    assert f"console runbook --resume {WALK} asks" in capsys.readouterr().out
    note = journal.read(WALK)[-1]
    assert isinstance(note, Noted) and "lunch" in note.text


def test_a_walk_that_ends_with_its_change_in_place_says_which(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    left(journal, 1 + next(place for place, event in enumerate(events(), 1) if isinstance(event, Intent)))
    assert run(["incident", "stop", WALK, "--because", "lunch"]) == 0
    assert "what it changed stays: Raise memoryOverhead to 1200m" in capsys.readouterr().out


def test_a_note_is_added_from_the_command_line(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    written(journal)
    assert run(["incident", "note", WALK, " "]) == 2
    assert run(["incident", "note", "latest", "the owner was told"]) == 0
    run(["incident", "show"])
    assert "the owner was told" in capsys.readouterr().out


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
