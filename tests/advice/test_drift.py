"""Advice on versions and images: what is proof of a version, and what is only a name."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.advice.version import tag_version
from console.facts.model import Origin, Pod, RestDocument
from tests.advice.worlds import app, driver, executor, report
from tests.findings.worlds import APP_ID, NS, log, pod, rest


def drift(*things: Any) -> dict[str, str]:
    return {i.id: i.statement for i in report(*things).items if i.family == "versions"}


def unjudged(*things: Any) -> list[str]:
    return [u.what for u in report(*things).unjudged if u.family == "versions"]


def ran(version: str) -> RestDocument:
    return rest("", {"id": APP_ID, "name": "etl", "attempts": [{"appSparkVersion": version}]})


def says(name: str, version: str) -> RestDocument:
    """A server's answer of `/api/v1/version`."""
    return RestDocument("version", {"spark": version}, Origin("spark-rest", "/api/v1/version"), pod=f"{NS}/{name}")


def imaged(one: Pod, image: str, digest: str = "") -> Pod:
    main = replace(one.containers[0], image=image, image_id=digest)
    return replace(one, containers=(main,))


DIGEST = "registry.local/spark@sha256:" + "a" * 64
OTHER = "registry.local/spark@sha256:" + "b" * 64


def test_versions_that_agree_give_no_advice() -> None:
    assert drift(app(), driver(), executor(1), ran("4.1.4")) == {}


def test_a_declared_version_that_is_not_what_runs() -> None:
    found = drift(app(version="3.5.9"), driver(), executor(1), ran("4.1.4"))
    assert found == {"version-drift": "the driver runs Spark 4.1.4, spec.sparkVersion says 3.5.9"}


def test_a_patch_release_is_no_drift_of_a_declaration() -> None:
    assert drift(app(version="4.1.0"), driver(), executor(1), ran("4.1.4")) == {}


def test_the_log_is_proof_as_well() -> None:
    line = log("26/11/24 10:00:00 INFO SparkContext: Running Spark version 4.0.5\n")
    (item,) = [i for i in report(app(), driver(), line).items if i.id == "version-drift"]
    assert "the driver runs Spark 4.0.5" in item.statement and item.evidence[0].locator == "driver.log:1"


def test_executors_of_another_version_are_urgent() -> None:
    (item,) = report(app(), driver(), executor(1, version="4.0.5"), ran("4.1.4")).items
    assert item.priority == "high" and "its executors say 4.0.5" in item.statement


def test_an_images_tag_is_no_proof_and_a_label_of_spark_submit_neither() -> None:
    assert drift(app(version="3.5.9"), driver()) == {}
    assert unjudged(app(version="3.5.9"), driver()) == ["whether it runs the declared Spark 3.5.9"]


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("registry.local:5000/spark:4.1.4-java17", "4.1.4"),
        ("spark:v3.5.9", "3.5.9"),
        ("spark:4.1", ""),
        ("registry.local:5000/spark", ""),
        ("spark@sha256:" + "1" * 64, ""),
    ],
)
def test_what_a_tag_seems_to_name(image: str, version: str) -> None:
    assert tag_version(image) == version


def test_driver_and_executors_of_different_images() -> None:
    found = drift(app(), driver(image="spark:4.1.4"), executor(1, image="spark:3.5.9"))
    assert found["image-drift"] == "driver and executors run different images, tagged 3.5.9 and 4.1.4"
    assert "image-drift" not in drift(app(), driver(), executor(1))


def test_one_tag_that_is_two_images() -> None:
    pods = imaged(driver(), "spark:4.1.4", DIGEST), imaged(executor(1), "spark:4.1.4", OTHER)
    assert drift(app(), *pods, ran("4.1.4")) == {
        "tag-moved": "the tag spark:4.1.4 is 2 different images in running pods"
    }
    same = imaged(driver(), "spark:4.1.4", DIGEST), imaged(executor(1), "spark:4.1.4", DIGEST)
    assert drift(app(), *same, ran("4.1.4")) == {}


@pytest.mark.parametrize("image", ["registry.local:5000/spark", "spark:latest", "spark:4", "spark:4.1", "spark:prod"])
def test_a_tag_that_is_made_to_move(image: str) -> None:
    pods = imaged(driver(), image, DIGEST), imaged(executor(1), image, DIGEST)
    assert list(drift(app(), *pods, ran("4.1.4"))) == ["floating-tag"]


@pytest.mark.parametrize("image", ["spark:4.1.4", "spark:2026-11-24", "spark:latest@sha256:" + "a" * 64])
def test_a_name_that_stays(image: str) -> None:
    assert drift(app(), imaged(driver(), image, DIGEST), imaged(executor(1), image, DIGEST), ran("4.1.4")) == {}


def history() -> Pod:
    labels = {"spark-role": "", "app": "spark-history-server", "spark-version": "", "spark-app-selector": ""}
    return pod("history-0", "driver", container="history-server", app_id="", version="", labels=labels)


def test_a_history_server_older_than_the_applications() -> None:
    world = app(), driver(), executor(1), ran("4.1.4"), history()
    assert drift(*world, says("history-0", "3.5.9")) == {
        "history-server-older": "the History Server is Spark 3.5.9, 1 applications are newer (up to 4.1.4)"
    }
    assert drift(*world, says("history-0", "4.3.0")) == {}


def test_a_history_server_that_does_not_say_its_version_is_not_judged() -> None:
    assert unjudged(app(), driver(), ran("4.1.4"), history()) == ["whether the History Server can read every event log"]
