"""A chain of exceptions is walked to the line that decides."""

from __future__ import annotations

import pytest

from console.facts.chain import client_message, decisive

FRAME = "\tat org.apache.spark.X.y(X.scala:1)\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            f"org.apache.spark.SparkException: External scheduler cannot be instantiated\n{FRAME}"
            f"Caused by: java.net.UnknownHostException: kubernetes.default.svc\n{FRAME}\t... 12 more\n",
            "java.net.UnknownHostException: kubernetes.default.svc",
        ),
        (
            f"java.io.IOException: Failed to connect to driver:7078\n{FRAME}Caused by: "
            "java.net.ConnectException: Connection refused\n",
            "java.io.IOException: Failed to connect to driver:7078 ← java.net.ConnectException: Connection refused",
        ),
        (
            f"org.x.Outer: one\n{FRAME}\tSuppressed: org.x.Closing: two\n\t\tat a.b(C.java)\n"
            f"\tCaused by: org.x.BelowClosing: three\nCaused by: org.x.InnerException: four\n",
            "org.x.InnerException: four",
        ),
        (
            "org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 1.0 "
            "failed 4 times, most recent "
            "failure: Lost task 0.3 in stage 1.0 (TID 7) (10.0.0.1 executor 2): java.io.EOFException: odd end\n"
            f"{FRAME}Caused by: java.util.zip.ZipException: bad block\n{FRAME}\nDriver stacktrace:\n{FRAME}"
            "Caused by: java.lang.RuntimeException: of the driver\n",
            "java.util.zip.ZipException: bad block",
        ),
        (
            'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\nKeyError: 1\n\n'
            "During handling of the above exception, another exception occurred:\n\n"
            'Traceback (most recent call last):\n  File "/app/a.py", line 9, in <module>\nRuntimeError: gave up\n',
            "KeyError: 1",
        ),
        (
            'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\npy4j.protocol.Py4JJavaError: '
            f"An error occurred while calling o1.load.\n: org.apache.spark.SparkException: Job aborted.\n{FRAME}"
            f"Caused by: com.x.StoreException: gone away for good\n{FRAME}",
            "com.x.StoreException: gone away for good",
        ),
        (
            "org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
            '  File "/app/udf.py", line 3, in clean\nZeroDivisionError: division by zero\n\n' + FRAME,
            "ZeroDivisionError: division by zero",
        ),
        (
            "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: "
            "https://a/api. Message: "
            "Forbidden!Configured service account doesn't have access. Service account may have been revoked. "
            'admission webhook "v.x" denied the request: no.',
            "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: "
            "https://a/api. Message: "
            'admission webhook "v.x" denied the request: no.',
        ),
        (
            'failed to run spark-submit: 26/11/20 09:00:00 INFO X: y\\nException in thread \\"main\\" '
            "java.io.IOException: "
            "a\\n\\tat b.c(D.java)\\nCaused by: java.io.FileNotFoundException: /x (No such file)\\n",
            "java.io.FileNotFoundException: /x (No such file)",
        ),
    ],
)
def test_the_innermost_line_is_quoted(text: str, line: str) -> None:
    found = decisive(text)
    assert found is not None and found.line == line


def test_a_streaming_query_is_walked_past_its_plan() -> None:
    text = (
        "org.apache.spark.sql.streaming.StreamingQueryException: gave up\n=== Streaming Query ===\nIdentifier: x\n"
        f"Logical Plan:\nProject [a]\n+- Relation\n\n{FRAME}Caused by: org.x.SourceException: offsets are gone\n"
    )
    found = decisive(text)
    assert found is not None and found.line == "org.x.SourceException: offsets are gone" and not found.wrapped


def test_what_only_wraps_says_so() -> None:
    found = decisive("org.apache.spark.SparkException: Job 3 cancelled because SparkContext was shut down\n" + FRAME)
    assert found is not None and found.wrapped


@pytest.mark.parametrize(
    ("frames", "owner"),
    [
        ("\tat java.base/java.util.HashMap.get(HashMap.java:1)\n\tat com.acme.Job.run(Job.scala:2)\n", "user"),
        ("\tat org.apache.hadoop.fs.FileSystem.get(F.java:1)\n\tat com.acme.Job.run(Job.scala:2)\n", "library"),
        ("", "unknown"),
    ],
)
def test_whose_the_innermost_frames_are(frames: str, owner: str) -> None:
    found = decisive("java.lang.IllegalStateException: odd\n" + frames)
    assert found is not None and found.owner == owner


def test_a_traceback_that_ends_in_a_library_is_the_librarys() -> None:
    frames = '  File "/app/a.py", line 1, in f\n  File "/x/site-packages/p/q.py", line 2, in g\n'
    text = f"Traceback (most recent call last):\n{frames}KeyError: 1\n"
    found = decisive(text)
    assert found is not None and found.owner == "library"


def test_a_condition_and_its_state_are_known() -> None:
    found = decisive("org.apache.spark.SparkArithmeticException: [DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012\n")
    assert found is not None and (found.condition, found.sqlstate) == ("DIVIDE_BY_ZERO", "22012")


def test_a_text_without_an_exception_has_none() -> None:
    assert decisive("26/11/20 09:00:00 INFO SparkContext: Running Spark version 3.5.3") is None


def test_what_a_client_says_once_more_as_fields_is_cut_off() -> None:
    said = 'Message: Pod "a" is invalid: spec.volumes[4].name: Duplicate value: "spark-local-dir-1"'
    again = ". Received status: Status(apiVersion=v1, code=422, details=StatusDetails(causes=[]))"
    assert client_message(said + again) == said
    assert client_message("it said. Received status: late") == "it said. Received status: late"
