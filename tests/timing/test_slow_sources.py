"""Where the time went, by event logs as Spark leaves them: packed, rolled, unfinished, cut off, of every version."""

from __future__ import annotations

import gzip
import shutil
import tarfile
from pathlib import Path

import pytest
import zstandard

from console.apps.assemble import assemble
from console.apps.model import SparkApp
from console.facts.model import Facts
from console.findings.case import ClusterView
from console.sources.folder.read import read_folder
from console.timing.items import TimeReport
from console.timing.report import reports
from tests.timing.test_slow import LOGS, report

APP = "spark-0123456789abcdef0123456789abcdef"


def text_of(name: str) -> str:
    data = (LOGS / name / "eventlog.zstd").read_bytes()
    return zstandard.ZstdDecompressor().stream_reader(data).read().decode()


def pack(text: str) -> bytes:
    return zstandard.ZstdCompressor().compress(text.encode())


def all_reports(facts: Facts) -> list[tuple[SparkApp, TimeReport]]:
    return reports(((c.app, c.rest) for c in ClusterView(facts, assemble(facts)).cases), facts.at)


def told(folder: Path) -> tuple[TimeReport, Facts]:
    facts = read_folder(folder)
    ((_, found),) = all_reports(facts)
    return found, facts


def rolled(folder: Path, text: str, files: int) -> Path:
    """A rolling log of so many files, as Spark 4 writes it by default."""
    root = folder / f"eventlog_v2_{APP}"
    root.mkdir(parents=True)
    (root / f"appstatus_{APP}").write_bytes(b"")
    lines = text.splitlines()
    size = len(lines) // files + 1
    for number in range(files):
        part = "\n".join(lines[number * size : (number + 1) * size]) + "\n"
        (root / f"events_{number + 1}_{APP}.zstd").write_bytes(pack(part))
    return root


@pytest.mark.parametrize("name", ["python-udf-bad", "slow-node-bad", "skew-good"])
def test_plain_compressed_and_rolled_logs_say_the_same(tmp_path: Path, name: str) -> None:
    text = text_of(name)
    for kind, data in (("plain", text.encode()), ("gz", gzip.compress(text.encode())), ("zstd", pack(text))):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{APP}.{kind}").write_bytes(data)
    rolled(tmp_path / "rolled", text, 12)
    expected = report(LOGS / name)[0]
    for kind in ("plain", "gz", "zstd", "rolled"):
        found, facts = told(tmp_path / kind)
        assert (found, facts.unread) == (expected, ()), kind


def test_the_last_plan_of_a_rolled_log_holds_whatever_order_its_files_are_read_in(tmp_path: Path) -> None:
    root = rolled(tmp_path, text_of("python-udf-bad"), 11)
    with tarfile.open(tmp_path / "logs.tar", "w") as archive:
        for path in sorted(root.iterdir(), reverse=True):
            archive.add(path, arcname=f"{root.name}/{path.name}")
    shutil.rmtree(root)
    assert [i.kind for i in told(tmp_path)[0].items] == ["python-udf"]


def test_a_log_that_is_still_written(tmp_path: Path) -> None:
    lines = text_of("skew-bad").splitlines()
    end = next(i for i, line in enumerate(lines) if '"SparkListenerJobEnd"' in line and '"Job ID":1' in line)
    (tmp_path / f"{APP}.inprogress").write_text("\n".join(lines[: end - 1]) + "\n")
    found, _ = told(tmp_path)
    assert [i.kind for i in found.items] == ["data-skew"]
    assert found.missing == ("what is known ends while job 1 runs",)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("packed", [True, False])
def test_a_log_that_is_cut_off_says_so(tmp_path: Path, share: float, packed: bool) -> None:
    whole = pack(text_of("many-tasks-bad")) if packed else text_of("many-tasks-bad").encode()
    (tmp_path / "eventlog").write_bytes(whole[: int(len(whole) * share)])
    facts = read_folder(tmp_path)
    found = all_reports(facts)
    assert facts.unread or all(r.missing for _, r in found)


@pytest.mark.parametrize(
    ("codec", "start"), [("lz4", b"LZ4Block"), ("snappy", b"\x82SNAPPY\x00"), ("lzf", b"ZV\x01\x00\x10")]
)
def test_other_codecs_are_refused_by_name(tmp_path: Path, codec: str, start: bytes) -> None:
    (tmp_path / f"{APP}.{codec}").write_bytes(start + bytes(range(256)))
    ((locator, reason),) = read_folder(tmp_path).unread
    assert locator == f"{APP}.{codec}" and reason.startswith(f"compressed with {codec}:")


@pytest.mark.parametrize("version", ["3.5.9", "4.0.5"])
@pytest.mark.parametrize("cause", ["python-udf", "retries"])
def test_logs_of_other_versions(version: str, cause: str) -> None:
    logs = LOGS / f"spark-{version}"
    assert report(logs / f"{cause}-good")[0].items == ()
    bad, slow = report(logs / f"{cause}-bad")
    fast = report(logs / f"{cause}-good")[1]
    assert [i.kind for i in bad.items] == [cause]
    assert (slow - fast) / 2 <= bad.items[0].lost <= (slow - fast) * 2


def test_former_runs_in_one_folder(tmp_path: Path) -> None:
    for name in ("1", "2", "3", "slow"):
        (tmp_path / f"nightly-{name}").write_text(text_of(f"nightly-{name}"))
    facts = read_folder(tmp_path)
    found = [r for _, r in all_reports(facts)]
    items = [[i.kind for i in r.items] for r in sorted(found, key=lambda r: r.jobs)]
    assert items == [[], [], [], ["slower-than-before"]]


def test_more_input_is_no_regression(tmp_path: Path) -> None:
    for name in ("1", "2", "3", "grown"):
        (tmp_path / f"nightly-{name}").write_text(text_of(f"nightly-{name}"))
    facts = read_folder(tmp_path)
    (items,) = [r.items for _, r in all_reports(facts) if r.items]
    assert [i.kind for i in items] == ["more-input"] and "its input grew 2.0 times" in items[0].words
