"""Deployments as the real controller keeps them: rollouts, revisions, deadlines, and what stands in their way."""

from __future__ import annotations

from typing import Any

import pytest

from console.drill.state.resources import EVENTS
from tests.drill.conftest import MERGE, Api

STRATEGIC = "application/strategic-merge-patch+json"
SPACE = "/apis/apps/v1/namespaces/spark-prod"
METASTORE = f"{SPACE}/deployments/hive-metastore"


def image(name: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "hive-metastore", "image": name}]}}}}


async def patch(api: Api, body: dict[str, Any], path: str = METASTORE) -> dict[str, Any]:
    status, found = await api.call("PATCH", path, body, kind=STRATEGIC)
    assert status == 200, found
    return dict(found)


async def pods(api: Api, app: str = "hive-metastore") -> list[dict[str, Any]]:
    listed = await api.get("/api/v1/namespaces/spark-prod/pods", labelSelector=f"app={app}")
    return list(listed["items"])


async def replicasets(api: Api) -> dict[str, int]:
    """Revision → replicas."""
    listed = await api.get(f"{SPACE}/replicasets", labelSelector="app=hive-metastore")
    key = "deployment.kubernetes.io/revision"
    return {found["metadata"]["annotations"][key]: found["spec"]["replicas"] for found in listed["items"]}


def condition(found: dict[str, Any], kind: str) -> tuple[str, str]:
    return next((c["status"], c["reason"]) for c in found["status"]["conditions"] if c["type"] == kind)


def said(api: Api, name: str) -> list[tuple[str, str]]:
    """(reason, message) of the events about what has that name."""
    events = api.session.world.store.all(EVENTS)
    return [(e["reason"], e["message"]) for e in events if e["involvedObject"]["name"] == name]


async def test_a_new_template_is_rolled_out_before_the_old_pod_goes(young: Api) -> None:
    (before,) = await pods(young)
    await young.call("PATCH", METASTORE, {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}, kind=MERGE)
    await young.session.run_for(1)
    assert before["metadata"]["name"] in {p["metadata"]["name"] for p in await pods(young)}
    await young.session.run_for(10)
    (after,) = await pods(young)
    assert after["metadata"]["name"] != before["metadata"]["name"]
    assert await replicasets(young) == {"1": 0, "2": 1}
    found = await young.get(METASTORE)
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert condition(found, "Progressing") == ("True", "NewReplicaSetAvailable")
    assert any(text.endswith("from 0 to 1") for _, text in said(young, "hive-metastore"))
    assert any(text.endswith("from 1 to 0") for _, text in said(young, "hive-metastore"))


