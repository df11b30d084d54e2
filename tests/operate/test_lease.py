"""A Lease by itself: who may take it, when it counts as lost, and what is given back. No server, no waiting."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.actions.effects import ObjectRef
from console.base.clock import rfc3339
from console.base.errors import ForbiddenError, ReachError
from console.operate.locks import Busy, FileLock, LeaseLock, Locks, lock_name
from console.wire.errors import ConflictError, NotFoundError

APP = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl-orders")
NAME = lock_name(APP)
NOW = 1_795_521_600.0
MINE = "ada@here/w-1"


def lease(holder: str = MINE, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "spark-jobs", "name": NAME}, "spec": {"holderIdentity": holder, **spec}}


class Leases:
    """Writes down what was asked; `get`, `create`, `update` and `delete` are answers in turn, errors are raised."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[Any, ...]] = []

    def _answer(self, verb: str, default: Any = None) -> Any:
        answer = self.answers[verb].pop(0) if self.answers.get(verb) else default
        answer = answer() if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def lease_get(self, namespace: str, name: str) -> Any:
        self.asked.append(("get", namespace, name))
        return self._answer("get")

    async def lease_create(
        self, namespace: str, name: str, holder: str, seconds: int, *, annotations: dict[str, str]
    ) -> Any:
        self.asked.append(("create", namespace, name, holder, seconds, annotations))
        return self._answer("create", lease())

    async def lease_update(self, old: Any, **more: Any) -> Any:
        self.asked.append(("update", old, more))
        return self._answer("update", old)

    async def lease_delete(self, old: Any) -> None:
        self.asked.append(("delete", old))
        self._answer("delete")


