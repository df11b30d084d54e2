"""What a node offers of its GPUs follows its device plugin, and the plugin follows its cards and its DaemonSet."""

from __future__ import annotations

import msgspec
import pytest

from console.drill.scenario.files import load
from console.drill.scenario.model import FaultDoc
from console.drill.state.resources import EVENTS
from tests.drill.conftest import DATA, MERGE, Api, open_api

SCENARIO = load(DATA / "gpu-incidents.yaml")
PLUGIN = "/apis/apps/v1/namespaces/kube-system/daemonsets/nvidia-device-plugin"


async def offered(api: Api, node: str) -> tuple[str, str]:
    """(allocatable, capacity) of GPUs."""
    status = (await api.get(f"/api/v1/nodes/{node}"))["status"]
    return status["allocatable"]["nvidia.com/gpu"], status["capacity"]["nvidia.com/gpu"]


async def firing(api: Api) -> set[str]:
    return {row["metric"]["alertname"] for row in await api.query('ALERTS{alertstate="firing"}')}


async def restart_plugin(api: Api, node: str) -> None:
    pods = "/api/v1/namespaces/kube-system/pods"
    for pod in (await api.get(pods, fieldSelector=f"spec.nodeName={node}"))["items"]:
        await api.call("DELETE", f"{pods}/{pod['metadata']['name']}")
    await api.session.run_for(20)


async def test_a_node_offers_what_its_plugin_finds_well() -> None:
    async with open_api(scenario=SCENARIO) as api:
        assert await offered(api, "gpu-01") == await offered(api, "gpu-02") == ("4", "4")
        daemonset = (await api.get(PLUGIN))["status"]
        assert (daemonset["desiredNumberScheduled"], daemonset["numberReady"]) == (2, 2)
        assert await firing(api) == set()


@pytest.mark.parametrize(("case", "left"), [("xid-hardware", "3"), ("xid-application", "4")])
async def test_only_errors_of_the_hardware_take_a_card_out(case: str, left: str) -> None:
    async with open_api(case, SCENARIO) as api:
        assert await offered(api, "gpu-01") == (left, "4")
        assert "SparkGpuErrors" in await firing(api)
        assert ("SparkGpusNotAllocatable" in await firing(api)) is (left == "3")
        assert "XIDError" in {e["reason"] for e in api.session.world.store.all(EVENTS)}
        await restart_plugin(api, "gpu-01")
        assert await offered(api, "gpu-01") == ("4", "4"), "a plugin that begins looks at every card anew"


async def test_a_card_that_fell_off_is_found_by_no_plugin_until_the_node_has_it_back() -> None:
    async with open_api("falls-off", SCENARIO) as api:
        assert await offered(api, "gpu-02") == ("3", "4")
        await restart_plugin(api, "gpu-02")
        assert await offered(api, "gpu-02") == ("3", "4")
        await api.session.run_for(700)
        assert await offered(api, "gpu-02") == ("3", "4"), "the card is back, the plugin has not looked"
        await restart_plugin(api, "gpu-02")
        assert await offered(api, "gpu-02") == ("4", "4")
        await api.session.run_for(120)
        assert "SparkGpusNotAllocatable" not in await firing(api)


async def test_without_its_plugin_a_node_offers_no_gpu() -> None:
    async with open_api("plugin-down", SCENARIO) as api:
        assert await offered(api, "gpu-01") == ("0", "4")
        assert (await api.get(PLUGIN))["status"]["desiredNumberScheduled"] == 0
        assert "SparkGpusNotAllocatable" in await firing(api)
        body = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
        await api.call("PATCH", PLUGIN, body, kind=MERGE)
        await api.session.run_for(60)
        assert await offered(api, "gpu-01") == ("0", "4"), "restarting what has no node is no help"
        await api.call("PATCH", PLUGIN, {"spec": {"template": {"spec": {"nodeSelector": {"team": None}}}}}, kind=MERGE)
        await api.session.run_for(120)
        assert await offered(api, "gpu-01") == await offered(api, "gpu-02") == ("4", "4")
        assert "SparkGpusNotAllocatable" not in await firing(api)


async def test_a_target_that_does_not_answer_is_down_wherever_prometheus_is_asked() -> None:
    silent = FaultDoc(kind="gpu-blind", target="gpu-01", options={"down": True}, at=-120.0)
    case = msgspec.structs.replace(SCENARIO.case("default"), break_=(silent,), faults=())
    scenario = msgspec.structs.replace(SCENARIO, cases={"default": case})
    async with open_api(scenario=scenario) as api:
        rows = await api.query('up{job="nvidia-dcgm-exporter"}')
        _, told = await api.prom("targets")
        up = {
            t["labels"]["node"]: (t["health"], t["lastError"])
            for t in told["data"]["activeTargets"]
            if t["scrapePool"] == "nvidia-dcgm-exporter"
        }
    assert {row["metric"]["node"]: row["value"][1] for row in rows} == {"gpu-01": "0", "gpu-02": "1"}
    assert up["gpu-01"][0] == "down" and "deadline exceeded" in up["gpu-01"][1] and up["gpu-02"] == ("up", "")
