"""What is applied tells which preset a release has: backend, scale, security settings, whose database; never health."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from console.findings.figures.components import ComponentFigures
from console.live import Situation
from console.rehearse.playing import Rehearsal
from tests.components.release import Release
from tests.components.test_contradictions import DENIALS

CONNECT = {"app": "spark-connect", "app.kubernetes.io/component": "connect"}
CHART = {"helm.sh/chart": "spark-4.1-0.1.0"}
IN_CLUSTER = "k8s://https://kubernetes.default.svc:443"
SECCOMP = {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}
LAKE = "spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog\nspark.sql.catalog.lake.type=hadoop\n"


def connect(
    release: Release, master: str = IN_CLUSTER, *, most: int = 10, account: str = "default", secured: bool = False
) -> None:
    """A Connect server that nobody can reach, with the configuration that the chart makes for it."""
    lines = f"spark.master={master}\nspark.dynamicAllocation.maxExecutors={most}\n"
    release.apply("ConfigMap", "rel-spark-41-connect-config", {"data": {"spark.conf": lines}}, labels=CHART)
    pod = {"serviceAccountName": account, **(SECCOMP if secured else {})}
    release.workload("rel-spark-41-connect", CONNECT, image="spark:4.1.0", ready=0, pod=pod)


def parts(release: Release, *names: str) -> None:
    labels = {
        "jupyter": {"app": "jupyter"},
        "history": {"app": "spark-history-server"},
        "minio": {"app": "minio"},
        "hive-metastore": {"app.kubernetes.io/name": "spark-41-hive-metastore"},
        "airflow-db": {"app.kubernetes.io/component": "airflow-postgresql"},
        "db": {"app": "postgresql"},
    }
    for name in names:
        kind = "StatefulSet" if name.endswith("db") else "Deployment"
        release.workload(f"rel-{name}", labels[name], kind=kind, ready=int(name != "history"))


def environment(release: Release, most: int, *, secured: bool = False) -> None:
    connect(release, most=most, secured=secured)
    parts(release, "jupyter", "history", "hive-metastore")


def openshift(release: Release, *, secured: bool) -> None:
    connect(release, account="spark-41-openshift", secured=secured)
    parts(release, "history", "hive-metastore")


RELEASES: dict[str, Callable[[Release], None]] = {
    "connect-local": lambda r: connect(r, "local[*]"),
    "airflow-connect-k8s": connect,
    "airflow-connect-standalone": lambda r: connect(r, "spark://elsewhere:7077"),
    "default": lambda r: environment(r, 10),
    "dev": lambda r: environment(r, 5),
    "staging": lambda r: environment(r, 20),
    "openshift-restricted": lambda r: openshift(r, secured=True),
    "openshift-anyuid": lambda r: openshift(r, secured=False),
    "core-baseline": lambda r: parts(r, "history", "hive-metastore", "minio", "airflow-db"),
    "shared-infrastructure": lambda r: parts(r, "history", "hive-metastore", "minio", "db"),
}
"""Preset -> what is applied of it."""


def is_named(name: str, situation: Situation) -> None:
    found = situation.detection
    assert found is not None and found.best == (name,), found and [(m.preset, m.because) for m in found.matches[:3]]
    assert found.matches[0].score == 1.0, found.matches[0].because


@pytest.fixture(scope="module")
def drill() -> Iterator[Rehearsal]:
    with Rehearsal("spark-oom", "healthy", step=True) as rehearsal:
        yield rehearsal


@pytest.mark.parametrize("name", RELEASES)
def test_the_preset_of_a_release_is_named_although_it_is_down(drill: Rehearsal, name: str) -> None:
    release = Release(drill, f"like-{name}")
    RELEASES[name](release)
    is_named(name, release.looked())


def pull(release: Release) -> None:
    """A Connect server whose image does not come."""
    release.workload("rel-spark-41-connect", CONNECT, image="spark:4.1.9", ready=0)
    release.pod(
        "rel-spark-41-connect-7f9c4-abcde", "rel-spark-41-connect-7f9c4", CONNECT, restarts=0,
        waiting="ImagePullBackOff", image="registry.local/spark:4.1.9",
    )  # fmt: skip


def an_image_is_named(release: Release, situation: Situation) -> None:
    down = next(f for f in situation.board.findings if f.code == "component-down")
    assert down.title.startswith("Spark Connect 4.1 is down: ImagePullBackOff in rel-spark-41-connect-7f9c4-abcde")
    assert down.subject == f"Deployment/{release.namespace}/rel-spark-41-connect"
    assert isinstance(down.data, ComponentFigures) and down.data.why[0] == "image"
    assert situation.board.verdict == "DEGRADED"
    (app,) = (app for app in situation.board.apps if app.launcher == "connect")
    assert app.spark_version == "4.1.9", "the image says which Spark it is"


def test_an_image_that_does_not_come_is_why_connect_is_down_and_says_which_spark_it_is(drill: Rehearsal) -> None:
    release = Release(drill, "pulling")
    pull(release)
    an_image_is_named(release, release.looked())


def store(release: Release) -> None:
    """A healthy object store, a catalog in a ConfigMap, a dashboard, and a metastore that only another release has."""
    parts(release, "minio", "jupyter")
    connect(release)
    release.apply("ConfigMap", "rel-catalog", {"data": {"spark.conf": LAKE}}, labels=CHART)
    release.apply("ConfigMap", "rel-overview", {"data": {"overview.json": '{"panels": [], "schemaVersion": 39}'}})


def nothing_is_contradicted(situation: Situation) -> None:
    states = {one.id: one for one in situation.board.components}
    assert states["minio"].state == "healthy"
    assert "replica" not in states["dashboards"].reason
    assert any(key.endswith("/rel-catalog") for key in states["iceberg"].found)
    found = situation.conformance
    assert found is not None
    there = [row.note for row in found.rows if row.state != "absent"]
    said = [*there, *(one.title + one.detail for one in situation.board.findings)]
    assert not [text for text in said if any(word in text for word in DENIALS)]
    assert not [text for text in found.promises if text.startswith(("MinIO", "Iceberg"))]


def test_of_what_is_there_no_page_says_that_it_is_not(drill: Rehearsal) -> None:
    release = Release(drill, "stored")
    store(release)
    nothing_is_contradicted(release.looked("core-iceberg"))
