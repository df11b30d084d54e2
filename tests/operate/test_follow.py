"""What is seen after a walk has ended well is recorded once, and stands in the next session too."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.base.clock import WallClock
from console.base.errors import RefusedError
from console.operate.desk import Desk
from console.operate.journal import Journal
from console.operate.known import FOLLOWED
from console.operate.locks import lock_walk
from console.operate.policy import ChangeRules
from console.runbook.afterwards.recurrence import WhatFollowed
from console.wire.connection import Identity
from tests.operate.tower import desk
from tests.timeline.story import BEGAN, WALK, written

SERVER = "https://127.0.0.1:6443"
AGAIN = WhatFollowed("recurred", "the next run has the old value")


class Later(WallClock):
    def __init__(self, seconds: float) -> None:
        self._at = BEGAN + seconds

    def now(self) -> float:
        return self._at


def session(folder: Path, seconds: float = 1000.0) -> Desk:
    known: Any = SimpleNamespace(identity=Identity("spark-jobs", SERVER, "", "jobs"))
    return desk(
        known, "spark-jobs", folder, clock=Later(seconds), rules=ChangeRules(mode="read-only"),
        cluster={"server": SERVER},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(Journal(tmp_path / "journal.db"))
    return tmp_path


async def test_a_recurrence_is_recorded_once_and_known_to_the_next_session(folder: Path) -> None:
    here = session(folder)
    assert [w.id for w in here.walks()] == [WALK], "it ended well, and is looked after"
    await here.follow(WALK, AGAIN)
    await here.follow(WALK, AGAIN)
    journal = Journal(folder / "journal.db")
    assert [type(e).__name__ for e in journal.read(WALK)].count("Followed") == 1 and journal.verify(WALK).ok
    for walk in (*here.walks(), *session(folder).walks()):
        assert walk.recurred == "the next run has the old value"


async def test_a_walk_of_long_ago_is_not_looked_after(folder: Path) -> None:
    assert session(folder, FOLLOWED + 1000.0).walks() == ()


async def test_a_walk_that_another_process_is_on_is_left_alone(folder: Path) -> None:
    lock = lock_walk(folder / "run", WALK, "somebody")
    try:
        with pytest.raises(RefusedError):
            await session(folder).follow(WALK, AGAIN)
    finally:
        lock.close()
