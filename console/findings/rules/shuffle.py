"""Lost shuffle data (I05) and full local disks (I08)."""

from __future__ import annotations

import re
from collections import Counter

from console.apps.evidence import of_event, of_hit, of_node, of_rest
from console.base.text import listed
from console.facts.evidence import Evidence
from console.facts.logs import Hit
from console.facts.model import Condition, Node
from console.facts.rest import num
from console.findings.case import Case, ClusterView
from console.findings.figures.shuffle import DiskPressureFigures, FullDiskFigures, LostShuffleFigures
from console.findings.lost.victims import Victim
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, WorldRule, finding, severity_of
from console.findings.rules.storage.event_logs import of_event_log
from console.findings.simple import LogRule

_HOST = re.compile(r"FetchFailed\(BlockManagerId\((\S+?), (\S+?), \d+")


def fetch_failed(case: Case) -> Answer:
    """Reducers could not read map output: stages run again. The job may well succeed."""
    hits = case.hits("fetch-failed", roles=("driver",)) or case.hits(
        "fetch-exception", "missing-output", roles=("driver",)
    )
    aborted = case.hits("stage-retries", roles=("driver",))
    stages = _failed_to_fetch(case)
    if not hits and not stages and not aborted:
        return "no task failed to fetch shuffle data"
    first = hits[0].at if hits else None
    lost = [v for v in case.victims if v.at is None or first is None or v.at <= first + 5]
    hosts = _hosts(case)
    decommissioned = bool(case.hits("decommission"))
    missing = _output_missing(hits, stages)
    return [
        finding(
            case,
            "fetch-failed",
            "I05",
            severity_of(case, fatal=bool(aborted)),
            "high",
            "shuffle data was lost: stages " + ("were aborted after their last retry" if aborted else "ran again"),
            detail=_why_gone(lost, decommissioned, hosts) + ("; map output is missing" if missing else ""),
            evidence=[*[of_hit(h) for h in hits[:3]], *stages[:2], *[of_hit(h) for h in aborted[:1]]],
            ruled_out=[("I11", "the tasks failed to fetch, they were not slow")],
            questions=[] if lost or decommissioned else [_WHY_GONE],
            data=LostShuffleFigures(
                executors=tuple(v.executor for v in lost),
                hosts=hosts,
                retried=max((attempt for _, attempt in case.rest.stages), default=0),
                aborted=bool(aborted),
            ),
        )
    ]


_WHY_GONE = (
    "why the data was gone: an executor removed before (its pod, removeReason), or one host that fails "
    "(node, disk, network)"
)


def _failed_to_fetch(case: Case) -> list[Evidence]:
    """Stages of which REST says that they could not fetch map output."""
    out = []
    for (stage, attempt), row in case.rest.stages.items():
        reason = str(row.get("failureReason") or "")
        if "FetchFailed" in reason or "Missing an output location for shuffle" in reason:
            words = f"stage {stage}.{attempt} {row.get('status')}: {reason}"
            out.append(of_rest(case.rest.origin("stages"), words))
    return out


def _output_missing(hits: list[Hit], stages: list[Evidence]) -> bool:
    return any("Missing an output location" in h.record.body for h in hits) or any(
        "Missing an output" in e.excerpt for e in stages
    )


def _hosts(case: Case) -> dict[str, int]:
    """Executor and its host → tasks that could not fetch from it, by the driver's log."""
    found = (_HOST.search(hit.record.message) for hit in case.hits("fetch-failed", roles=("driver",)))
    return dict(Counter(f"executor {m.group(1)} on {m.group(2)}" for m in found if m is not None))


def _why_gone(lost: list[Victim], decommissioned: bool, hosts: dict[str, int]) -> str:
    """What is known of why the data was gone."""
    if lost:
        return f"after executor {', '.join(dict.fromkeys(v.executor for v in lost))} was lost"
    if decommissioned:
        return "executors were decommissioned without moving their shuffle data"
    if hosts:
        return f"from {listed(sorted(hosts, key=lambda k: -hosts[k]), 2)}"
    return "the map output was gone"


_CHECKPOINT = ("CheckpointFileManager", "HDFSMetadataLog", "StateStore", "WriteAheadLog", "ReliableCheckpointRDD")


def of_checkpoint(hit: Hit) -> bool:
    """Whether it was a checkpoint of a stream that could not be written."""
    return any(word in hit.record.body for word in _CHECKPOINT)


