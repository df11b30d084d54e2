"""What changed since the last good run of an application: one that the cluster still has, or the History Server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from console.apps.model import SparkApp
from console.base.errors import ConsoleError
from console.facts.model import Facts, Origin, Pod, RestDocument, Workload
from console.findings.against.compare import Comparison
from console.sources.cluster import decode
from console.sources.cluster.lists import loose_page, named
from console.wire.paths import object_path

if TYPE_CHECKING:
    from console.findings.case import Case
    from console.findings.model import Finding
    from console.live.times import TimesReader
    from console.wire.reader import Reader

NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Lists without contents: of Secrets and ConfigMaps only names and times are wanted."""
MOST_NAMES = 2_000
SIDE = (("v1", "configmaps", "ConfigMap"), ("v1", "secrets", "Secret"),
         ("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"))  # fmt: skip


class AgainstRead(Struct, frozen=True):
    """A comparison, or why there is none. `unread`: (what, why)."""

    state: Literal["ready", "no data"]
    comparison: Comparison | None = None
    detail: str = ""
    unread: tuple[tuple[str, str], ...] = ()


async def read_against(
    facts: Facts, apps: tuple[SparkApp, ...], app: SparkApp, findings: tuple[Finding, ...], run: str,
    reader: Reader, times: TimesReader,
) -> AgainstRead:  # fmt: skip
    """`app` compared with `run` (a name, `namespace/name` or Spark's id), else with the last good run that is known."""
    from console.findings.against.choose import against, good_runs, named_run
    from console.findings.case import ClusterView

    beside, unread = await beside_run(reader, app.namespace, facts.at)
    view = ClusterView(msgspec.structs.replace(facts, workloads=(*facts.workloads, *beside)), apps)
    named = named_run(view, run) if run else None
    known = good_runs(view, app) if not run else [named] if named is not None else []
    told, why = await times.documents(app, _driver_of(app, facts), run, other=not known)
    own = tuple(doc for doc in told if doc.app_id == app.app_id)
    if own:
        view = ClusterView(msgspec.structs.replace(view.facts, rest=(*view.facts.rest, *own)), apps)
        known = [case for one in known if (case := view.case_of(one.app.key)) is not None]
    case = view.case_of(app.key)
    if not known:
        other = tuple(doc for doc in told if doc.app_id != app.app_id)
        known = _of_history(other, facts, app)
    if case is None or not known:
        missing = f"no run {run!r} is known here" if run else "no good run of it is known here"
        return AgainstRead("no data", detail=f"{missing}{f': {why}' if why else ''}", unread=unread)
    return AgainstRead("ready", against(case, known[0], findings, known[1:]), unread=unread)


def _driver_of(app: SparkApp, facts: Facts) -> Pod | None:
    wanted = (app.driver.namespace or app.namespace, app.driver.pod) if app.driver is not None else ("", "")
    return next((pod for pod in facts.pods if (pod.namespace, pod.name) == wanted), None)


def _of_history(documents: tuple[RestDocument, ...], facts: Facts, app: SparkApp) -> list[Case]:
    """A run that only the History Server knows, as a case of its own."""
    from console.apps.assemble import assemble
    from console.findings.case import ClusterView

    if not documents:
        return []
    alone = Facts(at=facts.at, rest=documents, saved=True)
    return ClusterView(alone, assemble(alone)).cases[:1]


async def beside_run(
    reader: Reader, namespace: str, now: float
) -> tuple[tuple[Workload, ...], tuple[tuple[str, str], ...]]:
    """Names of ConfigMaps, Secrets and policies of a namespace with when they were written to, and what was refused."""
    found = await asyncio.gather(*(_names(reader, *kind, namespace, now) for kind in SIDE))
    out = tuple(one for listed in found if not isinstance(listed, str) for one in listed)
    unread = tuple((kind[1], listed) for kind, listed in zip(SIDE, found, strict=True) if isinstance(listed, str))
    return out, unread


async def _names(
    reader: Reader, api_version: str, plural: str, kind: str, namespace: str, now: float
) -> list[Workload] | str:
    out: list[Workload] = []
    path = object_path(api_version, plural, namespace)
    try:
        async with contextlib.aclosing(reader.pages(path, accept=NAMES_ONLY)) as pages:
            async for page in pages:
                out += _metadata(loose_page(page.body, kind)[1], api_version, kind, path, now)
                if len(out) > MOST_NAMES:
                    return f"there are more than {MOST_NAMES}"
    except (ConsoleError, msgspec.DecodeError) as error:
        return str(error)
    return out


def _metadata(trees: Iterable[Any], api_version: str, kind: str, path: str, now: float) -> list[Workload]:
    """The objects without what they hold, whatever the server sent."""
    kept = [{"apiVersion": api_version, "kind": kind, "metadata": t["metadata"]} for t in trees if named(t)]
    return [decode.workload(t, Origin("kubernetes", f"{path}/{t['metadata']['name']}", now)) for t in kept]
