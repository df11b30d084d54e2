"""What is seen after a walk has ended well is recorded once, and stands in the next session too."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.actions.effects import ObjectRef
from console.base.clock import WallClock
from console.base.errors import ForbiddenError, RefusedError
from console.operate import undone
from console.operate.desk import Desk
from console.operate.journal import Journal
from console.operate.known import FOLLOWED
from console.operate.locks import lock_walk
from console.operate.policy import ChangeRules
from console.runbook.afterwards.recurrence import WhatFollowed
from console.wire.connection import Identity
from console.wire.reviews import ApiResource
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


class Server:
    """A server with one application; `entries`: field managers of its overhead, with the time of their writing."""

    def __init__(self, *entries: tuple[str, str], error: Exception | None = None) -> None:
        self.entries, self.error = entries, error

    async def resource(self, api_version: str, kind: str) -> ApiResource:
        return ApiResource("sparkapplications", kind, True)

    async def object(self, path: str) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        owned: dict[str, Any] = {"f:spec": {"f:a": {}}}
        managed = [{"manager": m, "operation": "Update", "time": t, "fieldsV1": owned} for m, t in self.entries]
        return {"metadata": {"managedFields": managed}}


TARGET = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl-orders")


async def who(*entries: tuple[str, str], **more: Any) -> str:
    return await undone.by_whom(Server(*entries, **more), TARGET, "/spec/a")  # type: ignore[arg-type]


async def test_who_undid_a_change_is_the_last_writer_of_the_field_that_is_not_console() -> None:
    assert await who(("kubectl-edit", "2026-01-02T00:00:00Z"), ("argocd-controller", "2026-01-03T00:00:00Z"),
                     ("console-oncall", "2026-01-04T00:00:00Z")) == (
        "Argo CD (argocd-controller) wrote it at 2026-01-03T00:00:00Z"
    )  # fmt: skip
    assert await who(("some\x1b[31mbody", "")) == "somebody wrote it"


async def test_where_nobody_can_be_named_nobody_is() -> None:
    assert await who(("console-oncall", "2026-01-04T00:00:00Z")) == "" and await who() == ""
    assert await who(error=ForbiddenError("no")) == ""


async def test_a_change_that_was_reverted_says_who_did_it_in_the_journal(folder: Path) -> None:
    here = session(folder)
    here._env.connection.reader = Server(("flux", "2026-01-03T00:00:00Z"))  # type: ignore[assignment]
    await here.follow(WALK, WhatFollowed("recurred", "spec.a is 200m again", TARGET, "/spec/a"))
    (walk,) = here.walks()
    assert walk.recurred == "spec.a is 200m again; flux wrote it at 2026-01-03T00:00:00Z"
