"""The executors of an application from their pods, and what they say together: requests, limit, heap, how many run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.apps.attempts import AttemptPods
from console.apps.groups import SELECTOR
from console.apps.members import heap_of, member_of, share_of
from console.apps.model import Member
from console.facts.indexes import EventIndex
from console.facts.model import Event, Pod

MemoryUse = dict[tuple[str, str], tuple[float, float | None]]
"""(namespace, pod) → bytes that it uses."""
Share = tuple[float, float, float]
"""CPU cores, bytes of memory and GPUs that a pod asks for."""
NO_SHARE: Share = (0.0, 0.0, 0.0)
MemberCache = dict[int, tuple[Pod, Member, Share, str]]
"""Identity of a living executor's pod → (the pod, what was made of it, its requests, the heap that it was given)."""


@dataclass
class Executors:
    """All executors of an application.

    Attributes:
        requests: of those that live.
        running: how many of the present attempt run.
        limit: memory limit of one, in bytes.
        heap: as Spark gave it to the pods; empty where none says.
    """

    members: list[Member]
    requests: Share = NO_SHARE
    running: int = 0
    limit: float | None = None
    heap: str = ""


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
    cache: MemberCache | None,
) -> Executors:
    """What the executors' pods show.

    Args:
        attempt: number of the present attempt; `app_id`: its id, empty where it is not known.
        over: the application is over, and no driver's pod says when it ended.
        cache: what was made of pods before; None keeps nothing.
    """
    by_id = {one.app_id: one for one in attempts}
    runs: dict[str, _Run] = {}
    members: list[Member] = []
    limit: float | None = None
    heap = ""
    cpu = memory = gpus = 0.0
    running = 0
    for pod in pods:
        selector = pod.labels.get(SELECTOR, "")
        run = runs.get(selector)
        if run is None:
            run = runs[selector] = _run(
                by_id.get(selector), attempt, not selector or not app_id or selector == app_id, over
            )
        about = events.get(f"Pod/{pod.namespace}/{pod.name}", ()) if events else ()
        use = used.get((pod.namespace, pod.name)) if used else None
        alone = run.living and not about and use is None
        member, share, said = _kept(pod, run, cache) if alone and cache is not None else _made(pod, run, about, use)
        members.append(member)
        limit = member.memory_limit if limit is None else limit
        heap = heap or said
        if member.ended is None and member.death is None and not pod.gone:
            cpu, memory, gpus = cpu + share[0], memory + share[1], gpus + share[2]
            running += member.state == "Running" and run.present
    return Executors(members, (cpu, memory, gpus), running, limit, heap)


@dataclass(frozen=True)
class _Run:
    """The attempt of some executors: its number, when its driver stopped, whether it is over, and the last one."""

    number: int
    stop: float | None
    over: bool
    present: bool

    @property
    def living(self) -> bool:
        """Whether nothing but its own pod says how one of its executors is."""
        return self.stop is None and not self.over


def _run(its: AttemptPods | None, attempt: int, present: bool, over: bool) -> _Run:
    if its is None:
        return _Run(attempt, None, present and over, present)
    return _Run(its.number, its.stop, its.over or (present and over), present)


def _kept(pod: Pod, run: _Run, cache: MemberCache) -> tuple[Member, Share, str]:
    kept = cache.get(id(pod))
    if kept is None or kept[0] is not pod or kept[1].attempt != run.number:
        kept = cache[id(pod)] = (pod, *_made(pod, run, (), None))
    return kept[1], kept[2], kept[3]


def _made(
    pod: Pod, run: _Run, events: Sequence[Event], used: tuple[float, float | None] | None
) -> tuple[Member, Share, str]:
    member = member_of(pod, "executor", attempt=run.number, events=events, stop=run.stop, app_over=run.over, used=used)
    return member, share_of(pod, member), heap_of(pod)
