"""The application's own code is blamed where the innermost frames are its own, and nothing else contradicts."""

from __future__ import annotations

import pytest

from tests.findings.kinds.forms import BEGAN
from tests.findings.worlds import cr, disruption, driver, ended, judge, line, log

OWN = 'Traceback (most recent call last):\n  File "/opt/app/main.py", line 12, in <module>\n{}\n'
LIBRARY = (
    'Traceback (most recent call last):\n  File "/opt/app/main.py", line 12, in <module>\n'
    '  File "/usr/lib/python3/site-packages/x/y.py", line 3, in g\n{}\n'
)


@pytest.mark.parametrize(
    ("text", "code", "confidence"),
    [
        (OWN.format("AssertionError: 3 rows are missing"), "user-error", "high"),
        (
            OWN.format("FileNotFoundError: [Errno 2] No such file or directory: '/etc/etl/conf.yaml'"),
            "user-error",
            "medium",
        ),
        (OWN.format("PermissionError: [Errno 13] Permission denied: '/data/out'"), "unknown-failure", "low"),
        (OWN.format("ConnectionError: broken by peer"), "unknown-failure", "low"),
        (LIBRARY.format("ValueError: cannot reindex"), "user-error", "medium"),
        (LIBRARY.format("hvac.exceptions.Forbidden: permission denied"), "unknown-failure", "low"),
        (
            'Exception in thread "main" scala.MatchError: 4\n\tat com.acme.Job$.f(Job.scala:3)\n',
            "user-error",
            "high",
        ),
        (
            'Exception in thread "main" java.util.NoSuchElementException: None.get\n\tat '
            "org.apache.spark.X.y(X.scala:3)\n"
            "\tat com.acme.Job$.f(Job.scala:3)\n",
            "unknown-failure",
            "low",
        ),
        (
            'Exception in thread "main" net.snowflake.client.jdbc.SnowflakeSQLException: JWT token is invalid.\n'
            "\tat com.acme.Job$.f(Job.scala:3)\n",
            "unknown-failure",
            "low",
        ),
    ],
)
def test_whose_it_is(text: str, code: str, confidence: str) -> None:
    said = judge(driver(ended(1), "Failed"), log(BEGAN + text))
    assert [(f.code, f.confidence) for f in said[:1]] == [(code, confidence)]


@pytest.mark.parametrize(
    ("pod", "code"),
    [
        (driver(ended(137, "OOMKilled"), "Failed"), "driver-oom-container"),
        (
            driver(ended(137), "Failed", reason="Evicted", message="The node was low on resource: memory."),
            "driver-evicted",
        ),
        (driver(ended(143), "Failed", conditions=disruption("EvictionByEvictionAPI", "drained")), "driver-evicted"),
    ],
)
def test_how_the_pod_ended_outranks_what_the_log_says_on_the_way_down(pod: object, code: str) -> None:
    crash = OWN.format("ValueError: I/O operation on closed file") + line(
        "X: Python worker exited unexpectedly", "ERROR"
    )
    said = judge(pod, log(BEGAN + crash))
    assert said[0].code == code, [(f.code, f.confidence) for f in said]
    assert "user-error" not in {f.code for f in said}


def test_the_operators_bare_word_of_a_death_is_no_cause() -> None:
    said = judge(cr("FAILED", message="driver container failed with ExitCode: 1, Reason: Error"))
    assert (said[0].code, said[0].confidence) == ("driver-failed", "low")


def test_an_unknown_end_names_who_could_say_what_it_means() -> None:
    text = 'Exception in thread "main" io.fabric8.kubernetes.client.OddException: no\n\tat io.fabric8.X.y(X.java:1)\n'
    said = judge(driver(ended(1), "Failed"), log(BEGAN + text))
    assert said[0].code == "unknown-failure" and "the platform could say" in said[0].detail and said[0].open_questions


def test_an_error_at_the_end_of_a_log_that_is_all_there_is_is_told() -> None:
    task = line("Executor: Exception in task 0.0 in stage 0.0 (TID 0)", "ERROR") + "com.vendor.OddException: cannot\n"
    said = judge(
        log(line("CoarseGrainedExecutorBackend: Started daemon with process name: 1@x", "INFO", 1) + task, "executor")
    )
    assert [(f.code, f.confidence, f.severity) for f in said] == [("unknown-failure", "low", "warning")]


def test_an_error_before_much_work_is_not_told() -> None:
    work = "".join(
        line(f"TaskSetManager: Finished task {n}.0 in stage 1.0 (TID {n})", "INFO", 200 + n) for n in range(60)
    )
    error = line("BlockManager: odd", "ERROR") + "com.vendor.OddException: cannot\n"
    assert judge(log(BEGAN + error + work)) == ()


