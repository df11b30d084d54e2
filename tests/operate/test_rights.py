"""Which right is asked for, what of it travels, and how a no is put."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.actions.effects import Effect, ObjectRef
from console.actions.verb import Right
from console.operate.kubernetes import ObjectAddress
from console.operate.permission import LackingRight, missing, needed, reviewed
from console.wire.config import ContextRef
from console.wire.connection import Connection
from console.wire.reviews import ApiResource
from tests.wire.peer import Peer, kubeconfig, serving

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
EVICT = Right("create", "policy", "pods/eviction", "jobs", "etl-exec-1")


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with serving(Peer()) as running:
        yield running


@pytest.fixture
async def connection(peer: Peer, tmp_path: Path) -> AsyncIterator[Connection]:
    opened = await Connection.open(ContextRef(kubeconfig=kubeconfig(tmp_path, peer.url)), identify=False)
    yield opened
    await opened.close()


def answered(peer: Peer, allowed: bool, reason: str = "") -> None:
    peer.answer(REVIEWS, {"status": {"allowed": allowed, "reason": reason}}, method="POST", status=201)


async def test_everything_that_narrows_a_right_is_asked_about(peer: Peer, connection: Connection) -> None:
    answered(peer, False, "no\x1b[31m rule")
    lacking = await missing(connection.reader, (EVICT,))
    assert json.loads(peer.last(REVIEWS, "POST").body)["spec"]["resourceAttributes"] == {
        "verb": "create", "group": "policy", "resource": "pods", "subresource": "eviction",
        "namespace": "jobs", "name": "etl-exec-1",
    }  # fmt: skip
    assert lacking is not None and lacking.right == EVICT
    assert lacking.words.startswith("you may not create pods/eviction.policy in namespace jobs (no")
    assert "rule)" in lacking.words and "\x1b" not in lacking.words and lacking.words.endswith(EVICT.rule)


async def test_the_first_right_that_is_missing_is_named_and_none_where_all_are_there(
    peer: Peer, connection: Connection
) -> None:
    answered(peer, True)
    assert await missing(connection.reader, (EVICT, EVICT)) is None and peer.count(REVIEWS, "POST") == 2
    answered(peer, False)
    assert await missing(connection.reader, (EVICT, Right("get", "", "pods"))) == LackingRight(EVICT)
    assert peer.count(REVIEWS, "POST") == 3


def test_a_no_without_a_reason_has_no_parentheses() -> None:
    assert (
        LackingRight(EVICT).words == f"you may not create pods/eviction.policy in namespace jobs; ask for {EVICT.rule}"
    )


@pytest.mark.parametrize(("kind", "namespaced", "namespace"), [("Pod", True, "jobs"), ("Node", False, "")])
def test_an_object_without_a_namespace_needs_a_right_in_none(kind: str, namespaced: bool, namespace: str) -> None:
    target = ObjectRef("v1", kind, "jobs", "one")
    effect = Effect(id="w/1", step="s", title="", action="delete", target=target)
    at = ObjectAddress(target, ApiResource(f"{kind.lower()}s", kind, namespaced), "/api/v1/x")
    (right,) = needed(effect, at)
    assert (right.verb, right.resource, right.namespace, right.name) == ("delete", f"{kind.lower()}s", namespace, "one")


async def test_an_authorizer_that_could_not_say_is_told_apart_from_a_no(peer: Peer, connection: Connection) -> None:
    said = {"status": {"allowed": False, "evaluationError": "the webhook is down"}}
    peer.answer(REVIEWS, said, method="POST", status=201)
    access = await reviewed(connection.reader, EVICT)
    assert (access.allowed, access.reason, access.error) == (False, "the webhook is down", "the webhook is down")
    answered(peer, False, "no")
    assert (await reviewed(connection.reader, EVICT)).error == ""
