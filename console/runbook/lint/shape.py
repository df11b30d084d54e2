"""What the template context looks like before there is data: names and fields that lint checks paths against."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from msgspec import inspect as types

from console.apps.model import SparkApp
from console.apps.states import STATES as APP_STATES
from console.board.model import Cluster
from console.components.model import Component
from console.facts.model import Alert, Node, SourceState
from console.findings.figures import Figures, families, figures_of
from console.findings.model import Finding
from console.runbook import graph
from console.runbook.catalogue import Catalogue
from console.runbook.context.after import After
from console.runbook.context.objectives import ObjectiveRecovery
from console.runbook.lint import live
from console.runbook.lint.words import ANY, LEAF, Partial, Shape, Words, near
from console.runbook.model import Runbook, Step
from console.slo.model import SloStatus

OUTPUTS: dict[str, tuple[str, ...]] = {
    "check": ("status", "because", "value"),
    "decide": ("status", "because"),
    "wait": ("status", "because"),
    "ask": ("answer", "by"),
    "note": ("answer", "by"),
    "manual": ("answer", "by"),
    "escalate": ("answer", "by", "because"),
    "change": ("applied", "message", "exit_code", "output", "refused", "by", "because"),
    "script": ("applied", "message", "exit_code", "output", "refused", "by", "because"),
    "verify": ("verdict", "because"),
    "each": ("status", "because", "members"),
    "run": (),
    "end": (),
}
"""What a step of each kind leaves behind under `steps`."""


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
        case types.LiteralType() if all(isinstance(value, str) for value in kind.values):
            return Words(*(str(value) for value in kind.values))
        case types.UnionType():
            parts = [t for t in kind.types if not isinstance(t, types.NoneType)]
            return _shape(parts[0], depth) if len(parts) == 1 else LEAF
        case types.AnyType() | types.StructType():
            return ANY
    return LEAF


@cache
def figures(codes: tuple[str, ...]) -> Shape:
    """The figures that a finding of one of these codes may have: the fields of all their families.

    ANY where there is no code, or one whose family has no struct of its own: then nothing can be said to be missing.
    """
    kinds = [figures_of(code) for code in codes]
    if not kinds or Figures in kinds:
        return ANY
    out: dict[str, Shape] = {}
    for name, inner in (field for kind in kinds for field in of_struct(kind).items()):
        out[name] = inner if out.get(name, inner) == inner else ANY
    return out


def own_figures(runbook: Runbook) -> Shape:
    """The figures of `finding`: of the codes that lead here. A class of incidents may be a finding of any code."""
    return ANY if runbook.match.classes else figures(runbook.match.findings)


_APP = {**of_struct(SparkApp), "state": Words(*APP_STATES), "subject": LEAF, "live": LEAF}
_FINDING = {**of_struct(Finding), "key": LEAF, "data": ANY}
_SLO = {**of_struct(SloStatus), "burn_*": LEAF}


@cache
def _found() -> dict[str, Shape]:
    """Findings by their code; one of any other code has no figures that are known."""
    return {**{code: {**_FINDING, "data": figures((code,))} for code in families()}, "*": _FINDING}


def context(runbook: Runbook, step: Step | None, catalogue: Catalogue | None = None) -> dict[str, Shape]:
    """Names that a template of `step` may use, with what is below each; live objects as the catalogue knows them."""
    steps: dict[str, Shape] = {}
    for other in runbook.steps:
        fields: dict[str, Shape] = dict.fromkeys(OUTPUTS[other.kind], LEAF)
        if other.kind == "ask":
            fields["answer"] = Words(*(choice.value for choice in other.choices))
        if other.kind == "verify":
            fields["verdict"] = Words(*graph.VERDICTS)
        steps[other.id] = steps[other.id.replace("-", "_")] = fields
    out: dict[str, Shape] = {
        "now": LEAF,
        "app": _APP,
        "finding": {**_FINDING, "data": own_figures(runbook)},
        "findings": [_FINDING],
        "found": _found(),
        "elsewhere": [_FINDING],
        "inputs": {i.name: LEAF for i in runbook.inputs},
        "steps": steps,
        "slos": {"*": _SLO},
        "recovery": of_struct(ObjectiveRecovery),
        "alert": of_struct(Alert),
        "cluster": of_struct(Cluster),
        "nodes": [{**of_struct(Node), "true": [LEAF]}],
        "sources": {"*": of_struct(SourceState)},
        "after": of_struct(After),
        "values": dict.fromkeys(runbook.values, ANY),
        "walk": {"happened": LEAF, "last": LEAF, "changes": [LEAF], "undone": [LEAF], "wrote": LEAF},
        "saved": {name: ANY for other in runbook.steps for name in other.saves},
    }
    if runbook.about:
        out.update(_general(runbook, step, catalogue or Catalogue()))
    if step is not None and step.query:
        out["query"] = {
            "state": Words("ok", "empty", "error"),
            "value": LEAF,
            "error": LEAF,
            "samples": [{"labels": ANY, "value": LEAF}],
        }
    return out


def _general(runbook: Runbook, step: Step | None, catalogue: Catalogue) -> dict[str, Shape]:
    """What a walk knows beside an application."""
    heads = [head for other in runbook.steps if (head := runbook.step(other.block)) is not None]
    mine = [h.item for h in heads if step is not None and step.block == h.id]
    probes = {p.name: live.answer(p) for p in runbook.probes}
    named = ["object", *(o.name for o in runbook.objects), *(h.item for h in heads)]
    objects = {o.name: live.of(o, catalogue) for o in runbook.objects}
    about = {a.kind: a.of for a in runbook.about}
    out: dict[str, Shape] = {
        "subject": dict.fromkeys(("key", "kind", "namespace", "name", "words"), LEAF),
        "applies": {"now": LEAF, "because": LEAF},
        "components": {"*": of_struct(Component)},
        "seen": {name: {"state": Words(*live.SEEN), "because": LEAF} for name in (*named, *probes)},
        "created": dict.fromkeys(named, LEAF),
        "changed": dict.fromkeys(named, LEAF),
        "changed_by": dict.fromkeys(named, LEAF),
        "writers": {name: [{"manager": LEAF, "at": LEAF, "fields": [LEAF]}] for name in named},
        "object": live.tree((about["object"],), catalogue) if about.get("object") else ANY,
        **objects,
        **probes,
        **dict.fromkeys(mine, ANY),
    }
    if "node" in about:
        out["node"] = live.tree(("Node",), catalogue)
    if "schedule" in about:
        out["schedule"] = live.tree(("ScheduledSparkApplication", "CronJob"), catalogue)
    for head in heads:
        root = re.match(r"[a-z_]\w*", head.each)
        listed = objects.get(root[0]) if root else None
        if head.item in mine and isinstance(listed, list):
            out[head.item] = listed[0]
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
    return ANY if isinstance(shape, Partial) and not near(key, shape) else None
