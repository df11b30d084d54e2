"""The patch that goes out, what pins it, and what an object says about whether it arrived."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.actions import operations, patches, pins, verb_of, verbs
from console.actions.effects import STAMP, Effect, ObjectRef
from console.actions.pins import Pin
from console.actions.verb import ApiRequest, Right
from console.base.errors import ConsoleError, UsageError
from console.operate.ahead.preview import NOT_KEPT, way_back
from console.runbook.walk import Intent
from console.timeline.prose import sentence
from tests.operate.objects import NEW, OLD, raise_overhead, spark_application

STAMP_POINTER = "/metadata/annotations/" + STAMP.replace("/", "~1")


def app(**spec: Any) -> dict[str, Any]:
    obj = spark_application("spark-jobs", uid="u-1", generation=3)
    obj["spec"].update(spec)
    return obj


def merge(patch: dict[str, Any]) -> Effect:
    return replace(raise_overhead(app()), patch=patch, touched=patches.touched(patch, "merge"))


def test_the_patch_tests_what_was_seen_before_it_changes_anything() -> None:
    effect = raise_overhead(app())
    held = pins.of_fields(effect, app())
    assert held == Pin("u-1", 3, ("/spec/executor/memoryOverhead",), {"/spec/executor/memoryOverhead": OLD})
    assert operations.body(effect, app(), held) == [
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
    assert operations.stamp(raise_overhead(obj), obj) == [{"op": "add", "path": STAMP_POINTER, "value": "w-1/1"}]


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
    assert pins.of_fields(merge(patch), app()).touched == touched


@pytest.mark.parametrize("patch", [patch for patch, _ in CASES])
def test_the_way_back_restores_the_object_exactly(patch: dict[str, Any]) -> None:
    obj = app()
    held = pins.of_fields(merge(patch), obj)
    effect, rollback = way_back(pins.pinned(merge(patch), held), held)
    assert effect.reversible
    assert rollback is not None
    changed = operations.locally(effect, obj)
    assert operations.locally(rollback, changed)["spec"] == obj["spec"]


def test_a_secret_that_is_not_kept_cannot_be_put_back() -> None:
    obj = app(sparkConf={"spark.hadoop.fs.s3a.secret.key": "planted-value"})
    effect = merge({"spec": {"sparkConf": {"spark.hadoop.fs.s3a.secret.key": None}}})
    held = pins.of_fields(effect, obj)
    effect, rollback = way_back(pins.pinned(effect, held), held)
    assert rollback is None
    assert (effect.reversible, effect.reason) == (False, NOT_KEPT)


def json_effect(*operations: dict[str, Any]) -> Effect:
    patch = list(operations)
    return replace(raise_overhead(app()), patch_type="json", patch=patch, touched=patches.touched(patch, "json"))


def test_a_json_patch_is_sent_as_it_is_between_the_tests() -> None:
    effect = json_effect({"op": "add", "path": "/spec/arguments/-", "value": "--fast"})
    obj = app(arguments=["a"])
    held = pins.of_fields(effect, obj)
    assert held.touched == ("/spec/arguments",)
    assert held.before == {"/spec/arguments": ["a"]}
    assert operations.body(effect, obj, held)[3] == effect.patch[0]
    assert operations.locally(effect, obj)["spec"]["arguments"] == ["a", "--fast"]


def test_a_local_preview_of_list_items_and_of_what_it_does_not_know() -> None:
    obj = app(arguments=["a", "b"])
    remove = json_effect({"op": "remove", "path": "/spec/arguments/0"})
    assert operations.locally(remove, obj)["spec"]["arguments"] == ["b"]
    put = json_effect({"op": "replace", "path": "/spec/arguments/1", "value": "c"})
    assert operations.locally(put, obj)["spec"]["arguments"] == ["a", "c"]
    assert obj["spec"]["arguments"] == ["a", "b"], "the object itself is left alone"
    with pytest.raises(ConsoleError, match="'move' has no local preview"):
        operations.locally(json_effect({"op": "move", "from": "/spec/a", "path": "/spec/b"}), obj)


# -- landed -----------------------------------------------------------------------------------------------------------


def landed(obj: dict[str, Any], effect: Effect | None = None, generation: int = 3) -> str:
    effect = effect or raise_overhead(app())
    before = {"/spec/executor/memoryOverhead": OLD}
    return verb_of(effect.action).landed(effect, before, generation, obj)[0]


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
    assert landed(obj) == answer


@pytest.mark.parametrize(
    ("meta", "answer"),
    [({"uid": "u-1"}, "no"), ({"uid": "u-1", "deletionTimestamp": "t"}, "yes"), ({"uid": "u-2"}, "yes")],
)
def test_whether_a_deletion_arrived(meta: dict[str, Any], answer: str) -> None:
    pod = ObjectRef("v1", "Pod", "spark-jobs", "x", "u-1")
    gone = replace(raise_overhead(app()), action="delete", patch=None, patch_type="", touched=(), target=pod)
    assert landed({"metadata": meta}, gone, 0) == answer


# -- the room ---------------------------------------------------------------------------------------------------------


def test_the_verbs_are_the_modules_that_have_one_in_folders_too() -> None:
    assert {"delete", "patch", "scale", "script"} <= set(verbs())
    assert list(verbs()) == sorted(verbs())
    assert all(verb_of(name).name == name for name in verbs())


def test_a_verb_of_a_newer_version_is_named_and_not_guessed() -> None:
    with pytest.raises(UsageError, match="knows no action 'pach'") as caught:
        verb_of("pach")
    assert caught.value.hint == "did you mean 'patch'?"
    assert sentence(Intent(1.0, "raise", replace(raise_overhead(app()), action="bless"))) == (
        "about to bless SparkApplication spark-jobs/etl-orders"
    )


@pytest.mark.parametrize(("action", "verb"), [("patch", "patch"), ("script", "patch"), ("delete", "delete")])
def test_each_needs_one_right_on_its_target(action: str, verb: str) -> None:
    effect = replace(raise_overhead(app()), action=action)
    assert verb_of(action).rights(effect, "sparkapplications", "spark-jobs") == (
        Right(verb, "sparkoperator.k8s.io", "sparkapplications", "spark-jobs", "etl-orders"),
    )


def test_a_deletion_is_of_this_object_and_has_no_way_back() -> None:
    effect = replace(raise_overhead(app()), action="delete")
    delete = verb_of("delete")
    pin = delete.pin(effect, app())
    assert pin == Pin("u-1", 0)
    assert delete.request(effect, app(), pin) == ApiRequest("DELETE", uid="u-1")
    assert delete.inverse(effect, {}) is None
    assert delete.shown({**app(), "kind": "Pod"})[:2] == ("-Pod spark-jobs/etl-orders", "-  uid: u-1")


def test_only_a_script_runs_here_and_only_deletion_and_eviction_end_the_object() -> None:
    assert [name for name, verb in verbs().items() if verb.runs] == ["script"]
    assert [name for name, verb in verbs().items() if not verb.lasts] == ["delete", "evict"]
