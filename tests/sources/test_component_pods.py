"""Components that are not Spark: their pods and logs are read by the selector of their workload, rarely."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from console.components.find import find
from console.components.judge import judge
from console.components.model import Component
from console.facts.model import Facts, Origin, Workload
from console.settings.presets import load_library
from console.sources.cluster.component_pods import ComponentPods
from console.wire.connection import Connection
from tests.wire.peer import Peer

LIBRARY = load_library()
DEFINITIONS = tuple(LIBRARY.components.values())
PRESET = LIBRARY.preset("core-baseline")
PODS = "/api/v1/namespaces/data/pods"
LOG = f"{PODS}/metastore-1/log"
BROKEN = "MetaException: Unable to open a test connection to the given database. JDBC url = jdbc:postgresql://db\n"


async def _gone(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


class Steps:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def metastore() -> Facts:
    labels = {"app": "hive-metastore"}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": {"spec": {"containers": [{"name": "m"}]}}}
    status = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1}
    origin = Origin("kubernetes", "/apis/apps/v1/namespaces/data/deployments/metastore")
    workload = Workload("apps/v1", "Deployment", "data", "metastore", origin, labels=labels, spec=spec, status=status)
    return Facts(at=1_000.0, workloads=(workload,))


def pods(restarts: int = 0) -> dict[str, Any]:
    state = {"running": {"startedAt": "1970-01-01T00:10:00Z"}}
    status = {"name": "m", "ready": True, "restartCount": restarts, "state": state}
    return {
        "items": [
            {
                "metadata": {"name": "metastore-1", "namespace": "data", "labels": {"app": "hive-metastore"}},
                "spec": {"containers": [{"name": "m"}]},
                "status": {"phase": "Running", "containerStatuses": [status]},
            }
        ]
    }


@pytest.fixture
def reads(connection: Connection) -> ComponentPods:
    return ComponentPods(connection.reader, Steps(), 60.0)


async def judged(reads: ComponentPods) -> Component:
    facts = metastore()
    await reads.refresh(find(facts, DEFINITIONS).values())
    return next(c for c in judge(reads.beside(facts), DEFINITIONS, PRESET) if c.id == "hive-metastore")


async def test_ready_replicas_whose_log_says_that_the_database_is_gone_are_down(
    peer: Peer, reads: ComponentPods
) -> None:
    peer.answer(PODS, pods())
    peer.answer(LOG, BROKEN, content_type="text/plain")
    component = await judged(reads)
    assert component.state == "down" and "cannot use its database" in component.reason
    assert any("Unable to open a test connection" in e.excerpt and e.at == 1_000.0 for e in component.evidence)
    assert peer.last(PODS).query["labelSelector"] == "app=hive-metastore"


async def test_a_log_that_says_it_works_makes_it_healthy(peer: Peer, reads: ComponentPods) -> None:
    peer.answer(PODS, pods())
    peer.answer(LOG, "Started the new metaserver on port [9083]\n", content_type="text/plain")
    assert (await judged(reads)).state == "healthy"


async def test_a_log_that_may_not_be_read_leaves_it_unknown_and_is_said(peer: Peer, reads: ComponentPods) -> None:
    peer.answer(PODS, pods())
    peer.answer(LOG, {"kind": "Status", "reason": "Forbidden", "message": "no", "code": 403}, status=403)
    assert (await judged(reads)).state == "unknown"
    assert [place for place, _ in reads.unread] == ["log of data/metastore-1"]


async def test_a_container_that_has_not_started_hides_no_pod(peer: Peer, reads: ComponentPods) -> None:
    peer.answer(PODS, pods())
    waiting = 'container "m" in pod "metastore-1" is waiting to start: ContainerCreating'
    peer.answer(LOG, {"kind": "Status", "reason": "BadRequest", "message": waiting, "code": 400}, status=400)
    assert (await judged(reads)).state == "unknown"
    assert [pod.name for pod in reads.pods] == ["metastore-1"]
    assert reads.unread == (("log of data/metastore-1", f"{waiting} (HTTP 400)"),)


async def test_it_is_read_again_after_a_while_or_when_there_is_more_of_it(peer: Peer, reads: ComponentPods) -> None:
    peer.answer(PODS, pods())
    peer.answer(LOG, "", content_type="text/plain")
    found = tuple(find(metastore(), DEFINITIONS).values())
    assert await reads.refresh(found)
    assert not await reads.refresh(found) and peer.count(PODS) == 1
    reads.clock.time += 61  # type: ignore[attr-defined]
    assert await reads.refresh(found) and peer.count(PODS) == 2
    assert await reads.refresh(()) and reads.pods == ()


async def test_a_lost_connection_leaves_what_is_known(peer: Peer, reads: ComponentPods) -> None:
    peer.answer(PODS, pods())
    peer.answer(LOG, BROKEN, content_type="text/plain")
    assert (await judged(reads)).state == "down"
    peer.on("GET", PODS, _gone)
    reads.clock.time += 61  # type: ignore[attr-defined]
    assert (await judged(reads)).state == "down"


async def test_what_is_read_here_is_no_part_of_what_applications_are_made_of(peer: Peer, reads: ComponentPods) -> None:
    peer.answer(PODS, pods())
    peer.answer(LOG, "", content_type="text/plain")
    facts = metastore()
    await reads.refresh(find(facts, DEFINITIONS).values())
    assert facts.pods == () and len(reads.beside(facts).pods) == 1
