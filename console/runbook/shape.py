"""What the template context looks like before there is data: names and fields that lint checks paths against."""

from __future__ import annotations

from functools import cache
from typing import Any

from msgspec import inspect as types

from console.health.facts import Alert, Node, SourceState
from console.health.model import Cluster, Finding, SloStatus, SparkApp
from console.runbook.model import Runbook, Step

Shape = Any
"""A dict of shapes by field (`*` for any other key), a one-item list for a list, LEAF, or ANY."""
LEAF, ANY = "leaf", "any"

OUTPUTS: dict[str, tuple[str, ...]] = {
    "check": ("status", "because", "value"),
    "decide": ("status", "because"),
    "wait": ("status", "because"),
    "ask": ("answer", "by"),
    "note": ("answer", "by"),
    "manual": ("answer", "by"),
    "change": ("applied", "message", "exit_code", "output", "refused", "by", "because"),
    "script": ("applied", "message", "exit_code", "output", "refused", "by", "because"),
    "verify": ("verdict", "because"),
    "end": (),
}
"""What a step of each kind leaves behind under `steps`."""

AFTER = (
    "at", "written", "new_driver", "executors", "wanted", "oom_deaths", "driver_oom_deaths", "deaths", "completed",
    "failed", "tasks", "failed_tasks",
)  # fmt: skip


@cache
def of_struct(kind: type[Any]) -> Shape:
    """The shape of a struct as plain data."""
    return _shape(types.type_info(kind), 0)


def _shape(kind: types.Type, depth: int) -> Shape:
    match kind:
        case types.StructType() if depth < 6:
            return {f.encode_name: _shape(f.type, depth + 1) for f in kind.fields}
        case types.VarTupleType() | types.ListType():
            return [_shape(kind.item_type, depth + 1)]
        case types.DictType():
            return ANY
        case types.UnionType():
            parts = [t for t in kind.types if not isinstance(t, types.NoneType)]
            return _shape(parts[0], depth) if len(parts) == 1 else LEAF
        case types.AnyType() | types.StructType():
            return ANY
    return LEAF


_APP = {**of_struct(SparkApp), "subject": LEAF, "live": LEAF}
_FINDING = {**of_struct(Finding), "key": LEAF}
_SLO = {**of_struct(SloStatus), "burn_*": LEAF}


def context(runbook: Runbook, step: Step | None) -> dict[str, Shape]:
    """Names that a template of `step` may use, with what is below each."""
    steps: dict[str, Shape] = {}
    for other in runbook.steps:
        fields = dict.fromkeys(OUTPUTS[other.kind], LEAF)
        steps[other.id] = steps[other.id.replace("-", "_")] = fields
    out: dict[str, Shape] = {
        "now": LEAF,
        "app": _APP,
        "finding": _FINDING,
        "findings": [_FINDING],
        "found": {"*": _FINDING},
        "elsewhere": [_FINDING],
        "inputs": {i.name: LEAF for i in runbook.inputs},
        "steps": steps,
        "slos": {"*": _SLO},
        "recovery": {"state": LEAF, "ids": [LEAF], "words": LEAF},
        "alert": of_struct(Alert),
        "cluster": of_struct(Cluster),
        "nodes": [{**of_struct(Node), "true": [LEAF]}],
        "sources": {"*": of_struct(SourceState)},
        "after": dict.fromkeys(AFTER, LEAF),
        "values": dict.fromkeys(runbook.values, ANY),
    }
    if step is not None and step.query:
        out["query"] = {"state": LEAF, "value": LEAF, "error": LEAF, "samples": [{"labels": ANY, "value": LEAF}]}
    return out


def down(shape: Shape, key: str) -> Shape | None:
    """The shape of a field, or None where there is no such field."""
    if shape == ANY:
        return ANY
    if not isinstance(shape, dict):
        return None
    if key in shape:
        return shape[key]
    for name, inner in shape.items():
        if name.endswith("*") and key.startswith(name[:-1]):
            return inner
    return None
