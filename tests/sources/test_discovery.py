"""Which Service is the Prometheus: labels, well-known names, an annotation that ends all guessing."""

from __future__ import annotations

from typing import Any

import pytest

from console.sources.cluster.discovery import ANNOTATION, discover, first_prometheus
from console.wire.connection import Connection
from tests.sources.world import FORBIDDEN, listed
from tests.wire.peer import Peer, recorded


def service(name: str, *ports: tuple[str, int], namespace: str = "monitoring", **meta: Any) -> dict[str, Any]:
    spec = {"ports": [{"name": n, "port": p, "protocol": "TCP"} for n, p in ports]}
    return {"metadata": {"name": name, "namespace": namespace, **meta}, "spec": spec}


STACK = [
    service("kps-kube-prometheus-stack-prometheus", ("http-web", 9090), ("reloader-web", 8080),
            labels={"app": "kube-prometheus-stack-prometheus"}),
    service("prometheus-operated", ("http-web", 9090), labels={"operated-prometheus": "true"}),
    service("kps-kube-state-metrics", ("http", 8080), labels={"app.kubernetes.io/name": "kube-state-metrics"}),
    service("kps-prometheus-node-exporter", ("http", 9100), labels={"app": "prometheus-node-exporter"}),
    service("kps-kube-prometheus-stack-alertmanager", ("http-web", 9093),
            labels={"app": "kube-prometheus-stack-alertmanager"}),
    service("alertmanager-operated", ("http-web", 9093), ("tcp-mesh", 9094), labels={"operated-alertmanager": "true"}),
    service("grafana", ("http", 80), labels={"app.kubernetes.io/name": "grafana"}),
    service("shop", ("http", 80), namespace="web"),
]  # fmt: skip


async def test_a_usual_stack(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/services", listed(STACK))
    found = await discover(connection.reader, "prometheus")
    assert [f.service for f in found] == ["kps-kube-prometheus-stack-prometheus", "prometheus-operated"]
    assert (found[0].port, found[0].scheme, found[0].because) == (
        9090,
        "",
        "label app=kube-prometheus-stack-prometheus",
    )
    managers = await discover(connection.reader, "alertmanager")
    assert [f.service for f in managers] == ["kps-kube-prometheus-stack-alertmanager", "alertmanager-operated"]
    assert await discover(connection.reader, "history-server") == ()


@pytest.mark.parametrize(
    ("item", "what", "port", "scheme"),
    [
        (service("thanos-querier", ("web", 9091), namespace="openshift-monitoring"), "prometheus", 9091, "https"),
        (service("prometheus-server", ("http", 80)), "prometheus", 80, ""),
        (service("x", ("a", 1), ("b", 9090), labels={"app.kubernetes.io/name": "prometheus"}), "prometheus", 9090, ""),
        (service("spark-history-server", ("http", 18080), namespace="spark"), "history-server", 18080, ""),
        (service("any", ("secret", 7), annotations={ANNOTATION: "prometheus"}), "prometheus", 7, ""),
    ],
)
async def test_others(peer: Peer, connection: Connection, item: Any, what: Any, port: int, scheme: str) -> None:
    peer.answer("/api/v1/services", listed([item]))
    (found,) = await discover(connection.reader, what)
    assert (found.service, found.port, found.scheme) == (item["metadata"]["name"], port, scheme)


async def test_the_annotation_wins(peer: Peer, connection: Connection) -> None:
    chosen = service("mine", ("http", 1), annotations={ANNOTATION: "prometheus"})
    other = service("prometheus", ("http", 9090), annotations={ANNOTATION: "alertmanager"})
    peer.answer("/api/v1/services", listed([*STACK, chosen, other]))
    found = await discover(connection.reader, "prometheus")
    assert found[0].service == "mine" and "prometheus" not in {f.service for f in found}


async def test_usual_places_where_everywhere_is_forbidden(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/.*", FORBIDDEN, status=403)
    assert await discover(connection.reader, "prometheus") == ()
    peer.answer("/api/v1/namespaces/monitoring/services", listed(STACK))
    assert (await discover(connection.reader, "prometheus"))[0].namespace == "monitoring"
    assert await discover(connection.reader, "prometheus", ("elsewhere",)) == ()


async def test_the_first_that_really_answers(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/services", listed(STACK))
    proxy = "/api/v1/namespaces/monitoring/services"
    peer.answer(f"{proxy}/kps-.*", "<html>", content_type="text/html")
    found, why = await first_prometheus(connection.reader)
    assert (
        found is None
        and why == "monitoring/kps-kube-prometheus-stack-prometheus does not answer like Prometheus (HTTP 200)"
    )
    peer.answer(f"{proxy}/prometheus-operated:9090/proxy/api/v1/query", recorded("prometheus/query_scalar.json"))
    found, why = await first_prometheus(connection.reader)
    assert found is not None and found.service == "prometheus-operated" and why == "label operated-prometheus"
    peer.answer("/api/v1/services", listed([]))
    assert await first_prometheus(connection.reader) == (
        None, "no Service looks like Prometheus; set prometheus.url or prometheus.service in the config"
    )  # fmt: skip
