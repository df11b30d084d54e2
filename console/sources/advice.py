"""What advice is made of beside the facts: the catalogue of Spark's keys, what drivers and History Servers say of
themselves, and the security of namespaces, live or out of a saved folder. Bounded one-shot reads, only when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from console.base.clock import Clock
from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded
from console.health import advice
from console.health.advice.catalogue import Catalogue, read
from console.health.advice.objects import CLUSTER_WIDE, GROUPS, KINDS, Posture, Thing, listed, saved
from console.health.advice.said import is_history_server
from console.health.facts import Facts, Pod, RestDocument, SourceState
from console.sources.spark import HISTORY_PORT, UI_PORT, SparkRest
from console.wire.endpoint import PodEndpoint
from console.wire.errors import NotFoundError
from console.wire.paths import object_path

if TYPE_CHECKING:
    from console.wire.reader import Reader

AT_ONCE = 4
MAX_OBJECTS = 20_000
"""Objects of one kind that are read at most; a cluster with more is read in part, which is said."""
MAX_NAMESPACES = 50
MAX_PODS = 40
DEADLINE = 20.0
"""Seconds for everything; what is not there by then is not judged."""


@cache
def catalogue() -> Catalogue:
    """The keys of real Spark versions."""
    return read((Path(advice.__file__).parent / "spark-keys.json").read_bytes())


async def read_posture(
    reader: Reader, namespaces: Sequence[str], clock: Clock, *, wide: bool = True, deadline: float = DEADLINE
) -> Posture:
    """The security of a cluster, as far as it may be read.

    Args:
        namespaces: those in which Spark runs: read one by one where the whole cluster may not be read.
        wide: try the whole cluster first; rights that are given in other namespaces are seen only so.

    Raises:
        LoginNeeded: the credentials ended.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline
    groups = await _groups(reader)

    async def one(plural: str) -> tuple[str, tuple[Thing, ...], SourceState, frozenset[str]]:
        async with gate:
            if groups is not None and plural in GROUPS and GROUPS[plural] not in groups:
                gone = SourceState(plural, "absent", detail="the server does not have it")
                return plural, (), gone, frozenset()
            try:
                async with asyncio.timeout_at(end):
                    return await _kind(reader, plural, tuple(namespaces[:MAX_NAMESPACES]), clock, wide)
            except TimeoutError:
                late = SourceState(plural, "unreachable", detail=f"not read within {deadline:.0f}s")
                return plural, (), late, frozenset(namespaces)

    found = await asyncio.gather(*(one(plural) for plural in KINDS))
    return Posture(
        {plural: things for plural, things, _, _ in found},
        {plural: state for plural, _, state, _ in found},
        {plural: blind for plural, _, _, blind in found if blind},
    )


async def _groups(reader: Reader) -> dict[str, tuple[str, ...]] | None:
    """The API groups, or None where discovery is refused: then every kind is simply tried."""
    try:
        return await reader.groups()
    except LoginNeeded:
        raise
    except ConsoleError:
        return None


async def _kind(
    reader: Reader, plural: str, namespaces: tuple[str, ...], clock: Clock, wide: bool
) -> tuple[str, tuple[Thing, ...], SourceState, frozenset[str]]:
    needs = f'apiGroups: ["{GROUPS.get(plural, "")}"], resources: ["{plural}"], verbs: ["list"]'
    local = plural not in CLUSTER_WIDE
    refusal = ""
    if wide or not local:
        try:
            things, cut = await _list(reader, plural, "")
            if cut:
                detail = f"the first {len(things)} only"
                return plural, things, SourceState(plural, "partial", detail=detail, last=clock.now()), frozenset()
            return plural, things, _fresh(plural, things, clock), frozenset()
        except LoginNeeded:
            raise
        except ForbiddenError as error:
            refusal = error.message
            if plural == "namespaces":
                return await _named_spaces(reader, namespaces, clock, needs)
            if not local:
                return plural, (), SourceState(plural, "forbidden", detail=refusal, hint=needs), frozenset()
        except NotFoundError:
            return plural, (), SourceState(plural, "absent", detail="the server does not have it"), frozenset()
        except ConsoleError as error:
            return plural, (), SourceState(plural, "unreachable", detail=error.message), frozenset(namespaces)
    kept: list[Thing] = []
    blind: set[str] = set()
    for namespace in namespaces:
        try:
            kept += (await _list(reader, plural, namespace))[0]
        except LoginNeeded:
            raise
        except ForbiddenError as error:
            refusal = error.message
            blind.add(namespace)
        except ConsoleError as error:
            refusal = error.message
            blind.add(namespace)
    if blind and len(blind) == len(namespaces):
        return plural, (), SourceState(plural, "forbidden", detail=refusal, hint=needs), frozenset(blind)
    detail = f"only namespace {', '.join(n for n in namespaces if n not in blind)}"
    if blind:
        detail += f"; not {', '.join(sorted(blind))}"
    state = SourceState(plural, "partial", detail=detail, hint=needs, last=clock.now())
    return plural, tuple(kept), state, frozenset(blind)


