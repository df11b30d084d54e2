"""The second person's side of a cluster: what others ask for, and a yes to it. It needs no picture of the cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from console.live.plan import Plan
from console.operate import approving
from console.operate.approval import ApprovalRequest
from console.operate.approving import Requests
from console.operate.person import Person
from console.operate.policy import ChangeRules
from console.wire.connection import Connection

T = TypeVar("T")


def requests(plan: Plan) -> Requests:
    """The open requests of a cluster: of the namespace that was named, else of all that may be looked at.

    Raises:
        LoginNeeded, ReachError: there is no cluster to be asked.
    """
    named = (plan.ref.namespace,) if plan.ref.namespace and not plan.all_namespaces else ()
    return _with(plan, lambda connection: approving.requests(connection, named))


def approve(plan: Plan, request: ApprovalRequest, person: Person) -> int:
    """Ask the person, and leave their approval. Returns for how many seconds it counts.

    Raises:
        RefusedError: they may not, or said no.
    """
    rules = ChangeRules.of(plan.settings)
    return _with(plan, lambda connection: approving.approve(connection, rules, request, person))


def _with(plan: Plan, work: Callable[[Connection], Awaitable[T]]) -> T:
    async def run() -> T:
        connection = await Connection.open(plan.ref)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())
