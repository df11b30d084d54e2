"""What stands beside the components in their namespaces: policies, Services and who answers behind them, Jobs,
ConfigMaps. Read rarely and as whole lists, so that what is not among them is known not to be there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from console.base.clock import Clock
from console.base.errors import ConsoleError, ReachError
from console.facts.leftout import LeftOut, bounded
from console.facts.model import Facts, Origin, Workload
from console.facts.notjudged import NotJudged
from console.sources.cluster import decode
from console.sources.cluster.configmaps import PlainConfigMaps
from console.sources.cluster.kinds import Kind
from console.sources.cluster.lists import loose_page, named
from console.sources.cluster.versions import Versions
from console.wire.errors import NotFoundError
from console.wire.paths import object_path

if TYPE_CHECKING:
    from console.wire.reader import Reader

MAX_NAMESPACES, MAX_OBJECTS = 40, 2_000
"""Namespaces that are read, and objects of one kind in one of them; where there are more, none of that kind count."""
_AT_ONCE = 4
LOCAL_KINDS = (
    Kind("services", "Service", "services"),
    Kind("endpointslices", "EndpointSlice", "endpointslices", "discovery.k8s.io", "", usual="v1"),
    Kind("networkpolicies", "NetworkPolicy", "networkpolicies", "networking.k8s.io", "", usual="v1"),
    Kind("jobs", "Job", "jobs", "batch", "", usual="v1"),
)
_ADMISSION = "admissionregistration.k8s.io"
WIDE_KINDS = (
    Kind("namespaces", "Namespace", "namespaces", namespaced=False),
    *(
        Kind(plural, kind, plural, _ADMISSION, namespaced=False)
        for kind, plural in (
            ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
            ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
        )
    ),
)


@dataclass
class BesideComponents:
    """Objects and the names of them by `Kind/namespace`, each complete or not there. Belongs to one event loop.

    Args:
        again: seconds of the clock after which they are read again.
    """

    reader: Reader
    clock: Clock
    again: float
    objects: tuple[Workload, ...] = ()
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    unread: tuple[tuple[str, str], ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    _at: float | None = None
    _spaces: frozenset[str] = frozenset()
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def __post_init__(self) -> None:
        self._versions = Versions(self.reader)
        self._configmaps = PlainConfigMaps(self.reader, self.clock)

    def beside(self, facts: Facts) -> tuple[Workload, ...]:
        """The workloads of `facts`, and what was read here."""
        return (*facts.workloads, *self.objects)

    async def refresh(self, namespaces: Iterable[str]) -> bool:
        """Read what is due. True when something was read. A lost connection leaves what is known."""
        now, wanted = self.clock.now(), frozenset(namespaces)
        if self._at is not None and now - self._at < self.again and wanted <= self._spaces:
            return False
        spaces, left_out = bounded(
            sorted(wanted), MAX_NAMESPACES, source="components",
            what="namespaces have the policies, Services and Jobs beside components read", name=str,
        )  # fmt: skip
        asked = [(kind, space) for kind in LOCAL_KINDS for space in spaces] + [
            (kind, "") for kind in WIDE_KINDS if spaces
        ]
        unread: list[tuple[str, str]] = []
        try:
            read = await asyncio.gather(*(self._list(kind, space, unread) for kind, space in asked))
            await self._configmaps.refresh(spaces)
        except ReachError:
            return False
        plain = self._configmaps
        self.objects = (*(one for _, found in read for one in found or ()), *plain.objects)
        names = {key: frozenset(one.name for one in found) for key, found in read if found is not None}
        self.names = {**names, **plain.names}
        self._at, self._spaces = now, wanted
        self.unread, self.left_out = (*unread, *plain.unread), (*left_out, *plain.left_out)
        return True

    async def stop(self) -> None:
        """Give up what is under way."""
        await self._versions.stop()

    async def _list(
        self, kind: Kind, space: str, unread: list[tuple[str, str]]
    ) -> tuple[str, tuple[Workload, ...] | None]:
        """The objects, none where the server does not know the kind; None where they may not be read."""
        key = f"{kind.kind}/{space}"
        try:
            async with self._gate:
                version = kind.version or await self._versions.of(kind)
                if not version:
                    return key, ()
                return key, await self._objects(kind, kind.api_version() if kind.version else version, space)
        except NotFoundError:
            return key, ()
        except ReachError:
            raise
        except (ConsoleError, msgspec.DecodeError) as error:
            unread.append((f"{kind.plural} in {space}" if space else kind.plural, str(error)))
            return key, None

    async def _objects(self, kind: Kind, api_version: str, space: str) -> tuple[Workload, ...]:
        out: list[Workload] = []
        path = object_path(api_version, kind.plural, space)
        async with contextlib.aclosing(self.reader.pages(path)) as pages:
            async for page in pages:
                for tree in loose_page(page.body, kind.kind)[1]:
                    if isinstance(tree, NotJudged) or not named(tree):
                        raise ConsoleError(f"one of the {kind.plural} cannot be understood")
                    if not _of_cronjob(tree):
                        out.append(self._workload(tree, kind, api_version, path))
                if len(out) > MAX_OBJECTS:
                    raise ConsoleError(f"there are more than {MAX_OBJECTS}")
        return tuple(out)

    def _workload(self, tree: dict[str, Any], kind: Kind, api_version: str, path: str) -> Workload:
        whole: dict[str, Any] = {"apiVersion": api_version, "kind": kind.kind, **tree}
        if kind.kind == "EndpointSlice":
            whole = {**whole, "spec": {"endpoints": tree.get("endpoints") or [], "ports": tree.get("ports") or []}}
        name = tree["metadata"]["name"]
        return decode.workload(whole, Origin("kubernetes", f"{path}/{name}", self.clock.now()))


def _of_cronjob(tree: dict[str, Any]) -> bool:
    """Whether a CronJob makes it, which describes it already."""
    owners = tree["metadata"].get("ownerReferences")
    return isinstance(owners, list) and any(isinstance(one, dict) and one.get("kind") == "CronJob" for one in owners)
