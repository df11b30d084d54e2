"""Under which API version a cluster serves a kind, if it does: both Spark operators may be there, one, or none."""

from __future__ import annotations

import asyncio
import time

from console.base.errors import ForbiddenError
from console.sources.cluster.kinds import Kind
from console.wire.reader import Reader

_HOLDS = 30.0


class Versions:
    """Asks discovery, once for all who want to know within half a minute."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._groups: asyncio.Task[dict[str, tuple[str, ...]]] | None = None
        self._asked = 0.0

    async def of(self, kind: Kind, *, fresh: bool = False) -> str:
        """The newest apiVersion with the kind; `` where there is none.

        Args:
            fresh: ask the group again, even if its kinds are known.

        Raises:
            LoginNeeded, ReachError.
        """
        try:
            for version in (await self._known()).get(kind.group, ()):
                api_version = kind.api_version(version)
                found = await self._reader.resources(api_version, fresh=fresh)
                if any(resource.plural == kind.plural for resource in found):
                    return api_version
        except ForbiddenError:
            return kind.api_version(kind.usual)
        return ""

    async def _known(self) -> dict[str, tuple[str, ...]]:
        task = self._groups
        failed = task is not None and task.done() and (task.cancelled() or task.exception() is not None)
        if task is None or failed or time.monotonic() - self._asked > _HOLDS:
            self._asked = time.monotonic()
            task = self._groups = asyncio.create_task(self._reader.groups())
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """Give up what is under way."""
        if self._groups is not None:
            self._groups.cancel()
            await asyncio.gather(self._groups, return_exceptions=True)
