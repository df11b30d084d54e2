"""Every recording gets the right verdict, whatever its folder, files and application are called."""

from __future__ import annotations

import gzip
import json
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from console.apps.assemble import assemble
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from console.findings.proof import CITED, RECORDED
from tests.findings.corpus import RECORDINGS, ROOT, Recording, judged, named
from tests.findings.worlds import has_its_figures

IDS = [r.folder for r in RECORDINGS]


@pytest.mark.parametrize("recording", RECORDINGS, ids=IDS)
def test_the_verdict_is_right_and_as_sure_as_its_evidence(recording: Recording) -> None:
    findings = recording.findings
    assert named(findings) == recording.expected
    if findings:
        assert findings[0].confidence == recording.sure
    for finding in findings:
        assert finding.evidence, "a finding without evidence"
        assert finding.subject.count("/") == 2
        assert has_its_figures(finding), (finding.code, finding.data)
        for item in finding.evidence:
            assert item.locator and item.excerpt
        if finding.confidence != "high":
            assert finding.open_questions, "an unsure finding names what would decide it"


def test_every_recording_is_in_the_table() -> None:
    folders = {str(p.relative_to(ROOT)) for p in ROOT.glob("*/*") if p.is_dir()}
    assert folders == {r.folder for r in RECORDINGS}


def test_the_table_of_out_of_memory_and_look_alikes(capsys: pytest.CaptureFixture[str]) -> None:
    lines, wrong = [], []
    for recording in RECORDINGS:
        if recording.family not in ("oom", "look-alike"):
            continue
        found = recording.findings
        first = found[0] if found else None
        wanted = recording.expected[0] if recording.expected else ("-", "no finding")
        got = (first.class_, first.code) if first else ("-", "no finding")
        right = named(found) == recording.expected
        lines.append(
            f"{recording.family:<11}{recording.folder:<36}{wanted[0] or 'null':<6}{got[0] or 'null':<6}{got[1]:<26}"
            f"{first.confidence if first else '-':<8}{'right' if right else 'WRONG'}"
        )
        if not right:
            wrong.append(recording.folder)
    with capsys.disabled():
        print("\n" + f"{'family':<11}{'recording':<36}{'want':<6}{'got':<6}{'code':<26}{'sure':<8}verdict")
        print("\n".join(lines))
    assert not wrong and len(lines) == 24


def test_the_confusion_of_classes_over_every_recording(capsys: pytest.CaptureFixture[str]) -> None:
    table: Counter[tuple[str, str]] = Counter()
    wrong, unsure = [], []
    for recording in RECORDINGS:
        found = recording.findings
        wanted = (recording.expected[0][0] or "null") if recording.expected else "none"
        got = (found[0].class_ or "null") if found else "none"
        table[wanted, got] += 1
        if wanted != got:
            wrong.append((recording.folder, found[0].confidence if found else ""))
        unsure += [f for f in found if f.confidence != "high"]
    names = sorted({n for pair in table for n in pair})
    with capsys.disabled():
        print("\nrows: what is right; columns: what was said\n      " + "".join(f"{n:>6}" for n in names))
        for row in names:
            print(f"{row:<6}" + "".join(f"{table[row, column] or '.':>6}" for column in names))
    assert len(wrong) <= len(RECORDINGS) // 10
    assert not [folder for folder, sure in wrong if sure == "high"]
    assert all(f.open_questions for f in unsure)


def test_how_each_class_is_proven(capsys: pytest.CaptureFixture[str]) -> None:
    """A class is recorded if and only if a recording of the corpus shows it; no other one is ever sure."""
    shown = {c for r in RECORDINGS if r.proof != "cited" for c, _ in r.expected if c is not None}
    again = {c for r in RECORDINGS if r.proof == "real node" for c, _ in r.expected}
    with capsys.disabled():
        print("\nclass  proven by")
        for class_ in sorted({*RECORDED, *CITED}):
            word = "real node" if class_ in again else "recording" if class_ in RECORDED else "made up"
            print(f"{class_}    {word:<10} {RECORDED.get(class_) or CITED[class_]}")
    assert sorted({*RECORDED, *CITED}) == [f"I{n:02d}" for n in range(1, 31)] and not {*RECORDED} & {*CITED}
    assert shown == set(RECORDED)
    assert {c for r in RECORDINGS for c, _ in r.expected if c is not None} == {*RECORDED, *CITED}
    for made_up in RECORDINGS:
        if made_up.proof == "cited" and made_up.expected and made_up.expected[0][0] in CITED:
            assert made_up.sure != "high"


