"""An application that stands still on a live cluster: what its threads wait for is told without a saved dump."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from console.board.model import Board
from console.drill.scenario.files import load
from console.drill.scenario.model import FaultDoc, Scenario
from console.findings.model import Finding
from console.live import Live
from console.rehearse.playing import Rehearsal

APP = "spark-prod/etl-orders"


def world(warmup: float, **options: object) -> Scenario:
    """A healthy cluster in which etl-orders has run for that long."""
    fault = FaultDoc(
        kind="workload",
        target="etl-orders",
        options={"stage": 0, "heap": "100Mi", "python": "100Mi", **options},
        at=-86400.0,
    )
    scenario = load("spark-oom")
    case = replace(scenario.case("healthy"), break_=(fault,))
    return replace(scenario, warmup=warmup, cases={"healthy": case})


def stands(board: Board) -> list[Finding]:
    return [found for found in board.findings if found.app == APP and found.code == "no-progress"]


def looked_at(scenario: Scenario) -> list[Finding]:
    with Rehearsal(scenario, "healthy", speed=20.0) as drill, Live(drill.plan()) as live:
        live.settle(60)
        return stands(live.examined(APP).result(60))


def test_a_deadlock_of_a_driver_is_told_with_its_threads() -> None:
    (found,) = looked_at(world(600.0, stands="deadlock"))
    assert found.confidence == "high" and "dag-scheduler-event-loop → spark-listener-group-shared" in found.title
    assert "etl-orders-driver" in found.evidence[0].locator
    assert found.evidence[0].locator.endswith("/executors/driver/threads")


def test_tasks_that_read_from_a_socket_for_ever_are_told_with_where_they_stand() -> None:
    (found,) = looked_at(world(1500.0, stands="socket"))
    assert "thread dumps: sun.nio.ch.SocketDispatcher.read0" in found.title
    assert "org.postgresql.core" in found.title and "it reads from a connection" in found.detail


@pytest.mark.parametrize(
    "scenario", [world(1500.0, seconds="2h"), world(110.0, stands="deadlock")], ids=["long tasks that work", "young"]
)
def test_long_tasks_that_work_and_a_job_that_began_just_now_are_no_standstill(scenario: Scenario) -> None:
    assert looked_at(scenario) == []
