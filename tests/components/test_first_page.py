"""What is down stands on the first page: as a finding with its cause, in the verdict, in `status` and in its JSON."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.cli.board.status import status_document, status_text
from console.cli.components import _as_wanted
from console.live import Situation
from console.rehearse.playing import Rehearsal
from tests.components.release import Release

CONNECT = {"app": "spark-connect", "app.kubernetes.io/component": "connect"}
METASTORE = {"app.kubernetes.io/name": "spark-41-hive-metastore"}
HISTORY = {"app": "spark-history-server"}
RESTRICTED = (
    'Error creating: pods "rel-hive-metastore-7f9c4-" is forbidden: violates PodSecurity "restricted:latest": '
    'runAsNonRoot != true (container "main" must not set securityContext.runAsNonRoot=false)'
)
SCC = (
    'create Pod rel-postgresql-0 in StatefulSet rel-postgresql failed error: pods "rel-postgresql-0" is forbidden: '
    'unable to validate against any security context constraint: [provider "anyuid": Forbidden: not usable by user or '
    "serviceaccount, provider restricted-v2: .containers[0].runAsUser: Invalid value: 999: must be in the ranges: "
    "[1000680000, 1000689999]]"
)
QUOTA = (
    'Error creating: pods "rel-spark-41-connect-5d9-x" is forbidden: exceeded quota: team, '
    "requested: limits.memory=8Gi, used: limits.memory=16Gi, limited: limits.memory=20Gi"
)


@pytest.fixture(scope="module")
def drill() -> Iterator[Rehearsal]:
    with Rehearsal("spark-oom", "healthy", step=True) as rehearsal:
        yield rehearsal


def titles(situation: Situation) -> list[str]:
    return [finding.title for finding in situation.board.findings]


def test_a_metastore_in_a_crash_loop_is_named_on_the_first_page_with_its_restarts(drill: Rehearsal) -> None:
    release = Release(drill, "crashing")
    crash(release)
    a_crash_loop_is_named(release, release.looked())


def crash(release: Release) -> None:
    release.workload("rel-hive-metastore", METASTORE, ready=0)
    release.pod(
        "rel-hive-metastore-7f9c4-abcde", "rel-hive-metastore-7f9c4", METASTORE, restarts=14, waiting="CrashLoopBackOff"
    )


def a_crash_loop_is_named(release: Release, situation: Situation) -> None:
    board = situation.board
    (one,) = board.findings
    assert one.title.startswith(
        "Hive Metastore is down: CrashLoopBackOff in rel-hive-metastore-7f9c4-abcde after 14 restarts"
    )
    assert (one.severity, one.subject) == ("critical", f"Deployment/{release.namespace}/rel-hive-metastore")
    assert one.since == pytest.approx(release.now - 1800, abs=1)
    assert board.verdict == "DEGRADED" and "Hive Metastore is down" in board.because
    assert "Hive Metastore is down" in status_text(situation)
    (row,) = status_document(situation)["findings"]
    assert row["code"] == "component-down" and row["data"]["why"] == ["crash-loop", "replicas"]


def test_what_pod_security_refuses_is_said_with_its_field_and_its_remedy(drill: Rehearsal) -> None:
    release = Release(drill, "restricted")
    release.workload("rel-hive-metastore", METASTORE, ready=0)
    release.refused("ReplicaSet", "rel-hive-metastore-7f9c4", RESTRICTED)
    refused, down = release.looked().board.findings
    assert refused.title == 'pods refused: Pod Security "restricted:latest" (Deployment rel-hive-metastore)'
    assert 'runAsNonRoot != true (container "main" must not set securityContext.runAsNonRoot=false)' in refused.detail
    assert "remedy: set these fields in the pod template" in refused.detail and "enforce label" in refused.detail
    assert down.causes == (refused.key,) and down.since == pytest.approx(release.now - 300, abs=1)
    assert down.title.startswith(
        'Hive Metastore is down: pods of rel-hive-metastore are refused by Pod Security "restr'
    )


def test_every_kind_of_workload_says_why_its_pods_are_refused(drill: Rehearsal) -> None:
    release = Release(drill, "refused")
    refuse(release)
    every_refusal_is_named(release, release.looked())


def refuse(release: Release) -> None:
    release.workload("rel-postgresql", {"app": "postgresql"}, kind="StatefulSet", ready=0)
    release.refused("StatefulSet", "rel-postgresql", SCC)
    release.refused("Job", "rel-hive-metastore-init", RESTRICTED)
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": QUOTA}
    release.workload("rel-spark-41-connect", CONNECT, ready=0, image="spark:4.1.0", conditions=[condition])


def every_refusal_is_named(release: Release, situation: Situation) -> None:
    found = {f.subject.replace(f"/{release.namespace}/", "/"): f for f in situation.board.findings
             if f.code == "pods-refused"}  # fmt: skip
    assert set(found) == {
        "StatefulSet/rel-postgresql",
        "Job/rel-hive-metastore-init",
        "Deployment/rel-spark-41-connect",
    }
    scc = found["StatefulSet/rel-postgresql"]
    assert "containers[0].runAsUser: Invalid value: 999: must be in the ranges" in scc.detail
    assert "add-scc-to-user" in scc.detail
    assert found["Deployment/rel-spark-41-connect"].title == (
        "pods refused: quota team (Deployment rel-spark-41-connect)"
    )
    assert found["Job/rel-hive-metastore-init"].severity == "warning"


def test_a_sound_release_is_held_to_no_preset_that_nobody_asked_for(drill: Rehearsal) -> None:
    release = Release(drill, "sound")
    sound(release)
    situation = release.looked()
    nothing_is_wrong(situation)
    assert all(_as_wanted(component) for component in situation.board.components)


def sound(release: Release) -> None:
    release.workload("rel-spark-41-connect", CONNECT, image="spark:4.1.0")
    release.workload("rel-spark-41-history", HISTORY, probe=False)
    release.workload("rel-hive-metastore", METASTORE, probe=False)


def nothing_is_wrong(situation: Situation) -> None:
    assert {c.id: c.state for c in situation.board.components} == {
        "connect-41": "healthy", "history-server": "unknown", "hive-metastore": "unknown",
    }  # fmt: skip
    assert titles(situation) == []


def test_what_is_asked_for_and_is_not_there_is_absent_and_makes_nothing_else_degraded(drill: Rehearsal) -> None:
    release = Release(drill, "lacking")
    release.workload("rel-spark-41-history", HISTORY)
    release.workload("rel-spark-41-jupyter", {"app": "jupyter"})
    states = {c.id: c.state for c in release.looked("core-baseline").board.components}
    assert states["minio"] == "absent" and states["history-server"] == states["jupyter"] == "healthy"
