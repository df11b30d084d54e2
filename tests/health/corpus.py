"""Recorded evidence under tests/data/evidence and what a senior Spark SRE says about each folder.

`expected` are (class, code) in order, the cause first; `None` is a finding without a class. An empty tuple is a folder
in which nothing is wrong. `sure` is the confidence that the evidence allows for the first of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from console.health.apps import assemble
from console.health.diagnose import diagnose
from console.health.model import Finding
from console.sources.folder import read_folder

ROOT = Path(__file__).parent.parent / "data" / "evidence"


@dataclass(frozen=True)
class Recording:
    folder: str
    expected: tuple[tuple[str | None, str], ...]
    sure: str = "high"
    family: str = ""
    """`oom`, `look-alike` or another word."""
    proof: str = "recording"
    """`real node` where `python -m tests.cluster.faults` makes the very fault again; else a recording of elsewhere."""

    @property
    def path(self) -> Path:
        return ROOT / self.folder


def _node(name: str, *expected: tuple[str | None, str], sure: str = "high") -> Recording:
    return Recording(f"real-node/{name}", expected, sure, proof="real node")


RECORDINGS = (
    # out of memory
    Recording("kubernetes-1.20/executor-oom", (("I02", "executor-oom-heap"),), family="oom"),
    Recording("kubernetes-1.20/executor-oomkilled", (("I01", "executor-oom-python"),), family="oom"),
    Recording("kubernetes-1.20/driver-oomkilled", (("I04", "driver-oom-container"),), family="oom"),
    Recording("kubernetes-1.37/oom1", (("I01", "executor-oom-python"),), family="oom"),
    Recording(
        "kubernetes-1.37/etl-orders",
        (("I01", "executor-oom-container"), (None, "max-executor-failures")),
        family="oom",
    ),
    Recording(
        "kubernetes-1.37/probes", (("I01", "executor-oom-container"), (None, "max-executor-failures")), family="oom"
    ),
    Recording("faults-4.3/heap", (("I02", "executor-oom-heap"),), family="oom"),
    Recording("faults-4.3/gcoverhead", (("I02", "executor-gc-overhead"),), family="oom"),
    Recording("faults-4.3/maxresult", (("I04", "driver-result-size"),), family="oom"),
    Recording("spark-4.3/executor-oom", (("I02", "executor-oom-heap"),), family="oom"),
    Recording("spark-4.3/driver-oom", (("I04", "driver-oom-heap"),), family="oom"),
    Recording("spark-4.3/max-result-size", (("I04", "driver-result-size"),), family="oom"),
    # look-alikes of it
    Recording("faults-4.3/sigterm", (("I06", "executor-sigterm"), ("I05", "fetch-failed")), "medium", "look-alike"),
    Recording("faults-4.3/sigkill", ((None, "executor-killed"),), "medium", "look-alike"),
    Recording("faults-4.3/heartbeat", (("I07", "executor-heartbeat"), ("I05", "fetch-failed")), "high", "look-alike"),
    Recording("faults-4.3/decom", (), family="look-alike"),
    Recording("faults-4.3/pycrash", (("I12", "python-worker-crash"),), "medium", "look-alike"),
    Recording("faults-4.3/pysegv", (("I12", "python-worker-crash"),), "high", "look-alike"),
    Recording("faults-4.3/disk", (("I08", "local-disk-full"),), "high", "look-alike"),
    Recording("kubernetes-1.20/py-crash", (("I12", "python-worker-crash"),), "high", "look-alike"),
    Recording("spark-4.3/py-worker-crash", (("I12", "python-worker-crash"),), "medium", "look-alike"),
    Recording("spark-4.3/fetch-failed", ((None, "executor-killed"), ("I05", "fetch-failed")), "medium", "look-alike"),
    Recording("spark-4.3/dynamic-allocation", (), family="look-alike"),
    Recording("spark-4.3/gc-pressure", (), family="look-alike"),
    # everything else
    Recording("faults-4.3/gpures", (("I15", "unschedulable-gpu"),), "medium"),
    Recording("faults-4.3/hms", (("I24", "metastore-down"),)),
    Recording("kubernetes-1.20/driver-image-pull", (("I13", "image-pull"),)),
    Recording("kubernetes-1.20/image-pull", (("I13", "image-pull"),)),
    Recording("kubernetes-1.20/rbac", (("I16", "rbac-denied"),)),
    Recording("kubernetes-1.20/unschedulable", (("I14", "unschedulable"),)),
    Recording("kubernetes-1.20/stuck", (("I10", "no-progress"),), "low"),
    Recording("spark-4.3/stuck", (("I10", "no-progress"),), "low"),
    Recording("spark-4.3/no-resources", (("I14", "unschedulable"),)),
    Recording("spark-4.3/skew-spill", (("I11", "slow-data-skew"),), "medium"),
    Recording("spark-3.5/connect", (("I26", "connect-not-ready"),)),
    # the application's own fault
    Recording("kubernetes-1.20/udf-fail", ((None, "user-error"),)),
    Recording("spark-4.3/udf-fail", ((None, "user-error"),)),
    Recording("spark-4.3/structured-logging", ((None, "user-error"),)),
    Recording("spark-4.1/structured-logging", ((None, "user-error"),)),
    Recording("spark-4.3/streaming", ((None, "user-error"),)),
    Recording("spark-4.1/streaming", ((None, "user-error"),)),
    Recording("spark-4.3/connect", ((None, "user-error"),)),
    # faults made on the real node of tests/cluster, and what console and the API server kept of them
    _node("heap-oom", ("I02", "executor-oom-heap")),
    _node("driver-oom", ("I04", "driver-oom-container")),
    _node("killed-executor", (None, "executor-killed"), ("I05", "fetch-failed"), sure="medium"),
    _node("deleted-executor", (None, "executor-deleted")),
    _node("evicted-executor", ("I06", "executor-evicted")),
    _node("python-crash", ("I12", "python-worker-crash"), sure="medium"),
    _node("image", ("I13", "image-pull")),
    _node("quota", ("I16", "quota-exceeded")),
    _node("rbac", ("I16", "rbac-denied")),
    _node("quota-driver", ("I16", "quota-exceeded")),
    _node("webhook", ("I17", "submission-failed")),
    _node("container-oom", ("I01", "executor-oom-container")),
    _node("driver-heap-oom", ("I04", "driver-oom-heap")),
    _node("result-size", ("I04", "driver-result-size")),
    _node("frozen-executor", ("I07", "executor-heartbeat")),
    _node("module-missing", ("I12", "python-module-missing"), sure="medium"),
    _node("user-error", (None, "user-error")),
    # nothing wrong
    Recording("kubernetes-1.20/healthy", ()),
    Recording("kubernetes-1.20/spark359-healthy", ()),
    Recording("kubernetes-1.37/healthy2", ()),
    Recording("spark-4.3/healthy", ()),
    Recording("spark-4.1/healthy", ()),
    Recording("spark-3.5/healthy", ()),
    Recording("spark-4.3/skew-spill-aqe", ()),
    Recording("spark-4.3/dstream", ()),
)


def judged(path: Path) -> tuple[Finding, ...]:
    """What the engine says about a folder."""
    facts = read_folder(path)
    return diagnose(facts, assemble(facts))


def named(findings: tuple[Finding, ...]) -> tuple[tuple[str | None, str], ...]:
    return tuple((f.class_, f.code) for f in findings)
