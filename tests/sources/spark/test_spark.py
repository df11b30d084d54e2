"""Spark's REST API: JSON counts, a web page with status 200 does not."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from aiohttp import web

from console.base.clock import WallClock
from console.base.errors import ReachError
from console.base.redact import MARK
from console.sources.spark.rest import SparkRest
from console.wire.connection import Connection
from console.wire.endpoint import PodEndpoint, UrlEndpoint
from tests.wire.peer import Peer, recorded

UI = "/api/v1/namespaces/jobs/pods/etl-driver:4040/proxy/api/v1"
PAGE = recorded("spark/GOTCHA_disabled_endpoint_returns_html_200.html")


@pytest.fixture
def driver(peer: Peer, connection: Connection) -> SparkRest:
    """A driver's UI behind the pod proxy; everything that is not set up is a web page with status 200, as in 3.5."""
    peer.answer(f"{UI}/.*", PAGE, content_type="text/html")
    apps = json.loads(recorded("spark/applications.json"))
    peer.answer(f"{UI}/applications", apps)
    base = f"{UI}/applications/{apps[0]['id']}"
    for name in ("allexecutors", "jobs"):
        peer.answer(f"{base}/{name}", recorded(f"spark/{name}.json"))
    stages = [
        {"stageId": 3, "attemptId": 0, "status": "COMPLETE", "executorRunTime": 5},
        {"stageId": 4, "attemptId": 1, "status": "ACTIVE", "executorRunTime": 1},
        {"stageId": 5, "attemptId": 0, "status": "COMPLETE", "executorRunTime": 50},
        {"stageId": 6, "attemptId": 0, "status": "PENDING"},
        {"stageId": 7, "attemptId": 0, "status": "FAILED", "failureReason": "x"},
        "nonsense",
    ]
    peer.answer(f"{base}/stages", stages)
    peer.answer(f"{base}/stages/4/1/taskSummary", recorded("spark/taskSummary.json"))
    peer.answer(f"{base}/environment", {"sparkProperties": [["spark.x.password", "hunter2"], ["spark.y", "z"]]})
    return SparkRest(PodEndpoint(connection.reader, "jobs", "etl-driver", 4040), WallClock(), pod="etl-driver")


async def test_the_application_of_a_driver(driver: SparkRest) -> None:
    read = await driver.application()
    assert [d.path for d in read.documents] == ["", "allexecutors", "jobs", "stages"]
    first = read.documents[0]
    assert first.data["id"] == first.app_id and first.pod == "etl-driver" and first.origin.source == "spark-rest"
    assert first.origin.locator == "pod jobs/etl-driver:4040 /api/v1/applications"
    assert read.unread == () and isinstance(read.document("jobs"), list) and read.document("nope") is None


async def test_more_for_the_application_in_focus(driver: SparkRest, peer: Peer) -> None:
    read = await driver.application(deep=True)
    assert [d.path for d in read.documents[4:]] == ["environment", "stages/4/1/taskSummary"]
    assert read.document("environment")["sparkProperties"] == [["spark.x.password", MARK], ["spark.y", "z"]]
    unread = dict(read.unread)
    sql = next(why for locator, why in unread.items() if locator.endswith("/sql"))
    assert sql == "answered with text/html instead of JSON: this version does not have it"
    asked = [a.path.rsplit("stages/")[1] for a in peer.asked if "taskSummary" in a.path]
    assert sorted(asked) == ["4/1/taskSummary", "5/0/taskSummary", "7/0/taskSummary"]
    assert peer.last(".*/sql").query["length"] == "50"


