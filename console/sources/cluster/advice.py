"""What advice is made of beside the facts: the catalogue of Spark's keys, what drivers and History Servers say of
themselves, and the security of namespaces, live or out of a saved folder. Bounded one-shot reads, only when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from console import advice
from console.advice.catalogue import KeyCatalogue, read
from console.advice.objects import CLUSTER_WIDE, GROUPS, KINDS, Posture, PostureObject, listed, saved
from console.advice.version import is_history_server
from console.base.clock import Clock
from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded
from console.base.jsontext import decode_json
from console.facts.leftout import LeftOut
from console.facts.model import Facts, Pod, RestDocument, SourceState, SourceStateWord
from console.sources.spark.rest import HISTORY_PORT, UI_PORT, SparkRest
from console.wire.endpoint import PodEndpoint
from console.wire.errors import NotFoundError
from console.wire.paths import object_path

if TYPE_CHECKING:
    from console.wire.reader import Reader

AT_ONCE = 4
MAX_OBJECTS = 20_000
"""Objects of one kind that are read at most; a cluster with more is read in part, which is said."""
_NAMED = 5
DEADLINE = 20.0
"""Seconds for everything; what is not there by then is not judged."""
_LATE = "not read in time"


@cache
def catalogue() -> KeyCatalogue:
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

    async def one(plural: str) -> tuple[str, tuple[PostureObject, ...], SourceState, frozenset[str]]:
        async with gate:
            if groups is not None and plural in GROUPS and GROUPS[plural] not in groups:
                gone = SourceState(plural, "absent", detail="the server does not have it")
                return plural, (), gone, frozenset()
            try:
                return await _kind(reader, plural, tuple(namespaces), clock, wide, end)
            except TimeoutError:
                return plural, (), SourceState(plural, "unreachable", detail=_LATE), frozenset(namespaces)

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
    reader: Reader, plural: str, namespaces: tuple[str, ...], clock: Clock, wide: bool, end: float
) -> tuple[str, tuple[PostureObject, ...], SourceState, frozenset[str]]:
    needs = f'apiGroups: ["{GROUPS.get(plural, "")}"], resources: ["{plural}"], verbs: ["list"]'
    local = plural not in CLUSTER_WIDE
    if wide or not local:
        try:
            async with asyncio.timeout_at(end):
                things, cut = await _list(reader, plural, "")
            if cut:
                detail = f"the first {len(things)} only"
                state = SourceState(plural, "partial", detail=detail, last=clock.now())
                return plural, things, state, frozenset((*namespaces, ""))
            return plural, things, _fresh(plural, things, clock), frozenset()
        except LoginNeeded:
            raise
        except ForbiddenError as error:
            if plural == "namespaces":
                return _as_asked(await _named_spaces(reader, namespaces, clock, needs, end), wide)
            if not local:
                return plural, (), SourceState(plural, "forbidden", detail=error.message, hint=needs), frozenset()
        except NotFoundError:
            return plural, (), SourceState(plural, "absent", detail="the server does not have it"), frozenset()
        except ConsoleError as error:
            return plural, (), SourceState(plural, "unreachable", detail=error.message), frozenset(namespaces)
    return _as_asked(await _one_by_one(reader, plural, namespaces, clock, needs, end), wide)


_OfKind = tuple[str, tuple[PostureObject, ...], SourceState, frozenset[str]]


def _as_asked(read: _OfKind, wide: bool) -> _OfKind:
    """Where only these namespaces were asked for, and all of them could be read, nothing is lacking."""
    plural, things, state, blind = read
    if wide or blind or state.state != "partial":
        return read
    return plural, things, replace(state, state="fresh"), blind


async def _one_by_one(
    reader: Reader, plural: str, namespaces: tuple[str, ...], clock: Clock, needs: str, end: float
) -> tuple[str, tuple[PostureObject, ...], SourceState, frozenset[str]]:
    """The objects of each namespace by itself. Those that may not be read, or not in time, are named."""
    if not namespaces:
        nowhere = SourceState(plural, "forbidden", detail="no namespace is known in which to read it", hint=needs)
        return plural, (), nowhere, frozenset()
    refusal = ""
    kept: list[PostureObject] = []
    blind: set[str] = set()
    refused: set[str] = set()
    for namespace in namespaces:
        try:
            async with asyncio.timeout_at(end):
                things, cut = await _list(reader, plural, namespace)
        except LoginNeeded:
            raise
        except ConsoleError as error:
            refusal = error.message
            refused.add(namespace)
        except TimeoutError:
            refusal = _LATE
            refused.add(namespace)
        else:
            kept += things
            if cut:
                blind.add(namespace)
    cut_short, blind = sorted(blind), blind | refused
    if refused and len(refused) == len(namespaces):
        word: SourceStateWord = "unreachable" if refusal == _LATE else "forbidden"
        return plural, tuple(kept), SourceState(plural, word, detail=refusal, hint=needs), frozenset(blind)
    whole = [n for n in namespaces if n not in blind]
    parts = [f"only namespace {_named(whole)}"] if whole else []
    parts += [f"the first {MAX_OBJECTS} only of {_named(cut_short)}"] if cut_short else []
    late = f" ({refusal})" if refusal == _LATE else ""
    parts += [f"not {_named(sorted(refused))}{late}"] if refused else []
    detail = "; ".join(parts)
    state = SourceState(plural, "partial", detail=detail, hint=needs, last=clock.now())
    return plural, tuple(kept), state, frozenset(blind)


async def _named_spaces(
    reader: Reader, namespaces: tuple[str, ...], clock: Clock, needs: str, end: float
) -> tuple[str, tuple[PostureObject, ...], SourceState, frozenset[str]]:
    """Namespaces one by one: who may not list them may still be allowed to get their own."""
    kept: list[PostureObject] = []
    blind: set[str] = set()
    refusal = ""
    for namespace in namespaces:
        try:
            async with asyncio.timeout_at(end):
                body = await reader.get(object_path("v1", "namespaces", name=namespace))
            kept.append(decode_json(body, PostureObject))
        except LoginNeeded:
            raise
        except (ConsoleError, msgspec.DecodeError) as error:
            refusal = str(error)
            blind.add(namespace)
        except TimeoutError:
            refusal = _LATE
            blind.add(namespace)
    if not kept:
        return "namespaces", (), SourceState("namespaces", "forbidden", detail=refusal, hint=needs), frozenset(blind)
    detail = f"only {_named([t.name for t in kept])}"
    return "namespaces", tuple(kept), SourceState("namespaces", "partial", detail, last=clock.now()), frozenset(blind)


def _named(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _fresh(plural: str, things: tuple[PostureObject, ...], clock: Clock) -> SourceState:
    return SourceState(plural, "fresh", detail=f"{len(things)} read", last=clock.now())


async def _list(reader: Reader, plural: str, namespace: str) -> tuple[tuple[PostureObject, ...], bool]:
    """(objects, whether there are more than we read)."""
    group = GROUPS.get(plural, "")
    path = object_path(f"{group}/v1" if group else "v1", plural, namespace)
    out: list[PostureObject] = []
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
) -> tuple[tuple[RestDocument, ...], tuple[LeftOut, ...]]:
    """What living drivers, Connect servers and History Servers say of their version and configuration.

    Servers that do not answer are left out: then their version is not known, which advice says. So are those that were
    not reached within `deadline`, which is said too.
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

    work = [one(p, HISTORY_PORT, whole=False) for p in servers]
    work += [one(p, UI_PORT, whole=True) for p in drivers]
    tasks = [asyncio.create_task(each) for each in work]
    if not tasks:
        return (), ()
    done, late = await asyncio.wait(tasks, timeout=deadline)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    what = f"drivers and History Servers were asked within {deadline:.0f}s"
    left_out = (LeftOut("spark", what, len(done), len(tasks), blinds=True),) if late else ()
    return tuple(document for task in tasks if task in done for document in task.result()), left_out


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
