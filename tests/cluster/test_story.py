"""The incident on real parts: a real Spark application on a real node runs out of memory, and Console deals with it.

Each walk is the command that a person would type, in a process of its own, with scripted answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import command
from tests.cluster.node import SparkNode
from tests.cluster.processes import wait_until
from tests.cluster.spark import SparkApplication, submit_etl_orders, submit_sparkapplication

pytestmark = [pytest.mark.parts, pytest.mark.xdist_group("node")]

ANSWERS = "by: the test\nanswers:\n  filled: overhead\n  how: raise\n  give-overhead: yes\n"


class Console(command.Console):
    """The command, with the answers of a person who raises the memory overhead."""

    def __init__(self, folder: Path, kubeconfig: Path, context: str) -> None:
        super().__init__(folder, kubeconfig, context)
        self.answers = folder / "answers.yaml"
        self.answers.write_text(ANSWERS)

    def walk(self, app: SparkApplication, *inputs: str) -> dict[str, Any]:
        """Walk spark-oom on `app`. The walk's document, with the exit code and what was narrated."""
        key = f"{app.kube.namespace}/{app.name}"
        options = [word for pair in inputs for word in ("--input", pair)]
        ran = self("runbook", "spark-oom", "--app", key, "--answers", str(self.answers), "-o", "json", *options)
        assert ran.stdout, ran.stderr
        print(ran.stderr)
        return {**json.loads(ran.stdout), "exit": ran.returncode, "narration": ran.stderr}


@pytest.fixture
def console(tmp_path: Path, spark_node: SparkNode) -> Console:
    context = json.loads(spark_node.kubeconfig.read_text())["current-context"]
    return Console(tmp_path, spark_node.kubeconfig, context)


@pytest.fixture
def cleaned(spark_node: SparkNode) -> Iterator[list[SparkApplication]]:
    apps: list[SparkApplication] = []
    yield apps
    for app in apps:
        app.delete()


def killed_for_memory(app: SparkApplication) -> bool:
    """Whether the operator has seen an executor end with OOMKilled."""
    return any("OOMKilled" in event for event in app.events())


def test_a_real_executor_oom_is_diagnosed_fixed_and_its_recovery_verified(
    console: Console, spark_node: SparkNode, cleaned: list[SparkApplication]
) -> None:
    app = submit_etl_orders(spark_node)
    cleaned.append(app)
    wait_until("an executor that was killed for memory", lambda: killed_for_memory(app), seconds=240)

    told = console("diagnose", f"{app.kube.namespace}/{app.name}", "-o", "json")
    assert told.stdout, told.stderr
    codes = [finding["code"] for finding in json.loads(told.stdout)["findings"]]
    assert codes and codes[0].startswith("executor-oom"), told.stdout + told.stderr

    walk = console.walk(app, "size=1200m", "observe=30", "hold=60", "deadline=8m")
    assert walk["outcome"] == "mitigated", walk["narration"] + walk["because"]
    assert walk["exit"] == 0
    assert "give-overhead" in walk["path"]
    assert [effect["target"]["name"] for effect in walk["writes"]] == [app.name]

    after = app.read()
    assert after["spec"]["executor"]["memoryOverhead"] == "1200m"
    assert after["metadata"]["generation"] == 2
    assert after["metadata"]["annotations"]["console.oncall/effect"] == walk["writes"][0]["id"]
    assert after["status"]["applicationState"]["state"] in ("RUNNING", "SUCCEEDING", "COMPLETED")
    app.wait("COMPLETED", seconds=240)

    timeline = console("incident", "timeline", "latest", "-o", "markdown")
    assert "memoryOverhead" in timeline.stdout
    print(timeline.stdout)


@pytest.mark.parametrize("how", ["deleted", "evicted"])
def test_an_executor_that_was_taken_away_is_no_reason_to_change_anything(
    how: str, console: Console, spark_node: SparkNode, cleaned: list[SparkApplication]
) -> None:
    app = submit_sparkapplication(spark_node, f"orders-{how}", "deleted")
    cleaned.append(app)
    app.wait_for_executors(2)
    taken = app.delete_executor() if how == "deleted" else app.evict_executor()
    path = f"/api/v1/namespaces/{spark_node.namespace}/pods/{taken}"
    wait_until("the executor's end", lambda: spark_node.find(path) is None, seconds=90)

    walk = console.walk(app)
    assert walk["writes"] == [], walk["narration"]
    assert walk["outcome"] in ("not_applicable", "handed_over"), walk["because"]
    assert app.read()["metadata"]["generation"] == 1
