"""The executors of an application from their pods, and what they say together: requests, limit, heap, how many run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct

from console.apps.attempts import AttemptPods
from console.apps.groups import SELECTOR
from console.apps.members import heap_of, member_of, share_of
from console.apps.model import Member
from console.facts.indexes import EventIndex
from console.facts.model import Pod

MemoryUse = dict[tuple[str, str], tuple[float, float | None]]
"""(namespace, pod) → bytes that it uses."""
Share = tuple[float, float, float]
"""CPU cores, bytes of memory and GPUs that a pod asks for."""
NO_SHARE: Share = (0.0, 0.0, 0.0)


class ExecutorPart(Struct, frozen=True, gc=False):
    """What is made of an executor's pod.

    Attributes:
        share: what it asks for, `heap`: as Spark gave it to the pod; empty where the pod does not say.
        alone: nothing but its pod and the number of its attempt was needed.
    """

    pod: Pod
    member: Member
    share: Share
    heap: str
    alone: bool


@dataclass
class Executors:
    """All executors of an application.

    Attributes:
        parts: what was made of each pod, in their order, and `states` the attempt of each by its application id.
        requests: of those that live.
        running: how many of the present attempt run.
        limit: memory limit of one, in bytes.
        heap: as Spark gave it to the pods; empty where none says.
    """

    parts: list[ExecutorPart]
    states: dict[str, AttemptState]
    requests: Share = NO_SHARE
    running: int = 0
    limit: float | None = None
    heap: str = ""

    @property
    def members(self) -> list[Member]:
        return [part.member for part in self.parts]


def added(one: Share, other: Share) -> Share:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def executors_of(
    pods: Sequence[Pod],
    attempts: Sequence[AttemptPods],
    attempt: int,
    app_id: str,
    *,
    over: bool,
    events: EventIndex,
    used: MemoryUse,
    known: Executors | None = None,
) -> Executors:
    """What the executors' pods show.

    Args:
        attempt: number of the present attempt; `app_id`: its id, empty where it is not known.
        over: the application is over, and no driver's pod says when it ended.
        known: what was made of its pods before.
    """
    kept = {id(part.pod): part for part in known.parts if part.alone} if known is not None else {}
    by_id = {one.app_id: one for one in attempts}
    states: dict[str, AttemptState] = {}
    parts: list[ExecutorPart] = []
    for pod in pods:
        selector = pod.labels.get(SELECTOR, "")
        state = states.get(selector)
        if state is None:
            present = not selector or not app_id or selector == app_id
            state = states[selector] = _state(by_id.get(selector), attempt, present, over)
        parts.append(_part(pod, state, events, used, kept.get(id(pod))))
    return _together(parts, states)


def moved(known: Executors, now: Sequence[Pod], events: EventIndex, used: MemoryUse) -> Executors | None:
    """`executors_of` the pods `now`, of what is `known`; None where a pod says otherwise what the application as a
    whole follows from: its place among the attempts, its sizes, its image.

    Only the pods may be others: attempts, events and measurements are those that `known` was made with.
    """
    if len(known.parts) != len(now):
        return None
    parts = list(known.parts)
    for place, (part, pod) in enumerate(zip(known.parts, now, strict=True)):
        if part.pod is not pod:
            if not _same_place(part.pod, pod):
                return None
            made = parts[place] = _part(pod, known.states[pod.labels.get(SELECTOR, "")], events, used)
            if made.heap != part.heap or made.member.memory_limit != part.member.memory_limit:
                return None
    return _together(parts, known.states)


def _same_place(before: Pod, after: Pod) -> bool:
    one, other = before.main, after.main
    return (
        before.name == after.name
        and before.namespace == after.namespace
        and before.created == after.created
        and before.labels == after.labels
        and (one.image if one is not None else "") == (other.image if other is not None else "")
    )


def _together(parts: list[ExecutorPart], states: dict[str, AttemptState]) -> Executors:
    """The sums over all executors."""
    limit: float | None = None
    heap = ""
    cpu = memory = gpus = 0.0
    running = 0
    for part in parts:
        member = part.member
        if limit is None:
            limit = member.memory_limit
        heap = heap or part.heap
        if member.ended is None and member.death is None and not member.gone:
            one = part.share
            cpu, memory, gpus = cpu + one[0], memory + one[1], gpus + one[2]
            running += member.state == "Running" and states[part.pod.labels.get(SELECTOR, "")].present
    return Executors(parts, states, (cpu, memory, gpus), running, limit, heap)


@dataclass(frozen=True)
class AttemptState:
    """The attempt of some executors: its number, when its driver stopped, whether it is over, and the last one."""

    number: int
    stop: float | None
    over: bool
    present: bool

    @property
    def living(self) -> bool:
        """Whether nothing but its own pod says how one of its executors is."""
        return self.stop is None and not self.over


def _state(its: AttemptPods | None, attempt: int, present: bool, over: bool) -> AttemptState:
    if its is None:
        return AttemptState(attempt, None, present and over, present)
    return AttemptState(its.number, its.stop, its.over or (present and over), present)


def _part(
    pod: Pod, state: AttemptState, events: EventIndex, used: MemoryUse, kept: ExecutorPart | None = None
) -> ExecutorPart:
    about = events.get(pod.key, ()) if events else ()
    use = used.get((pod.namespace, pod.name)) if used else None
    alone = state.living and not about and use is None
    if kept is not None and alone and kept.member.attempt == state.number:
        return kept
    member = member_of(
        pod, "executor", attempt=state.number, events=about, stop=state.stop, app_over=state.over, used=use
    )
    return ExecutorPart(pod, member, share_of(pod, member), heap_of(pod), alone)
