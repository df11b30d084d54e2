"""Executors and drivers that Kubernetes ended: eviction, preemption, drain, node loss (I06), local storage (I08)."""

from __future__ import annotations

from console.health import deaths
from console.health.case import Case
from console.health.evidence import of_event, of_pod
from console.health.figures import memory_figures
from console.health.model import Finding
from console.health.rule import Answer, Rule, finding, severity_of
from console.health.rules.loss import OUTSIDE, TITLES, UNSAID, count_of, kinds_of, lost_severity, tells
from console.health.victims import Victim


def executor_evicted(case: Case) -> Answer:
    """Executors that Kubernetes ended: eviction, preemption, drain, node loss; or for local storage (I08)."""
    out: list[Finding] = []
    for kinds, class_ in ((OUTSIDE, "I06"), (("disk-limit",), "I08")):
        lost = [v for v in case.victims if v.kind in kinds]
        if not lost:
            continue
        data = memory_figures(case, "executor", lost, lost[-1].kind)
        nodes = sorted({v.node for v in lost if v.node})
        events = [e for v in lost[-3:] if v.pod is not None for e in case.events_of(v.pod.key) if tells(e)]
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
                lost_severity(case, data["current"]),
                "high" if proof and not silent else "medium",
                f"{count_of(lost)} {kinds_of(lost)}",
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
                f"driver {TITLES[killed.kind]}: the whole application was lost",
                subject=pod.key,
                detail=killed.words,
                evidence=[of_pod(pod), *[of_event(e) for e in case.events_of(pod.key) if tells(e)][:2]],
                questions=["what the kubelet evicted it for: memory, or local storage (I08)"] if silent else [],
                ruled_out=[("I04", "the kubelet or the scheduler ended the pod; its reason is not OOMKilled")],
                runbooks=("spark-oom",) if class_ == "I06" else (),
                data=data,
            )
        )
    return out or "no driver was evicted, preempted, drained or lost with its node"


RULES = [
    Rule("executor-evicted", "I06", executor_evicted, after=("node-not-ready", "node-disk-pressure", "worker-lost")),
    Rule("driver-evicted", "I06", driver_evicted, after=("node-not-ready", "node-disk-pressure")),
]
