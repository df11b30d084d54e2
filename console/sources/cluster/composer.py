"""Puts the picture together: only what changed since the last one is made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from console.facts.leftout import LeftOut
from console.facts.model import Workload
from console.sources.cluster.gone import VanishedPods
from console.sources.cluster.keeper import Keeper
from console.sources.cluster.kinds import EVENTS, LOCAL, NODES, OPTIONAL, PODS, SPARK
from console.sources.cluster.picture import ClusterFacts, all_pods, their_events
from console.sources.cluster.watched import Watched

T = TypeVar("T")


class Composer:
    """Makes pictures of `watched` (kind → what is known of it), the vanished and the captured."""

    def __init__(self, watched: Mapping[str, Watched], gone: VanishedPods, keeper: Keeper | None) -> None:
        self._watched, self._gone, self._keeper = watched, gone, keeper
        self._memo: dict[str, tuple[Any, Any]] = {}

    def compose(self, generation: int, now: float, left_out: Iterable[LeftOut] = ()) -> ClusterFacts:
        """The picture at `now`; `left_out` is what was not even asked for."""
        keeper = self._keeper
        captured = keeper.pods if keeper is not None else {}
        pods = tuple(all_pods(self._watched[PODS.name].items(), self._gone.items(), captured, now))
        spark = self._all(*(kind.name for kind in SPARK))
        others = self._all("deployments", "statefulsets", "daemonsets", *OPTIONAL)
        spaces = {pod.namespace for pod in pods} | {thing.namespace for thing in spark}
        local = tuple(thing for thing in self._all(*LOCAL) if thing.namespace in spaces)
        kept = keeper.generation if keeper is not None else 0
        key = (*(self._key(name, members=name != EVENTS.name) for name in self._watched), kept, len(pods))
        events = self._once(
            "events",
            key,
            lambda: tuple(
                their_events(
                    self._watched[EVENTS.name].items().values(),
                    keeper.events if keeper is not None else {},
                    pods,
                    (*spark, *others, *local),
                )
            ),
        )
        return ClusterFacts(
            generation=generation,
            at=now,
            pods=pods,
            nodes=self._once("nodes", self._key(NODES.name), lambda: self._items(NODES.name)),
            events=events,
            spark=spark,
            workloads=(*others, *local),
            logs=tuple(keeper.logs.values()) if keeper is not None else (),
            sources=tuple(watched.state(now) for watched in self._watched.values()),
            unread=tuple(keeper.unread.values()) if keeper is not None else (),
            not_judged=(
                *(one for watched in self._watched.values() for r in watched.reflectors for one in r.failed.values()),
                *(keeper.failed.values() if keeper is not None else ()),
            ),
            left_out=(*left_out, *self._left_out()),
        )

    def _left_out(self) -> Iterator[LeftOut]:
        for watched in self._watched.values():
            for reflector in watched.reflectors:
                yield from reflector.left_out()
        yield from self._gone.left_out()
        if self._keeper is not None:
            yield from self._keeper.left_out()

    def _items(self, name: str) -> tuple[Any, ...]:
        return tuple(self._watched[name].items().values())

    def _all(self, *names: str) -> tuple[Workload, ...]:
        return tuple(item for name in sorted(names) for item in self._watched[name].items().values())

    def _key(self, name: str, *, members: bool = False) -> tuple[int, ...]:
        return tuple(r.members if members else r.generation for r in self._watched[name].reflectors)

    def _once(self, name: str, key: Any, make: Callable[[], T]) -> T:
        held = self._memo.get(name)
        if held is None or held[0] != key:
            held = self._memo[name] = (key, make())
        return held[1]
