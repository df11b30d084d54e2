"""Executors and drivers that were lost from outside: eviction, preemption, drain, node loss (I06), missed heartbeats
(I07), and the ends that look like memory and are not: SIGTERM, SIGKILL, deletion, deadline, native crash."""

from __future__ import annotations

from collections.abc import Sequence

from console.health import deaths
from console.health.case import Case, World
from console.health.evidence import of_event, of_hit, of_node, of_pod, of_rest
from console.health.facts import Event, Node, Pod
from console.health.figures import memory_figures
from console.health.model import Confidence, Evidence, Finding, Severity
from console.health.rule import Answer, Rule, WorldRule, finding, severity_of
from console.health.victims import Victim, executor_of

UNSAID = "evicted by the kubelet"
"""The words of an eviction whose message is not known."""
OUTSIDE = ("evicted", "preempted", "drained", "node-lost")
_TITLES = {
    "evicted": "evicted by the kubelet",
    "preempted": "preempted for pods of higher priority",
    "drained": "lost to a drain, taint or shutdown of its node",
    "node-lost": "lost with its node",
    "disk-limit": "evicted for local storage",
}


def _kinds(victims: Sequence[Victim]) -> str:
    seen = list(dict.fromkeys(v.kind for v in victims))
    return ", ".join(_TITLES.get(k, k) for k in seen)


def _count(victims: Sequence[Victim]) -> str:
    return (
        f"executor {victims[0].executor}" if len(victims) == 1 and victims[0].executor else f"{len(victims)} executors"
    )


def executor_evicted(case: Case) -> Answer:
    """Executors that Kubernetes ended: eviction, preemption, drain, node loss; or for local storage (I08)."""
    out: list[Finding] = []
    for kinds, class_ in ((OUTSIDE, "I06"), (("disk-limit",), "I08")):
        lost = [v for v in case.victims if v.kind in kinds]
        if not lost:
            continue
        data = memory_figures(case, "executor", lost, lost[-1].kind)
        nodes = sorted({v.node for v in lost if v.node})
        events = [e for v in lost[-3:] if v.pod is not None for e in case.events_of(v.pod.key) if _tells(e)]
        detail = f"{lost[-1].words}" + (f"; node {', '.join(nodes[:3])}" if nodes else "")
        ruled = [("I01", "the kubelet or the scheduler ended the pod; its container's reason is not OOMKilled")]
        if class_ == "I08":
            ruled.append(("I06", "the reason that the kubelet gives is local storage, not the node or priority"))
        proof = any(v.pod is not None for v in lost)
        silent = class_ == "I06" and all(v.kind == "evicted" and v.words == UNSAID for v in lost)
        out.append(
            finding(
                case,
                "executor-evicted",
                class_,
                _lost_severity(case, data["current"]),
                "high" if proof and not silent else "medium",
                f"{_count(lost)} {_kinds(lost)}",
                detail=detail,
                evidence=[*(e for v in lost[-3:] for e in v.evidence), *[of_event(e) for e in events[:2]]],
                ruled_out=ruled,
                questions=[]
                if class_ == "I08"
                else [
                    *(["what the kubelet evicted it for: memory, or local storage (I08)"] if silent else []),
                    "whether the node itself was in trouble: its conditions and events around that time",
                ],
                runbooks=("spark-oom",) if class_ == "I06" else (),
                data=data,
            )
        )
    return out or "no executor was evicted, preempted, drained or lost with its node"


def _tells(event: Event) -> bool:
    return event.type == "Warning" or event.reason in ("Preempted", "TaintManagerEviction", "Killing")


def _lost_severity(case: Case, current: bool) -> Severity:
    level = severity_of(case, current=current)
    return level


def driver_evicted(case: Case) -> Answer:
    """The driver's pod was ended by Kubernetes: the whole application with it."""
    out: list[Finding] = []
    for pod in case.drivers:
        killed = deaths.death(pod, events=case.events_of(pod.key))
        if killed is None or killed.kind not in (*OUTSIDE, "disk-limit"):
            continue
        number, _, current = case.attempt_of(pod)
        class_ = "I08" if killed.kind == "disk-limit" else "I06"
        silent = killed.kind == "evicted" and killed.words == UNSAID
        victim = Victim("driver", killed.kind, killed.words, killed.at, killed.exit_code, killed.reason, pod, number)
        data = memory_figures(case, "driver", [victim], killed.kind)
        data["current"] = current
        out.append(
            finding(
                case,
                "driver-evicted",
                class_,
                severity_of(case, current=current, fatal=True),
                "medium" if silent else "high",
                f"driver {_TITLES[killed.kind]}: the whole application was lost",
                subject=pod.key,
                detail=killed.words,
                evidence=[of_pod(pod), *[of_event(e) for e in case.events_of(pod.key) if _tells(e)][:2]],
                questions=["what the kubelet evicted it for: memory, or local storage (I08)"] if silent else [],
                ruled_out=[("I04", "the kubelet or the scheduler ended the pod; its reason is not OOMKilled")],
                runbooks=("spark-oom",) if class_ == "I06" else (),
                data=data,
            )
        )
    return out or "no driver was evicted, preempted, drained or lost with its node"


