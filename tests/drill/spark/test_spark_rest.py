"""Spark's REST in the shapes of the recorded 4.1.4: a running driver, and what the History Server keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.drill.conftest import APP, DATA, Api, run_to

RECORDED = json.loads((DATA / "spark-rest-4.1.4.json").read_text())
Open = Callable[..., AbstractAsyncContextManager[Api]]
DRIVER = "/api/v1/namespaces/spark-prod/pods/etl-orders-driver:4040/proxy"
HISTORY = "/api/v1/namespaces/spark-prod/services/http:spark-history-server:18080/proxy"


async def app_id(api: Api) -> str:
    return str((await api.get(APP))["status"]["sparkApplicationId"])


async def rest(api: Api, what: str, root: str = DRIVER, **query: str) -> Any:
    return await api.get(f"{root}/api/v1/applications/{await app_id(api)}/{what}", **query)


async def test_a_running_application_looks_as_recorded(api: Api) -> None:
    (app,) = await api.get(f"{DRIVER}/api/v1/applications")
    assert sorted(app) == RECORDED["application"]["top"]
    (attempt,) = app["attempts"]
    assert sorted(attempt) == RECORDED["application"]["attempt"]
    assert attempt["endTime"] == "1969-12-31T23:59:59.999GMT" and attempt["endTimeEpoch"] == -1
    assert not attempt["completed"] and app["id"] == await app_id(api)


async def test_jobs_and_stages_have_the_recorded_fields_and_move(api: Api) -> None:
    await api.session.run_for(15)
    (job, *_) = await rest(api, "jobs", status="running")
    assert set(job) == set(RECORDED["job"]) - {"completionTime", "description", "jobGroup"}
    (stage,) = await rest(api, "stages", status="active")
    assert set(RECORDED["stage"]) - set(stage) == {"completionTime", "description"}
    assert stage["name"].startswith("applyInPandas at ") and stage["numTasks"] == 400
    await api.session.run_for(10)
    (later,) = await rest(api, "stages", status="active")
    assert later["numCompleteTasks"] > stage["numCompleteTasks"]
    summary = await rest(api, f"stages/{stage['stageId']}/0/taskSummary", quantiles="0.5,1.0")
    assert summary["quantiles"] == [0.5, 1.0] and len(summary["duration"]) == 2
    tasks = await rest(api, f"stages/{stage['stageId']}/0/taskList", length="5", sortBy="-runtime")
    assert len(tasks) == 5 and tasks[0]["duration"] >= tasks[-1]["duration"]


async def test_dead_executors_keep_why_they_were_removed(api: Api) -> None:
    await api.session.run_for(60)
    everyone = await rest(api, "allexecutors")
    dead = [e for e in everyone if not e["isActive"]]
    alive = await rest(api, "executors")
    assert dead and {e["id"] for e in alive} == {e["id"] for e in everyone if e["isActive"]}
    assert sorted(everyone[0]) == RECORDED["executor"] and everyone[0]["id"] == "driver"
    assert set(dead[0]) == set(RECORDED["executor"]) | {"removeReason", "removeTime"}
    assert sorted(dead[0]["peakMemoryMetrics"]) == RECORDED["peaks"]
    assert "exited with exit code 137(SIGKILL, possible container OOM)." in dead[0]["removeReason"]
    assert "termination reason: OOMKilled" in dead[0]["removeReason"]


async def test_the_environment_says_what_was_asked_for(api: Api) -> None:
    environment = await rest(api, "environment")
    properties = dict(environment["sparkProperties"])
    assert properties["spark.executor.memoryOverhead"] == "1100m" and properties["spark.executor.memory"] == "2900m"
    amounts = environment["resourceProfiles"][0]["executorResources"]
    assert amounts["memoryOverhead"]["amount"] == 1100


async def test_the_executors_endpoint_has_the_recorded_names_without_help_lines(api: Api) -> None:
    _, text = await api.call("GET", f"{DRIVER}/metrics/executors/prometheus")
    names = {line.split("{")[0] for line in text.splitlines()}
    assert "#" not in text and names <= set(RECORDED["executors_prometheus"])
    assert len(names) >= 30


async def test_unknown_paths_answer_as_spark_does(api: Api) -> None:
    url, headers = api.session.kube_url + DRIVER, {"Authorization": f"Bearer {api.session.token}"}
    async with api.http.get(f"{url}/nope", headers=headers) as response:
        assert response.status == 200 and response.content_type == "text/html"
    async with api.http.get(f"{url}/metrics/prometheus", headers=headers) as response:
        assert response.status == 404
    async with api.http.get(f"{url}/api/v1/applications/nope/jobs", headers=headers) as response:
        assert response.status == 404 and await response.text() == "no such app: nope"
    async with api.http.get(f"{api.session.kube_url}{HISTORY}/metrics/prometheus", headers=headers) as response:
        assert response.status == 200 and response.content_type == "text/html"


async def test_the_history_server_keeps_ended_attempts(api: Api) -> None:
    await run_to(api, "FAILING")
    former = await app_id(api)
    listed = await api.get(f"{HISTORY}/api/v1/applications", status="completed")
    app = next(a for a in listed if a["id"] == former)
    assert app["attempts"][0]["completed"] and app["attempts"][0]["endTimeEpoch"] > 0
    executors = await api.get(f"{HISTORY}/api/v1/applications/{former}/allexecutors")
    assert len([e for e in executors if "OOMKilled" in e.get("removeReason", "")]) == 13
    (failed,) = await api.get(f"{HISTORY}/api/v1/applications/{former}/jobs", status="failed")
    assert failed["numFailedTasks"] > 0
    status, _ = await api.call("GET", f"{DRIVER}/api/v1/version")
    assert status == 503


async def test_a_killed_driver_leaves_an_application_that_never_completes(drill: Open) -> None:
    async with drill("driver") as api:
        await run_to(api, "FAILING")
        app = await api.get(f"{HISTORY}/api/v1/applications/{await app_id(api)}")
        assert not app["attempts"][0]["completed"] and app["attempts"][0]["duration"] == 0


async def test_threads_are_told_of_processes_that_live_in_the_shape_of_a_real_dump(api: Api) -> None:
    rows = await rest(api, "executors/driver/threads")
    assert {"main", "dag-scheduler-event-loop"} <= {row["threadName"] for row in rows}
    assert set(rows[0]) == {
        "threadId", "threadName", "threadState", "stackTrace", "blockedByLock", "holdingLocks", "synchronizers",
        "monitors", "suspended", "inNative", "isDaemon", "priority",
    }  # fmt: skip
    assert all(line.endswith("\n") for line in rows[0]["stackTrace"]["elems"])
    for who in ("nobody", "99"):
        status, said = await api.call(
            "GET", f"{DRIVER}/api/v1/applications/{await app_id(api)}/executors/{who}/threads"
        )
        assert (status, said.split(":")[0]) in ((400, "Invalid executorId"), (404, "Executor does not exist."))
