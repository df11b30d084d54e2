"""`action: create`: an object is made as a runbook describes it, and can be deleted again as what it made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from console.actions import owners, pins
from console.actions.beside import Beside, ReadWanted, found
from console.actions.effects import Effect
from console.actions.making import Making, stamped
from console.actions.proof import Proof
from console.actions.verb import Objection
from console.base.shapes import mapping, mappings
from console.base.text import clean

_OURS = ("apiVersion", "kind", "name", "namespace")


class CreateArguments(Struct, frozen=True):
    """`template`: the object without what `target` says: its labels, its spec, its data."""

    template: dict[str, Any] | None = None


class Create(Making):
    name = "create"
    noun = "a creation"
    asks = "Create"
    does = "create"
    arguments = CreateArguments
    way_back = "always"
    late = True
    creates = True

    def objections(self, arguments: Mapping[str, Any]) -> Iterator[Objection]:
        template = arguments.get("template")
        if not isinstance(template, dict) or not template:
            yield Objection("create-nothing", "does not say what the object holds", "write `template: {spec: …}`")
            return
        said = [key for key in _OURS if key in template or key in mapping(template.get("metadata"))]
        if said:
            yield Objection("create-twice", f"says {said[0]} in its template", "`target` says it")

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        if kind == "Job":
            return Proof("object.status.succeeded|default(0) >= 1", deadline="15m")
        if kind == "Pod":
            return Proof("object.status.phase|default('') in ['Running', 'Succeeded']")
        return None

    def reads(self, effect: Effect, obj: dict[str, Any]) -> tuple[ReadWanted, ...]:
        target = effect.target
        assert target is not None
        there = ReadWanted("there", target.api_version, target.kind, namespace=target.namespace, name=target.name)
        return (*super().reads(effect, obj), there)

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        target = effect.target
        assert target is not None
        for there in found(beside, "there").items:
            what = f"{clean(target.kind)} {target.words}"
            yield f"{what} is there already, {_made(there)}: choose another name, or delete it first"

    def settle(self, effect: Effect, obj: dict[str, Any], beside: Beside, now: float) -> Effect:
        target = effect.target
        assert target is not None
        template = mapping(effect.given.get("template"))
        where = {"namespace": target.namespace} if target.namespace else {}
        meta = {**mapping(template.get("metadata")), "name": target.name, **where}
        return stamped(effect, {"apiVersion": target.api_version, "kind": target.kind, **template, "metadata": meta})


def _made(there: dict[str, Any]) -> str:
    """Who made an object, and when, as far as it says."""
    meta = mapping(there.get("metadata"))
    when = f"made at {clean(str(meta.get('creationTimestamp') or 'a time that it does not say'))}"
    if stamp := pins.stamp_of(there):
        return f"{when} by the change {clean(stamp)} of Console"
    entries = sorted(mappings(meta.get("managedFields")), key=lambda one: str(one.get("time") or ""))
    return when + (f" by {owners.called(str(entries[0].get('manager') or '?'))}" if entries else "")


VERB = Create()
