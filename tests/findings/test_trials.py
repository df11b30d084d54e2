"""What was tried is told once for all that a rule says the same of, and no answer grows far beyond what was read."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from console.cli.board.apps import app_document
from console.cli.main import run
from console.findings.diagnose import MOST_ANSWERS, gathered
from console.findings.rule import Trial
from console.live.situation import Situation
from console.runbook.walk import encode, fold
from console.sources.folder.read import read_folder
from console.timeline.timeline import document
from tests.findings import worlds as w
from tests.timeline.story import events, written

FACTOR = 5
"""How many times larger than what was read an answer may be."""


def no(rule: str, subject: str, because: str) -> Trial:
    return Trial(rule, "I01", subject, False, because)


def test_what_a_rule_says_of_many_stands_once_with_how_many_they_are() -> None:
    told, left_out = gathered([no("oom", f"Pod/a{n}", "no death") for n in range(40)])
    assert (told, left_out) == ((msgspec.structs.replace(no("oom", "Pod/a0", "no death"), also=39),), ())


def test_what_held_is_told_of_each_and_before_what_did_not() -> None:
    held = [Trial("oom", "I01", f"Pod/a{n}", True, "killed") for n in range(9)]
    told, _ = gathered([no("oom", "Pod/b", "no death"), *held, no("gc", "Pod/b", "no death")])
    assert told == (*held, no("oom", "Pod/b", "no death"), no("gc", "Pod/b", "no death"))


def test_of_many_reasons_those_of_the_sick_stand_first_and_the_rest_is_counted_and_named() -> None:
    reasons = [no("oom", f"Pod/a{n}", f"reason {n}") for n in range(MOST_ANSWERS + 4)]
    sick = reasons[-1].subject
    told, (left_out,) = gathered([*reasons, Trial("gc", None, sick, True, "it stands still")])
    assert [one.subject for one in told][:2] == [sick, "Pod/a0"] and len(told) == MOST_ANSWERS + 1
    assert (left_out.kept, left_out.of) == (MOST_ANSWERS + 1, MOST_ANSWERS + 5)
    assert left_out.said.startswith("6 of 10 answers of rules are told, those of the sick first; not oom of Pod/a4")


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many applications, a third of them failed."""
    pods = []
    for n in range(90):
        failed = {"state": w.ended(1, "Error"), "phase": "Failed"} if n % 3 == 0 else {}
        pods.append(w.raw_pod(f"etl-{n}-driver", "driver", app_id=f"spark-{n:032x}", **failed))
    file = tmp_path_factory.mktemp("evidence") / "pods.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    return file


@pytest.mark.parametrize(
    "argv",
    [
        ("diagnose",), ("diagnose", "--explain"), ("diagnose", "--slow"), ("diagnose", "-o", "json"),
        ("diagnose", "--explain", "-o", "json"), ("advise",), ("advise", "-o", "json"),
    ],
)  # fmt: skip
def test_what_is_printed_of_many_applications_is_not_many_times_what_was_read(
    argv: tuple[str, ...], evidence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run([argv[0], str(evidence), *argv[1:]])
    said = capsys.readouterr().out
    assert "etl-" in said and len(said) < FACTOR * evidence.stat().st_size


def test_what_is_left_out_of_an_explanation_is_said_below_it(
    evidence: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.findings.diagnose.MOST_ANSWERS", 0)
    run(["diagnose", str(evidence), "--explain"])
    assert capsys.readouterr().out.splitlines()[-1].startswith("not all  ")
    run(["diagnose", str(evidence), "--explain", "-o", "json"])
    (left_out,) = json.loads(capsys.readouterr().out)["left_out"]
    assert left_out["source"] == "rules" and left_out["names"]


def test_applications_as_json_are_not_many_times_what_was_read(evidence: Path) -> None:
    from console.board.model import Board, Cluster
    from console.findings.diagnose import Engine

    verdict = Engine().judge(read_folder(evidence))
    situation = Situation(Board(0.0, Cluster(), "UNKNOWN", apps=verdict.apps, findings=verdict.findings))
    printed = json.dumps([app_document(situation, app) for app in verdict.apps], indent=2)
    assert len(verdict.apps) == 90 and len(printed) < FACTOR * evidence.stat().st_size


def test_a_timeline_as_json_is_not_many_times_what_was_journalled(tmp_path: Path) -> None:
    from console.operate.journal import Journal
    from tests.timeline.story import WALK

    journal = Journal(tmp_path / "journal.db")
    written(journal)
    told = document(fold(events()), events(), journal.verify(WALK), journal.hashes(WALK))
    assert len(json.dumps(told, indent=2)) < FACTOR * sum(len(encode(one)) for one in events())
