"""Pods that find no node (I14), and drivers that starve each other."""

from __future__ import annotations

import re

from console.health.case import Case, World
from console.health.evidence import of_event, of_hit, of_pod, of_rest
from console.health.facts import Pod
from console.health.model import Confidence, Evidence, Finding, Severity
from console.health.restview import num, text
from console.health.rule import Answer, Rule, WorldRule, finding
from console.health.rules.scheduling_waiting import PATIENCE, asks_gpu, last_seen, waiting_pods, wants_gpu


def unschedulable(case: Case) -> Answer:
    """Driver or executors that no node takes: CPU, memory, taints, affinity, volumes."""
    waiting = [(p, w, s) for p, w, s in waiting_pods(case) if not wants_gpu(p, w)]
    long = [(p, w, s) for p, w, s in waiting if s is None or last_seen(case, p) - s >= PATIENCE]
    worked = _worked(case)
    starved = [
        h for h in case.hits("no-resources", roles=("driver",)) if h.at is None or worked is None or h.at > worked
    ]
    too_big = [h for h in case.hits("too-big", roles=("driver", "master")) if worked is None]
    master = [*_master_waits(case), *_rest_starved(case)]
    if not long and not starved and not too_big and not master:
        return "every pod found a node, or waits for less than half a minute"
    if any(wants_gpu(p, w) for p, w, _ in waiting_pods(case)) and not long:
        return "the pods wait for GPUs: that is I15"
    if not long and _image_waits(case):
        return "the executors have nodes but no image: that is I13"
    if not long and case.hits("quota", "forbidden", roles=("driver",)):
        return "the executors were refused by the API: that is I16"
    if not long and (case.hits("gpu-limits-cores", roles=("driver",)) or asks_gpu(case)):
        return "what is missing are GPUs: that is I15"
    claims = (
        [] if case.world.workloads.get("PersistentVolumeClaim") else [(p, w) for p, w, _ in long if _CLAIM.search(w)]
    )
    if claims and len(claims) == len(long):
        return _unclaimed(case, claims)
    drivers = [p for p, _, _ in long if p in case.drivers]
    words = long[-1][1] if long else ""
    listed = bool(too_big or _master_waits(case))
    why = _why(words) if words else ("no worker is large enough" if listed else "no executor registered")
    proven = bool(long) or listed
    confidence: Confidence = "high" if proven else "medium"
    questions = []
    if not proven:
        questions.append(
            "why no executor came: are executor pods Pending (FailedScheduling), refused (quota, RBAC) or crashing?"
        )
        if case.victims:
            confidence = "low"
    running = case.app.running_executors
    severity: Severity = "critical" if drivers or (running == 0 and not case.succeeded) else "warning"
    proof: list[Evidence] = [of_pod(p, f"Pending, PodScheduled=False: {w}") for p, w, _ in long[:3]]
    events = [
        e
        for p, _, _ in long[:2]
        for e in case.events_of(p.key)
        if e.reason == "FailedScheduling" and "skip" not in e.message
    ]
    return [
        finding(
            case,
            "unschedulable",
            "I14",
            severity if case.app.live or case.failed else "warning",
            confidence,
            f"{_who(long, drivers)}: {why}",
            subject=drivers[-1].key if drivers else "",
            since=min((s for _, _, s in long if s is not None), default=None),
            detail=words
            or "the driver asks for executors and none registers; REST shows a running stage without active tasks",
            evidence=[
                *proof,
                *[of_event(e) for e in events[-2:]],
                *[of_hit(h) for h in (*too_big[:1], *starved[:2])],
                *master,
            ],
            ruled_out=[
                ("I13", "no container waits for an image"),
                ("I10", "tasks do not hang: none was ever started") if not running else ("I10", "some executors work"),
            ],
            questions=questions
            or [
                "whether the cluster can grow: events TriggeredScaleUp or NotTriggerScaleUp of the pod",
                *(
                    ["whether the request can fit any node at all: allocatable of the largest node"]
                    if "Insufficient" in words or too_big
                    else []
                ),
            ],
            data={
                "pods": [p.name for p, _, _ in long][:20],
                "reason": why,
                "memory_request": next((p.main.requests.get("memory") for p, _, _ in long if p.main is not None), None),
            },
        )
    ]


_CLAIM = re.compile(
    r"unbound immediate PersistentVolumeClaims|persistentvolumeclaim \"?([\w.-]+)\"? (?:not found|bound to)"
)


def _unclaimed(case: Case, claims: list[tuple[Pod, str]]) -> list[Finding]:
    """Pods that find no node because a volume claim is missing or not bound."""
    found = _CLAIM.search(claims[-1][1])
    name = found.group(1) if found is not None and found.group(1) else ""
    return [
        finding(
            case,
            "claim-not-ready",
            "I09",
            "critical" if case.app.live or case.failed else "warning",
            "medium",
            f"{len(claims)} pods wait for a volume claim: " + (f"{name} does not exist" if name else "it is not bound"),
            subject=claims[-1][0].key,
            detail=claims[-1][1],
            evidence=[of_pod(p, f"Pending, PodScheduled=False: {w}") for p, w in claims[:3]],
            ruled_out=[("I14", "the scheduler asks for the claim before it looks for CPU and memory")],
            questions=["the claim: its name, its events, its storage class, quota and zone"],
            data={"pods": [p.name for p, _ in claims][:20], "claim": name},
        )
    ]


