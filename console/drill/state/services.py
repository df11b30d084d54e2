"""Services as who connects to them finds them: the pods behind each, and what a connection to it meets."""

from __future__ import annotations

import re
from typing import Any

from console.drill.state.resources import PODS, SERVICES
from console.drill.state.store import Store

Object = dict[str, Any]
ADDRESS = re.compile(
    r"(?:(?P<scheme>[a-z0-9]+)://)?(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(?:\.cluster\.local)?"
    r":(?P<port>\d+)"
)
"""An address within the cluster, as configurations name it."""


def ready(pod: Object) -> bool:
    """Whether traffic is sent to it: its condition Ready is True, and it is not on its way out."""
    return "deletionTimestamp" not in pod["metadata"] and any(
        c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ())
    )


def selected(service: Object, pod: Object) -> bool:
    """Whether a Service selects a pod."""
    selector, labels = service["spec"].get("selector") or {}, pod["metadata"].get("labels") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def endpoints(store: Store, service: Object) -> list[Object]:
    """The pods to which a Service sends what it gets."""
    space = service["metadata"]["namespace"]
    return [pod for pod in store.all(PODS, space) if selected(service, pod) and ready(pod)]


def target_port(service: Object, port: int) -> int | str | None:
    """The port of its pods behind a port of a Service; None where it has no such port."""
    for entry in service["spec"].get("ports", ()):
        if int(entry["port"]) == port:
            target: int | str = entry.get("targetPort", port)
            return target
    return None


def listening(pod: Object, target: int | str, listens: tuple[int, ...]) -> bool:
    """Whether a pod answers on a port: `listens` are the ports of its image, none: those that it declares."""
    declared = {p.get("name"): int(p["containerPort"]) for c in pod["spec"]["containers"] for p in c.get("ports", ())}
    number = declared.get(target) if isinstance(target, str) and not target.isdigit() else int(target)
    return number is not None and number in (listens or tuple(declared.values()))


def unreachable(store: Store, namespace: str, name: str, port: int) -> str:
    """Why nobody gets through to a port of a Service: `unknown` where there is none, `refused`, or empty."""
    service = store.get(SERVICES, namespace, name)
    if service is None:
        return "unknown"
    target = target_port(service, port)
    if target is None or not any(listening(pod, target, ()) for pod in endpoints(store, service)):
        return "refused"
    return ""