def _renamed(source: Path, target: Path, words: dict[bytes, bytes]) -> None:
    """A copy whose folder and file names say nothing and whose contents name the applications otherwise."""
    target.mkdir()
    for number, file in enumerate(sorted(source.iterdir())):
        data = file.read_bytes()
        if file.suffix == ".gz":
            data = gzip.decompress(data)
        for old, new in words.items():
            data = data.replace(old, new)
        hint = "_".join(w for w in ("allexecutors", "executors", "jobs", "stages", "applications") if w in file.name)
        (target / f"{number:03d}{('_' + hint) if hint else ''}").write_bytes(data)


TELLING = {
    b"k8s-executor-oomkilled": b"nightly-a1",
    b"k8s-driver-oomkilled": b"nightly-a2",
    b"k8s-executor-oom": b"nightly-a3",
    b"k8s-driver-image-pull": b"nightly-a4",
    b"k8s-image-pull": b"nightly-a5",
    b"k8s-py-crash": b"nightly-a6",
    b"k8s-rbac": b"nightly-a7",
    b"k8s-spark359-healthy": b"nightly-oom-a8",
    b"k8s-healthy": b"executor-oomkilled-a9",
    b"k8s-stuck": b"nightly-b1",
    b"k8s-udf-fail": b"nightly-b2",
    b"k8s-unschedulable": b"nightly-b3",
    b"jvmoom": b"load",
    b"oom1": b"fine",
    b"healthy2": b"oomkilled2",
    b"executor_oom": b"nightly_c1",
    b"driver_oom": b"nightly_c2",
    b"max_result": b"nightly_c3",
    b"fetch_failed": b"nightly_c4",
    b"no_resources": b"nightly_c5",
    b"skew_spill": b"nightly_c6",
    b"py_crash": b"nightly_c7",
    b"udf_fail": b"nightly_c8",
    b"gc_pressure": b"nightly_c9",
    b"fault heap": b"nightly d1",
    b"fault sigterm": b"nightly d2",
    b"heap-oom": b"nightly-e1",
    b"heap_oom": b"nightly_e1",
    b"driver-oom": b"nightly-e2",
    b"killed-executor": b"nightly-e3",
    b"deleted-executor": b"nightly-e4",
    b"evicted-executor": b"nightly-e5",
    b"python-crash": b"nightly-e6",
    b"python_crash": b"nightly_e6",
    b"job-image": b"nightly-e7",
    b"job-quota": b"nightly-e8",
    b"job-rbac": b"nightly-e9",
    b"job-webhook": b"nightly-f1",
    b"container-oom": b"nightly-f2",
    b"result-size": b"nightly-f3",
    b"frozen": b"nightly-f4",
    b"module-missing": b"nightly-f5",
    b"user-error": b"nightly-f6",
    b"local-storage": b"nightly-f7",
    b"job-claim": b"nightly-f8",
}


@pytest.mark.parametrize("recording", RECORDINGS, ids=IDS)
def test_names_are_no_evidence(recording: Recording, tmp_path: Path) -> None:
    _renamed(recording.path, tmp_path / "x", TELLING)
    assert named(judged(tmp_path / "x")) == recording.expected


_PLAIN = re.compile(r"(\d\d)/(\d\d)/(\d\d) (\d\d:\d\d:\d\d) ([A-Z]+) ([\w$.]+): ?(.*)")

_CONTINUED = ("\t", "Caused", "java.", "org.", "The ", " ", "ModuleNotFoundError")
"""How lines begin that belong to the record above them."""


def _structured(text: str) -> str:
    """Plain records as Spark 4 writes them with spark.log.structuredLogging.enabled=true."""
    out: list[str] = []
    record: dict[str, str] | None = None
    for line in text.splitlines():
        found = _PLAIN.match(line)
        if found is not None:
            if record is not None:
                out.append(json.dumps(record, separators=(",", ":")))
            y, m, d, clock, level, logger, message = found.groups()
            record = {"ts": f"20{y}-{m}-{d}T{clock}.000Z", "level": level, "msg": message, "logger": logger}
        elif record is not None and (
            line.startswith(_CONTINUED)
            or (record["level"] != "INFO" and line.startswith(("ContainerStatus(", "pyspark.errors.")))
            or (record["level"] != "INFO" and not line)
        ):
            record["msg"] += "\n" + line
        else:
            if record is not None:
                out.append(json.dumps(record, separators=(",", ":")))
                record = None
            out.append(line)
    if record is not None:
        out.append(json.dumps(record, separators=(",", ":")))
    return "\n".join(out) + "\n"


