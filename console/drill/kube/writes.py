"""Writes: create, replace, patch, delete, evict, scale. Each is recorded as the peer saw it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from aiohttp import web

from console.drill.admission import admit
from console.drill.ids import stamp
from console.drill.kube import patches, validate
from console.drill.kube.record import Write as Write
from console.drill.kube.request import Request, answer, not_found, shown
from console.drill.objects import ApiError, managed
from console.drill.resources import PODS, Resource
from console.drill.store import private, spec_changed

if TYPE_CHECKING:
    from console.drill.kube.server import KubeServer

Object = dict[str, Any]


def create(server: KubeServer, request: Request, resource: Resource) -> tuple[Object, int]:
    """POST to a collection."""
    world, obj = server.world, request.json()
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise ApiError(f"the object provided is unrecognized (must be of type {resource.kind})", "BadRequest", 400)
    meta = dict(obj["metadata"])
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = meta.pop("generateName") + world.ids.suffix()
    name = str(meta.get("name", ""))
    if not name:
        raise validate.nameless(resource)
    validate.check_name(resource, name)
    namespace = request.target.namespace if resource.namespaced else ""
    if meta.get("namespace", namespace) != namespace:
        raise ApiError(
            "the namespace of the provided object does not match the namespace sent on the request", "BadRequest", 400
        )
    if world.store.get(resource, namespace, name):
        subject = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
        details: Object = {"name": name, "kind": resource.plural}
        if resource.group:
            details = {"name": name, "group": resource.group, "kind": resource.plural}
        raise ApiError(f'{subject} "{name}" already exists', "AlreadyExists", 409, **details)
    for key in ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink"):
        meta.pop(key, None)
    if namespace:
        meta["namespace"] = namespace
    meta |= {"uid": world.ids.uid(), "creationTimestamp": stamp(world.heap.now), "generation": 1}
    obj = validate.prune(resource, {"apiVersion": resource.api_version, "kind": resource.kind, **obj, "metadata": meta})
    if resource.custom or resource is PODS:
        obj.pop("status", None)
    if resource is PODS:
        obj["status"] = {"phase": "Pending", "qosClass": "Burstable"}
        obj["spec"] = _defaults(obj.get("spec") or {})
    meta["managedFields"] = [_entry(server, request, resource, obj)]
    validate.check(resource, obj, None)
    obj = admit(world, resource, obj)
    if request.dry_run:
        return obj, 201
    return world.store.create(resource, obj), 201


def _defaults(spec: Object) -> Object:
    containers = [
        {"imagePullPolicy": "IfNotPresent", "resources": {}, "terminationMessagePath": "/dev/termination-log", **c}
        for c in spec.get("containers", ())
    ]
    base = {"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler"}
    return {**base, "terminationGracePeriodSeconds": 30, **spec, "containers": containers}


def _entry(server: KubeServer, request: Request, resource: Resource, obj: Object, sub: str = "") -> Object:
    owned = {k: v for k, v in obj.items() if k not in ("metadata", "apiVersion", "kind", "status")}
    meta = obj["metadata"]
    kept = {k: meta[k] for k in ("labels", "annotations") if meta.get(k)}
    if kept:
        owned["metadata"] = kept
    return managed(request.manager, server.world.heap.now, resource.api_version, owned, sub)


def replace(server: KubeServer, request: Request, resource: Resource, old: Object) -> Object:
    """PUT of an object or its status."""
    new = request.json()
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise ApiError(f"the object provided is unrecognized (must be of type {resource.kind})", "BadRequest", 400)
    return _store(server, request, resource, old, new)


def patch(server: KubeServer, request: Request, resource: Resource, old: Object) -> Object:
    """PATCH of an object or a subresource."""
    return _store(server, request, resource, old, patched(request, old))


def patched(request: Request, old: Object) -> Object:
    """`old` with the request's patch applied.

    Raises:
        ApiError: 400, 415 or 422.
    """
    kind = request.http.headers.get("Content-Type", "").split(";", 1)[0].strip()
    resource = request.target.resource
    if kind == patches.JSON_PATCH:
        return dict(patches.json_patch(old, request.json()))
    if kind == patches.STRATEGIC_PATCH and not (resource and resource.custom):
        return dict(patches.strategic(private(old), request.json()))
    if kind == patches.MERGE_PATCH:
        return dict(patches.merge(private(old), request.json()))
    if kind == patches.APPLY_PATCH:
        try:
            wanted = yaml.safe_load(request.body)
        except yaml.YAMLError as error:
            raise ApiError(f"error decoding YAML: {error}", "BadRequest", 400) from None
        return dict(patches.strategic(private(old), wanted))
    if kind == patches.STRATEGIC_PATCH:
        text = (
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
        )
        raise ApiError(text, "UnsupportedMediaType", 415)
    raise ApiError("415: Unsupported Media Type", "UnsupportedMediaType", 415)


def _store(server: KubeServer, request: Request, resource: Resource, old: Object, new: Object) -> Object:
    world, before = server.world, old["metadata"]
    meta = dict(new.get("metadata") or {})
    wanted = meta.get("resourceVersion")
    if wanted and wanted != before["resourceVersion"]:
        raise conflict(resource, before["name"])
    if meta.get("uid", before["uid"]) != before["uid"]:
        text = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {before['uid']}"
        raise conflict(resource, before["name"], text)
    fixed = (
        "uid",
        "creationTimestamp",
        "name",
        "namespace",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    )
    for key in fixed:
        if key in before:
            meta[key] = before[key]
        else:
            meta.pop(key, None)
    meta.pop("resourceVersion", None)
    sub = request.target.sub
    body: Object = {"apiVersion": old["apiVersion"], "kind": old["kind"], "metadata": meta}
    if sub == "status":
        body |= {k: v for k, v in old.items() if k not in body and k != "status"}
        if "status" in new:
            body["status"] = new["status"]
    else:
        keep = resource.custom or resource is PODS or "status" in resource.subresources
        body |= {k: v for k, v in new.items() if k not in body and not (keep and k == "status")}
        if keep and "status" in old:
            body["status"] = old["status"]
    pruned = validate.prune(resource, body)
    request.parsed = validate.unknown_fields(body.get("spec") or {}, pruned.get("spec") or {}, "spec")
    body = pruned
    validate.check(resource, body, old)
    if spec_changed(old, body):
        meta["generation"] = int(before.get("generation", 1)) + 1
    entry = _entry(server, request, resource, body, "status" if sub == "status" else "")
    others = [
        e
        for e in before.get("managedFields", ())
        if (e["manager"], e.get("subresource", "")) != (entry["manager"], entry.get("subresource", ""))
    ]
    changed = {**body, "metadata": {**meta, "managedFields": 0}} != {
        **old,
        "metadata": {**{k: v for k, v in before.items() if k != "resourceVersion"}, "managedFields": 0},
    }
    if not changed:
        return old
    meta["managedFields"] = [*others, _own(server, request, resource, old, body, entry)]
    if request.dry_run:
        return {**body, "metadata": {**meta, "resourceVersion": before["resourceVersion"]}}
    return world.store.update(resource, body)


def _own(server: KubeServer, request: Request, resource: Resource, old: Object, new: Object, entry: Object) -> Object:
    """The managedFields entry of a writer: what it changed, with what it owned before."""
    changed = _difference(old, new)
    mine: Object = {}
    for before in old["metadata"].get("managedFields", ()):
        if (before["manager"], before.get("subresource", "")) == (entry["manager"], entry.get("subresource", "")):
            mine = before["fieldsV1"]
    made = managed(request.manager, server.world.heap.now, resource.api_version, changed, entry.get("subresource", ""))
    made["fieldsV1"] = patches.merge(mine, made["fieldsV1"])
    return made


def _difference(old: Any, new: Any) -> Object:
    out: Object = {}
    for key, value in new.items():
        if key in ("managedFields", "resourceVersion", "generation", "apiVersion", "kind"):
            continue
        before = old.get(key)
        if before == value:
            continue
        if isinstance(value, dict) and isinstance(before, dict):
            inner = _difference(before, value)
            if inner:
                out[key] = inner
        else:
            out[key] = value
    return out


def conflict(resource: Resource, name: str, text: str = "", kind: str = "") -> ApiError:
    """409; a failed precondition names the `kind` instead of the resource."""
    word = kind or resource.plural
    subject = f"{word}.{resource.group}" if resource.group else word
    why = text or "the object has been modified; please apply your changes to the latest version and try again"
    details: Object = {"name": name, "kind": word}
    if resource.group:
        details = {"name": name, "group": resource.group, "kind": word}
    return ApiError(f'Operation cannot be fulfilled on {subject} "{name}": {why}', "Conflict", 409, **details)


def delete(server: KubeServer, request: Request, resource: Resource, old: Object) -> web.Response:
    """DELETE of one object."""
    options = request.json() or {}
    if "All" in (options.get("dryRun") or ()):
        request.query["dryRun"] = "All"
    meta = old["metadata"]
    wanted = options.get("preconditions") or {}
    for key, name in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if wanted.get(key) and wanted[key] != meta[key]:
            text = f"the {name} in the precondition ({wanted[key]}) does not match the {name} in record ({meta[key]}). "
            text += (
                "The object might have been deleted and then recreated"
                if key == "uid"
                else "The object might have been modified"
            )
            raise conflict(resource, meta["name"], text, resource.kind)
    grace = options.get("gracePeriodSeconds")
    if grace is None and request.query.get("gracePeriodSeconds"):
        grace = int(request.query["gracePeriodSeconds"])
    if request.dry_run:
        return answer(shown(resource, old))
    if (options.get("propagationPolicy") or request.query.get("propagationPolicy")) == "Orphan":
        server.world.garbage.orphaned.add(meta["uid"])
    gone = server.world.delete(resource, meta, grace)
    if resource is PODS and gone is not None:
        return answer(gone)
    done: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    details = {"name": meta["name"], "group": resource.group, "kind": resource.plural, "uid": meta["uid"]}
    return answer(done | {"details": {k: v for k, v in details.items() if v}})


def evict(server: KubeServer, request: Request) -> web.Response:
    """POST to `pods/NAME/eviction`."""
    world, target = server.world, request.target
    pod = world.store.get(PODS, target.namespace, target.name)
    if pod is None:
        raise not_found(PODS, target.name)
    if not request.dry_run:
        world.evict_by_api(pod)
    done: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return answer(done, 201)


def scale(server: KubeServer, request: Request, resource: Resource, old: Object) -> web.Response:
    """GET, PUT and PATCH of `scale`."""
    meta = old["metadata"]
    current: Object = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {k: meta[k] for k in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")},
        "spec": {"replicas": old["spec"].get("replicas", 1)},
        "status": {"replicas": (old.get("status") or {}).get("replicas", 0)},
    }
    if request.http.method == "GET":
        return answer(current)
    new = patched(request, current) if request.http.method == "PATCH" else request.json()
    replicas = (new.get("spec") or {}).get("replicas", 1)
    body = {**old, "spec": {**old["spec"], "replicas": replicas}}
    body["metadata"] = {**meta, "generation": meta.get("generation", 1) + (replicas != old["spec"].get("replicas", 1))}
    if not request.dry_run:
        server.world.store.update(resource, body)
    return answer({**current, "spec": {"replicas": replicas}})


def refusal(error: ApiError) -> web.Response:
    """The Status of a refusal."""
    return answer(error.body, error.code)


def method_not_allowed() -> ApiError:
    """405."""
    return ApiError("the server does not allow this method on the requested resource", "MethodNotAllowed", 405)
