"""The journal: what was appended is there after a crash, in order, unaltered, and every alteration shows."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from console.actions.effects import Effect, ObjectRef
from console.base.errors import UsageError
from console.operate.chain import GENESIS, digest
from console.operate.journal import Journal, JournalError, WalkSummary
from console.runbook.walk import Applied, Entered, Intent, Judged, Noted, Started, WalkEnded, encode, fold

APP = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl-orders", "u-1")


def started(walk: str = "w-1", at: float = 100.0) -> Started:
    return Started(
        at=at,
        walk=walk,
        runbook="spark-oom",
        version="1.0.0",
        hash="h",
        text="id: spark-oom",
        inputs={"app": "spark-jobs/etl-orders"},
        origins={"app": "selection"},
        cluster={"context": "kind"},
        subject="spark-jobs/etl-orders",
        actor="ada",
        tool="console 0.1.0",
    )


def patch(id: str, at: float = 110.0) -> Intent:
    body = {"spec": {"executor": {"memoryOverhead": "1200m"}}}
    return Intent(at=at, step="raise", effect=Effect(id, "raise", "Raise it", "patch", APP, "merge", body))


def files_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db")


def test_a_walk_is_the_fold_of_what_was_read_back(journal: Journal) -> None:
    events = [started(), Entered(at=101, step="look"), Judged(at=102, step="look", status="pass", because="b", goto="")]
    for event in events:
        journal.append("w-1", event)
    assert journal.read("w-1") == events
    assert fold(journal.read("w-1")).path == ("look",)


def test_the_file_and_its_folder_are_for_the_owner_only(journal: Journal) -> None:
    journal.append("w-1", started())
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_each_commit_is_synced_and_leaves_no_other_file(journal: Journal) -> None:
    journal.append("w-1", started())
    db = journal._db
    assert db is not None
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 3, "EXTRA"
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    assert [p.name for p in journal.path.parent.iterdir()] == ["journal.db"]


def test_reading_where_nothing_was_written_creates_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "none" / "journal.db")
    assert journal.read("w-1") == []
    assert journal.walks() == ()
    assert journal.head("w-1") == ""
    assert not journal.verify("w-1").ok
    assert not (tmp_path / "none").exists()


def test_each_walk_has_a_chain_of_its_own(journal: Journal) -> None:
    journal.append("w-1", started("w-1"))
    journal.append("w-2", started("w-2", at=200))
    journal.append("w-1", Entered(at=101, step="look"))
    first, second = journal.hashes("w-1")
    assert first == digest("w-1", 1, GENESIS, encode(started("w-1")))
    assert second == digest("w-1", 2, first, encode(Entered(at=101.0, step="look")))
    assert journal.verify("w-1").ok
    assert journal.verify("w-2").ok
    assert journal.head("w-1") == second


def test_walks_are_listed_newest_first_and_found_by_their_beginning(journal: Journal) -> None:
    journal.append("w-aa", started("w-aa", at=100))
    journal.append("w-ab", started("w-ab", at=200))
    assert [(h.walk, h.records, h.runbook) for h in journal.walks()] == [
        ("w-ab", 1, "spark-oom"),
        ("w-aa", 1, "spark-oom"),
    ]
    assert journal.find("latest") == "w-ab"
    assert journal.find("w-aa") == "w-aa"
    with pytest.raises(UsageError, match="2 walks"):
        journal.find("w-a")
    with pytest.raises(UsageError, match="no walk"):
        journal.find("nonsense")


def test_records_cannot_be_changed_or_removed_through_sql(journal: Journal) -> None:
    journal.append("w-1", started())
    db = sqlite3.connect(journal.path)
    for statement in ("UPDATE records SET at = 0", "DELETE FROM records"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)


def forge(journal: Journal, *statements: str) -> None:
    """Alter the file behind the journal's back."""
    db = sqlite3.connect(journal.path)
    db.execute("DROP TRIGGER records_stay")
    db.execute("DROP TRIGGER records_remain")
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def four(journal: Journal) -> None:
    journal.append("w-1", started())
    for step in ("a", "b", "c"):
        journal.append("w-1", Entered(at=101, step=step))


