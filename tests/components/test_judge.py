"""How components are judged: expected and absent, unreadable kinds, definitions of a user, wrong files, many pods."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from console.base.clock import rfc3339
from console.components.find import selectors
from console.components.judge import judge
from console.components.signals import asks
from console.components.spec import Expectation, Preset
from console.facts.model import SourceState
from console.facts.objectpaths import walk
from console.settings.presets import load_library
from tests.components.worlds import NOW, crowded, event, facts, pod, sample, workload

DEFINITIONS = load_library().components
REQUIRED = Preset(title="Test", components={"minio": Expectation(because="event logs")})


def test_what_is_expected_and_missing_is_absent() -> None:
    (component,) = judge(facts(), DEFINITIONS.values(), REQUIRED)
    assert (component.id, component.state, component.expected) == ("minio", "absent", True)


def test_what_could_not_be_read_is_unknown_not_absent() -> None:
    forbidden = facts(SourceState("deployments", "forbidden"))
    (component,) = judge(forbidden, DEFINITIONS.values(), REQUIRED)
    assert (component.state, component.reason) == ("unknown", "deployments: forbidden")


def test_a_kind_that_the_server_does_not_have_is_absence() -> None:
    absent = facts(SourceState("routes", "absent"))
    (component,) = judge(
        absent, DEFINITIONS.values(), Preset(title="T", components={"openshift-routes": Expectation()})
    )
    assert component.state == "absent"


def test_what_is_found_and_not_expected_says_so() -> None:
    (component,) = judge(facts(workload("Deployment", "minio", {"app": "minio"}, probe=True)), DEFINITIONS.values())
    assert (component.state, component.expected) == ("healthy", False)


def test_scaled_to_zero_is_down() -> None:
    (component,) = judge(facts(workload("Deployment", "minio", {"app": "minio"}, replicas=0)), DEFINITIONS.values())
    assert (component.state, component.reason) == ("down", "minio is scaled to zero")


def test_scaled_to_zero_it_has_been_since_its_last_write_at_the_latest() -> None:
    minio = workload("Deployment", "minio", {"app": "minio"}, replicas=0)
    (component,) = judge(facts(replace(minio, changed=700.0)), DEFINITIONS.values())
    assert [(trouble.cause, trouble.since) for trouble in component.troubles] == [("scaled-to-zero", 700.0)]
    (component,) = judge(facts(minio), DEFINITIONS.values())
    assert component.troubles[0].since is None, "its managed fields were not read"


def test_some_replicas_missing_is_degraded() -> None:
    few = workload("StatefulSet", "celeborn-worker", {"app": "celeborn-worker"}, replicas=3, ready=2)
    (component,) = judge(facts(few), DEFINITIONS.values())
    assert (component.state, component.reason) == ("degraded", "2 of 3 replicas of celeborn-worker ready")


def test_a_stuck_rollout_is_told() -> None:
    conditions = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    stuck = workload("Deployment", "minio", {"app": "minio"}, status={"conditions": conditions}, probe=True)
    (component,) = judge(facts(stuck), DEFINITIONS.values())
    assert component.state == "degraded"
    assert "ProgressDeadlineExceeded" in component.reason


def test_a_container_that_restarts_again_and_again_is_told() -> None:
    things = (workload("Deployment", "minio", {"app": "minio"}, probe=True), pod("minio", {"app": "minio"}, restarts=4))
    (component,) = judge(facts(*things), DEFINITIONS.values())
    assert component.state == "degraded"
    assert "restarted 4 times, last exit code 1" in component.reason


@pytest.mark.parametrize(
    ("ago", "state"), [(899.0, "degraded"), (900.0, "healthy"), (86_400.0, "healthy"), (-60.0, "healthy")]
)
def test_restarts_are_told_for_a_quarter_of_an_hour(ago: float, state: str) -> None:
    """A time to come is a wrong clock, and tells nothing of now."""
    things = (
        workload("Deployment", "minio", {"app": "minio"}, probe=True),
        pod("minio", {"app": "minio"}, restarts=4, restarted_ago=ago),
    )
    (component,) = judge(facts(*things), DEFINITIONS.values())
    assert component.state == state


def test_a_single_restart_is_not_told() -> None:
    things = (workload("Deployment", "minio", {"app": "minio"}, probe=True), pod("minio", {"app": "minio"}, restarts=1))
    (component,) = judge(facts(*things), DEFINITIONS.values())
    assert component.state == "healthy"


def test_a_number_that_is_fine_makes_it_healthy_and_is_the_reason() -> None:
    things = (workload("StatefulSet", "postgresql", {"app": "postgresql"}), sample("postgresql", "answers", 1))
    (component,) = judge(facts(*things), DEFINITIONS.values())
    assert (component.state, component.reason) == ("healthy", "answers 1")


def test_an_old_event_says_nothing_any_more() -> None:
    things = (
        workload("Deployment", "rel", {"app": "x"}, annotations={"openshift.io/scc": "anyuid"}),
        event("ReplicaSet", "rel-5d9", "FailedCreate", "violates PodSecurity", ago=7200),
    )
    (component,) = judge(facts(*things), DEFINITIONS.values())
    assert component.state == "healthy"


def test_hostile_text_is_cleaned_and_secrets_are_not_quoted() -> None:
    message = "unable to validate against any security context constraint \x1b[2Jpassword=hunter2"
    things = (
        workload("Deployment", "rel", {"app": "x"}, annotations={"openshift.io/scc": "anyuid"}),
        event("ReplicaSet", "rel-5d9", "FailedCreate", message),
    )
    (component,) = judge(facts(*things), DEFINITIONS.values())
    shown = component.reason + "".join(item.excerpt for item in component.evidence)
    assert "\x1b" not in shown and "hunter2" not in shown


def test_a_new_component_needs_no_code(tmp_path: Path) -> None:
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "trino.yaml").write_text(
        "id: trino\ntitle: Trino\nfind: [{kind: Deployment, labels: {app: trino}}]\n"
        "signals: [{id: nodes, says: no worker, level: down, metric: {query: max(trino_nodes), bad: {below: 1}}}]\n"
    )
    library = load_library([tmp_path])
    assert library.problems == ()
    things = (workload("Deployment", "trino", {"app": "trino"}), sample("trino", "nodes", 0))
    (component,) = judge(facts(*things), library.components.values())
    assert (component.id, component.state) == ("trino", "down")
    assert "component|trino|nodes" in {ask.key for ask in asks(library.components.values())}
    assert "app=trino" in selectors(library.components.values())


BAD = [
    ("id: x\ntitle: X\nfind: []", 3, "find"),
    ("id: y\ntitle: X\nfind: [{kind: Deployment}]", 1, "id"),
    ("id: x\ntitle: X\nfind: [{kind: Deployment, lables: {a: b}}]", 3, "find[0].lables"),
    ("id: x\ntitle: X\nfind: [{kind: Pod}]\nsignals: [{id: a, says: b}]", 4, "signals[0]"),
    ("id: x\ntitle: X\nfind: [{kind: Pod}]\nsignals: [{id: a, says: b, log: {bad: '('}}]", 4, "signals[0].log.bad"),
    (
        "id: x\ntitle: X\nfind: [{kind: Pod}]\nsignals:\n- {id: a, says: b, metric: {query: 'sum(', bad: {above: 1}}}",
        5,
        "signals[0].metric.query",
    ),
    (
        "id: x\ntitle: X\nfind: [{kind: Pod}]\nsignals:\n"
        "- {id: a, says: b, metric: {query: up, bad: {above: 1, below: 0}}}",
        5,
        "signals[0].metric.bad.below",
    ),
]


@pytest.mark.parametrize(("text", "line", "key"), BAD, ids=[b[2] for b in BAD])
def test_a_wrong_component_file_says_where_and_the_rest_loads(tmp_path: Path, text: str, line: int, key: str) -> None:
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "x.yaml").write_text(text)
    library = load_library([tmp_path])
    (problem,) = library.problems
    assert (problem.line, problem.key) == (line, key)
    assert "minio" in library.components


def test_paths_into_objects() -> None:
    tree = {"status": {"conditions": [{"type": "Ready", "status": "False"}], "a.b": {"c/d": 3}}}
    assert list(walk(tree, "status.conditions[type=Ready].status")) == ["False"]
    assert list(walk(tree, "status.conditions.0.type")) == ["Ready"]
    assert list(walk(tree, "/status/a.b/c~1d")) == [3]
    assert list(walk(tree, "status.nothing.*")) == []


def test_parts_are_found_among_ten_thousand_pods() -> None:
    found = judge(crowded(), DEFINITIONS.values())
    assert {component.id for component in found} >= {"connect-41", "gpu"}


@pytest.mark.parametrize(
    ("state", "times", "judged"),
    [
        ("FAILING", {"lastSubmissionAttemptTime": 5_000, "terminationTime": 15}, "healthy"),
        ("PENDING_RERUN", {}, "healthy"),
        ("PENDING_RERUN", {"lastSubmissionAttemptTime": None, "terminationTime": None}, "healthy"),
        ("FAILING", {"lastSubmissionAttemptTime": 9_000, "terminationTime": 1_800}, "degraded"),
    ],
    ids=["it has just ended", "nobody knows since when", "its times were cleared", "it ended half an hour ago"],
)
def test_an_application_waits_for_its_rerun_from_its_end_on_and_not_from_its_creation(
    state: str, times: dict[str, float | None], judged: str
) -> None:
    told = {key: None if ago is None else rfc3339(NOW - ago) for key, ago in times.items()}
    app = workload(
        "SparkApplication",
        "etl",
        api="sparkoperator.k8s.io/v1beta2",
        status={"applicationState": {"state": state}, **told},
    )
    running = workload(
        "SparkApplication",
        "other",
        api="sparkoperator.k8s.io/v1beta2",
        status={"applicationState": {"state": "RUNNING"}},
    )
    operator = workload("Deployment", "spark-operator", {"app.kubernetes.io/name": "spark-operator"}, probe=True)
    found = {one.id: one for one in judge(facts(app, running, operator), DEFINITIONS.values())}
    assert found["spark-operator"].state == judged, found["spark-operator"].reason


def test_an_application_that_nobody_takes_on_waits_from_its_creation() -> None:
    new = workload(
        "SparkApplication", "etl", api="sparkoperator.k8s.io/v1beta2", status={"applicationState": {"state": ""}}
    )
    operator = workload("Deployment", "spark-operator", {"app.kubernetes.io/name": "spark-operator"}, probe=True)
    found = {one.id: one for one in judge(facts(new, operator), DEFINITIONS.values())}
    assert found["spark-operator"].state == "down" and "not taken on" in found["spark-operator"].reason
