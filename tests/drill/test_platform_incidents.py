"""What breaks beyond memory: the fault shows by itself, what does not touch its cause leaves it, what does ends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from console.drill.control.operator import state_of
from console.drill.scenario.files import load
from console.drill.state.pods import finished
from console.drill.state.resources import EVENTS, PODS, SPARKAPPS
from tests.drill.conftest import DATA, MERGE, Api, open_api

SCENARIO = load(DATA / "incidents.yaml")
STRATEGIC = "application/strategic-merge-patch+json"
SPARK = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/spark-prod"
SCHEDULE = f"{SPARK}/scheduledsparkapplications/invoices"
OPERATOR = "/apis/apps/v1/namespaces/spark-operator/deployments/spark-operator-controller"
WEBHOOK = "/apis/apps/v1/namespaces/spark-operator/deployments/spark-operator-webhook"
QUOTA = "/api/v1/namespaces/spark-prod/resourcequotas/spark-quota"
RESTART = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}
Step = Callable[[Api], Awaitable[None]]


def deployment(name: str) -> str:
    return f"/apis/apps/v1/namespaces/spark-prod/deployments/{name}"


def patch(path: str, body: dict[str, Any], kind: str = MERGE) -> Step:
    async def step(api: Api) -> None:
        status, said = await api.call("PATCH", path, body, kind=kind)
        assert status == 200, said

    return step


def both(*steps: Step) -> Step:
    async def step(api: Api) -> None:
        for one in steps:
            await one(api)

    return step


def latest(api: Api) -> dict[str, Any]:
    """The schedule's newest run."""
    runs = [a for a in api.session.world.store.all(SPARKAPPS) if a["metadata"]["name"].startswith("invoice")]
    return max(runs, key=lambda a: (a["metadata"]["creationTimestamp"], a["metadata"]["name"]))


def with_image(tag: str) -> Step:
    """The image of every run that waits for one, and of all that come."""

    async def step(api: Api) -> None:
        body = {"spec": {"image": f"registry.local/spark:{tag}"}}
        for schedule in (await api.get(f"{SPARK}/scheduledsparkapplications"))["items"]:
            name = schedule["metadata"]["name"]
            await patch(f"{SPARK}/scheduledsparkapplications/{name}", {"spec": {"template": body["spec"]}})(api)
        for app in (await api.get(f"{SPARK}/sparkapplications"))["items"]:
            if state_of(app) == "SUBMITTED":
                await patch(f"{SPARK}/sparkapplications/{app['metadata']['name']}", body)(api)

    return step


def delete_pods(label: str, namespace: str = "spark-prod") -> Step:
    async def step(api: Api) -> None:
        for pod in (await api.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=label))["items"]:
            await api.call("DELETE", f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}")

    return step


def with_pull_secret() -> Step:
    async def step(api: Api) -> None:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry"}}
        secret |= {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "e30="}}
        await api.call("POST", "/api/v1/namespaces/spark-prod/secrets", secret)
        account = "/api/v1/namespaces/spark-prod/serviceaccounts/spark"
        await patch(account, {"imagePullSecrets": [{"name": "registry"}]})(api)

    return step


def made(path: str, body: dict[str, Any]) -> Step:
    async def step(api: Api) -> None:
        status, answer = await api.call("POST", path, body)
        assert status == 201, answer

    return step


def args(*flags: str) -> dict[str, Any]:
    container = {"name": "spark-operator-controller", "args": ["controller", "start", *flags]}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


def operator_image(tag: str) -> dict[str, Any]:
    container = {"name": "spark-operator-controller", "image": f"registry.local/spark-operator:{tag}"}
    return {"spec": {"template": {"spec": {"containers": [container]}}}}


@dataclass(frozen=True)
class Incident:
    """How a case is seen and mended. `seconds`: of virtual time after the mending in which it is over."""

    alert: str
    wrong: Step
    right: Step
    seconds: float = 420.0
    shows: Callable[[Api], bool] = lambda _api: True


def waiting(reason: str, word: str) -> Callable[[Api], bool]:
    def shows(api: Api) -> bool:
        states = [
            c["state"].get("waiting", {})
            for pod in api.session.world.store.all(PODS)
            for c in pod["status"].get("containerStatuses", ())
        ]
        return any(s.get("reason") == reason and word in s.get("message", "") for s in states)

    return shows


