"""`console exam`: whoever has failures with known causes can hold the diagnosis to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import run
from console.findings.exam import Label, scored
from console.findings.model import Finding
from tests.findings.worlds import RUNNING, ended, raw_pod

CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "oom": ([raw_pod("a-driver", "driver", state=ended(137, "OOMKilled"), phase="Failed")],
            {"cause": "OOMKilled", "classes": ["I04"], "not": ["I06"], "kind": "memory"}),
    "misled": ([raw_pod("b-driver", "driver", state=ended(137, "OOMKilled"), phase="Failed")],
               {"cause": "the moon", "classes": [None], "kind": "memory"}),
    "healthy": ([raw_pod("c-driver", "driver", state=RUNNING)], {}),
    "silent": ([raw_pod("d-driver", "driver", state=RUNNING)], {"cause": "anything", "classes": ["I10"]}),
}  # fmt: skip


def exam(folder: Path, capsys: pytest.CaptureFixture[str], *names: str) -> tuple[int, dict[str, Any]]:
    for name in names:
        (folder / name).mkdir()
        (folder / name / "pods.json").write_text(json.dumps({"kind": "PodList", "items": CASES[name][0]}))
    (folder / "labels.json").write_text(json.dumps({"_": "a remark", **{name: CASES[name][1] for name in names}}))
    code = run(["exam", str(folder), "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_each_case_is_right_unsure_silent_or_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = exam(tmp_path, capsys, *CASES)
    assert {c["case"]: c["result"] for c in found["cases"]} == {
        "oom": "right",
        "misled": "wrong",
        "healthy": "right",
        "silent": "silent",
    }
    assert code == 1 and found["total"] == {"right": 2, "unsure": 0, "silent": 1, "wrong": 1}
    assert found["kinds"]["memory"] == {"right": 1, "unsure": 0, "silent": 0, "wrong": 1}
    assert found["seconds"] >= 0 and found["apiVersion"]
    assert run(["exam", str(tmp_path)]) == 1
    text = capsys.readouterr().out
    assert "4 cases in" in text and "2 right, 0 unsure, 1 silent, 1 wrong" in text and "the cause is not named" in text


def test_an_exam_that_is_passed_exits_with_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exam(tmp_path, capsys, "oom", "healthy")[0] == 0


def test_labels_that_are_none_are_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for labels in (None, "[]", '{"a": {"cause": "("}}', '{"a": {"causes": "x"}}', '{"../a": {}}', '{"a": {}}'):
        if labels is not None:
            (tmp_path / "labels.json").write_text(labels)
        assert run(["exam", str(tmp_path)]) == 2, labels
    capsys.readouterr()


def finding(confidence: Any, *, code: str = "user-error", class_: str | None = None) -> Finding:
    return Finding(code, class_, "critical", "Pod/a/b", None, confidence, "it failed")


@pytest.mark.parametrize(("confidence", "result"), [("high", "wrong"), ("medium", "wrong"), ("low", "right")])
def test_what_the_label_calls_wrong_is_wrong_unless_it_is_a_guess(confidence: Any, result: str) -> None:
    label = Label(cause="failed", not_=("user-error",))
    assert scored("a", label, [finding(confidence)], spoke=False, seconds=0).result == result


def test_silence_that_says_so_is_unsure() -> None:
    assert scored("a", Label(cause="x"), [], spoke=True, seconds=0).result == "unsure"
    assert scored("a", Label(cause="x"), [], spoke=False, seconds=0).result == "silent"


def test_a_cause_under_a_class_that_is_not_accepted_is_wrong_when_it_is_sure() -> None:
    label = Label(cause="failed", classes=("I17",))
    assert scored("a", label, [finding("high", class_="I16")], spoke=False, seconds=0).result == "wrong"
    assert scored("a", label, [finding("low", class_="I16")], spoke=False, seconds=0).result == "unsure"


def test_a_case_may_lie_in_a_set_and_never_outside_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "set" / "one").mkdir(parents=True)
    (tmp_path / "set" / "one" / "pods.json").write_text(json.dumps({"kind": "PodList", "items": CASES["healthy"][0]}))
    (tmp_path / "labels.json").write_text(json.dumps({"set/one": {}}))
    assert run(["exam", str(tmp_path)]) == 0
    for name in ("../one", "/etc", "set//one", "set/../one"):
        (tmp_path / "labels.json").write_text(json.dumps({name: {}}))
        assert run(["exam", str(tmp_path)]) == 2, name
