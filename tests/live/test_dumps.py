"""An application that does not get on has its threads read twice; one that gets on is left alone."""

from __future__ import annotations

import pytest

from console.apps.model import Member, SparkApp
from console.facts.model import Pod, RestDocument
from console.findings.stacks import of_rest, standing
from console.live.dumps import APART, QUIET
from console.live.reads import Reads
from console.wire.connection import Connection
from tests.live.test_unread import driver
from tests.sources.test_component_pods import Steps
from tests.wire.conftest import connection, peer
from tests.wire.peer import Peer

__all__ = ["connection", "peer"]

REST = "/api/v1/namespaces/jobs/pods/etl-driver:4040/proxy/api/v1/applications/spark-1"
LOG = "/api/v1/namespaces/jobs/pods/etl-driver/log"
STACK = ["java.base/sun.nio.ch.SocketDispatcher.read0(Native Method)", "com.acme.Jdbc.read(Jdbc.java:41)"]


class Stuck:
    """A driver whose REST API answers through the API server, and its threads."""

    def __init__(self, reads: Reads, peer: Peer) -> None:
        self.reads, self.peer, self.clock = reads, peer, reads.clock
        peer.answer(LOG, "it runs\n", content_type="text/plain")
        peer.answer(REST, {"id": "spark-1", "name": "etl", "attempts": [{"completed": False}]})
        peer.answer(f"{REST}/stages", [])
        self.work(completed=10)

    def work(self, *, completed: int, job: str = "RUNNING", stack: tuple[str, ...] = tuple(STACK)) -> None:
        rows = [{"id": "driver", "isActive": True, "totalCores": 0}]
        rows += [
            {"id": str(n), "isActive": n != 4, "activeTasks": n, "completedTasks": completed, "totalCores": 2}
            for n in (1, 2, 3, 4)
        ]  # fmt: skip
        self.peer.answer(f"{REST}/allexecutors", rows)
        self.peer.answer(f"{REST}/jobs", [{"jobId": 1, "status": job}])
        worker = {"threadId": 9, "threadName": "Executor task launch worker for task 3.0 in stage 1.0 (TID 7)"}
        for process in ("driver", "1", "2", "3", "4"):
            thread = {**worker, "threadState": "RUNNABLE", "stackTrace": {"elems": list(stack)}}
            self.peer.answer(f"{REST}/executors/{process}/threads", [thread])

    async def look(self, seconds: float) -> list[RestDocument]:
        """What is known of its threads so many seconds later."""
        assert isinstance(self.clock, Steps)
        self.clock.time += seconds
        one = Member("driver", "driver", "Running", pod="etl-driver", namespace="jobs")
        app = SparkApp("jobs/etl", "jobs", "etl", "kubeflow", "RUNNING", app_id="spark-1", driver=one)
        pods: dict[str, Pod] = {"jobs/etl-driver": driver("Running")}
        await self.reads.refresh([app], pods)
        return [document for document in self.reads.rest() if document.path.startswith("threads/")]

    def asked(self) -> list[str]:
        return [one.path for one in self.peer.asked if one.path.endswith("/threads")]


@pytest.fixture
def stuck(connection: Connection, peer: Peer) -> Stuck:
    return Stuck(Reads(connection.reader, Steps(), 10.0), peer)


async def test_threads_that_stand_are_found_by_two_dumps_of_the_driver_and_the_busiest_executors(stuck: Stuck) -> None:
    assert await stuck.look(0) == [] and await stuck.look(QUIET - 1) == []
    once = await stuck.look(10)
    assert [document.path for document in once] == ["threads/driver", "threads/3", "threads/2"]
    assert standing(list(of_rest(once))) == [], "one dump says nothing"
    assert len(await stuck.look(APART - 11)) == 3, "not at once"
    twice = await stuck.look(12)
    assert len(twice) == 6 and len(stuck.asked()) == 6
    found = standing(list(of_rest(twice)))
    assert {(one.stack.place, one.dumps) for one in found} == {(STACK[1], 2)} and len(found) == 3
    assert all(one.first.at != one.last.at for one in found)
    assert len(await stuck.look(APART)) == 6, "the first and the last of each are kept"


async def test_one_that_gets_on_is_not_stopped_for_a_dump_and_what_was_seen_is_forgotten(stuck: Stuck) -> None:
    await stuck.look(0)
    for number in range(1, 5):
        stuck.work(completed=10 + number)
        assert await stuck.look(QUIET) == []
    assert stuck.asked() == []
    assert len(await stuck.look(QUIET)) == 3
    stuck.work(completed=99)
    assert await stuck.look(APART) == [], "it goes on"


async def test_nothing_has_to_get_on_where_no_job_runs(stuck: Stuck) -> None:
    stuck.work(completed=10, job="SUCCEEDED")
    await stuck.look(0)
    assert await stuck.look(2 * QUIET) == [] and stuck.asked() == []


async def test_threads_that_cannot_be_read_are_said_and_spoil_nothing_else(stuck: Stuck) -> None:
    stuck.peer.answer(f"{REST}/executors/.*/threads", "<html>", status=404, content_type="text/html")
    await stuck.look(0)
    assert await stuck.look(QUIET) == []
    assert any("executors/driver/threads" in what and "404" in why for what, why in stuck.reads.unread("jobs/etl"))
    assert any(document.path == "allexecutors" for document in stuck.reads.rest())
