"""Finds Prometheus, Alertmanager and the History Server among the Services of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from console.base.errors import ConsoleError, ForbiddenError
from console.base.jsontext import decode_elements
from console.wire.endpoint import Endpoint, ServiceEndpoint
from console.wire.errors import NotFoundError
from console.wire.paths import object_path
from console.wire.reader import Reader

DiscoverableService = Literal["prometheus", "alertmanager", "history-server"]
ANNOTATION = "console.oncall/serves"
"""Put on a Service, with one of the words of `What`, it ends all guessing."""
_USUAL_NAMESPACES = ("monitoring", "prometheus", "observability", "kube-prometheus-stack", "openshift-monitoring")
_NAMES: dict[str, tuple[str, ...]] = {
    "prometheus": (
        "thanos-querier",
        "thanos-query",
        "prometheus-k8s",
        "prometheus-server",
        "prometheus-operated",
        "prometheus",
    ),
    "alertmanager": ("alertmanager-main", "alertmanager-operated", "prometheus-alertmanager", "alertmanager"),
    "history-server": ("spark-history-server", "spark-history", "history-server"),
}
_PORTS: dict[str, tuple[str | int, ...]] = {
    "prometheus": ("web", "http-web", "http", 9090, 10902, 9091, 80),
    "alertmanager": ("web", "http-web", "http", 9093, 9094, 80),
    "history-server": ("http", "historyport", "ui", 18080, 80),
}
_NOT = (
    "node-exporter",
    "pushgateway",
    "operator",
    "adapter",
    "state-metrics",
    "blackbox",
    "grafana",
    "sidecar",
    "discovery",
    "coredns",
    "kubelet",
    "kube-controller",
    "kube-etcd",
    "kube-proxy",
    "kube-scheduler",
)


class ServiceFound(Struct, frozen=True):
    """A Service that looks like it. `because` says why, `score` orders them."""

    what: DiscoverableService
    namespace: str
    service: str
    port: int | str
    scheme: str
    because: str
    score: int

    def endpoint(self, reader: Reader) -> Endpoint:
        """The way there."""
        return ServiceEndpoint(reader, self.namespace, self.service, self.port, scheme=self.scheme)


class _OfferedMeta(Struct):
    name: str = ""
    namespace: str | None = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class _OfferedPort(Struct):
    name: str | None = ""
    port: int = 0
    protocol: str | None = "TCP"


class _OfferedPorts(Struct):
    ports: list[_OfferedPort] | None = None
    type: str | None = ""


class _OfferedService(Struct):
    metadata: _OfferedMeta = field(default_factory=_OfferedMeta)
    spec: _OfferedPorts = field(default_factory=_OfferedPorts)


async def discover(
    reader: Reader, what: DiscoverableService, namespaces: tuple[str, ...] = ()
) -> tuple[ServiceFound, ...]:
    """Services that look like `what`, the likeliest first.

    Args:
        namespaces: where to look; empty means everywhere, or the usual places where everywhere is forbidden.

    Raises:
        LoginNeeded, ReachError. That nothing may be read gives an empty answer.
    """
    found: list[ServiceFound] = []
    for namespace in namespaces or ("",):
        try:
            found.extend(await _in(reader, what, namespace))
        except (ForbiddenError, NotFoundError):
            if namespace == "":
                for usual in _USUAL_NAMESPACES:
                    try:
                        found.extend(await _in(reader, what, usual))
                    except (ForbiddenError, NotFoundError):
                        continue
    return tuple(sorted(found, key=lambda f: (-f.score, f.namespace, f.service)))


async def first_prometheus(reader: Reader, namespaces: tuple[str, ...] = ()) -> tuple[ServiceFound | None, str]:
    """The likeliest Prometheus that really answers a query, else None and why."""
    candidates = await discover(reader, "prometheus", namespaces)
    said = ""
    for found in candidates[:4]:
        try:
            answer = await found.endpoint(reader).get("/api/v1/query", {"query": "vector(1)"}, timeout=4.0)
        except ConsoleError as error:
            said = said or f"{found.namespace}/{found.service}: {error.message}"
            continue
        if answer.status == 200 and answer.content_type == "application/json" and b'"success"' in answer.body[:200]:
            return found, found.because
        said = said or f"{found.namespace}/{found.service} does not answer like Prometheus (HTTP {answer.status})"
    return None, said or "no Service looks like Prometheus; set prometheus.url or prometheus.service in the config"


async def _in(reader: Reader, what: DiscoverableService, namespace: str) -> list[ServiceFound]:
    found = []
    async for page in reader.pages(object_path("v1", "services", namespace)):
        for service in decode_elements(page.body, _OfferedService, "items")[0]:
            one = _judge(service, what)
            if one is not None:
                found.append(one)
    return found


def _judge(service: _OfferedService, what: DiscoverableService) -> ServiceFound | None:
    meta, name = service.metadata, service.metadata.name
    labels, annotations = meta.labels or {}, meta.annotations or {}
    ports = [port for port in service.spec.ports or () if port.protocol in (None, "", "TCP")]
    if not ports or service.spec.type == "ExternalName":
        return None
    score, because = 0, ""
    claimed = annotations.get(ANNOTATION)
    if claimed is not None:
        if claimed != what:
            return None
        score, because = 1_000, f"annotation {ANNOTATION}"
    elif any(word in name for word in _NOT):
        return None
    else:
        score, because = _likeness(name, labels, what)
    if score == 0:
        return None
    port, scheme = _port(ports, what)
    return ServiceFound(what, meta.namespace or "", name, port, scheme, because, score)


def _likeness(name: str, labels: Mapping[str, str], what: DiscoverableService) -> tuple[int, str]:
    names = _NAMES[what]
    known = labels.get("app.kubernetes.io/name", "")
    if what == "prometheus":
        if "alertmanager" in name or labels.get("app.kubernetes.io/component") in ("alertmanager", "exporter"):
            return 0, ""
        if labels.get("operated-prometheus") == "true":
            return 60, "label operated-prometheus"
    if known in (what, "thanos-query" if what == "prometheus" else f"spark-{what}"):
        return 80, f"label app.kubernetes.io/name={known}"
    if labels.get("app") in (what, f"kube-prometheus-stack-{what}", f"spark-{what}"):
        return 75, f"label app={labels['app']}"
    for rank, usual in enumerate(names):
        if name == usual:
            return 70 - rank, f"its name {name}"
    for rank, usual in enumerate(names):
        if name.endswith(f"-{usual}"):
            return 40 - rank, f"its name {name}"
    return 0, ""


def _port(ports: list[_OfferedPort], what: DiscoverableService) -> tuple[int, str]:
    for wanted in _PORTS[what]:
        for port in ports:
            if wanted in (port.name, port.port):
                return port.port, _scheme(port)
    return ports[0].port, _scheme(ports[0])


def _scheme(port: _OfferedPort) -> str:
    return "https" if port.name in ("https", "https-web") or port.port in (443, 8443, 9091) else ""
