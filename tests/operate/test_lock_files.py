"""Locked files: who holds one, a walk that one process walks, and files that are not what they should be."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from console.actions.effects import ObjectRef
from console.base.errors import UsageError
from console.operate import locks
from console.operate.locks import Busy, lock_file, lock_name, lock_walk, seize_walk, walked_by


async def test_a_file_lock_says_who_holds_it_to_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "x.lock"
    lock = lock_file(path, "ada")
    assert path.read_text() == f"ada (process {os.getpid()})"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert await lock.check()
    await lock.release()
    assert path.read_text() == "", "nobody holds it"
    await lock.release()
    again = lock_file(path, "grace")
    assert path.read_text().startswith("grace ")
    again.close()


async def test_a_file_that_was_replaced_is_no_lock(tmp_path: Path) -> None:
    lock = lock_file(tmp_path / "x.lock", "ada")
    other = tmp_path / "y.lock"
    other.write_text("")
    other.replace(lock.path)
    assert not await lock.check()
    assert (lock.why, lock.lost.is_set()) == ("the lock file was removed", True)
    lock.close()


async def test_a_walk_that_is_seized_has_a_new_process_and_the_old_one_sees_it(tmp_path: Path) -> None:
    theirs = lock_walk(tmp_path, "w-1", "grace")
    mine = seize_walk(tmp_path, "w-1", "ada")
    assert walked_by(tmp_path, "w-1") == f"ada (process {os.getpid()})"
    assert await mine.check() and not await theirs.check()
    assert theirs.why == f"the lock was taken by ada (process {os.getpid()})"
    theirs.close()
    assert walked_by(tmp_path, "w-1").startswith("ada ")
    mine.close()


def test_a_walk_whose_process_ended_meanwhile_is_seized_as_well(tmp_path: Path) -> None:
    seize_walk(tmp_path, "w-1", "ada").close()


async def test_whoever_took_a_lock_is_named_only_as_far_as_that_can_be_told(tmp_path: Path) -> None:
    lock = lock_file(tmp_path / "x.lock", "ada")
    lock.path.unlink()
    lock.path.write_bytes(b"gr\xff" + b"y" * 1000)
    assert not await lock.check()
    assert lock.why == "the lock was taken by gr\N{REPLACEMENT CHARACTER}" + "y" * 297
    lock.close()


async def test_what_a_link_in_the_place_of_a_lock_leads_to_is_not_told(tmp_path: Path) -> None:
    lock = lock_file(tmp_path / "x.lock", "ada")
    (tmp_path / "secret").write_text("hunter2")
    lock.path.unlink()
    lock.path.symlink_to(tmp_path / "secret")
    assert not await lock.check()
    assert lock.why == "the lock file was removed"
    lock.close()


def test_a_walk_that_somebody_walks_says_what_to_do(tmp_path: Path) -> None:
    lock = lock_walk(tmp_path, "w-1", "ada")
    assert lock.path.parent == tmp_path and lock.path.name.startswith("walk-")
    with pytest.raises(Busy) as busy:
        lock_walk(tmp_path, "w-1", "grace")
    assert busy.value.holder == f"ada (process {os.getpid()})"
    assert busy.value.hint == "go on there, take it over with a reason, or end that process"
    lock.close()


def test_a_lock_file_that_says_nothing_is_held_by_another_process(tmp_path: Path) -> None:
    lock = lock_file(tmp_path / "x.lock", "ada")
    os.truncate(lock.path, 0)
    with pytest.raises(Busy, match=r"^held by another process$"):
        lock_file(lock.path, "grace")
    lock.close()


async def test_a_file_lock_that_is_well_is_not_called_lost(tmp_path: Path) -> None:
    lock = lock_file(tmp_path / "x.lock", "ada")
    assert await lock.check() is True
    assert (lock.why, lock.lost.is_set()) == ("", False)
    lock.path.unlink()
    assert await lock.check() is False and lock.lost.is_set()
    assert lock.why == "the lock file was removed"
    lock.close()
    assert lock.stream.closed


def test_a_lock_file_of_others_making_is_said_in_short_and_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    path.write_text("x" * 1000)
    lock = lock_file(path, "ada")
    assert path.read_text() == f"ada (process {os.getpid()})"
    path.write_text("y" * 1000)
    with pytest.raises(Busy) as busy:
        lock_file(path, "grace")
    assert busy.value.message == "held by " + "y" * 300
    lock.close()


def test_other_versions_of_console_look_for_locks_of_the_same_names(tmp_path: Path) -> None:
    assert lock_name(ObjectRef("v1", "Pod", "jobs", "etl-driver")) == "console-6db89489ae243859d8fa78b8"
    assert lock_name(ObjectRef("apps/v1", "Deployment", "a", "b")) == lock_name(
        ObjectRef("apps/v1beta1", "Deployment", "a", "b")
    )
    walk = lock_walk(tmp_path, "w-1", "ada")
    assert walk.path.name == "walk-0065abd009780926778f5e00.lock"
    walk.close()


def test_names_of_locks_are_short_and_of_one_object_each(tmp_path: Path) -> None:
    ref = ObjectRef("v1", "Pod", "n" * 63, "p" * 253)
    assert len(lock_name(ref)) <= 63
    assert lock_name(ref) != lock_name(ObjectRef("v1", "Pod", "n" * 63, "p" * 252))
    assert lock_name(ObjectRef("a/v1", "K", "n", "x")) == lock_name(ObjectRef("a/v2", "K", "n", "x"))


def test_one_process_cannot_hold_a_walk_twice(tmp_path: Path) -> None:
    held = lock_walk(tmp_path, "w-1", "ada")
    with pytest.raises(Busy, match="walk w-1 is held by ada"):
        lock_walk(tmp_path, "w-1", "grace")
    lock_walk(tmp_path, "w-2", "grace").close()
    held.close()
    lock_walk(tmp_path, "w-1", "grace").close()


def test_who_is_on_a_walk_is_seen_without_taking_it_from_anybody(tmp_path: Path) -> None:
    assert walked_by(tmp_path, "w1") == "" and not list(tmp_path.iterdir()), "looking leaves nothing behind"
    with contextlib.closing(lock_walk(tmp_path, "w1", "ada")):
        assert walked_by(tmp_path, "w1").startswith("ada (process ") and walked_by(tmp_path, "w2") == ""
    assert walked_by(tmp_path, "w1") == ""
    (left,) = tmp_path.iterdir()
    left.write_text("ada (process 7)")
    assert walked_by(tmp_path, "w1") == "", "its process died and left its name"
    lock_walk(tmp_path, "w1", "grace").close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited for a taken file; nobody really waits."""
    waited: list[float] = []
    monkeypatch.setattr(locks, "sleep", waited.append)
    return waited


