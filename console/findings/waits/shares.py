"""Which Spark applications hold how much: of the cluster, of a namespace, of a queue of YuniKorn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import nsmallest

from console.apps import deaths
from console.apps.groups import Group
from console.base.units import human_amount
from console.facts.model import Pod
from console.findings.waits.model import HOLDERS


def ranked(groups: Iterable[Group], resource: str, wanted: Callable[[Pod], bool]) -> tuple[tuple[float, str], ...]:
    """(amount, key) of the applications that hold most of a resource by what their placed pods ask for, the largest
    first, and one more than is named, so that any one of them can be left out.

    Args:
        resource: `pods` counts them; `` is cpu.
    """
    held = (
        (sum(_asked(p, resource) for p in (*g.drivers, *g.executors) if wanted(p) and _placed(p)), g.key)
        for g in groups
    )
    return tuple(nsmallest(HOLDERS + 1, (one for one in held if one[0]), key=lambda pair: (-pair[0], pair[1])))


def named(found: Iterable[tuple[float, str]], resource: str, but: str) -> tuple[str, ...]:
    """The holders in words, without the application whose key is `but`."""
    unit = resource or "cpu"
    others = [(held, key) for held, key in found if key != but]
    return tuple(f"{key} ({human_amount(held, unit)} {unit})" for held, key in others[:HOLDERS])


def in_queue(queue: str) -> Callable[[Pod], bool]:
    """Whether a pod is in a queue of YuniKorn: by its own words, else by its namespace, as the usual rule places it."""
    name = queue.removeprefix("root.")

    def inside(pod: Pod) -> bool:
        own = queue_of(pod)
        return own.removeprefix("root.") == name if own else pod.namespace == name.rpartition(".")[2]

    return inside


def queue_of(pod: Pod) -> str:
    """The queue that a pod names; `` where rules place it."""
    label = "yunikorn.apache.org/queue"
    return pod.labels.get(label) or pod.annotations.get(label) or pod.labels.get("queue", "")


def _placed(pod: Pod) -> bool:
    return bool(pod.node) and not pod.gone and not deaths.over(pod)


def _asked(pod: Pod, resource: str) -> float:
    if resource == "pods":
        return 1.0
    return sum(
        c.requests.get(resource or "cpu", c.limits.get(resource or "cpu", 0.0))
        for c in pod.containers
        if c.role != "init"
    )
