"""Pods that find no node (I14), and those that wait for a volume claim (I09)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from console.apps.evidence import of_event, of_hit, of_pod
from console.facts.evidence import Evidence
from console.findings.case import Case
from console.findings.figures.scheduling import UnschedulableFigures
from console.findings.figures.storage import WaitingClaimFigures
from console.findings.model import Confidence, Finding, Severity
from console.findings.rule import Answer, Rule, finding
from console.findings.rules.images import WAITING
from console.findings.rules.scheduling.unregistered import Unregistered, unregistered
from console.findings.rules.scheduling.waiting import PATIENCE, Unplaced, asks_gpu, begun, lasts, waiting_pods
from console.findings.waits.nodes import node_wait


def unschedulable(case: Case) -> Answer:
    """Driver or executors that no node takes: CPU, memory, taints, affinity, volumes."""
    waiting = waiting_pods(case)
    long = [w for w in waiting if not w.wants_gpu and _lasts(case, w)]
    absent = unregistered(case)
    if not long:
        if not absent.seen:
            return "every pod found a node, or waits for less than half a minute"
        if other := _other_class(case, waiting):
            return other
    claims = _without_claim(case, long)
    return [_unclaimed(case, claims)] if claims else [_unplaced(case, long, absent)]


def _lasts(case: Case, one: Unplaced) -> bool:
    """Whether it waits long enough; in saved evidence also what waits at its end, for it gets no older."""
    if lasts(case, one, PATIENCE):
        return True
    return case.world.saved and not one.pod.gone and one.pod in case.drivers


def _other_class(case: Case, waiting: Sequence[Unplaced]) -> str:
    """Why executors that do not come are of another class; `` where they are not. They lack no node for long."""
    if any(w.wants_gpu for w in waiting):
        return "the pods wait for GPUs: that is I15"
    if any(c.waiting_reason in WAITING for p in case.pods for c in p.containers):
        return "the executors have nodes but no image: that is I13"
    if case.hits("quota", "forbidden", roles=("driver",)):
        return "the executors were refused by the API: that is I16"
    if case.hits("gpu-limits-cores", roles=("driver",)) or asks_gpu(case):
        return "what is missing are GPUs: that is I15"
    return ""


def _unplaced(case: Case, long: Sequence[Unplaced], absent: Unregistered) -> Finding:
    """Pods that no node takes, or executors of which nothing is seen but that they do not register."""
    drivers = [w.pod for w in long if w.pod in case.drivers]
    words = long[-1].words if long else ""
    why, unsaid = _reason(words, bool(long), absent)
    proven = bool(words) or absent.listed
    confidence: Confidence = "high" if proven else "low" if case.victims or long else "medium"
    running = case.app.running_executors
    told = node_wait(case, long)
    return finding(
        case,
        "unschedulable",
        "I14",
        _severity(case, bool(drivers)),
        confidence,
        f"{_who(len(long), bool(drivers))}: {why}",
        subject=drivers[-1].key if drivers else "",
        since=begun(long),
        detail=words or unsaid,
        evidence=_proof(case, long, absent),
        ruled_out=[
            ("I13", "no container waits for an image"),
            ("I10", "some executors work" if running else "tasks do not hang: none was ever started"),
        ],
        questions=_questions(proven, "Insufficient" in words or bool(absent.too_big)),
        data=UnschedulableFigures(
            pods=tuple(w.pod.name for w in long),
            reason=why,
            memory_request=next((w.pod.main.requests.get("memory") for w in long if w.pod.main is not None), None),
            keeper=told.keeper,
            resource=told.resource or (why if told.keeper else ""),
            holders=told.holders,
            never=told.never,
            lets_in=told.lets_in,
        ),
    )


def _reason(words: str, waits: bool, absent: Unregistered) -> tuple[str, str]:
    """Why no node takes them, in short; and what stands for the scheduler's words where those were not read."""
    if waits:
        said = "which reason the scheduler gives was not read: quota of a class, volumes and gates look alike"
        return (_why(words) if words else "the scheduler's reason was not read"), said
    said = "the driver asks for executors and none registers; REST shows a running stage without active tasks"
    return ("no worker is large enough" if absent.listed else "no executor registered"), said


