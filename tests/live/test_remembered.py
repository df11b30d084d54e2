"""What one look tells the next: since when, what burns, and which sources there were."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from console.facts.counted import CountedAttempts
from console.facts.model import SourceState
from console.findings.model import Finding
from console.findings.since import GONE, UNSEEN, kept
from console.live.remembered import DAY, EVERY, MAX_BYTES, MOST_COUNTED, Remembered
from console.slo.model import SloStatus

OOM = Finding("oom", "I01", "critical", "SparkApplication/jobs/etl", 1000.0, "high", "killed")
SLO = SloStatus("jobs", "Jobs succeed", 0.99, 86400.0, "good")
PROMETHEUS = SourceState("prometheus", "fresh")


def since(memory: Remembered, at: float, own: float | None) -> float | None:
    return memory.since((replace(OOM, since=own),), at)[0].since


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "evidence" / "cluster.json"


def test_since_never_moves_forward_between_commands_and_pages(path: Path) -> None:
    first = Remembered(path, 2680.0)
    assert since(first, 2680.0, 1000.0) == 1000.0
    first.save(at_once=True)
    second = Remembered(path, 2700.0)
    assert since(second, 2700.0, 2640.0) == 1000.0, "its proof has gone, the trouble has not"
    assert since(second, 2760.0, None) == 1000.0
    assert since(second, 2770.0, 900.0) == 900.0, "an earlier proof was found"


def test_a_trouble_that_was_over_begins_anew(path: Path) -> None:
    memory = Remembered(path, 2000.0)
    assert since(memory, 2000.0, 1000.0) == 1000.0
    memory.since((), 2000.0 + GONE / 2)
    assert since(memory, 2000.0 + GONE / 2 + 1, 1990.0) == 1000.0, "it was gone for a moment only"
    memory.since((), 2500.0)
    assert since(memory, 2500.0 + GONE, 2490.0) == 2490.0
    memory.save(at_once=True)
    assert since(Remembered(path, 3000.0 + UNSEEN), 3000.0 + UNSEEN, 3000.0) == 3000.0, "nobody looked for long"


def test_each_trouble_has_its_own_beginning() -> None:
    other = replace(OOM, subject="SparkApplication/jobs/other", since=1500.0)
    found, known = kept((OOM, other), {}, 2000.0)
    assert [f.since for f in found] == [1000.0, 1500.0] and len(known) == 2


def test_a_prometheus_that_was_there_is_missed(path: Path) -> None:
    absent = SourceState("prometheus", "absent", detail="no service of it")
    assert Remembered(path, 0.0).missed((absent,), 0.0) == (absent,), "it never was there"
    memory = Remembered(path, 1000.0)
    assert memory.missed((PROMETHEUS,), 1000.0) == (PROMETHEUS,)
    memory.since((), 1000.0)
    memory.save(at_once=True)
    (state,) = Remembered(path, 2000.0).missed((absent,), 2000.0)
    assert (state.state, state.last) == ("unreachable", 1000.0)
    assert state.detail == "it was here before, and is not found now: no service of it"


def test_an_objective_that_had_data_is_missed(path: Path) -> None:
    memory, blind = Remembered(path, 0.0), replace(SLO, state="no data")
    assert memory.lost((blind,), 0.0) == ()
    assert memory.lost((SLO,), 10.0) == ()
    assert memory.lost((blind,), 20.0) == ("Jobs succeed",)
    assert memory.lost((blind,), 11.0 + 86400.0) == ()


def test_what_burnt_is_known_to_the_next_look(path: Path) -> None:
    memory = Remembered(path, 0.0)
    memory.signs["jobs"] = {"3600/300": 5.0}
    memory.since((), 0.0)
    memory.save(at_once=True)
    assert Remembered(path, 10.0).signs == {"jobs": {"3600/300": 5.0}}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[]", b'{"troubles": {"x": {"since": "y"}}}', b"\xff\xfe"])
def test_a_damaged_memory_is_no_memory(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    memory = Remembered(path, 0.0)
    assert since(memory, 10.0, 5.0) == 5.0
    memory.save(at_once=True)
    assert since(Remembered(path, 20.0), 20.0, 15.0) == 5.0


def test_a_disk_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Remembered(tmp_path / "file" / "cluster.json", 0.0)
    assert since(memory, 10.0, 5.0) == 5.0
    memory.save(at_once=True)


def test_attempts_are_counted_on_from_one_command_to_the_next(path: Path) -> None:
    first = Remembered(path, 1000.0)
    first.count({"kubeflow/jobs/etl/u": CountedAttempts(27, said=27, numbers={"spark-1": 27})}, 1000.0)
    first.save(at_once=True)
    at_once, later = Remembered(path, 1010.0), Remembered(path, 5000.0)
    assert at_once.counted["kubeflow/jobs/etl/u"].watched and not later.counted["kubeflow/jobs/etl/u"].watched
    assert later.counted["kubeflow/jobs/etl/u"].numbers == {"spark-1": 27}
    assert Remembered(path, 1000.0 + 40 * 86400.0).counted == {}, "an object that nobody saw for a month"


def test_those_that_were_tried_often_are_counted_on_when_there_are_too_many(path: Path) -> None:
    memory = Remembered(path, 0.0)
    memory.count({"often": CountedAttempts(27)}, 0.0)
    memory.count({f"once-{n}": CountedAttempts(1) for n in range(MOST_COUNTED + 5)}, 10.0)
    memory.save(at_once=True)
    known = Remembered(path, 20.0).counted
    assert len(known) == MOST_COUNTED and known["often"].number == 27


def test_what_was_here_and_says_nothing_of_itself_is_missed_in_whole_words(path: Path) -> None:
    memory = Remembered(path, 0.0)
    memory.missed((PROMETHEUS,), 0.0)
    (state,) = memory.missed((SourceState("prometheus", "absent"),), 1.0)
    assert state.detail == "it was here before, and is not found now"


def test_an_objective_is_missed_from_the_moment_that_its_data_end_until_a_day_later(path: Path) -> None:
    memory, blind = Remembered(path, 0.0), replace(SLO, state="no data")
    memory.lost((SLO,), 10.0)
    assert memory.lost((blind,), 10.0) == memory.lost((blind,), 10.0 + DAY) == ("Jobs succeed",)
    assert memory.lost((blind,), 10.5 + DAY) == memory.lost((blind,), 9.0) == ()


def test_it_is_written_at_most_every_few_seconds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("console.live.remembered.time.monotonic", lambda: clock[0])
    memory = Remembered(path, 0.0)
    memory.save()
    memory.save(at_once=True)
    assert not path.exists(), "there is nothing to be written"
    memory.since((), 0.0)
    memory.save()
    assert path.exists()
    path.unlink()
    memory.save(at_once=True)
    assert not path.exists(), "nothing came since"
    memory.since((), 1.0)
    clock[0] += EVERY - 1
    memory.save()
    assert not path.exists()
    clock[0] += 1
    memory.save()
    assert path.exists()


def test_a_memory_that_is_too_large_is_not_read(path: Path) -> None:
    path.parent.mkdir()
    whole = b'{"had": {"prometheus": 5.0}}'
    absent = SourceState("prometheus", "absent")
    for size, state in ((MAX_BYTES, "unreachable"), (MAX_BYTES + 1, "absent"), (MAX_BYTES * 2, "absent")):
        path.write_bytes(whole.ljust(size))
        assert [s.state for s in Remembered(path, 6.0).missed((absent,), 6.0)] == [state]


def test_a_link_that_somebody_laid_in_its_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    path.parent.mkdir()
    path.symlink_to(other)
    memory = Remembered(path, 0.0)
    memory.since((), 0.0)
    memory.save(at_once=True)
    assert path.is_file() and not path.is_symlink()
    assert other.read_text() == "mine"
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
@pytest.mark.parametrize("word", ["fresh", "late", "partial"])
def test_a_source_is_missed_from_the_moment_that_it_goes_until_a_month_later(path: Path, name: str, word: str) -> None:
    memory, absent = Remembered(path, 0.0), SourceState(name, "absent")
    memory.missed((SourceState(name, word),), 10.0)  # type: ignore[arg-type]
    for now in (10.0, 11.0, 10.0 + 30 * 86400.0):
        assert memory.missed((absent,), now)[0].state == "unreachable"
    for now in (9.0, 10.5 + 30 * 86400.0):
        assert memory.missed((absent,), now)[0].state == "absent"
