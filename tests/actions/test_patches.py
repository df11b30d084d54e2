"""What a patch touches, what stood there before, and how it is put back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.actions import patches, verb_of
from console.actions.effects import Effect, ObjectRef

TARGET = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "ns", "a", "u")


def inverse(change: Effect, before: dict[str, Any]) -> Effect | None:
    return verb_of(change.action).inverse(change, before)


def effect(patch: Any, **fields: Any) -> Effect:
    pointers = fields.pop("touched", None) or patches.touched(patch, fields.get("patch_type", "merge"))
    basis: dict[str, Any] = {"action": "patch", "target": TARGET, "patch_type": "merge", "touched": pointers}
    return Effect(id="w/1", step="s", title="t", patch=patch, **{**basis, **fields})


def merged(obj: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    out = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merged(out.get(key), value)
    return out


def test_the_leaves_of_a_merge_patch_are_touched() -> None:
    patch = {"spec": {"executor": {"memory": "2g", "env": [1]}, "sparkConf": {"spark.a/b~c": None}, "x": {}}}
    assert patches.touched(patch, "merge") == (
        "/spec/executor/memory", "/spec/executor/env", "/spec/sparkConf/spark.a~1b~0c", "/spec/x",
    )  # fmt: skip


def test_the_paths_of_a_json_patch_are_touched_but_not_its_tests() -> None:
    patch = [
        {"op": "test", "path": "/a", "value": 1},
        {"op": "replace", "path": "/a", "value": 2},
        {"op": "remove", "path": "/b"},
    ]
    assert patches.touched(patch, "json") == ("/a", "/b")


def test_absent_is_not_null() -> None:
    assert patches.before({"a": {"b": None}}, ("/a/b", "/a/c", "/x/y")) == {"/a/b": None}
    assert patches.get({"a": [{"b": 1}]}, "/a/0/b") == 1
    assert patches.get({"a": [1]}, "/a/5") is patches.MISSING


def test_the_inverse_restores_values_and_removes_what_was_not_there() -> None:
    obj = {"spec": {"executor": {"memory": "1g", "cores": 2}}}
    change = effect({"spec": {"executor": {"memory": "2g", "memoryOverhead": "1g"}}})
    undo = inverse(change, patches.before(obj, change.touched))
    assert undo is not None
    assert undo.patch == {"spec": {"executor": {"memory": "1g", "memoryOverhead": None}}}
    assert (undo.id, undo.inverse_of, undo.reversible) == ("w/1.undo", "w/1", False)
    assert merged(merged(obj, change.patch), undo.patch) == obj


def test_a_script_with_a_target_is_undone_by_a_patch() -> None:
    change = effect(None, action="script", patch_type="", argv=("python", "x"), touched=("/spec/executor/cores",))
    undo = inverse(change, {"/spec/executor/cores": 4})
    assert undo is not None and undo.action == "patch" and undo.argv == ()
    assert undo.patch == {"spec": {"executor": {"cores": 4}}}


@pytest.mark.parametrize(
    "change",
    [
        effect(None, action="delete", touched=("/x",)),
        effect(None, action="script", patch_type="", target=None, touched=("/spec/x",)),
        effect([{"op": "add", "path": "/spec/list/-", "value": 1}], patch_type="json"),
    ],
    ids=["delete", "script without target", "list item"],
)
def test_what_cannot_be_undone_says_so(change: Effect) -> None:
    assert inverse(change, {}) is None


keys = st.text(st.sampled_from("ab~/.1"), min_size=1, max_size=3).filter(lambda k: not k.isdigit())
trees = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(keys, inner, min_size=1, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(keys, trees, max_size=3)


@given(objects, st.dictionaries(keys, trees, min_size=1, max_size=3))
def test_a_change_and_its_inverse_leave_every_touched_field_as_it_was(obj: Any, patch: Any) -> None:
    change = effect(patch)
    before = patches.before(obj, change.touched)
    undo = inverse(change, before)
    if undo is None:
        return
    restored = merged(merged(obj, patch), undo.patch)
    for pointer in change.touched:
        there = patches.get(obj, pointer)
        parents_were_values = _through_a_value(obj, pointer)
        if not parents_were_values and not isinstance(there, dict):
            assert patches.get(restored, pointer) == there or there is patches.get(restored, pointer)


def _through_a_value(obj: Any, pointer: str) -> bool:
    for part in patches.parts(pointer)[:-1]:
        if not isinstance(obj, dict):
            return True
        if part not in obj:
            return False
        obj = obj[part]
    return not isinstance(obj, dict)