def _iso(text: str) -> str:
    """Records with ISO times and full class names, as many deployments configure log4j."""
    shown = r"20\1-\2-\3T\4.000Z \5 org.apache.spark.x.\6 - \7"
    return "\n".join(_PLAIN.sub(shown, line) for line in text.splitlines()) + "\n"


def _stamped(text: str) -> str:
    """`kubectl logs --timestamps`."""
    return "".join(f"2026-11-23T09:00:00.123456789Z {line}\n" for line in text.splitlines())


@pytest.mark.parametrize("layout", [_structured, _iso, _stamped], ids=["structured", "iso", "timestamps"])
@pytest.mark.parametrize("recording", RECORDINGS, ids=IDS)
def test_the_layout_of_the_logs_changes_nothing(
    recording: Recording, layout: Callable[[str], str], tmp_path: Path
) -> None:
    changed = 0
    for file in recording.path.iterdir():
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        is_log = ".json" not in file.name
        if is_log and _PLAIN.search(data.decode(errors="replace")[:20_000]) and b'"ts"' not in data[:4_000]:
            data = layout(data.decode(errors="replace")).encode()
            changed += 1
        (tmp_path / file.name.removesuffix(".gz")).write_bytes(data)
    if changed:
        assert named(judged(tmp_path)) == recording.expected


def _answers(findings: tuple[Finding, ...]) -> set[str | None]:
    return {f.class_ for f in findings if f.confidence == "high"}


@pytest.mark.parametrize("recording", RECORDINGS, ids=IDS)
def test_a_missing_file_never_makes_another_confident_class(recording: Recording, tmp_path: Path) -> None:
    """Less evidence may make it unsure or silent, never sure of something else."""
    files = sorted(p for p in recording.path.iterdir())
    right = {class_ for class_, _ in recording.expected}
    random.Random(recording.folder).shuffle(files)
    for index, left_out in enumerate(files[:5]):
        target = tmp_path / f"x{index}"
        shutil.copytree(recording.path, target, ignore=shutil.ignore_patterns(left_out.name))
        assert _answers(judged(target)) <= right | {None}, left_out.name


@pytest.mark.parametrize(
    "recording", [r for r in RECORDINGS if r.expected], ids=[r.folder for r in RECORDINGS if r.expected]
)
def test_a_healthy_application_beside_it_changes_nothing(recording: Recording, tmp_path: Path) -> None:
    shutil.copytree(recording.path, tmp_path / "mixed" / "a")
    shutil.copytree(ROOT / "kubernetes-1.37" / "healthy2", tmp_path / "mixed" / "b")
    findings = judged(tmp_path / "mixed")
    wanted = dict.fromkeys(c for c, _ in recording.expected)
    assert list(dict.fromkeys(f.class_ for f in findings)) == list(wanted)
    assert all("healthy2" not in f.subject for f in findings)


@pytest.mark.parametrize("recording", RECORDINGS, ids=IDS)
def test_half_of_a_folder_is_never_confidently_something_else(recording: Recording, tmp_path: Path) -> None:
    """Every file cut off in its middle."""
    target = tmp_path / "cut"
    target.mkdir()
    for file in recording.path.iterdir():
        data = file.read_bytes()
        (target / file.name).write_bytes(data[: len(data) // 2])
    right = {class_ for class_, _ in recording.expected}
    assert _answers(judged(target)) <= right | {None}


@pytest.mark.parametrize("recording", RECORDINGS, ids=IDS)
def test_the_order_in_which_things_are_read_changes_nothing(recording: Recording) -> None:
    facts = recording.facts
    dice = random.Random(recording.folder)

    def mixed(things: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(dice.sample(things, len(things)))

    for _ in range(3):
        shuffled = replace(
            facts,
            pods=mixed(facts.pods),
            events=mixed(facts.events),
            logs=mixed(facts.logs),
            rest=mixed(facts.rest),
            spark=mixed(facts.spark),
        )
        found = diagnose(shuffled, assemble(shuffled))
        assert named(found) == recording.expected
        assert {f.subject for f in found} == {f.subject for f in recording.findings}