def test_a_line_that_is_long_is_quoted_to_its_end() -> None:
    error = "com.vendor.OddException: " + "x" * 900 + " must be no more than 63 characters"
    said = judge(
        driver(ended(1), "Failed"), log(f'{BEGAN}Exception in thread "main" {error}\n\tat com.vendor.X.y(X.java:1)\n')
    )
    assert len(said[0].evidence[0].excerpt) <= 600
    assert said[0].evidence[0].excerpt.endswith("must be no more than 63 characters")


def test_a_file_of_the_pod_that_is_not_there_may_be_a_volume_that_was_not_mounted() -> None:
    text = (
        'Exception in thread "main" java.io.FileNotFoundException: /opt/app/a.conf (No such file or directory)\n'
        "\tat java.base/java.io.FileInputStream.open0(Native Method)\n\tat com.example.Scorer$.main(Scorer.scala:12)\n"
    )
    found = judge(driver(ended(1), "Failed"), log(text))[0]
    assert (found.code, found.confidence) == ("user-error", "medium")
    assert "volume or ConfigMap that the pod does not have" in found.open_questions[0]


NOTEBOOK = """Py4JJavaError                             Traceback (most recent call last)
Cell In[4], line 1
----> 1 spark.sql("create table lake.by_day as select * from lake.raw")

File /opt/spark/python/pyspark/sql/session.py:1631, in SparkSession.sql(self, sqlQuery, args, **kwargs)
   1630     litArgs = {k: _to_java_column(lit(v)) for k, v in (args or {}).items()}
-> 1631     return DataFrame(self._jsparkSession.sql(sqlQuery, litArgs), self)

Py4JJavaError: An error occurred while calling o101.sql.
: ERROR
\tat com.acme.X.y(X.java:1)
"""
"""A notebook's traceback, as people copy it: places and code stand between its first line and the error."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("org.apache.iceberg.exceptions.NotAuthorizedException: Not authorized: no", "catalog-login-refused"),
        ("java.lang.NoSuchMethodError: scala.Predef$.refArrayOps()", "library-mix"),
    ],
)
def test_a_notebooks_traceback_is_walked_to_what_java_threw(error: str, code: str) -> None:
    assert judge(log(NOTEBOOK.replace("ERROR", error)))[0].code == code


def test_code_that_a_notebook_shows_is_never_the_error() -> None:
    text = NOTEBOOK.partition("Py4JJavaError: An")[0] + "ValueError: no rows for that day\n"
    found = judge(log(text))[0]
    assert "ValueError: no rows for that day" in found.title and "Cell In" not in found.title


CONNECTOR = (
    'Exception in thread "main" java.lang.IllegalStateException: Unexpected type: JSON\n'
    "\tat java.base/java.util.Optional.orElseGet(Optional.java:267)\n"
    "\tat {place}(SchemaConverters.java:327)\n\tat com.acme.Load$.main(Load.scala:21)\n"
)


def test_what_was_put_into_spark_is_named_where_it_threw() -> None:
    text = CONNECTOR.format(place="com.google.cloud.spark.bigquery.SchemaConverters.getType")
    found = judge(driver(ended(1), "Failed"), log(BEGAN + text))[0]
    assert (found.code, found.confidence, found.severity) == ("part-failed", "medium", "critical")
    assert found.title == "the BigQuery connector fails: java.lang.IllegalStateException: Unexpected type: JSON"


def test_the_jobs_own_frames_above_a_connector_are_the_jobs() -> None:
    text = CONNECTOR.format(place="com.acme.Types.of").replace(
        "\tat com.acme.Load", "\tat com.google.cloud.spark.bigquery.X.y(X.java:1)\n\tat com.acme.Load"
    )
    assert judge(driver(ended(1), "Failed"), log(BEGAN + text))[0].code == "user-error"


PART = line("DAGScheduler: Job 0 failed: save at Run.scala:20, took 71.2 s", "INFO", 50) + (
    'Traceback (most recent call last):\n  File "/opt/app/step.py", line 12, in <module>\n'
    '    raise ValueError("row count is zero")\nValueError: row count is zero\nstep.py returned 1, going on\n'
)


def test_a_failure_that_nobody_passed_on_is_told_of_an_application_that_counts_as_well() -> None:
    (found,) = judge(cr("COMPLETED"), log(BEGAN + PART))
    assert (found.code, found.severity, found.confidence) == ("failure-swallowed", "warning", "medium")
    assert "row count is zero" in found.title


@pytest.mark.parametrize(
    "text",
    [PART.partition("Traceback")[0], "Traceback" + PART.partition("Traceback")[2]],
    ids=["a job that was tried again", "a program that was meant to fail"],
)
def test_either_alone_may_be_meant(text: str) -> None:
    assert judge(cr("COMPLETED"), log(BEGAN + text)) == ()
