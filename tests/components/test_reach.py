"""Components that are ready and that nobody reaches: no endpoints behind a Service, a target that does not answer."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.components.judge import judge
from console.components.model import Component
from console.facts.model import Workload
from console.facts.monitoring import Monitoring, Outage, Scrape
from console.findings.of_components import findings_of_components
from console.settings.presets import load_library
from tests.components.worlds import NOW, facts, pod, workload

DEFINITIONS = load_library().components.values()
LABELS = {"app": "minio"}
MINIO = workload("Deployment", "minio", LABELS, probe=True)


def service(name: str = "minio", selector: dict[str, str] | None = None) -> Workload:
    port = {"port": 9000, "targetPort": "api"}
    return workload("Service", name, spec={"selector": LABELS if selector is None else selector, "ports": [port]})


def slice_of(name: str = "minio", *, ready: bool | None = True, ports: bool = True, addresses: int = 1) -> Workload:
    ends = [{"addresses": [f"10.0.0.{n}"], "conditions": {"ready": ready}} for n in range(addresses)]
    spec = {"endpoints": ends, "ports": [{"port": 9000}] if ports else []}
    return workload("EndpointSlice", f"{name}-x1", {"kubernetes.io/service-name": name}, spec=spec)


def minio(*things: Any, **over: Any) -> Component:
    (component,) = judge(replace(facts(MINIO, *things), **over), DEFINITIONS)
    return component


@pytest.mark.parametrize(
    ("behind", "words"),
    [
        (slice_of(addresses=0), "Service minio has no ready endpoints, while 1 replica of minio is ready"),
        (slice_of(ready=False), "Service minio has no ready endpoints, while 1 replica of minio is ready"),
        (slice_of(ports=False), "Service minio has endpoints without a port (api is none of the pods'), while 1 "
                                "replica of minio is ready"),
    ],
)  # fmt: skip
def test_a_service_behind_which_nobody_answers_is_why_a_ready_component_is_down(behind: Workload, words: str) -> None:
    found = minio(service(), behind)
    assert (found.state, found.reason) == ("down", words)
    (one,) = findings_of_components([found], [])
    assert (one.code, one.severity, one.subject) == ("component-down", "critical", "Deployment/spark/minio")
    assert one.title == f"MinIO / S3 is down: {words}"[:160] and one.data.why == ("endpoints",)  # type: ignore[attr-defined]
    assert one.evidence[0].locator == "Service/spark/minio"


def test_one_of_two_services_without_endpoints_degrades() -> None:
    found = minio(service(), slice_of(), service("minio-console"), slice_of("minio-console", addresses=0))
    assert (found.state, found.troubles[0].cause) == ("degraded", "endpoints")


def test_a_service_of_its_name_that_selects_no_pod_is_said_with_what_it_selects() -> None:
    found = minio(service(selector={"app": "minio-server"}))
    assert found.state == "down"
    assert found.reason == "Service minio selects no pod: app=minio-server, while 1 replica of minio is ready"
    elsewhere = workload("Deployment", "other", {"app": "minio-server"})
    assert minio(service(selector={"app": "minio-server"}), elsewhere).state == "healthy"


def test_answering_or_unread_endpoints_are_no_trouble() -> None:
    assert minio(service(), slice_of()).state == "healthy"
    assert minio(service(), slice_of(ready=None)).state == "healthy"
    assert minio(service()).state == "healthy"
    assert minio(service(selector={})).state == "healthy"


def test_where_no_replica_is_ready_that_is_told_and_not_its_empty_service() -> None:
    down = workload("Deployment", "minio", LABELS, ready=0)
    (found,) = judge(facts(down, service(), slice_of(addresses=0)), DEFINITIONS)
    assert [trouble.cause for trouble in found.troubles] == ["replicas"]


def silent(name: str = "minio-7f9c4-abcde", health: str = "down") -> Monitoring:
    labels = {"namespace": "spark", "pod": name}
    target = Scrape("minio", "10.0.0.1:9000", "http://10.0.0.1:9000/m", health, "connection refused", labels=labels)
    return Monitoring(NOW, "prometheus", (target,), down=(Outage("minio", "10.0.0.1:9000", NOW - 600),))


def test_a_ready_pod_whose_exporter_does_not_answer_is_silent_and_degraded_since_it_last_did() -> None:
    found = minio(pod("minio", LABELS), monitoring=silent())
    assert (found.state, found.troubles[0].cause, found.troubles[0].since) == ("degraded", "silent", NOW - 600)
    assert found.reason == (
        "minio-7f9c4-abcde is ready and silent: http://10.0.0.1:9000/m does not answer Prometheus: connection refused"
    )
    (one,) = findings_of_components([found], [])
    assert (one.code, one.subject, one.since) == ("component-degraded", "Deployment/spark/minio", NOW - 600)


def test_targets_that_answer_again_belong_to_others_or_to_pods_that_are_not_ready_say_nothing() -> None:
    assert minio(pod("minio", LABELS), monitoring=silent(health="up")).state == "healthy"
    assert minio(pod("minio", LABELS), monitoring=silent("other-1")).state == "healthy"
    unready = minio(pod("minio", LABELS, ready=False), monitoring=silent())
    assert all(trouble.cause != "silent" for trouble in unready.troubles)
