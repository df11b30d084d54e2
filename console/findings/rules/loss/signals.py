"""Executors and drivers that a signal, a deletion or a deadline ended: the ends that look like memory and are not."""

from __future__ import annotations

from collections.abc import Collection

from console.apps import deaths
from console.apps.evidence import of_event, of_hit, of_pod
from console.findings.case import Case
from console.findings.figures.loss import NativeCrashFigures
from console.findings.lost.victims import Victim, count_of, executor_of, nodes_of
from console.findings.memory.figures import memory_figures
from console.findings.model import Confidence, Finding
from console.findings.rule import Answer, Rule, finding, severity_of
from console.findings.rules.loss.words import shaky_nodes, tells
from console.findings.simple import DeathRule


def executor_sigterm(case: Case) -> Answer:
    """SIGTERM that neither Spark nor an object in the cluster explains."""
    hit = [v for v in case.victims if v.kind == "sigterm"]
    own = {executor_of(case.app, h): h for h in case.hits("sigterm", roles=("executor",))}
    if not hit:
        return "no executor ended with 143 before the application stopped"
    told = [of_hit(own[v.executor]) for v in hit if v.executor in own]
    figures = memory_figures(case, "executor", hit, "sigterm")
    nodes = shaky_nodes(case.world, {v.node for v in hit})
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
            severity_of(case, current=figures.current),
            confidence,
            f"{count_of(hit)} ended by SIGTERM (143) from outside while the application ran",
            detail="someone asked it to stop: deletion, drain, preemption or scale-down end like this",
            evidence=[*(e for v in hit[-3:] for e in v.evidence), *told[:2], *nodes],
            ruled_out=[
                ("I01", "exit code 143 is SIGTERM; the kernel's OOM killer sends SIGKILL (137)"),
                ("I02", "the JVM did not end itself with 52"),
            ],
            questions=questions,
            data=figures,
        )
    ]


def executor_killed(case: Case) -> Answer:
    """SIGKILL (137) without OOMKilled: no proof of memory."""
    hit = [v for v in case.victims if v.kind == "sigkill"]
    if not hit:
        return "no executor ended with 137 but without OOMKilled"
    figures = memory_figures(case, "executor", hit, "sigkill")
    node_oom = [
        of_event(e)
        for v in hit
        for e in case.world.events(f"Node//{v.node}")
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
            severity_of(case, current=figures.current),
            confidence,
            f"{count_of(hit)} killed (137) without OOMKilled",
            detail=words,
            evidence=[*(e for v in hit[-3:] for e in v.evidence), *node_oom[:2]],
            ruled_out=[("I01", "no source gives the reason OOMKilled, and 137 alone is not out of memory")],
            questions=questions,
            data=figures,
        )
    ]


def _near(a: float | None, b: float | None, seconds: float) -> bool:
    return a is None or b is None or abs(a - b) <= seconds


def executor_deleted(case: Case) -> Answer:
    """Executors that someone deleted."""
    hit = [v for v in case.victims if v.kind == "deleted"]
    if not hit:
        return "no executor was deleted while the application ran"
    said = case.hits("deleted-by-user", roles=("driver",))
    if not said and _scales_down(case):
        return "executors were removed, and dynamic allocation does that"
    figures = memory_figures(case, "executor", hit, "deleted")
    nodes = set(nodes_of(hit))
    shaky = shaky_nodes(case.world, nodes)
    told = bool(said) or any(v.pod is not None and v.pod.deleted for v in hit)
    others = _deleted_on(case, nodes)
    return [
        finding(
            case,
            "executor-deleted",
            None,
            "info" if case.succeeded or not figures.current else "warning",
            "low" if shaky else "high" if told else "medium",
            f"{count_of(hit)} deleted while the application ran",
            detail="deleted through the API, by a person or a controller; Spark asks for a new one by itself"
            + (f" ({others} pods of its node were deleted)" if others > len(hit) else ""),
            evidence=[*(e for v in hit[-3:] for e in v.evidence), *[of_hit(h) for h in said[:2]], *shaky],
            ruled_out=[
                ("I01", "the container's reason is not OOMKilled; its deletion was asked for first"),
                ("I06", "no eviction, preemption or drain is on the pod (no DisruptionTarget, no such event)"),
            ],
            questions=[
                "its node is being drained: was it a person or the drain? (DisruptionTarget, taints, other pods of the "
                "node)"
            ]
            if shaky
            else [],
            data=figures,
        )
    ]


