"""Paths of the Kubernetes API, from parts that may come from anywhere: every part is checked and quoted."""

from __future__ import annotations

import re
from urllib.parse import quote

from console.base.errors import UsageError

_UNFIT = re.compile(r"[/\\%\x00\ud800-\udfff]")


def segment(text: str) -> str:
    """One path segment, quoted.

    Raises:
        UsageError: it is empty or would leave its place in the path.
    """
    if not text or text in (".", "..") or _UNFIT.search(text):
        raise UsageError(f"{text!r} cannot be a name in a path of the Kubernetes API")
    return quote(text, safe=":@!$&'()*+,;=~-._")


def group_path(api_version: str) -> str:
    """`/api/v1` or `/apis/group/version`."""
    group, _, version = api_version.rpartition("/")
    return f"/apis/{segment(group)}/{segment(version)}" if group else f"/api/{segment(version)}"


def object_path(api_version: str, plural: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """Path of a collection, an object, or a subresource of it.

    Args:
        api_version: `v1`, `apps/v1`, `sparkoperator.k8s.io/v1beta2`, …
        plural: resource name (`pods`).
        namespace: `` for all namespaces and for cluster-scoped kinds.
        name: `` for the collection.
        subresource: `status`, `log`, `eviction`, …; needs a name.
    """
    path = group_path(api_version)
    if namespace:
        path += f"/namespaces/{segment(namespace)}"
    path += f"/{segment(plural)}"
    if name:
        path += f"/{segment(name)}"
        if subresource:
            path += f"/{segment(subresource)}"
    return path


def proxy_path(kind: str, namespace: str, name: str, port: int | str, path: str, scheme: str = "") -> str:
    """Path of the API server's proxy to a pod or a service.

    Args:
        kind: `pods` or `services`.
        port: number or name; `` for the only port.
        path: path at the other end, already quoted; a leading slash is optional.
        scheme: `https` where the other end speaks TLS.
    """
    target = name
    if port not in ("", None):
        target = f"{scheme}:{name}:{port}" if scheme else f"{name}:{port}"
    elif scheme:
        target = f"{scheme}:{name}:"
    return f"/api/v1/namespaces/{segment(namespace)}/{kind}/{segment(target)}/proxy/{path.lstrip('/')}"
