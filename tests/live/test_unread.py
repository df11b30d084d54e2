"""Of an application whose log or REST answers cannot be read nothing is called fine, and it is asked for again."""

from __future__ import annotations

import pytest

from console.apps.model import Member, SparkApp
from console.facts.model import Origin, Pod
from console.live.reads import Reads
from console.wire.connection import Connection
from tests.sources.test_component_pods import Steps
from tests.wire.conftest import connection, peer
from tests.wire.peer import Peer

__all__ = ["connection", "peer"]

LOG = "/api/v1/namespaces/jobs/pods/etl-driver/log"
NO = {
    "kind": "Status",
    "apiVersion": "v1",
    "reason": "Forbidden",
    "message": 'pods "etl-driver" is forbidden: no',
    "code": 403,
}
REFUSED = 'pods "etl-driver" is forbidden: no'


@pytest.fixture
def reads(connection: Connection) -> Reads:
    return Reads(connection.reader, Steps(), 10.0)


def driver(phase: str) -> Pod:
    return Pod("jobs", "etl-driver", Origin("kubernetes", "x"), uid="a", phase=phase, created=1.0)


async def look(reads: Reads, phase: str) -> bool:
    one = Member("driver", "driver", phase, pod="etl-driver", namespace="jobs")
    app = SparkApp("jobs/etl", "jobs", "etl", "kubeflow", phase.upper(), app_id="spark-1", driver=one)
    return await reads.refresh([app], {"jobs/etl-driver": driver(phase)})


async def test_what_may_not_be_read_is_a_source_that_is_forbidden(reads: Reads, peer: Peer) -> None:
    peer.answer("/api/v1/namespaces/jobs/pods/.*", NO, status=403)
    await look(reads, "Running")
    assert [(s.name, s.state) for s in reads.sources()] == [("logs", "forbidden"), ("Spark REST", "forbidden")]
    assert all(REFUSED in s.detail for s in reads.sources())
    assert [place for place, _ in reads.unread("jobs/etl")] == ["log of jobs/etl-driver", "REST of jobs/etl-driver"]
    assert reads.unread("jobs/other") == () and len(reads.unread()) == 2


async def test_a_failed_driver_whose_log_did_not_come_is_asked_for_it_again_until_it_comes(
    reads: Reads, peer: Peer
) -> None:
    clock = reads.clock
    assert isinstance(clock, Steps)
    peer.answer(LOG, "no", status=503, content_type="text/plain")
    assert await look(reads, "Failed") and reads.logs() == () and reads.sources() == ()
    assert not await look(reads, "Failed"), "not at once"
    peer.answer(LOG, "it ended\n", content_type="text/plain")
    clock.time += 10.0
    assert await look(reads, "Failed") and [log.text for log in reads.logs()] == ["it ended\n"]
    assert reads.unread() == ()
    clock.time += 10.0
    assert not await look(reads, "Failed"), "its log does not change any more"
