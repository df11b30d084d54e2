"""What a script may ask of the API server: a request is read strictly, judged, and written anew. Nothing is sent here.

What is passed on is built from the parts that were judged, so that no other reading of a path, a query or a body
reaches the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from console.base.errors import ConsoleError, UsageError
from console.base.jsontext import decode_json
from console.wire.fields import JSON_PATCH, beyond
from console.wire.http import Method
from console.wire.paths import segment

Leave = Literal["read", "dry run", "confirmed"]
"""What a run may do: read; read and try what is declared with dryRun=All; or send what is declared."""
JSON = "application/json"
_BODIES = {
    "POST": (JSON,),
    "PUT": (JSON,),
    "DELETE": (JSON, ""),
    "PATCH": (
        JSON_PATCH,
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    ),
}
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_ABOUT_ITSELF = ("version", "healthz", "livez", "readyz", "openapi")
_READABLE = ("", "log", "status", "scale")
_NOTES = "/metadata/annotations"


class CallRefused(ConsoleError):
    """A request that does not pass. `status` is what the script is answered with."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status


class ApiCall(Struct, frozen=True):
    """One request, read. `path` is built anew from its parts.

    Attributes:
        verb: get, list, watch, create, update, patch, delete, deletecollection; discover for what is no resource.
        name: `` for a collection; of a create it stands in the body.
    """

    method: Method
    verb: str
    path: str
    group: str = ""
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def words(self) -> str:
        """`patch sparkapplications jobs/etl`."""
        what = f"{self.plural}/{self.subresource}" if self.subresource else self.plural
        named = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return " ".join(part for part in (self.verb, what or self.path, named) if part)


@dataclass(frozen=True)
class CallGrant:
    """Verbs on one object, by the names that stand in paths.

    Attributes:
        about: the object in words (`SparkApplication jobs/etl`).
        uid, generation: what it must be when it is written; `` and 0 where nobody looked before.
        touches: JSON pointers of the fields that may be changed; empty where the fields are not declared.
    """

    verbs: tuple[str, ...]
    group: str
    plural: str
    namespace: str
    name: str
    subresource: str = ""
    about: str = ""
    uid: str = ""
    generation: int = 0
    touches: tuple[str, ...] = ()

    def fits(self, call: ApiCall) -> bool:
        """Whether it covers the call."""
        mine = (self.group, self.plural, self.namespace, self.name, self.subresource)
        return call.verb in self.verbs and mine == (
            call.group,
            call.plural,
            call.namespace,
            call.name,
            call.subresource,
        )


def read_call(method: str, raw_path: str, *, watch: bool = False) -> ApiCall:
    """A request line, read strictly.

    Args:
        raw_path: as it was sent, quoted, without its query.

    Raises:
        CallRefused: it has no place in the Kubernetes API, or more than one reading.
    """
    if method != "GET" and method not in _VERBS:
        raise CallRefused(f"{method} is no method of the Kubernetes API", 405)
    parts = [unquote(part) for part in raw_path.removesuffix("/").split("/")[1:]]
    try:
        path = "/" + "/".join(segment(part) for part in parts)
    except UsageError as error:
        raise CallRefused(error.message, 400) from None
    start = {"api": 2, "apis": 3}.get(parts[0])
    if start is None or len(parts) <= start:
        if method == "GET" and (start is not None or parts[0] in _ABOUT_ITSELF):
            return ApiCall("GET", "discover", path)
        raise CallRefused(f"{method} {path} is not passed on")
    group, rest = parts[1] if start == 3 else "", parts[start:]
    namespace, plural, name, subresource = _place(path, rest)
    if method == "GET":
        verb = "watch" if watch else "get" if name else "list"
    else:
        verb = "deletecollection" if method == "DELETE" and not name else _VERBS[method]
    kept: Any = method
    return ApiCall(kept, verb, path, group, plural, namespace, name, subresource)


def _place(path: str, rest: list[str]) -> tuple[str, str, str, str]:
    """Namespace, plural, name and subresource of the part of a path that follows its version."""
    namespace = ""
    if rest[0] in ("watch", "proxy"):
        raise CallRefused(f"{path} is not passed on: paths of this old form are not read here")
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3:
        raise CallRefused(f"{path} is not passed on: it leads through the API server to something else")
    plural, name, subresource = (*rest, "", "")[:3]
    return namespace, plural, name, subresource


def named(call: ApiCall, tree: Any) -> ApiCall:
    """The call with the name that a create has in its body."""
    if call.verb != "create" or call.name:
        return call
    meta = tree.get("metadata") if isinstance(tree, dict) else None
    name = meta.get("name") if isinstance(meta, dict) else None
    return msgspec.structs.replace(call, name=name if isinstance(name, str) else "")


def judged(call: ApiCall, leave: Leave, grants: Sequence[CallGrant]) -> CallGrant | None:
    """The grant that lets a write through; None for a read, which passes.

    Raises:
        CallRefused: it does not pass.
    """
    if call.plural == "secrets" and not call.group:
        raise CallRefused("Secrets are neither read nor written by scripts")
    if not call.writes:
        if call.subresource not in _READABLE:
            raise CallRefused(f"{call.words} is more than reading an object or a log")
        return None
    if leave == "read":
        raise CallRefused(f"this script is declared as one that only reads, and wanted to {call.words}")
    for grant in grants:
        if grant.fits(call):
            return grant
    declared = "; ".join(f"{' and '.join(g.verbs)} {g.about}" for g in grants) or "nothing"
    raise CallRefused(f"the step does not declare: {call.words} (it declares: {declared})")


