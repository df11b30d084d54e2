"""`console diagnose DIR`: the published document, the exit codes, the explanation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import run
from tests.findings.corpus import ROOT
from tests.findings.worlds import RUNNING, ended, raw_pod

OOM, HEALTHY = str(ROOT / "kubernetes-1.37" / "oom1"), str(ROOT / "kubernetes-1.37" / "healthy2")


def document(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, Any]]:
    code = run(["diagnose", *argv, "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_finding_is_published_with_its_proof(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = document(capsys, OOM)
    assert code == 1 and next(iter(found)) == "apiVersion"
    (finding,) = found["findings"]
    assert list(finding)[:10] == [
        "key",
        "code",
        "class",
        "severity",
        "subject",
        "since",
        "confidence",
        "evidence",
        "ruled_out",
        "runbooks",
    ]
    assert finding["class"] == "I01" and finding["since"] == "2026-11-23T16:51:51Z"
    assert finding["subject"].startswith("Pod/spark-jobs/oom1-")
    assert all(set(e) == {"source", "locator", "excerpt", "at"} for e in finding["evidence"])
    assert {"class", "because"} == set(finding["ruled_out"][0])
    assert finding["runbooks"] == ["spark-oom"]


def test_a_healthy_folder_has_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = document(capsys, HEALTHY)
    assert code == 0 and found["findings"] == []


def test_what_could_not_be_read_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(bytes(100))
    code, found = document(capsys, str(tmp_path))
    assert code == 1, "no finding says nothing where nothing was read"
    assert found["unread"] == [{"locator": "x.bin", "reason": "binary"}]


def test_a_folder_that_does_not_exist_is_a_usage_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["diagnose", str(tmp_path / "none")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_the_text_names_proof_and_doubt(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", str(ROOT / "faults-4.3" / "sigterm")]) == 1
    text = capsys.readouterr().out
    assert "WARNING I06 executor-sigterm" in text and "  └ WARNING I05 fetch-failed" in text
    assert "saw     driver.log:" in text and "decide  who sent the signal" in text


def test_every_rule_that_was_tried_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = document(capsys, OOM, "--explain")
    held = [t for t in found["tried"] if t["held"]]
    assert code == 1 and [t["rule"] for t in held] == ["executor-oom-python"]
    assert len(found["tried"]) > 40 and all(t["because"] for t in found["tried"])
    classes = {t["class"] for t in found["tried"]} - {None}
    assert classes == {f"I{n:02d}" for n in range(1, 31)}


@pytest.mark.parametrize("output", ["text", "json"])
def test_the_explanation_of_much_evidence_is_no_larger_than_what_it_explains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    """120 applications that all lose executors, each at a time of its own."""
    pods = []
    for number in range(120):
        mine = {"app_id": f"spark-{number:032d}", "labels": {"spark-app-name": f"etl-{number}"}}
        pods.append(raw_pod(f"etl-{number}-driver", "driver", state=RUNNING, **mine))
        died = ended(137, "OOMKilled", when=100 + number)
        pods += [raw_pod(f"etl-{number}-exec-{n}", number=n, state=died, phase="Failed", **mine) for n in (1, 2, 3)]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": pods})
    (tmp_path / "pods.json").write_text(text)
    sizes = []
    for more in ((), ("--explain",)):
        assert run(["diagnose", str(tmp_path), "-o", output, *more]) == 1
        sizes.append(len(capsys.readouterr().out))
    plain, explained = sizes
    assert plain < explained < plain + len(text) / 2, "hundreds of rules on 120 applications are told together"
