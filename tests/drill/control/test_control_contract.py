"""The controllers of the simulated cluster and the real kube-controller-manager make the same of the same changes.

One script is played against both: what a Deployment and its ReplicaSets say after each step must be the same. On the
real side nothing runs pods, so the script says which are ready; on the simulated side their images say it.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests

from console.drill.session import DrillSession
from tests.cluster.controlplane import ControlPlane, KubeApi
from tests.cluster.parts import require_parts
from tests.cluster.processes import Process, free_port, wait_until
from tests.drill.conftest import YOUNG

pytestmark = [pytest.mark.parts, pytest.mark.xdist_group("controllers")]
STRATEGIC = "application/strategic-merge-patch+json"
GOOD, NOWHERE = "registry.local/hive:4.0.1", "registry.local/hive:9"
REVISION = "deployment.kubernetes.io/revision"


@dataclass
class Side:
    """One of the two clusters.

    Attributes:
        runs_pods: whether it makes pods ready by itself.
    """

    url: str
    token: str
    verify: str | bool
    namespace: str
    runs_pods: bool

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind, "Accept": "application/json"}
        data = None if body is None else json.dumps(body)
        url = self.url + path.replace("NS", self.namespace)
        answer = requests.request(method, url, data=data, headers=headers, verify=self.verify, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    @property
    def deployment(self) -> Any:
        return self.call("GET", "/apis/apps/v1/namespaces/NS/deployments/web")

    def patch(self, body: Any) -> None:
        self.call("PATCH", "/apis/apps/v1/namespaces/NS/deployments/web", body, STRATEGIC)

    def pods(self) -> list[Any]:
        listed = self.call("GET", "/api/v1/namespaces/NS/pods?labelSelector=app=web")["items"]
        return [pod for pod in listed if "deletionTimestamp" not in pod["metadata"]]

    def tend(self) -> None:
        """Do what a kubelet would: pods with the good image are ready."""
        for pod in [] if self.runs_pods else self.pods():
            if pod["spec"]["containers"][0]["image"] == GOOD and pod["status"].get("phase") == "Pending":
                condition = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
                path = f"/api/v1/namespaces/NS/pods/{pod['metadata']['name']}/status"
                status = {"phase": "Running", "conditions": [condition]}
                self.call("PATCH", path, {"status": status}, STRATEGIC)

    def replicasets(self) -> dict[str, Any]:
        """Revision → what its ReplicaSet wants, has, and complains of."""
        out = {}
        for found in self.call("GET", "/apis/apps/v1/namespaces/NS/replicasets?labelSelector=app=web")["items"]:
            status = found["status"]
            counts = {key: status.get(key, 0) for key in ("replicas", "readyReplicas", "availableReplicas")}
            failed = [c["reason"] for c in status.get("conditions", ())]
            out[found["metadata"]["annotations"][REVISION]] = (found["spec"]["replicas"], counts, failed)
        return out

    def told(self) -> dict[str, Any]:
        """What the Deployment and its ReplicaSets say, without what differs by nature."""
        found = self.deployment
        status = found["status"]
        conditions = {c["type"]: (c["status"], c["reason"], _plain(c["message"])) for c in status.get("conditions", ())}
        counts = {
            key: status.get(key, 0)
            for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")
        }
        return {
            "revision": found["metadata"]["annotations"][REVISION],
            "seen": status["observedGeneration"] == found["metadata"]["generation"],
            "counts": counts,
            "conditions": conditions,
            "replicasets": self.replicasets(),
        }

    def scaled(self) -> list[str]:
        """How the ReplicaSets were scaled, in no order: events are timed by the second."""
        events = self.call("GET", "/api/v1/namespaces/NS/events")["items"]
        mine = [e for e in events if e["involvedObject"]["name"] == "web" and e["reason"] == "ScalingReplicaSet"]
        return sorted(_plain(e["message"]) for e in mine for _ in range(e.get("count") or 1))


def _plain(message: str) -> str:
    """Without hashes of templates and suffixes of pods."""
    return re.sub(r"web-[a-z0-9]+(-[a-z0-9]+)?", "web-HASH", message)


@pytest.fixture(scope="module")
def simulated() -> Iterator[Side]:
    ready, done, found = threading.Event(), threading.Event(), {}

    async def run() -> None:
        async with DrillSession.open(YOUNG, step=True) as session:
            found["url"], found["token"] = session.kube_url, session.token
            ready.set()
            while not done.is_set():
                await asyncio.sleep(0.01)
                session.world.heap.advance(session.now + 0.05)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(60)
    yield Side(found["url"], found["token"], True, "none", True)
    done.set()
    thread.join()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    manager = require_parts("kube-controller-manager")["kube-controller-manager"]
    plane = ControlPlane(tmp_path_factory.mktemp("controllers"))
    kube = KubeApi(plane.start())
    command = [
        str(manager),
        f"--kubeconfig={kube.kubeconfig}",
        "--controllers=deployment-controller,replicaset-controller,resourcequota-controller",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={free_port()}",
    ]
    process = Process("kube-controller-manager", command, plane.folder / "logs")
    yield Side(kube.url, kube.token, str(kube.authority), "none", False)
    process.stop()
    plane.stop()


@pytest.fixture
def sides(simulated: Side, real: Side, request: pytest.FixtureRequest) -> tuple[Side, Side]:
    """The real and the simulated cluster, each with a namespace that this test has for itself."""
    name = request.node.name.split("[")[0].split("@")[0].replace("_", "-")[:60].strip("-")
    for side in (real, simulated):
        side.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    return replace(real, namespace=name), replace(simulated, namespace=name)


def manifest(replicas: int) -> Any:
    container = {"name": "web", "image": GOOD, "resources": {"requests": {"cpu": "10m"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    }


def image(name: str) -> Any:
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": name}]}}}}


def settle(side: Side, until: Callable[[dict[str, Any]], bool], seconds: float = 90.0) -> dict[str, Any]:
    """What a side says once it has come to rest where `until` holds."""
    seen: list[dict[str, Any]] = []

    def rests() -> bool:
        side.tend()
        if REVISION not in (side.deployment["metadata"].get("annotations") or {}):
            return False
        seen.append(side.told())
        return len(seen) > 2 and seen[-1] == seen[-2] == seen[-3] and seen[-1]["seen"] and until(seen[-1])

    wait_until("the Deployment rests", rests, seconds=seconds)
    return seen[-1]


def test_a_deployment_goes_through_the_same_states_on_both(sides: tuple[Side, Side]) -> None:
    real, simulated = sides
    steps: list[tuple[str, Any, Callable[[dict[str, Any]], bool]]] = [
        ("an image that is nowhere", image(NOWHERE), lambda t: t["counts"]["updatedReplicas"] > 0),
        ("back to the first template", image(GOOD), lambda t: t["counts"]["availableReplicas"] == 4),
        ("paused", {"spec": {"paused": True}}, lambda t: t["conditions"]["Progressing"][1] == "DeploymentPaused"),
        ("scaled while paused", {"spec": {"replicas": 2}}, lambda t: t["counts"]["availableReplicas"] == 2),
        ("resumed", {"spec": {"paused": False}}, lambda t: t["conditions"]["Progressing"][0] == "True"),
        ("to nothing", {"spec": {"replicas": 0}}, lambda t: t["counts"]["replicas"] == 0),
        ("to one", {"spec": {"replicas": 1}}, lambda t: t["counts"]["availableReplicas"] == 1),
    ]
    told: list[list[Any]] = []
    for side in (real, simulated):
        side.call("POST", "/apis/apps/v1/namespaces/NS/deployments", manifest(4))
        heard: list[Any] = [("made", settle(side, lambda t: t["counts"]["availableReplicas"] == 4))]
        for name, body, until in steps:
            side.patch(body)
            heard.append((name, settle(side, until)))
        told.append(heard)
    for mine, theirs in zip(told[1], told[0], strict=True):
        assert mine == theirs
    assert simulated.scaled() == real.scaled()


def test_pods_that_a_quota_refuses_are_told_alike(sides: tuple[Side, Side]) -> None:
    told = []
    for side in sides:
        side.call("POST", "/apis/apps/v1/namespaces/NS/deployments", manifest(1))
        settle(side, lambda t: t["counts"]["availableReplicas"] == 1)
        hard = {"pods": str(len(_all_pods(side)))}
        quota = {"kind": "ResourceQuota", "apiVersion": "v1", "metadata": {"name": "tight"}, "spec": {"hard": hard}}
        side.call("POST", "/api/v1/namespaces/NS/resourcequotas", quota)
        wait_until("the quota is counted", lambda side=side: _counted(side), seconds=60)  # type: ignore[misc]
        side.patch({"spec": {"replicas": 3}})
        found = settle(side, lambda t: "ReplicaFailure" in t["conditions"])
        found["conditions"]["ReplicaFailure"] = _without_numbers(found["conditions"]["ReplicaFailure"])
        told.append(found)
    assert told[1] == told[0]


def _counted(side: Side) -> bool:
    status = side.call("GET", "/api/v1/namespaces/NS/resourcequotas/tight").get("status") or {}
    return "pods" in (status.get("used") or {})


def _all_pods(side: Side) -> list[Any]:
    listed = side.call("GET", "/api/v1/namespaces/NS/pods")["items"]
    return [pod for pod in listed if pod["status"].get("phase") not in ("Succeeded", "Failed")]


def _without_numbers(condition: tuple[str, str, str]) -> tuple[str, str, str]:
    return condition[0], condition[1], re.sub(r"pods=\d+", "pods=N", condition[2])
