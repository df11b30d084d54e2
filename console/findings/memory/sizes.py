"""The size that a memory finding proposes: what the application's pods, its quotas and nodes say about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from msgspec.structs import replace

from console.apps import deaths
from console.apps.memory import size
from console.base.units import human_bytes, parse_quantity
from console.facts.model import Pod, Workload
from console.facts.podnames import executor_of_pod
from console.findings.case import Case
from console.findings.figures.memory import MemoryFigures, SizedField, SizeProposal
from console.findings.memory.figures import HEAP, JVM, PYTHON, peak
from console.findings.sizing import (
    MeasuredNeed,
    SizeQuestion,
    SizeRoom,
    beside_the_heap,
    of_results,
    proposed,
    smallest,
)

Sized = TypeVar("Sized", bound=MemoryFigures)
_CONTAINER = ("container", "python")
"""Kinds of ends at the container's limit; the others are the JVM's own."""
_NO_SIZE = ("metaspace", "array-size")
"""Kinds of the JVM's ends that no size of heap or container helps against."""
_DEATHS = {"overhead": ("container-oom", "python-oom"), "heap": ("heap-oom",)}
_QUOTAS = ("limits.memory", "requests.memory", "memory")


def sized(case: Case, figures: Sized, *, results: tuple[int, int] = (0, 0)) -> Sized:
    """The figures with what they propose.

    Args:
        results: how many tasks brought results that were too large, and how many the stage has.
    """
    return replace(figures, proposal=_proposal(case, figures, results))


def _proposal(case: Case, figures: MemoryFigures, results: tuple[int, int]) -> SizeProposal | None:
    if figures.kind == "result-size":
        return _of_results(case, figures, *results)
    beside = figures.kind in _CONTAINER
    now = figures.overhead if beside else figures.heap
    if now is None or figures.kind in _NO_SIZE:
        return None
    field = _field(figures, beside=beside)
    failed, ran = _former(case, "overhead" if beside else "heap") if figures.role == "executor" else ((), ())
    why = "a heap never outgrows its own size, so what passed the limit lies beside it" if beside else ""
    return proposed(
        SizeQuestion(
            field=field,
            now=now,
            need=_need(case, figures, beside=beside),
            failed=failed,
            ran=ran,
            added=(figures.limit or 0.0) if beside and figures.tmpfs else 0.0,
            room=_room(case, figures, now, beside=beside),
            why=why,
        )
    )


def _field(figures: MemoryFigures, *, beside: bool) -> SizedField:
    if figures.role == "driver":
        return "driver-overhead" if beside else "driver-heap"
    return "overhead" if beside else "heap"


def _of_results(case: Case, figures: MemoryFigures, tasks: int, of: int) -> SizeProposal | None:
    seen: float | None = getattr(figures, "result_size", None)
    now: float | None = getattr(figures, "max_result_size", None)
    if now is None or figures.heap is None:
        return None
    room = _room(case, figures, figures.heap, beside=False)
    return proposed(
        SizeQuestion(
            field="result-size",
            now=now,
            need=of_results(seen, tasks, of),
            least=seen or 0.0,
            room=None if room is None else SizeRoom(room.most - figures.heap, room.by),
            heap=figures.heap,
        )
    )


def _need(case: Case, figures: MemoryFigures, *, beside: bool) -> MeasuredNeed | None:
    """By the peaks of those who ended and of those who did not; shuffle in memory is in none of them."""
    others = _survivors(case) if figures.role == "executor" else []
    if beside:
        if figures.tmpfs:
            return None
        python, jvm = (
            max((s for s in (own, peak(case, metric, others).size) if s is not None), default=None)
            for own, metric in ((figures.python_rss, PYTHON), (figures.jvm_rss, JVM))
        )
        return beside_the_heap(figures.heap, figures.overhead, python, jvm)
    used = peak(case, HEAP, others).size
    if used is None or figures.heap is None or used <= figures.heap:
        return None
    return MeasuredNeed(used, f"an executor of another size used up to {human_bytes(used)} of its heap")


def _survivors(case: Case) -> list[tuple[str, str]]:
    """(application id, executor id) of executors that did not die."""
    dead = {(v.app_id, v.executor) for v in case.victims}
    alive = dict.fromkeys((case.attempt_of(pod)[1], executor_of_pod(pod)) for pod in case.executors)
    return [one for one in alive if one not in dead]


