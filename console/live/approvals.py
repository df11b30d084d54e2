"""The second person's side of a cluster: what others ask for, and a yes to it. It needs no picture of the cluster."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from console.base.errors import ConsoleError
from console.live.connect import Connected
from console.live.plan import Plan
from console.operate.approvals import giving
from console.operate.approvals.giving import Requests
from console.operate.approvals.request import ApprovalRequest
from console.operate.person import Person, Question
from console.operate.policy import ChangeRules
from console.wire.connection import Connection

T = TypeVar("T")


def requests(plan: Plan) -> Requests:
    """The open requests of a cluster: of the namespace that was named, else of all that may be looked at.

    Raises:
        LoginNeeded, ReachError: there is no cluster to be asked.
    """
    return _with(plan, lambda connection: giving.requests(connection, plan.named))


def approve(plan: Plan, request: ApprovalRequest, person: Person) -> int:
    """Ask the person, and leave their approval. Returns for how many seconds it counts.

    Raises:
        RefusedError: they may not, or said no.
    """
    rules = ChangeRules.of(plan.settings)
    return _with(plan, lambda connection: giving.approve(connection, rules, request, person))


class OpenRequests:
    """What others ask for on the cluster of a session, and a yes to it. Nothing is asked where no place is configured.

    Args:
        changed: called when there are other requests than before.
    """

    def __init__(self, at: Connected, changed: Callable[[], None]) -> None:
        self._at, self._changed = at, changed
        self._rules = ChangeRules.of(at.settings)
        self.open: tuple[ApprovalRequest, ...] = ()

    async def watch(self) -> None:
        """Look for requests until cancelled."""
        while self._rules.approvals:
            with contextlib.suppress(ConsoleError):
                found = (await giving.requests(self._at.connection)).open
                mine = tuple(one for one in found if one.walker != self._at.connection.identity.user)
                if mine != self.open:
                    self.open = mine
                    self._changed()
            await asyncio.sleep(self._at.plan.pace.reads)

    async def question(self, digest: str) -> Question:
        """What the person is shown, worked out from the cluster as it is now.

        Raises:
            UsageError: it is not asked any more.
        """
        request, connection = giving.chosen(self.open, digest), self._at.connection
        seen = await giving.seen_here(connection, self._rules, request)
        return giving.question(request, connection.identity.context, seen)

    async def approve(self, digest: str, person: Person) -> int:
        """Leave the person's approval. Returns for how many seconds it counts.

        Raises:
            RefusedError: they may not, or said no.
        """
        request = giving.chosen(self.open, digest)
        return await giving.approve(self._at.connection, self._rules, request, person)


def _with(plan: Plan, work: Callable[[Connection], Awaitable[T]]) -> T:
    async def run() -> T:
        connection = await Connection.open(plan.ref)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())
