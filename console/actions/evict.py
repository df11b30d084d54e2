"""`action: evict`: a pod is ended as its PodDisruptionBudgets allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.actions.beside import NOTHING, Beside
from console.actions.delete import Delete
from console.actions.effects import Consequence, Effect
from console.actions.pins import Pin
from console.actions.proof import GONE, Proof
from console.actions.verb import ApiRequest, Right
from console.base.shapes import mapping, mappings
from console.base.text import clean

_PDB = "its budgets (PodDisruptionBudget) are asked; where one says not now, nothing is ended"


class Evict(Delete):
    name = "evict"
    noun = "an eviction"
    asks = "Evict"
    does = "evict"
    kinds = (("", "Pod"),)
    way_back = "never"

    def no_way_back(self, *, target: bool) -> tuple[str, str] | None:
        return "a pod that was evicted does not come back", "leave `rollback` out"

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        return GONE

    def rights(self, effect: Effect, resource: str, namespace: str) -> tuple[Right, ...]:
        assert effect.target is not None
        return (Right("create", "", f"{resource}/eviction", namespace, effect.target.name),)

    def request(self, effect: Effect, obj: dict[str, Any], pin: Pin) -> ApiRequest:
        meta = {"name": obj["metadata"]["name"], "namespace": obj["metadata"]["namespace"]}
        options = {"preconditions": {"uid": pin.uid}}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta, "deleteOptions": options}
        return ApiRequest("POST", body, "eviction")

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        owners = mappings(mapping(obj.get("metadata")).get("ownerReferences"))
        out = [*super().consequences(effect, obj, touched, now, beside), Consequence("permission", "info", _PDB)]
        if not any(c.topic == "restart" for c in out):
            kinds = [clean(str(o.get("kind"))) for o in owners if o.get("controller") is True]
            again = f"its {kinds[0]} makes another" if kinds else "nothing makes it again"
            out.append(Consequence("restart", "info" if kinds else "warning", again))
        if any(o.get("kind") == "DaemonSet" for o in owners):
            out.append(Consequence("nodes", "warning", "its DaemonSet puts it back on the same node at once"))
        return out

    def sent(self, what: str) -> str:
        return f"{what} is being evicted"


VERB = Evict()
