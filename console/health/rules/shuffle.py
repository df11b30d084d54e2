"""Lost shuffle data (I05) and full local disks (I08)."""

from __future__ import annotations

import re

from console.health.case import Case, World
from console.health.evidence import of_event, of_hit, of_node, of_rest
from console.health.logs import Hit
from console.health.model import Evidence, Finding
from console.health.restview import num
from console.health.rule import Answer, Rule, WorldRule, finding, severity_of
from console.health.rules.storage import of_event_log

_HOST = re.compile(r"FetchFailed\(BlockManagerId\((\S+?), (\S+?), \d+")
_SHUFFLE = re.compile(r"shuffle(?:Id=| )(\d+)")


def fetch_failed(case: Case) -> Answer:
    """Reducers could not read map output: stages run again. The job may well succeed."""
    hits = case.hits("fetch-failed", roles=("driver",)) or case.hits(
        "fetch-exception", "missing-output", roles=("driver",)
    )
    aborted = case.hits("stage-retries", roles=("driver",))
    stages: list[Evidence] = []
    origin = case.rest.origin("stages")
    retried = 0
    for (stage, attempt), row in case.rest.stages.items():
        reason = str(row.get("failureReason") or "")
        if "FetchFailed" in reason or "Missing an output location for shuffle" in reason:
            stages.append(of_rest(origin, f"stage {stage}.{attempt} {row.get('status')}: {reason}"))
        retried = max(retried, attempt)
    if not hits and not stages and not aborted:
        return "no task failed to fetch shuffle data"
    hosts: dict[str, int] = {}
    for hit in case.hits("fetch-failed", roles=("driver",)):
        found = _HOST.search(hit.record.message)
        if found is not None:
            key = f"executor {found.group(1)} on {found.group(2)}"
            hosts[key] = hosts.get(key, 0) + 1
    lost = [v for v in case.victims if v.at is None or not hits or hits[0].at is None or v.at <= hits[0].at + 5]
    missing = any("Missing an output location" in h.record.body for h in hits) or any(
        "Missing an output" in e.excerpt for e in stages
    )
    questions = []
    if not lost and not case.hits("decommission"):
        questions.append(
            "why the data was gone: an executor removed before (its pod, removeReason), or one host that fails "
            "(node, disk, network)"
        )
    where = f"from {', '.join(sorted(hosts, key=lambda k: -hosts[k])[:2])}" if hosts else ""
    if lost:
        detail = f"after executor {', '.join(dict.fromkeys(v.executor for v in lost))} was lost"
    elif case.hits("decommission"):
        detail = "executors were decommissioned without moving their shuffle data"
    else:
        detail = where or "the map output was gone"
    severity = severity_of(case, fatal=bool(aborted))
    return [
        finding(
            case,
            "fetch-failed",
            "I05",
            severity,
            "high",
            "shuffle data was lost: stages " + ("were aborted after their last retry" if aborted else "ran again"),
            detail=detail + ("; map output is missing" if missing else ""),
            evidence=[*[of_hit(h) for h in hits[:3]], *stages[:2], *[of_hit(h) for h in aborted[:1]]],
            ruled_out=[("I11", "the tasks failed to fetch, they were not slow")],
            questions=questions,
            data={
                "hosts": hosts,
                "retried": retried,
                "aborted": bool(aborted),
                "executors": [v.executor for v in lost],
            },
        )
    ]


_CHECKPOINT = ("CheckpointFileManager", "HDFSMetadataLog", "StateStore", "WriteAheadLog", "ReliableCheckpointRDD")


def of_checkpoint(hit: Hit) -> bool:
    """Whether it was a checkpoint of a stream that could not be written."""
    return any(word in hit.record.body for word in _CHECKPOINT)


def checkpoint_full(case: Case) -> Answer:
    """No space left where a stream keeps its checkpoints: a claim or a mount, not the local directories."""
    hits = [h for h in case.hits("disk-full", roles=("driver", "executor")) if of_checkpoint(h)]
    if not hits:
        return "no checkpoint ran out of space"
    return [
        finding(
            case,
            "checkpoint-full",
            "I09",
            severity_of(case),
            "medium",
            "no space left where the checkpoints are written",
            evidence=[of_hit(h) for h in hits[:3]],
            ruled_out=[("I08", "the trace goes through the checkpoint's files, not through shuffle or spill")],
            questions=[
                "which volume holds the checkpoint: a claim (its free space and inodes) or the pod's own disk (I08)"
            ],
        )
    ]


def disk_full(case: Case) -> Answer:
    """No space left where Spark writes its local data."""
    hits = [
        h
        for h in case.hits("disk-full", "dir-failed", roles=("driver", "executor"))
        if not of_event_log(h) and not of_checkpoint(h)
    ]
    stages = [
        of_rest(case.rest.origin("stages"), f"stage {s}.{a} failureReason: {row.get('failureReason')}")
        for (s, a), row in case.rest.stages.items()
        if "No space left on device" in str(row.get("failureReason") or "")
    ]
    dead = [v for v in case.victims if v.exit_code == 53]
    if not hits and not stages and not dead:
        return "nothing ran out of space on a local disk"
    spilled = sum(num(r, "diskBytesSpilled") for r in case.rest.stages.values())
    written = sum(num(r, "shuffleWriteBytes") for r in case.rest.stages.values())
    return [
        finding(
            case,
            "local-disk-full",
            "I08",
            severity_of(case),
            "high" if hits or stages else "medium",
            "local disk full: no space left on device",
            detail="the volume of the local directories is full (a kubelet limit would have evicted the pod)",
            evidence=[*[of_hit(h) for h in hits[:4]], *stages[:1], *(e for v in dead for e in v.evidence)],
            ruled_out=[
                ("I01", "writes failed, no container was killed for memory"),
                ("I09", "the local directories, not a claim"),
            ],
            questions=[
                "which mount is full: the path in the message, `df` on the node, spill and shuffle per executor (REST)"
            ],
            data={"spilled": spilled, "written": written},
        )
    ]


def disk_pressure(world: World) -> Answer:
    """Nodes with Spark pods under DiskPressure."""
    out: list[Finding] = []
    for name, node in world.nodes.items():
        pressure = node.condition("DiskPressure")
        if pressure is None or pressure.status != "True":
            continue
        victims = [p for p in world.troubled if p.node == name and "spark-role" in p.labels]
        live = len(world.on_node(name))
        if not live and not victims:
            continue
        events = [
            e
            for e in world.events.get(node.key, [])
            if "Disk" in e.reason or "Evict" in e.reason or "FreeDisk" in e.reason
        ]
        out.append(
            finding(
                None,
                "node-disk-pressure",
                "I08",
                "critical",
                "high",
                f"node {name} is under disk pressure with {live} pods on it",
                subject=node.key,
                since=pressure.since,
                detail=pressure.message,
                evidence=[
                    of_node(node, f"DiskPressure=True {pressure.reason}: {pressure.message}"),
                    *[of_event(e) for e in events[:2]],
                ],
                questions=["who writes: ephemeral storage per pod, leftovers of spark-local directories on the node"],
                data={"node": name},
            )
        )
    return out or "no node that carries Spark pods is under disk pressure"


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
    Rule("checkpoint-full", "I09", checkpoint_full, after=("pvc-filling",)),
    Rule("local-disk-full", "I08", disk_full, after=("node-disk-pressure",)),
    Rule("fetch-failed", "I05", fetch_failed, after=_LOST),
]
