"""Standalone masters, live: through a service, a pod or a URL; rarely, and within bounds."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from console.apps.assemble import assemble
from console.facts.model import Container, Facts, Origin, Pod
from console.sources.spark.standalone import Standalone
from console.wire.connection import Connection
from console.wire.endpoint import UrlEndpoint
from tests.wire.peer import Peer, recorded

DATA = Path(__file__).parents[2] / "data" / "standalone"
APP = "app-20261128012528-0000"
SERVICE = "/api/v1/namespaces/spark/services/sa-master:8080/proxy"
SERVICES = {
    "items": [
        {"metadata": {"name": "other"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080}]}},
        {
            "metadata": {"name": "sa-master"},
            "spec": {
                "selector": {"app": "spark-standalone-master"},
                "ports": [{"name": "rpc", "port": 7077}, {"port": 8080, "name": None}],
            },
        },
    ]
}


def page(name: str, **changed: Any) -> dict[str, Any]:
    return {**json.loads((DATA / name).read_text()), **changed}


ALIVE = page("master-4.1-worker-lost.json")
ALIVE["workers"] = ALIVE["workers"][:1]


def pod(name: str, ip: str = "", **labels: str) -> Pod:
    main = Container("main", state="running")
    return Pod(
        "spark", name, Origin("kubernetes", name), uid=name, labels=labels, phase="Running", ip=ip, containers=(main,)
    )


MASTER = pod("sa-master-0", app="spark-standalone-master")
WORKER = pod("sa-worker-0", ip="127.0.0.1", app="spark-standalone-worker")


class ManualClock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.at = 1795829300.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def standalone(peer: Peer, connection: Connection, clock: ManualClock) -> Standalone:
    peer.answer("/api/v1/namespaces/spark/services", SERVICES)
    peer.answer(f"{SERVICE}/json/", page("master-4.1-worker-lost.json"), content_type="text/json")
    worker = "/api/v1/namespaces/spark/pods/sa-worker-0:18082/proxy/json/"
    peer.answer(worker, page("worker-4.1.json"), content_type="text/json")
    peer.answer("/api/v1/namespaces/spark/pods/sa-master-0/log", "26/11/28 01:26:17 INFO Master: Removing worker x\n")
    return Standalone(connection.reader, clock, 20.0)


def apps_of(standalone: Standalone) -> list[tuple[str, str, int]]:
    apps = assemble(Facts(at=1795829300.0, rest=standalone.rest))
    return [(a.key, a.state, a.running_executors) for a in apps]


async def test_the_master_through_its_service_and_the_workers_through_their_pods(
    standalone: Standalone, peer: Peer
) -> None:
    assert await standalone.refresh([MASTER], [MASTER, WORKER], [])
    assert [(d.path, d.pod) for d in standalone.rest] == [
        ("master", "spark/sa-master-0"),
        ("worker", "spark/sa-worker-0"),
    ]
    assert standalone.rest[0].origin.locator == "service spark/sa-master:8080 /json/"
    assert apps_of(standalone) == [(f"spark/{APP}", "RUNNING", 1)]
    assert [s.state for s in standalone.state()] == ["fresh"]
    assert [where for where, _ in standalone.unread] == [f"REST of {APP}"], "asked, as its master has lost a worker"


async def test_the_masters_log_is_read_where_a_worker_is_dead(standalone: Standalone) -> None:
    await standalone.refresh([MASTER], [MASTER, WORKER], [])
    assert [(log.role, log.text.strip()[-17:]) for log in standalone.logs] == [("master", "Removing worker x")]


async def test_commands_of_executors_are_not_kept(standalone: Standalone) -> None:
    await standalone.refresh([MASTER], [MASTER, WORKER], [])
    command = standalone.rest[1].data["executors"][0]["appdesc"]["command"]
    assert command == "--driver-url, spark://CoarseGrainedScheduler@127.0.0.1:37559"


async def test_it_is_read_again_after_a_while_and_the_service_is_looked_for_once(
    standalone: Standalone, clock: ManualClock, peer: Peer
) -> None:
    await standalone.refresh([MASTER], [MASTER], [])
    assert not await standalone.refresh([MASTER], [MASTER], [])
    clock.at += 21
    assert await standalone.refresh([MASTER], [MASTER], [])
    assert sum(a.path == f"{SERVICE}/json/" for a in peer.asked) == 2
    assert sum(a.path == "/api/v1/namespaces/spark/services" for a in peer.asked) == 1


async def test_nothing_is_asked_where_there_is_no_master(standalone: Standalone, peer: Peer) -> None:
    before = len(peer.asked)
    assert not await standalone.refresh([], [WORKER], [])
    assert len(peer.asked) == before and standalone.state() == ()


async def test_without_a_service_the_pod_is_asked(standalone: Standalone, peer: Peer) -> None:
    peer.answer("/api/v1/namespaces/spark/services", {"items": []})
    way = "/api/v1/namespaces/spark/pods/sa-master-0:8080/proxy/json/"
    peer.answer(way, page("master-3.5.json"), content_type="text/json")
    await standalone.refresh([MASTER], [MASTER], [])
    assert [d.origin.locator for d in standalone.rest] == ["pod spark/sa-master-0:8080 /json/"]


async def test_the_driver_of_an_application_in_focus(standalone: Standalone, peer: Peer) -> None:
    """Its executors call the address of a pod that no watch has seen."""
    client = {"metadata": {"name": "notebook-0", "namespace": "spark", "uid": "n"}, "status": {"podIP": "127.0.0.1"}}
    peer.answer("/api/v1/namespaces/spark/pods", {"kind": "PodList", "metadata": {}, "items": [client]})
    ui = f"/api/v1/namespaces/spark/pods/(notebook-0|sa-worker-0):4040/proxy/api/v1/applications/{APP}"
    peer.answer(ui, {"id": APP, "name": "deleted", "attempts": [{"appSparkVersion": "4.1.4"}]})
    for name in ("jobs", "stages"):
        peer.answer(f"{ui}/{name}", "[]", content_type="application/json")
    peer.answer(f"{ui}/allexecutors", recorded("spark/allexecutors.json"))
    peer.answer(f"{SERVICE}/json/", ALIVE, content_type="text/json")
    await standalone.refresh([MASTER], [MASTER, WORKER], [])
    assert [d.path for d in standalone.rest if d.app_id] == []
    assert await standalone.refresh([MASTER], [MASTER, WORKER], [APP]), "at once when an application is looked at"
    (looked_at,) = assemble(Facts(at=0.0, rest=standalone.rest))
    assert looked_at.spark_version == "4.1.4" and looked_at.key == f"spark/{APP}"


async def test_a_driver_behind_the_masters_own_proxy(standalone: Standalone, peer: Peer) -> None:
    ui = f"{SERVICE}/proxy/{APP}/api/v1/applications/{APP}"
    peer.answer(ui, {"id": APP, "name": "deleted", "attempts": [{"appSparkVersion": "4.1.4"}]})
    peer.answer(f"{SERVICE}/json/", ALIVE, content_type="text/json")
    await standalone.refresh([MASTER], [MASTER], [])
    assert [d.path for d in standalone.rest if d.app_id] == []
    await standalone.refresh([MASTER], [MASTER], [APP])
    (looked_at,) = assemble(Facts(at=0.0, rest=standalone.rest))
    assert looked_at.spark_version == "4.1.4"


async def test_a_master_that_does_not_answer_is_a_state_of_its_own(standalone: Standalone, peer: Peer) -> None:
    peer.answer(f"{SERVICE}/json/", {"kind": "Status", "apiVersion": "v1", "message": "connection refused"}, status=503)
    await standalone.refresh([MASTER], [MASTER], [])
    (state,) = standalone.state()
    assert state.state == "unreachable" and "refused" in state.detail
    assert standalone.rest == () and standalone.unread


async def test_a_proxy_that_is_forbidden(standalone: Standalone, peer: Peer) -> None:
    message = 'services "sa-master" is forbidden: User "viewer" cannot get resource "services/proxy"'
    refusal = {"kind": "Status", "apiVersion": "v1", "reason": "Forbidden", "message": message}
    peer.answer(f"{SERVICE}/json/", refusal, status=403)
    await standalone.refresh([MASTER], [MASTER], [])
    assert [s.state for s in standalone.state()] == ["forbidden"]


@pytest.fixture
async def given(peer: Peer) -> AsyncIterator[UrlEndpoint]:
    endpoint = UrlEndpoint(peer.url)
    yield endpoint
    await endpoint.close()


async def test_a_master_that_the_config_names(
    peer: Peer, connection: Connection, clock: ManualClock, given: UrlEndpoint
) -> None:
    peer.answer("/json/", page("master-3.5.json"), content_type="text/json")
    standalone = Standalone(connection.reader, clock, 20.0, (given,))
    await standalone.refresh([], [], [])
    assert apps_of(standalone) == [("/healthy app-20261123090118-0000", "RUNNING", 0)]
