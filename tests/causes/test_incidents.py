"""One or all: generated fleets with a known truth, coincidences among them. No merge of what is apart, no split of what
is one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from console.apps.assemble import assemble
from console.causes.faults import GAP
from console.causes.incidents import group
from console.causes.model import Incident
from console.findings.diagnose import diagnose
from tests.findings import worlds as w

Truth = set[frozenset[str]]


@dataclass
class Fleet:
    """Applications on nodes. Everything about them comes from a seed; what is wrong is put in by the world."""

    random: random.Random
    things: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)

    def machines(self, count: int, **rest: Any) -> None:
        self.nodes = [f"worker-{self.random.randrange(100, 999)}-{i}" for i in range(count)]
        self.things += [w.node(n, allocatable={"memory": "32Gi", "cpu": "8"}, **rest) for n in self.nodes]

    def app(
        self,
        executors: list[dict[str, Any]] | int = 2,
        *,
        logs: str = "",
        image: str = "registry.local/spark:4.1.4",
        version: str = "4.1.4",
        driver: dict[str, Any] | None = None,
        start: float = 0,
        executor_logs: str = "",
    ) -> str:
        name = (
            f"{self.random.choice(['etl', 'ml', 'bi', 'feed', 'agg'])}-{len(self.names)}-{self.random.randrange(999)}"
        )
        self.names.append(name)
        app_id = "spark-" + f"{len(self.names):032x}"
        common: dict[str, Any] = {"app_id": app_id, "image": image, "version": version, "created": start}
        place = {"node": self.random.choice(self.nodes)} if self.nodes else {}
        self.things.append(w.driver(name=f"{name}-driver", **{**common, **place, **(driver or {})}))
        wanted = [{} for _ in range(executors)] if isinstance(executors, int) else executors
        for number, spec in enumerate(wanted, 1):
            where = {"node": self.nodes[(number + len(self.names)) % len(self.nodes)]} if self.nodes else {}
            options = {"ready": True, **common, **where, **spec}
            self.things.append(w.executor(number, name=f"{name}-exec-{number}", owner=f"{name}-driver", **options))
        if logs:
            self.things.append(w.log(logs, "driver", subject=f"Pod/{w.NS}/{name}-driver", name=f"{name}-driver.log"))
        if executor_logs:
            self.things.append(
                w.log(executor_logs, "executor", subject=f"Pod/{w.NS}/{name}-exec-1", name=f"{name}-exec-1.log")
            )
        return name

    def healthy(self, count: int, **rest: Any) -> None:
        for _ in range(count):
            self.app(self.random.randint(1, 3), **rest)

    def incidents(self, now: float = 600) -> tuple[Incident, ...]:
        self.random.shuffle(self.things)
        facts = w.facts(*self.things, now=now)
        apps = assemble(facts)
        findings = diagnose(facts, apps)
        incidents = group(findings, apps, facts)
        listed = [key for i in incidents for key in i.findings]
        assert sorted(listed) == sorted(f.key for f in findings), "a finding is missing or told twice"
        self.of_app = {f.key: f.app.partition("/")[2] for f in findings}
        return incidents

    def partition(self, incidents: tuple[Incident, ...]) -> Truth:
        found = [frozenset(self.of_app[k] for k in i.findings if self.of_app[k]) for i in incidents]
        return {f for f in found if f}


def evicted(node: str, when: float = 300) -> dict[str, Any]:
    return {
        "phase": "Failed",
        "reason": "Evicted",
        "message": "The node was low on resource: memory. Threshold quantity: 100Mi, available: 60Mi.",
        "node": node,
        "state": w.ended(137, "Error", when),
        "conditions": w.disruption("TerminationByKubelet"),
    }


def oom(node: str | None = None, when: float = 300) -> dict[str, Any]:
    return {
        "state": w.ended(137, "OOMKilled", when),
        "phase": "Failed",
        "ready": False,
        **({"node": node} if node else {}),
    }


def unplaced(words: str, since: float = 100, memory: str = "4Gi") -> dict[str, Any]:
    conditions = [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": words,
            "lastTransitionTime": w.at(since),
        }
    ]
    return {"phase": "Pending", "node": "", "conditions": conditions, "limits": {"memory": memory}, "ready": False}


def unpulled(image: str, message: str) -> dict[str, Any]:
    return {
        "phase": "Pending",
        "state": w.waiting("ImagePullBackOff", f'Back-off pulling image "{image}": {message}'),
        "ready": False,
        "image": image,
    }


def no_names(when: float) -> str:
    return w.line("SparkContext: Error initializing SparkContext.", "ERROR", when) + (
        "java.net.UnknownHostException: kubernetes.default.svc: Temporary failure in name resolution\n"
    )


def metastore_log(address: str, when: float) -> str:
    return w.line(
        f"HiveMetaStoreClient: Failed to connect to the MetaStore Server URI (thrift://{address})... "
        "java.net.ConnectException: Connection refused",
        "WARN",
        when,
    )


def denied(bucket: str, when: float, why: str = "AccessDenied; Status Code: 403") -> str:
    return w.line(
        f"TaskSetManager: Lost task 0.0 in stage 0.0 (TID 0) (10.0.0.1 executor 1): "
        f"java.nio.file.AccessDeniedException: s3a://{bucket}/in/part-0: getFileStatus on s3a://{bucket}/in: "
        f"com.amazonaws.services.s3.model.AmazonS3Exception: Forbidden (Service: Amazon S3; {why})",
        "WARN",
        when,
    )


def one_node_dies(f: Fleet) -> Truth:
    f.machines(4)
    bad = f.nodes[0]
    hit = [f.app([evicted(bad, 300 + i * 5), {"node": f.nodes[1]}], driver={"node": f.nodes[2]}) for i in range(3)]
    for _ in range(3):
        f.app([{"node": f.nodes[2]}, {"node": f.nodes[3]}], driver={"node": f.nodes[1]})
    return {frozenset(hit)}


def node_not_ready(f: Fleet) -> Truth:
    f.machines(3)
    bad = f.nodes[0]
    f.things = [t for t in f.things if getattr(t, "name", "") != bad]
    f.things.append(
        w.node(
            bad,
            conditions=[
                {
                    "type": "Ready",
                    "status": "Unknown",
                    "reason": "NodeStatusUnknown",
                    "message": "Kubelet stopped posting node status.",
                    "lastTransitionTime": w.at(290),
                }
            ],
        )
    )
    hit = [
        f.app(
            [
                {
                    "node": bad,
                    "state": w.ended(143, "Error", 320),
                    "phase": "Failed",
                    "ready": False,
                    "conditions": w.disruption("DeletionByTaintManager"),
                },
                {"node": f.nodes[1]},
            ],
            driver={"node": f.nodes[2]},
        )
        for _ in range(2)
    ]
    f.app([{"node": f.nodes[2]}], driver={"node": f.nodes[1]})
    return {frozenset(hit)}


def everything_on_one_node(f: Fleet) -> Truth:
    """A cluster of one node: that all of them ran there says nothing."""
    f.machines(1)
    node = f.nodes[0]
    a = f.app([evicted(node, 200), {}])
    b = f.app([evicted(node, 550), {}])
    f.healthy(2)
    return {frozenset({a}), frozenset({b})}


def same_node_hours_apart(f: Fleet) -> Truth:
    f.machines(4)
    bad = f.nodes[0]
    a = f.app([evicted(bad, 300), {"node": f.nodes[1]}], driver={"node": f.nodes[2]})
    b = f.app([evicted(bad, 9000), {"node": f.nodes[1]}], driver={"node": f.nodes[2]}, start=8000)
    f.healthy(2)
    return {frozenset({a}), frozenset({b})}


def oom_beside_oom(f: Fleet) -> Truth:
    """Two applications of one image run out of memory on one node in the same minute: each by itself."""
    f.machines(3)
    node = f.nodes[0]
    a = f.app([oom(node, 300), {"node": f.nodes[1]}])
    b = f.app([oom(node, 310), {"node": f.nodes[1]}])
    f.healthy(3)
    return {frozenset({a}), frozenset({b})}


def eviction_and_oom_on_a_node(f: Fleet) -> Truth:
    f.machines(3)
    node = f.nodes[0]
    a = f.app([evicted(node, 300), {"node": f.nodes[1]}], driver={"node": f.nodes[2]})
    b = f.app([oom(node, 305), {"node": f.nodes[1]}], driver={"node": f.nodes[2]})
    f.healthy(2)
    return {frozenset({a}), frozenset({b})}


def one_wrong_image(f: Fleet) -> Truth:
    f.machines(3)
    image = f"registry.local/spark:{f.random.randrange(999)}-typo"
    message = "manifest unknown: not found"
    hit = [f.app([unpulled(image, message)]) for _ in range(3)]
    f.healthy(2)
    return {frozenset(hit)}


def two_wrong_images(f: Fleet) -> Truth:
    f.machines(3)
    a = f.app([unpulled("registry.local/spark:one", "manifest unknown: not found")])
    b = f.app([unpulled("registry.local/spark:two", "manifest unknown: not found")])
    f.healthy(2)
    return {frozenset({a}), frozenset({b})}


def registry_down(f: Fleet) -> Truth:
    f.machines(3)
    words = "dial tcp 10.0.0.9:443: connect: connection refused"
    hit = [f.app([unpulled(f"hub.corp:5000/team{i}/spark:4", words)]) for i in range(3)]
    f.healthy(2)
    return {frozenset(hit)}


def metastore_down(f: Fleet) -> Truth:
    f.machines(3)
    hit = [f.app(1, logs=metastore_log("hms.data:9083", 200 + 20 * i) * 4) for i in range(3)]
    f.healthy(2)
    return {frozenset(hit)}


def dns_down(f: Fleet) -> Truth:
    f.machines(3)
    hit = [f.app(1, logs=no_names(200 + 20 * i)) for i in range(3)]
    f.healthy(2)
    return {frozenset(hit)}


def two_metastores(f: Fleet) -> Truth:
    f.machines(3)
    one = [f.app(1, logs=metastore_log("hms-a:9083", 200 + i) * 4) for i in range(2)]
    two = [f.app(1, logs=metastore_log("hms-b:9083", 200 + i) * 4) for i in range(2)]
    return {frozenset(one), frozenset(two)}


def metastore_twice(f: Fleet) -> Truth:
    """The same metastore, this morning and now, with hours of peace between."""
    f.machines(3)
    one = [f.app(1, logs=metastore_log("hms:9083", 200 + i) * 4) for i in range(2)]
    two = [f.app(1, logs=metastore_log("hms:9083", 9000 + i) * 4, start=8000) for i in range(2)]
    return {frozenset(one), frozenset(two)}


def bucket_and_bucket(f: Fleet) -> Truth:
    f.machines(3)
    one = [f.app(1, logs=denied("lake", 200 + i) * 3) for i in range(2)]
    two = f.app(1, logs=denied("private", 205) * 3)
    return {frozenset(one), frozenset({two})}


def expired_credentials(f: Fleet) -> Truth:
    """A rotated secret: every bucket refuses, whoever asks."""
    f.machines(3)
    hit = [f.app(1, logs=denied(f"b{i}", 200 + i, "Error Code: ExpiredToken") * 3) for i in range(3)]
    f.healthy(1)
    return {frozenset(hit)}


def quota_used_up(f: Fleet) -> Truth:
    f.machines(3)

    def said(name: str, when: float) -> str:
        return w.line(
            'ExecutorPodsSnapshotsStoreImpl: Exception when notifying snapshot subscriber. pods "x-exec-1" is '
            f"forbidden: exceeded quota: {name}, requested: limits.memory=4Gi, used: limits.memory=60Gi, limited: "
            "limits.memory=60Gi",
            "WARN",
            when,
        )

    hit = [f.app(0, logs=said("team-quota", 200 + 300 * i) * 3) for i in range(2)]
    f.healthy(2)
    return {frozenset(hit)}


def cluster_full(f: Fleet) -> Truth:
    f.machines(3)
    words = "0/3 nodes are available: 3 Insufficient memory."
    hit = [f.app([unplaced(words, 100 + 60 * i)]) for i in range(3)]
    huge = f.app([unplaced(words, 150, "900Gi")])
    picky = f.app([unplaced("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.", 160)])
    f.healthy(2)
    return {frozenset(hit), frozenset({huge}), frozenset({picky})}


def broken_image(f: Fleet) -> Truth:
    f.machines(3)
    crash = w.line(
        "Executor: Exception in task 0.0 in stage 0.0 (TID 0)\norg.apache.spark.SparkException: Python worker exited "
        "unexpectedly (crashed): Fatal Python error: Segmentation fault",
        "ERROR",
        200,
    )
    image = "registry.local/spark:new"
    hit = [f.app(1, executor_logs=crash * 2, image=image) for _ in range(2)]
    f.healthy(3)
    return {frozenset(hit)}


def crash_in_a_good_image(f: Fleet) -> Truth:
    """Two of five applications with one image crash: the image is not the cause."""
    f.machines(3)
    crash = w.line(
        "Executor: Exception in task 0.0 in stage 0.0 (TID 0)\norg.apache.spark.SparkException: Python worker exited "
        "unexpectedly (crashed): Fatal Python error: Segmentation fault",
        "ERROR",
        200,
    )
    a, b = f.app(1, executor_logs=crash * 2), f.app(1, executor_logs=crash * 2)
    f.healthy(3)
    return {frozenset({a}), frozenset({b})}


def drained_everywhere(f: Fleet) -> Truth:
    """Every application loses executors on other nodes in the same minute: only the time is shared."""
    f.machines(6)
    hit = [f.app([evicted(f.nodes[i], 300 + 10 * i)], driver={"node": f.nodes[5]}) for i in range(4)]
    f.app([{"node": f.nodes[5]}], driver={"node": f.nodes[5]})
    return {frozenset(hit)}


def one_node_drained(f: Fleet) -> Truth:
    """Fourteen pods of six applications were asked to leave one node, the drivers of two of them."""
    f.machines(5)
    bad = f.nodes[0]

    def left(when: float) -> dict[str, Any]:
        asked = w.disruption("EvictionByEvictionAPI", "Eviction API: evicting")
        return {"node": bad, "state": w.ended(143, "Error", when), "phase": "Failed", "conditions": asked}

    hit = []
    for i in range(6):
        driver = {**left(310), "deleted": 290} if i < 2 else {"node": f.nodes[3]}
        hit.append(f.app([left(300 + 5 * i), left(301 + 5 * i), {"node": f.nodes[2]}], driver=driver))
    f.app([{"node": f.nodes[2]}], driver={"node": bad})
    f.healthy(2)
    return {frozenset(hit)}


def three_nodes_drained(f: Fleet) -> Truth:
    """One node after the other, as an upgrade does it; another application is out of memory meanwhile."""
    f.machines(6)
    asked = w.disruption("EvictionByEvictionAPI", "Eviction API: evicting")
    hit = [
        f.app(
            [
                {
                    "node": f.nodes[n],
                    "state": w.ended(143, "Error", 300 + 60 * n),
                    "phase": "Failed",
                    "conditions": asked,
                }
                for n in range(i % 3 + 1)
            ],
            driver={"node": f.nodes[5]},
        )
        for i in range(5)
    ]
    memory = f.app([oom(f.nodes[0], 330), {"node": f.nodes[4]}], driver={"node": f.nodes[5]})
    f.healthy(6)
    return {frozenset(hit), frozenset({memory})}


def two_evictions_among_many(f: Fleet) -> Truth:
    """Two of ten lose an executor in the same minute on different nodes: a coincidence."""
    f.machines(6)
    a = f.app([evicted(f.nodes[0], 300), {"node": f.nodes[2]}], driver={"node": f.nodes[3]})
    b = f.app([evicted(f.nodes[1], 310), {"node": f.nodes[2]}], driver={"node": f.nodes[3]})
    f.healthy(8)
    return {frozenset({a}), frozenset({b})}


def user_errors_together(f: Fleet) -> Truth:
    f.machines(3)
    text = w.line(
        "TaskSetManager: Lost task 0.3 in stage 0.0 (TID 3) (10.0.0.1 executor 1): "
        "org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
        '  File "/opt/job.py", line 3, in f\nZeroDivisionError: division by zero\n',
        "WARN",
        200,
    ) + w.line(
        "DAGScheduler: Job 0 failed: collect, took 3 s\norg.apache.spark.SparkException: Job aborted due to stage "
        "failure: Task 0 in stage 0.0 failed 4 times",
        "INFO",
        201,
    )
    a, b = f.app(1, logs=text), f.app(1, logs=text)
    f.healthy(1)
    return {frozenset({a}), frozenset({b})}


def everything_at_once(f: Fleet) -> Truth:
    """A dying node, a wrong image, a metastore and an out of memory, all in the same minute."""
    f.machines(5)
    bad = f.nodes[0]
    node = [f.app([evicted(bad, 300 + i), {"node": f.nodes[1]}], driver={"node": f.nodes[2]}) for i in range(2)]
    image = [f.app([unpulled("registry.local/spark:typo", "manifest unknown")]) for _ in range(2)]
    hive = [f.app([{"node": f.nodes[3]}], logs=metastore_log("hms:9083", 300 + i) * 3) for i in range(2)]
    memory = f.app([oom(f.nodes[1], 301), {"node": f.nodes[2]}])
    f.healthy(2)
    return {frozenset(node), frozenset(image), frozenset(hive), frozenset({memory})}


WORLDS: list[Callable[[Fleet], Truth]] = [
    one_node_dies,
    node_not_ready,
    everything_on_one_node,
    same_node_hours_apart,
    oom_beside_oom,
    eviction_and_oom_on_a_node,
    one_wrong_image,
    two_wrong_images,
    registry_down,
    metastore_down,
    dns_down,
    two_metastores,
    metastore_twice,
    bucket_and_bucket,
    expired_credentials,
    quota_used_up,
    cluster_full,
    broken_image,
    crash_in_a_good_image,
    drained_everywhere,
    one_node_drained,
    three_nodes_drained,
    two_evictions_among_many,
    user_errors_together,
    everything_at_once,
]
LATE = {same_node_hours_apart, metastore_twice}


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.__name__)
@pytest.mark.parametrize("seed", range(4))
def test_what_is_one_is_one_and_what_is_apart_stays_apart(world: Callable[[Fleet], Truth], seed: int) -> None:
    fleet = Fleet(random.Random(f"{world.__name__} {seed}"))
    truth = world(fleet)
    incidents = fleet.incidents(now=9_300 if world in LATE else 600)
    assert fleet.partition(incidents) == truth, [(i.title, i.findings) for i in incidents]
    for one in incidents:
        if len({fleet.of_app[k] for k in one.findings if fleet.of_app[k]}) > 1:
            assert one.shared and one.speaks_for


def test_a_single_application_says_what_is_well_beside_it() -> None:
    fleet = Fleet(random.Random(1))
    fleet.machines(3)
    fleet.app([oom(fleet.nodes[0]), {}])
    fleet.healthy(3)
    (only,) = fleet.incidents()
    assert only.shared == "this application only"
    assert "3 other applications with the same image work" in only.speaks_for


def test_a_consequence_belongs_to_the_incident_of_its_cause() -> None:
    fleet = Fleet(random.Random(2))
    fleet.machines(2)
    gave_up = {"state": w.ended(11, "Error", 400), "phase": "Failed"}
    fleet.app([oom(when=300), oom(when=350)], driver=gave_up)
    (only,) = fleet.incidents()
    assert [k.partition("@")[0] for k in only.findings] == ["executor-oom-container", "max-executor-failures"]


@pytest.mark.parametrize(("apart", "count"), [(GAP, 1), (GAP + 1, 2)])
def test_a_service_that_fails_again_after_a_gap_is_another_incident(apart: float, count: int) -> None:
    fleet = Fleet(random.Random(4))
    fleet.machines(3)
    for when in (200, 200 + apart):
        for _ in range(2):
            fleet.app(1, logs=metastore_log("hms:9083", when) * 4)
    incidents = fleet.incidents(now=9_300)
    assert [len(i.findings) for i in incidents] == [4 // count] * count


@pytest.mark.parametrize(
    ("when", "told"), [(300 - GAP, True), (299 - GAP, False), (310 + GAP, True), (311 + GAP, False)]
)
def test_a_node_is_held_to_what_it_said_at_that_time(when: float, told: bool) -> None:
    fleet = Fleet(random.Random(5))
    fleet.machines(4)
    bad = fleet.nodes[0]
    for i in range(2):
        fleet.app([evicted(bad, 300 + 10 * i), {"node": fleet.nodes[1]}], driver={"node": fleet.nodes[2]}, start=-2_000)
    fleet.things.append(w.event(f"Node//{bad}", "Rebooted", "it was booted", when, "Normal"))
    (only,) = fleet.incidents(now=9_300)
    assert (f"event Rebooted of node {bad}" in only.speaks_for) is told


def test_no_findings_no_incidents() -> None:
    fleet = Fleet(random.Random(3))
    fleet.machines(2)
    fleet.healthy(3)
    assert fleet.incidents() == ()


@pytest.mark.parametrize(
    ("world", "said"), [(one_node_drained, "node {0} drained (6 "), (three_nodes_drained, "3 nodes drained (5 ")]
)
def test_a_drain_is_called_a_drain_and_names_its_nodes(world: Callable[[Fleet], Truth], said: str) -> None:
    fleet = Fleet(random.Random(1))
    world(fleet)
    (drain,) = [one for one in fleet.incidents() if one.key.startswith("drain:")]
    assert drain.title.startswith(said.format(fleet.nodes[0]))
    assert drain.speaks_for[0] == "Kubernetes says of what was lost that it was asked to leave its node"
