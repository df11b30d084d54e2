"""Evictions, taints and keys of ConfigMaps: what is worked out beside the object, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from console.actions import operations, pins, verb_of
from console.actions.beside import FoundBeside, NoSuchChange
from console.actions.effects import STAMP, Effect, ObjectRef
from console.operate.ahead.preview import way_back

NODE = ObjectRef("v1", "Node", "", "n-1", "u-1")
POD = ObjectRef("v1", "Pod", "jobs", "p", "u-1")
CONFIG = ObjectRef("v1", "ConfigMap", "jobs", "conf", "u-1")
MINE, OTHER = {"key": "ill", "effect": "NoSchedule"}, {"key": "team", "value": "a", "effect": "NoExecute"}


def taints(action: str, present: list[dict[str, str]], **keys: Any) -> Any:
    change = Effect("w/1", "s", "x", action, NODE, arguments=keys)
    settled = verb_of(action).settle(change, {"spec": {"taints": present}}, {}, 0.0)
    assert settled.touched == ("/spec/taints",)
    return settled.patch["spec"]["taints"]


def test_a_taint_is_added_beside_the_others_or_set_anew() -> None:
    assert taints("taint", [OTHER], key="ill") == [OTHER, MINE]
    assert taints("taint", [{**MINE, "value": "old"}], key="ill", value=1) == [{**MINE, "value": "1"}]
    assert taints("taint", [MINE], key="ill", taint_effect="NoExecute") == [MINE, {"key": "ill", "effect": "NoExecute"}]


def test_a_taint_is_taken_off_and_the_last_one_leaves_no_list() -> None:
    assert taints("untaint", [OTHER, MINE], key="ill") == [OTHER]
    assert taints("untaint", [MINE], key="ill") is None
    assert taints("untaint", [MINE, {**MINE, "effect": "NoExecute"}], key="ill", taint_effect="NoExecute") == [MINE]


@pytest.mark.parametrize(
    ("key", "said"),
    [("ill", ""), ("other", "it has no such taint other"), ("node.kubernetes.io/not-ready", "own controllers")],
)
def test_only_a_taint_that_is_there_and_is_nobodys_own_is_taken_off(key: str, said: str) -> None:
    change = Effect("w/1", "s", "x", "untaint", NODE, arguments={"key": key})
    found = "".join(verb_of("untaint").obstacles(change, {"spec": {"taints": [MINE]}}, {}))
    assert said in found and bool(found) is bool(said)


@pytest.mark.parametrize(("wanted", "level"), [("NoExecute", "warning"), (None, "info")])
def test_a_taint_that_ends_pods_says_so(wanted: str | None, level: str) -> None:
    keys = {"key": "ill", "taint_effect": wanted}
    (said,) = verb_of("taint").consequences(Effect("w/1", "s", "x", "taint", NODE, arguments=keys), {}, (), 0.0)
    assert said.level == level


def pod(*owners: str, role: str = "", controls: bool = True) -> dict[str, Any]:
    refs = [{"kind": kind, "name": "o", "controller": controls} for kind in owners]
    meta = {"name": "p", "namespace": "jobs", "labels": {"spark-role": role}, "annotations": {}}
    return {"kind": "Pod", "metadata": {**meta, "ownerReferences": refs}}


@pytest.mark.parametrize(
    ("obj", "level", "said"),
    [
        (pod(), "warning", "nothing makes it again"),
        (pod("Backup", controls=False), "warning", "nothing makes it again"),
        (pod("ReplicaSet"), "info", "its ReplicaSet makes another"),
        (pod("Pod", role="executor"), "info", "the driver asks for another executor"),
        (pod("SparkApplication", role="driver"), "warning", "the application ends; whether"),
    ],
)
def test_whether_an_evicted_pod_comes_back_is_said(obj: dict[str, Any], level: str, said: str) -> None:
    found = verb_of("evict").consequences(Effect("w/1", "s", "x", "evict", POD), obj, (), 0.0)
    (one,) = [c for c in found if c.topic == "restart"]
    assert one.level == level and one.text.startswith(said)
    assert any("PodDisruptionBudget" in c.text for c in found)


def test_a_pod_of_a_daemon_set_is_back_at_once_and_a_static_one_does_not_go() -> None:
    change = Effect("w/1", "s", "x", "evict", POD)
    found = verb_of("evict").consequences(change, pod("DaemonSet"), (), 0.0)
    assert any("puts it back on the same node" in c.text for c in found)
    static = pod()
    static["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "x"
    (why,) = verb_of("evict").obstacles(change, static, {})
    assert why.startswith("it is a static pod")


# -- restore ----------------------------------------------------------------------------------------------------------


def restored(beside: Any = None, **keys: Any) -> Effect:
    change = Effect("w/1", "s", "x", "restore", CONFIG, arguments=keys)
    return verb_of("restore").settle(change, {"data": {"a.conf": "now"}}, beside or {}, 0.0)


def test_a_key_is_restored_from_a_value_or_from_another_config_map() -> None:
    assert restored(key="a.conf", value="before").patch == {"data": {"a.conf": "before"}}
    seen = {"source": FoundBeside(({"data": {"a.conf": "kept", "b": "other"}},))}
    assert restored(seen, key="a.conf", source="old").patch == {"data": {"a.conf": "kept"}}
    assert restored(seen, key="a.conf", source="old", source_key="b").touched == ("/data/a.conf",)
    assert restored(seen, key="a.conf", source="old", source_key="b").patch == {"data": {"a.conf": "other"}}


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (FoundBeside(), "there is no ConfigMap old"),
        (FoundBeside(({"data": {}},)), "ConfigMap old has no key a.conf"),
        (FoundBeside(error="forbidden"), "ConfigMap old cannot be read: forbidden"),
    ],
)
def test_a_value_that_is_not_there_is_said(seen: FoundBeside, said: str) -> None:
    with pytest.raises(NoSuchChange, match=said):
        restored({"source": seen}, key="a.conf", source="old")


# -- what others share ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["annotations", "labels"])
def test_a_way_back_takes_off_its_own_keys_and_leaves_those_of_others(field: str) -> None:
    action = {"annotations": "annotate", "labels": "label"}[field]
    obj: dict[str, Any] = {"metadata": {"uid": "u-1"}}
    body = verb_of(action).body({field: {"mine": "1"}})
    change = Effect("w/1", "s", "x", action, CONFIG, "merge", body.patch, touched=body.touched, reversible=True)
    held = pins.of_fields(change, obj)
    effect, back = way_back(pins.pinned(change, held), held)
    assert back is not None and back.patch == {"metadata": {field: {"mine": None}}}
    sent = operations.body(effect, obj, held)
    stamped = "/metadata/annotations/" + STAMP.replace("/", "~1")
    whole = {"op": "add", "path": "/metadata/annotations", "value": {STAMP: "w/1"}}
    assert sent[-1] == (whole if field == "labels" else {"op": "add", "path": stamped, "value": "w/1"})
    assert sum(o.get("path") == "/metadata/annotations" and o["op"] == "add" for o in sent) == 1
    theirs = {"metadata": {"uid": "u-1", field: {"mine": "1", "theirs": "2"}}}
    assert operations.locally(back, theirs)["metadata"][field] == {"theirs": "2"}