async def test_where_the_time_went_needs_tasks_and_plans_of_what_took_longest(driver: SparkRest, peer: Peer) -> None:
    """Tasks of a stage with very many are asked for as quantiles, so that no answer grows without bound."""
    base = f"{UI}/applications/{json.loads(recorded('spark/applications.json'))[0]['id']}"
    stages = [
        {"stageId": n, "attemptId": 0, "status": "COMPLETE", "executorRunTime": 1000 * n, "numTasks": tasks}
        for n, tasks in enumerate((4, 2_000, 2_001, *[8] * 30))
    ]
    peer.answer(f"{base}/stages", stages)
    peer.answer(f"{base}/sql", [{"id": n, "status": "COMPLETED", "duration": n} for n in range(40)])
    await driver.timed()
    asked = [a.path.partition(base.partition("applications")[2])[2].lstrip("/") for a in peer.asked]
    assert sum(path.endswith("/taskList") for path in asked) == 16 and "stages/32/0/taskList" in asked
    assert sorted(int(p.removeprefix("sql/")) for p in asked if p.startswith("sql/")) == list(range(28, 40))
    peer.answer(f"{base}/stages", stages[:3])
    peer.asked.clear()
    await driver.timed()
    asked = [a.path.rpartition("stages/")[2] for a in peer.asked if "/stages/" in a.path]
    assert sorted(asked) == ["1/0/taskList", "2/0/taskSummary"], "the first stage ran for no time"
    assert peer.last(".*/1/0/taskList").query["length"] == "2000"


@pytest.mark.parametrize(
    ("body", "status", "content_type", "why"),
    [
        (PAGE.decode(), 200, "text/html", "this version does not have it"),
        ("no such app: x", 404, "text/plain", "HTTP 404: no such app: x"),
        ("<html>no</html>", 404, "text/html", "HTTP 404"),
        ("[]", 200, "application/json", "there is no application"),
        ("{", 200, "application/json", "the answer is no JSON"),
        ('"x"', 200, "application/json", "the answer is a text"),
        ('[{"id": 5}]', 200, "application/json", "there is no application"),
        ("[" * 100_000, 200, "application/json", "the answer is no JSON"),
    ],
)
async def test_what_is_no_application(peer: Peer, body: str, status: int, content_type: str, why: str) -> None:
    peer.answer("/api/v1/applications", body, status=status, content_type=content_type)
    endpoint = UrlEndpoint(peer.url)
    read = await SparkRest(endpoint, WallClock()).application()
    assert read.documents == () and why in read.unread[0][1]
    await endpoint.close()


async def test_a_history_server_and_a_master(peer: Peer) -> None:
    peer.answer("/api/v1/applications", recorded("spark/applications.json"))
    peer.answer("/api/v1/applications/app-1", {"id": "app-1", "attempts": []})
    peer.answer("/api/v1/applications/app-1/2/jobs", [], content_type="application/json")
    peer.answer("/json/", {"workers": []}, content_type="text/json")
    endpoint = UrlEndpoint(peer.url)
    rest = SparkRest(endpoint, WallClock())
    assert (await rest.applications(limit=7, status="completed")).document("applications")
    assert peer.last("/api/v1/applications").query == {"limit": "7", "status": "completed"}
    read = await rest.application("app-1", attempt="2")
    assert read.document("jobs") == [] and {why for _, why in read.unread} == {"HTTP 404"}
    assert (await rest.master()).document("master") == {"workers": []}
    await endpoint.close()


async def test_an_answer_that_is_too_large_is_unread(driver: SparkRest, peer: Peer) -> None:
    peer.answer(f"{UI}/applications/.*/jobs", "[" + "1," * 3_000_000 + "1]")
    read = await driver.application()
    ((locator, why),) = read.unread
    assert locator.endswith("/jobs") and "larger than 4 MiB" in why


async def test_slow_answers_are_unread_after_the_deadline(driver: SparkRest, peer: Peer) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(300)
        return web.Response()

    peer.on("GET", f"{UI}/applications/.*/jobs", hang)
    began = time.monotonic()
    read = await driver.application(deadline=3.0)
    assert time.monotonic() - began < 150 and "jobs" in read.unread[0][0]
    assert [d.path for d in read.documents] == ["", "allexecutors", "stages"]


async def test_a_driver_without_a_ui(peer: Peer, driver: SparkRest) -> None:
    message = "error trying to reach service: dial tcp 10.0.0.1:4040: connect: connection refused"
    body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "message": message}
    peer.answer(f"{UI}/.*", body, status=503)
    with pytest.raises(ReachError, match="connection refused"):
        await driver.application()
