"""A walk as it would stand in a journal, with hostile texts and planted secrets in all that comes from outside."""

from __future__ import annotations

from console.actions.effects import Consequence, Effect, ObjectRef, Preview
from console.facts.evidence import Evidence
from console.facts.model import Alert, Origin
from console.operate.journal import Journal
from console.runbook.walk import (
    Answered,
    AnyEvent,
    Applied,
    Confirmed,
    Entered,
    HoldBegan,
    Intent,
    Judged,
    Noted,
    Previewed,
    Started,
    Verified,
    WalkEnded,
)
from tests.operate.tower import SMALL, small

WALK = "w-20261124-104207-3f9a"
BEGAN = 1795516927.0
PLANTED = "hunter2-" + "planted"
HOSTILE = "|x| **bold** [link](http://evil) <script>alert(1)</script> `tick` \x1b[31mred\x1b[0m \u202eright\nto left"
APP = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl-orders", "u-1")
EFFECT = Effect(
    f"{WALK}/1", "raise", "Raise memoryOverhead to 1200m", "patch", APP, "merge",
    {"spec": {"executor": {"memoryOverhead": "1200m"}}}, touched=("/spec/executor/memoryOverhead",), reversible=True,
)  # fmt: skip
BURNING = {
    "job-success": {
        "title": "Jobs succeed",
        "state": "burning",
        "budget_left": 0.84,
        "burn": {"300": 30.2, "3600": 12.1},
    }
}
CALM = {
    "job-success": {"title": "Jobs succeed", "state": "good", "budget_left": 0.82, "burn": {"300": 0.0, "3600": None}}
}


def events() -> list[AnyEvent]:
    """Fifteen records: an OOM that was seen, asked about, mended and verified."""
    at = BEGAN
    seen = (
        Evidence("kubernetes", "Pod/spark-jobs/etl-exec-1", f"OOMKilled, exit 137; password={PLANTED}", at),
        Evidence("log", "driver log line 120", HOSTILE, at),
    )
    preview = Preview(
        EFFECT,
        (" spec:", "   executor:", "-    memoryOverhead: 200m", "+    memoryOverhead: 1200m", " ```"),
        True,
        consequences=(Consequence("restart", "warning", "the operator submits the job from the start"),),
        fingerprint="f",
        before={"/spec/executor/memoryOverhead": "200m"},
        cluster="kind",
    )
    return [
        Started(
            at=at, walk=WALK, runbook="small", version="1.0.0", hash=small().hash, text=SMALL.read_text(),
            inputs={"app": "spark-jobs/etl-orders", "size": "1200m"}, origins={"app": "alert.app", "size": "default"},
            cluster={"context": "kind", "server": "https://127.0.0.1:6443", "uid": "c-1", "production": False},
            subject="spark-jobs/etl-orders", actor="ada", tool="console 0.1.0", slo=BURNING,
            alert=Alert("SparkExecutorOOMKilled", {"namespace": "spark-jobs"}, Origin("alertmanager", "payload")),
        ),
        Entered(at + 1, "look"),
        Judged(at + 1, "look", "fail", f"etl-orders loses executors; token={PLANTED}", "which", seen),
        Entered(at + 2, "which"),
        Answered(
            at + 32, "which", "overhead", "ada", "raise", "Heap or overhead?", "Overhead: raise it", ("Nothing",),
            ("heap peak 1.6Gi of 2.8Gi", "a hint, no proof: heap"),
        ),
        Noted(at + 33, "the heap is flat", "ada", "which"),
        Entered(at + 34, "raise"),
        Previewed(at + 35, "raise", preview),
        Confirmed(at + 65, "raise", EFFECT.id, "", "ada"),
        Intent(at + 66, "raise", EFFECT, {"/spec/executor/memoryOverhead": "200m"}, 1),
        Applied(at + 67, "raise", EFFECT.id, True, "applied to spark-jobs/etl-orders", 2, goto="recovers"),
        Entered(at + 68, "recovers"),
        HoldBegan(at + 90, "recovers", "true now; it has to stay true for 10m"),
        Verified(at + 690, "recovers", "effective", "held for 10m", "resolved"),
        WalkEnded(at + 691, "resolved", "it runs again", "resolved", CALM),
    ]  # fmt: skip


def written(journal: Journal, walk: str = WALK) -> str:
    """Write it into a journal."""
    for event in events():
        journal.append(walk, event)
    return walk
