"""Scenario files: what is shipped is sound, and mistakes are named with their place."""

from __future__ import annotations

import re

import pytest

from console.base.errors import DocumentError, UsageError
from console.drill.scenario.files import drills_dir, load, names, read
from console.drill.scenario.model import OUTCOMES

TEXT = (drills_dir() / "spark-oom.yaml").read_text()


@pytest.mark.parametrize("name", names())
def test_shipped_scenarios_are_whole(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name and scenario.title and scenario.runbook
    for case in scenario.cases.values():
        assert set(case.expect.outcomes) <= set(OUTCOMES) and case.title
    assert scenario.cases["healthy"].expect.writes == 0
    default = scenario.cases["default"]
    assert (default.page or default.inputs) and default.truth.chain and default.hints
    assert default.accepted or default.expect.writes == 0


def test_units_are_read() -> None:
    scenario = load("spark-oom")
    assert scenario.warmup > 0 and scenario.warmup % 60 == 0
    fault = scenario.cases["default"].faults[0]
    assert (fault.at, fault.kind, fault.options["python"]) == (-86400.0, "workload", "480m")
    assert scenario.world.apps[0].stages[1].heap == 1100 * 2**20


@pytest.mark.parametrize(
    ("old", "new", "message", "key"),
    [
        ("apiVersion: console.drill/v1", "apiVersion: v2", "apiVersion must be console.drill/v1", "apiVersion"),
        ("difficulty: 2", "dificulty: 2", "unknown key 'dificulty'", "dificulty"),
        ("difficulty: 2", "difficulty: hard", "expected a whole number, got a text", "difficulty"),
        ("scrape: 15s", "scrape: 15 parsecs", "is no duration", "world.scrape"),
        ("title: Nothing is wrong", "titel: Nothing is wrong", "unknown key 'titel'", "cases.healthy.titel"),
        ("kind: drain,", "kind: drian,", "there is no fault 'drian'", "cases.look-alike.faults[0].kind"),
        ("schedule: 30 2 * * *", "schedule: 30 25 * * *", "outside 0-23", "world.apps[0].schedule"),
        ("runbook: spark-oom\n", "", "'runbook' is missing here", ""),
        ("  default:\n    title", "  first:\n    title", "cases must have one named default", "cases"),
        ("reason=\"Error\"}[15m]", "reason=\"Error\"}[15m", "", "world.rules"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_place(old: str, new: str, message: str, key: str) -> None:
    assert old in TEXT
    with pytest.raises(DocumentError) as caught:
        read(TEXT.replace(old, new, 1), "mine.yaml")
    error = caught.value
    assert message in error.message and error.key.startswith(key)
    assert error.file == "mine.yaml" and error.line >= 1


def test_the_nearest_valid_choice_is_offered() -> None:
    with pytest.raises(DocumentError, match="did you mean 'difficulty'"):
        read(TEXT.replace("difficulty: 2", "dificulty: 2", 1))
    with pytest.raises(DocumentError, match="did you mean 'etl-orders'"):
        read(TEXT.replace("target: etl-orders", "target: etl-order", 1))
    with pytest.raises(DocumentError, match=re.escape("did you mean 'resolved'")):
        read(TEXT.replace("outcomes: [resolved]", "outcomes: [resolvd]", 1))
    with pytest.raises(UsageError, match="did you mean 'spark-oom'"):
        load("spark-om")
    with pytest.raises(UsageError, match="did you mean 'healthy'"):
        load("spark-oom").case("helthy")


def test_files_that_are_none_are_refused(tmp_path: object) -> None:
    for text in ("", "[]", "a: [", "apiVersion: console.drill/v1\nkind: Scenario\ncases: 1\n"):
        with pytest.raises(DocumentError):
            read(text)
    with pytest.raises(DocumentError):
        load(f"{tmp_path}/none.yaml")
