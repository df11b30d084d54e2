# ruff: noqa: E501  (objects are as wide as what prints them)
"""`console diagnose --against`: saved evidence against saved evidence, and by itself where a good run lies beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import run
from tests.findings.worlds import at, ended, raw_pod


def objects(name: str, memory: str, state: str, exit_code: int, began: float) -> list[dict[str, Any]]:
    """A scheduled run as `kubectl get -o json` prints it."""
    app_id = f"spark-{name:0<32}"
    labels = {"sparkoperator.k8s.io/app-name": name}
    meta = {
        "name": name,
        "namespace": "jobs",
        "creationTimestamp": at(began),
        "labels": {"sparkoperator.k8s.io/scheduled-app-name": "etl"},
    }
    cr = {
        "apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "metadata": meta,
        "spec": {"executor": {"memory": memory, "instances": 1}, "sparkConf": {"spark.app.id": app_id}},
        "status": {"applicationState": {"state": state}, "sparkApplicationId": app_id, "lastSubmissionAttemptTime": at(began), "terminationTime": at(began + 90)},
    }  # fmt: skip
    why = "OOMKilled" if exit_code else "Completed"
    driver = raw_pod(
        f"{name}-driver",
        "driver",
        app_id=app_id,
        labels=labels,
        created=began,
        state=ended(min(exit_code, 1), "Error" if exit_code else "Completed", began + 90, began),
        phase="Failed" if exit_code else "Succeeded",
    )
    one = raw_pod(
        f"{name}-exec-1",
        app_id=app_id,
        labels=labels,
        created=began,
        state=ended(exit_code, why, began + 60, began),
        phase="Failed" if exit_code else "Succeeded",
    )
    return [cr, driver, one]


def written(folder: Path, *runs: list[dict[str, Any]]) -> Path:
    folder.mkdir()
    items = [one for of in runs for one in of]
    (folder / "objects.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return folder


GOOD = objects("etl-1", "4g", "COMPLETED", 0, 0)
BAD = objects("etl-2", "2g", "FAILED", 137, 3_600)


def test_a_folder_is_compared_with_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, good = written(tmp_path / "bad", BAD), written(tmp_path / "good", GOOD)
    assert run(["diagnose", str(bad), "--against", str(good)]) == 1
    said = capsys.readouterr().out
    assert "against jobs/etl-1" in said and " 1  spec: executor.memory: 4g → 2g (memory is what ran out)" in said
    assert "not: version" in said or "not: " in said
    assert run(["diagnose", str(bad), "--against", str(good), "-o", "json"]) == 1
    (told,) = json.loads(capsys.readouterr().out)["against"]
    assert (told["app"], told["run"]) == ("jobs/etl-2", "jobs/etl-1") and told["changes"][0]["key"] == "executor.memory"


def test_a_good_run_in_the_same_evidence_is_compared_with_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = written(tmp_path / "both", BAD, GOOD)
    assert run(["diagnose", str(both)]) == 1
    said = capsys.readouterr().out
    assert "executor.memory: 4g → 2g" in said and "neighbours" not in said, "a run that is over is no neighbour"
    assert run(["diagnose", str(both), "--against", "etl-9"]) == 2
    said = capsys.readouterr().err
    assert "no run 'etl-9' is known" in said and "did you mean 'etl-1'" in said
