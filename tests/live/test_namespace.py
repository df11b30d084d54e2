"""`-n` with a name that no namespace has: nothing in it is no answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from msgspec import structs

from console.base.errors import Exit, UsageError
from console.cli.board.apps import _no_app
from console.cli.board.status import status_document, status_text
from console.drill.kube.access import DenyRule
from console.live import Live
from console.rehearse.playing import Rehearsal
from console.tui.views.frame import where


@pytest.fixture(scope="module")
def drill() -> Iterator[Rehearsal]:
    with Rehearsal("spark-oom", step=True) as rehearsal:
        yield rehearsal


def looked(drill: Rehearsal, *namespaces: str, every: bool = False) -> Live:
    plan = drill.plan()
    ref = structs.replace(plan.ref, namespace=namespaces[0])
    return Live(replace(plan, ref=ref, namespaces=namespaces if namespaces[1:] else (), all_namespaces=every))


def seen(live: Live) -> tuple[set[str], set[str]]:
    """The namespaces of applications, and the components that are judged to be well."""
    board = live.settle(30).board
    return {app.namespace for app in board.apps}, {c.id for c in board.components if c.state == "healthy"}


def test_a_namespace_that_does_not_exist_is_said_with_the_nearest_name(drill: Rehearsal) -> None:
    with looked(drill, "spark-prd") as live, pytest.raises(UsageError, match="there is no namespace 'spark-prd'") as no:
        live.settle(30)
    assert no.value.exit_code == Exit.USAGE and "spark-prod" in str(no.value.hint)


def test_several_are_looked_at_and_no_other(drill: Rehearsal) -> None:
    with looked(drill, "spark-operator") as live:
        assert seen(live)[0] == set()
    with looked(drill, "spark-prod") as live:
        assert seen(live) == ({"spark-prod"}, {"connect-41"})
    with looked(drill, "spark-operator", "spark-prod") as live:
        assert seen(live) == ({"spark-prod"}, {"connect-41", "spark-operator"})
    with looked(drill, "nosuch", every=True) as live:
        assert seen(live)[0] == {"spark-prod"}


def test_what_is_left_out_by_it_is_said_where_the_answer_is_read(drill: Rehearsal) -> None:
    with looked(drill, "spark-operator", "spark-prod") as live:
        situation = live.settle(30)
    assert "only namespaces spark-operator, spark-prod" in status_text(situation)
    assert status_document(situation)["cluster"]["scope"] == ["spark-operator", "spark-prod"]
    assert "in spark-operator and 1 more" in where(situation, (), 80).text
    with looked(drill, "spark-operator") as live:
        assert _no_app(live.settle(30).board) == "no Spark application runs in namespace spark-operator"
    with looked(drill, "spark-prod", every=True) as live:
        situation = live.settle(30)
    assert "only namespace" not in status_text(situation) and situation.board.cluster.scope == ()


def test_one_among_several_that_does_not_exist_is_said(drill: Rehearsal) -> None:
    with looked(drill, "spark-operator", "spark-prd") as live, pytest.raises(UsageError, match="'spark-prd'") as no:
        live.settle(30)
    assert "spark-prod" in str(no.value.hint)


def test_one_that_exists_and_one_that_may_not_be_asked_for_are_looked_at(drill: Rehearsal) -> None:
    with looked(drill, "spark-prod") as live:
        assert live.settle(30).board.apps
    drill.session.deny(DenyRule(resources=("namespaces",)))
    with looked(drill, "nosuch") as live:
        assert live.settle(30).board.apps == ()
