"""Who answers at a Service."""

from __future__ import annotations

from typing import Any

from console.drill.state.resources import PODS, SERVICES
from console.drill.state.services import ADDRESS, endpoints, unreachable
from console.drill.state.store import Store


def pod(name: str, ready: str = "True", **meta: Any) -> dict[str, Any]:
    ports = [{"name": "thrift", "containerPort": 9083}]
    return {
        "metadata": {"name": name, "namespace": "jobs", "labels": {"app": "hive"}, **meta},
        "spec": {"containers": [{"ports": ports}]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def store(*pods: dict[str, Any], target: int | str = "thrift") -> Store:
    out = Store()
    ports = [{"port": 9083, "targetPort": target}]
    meta = {"name": "hive", "namespace": "jobs"}
    out.create(SERVICES, {"metadata": meta, "spec": {"selector": {"app": "hive"}, "ports": ports}})
    for one in pods:
        out.create(PODS, one)
    return out


def test_only_ready_pods_that_stay_are_endpoints() -> None:
    world = store(pod("a"), pod("b", ready="False"), pod("c", deletionTimestamp="now"), pod("d", labels={"app": "x"}))
    service = world.get(SERVICES, "jobs", "hive")
    assert service is not None and [p["metadata"]["name"] for p in endpoints(world, service)] == ["a"]


def test_a_service_is_refused_without_endpoints_and_unknown_where_it_is_not() -> None:
    assert unreachable(store(pod("a")), "jobs", "hive", 9083) == ""
    assert unreachable(store(pod("a"), target=9083), "jobs", "hive", 9083) == ""
    assert unreachable(store(), "jobs", "hive", 9083) == "refused"
    assert unreachable(store(pod("a", ready="False")), "jobs", "hive", 9083) == "refused"
    assert unreachable(store(pod("a")), "jobs", "hive", 10000) == "refused", "it has no such port"
    assert unreachable(store(pod("a"), target=10000), "jobs", "hive", 9083) == "refused", "nobody listens there"
    assert unreachable(store(pod("a")), "other", "hive", 9083) == "unknown"


def test_addresses_are_read_out_of_configurations() -> None:
    found = ADDRESS.search("thrift://hive.jobs.svc.cluster.local:9083,thrift://b.jobs.svc:1")
    assert found is not None and found.group("name", "namespace", "port") == ("hive", "jobs", "9083")
    assert ADDRESS.search("thrift://hive:9083") is None
