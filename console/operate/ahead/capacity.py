"""Reading what a change would need room in: quotas, limit ranges, nodes and what the pods on them hold."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from console.actions import fit
from console.actions.effects import Consequence
from console.base.errors import ConsoleError
from console.base.text import clean
from console.wire.paths import object_path
from console.wire.reader import Reader

SECONDS = 8.0
MAX_PAGES = 40
"""Pages of 500 pods that are read to know what the nodes hold."""
APP_LABEL = "sparkoperator.k8s.io/app-name"
_ALIVE = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}
Topic = Literal["quota", "limit range", "nodes"]


class _Amounts(Struct):
    requests: dict[str, Any] = {}


class _ContainerResources(Struct):
    resources: _Amounts = msgspec.field(default_factory=_Amounts)
    restartPolicy: str = ""


class _PlacedSpec(Struct):
    nodeName: str = ""
    containers: list[_ContainerResources] = []
    initContainers: list[_ContainerResources] = []


class _PlacedMeta(Struct):
    namespace: str = ""
    labels: dict[str, str] = {}


class _PlacedPod(Struct):
    metadata: _PlacedMeta = msgspec.field(default_factory=_PlacedMeta)
    spec: _PlacedSpec = msgspec.field(default_factory=_PlacedSpec)


class _PlacedPods(Struct):
    items: list[_PlacedPod] = []


async def fits(reader: Reader, old: dict[str, Any], new: dict[str, Any]) -> tuple[Consequence, ...]:
    """What the sizes of `new` mean where they differ from those of `old`; what cannot be read is said to be unknown."""
    before, after = fit.needs(old), fit.needs(new)
    if not after or before == after:
        return ()
    meta = new.get("metadata") or {}
    namespace, name = str(meta.get("namespace") or ""), str(meta.get("name") or "")
    checks: tuple[tuple[Topic, Coroutine[Any, Any, Consequence | None]], ...] = (
        ("quota", _quotas(reader, namespace, name, after)),
        ("limit range", _limits(reader, namespace, after)),
        ("nodes", _nodes(reader, namespace, name, after)),
    )
    found = await asyncio.gather(*(_known(topic, check) for topic, check in checks))
    return (fit.change_of(before, after), *(c for c in found if c is not None))


async def _known(topic: Topic, check: Coroutine[Any, Any, Consequence | None]) -> Consequence | None:
    try:
        return await asyncio.wait_for(check, SECONDS)
    except TimeoutError:
        return Consequence(topic, "unknown", f"could not be checked: no answer in {SECONDS:.0f}s")
    except ConsoleError as error:
        return Consequence(topic, "unknown", f"could not be checked: {clean(error.message)}")
    except msgspec.MsgspecError as error:
        return Consequence(topic, "unknown", f"could not be checked: {clean(str(error))}")


async def _items(reader: Reader, plural: str, namespace: str = "") -> list[dict[str, Any]]:
    items = (await reader.object(object_path("v1", plural, namespace))).get("items")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


async def _quotas(reader: Reader, namespace: str, name: str, after: tuple[fit.PodRequests, ...]) -> Consequence:
    quotas = await _items(reader, "resourcequotas", namespace)
    if not quotas:
        return Consequence("quota", "info", f"namespace {clean(namespace)} has no ResourceQuota")
    query = {**_ALIVE, "labelSelector": f"{APP_LABEL}={name}"}
    body = await reader.get(object_path("v1", "pods", namespace), query)
    return fit.judge_quotas(quotas, held(msgspec.json.decode(body, type=_PlacedPods).items, namespace, name), after)


async def _limits(reader: Reader, namespace: str, after: tuple[fit.PodRequests, ...]) -> Consequence | None:
    return fit.judge_limits(await _items(reader, "limitranges", namespace), after)


async def _nodes(reader: Reader, namespace: str, name: str, after: tuple[fit.PodRequests, ...]) -> Consequence:
    nodes = await _items(reader, "nodes")
    pods: list[fit.PodAllocation] = []
    pages = 0
    try:
        async for page in reader.pages(object_path("v1", "pods"), _ALIVE):
            pages += 1
            if pages > MAX_PAGES:
                return fit.judge_nodes(nodes, None, after)
            pods += held(msgspec.json.decode(page.body, type=_PlacedPods).items, namespace, name)
    except ConsoleError:
        return fit.judge_nodes(nodes, None, after)
    return fit.judge_nodes(nodes, pods, after)


def held(pods: Iterable[_PlacedPod], namespace: str, name: str) -> list[fit.PodAllocation]:
    """What each pod holds; those of the application `name` are marked."""
    out = []
    for pod in pods:
        containers = [*pod.spec.containers, *(c for c in pod.spec.initContainers if c.restartPolicy == "Always")]
        out.append(
            fit.PodAllocation(
                node=pod.spec.nodeName,
                cpu=sum(fit.quantity(c.resources.requests.get("cpu", 0)) for c in containers),
                memory=sum(fit.quantity(c.resources.requests.get("memory", 0)) for c in containers),
                mine=pod.metadata.namespace == namespace and pod.metadata.labels.get(APP_LABEL) == name,
            )
        )
    return out
