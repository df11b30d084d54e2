"""Random changes of facts, for asking whether the engine's memory is true: after each of them `Engine`, which judged
all facts before, must say what a fresh `diagnose` says.

    python -m tests.findings.changes [CHANGES] [SEED]
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from console.apps.assemble import assemble
from console.facts.model import Facts, Workload
from console.findings.diagnose import Engine, diagnose
from console.findings.order import with_causes
from console.sources.folder.read import read_folder
from tests.apps.test_apps import connect_server
from tests.findings import worlds as w
from tests.findings.corpus import ROOT

KINDS = ("pods", "nodes", "events", "spark", "workloads", "logs", "rest", "samples", "alerts", "sources")
"""The parts of `Facts` that hold facts one by one."""
KEPT = 4_000
"""Characters of a log at either end."""
AT_ONCE = 2
"""Folders of evidence that are part of one cluster."""
A_CLUSTER = 120
"""Changes that one cluster goes through."""


@cache
def evidence() -> tuple[Facts, ...]:
    """Every saved failure of the corpus, as facts."""
    folders = sorted(p for p in ROOT.glob("*/*") if p.is_dir())
    return tuple(_small(facts) for folder in folders if len((facts := read_folder(folder)).pods) < 60)


def _small(facts: Facts) -> Facts:
    """With both ends of each log: what is decisive stands there, and each change is judged twice."""
    return replace(
        facts,
        logs=tuple(
            replace(log, text=f"{log.text[:KEPT]}\n{log.text[-KEPT:]}") if len(log.text) > 2 * KEPT else log
            for log in facts.logs
        ),
    )


@cache
def _queued() -> tuple[Workload, ...]:
    """An application that Kueue has not let in, who holds its quota, and one that no operator has taken up."""
    api = "kueue.x-k8s.io/v1beta2"
    owner = {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "controller": True}
    words = "insufficient unused quota for nvidia.com/gpu in flavor a100, 4 more needed"
    waits = {"conditions": [{"type": "QuotaReserved", "status": "False", "message": words}]}
    used = [{"name": "executor", "resourceUsage": {"nvidia.com/gpu": "8"}}]
    runs = {
        "conditions": [{"type": kind, "status": "True"} for kind in ("QuotaReserved", "Admitted")],
        "admission": {"clusterQueue": "gpus", "podSetAssignments": used},
    }
    held = [
        w.workload("Workload", f"of-{name}", spec={"queueName": "team"}, status=status, uid=f"uid-of-{name}",
                   ownerReferences=[{**owner, "name": name}])
        for name, status in (("held", waits), ("holder", runs))
    ]  # fmt: skip
    queue = w.workload("LocalQueue", "team", spec={"clusterQueue": "gpus"})
    return (
        w.cr("SUSPENDED", name="held", spec={"suspend": True}, meta={"labels": {"kueue.x-k8s.io/queue-name": "team"}}),
        w.cr("", name="new", status={"applicationState": {}}),
        *(replace(one, api_version=api) for one in (*held, queue)),
    )


def troubles() -> Facts:
    """Applications whose rules look beyond them: at nodes, claims, series, the clock, masters and shared logs."""
    other, third = f"spark-{1:032x}", f"spark-{2:032x}"
    late = "Executor heartbeat timed out after 130000 ms"
    lost = w.line(f"TaskSchedulerImpl: Lost executor 1 on 10.0.0.7: {late}", "ERROR", 200)
    running = {"app_id": third, "owner": "busy-driver"}
    series = {"executor_id": "1", "application_id": third}
    return w.facts(
        w.driver(name="etl-driver"),
        w.executor(1, w.ended(143, "Error", 300), "Failed", node="node-1", deleted=290),
        w.executor(2, gone=True, node="node-2", deleted=290),
        w.event(f"Pod/{w.NS}/etl-exec-2", "Killing", "Stopping container executor", 291, type="Normal"),
        w.log(lost + w.line("ExecutorPodsAllocator: The executor with id 2 was deleted by a user or the framework.")),
        w.driver(name="wait-driver", app_id=other),
        w.pending(
            5, "Unschedulable", "0/3 nodes are available: 3 Insufficient memory.", app_id=other, owner="wait-driver"
        ),
        w.pending(6, "Unschedulable", 'persistentvolumeclaim "data" not found', app_id=other, owner="wait-driver"),
        w.pending(7, "Unschedulable", "3 Insufficient nvidia.com/gpu.", app_id=other, owner="wait-driver"),
        w.workload("PersistentVolumeClaim", "data", status={"phase": "Bound"}),
        *_queued(),
        w.driver(name="busy-driver", app_id=third),
        w.executor(1, name="busy-exec-1", node="node-1", **running),
        w.sample("metrics_executor_totalGCTime_seconds_total", 60, 500, **series),
        w.sample("metrics_executor_totalDuration_seconds_total", 100, 500, **series),
        *(w.sample("metrics_executor_completedTasks_total", 40, t, **series) for t in (0, 300, 600, 900)),
        *(w.sample("metrics_executor_activeTasks", 2, t, **series) for t in (0, 900)),
        w.sample(
            f"metrics_{third.replace('-', '_')}_driver_LiveListenerBus_queue_appStatus_numDroppedEvents_Count", 3, 500
        ),
        w.sample(
            "container_memory_working_set_bytes", 5e8, 500, namespace=w.NS, pod="busy-exec-1", container="executor"
        ),
        w.cr("PENDING_RERUN", name="stuck", status={"lastSubmissionAttemptTime": w.at(0)}),
        connect_server(),
        *(
            w.node(f"node-{n}", allocatable={"memory": "8Gi", "nvidia.com/gpu": "0"}, cordoned=n == 2)
            for n in (1, 2, 3)
        ),
        w.event("Node//node-1", "NodeNotReady", "Node node-1 status is now: NodeNotReady", 295),
        now=1_200,
    )


def cluster(rng: random.Random) -> Facts:
    """The evidence of a few failures as one cluster, together with `troubles`."""
    parts = [troubles(), *rng.sample(evidence(), AT_ONCE)]
    joined = {kind: tuple(one for part in parts for one in getattr(part, kind)) for kind in KINDS}
    return Facts(at=max(part.at for part in parts), **joined)


class Changer:
    """Changes facts at random: any field of any fact, to a value of other evidence or one near the old."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def change(self, facts: Facts) -> Facts:
        rng = self.rng
        if rng.random() < 0.15:
            return replace(facts, at=facts.at + rng.choice((0.2, 1.0, 29.0, 31.0, 400.0, 4_000.0)))
        if rng.random() < 0.05:
            return replace(facts, pods=facts.pods, **dict.fromkeys((rng.choice(KINDS[1:]),), ()))
        kind = rng.choice([k for k in KINDS if getattr(facts, k)] or ["pods"])
        there = list(getattr(facts, kind))
        what = rng.random()
        if what < 0.1 or not there:
            donor = rng.choice((troubles(), *evidence()))
            more = getattr(donor, kind)
            if more:
                there.insert(rng.randrange(len(there) + 1), rng.choice(more))
        elif what < 0.2:
            del there[rng.randrange(len(there))]
        else:
            index = rng.randrange(len(there))
            there[index] = self.changed(there[index], facts.at)
        return replace(facts, **{kind: tuple(there)})

    def changed(self, value: Any, now: float) -> Any:
        """Another value of the same shape."""
        rng = self.rng
        match value:
            case Struct():
                name = rng.choice(value.__struct_fields__)
                return replace(value, **{name: self.field(value, name, now)})
            case bool():
                return not value
            case int():
                return rng.choice((0, 1, value + 1, value * 2, 137, 52, 143))
            case float():
                return rng.choice((0.0, value + 1, value * 1.5, value / 3, now - 20.0, now - 4_000.0))
            case str():
                return self.text(value)
            case tuple() | list():
                return type(value)(self.items(list(value), now))
            case dict():
                return self.mapping(value, now)
        return value

    def field(self, owner: Struct, name: str, now: float) -> Any:
        """A new value of a field: that of a fact of the same type somewhere else, or the old one changed."""
        old = getattr(owner, name)
        if self.rng.random() < 0.5 or old is None:
            others = same_type(type(owner))
            if others:
                return getattr(self.rng.choice(others), name)
        return self.changed(old, now)

    def text(self, old: str) -> str:
        cut = self.rng.randrange(len(old) + 1) if old else 0
        return self.rng.choice(("", old + "x", old[:cut], "True", "False", "Running", "Failed", "Pending"))

    def items(self, old: list[Any], now: float) -> list[Any]:
        if not old:
            return old
        index = self.rng.randrange(len(old))
        if self.rng.random() < 0.3:
            return old[:index] + old[index + 1 :]
        return [self.changed(item, now) if at == index else item for at, item in enumerate(old)]

    def mapping(self, old: dict[str, Any], now: float) -> dict[str, Any]:
        if not old:
            return old
        key = self.rng.choice(sorted(old, key=str))
        if self.rng.random() < 0.3:
            return {k: v for k, v in old.items() if k != key}
        return {k: self.changed(v, now) if k == key else v for k, v in old.items()}


