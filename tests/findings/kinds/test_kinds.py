"""Each kind is told in every form in which people have it, and its look-alikes are not taken for it."""

from __future__ import annotations

import pytest

from console.findings.kinds import all_kinds, special_kinds
from console.findings.model import Finding
from tests.findings.kinds.forms import BEGAN, FORMS, NOISE, plain
from tests.findings.kinds.lines import LINES, LOOK_ALIKES
from tests.findings.worlds import cr, driver, ended, executor, judge, line, log

OF_EXECUTORS = {"driver-ended-already", "driver-unreachable", "gpu-memory-taken", "shuffle-service-absent"}
NOT_BY_AN_EXCEPTION = {
    "watch-lost",
    "watcher-saw-no-driver",
    "decommission-failed",
    "image-not-spark",
    "entrypoint-failed",
    "jvm-options-invalid",
} | {"driver-python-killed"}


def found(text: str, code: str) -> tuple[Finding, ...]:
    """What is said of a failed application, whose driver's or executor's log is this."""
    if code in OF_EXECUTORS:
        began = line("CoarseGrainedExecutorBackend: Started daemon with process name: 15@etl-exec-1", "INFO", 1)
        return judge(driver(), executor(1, ended(1, when=40), "Failed"), log(began + text, "executor"))
    return judge(driver(ended(1), "Failed"), log(BEGAN + text))


def test_every_kind_has_a_line() -> None:
    assert {kind.code for kind in all_kinds()} == set(LINES) | NOT_BY_AN_EXCEPTION


def test_every_kind_says_whose_it_is_and_what_to_do() -> None:
    for kind in all_kinds():
        assert kind.means and kind.step and kind.decide and kind.words, kind.code


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("code", LINES)
def test_a_kind_is_told_in_every_form(code: str, form: str) -> None:
    said = found(FORMS[form](LINES[code]), code)
    assert said and said[0].code == code, [(f.code, f.confidence, f.title) for f in said]
    assert said[0].evidence and said[0].severity in ("critical", "warning")


@pytest.mark.parametrize("code", LINES)
def test_noise_hides_no_kind(code: str) -> None:
    assert found(NOISE + plain(LINES[code]), code)[0].code == code


@pytest.mark.parametrize("code", [k.code for k in special_kinds() if k.code in LINES and k.code not in OF_EXECUTORS])
def test_the_operators_status_quotes_a_kind(code: str) -> None:
    message = "failed to run spark-submit: " + "26/11/24 10:00:00 INFO X: y\n" * 50 + plain(LINES[code])
    said = judge(cr("SUBMISSION_FAILED", message=message))
    assert code in {f.code for f in said}, [(f.code, f.title) for f in said]
    assert said[0].code in (code, "submission-failed")


@pytest.mark.parametrize(("code", "text"), LOOK_ALIKES)
def test_a_look_alike_is_none(code: str, text: str) -> None:
    assert code not in {f.code for f in found(plain(text), code) if f.confidence != "low"}


@pytest.mark.parametrize("code", [c for c in LINES if c != "gpu-memory-taken"])
def test_an_application_that_is_well_has_none(code: str) -> None:
    text = BEGAN + line(f"Retry: attempt 1 failed: {LINES[code].splitlines()[0]}", "WARN", 50)
    assert judge(driver(ended(0, "Completed"), "Succeeded"), log(text)) == ()


def test_a_text_that_is_printed_before_any_logger_is_read() -> None:
    for text, code in (
        ("exec /opt/entrypoint.sh: exec format error\n", "image-architecture"),
        ("+ exec /usr/bin/tini -s -- /usr/bin/spark-operator driver --class x\n", "image-not-spark"),
        (
            "Unrecognized VM option 'UseConcMarkSweepGC'\nError: Could not create the Java Virtual Machine.\n",
            "jvm-options-invalid",
        ),
        ("/opt/entrypoint.sh: line 43: getent: command not found\n", "entrypoint-failed"),
    ):
        assert judge(driver(ended(1), "Failed"), log(text, "other"))[0].code == code


def test_what_another_program_is_refused_is_not_the_jobs_rbac() -> None:
    text = (
        "+ exec /usr/bin/tini -s -- /usr/bin/spark-operator driver --class x\n"
        'W1120 09:00:38.7 10 reflector.go:424] x is forbidden: User "system:serviceaccount:j:spark" cannot list '
        'resource "sparkapplications"\n'
    )
    assert [f.code for f in judge(driver(ended(1), "Failed"), log(text, "other"))] == ["image-not-spark"]


def test_a_client_that_says_nothing_does_not_hide_what_was_said_before() -> None:
    text = (
        line("WatchConnectionManager: Exec Failure: HTTP 403, Status: 403 -", "WARN", 50)
        + "java.net.ProtocolException: Expected HTTP 101 response but was '403 Forbidden'\n\tat okhttp3.X.y(X.java:1)\n"
        + line("SparkContext: Error initializing SparkContext.", "ERROR", 60)
        + "io.fabric8.kubernetes.client.KubernetesClientException:\n\tat io.fabric8.X.y(X.java:1)\n"
    )
    assert judge(driver(ended(1), "Failed"), log(BEGAN + text))[0].code == "api-client-too-old"


def test_a_container_that_could_not_be_started_says_why_in_its_status() -> None:
    words = 'OCI runtime create failed: exec: "driver": executable file not found in $PATH: unknown'
    state = {"terminated": {"exitCode": 128, "reason": "StartError", "message": words}}
    assert judge(driver(state, "Failed"))[0].code == "image-not-spark"


def test_a_kind_above_another_cause_is_not_sure() -> None:
    error = (
        f"{LINES['output-commit-failed']}\n\tat a.b.C(C.java:1)\nCaused by: com.vendor.OddException: the moon is full"
    )
    said = judge(driver(ended(1), "Failed"), log(BEGAN + plain(error)))
    assert (said[0].code, said[0].confidence) == ("output-commit-failed", "medium")


def test_a_lost_watch_of_a_driver_that_runs_is_a_warning() -> None:
    text = BEGAN + line(
        "ExecutorPodsWatchSnapshotSource: Kubernetes client has been closed.\n"
        "io.fabric8.kubernetes.client.KubernetesClientException: too old resource version: 12 (15)",
        "WARN",
    )
    said = judge(driver(), executor(1), log(text))
    assert (said[0].code, said[0].severity) == ("watch-lost", "warning")
