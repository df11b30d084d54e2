"""Virtual time: the heap, the two clocks, stepping, pumping and pacing."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from console.drill.session import DrillSession, StepResult
from console.drill.state import cron
from console.drill.state.clock import EventHeap, PacedClock, StepClock
from console.drill.state.resources import PODS
from tests.drill.conftest import YOUNG, Api


def test_things_happen_in_order_and_at_one_time_in_the_order_of_planning() -> None:
    heap, seen = EventHeap(100.0), []
    heap.at(103, lambda: seen.append("c"))
    heap.at(101, lambda: seen.append("a"))
    heap.at(101, lambda: seen.append("b"))
    heap.at(50, lambda: seen.append("past is now"))
    gone = heap.at(102, lambda: seen.append("never"))
    gone.cancel()
    assert heap.advance(102.5) == 3 and heap.now == 102.5
    assert seen == ["past is now", "a", "b"]
    assert heap.pop() and not heap.pop() and heap.now == 103


def test_what_happens_may_plan_more() -> None:
    heap, seen = EventHeap(0.0), []

    def again() -> None:
        seen.append(heap.now)
        if heap.now < 3:
            heap.after(1, again)

    heap.after(1, again)
    heap.advance(10)
    assert seen == [1, 2, 3]


async def test_a_sleeper_wakes_when_the_world_gets_there_whatever_thread_it_is_in() -> None:
    heap = EventHeap(0.0)
    clock, woke = StepClock(heap), threading.Event()

    def other() -> None:
        asyncio.run(clock.sleep(30))
        woke.set()

    thread = threading.Thread(target=other)
    thread.start()
    while not clock.sleepers:
        await asyncio.sleep(0.001)
    heap.advance(29)
    assert clock.wake(heap.now) == 0 and clock.next_wake() == 30
    heap.advance(30)
    assert clock.wake(heap.now) == 1
    assert await asyncio.to_thread(woke.wait, 5)
    thread.join()


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = StepClock(EventHeap(0.0))
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    assert clock.sleepers == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.sleepers == 0 and clock.next_wake() is None


def test_a_paced_clock_runs_faster_but_never_passes_the_wall() -> None:
    clock = PacedClock(time.time() - 10, 100_000.0)
    time.sleep(0.01)
    assert clock.now() <= time.time()
    slow = PacedClock(1000.0, 50.0)
    before = slow.now()
    slow.speed = 1.0
    assert slow.now() == pytest.approx(before, abs=2)
    with pytest.raises(ValueError, match="speed must be positive"):
        slow.speed = 0


@pytest.mark.parametrize(
    ("text", "after", "then"),
    [
        ("*/2 * * * *", 0, 120),
        ("1-59/2 * * * *", 60, 180),
        ("30 2 * * *", 0, 9000),
        ("0 0 * * 1", 0, 4 * 86400),
        ("0 12 1,15 * *", 0, 43200),
        ("0 0 13 * 5", 0, 86400),  # days of the month and of the week: either will do
    ],
)
def test_schedules_come_when_they_should(text: str, after: float, then: float) -> None:
    assert cron.next_after(text, after) == then


@pytest.mark.parametrize("text", ["*/2 * * * *", "1-59/2 * * * *", "*/5 * * * *", "7 * * * *", "30 2 * * *"])
def test_counting_a_schedule_is_as_good_as_walking_it(text: str) -> None:
    start, end = 1_768_200_061.0, 1_768_200_061.0 + 2.3 * 86400
    walked, when = 0, start
    while (when := cron.next_after(text, when)) <= end:
        walked += 1
    assert cron.count(text, start, end) == walked


async def test_a_step_hands_out_the_newest_version_of_each_resource(young: Api) -> None:
    done = StepResult(0, 0)
    while not done.versions:
        done = await young.session.step()
    assert max(done.versions.values()) == done.version == young.session.world.store.version
    assert done.at == young.session.now


async def test_running_wakes_sleepers_in_their_order(young: Api) -> None:
    session, woken = young.session, []

    async def sleeper(seconds: float) -> None:
        await session.clock.sleep(seconds)
        woken.append((seconds, session.now - begin))

    begin = session.now
    tasks = [asyncio.create_task(sleeper(s)) for s in (20, 5, 12)]
    await asyncio.sleep(0)
    await session.run_for(30)
    await asyncio.gather(*tasks)
    assert [s for s, _ in woken] == [5, 12, 20]
    assert all(at == pytest.approx(s, abs=1) for s, at in woken)


async def test_a_pump_moves_time_only_while_somebody_waits(young: Api) -> None:
    session, settled = young.session, []

    async def readers(done: StepResult) -> None:
        settled.append(done.version)

    pump = asyncio.create_task(session.pump(readers))
    begin = session.now
    await asyncio.sleep(0.02)
    assert session.now == begin
    for _ in range(3):
        await session.clock.sleep(10)
    assert 30 <= session.now - begin < 31
    assert settled == sorted(settled) and settled[-1] == session.world.store.version
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)


async def test_a_paced_drill_moves_by_itself_and_stays_in_the_past() -> None:
    async with DrillSession.open(YOUNG, speed=400) as session:
        version, begin = session.world.store.version, session.now
        await session.clock.sleep(60)
        assert session.world.store.version > version
        assert begin + 60 <= session.now < time.time()
        latest = max(p["metadata"]["creationTimestamp"] for p in session.world.store.all(PODS))
        assert latest < time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


async def test_everything_is_gone_after_the_session() -> None:
    session = DrillSession.open(YOUNG, step=True)
    async with session:
        folder, url = session.kubeconfig.parent, session.kube_url
        assert folder.is_dir() and oct(session.kubeconfig.stat().st_mode)[-3:] == "600"
    assert not folder.exists()
    host, port = url.removeprefix("http://").split(":")
    with pytest.raises(OSError, match=r"refused|failed"):
        await asyncio.open_connection(host, int(port))


async def test_a_thousand_seconds_are_two_thousand_events() -> None:
    """Not many more: what they cost is a figure of the benchmarks."""
    async with DrillSession.open("spark-oom", step=True) as session:
        steps = 0
        while session.now < session.begin + 1000:
            await session.step()
            steps += 1
    assert 2000 < steps < 3000
