"""Pods that wait for a node: since when, with which words of the scheduler, and whether for a GPU."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from console.apps import deaths
from console.apps.members import gpus
from console.facts.model import Event, Pod
from console.findings.case import Case

PATIENCE = 30.0
"""Seconds that a pod may wait for a node before that is a finding; a new node takes longer, and is asked about."""
GPU_TEXT = re.compile(r"Insufficient (nvidia\.com/\S+|amd\.com/gpu|gpu\.intel\.com/\S+)")


class Unplaced(Struct, frozen=True):
    """A pod without a node: the scheduler's words, and since when it waits (epoch seconds)."""

    pod: Pod
    words: str
    since: float | None

    @property
    def wants_gpu(self) -> bool:
        """Whether it waits for a GPU, by the words of the scheduler or by what it asks for."""
        main = self.pod.main
        asked = main is not None and (gpus(main.limits) > 0 or gpus(main.requests) > 0)
        return bool(GPU_TEXT.search(self.words)) or (asked and "Insufficient" not in self.words)


def waiting_pods(case: Case) -> list[Unplaced]:
    """Pods that have no node, with the scheduler's words."""
    return list(each_waiting(case))


def each_waiting(case: Case) -> Iterator[Unplaced]:
    """`waiting_pods`, one after the other."""
    found = (_unplaced(pod, case.events_of(pod.key)) for pod in case.pods if _may_wait(pod))
    return (one for one in found if one is not None)


def _may_wait(pod: Pod) -> bool:
    return not pod.node and pod.phase in ("Pending", "Unknown") and (pod.gone or not deaths.over(pod))


def _unplaced(pod: Pod, events: Sequence[Event]) -> Unplaced | None:
    """What the scheduler says of a pod, by its condition or else by its events; None where it is placed or held back
    by a gate."""
    if any(e.reason == "Scheduled" for e in events):
        return None
    failed = [e for e in events if e.reason == "FailedScheduling" and "skip schedule" not in e.message]
    scheduled = pod.condition("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        if scheduled.reason == "SchedulingGated":
            return None
        words = scheduled.message or (failed[-1].message if failed else "")
        return Unplaced(pod, words, scheduled.since or pod.created)
    return Unplaced(pod, failed[-1].message, failed[0].first or pod.created) if failed else None


def begun(waiting: Sequence[Unplaced]) -> float | None:
    """Since when the first of them waits."""
    return min((w.since for w in waiting if w.since is not None), default=None)


def lasts(case: Case, one: Unplaced, seconds: float) -> bool:
    """Whether a pod is known to have waited so long: until now, or until the last event about one that is gone."""
    if one.since is None:
        return True
    times = [e.last for e in case.events_of(one.pod.key) if e.last]
    if any(time - one.since >= seconds for time in times):
        return True
    return (not one.pod.gone or not times) and case.world.past(one.since + seconds)


def asks_gpu(case: Case) -> bool:
    """Whether the configuration asks for GPUs for executors."""
    conf = case.app.conf
    return conf.get("spark.executor.resource.gpu.amount", "0") not in ("0", "")
