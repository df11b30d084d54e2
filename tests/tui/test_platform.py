"""Objectives and components on the screen: the arithmetic of a number, what is promised, and which preset fits."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.components.judge import judge
from console.components.match import conformance, detect
from console.live.situation import Situation
from console.runbook.match import Matched
from console.settings.presets import load_library
from console.slo.model import Contributor
from tests.components.test_shipped import BROKEN, WORLD
from tests.components.worlds import facts
from tests.tui.scenes import Scene, situation
from tests.tui.test_pages import press, shown, text

LIBRARY = load_library()
SIZES = [(80, 24), (160, 50)]


def burnt() -> Situation:
    """An objective with everything that can be said of it; the others as usual."""
    board = situation().board
    first = replace(
        board.slos[0],
        arithmetic="events over the period (18.0% left); the mean of ratios would say 31.0% left",
        covered=0.74,
        exhausted_in=7200.0,
        contributors=(
            Contributor("spark-prod/etl-orders/OOMKilled", 30, 0.73),
            Contributor("spark-prod/ads/Error", 6, 0.15),
        ),
        contributors_by=("namespace", "app", "reason"),
        queries=("sum(increase(spark_application_failure_count[30d]))",),
        runbooks=("spark-oom",),
    )
    match = Matched("spark-oom", "Out of memory", "SLO job-success is burning", 60, slo="job-success")
    return situation(board=replace(board, slos=(first, *board.slos[1:])), matches={"slo:job-success": (match,)})


def platform(name: str, *, without: str = "", broken: str = "") -> Situation:
    """What runs of a preset's world, judged with that preset."""
    preset = LIBRARY.preset(name)
    things: list[Any] = [thing for id in preset.expected if id != without for thing in WORLD[id]]
    components = judge(facts(*things, *BROKEN.get(broken, ())), LIBRARY.components.values(), preset)
    board = replace(situation().board, components=components)
    return situation(
        board=board,
        conformance=conformance(preset, components, LIBRARY.components.values(), board.slos),
        detection=detect((c.id for c in components if c.state != "absent"), LIBRARY.presets.values()),
    )


@pytest.mark.parametrize("size", SIZES)
async def test_the_selected_objective_shows_its_arithmetic_what_burnt_it_and_how_old_it_is(
    size: tuple[int, int],
) -> None:
    async with shown(Scene(burnt()), size) as pilot:
        await press(pilot, "3", "g", "enter")
        screen = " ".join(" ".join(text(pilot)).split())
    for words in (
        "burning (page)", "gone in 2h at this rate", "18% left of 99% over 30d", "41 bad of 4982",
        "namespace / app / reason", "spark-prod/etl-orders/OOMKilled", "73% 30",
        "12% of the bad events: no series says what they were", "the mean of ratios would say 31.0% left",
        "74% of the period is covered", "newest sample 12s old", "spark_application_success_count",
    ):  # fmt: skip
        assert words in screen


@pytest.mark.parametrize("size", SIZES)
async def test_every_objective_stands_above_the_selected_one_with_why_it_has_no_data(size: tuple[int, int]) -> None:
    async with shown(Scene(burnt()), size) as pilot:
        await press(pilot, "3")
        screen = "\n".join(text(pilot))
        assert all(title in screen for title in ("job success", "connect available", "start latency"))
        assert "spark-prod/etl-orders/OOMKilled" in screen
        await press(pilot, "j")
        screen = "\n".join(text(pilot))
        assert "no data; target 99% over 30d" in screen
        assert "target spark-connect-41 has no endpoints" in screen
        assert "etl-orders/OOMKilled" not in screen


@pytest.mark.parametrize("key", ["1", "3"])
async def test_a_partial_answer_is_called_partial_wherever_the_objective_stands(key: str) -> None:
    board = situation().board
    good = replace(board.slos[2], partial=True, reason="partial: a store is missing")
    async with shown(Scene(situation(board=replace(board, slos=(good,))))) as pilot:
        await press(pilot, key)
        assert "partial: st" in "\n".join(text(pilot))
        await press(pilot, "3", "g", "enter")
        assert "partial: a store is missing" in "\n".join(text(pilot))


async def test_the_runbook_of_an_objective_is_a_key_away() -> None:
    scene = Scene(burnt())
    async with shown(scene) as pilot:
        await press(pilot, "3", "j", "r")
        assert text(pilot)[-1].strip() == "r: no runbook fits this objective now"
        await press(pilot, "k", "r")
    assert any(what == "begin" for what, _ in scene.asked)


@pytest.mark.parametrize("size", SIZES)
async def test_a_component_says_why_and_what_was_seen(size: tuple[int, int]) -> None:
    async with shown(Scene(platform("core-baseline", broken="hive-metastore")), size) as pilot:
        await press(pilot, "5", "g")
        screen = "\n".join(text(pilot))
    assert "Hive Metastore" in screen
    assert "authentication type 10 is not supported" in screen
    assert "object   Deployment/spark/rel-hive-metastore" in screen


async def test_components_are_narrowed_by_words_and_by_words_that_must_not_be_there() -> None:
    async with shown(Scene(platform("core-baseline"))) as pilot:
        await press(pilot, "5", "slash", *"s3", "space", "exclamation_mark", *"unknown")
        screen = "\n".join(text(pilot))
        assert "MinIO / S3" in screen and "Hive Metastore" not in screen


@pytest.mark.parametrize("size", SIZES)
async def test_the_preset_shows_what_is_missing_and_what_it_promises_and_cannot_do(size: tuple[int, int]) -> None:
    async with shown(Scene(platform("core-baseline", without="minio")), size) as pilot:
        await press(pilot, "5", "p")
        lines = text(pilot)
        await press(pilot, "G")
        last = "\n".join(text(pilot))
    screen = "\n".join(lines)
    assert "core-baseline  not kept" in screen
    missing = next(line for line in lines if "missing" in line and "MinIO" in line)
    assert "required" in missing and "absent" in missing
    assert "promised, and cannot work as shipped" in screen
    assert "MinIO / S3: the 4.1 chart renders nothing for core.minio" in screen
    assert "objectives without data" in last


@pytest.mark.parametrize("size", SIZES)
async def test_which_preset_fits_and_why(size: tuple[int, int]) -> None:
    async with shown(Scene(platform("core-baseline", without="minio")), size) as pilot:
        await press(pilot, "5", "m", "g")
        lines = text(pilot)
    screen = "\n".join(lines)
    assert "core-baseline fits best" in screen
    row = next(line for line in lines if line.startswith(" core-baseline (in use)"))
    assert "100%" in row and "4/4" in row
    assert "4 of 4 expected components found; promised, and not to be had as shipped: minio" in " ".join(screen.split())


async def test_before_anything_was_judged_it_says_so() -> None:
    async with shown(Scene(situation())) as pilot:
        for key in ("p", "m"):
            await press(pilot, "5", key)
            assert "reading" in "\n".join(text(pilot))
