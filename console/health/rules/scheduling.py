"""Pods that find no node (I14, I15), refusals of quota, rights and limits (I16), drivers that starve each other."""

from __future__ import annotations

import re

from console.health import deaths
from console.health.case import Case, World
from console.health.evidence import of_event, of_hit, of_pod, of_rest, of_workload
from console.health.facts import Pod
from console.health.members import gpus
from console.health.model import Confidence, Evidence, Finding, Severity
from console.health.restview import num, text
from console.health.rule import Answer, Rule, WorldRule, finding, severity_of
from console.health.wordings import WORDINGS

PATIENCE = 30.0
"""Seconds that a pod may wait for a node before that is a finding; a new node takes longer, and is asked about."""
_GPU_TEXT = re.compile(r"Insufficient (nvidia\.com/\S+|amd\.com/gpu|gpu\.intel\.com/\S+)")
_QUOTA = re.compile(r"exceeded quota: ([^,\s]+), requested: (.*?), used: (.*?), limited: ([^\s\\\"]+)")
_UNSPECIFIED = re.compile(r"failed quota: ([^:\s]+): must specify ([\w.,/ -]{1,80})")
_FORBIDDEN = re.compile(r'User \\?"?([^"\\\s]+)\\?"? cannot (\w+) resource \\?"?([\w./]+)')


def _waiting(case: Case) -> list[tuple[Pod, str, float | None]]:
    """Pods that have no node, with the scheduler's words."""
    out: list[tuple[Pod, str, float | None]] = []
    for pod in case.pods:
        if pod.node or pod.phase not in ("Pending", "Unknown") or (deaths.over(pod) and not pod.gone):
            continue
        scheduled = pod.condition("PodScheduled")
        if any(e.reason == "Scheduled" for e in case.events_of(pod.key)):
            continue
        events = [
            e for e in case.events_of(pod.key) if e.reason == "FailedScheduling" and "skip schedule" not in e.message
        ]
        if scheduled is not None and scheduled.status == "False" and scheduled.reason == "SchedulingGated":
            continue
        if scheduled is not None and scheduled.status == "False":
            words = scheduled.message or (events[-1].message if events else "")
            out.append((pod, words, scheduled.since or pod.created))
        elif events:
            out.append((pod, events[-1].message, events[0].first or pod.created))
    return out


def _last_seen(case: Case, pod: Pod) -> float:
    """Until when the pod is known to have waited."""
    times = [e.last for e in case.events_of(pod.key) if e.last]
    if not pod.gone:
        times.append(case.world.now)
    return max(times, default=case.world.now)


def unschedulable(case: Case) -> Answer:
    """Driver or executors that no node takes: CPU, memory, taints, affinity, volumes."""
    waiting = [(p, w, s) for p, w, s in _waiting(case) if not _wants_gpu(p, w)]
    long = [(p, w, s) for p, w, s in waiting if s is None or _last_seen(case, p) - s >= PATIENCE]
    worked = _worked(case)
    starved = [
        h for h in case.hits("no-resources", roles=("driver",)) if h.at is None or worked is None or h.at > worked
    ]
    too_big = [h for h in case.hits("too-big", roles=("driver", "master")) if worked is None]
    master = [*_master_waits(case), *_rest_starved(case)]
    if not long and not starved and not too_big and not master:
        return "every pod found a node, or waits for less than half a minute"
    if any(_wants_gpu(p, w) for p, w, _ in _waiting(case)) and not long:
        return "the pods wait for GPUs: that is I15"
    if not long and _image_waits(case):
        return "the executors have nodes but no image: that is I13"
    if not long and case.hits("quota", "forbidden", roles=("driver",)):
        return "the executors were refused by the API: that is I16"
    if not long and (case.hits("gpu-limits-cores", roles=("driver",)) or _asks_gpu(case)):
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


def _asks_gpu(case: Case) -> bool:
    conf = case.app.conf
    return conf.get("spark.executor.resource.gpu.amount", "0") not in ("0", "")


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


def _wants_gpu(pod: Pod, words: str) -> bool:
    main = pod.main
    asked = main is not None and (gpus(main.limits) > 0 or gpus(main.requests) > 0)
    return bool(_GPU_TEXT.search(words)) or (asked and "Insufficient" not in words)


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


def unschedulable_gpu(case: Case) -> Answer:
    """Pods that wait for GPUs, a MIG profile or a toleration for GPU nodes."""
    waiting = [(p, w, s) for p, w, s in _waiting(case) if _wants_gpu(p, w)]
    standalone = (
        case.hits("no-resources", roles=("driver",))
        if (case.hits("gpu-limits-cores", roles=("driver",)) or _asks_gpu(case))
        else []
    )
    if not waiting and not (standalone and not case.pods):
        return "no pod waits for a GPU"
    words = waiting[-1][1] if waiting else ""
    found = _GPU_TEXT.search(words)
    resource = found.group(1).rstrip(".,") if found else ""
    if not resource and waiting:
        main = waiting[-1][0].main
        resource = next(
            (k for k in (main.limits if main is not None else {}) if k.startswith("nvidia.com/")), "nvidia.com/gpu"
        )
    allocatable = sum(n.allocatable.get(resource, 0.0) for n in case.world.facts.nodes)
    nodes_known = bool(case.world.facts.nodes)
    if not waiting:
        why = "no worker offers the GPU that executors ask for"
    elif nodes_known and allocatable == 0:
        why = f"no node offers {resource}"
    elif "taint" in words and not found:
        why = "the taint of the GPU nodes is not tolerated"
    else:
        why = f"every {resource or 'GPU'} is taken"
    questions = [
        "busy, gone or not asked for rightly: allocatable against requested GPUs per node, the pod's tolerations, "
        "its resource name",
    ]
    if not nodes_known and waiting:
        questions.insert(0, "whether any node offers it: allocatable of the nodes is not among the evidence")
    proof = [of_pod(p, f"Pending, PodScheduled=False: {w}") for p, w, _ in waiting[:3]]
    return [
        finding(
            case,
            "unschedulable-gpu",
            "I15",
            "critical" if case.app.running_executors == 0 else "warning",
            "high" if waiting else "medium",
            f"{len(waiting)} pods wait for a GPU: {why}" if waiting else f"executors never came: {why}",
            since=min((s for _, _, s in waiting if s is not None), default=None),
            detail=words or "the application asks for GPUs and gets no executors",
            evidence=[
                *proof,
                *[
                    of_hit(h)
                    for h in (
                        *case.hits("gpu-limits-cores", roles=("driver",))[:1],
                        *case.hits("too-big")[:1],
                        *standalone[:1],
                    )
                ],
            ],
            ruled_out=[("I14", "what is missing is the GPU, not CPU or memory")],
            questions=questions,
            data={
                "resource": resource,
                "allocatable": allocatable if nodes_known else None,
                "pods": [p.name for p, _, _ in waiting],
            },
        )
    ]


