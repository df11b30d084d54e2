"""`grouping` with a memory: what changed since the last look is put in place, what did not stays the same object.

Whoever keeps something of an application compares its `Group` by identity instead of its hundreds of pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import is_
from typing import TypeVar

from console.apps.groups import Group, GroupId, Grouping, grouping, identical
from console.apps.told import told_driver
from console.facts.model import Facts, Pod, Workload

T = TypeVar("T")


class Census:
    """The applications of a stream of facts."""

    def __init__(self) -> None:
        self._facts = Facts(at=0.0)
        self._last = Grouping({}, [])
        self._home: dict[int, list[GroupId]] = {}
        """Identity of a pod → the groups that hold it. The facts hold the pod, so that the identity stays its own."""

    def take(self, facts: Facts) -> Grouping:
        """What `grouping` makes of these facts. Groups that would be made of the same objects are the same objects."""
        if (replaced := self._replaced(facts)) is None:
            self._anew(facts)
        else:
            self._put(*replaced)
        self._facts = facts
        return self._last

    def _replaced(self, facts: Facts) -> tuple[list[tuple[Pod, Pod]], list[tuple[Workload, Workload]]] | None:
        """(before, after) of the objects that changed in nothing by which they are joined; None where others did."""
        was = self._facts
        if len(facts.pods) != len(was.pods) or len(facts.spark) != len(was.spark):
            return None
        pods, spark = list(_changed(was.pods, facts.pods)), list(_changed(was.spark, facts.spark))
        alike = all(_joins(a) == _joins(b) for a, b in pods) and all(_names(a) == _names(b) for a, b in spark)
        if not alike or not (identical(was.workloads, facts.workloads) or not self._served()):
            return None
        return pods, spark

    def _served(self) -> bool:
        """Whether a group may hold a Deployment: which one follows from all workloads."""
        return any(gid[0] == "connect" for gid in self._last.groups)

    def _anew(self, facts: Facts) -> None:
        made = grouping(facts)
        for gid, group in made.groups.items():
            known = self._last.groups.get(gid)
            if known is not None and known.like(group):
                made.groups[gid] = known
        self._last, self._home = made, {}
        for gid, group in made.groups.items():
            for pod in (*(() if group.told else group.drivers), *group.executors):
                self._home.setdefault(id(pod), []).append(gid)

    def _put(self, pods: Sequence[tuple[Pod, Pod]], spark: Sequence[tuple[Workload, Workload]]) -> None:
        if not pods and not spark:
            return
        groups = dict(self._last.groups)
        touched: dict[GroupId, Group] = {}
        of_cr = {id(group.cr): gid for gid, group in groups.items()} if spark else {}
        instead = {id(before): after for before, after in pods}

        def own(gid: GroupId) -> Group:
            if gid not in touched:
                old = groups[gid]
                drivers, executors = ([instead.get(id(p), p) for p in part] for part in (old.drivers, old.executors))
                touched[gid] = old.renewed(drivers, executors)
            return touched[gid]

        for before, after in pods:
            homes = self._home.pop(id(before), [])
            for gid in homes:
                own(gid)
            if homes:
                self._home[id(after)] = homes
        for was, now in spark:
            if (owner := of_cr.get(id(was))) is not None:
                _follow(own(owner), now)
        groups.update(touched)
        self._last = Grouping(groups, [instead.get(id(p), p) for p in self._last.others])


def _follow(group: Group, cr: Workload) -> None:
    """The custom resource of a group is another now, and so may be what it says of a driver without a pod."""
    group.cr = cr
    if group.told or not group.drivers:
        told = told_driver(cr)
        group.lead([] if told is None else [told], told=told is not None)


def _changed(before: Sequence[T], after: Sequence[T]) -> Iterator[tuple[T, T]]:
    return ((a, b) for a, b, same in zip(before, after, map(is_, before, after), strict=True) if not same)


def _joins(pod: Pod) -> tuple[object, ...]:
    """Everything that says which application a pod belongs to, and in which order."""
    containers = [(c.name, c.args, c.env) for c in pod.containers]
    return pod.namespace, pod.name, pod.uid, pod.labels, pod.owners, pod.ip, pod.created, containers


def _names(cr: Workload) -> tuple[object, ...]:
    app_id = cr.status.get("sparkApplicationId")
    return cr.kind, cr.api_version, cr.namespace, cr.name, cr.uid, cr.generation, app_id