def test_an_edited_payload_shows(journal: Journal) -> None:
    four(journal)
    forge(journal, "UPDATE records SET payload = replace(payload, '\"b\"', '\"x\"') WHERE seq = 3")
    chain = journal.verify("w-1")
    assert (chain.ok, chain.broken, chain.because) == (False, 3, "record 3 is not what was written")


def test_a_record_whose_hash_was_made_to_fit_breaks_the_next_one(journal: Journal) -> None:
    four(journal)
    payload = encode(Entered(at=101, step="x"))
    mine = digest("w-1", 3, journal.hashes("w-1")[1], payload)
    forge(journal, f"UPDATE records SET payload = X'{payload.hex()}', hash = '{mine}' WHERE seq = 3")
    chain = journal.verify("w-1")
    assert (chain.ok, chain.broken) == (False, 4)


def test_a_missing_record_in_the_middle_shows(journal: Journal) -> None:
    four(journal)
    forge(journal, "DELETE FROM records WHERE seq = 2")
    chain = journal.verify("w-1")
    assert (chain.ok, chain.broken, chain.because) == (False, 2, "record 2 is missing")


def test_a_torn_tail_shows_and_is_not_continued(journal: Journal) -> None:
    four(journal)
    forge(journal, "DELETE FROM records WHERE seq > 2")
    chain = journal.verify("w-1")
    assert (chain.ok, chain.broken) == (False, 3)
    assert "from 3 to 4 are missing" in chain.because
    with pytest.raises(JournalError, match="lost its end") as refused:
        journal.append("w-1", Entered(at=102, step="d"))
    assert refused.value.hint == f"look at {journal.path}"


def test_a_damaged_file_is_named_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is no database, but it is long enough to be read as one" * 100)
    with pytest.raises(JournalError, match="damaged") as refused:
        Journal(path).append("w-1", started())
    assert refused.value.hint == f"keep {path} for a look, and move it aside"
    assert path.read_bytes().startswith(b"this is no database")


def test_a_journal_of_another_format_is_refused(journal: Journal) -> None:
    journal.append("w-1", started())
    db = sqlite3.connect(journal.path)
    db.execute("PRAGMA user_version = 9")
    db.commit()
    with pytest.raises(JournalError, match="another version"):
        Journal(journal.path).read("w-1")


def test_an_append_that_expects_another_length_is_refused(journal: Journal) -> None:
    journal.append("w-1", started(), expected=0)
    journal.append("w-1", Entered(at=101, step="a"), expected=1)
    with pytest.raises(JournalError, match="2 records in the journal, 1 were expected"):
        journal.append("w-1", Entered(at=101, step="b"), expected=1)
    assert len(journal.read("w-1")) == 2


def write_many(path: str, walk: str, count: int) -> None:
    journal = Journal(Path(path))
    journal.append(walk, started(walk))
    for number in range(count):
        journal.append(walk, Noted(at=number, text=f"note {number}", by=str(os.getpid())))


def test_two_processes_write_at_once_and_both_chains_hold(journal: Journal) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_many, args=(str(journal.path), f"w-{n}", 12)) for n in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert [journal.verify(f"w-{n}").records for n in (1, 2)] == [13, 13]
    assert all(journal.verify(f"w-{n}").ok for n in (1, 2))


