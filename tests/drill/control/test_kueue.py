"""Kueue holds an application back as long as its queue has no room, whoever would have it run."""

from __future__ import annotations

from typing import Any

from console.drill.scenario.files import load
from console.drill.state.resources import EVENTS
from tests.drill.conftest import MERGE, Api, open_api

APPS = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/team-a/sparkapplications"
QUEUES = "/apis/kueue.x-k8s.io/v1beta2"


def state(app: dict[str, Any]) -> str:
    return str(app.get("status", {}).get("applicationState", {}).get("state", ""))


async def conditions(api: Api, app: str) -> dict[str, tuple[str, str, str]]:
    """Type → status, reason and message of the Workload of an application."""
    listed = await api.get(f"{QUEUES}/namespaces/team-a/workloads")
    (own,) = [w for w in listed["items"] if w["metadata"]["ownerReferences"][0]["name"] == app]
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in own["status"]["conditions"]}


async def test_what_does_not_fit_waits_without_a_driver_until_there_is_room() -> None:
    async with open_api(scenario=load("queue-wait")) as api:
        waiting = await api.get(f"{APPS}/orders-report")
        assert (state(waiting), waiting["spec"]["suspend"]) == ("SUSPENDED", True)
        reserved = (await conditions(api, "orders-report"))["QuotaReserved"]
        assert reserved[:2] == ("False", "WaitingForQuota")
        assert "insufficient unused quota for memory in flavor default, " in reserved[2]
        assert (await conditions(api, "clicks-stream"))["Admitted"][0] == "True"
        counted = (await api.get(f"{QUEUES}/clusterqueues/analytics"))["status"]
        assert (counted["pendingWorkloads"], counted["admittedWorkloads"]) == (1, 1)

        await api.call("PATCH", f"{APPS}/orders-report", {"spec": {"suspend": False}}, kind=MERGE)
        await api.session.run_for(10)
        back = await api.get(f"{APPS}/orders-report")
        assert (state(back), back["spec"]["suspend"]) == ("SUSPENDED", True)
        stopped = [e for e in api.session.world.store.all(EVENTS) if e["reason"] == "Stopped"]
        assert [e["message"] for e in stopped] == ["Not admitted by cluster queue"]

        quota = [{"name": "cpu", "nominalQuota": "12"}, {"name": "memory", "nominalQuota": "32Gi"}]
        groups = [{"coveredResources": ["cpu", "memory"], "flavors": [{"name": "default", "resources": quota}]}]
        await api.call("PATCH", f"{QUEUES}/clusterqueues/analytics", {"spec": {"resourceGroups": groups}}, kind=MERGE)
        await api.session.run_for(60)
        assert state(await api.get(f"{APPS}/orders-report")) == "RUNNING"
        assert (await conditions(api, "orders-report"))["Admitted"][0] == "True"


async def test_what_can_never_fit_and_what_is_stopped_say_so() -> None:
    for case, reason in (("never", "ExceedsMaxQuota"), ("wrong-fix", "Suspended")):
        async with open_api(case, scenario=load("queue-wait")) as api:
            assert (await conditions(api, "orders-report"))["QuotaReserved"][:2] == ("False", reason)
