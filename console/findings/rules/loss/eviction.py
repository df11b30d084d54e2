"""Executors and drivers that Kubernetes ended: eviction, preemption, drain, node loss (I06), local storage (I08)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.apps import deaths
from console.apps.evidence import of_event, of_pod
from console.base.text import listed
from console.findings.case import Case
from console.findings.lost.victims import Victim, count_of, nodes_of
from console.findings.memory.figures import memory_figures
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, finding, severity_of
from console.findings.rules.loss.words import OUTSIDE, TITLES, kinds_of, tells


def executor_evicted(case: Case) -> Answer:
    """Executors that Kubernetes ended: eviction, preemption, drain, node loss; or for local storage (I08)."""
    outside = [v for v in case.victims if v.kind in OUTSIDE]
    storage = [v for v in case.victims if v.kind == "disk-limit"]
    out = [*([_from_outside(case, outside)] if outside else []), *([_for_storage(case, storage)] if storage else [])]
    return out or "no executor was evicted, preempted, drained or lost with its node"


def _from_outside(case: Case, lost: list[Victim]) -> Finding:
    silent = all(v.kind == "evicted" and v.words == deaths.UNSAID_EVICTION for v in lost)
    questions = ["whether the node itself was in trouble: its conditions and events around that time"]
    if silent:
        questions.insert(0, "what the kubelet evicted it for: memory, or local storage (I08)")
    return _evicted(case, "I06", lost, sure=_has_pod(lost) and not silent, questions=questions)


def _for_storage(case: Case, lost: list[Victim]) -> Finding:
    ruled_out = ("I06", "the reason that the kubelet gives is local storage, not the node or priority")
    return _evicted(case, "I08", lost, sure=_has_pod(lost), ruled_out=[ruled_out])


def _has_pod(lost: Iterable[Victim]) -> bool:
    return any(v.pod is not None for v in lost)


def _evicted(
    case: Case,
    class_: str,
    lost: list[Victim],
    *,
    sure: bool,
    ruled_out: Sequence[tuple[str, str]] = (),
    questions: Sequence[str] = (),
) -> Finding:
    figures = memory_figures(case, "executor", lost, lost[-1].kind)
    nodes = nodes_of(lost)
    events = [e for v in lost[-3:] if v.pod is not None for e in case.events_of(v.pod.key) if tells(e)]
    return finding(
        case,
        "executor-evicted",
        class_,
        "info" if case.succeeded else severity_of(case, current=figures.current),
        "high" if sure else "medium",
        f"{count_of(lost)} {kinds_of(lost)}",
        detail=lost[-1].words + (f"; node {listed(nodes, 3)}" if nodes else ""),
        evidence=[*(e for v in lost[-3:] for e in v.evidence), *[of_event(e) for e in events[:2]]],
        ruled_out=[
            ("I01", "the kubelet or the scheduler ended the pod; its container's reason is not OOMKilled"),
            *ruled_out,
        ],
        questions=questions,
        data=figures,
    )


def driver_evicted(case: Case) -> Answer:
    """The driver's pod was ended by Kubernetes: the whole application with it."""
    out: list[Finding] = []
    for pod in case.drivers:
        killed = deaths.death(pod, events=case.events_of(pod.key))
        if killed is None or killed.kind not in (*OUTSIDE, "disk-limit"):
            continue
        number, _, current = case.attempt_of(pod)
        class_ = "I08" if killed.kind == "disk-limit" else "I06"
        silent = killed.kind == "evicted" and killed.words == deaths.UNSAID_EVICTION
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
                data=memory_figures(case, "driver", [victim], killed.kind),
            )
        )
    return out or "no driver was evicted, preempted, drained or lost with its node"


RULES = [
    Rule("executor-evicted", "I06", executor_evicted, after=("node-not-ready", "node-disk-pressure", "worker-lost")),
    Rule("driver-evicted", "I06", driver_evicted, after=("node-not-ready", "node-disk-pressure")),
]
