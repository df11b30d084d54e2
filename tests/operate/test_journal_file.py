"""The file of the journal: its owner's alone and no link; each record for itself; which cluster a change counts for."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.base.errors import UsageError
from console.operate.journal import Journal, JournalError
from console.runbook.walk import Noted, WalkEnded
from tests.operate.test_journal import patch, started

HERE = {"uid": "u-1", "server": "https://a"}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_of_a_journal_that_is_there_already_is_tightened_by_the_next_record(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state" / "journal.db")
    journal.append("w-1", started())
    journal.path.chmod(0o644)
    journal.path.parent.chmod(0o755)
    again = Journal(journal.path)
    again.walks()
    again.append("w-2", started("w-2"))
    assert (mode(journal.path), mode(journal.path.parent)) == (0o600, 0o700)


def test_a_folder_that_everybody_shares_takes_no_journal(tmp_path: Path) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(JournalError, match="everybody shares") as refused:
        Journal(shared / "journal.db").append("w-1", started())
    assert refused.value.hint == str(shared / "journal.db")
    assert list(shared.iterdir()) == []


def test_a_journal_that_is_a_link_is_neither_read_nor_written(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.db"
    other = Journal(theirs)
    other.append("w-1", started())
    other.close()
    link = tmp_path / "state" / "journal.db"
    link.parent.mkdir()
    link.symlink_to(theirs)
    before = theirs.read_bytes()
    with pytest.raises(JournalError, match="is a link"):
        Journal(link).walks()
    with pytest.raises(JournalError):
        Journal(link).append("w-2", started("w-2"))
    assert theirs.read_bytes() == before


def test_a_link_that_leads_nowhere_yet_makes_no_file_there(journal: Journal) -> None:
    journal.path.parent.mkdir()
    journal.path.symlink_to(journal.path.parent / "elsewhere.db")
    with pytest.raises(JournalError, match="the journal cannot be used: Too many levels") as refused:
        journal.append("w-1", started())
    assert refused.value.hint == str(journal.path)
    assert [path.name for path in journal.path.parent.iterdir()] == ["journal.db"]


def test_a_journal_that_was_moved_aside_is_begun_anew(journal: Journal) -> None:
    journal.append("w-1", started())
    journal.close()
    journal.path.rename(journal.path.with_name("aside.db"))
    journal.append("w-2", started("w-2"))
    assert [walk.walk for walk in journal.walks()] == ["w-2"]


def test_its_stamp_differs_once_another_process_has_written(journal: Journal) -> None:
    assert journal.stamp() is None
    journal.append("w-1", started())
    before = journal.stamp()
    assert before is not None and before == journal.stamp()
    Journal(journal.path).append("w-1", Noted(at=1.0, text="x" * 9000, by="ada"))
    assert journal.stamp() != before


def damaged(journal: Journal, walk: str, seq: int) -> None:
    """As a disk or a hand might leave one record."""
    journal.close()
    db = sqlite3.connect(journal.path)
    db.execute("DROP TRIGGER records_stay")
    db.execute("UPDATE records SET payload = ? WHERE walk = ? AND seq = ?", (b"\xff{", walk, seq))
    db.commit()
    db.close()


def test_an_unreadable_record_of_another_walk_stops_no_change(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state" / "journal.db")
    for walk in ("w-1", "w-2"):
        journal.append(walk, started(walk))
        journal.append(walk, patch(f"{walk}/1"))
    damaged(journal, "w-1", 2)
    assert [change.walk for change in journal.changes(0.0)] == ["w-2"]
    assert journal.find_open("latest") == "w-2"
    assert not journal.verify("w-1").ok


def test_the_latest_open_walk_is_one_that_can_be_read(journal: Journal) -> None:
    for walk in ("w-1", "w-2"):
        journal.append(walk, started(walk))
    damaged(journal, "w-2", 1)
    assert journal.find_open("latest") == "w-1"


def test_a_note_on_a_walk_that_has_ended_opens_it_no_more(journal: Journal) -> None:
    journal.append("w-1", started())
    journal.append("w-1", WalkEnded(at=101, outcome="resolved", because="it runs"))
    journal.append("w-1", Noted(at=102, text="it held", by="ada"))
    assert journal.unfinished() == ("w-1",), "by its last record alone it may be"
    with pytest.raises(UsageError, match="no walk is unfinished"):
        journal.find_open("latest")


def test_where_nothing_was_written_nothing_is_unfinished_nor_changed(journal: Journal) -> None:
    assert journal.unfinished() == ()
    assert list(journal.changes(0.0, HERE)) == []


@pytest.mark.parametrize(
    ("theirs", "here", "counts"),
    [
        pytest.param({"uid": "u-1", "server": "https://b"}, HERE, True, id="the same by another address"),
        pytest.param({"uid": "u-2", "server": "https://a"}, HERE, False, id="another at the same address"),
        pytest.param({"server": "https://a"}, HERE, True, id="the address where no uid was known"),
        pytest.param({"server": "https://b"}, HERE, False, id="another address where no uid was known"),
        pytest.param({"uid": "u-1", "server": "https://b"}, {"server": "https://a"}, False, id="no uid is known now"),
        pytest.param({"uid": "u-1", "server": "https://a"}, {"uid": "", "server": ""}, True, id="nothing is known now"),
        pytest.param({"uid": "u-2"}, {"server": "https://a"}, True, id="nothing to compare"),
        pytest.param({}, HERE, True, id="none was named"),
    ],
)
def test_a_change_counts_for_the_cluster_that_its_walk_named(
    journal: Journal, theirs: dict[str, str], here: dict[str, str], counts: bool
) -> None:
    journal.append("w-1", replace(started(), cluster=theirs))
    journal.append("w-1", patch("w-1/1"))
    assert [change.walk for change in journal.changes(0.0, here)] == ["w-1"] * counts
    assert [change.walk for change in journal.changes(0.0)] == ["w-1"]


def test_a_change_counts_where_the_beginning_of_its_walk_is_not_readable(journal: Journal) -> None:
    journal.append("w-1", replace(started(), cluster={"uid": "u-2"}))
    journal.append("w-1", patch("w-1/1"))
    damaged(journal, "w-1", 1)
    assert [change.walk for change in journal.changes(0.0, HERE)] == ["w-1"]


def test_a_change_counts_where_the_beginning_of_its_walk_is_gone(journal: Journal) -> None:
    journal.append("w-1", started())
    journal.append("w-1", patch("w-1/1"))
    journal.close()
    with sqlite3.connect(journal.path) as db:
        db.execute("DROP TRIGGER records_remain")
        db.execute("DELETE FROM records WHERE seq = 1")
    db.close()
    (found,) = journal.changes(0.0, HERE)
    assert (found.walk, found.runbook, found.subject) == ("w-1", "", "")
