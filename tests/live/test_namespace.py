"""`-n` with a name that no namespace has: nothing in it is no answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from msgspec import structs

from console.base.errors import Exit, UsageError
from console.drill.kube.access import DenyRule
from console.live import Live
from console.rehearse.playing import Rehearsal


@pytest.fixture(scope="module")
def drill() -> Iterator[Rehearsal]:
    with Rehearsal("spark-oom", step=True) as rehearsal:
        yield rehearsal


def looked(drill: Rehearsal, namespace: str) -> Live:
    plan = drill.plan()
    return Live(replace(plan, ref=structs.replace(plan.ref, namespace=namespace)))


def test_a_namespace_that_does_not_exist_is_said_with_the_nearest_name(drill: Rehearsal) -> None:
    with looked(drill, "spark-prd") as live, pytest.raises(UsageError, match="there is no namespace 'spark-prd'") as no:
        live.settle(30)
    assert no.value.exit_code == Exit.USAGE and "spark-prod" in str(no.value.hint)


def test_one_that_exists_and_one_that_may_not_be_asked_for_are_looked_at(drill: Rehearsal) -> None:
    with looked(drill, "spark-prod") as live:
        assert live.settle(30).board.apps
    drill.session.deny(DenyRule(resources=("namespaces",)))
    with looked(drill, "nosuch") as live:
        assert live.settle(30).board.apps == ()