def test_a_lock_that_is_not_given_back_is_reported(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append("w-1", started())
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("console.operate.journal.BUSY_SECONDS", 0.05)
    with pytest.raises(JournalError, match="another process has held the journal for 0s") as refused:
        Journal(journal.path).append("w-1", Entered(at=101, step="a"))
    assert refused.value.hint == str(journal.path)
    other.execute("ROLLBACK")
    assert journal.append("w-1", Entered(at=101, step="a")) == Entered(at=101, step="a")


def test_changes_are_intents_that_did_not_fail(journal: Journal) -> None:
    journal.append("w-1", started())
    journal.append("w-1", patch("w-1/1"))
    journal.append("w-1", Applied(at=111, step="raise", effect="w-1/1", ok=False))
    journal.append("w-1", patch("w-1/2", at=120))
    journal.append("w-1", Applied(at=121, step="raise", effect="w-1/2", ok=True))
    journal.append("w-1", patch("w-1/3", at=130))
    assert [c.effect.id for c in journal.changes(0)] == ["w-1/2", "w-1/3"]
    assert [c.effect.id for c in journal.changes(125)] == ["w-1/3"]
    assert {(c.runbook, c.subject) for c in journal.changes(0)} == {(started().runbook, started().subject)}


def test_the_journal_lies_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Journal().path.name == "journal.db"
    assert Journal().path.is_relative_to(tmp_path)


def test_what_was_stored_comes_back_without_its_secrets(journal: Journal) -> None:
    note = Noted(at=1.0, text="password=hunter2hunter2", by="ada")
    stored = journal.append("w-1", note)
    assert isinstance(stored, Noted) and "hunter2" not in stored.text
    assert journal.read("w-1") == [stored]


def test_a_new_file_is_on_the_disk_with_its_name(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("console.operate.journal.os.fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    gc.collect()  # what other tests of this process left open must not be closed in between
    open_files = files_open()
    journal.append("w-1", started())
    assert journal.path.parent.stat().st_ino in synced
    journal.close()
    assert files_open() <= open_files


def test_a_folder_that_others_could_enter_is_closed_to_them(journal: Journal) -> None:
    journal.path.parent.mkdir(mode=0o755)
    journal.append("w-1", started())
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_a_summary_says_where_the_chain_ends(journal: Journal) -> None:
    journal.append("w-1", started(at=100))
    journal.append("w-1", Entered(at=105, step="look"))
    head = journal.hashes("w-1")[1]
    assert journal.walks() == (WalkSummary("w-1", "spark-oom", "spark-jobs/etl-orders", 2, head, 100.0, 105.0),)


def test_a_walk_whose_beginning_is_not_readable_is_listed_all_the_same(journal: Journal) -> None:
    journal.append("w-1", started())
    journal.append("w-2", started("w-2"))
    forge(journal, "UPDATE records SET payload = 'torn' WHERE walk = 'w-1'")
    assert [(w.walk, w.runbook, w.subject, w.began) for w in journal.walks()] == [
        ("w-2", "spark-oom", "spark-jobs/etl-orders", 100.0),
        ("w-1", "", "", 0.0),
    ]
    with pytest.raises(JournalError, match="record 1 of walk w-1 is not readable"):
        journal.read("w-1")


def test_a_walk_is_found_by_a_beginning_that_only_it_has(journal: Journal) -> None:
    with pytest.raises(UsageError, match="the journal holds no walk yet") as none:
        journal.find("latest")
    assert none.value.hint == str(journal.path)
    for walk in ("w-1", "w-12", "x-1"):
        journal.append(walk, started(walk))
    assert journal.find("w-1") == "w-1", "its whole name comes first"
    assert journal.find("x") == "x-1"
    with pytest.raises(UsageError, match="'w' is the beginning of 2 walks") as several:
        journal.find("w")
    assert several.value.hint == "w-12, w-1"
    with pytest.raises(UsageError, match="no walk 'w-13' in the journal") as unknown:
        journal.find("w-13")
    assert unknown.value.hint == "did you mean 'w-1'?"
    with pytest.raises(UsageError, match="no walk ''"):
        journal.find("")


def test_the_latest_open_walk_is_the_newest_that_has_not_ended(journal: Journal) -> None:
    journal.append("w-1", started("w-1", at=100))
    journal.append("w-2", started("w-2", at=200))
    assert journal.find_open("latest") == "w-2"
    journal.append("w-2", WalkEnded(at=201, outcome="resolved", because="it runs"))
    assert journal.find_open("latest") == "w-1"
    assert journal.find_open("w-2") == "w-2", "who is named is meant"
    journal.append("w-1", WalkEnded(at=202, outcome="resolved", because="it runs"))
    with pytest.raises(UsageError, match="no walk is unfinished") as none:
        journal.find_open("latest")
    assert none.value.hint == "console incident list shows those that ended"


def test_a_change_says_which_walk_made_it_when(journal: Journal) -> None:
    journal.append("w-2", patch("w-2/1", at=120))
    journal.append("w-1", patch("w-1/1", at=110))
    journal.append("w-1", Noted(at=111, text="no change", by="ada"))
    found = list(journal.changes(110))
    assert [(c.walk, c.at, c.effect) for c in found] == [
        ("w-1", 110.0, patch("w-1/1").effect),
        ("w-2", 120.0, patch("w-2/1").effect),
    ]


def test_an_append_that_failed_holds_nothing(journal: Journal) -> None:
    journal.append("w-1", started())
    with pytest.raises(JournalError) as refused:
        journal.append("w-1", Entered(at=101, step="a"), expected=0)
    assert refused.value.hint == "another process writes to this walk"
    other = sqlite3.connect(journal.path, timeout=0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    assert journal.append("w-1", Entered(at=101, step="a"), expected=1) == Entered(at=101, step="a")


def test_threads_share_a_journal(journal: Journal) -> None:
    journal.append("w-1", started())
    with ThreadPoolExecutor(1) as other:
        other.submit(journal.append, "w-1", Entered(at=101, step="a")).result()
        assert other.submit(journal.read, "w-1").result() == journal.read("w-1")


def test_a_journal_that_was_closed_opens_again(journal: Journal) -> None:
    journal.append("w-1", started())
    journal.close()
    assert journal._db is None
    journal.close()
    journal.append("w-1", Entered(at=101, step="a"))
    assert journal.verify("w-1").records == 2


def test_functions_in_the_schema_of_a_file_are_not_trusted(journal: Journal) -> None:
    journal.append("w-1", started())
    assert journal._db is not None
    assert journal._db.execute("PRAGMA trusted_schema").fetchone()[0] == 0


def test_the_file_of_another_program_is_refused_and_closed(journal: Journal) -> None:
    journal.append("w-1", started())
    db = sqlite3.connect(journal.path)
    assert db.execute("PRAGMA application_id").fetchone()[0] == int.from_bytes(b"CONS", "big")
    db.execute("PRAGMA application_id = 1")
    db.commit()
    db.close()
    open_files = files_open()
    again = Journal(journal.path)
    with pytest.raises(JournalError, match=r"another version of Console \(format 1\)") as refused:
        again.read("w-1")
    assert refused.value.hint == "move it aside; a new one is begun"
    assert again._db is None
    assert files_open() <= open_files


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file" / "journal.db")
    with pytest.raises(JournalError, match="the journal cannot be used: ") as refused:
        journal.append("w-1", started())
    assert refused.value.hint == str(journal.path)
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(JournalError, match="the journal cannot be used: unable to open") as refused:
        Journal(tmp_path / "folder.db").read("w-1")
    assert refused.value.hint == str(tmp_path / "folder.db")


def test_the_head_is_the_hash_of_the_last_record(journal: Journal) -> None:
    for event in (started(), Entered(at=101, step="look"), Noted(at=102, text="t", by="ada")):
        journal.append("w-1", event)
    assert len(set(journal.hashes("w-1"))) == 3 and journal.head("w-1") == journal.hashes("w-1")[2]


def test_where_nothing_was_written_nothing_was_changed(journal: Journal) -> None:
    assert list(journal.changes(0)) == []


def test_a_file_that_another_tool_left_with_a_log_beside_it_is_one_file_again(journal: Journal) -> None:
    """A write-ahead log would be lost on a home folder that lies on the network."""
    journal.append("w-1", started())
    journal.close()
    other = sqlite3.connect(journal.path)
    assert other.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    other.close()
    journal.append("w-1", Entered(at=101, step="look"))
    journal.close()
    with sqlite3.connect(journal.path) as look:
        assert look.execute("PRAGMA journal_mode").fetchone() == ("delete",)