def said(reason: str, *words: str) -> Callable[[Api], bool]:
    """Whether an event of that reason has all the words."""
    return lambda api: any(
        e["reason"] == reason and all(word in e["message"] for word in words)
        for e in api.session.world.store.all(EVENTS)
    )


def logged(word: str) -> Callable[[Api], bool]:
    """Whether the driver of some run wrote that."""
    return lambda api: any(
        word in line
        for run in api.session.world.spark.runs
        for _, line in api.session.world.cluster.logs.of(run.driver["metadata"]["uid"]).lines()
    )


def scaled(path: str, replicas: int) -> Step:
    return patch(path, {"spec": {"replicas": replicas}})


def node(name: str, unschedulable: bool | None) -> Step:
    return patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": unschedulable}})


INCIDENTS = {
    "image-gone": Incident(
        "SparkImagePullFailing",
        both(with_image("4.1.6"), delete_pods("spark-role=driver")),
        with_image("4.1.5"),
        shows=waiting("ImagePullBackOff", "registry.local/spark:4.1.4: not found"),
    ),
    "image-private": Incident(
        "SparkImagePullFailing",
        delete_pods("spark-role=driver"),
        with_pull_secret(),
        shows=waiting("ImagePullBackOff", "no basic auth credentials"),
    ),
    "image-architecture": Incident(
        "SparkImagePullFailing",
        delete_pods("spark-role=driver"),
        with_image("4.1.5"),
        shows=waiting("ImagePullBackOff", "no match for platform in manifest: not found"),
    ),
    "cordoned": Incident(
        "SparkPodsUnschedulable",
        patch(QUOTA, {"spec": {"hard": {"pods": "500"}}}),
        both(node("node-011", None), node("node-012", False)),
        shows=said(
            "FailedScheduling",
            "0/3 nodes are available: 3 node(s) were unschedulable.",
            "3 Preemption is not helpful for scheduling.",
        ),
    ),
    "quota": Incident(
        "SparkSubmissionsFailing",
        patch(OPERATOR, RESTART),
        patch(QUOTA, {"spec": {"hard": {"requests.memory": "120Gi"}}}),
        seconds=780.0,  # the alert looks back ten minutes
        shows=said("SparkApplicationSubmissionFailed", "exceeded quota: spark-quota, requested: requests.memory="),
    ),
    "operator-scaled": Incident("SparkOperatorDown", patch(OPERATOR, RESTART), scaled(OPERATOR, 1)),
    "operator-image": Incident(
        "SparkOperatorDown",
        patch(OPERATOR, RESTART),
        patch(OPERATOR, operator_image("2.4.1"), STRATEGIC),
        shows=waiting("ImagePullBackOff", "spark-operator:2.4.0: not found"),
    ),
    "operator-crashes": Incident(
        "SparkOperatorDown",
        both(patch(OPERATOR, RESTART), scaled(OPERATOR, 2)),
        patch(OPERATOR, args("--enable-metrics=true"), STRATEGIC),
        shows=said("BackOff", "Back-off restarting failed container spark-operator-controller"),
    ),
    "schedule-suspended": Incident(
        "SparkScheduleMissed", patch(OPERATOR, RESTART), patch(SCHEDULE, {"spec": {"suspend": False}})
    ),
    "schedule-overlaps": Incident(
        "SparkScheduleMissed",
        patch(OPERATOR, RESTART),
        patch(SCHEDULE, {"spec": {"concurrencyPolicy": "Allow"}}),
        seconds=600.0,
    ),
    "metastore-down": Incident(
        "SparkComponentDown",
        both(patch(deployment("hive-metastore"), RESTART), delete_pods("spark-role=driver")),
        scaled(deployment("hive-metastore"), 1),
        seconds=600.0,
        shows=logged("TTransportException: java.net.ConnectException: Connection refused"),
    ),
    "history-down": Incident(
        "SparkComponentDown",
        patch(deployment("spark-history-server"), RESTART),
        scaled(deployment("spark-history-server"), 1),
    ),
    "webhook-down": Incident(
        "SparkSubmissionsFailing",
        patch(OPERATOR, RESTART),
        scaled(WEBHOOK, 1),
        seconds=780.0,
        shows=said(
            "SparkApplicationSubmissionFailed",
            'failed calling webhook "mutate--v1-pod.sparkoperator.k8s.io"',
            'no endpoints available for service "spark-operator-webhook-svc"',
        ),
    ),
    "claim-unbound": Incident(
        "SparkPodsUnschedulable",
        delete_pods("spark-role=executor"),
        made(
            "/apis/storage.k8s.io/v1/storageclasses",
            {"kind": "StorageClass", "metadata": {"name": "fast-ssd"}, "provisioner": "ebs.csi.aws.com"},
        ),
        shows=lambda api: said("ProvisioningFailed", 'storageclass.storage.k8s.io "fast-ssd" not found')(api)
        and said("FailedScheduling", "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.")(api),
    ),
    "secret-missing": Incident(
        "SparkComponentDown",
        patch(deployment("hive-metastore"), RESTART),
        made(
            "/api/v1/namespaces/spark-prod/secrets",
            {"kind": "Secret", "metadata": {"name": "metastore-db"}, "data": {"password": "eA=="}},
        ),
        shows=waiting("CreateContainerConfigError", 'secret "metastore-db" not found'),
    ),
    "connect-down": Incident(
        "SparkComponentDown", patch(OPERATOR, RESTART), scaled(deployment("spark-connect"), 1)
    ),
}  # fmt: skip


