"""Builders of Kubernetes objects as the recorded cluster shows them."""

from __future__ import annotations

import hashlib
from typing import Any

from console.drill.state.ids import Ids, stamp
from console.drill.state.resources import ServedResource

Object = dict[str, Any]


def fields(value: Any) -> Object:
    """`fieldsV1` of a value: which fields a manager owns."""
    out: Object = {}
    if isinstance(value, dict):
        for key, item in value.items():
            out[f"f:{key}"] = fields(item) if isinstance(item, dict) else {}
    return out


def managed(
    manager: str, when: float, api_version: str, owned: Object, subresource: str = "", operation: str = "Update"
) -> Object:
    """One entry of managedFields."""
    entry: Object = {
        "apiVersion": api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields(owned),
        "manager": manager,
        "operation": operation,
        "time": stamp(when),
    }
    if subresource:
        entry["subresource"] = subresource
    return entry


def build(
    resource: ServedResource,
    name: str,
    now: float,
    ids: Ids,
    *,
    namespace: str = "",
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    owners: list[Object] | None = None,
    manager: str = "kubectl-client-side-apply",
    generation: bool = True,
    body: Object | None = None,
) -> Object:
    """A complete object without a version. Labels, annotations and owners are its own, whoever goes on with theirs."""
    meta: Object = {"name": name, "uid": ids.uid(), "creationTimestamp": stamp(now)}
    if resource.namespaced:
        meta["namespace"] = namespace
    if generation:
        meta["generation"] = 1
    if labels:
        meta["labels"] = dict(labels)
    if annotations:
        meta["annotations"] = dict(annotations)
    if owners:
        meta["ownerReferences"] = list(owners)
    owned = {k: v for k, v in (body or {}).items() if k != "status"}
    if resource.kind == "Pod":
        owned = {"spec": {"containers": {}, "volumes": {}}}
    if labels:
        owned["metadata"] = {"labels": labels}
    meta["managedFields"] = [managed(manager, now, resource.api_version, owned)]
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, **(body or {})}


def owner(obj: Object, *, controller: bool | None = None, block: bool = False) -> Object:
    """An ownerReference to `obj`."""
    ref: Object = {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"]["uid"],
    }
    if block:
        ref["blockOwnerDeletion"] = True
    if controller:
        ref["controller"] = True
    return ref


def image_digest(image: str) -> str:
    """A digest that is always the same for an image."""
    return hashlib.sha256(image.encode()).hexdigest()


def status(
    message: str, reason: str, code: int, *, details: Object | None = None, retry_after: int | None = None
) -> Object:
    """A Failure `Status` as the API server writes it."""
    out: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
    }
    if details is not None:
        out["details"] = details
    if retry_after is not None:
        out.setdefault("details", {})["retryAfterSeconds"] = retry_after
    out["code"] = code
    return out


class StatusError(Exception):
    """A refusal of the API server."""

    def __init__(self, message: str, reason: str, code: int, **details: Any) -> None:
        super().__init__(message)
        empty: Object | None = None if reason in ("BadRequest", "Unauthorized", "Expired") else {}
        self.body = status(message, reason, code, details=details or empty)
        self.code = code
