"""A change on the wire: what its pin does not let through, what the server says, whether it arrived."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from console.actions import pins
from console.actions.effects import STAMP, Effect, ObjectRef
from console.actions.pins import Pin
from console.base.errors import ConsoleError
from console.operate import kubernetes, landing
from console.runbook.walk import Intent
from console.wire.connection import Connection
from console.wire.writer import Writer
from tests.operate.conftest import Cluster
from tests.operate.objects import NEW, OLD, create, raise_overhead, spark_path


def intent(effect: Effect, generation: int = 3) -> Intent:
    return Intent(1.0, "raise", effect, {"/spec/executor/memoryOverhead": OLD}, generation)


async def test_an_object_that_is_gone_proves_a_deletion_but_no_patch(cluster: Cluster, connection: Connection) -> None:
    made = create(cluster.kube, cluster.namespace)
    cluster.kube.delete(spark_path(cluster.namespace, "etl-orders"))
    patch = raise_overhead(made)
    assert (await landing.landed(connection.reader, intent(patch)))[0] == "unknown"
    gone = replace(patch, action="delete", patch=None, patch_type="", touched=())
    assert (await landing.landed(connection.reader, intent(gone)))[0] == "yes"
    script = replace(patch, action="script", target=None)
    assert (await landing.landed(connection.reader, intent(script)))[0] == "unknown"


async def test_a_server_that_does_not_know_the_kind_is_not_asked_again_whether_a_change_arrived(
    cluster: Cluster, connection: Connection
) -> None:
    async def same_cluster() -> str:
        return ""

    effect = raise_overhead(create(cluster.kube, cluster.namespace))
    unknown = replace(effect, target=ObjectRef("v1", "Sparkle", cluster.namespace, "x", "u-1"))
    async with asyncio.timeout(landing.REACH_SECONDS[0]):
        answer, because = await landing.asked(connection.reader, intent(unknown), same_cluster)
    assert answer == "unknown" and "no Sparkle in v1" in because


async def test_it_did_not_arrive_only_when_a_second_look_says_so_too(
    cluster: Cluster, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is still under way at the first look, and arrives before the second one."""
    made = create(cluster.kube, cluster.namespace)
    path = spark_path(cluster.namespace, "etl-orders")
    sent = intent(raise_overhead(made), generation=made["metadata"]["generation"])

    async def same_cluster() -> str:
        return ""

    assert (await landing.landed(connection.reader, sent))[0] == "no"
    monkeypatch.setattr("console.operate.landing.SURE_SECONDS", 0.5)
    looking = asyncio.create_task(landing.asked(connection.reader, sent, same_cluster))
    await asyncio.sleep(0.2)
    stamped = {"metadata": {"annotations": {STAMP: sent.effect.id}}}
    cluster.kube.merge(path, {**stamped, "spec": {"executor": {"memoryOverhead": NEW}}})
    assert (await looking)[0] == "yes"


@pytest.mark.parametrize("stale", [Pin("u-x", 1), Pin("", 9), Pin("", 1, ("/spec/executor/memoryOverhead",), {})])
async def test_a_pin_that_does_not_hold_lets_nothing_through(
    stale: Pin, cluster: Cluster, connection: Connection
) -> None:
    made = create(cluster.kube, cluster.namespace)
    effect = raise_overhead(made)
    assert effect.target is not None
    at = await kubernetes.place(connection.reader, effect.target)
    held = Pin(stale.uid or made["metadata"]["uid"], stale.generation, stale.touched, stale.before)
    with pytest.raises(kubernetes.ObjectChanged):
        await kubernetes.dry_run(Writer(connection), at, effect, made, held)
    sent = await kubernetes.send(Writer(connection), at, effect, made, held)
    assert (sent.ok, sent.message) == (False, "not applied: it has changed meanwhile")
    assert cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["spec"]["executor"]["memoryOverhead"] == OLD


async def test_what_the_server_finds_wrong_is_said_without_the_object(cluster: Cluster, connection: Connection) -> None:
    made = create(cluster.kube, cluster.namespace)
    effect = replace(raise_overhead(made), patch={"spec": {"executor": {"memoryOverhead": 7}}})
    assert effect.target is not None
    at = await kubernetes.place(connection.reader, effect.target)
    with pytest.raises(ConsoleError, match="memoryOverhead") as caught:
        await kubernetes.dry_run(Writer(connection), at, effect, made, pins.of_fields(effect, made))
    assert "mainApplicationFile" not in caught.value.message
    assert len(caught.value.message) < 300