class Time:
    """A clock of the machine that moves when it is told to."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def time(self) -> float:
        return NOW + self.passed


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr("console.operate.locks.time", clock)
    return clock


def locks(writer: Leases, folder: Path = Path()) -> Locks:
    return Locks(writer, folder, MINE, renew_seconds=3600)  # type: ignore[arg-type]


def held(writer: Leases) -> LeaseLock:
    return LeaseLock(writer, lease(), MINE, 0.001)  # type: ignore[arg-type]


NOT_FOUND, CONFLICT = NotFoundError("gone", status=404), ConflictError("changed", status=409)


# -- taking ---------------------------------------------------------------------------------------------------------


async def test_a_lease_that_nobody_has_is_made_for_half_a_minute() -> None:
    writer = Leases()
    taken = await locks(writer).take(APP)
    assert writer.asked == [
        ("get", "spark-jobs", NAME),
        ("create", "spark-jobs", NAME, MINE, 30,
         {"console.oncall/object": "SparkApplication/spark-jobs/etl-orders"}),
    ]  # fmt: skip
    assert (taken.kind, taken.why, taken.lost.is_set()) == ("lease", "", False)
    await taken.release()


async def test_an_object_without_a_namespace_is_locked_in_the_default_one() -> None:
    writer = Leases()
    node = ObjectRef("v1", "Node", "", "n-1")
    await (await locks(writer).take(node)).release()
    assert writer.asked[0] == ("get", "default", lock_name(node))


RENEWED = {"leaseDurationSeconds": 60, "renewTime": rfc3339(NOW)}


@pytest.mark.parametrize(
    ("found", "after", "free"),
    [
        (lease("grace", **RENEWED), 90, False),
        (lease("grace", **RENEWED), 91, True),
        (lease("grace", **{**RENEWED, "leaseDurationSeconds": "long"}), 60, False),
        (lease("grace", **{**RENEWED, "leaseDurationSeconds": "long"}), 61, True),
        (lease("grace", leaseDurationSeconds=60), 0, True),
        (lease("", **RENEWED), 0, True),
        (lease(MINE, **RENEWED), 0, True),
        ({"metadata": {"namespace": "spark-jobs", "name": NAME}}, 0, True),
    ],
)
async def test_a_lease_is_free_once_its_time_and_the_skew_of_clocks_are_over(
    clock: Time, found: dict[str, Any], after: float, free: bool
) -> None:
    clock.passed = after
    writer = Leases(get=[found])
    if not free:
        with pytest.raises(Busy):
            await locks(writer).take(APP)
        return
    await (await locks(writer).take(APP)).release()
    notes = {"console.oncall/object": "SparkApplication/spark-jobs/etl-orders"}
    assert writer.asked[1] == ("update", found, {"holder": MINE, "seconds": 30, "annotations": notes})


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"renewTime": rfc3339(NOW - 65)}, "spark-jobs/etl-orders is held by grace, last renewed 1m ago"),
        ({"renewTime": rfc3339(NOW + 65)}, "spark-jobs/etl-orders is held by grace, last renewed 0s ago"),
    ],
)
async def test_who_holds_it_is_said(spec: dict[str, Any], words: str) -> None:
    writer = Leases(get=[lease("grace\x1b[31m", leaseDurationSeconds=600, **spec)])
    with pytest.raises(Busy) as busy:
        await locks(writer).take(APP)
    assert busy.value.message == words
    assert busy.value.hint == "talk to them, or wait for the end"


async def test_a_race_is_tried_three_times() -> None:
    won = Leases(get=[None, lease(""), None], create=[CONFLICT, lease()], update=[NOT_FOUND])
    await (await locks(won).take(APP)).release()
    assert [asked[0] for asked in won.asked][:6] == ["get", "create", "get", "update", "get", "create"]
    lost = Leases(create=[CONFLICT] * 3)
    with pytest.raises(Busy, match="others take its Lease at the same moment") as busy:
        await locks(lost).take(APP)
    assert busy.value.holder == "", "nobody is known from whom it could be taken"
    assert len(lost.asked) == 6


def test_the_holder_is_the_same_for_a_walk_on_its_machine(tmp_path: Path) -> None:
    made = Locks.of(Leases(), tmp_path, "ada", "w-1")  # type: ignore[arg-type]
    assert made.holder == f"ada@{os.uname().nodename}/w-1"
    assert (made.folder, made.renew_seconds) == (tmp_path, 10.0)


def test_who_is_named_with_a_machine_and_a_terminal_is_named_without_the_terminal(tmp_path: Path) -> None:
    made = Locks.of(Leases(), tmp_path, "ada@laptop pts/3", "w-1")  # type: ignore[arg-type]
    assert made.holder == "ada@laptop/w-1"


async def test_a_name_with_strokes_is_still_the_same_walk_and_no_other(tmp_path: Path) -> None:
    fresh = {"renewTime": rfc3339(NOW), "leaseDurationSeconds": 30}
    admin = "ada/admin@here/w-1"
    lock = await Locks(Leases(get=[lease("grace@there/w-1", **fresh)]), tmp_path, admin).take(APP)  # type: ignore[arg-type]
    await lock.release()
    with pytest.raises(Busy):
        await Locks(Leases(get=[lease("eve/admin@here/w-2", **fresh)]), tmp_path, admin).take(APP)  # type: ignore[arg-type]


async def test_a_file_locks_where_leases_are_forbidden(tmp_path: Path) -> None:
    writer = Leases(get=[ForbiddenError("no"), ForbiddenError("no")])
    taken = await locks(writer, tmp_path).take(APP)
    assert isinstance(taken, FileLock)
    assert (taken.kind, taken.path) == ("file", tmp_path / f"{NAME}.lock")
    with pytest.raises(
        Busy, match=rf"^spark-jobs/etl-orders is held by {MINE} \(process {os.getpid()}\), on this mach"
    ):
        await Locks(writer, tmp_path, "grace@there/w-2").take(APP)  # type: ignore[arg-type]
    await taken.release()


# -- keeping --------------------------------------------------------------------------------------------------------


async def renewals(lock: LeaseLock, until: Callable[[], bool]) -> None:
    lock.start()
    async with asyncio.timeout(60):
        while not until():
            await asyncio.sleep(0.001)


async def test_it_is_renewed_for_half_a_minute_more() -> None:
    writer = Leases(update=[lease(MINE, renewTime="later")])
    lock = held(writer)
    assert await lock.check()
    assert writer.asked == [("update", lease(), {"seconds": 30})]
    assert lock.lease == lease(MINE, renewTime="later")


def later(clock: Time, passed: float, answer: Any) -> Callable[[], Any]:
    """The answer, that many seconds after the beginning."""

    def give() -> Any:
        clock.passed = passed
        return answer

    return give


async def test_an_outage_shorter_than_the_lease_loses_nothing(clock: Time) -> None:
    writer = Leases(update=[later(clock, passed, ReachError("down")) for passed in (10, 20, 30)])
    lock = held(writer)
    await renewals(lock, lambda: len(writer.asked) > 3)
    assert not lock.lost.is_set()
    await lock.release()


async def test_an_outage_longer_than_the_lease_loses_it(clock: Time) -> None:
    writer = Leases(update=[later(clock, passed, ReachError("down")) for passed in (10, 20, 31)])
    lock = held(writer)
    await renewals(lock, lock.lost.is_set)
    assert lock.why == "the Lease could not be renewed for 30s: down"
    await asyncio.sleep(0.01)
    assert len(writer.asked) == 3, "what is lost is not renewed"
    await lock.release()
    assert len(writer.asked) == 3, "and not deleted"


async def test_time_counts_from_the_last_renewal(clock: Time) -> None:
    writer = Leases(update=[later(clock, 25, lease()), later(clock, 50, ReachError("down")), later(clock, 55, lease())])
    lock = held(writer)
    await renewals(lock, lambda: len(writer.asked) > 3)
    assert not lock.lost.is_set()
    await lock.release()


@pytest.mark.parametrize("error", [CONFLICT, NOT_FOUND])
@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "the Lease was deleted"),
        (lease("grace\x1b[31m"), "the Lease was taken by grace"),
        (lease(""), "the Lease was taken by nobody"),
        (lease(MINE, resourceVersion="2"), ""),
    ],
)
async def test_a_lease_that_changed_is_looked_at(error: Exception, found: Any, why: str) -> None:
    writer = Leases(update=[error], get=[found])
    lock = held(writer)
    assert await lock.check() is (not why)
    assert (lock.why, lock.lost.is_set()) == (why, bool(why))
    assert writer.asked[1] == ("get", "spark-jobs", NAME)
    if not why:
        assert lock.lease == found


async def test_what_cannot_be_checked_is_lost_and_not_asked_again() -> None:
    writer = Leases(update=[ReachError("down")])
    lock = held(writer)
    assert not await lock.check()
    assert lock.why == "the Lease could not be renewed: down"
    assert not await lock.check()
    assert len(writer.asked) == 1


# -- giving back ----------------------------------------------------------------------------------------------------


async def test_what_is_ours_is_deleted_or_left_to_nobody_where_it_may_not_be() -> None:
    writer = Leases()
    await held(writer).release()
    assert writer.asked == [("delete", lease())]
    writer = Leases(delete=[ForbiddenError("no")])
    await held(writer).release()
    assert writer.asked[1:] == [("update", lease(), {"holder": "", "seconds": 1})]
    await held(Leases(delete=[ReachError("down")])).release()


async def test_the_renewal_ends_with_the_lock() -> None:
    writer = Leases()
    lock = held(writer)
    await renewals(lock, lambda: len(writer.asked) > 1)
    renewal = lock._task
    await lock.release()
    assert renewal is not None and renewal.done()


@pytest.mark.parametrize(("found", "given"), [(lease(), True), (lease("grace"), False), (None, False)])
async def test_only_what_an_earlier_process_of_this_walk_left_is_given_back(found: Any, given: bool) -> None:
    writer = Leases(get=[found])
    await locks(writer).give_back(APP)
    assert writer.asked[0] == ("get", "spark-jobs", NAME)
    assert (("delete", found) in writer.asked) is given
    await locks(Leases(get=[ReachError("down")])).give_back(APP)
    node = Leases()
    await locks(node).give_back(ObjectRef("v1", "Node", "", "n-1"))
    assert node.asked[0][1] == "default"


async def test_who_holds_a_lease_is_who_took_it() -> None:
    taken = await locks(Leases()).take(APP)
    assert isinstance(taken, LeaseLock) and taken.holder == MINE
    await taken.release()


async def test_a_lease_that_is_seized_says_why_and_its_former_holder_is_told(tmp_path: Path) -> None:
    theirs = lease("grace@there/w-9", renewTime=rfc3339(NOW), leaseDurationSeconds=30)
    server = Leases(get=[theirs])
    lock = await Locks(server, tmp_path, MINE).seize(APP, "her laptop died")  # type: ignore[arg-type]
    assert lock.kind == "lease"
    (_, old, more) = server.asked[1]
    assert old == theirs and more["holder"] == MINE
    assert more["annotations"]["console.oncall/taken-because"] == "her laptop died"
    await lock.release()
    taken = lease(MINE)
    taken["metadata"]["annotations"] = {"console.oncall/taken-because": "her laptop\x1b[31m died"}
    former = LeaseLock(Leases(update=[ConflictError("c", status=409)], get=[taken]), theirs, "grace@there/w-9", 10.0)  # type: ignore[arg-type]
    assert not await former.check()
    assert former.why == f"the Lease was taken by {MINE}: her laptop died"


async def test_a_reason_that_never_ends_is_told_in_short() -> None:
    taken = lease("grace@there/w-9")
    taken["metadata"]["annotations"] = {"console.oncall/taken-because": "y" * 500}
    lock = held(Leases(update=[CONFLICT], get=[taken]))
    assert not await lock.check()
    assert lock.why == f"the Lease was taken by grace@there/w-9: {'y' * 199}…"


async def test_a_lock_that_is_only_taken_says_no_why_and_who_holds_it_is_named(tmp_path: Path) -> None:
    server = Leases(get=[None])
    lock = await Locks(server, tmp_path, MINE).take(APP)  # type: ignore[arg-type]
    assert "console.oncall/taken-because" not in server.asked[1][-1]
    await lock.release()
    held = Leases(get=[lease("grace@there/w-9", renewTime=rfc3339(NOW), leaseDurationSeconds=30)])
    with pytest.raises(Busy) as busy:
        await Locks(held, tmp_path, MINE).take(APP)  # type: ignore[arg-type]
    assert busy.value.holder == "grace@there/w-9"


async def test_where_no_lease_may_be_had_the_file_is_seized(tmp_path: Path) -> None:
    server = Leases(get=[ForbiddenError("no"), ForbiddenError("no"), ForbiddenError("no")])
    theirs = await Locks(server, tmp_path, "grace@there/w-9").take(APP)  # type: ignore[arg-type]
    with pytest.raises(Busy) as busy:
        await Locks(server, tmp_path, MINE).take(APP)  # type: ignore[arg-type]
    assert busy.value.holder.startswith("grace@there/w-9 (process ")
    mine = await Locks(server, tmp_path, MINE).seize(APP, "she sleeps")  # type: ignore[arg-type]
    assert isinstance(mine, FileLock) and await mine.check()
    assert not await theirs.check()
    assert theirs.why == f"the lock was taken by {MINE}, because she sleeps (process {os.getpid()})"
    await theirs.release()
    assert await mine.check(), "who lost it gives back nothing of ours"
    await mine.release()


async def test_a_file_that_its_holder_took_away_meanwhile_is_seized_as_well(tmp_path: Path) -> None:
    lock = await locks(Leases(get=[ForbiddenError("no")]), tmp_path).seize(APP, "she sleeps")
    assert isinstance(lock, FileLock) and await lock.check()
    await lock.release()


async def test_the_reason_of_a_former_taking_does_not_stay_on_a_lease_that_is_only_taken(tmp_path: Path) -> None:
    free = lease("")
    free["metadata"]["annotations"] = {"console.oncall/taken-because": "long ago"}
    server = Leases(get=[free])
    lock = await Locks(server, tmp_path, MINE).take(APP)  # type: ignore[arg-type]
    assert server.asked[1][-1]["annotations"]["console.oncall/taken-because"] == ""
    await lock.release()


async def test_who_took_a_walk_over_has_its_locks_and_another_walk_of_theirs_does_not(tmp_path: Path) -> None:
    fresh = {"renewTime": rfc3339(NOW), "leaseDurationSeconds": 30}
    lock = await Locks(Leases(get=[lease("grace@there/w-1", **fresh)]), tmp_path, MINE).take(APP)  # type: ignore[arg-type]
    await lock.release()
    for holder in ("grace@there/w-2", "w-1", "grace@there"):
        with pytest.raises(Busy):
            await Locks(Leases(get=[lease(holder, **fresh)]), tmp_path, MINE).take(APP)  # type: ignore[arg-type]
    with pytest.raises(Busy):
        await Locks(Leases(get=[lease("x", **fresh)]), tmp_path, "ada").take(APP)  # type: ignore[arg-type]
    nowhere = Leases(get=[ForbiddenError("no"), ForbiddenError("no")])
    theirs = await Locks(nowhere, tmp_path, "grace@there/w-1").take(APP)  # type: ignore[arg-type]
    mine = await Locks(nowhere, tmp_path, MINE).take(APP)  # type: ignore[arg-type]
    assert await mine.check() and not await theirs.check()
    assert theirs.why == f"the lock was taken by {MINE} (process {os.getpid()})"
    await theirs.release()
    await mine.release()