async def _named_spaces(
    reader: Reader, namespaces: tuple[str, ...], clock: Clock, needs: str
) -> tuple[str, tuple[Thing, ...], SourceState, frozenset[str]]:
    """Namespaces one by one: who may not list them may still be allowed to get their own."""
    kept: list[Thing] = []
    blind: set[str] = set()
    refusal = ""
    for namespace in namespaces:
        try:
            body = await reader.get(object_path("v1", "namespaces", name=namespace))
            kept.append(msgspec.json.decode(body, type=Thing))
        except LoginNeeded:
            raise
        except (ConsoleError, msgspec.DecodeError) as error:
            refusal = str(error)
            blind.add(namespace)
    if not kept:
        return "namespaces", (), SourceState("namespaces", "forbidden", detail=refusal, hint=needs), frozenset(blind)
    detail = f"only {', '.join(t.name for t in kept)}"
    return "namespaces", tuple(kept), SourceState("namespaces", "partial", detail, last=clock.now()), frozenset(blind)


def _fresh(plural: str, things: tuple[Thing, ...], clock: Clock) -> SourceState:
    return SourceState(plural, "fresh", detail=f"{len(things)} read", last=clock.now())


async def _list(reader: Reader, plural: str, namespace: str) -> tuple[tuple[Thing, ...], bool]:
    """(objects, whether there are more than we read)."""
    group = GROUPS.get(plural, "")
    path = object_path(f"{group}/v1" if group else "v1", plural, namespace)
    out: list[Thing] = []
    pages = reader.pages(path)
    try:
        async for page in pages:
            try:
                out += listed(page.body)
            except msgspec.DecodeError as error:
                raise ConsoleError(f"the list of {plural} cannot be understood: {error}") from None
            if len(out) >= MAX_OBJECTS:
                return tuple(out), bool(page.more)
    finally:
        await pages.aclose()
    return tuple(out), False


async def read_programs(
    reader: Reader, pods: Iterable[Pod], clock: Clock, *, deadline: float = DEADLINE
) -> tuple[RestDocument, ...]:
    """What living drivers, Connect servers and History Servers say of their version and configuration.

    Servers that do not answer are left out: then their version is not known, which advice says.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    wanted = [p for p in pods if not p.gone and p.phase == "Running"]
    servers = [p for p in wanted if is_history_server(p)]
    drivers = [p for p in wanted if p not in servers]

    async def one(pod: Pod, port: int, *, whole: bool) -> tuple[RestDocument, ...]:
        async with gate:
            name = f"{pod.namespace}/{pod.name}"
            rest = SparkRest(PodEndpoint(reader, pod.namespace, pod.name, port), clock, pod=name)
            try:
                async with asyncio.timeout(6.0):
                    return (await rest.about(whole=whole)).documents
            except (ConsoleError, TimeoutError):
                return ()

    work = [one(p, HISTORY_PORT, whole=False) for p in servers[:4]]
    work += [one(p, UI_PORT, whole=True) for p in drivers[:MAX_PODS]]
    tasks = [asyncio.create_task(each) for each in work]
    if not tasks:
        return ()
    done, late = await asyncio.wait(tasks, timeout=deadline)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return tuple(document for task in tasks if task in done for document in task.result())


def saved_posture(facts: Facts) -> Posture:
    """The security of namespaces as far as a folder of evidence holds it.

    A kind of which the folder holds nothing was not saved: that is no proof that there was none.
    """
    things = {plural: saved(kind, facts.workloads) for plural, kind in KINDS.items()}
    states = {
        plural: SourceState(
            plural,
            "fresh" if found else "absent",
            detail=f"{len(found)} read" if found else "nothing of it in the folder",
        )
        for plural, found in things.items()
    }
    return Posture(things, states)
