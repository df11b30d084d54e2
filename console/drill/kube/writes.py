"""Writes: create, replace, patch, delete, evict, scale. Each is recorded as the peer saw it."""

from __future__ import annotations

from typing import Any

import yaml
from aiohttp import web

from console.drill.kube import patches, validate
from console.drill.kube.request import KubeRequest, answer, not_found, shown
from console.drill.state.admission import admit
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.objects import StatusError, managed
from console.drill.state.resources import BUDGETS, PODS, ServedResource
from console.drill.state.store import private, spec_changed

Object = dict[str, Any]


def create(cluster: ClusterState, request: KubeRequest, resource: ServedResource) -> tuple[Object, int]:
    """POST to a collection."""
    obj = request.json()
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise StatusError(f"the object provided is unrecognized (must be of type {resource.kind})", "BadRequest", 400)
    meta = dict(obj["metadata"])
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = meta.pop("generateName") + cluster.ids.suffix()
    name = str(meta.get("name", ""))
    if not name:
        raise validate.nameless(resource)
    validate.check_name(resource, name)
    namespace = request.target.namespace if resource.namespaced else ""
    if meta.get("namespace", namespace) != namespace:
        raise StatusError(
            "the namespace of the provided object does not match the namespace sent on the request", "BadRequest", 400
        )
    if cluster.store.get(resource, namespace, name):
        subject = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
        details: Object = {"name": name, "kind": resource.plural}
        if resource.group:
            details = {"name": name, "group": resource.group, "kind": resource.plural}
        raise StatusError(f'{subject} "{name}" already exists', "AlreadyExists", 409, **details)
    for key in ("resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink"):
        meta.pop(key, None)
    if namespace:
        meta["namespace"] = namespace
    meta |= {"uid": cluster.ids.uid(), "creationTimestamp": stamp(cluster.heap.now), "generation": 1}
    obj = validate.prune(resource, {"apiVersion": resource.api_version, "kind": resource.kind, **obj, "metadata": meta})
    if resource.custom or resource is PODS:
        obj.pop("status", None)
    if resource is PODS:
        obj["status"] = {"phase": "Pending", "qosClass": "Burstable"}
        obj["spec"] = _defaults(obj.get("spec") or {})
    meta["managedFields"] = [_entry(cluster, request, resource, obj)]
    validate.check(resource, obj, None)
    obj = admit(cluster.store, resource, obj)
    if request.dry_run:
        return obj, 201
    return cluster.store.create(resource, obj), 201


def _defaults(spec: Object) -> Object:
    containers = [
        {"imagePullPolicy": "IfNotPresent", "resources": {}, "terminationMessagePath": "/dev/termination-log", **c}
        for c in spec.get("containers", ())
    ]
    base = {"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler"}
    return {**base, "terminationGracePeriodSeconds": 30, **spec, "containers": containers}


def _entry(cluster: ClusterState, request: KubeRequest, resource: ServedResource, obj: Object, sub: str = "") -> Object:
    owned = {k: v for k, v in obj.items() if k not in ("metadata", "apiVersion", "kind", "status")}
    meta = obj["metadata"]
    kept = {k: meta[k] for k in ("labels", "annotations") if meta.get(k)}
    if kept:
        owned["metadata"] = kept
    return managed(request.manager, cluster.heap.now, resource.api_version, owned, sub)


def replace(cluster: ClusterState, request: KubeRequest, resource: ServedResource, old: Object) -> Object:
    """PUT of an object or its status."""
    new = request.json()
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise StatusError(f"the object provided is unrecognized (must be of type {resource.kind})", "BadRequest", 400)
    return _store(cluster, request, resource, old, new)


def patch(cluster: ClusterState, request: KubeRequest, resource: ServedResource, old: Object) -> Object:
    """PATCH of an object or a subresource."""
    return _store(cluster, request, resource, old, patched(request, old))


