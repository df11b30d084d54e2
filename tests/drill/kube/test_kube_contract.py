"""The simulated API server and a real kube-apiserver answer the same requests alike."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import yaml

from console.drill.kube import sparkschema as schema
from console.drill.session import DrillSession
from console.drill.state.resources import SPARK_COLUMNS
from tests.cluster.controlplane import KubeApi
from tests.cluster.parts import require_parts
from tests.drill.conftest import YOUNG

pytestmark = pytest.mark.parts
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


@dataclass
class Peer:
    """One of the two servers, with a namespace to work in."""

    url: str
    token: str
    verify: str | bool
    namespace: str

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json", **query: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind, "Accept": query.pop("accept", kind)}
        if method == "GET" or "patch" in headers["Accept"]:
            headers["Accept"] = "application/json"
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        url = self.url + path.replace("NS", self.namespace)
        return requests.request(method, url, data=data, headers=headers, params=query, verify=self.verify, timeout=30)

    def said(self, *words: Any, **query: str) -> tuple[int, Any]:
        """(status, Status object without what differs by nature) of a request."""
        answer = self.call(*words, **query)
        body = answer.json()
        text = json.dumps({k: body.get(k) for k in ("kind", "status", "reason", "message", "details", "code")})
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "UID", text.replace(self.namespace, "NS"))
        return answer.status_code, json.loads(text)


@pytest.fixture(scope="module")
def drill_peer() -> Iterator[Peer]:
    """The simulated server, in a thread of its own."""
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
    assert ready.wait(20)
    yield Peer(found["url"], found["token"], True, "spark-prod")
    done.set()
    thread.join()


@pytest.fixture
def peers(drill_peer: Peer, kube_api: KubeApi) -> tuple[Peer, Peer]:
    """(simulated, real)."""
    namespace = kube_api.new_namespace()
    return drill_peer, Peer(kube_api.url, kube_api.token, str(kube_api.authority), namespace)


def config(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


MAPS = "/api/v1/namespaces/NS/configmaps"
PODS = "/api/v1/namespaces/NS/pods"
KEPT = f"{MAPS}/kept"
FAILING = [{"op": "test", "path": "/data/a", "value": "x"}]
NOTHING = [{"op": "remove", "path": "/data/z"}]
ANOTHER = {"preconditions": {"uid": "0000aaaa-0000-0000-0000-000000000000"}}
REFUSED = {
    "an object that is not there": ("GET", f"{MAPS}/ghost"),
    "a resource that is not there": ("GET", "/api/v1/namespaces/NS/nopes"),
    "deleting what is not there": ("DELETE", f"{PODS}/ghost"),
    "patching what is not there": ("PATCH", f"{MAPS}/ghost", {}, MERGE),
    "a bad name": ("POST", MAPS, config("Bad_Name")),
    "no name": ("POST", MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}),
    "a patch of an unknown kind": ("PATCH", KEPT, {}, "text/plain"),
    "a json patch whose test fails": ("PATCH", KEPT, FAILING, JSON_PATCH),
    "a json patch that removes nothing": ("PATCH", KEPT, NOTHING, JSON_PATCH),
    "an old version": ("PATCH", KEPT, {"metadata": {"resourceVersion": "1"}}, MERGE),
    "deleting another uid": ("DELETE", KEPT, ANOTHER),
    "creating twice": ("POST", MAPS, config("kept")),
    "a log of no pod": ("GET", f"{PODS}/ghost/log"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_are_worded_alike(peers: tuple[Peer, Peer], what: str) -> None:
    said = []
    for peer in peers:
        peer.call("DELETE", f"{MAPS}/kept")
        assert peer.call("POST", MAPS, config("kept", a="b")).status_code == 201
        said.append(peer.said(*REFUSED[what]))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "query",
    [
        {"fieldSelector": "spec.bogus=1"},
        {"labelSelector": "a in (b"},
    ],
)
def test_bad_lists_have_the_same_status_and_reason(peers: tuple[Peer, Peer], query: dict[str, str]) -> None:
    said = [peer.said("GET", PODS, **query) for peer in peers]
    assert (said[0][0], said[0][1]["reason"]) == (said[1][0], said[1][1]["reason"])


def outcome(peer: Peer) -> list[Any]:
    """The same writes against both: what changed, and what did not."""
    seen: list[Any] = []
    peer.call("DELETE", f"{MAPS}/story")
    made = peer.call("POST", MAPS, config("story", a="1", b="2"), fieldManager="tester").json()
    seen.append((sorted(made), sorted(k for k in made["metadata"] if k != "generation")))
    dry = peer.call("PATCH", f"{MAPS}/story", {"data": {"a": "9"}}, MERGE, dryRun="All").json()
    seen.append((dry["data"], dry["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]))
    merged = peer.call("PATCH", f"{MAPS}/story", {"data": {"a": None, "c": "3"}}, MERGE, fieldManager="merger").json()
    seen.append((merged["data"], sorted(e["manager"] for e in merged["metadata"]["managedFields"])))
    same = peer.call("PATCH", f"{MAPS}/story", {"data": {"c": "3"}}, MERGE, fieldManager="merger").json()
    seen.append(same["metadata"]["resourceVersion"] == merged["metadata"]["resourceVersion"])
    steps = [{"op": "test", "path": "/data/b", "value": "2"}, {"op": "replace", "path": "/data/b", "value": "4"}]
    seen.append(peer.call("PATCH", f"{MAPS}/story", steps, JSON_PATCH).json()["data"])
    gone = peer.call("DELETE", f"{MAPS}/story").json()
    seen.append((gone["kind"], gone.get("status"), sorted(gone.get("details", {}))))
    return seen


def test_writes_have_the_same_effect(peers: tuple[Peer, Peer]) -> None:
    simulated, real = (outcome(peer) for peer in peers)
    assert simulated == real


def test_leases_conflict_alike(peers: tuple[Peer, Peer]) -> None:
    path = "/apis/coordination.k8s.io/v1/namespaces/NS/leases"
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "lock"},
            "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}}  # fmt: skip
    said = []
    for peer in peers:
        made = peer.call("POST", path, body).json()
        made["spec"]["holderIdentity"] = "you"
        first = peer.call("PUT", f"{path}/lock", made).status_code
        said.append((first, peer.said("PUT", f"{path}/lock", made)))
    assert said[0] == said[1]


def pages(peer: Peer) -> list[Any]:
    for number in range(5):
        peer.call("POST", MAPS, config(f"page-{number}"))
    first = peer.call("GET", MAPS, limit="2", labelSelector="").json()
    second = peer.call("GET", MAPS, limit="2", **{"continue": first["metadata"]["continue"]}).json()
    same = first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]
    return [len(first["items"]), len(second["items"]), same, "remainingItemCount" in first["metadata"]]


def test_pages_go_on_alike(peers: tuple[Peer, Peer]) -> None:
    assert pages(peers[0]) == pages(peers[1])


def lines(peer: Peer, **query: str) -> list[Any]:
    url = f"{peer.url}{MAPS.replace('NS', peer.namespace)}"
    headers = {"Authorization": f"Bearer {peer.token}"}
    parameters = {"watch": "true", "timeoutSeconds": "1", **query}
    answer = requests.get(url, params=parameters, headers=headers, verify=peer.verify, timeout=30)
    return [answer.status_code, [json.loads(line) for line in answer.text.splitlines()]]


def test_a_streaming_list_looks_alike(peers: tuple[Peer, Peer]) -> None:
    seen = []
    for peer in peers:
        peer.call("POST", MAPS, config("streamed"))
        query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
        status, events = lines(peer, **query)
        last = next(e for e in events if e["type"] == "BOOKMARK")["object"]
        kinds = {e["type"] for e in events}
        marked = last["metadata"]["annotations"]
        seen.append((status, kinds, sorted(last), marked, last["kind"]))
    assert seen[0] == seen[1]


def test_a_watch_from_long_ago_is_one_error_event(peers: tuple[Peer, Peer]) -> None:
    status, events = lines(peers[0], resourceVersion="5")
    assert status == 200 and [e["type"] for e in events] == ["ERROR"] and events[0]["object"]["code"] == 410
    assert set(events[0]["object"]) == {"kind", "apiVersion", "metadata", "status", "message", "reason", "code"}


def test_tables_have_the_same_columns(peers: tuple[Peer, Peer]) -> None:
    headers = "application/json;as=Table;v=v1;g=meta.k8s.io"
    for path in (PODS, MAPS, "/api/v1/nodes", "/api/v1/namespaces", "/apis/apps/v1/namespaces/NS/deployments",
                 "/api/v1/namespaces/NS/events", "/api/v1/namespaces/NS/services",
                 "/apis/coordination.k8s.io/v1/namespaces/NS/leases"):  # fmt: skip
        columns = []
        for peer in peers:
            url = peer.url + path.replace("NS", peer.namespace)
            answer = requests.get(url, headers={"Authorization": f"Bearer {peer.token}", "Accept": headers},
                                  verify=peer.verify, timeout=30).json()  # fmt: skip
            columns.append([(c["name"], c["priority"]) for c in answer["columnDefinitions"]])
        assert columns[0] == columns[1], path


def test_reviews_answer_alike(peers: tuple[Peer, Peer]) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    body = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
            "spec": {"resourceAttributes": {"namespace": "default", "verb": "delete", "resource": "pods"}}}  # fmt: skip
    answers = [peer.call("POST", path, body) for peer in peers]
    assert [a.status_code for a in answers] == [201, 201]
    assert [a.json()["status"]["allowed"] for a in answers] == [True, True]
    assert answers[0].json()["spec"] == answers[1].json()["spec"]


APPS = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/NS/sparkapplications"
APP = {
    "apiVersion": "sparkoperator.k8s.io/v1beta2",
    "kind": "SparkApplication",
    "metadata": {"name": "contract"},
    "spec": {
        "type": "Python",
        "mode": "cluster",
        "mainApplicationFile": "local:///x.py",
        "sparkVersion": "4.1.4",
        "driver": {"cores": 1, "memory": "1g"},
        "executor": {"cores": 1, "instances": 1, "memory": "1g"},
    },
}


@pytest.fixture
def applications(peers: tuple[Peer, Peer]) -> Iterator[tuple[Peer, Peer]]:
    """Both servers with the same SparkApplication."""
    for peer in peers:
        assert peer.call("POST", APPS, APP).status_code == 201
    yield peers
    peers[0].call("DELETE", f"{APPS}/contract")


@pytest.mark.parametrize(
    "spec",
    [
        {"executor": {"memory": 2048}},
        {"executor": {"instances": "6"}},
        {"executor": {"instances": 0}},
        {"type": "Perl"},
        {"executor": None},
        {"mainApplicationFile": None},
        {"sparkConf": {"spark.x": 1}},
    ],
)
def test_the_spark_schema_refuses_alike(applications: tuple[Peer, Peer], spec: dict[str, Any]) -> None:
    said = [peer.said("PATCH", f"{APPS}/contract", {"spec": spec}, MERGE) for peer in applications]
    assert said[0] == said[1]


def test_a_spec_edit_of_an_application_moves_the_same_fields(applications: tuple[Peer, Peer]) -> None:
    seen = []
    for peer in applications:
        body = {"metadata": {"annotations": {"walk": "1"}}, "spec": {"executor": {"memoryOverhead": "1g", "nope": 1}}}
        answer = peer.call("PATCH", f"{APPS}/contract", body, MERGE, fieldManager="console")
        after = answer.json()
        mine = next(e for e in after["metadata"]["managedFields"] if e["manager"] == "console")
        owned = mine["fieldsV1"]["f:spec"]["f:executor"]["f:memoryOverhead"]
        seen.append((after["metadata"]["generation"], after["spec"]["executor"], owned, mine["operation"]))
        strategic = peer.call("PATCH", f"{APPS}/contract", {}, STRATEGIC)
        seen[-1] += (strategic.status_code, strategic.json()["message"])
    assert seen[0] == seen[1]


def test_the_known_fields_are_those_of_the_crds() -> None:
    folder = require_parts("spark-operator-crds")["spark-operator-crds"]
    fields = {}
    for plural in ("sparkapplications", "scheduledsparkapplications"):
        crd = yaml.safe_load((folder / f"sparkoperator.k8s.io_{plural}.yaml").read_text())
        version = crd["spec"]["versions"][0]
        fields[plural] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        if plural == "sparkapplications":
            columns = [(c["name"], c["jsonPath"].removeprefix(".")) for c in version["additionalPrinterColumns"]]
    spec = fields["sparkapplications"]["properties"]
    assert set(spec) == schema.SPEC
    assert set(spec["driver"]["properties"]) == schema.DRIVER
    assert set(spec["executor"]["properties"]) == schema.EXECUTOR
    assert set(fields["sparkapplications"]["required"]) == set(schema.REQUIRED)
    assert set(fields["scheduledsparkapplications"]["properties"]) == schema.SCHEDULED
    assert columns == [(c.name, c.path) for c in SPARK_COLUMNS]


POD: Any = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "guarded", "labels": {"app": "guarded"}},
    "spec": {"containers": [{"name": "c", "image": "i"}], "nodeName": "nowhere"},
}
READY = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "guarded"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "guarded"}}},
}


@pytest.mark.parametrize(
    ("allowed", "healthy", "seen"),
    [(0, 1, 1), (0, 1, 0), (1, 2, 1)],
    ids=["nothing left", "not counted yet", "one left"],
)
def test_a_disruption_budget_is_asked_before_an_eviction(
    peers: tuple[Peer, Peer], allowed: int, healthy: int, seen: int
) -> None:
    pods, budgets = "/api/v1/namespaces/NS/pods", "/apis/policy/v1/namespaces/NS/poddisruptionbudgets"
    counted = {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": 1, "expectedPods": healthy}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "guarded"}}
    answers, left = [], []
    for peer in peers:
        peer.call("POST", pods, POD)
        peer.call("PATCH", f"{pods}/guarded/status", READY, MERGE)
        peer.call("POST", budgets, BUDGET)
        peer.call("PATCH", f"{budgets}/guarded/status", {"status": {**counted, "observedGeneration": seen}}, MERGE)
        answers.append(peer.said("POST", f"{pods}/guarded/eviction", eviction, dryRun="All"))
        answers.append(peer.said("POST", f"{pods}/guarded/eviction", eviction))
        left.append(peer.call("GET", f"{budgets}/guarded").json()["status"]["disruptionsAllowed"])
        peer.call("DELETE", f"{pods}/guarded", gracePeriodSeconds="0")
        peer.call("DELETE", f"{budgets}/guarded")
    assert answers[:2] == answers[2:] and left[0] == left[1]
    assert answers[1][0] == (201 if allowed else 429)


def test_a_map_of_metadata_that_holds_nothing_any_more_is_gone(peers: tuple[Peer, Peer]) -> None:
    path = "/api/v1/namespaces/NS/configmaps"
    for peer in peers:
        meta = {"name": "labelled", "labels": {"a": "b"}}
        peer.call("POST", path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
        made = peer.call("PATCH", f"{path}/labelled", {"metadata": {"labels": {"a": None}}}, MERGE).json()
        assert "labels" not in made["metadata"]
        peer.call("DELETE", f"{path}/labelled")


def test_what_a_finalizer_holds_is_marked_and_goes_with_the_last_of_them(peers: tuple[Peer, Peer]) -> None:
    path, said = "/api/v1/namespaces/NS/configmaps", []
    for peer in peers:
        meta = {"name": "held", "finalizers": ["example.org/a", "example.org/b"]}
        peer.call("POST", path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
        asked = peer.call("DELETE", f"{path}/held")
        marked = peer.call("GET", f"{path}/held").json()["metadata"]
        again = peer.call("DELETE", f"{path}/held")
        assert peer.call("GET", f"{path}/held").json()["metadata"] == marked, "who asks again changes nothing"
        one = peer.call("PATCH", f"{path}/held", {"metadata": {"finalizers": ["example.org/b"]}}, MERGE)
        still = peer.call("GET", f"{path}/held").status_code
        last = peer.call("PATCH", f"{path}/held", {"metadata": {"finalizers": None}}, MERGE)
        gone = peer.call("GET", f"{path}/held").status_code
        kinds = [answer.json()["kind"] for answer in (asked, again, one, last)]
        codes = [answer.status_code for answer in (asked, again, one, last)]
        grace = marked["deletionGracePeriodSeconds"]
        said.append((kinds, codes, still, gone, bool(marked["deletionTimestamp"]), grace))
    assert said[0] == said[1], said
    assert said[0][2:5] == (200, 404, True)
