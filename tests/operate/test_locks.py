"""Locks: one at a time on an object and on a walk, kept while somebody thinks, given back by whoever dies."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.actions.effects import ObjectRef
from console.operate.gate import pass_gate
from console.operate.locks import Busy, LeaseLock, Locks, ObjectLock, lock_name
from console.operate.person import Question, Reply
from console.runbook.walk import ChangeRefused
from console.wire.connection import Connection
from console.wire.writer import Writer
from tests.operate.conftest import YES, Cluster, Passage, Says
from tests.operate.objects import OLD, create, raise_overhead, spark_path


def target(cluster: Cluster, name: str = "etl-orders") -> ObjectRef:
    return ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", cluster.namespace, name)


def leases(cluster: Cluster) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{cluster.namespace}/leases"


@pytest.fixture
async def locks(connection: Connection, tmp_path: Path) -> Locks:
    return Locks(Writer(connection), tmp_path, "ada@here/w-1", renew_seconds=0.05)


def another(locks: Locks, holder: str = "grace@there/w-2") -> Locks:
    return Locks(locks.writer, locks.folder, holder, locks.renew_seconds)


async def test_a_lease_says_who_holds_what(cluster: Cluster, locks: Locks) -> None:
    held = await locks.take(target(cluster))
    [lease] = cluster.kube.get(leases(cluster))["items"]
    assert held.kind == "lease"
    assert lease["metadata"]["name"] == lock_name(target(cluster))
    assert (
        lease["metadata"]["annotations"]["console.oncall/object"] == f"SparkApplication/{cluster.namespace}/etl-orders"
    )
    assert lease["spec"]["holderIdentity"] == "ada@here/w-1"
    await held.release()
    assert cluster.kube.get(leases(cluster))["items"] == []


async def test_only_one_holds_it_and_the_other_is_told_who(cluster: Cluster, locks: Locks) -> None:
    held = await locks.take(target(cluster))
    with pytest.raises(Busy, match=r"is held by ada@here/w-1, last renewed [0-9]s ago"):
        await another(locks).take(target(cluster))
    other = await another(locks).take(target(cluster, "other"))
    await other.release()
    await held.release()
    await (await another(locks).take(target(cluster))).release()


async def test_it_is_renewed_while_a_person_thinks(cluster: Cluster, locks: Locks) -> None:
    held = await locks.take(target(cluster))
    path = f"{leases(cluster)}/{lock_name(target(cluster))}"
    first = cluster.kube.get(path)["spec"]["renewTime"]
    async with asyncio.timeout(60):
        while cluster.kube.get(path)["spec"]["renewTime"] == first:
            await asyncio.sleep(0.02)
    assert not held.lost.is_set()
    await held.release()


async def test_a_walk_that_is_resumed_takes_its_own_lease_again(cluster: Cluster, locks: Locks) -> None:
    died = await locks.take(target(cluster))
    again = await another(locks, "ada@here/w-1").take(target(cluster))
    await again.release()
    await asyncio.wait_for(died.lost.wait(), 60)
    await died.release()


@pytest.mark.parametrize(
    ("ago", "free"),
    [(20, False), (45, False), (80, True)],
    ids=["renewed of late", "expired, unless their clock is behind ours", "expired whatever the clocks say"],
)
async def test_the_dead_lock_nobody_out_for_long(cluster: Cluster, locks: Locks, ago: int, free: bool) -> None:
    renewed = (datetime.now(UTC) - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "grace@there/w-2", "leaseDurationSeconds": 30, "renewTime": renewed}
    body: dict[str, Any] = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": spec}
    cluster.kube.create(leases(cluster), {**body, "metadata": {"name": lock_name(target(cluster))}})
    if not free:
        with pytest.raises(Busy, match="grace@there/w-2"):
            await locks.take(target(cluster))
        return
    held = await locks.take(target(cluster))
    assert cluster.kube.get(leases(cluster))["items"][0]["spec"]["leaseTransitions"] == 1
    await held.release()


async def taken(cluster: Cluster, holder: str | None) -> None:
    """Somebody takes the Lease by force, or deletes it."""
    path = f"{leases(cluster)}/{lock_name(target(cluster))}"
    if holder is None:
        cluster.kube.delete(path)
    else:
        cluster.kube.merge(path, {"spec": {"holderIdentity": holder}})


@pytest.mark.parametrize(("holder", "why"), [("grace@there/w-2", "taken by grace@there/w-2"), (None, "was deleted")])
async def test_a_lost_lease_is_noticed(cluster: Cluster, locks: Locks, holder: str | None, why: str) -> None:
    held = await locks.take(target(cluster))
    await taken(cluster, holder)
    await asyncio.wait_for(held.lost.wait(), 60)
    assert why in held.why
    assert not await held.check()
    await held.release()
    left = [lease["spec"]["holderIdentity"] for lease in cluster.kube.get(leases(cluster))["items"]]
    assert left == ([] if holder is None else [holder]), "what is not ours is not deleted"


async def test_nothing_is_changed_once_the_lease_is_lost(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)

    async def loses_it(question: Question) -> Reply:
        await taken(cluster, "grace@there/w-2")
        return YES

    ended = await pass_gate(raise_overhead(made), passage.gate(Says(loses_it)))
    assert isinstance(ended, ChangeRefused)
    assert (ended.by, ended.because) == ("lock", "the Lease was taken by grace@there/w-2")
    assert cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["spec"]["executor"]["memoryOverhead"] == OLD


async def test_the_question_is_taken_back_when_the_lease_is_lost(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)

    async def thinks(question: Question) -> Reply:
        await taken(cluster, "grace@there/w-2")
        await asyncio.Event().wait()
        raise AssertionError

    locks = passage.gate(Says()).locks
    assert locks is not None
    locks.renew_seconds = 0.05
    ended = await asyncio.wait_for(pass_gate(raise_overhead(made), passage.gate(Says(thinks), locks=locks)), 60)
    assert isinstance(ended, ChangeRefused)
    assert ended.by == "lock"


async def test_without_the_right_to_leases_a_file_locks_on_this_machine(cluster: Cluster, tmp_path: Path) -> None:
    create(cluster.kube, cluster.namespace)
    connection = await Connection.open(cluster.without("leases", "get", "create", "update", "delete"))
    try:
        locks = Locks(Writer(connection), tmp_path, "ada@here/w-1")
        held = await locks.take(target(cluster))
        assert held.kind == "file"
        with pytest.raises(Busy, match=r"held by ada@here/w-1 .*, on this machine"):
            await another(locks).take(target(cluster))
        assert await held.check()
        await held.release()
        await (await another(locks).take(target(cluster))).release()
        assert cluster.kube.get(leases(cluster))["items"] == []
    finally:
        await connection.close()


async def test_without_the_right_to_delete_a_lease_is_left_to_nobody(cluster: Cluster, tmp_path: Path) -> None:
    connection = await Connection.open(cluster.without("leases", "delete"))
    try:
        locks = Locks(Writer(connection), tmp_path, "ada@here/w-1")
        await (await locks.take(target(cluster))).release()
        [lease] = cluster.kube.get(leases(cluster))["items"]
        assert lease["spec"].get("holderIdentity", "") == ""
        held: ObjectLock = await another(locks).take(target(cluster))
        assert isinstance(held, LeaseLock)
        await held.release()
    finally:
        await connection.close()
