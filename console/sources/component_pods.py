"""Pods of the platform's components that the watches leave out, and the ends of their logs: read rarely, within bounds.

Spark's own pods are watched. A metastore, a database or a notebook server is not Spark, and may have thousands of
neighbours; so of each component that was found its pods are listed by the selector of their workload, and its log is
read where one of its signals is a line of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from console.base.clock import Clock
from console.base.errors import ConsoleError, ReachError
from console.health.components.find import Found, Thing
from console.health.facts import Facts, Log, Origin, Pod
from console.sources import decode
from console.sources.logs import role_of, tail
from console.wire.paths import object_path

if TYPE_CHECKING:
    from console.wire.reader import Reader

MAX_WORKLOADS, MAX_PODS, MAX_LOGS, LOG_LINES = 60, 20, 2, 300
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

    async def refresh(self, found: Iterable[Found]) -> bool:
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
        try:
            chosen = [workloads[key] for key in sorted(workloads)[:MAX_WORKLOADS]]
            read = await asyncio.gather(*(self._pods(thing, unread) for thing in chosen))
            mine = {thing.key: pods for thing, pods in zip(chosen, read, strict=True)}
            logs = await asyncio.gather(*(self._log(pod, unread) for pod in _wanted(parts, mine)))
        except ReachError:
            return False
        pods = {pod.key: pod for some in read for pod in some}
        self._at, self._asked = now, asked
        self.pods, self.unread = tuple(pods.values()), tuple(unread)
        self.logs = tuple(log for log in logs if log is not None)
        return True

    async def _pods(self, thing: Thing, unread: list[tuple[str, str]]) -> list[Pod]:
        path = object_path("v1", "pods", thing.namespace)
        selector = _selector(thing)
        at = self.clock.now()
        try:
            async with self._gate:
                body = await self.reader.get(path, {"labelSelector": selector, "limit": str(MAX_PODS)})
            items = msgspec.json.decode(body, type=dict[str, Any]).get("items") or ()
            return [decode.pod(item, Origin("kubernetes", f"{path}/{item['metadata']['name']}", at)) for item in items]
        except ReachError:
            raise
        except (ConsoleError, msgspec.DecodeError, ValueError, KeyError, TypeError) as error:
            unread.append((f"pods of {thing.key}", str(error)))
            return []

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


def _selector(thing: Thing) -> str:
    """The workload's own selector, `` where it has no plain one."""
    selector = thing.spec.get("selector")
    labels = selector.get("matchLabels") if isinstance(selector, dict) else None
    if not isinstance(labels, dict):
        return ""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()) if isinstance(value, str))


def _wanted(parts: Iterable[Found], read: dict[str, list[Pod]]) -> list[Pod]:
    """The youngest pods of each component that has a line of a log among its signals."""
    out: dict[str, Pod] = {}
    for part in parts:
        if not any(signal.log is not None for signal in part.definition.signals):
            continue
        pods = {pod.key: pod for pod in part.pods}
        for thing in part.things:
            pods |= {pod.key: pod for pod in read.get(thing.key, ())}
        begun = [pod for pod in pods.values() if pod.phase not in ("Pending", "Unknown") and not pod.gone]
        for pod in sorted(begun, key=lambda p: -(p.created or 0.0))[:MAX_LOGS]:
            out[pod.key] = pod
    return list(out.values())