def executor_sigterm(case: Case) -> Answer:
    """SIGTERM that neither Spark nor an object in the cluster explains."""
    hit = [v for v in case.victims if v.kind == "sigterm"]
    own = {executor_of(case, h): h for h in case.hits("sigterm", roles=("executor",))}
    if not hit:
        return "no executor ended with 143 before the application stopped"
    told = [of_hit(own[v.executor]) for v in hit if v.executor in own]
    data = memory_figures(case, "executor", hit, "sigterm")
    nodes = _shaky_nodes(case.world, {v.node for v in hit})
    confidence: Confidence = "medium" if told or any(v.pod is not None for v in hit) else "low"
    questions = [
        "who sent the signal: the DELETED watch event, the DisruptionTarget condition and the Killing event of the pod",
        "whether its node was drained, shut down or interrupted (spot): the node's taints, conditions and events",
    ]
    return [
        finding(
            case,
            "executor-sigterm",
            "I06",
            _lost_severity(case, data["current"]),
            confidence,
            f"{_count(hit)} ended by SIGTERM (143) from outside while the application ran",
            detail="someone asked it to stop: deletion, drain, preemption or scale-down end like this",
            evidence=[*(e for v in hit[-3:] for e in v.evidence), *told[:2], *nodes],
            ruled_out=[
                ("I01", "exit code 143 is SIGTERM; the kernel's OOM killer sends SIGKILL (137)"),
                ("I02", "the JVM did not end itself with 52"),
            ],
            questions=questions,
            runbooks=("spark-oom",),
            data=data,
        )
    ]


def executor_killed(case: Case) -> Answer:
    """SIGKILL (137) without OOMKilled: no proof of memory."""
    hit = [v for v in case.victims if v.kind == "sigkill"]
    if not hit:
        return "no executor ended with 137 but without OOMKilled"
    data = memory_figures(case, "executor", hit, "sigkill")
    node_oom = [
        of_event(e)
        for v in hit
        for e in case.world.events.get(f"Node//{v.node}", [])
        if e.reason in ("SystemOOM", "OOMKilling") and _near(e.last, v.at, 120)
    ]
    questions = [
        "the container's state.terminated.reason: OOMKilled would make it I01",
        "whether the node ran out of memory: SystemOOM events and `Out of memory: Killed process` in its kernel log",
        "whether it was deleted and did not stop within its grace period",
    ]
    words = "the kernel or a person killed it; 137 alone does not say who"
    confidence: Confidence = "medium"
    if node_oom:
        words, confidence = (
            "its node ran out of memory: the kernel chose this process, not its container's limit",
            "high",
        )
        questions = questions[:1]
    return [
        finding(
            case,
            "executor-killed",
            None,
            _lost_severity(case, data["current"]),
            confidence,
            f"{_count(hit)} killed (137) without OOMKilled",
            detail=words,
            evidence=[*(e for v in hit[-3:] for e in v.evidence), *node_oom[:2]],
            ruled_out=[("I01", "no source gives the reason OOMKilled, and 137 alone is not out of memory")],
            questions=questions,
            runbooks=("spark-oom",),
            data=data,
        )
    ]


def _near(a: float | None, b: float | None, seconds: float) -> bool:
    return a is None or b is None or abs(a - b) <= seconds


