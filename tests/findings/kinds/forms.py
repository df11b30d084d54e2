"""The same failure as different processes and tools write it down."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.findings.worlds import line

FRAME = "\tat org.apache.spark.X.y(X.scala:1)\n"
BEGAN = line("SparkContext: Running Spark version 3.5.3", "INFO", 1) + line(
    "SparkContext: Submitted application: etl", "INFO", 1
)
NOISE = (
    "SLF4J: Class path contains multiple SLF4J bindings.\n"
    + line("NativeCodeLoader: Unable to load native-hadoop library for your platform", "WARN", 2)
    + line(
        "NetworkClient: Connection to node 1 (b-1:9092) could not be established. Node may not be available.", "WARN", 3
    )
    + line(
        "TransportChannelHandler: Exception in connection from /10.0.0.1:55555\njava.io.IOException: "
        "Connection reset by peer\n" + FRAME.rstrip(),
        "WARN",
        4,
    )
    + line("CodeGenerator: failed to compile: org.codehaus.janino.X: Code grows beyond 64 KB", "ERROR", 5)
)
"""Lines of logs of jobs that are well."""


def plain(error: str) -> str:
    return f'Exception in thread "main" {error}\n{FRAME}'


def caused(error: str) -> str:
    return (
        f'Exception in thread "main" java.lang.reflect.UndeclaredThrowableException\n{FRAME}Caused by: {error}\n{FRAME}'
    )


def initial(error: str) -> str:
    return (
        line("SparkContext: Error initializing SparkContext.", "ERROR", 60)
        + f"org.apache.spark.SparkException: External scheduler cannot be instantiated\n{FRAME}Caused by: "
        f"{error}\n{FRAME}"
    )


def of_task(error: str) -> str:
    return line("TaskSetManager: Task 0 in stage 1.0 failed 4 times; aborting job", "ERROR", 60) + (
        'Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: '
        "Task 0 in stage 1.0 failed "
        f"4 times, most recent failure: Lost task 0.3 in stage 1.0 (TID 7) (10.0.0.1 executor 2): {error}\n{FRAME}\n"
        f"Driver stacktrace:\n{FRAME}"
    )


def py4j(error: str) -> str:
    return (
        'Traceback (most recent call last):\n  File "/opt/app/main.py", line 3, in <module>\n    df.write.save()\n'
        '  File "/opt/spark/python/lib/py4j-src.zip/py4j/protocol.py", line 326, in get_return_value\n'
        "py4j.protocol.Py4JJavaError: An error occurred while calling o1.save.\n"
        f": org.apache.spark.SparkException: Job aborted.\n{FRAME}Caused by: {error}\n{FRAME}"
    )


def streaming(error: str) -> str:
    return (
        line("MicroBatchExecution: Query orders [id = 1, runId = 2] terminated with error", "ERROR", 60)
        + f"org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 1.0 failed "
        "4 times, most recent "
        f"failure: Lost task 0.3 in stage 1.0 (TID 7) (10.0.0.1 executor 2): {error}\n{FRAME}\nDriver "
        f"stacktrace:\n{FRAME}"
        'Exception in thread "main" org.apache.spark.sql.streaming.StreamingQueryException: Job aborted '
        "due to stage failure: x\n"
        f"=== Streaming Query ===\nIdentifier: orders\n{FRAME}"
    )


def structured(error: str) -> str:
    first, _, rest = error.partition(": ")
    record = {
        "ts": "2026-11-24T10:01:00.000Z",
        "level": "ERROR",
        "msg": "Error initializing SparkContext.",
        "exception": {
            "class": first,
            "msg": rest,
            "stacktrace": [{"class": "a.B", "method": "c", "file": "B.java", "line": 1}],
        },
        "logger": "SparkContext",
    }
    return json.dumps(record, separators=(",", ":")) + "\n"


FORMS: dict[str, Callable[[str], str]] = {
    "plain": plain,
    "caused": caused,
    "initial": initial,
    "of-task": of_task,
    "py4j": py4j,
    "streaming": streaming,
    "structured": structured,
}
