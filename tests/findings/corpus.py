"""Recorded evidence under tests/data/evidence and what a senior Spark SRE says about each folder.

`expected` are (class, code) in order, the cause first; `None` is a finding without a class. An empty tuple is a folder
in which nothing is wrong. `sure` is the confidence that the evidence allows for the first of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from console.apps.assemble import assemble
from console.facts.model import Facts
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from console.sources.folder.read import read_folder

ROOT = Path(__file__).parent.parent / "data" / "evidence"


@dataclass(frozen=True)
class Recording:
    folder: str
    expected: tuple[tuple[str | None, str], ...]
    sure: str = "high"
    family: str = ""
    """`oom`, `look-alike` or another word."""
    proof: str = "recording"
    """`real node` where `python -m tests.cluster.faults` makes the very fault again, `cited` where only the wording is
    known; else a recording of elsewhere."""

    @property
    def path(self) -> Path:
        return ROOT / self.folder

    @cached_property
    def facts(self) -> Facts:
        """What its files say, read once."""
        return read_folder(self.path)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is found in them as they lie there, judged once."""
        return diagnose(self.facts, assemble(self.facts))


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
    _node("local-storage", ("I08", "executor-evicted")),
    _node("claim", ("I09", "pvc-pending"), ("I14", "unschedulable"), sure="medium"),
    # nothing wrong
    Recording("kubernetes-1.20/healthy", ()),
    Recording("kubernetes-1.20/spark359-healthy", ()),
    Recording("kubernetes-1.37/healthy2", ()),
    Recording("spark-4.3/healthy", ()),
    Recording("spark-4.1/healthy", ()),
    Recording("spark-3.5/healthy", ()),
    Recording("spark-4.3/skew-spill-aqe", ()),
    Recording("spark-4.3/dstream", ()),
    # S3A clients of Spark 3.5 and 4.0 against an endpoint that refuses
    Recording("spark-4.0/s3-denied", (("I22", "object-store-denied"),)),
    Recording("spark-4.0/s3-no-credentials", (("I22", "object-store-denied"),)),
    Recording("spark-3.5/s3-throttled", (("I23", "object-store-throttled"),)),
    Recording("spark-4.0/s3-throttled", (("I23", "object-store-throttled"),)),
    Recording("spark-4.0/listener-drops", (("I25", "listener-drops"),)),
    Recording("spark-4.0/module-missing", (("I12", "python-module-missing"),), "medium"),
    # made up, with wording of sources, documents and users' reports: other versions, one kind of evidence only
    Recording("cited/i01-log-only-41", (("I01", "executor-oom-container"),), "high", proof="cited"),
    Recording("cited/i01-oldlog-containerstatus", (("I01", "executor-oom-container"),), "high", proof="cited"),
    Recording("cited/i01-describe", (("I01", "executor-oom-container"),), "high", proof="cited"),
    Recording("cited/i01-rest-only", (("I01", "executor-oom-container"),), "high", proof="cited"),
    Recording("cited/i01-prom-only", (("I01", "executor-oom-container"),), "medium", proof="cited"),
    Recording("cited/i02-execlog-only", (("I02", "executor-oom-heap"),), "high", proof="cited"),
    Recording("cited/i02-noyear", (("I02", "executor-oom-heap"),), "high", proof="cited"),
    Recording("cited/i02-ecs", (("I02", "executor-oom-heap"),), "high", proof="cited"),
    Recording("cited/i03-rest-gc", (("I03", "executor-gc-pressure"),), "medium", proof="cited"),
    Recording("cited/i04-cr-only", (("I04", "driver-oom-container"),), "high", proof="cited"),
    Recording("cited/i04-heap-topandas", (("I04", "driver-oom-heap"),), "high", proof="cited"),
    Recording("cited/i05-fetch-conn-refused", (("I05", "fetch-failed"),), "high", proof="cited"),
    Recording("cited/i06-gke-node-shutdown", (("I06", "executor-evicted"),), "high", proof="cited"),
    Recording("cited/i06-karpenter-events", (("I06", "executor-evicted"),), "high", proof="cited"),
    Recording("cited/i07-execlog", (("I07", "executor-heartbeat"),), "high", proof="cited"),
    Recording("cited/i08-driver-evicted", (("I08", "driver-evicted"),), "high", proof="cited"),
    Recording("cited/i09-multiattach-events", (("I09", "volume-not-mounted"),), "medium", proof="cited"),
    Recording("cited/i09-claim-notfound", (("I09", "claim-not-ready"),), "medium", proof="cited"),
    Recording("cited/i10-threads-deadlock", (("I10", "no-progress"),), "high", proof="cited"),
    Recording("cited/i12-version", (("I12", "python-environment"),), "medium", proof="cited"),
    Recording("cited/i13-init-container-pull", (("I13", "image-pull"),), "high", proof="cited"),
    Recording("cited/i14-events-v1-driver", (("I14", "unschedulable"),), "high", proof="cited"),
    Recording("cited/i15-mig", (("I15", "unschedulable-gpu"),), "high", proof="cited"),
    Recording("cited/i16-failedquota-mustspecify", (("I16", "quota-exceeded"),), "high", proof="cited"),
    Recording("cited/i17-webhook-timeout", (("I17", "submission-failed"),), proof="cited"),
    Recording("cited/i17-exit1", (("I17", "submission-failed"),), "medium", proof="cited"),
    Recording("cited/i18-pending-rerun", (("I18", "state-stuck"),), "medium", proof="cited"),
    Recording("cited/i19-oplog-leader", (("I19", "operator-down"),), "medium", proof="cited"),
    Recording("cited/i20-missed", (("I20", "schedule-missed"),), "medium", proof="cited"),
    Recording("cited/i21-hist", (("I21", "start-latency"),), "medium", proof="cited"),
    Recording("cited/i22-gcs", (("I22", "object-store-denied"),), "medium", proof="cited"),
    Recording("cited/i23-azure-busy", (("I23", "object-store-throttled"),), "medium", proof="cited"),
    Recording("cited/i24-iceberg", (("I24", "metastore-down"),), "high", proof="cited"),
    Recording("cited/i25-init-dir", (("I25", "event-log-broken"),), "medium", proof="cited"),
    Recording("cited/i26-client-log", (("I26", "connect-session-lost"),), "medium", proof="cited"),
    Recording("cited/i27-old-splitoom", (("I27", "gpu-oom"),), "medium", proof="cited"),
    Recording("cited/i28-dmesg79", (("I28", "gpu-hardware"),), "medium", proof="cited"),
    Recording("cited/i29-hot", (("I29", "gpu-hot"),), "medium", proof="cited"),
    Recording("cited/i30-admission", (("I30", "gpu-gone"),), "medium", proof="cited"),
    Recording("cited/null-user-deleted-exec", ((None, "executor-deleted"),), "high", proof="cited"),
    Recording("cited/null-jdbc", ((None, "jdbc-source-failed"),), "medium", proof="cited"),
    Recording("cited/null-divzero41", ((None, "data-invalid-ansi"),), proof="cited"),
    Recording("cited/null-createcontainerconfig", ((None, "container-not-created"),), "high", proof="cited"),
    Recording("cited/ok-scrape-noise", (), "high", proof="cited"),
    Recording("cited/ok-events-normal", (), "high", proof="cited"),
    Recording("cited/ok-noise2", (), "high", proof="cited"),
)


def judged(path: Path) -> tuple[Finding, ...]:
    """What the engine says about a folder."""
    facts = read_folder(path)
    return diagnose(facts, assemble(facts))


def named(findings: tuple[Finding, ...]) -> tuple[tuple[str | None, str], ...]:
    return tuple((f.class_, f.code) for f in findings)