def test_a_free_file_is_taken_without_waiting(tmp_path: Path, waits: list[float]) -> None:
    lock_file(tmp_path / "x.lock", "ada").close()
    assert waits == []


def test_a_file_that_somebody_only_looks_at_is_taken_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = lock_file(tmp_path / "x.lock", "grace")
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        looked_at.close()

    monkeypatch.setattr(locks, "sleep", sleep)
    lock_file(tmp_path / "x.lock", "ada").close()
    assert waited == [locks.LOOK]


def test_a_file_that_stays_taken_is_tried_twice(tmp_path: Path, waits: list[float]) -> None:
    with (
        contextlib.closing(lock_file(tmp_path / "x.lock", "grace")),
        pytest.raises(Busy, match=r"^held by grace \(process \d+\)$"),
    ):
        lock_file(tmp_path / "x.lock", "ada")
    assert waits == [locks.LOOK]


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    link = tmp_path / "locks" / "a.lock"
    link.parent.mkdir()
    link.symlink_to(victim)
    with pytest.raises(UsageError) as refused:
        lock_file(link, "ada")
    assert refused.value.message == f"the lock {link} cannot be used: Too many levels of symbolic links"
    assert victim.read_text() == "kept"


def test_a_walk_whose_lock_is_a_link_is_walked_by_nobody(tmp_path: Path) -> None:
    with contextlib.closing(lock_walk(tmp_path / "elsewhere", "w1", "grace")) as theirs:
        (tmp_path / theirs.path.name).symlink_to(theirs.path)
        assert walked_by(tmp_path / "elsewhere", "w1").startswith("grace ")
        assert walked_by(tmp_path, "w1") == ""


def test_a_lock_file_that_is_no_text_is_said_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    with contextlib.closing(lock_walk(tmp_path, "w1", "ada")) as lock:
        lock.path.write_bytes(b"ad\xff\xfe")
        assert walked_by(tmp_path, "w1") == "ad\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
        with pytest.raises(Busy, match="held by ad\N{REPLACEMENT CHARACTER}"):
            lock_file(lock.path, "grace")


HOLDER = """
import sys
from pathlib import Path
from console.operate.locks import lock_file
held = lock_file(Path(sys.argv[1]), "grace")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_kernel_gives_back_the_lock_of_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    arguments = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Busy, match="held by grace"):
            lock_file(path, "ada")
        other.kill()
    lock_file(path, "ada").close()
