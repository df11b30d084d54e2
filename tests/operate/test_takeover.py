"""A walk that is taken from the process on it: with a reason, once, and the other one can record nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.actions.effects import Effect
from console.base.errors import UsageError
from console.operate import leaving
from console.operate.journal import Journal, JournalError
from console.operate.locks import lock_walk, walked_by
from console.runbook.walk import Entered, Intent, Started, TakenOver, WalkEnded, fold
from console.timeline.prose import sentence

BEGUN = Started(100.0, "w-1", "spark-oom", "1", "h", "", {}, {}, {}, "spark-jobs/etl", "grace", "t")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal.db")
    journal.append("w-1", BEGUN)
    return journal


def take(journal: Journal, because: str = "her laptop died", now: float = 200.0) -> None:
    folder = journal.path.parent / "run"
    leaving.take_over(journal, folder, "w-1", by="ada", because=because, session={"tty": "pts/3"}, now=now).close()


def test_who_takes_a_walk_says_why_and_who_had_it_can_write_no_more(journal: Journal, tmp_path: Path) -> None:
    known = fold(journal.read("w-1"))
    theirs = lock_walk(tmp_path / "run", "w-1", "grace")
    was = walked_by(tmp_path / "run", "w-1")
    assert leaving.taken(journal, known) is None
    take(journal)
    assert journal.read("w-1")[-1] == TakenOver(200.0, "ada", "her laptop died", was, {"tty": "pts/3"})
    with pytest.raises(JournalError, match="2 records"):
        journal.append("w-1", Entered(201.0, "next"), expected=known.events)
    told = leaving.taken(journal, known)
    assert told is not None and told.because == "her laptop died"
    walk = fold(journal.read("w-1"))
    assert walk.taken == told and leaving.taken(journal, walk) is None
    assert walk.remarks == (f"ada took it over from {was} at 00:03:20Z: her laptop died",)
    assert sentence(told) == f"ada took the walk over from {was}, because: her laptop died"
    assert journal.verify("w-1").ok
    theirs.close()


def test_a_walk_that_nobody_is_on_is_resumed_instead(journal: Journal) -> None:
    with pytest.raises(UsageError, match="nobody of this machine"):
        take(journal)


@pytest.mark.parametrize("because", ["", "  "])
def test_a_takeover_without_a_reason_is_none(journal: Journal, tmp_path: Path, because: str) -> None:
    theirs = lock_walk(tmp_path / "run", "w-1", "grace")
    with pytest.raises(UsageError, match="why"):
        take(journal, because)
    theirs.close()


def test_a_walk_that_has_ended_is_not_taken(journal: Journal, tmp_path: Path) -> None:
    journal.append("w-1", WalkEnded(150.0, "resolved", "well"))
    theirs = lock_walk(tmp_path / "run", "w-1", "grace")
    with pytest.raises(UsageError, match="has ended: resolved"):
        take(journal)
    theirs.close()


def test_a_change_that_is_being_sent_gets_its_answer_first_unless_its_process_hangs(
    journal: Journal, tmp_path: Path
) -> None:
    journal.append("w-1", Intent(150.0, "raise", Effect("w-1/1", "raise", "Raise it", "patch")))
    theirs = lock_walk(tmp_path / "run", "w-1", "grace")
    with pytest.raises(UsageError, match="is sending a change"):
        take(journal, now=150.0 + leaving.SENDING - 1)
    assert len(journal.read("w-1")) == 2
    take(journal, now=150.0 + leaving.SENDING)
    assert fold(journal.read("w-1")).taken is not None
    theirs.close()
