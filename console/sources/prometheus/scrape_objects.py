"""The objects that tell a Prometheus operator what to scrape and which rules to load, and what they select."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from console.base.clock import parse_time
from console.base.errors import ConsoleError, ForbiddenError
from console.base.jsontext import decode_elements, decode_json
from console.base.shapes import entries, mappings
from console.facts.leftout import LeftOut, bounded
from console.facts.monitoring import Objects, PodPorts, ScrapeObject
from console.wire.errors import NotFoundError
from console.wire.reader import Reader

GROUP = "/apis/monitoring.coreos.com"
MAX_POD_MONITORS, MAX_SPACES, MAX_PODS = 100, 50, 200
"""PodMonitors whose pods are read, namespaces of one of them, pods of one namespace."""
SCRAPE_KINDS = (
    ("ServiceMonitor", "servicemonitors"), ("PodMonitor", "podmonitors"), ("PrometheusRule", "prometheusrules"),
)  # fmt: skip
_KEPT = ("selector", "namespaceSelector", "endpoints", "podMetricsEndpoints", "groups")


class _ScrapeMeta(Struct):
    name: str = ""
    namespace: str = ""
    labels: dict[str, str] | None = None
    creationTimestamp: str | None = None


class _Tree(Struct):
    metadata: _ScrapeMeta = field(default_factory=_ScrapeMeta)
    spec: dict[str, Any] = {}


class _NamedPort(Struct):
    name: str | None = ""


class _PortsOfContainer(Struct):
    ports: list[_NamedPort] | None = None


class _PortsOfPod(Struct):
    containers: list[_PortsOfContainer] = []


class _SelectedPod(Struct):
    metadata: _ScrapeMeta = field(default_factory=_ScrapeMeta)
    spec: _PortsOfPod = field(default_factory=_PortsOfPod)


class _Conditions(Struct):
    ready: bool | None = None


class _Endpoint(Struct):
    addresses: list[str] | None = None
    conditions: _Conditions = field(default_factory=_Conditions)


class _Slice(Struct):
    metadata: _ScrapeMeta = field(default_factory=_ScrapeMeta)
    endpoints: list[_Endpoint] | None = None


class _SelectedMeta(Struct):
    continue_: str = field(default="", name="continue")


class _SelectedList(Struct):
    metadata: _SelectedMeta = field(default_factory=_SelectedMeta)


class ScrapeObjects:
    """Reads them from one cluster. Where it has no Prometheus operator that is one request and no answer."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def read(self) -> tuple[Objects | None, tuple[tuple[str, str], ...]]:
        """The objects, and (what, why) for what could not be read. None where the cluster has no such kinds.

        Raises:
            LoginNeeded, ReachError.
        """
        try:
            await self._reader.get(GROUP)
        except (NotFoundError, ForbiddenError):
            return None, ()
        unread: list[tuple[str, str]] = []
        found: dict[str, tuple[ScrapeObject, ...]] = {}
        for kind, plural in SCRAPE_KINDS:
            found[kind] = await self._listed(kind, f"{GROUP}/v1/{plural}", unread) or ()
        services = endpoints = None
        if found["ServiceMonitor"]:
            services = await self._listed("Service", "/api/v1/services", unread)
            endpoints = await self._endpoints(unread)
        pods = {}
        wanted, beyond = bounded(
            found["PodMonitor"], MAX_POD_MONITORS, source="prometheus", what="PodMonitors have their pods read",
            name=lambda monitor: monitor.key,
        )  # fmt: skip
        left_out = list(beyond)
        for monitor in wanted:
            mine = await self._pods(monitor, unread, left_out)
            if mine is not None:
                pods[monitor.key] = mine
        monitors = (*found["ServiceMonitor"], *found["PodMonitor"])
        objects = Objects(monitors, found["PrometheusRule"], services, endpoints, pods, tuple(left_out))
        return objects, tuple(unread)

    async def _listed(self, kind: str, path: str, unread: list[tuple[str, str]]) -> tuple[ScrapeObject, ...] | None:
        out: list[ScrapeObject] = []
        try:
            async for page in self._reader.pages(path):
                for tree in decode_elements(page.body, _Tree, "items")[0]:
                    out.append(_object(kind, tree))
        except NotFoundError:
            return ()
        except (ForbiddenError, msgspec.DecodeError) as error:
            unread.append((kind, str(error)))
            return None
        return tuple(out)

    async def _endpoints(self, unread: list[tuple[str, str]]) -> dict[str, int] | None:
        out: dict[str, int] = {}
        try:
            async for page in self._reader.pages("/apis/discovery.k8s.io/v1/endpointslices"):
                for one in decode_elements(page.body, _Slice, "items")[0]:
                    service = (one.metadata.labels or {}).get("kubernetes.io/service-name")
                    if not service:
                        continue
                    ready = sum(
                        len(e.addresses or ()) for e in one.endpoints or () if e.conditions.ready in (True, None)
                    )
                    key = f"{one.metadata.namespace}/{service}"
                    out[key] = out.get(key, 0) + ready
        except (ForbiddenError, NotFoundError, msgspec.DecodeError) as error:
            unread.append(("EndpointSlice", str(error)))
            return None
        return out

    async def _pods(
        self, monitor: ScrapeObject, unread: list[tuple[str, str]], left_out: list[LeftOut]
    ) -> tuple[PodPorts, ...] | None:
        """Pods that a PodMonitor selects, `MAX_PODS` of each namespace; None where they may not be read."""
        chosen = monitor.spec.get("namespaceSelector") or {}
        named = chosen.get("matchNames") or [monitor.namespace]
        spaces, beyond = bounded(
            [""] if chosen.get("any") else [str(name) for name in named], MAX_SPACES, source="prometheus",
            what=f"namespaces of {monitor.key} are read", name=str,
        )  # fmt: skip
        left_out += beyond
        selector = label_selector(monitor.spec.get("selector") or {})
        out: list[PodPorts] = []
        for space in spaces:
            path = f"/api/v1/namespaces/{space}/pods" if space else "/api/v1/pods"
            query = {"limit": str(MAX_PODS), **({"labelSelector": selector} if selector else {})}
            try:
                body = await self._reader.get(path, query)
                pods, _ = decode_elements(body, _SelectedPod, "items")
                if decode_json(body, _SelectedList).metadata.continue_:
                    left_out.append(LeftOut("prometheus", f"pods of {monitor.key} are read", len(pods)))
            except (ConsoleError, msgspec.DecodeError) as error:
                unread.append((monitor.key, str(error)))
                return None
            for pod in pods:
                ports = tuple(p.name for c in pod.spec.containers for p in c.ports or () if p.name)
                out.append(PodPorts(pod.metadata.namespace, pod.metadata.name, ports))
        return tuple(out)


def label_selector(selector: Mapping[str, Any]) -> str:
    """A selector as the API takes it in a query."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for rule in mappings(selector.get("matchExpressions")):
        key, word = str(rule.get("key")), str(rule.get("operator"))
        values = ",".join(map(str, entries(rule.get("values"))))
        parts.append(
            {"Exists": f"{key}", "DoesNotExist": f"!{key}", "NotIn": f"{key} notin ({values})"}.get(
                word, f"{key} in ({values})"
            )
        )
    return ",".join(parts)


def _object(kind: str, tree: _Tree) -> ScrapeObject:
    meta = tree.metadata
    kept = _KEPT if kind != "Service" else ("ports", "type")
    spec = {key: value for key, value in tree.spec.items() if key in kept}
    created = parse_time(meta.creationTimestamp) if meta.creationTimestamp else None
    return ScrapeObject(kind, meta.namespace, meta.name, meta.labels or {}, created, spec)