def patched(request: KubeRequest, old: Object) -> Object:
    """`old` with the request's patch applied.

    Raises:
        StatusError: 400, 415 or 422.
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
            raise StatusError(f"error decoding YAML: {error}", "BadRequest", 400) from None
        return dict(patches.strategic(private(old), wanted))
    if kind == patches.STRATEGIC_PATCH:
        text = (
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
        )
        raise StatusError(text, "UnsupportedMediaType", 415)
    raise StatusError("415: Unsupported Media Type", "UnsupportedMediaType", 415)


FIXED = (
    "uid",
    "creationTimestamp",
    "name",
    "namespace",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
"""Metadata that no client changes."""


def _store(cluster: ClusterState, request: KubeRequest, resource: ServedResource, old: Object, new: Object) -> Object:
    before, status = old["metadata"], request.target.sub == "status"
    meta = dict(new.get("metadata") or {})
    _check_preconditions(resource, before, meta)
    meta = _with_fixed(meta, before)
    body = _status_write(old, new, meta) if status else _spec_write(resource, old, new, meta)
    pruned = validate.prune(resource, body)
    request.parsed = validate.unknown_fields(body.get("spec") or {}, pruned.get("spec") or {}, "spec")
    validate.check(resource, pruned, old)
    if spec_changed(old, pruned):
        meta["generation"] = int(before.get("generation", 1)) + 1
    if _same(old, {**pruned, "metadata": meta}):
        return old
    entry = _entry(cluster, request, resource, pruned, "status" if status else "")
    others = [e for e in before.get("managedFields", ()) if _manager(e) != _manager(entry)]
    meta["managedFields"] = [*others, _own(cluster, request, resource, old, pruned, entry)]
    changed = {**pruned, "metadata": meta}
    if request.dry_run:
        return {**changed, "metadata": {**meta, "resourceVersion": before["resourceVersion"]}}
    return cluster.written(resource, changed)


def _check_preconditions(resource: ServedResource, before: Object, meta: Object) -> None:
    """Refuse a write that was meant for another version or another object of that name."""
    wanted = meta.get("resourceVersion")
    if wanted and wanted != before["resourceVersion"]:
        raise conflict(resource, before["name"])
    if meta.get("uid", before["uid"]) != before["uid"]:
        text = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {before['uid']}"
        raise conflict(resource, before["name"], text)


def _with_fixed(meta: Object, before: Object) -> Object:
    """Metadata as a client wants it, with what it cannot change as it was."""
    empty = {k for k in ("labels", "annotations") if not meta.get(k)}
    free = {k: v for k, v in meta.items() if k not in {*empty, "resourceVersion"} and (k not in FIXED or k in before)}
    return free | {k: before[k] for k in FIXED if k in before}


def _status_write(old: Object, new: Object, meta: Object) -> Object:
    """A write of the subresource status changes that and metadata, whatever else it brings."""
    body = {**old, "metadata": meta}
    body.pop("status", None)
    return {**body, "status": new["status"]} if "status" in new else body


def _spec_write(resource: ServedResource, old: Object, new: Object, meta: Object) -> Object:
    """A write of the object changes all but a status that has a subresource of its own."""
    kept = resource.custom or resource is PODS or "status" in resource.subresources
    body = {"apiVersion": old["apiVersion"], "kind": old["kind"], "metadata": meta}
    body |= {k: v for k, v in new.items() if k not in body and not (kept and k == "status")}
    if kept and "status" in old:
        body["status"] = old["status"]
    return body


def _same(old: Object, new: Object) -> bool:
    """Whether nothing differs but what the server itself keeps in metadata."""

    def plain(obj: Object) -> Object:
        own = ("resourceVersion", "managedFields")
        return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k not in own}}

    return plain(old) == plain(new)


def _manager(entry: Object) -> tuple[str, str]:
    """Who owns an entry of managedFields, and through which subresource."""
    return entry["manager"], entry.get("subresource", "")


def _own(
    cluster: ClusterState, request: KubeRequest, resource: ServedResource, old: Object, new: Object, entry: Object
) -> Object:
    """The managedFields entry of a writer: what it changed, with what it owned before."""
    changed = _difference(old, new)
    mine: Object = {}
    for before in old["metadata"].get("managedFields", ()):
        if _manager(before) == _manager(entry):
            mine = before["fieldsV1"]
    made = managed(request.manager, cluster.heap.now, resource.api_version, changed, entry.get("subresource", ""))
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


def conflict(resource: ServedResource, name: str, text: str = "", kind: str = "") -> StatusError:
    """409; a failed precondition names the `kind` instead of the resource."""
    word = kind or resource.plural
    subject = f"{word}.{resource.group}" if resource.group else word
    why = text or "the object has been modified; please apply your changes to the latest version and try again"
    details: Object = {"name": name, "kind": word}
    if resource.group:
        details = {"name": name, "group": resource.group, "kind": word}
    return StatusError(f'Operation cannot be fulfilled on {subject} "{name}": {why}', "Conflict", 409, **details)


def delete(cluster: ClusterState, request: KubeRequest, resource: ServedResource, old: Object) -> web.Response:
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
        cluster.orphaned.add(meta["uid"])
    gone = cluster.delete(resource, meta, grace)
    if gone is not None and (resource is PODS or "deletionTimestamp" in gone["metadata"]):
        return answer(shown(resource, gone))
    done: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    details = {"name": meta["name"], "group": resource.group, "kind": resource.plural, "uid": meta["uid"]}
    return answer(done | {"details": {k: v for k, v in details.items() if v}})


def evict(cluster: ClusterState, request: KubeRequest) -> web.Response:
    """POST to `pods/NAME/eviction`."""
    target = request.target
    pod = cluster.store.get(PODS, target.namespace, target.name)
    if pod is None:
        raise not_found(PODS, target.name)
    wanted = ((request.json() or {}).get("deleteOptions") or {}).get("preconditions") or {}
    if wanted.get("uid", pod["metadata"]["uid"]) != pod["metadata"]["uid"]:
        raise conflict(PODS, target.name, "Precondition failed: UID in precondition differs", "Pod")
    budget = _budget(cluster, pod)
    if not request.dry_run:
        if budget is not None:
            status = {**budget["status"], "disruptionsAllowed": budget["status"]["disruptionsAllowed"] - 1}
            cluster.store.update(BUDGETS, {**budget, "status": status})
        cluster.evict(pod)
    done: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return answer(done, 201)


def _budget(cluster: ClusterState, pod: Object) -> Object | None:
    """The budget that pays for an eviction.

    Raises:
        StatusError: 429, it has nothing left; 500, there are several.
    """
    if pod.get("status", {}).get("phase") in ("Pending", "Succeeded", "Failed"):
        return None
    labels = (pod["metadata"].get("labels") or {}).items()
    found = [
        budget
        for budget in cluster.store.all(BUDGETS, pod["metadata"]["namespace"])
        if ((budget["spec"].get("selector") or {}).get("matchLabels") or {}).items() <= labels
    ]
    if len(found) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise StatusError(text, "InternalError", 500)
    if not found:
        return None
    meta, status = found[0]["metadata"], found[0].get("status") or {}
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in pod["status"].get("conditions") or ())
    if not ready and int(status.get("currentHealthy", 0)) >= int(status.get("desiredHealthy", 0)) > 0:
        return None  # what is ill anyway costs nothing while enough others are well
    later: Object = {}
    if int(status.get("observedGeneration", 0)) < int(meta.get("generation", 1)):
        later = {"retryAfterSeconds": 10}
        cause = f"The disruption budget {meta['name']} is still being processed by the server."
    elif int(status.get("disruptionsAllowed", 0)) > 0:
        return found[0]
    else:
        needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        cause = f"The disruption budget {meta['name']} needs {needs} healthy pods and has {has} currently"
    text = "Cannot evict pod as it would violate the pod's disruption budget."
    causes = [{"reason": "DisruptionBudget", "message": cause}]
    raise StatusError(text, "TooManyRequests", 429, causes=causes, **later)


def scale(cluster: ClusterState, request: KubeRequest, resource: ServedResource, old: Object) -> web.Response:
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
        cluster.store.update(resource, body)
    return answer({**current, "spec": {"replicas": replicas}})


def refusal(error: StatusError) -> web.Response:
    """The Status of a refusal."""
    return answer(error.body, error.code)


def method_not_allowed() -> StatusError:
    """405."""
    return StatusError("the server does not allow this method on the requested resource", "MethodNotAllowed", 405)