async def test_an_image_that_is_nowhere_stops_the_rollout_and_the_old_pod_goes_on(young: Api) -> None:
    await patch(young, image("registry.local/hive:4.0.2"))
    await young.session.run_for(120)
    old, new = sorted(await pods(young), key=lambda p: p["status"]["phase"], reverse=True)
    assert (old["status"]["phase"], new["status"]["phase"]) == ("Running", "Pending")
    waiting = new["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert "failed to resolve image: registry.local/hive:4.0.2: not found" in waiting["message"]
    reasons = {reason for reason, _ in said(young, new["metadata"]["name"])}
    assert {"Scheduled", "Pulling", "Failed", "BackOff"} <= reasons
    found = await young.get(METASTORE)
    assert condition(found, "Available")[0] == "True"
    assert (found["status"]["unavailableReplicas"], found["status"]["availableReplicas"]) == (1, 1)
    await young.session.run_for(600)
    found = await young.get(METASTORE)
    assert condition(found, "Progressing") == ("False", "ProgressDeadlineExceeded")
    await patch(young, image("registry.local/hive:4.0.3"))
    await young.session.run_for(60)
    assert len(await pods(young)) == 2, "another image that is nowhere is no better"
    await patch(young, image("registry.local/hive:4.0.1"))
    await young.session.run_for(30)
    (only,) = await pods(young)
    assert only["metadata"]["name"] == old["metadata"]["name"]
    assert await replicasets(young) == {"4": 1, "2": 0, "3": 0}, "the first template is back, as the newest revision"


async def test_a_paused_deployment_is_scaled_but_not_rolled(young: Api) -> None:
    await patch(young, {"spec": {"paused": True}})
    await patch(young, image("registry.local/spark:4.1.4"))
    await patch(young, {"spec": {"replicas": 2}})
    await young.session.run_for(10)
    assert await replicasets(young) == {"1": 2}
    assert condition(await young.get(METASTORE), "Progressing") == ("Unknown", "DeploymentPaused")
    await patch(young, {"spec": {"paused": False}})
    await young.session.run_for(40)
    assert await replicasets(young) == {"1": 0, "2": 2}


async def test_recreate_lets_the_old_pods_go_first(young: Api) -> None:
    await patch(young, {"spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}})
    await patch(young, image("registry.local/hive:5"))
    await young.session.run_for(30)
    (only,) = await pods(young)
    assert only["spec"]["containers"][0]["image"] == "registry.local/hive:5"
    found = await young.get(METASTORE)
    assert condition(found, "Available") == ("False", "MinimumReplicasUnavailable")


async def test_scaled_to_nothing_it_is_available_and_answers_nobody(young: Api) -> None:
    await patch(young, {"spec": {"replicas": 0}})
    await young.session.run_for(10)
    assert await pods(young) == []
    found = await young.get(METASTORE)
    assert condition(found, "Available") == ("True", "MinimumReplicasAvailable")
    assert "availableReplicas" not in found["status"]
    await patch(young, {"spec": {"replicas": 1}})
    await young.session.run_for(10)
    assert len(await pods(young)) == 1


async def test_a_quota_that_is_too_small_shows_on_the_replicaset(young: Api) -> None:
    quota = "/api/v1/namespaces/spark-prod/resourcequotas/spark-quota"
    await young.call("PATCH", quota, {"spec": {"hard": {"pods": "1"}}}, kind=MERGE)
    await patch(young, {"spec": {"replicas": 2}})
    await young.session.run_for(5)
    found = await young.get(METASTORE)
    assert condition(found, "ReplicaFailure") == ("True", "FailedCreate")
    (only,) = (await young.get(f"{SPACE}/replicasets", labelSelector="app=hive-metastore"))["items"]
    text = next(text for reason, text in said(young, only["metadata"]["name"]) if reason == "FailedCreate")
    assert "Error creating: pods" in text and "exceeded quota: spark-quota, requested: pods=1" in text
    await young.call("PATCH", quota, {"spec": {"hard": {"pods": "120"}}}, kind=MERGE)
    await young.session.run_for(60)
    assert len(await pods(young)) == 2


@pytest.mark.parametrize(
    ("probe", "word"),
    [
        ({"tcpSocket": {"port": 9999}}, "dial tcp"),
        ({"httpGet": {"port": 9999, "path": "/healthz"}}, 'Get "http://'),
    ],
)
async def test_a_probe_of_a_port_that_nobody_serves_keeps_the_pod_out(
    young: Api, probe: dict[str, Any], word: str
) -> None:
    body = image("registry.local/hive:4.0.1")
    body["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = probe
    await patch(young, body)
    await young.session.run_for(60)
    found = await young.get(METASTORE)
    assert found["status"]["unavailableReplicas"] == 1
    new = max(await pods(young), key=lambda p: p["metadata"]["creationTimestamp"])
    assert new["status"]["phase"] == "Running" and not new["status"]["containerStatuses"][0]["ready"]
    unhealthy = [text for reason, text in said(young, new["metadata"]["name"]) if reason == "Unhealthy"]
    assert unhealthy and unhealthy[0].startswith(f"Readiness probe failed: {word}")
    assert unhealthy[0].endswith("9999: connect: connection refused")


async def test_a_process_that_ends_is_begun_again_ever_more_slowly(young: Api) -> None:
    deployment = "/apis/apps/v1/namespaces/spark-operator/deployments/spark-operator-controller"
    args = ["controller", "start", "--controller-thread=10"]
    container = {"name": "spark-operator-controller", "args": args}
    await patch(young, {"spec": {"template": {"spec": {"containers": [container]}}}}, deployment)
    await young.session.run_for(120)
    listed = (await young.get("/api/v1/namespaces/spark-operator/pods"))["items"]
    (new,) = [p for p in listed if p["spec"]["containers"][0]["args"] == args]
    (status,) = new["status"]["containerStatuses"]
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff" and status["restartCount"] >= 3
    assert status["lastState"]["terminated"]["exitCode"] == 1
    whole = f"{new['metadata']['name']}_spark-operator({new['metadata']['uid']})"
    wanted = f"restarting failed container=spark-operator-controller pod={whole}"
    assert status["state"]["waiting"]["message"].endswith(wanted)
    assert "BackOff" in {reason for reason, _ in said(young, new["metadata"]["name"])}
    path = f"/api/v1/namespaces/spark-operator/pods/{new['metadata']['name']}/log"
    for query in ({}, {"previous": "true"}):
        code, text = await young.call("GET", path, **query)
        assert code == 200 and text.startswith("Error: unknown flag: --controller-thread\n"), text
