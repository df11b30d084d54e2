"""Presets: laid over each other key by key; a bad file says where it is bad and the rest still loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.base.errors import DocumentError, UsageError
from console.settings.presets import PresetLibrary, load_library

SLO = """
    title: Things
    objective: {objective}
    sli: {{events: {{bad: "sum(increase(b[{{window}}]))", total: "sum(increase(t[{{window}}]))"}}}}
"""


def library(folder: Path, **files: str) -> PresetLibrary:
    for name, text in files.items():
        (folder / f"{name.replace('_', '-')}.yaml").write_text(text)
    return load_library([folder])


def test_everything_that_is_shipped_loads() -> None:
    assert [str(problem) for problem in load_library().problems] == []
    assert "core-baseline" in load_library().names()


def test_the_core_is_held_to_three_objectives_of_jobs() -> None:
    specs = {spec.id: spec for spec in load_library().preset("core-baseline").specs()}
    assert {"job-success", "start-latency", "submission-success"} <= set(specs)
    assert specs["job-success"].goal == 0.99
    assert specs["job-success"].origin == "preset core-baseline"
    assert "spark_application_failure_count[1h]" in (specs["job-success"].bad(3600) or "")


def test_a_preset_is_laid_over_what_it_extends(tmp_path: Path) -> None:
    found = library(
        tmp_path,
        base="title: Base\nabstract: true\nslos:\n  a:" + SLO.format(objective=99) + "  b:" + SLO.format(objective=98),
        mine="title: Mine\nextends: [base]\nslos:\n  a: {objective: 99.9, runbooks: [x]}\n  b:\n",
    )
    assert found.problems == ()
    mine = found.preset("mine")
    assert [(s.id, s.objective, s.title, s.runbooks) for s in mine.specs()] == [("a", 99.9, "Things", ("x",))]
    assert not mine.abstract
    assert "base" not in found.names()


def test_why_something_is_optional_is_no_reason_why_it_is_required(tmp_path: Path) -> None:
    part = "components:\n  minio: {{presence: {}}}\n"
    found = library(
        tmp_path,
        base="title: Base\ncomponents:\n  minio: {presence: optional, because: any store will do}\n",
        same="title: Same\nextends: [base]\n" + part.format("optional"),
        other="title: Other\nextends: [base]\n" + part.format("required"),
    )
    assert found.problems == ()
    assert found.preset("same").components["minio"].because == "any store will do"
    assert found.preset("other").components["minio"].because == ""


def test_what_a_preset_leaves_out_stays_in_the_preset_that_it_extends(tmp_path: Path) -> None:
    found = library(
        tmp_path,
        another="title: A\nextends: [base]\nslos:\n  b:\n",
        base="title: Base\nslos:\n  a:" + SLO.format(objective=99) + "  b:" + SLO.format(objective=98),
    )
    assert [spec.id for spec in found.preset("another").specs()] == ["a"]
    assert [spec.id for spec in found.preset("base").specs()] == ["a", "b"]


def test_the_objectives_of_a_held_component_can_be_adjusted_and_left_out(tmp_path: Path) -> None:
    text = "title: M\nhold: [spark-operator]\nslos:\n  job-success: {objective: 95}\n  start-latency:\n"
    found = library(tmp_path, mine=text)
    assert found.problems == ()
    assert {s.id: s.objective for s in found.preset("mine").specs()} == {"job-success": 95, "submission-success": 99.5}


def test_an_sli_is_replaced_as_a_whole(tmp_path: Path) -> None:
    found = library(
        tmp_path,
        base="title: Base\nslos:\n  a:" + SLO.format(objective=99),
        mine="title: Mine\nextends: [base]\nslos:\n  a: {sli: {slices: {good: 'min(up)'}}}\n",
    )
    assert found.problems == ()
    assert found.preset("mine").specs()[0].sli.events is None


def test_a_user_adjusts_a_shipped_preset_under_its_own_name(tmp_path: Path) -> None:
    text = "title: Ours\nextends: [core-baseline]\nslos:\n  job-success: {objective: 97}\n"
    found = library(tmp_path, core_baseline=text)
    assert found.problems == ()
    ours = found.preset("core-baseline")
    assert ours.title == "Ours"
    assert {s.id: s.objective for s in ours.specs()}["job-success"] == 97
    assert {s.id for s in ours.specs()} >= {"start-latency"}
    assert ours.origin == str(tmp_path / "core-baseline.yaml")


BAD = [
    ("title: T\nextnds: [base]", 2, "extnds", "did you mean 'extends'?"),
    ("title: T\nextends: [core-basline]", 2, "extends[0]", "did you mean 'core-baseline'?"),
    ("title: T\nslos:\n  a:\n    title: A\n    objective: 99", 3, "slos.a", None),
    (
        "title: T\nslos:\n  a:\n    title: A\n    objective: 0.99\n    sli: {slices: {good: up}}",
        5,
        "slos.a.objective",
        "an objective is written in percent, for example 99.5",
    ),
    (
        "title: T\nslos:\n  a:\n    title: A\n    objective: 99\n    sli:\n      events:\n"
        "        bad: sum(b)\n        total: sum(increase(t[{window}]))",
        8,
        "slos.a.sli.events.bad",
        "for example [{window}]",
    ),
    (
        "title: T\nslos:\n  a: {title: A, objective: 99, period: 7d, sli: {slices: {good: up}}}",
        3,
        "slos.a.period",
        None,
    ),
    ("title: T\ncomponents:\n  conect: {}", 3, "components.conect", None),
    ("title: T\nhold: [spark-operater]", 2, "hold[0]", "did you mean 'spark-operator'?"),
    ("title: T\nname: other", 2, "name", "name: bad"),
    ("title: T\nextends: [bad]", 2, "extends[0]", None),
]


@pytest.mark.parametrize(("text", "line", "key", "hint"), BAD, ids=[b[2] for b in BAD])
def test_a_bad_preset_says_where_and_the_rest_still_loads(
    tmp_path: Path, text: str, line: int, key: str, hint: str | None
) -> None:
    found = library(tmp_path, bad=text, good="title: Good\nextends: [core-baseline]")
    (problem,) = found.problems
    assert (Path(problem.file).name, problem.line, problem.key) == ("bad.yaml", line, key)
    if hint:
        assert problem.hint == hint
    assert found.preset("good").specs()
    with pytest.raises(DocumentError):
        found.preset("bad")


def test_a_circle_is_named(tmp_path: Path) -> None:
    found = library(tmp_path, a="title: A\nextends: [b]", b="title: B\nextends: [a]")
    assert any("a → b → a" in str(problem) for problem in found.problems)
    assert "core-baseline" in found.names()


def test_what_is_no_yaml_is_one_problem(tmp_path: Path) -> None:
    found = library(tmp_path, broken="title: [", good="title: Good\nextends: [core-baseline]")
    assert [Path(problem.file).name for problem in found.problems] == ["broken.yaml"]
    assert found.preset("good")


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        load_library().preset("core-basline")
    assert caught.value.hint == "did you mean 'core-baseline'?"
