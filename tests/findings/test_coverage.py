# ruff: noqa: E501  (objects and messages are as wide as what prints them)
"""Nothing found is good news only where what was seen could be judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.cli.main import run
from tests.findings.worlds import RUNNING, ended, raw_pod


def said(tmp_path: Path, capsys: pytest.CaptureFixture[str], *objects: Any, log: str = "") -> tuple[int, str]:
    """(exit code, text) of `console diagnose` over these objects."""
    (tmp_path / "all.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": list(objects)}))
    if log:
        (tmp_path / "operator.log").write_text(log)
    code = run(["diagnose", str(tmp_path)])
    return code, capsys.readouterr().out


def warning(about: str, reason: str, message: str, count: int = 1) -> dict[str, Any]:
    kind, name = about.split("/")
    return {
        "kind": "Event", "metadata": {"name": f"{name}.1", "namespace": "jobs"}, "type": "Warning", "reason": reason,
        "message": message, "count": count, "involvedObject": {"kind": kind, "namespace": "jobs", "name": name},
    }  # fmt: skip


def test_a_broken_cluster_without_spark_is_not_called_healthy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    web = raw_pod("web-1", "", state={"waiting": {"reason": "CrashLoopBackOff"}}, container="web", app_id="")
    code, text = said(tmp_path, capsys, web, warning("Pod/web-1", "FailedMount", "no volume", 31))
    assert code == 1 and "no findings" not in text
    assert "not judged  Spark: no Spark application is in what was read" in text
    assert "jobs/web-1 CrashLoopBackOff" in text and "FailedMount (31 times) of Pod/jobs/web-1: no volume" in text


def test_a_driver_that_does_not_start_is_not_healthy_because_no_rule_knows_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = raw_pod("etl-driver", "driver", phase="Pending", state={"waiting": {"reason": "ContainerCreating"}})
    code, text = said(tmp_path, capsys, held, warning("Pod/etl-driver", "StrangeThing", "the moon", 31))
    assert code == 1 and "StrangeThing (31 times): the moon" in text


def test_what_runs_and_what_ended_well_stays_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = raw_pod("etl-driver", "driver", state=RUNNING)
    done = raw_pod("load-driver", "driver", state=ended(0, "Completed"), phase="Succeeded", app_id="spark-" + "c" * 32)
    assert said(tmp_path, capsys, runs, done)[0] == 0


def test_an_error_in_a_log_of_no_application_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = raw_pod("etl-driver", "driver", state=RUNNING)
    two = raw_pod("b-driver", "driver", state=RUNNING, app_id="spark-" + "c" * 32)
    log = "2026-11-24T10:00:00.000Z\tERROR\tsparkapplication/controller.go:1\tsomething new\n"
    code, text = said(tmp_path, capsys, one, two, log=log)
    assert code == 1 and "something new" in text


def test_a_driver_that_finds_no_node_at_the_end_of_saved_evidence_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": "2026-11-24T10:00:01Z",
                "message": "0/3 nodes are available: 3 Insufficient cpu."}  # fmt: skip
    held = raw_pod("etl-driver", "driver", phase="Pending", node="", conditions=[unplaced])
    code, text = said(tmp_path, capsys, held)
    assert code == 1 and "unschedulable" in text


def test_gpus_of_nodes_that_nobody_read_are_not_called_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pod.json").write_text(json.dumps(raw_pod("etl-driver", "driver", state=RUNNING)))
    run(["diagnose", str(tmp_path), "--explain"])
    assert "every node offers" not in capsys.readouterr().out


GATEWAY = (
    "26/11/24 10:00:00 INFO OddServer: began\n26/11/24 10:00:09 ERROR OddServer: gave it up\n"
    "com.acme.odd.Trouble\n{after}"
)
"""A log of a server beside Spark, with an error that no rule knows."""


@pytest.mark.parametrize(
    ("after", "code"),
    [
        ("", 1),
        ("26/11/24 10:00:10 INFO SparkContext: Successfully stopped SparkContext\n", 0),
        ("26/11/24 10:00:10 INFO OddServer: serves\n" * 60, 0),
    ],
    ids=["it breaks off", "it ends in order", "it goes on"],
)
def test_a_log_that_breaks_off_at_an_error_is_not_called_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], after: str, code: int
) -> None:
    file = tmp_path / "odd.log"
    file.write_text(GATEWAY.format(after=after))
    assert run(["diagnose", str(file)]) == code
    assert ("breaks off at an error that no rule knows" in capsys.readouterr().out) is bool(code)
