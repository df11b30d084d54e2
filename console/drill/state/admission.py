"""Admission: ResourceQuota and LimitRange say no in the words of the real API server."""

from __future__ import annotations

from typing import Any

from console.base.units import parse_quantity
from console.drill.state.objects import StatusError
from console.drill.state.pods import amount_of, finished
from console.drill.state.resources import LIMITRANGES, NAMESPACES, PODS, QUOTAS, WEBHOOKS, ServedResource
from console.drill.state.services import unreachable
from console.drill.state.store import Store

Object = dict[str, Any]


def pod_usage(pod: Object) -> dict[str, float]:
    """What a pod counts against a quota."""
    used = {"pods": 1.0, "count/pods": 1.0}
    for container in pod["spec"]["containers"]:
        resources = container.get("resources", {})
        for part in ("requests", "limits"):
            for name, value in (resources.get(part) or {}).items():
                amount = amount_of(str(value))
                used[f"{part}.{name}"] = used.get(f"{part}.{name}", 0.0) + amount
                if part == "requests":
                    used[name] = used.get(name, 0.0) + amount
    return used


def quota_used(store: Store, quota: Object) -> dict[str, float]:
    """What a quota's namespace uses of each of its hard limits."""
    out = dict.fromkeys(quota["spec"]["hard"], 0.0)
    for pod in store.all(PODS, quota["metadata"]["namespace"]):
        if not finished(pod):
            for name, value in pod_usage(pod).items():
                if name in out:
                    out[name] += value
    return out


def plain(name: str, value: float) -> str:
    """A quantity as quotas print it."""
    if "memory" in name or "storage" in name:
        for unit, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
            if value and value % size == 0:
                return f"{int(value // size)}{unit}"
    if "cpu" in name and value != int(value):
        return f"{round(value * 1000)}m"
    return str(int(value))


def admit(store: Store, resource: ServedResource, obj: Object) -> Object:
    """The object as it will be stored.

    Raises:
        StatusError: 404 without its namespace, 403 over a quota or outside a LimitRange.
    """
    meta = obj["metadata"]
    namespace = meta.get("namespace", "")
    if resource.namespaced and store.get(NAMESPACES, "", namespace) is None:
        text = f'namespaces "{namespace}" not found'
        raise StatusError(text, "NotFound", 404, name=namespace, kind="namespaces")
    _ask_webhooks(store, resource, obj)
    if resource is not PODS:
        return obj
    wanted = pod_usage(obj)
    for limits in store.all(LIMITRANGES, namespace):
        _check_limits(limits, obj)
    for quota in store.all(QUOTAS, namespace):
        used, hard = quota_used(store, quota), quota["spec"]["hard"]
        over = [n for n in sorted(hard) if n in wanted and used[n] + wanted[n] > parse_quantity(hard[n])]
        if over:
            asked = ",".join(f"{n}={plain(n, wanted[n])}" for n in over)
            taken = ",".join(f"{n}={plain(n, used[n])}" for n in over)
            limited = ",".join(f"{n}={hard[n]}" for n in over)
            raise StatusError(
                f'pods "{meta["name"]}" is forbidden: exceeded quota: {quota["metadata"]["name"]}, requested: {asked}, '
                f"used: {taken}, limited: {limited}",
                "Forbidden",
                403,
                name=meta["name"],
                kind="pods",
            )
    return obj


def _ask_webhooks(store: Store, resource: ServedResource, obj: Object) -> None:
    """A webhook that must answer and does not refuses what it would have been asked about."""
    labels = obj["metadata"].get("labels") or {}
    for config in store.each(WEBHOOKS):
        for hook in config.get("webhooks") or ():
            service = (hook.get("clientConfig") or {}).get("service")
            if hook.get("failurePolicy", "Fail") != "Fail" or not service or not _asked(hook, resource):
                continue
            wanted = (hook.get("objectSelector") or {}).get("matchLabels") or {}
            if not wanted.items() <= labels.items():
                continue
            port = int(service.get("port", 443))
            why = unreachable(store, service["namespace"], service["name"], port)
            if why:
                host = f"{service['name']}.{service['namespace']}.svc"
                url = f"https://{host}:{port}{service.get('path', '/')}?timeout={hook.get('timeoutSeconds', 10)}s"
                lacks = f'no endpoints available for service "{service["name"]}"'
                if why == "unknown":
                    lacks = f'service "{service["name"]}" not found'
                text = f'failed calling webhook "{hook["name"]}": failed to call webhook: Post "{url}": {lacks}'
                causes = [{"message": text}]
                raise StatusError(f"Internal error occurred: {text}", "InternalError", 500, causes=causes)


def _asked(hook: Object, resource: ServedResource) -> bool:
    """Whether its rules have it asked about new objects of a resource."""
    return any(
        resource.plural in rule.get("resources", ())
        and resource.group in rule.get("apiGroups", ())
        and {"CREATE", "*"} & set(rule.get("operations", ()))
        for rule in hook.get("rules", ())
    )


def _check_limits(limits: Object, pod: Object) -> None:
    for item in limits["spec"]["limits"]:
        if item["type"] != "Container":
            continue
        for container in pod["spec"]["containers"]:
            resources = container.get("resources", {})
            for name, most in (item.get("max") or {}).items():
                asked = (resources.get("limits") or {}).get(name)
                if asked is not None and parse_quantity(asked) > parse_quantity(most):
                    text = (
                        f'pods "{pod["metadata"]["name"]}" is forbidden: maximum {name} usage per Container is {most}, '
                        f"but limit is {asked}"
                    )
                    raise StatusError(text, "Forbidden", 403, name=pod["metadata"]["name"], kind="pods")
