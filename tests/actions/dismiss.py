"""`action: dismiss`: a pod is ended as a PodDisruptionBudget allows. A verb that tests add to a copy of the package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from console.actions.delete import Delete
from console.actions.effects import Effect
from console.actions.pins import Pin
from console.actions.verb import ApiRequest, Objection, Right


class DismissArguments(Struct, frozen=True):
    """`unless` names a label: pods that have it are left alone."""

    unless: str | None = None


class Dismiss(Delete):
    name = "dismiss"
    noun = "a dismissal"
    asks = "Dismiss"
    does = "dismiss"
    arguments = DismissArguments

    def objections(self, arguments: Mapping[str, Any]) -> Iterator[Objection]:
        if arguments.get("unless") == "":
            yield Objection("empty-label", "spares pods without a label", "name one")

    def rights(self, effect: Effect, resource: str, namespace: str) -> tuple[Right, ...]:
        assert effect.target is not None
        return (Right("create", "", f"{resource}/eviction", namespace, effect.target.name),)

    def request(self, effect: Effect, obj: dict[str, Any], pin: Pin) -> ApiRequest:
        meta = {"name": obj["metadata"]["name"], "namespace": obj["metadata"]["namespace"]}
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": meta,
            "deleteOptions": {"preconditions": {"uid": pin.uid}},
        }
        return ApiRequest("POST", body, "eviction")

    def sent(self, what: str) -> str:
        return f"{what} is being dismissed"


VERB = Dismiss()
