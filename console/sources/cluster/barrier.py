"""Waiting for a resourceVersion to arrive, so that a rehearsal and its observer move in lock step."""

from __future__ import annotations

import asyncio


class Barrier:
    """Who waits for which version of which kind. Versions are numbers, as API servers have them."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []

    def reached(self, kind: str, version: str) -> None:
        """`version` of `kind` is here."""
        if not self._waiting or not version.isdigit():
            return
        for name, wanted, future in self._waiting:
            if name == kind and int(version) >= wanted and not future.done():
                future.set_result(None)

    async def wait(self, kind: str, wanted: int) -> None:
        """Return when that version was reached."""
        entry = (kind, wanted, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        try:
            await entry[2]
        finally:
            self._waiting.remove(entry)