def _scales_down(case: Case) -> bool:
    """Whether the application removes executors by itself."""
    allocates = case.app.conf.get("spark.dynamicAllocation.enabled", "").lower() == "true"
    return allocates or bool(case.hits("killed-by-driver"))


def _deleted_on(case: Case, nodes: Collection[str]) -> int:
    """How many pods of these nodes were deleted, whosever they are."""
    return sum(len(case.world.leaving(node)) for node in sorted(nodes))


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
        if case.changes.cause_of(killed.kind, killed.at, pod) is not None:
            continue
        victim = Victim(
            "driver",
            killed.kind,
            killed.words,
            killed.at,
            killed.exit_code,
            killed.reason,
            pod,
            number,
            current=current,
            node=pod.node,
        )
        figures = memory_figures(case, "driver", [victim], killed.kind)
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
                evidence=[of_pod(pod), *[of_event(e) for e in case.events_of(pod.key) if tells(e)][:2]],
                ruled_out=[("I04", "the container's reason is not OOMKilled")],
                questions=[]
                if killed.kind in ("deleted", "deadline")
                else [
                    "the container's reason and the node's events: out of memory on the node, forced deletion or drain"
                ],
                data=figures,
            )
        )
    return out or "no driver was deleted, killed from outside or ended by a deadline"


def ended_by_console(case: Case) -> Answer:
    """What a change by Console ended: told as that, not as a loss of the application."""
    return _ended_by(case, "ended-by-console", "a change that Console made", ours=True)


def ended_by_change(case: Case) -> Answer:
    """What ended because somebody changed the application, and it was begun anew."""
    return _ended_by(case, "ended-by-change", "a change of the application", ours=False)


def _ended_by(case: Case, code: str, what: str, *, ours: bool) -> Answer:
    causes = [(v, c) for v in case.ended_by_change if (c := case.changes.cause_of(v.kind, v.at, v.pod)) is not None]
    lost = [victim for victim, change in causes if change.ours is ours]
    if not lost:
        return f"no executor was ended by {what}"
    made = list({change.words: change for _, change in causes if change.ours is ours}.values())
    return [
        finding(
            case,
            code,
            None,
            "info",
            "high",
            f"{count_of(lost)} ended by {what}",
            detail=f"{made[-1].words}; they do not count as losses of the application",
            evidence=[*[change.evidence for change in made[-2:]], *(e for v in lost[-2:] for e in v.evidence)],
            ruled_out=[("I06", "they ended with the restart that the change asked for, nobody else ended them")],
            data=memory_figures(case, "executor", lost, lost[-1].kind),
        )
    ]


DEADLINE = DeathRule(
    code="pod-deadline",
    class_=None,
    kinds=("deadline",),
    holds_not="no executor ended at a deadline",
    title="{who} ended at activeDeadlineSeconds",
    detail="{words}",
    confidence="high",
    ruled_out=(("I01", "the pod's reason is DeadlineExceeded; 137 is only how it was stopped"),),
    figures=lambda case, lost: memory_figures(case, "executor", lost, "deadline"),
)

NATIVE_CRASH = DeathRule(
    code="executor-native-crash",
    class_=None,
    kinds=("native-crash",),
    holds_not="no executor ended with 134 or 139",
    title="{who} crashed in native code ({exit_code})",
    detail="abort or segmentation fault in native code: a native library, Arrow, JNI, CUDA",
    confidence="medium",
    ruled_out=(
        ("I01", "the kernel did not kill it for memory"),
        ("I12", "the JVM died, not a Python worker"),
    ),
    questions=("the hs_err_pid file or the frames in the executor's log: which library crashed",),
    figures=lambda _, lost: NativeCrashFigures(exit_code=lost[-1].exit_code, nodes=nodes_of(lost)),
    after=("gpu-fatal",),
)


RULES = [
    Rule("executor-sigterm", "I06", executor_sigterm, after=("node-not-ready",)),
    Rule("executor-killed", None, executor_killed),
    Rule("executor-deleted", None, executor_deleted),
    Rule("driver-deleted", None, driver_ended),
    Rule("ended-by-console", None, ended_by_console),
    Rule("ended-by-change", None, ended_by_change),
    DEADLINE,
    NATIVE_CRASH,
]
