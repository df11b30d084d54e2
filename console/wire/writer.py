"""The mutations. Only `console.operate` imports this: whoever holds a Writer has passed the gate.

Nothing is ever sent twice: no retry on 429, 5xx or a lost connection. (A 401 was not executed, so one renewal of the
credentials may follow it.) A lost answer surfaces as ReachError; whether the change landed is the caller's question.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from console.base.errors import ReachError
from console.base.text import shorten
from console.base.units import parse_count
from console.wire.connection import Connection
from console.wire.errors import NotFoundError
from console.wire.http import Method
from console.wire.paths import object_path

MANAGER = "console-oncall"
PatchKind = Literal["merge", "json", "strategic"]
Propagation = Literal["", "Background", "Foreground", "Orphan"]
_TYPES: dict[str, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
_LEASES = "coordination.k8s.io/v1"


class Writer:
    """Writes through one connection, as field manager `manager`."""

    def __init__(self, connection: Connection, manager: str = MANAGER) -> None:
        self._connection, self.manager = connection, manager

    async def patch(
        self,
        path: str,
        body: Any,
        kind: PatchKind,
        *,
        dry_run: bool = False,
        subresource: str = "",
        strict: bool = False,
    ) -> dict[str, Any]:
        """Patch an object and return it as the server answers it (in a dry run: as it would be).

        Args:
            path: path of the object.
            body: a tree (merge, strategic) or a list of operations (json).
            strict: an unknown field is an error (InvalidError) instead of being dropped.

        Raises:
            ConflictError, InvalidError: a precondition does not hold (`test` of a JSON patch answers 422), or the body
                is not accepted.
            ForbiddenError, NotFoundError, ApiError, ReachError, LoginNeeded.
        """
        target = f"{path}/{subresource}" if subresource else path
        return await self._send("PATCH", target, body, dry_run, content_type=_TYPES[kind], strict=strict)

    async def delete(
        self,
        path: str,
        *,
        uid: str = "",
        resource_version: str = "",
        grace_seconds: int | None = None,
        propagation: Propagation = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Delete one object. With `uid` or `resource_version` another object of that name is safe (ConflictError)."""
        preconditions = {k: v for k, v in (("uid", uid), ("resourceVersion", resource_version)) if v}
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if preconditions:
            options["preconditions"] = preconditions
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if propagation:
            options["propagationPolicy"] = propagation
        if dry_run:
            options["dryRun"] = ["All"]
        return await self._send("DELETE", path, options, dry_run, manager=False)

    async def create(self, path: str, body: dict[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Create an object in the collection at `path`. ConflictError where the name is taken."""
        return await self._send("POST", path, body, dry_run)

    async def replace(self, path: str, body: dict[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Replace an object. ConflictError where its resourceVersion is no longer the body's."""
        return await self._send("PUT", path, body, dry_run)

    async def evict(
        self, namespace: str, pod: str, *, uid: str = "", grace_seconds: int | None = None, dry_run: bool = False
    ) -> dict[str, Any]:
        """Evict a pod. TooManyError where a PodDisruptionBudget says no."""
        options: dict[str, Any] = {}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if dry_run:
            options["dryRun"] = ["All"]
        body: dict[str, Any] = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
        }
        if options:
            body["deleteOptions"] = options
        return await self._send("POST", object_path("v1", "pods", namespace, pod, "eviction"), body, False)

    async def event(
        self,
        namespace: str,
        *,
        about: dict[str, Any],
        reason: str,
        message: str,
        at: float,
        type: Literal["Normal", "Warning"] = "Normal",
        action: str = "",
        annotations: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Create an Event.

        Args:
            namespace: of the event: the object's own, `default` for cluster-scoped objects.
            about: ObjectReference (apiVersion, kind, namespace, name, uid).
            message: at most 1,024 characters are sent.
            at: when it happened (epoch seconds).
        """
        now = _micro(datetime.fromtimestamp(at, UTC))
        body: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{MANAGER}-", "namespace": namespace, "annotations": annotations or {}},
            "involvedObject": about,
            "reason": reason,
            "message": shorten(message, 1024),
            "type": type,
            "action": action or reason,
            "eventTime": now,
            "firstTimestamp": now[:19] + "Z",
            "lastTimestamp": now[:19] + "Z",
            "count": 1,
            "reportingComponent": MANAGER,
            "reportingInstance": MANAGER,
            "source": {"component": MANAGER},
        }
        return await self.create(object_path("v1", "events", namespace), body)

    async def lease_get(self, namespace: str, name: str) -> dict[str, Any] | None:
        """The Lease, or None."""
        try:
            return await self._connection.reader.object(object_path(_LEASES, "leases", namespace, name))
        except NotFoundError:
            return None

    async def lease_create(
        self,
        namespace: str,
        name: str,
        holder: str,
        seconds: int,
        *,
        annotations: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Take a new Lease. ConflictError where it exists."""
        now = _micro(datetime.now(UTC))
        body = {
            "apiVersion": _LEASES,
            "kind": "Lease",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "annotations": annotations or {},
                **({"labels": labels} if labels else {}),
            },
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": seconds,
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": 0,
            },
        }
        return await self.create(object_path(_LEASES, "leases", namespace), body)

    async def lease_update(
        self,
        lease: dict[str, Any],
        *,
        holder: str | None = None,
        seconds: int | None = None,
        annotations: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Renew a Lease, or take it over with another `holder`. ConflictError where it changed since it was read."""
        meta, spec = dict(lease.get("metadata") or {}), dict(lease.get("spec") or {})
        now = _micro(datetime.now(UTC))
        if holder is not None and holder != spec.get("holderIdentity"):
            spec["holderIdentity"], spec["acquireTime"] = holder, now
            spec["leaseTransitions"] = (parse_count(spec.get("leaseTransitions")) or 0) + 1
        spec["renewTime"] = now
        if seconds is not None:
            spec["leaseDurationSeconds"] = seconds
        if annotations:
            meta["annotations"] = {**(meta.get("annotations") or {}), **annotations}
        meta.pop("managedFields", None)
        path = object_path(_LEASES, "leases", str(meta.get("namespace")), str(meta.get("name")))
        return await self.replace(path, {"apiVersion": _LEASES, "kind": "Lease", "metadata": meta, "spec": spec})

    async def lease_delete(self, lease: dict[str, Any]) -> None:
        """Give a Lease back, unless somebody else changed it (ConflictError). A Lease that is gone already is fine."""
        meta = lease.get("metadata") or {}
        path = object_path(_LEASES, "leases", str(meta.get("namespace")), str(meta.get("name")))
        try:
            await self.delete(path, uid=meta.get("uid", ""), resource_version=meta.get("resourceVersion", ""))
        except NotFoundError:
            return

    async def _send(
        self,
        method: Method,
        path: str,
        body: Any,
        dry_run: bool,
        *,
        content_type: str = "application/json",
        manager: bool = True,
        strict: bool = False,
    ) -> dict[str, Any]:
        query = {"fieldManager": self.manager} if manager else {}
        if strict:
            query["fieldValidation"] = "Strict"
        if dry_run:
            query["dryRun"] = "All"
        answer = await self._connection.send(
            method, path, query=query, body=body, content_type=content_type, retry=False
        )
        try:
            value = answer.json()
        except msgspec.DecodeError:
            raise ReachError(f"the answer to {method} {path} is no JSON") from None
        return value if isinstance(value, dict) else {}


def _micro(at: datetime) -> str:
    """A MicroTime of Kubernetes."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
