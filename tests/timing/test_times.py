"""Where the time went, live: an application of the simulated cluster, read over the wire by the program itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from console.apps.model import SparkApp
from console.base.clock import WallClock
from console.cli.diagnosis.times import live_json, live_lines
from console.facts.model import Facts
from console.live import Focus, FocusOn, Live, Pace
from console.live.against import AgainstRead
from console.live.crashes import CrashFiles
from console.live.focus import FocusReader
from console.live.times import Times
from console.rehearse.playing import Rehearsal

pytestmark = pytest.mark.xdist_group("times")  # one cluster for all of them


@pytest.fixture(scope="module")
def looked() -> tuple[SparkApp, Times, AgainstRead, AgainstRead]:
    pace = Pace(heartbeat=60.0, metrics=600.0, reads=600.0)
    with Rehearsal("spark-oom", step=True) as rehearsal, Live(rehearsal.plan(pace=pace)) as live:
        app = next(a for a in live.settle(180).board.apps if a.key == "spark-prod/etl-orders")
        times = live.times(app.key).result(120)
        by_itself = live.against(app.key).result(120)
        return app, times, by_itself, live.against(app.key, times.former[0]).result(120)


@pytest.fixture(scope="module")
def told(looked: tuple[SparkApp, Times, AgainstRead, AgainstRead]) -> tuple[SparkApp, Times]:
    return looked[0], looked[1]


def test_a_run_of_the_history_server_is_compared_and_one_that_failed_is_not_taken_for_good(
    looked: tuple[SparkApp, Times, AgainstRead, AgainstRead],
) -> None:
    _, times, by_itself, named = looked
    assert by_itself.comparison is None and "4 former runs none is known to have gone well" in by_itself.detail
    found = named.comparison
    assert found is not None and found.app_id == times.former[0] and not found.good
    assert {"configuration", "input"} <= set(found.read) and {"image", "node"} <= set(found.unread)
    assert found.changes == (), "it is the same application, tried again"


def test_the_driver_is_asked_and_the_history_server_for_former_runs(told: tuple[SparkApp, Times]) -> None:
    _, times = told
    assert times.state == "ready" and times.live and times.report is not None
    assert times.source == "pod spark-prod/etl-orders-driver:4040"
    assert len(times.former) >= 2 and times.former_note == ""
    assert [s.stage for s in times.report.path if s.stage is not None] == [(0, 0), (1, 0)]
    whole = sum(s.seconds for s in times.report.path)
    assert whole == pytest.approx(times.report.jobs, abs=2)


def test_text_and_json_say_the_same(told: tuple[SparkApp, Times]) -> None:
    app, times = told
    text, tree = "\n".join(live_lines(app, times)), live_json(app, times)
    assert text.startswith("TIME spark-prod/etl-orders: ran ") and "critical path" in text
    assert "read from pod spark-prod/etl-orders-driver:4040, still running" in text
    assert tree["app"] == app.key and tree["path"] and {"state", "source", "former", "items"} <= tree.keys()
    assert all(f"{item['kind']}:" in text for item in tree["items"])


def test_what_cannot_be_read_is_no_comfort(told: tuple[SparkApp, Times]) -> None:
    app, _ = told
    nothing = Times("no data", None, "its driver is not running, and no History Server is known")
    (line,) = live_lines(app, nothing)
    assert line == f"TIME {app.key}: no data: its driver is not running, and no History Server is known"
    assert "items" not in live_json(app, nothing)


async def test_turning_away_does_not_wait_for_what_was_asked_before(tmp_path: Path) -> None:
    asked, seen = asyncio.Event(), asyncio.Queue[Focus]()

    async def never(_: str) -> Times:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    facts = Facts(at=0.0)
    reader: Any = None  # neither a log nor an object is read here
    focus = FocusReader(
        reader, WallClock(), seen.put_nowait, lambda: facts, lambda _: None, never, CrashFiles(tmp_path)
    )
    focus.turn_to(FocusOn(app="jobs/x", times=True))
    running = asyncio.create_task(focus.run())
    async with asyncio.timeout(30):
        await asked.wait()
        focus.turn_to(FocusOn(app="jobs/y"))
        assert (await seen.get()).on.app == "jobs/y"
    running.cancel()