def _inside(value: Any) -> Iterator[Struct]:
    if isinstance(value, Struct):
        yield value
        for name in value.__struct_fields__:
            yield from _inside(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _inside(item)


@cache
def same_type(kind: type[Struct]) -> tuple[Struct, ...]:
    """All values of a type that stand in the evidence."""
    return tuple(one for facts in evidence() for one in _inside(facts) if type(one) is kind)


def fresh(facts: Facts) -> tuple[Any, Any]:
    """Applications and findings, judged without a memory."""
    apps = assemble(facts)
    found = diagnose(facts, apps)
    return tuple(with_causes(app, found) for app in apps), found


def disagreements(changes: int, seed: int) -> Iterator[str]:
    """What the engine says otherwise than a fresh diagnosis, one line for each change after which it did.

    What it has counted is given to the next look, as a session does.
    """
    rng = random.Random(seed)
    changer = Changer(rng)
    engine, facts = Engine(), cluster(rng)
    for number in range(changes):
        if number % A_CLUSTER == 0:
            facts = cluster(rng)  # the engine goes on: what it remembers of former clusters must not show
        facts = changer.change(facts)
        said = engine.judge(facts)
        apps, found = fresh(facts)
        facts = replace(facts, counted=said.counted)
        if said.findings != found or said.apps != apps:
            yield f"seed {seed}, change {number}: {_difference(said.findings, found) or 'applications differ'}"


def _difference(said: Any, found: Any) -> str:
    ours, fresh_ones = ({f.key: msgspec.to_builtins(f) for f in some} for some in (said, found))
    keys = [k for k in {**ours, **fresh_ones} if ours.get(k) != fresh_ones.get(k)]
    return ", ".join(sorted(keys))


def main() -> int:
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    wrong = list(disagreements(changes, seed))
    for line in wrong[:20]:
        print(line)
    print(f"{changes} changes, {len(wrong)} disagreements")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
