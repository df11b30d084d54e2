"""Thread dumps of a run's JVMs: what `executors/ID/threads` answers, by what the run does at that time."""

from __future__ import annotations

from typing import Any

from console.drill.spark.view import RunView

Object = dict[str, Any]

_PARKED = (
    "java.base@17.0.21/jdk.internal.misc.Unsafe.park(Native Method)",
    "java.base@17.0.21/java.util.concurrent.locks.LockSupport.park(LockSupport.java:211)",
)
_IDLE = (*_PARKED, "java.base@17.0.21/java.util.concurrent.LinkedBlockingQueue.take(LinkedBlockingQueue.java:435)")
_GATEWAY = (
    "java.base@17.0.21/java.lang.ProcessImpl.waitFor(ProcessImpl.java:434)",
    "app//org.apache.spark.deploy.PythonRunner$.main(PythonRunner.scala:103)",
)
_ACTION = (
    *_PARKED,
    "app//scala.concurrent.impl.Promise$DefaultPromise.ready(Promise.scala:104)",
    "app//org.apache.spark.scheduler.DAGScheduler.runJob(DAGScheduler.scala:1006)",
    "app//org.apache.spark.SparkContext.runJob(SparkContext.scala:2496)",
    "app//py4j.commands.CallCommand.execute(CallCommand.java:79)",
)
_SOCKET = (
    "java.base@17.0.21/sun.nio.ch.SocketDispatcher.read0(Native Method)",
    "java.base@17.0.21/sun.nio.ch.NioSocketImpl.read(NioSocketImpl.java:350)",
    "java.base@17.0.21/java.net.Socket$SocketInputStream.read(Socket.java:966)",
    "app//org.postgresql.core.VisibleBufferedInputStream.readMore(VisibleBufferedInputStream.java:161)",
    "app//org.postgresql.core.v3.QueryExecutorImpl.processResults(QueryExecutorImpl.java:2274)",
)
_LOOP = ("app//com.example.ledger.Postings.postAll(Postings.java:88)",)
_RESULTS = ("app//com.example.ledger.Totals.taskEnded(Totals.java:41)",)


def threads(view: RunView, whose: str) -> list[Object]:
    """All threads of the driver or of an executor."""
    stage = next((s for s in view.run.stages if s.ended is None), None)
    stands = stage.plan.stands if stage is not None else ""
    if whose != "driver":
        work = _SOCKET if stands == "socket" else (*_moving(view), *_LOOP)
        cores = next((e["totalCores"] for e in view.executors() if e["id"] == whose), 1)
        number = stage.index if stage is not None else 0
        rows = [
            _row(60 + n, f"Executor task launch worker for task {n}.0 in stage {number}.0 (TID {n})", work)
            for n in range(cores if stage is not None else 0)
        ]
        return [*rows, _row(1, "dispatcher-Executor", _IDLE, "WAITING")]
    rows = [_row(1, "main", _GATEWAY, "WAITING"), _row(44, "Thread-4", _ACTION if stage else _IDLE, "WAITING")]
    if stands != "deadlock":
        return [*rows, _row(50, "dag-scheduler-event-loop", _IDLE, "WAITING")]
    waits = {"blockedByLock": "Monitor(java.lang.Object@1)"}
    return [
        *rows,
        _row(50, "dag-scheduler-event-loop", _LOOP, "BLOCKED") | waits | {"blockedByThreadId": 51},
        _row(51, "spark-listener-group-shared", _RESULTS, "BLOCKED") | waits | {"blockedByThreadId": 50},
    ]


def _moving(view: RunView) -> tuple[str, ...]:
    """A frame that is another one at each look: the thread works."""
    return (f"app//com.example.ledger.Postings.post(Postings.java:{100 + int(view.now * 7) % 89})",)


def _row(number: int, name: str, frames: tuple[str, ...], state: str = "RUNNABLE") -> Object:
    return {
        "threadId": number,
        "threadName": name,
        "threadState": state,
        "stackTrace": {"elems": [f"{frame}\n" for frame in frames]},
        "blockedByLock": "",
        "holdingLocks": [],
        "synchronizers": [],
        "monitors": [],
        "suspended": False,
        "inNative": frames is _SOCKET,
        "isDaemon": name != "main",
        "priority": 5,
    }
