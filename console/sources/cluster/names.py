"""Names of objects that others name, and nothing else of them: rarely read, only where something names one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from console.base.clock import Clock
from console.base.errors import ConsoleError, ReachError
from console.facts.leftout import LeftOut, bounded
from console.facts.model import Facts
from console.facts.references import references
from console.sources.cluster.lists import loose_page, named
from console.wire.paths import object_path

if TYPE_CHECKING:
    from console.wire.reader import Reader

METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
MAX_NAMESPACES = 40
"""Namespaces whose names are read."""
_AT_ONCE = 4
PLURALS = {
    "ConfigMap": "configmaps", "Secret": "secrets", "ServiceAccount": "serviceaccounts",
    "PersistentVolumeClaim": "persistentvolumeclaims", "Service": "services",
}  # fmt: skip


@dataclass
class ReferencedNames:
    """Names by `Kind/namespace`, each complete or not there. Belongs to one event loop.

    Args:
        again: seconds of the clock after which they are read again.
    """

    reader: Reader
    clock: Clock
    again: float
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    unread: tuple[tuple[str, str], ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    _at: float | None = None
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def refresh(self, facts: Facts, namespaces: Iterable[str], known: Container[str] = ()) -> bool:
        """Read what is due. True when something was read. A lost connection leaves what is known.

        Args:
            namespaces: those of the platform; what others name is no business of ours.
            known: `Kind/namespace` of which the names are known already.
        """
        now = self.clock.now()
        if self._at is not None and now - self._at < self.again:
            return False
        mine = set(namespaces)
        wanted = sorted(
            {
                (one.kind, one.namespace)
                for one in references(facts)
                if one.kind in PLURALS and one.namespace in mine and one.target.rpartition("/")[0] not in known
            }
        )
        spaces, left_out = bounded(
            sorted({space for _, space in wanted}),
            MAX_NAMESPACES,
            source="names",
            what="namespaces have the names read that others refer to",
            name=str,
        )
        unread: list[tuple[str, str]] = []
        try:
            read = await asyncio.gather(
                *(self._names(kind, space, unread) for kind, space in wanted if space in spaces)
            )
        except ReachError:
            return False
        self.names = {key: found for key, found in read if found is not None}
        self._at, self.unread, self.left_out = now, tuple(unread), tuple(left_out)
        return True

    async def _names(self, kind: str, space: str, unread: list[tuple[str, str]]) -> tuple[str, frozenset[str] | None]:
        key, names = f"{kind}/{space}", set[str]()
        path = object_path("v1", PLURALS[kind], space)
        try:
            async with self._gate, contextlib.aclosing(self.reader.pages(path, accept=METADATA)) as pages:
                async for page in pages:
                    names |= {item["metadata"]["name"] for item in loose_page(page.body, kind)[1] if named(item)}
        except ReachError:
            raise
        except (ConsoleError, msgspec.DecodeError) as error:
            unread.append((f"names of {PLURALS[kind]} in {space}", str(error)))
            return key, None
        return key, frozenset(names)
