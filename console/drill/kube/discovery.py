"""What the API server says about itself: versions, groups, resource lists, and OpenAPI without fields."""

from __future__ import annotations

from typing import Any

from console.drill.state.resources import REGISTRY, REVIEWS, ServedResource, groups

Object = dict[str, Any]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def version() -> Object:
    """`/version`."""
    return {
        "major": "1",
        "minor": "37",
        "emulationMajor": "1",
        "emulationMinor": "37",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "36",
        "gitVersion": "v1.37.2",
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "go1.26.8",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def api_versions() -> Object:
    """`/api`."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "10.99.0.1:6443"}],
    }


def group_entry(name: str, versions: list[str]) -> Object:
    """One group of `/apis`."""
    listed = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def group_list() -> Object:
    """`/apis`."""
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [group_entry(name, versions) for name, versions in groups().items() if name],
    }


def group(name: str) -> Object | None:
    """`/apis/GROUP`."""
    versions = groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **group_entry(name, versions)} if name and versions else None


def resource_list(group_name: str, version_name: str) -> Object | None:
    """`/api/v1` or `/apis/GROUP/VERSION`."""
    entries: list[Object] = []
    for resource in REGISTRY:
        if (resource.group, resource.version) == (group_name, version_name):
            entries.append(_entry(resource))
            entries.extend(_sub(resource, sub) for sub in resource.subresources)
    if version_name == "v1":
        entries.extend(
            {"name": name, "singularName": "", "namespaced": False, "kind": kind, "verbs": ["create"]}
            for name, kind in REVIEWS.get(group_name, ())
        )
    if not entries:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group_name}/{version_name}" if group_name else version_name,
        "resources": entries,
    }


def _entry(resource: ServedResource) -> Object:
    out: Object = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short:
        out["shortNames"] = list(resource.short)
    if resource.categories:
        out["categories"] = list(resource.categories)
    return out


def _sub(resource: ServedResource, sub: str) -> Object:
    kinds = {
        "eviction": ("Eviction", ["create"]),
        "scale": ("Scale", ["get", "patch", "update"]),
        "log": ("Pod", ["get"]),
    }
    kind, verbs = kinds.get(sub, (resource.kind, ["get", "patch", "update"]))
    out: Object = {
        "name": f"{resource.plural}/{sub}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind,
        "verbs": verbs,
    }
    if sub == "eviction":
        out |= {"group": "policy", "version": "v1"}
    if sub == "scale":
        out |= {"group": "autoscaling", "version": "v1"}
    return out


def aggregated(legacy: bool) -> Object:
    """`/api` or `/apis` for clients that ask for everything in one answer."""
    items: list[Object] = []
    for name, versions in groups().items():
        if bool(name) is legacy:
            continue
        listed = []
        for version_name in versions:
            resources: list[Object] = []
            for r in REGISTRY:
                if (r.group, r.version) == (name, version_name):
                    resources.append(_discovery(r))
            for plural, kind in REVIEWS.get(name, ()) if version_name == "v1" else ():
                resources.append(
                    {
                        "resource": plural,
                        "responseKind": {"group": name, "version": "v1", "kind": kind},
                        "scope": "Cluster",
                        "singularResource": kind.lower(),
                        "verbs": ["create"],
                    }
                )
            listed.append({"version": version_name, "resources": resources, "freshness": "Current"})
        items.append({"metadata": {"name": name, "creationTimestamp": None}, "versions": listed})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _discovery(resource: ServedResource) -> Object:
    out: Object = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.kind.lower(),
        "verbs": list(resource.verbs),
    }
    if resource.short:
        out["shortNames"] = list(resource.short)
    if resource.categories:
        out["categories"] = list(resource.categories)
    if resource.subresources:
        out["subresources"] = [
            {
                "subresource": sub,
                "responseKind": {"group": "", "version": "", "kind": _sub(resource, sub)["kind"]},
                "verbs": _sub(resource, sub)["verbs"],
            }
            for sub in resource.subresources
        ]
    return out


def openapi_index() -> Object:
    """`/openapi/v3`."""
    paths = {}
    for name, versions in groups().items():
        for version_name in versions:
            path = f"apis/{name}/{version_name}" if name else f"api/{version_name}"
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}"}
    return {"paths": paths}


def openapi(group_name: str, version_name: str) -> Object | None:
    """`/openapi/v3/...`: kinds, and that their fields are validated by the server."""
    schemas: Object = {}
    paths: Object = {}
    for resource in REGISTRY:
        if (resource.group, resource.version) != (group_name, version_name):
            continue
        kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        name = f"{'.'.join(reversed((resource.group or 'core').split('.')))}.{resource.version}.{resource.kind}"
        schemas[name] = {
            "type": "object",
            "x-kubernetes-group-version-kind": [kind],
            "x-kubernetes-preserve-unknown-fields": True,
        }
        root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
        scope = "/namespaces/{namespace}" if resource.namespaced else ""
        parameters = [
            {"name": key, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for key in ("dryRun", "fieldManager", "fieldValidation")
        ]
        paths[f"{root}{scope}/{resource.plural}/{{name}}"] = {
            verb: {
                "parameters": parameters,
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": verb,
                "x-kubernetes-group-version-kind": kind,
            }
            for verb in ("get", "patch", "put", "delete")
        }
    if not schemas:
        return None
    info = {"title": "Kubernetes", "version": "v1.37.2"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}