def _former(case: Case, part: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The sizes with which executors died for memory, and those with which they ended well."""
    killed = {id(v.pod) for v in case.victims if v.kind in _DEATHS[part]}
    died = {id(v.pod) for v in case.victims}
    well = {a.number for a in case.app.attempts if a.death is not None and a.death.harmless}
    failed, ran = set(), set()
    for pod in case.executors:
        value = _size_of(pod, case, part)
        if value is None:
            continue
        end = deaths.ending(pod)[1]
        if id(pod) in killed:
            failed.add(value)
        elif id(pod) not in died and ((end is not None and end.exit_code == 0) or case.attempt_of(pod)[0] in well):
            ran.add(value)
    return tuple(sorted(failed)), tuple(sorted(ran))


def _size_of(pod: Pod, case: Case, part: str) -> float | None:
    """The heap of an executor, or what its limit leaves beside that."""
    main = pod.main
    heap = size(main.env.get("SPARK_EXECUTOR_MEMORY")) if main is not None else None
    limit = main.limits.get("memory") if main is not None else None
    if part == "heap" or heap is None or limit is None:
        return heap if part == "heap" else None
    plan = case.app.executor_memory
    given = ((plan.off_heap or 0.0) + (plan.pyspark or 0.0)) if plan is not None else 0.0
    return max(0.0, limit - heap - given)


# what is allowed ------------------------------------------------------------------------------------------------------


def _room(case: Case, figures: MemoryFigures, now: float, *, beside: bool) -> SizeRoom | None:
    """The largest overhead, or heap, of a container that can still exist."""
    room = smallest(_containers(case, figures))
    total = figures.limit if figures.limit is not None else figures.total
    if room is None or total is None:
        return None
    if (
        not beside
        and figures.factor
        and figures.overhead is not None
        and figures.overhead > now * figures.factor * 0.99
    ):
        rest = total - now - figures.overhead
        return SizeRoom((room.most - rest) / (1 + figures.factor), room.by)
    return SizeRoom(room.most - (total - now), room.by)


def _containers(case: Case, figures: MemoryFigures) -> Iterator[SizeRoom]:
    """The largest container that nodes, limit ranges and quotas allow, each."""
    nodes = [n.allocatable["memory"] for n in _nodes(case, figures) if n.allocatable.get("memory")]
    if nodes:
        yield SizeRoom(max(nodes), "the largest node")
    for workload in case.world.workloads("LimitRange"):
        limits = workload.spec.get("limits") if workload.namespace == case.app.namespace else None
        for item in limits if isinstance(limits, list) else ():
            most = _quantity(item.get("max"), "memory") if isinstance(item, dict) else None
            if most is not None and item.get("type") in ("Container", "Pod"):
                yield SizeRoom(most, f"limit range {workload.name}")
    for workload in case.world.workloads("ResourceQuota"):
        if workload.namespace == case.app.namespace:
            yield from _quota(case, figures, workload)


def _nodes(case: Case, figures: MemoryFigures) -> list[Any]:
    """The nodes that its pods may run on."""
    pods = case.drivers if figures.role == "driver" else case.executors
    wanted = pods[-1].node_selector if pods else {}
    return [n for n in case.world.nodes.values() if all(n.labels.get(k) == v for k, v in wanted.items())]


def _quota(case: Case, figures: MemoryFigures, quota: Workload) -> Iterator[SizeRoom]:
    """What a quota leaves for one such container, once what the application holds is given back."""
    if quota.spec.get("scopes") or quota.spec.get("scopeSelector"):
        return
    status, app = quota.status, case.app
    other = app.executor_memory if figures.role == "driver" else app.driver_memory
    beside = other.total if other is not None and other.total is not None else 0.0
    for key in _QUOTAS:
        hard = _quantity(status.get("hard"), key) or _quantity(quota.spec.get("hard"), key)
        if hard is not None:
            used = _quantity(status.get("used"), key) or 0.0
            yield SizeRoom(hard - used + min(used, app.memory_requested) - beside, f"quota {quota.name}")


def _quantity(tree: Any, key: str) -> float | None:
    try:
        return parse_quantity(tree[key])
    except (KeyError, TypeError, ValueError):
        return None
