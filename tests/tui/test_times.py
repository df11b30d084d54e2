"""The panel of an application that says where its time went: pure lines from a report."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from console.board.model import Board, Cluster
from console.live.situation import Focus, FocusOn
from console.live.times import Times
from console.timing.items import PathStep, Slow, TimeReport
from console.tui.views.times import times

BOARD = Board(at=1000.0, cluster=Cluster(), verdict="OK")
SKEW = Slow("data-skew", 74.0, 0.37, "longest task 94 s, median 6 s", "stage 2.0: sum at /opt/j.py:7", "count by key")
STEPS = (
    PathStep((0, 0), 20.0, 0.0, "count at /opt/jobs/j.py:3", 0, None, 8, {"cpu": 0.9, "gc": 0.1}, 0.9),
    PathStep(None, 30.0, 20.0),
    PathStep((2, 0), 150.0, 50.0, "sum at /opt/jobs/j.py:7", 1, 4, 16, {"other": 0.97}, 0.4),
)


def screen(found: Times | None, width: int) -> list[str]:
    lines = times(BOARD, Focus(FocusOn(), times=found), width)
    assert all(cell_len(line.text) <= width for line in lines)
    return [line.text.rstrip() for line in lines]


@pytest.mark.parametrize("width", [80, 120, 160])
def test_causes_by_lost_seconds_then_the_critical_path(width: int) -> None:
    report = TimeReport(210.0, 170.0, 8.0, (SKEW,), STEPS, 0.4)
    found = Times("ready", report, source="pod jobs/x-driver:4040", former=("a", "b"), at=990.0, live=True)
    lines = screen(found, width)
    text = " ".join(" ".join(lines).split())
    assert "jobs 2m50s on 8 slots, 40% of their time idle" in text and "compared with 2 former runs" in text
    assert "1m14s 37%" in text and "data-skew" in text and "longest task 94 s, median 6 s" in text
    assert "at stage 2.0: sum at /opt/j.py:7" in text and "confirm count by key" in text
    rows = [line for line in lines if "j.py" in line or "driver, no stage" in line][-3:]
    assert ["count" in r for r in rows] == [True, False, False] and "driver, no stage" in rows[1]
    assert "75%" in rows[2] and "sum at j.py:7 · query 4" in rows[2]


def test_nothing_to_say_and_nothing_known_are_different() -> None:
    assert screen(None, 80) == [" reading stages, tasks and plans of the driver or the History Server …"]
    calm = screen(
        Times("ready", TimeReport(9.0, 8.0, 4.0, (), missing=("plans are not known",)), source="x", at=999.0), 80
    )
    assert " no cause costs enough time to be worth a word" in calm and " unknown: plans are not known" in calm
    lost = screen(Times("unreachable", None, "its driver does not answer", unread=(("pod a/b", "HTTP 503"),)), 80)
    assert lost[0] == " unreachable: its driver does not answer" and lost[-1] == " unread  pod a/b: HTTP 503"


def test_executors_that_cost_money_and_no_time() -> None:
    idle = Slow("idle-executors", 0.0, 0.6, "3 of 4 executors ran nothing", "executors 1, 2, 3", "fewer", paid=600.0)
    text = " ".join(screen(Times("ready", TimeReport(9.0, 8.0, 4.0, (idle,)), at=999.0), 120))
    assert "–   60%" in text
