"""Live objects by the names that a runbook gives them: which are wanted, and what of them templates see. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from console.actions.effects import ObjectRef
from console.actions.handsoff import cordoner
from console.base.clock import parse_time
from console.base.redact import redact_value
from console.base.shapes import mappings
from console.board.model import Board
from console.runbook import about, template
from console.runbook.context.plain import without_none
from console.runbook.context.turns import member_of
from console.runbook.context.values import named_values
from console.runbook.context.writers import changed_by, writers
from console.runbook.language.targets import KINDS
from console.runbook.model import NamedObject, Runbook
from console.runbook.walk import Walk

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
MOST, MOST_OF_ALL = 200, 1000
"""Objects of one list: by labels, and of a whole namespace."""


class Wanted(Struct, frozen=True):
    """An object to be read, or with `labels` a list of them."""

    name: str
    ref: ObjectRef
    labels: dict[str, str] | None = None


class LiveObject(Struct, frozen=True):
    """What came of reading one. `tree`: the object, or the list of them; None where there is none to show."""

    state: Literal["found", "absent", "forbidden", "unreachable"]
    tree: Any = None
    because: str = ""


def wanted(runbook: Runbook, board: Board, walk: Walk, ctx: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """What to read. An object whose name cannot be told is left out: it is not known."""
    key = walk.subject
    out = [Wanted("object", ref)] if (ref := subject_ref(board, key)) is not None else []
    if (turn := member_of(walk, runbook)) is not None and (ref := _ref_of(turn[1])) is not None:
        out.append(Wanted(turn[0], ref))
    for one in runbook.objects:
        found = _workload(board, key, one) if one.workload else _filled(one, ctx)
        out += [found] if found is not None else []
    return tuple(out)


def _ref_of(member: Any) -> ObjectRef | None:
    """The object that a member of a list is; None where it is a plain value."""
    meta = member.get("metadata") if isinstance(member, dict) else None
    if not isinstance(meta, dict):
        return None
    version, kind, name = member.get("apiVersion"), member.get("kind"), meta.get("name")
    if not isinstance(version, str) or not isinstance(kind, str) or not isinstance(name, str):
        return None
    return ObjectRef(version, kind, str(meta.get("namespace") or ""), name)


def subject_ref(board: Board, key: str) -> ObjectRef | None:
    """The live object of a subject; None where it is none that can be read (a component, the cluster)."""
    app = board.app(key)
    if app is not None:
        return ObjectRef(app.api_version, app.kind, app.namespace, app.name) if app.api_version and app.kind else None
    if key.count("/") != 2 or about.component_of(key):
        return None
    kind, namespace, name = key.split("/")
    version = KINDS.get(kind)
    return ObjectRef(version, kind, namespace, name) if version and name else None


def _workload(board: Board, key: str, one: NamedObject) -> Wanted | None:
    id = about.component_of(key)
    component = next((c for c in board.components if c.id == id), None)
    keys = about.objects_of(component) if component is not None else (key,)
    fit = [k for k in keys if k.split("/")[0] in WORKLOADS]
    if not fit:
        return None
    kind, namespace, name = min(fit, key=lambda k: WORKLOADS.index(k.split("/")[0])).split("/")
    return Wanted(one.name, ObjectRef("apps/v1", kind, namespace, name))


def _filled(one: NamedObject, ctx: Mapping[str, Any]) -> Wanted | None:
    where = f"object {one.name}"
    try:
        name, namespace = template.render(one.object, ctx, where), template.render(one.namespace, ctx, where)
        labels = {key: template.render(value, ctx, where) for key, value in one.labels.items()}
    except template.TemplateError:
        return None
    return Wanted(one.name, ObjectRef(one.api_version, one.kind, namespace, name), labels if one.listed else None)


def with_objects(ctx: Mapping[str, Any], runbook: Runbook, read: Mapping[str, LiveObject], key: str) -> dict[str, Any]:
    """`ctx` with each object under its name, `seen` (how reading went), `created`, `changed` and `changed_by` (when it
    was made, when and by whom it was changed last), and `writers` (who wrote which of its fields).

    An object has `gone` beside its own fields; one that does not exist has nothing else. A probe has `open`, and of an
    HTTP answer `status`, `seconds`, `text` and `json`.
    """
    out = dict(ctx)
    seen: dict[str, Any] = {}
    created: dict[str, float] = {}
    changed: dict[str, float] = {}
    wrote: dict[str, Any] = {}
    by: dict[str, str] = {}
    probes = {probe.name for probe in runbook.probes}
    for name, one in read.items():
        seen[name] = {"state": one.state, "because": one.because}
        if one.state == "absent":
            out[name] = {"gone": True}
        if one.tree is None:
            continue
        if name in probes:
            out[name] = without_none(one.tree)
            continue
        tree = without_none(shown(one.tree))
        out[name] = {**tree, "gone": False} if isinstance(tree, dict) else tree
        if isinstance(one.tree, dict) and (at := changed_at(one.tree)) is not None:
            changed[name] = at
            created[name] = parse_time((one.tree.get("metadata") or {}).get("creationTimestamp")) or 0.0
        if isinstance(one.tree, dict):
            wrote[name] = writers(one.tree)
            by.update({name: who} if (who := changed_by(one.tree)) else {})
    if "object" in out:
        kind = key.split("/")[0]
        alias = "node" if kind == "Node" else "schedule" if kind in about.SCHEDULES else ""
        out.update({alias: out["object"]} if alias else {})
    out |= {"seen": seen, "created": created, "changed": changed, "writers": wrote, "changed_by": by}
    if runbook.values:
        out["values"] = named_values(runbook, out)
    return out


def shown(tree: Any) -> Any:
    """An object as templates see it: of a Secret the names of its keys, of all others no secret values.

    A node that is cordoned has `cordonedBy`: who did that, in words.
    """
    if isinstance(tree, list):
        return [shown(item) for item in tree]
    meta = {k: v for k, v in (tree.get("metadata") or {}).items() if k != "managedFields"}
    if tree.get("kind") == "Secret":
        named = {k: tree[k] for k in ("apiVersion", "kind", "type") if k in tree}
        return {**named, "metadata": redact_value(meta), "keys": sorted(str(key) for key in tree.get("data") or {})}
    who = cordoner(tree)[0] if tree.get("kind") == "Node" else ""
    return redact_value({**tree, "metadata": meta, **({"cordonedBy": who} if who else {})})


def changed_at(obj: Mapping[str, Any]) -> float | None:
    """When somebody last changed what it should be: the latest field that is none of its status."""
    meta = obj.get("metadata") or {}
    fields = [f for f in mappings(meta.get("managedFields")) if f.get("subresource") != "status"]
    times = [at for f in fields if (at := parse_time(f.get("time"))) is not None]
    return max(times) if times else parse_time(meta.get("creationTimestamp"))
