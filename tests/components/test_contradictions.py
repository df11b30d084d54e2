"""No page says of what is there that it cannot be, nor speaks of replicas where there are none."""

from __future__ import annotations

import pytest

from console.components.judge import judge
from console.components.match import conformance
from console.settings.presets import load_library
from tests.components.test_shipped import WORLD
from tests.components.worlds import conf, facts, workload

LIBRARY = load_library()
DEFINITIONS = tuple(LIBRARY.components.values())
DENIALS = (
    "renders nothing",
    "renders no ",
    "not rendered",
    "do not render",
    "does not reach",
    "reach no ",
    "no plugin is configured",
)


@pytest.mark.parametrize("name", sorted(LIBRARY.presets))
def test_of_what_is_there_nobody_says_that_it_cannot_be_had(name: str) -> None:
    preset = LIBRARY.preset(name)
    mentioned = {id for id in preset.components if id in WORLD}
    known = facts(*(thing for id in sorted(mentioned) for thing in WORLD[id]))
    said = conformance(preset, judge(known, DEFINITIONS, preset), DEFINITIONS)
    for text in (*said.promises, *(row.note for row in said.rows if row.state != "absent")):
        assert not any(word in text for word in DENIALS), text


@pytest.mark.parametrize("name", sorted(LIBRARY.presets))
def test_what_is_required_is_never_said_to_come_whether_it_is_wanted_or_not(name: str) -> None:
    parts = LIBRARY.preset(name).components.values()
    assert not [one for one in parts if one.presence == "required" and "wanted or not" in one.because]


def test_of_what_is_not_there_it_is_said_why_it_cannot_be_had() -> None:
    preset = LIBRARY.preset("load-testing-infra")
    said = conformance(preset, judge(facts(*WORLD["history-server"]), DEFINITIONS, preset), DEFINITIONS)
    assert "MinIO / S3: the 4.1 chart renders nothing for core.minio" in said.promises


def test_the_keys_of_a_catalog_that_a_configmap_holds_are_its_evidence() -> None:
    held = conf("spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog", "spark.sql.catalog.lake.type=hadoop")
    (iceberg,) = (one for one in judge(facts(held), DEFINITIONS) if one.id == "iceberg")
    assert iceberg.found == (held.key,)
    assert "reach no" not in iceberg.reason


def test_of_a_configmap_nobody_says_that_its_replicas_are_ready() -> None:
    dashboards = workload("ConfigMap", "rel-dashboard", {"grafana_dashboard": "1"})
    held = conf("spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog")
    for one in judge(facts(dashboards, held), DEFINITIONS):
        assert one.reason == "it is there, but nothing says whether it works"
