"""Which changes can explain which findings: data."""

from __future__ import annotations

import re

from msgspec import Struct

from console.findings.model import Finding


class Explains(Struct, frozen=True):
    """Findings (by words of their code and title) and the changes that can explain them, the likeliest first."""

    finding: re.Pattern[str]
    changes: tuple[tuple[re.Pattern[str], float], ...]
    because: str

    def holds(self, finding: Finding) -> bool:
        return self.finding.search(f"{finding.code} {finding.title}".lower()) is not None

    def gain(self, what: str, key: str) -> float:
        """How well a change of a family and key can explain it, 0-1."""
        words = f"{what}: {key}"
        return next((weight for pattern, weight in self.changes if pattern.search(words)), 0.0)


def _speaks(finding: str, because: str, *changes: tuple[str, float]) -> Explains:
    return Explains(re.compile(finding), tuple((re.compile(p, re.IGNORECASE), w) for p, w in changes), because)


SPEAKS = (
    _speaks(
        r"oom|heap|memory|gc-|off-heap",
        "memory is what ran out",
        (r"^(configuration|spec|resources|environment): .*(memory|overhead|offheap|heap|xmx)", 1.0),
        (r"^configuration: .*(partition|broadcast|fraction|cores|shuffle)", 0.8),
        (r"^input:", 0.7),
        (r"^plan:", 0.6),
        (r"^(image|version):", 0.4),
        (r"^(spec|resources): .*(cores|instances)", 0.6),
        (r"^node:", 0.3),
    ),
    _speaks(
        r"image|exec format|entrypoint",
        "the image is what failed",
        (r"^image:", 1.0),
        (r"^(spec|configuration): .*(image|pullsecret)", 0.9),
        (r"^object: (secret|serviceaccount)", 0.7),
        (r"^node: .*arch", 0.8),
        (r"^spec: service account", 0.6),
    ),
    _speaks(
        r"unschedulable|no node|waits|quota|queue|pending|gpu-",
        "room is what it lacks",
        (r"^object: (resourcequota|limitrange|clusterqueue|localqueue|priorityclass)", 1.0),
        (
            r"^(resources|spec|configuration): .*"
            r"(cores|cpu|memory|instances|gpu|nodeselector|toleration|affinity|priority|queue)",
            0.9,
        ),
        (r"^node:", 0.6),
        (r"^spec: priority class", 0.8),
        (r"^neighbours:", 0.5),
    ),
    _speaks(
        r"disk|local-dir|no space|storage|claim|volume",
        "disk is what ran out or is not there",
        (r"^(configuration|spec): .*(local\.dir|localdir|volume|tmpfs|pvc|scratch|ephemeral)", 1.0),
        (r"^resources: .*storage", 0.9),
        (r"^node:", 0.6),
        (r"^input:", 0.6),
        (r"^configuration: .*(shuffle|partition)", 0.5),
        (r"^plan:", 0.4),
    ),
    _speaks(
        r"fetch|shuffle|evict|preempt|node-|lost|interrupt|drain|heartbeat",
        "executors or their data were lost",
        (r"^node: .*(capacity-type|capacitytype|spot|scalesetpriority)", 1.0),
        (r"^node:", 0.8),
        (r"^configuration: .*(shuffle|decommission|heartbeat|timeout|external)", 0.9),
        (r"^spec: priority class", 0.7),
        (r"^(configuration|resources|spec): .*memory", 0.4),
        (r"^neighbours:", 0.5),
        (r"^image:", 0.3),
    ),
    _speaks(
        r"class|method|linkage|java-module|binary|scala|jvm|python|import|module|version|arrow|pickle",
        "code met another version than it was made for",
        (r"^(image|version):", 1.0),
        (r"^configuration: .*(jars|packages|pyspark|python|extensions|classpath|extrajava)", 0.9),
        (r"^spec: deps", 0.9),
        (r"^environment: .*(python|java|path)", 0.8),
        (r"^arguments:", 0.6),
    ),
    _speaks(
        r"denied|forbidden|rbac|credential|secret|token|auth|kerberos|certificate|tls|s3|account|refused",
        "access is what was refused",
        (r"^object: (secret|role|rolebinding|serviceaccount)", 1.0),
        (r"^spec: service account", 1.0),
        (r"^spec: serviceaccount", 1.0),
        (r"^spec: (driver|executor)\.serviceaccount", 1.0),
        (r"^configuration: .*(s3|fs\.|hadoop|credential|endpoint|ssl|kerberos|keytab|principal)", 0.9),
        (r"^image:", 0.3),
    ),
    _speaks(
        r"dns|connect|network|unreachable|timeout|unknownhost|metastore|broker|kafka",
        "something could not be reached",
        (r"^object: networkpolicy", 1.0),
        (r"^configuration: .*(uri|url|host|endpoint|bootstrap|metastore|proxy|timeout)", 0.9),
        (r"^arguments:", 0.7),
        (r"^object: configmap", 0.7),
        (r"^node: .*zone", 0.5),
        (r"^image: .*sidecar", 0.8),
    ),
    _speaks(
        r"configmap|-missing|not found|no such|vanished|does not exist",
        "something is not there any more",
        (r"^object: configmap", 1.0),
        (r"^(spec|configuration|arguments):", 0.7),
        (r"^object:", 0.8),
    ),
    _speaks(
        r"skew|slow|no-progress|stuck|straggler|longer",
        "it takes longer",
        (r"^input:", 1.0),
        (r"^plan:", 0.9),
        (r"^configuration: .*(adaptive|partition|broadcast|speculation)", 0.9),
        (r"^node:", 0.6),
        (r"^neighbours:", 0.5),
    ),
    _speaks(r"operator|webhook|submission", "the operator is what failed", (r"^operator:", 1.0), (r"^spec:", 0.6)),
)
"""Families of findings → which changes can explain them, and how well."""
