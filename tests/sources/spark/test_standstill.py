"""An application that does not get on is asked for its threads, twice, and no other is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from console.base.clock import rfc3339
from console.base.errors import ReachError
from console.facts.model import Origin, RestDocument
from console.sources.spark.rest import RestRead
from console.sources.spark.standstill import AGAIN, MOST_EXECUTORS, STILL, TASKS_STILL, ThreadDumps, standstill

BEGUN = 1_800_000_000.0


class Hand:
    """A clock that is set by hand."""

    speed = 1.0

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class Driver:
    """Answers dumps, and notes who was asked."""

    def __init__(self, clock: Hand) -> None:
        self.clock = clock
        self.asked: list[tuple[str, ...]] = []
        self.refuses = False

    async def threads(self, app_id: str, whose: Sequence[str], *, deadline: float = 10.0) -> RestRead:
        if self.refuses:
            raise ReachError("no one listens at port 4040")
        self.asked.append(tuple(whose))
        self.clock.at += 1.0
        return RestRead(tuple(doc(f"threads/{who}", [], self.clock.at) for who in whose))


def doc(path: str, data: Any, at: float = BEGUN) -> RestDocument:
    return RestDocument(path, data, Origin("spark-rest", path, at), app_id="spark-1")


def stamp(at: float) -> str:
    return (rfc3339(at) or "").replace("Z", ".000GMT")


def answers(*, done: int = 0, busy: dict[str, int] | None = None, stage: str = "ACTIVE", job: str = "RUNNING") -> Any:
    rows = [{"id": "driver", "isActive": True, "activeTasks": 0}]
    rows += [{"id": who, "isActive": True, "activeTasks": n} for who, n in ({"1": 2} if busy is None else busy).items()]
    jobs = [{"jobId": 3, "status": job, "numCompletedTasks": done, "submissionTime": stamp(BEGUN)}]
    begun = {"submissionTime": stamp(BEGUN), "firstTaskLaunchedTime": stamp(BEGUN)}
    ended = {"completionTime": stamp(BEGUN + 5)} if stage == "COMPLETE" else {}
    stages = [
        {"stageId": 4, "attemptId": 0, "status": stage, "numTasks": 9, "numCompleteTasks": done, **begun, **ended}
    ]
    return [doc("", {"id": "spark-1"}), doc("allexecutors", rows), doc("jobs", jobs), doc("stages", stages)]


@pytest.mark.parametrize(
    ("now", "given", "whose"),
    [
        (STILL - 1, answers(), None),
        (STILL, answers(), ("driver",)),
        (TASKS_STILL, answers(), ("driver", "1")),
        (TASKS_STILL, answers(busy={"1": 1, "2": 4, "3": 3}), ("driver", "2", "3")),
        (STILL + 4, answers(stage="COMPLETE", busy={}), None),
        (STILL + 5, answers(stage="COMPLETE", busy={}), ("driver",)),
        (STILL, answers(job="SUCCEEDED"), None),
        (STILL, answers(busy={}), None),
        (STILL, answers(done=7), None),
    ],
    ids=[
        "not long enough",
        "no first task has ended",
        "nor for a quarter of an hour",
        "of many executors those with most tasks at work",
        "between two stages",
        "a job without a stage",
        "nothing runs",
        "it waits for executors",
        "when its last task ended cannot be told from one look",
    ],
)
def test_who_is_asked_follows_from_what_runs_and_for_how_long(now: float, given: Any, whose: Any) -> None:
    still = standstill(given, None, BEGUN + now)
    assert (still.whose if still else None) == whose
    assert still is None or len(still.whose) <= 1 + MOST_EXECUTORS


async def test_a_driver_that_stands_is_dumped_twice_at_once_and_then_seldom() -> None:
    clock = Hand(BEGUN + STILL)
    driver, dumps = Driver(clock), ThreadDumps(clock, gap=0.0)
    rest: Any = driver
    await dumps.follow(rest, answers())
    first, last = dumps.documents
    assert first.path == last.path == "threads/driver" and first.origin.at != last.origin.at
    await dumps.follow(rest, answers())
    assert len(driver.asked) == 2, "a dump stops the JVM for a moment"
    clock.at += AGAIN
    await dumps.follow(rest, answers())
    assert [d.origin.at for d in dumps.documents] == [first.origin.at, clock.at], "the first and the latest are kept"


async def test_a_task_that_ends_puts_the_dumps_away_and_begins_the_wait_anew() -> None:
    clock = Hand(BEGUN + STILL)
    driver, dumps = Driver(clock), ThreadDumps(clock, gap=0.0)
    rest: Any = driver
    await dumps.follow(rest, answers())
    await dumps.follow(rest, answers(done=1))
    assert dumps.documents == () and len(driver.asked) == 2
    clock.at += STILL - 1
    await dumps.follow(rest, answers(done=1))
    assert len(driver.asked) == 2
    clock.at += 1
    await dumps.follow(rest, answers(done=1))
    assert len(driver.asked) == 4 and len(dumps.documents) == 2, "what is looked at for long is known without its times"


async def test_a_driver_that_gives_no_dump_is_said_and_breaks_nothing() -> None:
    clock = Hand(BEGUN + STILL)
    driver, dumps = Driver(clock), ThreadDumps(clock, gap=0.0)
    driver.refuses = True
    rest: Any = driver
    await dumps.follow(rest, answers())
    assert dumps.documents == () and dumps.unread == (("threads of spark-1", "no one listens at port 4040"),)
