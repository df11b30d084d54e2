"""The patch that goes out, what pins it, and what an object says about whether it arrived."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.base.errors import ConsoleError
from console.operate import kubernetes, landing
from console.operate.kubernetes import Pin
from console.operate.preview import NOT_KEPT, way_back
from console.runbook import patches
from console.runbook.effects import STAMP, Effect, ObjectRef
from console.runbook.walk import Intent
from console.wire.connection import Connection
from console.wire.writer import Writer
from tests.operate.conftest import Cluster
from tests.operate.objects import NEW, OLD, create, raise_overhead, spark_application, spark_path

STAMP_POINTER = "/metadata/annotations/" + STAMP.replace("/", "~1")


def app(**spec: Any) -> dict[str, Any]:
    obj = spark_application("spark-jobs", uid="u-1", generation=3)
    obj["spec"].update(spec)
    return obj


def merge(patch: dict[str, Any]) -> Effect:
    return replace(raise_overhead(app()), patch=patch, touched=patches.touched(patch, "merge"))


def test_the_patch_tests_what_was_seen_before_it_changes_anything() -> None:
    effect = raise_overhead(app())
    held = kubernetes.pin(effect, app())
    assert held == Pin("u-1", 3, ("/spec/executor/memoryOverhead",), {"/spec/executor/memoryOverhead": OLD})
    assert kubernetes.body(effect, app(), held) == [
        {"op": "test", "path": "/metadata/uid", "value": "u-1"},
        {"op": "test", "path": "/metadata/generation", "value": 3},
        {"op": "test", "path": "/spec/executor/memoryOverhead", "value": OLD},
        {"op": "add", "path": "/spec/executor/memoryOverhead", "value": NEW},
        {"op": "test", "path": "/metadata/annotations", "value": None},
        {"op": "add", "path": "/metadata/annotations", "value": {STAMP: "w-1/1"}},
    ]


def test_an_object_with_annotations_keeps_them() -> None:
    obj = app()
    obj["metadata"]["annotations"] = {"team": "orders"}
    assert kubernetes.stamp(raise_overhead(obj), obj) == [{"op": "add", "path": STAMP_POINTER, "value": "w-1/1"}]


CASES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"spec": {"executor": {"memoryOverhead": None}}}, ("/spec/executor/memoryOverhead",)),
    ({"spec": {"executor": {"coreLimit": "2"}}}, ("/spec/executor/coreLimit",)),
    ({"spec": {"monitoring": {"prometheus": {"port": 8090}}}}, ("/spec/monitoring",)),
    ({"spec": {"sparkConf": {"a/b~c": "1"}}}, ("/spec/sparkConf/a~1b~0c",)),
    ({"spec": {"driver": {"memory": "1g"}, "executor": {"cores": 2, "gone": None}}},
     ("/spec/driver/memory", "/spec/executor/cores", "/spec/executor/gone")),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "touched"), CASES)
def test_what_is_pinned_where_parts_do_not_exist(patch: dict[str, Any], touched: tuple[str, ...]) -> None:
    assert kubernetes.pin(merge(patch), app()).touched == touched


@pytest.mark.parametrize("patch", [patch for patch, _ in CASES])
def test_the_way_back_restores_the_object_exactly(patch: dict[str, Any]) -> None:
    obj = app()
    held = kubernetes.pin(merge(patch), obj)
    effect, rollback = way_back(kubernetes.pinned(merge(patch), held), held)
    assert effect.reversible
    assert rollback is not None
    changed = kubernetes.locally(effect, obj)
    assert kubernetes.locally(rollback, changed)["spec"] == obj["spec"]


def test_a_secret_that_is_not_kept_cannot_be_put_back() -> None:
    obj = app(sparkConf={"spark.hadoop.fs.s3a.secret.key": "planted-value"})
    effect = merge({"spec": {"sparkConf": {"spark.hadoop.fs.s3a.secret.key": None}}})
    held = kubernetes.pin(effect, obj)
    effect, rollback = way_back(kubernetes.pinned(effect, held), held)
    assert rollback is None
    assert (effect.reversible, effect.reason) == (False, NOT_KEPT)


def json_effect(*operations: dict[str, Any]) -> Effect:
    patch = list(operations)
    return replace(raise_overhead(app()), patch_type="json", patch=patch, touched=patches.touched(patch, "json"))


def test_a_json_patch_is_sent_as_it_is_between_the_tests() -> None:
    effect = json_effect({"op": "add", "path": "/spec/arguments/-", "value": "--fast"})
    obj = app(arguments=["a"])
    held = kubernetes.pin(effect, obj)
    assert held.touched == ("/spec/arguments",)
    assert held.before == {"/spec/arguments": ["a"]}
    assert kubernetes.body(effect, obj, held)[3] == effect.patch[0]
    assert kubernetes.locally(effect, obj)["spec"]["arguments"] == ["a", "--fast"]


def test_a_local_preview_of_list_items_and_of_what_it_does_not_know() -> None:
    obj = app(arguments=["a", "b"])
    remove = json_effect({"op": "remove", "path": "/spec/arguments/0"})
    assert kubernetes.locally(remove, obj)["spec"]["arguments"] == ["b"]
    put = json_effect({"op": "replace", "path": "/spec/arguments/1", "value": "c"})
    assert kubernetes.locally(put, obj)["spec"]["arguments"] == ["a", "c"]
    assert obj["spec"]["arguments"] == ["a", "b"], "the object itself is left alone"
    with pytest.raises(ConsoleError, match="'move' has no local preview"):
        kubernetes.locally(json_effect({"op": "move", "from": "/spec/a", "path": "/spec/b"}), obj)


# -- landed -----------------------------------------------------------------------------------------------------------


def intent(effect: Effect | None = None, generation: int = 3) -> Intent:
    return Intent(1.0, "raise", effect or raise_overhead(app()), {"/spec/executor/memoryOverhead": OLD}, generation)


def changed(generation: int = 4, *, stamp: str = "w-1/1", overhead: str = NEW, uid: str = "u-1") -> dict[str, Any]:
    obj = app()
    obj["metadata"].update(uid=uid, generation=generation, annotations={STAMP: stamp} if stamp else {})
    obj["spec"]["executor"]["memoryOverhead"] = overhead
    return obj


@pytest.mark.parametrize(
    ("obj", "answer"),
    [
        (changed(), "yes"),
        (changed(9, overhead="3g"), "yes"),
        (app(), "no"),
        (changed(3, stamp="w-0/7", overhead=OLD), "no"),
        (changed(4, stamp=""), "unknown"),
        (changed(4, stamp="w-9/1"), "unknown"),
        (changed(4, stamp="", overhead=OLD), "unknown"),
        (changed(uid="u-2"), "unknown"),
    ],
    ids=["stamped", "stamped and changed since", "untouched", "an earlier stamp, untouched", "no stamp, changed",
         "somebody else's stamp", "reverted, or never there", "another object"],
)  # fmt: skip
def test_whether_a_patch_arrived(obj: dict[str, Any], answer: str) -> None:
    assert landing.judge_landed(intent(), obj)[0] == answer


@pytest.mark.parametrize(
    ("meta", "answer"),
    [({"uid": "u-1"}, "no"), ({"uid": "u-1", "deletionTimestamp": "t"}, "yes"), ({"uid": "u-2"}, "yes")],
)
def test_whether_a_deletion_arrived(meta: dict[str, Any], answer: str) -> None:
    pod = ObjectRef("v1", "Pod", "spark-jobs", "x", "u-1")
    gone = replace(raise_overhead(app()), action="delete", patch=None, patch_type="", touched=(), target=pod)
    assert landing.judge_landed(intent(gone, 0), {"metadata": meta})[0] == answer


async def test_an_object_that_is_gone_proves_a_deletion_but_no_patch(cluster: Cluster, connection: Connection) -> None:
    made = create(cluster.kube, cluster.namespace)
    cluster.kube.delete(spark_path(cluster.namespace, "etl-orders"))
    patch = raise_overhead(made)
    assert (await landing.landed(connection.reader, intent(patch)))[0] == "unknown"
    gone = replace(patch, action="delete", patch=None, patch_type="", touched=())
    assert (await landing.landed(connection.reader, intent(gone)))[0] == "yes"
    script = replace(patch, action="script", target=None)
    assert (await landing.landed(connection.reader, intent(script)))[0] == "unknown"


# -- the same on the wire ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stale", [Pin("u-x", 1), Pin("", 9), Pin("", 1, ("/spec/executor/memoryOverhead",), {})])
async def test_a_pin_that_does_not_hold_lets_nothing_through(
    stale: Pin, cluster: Cluster, connection: Connection
) -> None:
    made = create(cluster.kube, cluster.namespace)
    effect = raise_overhead(made)
    assert effect.target is not None
    at = await kubernetes.place(connection.reader, effect.target)
    held = Pin(stale.uid or made["metadata"]["uid"], stale.generation, stale.touched, stale.before)
    with pytest.raises(kubernetes.Changed):
        await kubernetes.dry_run(Writer(connection), at, effect, made, held)
    sent = await kubernetes.send(Writer(connection), at, effect, made, held)
    assert (sent.ok, sent.message) == (False, "not applied: it has changed meanwhile")
    assert cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["spec"]["executor"]["memoryOverhead"] == OLD


async def test_what_the_server_finds_wrong_is_said_without_the_object(cluster: Cluster, connection: Connection) -> None:
    made = create(cluster.kube, cluster.namespace)
    effect = merge({"spec": {"executor": {"memoryOverhead": 7}}})
    effect = replace(effect, target=raise_overhead(made).target)
    assert effect.target is not None
    at = await kubernetes.place(connection.reader, effect.target)
    with pytest.raises(ConsoleError, match="memoryOverhead") as caught:
        await kubernetes.dry_run(Writer(connection), at, effect, made, kubernetes.pin(effect, made))
    assert "mainApplicationFile" not in caught.value.message
    assert len(caught.value.message) < 300
