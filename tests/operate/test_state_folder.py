"""The state folder: nobody else reads it, no link leads out of it, and damage there stops nobody from looking."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.base.errors import UsageError
from console.base.paths import private_dir
from console.cli.board.status import status_document, status_text
from console.cli.main import run
from console.facts.notjudged import not_judged
from console.live import Live
from console.live.crashes import CrashFiles
from console.operate.journal import Journal
from console.rehearse.playing import Rehearsal
from tests.operate.test_journal import started
from tests.operate.test_journal_file import damaged, mode


def test_a_folder_that_others_may_read_is_tightened(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    assert mode(private_dir(folder)) == 0o700


def test_a_folder_that_everybody_shares_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(UsageError, match="everybody shares"):
        private_dir(shared)
    assert mode(shared) == 0o1777


@pytest.mark.parametrize("place", ["file/below", "loop/below", "x" * 300, "file"])
def test_a_path_that_cannot_be_is_one_sentence_with_a_hint(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match="cannot be used") as told:
        private_dir(tmp_path / place)
    assert told.value.hint and "CONSOLE_STATE_DIR" in told.value.hint


@pytest.mark.parametrize("place", ["file/below", "loop/below", "x" * 300, "file"])
@pytest.mark.parametrize("command", [["incident", "list"], ["incident", "show", "latest"], ["info"], ["doctor"]])
def test_no_command_meets_an_internal_error_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str, command: list[str]
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"CONSOLE_{name}_DIR", str(tmp_path / place))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    run(command)
    said = capsys.readouterr()
    assert "internal error" not in said.err and "Traceback" not in said.err + said.out


def test_where_no_crash_file_can_be_written_the_finding_alone_says_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    CrashFiles(tmp_path / "file").keep([not_judged("a", "b", ValueError("c"))])


@pytest.fixture(scope="module")
def drill() -> Rehearsal:
    with Rehearsal("spark-oom", step=True) as rehearsal:
        yield rehearsal  # type: ignore[misc]


def test_status_reads_the_cluster_although_the_journal_is_damaged(drill: Rehearsal) -> None:
    plan = drill.plan()
    (plan.state / "journal.db").write_bytes(os.urandom(4096))
    plan.state.chmod(0o755)
    with Live(plan) as live:
        situation = live.settle(60)
        text = status_text(situation)
    assert situation.phase == "live" and situation.board.findings
    assert mode(plan.state) == 0o700
    assert "walks unknown  journal: the journal is damaged" in text
    assert status_document(situation)["walks_unread"][0]["walk"] == "journal"


def test_one_walk_that_makes_no_sense_is_named_and_the_others_are_shown(drill: Rehearsal) -> None:
    plan = drill.plan()
    (plan.state / "journal.db").unlink(missing_ok=True)
    journal = Journal(plan.state / "journal.db")
    for walk in ("w-1", "w-2"):
        journal.append(walk, started(walk))
    damaged(journal, "w-1", 1)
    with Live(plan) as live:
        situation = live.settle(60)
    assert [id for id, _ in situation.walks_unread] == ["w-1"]
