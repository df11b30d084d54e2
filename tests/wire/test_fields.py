"""Fields that a script's write would change: what lies below the declared ones passes, what stays as it is too."""

from __future__ import annotations

from typing import Any

import pytest

from console.wire.fields import beyond

PRESENT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Thing",
    "metadata": {"name": "a", "uid": "u", "labels": {"team": "x"}, "annotations": {"mine": "1"}},
    "spec": {"cores": 4, "conf": {"a/b": "1", "c": "2"}, "list": [{"name": "m", "size": 1}]},
    "status": {"phase": "Up"},
}
MERGE, JSON = "application/merge-patch+json", "application/json-patch+json"
TOUCHES = ("/spec/cores", "/spec/conf/a~1b")


@pytest.mark.parametrize(
    ("kind", "tree", "found"),
    [
        (MERGE, {"spec": {"cores": 2}}, ()),
        (MERGE, {"spec": {"conf": {"a/b": None}}}, ()),
        (MERGE, {"spec": {"cores": 2, "conf": {"a/b": "1", "c": "2"}}}, ()),
        (MERGE, {"spec": {"conf": {"c": None}}}, ("/spec/conf/c",)),
        (MERGE, {"spec": {"gone": None}}, ()),
        (MERGE, {"spec": None}, ("/spec",)),
        (MERGE, {"spec": {"cores": 2, "image": "x"}}, ("/spec/image",)),
        (MERGE, {"metadata": {"labels": {"team": "y"}}}, ("/metadata/labels/team",)),
        (MERGE, {"metadata": {"annotations": {"stamp/er": "z"}, "resourceVersion": "7"}}, ()),
        (MERGE, {"metadata": {"annotations": {"mine": "2"}}}, ("/metadata/annotations/mine",)),
        (MERGE, {"spec": {"list": [{"name": "m", "size": 2}]}}, ("/spec/list",)),
        (MERGE, {"spec": {"conf": {"$patch": "replace"}}}, ("/spec/conf/$patch",)),
        (JSON, [{"op": "replace", "path": "/spec/cores", "value": 2}], ()),
        (JSON, [{"op": "test", "path": "/spec/conf/c", "value": "2"}], ()),
        (JSON, [{"op": "remove", "path": "/spec/conf/c"}], ("/spec/conf/c",)),
        (JSON, [{"op": "replace", "path": "/spec", "value": {"cores": 2}}], ("/spec/conf", "/spec/list")),
        (JSON, [{"op": "move", "from": "/spec/conf/c", "path": "/spec/cores"}], ("/spec/conf/c",)),
        (JSON, [{"op": "add", "path": "/spec/list/-", "value": {}}], ("/spec/list/-",)),
        (JSON, [{"op": "replace", "path": "/spec/list/0/size", "value": 3}], ("/spec/list/0/size",)),
    ],
)
def test_what_a_patch_would_change_beyond_what_is_declared(kind: str, tree: Any, found: tuple[str, ...]) -> None:
    assert beyond(tree, kind, "patch", PRESENT, TOUCHES, "stamp/er") == found


def test_an_update_changes_what_it_leaves_out_as_well() -> None:
    kept = {**PRESENT, "spec": {**PRESENT["spec"], "cores": 1}}
    assert beyond(kept, "application/json", "update", PRESENT, TOUCHES, "stamp/er") == ()
    less = {**PRESENT, "spec": {"cores": 1, "conf": PRESENT["spec"]["conf"]}}
    assert beyond(less, "application/json", "update", PRESENT, TOUCHES, "stamp/er") == ("/spec/list",)
