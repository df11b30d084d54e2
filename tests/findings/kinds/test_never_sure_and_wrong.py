"""Wrapped once more, among noise, cut anywhere: a known failure is told or not sure, never confidently another one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from console.findings.model import Finding
from tests.findings.kinds.forms import BEGAN, FORMS, FRAME, NOISE
from tests.findings.kinds.lines import LINES
from tests.findings.worlds import cr, driver, ended, judge, log

CODES = sorted(
    set(LINES) - {"driver-ended-already", "driver-unreachable", "gpu-memory-taken", "shuffle-service-absent"}
)
WRAPPERS = (
    "java.lang.reflect.UndeclaredThrowableException",
    "org.apache.spark.SparkException: Exception thrown in awaitResult: ",
    "java.util.concurrent.ExecutionException: boxed",
    "org.apache.spark.SparkException: Job aborted due to stage failure: see below",
    "org.apache.spark.SparkException: Task failed while writing rows.",
    "org.apache.spark.sql.streaming.StreamingQueryException: Query x terminated with exception: boxed",
)
SAME = {
    "stream-source-data-lost": {"table-log-vanished"},
    "table-log-vanished": {"file-changed-while-reading", "output-commit-failed"},
    "identity-refused": {"object-store-denied", "catalog-denied"},
    "library-mix": {"class-missing"},
    "gpu-memory-taken": {"gpu-oom"},
    "image-architecture": {"native-library-missing"},
}
"""What a cut line may truly be read as, too."""


def judged(text: str) -> tuple[Finding, ...]:
    return judge(driver(ended(1), "Failed"), log(BEGAN + text))


def never_wrong(code: str, said: tuple[Finding, ...]) -> None:
    for one in said[:1]:
        assert (
            one.confidence != "high"
            or one.code == code
            or one.code in SAME.get(code, set())
            or one.code in ("submission-failed",)
        ), (code, one.code, one.title)


@settings(max_examples=60, deadline=None)
@given(
    code=st.sampled_from(CODES),
    around=st.lists(st.sampled_from(WRAPPERS), max_size=4),
    form=st.sampled_from(sorted(FORMS)),
)
def test_wrapping_a_failure_changes_nothing(code: str, around: list[str], form: str) -> None:
    inner = "".join(f"{wrapper}\n{FRAME}Caused by: " for wrapper in around) + LINES[code]
    said = judged(FORMS[form](inner))
    assert said and said[0].code == code, [(f.code, f.confidence, f.title) for f in said]


@settings(max_examples=60, deadline=None)
@given(code=st.sampled_from(CODES), form=st.sampled_from(sorted(FORMS)), before=st.booleans(), after=st.booleans())
def test_noise_makes_nothing_surely_wrong(code: str, form: str, before: bool, after: bool) -> None:
    never_wrong(code, judged((NOISE if before else "") + FORMS[form](LINES[code]) + (NOISE if after else "")))


@settings(max_examples=100, deadline=None)
@given(code=st.sampled_from(CODES), form=st.sampled_from(sorted(FORMS)), share=st.floats(0.02, 1.0), tail=st.booleans())
def test_cutting_a_log_makes_nothing_surely_wrong(code: str, form: str, share: float, tail: bool) -> None:
    text = NOISE + FORMS[form](LINES[code])
    size = int(len(text) * share)
    never_wrong(code, judged(text[-size:] if tail else text[:size]))


@settings(max_examples=60, deadline=None)
@given(code=st.sampled_from(CODES), form=st.sampled_from(sorted(FORMS)), share=st.floats(0.1, 1.0))
def test_a_status_that_is_cut_makes_nothing_surely_wrong(code: str, form: str, share: float) -> None:
    text = "failed to run spark-submit: " + FORMS[form](LINES[code])
    never_wrong(code, judge(cr("SUBMISSION_FAILED", message=text[: int(len(text) * share)])))


@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet="abcXY.:$[]()'\"\n\t Exception Error Caused by at", max_size=400))
def test_whatever_is_written_is_never_surely_a_platforms_fault(text: str) -> None:
    said = judged(f'Exception in thread "main" {text}')
    assert all(f.confidence != "high" or f.code == "user-error" for f in said)
