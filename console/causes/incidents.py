"""One or all: findings that share a cause outside the applications are one incident; everything else stays apart.

A finding with its consequences is a *fault*. Faults merge only where they share a thing that can be the cause of all
of them (`traits`), at the same time, and where nothing speaks against it: a shared node counts only if what runs
elsewhere is well, a shared image only if nobody runs well with it. Coincidence is the default.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.apps.model import SparkApp
from console.causes.faults import Fault, everybody, several
from console.causes.model import Incident
from console.causes.peers import Peers
from console.causes.shared import CHECKS, KINDS, CommonCause, drained_nodes
from console.causes.tenants import Tenants
from console.causes.traits import ENDED_OUTSIDE, Trait, nodes_of, traits
from console.facts.model import Facts
from console.facts.notjudged import Isolation
from console.findings.model import SEVERITY_ORDER, Finding

_LASTS = frozenset(
    {"unschedulable", "unschedulable-gpu", "image-pull", "state-stuck", "node-not-ready", "node-disk-pressure"}
)
"""Codes of conditions that hold until now while the application lives."""


def group(
    findings: Sequence[Finding],
    apps: Sequence[SparkApp],
    facts: Facts,
    *,
    failed: Isolation | None = None,
    tenants: Tenants | None = None,
) -> tuple[Incident, ...]:
    """Every finding in exactly one incident, the worst incident first.

    Args:
        failed: takes what cannot be compared: findings stay apart where it cannot be said that they share a cause.
        tenants: who was where at the last look, where the caller keeps it.
    """
    if not findings:
        return ()
    failed = Isolation() if failed is None else failed
    peers = Peers(apps, facts, tenants)
    faults = _faults(findings, peers, failed)
    out: list[Incident] = []
    free = list(faults)
    for kind in KINDS:
        for key, sharing in _sharing(kind, free).items():
            found = [fault for fault in sharing if any(fault is f for f in free)]
            for number, answer in enumerate(_checked(kind, key[1], found, peers, failed) if several(found) else ()):
                out.append(_merged(kind, key, number, answer))
                free = [f for f in free if not any(f is fault for fault in answer.faults)]
    out.extend(_single(fault, peers, failed) for fault in free)
    out.sort(key=lambda i: (SEVERITY_ORDER[i.severity], i.since if i.since is not None else float("inf"), i.key))
    return tuple(out)


def _checked(kind: str, value: str, found: list[Fault], peers: Peers, failed: Isolation) -> list[CommonCause]:
    """What is said of faults that share a thing; nothing where that cannot be judged."""
    try:
        return list(CHECKS[kind](kind, value, found, peers))
    except Exception as error:
        failed.note(f"{kind} {value}", "comparing what shares it", error)
        return []


def _faults(findings: Sequence[Finding], peers: Peers, failed: Isolation) -> list[Fault]:
    """Findings joined by cause and consequence, in the order in which they come."""
    known = {f.key: f for f in findings}
    head = {key: key for key in known}

    def root(key: str) -> str:
        while head[key] != key:
            head[key] = head[head[key]]
            key = head[key]
        return key

    for one in findings:
        for cause in one.causes:
            if cause in known:
                head[root(one.key)] = root(cause)
    parts: dict[str, list[Finding]] = {}
    for one in findings:
        parts.setdefault(root(one.key), []).append(one)
    return [_fault(part, known, peers, failed) for part in parts.values()]


def _fault(part: list[Finding], known: dict[str, Finding], peers: Peers, failed: Isolation) -> Fault:
    roots = [f for f in part if not any(c in known for c in f.causes)]
    shared: dict[Trait, None] = {}
    for one in roots:
        try:
            shared.update(dict.fromkeys(traits(one, peers.apps.get(one.app))))
        except Exception as error:
            failed.note(one.subject, f"what {one.code} may share with others", error, app=one.app)
    apps = {f.app for f in part if f.app} | {app for f in part for app in f.data.apps}
    begins = [f.since for f in roots if f.since is not None]
    ends = [*begins, *(e.at for f in part for e in f.evidence if e.at is not None)]
    if any(f.code in _LASTS and (not f.app or peers.alive(f.app)) for f in roots) and peers.now:
        ends.append(peers.now)
    return Fault(
        tuple(part), tuple(roots), frozenset(apps), tuple(shared), min(begins, default=None), max(ends, default=None)
    )


def _sharing(kind: str, free: Sequence[Fault]) -> dict[tuple[str, str, str], list[Fault]]:
    """Faults by the thing of this kind that they share, where at least two do."""
    if kind == "time":
        return _at_once(free)
    out: dict[tuple[str, str, str], list[Fault]] = {}
    for fault in free:
        for trait in fault.traits:
            if trait.kind == kind:
                out.setdefault((kind, trait.value, trait.family), []).append(fault)
    return {k: v for k, v in sorted(out.items(), key=lambda p: (-len(p[1]), p[0])) if several(v)}


def _at_once(free: Sequence[Fault]) -> dict[tuple[str, str, str], list[Fault]]:
    out: dict[tuple[str, str, str], list[Fault]] = {}
    for fault in free:
        code = fault.roots[0].code
        if code in ENDED_OUTSIDE or code in ("fetch-failed", "object-store-unreachable", "metastore-down"):
            out.setdefault(("time", "", code), []).append(fault)
    return out


_TITLES = {
    "gpu": "GPU {value}",
    "claim": "claim {value}",
    "image": "image {value} cannot be pulled",
    "registry": "images of {value} cannot be pulled",
    "metastore": "Hive metastore {value} fails",
    "service": "{value} fails",
    "object store": "object store {value}",
    "credentials": "credentials of {value} are refused",
    "quota": "quota {value} is used up",
    "right": "missing right: {value}",
    "namespace": "Pod Security of {value} refuses pods",
    "webhook": "admission webhook {value} fails",
    "operator": "the {value} operator takes nothing further",
    "capacity": "the cluster is full: {value}",
    "drain": "{value} drained",
    "node": "node {value} loses pods",
    "image content": "image {value} is broken",
    "version": "Spark {value} fails",
    "time": "pods are lost everywhere at once",
}


def _merged(kind: str, key: tuple[str, str, str], number: int, answer: CommonCause) -> Incident:
    findings = [f for fault in answer.faults for f in fault.findings]
    worst = min(findings, key=lambda f: SEVERITY_ORDER[f.severity])
    apps = everybody(answer.faults)
    first = f"{len(apps)} application{'s' if len(apps) > 1 else ''}"
    lead = next((f for fault in answer.faults for f in fault.roots if not f.app), None)
    value = _nodes(drained_nodes(answer.faults)) if kind == "drain" else key[1]
    title = lead.title if lead is not None else _TITLES[kind].format(value=value)
    return Incident(
        key=f"{kind}:{key[1]}:{key[2]}" + (f":{number}" if number else ""),
        title=f"{title} ({first})",
        findings=tuple(f.key for f in _lead_first(findings)),
        severity=worst.severity,
        since=min((fault.since for fault in answer.faults if fault.since is not None), default=None),
        shared=value if kind == "drain" else f"{kind} {key[1]}".strip() if kind != "time" else "time",
        speaks_for=tuple(answer.speaks_for),
        against=tuple(answer.against),
    )


def _nodes(names: Sequence[str]) -> str:
    """`node a`, `nodes a, b`, `12 nodes`."""
    return f"node{'s' * (len(names) > 1)} {', '.join(names)}" if len(names) < 3 else f"{len(names)} nodes"


def _lead_first(findings: Sequence[Finding]) -> list[Finding]:
    """What is about no application, and so may be the cause of all, first."""
    return sorted(findings, key=lambda f: bool(f.app))


def _single(fault: Fault, peers: Peers, failed: Isolation) -> Incident:
    root = fault.roots[0]
    nothing: tuple[list[str], list[str]] = ([], [])
    said, against = failed.run(
        lambda: _alone(fault, peers), nothing, subject=root.subject, part="comparing it with others", app=root.app
    )
    return Incident(
        key=root.key,
        title=root.title,
        findings=tuple(f.key for f in fault.findings),
        severity=min((f.severity for f in fault.findings), key=lambda s: SEVERITY_ORDER[s]),
        since=fault.since,
        shared=_extent(fault),
        speaks_for=tuple(said),
        against=tuple(against),
    )


def _extent(fault: Fault) -> str:
    if len(fault.apps) == 1:
        return "this application only"
    return fault.roots[0].subject.strip("/").replace("//", " ") if fault.apps else ""


def _alone(fault: Fault, peers: Peers) -> tuple[list[str], list[str]]:
    """Why it is this application's own: others with the same image, version or nodes are well. And what is open."""
    app = peers.apps.get(next(iter(fault.apps))) if len(fault.apps) == 1 else None
    if app is None:
        said = [f"{len(fault.apps)} applications suffer from it"] if fault.apps else []
        return said, []
    said = []
    itself = int(peers.well(app))
    image = peers.fine_images[app.image] - itself if app.image else 0
    version = peers.fine_versions[app.spark_version] - itself if app.spark_version else 0
    if image:
        said.append(f"{image} other application{'s' if image > 1 else ''} with the same image work")
    elif version:
        said.append(f"{version} other application{'s' if version > 1 else ''} with Spark {app.spark_version} work")
    nodes = {n for f in fault.roots for n in nodes_of(f)}
    if beside := peers.beside(app.key, nodes):
        said.append(f"{len(beside)} other application{'s' if len(beside) > 1 else ''} on the same node")
    against = [] if len(peers.fine) > itself else ["no other application is there to compare with"]
    return said, against
