"""Applications of a real standalone master, and what is said when one of its workers is killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cluster.command import Console
from tests.cluster.controlplane import KubeApi
from tests.cluster.processes import wait_until
from tests.cluster.spark import PySpark
from tests.cluster.standalone import Standalone

pytestmark = [pytest.mark.parts, pytest.mark.xdist_group("node")]


@pytest.fixture
def standalone(pyspark_home: PySpark, tmp_path: Path) -> Iterator[Standalone]:
    running = Standalone(pyspark_home, tmp_path / "standalone")
    yield running
    running.stop()


@pytest.fixture
def console(tmp_path: Path, kube_api: KubeApi, standalone: Standalone) -> Console:
    context = json.loads(kube_api.kubeconfig.read_text())["current-context"]
    console = Console(tmp_path, kube_api.kubeconfig, context, mode="read-only")
    with console.config.open("a") as config:
        config.write(f"standalone_masters:\n  - url: {standalone.page}\n")
    return console


def test_an_application_and_the_loss_of_a_worker(
    console: Console, standalone: Standalone, pyspark_home: PySpark, tmp_path: Path
) -> None:
    conf = {"spark.executor.cores": "1", "spark.executor.memory": "512m", "spark.cores.max": "2"}
    running = pyspark_home.run(
        tmp_path / "app",
        "deleted",
        master=standalone.url,
        conf={**conf, "spark.ui.reverseProxy": "true"},
        environment={"APP_NAME": "orders"},
    )
    try:
        page = standalone.wait("the application runs", lambda page: bool(page["activeapps"]))
        app_id = page["activeapps"][0]["id"]
        wait_until("both executors work", lambda: len(working(running.ui, app_id)) == 2, seconds=120, every=0.3)

        shown = json.loads(console("apps", "-o", "json").stdout)
        (app,) = (item for item in shown["items"] if item["launcher"] == "standalone")  # others share the API server
        assert (app["name"], app["launcher"], app["state"]) == ("orders", "standalone", "RUNNING")
        assert (app["app_id"], app["cpu_requested"], app["writable"]) == (app_id, 2.0, False)
        assert [s["state"] for s in shown["sources"] if s["name"] == "standalone"] == ["fresh"]

        busy = next(worker for worker in standalone.json()["workers"] if worker["coresused"])
        standalone.kill(busy)
        standalone.wait("the master misses it", lambda page: any(w["state"] == "DEAD" for w in page["workers"]))

        told = console("diagnose", "orders", "-o", "json")
        document = json.loads(told.stdout)
        found = {finding["code"]: finding for finding in document["findings"]}
        assert told.returncode == 1
        assert (found["worker-lost"]["class"], found["worker-lost"]["confidence"]) == ("I06", "high")
        assert found["worker-lost"]["subject"].endswith(busy["id"])
        assert found["executor-evicted"]["class"] == "I06"
        assert document["findings"][0]["code"] == "worker-lost", "the cause stands first"
    finally:
        running.process.stop()


def working(ui: str, app_id: str) -> list[dict[str, Any]]:
    """The executors on which tasks have run, as the driver says."""
    try:
        found = requests.get(f"{ui}/api/v1/applications/{app_id}/allexecutors", timeout=10).json()
    except (requests.RequestException, ValueError):
        return []
    return [executor for executor in found if executor["id"] != "driver" and executor["activeTasks"]]
