"""Pods of the platform's components that the watches leave out, and the ends of their logs: read rarely, within bounds.

Spark's own pods are watched. A metastore, a database or a notebook server is not Spark, and may have thousands of
neighbours; so of each component that was found its pods are listed by the selector of their workload, and its log is
read where one of its signals is a line of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from console.base.clock import Clock
from console.base.errors import ConsoleError, ReachError
from console.components.find import ClusterObject, ComponentObjects
from console.facts.leftout import LeftOut, bounded
from console.facts.model import Facts, Log, Origin, Pod
from console.sources.cluster import decode
from console.sources.cluster.lists import loose_page
from console.sources.cluster.logs import role_of, tail
from console.wire.paths import object_path

if TYPE_CHECKING:
    from console.wire.reader import Reader

MAX_WORKLOADS, MAX_PODS, MAX_LOGS, LOG_LINES = 200, 500, 4, 300
"""Workloads whose pods are listed, pods of one of them, logs of one component, lines of one log."""
_PAGE = 100
_AT_ONCE = 4
_KINDS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


@dataclass
class ComponentPods:
    """What was read of components. Belongs to one event loop.

    Args:
        again: seconds of the clock after which everything is read again.
    """

    reader: Reader
    clock: Clock
    again: float
    pods: tuple[Pod, ...] = ()
    logs: tuple[Log, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    _at: float | None = None
    _asked: frozenset[str] = frozenset()
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def beside(self, facts: Facts) -> Facts:
        """`facts` with what was read here, for judging components only: these pods are no part of any application."""
        known = {pod.key for pod in facts.pods}
        logged = {log.subject for log in self.logs}
        return replace(
            facts,
            pods=(*facts.pods, *(pod for pod in self.pods if pod.key not in known)),
            logs=(*(log for log in facts.logs if log.subject not in logged), *self.logs),
            unread=(*facts.unread, *self.unread),
        )

    async def refresh(self, found: Iterable[ComponentObjects]) -> bool:
        """Read what is due. True when something was read. A lost connection leaves what is known.

        Args:
            found: components of which something was found, with the pods of theirs that are watched.
        """
        parts = list(found)
        workloads = {
            thing.key: thing for part in parts for thing in part.things if thing.kind in _KINDS and _selector(thing)
        }
        asked = frozenset(workloads)
        now = self.clock.now()
        if self._at is not None and now - self._at < self.again and asked == self._asked:
            return False
        unread: list[tuple[str, str]] = []
        chosen, beyond = bounded(
            sorted(workloads.values(), key=lambda thing: (not _lacks(thing), thing.key)),
            MAX_WORKLOADS,
            source="components",
            what="workloads of components have their pods read",
            first="those that lack pods first",
            name=lambda thing: thing.key,
        )
        left_out = list(beyond)
        try:
            read = await asyncio.gather(*(self._pods(thing, unread, left_out) for thing in chosen))
            mine = {thing.key: pods for thing, pods in zip(chosen, read, strict=True)}
            logs = await asyncio.gather(*(self._log(pod, unread) for pod in _wanted(parts, mine, left_out)))
        except ReachError:
            return False
        pods = {pod.key: pod for some in read for pod in some}
        self._at, self._asked = now, asked
        self.pods, self.unread, self.left_out = tuple(pods.values()), tuple(unread), tuple(left_out)
        self.logs = tuple(log for log in logs if log is not None)
        return True

    async def _pods(self, thing: ClusterObject, unread: list[tuple[str, str]], left_out: list[LeftOut]) -> list[Pod]:
        path = object_path("v1", "pods", thing.namespace)
        query = {"labelSelector": _selector(thing)}
        at = self.clock.now()
        items: list[Any] = []
        try:
            async with self._gate, contextlib.aclosing(self.reader.pages(path, query, size=_PAGE)) as pages:
                async for page in pages:
                    items += loose_page(page.body, "Pod")[1]
                    if len(items) >= MAX_PODS and page.more:
                        left_out.append(LeftOut("components", f"pods of {thing.key} are read", len(items)))
                        break
        except ReachError:
            raise
        except (ConsoleError, msgspec.DecodeError) as error:
            unread.append((f"pods of {thing.key}", str(error)))
        out: list[Pod] = []
        for item in items:
            try:
                out.append(decode.pod(item, Origin("kubernetes", f"{path}/{item['metadata']['name']}", at)))
            except Exception as error:  # one pod that is none leaves the others
                unread.append((f"a pod of {thing.key}", f"{type(error).__name__}: {error}"))
        return out

    async def _log(self, pod: Pod, unread: list[tuple[str, str]]) -> Log | None:
        main = pod.main
        name = main.name if main is not None else ""
        try:
            async with self._gate:
                return await tail(
                    self.reader,
                    pod.namespace,
                    pod.name,
                    container=name,
                    lines=LOG_LINES,
                    role=role_of(pod),
                    at=self.clock.now(),
                )
        except ReachError:
            raise
        except ConsoleError as error:
            unread.append((f"log of {pod.namespace}/{pod.name}", error.message))
            return None


def _selector(thing: ClusterObject) -> str:
    """The workload's own selector, `` where it has no plain one."""
    selector = thing.spec.get("selector")
    labels = selector.get("matchLabels") if isinstance(selector, dict) else None
    if not isinstance(labels, dict):
        return ""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()) if isinstance(value, str))


def _lacks(thing: ClusterObject) -> bool:
    """Whether fewer of its pods are ready than it wants."""
    wanted = thing.status.get("desiredNumberScheduled", thing.spec.get("replicas", 1))
    ready = thing.status.get("numberReady", thing.status.get("readyReplicas")) or 0
    return isinstance(wanted, int) and isinstance(ready, int) and ready < wanted


def _ready(pod: Pod) -> bool:
    return all(container.ready for container in pod.containers if container.role == "main")


def _wanted(parts: Iterable[ComponentObjects], read: dict[str, list[Pod]], left_out: list[LeftOut]) -> list[Pod]:
    """Pods of each component with a line of a log among its signals: those that are not ready, then the youngest."""
    out: dict[str, Pod] = {}
    for part in parts:
        if not any(signal.log is not None for signal in part.definition.signals):
            continue
        pods = {pod.key: pod for pod in part.pods}
        for thing in part.things:
            pods |= {pod.key: pod for pod in read.get(thing.key, ())}
        begun = [pod for pod in pods.values() if pod.phase not in ("Pending", "Unknown") and not pod.gone]
        begun.sort(key=lambda p: (_ready(p), -(p.created or 0.0)))
        what, first = f"pods of {part.definition.id} have their log read", "those that are not ready first"
        chosen, beyond = bounded(begun, MAX_LOGS, source="components", what=what, first=first)
        left_out.extend(beyond)
        out |= {pod.key: pod for pod in chosen}
    return list(out.values())
