"""Each preset in its own world: detected among all, its conformance rendered, missing parts named, equals too."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.base.paths import library
from console.cli.preset import conformance_page, detection_page, preset_page
from console.components.find import find, marks
from console.components.judge import judge
from console.components.match import VERDICTS, Conformance, Detection, conformance, detect
from console.components.spec import Preset
from console.settings.presets import load_library
from console.slo.arithmetic import Measured, evaluate
from tests.components.test_shipped import BROKEN, WORLD
from tests.components.worlds import MARKED, facts, workload

LIBRARY = load_library()
DEFINITIONS = LIBRARY.components.values()
NAMES = tuple(name for name in LIBRARY.names() if LIBRARY.presets[name].expected)
NEEDED = {
    "core-baseline", "core-gpu", "core-iceberg", "core-gpu-iceberg", "gpu", "iceberg", "airflow-connect-k8s",
    "airflow-connect-standalone", "airflow-standalone", "airflow-operator", "jupyter-connect-k8s",
    "jupyter-connect-standalone", "jupyter-operator", "openshift-restricted", "openshift-anyuid", "staging", "prod",
    "shared-infrastructure",
}  # fmt: skip


def world(preset: Preset, *, without: str = "") -> list[Any]:
    wanted = [mark.says for mark in preset.marks.values() if mark.presence == "required"]
    barred = {f"{preset.name}/{id}" for id, mark in preset.marks.items() if mark.says == without}
    things = [thing for id in preset.expected if id != without for thing in WORLD[id]]
    things = [thing for thing in things if not barred & marks(facts(thing), [preset])]
    marked = [MARKED[says] for says in wanted if says != without]
    return things + [thing for thing in marked if without not in find(facts(thing), DEFINITIONS)]


def seen(preset: Preset, things: list[Any]) -> tuple[Detection, Conformance]:
    known = facts(*things)
    components = judge(known, DEFINITIONS, preset)
    found = [component.id for component in components if component.state != "absent"]
    presets = LIBRARY.presets.values()
    return detect(found, presets, marks(known, presets)), conformance(preset, components, DEFINITIONS)


def test_every_preset_that_is_asked_for_is_there() -> None:
    assert set(NAMES) >= NEEDED


@pytest.mark.parametrize("name", NAMES)
def test_in_its_own_world_it_is_the_one_that_fits(name: str) -> None:
    detection, _ = seen(LIBRARY.preset(name), world(LIBRARY.preset(name)))
    assert detection.best == (name,), [(m.preset, m.score, m.because) for m in detection.matches[:3]]
    assert detection.matches[0].score == 1.0
    assert f"{name} fits best" in detection_page(detection)


@pytest.mark.parametrize("name", NAMES)
def test_each_part_that_is_taken_away_is_named(name: str) -> None:
    preset = LIBRARY.preset(name)
    for id in preset.expected:
        detection, found = seen(preset, world(preset, without=id))
        match = next(match for match in detection.matches if match.preset == name)
        lacking = match.promised if preset.components[id].cannot else match.missing
        assert [other for other in lacking if other in preset.components] == [id]
        row = next(row for row in found.rows if row.id == id)
        assert (row.state, row.verdict) == ("absent", "missing")
        assert not found.conforms


@pytest.mark.parametrize("name", NAMES)
def test_it_renders_its_conformance(name: str) -> None:
    preset = LIBRARY.preset(name)
    _, found = seen(preset, world(preset))
    page = conformance_page(found)
    for id, what in preset.components.items():
        assert id in page
        if what.cannot and what.presence == "required":
            assert what.cannot not in page, "it is there"
            assert what.cannot in conformance_page(seen(preset, world(preset, without=id))[1])
    assert all(row.verdict in ("as declared", "unknown", "not used") for row in found.rows)
    assert preset.title in preset_page(preset, LIBRARY)


@pytest.mark.parametrize("name", NAMES)
def test_each_objective_is_asked_and_silent_without_data(name: str) -> None:
    preset = LIBRARY.preset(name)
    assert preset.specs(), "a preset that is held to nothing"
    for spec in preset.specs():
        assert evaluate(spec, Measured(problem="x"), 0).state == "no data"
        assert all(spec.bad(window) and spec.total(window) for window in spec.windows)


def test_presets_that_fit_equally_are_called_ambiguous() -> None:
    twin = replace(LIBRARY.preset("gpu"), name="gpu-twin")
    found = list(twin.expected)
    held = frozenset(
        f"{name}/{id}" for name in ("gpu", "gpu-twin") for id, m in twin.marks.items() if m.presence == "required"
    )
    detection = detect(found, [*LIBRARY.presets.values(), twin], held)
    assert detection.best == ("gpu", "gpu-twin")
    assert detection_page(detection).startswith("ambiguous: gpu, gpu-twin fit equally well")


def test_nothing_fits_an_empty_cluster() -> None:
    detection = detect([], LIBRARY.presets.values())
    assert detection.best == ()
    assert "no preset fits" in detection_page(detection)


def test_the_older_connect_serves_where_the_newer_is_expected() -> None:
    preset = LIBRARY.preset("airflow-connect-k8s")
    things = [*WORLD["connect-35"], *WORLD["hive-metastore"], MARKED["spark.master is k8s://"]]
    detection, found = seen(preset, things)
    assert detection.best == ("airflow-connect-k8s",)
    assert detection.matches[0].found == ("connect-35", "spark.master is k8s://"), "what is there is named"
    row = next(row for row in found.rows if row.id == "connect-41")
    assert (row.state, row.verdict) == ("healthy", "as declared")


def test_what_a_chart_brings_unasked_is_called_unintended() -> None:
    preset = LIBRARY.preset("airflow-connect-k8s")
    _, found = seen(preset, [*world(preset), *WORLD["standalone-master"]])
    row = next(row for row in found.rows if row.id == "standalone-master")
    assert (row.declared, row.verdict) == ("unintended", "unintended")
    assert not found.conforms


def test_what_runs_and_is_not_declared_is_unexpected() -> None:
    preset = LIBRARY.preset("shared-infrastructure")
    _, found = seen(preset, [*world(preset), *WORLD["celeborn"]])
    assert [(row.id, row.verdict) for row in found.rows if row.declared == "not declared"] == [
        ("celeborn", "unexpected")
    ]


def test_what_a_preset_lacks_stands_first_on_every_face() -> None:
    preset = LIBRARY.preset("core-baseline")
    _, found = seen(preset, [*world(preset, without="minio"), *WORLD["celeborn"]])
    assert found.rows[0].verdict == "missing"
    assert [VERDICTS.index(row.verdict) for row in found.rows] == sorted(VERDICTS.index(r.verdict) for r in found.rows)


def test_a_broken_part_is_broken_although_it_is_there() -> None:
    preset = LIBRARY.preset("jupyter-operator")
    _, found = seen(preset, [*world(preset), *BROKEN["minio"]])
    assert {row.id: row.verdict for row in found.rows}["minio"] == "broken"


def test_objectives_without_data_are_named_with_their_reason() -> None:
    preset = LIBRARY.preset("core-baseline")
    slos = [evaluate(spec, Measured(problem="no series x"), 0) for spec in preset.specs()]
    found = conformance(preset, (), DEFINITIONS, slos)
    assert found.blind[0] == "job-success: no series x"
    assert "objectives without data" in conformance_page(found)


def test_production_is_held_to_more_than_staging() -> None:
    def goals(name: str) -> dict[str, float]:
        return {spec.id: spec.objective for spec in LIBRARY.preset(name).specs()}

    shared = goals("staging").keys() & goals("prod").keys()
    assert shared
    assert all(goals("prod")[id] > goals("staging")[id] for id in shared)


def test_every_runbook_that_is_named_exists() -> None:
    there = {path.stem for path in library("runbooks").glob("*.yaml")}
    named = {runbook for definition in DEFINITIONS for runbook in definition.runbooks}
    named |= {runbook for name in LIBRARY.presets for s in LIBRARY.presets[name].specs() for runbook in s.runbooks}
    assert named <= there


def test_where_no_shape_is_known_nothing_is_expected_but_jobs_are_held_to_their_objectives() -> None:
    preset = LIBRARY.preset("spark-jobs")
    assert preset.expected == ()
    assert [spec.id for spec in preset.specs()] == ["job-success", "start-latency", "submission-success"]


@pytest.mark.parametrize("name", NAMES)
def test_without_each_of_its_marks_it_is_told_apart_from_what_it_is_not(name: str) -> None:
    """A backend, a scale, a security setting: the reason names it, and the preset no longer fits whole."""
    preset = LIBRARY.preset(name)
    for mark in preset.marks.values():
        if mark.presence == "required":
            detection, _ = seen(preset, world(preset, without=mark.says))
            match = next(match for match in detection.matches if match.preset == name)
            assert mark.says in match.missing and match.score < 1.0
            assert mark.says in match.because


def test_what_gives_a_preset_its_name_is_obligatory() -> None:
    preset = LIBRARY.preset("core-iceberg")
    detection, _ = seen(preset, world(preset, without="iceberg"))
    match = next(match for match in detection.matches if match.preset == "core-iceberg")
    assert match.score == 0.0 and "without iceberg it is another preset" in match.because
    assert detection.best == ("core-baseline",)


def test_what_the_older_chart_always_brings_is_not_held_against_a_preset() -> None:
    """Standalone, Airflow and its database come with every 3.5 release whose switch is not set."""
    brought = [t for id in ("standalone-master", "standalone-worker", "airflow", "postgresql") for t in WORLD[id]]
    for name in ("airflow-connect-k8s", "jupyter-connect-k8s", "default", "gpu", "iceberg", "core-gpu"):
        preset = LIBRARY.preset(name)
        assert seen(preset, [*world(preset), *brought])[0].best == (name,)


def test_health_changes_nothing_in_what_was_found() -> None:
    preset = LIBRARY.preset("default")
    detection, _ = seen(preset, world(preset))
    for id in preset.expected:
        broken, _ = seen(preset, [*world(preset), *BROKEN[id]])
        assert broken.matches[:5] == detection.matches[:5]


def test_a_master_of_its_own_beside_airflow_and_a_metastore_is_airflow_on_standalone_and_no_metastore_alone() -> None:
    own = MARKED["the release has a standalone master of its own"]
    parts = ("standalone-master", "standalone-worker", "airflow", "postgresql", "hive-metastore")
    brought = [thing for id in parts for thing in WORLD[id]]
    assert seen(LIBRARY.preset("release"), [*brought, own])[0].best == ("airflow-standalone",)
    assert seen(LIBRARY.preset("release"), brought)[0].best == ("shared-metastore",)


def test_a_database_that_only_airflow_has_makes_no_shared_infrastructure() -> None:
    """The older chart's core with Iceberg: a store, a metastore, a History Server, and what the chart always brings."""
    of_airflow = workload("StatefulSet", "rel-airflow-db", {"app.kubernetes.io/component": "airflow-postgresql"})
    brought = [t for id in ("standalone-master", "standalone-worker", "airflow") for t in WORLD[id]]
    core = [t for id in ("minio", "hive-metastore", "history-server") for t in WORLD[id]]
    things = [*core, *brought, of_airflow]
    assert seen(LIBRARY.preset("release"), things)[0].best == ("core-baseline",)
    bare = [thing for thing in things if thing not in WORLD["hive-metastore"]]
    assert seen(LIBRARY.preset("release"), bare)[0].best == ("core-baseline",), "which chart wins is chance"
    assert seen(LIBRARY.preset("release"), [*things, *WORLD["postgresql"]])[0].best == ("shared-infrastructure",)