def read_body(method: str, media_type: str, body: bytes) -> Any:
    """The body of a write as a tree; None where a DELETE has none.

    Raises:
        CallRefused: it is not of a form that can be judged.
    """
    if media_type not in _BODIES[method]:
        raise CallRefused(f"a {method} of type {media_type or 'nothing'} cannot be judged: send JSON", 415)
    if method == "DELETE" and not body:
        return None
    try:
        tree = decode_json(body)
    except msgspec.DecodeError:
        raise CallRefused(f"the body of this {method} is no JSON", 400) from None
    wanted = list if media_type == JSON_PATCH else dict
    if not isinstance(tree, wanted) or (wanted is list and not all(isinstance(op, dict) for op in tree)):
        raise CallRefused(
            f"the body of this {method} is no {'list of operations' if wanted is list else 'object'}", 400
        )
    return tree


def write_query(pairs: Sequence[tuple[str, str]], method: str, leave: Leave, manager: str) -> list[tuple[str, str]]:
    """The query of a write: in a dry run it says so, whatever the script has said.

    Raises:
        CallRefused: a value of dryRun that is none.
    """
    said = [value for key, value in pairs if key == "dryRun"]
    if any(value != "All" for value in said):
        raise CallRefused("dryRun has the value All or none", 400)
    out = [(key, value) for key, value in pairs if key != "dryRun"]
    if said or leave == "dry run":
        out.append(("dryRun", "All"))
    if method != "DELETE" and not any(key == "fieldManager" for key, _ in out):
        out.append(("fieldManager", manager))
    return out


def written(
    call: ApiCall, tree: Any, media_type: str, present: dict[str, Any] | None, stamp: tuple[str, str], *, dry_run: bool
) -> Any:
    """The body that is sent: stamped, and pinned to the object as it is at this moment.

    Args:
        present: the object before the call, None where there is none.
        stamp: the annotation that says which effect it was.

    Raises:
        CallRefused: the body leaves no place for either.
    """
    meta = (present or {}).get("metadata") or {}
    if call.verb == "delete":
        options = {"apiVersion": "v1", "kind": "DeleteOptions", **(tree or {})}
        if meta.get("uid"):
            options["preconditions"] = {**(options.get("preconditions") or {}), "uid": meta["uid"]}
        return {**options, "dryRun": ["All"]} if dry_run else options  # with a body the server reads no query
    if call.subresource == "eviction":
        options = dict(tree.get("deleteOptions") or {})
        if meta.get("uid"):
            options["preconditions"] = {**(options.get("preconditions") or {}), "uid": meta["uid"]}
        return {**tree, "deleteOptions": {**options, "dryRun": ["All"]} if dry_run else options}
    if call.subresource:
        return tree
    if media_type == JSON_PATCH:
        return [*_seen(meta), *tree, *_stamping(tree, meta, stamp)]
    mine = tree.get("metadata", {})
    notes = mine.get("annotations", {}) if isinstance(mine, dict) else None
    if not isinstance(notes, dict):
        raise CallRefused("metadata and its annotations must be objects: they are stamped", 400)
    mine = {**mine, "annotations": {**notes, stamp[0]: stamp[1]}}
    if meta.get("resourceVersion") and call.verb != "create":
        mine.setdefault("resourceVersion", meta["resourceVersion"])
    return {**tree, "metadata": mine}


def within(
    call: ApiCall, tree: Any, media_type: str, present: dict[str, Any] | None, grant: CallGrant, stamp: str
) -> None:
    """Hold a write to the fields that its script declares.

    Raises:
        CallRefused: it would change others, or it is of a form that does not say which it changes.
    """
    if not grant.touches or present is None or call.subresource or call.verb not in ("patch", "update"):
        return
    if media_type.startswith("application/apply"):
        raise CallRefused(
            "a server-side apply does not say which fields it takes away: send a merge or a JSON patch", 415
        )
    if other := beyond(tree, media_type, call.verb, present, grant.touches, stamp):
        declared = ", ".join(grant.touches)
        raise CallRefused(f"{', '.join(other[:5])} of {grant.about} is not declared under `touches` ({declared})")


def _seen(meta: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations that let a JSON Patch through only where nobody wrote in between."""
    version = meta.get("resourceVersion")
    return [{"op": "test", "path": "/metadata/resourceVersion", "value": version}] if version else []


def _stamping(operations: list[dict[str, Any]], meta: dict[str, Any], stamp: tuple[str, str]) -> list[dict[str, Any]]:
    there = isinstance(meta.get("annotations"), dict)
    for operation in operations:
        path = operation.get("path")
        if path in ("", "/metadata"):
            raise CallRefused("metadata cannot be patched as a whole: it is stamped", 400)
        if path == _NOTES:
            there = operation.get("op") != "remove"
    key = stamp[0].replace("~", "~0").replace("/", "~1")
    if there:
        return [{"op": "add", "path": f"{_NOTES}/{key}", "value": stamp[1]}]
    return [{"op": "add", "path": _NOTES, "value": {stamp[0]: stamp[1]}}]