def executor_deleted(case: Case) -> Answer:
    """Executors that someone deleted."""
    hit = [v for v in case.victims if v.kind == "deleted"]
    if not hit:
        return "no executor was deleted while the application ran"
    scaled = case.app.conf.get("spark.dynamicAllocation.enabled", "").lower() == "true" or case.hits("killed-by-driver")
    said = case.hits("deleted-by-user", roles=("driver",))
    if scaled and not said:
        return "executors were removed, and dynamic allocation does that"
    data = memory_figures(case, "executor", hit, "deleted")
    shaky = _shaky_nodes(case.world, {v.node for v in hit if v.node})
    nodes = {v.node for v in hit if v.node}
    whole = [p for p in case.world.facts.pods if p.node in nodes and p.deleted is not None]
    confidence: Confidence = "high" if said or any(v.pod is not None and v.pod.deleted for v in hit) else "medium"
    questions = []
    if shaky:
        confidence = "low"
        questions.append(
            "its node is being drained: was it a person or the drain? (DisruptionTarget, taints, other pods of the "
            "node)"
        )
    return [
        finding(
            case,
            "executor-deleted",
            None,
            "info" if case.succeeded or not data["current"] else "warning",
            confidence,
            f"{_count(hit)} deleted while the application ran",
            detail="deleted through the API, by a person or a controller; Spark asks for a new one by itself"
            + (f" ({len(whole)} pods of its node were deleted)" if len(whole) > len(hit) else ""),
            evidence=[*(e for v in hit[-3:] for e in v.evidence), *[of_hit(h) for h in said[:2]], *shaky],
            ruled_out=[
                ("I01", "the container's reason is not OOMKilled; its deletion was asked for first"),
                ("I06", "no eviction, preemption or drain is on the pod (no DisruptionTarget, no such event)"),
            ],
            questions=questions,
            runbooks=("spark-oom",),
            data=data,
        )
    ]


def _shaky_nodes(world: World, names: set[str]) -> list[Evidence]:
    out = []
    for name in sorted(names):
        node = world.nodes.get(name)
        if node is not None and (node.unschedulable or _not_ready(node)):
            out.append(of_node(node, f"node {name} is " + ("cordoned" if node.unschedulable else "not ready")))
    return out


def _not_ready(node: Node) -> bool:
    ready = node.condition("Ready")
    return ready is not None and ready.status != "True"


def driver_ended(case: Case) -> Answer:
    """Drivers that were deleted, killed or timed out, which their exit code alone does not tell."""
    out: list[Finding] = []
    for pod in case.drivers:
        killed = deaths.death(pod, events=case.events_of(pod.key))
        if killed is None or killed.kind not in ("deleted", "deadline", "sigkill", "sigterm"):
            continue
        number, _, current = case.attempt_of(pod)
        code = {"deleted": "driver-deleted", "deadline": "pod-deadline"}.get(killed.kind, "driver-killed")
        if killed.kind == "deleted" and (case.app.attempt > number or case.app.state == "INVALIDATING"):
            continue
        victim = Victim("driver", killed.kind, killed.words, killed.at, killed.exit_code, killed.reason, pod, number)
        data = memory_figures(case, "driver", [victim], killed.kind)
        data["current"] = current
        title = {
            "deleted": "driver deleted while it ran",
            "deadline": "driver ended at its deadline (activeDeadlineSeconds)",
            "sigkill": "driver killed (137) without OOMKilled",
            "sigterm": "driver ended by SIGTERM (143) from outside",
        }[killed.kind]
        out.append(
            finding(
                case,
                code,
                "I06" if killed.kind == "sigterm" else None,
                severity_of(case, current=current, fatal=killed.kind != "deleted")
                if killed.kind != "deleted"
                else "warning",
                "high" if killed.kind in ("deleted", "deadline") else "low",
                title,
                subject=pod.key,
                detail=killed.words,
                evidence=[of_pod(pod), *[of_event(e) for e in case.events_of(pod.key) if _tells(e)][:2]],
                ruled_out=[("I04", "the container's reason is not OOMKilled")],
                questions=[]
                if killed.kind in ("deleted", "deadline")
                else [
                    "the container's reason and the node's events: out of memory on the node, forced deletion or drain"
                ],
                data=data,
            )
        )
    return out or "no driver was deleted, killed from outside or ended by a deadline"


def executor_deadline(case: Case) -> Answer:
    """Executors that ended at activeDeadlineSeconds."""
    hit = [v for v in case.victims if v.kind == "deadline"]
    if not hit:
        return "no executor ended at a deadline"
    return [
        finding(
            case,
            "pod-deadline",
            None,
            severity_of(case),
            "high",
            f"{_count(hit)} ended at activeDeadlineSeconds",
            detail=hit[-1].words,
            evidence=[e for v in hit[-3:] for e in v.evidence],
            ruled_out=[("I01", "the pod's reason is DeadlineExceeded; 137 is only how it was stopped")],
            data=memory_figures(case, "executor", hit, "deadline"),
        )
    ]


