"""Executors whose sizes the job's own code sets: nobody is told to change a configuration that does not reach them."""

from __future__ import annotations

from typing import Any

import pytest

from console.findings.model import Finding
from tests.findings.worlds import cr, driver, ended, executor, judge, rest

LABEL = "spark-exec-resourceprofile-id"
OF = {"sparkoperator.k8s.io/app-name": "etl"}


def memory(profile: str, code: int = 137, reason: str = "OOMKilled", *more: Any) -> Finding:
    labels = {**OF, **({LABEL: profile} if profile else {})}
    dead = executor(1, ended(code, reason), "Failed", labels=labels, limits={"memory": "896Mi"})
    return next(f for f in judge(cr("RUNNING"), driver(labels=OF), dead, *more) if f.class_ in ("I01", "I02"))


@pytest.mark.parametrize(("code", "reason"), [(137, "OOMKilled"), (0, "OOMKilled"), (52, "Error")])
def test_a_profile_of_the_jobs_code_is_named_and_no_size_is_proposed(code: int, reason: str) -> None:
    found = memory("2", code, reason)
    assert "resource profile 2" in found.open_questions[0] and getattr(found.data, "proposal", None) is None
    usual = memory("0", code, reason)
    assert getattr(usual.data, "proposal", None) is not None, "the default profile is that of the configuration"
    assert not any("resource profile" in q for q in usual.open_questions)


def test_rest_tells_the_profile_where_the_pod_does_not() -> None:
    row = {"id": "1", "isActive": False, "totalCores": 1, "resourceProfileId": 3}
    assert "resource profile 3" in memory("", 137, "OOMKilled", rest("allexecutors", [row])).open_questions[0]