CHECKPOINT_FULL = LogRule(
    code="checkpoint-full",
    class_="I09",
    wordings=("disk-full",),
    roles=("driver", "executor"),
    counts=of_checkpoint,
    holds_not="no checkpoint ran out of space",
    title="no space left where the checkpoints are written",
    confidence="medium",
    ruled_out=(("I08", "the trace goes through the checkpoint's files, not through shuffle or spill"),),
    questions=("which volume holds the checkpoint: a claim (its free space and inodes) or the pod's own disk (I08)",),
    after=("pvc-filling",),
)
"""A stream's checkpoints lie on a claim or a mount, not in the local directories."""


def disk_full(case: Case) -> Answer:
    """No space left where Spark writes its local data."""
    hits = [
        h
        for h in case.hits("disk-full", "dir-failed", roles=("driver", "executor"))
        if not of_event_log(h) and not of_checkpoint(h)
    ]
    stages = _without_space(case)
    dead = [v for v in case.victims if v.exit_code == DISK_STORE_FAILED]
    if not hits and not stages and not dead:
        return "nothing ran out of space on a local disk"
    seen = bool(hits or stages)
    if not seen and any(f.code == "local-dir-unwritable" for f in case.so_far):
        return "a local directory could not be made for want of rights, not of space"
    rows = case.rest.stages.values()
    return [
        finding(
            case,
            "local-disk-full",
            "I08",
            severity_of(case),
            "high" if seen else "medium",
            "local disk full: no space left on device"
            if seen
            else "a local directory could not be made: its disk is full or it is not writable",
            detail="the volume of the local directories is full (a kubelet limit would have evicted the pod)",
            evidence=[*[of_hit(h) for h in hits[:4]], *stages[:1], *(e for v in dead for e in v.evidence)],
            ruled_out=[
                ("I01", "writes failed, no container was killed for memory"),
                ("I09", "the local directories, not a claim"),
            ],
            questions=[
                "which mount is full: the path in the message, `df` on the node, spill and shuffle per executor (REST)"
            ],
            data=FullDiskFigures(
                spilled=sum(num(r, "diskBytesSpilled") for r in rows),
                written=sum(num(r, "shuffleWriteBytes") for r in rows),
            ),
        )
    ]


DISK_STORE_FAILED = 53
"""Exit code of an executor that cannot make its local directories (`DISK_STORE_FAILED_TO_CREATE_DIR`)."""


def _without_space(case: Case) -> list[Evidence]:
    return [
        of_rest(case.rest.origin("stages"), f"stage {s}.{a} failureReason: {row.get('failureReason')}")
        for (s, a), row in case.rest.stages.items()
        if "No space left on device" in str(row.get("failureReason") or "")
    ]


def disk_pressure(world: ClusterView) -> Answer:
    """Nodes with Spark pods under DiskPressure."""
    out: list[Finding] = []
    for name, node in world.nodes.items():
        pressure = node.condition("DiskPressure")
        if pressure is None or pressure.status != "True":
            continue
        living = len(world.on_node(name))
        evicted = any(p.node == name and "spark-role" in p.labels for p in world.troubled)
        if living or evicted:
            out.append(_pressed(world, node, pressure, living))
    return out or "no node that carries Spark pods is under disk pressure"


def _pressed(world: ClusterView, node: Node, pressure: Condition, living: int) -> Finding:
    words = ("Disk", "Evict")
    events = [e for e in world.events.get(node.key, []) if any(word in e.reason for word in words)]
    return finding(
        None,
        "node-disk-pressure",
        "I08",
        "critical",
        "high",
        f"node {node.name} is under disk pressure with {living} pods on it",
        subject=node.key,
        since=pressure.since,
        detail=pressure.message,
        evidence=[
            of_node(node, f"DiskPressure=True {pressure.reason}: {pressure.message}"),
            *[of_event(e) for e in events[:2]],
        ],
        questions=["who writes: ephemeral storage per pod, leftovers of spark-local directories on the node"],
        data=DiskPressureFigures(node=node.name),
    )


_LOST = (
    "executor-oom-container",
    "executor-oom-overhead",
    "executor-oom-python",
    "executor-oom-heap",
    "executor-gc-overhead",
    "executor-evicted",
    "executor-heartbeat",
    "executor-sigterm",
    "executor-killed",
    "executor-deleted",
    "executor-vanished",
    "executor-native-crash",
    "local-disk-full",
    "node-not-ready",
)

RULES = [
    WorldRule("node-disk-pressure", "I08", disk_pressure),
    CHECKPOINT_FULL,
    Rule("local-disk-full", "I08", disk_full, after=("node-disk-pressure",)),
    Rule("fetch-failed", "I05", fetch_failed, after=_LOST),
]
