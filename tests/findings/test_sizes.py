"""Evidence of a memory fault speaks of one size of container: what died before a change is not counted with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.findings.worlds import cr, driver, ended, event, executor, has_its_figures, judge, line, log

OLD, NEW = "spark-" + "a" * 32, "spark-" + "b" * 32
GI = 2**30


def killed(number: int, app_id: str, limit: str, code: int, reason: str) -> Any:
    when = 100.0 + number
    labels = {"sparkoperator.k8s.io/app-name": "etl"}
    return executor(
        number, ended(code, reason, when=when), "Failed", app_id=app_id, limits={"memory": limit}, labels=labels,
        created=when - 50, container="spark-kubernetes-executor", uid=f"{app_id}-{number}",
    )  # fmt: skip


@pytest.mark.parametrize(("code", "reason"), [(137, "OOMKilled"), (52, "Error")])
def test_executors_that_died_before_the_sizes_were_changed_are_not_counted_at_the_new_size(
    code: int, reason: str
) -> None:
    before = [killed(n, OLD, "4Gi", code, reason) for n in (1, 2, 3)]
    after = [killed(n, NEW, "5Gi", code, reason) for n in (4, 5)]
    found = next(f for f in judge(cr(), *before, *after) if f.code.startswith("executor-oom"))
    assert found.title.startswith("2 executors ") and "3 executors before them had another size" in found.detail
    assert (found.data.limit, found.data.deaths) == (5 * GI, 2)  # type: ignore[attr-defined]
    assert has_its_figures(found)
    alone = next(f for f in judge(cr(), *before) if f.code.startswith("executor-oom"))
    assert alone.title.startswith("3 executors ") and "another size" not in alone.detail


UNDONE = "spark-" + "c" * 32


@pytest.mark.parametrize(("code", "reason"), [(137, "OOMKilled"), (52, "Error")])
def test_executors_of_the_present_size_are_not_said_to_have_had_another_one_after_an_undo(
    code: int, reason: str
) -> None:
    before = [killed(n, OLD, "4Gi", code, reason) for n in (1, 2, 3)]
    changed = [killed(n, NEW, "5Gi", code, reason) for n in (4, 5)]
    undone = [killed(6, UNDONE, "4Gi", code, reason)]
    found = next(f for f in judge(cr(), *before, *changed, *undone) if f.code.startswith("executor-oom"))
    assert "5 executors before them are not counted: 2 executors of another size came between" in found.detail


def test_what_died_in_attempts_that_are_past_is_no_warning_once_the_application_has_completed() -> None:
    words = (
        "TaskSchedulerImpl: Lost executor {n} on 10.0.0.{n}: \nThe executor with id {n} exited with exit code "
        "137(SIGKILL, possible container OOM).\n\nThe API gave the following container statuses:\n\n"
        "\t container name: spark-kubernetes-executor\n\t container state: terminated\n"
        "\t exit code: 137\n\t termination reason: OOMKilled"
    )
    labels = {"sparkoperator.k8s.io/app-name": "etl"}
    first = driver(ended(11, when=240), "Failed", app_id=OLD, labels=labels, created=0)
    last = driver(ended(0, "Completed", when=500), "Succeeded", app_id=NEW, labels=labels, created=250)
    said = log("\n".join(line(words.format(n=n), "ERROR", when) for n, when in ((1, 120), (2, 200))))
    found = [f for f in judge(cr("COMPLETED"), first, last, said) if f.code.startswith("executor-oom")]
    assert [(f.severity, f.data.current, f.data.attempts) for f in found] == [("info", False, (1,))]  # type: ignore[attr-defined]
    later = log("\n".join(line(words.format(n=n), "ERROR", when) for n, when in ((1, 120), (2, 300))))
    found = [f for f in judge(cr("COMPLETED"), first, last, later) if f.code.startswith("executor-oom")]
    assert [(f.severity, f.data.attempts) for f in found] == [("warning", (1, 2))]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("created", "limit"), [(50.0, " of 4Gi"), (500.0, "")])
def test_who_left_no_pod_did_not_die_at_a_limit_that_was_set_since(created: float, limit: str) -> None:
    words = "(combined from similar events): Executor etl-exec-7 failed with ExitCode: 137, Reason: OOMKilled"
    lost = event("SparkApplication/jobs/etl", "SparkExecutorFailed", words, 200)
    alive = executor(
        9, created=created, limits={"memory": "4Gi"}, labels={"sparkoperator.k8s.io/app-name": "etl"}, app_id=NEW
    )
    found = next(f for f in judge(cr(), alive, lost) if f.code.startswith("executor-oom"))
    assert found.title.endswith(f"OOMKilled at the container's limit{limit}")
    assert ("what they ended with is not known" in found.detail) is not bool(limit)
