"""A program that does nothing any more, and one whose last task has most of the data, as everybody sees them."""

from __future__ import annotations

from typing import Any

import pytest

from console.drill.scenario.files import read
from console.drill.scenario.model import Scenario
from console.drill.spark.runs import Spark
from console.drill.spark.stats import RunStats
from console.drill.spark.view import RunView
from tests.drill.conftest import Api, open_api

APP = """
  - name: report
    running: 2m
    {lingers}
    spec:
      type: Python
      mode: cluster
      image: registry.local/spark:4.1.4
      mainApplicationFile: local:///opt/jobs/report.py
      sparkVersion: 4.1.4
      sparkConf: {conf}
      restartPolicy: {{type: Never}}
      driver: {{cores: 1, memory: 1g, serviceAccount: spark}}
      executor: {{cores: 2, instances: 3, memory: 2g}}
    stages:
    - {{name: "count at report.py:3", tasks: 120, seconds: 4{tail}, input: 64m}}
"""


def scenario(*, lingers: str = "", conf: str = "{}", tail: str = "") -> Scenario:
    head = "apiVersion: console.drill/v1\nkind: Scenario\nname: x\ntitle: x\nrunbook: any\nwarmup: 1m\n"
    world = f"world:\n  from: platform\n  fleet: []\n  apps:{APP.format(lingers=lingers, conf=conf, tail=tail)}"
    return read(f"{head}{world}cases: {{default: {{title: x, expect: {{outcomes: [resolved]}}}}}}\n")


def run_of(api: Api) -> Any:
    spark: Spark = api.session.world.spark
    return next(run for run in spark.runs if run.name == "report")


async def alive(api: Api) -> int:
    return len([e for e in await rest(api, "executors") if e["id"] != "driver"])


async def rest(api: Api, what: str) -> Any:
    run = run_of(api)
    pod = run.driver["metadata"]["name"]
    return await api.get(f"/api/v1/namespaces/spark-prod/pods/{pod}:4040/proxy/api/v1/applications/{run.app_id}/{what}")


async def test_a_program_that_lingers_holds_its_executors_and_its_driver_says_that_no_job_runs() -> None:
    async with open_api(scenario=scenario(lingers="lingers: 1h")) as api:
        await api.session.run_for(600)
        assert [job["status"] for job in await rest(api, "jobs")] == ["SUCCEEDED"] and await alive(api) == 3
        await api.session.run_for(3600)
        assert run_of(api).exit_code == 0, "it ends when its code does"


@pytest.mark.parametrize(("least", "left"), [("0", 0), ("1", 1)])
async def test_dynamic_allocation_gives_back_what_is_idle_for_a_minute(least: str, left: int) -> None:
    conf = f'{{spark.dynamicAllocation.enabled: "true", spark.dynamicAllocation.minExecutors: "{least}"}}'
    async with open_api(scenario=scenario(lingers="lingers: 1h", conf=conf)) as api:
        await api.session.run_for(600)
        run = run_of(api)
        assert await alive(api) == left and run.ended is None and run.failures == 0
        said = "\n".join(line for _, line in run.cluster.logs.of(run.driver["metadata"]["uid"]).lines())
        assert "ExecutorAllocationManager: Executors " in said and "removed due to idle timeout." in said


async def test_the_last_task_runs_alone_until_its_data_are_done() -> None:
    async with open_api(scenario=scenario(tail=", tail: 20m")) as api:
        await api.session.run_for(300)
        (stage,) = await rest(api, "stages")
        assert (stage["status"], stage["numActiveTasks"], stage["numCompleteTasks"]) == ("ACTIVE", 1, 119)
        tasks = await rest(api, "stages/0/0/taskList?length=200")
        (long,) = [task for task in tasks if task["status"] == "RUNNING"]
        assert long["duration"] > 300_000 and max(t["duration"] for t in tasks if t is not long) < 5000
        run, now = run_of(api), api.session.now
        stats = RunStats(run)
        assert sorted(stats.active(e, now) for e in run.executors.values()) == [0, 0, 1]
        busy = sum(e.busy(now) for e in run.executors.values())
        await api.session.run_for(60)
        assert sum(e.busy(now + 60) for e in run.executors.values()) == pytest.approx(busy + 60), "one core works"
        await api.session.run_for(1200)
        summary = RunView(run, api.session.now).task_summary(0, {"quantiles": "0.5,1.0"})
        assert summary["duration"][1] == 1_200_000 and summary["duration"][0] == 4000
        assert summary["inputMetrics"]["bytesRead"][1] > 100 * summary["inputMetrics"]["bytesRead"][0]
