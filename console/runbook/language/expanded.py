"""A runbook in the long form: every step with all its ways, as it is walked. It loads to the same steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec
import yaml

from console.base.document import parse
from console.runbook.documents import KINDS
from console.runbook.language.ends import ITS_END
from console.runbook.language.read import verb_in
from console.runbook.model import Runbook, Step

_TARGET = {"api_version": "apiVersion"}
_STAY = ("each", "run")
"""Kinds that only the short form has."""


def text(runbook: Runbook) -> str:
    """The YAML of it."""
    dumped: str = yaml.dump(tree(runbook), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return dumped


class _Dumper(yaml.SafeDumper):
    """Without anchors, which runbooks may not have."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _as_block(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value.strip() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _as_block)


def tree(runbook: Runbook) -> dict[str, Any]:
    """The document of it."""
    document = parse(runbook.text, runbook.file).data
    head = {key: value for key, value in document.items() if key not in ("steps", "verify")}
    if runbook.about:
        head["on_demand"] = True  # whether it applies is a step of its own here
    return {**head, "steps": list(_steps(runbook, document["steps"]))}


def _steps(runbook: Runbook, raw: list[Any]) -> Iterator[dict[str, Any]]:
    for step in runbook.steps:
        if step.kind in _STAY or step.saves:
            yield _short(runbook, step, raw)
        elif not step.block:
            yield _long(step)


def _short(runbook: Runbook, step: Step, raw: list[Any]) -> dict[str, Any]:
    """A step that stays as it was written, with its id and that of each step of its block."""
    if step.saves:
        said: dict[str, Any] = {"id": step.id, "save": dict(step.saves), "title": step.title}
        said.update({"because": step.branches[0].because, "when": step.when, "query": step.query})
        said = {key: value for key, value in said.items() if value}
        return {**said, "then": step.branches[0].goto, "unknown": step.on_unknown}
    if len(step.at) < 2:
        return {"id": step.id, "run": step.runs, "then": ITS_END}
    item = {"id": step.id, **raw[cast(int, step.at[1])]}
    item["then"] = item.get("then") or step.next or ITS_END
    if step.kind == "each":
        ids = {one.at: one.id for one in reversed(runbook.steps) if one.block == step.id}
        item["steps"] = [{"id": ids[(*step.at, "steps", i)], **inner} for i, inner in enumerate(item["steps"])]
    assert verb_in(item)
    return item


def _long(step: Step) -> dict[str, Any]:
    keys = KINDS[step.kind].__struct_fields__
    out: dict[str, Any] = {"id": step.id, "kind": step.kind, "title": step.title}
    usual = Step(id="", kind=step.kind, title="")
    for key in keys:
        if key in out or key not in Step.__struct_fields__ or key in ("branches", "choices", "target", "edit"):
            continue
        value = getattr(step, key)
        if value and value != getattr(usual, key):
            out[key] = list(value) if isinstance(value, tuple) else value
    out.update(_parts(step))
    return out


def _parts(step: Step) -> dict[str, Any]:
    """Keys that hold more than a text."""
    out: dict[str, Any] = {}
    branches = [_plain(branch) for branch in step.branches]
    if step.kind in ("check", "decide"):
        out["branches"] = [branch for branch in branches if branch.get("when")]
        last = [branch for branch in branches if not branch.get("when")]
        out.update({"else": last[0]} if last else {})
    if step.choices:
        out["choices"] = [_plain(choice) for choice in step.choices]
    if step.target is not None:
        out["target"] = _renamed(_plain(step.target))
    if step.kind == "change":
        out.update({key: value for key, value in step.settings.items() if value is not None})
    if step.edit is not None:
        out["edit"] = _plain(step.edit)
    if step.kind == "script":
        out.update(_script(step))
    return out


def _script(step: Step) -> dict[str, Any]:
    arguments = {
        a.name: {**({"type": a.type} if a.type else {}), "value": a.value, "flag": a.flag} for a in step.arguments
    }
    calls = [{**_plain(c), **_renamed(_plain(c.target))} for c in step.calls]
    return {"arguments": arguments, "calls": [{k: v for k, v in c.items() if k != "target"} for c in calls]}


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    built = cast(Mapping[str, Any], msgspec.to_builtins(value))
    said = {key: list(item) if isinstance(item, tuple) else item for key, item in built.items()}
    return {key: item for key, item in said.items() if item not in ("", None)}


def _renamed(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {_TARGET.get(key, key): value for key, value in tree.items()}
