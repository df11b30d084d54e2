"""The attempts of an application: the pods that share an application id, in order."""

from __future__ import annotations

from dataclasses import dataclass

from console.apps import deaths
from console.apps.counting import numbered, unnamed
from console.apps.groups import SELECTOR, Group
from console.apps.model import Attempt, SparkApp
from console.facts.counted import CountedAttempts
from console.facts.indexes import EventIndex
from console.facts.model import Pod, RestDocument


@dataclass(frozen=True)
class AttemptPods:
    """One attempt: the pods that share an application id.

    Attributes:
        first: when its first pod was made.
        stop: when its driver ended or was asked to; None while it runs or where that is not known.
        over: whether it will do no more work.
    """

    app_id: str
    number: int
    driver: Pod | None
    first: float | None
    stop: float | None
    over: bool


def runs_of(group: Group, known: CountedAttempts | None = None) -> tuple[list[AttemptPods], CountedAttempts]:
    """The attempts in order, and the count that they have. A driver without an application id is one of its own.

    Args:
        known: the count as it was shown last; numbers that were given stay, and none is given twice.
    """
    ordered = sorted(_first_seen(group).items(), key=lambda item: (item[1][1], item[0]))
    ids = [app_id for app_id, _ in ordered]
    ends: list[tuple[bool, float | None]] = []
    for index, (_, (driver, _)) in enumerate(ordered):
        over, stop = index < len(ordered) - 1, None
        if driver is not None:
            over = over or deaths.over(driver) or driver.deleted is not None
            stop = min((t for t in (driver.deleted, deaths.ended_at(driver)) if t is not None), default=None)
        ends.append((over, stop))
    numbers, count = numbered(group, ids, known, ended=bool(ends) and ends[-1][0])
    return [
        AttemptPods("" if unnamed(app_id) else app_id, number, driver, created or None, stop, over)
        for (app_id, (driver, created)), number, (over, stop) in zip(ordered, numbers, ends, strict=True)
    ], count


def of_present(docs: list[RestDocument], runs: list[AttemptPods], count: CountedAttempts) -> list[RestDocument]:
    """The REST answers without those of former attempts: they stay for a while, and count what the present one has not
    done."""
    if not runs:
        return docs
    former = {run.app_id for run in runs[:-1]} | {
        app_id for app_id, at in count.numbers.items() if at < runs[-1].number
    }
    return [doc for doc in docs if not doc.app_id or doc.app_id == runs[-1].app_id or doc.app_id not in former]


def _first_seen(group: Group) -> dict[str, tuple[Pod | None, float]]:
    """Application id, or `#` and a number → (the driver, when it or its first executor was made; 0 if unknown)."""
    seen: dict[str, tuple[Pod | None, float]] = {}
    for index, pod in enumerate(group.drivers):
        seen[pod.labels.get(SELECTOR, "") or f"#{index}"] = (pod, pod.created or 0.0)
    for pod in group.executors:
        selector = pod.labels.get(SELECTOR, "")
        if selector:
            old = seen.get(selector)
            if old is None or (old[0] is None and (pod.created or 0.0) < old[1]):
                seen[selector] = (None, pod.created or 0.0)
    return seen


def attempts_of(runs: list[AttemptPods], events: EventIndex) -> tuple[Attempt, ...]:
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


def attempt_of(app: SparkApp, pod: Pod) -> tuple[int, str, bool]:
    """(number, application id, whether that is the present attempt) of the attempt a pod belongs to."""
    selector = pod.labels.get(SELECTOR, "")
    found = next((a for a in app.attempts if a.app_id and a.app_id == selector), None)
    number = found.number if found is not None else app.attempt
    return number, selector, number == app.attempt
