"""The GPU page and `console gpu`: what a person sees of a fleet, at the sizes that people have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from console.apps.assemble import assemble
from console.board import compose
from console.board.model import Board, Cluster
from console.cli import connect
from console.cli.main import run
from console.facts.model import SourceState
from console.findings.diagnose import Engine
from console.gpu.held import WORDS
from console.gpu.model import Fleet
from console.live.situation import Situation
from console.tui.views import gpu as gpu_view
from tests.findings import worlds as w
from tests.gpu.expositions import Card
from tests.gpu.test_findings import HOUR, conf, idle, metrics, past, up, world
from tests.gpu.test_model import GPU, T, gpu_node
from tests.tui.scenes import Scene
from tests.tui.test_pages import press, shown, text

MIG = "nvidia.com/mig-3g.40gb"


def situation(*things: Any, **changes: Any) -> Situation:
    """The picture that the program itself makes of these facts."""
    facts = replace(w.facts(*things), sources=(SourceState("nodes", "fresh"), SourceState("pods", "fresh")))
    verdict = Engine().judge(facts)
    board = compose.board(facts, Cluster("gpu-prod"), verdict.apps, verdict.findings, gpus=verdict.gpus)
    assert assemble(facts)
    return Situation(replace(board, **changes), phase="live")


def sick() -> Situation:
    """One card off the bus, one idle, one busy, one free; another node has lost a card and has no exporter."""
    cards = [
        Card(0, busy=0.0, xid=79, pod="etl-exec-1", namespace=w.NS),
        Card(1, busy=0.0, pod="etl-exec-2", namespace=w.NS, used=8e9),
        Card(2, busy=0.91, pod="etl-exec-3", namespace=w.NS, temperature=66),
        Card(3, busy=0.0),
    ]
    told = [past("xid", T - 900, xid="79"), past("xid-first", T - 6 * HOUR), *idle(T - 2 * HOUR, 1)]
    things = [*world(3, lost=1), conf(), *metrics(*cards), up(), *told, gpu_node("gpu-2", lost=1)]
    return situation(*things)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 50)])
async def test_the_grid_says_state_holder_and_waste_by_shape_and_word(size: tuple[int, int]) -> None:
    async with shown(Scene(sick()), size) as pilot:
        await press(pilot, "8")
        lines = text(pilot)
        assert "gpu" in lines[0]
        row = next(line for line in lines if line.startswith(" gpu-1"))
        assert "×□■·" in row and "3/4" in row and "79" in row
        other = next(line for line in lines if line.startswith(" gpu-2"))
        assert "3/4" in other and "no exporter" in other
        screen = "\n".join(lines)
        assert "1 held and idle" in screen and "1 broken" in screen and "2.0 GPU hours wasted" in screen
        assert any(line.startswith(" CRIT GPU fault on gpu-1 GPU 0: XID 79") for line in lines)
        holder = next(line for line in lines if line.startswith(" jobs/etl"))
        assert "×□■" in holder and "2h" in holder


async def test_the_table_has_every_gpu_and_comes_and_goes_with_one_key() -> None:
    async with shown(Scene(sick()), (120, 36)) as pilot:
        await press(pilot, "8", "t")
        lines = text(pilot)
        rows = [line for line in lines if line.startswith((" gpu-1", " gpu-2"))]
        assert len(rows) == 8
        assert any("faulty" in r and "79" in r and "jobs/etl 1" in r for r in rows)
        assert any("busy" in r and "91%" in r and "66°C" in r for r in rows)
        await press(pilot, "t")
        assert any("HOLDERS" in line for line in text(pilot))


async def test_a_filter_narrows_and_enter_opens_the_node_and_its_evidence() -> None:
    async with shown(Scene(sick()), (80, 24)) as pilot:
        await press(pilot, "8", "slash", *"gpu-2", "enter")
        assert not any(line.startswith(" gpu-1 ") for line in text(pilot))
        await press(pilot, "escape", "g", "enter")
        screen = "\n".join(text(pilot))
        assert "3 of 4 allocatable" in screen and "× broken" in screen and "XID 79 fallen off the bus" in screen
        await press(pilot, "escape", "e")
        assert "take every client off" in "\n".join(text(pilot)) or "reboot" in "\n".join(text(pilot))


async def test_what_is_unknown_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    blind = situation(gpu_node(), w.driver(), w.executor(1, limits={GPU: "2"}, node="gpu-1"))
    async with shown(Scene(blind), (80, 24)) as pilot:
        await press(pilot, "8")
        screen = "\n".join(text(pilot))
        assert "▪▪??" in screen and "≥2" in screen
        assert "no figures: nobody could be asked" in screen
        assert "only what Spark pods ask for is known" in screen
    nobody = situation(w.driver(), w.executor(1), sources=(SourceState("nodes", "forbidden"),))
    async with shown(Scene(nobody), (80, 24)) as pilot:
        await press(pilot, "8")
        assert any("GPUs unknown: nodes are forbidden" in line for line in text(pilot))


async def test_shapes_are_left_where_there_is_neither_colour_nor_unicode() -> None:
    from console.tui.palette import Palette

    plain = Palette("mono", ascii_only=True)
    assert [plain.shape(s) for s in "■□▪·×–?"] == ["#", "o", "h", ".", "x", "-", "?"]


async def test_a_hostile_name_stays_a_name() -> None:
    evil = [Card(0, busy=0.5, pod="etl-exec-1[red]", namespace="x\x1b[2J")]
    async with shown(Scene(situation(*world(1), conf(), *metrics(*evil), up())), (80, 24)) as pilot:
        await press(pilot, "8")
        assert "\x1b" not in "\n".join(text(pilot))


# the command ----------------------------------------------------------------------------------------------------------


def said(monkeypatch: pytest.MonkeyPatch, capsys: Any, picture: Situation, *argv: str) -> tuple[int, str]:
    monkeypatch.setattr(connect, "settled", lambda _where: picture)
    code = run(["gpu", *argv])
    return code, capsys.readouterr().out


def test_the_command_as_a_table(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    code, out = said(monkeypatch, capsys, sick())
    assert code == 1
    assert "8 GPUs on 2 nodes: 1 busy, 1 held and idle" in out
    assert "! critical GPU fault on gpu-1 GPU 0: XID 79 (fallen off the bus)" in out
    row = next(line for line in out.splitlines() if line.startswith("gpu-1    1 ") or line.startswith("gpu-1  1 "))
    assert row.split()[2] == "idle" and "2h" in row and row.endswith("jobs/etl exec 2")
    assert any(line.startswith("jobs/etl") and "2.0 GPU hours" in line for line in out.splitlines())


def test_the_command_as_json(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    code, out = said(monkeypatch, capsys, sick(), "-o", "json")
    document = json.loads(out)
    assert code == 1 and document["apiVersion"] and document["kind"] == "GpuFleet"
    assert document["counts"]["idle"] == 1
    assert document["resources"] == [{"name": GPU, "capacity": 8.0, "allocatable": 6.0, "requested": 4.0}]
    card = document["fleet"]["nodes"][0]["gpus"][1]
    assert (card["state"], card["holder"]["app"]) == ("idle", "jobs/etl")
    assert card["idle_since"].endswith("Z") and "memory_temperature" in card["unsupported"]
    assert {f["code"] for f in document["findings"]} >= {"gpu-hardware", "gpu-idle", "gpu-gone"}


def test_one_node_and_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    code, out = said(monkeypatch, capsys, sick(), "gpu-2")
    assert code == 1 and "gpu-1 " not in out and "1 lost" in out
    monkeypatch.setattr(connect, "settled", lambda _where: sick())
    assert run(["gpu", "gpu-9"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    well = situation(*world(), conf(), *metrics(*(Card(i, busy=0.5) for i in range(4))), up())
    assert said(monkeypatch, capsys, well)[0] == 0
    none = situation(w.node(), w.driver(), w.executor(1))
    assert said(monkeypatch, capsys, none) == (0, "no node offers GPUs\n")
    unread = replace(none, board=replace(none.board, gpus=Fleet(), sources=(SourceState("nodes", "forbidden"),)))
    assert said(monkeypatch, capsys, unread) == (1, "GPUs unknown: nodes are forbidden\n")
    blind = situation(gpu_node(), w.driver(), w.executor(1))
    assert said(monkeypatch, capsys, blind)[0] == 1


def test_the_page_and_the_command_count_the_same_states_in_the_same_words(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    shown = sick()
    head = gpu_view.head(shown.board, 160)[0].text
    _, out = said(monkeypatch, capsys, shown)
    counts = [f"{count} {WORDS[state]}" for state, count in shown.board.gpus.counts.items() if count]
    assert "1 broken" in counts and "1 lost" in counts
    assert all(words in head and words in out.splitlines()[0] for words in counts)


def test_the_verdict_counts_gpus_only_where_there_are_some() -> None:
    board: Board = sick().board
    assert "2 of 8 GPUs in use" in board.summary
    assert "GPU" not in situation(w.node(), w.driver(), w.executor(1)).board.summary
