"""Advice over the wire: what is read of the simulated cluster, and what a refusal makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.advice.model import AdviceReport
from console.drill.kube.access import DenyRule
from console.live import Live, Pace
from console.rehearse.playing import Rehearsal

pytestmark = pytest.mark.xdist_group("advice-wire")  # one cluster for all of them
RBAC = ("rbac.authorization.k8s.io",)


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Live, Rehearsal]]:
    with Rehearsal("spark-oom", step=True) as rehearsal:
        live = Live(rehearsal.plan(pace=Pace(heartbeat=60.0, metrics=600.0, reads=600.0)))  # advice reads for itself
        with live:
            live.settle(60)
            yield live, rehearsal


@pytest.fixture(scope="module")
def report(cluster: tuple[Live, Rehearsal]) -> AdviceReport:
    return cluster[0].advise().result(60)


def test_everything_that_the_server_has_was_read(report: AdviceReport) -> None:
    states = {s.name: s.state for s in report.sources}
    assert states.pop("securitycontextconstraints") == "absent"
    assert set(states.values()) == {"fresh"} and len(states) == 7
    assert report.unjudged == ()


def test_the_plausible_mistakes_of_the_simulated_cluster_are_advised(report: AdviceReport) -> None:
    found = {i.id: i for i in report.items}
    assert "create pods and delete pods in every namespace" in found["over-wide-account"].statement
    assert found["over-wide-account"].evidence[0].excerpt == (
        "ClusterRoleBinding spark-connect → ClusterRole spark-connect"
    )
    assert found["pod-security-level"].subject == "Namespace//spark-prod"
    assert found["unknown-key"].app == "spark-prod/payments-stream"
    assert "no-ingress-policy" in found and "executor-token" in found
    assert not any(i.family == "versions" for i in report.items)


def test_the_driver_says_its_version_and_configuration_itself(report: AdviceReport) -> None:
    serializer = [i for i in report.items if i.id == "java-serializer"]
    assert {i.app for i in serializer} >= {"spark-prod/payments-stream"}


def test_one_application_is_advised_with_its_namespace(cluster: tuple[Live, Rehearsal]) -> None:
    found = cluster[0].advise("spark-prod/etl-orders").result(60)
    assert found.apps == ("spark-prod/etl-orders",)
    assert {i.app for i in found.items} == {"", "spark-prod/etl-orders"}


def test_advice_is_no_part_of_the_board(cluster: tuple[Live, Rehearsal], report: AdviceReport) -> None:
    codes = {f.code for f in cluster[0].situation.board.findings}
    assert not codes & {i.id for i in report.items}


def test_what_is_refused_is_forbidden_with_the_permission_that_it_needs(cluster: tuple[Live, Rehearsal]) -> None:
    live, rehearsal = cluster
    access = rehearsal.session.kube.access
    before = list(access.denied)
    rehearsal.session.deny(DenyRule(groups=RBAC, resources=("clusterrolebindings",)))
    try:
        found = live.advise().result(60)
    finally:
        access.denied[:] = before
    state = next(s for s in found.sources if s.name == "clusterrolebindings")
    assert state.state == "forbidden" and 'resources: ["clusterrolebindings"], verbs: ["list"]' in state.hint
    assert "over-wide-account" not in {i.id for i in found.items}
    (said,) = [u for u in found.unjudged if "clusterrolebindings" in u.what]
    assert "may not be read" in said.because and said.needs == state.hint


def test_a_kind_that_may_be_listed_in_one_namespace_only_is_partial(cluster: tuple[Live, Rehearsal]) -> None:
    live, rehearsal = cluster
    access = rehearsal.session.kube.access
    before = list(access.denied)
    rehearsal.session.deny(DenyRule(groups=RBAC, resources=("rolebindings",), namespaces=("",)))
    try:
        found = live.advise().result(60)
    finally:
        access.denied[:] = before
    state = next(s for s in found.sources if s.name == "rolebindings")
    assert (state.state, state.detail) == ("partial", "only namespace spark-prod")
    assert found.unjudged == ()


def test_the_command_answers_for_the_cluster(
    cluster: tuple[Live, Rehearsal], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    from console.cli.main import run

    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    where = ["--kubeconfig", str(cluster[1].session.kubeconfig)]
    assert run(["advise", "etl-orders", *where, "--family", "security", "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["apps"] == ["spark-prod/etl-orders"] and {i["family"] for i in found["items"]} == {"security"}
    assert run(["advise", "etl-orders", *where, "--fail-on", "high"]) == 0
    assert run(["advise", "etl-orders", *where, "--fail-on", "medium", "--family", "configuration"]) == 0
    assert run(["advise", "etl-orders", *where, "--fail-on", "medium"]) == 1
    rehearsal, denied = cluster[1], cluster[1].session.kube.access.denied
    rehearsal.session.deny(DenyRule(groups=RBAC, resources=("clusterrolebindings",)))
    try:
        assert run(["advise", "etl-orders", *where, "--fail-on", "high"]) == 1
        assert run(["advise", "etl-orders", *where, "--fail-on", "high", "--family", "versions"]) == 0
    finally:
        denied.pop()
    capsys.readouterr()
    assert run(["advise", "etl-order", *where]) == 2
    assert "etl-orders" in capsys.readouterr().err


def test_the_one_namespace_that_was_asked_for_is_not_called_partial(
    cluster: tuple[Live, Rehearsal], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one without a single Spark pod left out, or a sentence about it cut."""
    from console.cli.main import run

    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path))
    where = ["--kubeconfig", str(cluster[1].session.kubeconfig)]
    for namespace in ("spark-prod", "kube-system"):
        assert run(["advise", "-n", namespace, *where, "--fail-on", "high"]) == 0
        said = capsys.readouterr().out
        assert "partial" not in said and "cannot read" not in said
        assert "only namespace" not in said
