"""One request to the API: what it asks for, and the answer as bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from console.drill.kube.access import User
from console.drill.state.objects import StatusError
from console.drill.state.resources import NAMESPACES, ServedResource, find

Object = dict[str, Any]
JSON = "application/json"


@dataclass
class RequestTarget:
    """What a path names. `resource` None: no resource of ours."""

    resource: ServedResource | None
    namespace: str = ""
    name: str = ""
    sub: str = ""
    rest: str = ""
    group: str = ""
    version: str = ""
    plural: str = ""


@dataclass
class KubeRequest:
    """A parsed request."""

    http: web.Request
    user: User
    target: RequestTarget
    query: dict[str, str]
    body: bytes = b""
    parsed: Any = field(default=None)

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be stored."""
        return self.query.get("dryRun", "") == "All"

    @property
    def manager(self) -> str:
        """The field manager: named, else from the user agent."""
        agent = self.http.headers.get("User-Agent", "unknown")
        return self.query.get("fieldManager") or agent.split("/", 1)[0]

    def json(self) -> Any:
        """The body.

        Raises:
            StatusError: 400, it is no JSON.
        """
        try:
            return msgspec.json.decode(self.body) if self.body else {}
        except msgspec.DecodeError as error:
            kind = self.target.resource.kind if self.target.resource else "object"
            text = (
                f"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; "
                f"json parse error: {error}"
            )
            raise StatusError(text, "BadRequest", 400) from None


def parse_path(path: str) -> RequestTarget | None:
    """The target of `/api/...` and `/apis/...`, or None for a path that is no resource."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    if rest[0] == "namespaces" and len(rest) == 1:
        return RequestTarget(NAMESPACES, group=group, version=version, plural="namespaces")
    namespace = ""
    if rest[0] == "namespaces":
        if len(rest) == 2 or (len(rest) == 3 and rest[2] in ("status", "finalize")):
            sub = rest[2] if len(rest) == 3 else ""
            return RequestTarget(NAMESPACES, "", rest[1], sub, group=group, version=version, plural="namespaces")
        namespace, rest = rest[1], rest[2:]
    plural = rest[0]
    name = rest[1] if len(rest) > 1 else ""
    sub = rest[2] if len(rest) > 2 else ""
    tail = "/" + "/".join(rest[3:]) if len(rest) > 3 else ""
    return RequestTarget(find(group, version, plural), namespace, name, sub, tail, group, version, plural)


def encode(value: Any) -> bytes:
    """JSON as the API server sends it."""
    return msgspec.json.encode(value) + b"\n"


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=encode(value), status=status, content_type=JSON, headers=headers)


def not_found(resource: ServedResource, name: str) -> StatusError:
    """404 for an object."""
    details: Object = {"name": name, "kind": resource.plural}
    if resource.group:
        details = {"name": name, "group": resource.group, "kind": resource.plural}
    subject = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
    return StatusError(f'{subject} "{name}" not found', "NotFound", 404, **details)


def shown(resource: ServedResource, obj: Object) -> Object:
    """An object in the shape of the API group that was asked: events have two."""
    if not resource.alias:
        return obj
    meta, about = obj["metadata"], obj["involvedObject"]
    out: Object = {}
    if obj.get("action"):
        out["action"] = obj["action"]
    out |= {"apiVersion": "events.k8s.io/v1"}
    if obj.get("count"):
        out["deprecatedCount"] = obj["count"]
    out |= {
        "deprecatedFirstTimestamp": obj.get("firstTimestamp"),
        "deprecatedLastTimestamp": obj.get("lastTimestamp"),
        "deprecatedSource": obj.get("source") or {},
        "eventTime": obj.get("eventTime"),
        "kind": "Event",
        "metadata": meta,
        "note": obj.get("message", ""),
        "reason": obj.get("reason", ""),
        "regarding": about,
        "reportingController": obj.get("reportingComponent", ""),
    }
    if obj.get("reportingInstance"):
        out["reportingInstance"] = obj["reportingInstance"]
    return out | {"type": obj.get("type", "")}
