# ruff: noqa: E501  (frames are as wide as the JVM prints them)
"""Two thread dumps that show the same stack: as answers of Spark's REST API, and as the JVM prints them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.facts.model import Origin, RestDocument
from console.findings.model import Finding
from tests.findings.worlds import APP_ID, driver, executor, judge, log

SOCKET = (
    "java.net.SocketInputStream.socketRead0(java.base@17.0.9/Native Method)",
    "java.net.SocketInputStream.read(java.base@17.0.9/SocketInputStream.java:150)",
    "org.postgresql.core.PGStream.receiveChar(PGStream.java:443)",
)
IDLE = (
    "java.lang.Object.wait(Native Method)",
    "java.util.concurrent.ThreadPoolExecutor.getTask(ThreadPoolExecutor.java:1)",
)
WORKER = "Executor task launch worker for task 3.0 in stage 1.0 (TID 7)"


def printed(*dumps: tuple[str, tuple[str, ...]]) -> str:
    """What `jstack` prints of one thread, once for each dump."""
    out = []
    for name, frames in dumps:
        at = "".join(f"\tat {frame}\n" for frame in frames)
        out.append(
            "2026-11-24 10:00:00\nFull thread dump OpenJDK 64-Bit Server VM (17.0.9+9 mixed mode):\n\n"
            f'"{name}" #88 daemon prio=5 os_prio=0 tid=0x7f nid=0x1 runnable\n   java.lang.Thread.State: RUNNABLE\n{at}\n'
        )
    return "".join(out)


def answer(number: int, frames: tuple[str, ...], name: str = WORKER, whose: str = "2") -> RestDocument:
    """The same from `executors/ID/threads`."""
    row = {
        "threadId": 34,
        "threadName": name,
        "threadState": "RUNNABLE",
        "stackTrace": {"elems": [f"{f}\n" for f in frames]},
    }
    return RestDocument("threads", [row], Origin("spark-rest", f"{number}__executors_{whose}_threads.json"), APP_ID)


def still(*things: Any) -> list[Finding]:
    return [f for f in judge(driver(), executor(1), *things) if f.code == "no-progress"]


def test_a_task_that_stands_in_both_dumps_is_told_with_its_frames_and_what_it_stands_at() -> None:
    for things in (
        (log(printed((WORKER, SOCKET), (WORKER, SOCKET)), "executor"),),
        (answer(1, SOCKET), answer(2, SOCKET)),
    ):
        (found,) = still(*things)
        assert (
            "1 thread stood at the same place in 2 thread dumps: java.net.SocketInputStream.socketRead0" in found.title
        )
        assert "it reads from a connection" in found.detail and "PGStream.receiveChar" in found.detail
        assert found.confidence == "medium" and len(found.evidence) == 2


def test_a_version_before_a_file_does_not_make_another_frame() -> None:
    older = tuple(frame.replace("java.base@17.0.9/", "") for frame in SOCKET)
    assert still(answer(1, SOCKET), answer(2, older))


@pytest.mark.parametrize(
    "things",
    [
        (log(printed((WORKER, SOCKET)), "executor"),),
        (log(printed((WORKER, SOCKET), (WORKER, SOCKET[1:])), "executor"),),
        (answer(1, IDLE), answer(2, IDLE)),
        (answer(1, SOCKET, "dispatcher-event-loop-0"), answer(2, SOCKET, "dispatcher-event-loop-0")),
        (answer(1, SOCKET), answer(2, SOCKET, whose="3")),
        (answer(1, SOCKET), answer(2, SOCKET, WORKER.replace("TID 7", "TID 9"))),
    ],
    ids=["one dump", "it moved", "idle", "no worker", "another process", "another task"],
)
def test_what_moved_or_waits_for_work_stands_nowhere(things: tuple[Any, ...]) -> None:
    assert still(*things) == []


def test_the_same_answer_twice_is_one_dump() -> None:
    one = answer(1, SOCKET)
    assert still(one, replace(one)) == []


def test_collection_of_a_driver_that_runs_the_tasks_itself_counts() -> None:
    from tests.findings.worlds import rest

    def collects(*more: str) -> bool:
        rows = [
            {"id": key, "isActive": True, "totalDuration": 600_000, "totalGCTime": 498_000} for key in ("driver", *more)
        ]
        found = [f for f in judge(driver(), rest("executors", rows)) if f.code == "executor-gc-pressure"]
        return bool(found) and "driver" in getattr(found[0].data, "executors", ())

    assert collects() and not collects("1")


PYTHON = (
    "sun.nio.ch.EPoll.wait(Native Method)",
    "sun.nio.ch.EPollSelectorImpl.doSelect(EPollSelectorImpl.java:118)",
    "org.apache.spark.api.python.BasePythonRunner$ReaderInputStream.read(PythonRunner.scala:814)",
    "org.apache.spark.executor.Executor$TaskRunner.run(Executor.scala:820)",
)
GATEWAY = (
    "java.io.FileInputStream.readBytes(Native Method)",
    "org.apache.spark.api.python.PythonGatewayServer$.main(PythonGatewayServer.scala:71)",
)


def test_a_task_that_waits_for_its_python_worker_stands_and_the_gateway_of_pyspark_does_not() -> None:
    (found,) = still(answer(1, PYTHON), answer(2, PYTHON))
    assert "it waits for its Python worker" in found.detail
    assert still(answer(1, GATEWAY, "main"), answer(2, GATEWAY, "main")) == []


PROCESS = (
    "java.base@17.0.9/java.lang.ProcessImpl.waitFor(ProcessImpl.java:434)",
    "app//org.apache.spark.deploy.PythonRunner$.main(PythonRunner.scala:103)",
)
BROADCAST = ("app//org.apache.spark.sql.execution.exchange.BroadcastExchangeExec.doExecuteBroadcast(Exchange.scala:1)",)
STREAMS = ("app//org.apache.spark.sql.streaming.StreamingQueryManager.awaitAnyTermination(Manager.scala:1)",)
CALLED = ("app//org.apache.hadoop.fs.s3a.S3AFileSystem.rename(S3AFileSystem.java:1)",)


@pytest.mark.parametrize("waits", [PROCESS, BROADCAST, STREAMS], ids=["python", "broadcast", "streams"])
def test_a_driver_that_waits_for_what_others_do_does_not_stand(waits: tuple[str, ...]) -> None:
    assert not still(answer(1, waits, "main", "driver"), answer(2, waits, "main", "driver"))


def test_what_python_called_in_the_driver_stands_where_its_thread_stands() -> None:
    called = (*CALLED, "app//py4j.commands.CallCommand.execute(CallCommand.java:79)")
    (found,) = still(answer(1, called, "Thread-4", "driver"), answer(2, called, "Thread-4", "driver"))
    assert "org.apache.hadoop.fs.s3a.S3AFileSystem.rename" in found.title and "app//" not in found.title
    assert not still(answer(1, CALLED, "Thread-4", "driver"), answer(2, CALLED, "Thread-4", "driver"))