def _worked(case: Case) -> float | None:
    """When a task last ran; None where none is known to have run."""
    times = [h.at for h in case.hits("task-failed", "task-started", "task-running") if h.at is not None]
    done = any(
        num(r, "totalTasks") > 0 or num(r, "activeTasks") > 0 for k, r in case.rest.executors.items() if k != "driver"
    )
    return max(times, default=None) or (0.0 if done else None)


def _image_waits(case: Case) -> bool:
    from console.health.rules.images import WAITING

    return any(c.waiting_reason in WAITING for p in case.pods for c in p.containers)


def _who(long: list[tuple[Pod, str, float | None]], drivers: list[Pod]) -> str:
    if drivers:
        return "driver finds no node"
    if len(long) == 1:
        return "1 executor finds no node"
    return f"{len(long)} executors find no node" if long else "the application gets no executors"


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
    found = [text for needle, text in _WHY if needle in words]
    return ", ".join(dict.fromkeys(found)) or "the scheduler gives another reason"


def _master_waits(case: Case) -> list[Evidence]:
    """A standalone master that lists the application as WAITING."""
    out = []
    for doc in case.world.attached.shared_rest:
        if doc.path != "master" or not isinstance(doc.data, dict):
            continue
        for row in doc.data.get("activeapps") or []:
            if (
                isinstance(row, dict)
                and row.get("id") == case.app.app_id
                and row.get("state") == "WAITING"
                and num(row, "cores") == 0
            ):
                free = sum(num(w, "memoryfree") for w in doc.data.get("workers") or [] if isinstance(w, dict))
                wants = num(row, "memoryperexecutor") or num(row, "memoryperslave")
                out.append(
                    of_rest(
                        doc.origin,
                        f"{text(row, 'name')} WAITING, wants {wants:.0f} MiB per executor, {free:.0f} MiB free",
                    )
                )
    return out[:1]


def _rest_starved(case: Case) -> list[Evidence]:
    """A running stage of which no task ever ran, and no executor: in REST that looks like running."""
    if any(key != "driver" for key in case.rest.executors) or not case.rest.of("executors") + case.rest.of(
        "allexecutors"
    ):
        return []
    if case.app.running_executors or num(case.rest.executors.get("driver", {}), "totalCores"):
        return []
    for (stage, attempt), row in case.rest.stages.items():
        idle = num(row, "numActiveTasks") + num(row, "numCompleteTasks") + num(row, "numFailedTasks") == 0
        if text(row, "status") == "ACTIVE" and idle and num(row, "numTasks"):
            words = f"stage {stage}.{attempt} ACTIVE with 0 of {num(row, 'numTasks'):.0f} tasks begun, and no executor"
            return [of_rest(case.rest.origin("stages"), words)]
    return []


def starving_drivers(world: World) -> Answer:
    """Several drivers run, none has executors, and their executors wait: drivers hold what executors need."""
    by_space: dict[str, list[Case]] = {}
    for case in world.cases:
        driver = case.driver
        if not case.app.live or driver is None or driver.phase != "Running" or case.app.running_executors:
            continue
        waiting = waiting_pods(case)
        if any(_starved(world, pod, words) for pod, words, _ in waiting) or (
            not waiting and case.hits("no-resources", "quota", roles=("driver",))
        ):
            by_space.setdefault(case.app.namespace, []).append(case)
    out = []
    for namespace, cases in by_space.items():
        if len(cases) < 3:
            continue
        names = [c.app.name for c in cases]
        out.append(
            finding(
                None,
                "driver-deadlock",
                "I14",
                "critical",
                "medium",
                f"{len(cases)} drivers in {namespace} hold the resources that their own executors wait for",
                subject=f"Namespace//{namespace}",
                detail=", ".join(names[:8]),
                evidence=[
                    of_pod(c.driver, f"driver of {c.app.name} Running, 0 executors")
                    for c in cases[:5]
                    if c.driver is not None
                ],
                questions=["which is the youngest: suspending it frees its driver's share"],
                data={"apps": [c.app.key for c in cases]},
            )
        )
    return out or "no namespace has several running drivers without executors"


def _starved(world: World, pod: Pod, words: str) -> bool:
    """Whether a pod waits for what others hold: it lacks room, and some node would be large enough."""
    if "Insufficient" not in words and "Too many pods" not in words:
        return False
    wanted = pod.main.requests.get("memory") if pod.main is not None else None
    sizes = [n.allocatable["memory"] for n in world.facts.nodes if "memory" in n.allocatable]
    return wanted is None or not sizes or wanted <= max(sizes)


RULES = [
    Rule(
        "unschedulable",
        "I14",
        unschedulable,
        after=("pvc-pending", "claim-not-ready", "driver-deadlock", "node-not-ready"),
    ),
    WorldRule("driver-deadlock", "I14", starving_drivers),
]
