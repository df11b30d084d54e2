"""The attempts of an application: the pods that share an application id, in order."""

from __future__ import annotations

from dataclasses import dataclass

from console.health import deaths
from console.health.facts import Pod
from console.health.groups import SELECTOR, Group
from console.health.indexes import EventIndex
from console.health.model import Attempt


def said_attempts(group: Group) -> int:
    """How many attempts the operator counted."""
    said = group.cr.status.get("executionAttempts") if group.cr is not None else None
    return said if isinstance(said, int) else 0


@dataclass(frozen=True)
class Run:
    """One attempt: the pods that share an application id."""

    app_id: str
    number: int
    driver: Pod | None
    first: float | None
    stop: float | None
    over: bool


def runs_of(group: Group) -> list[Run]:
    """The attempts in order. A driver without an application id is an attempt of its own."""
    seen: dict[str, tuple[Pod | None, float]] = {}
    for index, pod in enumerate(group.drivers):
        seen[pod.labels.get(SELECTOR, "") or f"#{index}"] = (pod, pod.created or 0.0)
    for pod in group.executors:
        selector = pod.labels.get(SELECTOR, "")
        if selector:
            old = seen.get(selector)
            if old is None or (old[0] is None and (pod.created or 0.0) < old[1]):
                seen[selector] = (None, pod.created or 0.0)
    if not seen:
        return []
    ordered = sorted(seen.items(), key=lambda item: (item[1][1], item[0]))
    said = group.cr.status.get("executionAttempts") if group.cr is not None else None
    count = max(said if isinstance(said, int) else 0, len(ordered))
    first = count - len(ordered) + 1
    out: list[Run] = []
    for index, (app_id, (driver, created)) in enumerate(ordered):
        last = index == len(ordered) - 1
        stop = None
        over = not last
        if driver is not None:
            over = over or deaths.over(driver) or driver.deleted is not None
            stop = min((t for t in (driver.deleted, deaths.ended_at(driver)) if t is not None), default=None)
        app_id = "" if app_id.startswith("#") else app_id
        out.append(Run(app_id, first + index, driver, created or None, stop, over))
    return out


def attempts_of(runs: list[Run], events: EventIndex) -> tuple[Attempt, ...]:
    """The attempts as they are shown: their state, times and what their driver died of."""
    out: list[Attempt] = []
    for run in runs:
        pod = run.driver
        killed = None
        state, started, ended = ("Unknown" if run.over else "Running"), run.first, None
        if pod is not None:
            killed = deaths.death(pod, events=events.get(f"Pod/{pod.namespace}/{pod.name}", ()))
            state, ended = pod.phase, deaths.ended_at(pod)
            started = pod.started or pod.created
            if killed is not None:
                state = "Succeeded" if killed.kind == "normal" else "Failed"
        out.append(Attempt(run.number, state, app_id=run.app_id, started=started, ended=ended, death=killed))
    return tuple(out)
