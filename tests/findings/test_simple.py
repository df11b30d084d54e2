"""Rules that are data: which places count, what they say, and which other words make them silent."""

from __future__ import annotations

import re
from typing import Any

import pytest

from console.findings.case import Case, ClusterView
from console.findings.figures.base import Figures
from console.findings.model import Finding
from console.findings.simple import DeathRule, LogRule, Variant
from tests.findings.worlds import apps, driver, ended, executor, facts, line, log

THROTTLED = line("S3A: Status Code: 503; Error Code: SlowDown for bucket raw")
RULE: dict[str, Any] = {
    "code": "slow-store",
    "class_": None,
    "wordings": ("s3-throttled",),
    "roles": ("driver",),
    "holds_not": "no store was slow",
    "title": "the store of {bucket} is slow",
    "pattern": re.compile(r"bucket (?P<bucket>\w+)"),
    "confidence": "medium",
}


def case(*things: Any) -> Case:
    return ClusterView(facts(*things), apps(*things)).cases[0]


def found_by(rule: LogRule | DeathRule, *things: Any) -> Finding:
    answer = rule.check(case(*things))
    assert not isinstance(answer, str) and len(answer) == 1, answer
    return answer[0]


def said(rule: LogRule | DeathRule, *things: Any) -> str:
    answer = rule.check(case(*things))
    return answer if isinstance(answer, str) else answer[0].title


def test_the_first_place_fills_the_title() -> None:
    found = found_by(LogRule(**RULE), driver(), log(THROTTLED + THROTTLED.replace("raw", "clean")))
    assert (found.title, found.severity) == ("the store of raw is slow", "warning")
    assert (found.subject, len(found.evidence)) == ("Pod/jobs/etl-driver", 2)


@pytest.mark.parametrize(
    ("changed", "text", "role"),
    [
        ({}, "", "driver"),
        ({}, THROTTLED, "executor"),
        ({}, THROTTLED.replace("bucket", "place"), "driver"),
        ({"counts": lambda hit: hit.record.level == "ERROR"}, THROTTLED, "driver"),
        ({"unless": ("quota",)}, THROTTLED + line("K: exceeded quota: q, requested: cpu=1"), "driver"),
    ],
    ids=["no wording", "another role", "the pattern does not match", "it does not count", "another rule speaks"],
)
def test_it_does_not_hold(changed: dict[str, Any], text: str, role: str) -> None:
    assert said(LogRule(**RULE | changed), driver(), executor(1), log(text, role)) == "no store was slow"


def test_one_branch_figures_and_the_object_that_it_is_about() -> None:
    rule = LogRule(
        **RULE
        | {
            "severity": "info",
            "about": "driver",
            "quoted": 1,
            "variant": Variant(("SlowDown",), "{bucket}: too many requests", "fewer files"),
            "figures": lambda _, hits: Figures(attempt=len(hits)),
        }
    )
    found = found_by(rule, driver(), log(THROTTLED * 2))
    assert (found.title, found.detail, found.severity) == ("raw: too many requests", "fewer files", "info")
    assert (len(found.evidence), found.data.attempt) == (1, 2)


def test_how_executors_ended() -> None:
    rule = DeathRule(
        code="aborted",
        class_=None,
        kinds=("native-crash",),
        holds_not="no executor was aborted",
        title="{who} aborted ({exit_code})",
        detail="the last one: {words}",
        confidence="low",
    )
    assert said(rule, driver(), executor(1, ended(1), "Failed")) == "no executor was aborted"
    assert said(rule, driver(), executor(7, ended(139), "Failed")) == "executor 7 aborted (139)"
    two = [executor(i, ended(134 + i, when=300 + i), "Failed") for i in (0, 5)]
    assert said(rule, driver(), *two) == "2 executors aborted (139)"
