"""What YuniKorn says of a pod that it does not place: its own events say it; the pod shows nothing."""

from __future__ import annotations

import re

from console.apps.evidence import of_event, of_pod
from console.base.units import human_amount
from console.facts.model import Event, Pod
from console.findings.case import Case
from console.findings.waits.model import Wait
from console.findings.waits.shares import queue_of

_ASKED = r"(map\[[^\]]{0,400}\]|\{[^}]{0,400}\})"
_NOT_IN_QUEUE = re.compile(rf"does not fit in queue '([^']+)' \(requested {_ASKED}, available {_ASKED}\)")
_NOT_OF_USER = re.compile(rf"exceeds the available user quota \(requested {_ASKED}, available {_ASKED}\)")
_TOO_LARGE = re.compile(
    r"queue (\S+) cannot fit application \S+: task group request (.{1,300}?) larger than max queue allocation (.+)"
)
_PART = re.compile(r"([\w./-]{1,80}):(\d{1,18})")
_FITS = ("has become schedulable", "fits in the available user quota")
_ROOM = "an end of one in its queue, another queue (a new submission), or more quota"


def yunikorn_wait(case: Case) -> Wait | None:
    """Why YuniKorn does not place a pod."""
    for pod in [p for p in case.pods if p.phase == "Pending" and not p.node and not p.gone]:
        events = [e for e in case.events_of(pod.key) if e.reporter == "yunikorn" or e.reason == "Informational"]
        for event in reversed(events):
            if any(words in event.message for words in _FITS):
                break
            if (found := _wait(case, pod, event)) is not None:
                return found
    return None


def _wait(case: Case, pod: Pod, event: Event) -> Wait | None:
    fits, user, large = (one.search(event.message) for one in (_NOT_IN_QUEUE, _NOT_OF_USER, _TOO_LARGE))
    queue = fits[1] if fits else large[1] if large else queue_of(pod)
    short: list[tuple[str, float]] = []
    if large is not None:
        lacks = f"it asks for {large[2]}, and the queue may have {large[3]}"
    elif (asked := fits or user) is not None:
        wanted, free = (asked[2], asked[3]) if fits is not None else (asked[1], asked[2])
        short = _short(wanted, free)
        whose = "" if fits is not None else "the quota of its user: "
        lacks = f"{whose}it asks for {wanted}, and {free} is free"
    else:
        return None
    holders = case.world.spark_queue_holders(queue, short[0][0] if short else "", case.app.key) if not large else ()
    first = short[0] if short else None
    more = "".join(f" and {human_amount(n, r)} {r}" for r, n in short[1:])
    users = " of its user's quota" if user else ""
    return Wait(
        keeper="yunikorn",
        queue=queue,
        says=event.message,
        since=event.first or pod.created,
        evidence=(of_event(event), of_pod(pod, "Pending")),
        resource=first[0] + more + users if first else lacks,
        missing=human_amount(first[1], first[0]) if first else "",
        holders=holders,
        never=large is not None,
        helps="a smaller ask or a larger maximum of the queue" if large else _ROOM,
        forbids="deleting placeholder pods (tg-…): they hold the place of a gang",
    )  # fmt: skip


def _short(wanted: str, free: str) -> list[tuple[str, float]]:
    """What of the request is more than what is free, in units of Kubernetes; cores are written in thousandths."""
    have = {name: float(count) for name, count in _PART.findall(free)}
    out = []
    for name, count in _PART.findall(wanted):
        lacking = float(count) - have.get(name, float(count) if name == "pods" else 0.0)
        if lacking > 0:
            out.append(("cpu", lacking / 1000) if name == "vcore" else (name, lacking))
    return out