def refused(case: Case) -> Answer:
    """The API refused what the application asked for: quota, rights, limit ranges, Pod Security."""
    out: list[Finding] = []
    texts: list[tuple[str, Evidence]] = [
        (h.record.body + " " + h.text, of_hit(h))
        for h in case.hits(
            "quota",
            "forbidden",
            "limit-range",
            "pod-security",
            "no-account",
            roles=("driver", "submit", "operator", "other"),
        )
    ]
    texts += [(e.message, of_event(e)) for e in case.events if e.type == "Warning" and "forbidden" in e.message.lower()]
    if case.app.message and any(w in case.app.message for w in ("forbidden", "exceeded quota", "failed quota")):
        cr = case.group.cr if case.group is not None else None
        texts.append(
            (
                case.app.message,
                of_workload(cr, case.app.message)
                if cr is not None
                else of_rest(case.rest.origin(""), case.app.message),
            )
        )
    quota = [(t, e) for t, e in texts if "exceeded quota:" in t or "failed quota:" in t]
    limit = [(t, e) for t, e in texts if re.search(r"(maximum|minimum) \w+ usage per", t)]
    security = [(t, e) for t, e in texts if "violates PodSecurity" in t]
    account = [(t, e) for t, e in texts if any(w in t for w in WORDINGS["no-account"]) and "quota" not in t]
    rights = [(t, e) for t, e in texts if _FORBIDDEN.search(t) and "exceeded quota" not in t]
    if quota:
        found = _QUOTA.search(quota[0][0])
        unspecified = _UNSPECIFIED.search(quota[0][0])
        name = found.group(1) if found else unspecified.group(1) if unspecified else "?"
        out.append(
            finding(
                case,
                "quota-exceeded",
                "I16",
                severity_of(case),
                "high",
                f"quota {name} refuses new pods"
                + (f": used {found.group(3)}, limited {found.group(4).rstrip('.')}" if found else ""),
                detail=f"requested {found.group(2)}"
                if found
                else f"the quota asks for a {unspecified.group(2)} that the pod does not state"
                if unspecified
                else "exceeded quota",
                evidence=[e for _, e in quota[:3]],
                ruled_out=[("I14", "the API refused the pod: it never reached the scheduler")],
                questions=[
                    "what holds the quota: finished pods count for object counts, running drivers for CPU and memory"
                ],
                data={"quota": name},
            )
        )
    if limit:
        out.append(_refusal(case, "limit-range", "a LimitRange refuses the pod's size", limit))
    if security:
        out.append(_refusal(case, "pod-security", "Pod Security refuses the pod", security))
    if account and not rights and not limit:
        out.append(_refusal(case, "account-refused", "the service account does not exist or is not accepted", account))
    if rights:
        found = _FORBIDDEN.search(rights[0][0])
        who = (
            f"{found.group(1)} may not {found.group(2)} {found.group(3)}"
            if found
            else "the service account lacks rights"
        )
        out.append(
            finding(
                case,
                "rbac-denied",
                "I16",
                severity_of(case, fatal=True),
                "high",
                f"refused by RBAC: {who}",
                subject=case.driver_subject if case.driver is not None else "",
                detail="the service account of the driver lacks a right that Spark needs",
                evidence=[e for _, e in rights[:3]],
                ruled_out=[("user code", "the API answered 403 before any user code ran")],
                data={
                    "account": found.group(1) if found else "",
                    "verb": found.group(2) if found else "",
                    "resource": found.group(3) if found else "",
                },
            )
        )
    return out or "the API refused nothing"


def _refusal(case: Case, code: str, title: str, texts: list[tuple[str, Evidence]]) -> Finding:
    """A refusal of the API that says itself what it is."""
    return finding(case, code, "I16", severity_of(case), "high", title, evidence=[e for _, e in texts[:3]])


def starving_drivers(world: World) -> Answer:
    """Several drivers run, none has executors, and their executors wait: drivers hold what executors need."""
    by_space: dict[str, list[Case]] = {}
    for case in world.cases:
        driver = case.driver
        if not case.app.live or driver is None or driver.phase != "Running" or case.app.running_executors:
            continue
        waiting = _waiting(case)
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
    Rule("quota-exceeded", "I16", refused, after=("quota-full",)),
    Rule(
        "unschedulable",
        "I14",
        unschedulable,
        after=("pvc-pending", "claim-not-ready", "driver-deadlock", "node-not-ready"),
    ),
    Rule("unschedulable-gpu", "I15", unschedulable_gpu, after=("gpu-gone",)),
    WorldRule("driver-deadlock", "I14", starving_drivers),
]