async def firing(api: Api) -> set[str]:
    rows = await api.query('ALERTS{alertstate="firing"}')
    return {row["metric"]["alertname"] for row in rows}


async def test_nothing_pages_in_the_world_that_they_share() -> None:
    async with open_api(scenario=SCENARIO) as api:
        await api.session.run_for(600)
        assert await firing(api) == set()
        assert state_of(latest(api)) in ("COMPLETED", "RUNNING", "SUBMITTED", "")


@pytest.mark.parametrize("case", INCIDENTS)
async def test_an_incident_shows_stays_under_the_wrong_change_and_ends_with_its_cause(case: str) -> None:
    incident = INCIDENTS[case]
    async with open_api(case, SCENARIO) as api:
        await api.session.run_for(60)
        assert incident.alert in await firing(api), "it pages within nine minutes of the fault"
        assert incident.shows(api)
        await incident.wrong(api)
        await api.session.run_for(240)
        assert incident.alert in await firing(api), "the wrong change is no help"
        await incident.right(api)
        await api.session.run_for(incident.seconds)
        assert incident.alert not in await firing(api)
        assert state_of(latest(api)) in ("COMPLETED", "RUNNING", "SUBMITTED", ""), "and runs go on"
        pods = api.session.world.store.all(PODS, "spark-prod")
        drivers = [p["status"]["phase"] for p in pods if p["metadata"]["name"].startswith("invoice")]
        assert {"Running", "Succeeded"} & set(drivers), drivers


# -- what else follows -------------------------------------------------------------------------------------------------


async def test_while_the_operator_is_gone_nothing_moves_and_then_it_catches_up_once() -> None:
    async with open_api("operator-scaled", SCENARIO) as api:
        run = latest(api)
        assert state_of(run) == "" and "status" not in run
        assert await api.query('up{job="spark-operator"}') == []
        assert await api.query("spark_application_count") == []
        await patch(f"{SPARK}/sparkapplications/payments-stream", {"spec": {"executor": {"instances": 4}}})(api)
        await scaled(OPERATOR, 1)(api)
        await api.session.run_for(60)
        assert state_of(latest(api)) in ("SUBMITTED", "RUNNING")
        leases = "/apis/coordination.k8s.io/v1/namespaces/spark-operator/leases"
        lease = await api.get(f"{leases}/spark-operator-controller-lock")
        assert lease["spec"]["leaseTransitions"] == 2
        assert await api.number('up{job="spark-operator"}') == 1
        stream = await api.get(f"{SPARK}/sparkapplications/payments-stream")
        assert state_of(stream) == "RUNNING", "an edit that nobody saw is not noticed later"


async def test_a_service_without_endpoints_answers_nobody() -> None:
    async with open_api("history-down", SCENARIO) as api:
        path = "/api/v1/namespaces/spark-prod/services/spark-history-server:18080/proxy/api/v1/applications"
        status, body = await api.call("GET", path)
        assert (status, body["message"]) == (503, 'no endpoints available for service "spark-history-server"')
        await scaled(deployment("spark-history-server"), 1)(api)
        await api.session.run_for(10)
        assert (await api.call("GET", path))[0] == 200


