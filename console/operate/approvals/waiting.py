"""Waiting for a second person: whether one can be had, the request that they see, and the approval that they leave."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Any

from console.actions.effects import Preview
from console.base.errors import ConsoleError, ForbiddenError
from console.base.text import clean
from console.base.units import human_duration
from console.operate.approvals.request import LABEL, Approval, ApprovalRequest, approval_of, created, noted, writing
from console.operate.locks import ObjectLock
from console.operate.permission import reviewed
from console.operate.person import NO, STOP_CHOICES, Person, Question
from console.operate.policy import NOWHERE
from console.wire.connection import Identity
from console.wire.errors import NotFoundError
from console.wire.paths import object_path
from console.wire.reader import Reader
from console.wire.writer import Writer

LOOK = 2.0
"""Seconds between two looks for the approval."""
OTHERWISE = "policy.approvals.namespace has to be a namespace where others may create Leases and you may not write"


class NobodyApproved(ConsoleError):
    """No approval, and why."""


@dataclass(frozen=True)
class SecondPerson:
    """What one walk asks others with.

    Attributes:
        place: the namespace where approvals are left, `` where none is configured.
        wait: real seconds.
    """

    reader: Reader
    writer: Writer | None
    identity: Identity
    walk: str
    place: str
    wait: float
    look: float = LOOK

    async def lacking(self) -> str:
        """Why nobody else's consent could be proved here, `` where it can."""
        if not self.place:
            return NOWHERE
        if not self.identity.user:
            return "the cluster does not say as whom it sees you"
        with contextlib.suppress(ConsoleError):
            try:
                await self.reader.object(object_path("v1", "namespaces", "", self.place))
            except NotFoundError:
                return f"there is no namespace {self.place}; {OTHERWISE}"
        for right in writing(self.place):
            try:
                access = await reviewed(self.reader, right)
                unsaid = "" if access.allowed or access.denied else access.error
            except ConsoleError as error:
                return f"whether you may {right.words} could not be asked ({clean(error.message)}); {OTHERWISE}"
            if unsaid:
                return f"whether you may {right.words} is not known ({clean(unsaid)}); {OTHERWISE}"
            if access.allowed:
                return f"you may {right.words} yourself, so an approval in {self.place} proves nobody else; {OTHERWISE}"
        return ""

    def request(self, preview: Preview) -> ApprovalRequest:
        cluster = self.identity.cluster_uid or self.identity.server
        return ApprovalRequest(self.walk, self.identity.user, cluster, self.place, preview, time.time() + self.wait)

    async def ask(self, request: ApprovalRequest) -> dict[str, Any]:
        """Write the request; one that an earlier process of this walk left gives way.

        Raises:
            ConsoleError: it cannot be written.
        """
        assert self.writer is not None
        old = await self.writer.lease_get(request.namespace, request.name)
        if old is not None:
            await self.writer.lease_delete(old)
        return await self.writer.lease_create(
            request.namespace,
            request.name,
            request.walker,
            max(1, round(self.wait)),
            annotations=noted(request),
            labels={LABEL: "request"},
        )

    async def take_back(self, lease: dict[str, Any]) -> None:
        assert self.writer is not None
        with contextlib.suppress(ConsoleError):
            await self.writer.lease_delete(lease)

    async def approved(self, request: ApprovalRequest, lease: dict[str, Any]) -> Approval:
        """The approval, as soon as it is there. One that does not count is not waited out: it may be made anew.

        Args:
            lease: the request as the server has it. How old an approval is is told by the server's clock, not by ours.
        """
        assert self.writer is not None
        asked, began = created(lease) or time.time(), time.monotonic()
        while True:
            try:
                found = await self.writer.lease_get(self.place, request.approval)
            except ForbiddenError as error:
                raise NobodyApproved(f"you may not look for the approval: {error.message}") from None
            except ConsoleError:
                found = None
            if found is not None and isinstance(
                said := approval_of(found, request, asked + time.monotonic() - began), Approval
            ):
                return said
            await asyncio.sleep(self.look)


def question(request: ApprovalRequest, *, context: str, now: float) -> Question:
    """What stands on the screen of who walks meanwhile. Its only answer is not to wait."""
    effect = request.preview.effect
    return Question(
        walk=request.walk,
        step=effect.step,
        kind="approval",
        title="Waits for a second person",
        text=f"Somebody else approves {clean(effect.about)} from their own Console. You can only stop waiting.",
        choices=STOP_CHOICES,
        shows=(
            f"they run: console approve {request.short}",
            f"on {clean(context)}, not as {clean(request.walker)}, and see this change: {clean(effect.title)}",
            f"the digest of what they approve is {request.short}; at most {human_duration(max(0.0, request.left))}",
        ),
        asked=now,
    )


async def waited(
    second: SecondPerson,
    request: ApprovalRequest,
    lease: dict[str, Any],
    asked: Question,
    person: Person,
    lock: ObjectLock | None,
) -> Approval:
    """Wait for the approval, the end of the time, a No of who walks, or the loss of the lock.

    Raises:
        NobodyApproved: the wait ended otherwise.
        ConsoleError: it cannot be looked for.
    """
    found = asyncio.create_task(second.approved(request, lease))
    answer = asyncio.create_task(person.answer(asked))
    lost = asyncio.create_task(asyncio.Event().wait() if lock is None else lock.lost.wait())
    open_: set[asyncio.Task[Any]] = {found, answer, lost}
    try:
        while (left := request.left) > 0:
            done, _ = await asyncio.wait(open_, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if found in done:
                return found.result()
            if lost in done and lock is not None:
                raise NobodyApproved(lock.why)
            if answer in done:
                open_.discard(answer)
                reply = answer.result()
                if reply is not None and reply.value == NO:
                    raise NobodyApproved(f"{clean(reply.by)} stopped waiting for a second person")
        raise NobodyApproved(f"nobody approved it within {human_duration(second.wait)}")
    finally:
        for task in (found, answer, lost):
            task.cancel()
        await asyncio.gather(found, answer, lost, return_exceptions=True)
