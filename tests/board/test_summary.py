"""The verdict in numbers: what runs is counted apart from what has ended."""

from __future__ import annotations

from msgspec.structs import replace

from console.apps.model import SparkApp
from console.board.compose import board
from console.board.model import Cluster
from console.facts.model import Facts, Origin, Pod


def pod(name: str, phase: str) -> Pod:
    return Pod("jobs", name, Origin("kubernetes", name), uid=name, phase=phase)


def test_completed_pods_and_ended_applications_are_not_counted_as_running() -> None:
    pods = (pod("a", "Running"), pod("b", "Pending"), pod("c", "Succeeded"), pod("d", "Failed"))
    app = SparkApp(key="jobs/a", namespace="jobs", name="a", launcher="submit", state="RUNNING")
    apps = (app, *(replace(app, key=f"jobs/{n}", state="COMPLETED") for n in range(3)))
    shown = board(Facts(at=0.0, pods=pods), Cluster(), apps, ())
    assert shown.pods == 2
    assert "1 app live, 3 ended · 2 Spark pods" in shown.summary