def heartbeat(case: Case) -> Answer:
    """Executors that the driver removed because no heartbeat came."""
    lost = [v for v in case.victims if v.kind == "heartbeat"]
    hits = case.hits("heartbeat", roles=("driver",))
    own = case.hits("heartbeat-failure", roles=("executor",))
    if not lost and not hits and not own:
        return "no executor was removed for missing heartbeats"
    dead = {v.executor for v in case.victims if v.kind not in ("heartbeat", "unknown")}
    if hits and not lost and not own and all(any(f"executor {x} " in h.text for x in dead) for h in hits):
        return "the executors whose heartbeats were missed had died of something else"
    times = sorted(v.at for v in lost if v.at is not None)
    together = len(times) > 1 and times[-1] - times[0] < 5 and len(lost) >= max(2, len(case.app.executors) - 1)
    questions = [
        "what held the executor: its GC log or jvmGcTime (I03), CPU throttling "
        "(container_cpu_cfs_throttled_periods_total), "
        "its node (Ready condition), the network"
    ]
    if together:
        questions.insert(
            0, "whether the driver itself stood still: all executors were removed at once (driver heap, event loop)"
        )
    nodes = _shaky_nodes(case.world, {v.node for v in lost})
    proof = [of_hit(h) for h in (*hits[:2], *own[:1])]
    return [
        finding(
            case,
            "executor-heartbeat",
            "I07",
            severity_of(case),
            "high" if hits or own else "medium",
            f"{_count(lost) if lost else 'executors'} removed: no heartbeat within the timeout",
            detail="all at once: look at the driver first"
            if together
            else "the executor stood still or could not reach the driver",
            evidence=[*proof, *(e for v in lost[-2:] for e in v.evidence), *nodes],
            ruled_out=[("I01", "its container was not OOMKilled before the driver gave it up")],
            questions=questions,
            data={
                "executors": [v.executor for v in lost],
                "together": together,
                "nodes": sorted({v.node for v in lost if v.node}),
            },
        )
    ]


def node_not_ready(world: World) -> Answer:
    """Nodes with Spark pods that are not ready or under pressure."""
    out: list[Finding] = []
    for name, node in world.nodes.items():
        ready = node.condition("Ready")
        if ready is None or ready.status == "True":
            continue
        used = world.on_node(name)
        lost = [p for p in world.troubled if p.node == name and p.reason in ("NodeLost", "NodeUnreachable")]
        if not used and not lost:
            continue
        out.append(
            finding(
                None,
                "node-not-ready",
                "I06",
                "critical",
                "high",
                f"node {name} is not ready ({ready.reason or ready.status}) with {len(used)} Spark pods on it",
                subject=node.key,
                since=ready.since,
                detail=ready.message,
                evidence=[
                    of_node(node, f"Ready={ready.status} {ready.reason}: {ready.message}"),
                    *[
                        of_event(e)
                        for e in world.events.get(node.key, [])
                        if e.type == "Warning" or "NotReady" in e.reason
                    ][:2],
                ],
                questions=["whether it comes back: the kubelet's log, the cloud's view of the machine"],
                data={"node": name, "pods": [p.key for p in used[:200]]},
            )
        )
    return out or "every node that carries Spark pods is ready"


def native_crash(case: Case) -> Answer:
    """Executors that died in native code."""
    hit = [v for v in case.victims if v.kind == "native-crash"]
    if not hit:
        return "no executor ended with 134 or 139"
    return [
        finding(
            case,
            "executor-native-crash",
            None,
            severity_of(case),
            "medium",
            f"{_count(hit)} crashed in native code ({hit[-1].exit_code})",
            detail="abort or segmentation fault in native code: a native library, Arrow, JNI, CUDA",
            evidence=[e for v in hit[-3:] for e in v.evidence],
            ruled_out=[("I01", "the kernel did not kill it for memory"), ("I12", "the JVM died, not a Python worker")],
            questions=["the hs_err_pid file or the frames in the executor's log: which library crashed"],
            data={"exit_code": hit[-1].exit_code, "nodes": sorted({v.node for v in hit if v.node})},
        )
    ]