def _severity(case: Case, driver: bool) -> Severity:
    """Critical while nothing of it works; `driver` says that it is its driver that waits."""
    if not case.app.live and not case.failed:
        return "warning"
    return "critical" if driver or (case.app.running_executors == 0 and not case.succeeded) else "warning"


def _who(count: int, driver: bool) -> str:
    if driver:
        return "driver finds no node"
    if count == 1:
        return "1 executor finds no node"
    return f"{count} executors find no node" if count else "the application gets no executors"


_WHY = (
    ("Insufficient memory", "not enough memory"),
    ("Insufficient cpu", "not enough CPU"),
    ("Insufficient ephemeral-storage", "not enough ephemeral storage"),
    ("Too many pods", "the nodes hold their maximum of pods"),
    ("untolerated taint", "a taint is not tolerated"),
    ("had taint", "a taint is not tolerated"),
    ("didn't match Pod's node affinity", "node selector or affinity matches no node"),
    ("didn't match node selector", "node selector or affinity matches no node"),
    ("volume node affinity conflict", "the volume lies in another zone"),
    ("unbound immediate PersistentVolumeClaims", "a volume claim is not bound"),
    ("persistentvolumeclaim", "a volume claim does not exist"),
    ("unschedulable", "the nodes are cordoned"),
)


def _why(words: str) -> str:
    """The scheduler's words in ours."""
    found = [text for needle, text in _WHY if needle in words]
    return ", ".join(dict.fromkeys(found)) or "the scheduler gives another reason"


def _questions(proven: bool, room: bool) -> list[str]:
    """What is still open; `room` says that what lacks is room, so that a node could be too small for the request."""
    if not proven:
        return [
            "why no executor came: are executor pods Pending (FailedScheduling), refused (quota, RBAC) or crashing?"
        ]
    grow = "whether the cluster can grow: events TriggeredScaleUp or NotTriggerScaleUp of the pod"
    fit = "whether the request can fit any node at all: allocatable of the largest node"
    return [grow, fit] if room else [grow]


def _proof(case: Case, long: Sequence[Unplaced], absent: Unregistered) -> list[Evidence]:
    refusals = [
        e
        for w in long[:2]
        for e in case.events_of(w.pod.key)
        if e.reason == "FailedScheduling" and "skip" not in e.message
    ]
    return [
        *_pending(long),
        *[of_event(e) for e in refusals[-2:]],
        *[of_hit(h) for h in (*absent.too_big[:1], *absent.starved[:2])],
        *absent.waits,
        *absent.idle,
    ]


def _pending(waiting: Sequence[Unplaced]) -> list[Evidence]:
    return [of_pod(w.pod, f"Pending, PodScheduled=False: {w.words}") for w in waiting[:3]]


_CLAIM = re.compile(
    r"unbound immediate PersistentVolumeClaims|persistentvolumeclaim \"?([\w.-]+)\"? (?:not found|bound to)"
)


def _without_claim(case: Case, long: Sequence[Unplaced]) -> Sequence[Unplaced]:
    """The pods, where all of them wait for a volume claim and the claims themselves were not read."""
    if case.world.workloads("PersistentVolumeClaim"):
        return ()
    return long if all(_CLAIM.search(w.words) for w in long) else ()


def _unclaimed(case: Case, claims: Sequence[Unplaced]) -> Finding:
    """Pods that find no node because a volume claim is missing or not bound."""
    found = _CLAIM.search(claims[-1].words)
    name = found.group(1) if found is not None and found.group(1) else ""
    return finding(
        case,
        "claim-not-ready",
        "I09",
        "critical" if case.app.live or case.failed else "warning",
        "medium",
        f"{len(claims)} pods wait for a volume claim: " + (f"{name} does not exist" if name else "it is not bound"),
        subject=claims[-1].pod.key,
        detail=claims[-1].words,
        evidence=_pending(claims),
        ruled_out=[("I14", "the scheduler asks for the claim before it looks for CPU and memory")],
        questions=["the claim: its name, its events, its storage class, quota and zone"],
        data=WaitingClaimFigures(pods=tuple(w.pod.name for w in claims), claim=name),
    )


RULES = [
    Rule(
        "unschedulable",
        "I14",
        unschedulable,
        after=("pvc-pending", "claim-not-ready", "driver-deadlock", "node-not-ready"),
    ),
]