async def test_a_new_connect_server_gets_executors_of_its_own() -> None:
    async with open_api("connect-down", SCENARIO) as api:
        assert (await api.get("/api/v1/namespaces/spark-prod/pods", labelSelector="app=spark-connect"))["items"] == []
        await scaled(deployment("spark-connect"), 1)(api)
        await api.session.run_for(40)
        (server,) = (await api.get("/api/v1/namespaces/spark-prod/pods", labelSelector="app=spark-connect"))["items"]
        mine = [
            pod
            for pod in api.session.world.store.all(PODS, "spark-prod")
            if any(ref["uid"] == server["metadata"]["uid"] for ref in pod["metadata"].get("ownerReferences", ()))
        ]
        assert len(mine) == 2 and {p["status"]["phase"] for p in mine} == {"Running"}


async def test_the_taint_of_a_cordon_goes_with_it_and_others_stay() -> None:
    async with open_api("cordoned", SCENARIO) as api:
        path = "/api/v1/nodes/node-011"
        taint = {"key": "team", "value": "a", "effect": "NoSchedule"}
        cordon = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
        await patch(path, {"spec": {"taints": [cordon, taint]}})(api)
        await node("node-011", None)(api)
        await api.session.run_for(1)
        found = await api.get(path)
        assert "unschedulable" not in found["spec"] and found["spec"]["taints"] == [taint]
        assert "NodeSchedulable" in {
            e["reason"] for e in api.session.world.store.all(EVENTS) if e["involvedObject"]["name"] == "node-011"
        }


async def test_an_overdue_run_comes_once_when_its_schedule_is_resumed() -> None:
    async with open_api("schedule-suspended", SCENARIO) as api:
        before = latest(api)["metadata"]["name"]
        await patch(SCHEDULE, {"spec": {"suspend": False}})(api)
        await api.session.run_for(5)
        status = (await api.get(SCHEDULE))["status"]
        assert status["lastRunName"] != before and status["nextRun"] > status["lastRun"]
        runs = [a for a in api.session.world.store.all(SPARKAPPS) if a["metadata"]["name"].startswith("invoices-")]
        assert len(runs) == 1, "many runs were missed, one is made up for"


async def test_a_node_that_dies_takes_its_pods_in_their_time_and_gives_them_up_when_it_is_back() -> None:
    async with open_api("node-dies", SCENARIO) as api:
        found = await api.get("/api/v1/nodes/node-011")
        ready = next(c for c in found["status"]["conditions"] if c["type"] == "Ready")
        assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
        assert {(t["key"], t["effect"]) for t in found["spec"]["taints"]} == {
            ("node.kubernetes.io/unreachable", "NoSchedule"), ("node.kubernetes.io/unreachable", "NoExecute"),
        }  # fmt: skip
        here = [p for p in api.session.world.store.all(PODS) if p["spec"].get("nodeName") == "node-011"]
        leaving = [p for p in here if "deletionTimestamp" in p["metadata"] and not finished(p)]
        assert leaving and all(p["status"]["phase"] == "Running" for p in leaving), "nobody is there to end them"
        reasons = {c["reason"] for p in leaving for c in p["status"]["conditions"] if c["type"] == "DisruptionTarget"}
        assert reasons == {"DeletionByTaintManager"}
        available = (await api.get(deployment("spark-connect")))["status"]["availableReplicas"]
        assert available == 1, "a new one came on another node"
        assert logged("with no recent heartbeats")(api)
        await api.session.run_for(660)
        found = await api.get("/api/v1/nodes/node-011")
        assert "taints" not in found["spec"]
        names = {p["metadata"]["name"] for p in api.session.world.store.all(PODS)}
        assert not names & {p["metadata"]["name"] for p in leaving}


async def test_executors_that_a_quota_refuses_are_missed_by_their_driver_alone() -> None:
    async with open_api("default", SCENARIO) as api:
        used = (await api.get(QUOTA))["status"]["used"]["pods"]
        await patch(QUOTA, {"spec": {"hard": {"pods": str(int(used) + 1)}}})(api)
        await api.session.run_for(300)
        assert logged("is forbidden: exceeded quota: spark-quota, requested: pods=1")(api)
        assert logged("Exception when notifying snapshot subscriber.")(api)
        assert logged("Initial job has not accepted any resources")(api)
        events = [e for e in api.session.world.store.all(EVENTS) if e["reason"] == "FailedCreate"]
        assert events == [], "no controller makes executors, so none says that one was refused"
        await patch(QUOTA, {"spec": {"hard": {"pods": "80"}}})(api)
        await api.session.run_for(240)
        assert state_of(latest(api)) in ("COMPLETED", "RUNNING")