def vanished(case: Case) -> Answer:
    """Executors whose pod disappeared and of whose end nothing is known."""
    hit = [v for v in case.victims if v.kind == "vanished"]
    if not hit:
        return "no executor's pod vanished without a word"
    return [
        finding(
            case,
            "executor-vanished",
            "I06",
            severity_of(case),
            "low",
            f"{_count(hit)} vanished: the pod disappeared and how it ended is not known",
            evidence=[e for v in hit[-3:] for e in v.evidence],
            data={"executors": [v.executor for v in hit], "nodes": sorted({v.node for v in hit if v.node})},
            questions=[
                "the pod's last object and events (kept evidence, audit log), its node's conditions at that time"
            ],
        )
    ]


def start_failed(case: Case) -> Answer:
    """Executors that end with 1 or a start error right after they began."""
    hit = [
        v
        for v in case.victims
        if v.kind == "start-error" or (v.kind == "unknown" and v.exit_code == 1 and v.pod is not None and _young(v.pod))
    ]
    if not hit:
        return "no executor failed to start"
    command = [v for v in hit if v.kind == "start-error"]
    refused = case.hits("jvm-start", roles=("executor",))
    return [
        finding(
            case,
            "executor-start-failed",
            None,
            severity_of(case, fatal=len(hit) >= 3),
            "high" if command or refused else "low",
            f"{_count(hit)} failed right after the start (exit code {hit[-1].exit_code})"
            + (": the JVM does not start" if refused else ""),
            detail=refused[0].text if refused else hit[-1].words,
            evidence=[*[of_hit(h) for h in refused[:2]], *(e for v in hit[-3:] for e in v.evidence)],
            questions=[]
            if command or refused
            else ["the executor's own log: can it reach the driver's service, is its configuration accepted?"],
        )
    ]


def _young(pod: Pod) -> bool:
    end = deaths.ending(pod)[1]
    if end is None or end.finished is None or end.started is None:
        return False
    return end.finished - end.started < 60


def max_failures(case: Case) -> Answer:
    """The driver gave up because too many executors failed (exit code 11): a consequence."""
    hits = case.hits("max-failures", roles=("driver",))
    pods = [p for p in case.drivers if (e := deaths.ending(p)[1]) is not None and e.exit_code == 11]
    if not hits and not pods and "ExitCode: 11" not in case.app.message:
        return "the driver did not give up because of failed executors"
    number, _, current = case.attempt_of(pods[-1]) if pods else (case.app.attempt, "", True)
    proof: list[Evidence] = [*[of_hit(h) for h in hits[:2]], *[of_pod(p) for p in pods[-2:]]]
    if not proof:
        proof = (
            [of_rest(case.group.cr.origin, case.app.message)]
            if case.group is not None and case.group.cr is not None
            else []
        )
    return [
        finding(
            case,
            "max-executor-failures",
            None,
            severity_of(case, current=current, fatal=True),
            "high",
            "driver gave up: too many executors failed (exit code 11)",
            subject=pods[-1].key if pods else case.driver_subject,
            detail="a consequence: what the executors died of is the cause",
            evidence=proof,
            questions=[]
            if case.victims
            else ["what the executors died of: their states, their logs, the driver's `Lost executor` lines"],
            data={"attempt": number, "current": current},
        )
    ]


_CAUSES = (
    "executor-oom-container",
    "executor-oom-overhead",
    "executor-oom-python",
    "executor-oom-heap",
    "executor-gc-overhead",
)

RULES = [
    WorldRule("node-not-ready", "I06", node_not_ready),
    Rule("executor-evicted", "I06", executor_evicted, after=("node-not-ready", "node-disk-pressure", "worker-lost")),
    Rule("driver-evicted", "I06", driver_evicted, after=("node-not-ready", "node-disk-pressure")),
    Rule("executor-heartbeat", "I07", heartbeat, after=("node-not-ready", "executor-gc-pressure")),
    Rule("executor-sigterm", "I06", executor_sigterm, after=("node-not-ready",)),
    Rule("executor-killed", None, executor_killed),
    Rule("executor-deleted", None, executor_deleted),
    Rule("driver-deleted", None, driver_ended),
    Rule("pod-deadline", None, executor_deadline),
    Rule("executor-vanished", "I06", vanished, after=("node-not-ready",)),
    Rule("executor-native-crash", None, native_crash, after=("gpu-fatal",)),
    Rule("executor-start-failed", None, start_failed),
    Rule(
        "max-executor-failures",
        None,
        max_failures,
        after=(
            *_CAUSES,
            "executor-evicted",
            "executor-sigterm",
            "executor-killed",
            "quota-exceeded",
            "executor-start-failed",
        ),
    ),
]
