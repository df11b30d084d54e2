"""Every finding about GPUs on the simulated cluster: its objects, its exporters in both generations, read over the
wire by the program itself."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from console.base.errors import DocumentError
from console.board.model import Board
from console.drill.scenario.files import read
from console.findings.model import Finding
from console.live import Live, Pace
from console.rehearse.playing import Rehearsal

pytestmark = pytest.mark.xdist_group("gpu-drill")
WORLD = Path(__file__).with_name("world.yaml")


def look(case: str) -> Board:
    """The board once all questions about GPUs were answered: a slow machine asks twice."""
    with Rehearsal(WORLD, case, step=True) as rehearsal, Live(rehearsal.plan(pace=Pace(metrics=2.0))) as live:
        arrived = threading.Event()
        live.subscribe(lambda seen: arrived.set() if whole(seen.board) else None)
        live.settle(120)
        assert whole(live.situation.board) or arrived.wait(120), live.situation.board.gpus.notes
        return live.situation.board


def whole(board: Board) -> bool:
    return board.gpus.metrics == "dcgm" and board.gpus.complete and not board.gpus.notes


@pytest.fixture(scope="module")
def calm() -> Board:
    """Everything works: two nodes with exporters of the older names, one of the newer."""
    return look("default")


@pytest.fixture(scope="module")
def day() -> Board:
    return look("day")


@pytest.fixture(scope="module")
def night() -> Board:
    return look("night")


def gpu_findings(board: Board) -> dict[str, Finding]:
    """By code; a code that stands twice is a failure."""
    found = [f for f in board.findings if f.code.startswith("gpu-")]
    assert len({f.code for f in found}) == len(found), [f.key for f in found]
    return {f.code: f for f in found}


def test_a_healthy_fleet_in_both_generations(calm: Board) -> None:
    assert gpu_findings(calm) == {}
    fleet = calm.gpus
    assert (fleet.metrics, fleet.generation, fleet.complete, fleet.notes) == ("dcgm", "both", True, ())
    assert [(n.name, len(n.gpus), n.exporter) for n in fleet.nodes] == [
        ("gpu-01", 8, "series"), ("gpu-02", 8, "series"), ("gpu-07", 4, "series"),
    ]  # fmt: skip
    counts = fleet.counts
    assert (counts["busy"], counts["free"], sum(counts.values())) == (16, 4, 20)
    held = {name: len(fleet.of(f"spark-prod/{name}")) for name in ("etl-rapids", "llm-embed", "score-batch")}
    assert held == {"etl-rapids": 7, "llm-embed": 6, "score-batch": 3}
    (total,) = fleet.resources()
    assert (total.capacity, total.allocatable, total.requested) == (20, 20, 16)
    assert all(g.memory_total == 80 * 2**30 for g in fleet.gpus)


def test_each_cause_of_a_bad_day_is_found_once(day: Board, night: Board) -> None:
    assert set(gpu_findings(day)) == {"gpu-exporter-blind", "gpu-hardware", "gpu-hot", "gpu-idle", "gpu-no-rapids"}
    assert set(gpu_findings(night)) == {
        "gpu-exporter-blind", "gpu-gone", "gpu-hardware", "gpu-power-capped", "gpu-row-remap", "gpu-xid-application",
    }  # fmt: skip


def test_a_card_off_the_bus_is_told_by_gauge_kernel_and_allocatable_together(day: Board) -> None:
    one = gpu_findings(day)["gpu-hardware"]
    assert (one.class_, one.severity, one.data.action) == ("I28", "critical", "reboot")
    assert "gpu-01 GPU 0" in one.title and "XID 79 (fallen off the bus)" in one.title
    words = [e.excerpt for e in one.evidence]
    assert any("held until the driver is loaded again), since" in w for w in words)
    assert any("NVRM: Xid" in w for w in words) and any("not allocatable" in w for w in words)
    (card,) = [g for g in day.gpus.gpus if g.state == "faulty"]
    assert (card.node, card.index, card.utilisation) == ("gpu-01", "0", None)
    assert {"util", "temperature", "power"} <= set(card.unsupported)
    assert one.since is not None and 900 < day.at - one.since < 1500


def test_heat_and_a_power_limit_are_told_apart(day: Board, night: Board) -> None:
    hot, capped = gpu_findings(day)["gpu-hot"], gpu_findings(night)["gpu-power-capped"]
    assert (hot.subject, hot.severity) == ("Node//gpu-02", "critical")
    assert "4 GPUs" in hot.title and "slowed down for 40% of the time" in hot.title
    assert capped.subject == "Node//gpu-01" and "50%" in capped.title


def test_idle_gpus_with_how_long_and_whose(day: Board) -> None:
    one = gpu_findings(day)["gpu-idle"]
    assert (one.app, one.subject) == ("spark-prod/llm-embed", "SparkApplication/spark-prod/llm-embed")
    assert one.since is not None and 6600 < day.at - one.since < 7300
    waste = {w.holder.app: w for w in day.gpus.waste}
    assert set(waste) == {"spark-prod/llm-embed", "spark-prod/score-batch"}
    assert len(waste["spark-prod/llm-embed"].gpus) == 6 and waste["spark-prod/llm-embed"].covered > 0.9


def test_gpus_that_the_plan_never_uses(day: Board) -> None:
    one = gpu_findings(day)["gpu-no-rapids"]
    assert (one.app, one.data.count) == ("spark-prod/score-batch", 3)
    assert "spark.plugins does not name the plugin" in one.detail


def test_exporters_that_are_blind_or_down(day: Board, night: Board) -> None:
    silent, down = gpu_findings(day)["gpu-exporter-blind"], gpu_findings(night)["gpu-exporter-blind"]
    assert (silent.subject, down.subject) == ("Node//gpu-07", "Node//gpu-07")
    assert "up and exports nothing" in silent.title and "does not answer" in down.title
    for board, word in ((day, "blind"), (night, "down")):
        node = board.gpus.node("gpu-07")
        assert node is not None and node.exporter == word
        assert {g.state for g in node.gpus} <= {"held", "unknown", "lost"}, "never free while nobody looks"


def test_bad_memory_and_an_error_of_a_program(night: Board) -> None:
    found = gpu_findings(night)
    assert "gpu-02 GPU 2" in found["gpu-hardware"].title and "ECC" in found["gpu-hardware"].title
    assert "gpu-01 GPU 3" in found["gpu-row-remap"].title
    assert "XID 31" in found["gpu-xid-application"].title and found["gpu-xid-application"].class_ == "I27"


def test_a_card_that_the_plugin_gave_up(night: Board) -> None:
    node = night.gpus.node("gpu-07")
    assert gpu_findings(night)["gpu-gone"].subject == "Node//gpu-07"
    assert node is not None and (node.lost, node.plugin_devices) == (1, 3)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("target: gpu-01, options: {gpu: 0, xid: 79", "target: gpu-1, options: {gpu: 0, xid: 79", "gpu-01"),
        ("target: gpu-01, options: {gpu: 0, xid: 79", "target: cpu-01, options: {gpu: 0, xid: 79", "not in this world"),
        ("{gpu: 0, xid: 79", "{gpu: 8, xid: 79", "gpu-01 has GPUs 0 to 7"),
        ("{gpu: 0, xid: 79, event", "{gpu: 0, event", "an XID is a number"),
        ("gpus: [0, 1, 2, 3]", "gpus: 3", "expected a list"),
        ("dcgm: renamed", "dcgm: newer", "no such generation"),
        ("{gpu: 0, xid: 79", "{gpu: 0, xidd: 79", "xid"),
    ],
)
def test_a_wrong_scenario_is_refused_with_its_place(old: str, new: str, says: str) -> None:
    text = WORLD.read_text()
    assert old in text
    with pytest.raises(DocumentError) as error:
        read(text.replace(old, new, 1), "world.yaml")
    assert says in str(error.value) and "world.yaml:" in str(error.value)
