"""Each preset in its own world: detected among all, its conformance rendered, missing parts named, equals too."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.base.paths import library
from console.cli.preset import conformance_page, detection_page, preset_page
from console.health.components.judge import judge
from console.health.components.match import Conformance, Detection, conformance, detect
from console.health.components.spec import Preset
from console.health.slo.arithmetic import Measured, evaluate
from console.settings.presets import load_library
from tests.components.test_shipped import BROKEN, WORLD
from tests.components.worlds import facts

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
    return [thing for id in preset.expected if id != without for thing in WORLD[id]]


def seen(preset: Preset, things: list[Any]) -> tuple[Detection, Conformance]:
    components = judge(facts(*things), DEFINITIONS, preset)
    found = [component.id for component in components if component.state != "absent"]
    return detect(found, LIBRARY.presets.values()), conformance(preset, components, DEFINITIONS)


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
        assert match.missing == (id,)
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
        if what.cannot:
            assert what.cannot in page
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
    detection = detect(found, [*LIBRARY.presets.values(), twin])
    assert detection.best == ("gpu", "gpu-twin")
    assert detection_page(detection).startswith("ambiguous: gpu, gpu-twin fit equally well")


def test_nothing_fits_an_empty_cluster() -> None:
    detection = detect([], LIBRARY.presets.values())
    assert detection.best == ()
    assert "no preset fits" in detection_page(detection)


def test_the_older_connect_serves_where_the_newer_is_expected() -> None:
    preset = LIBRARY.preset("airflow-connect-k8s")
    things = [*WORLD["connect-35"], *WORLD["hive-metastore"]]
    detection, found = seen(preset, things)
    assert detection.best == ("airflow-connect-k8s",)
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
