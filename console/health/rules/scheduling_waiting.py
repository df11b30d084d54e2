"""Pods that wait for a node: since when, with which words of the scheduler, and whether for a GPU."""

from __future__ import annotations

import re

from console.health import deaths
from console.health.case import Case
from console.health.facts import Pod
from console.health.members import gpus

PATIENCE = 30.0
"""Seconds that a pod may wait for a node before that is a finding; a new node takes longer, and is asked about."""
GPU_TEXT = re.compile(r"Insufficient (nvidia\.com/\S+|amd\.com/gpu|gpu\.intel\.com/\S+)")


def waiting_pods(case: Case) -> list[tuple[Pod, str, float | None]]:
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


def last_seen(case: Case, pod: Pod) -> float:
    """Until when the pod is known to have waited."""
    times = [e.last for e in case.events_of(pod.key) if e.last]
    if not pod.gone:
        times.append(case.world.now)
    return max(times, default=case.world.now)


def asks_gpu(case: Case) -> bool:
    """Whether the configuration asks for GPUs for executors."""
    conf = case.app.conf
    return conf.get("spark.executor.resource.gpu.amount", "0") not in ("0", "")


def wants_gpu(pod: Pod, words: str) -> bool:
    """Whether a pod waits for a GPU, by the words of the scheduler or by what it asks for."""
    main = pod.main
    asked = main is not None and (gpus(main.limits) > 0 or gpus(main.requests) > 0)
    return bool(GPU_TEXT.search(words)) or (asked and "Insufficient" not in words)
