"""The page of advice: what it shows while it is read, when it came, and when it may not be read."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from console.base.errors import ReachError
from tests.tui.scenes import ADVICE, KEY, Scene, situation
from tests.tui.test_pages import press, settled, shown, text


class Slow(Scene):
    """A source whose advice comes when the test says so."""

    def __init__(self) -> None:
        super().__init__(situation())
        self.coming: Future[Any] = Future()

    def advise(self, app: str = "") -> Future[Any]:
        self.asked.append(("advise", app))
        return self.coming


def page(pilot: Any) -> str:
    return "\n".join(text(pilot))


async def to_advice(pilot: Any) -> None:
    await press(pilot, "colon", *"advice", "enter")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_advice_stands_under_its_subject_with_the_reason_of_the_selected_row(size: tuple[int, int]) -> None:
    async with shown(Scene(situation()), size) as pilot:
        await to_advice(pilot)
        seen = page(pilot)
        assert "1 high · 1 medium" in seen and "1 not judged" in seen
        assert "SparkApplication spark-prod/etl-orders" in seen
        assert "HIGH  spark.hadoop.fs.s3a.secret.key holds a credential" in seen and "why    who may read" in seen
        assert "why    whoever may create" not in seen
        await press(pilot, "j")
        assert "why    whoever may create" in page(pilot)


async def test_a_wide_terminal_has_the_reason_beside_the_list() -> None:
    async with shown(Scene(situation()), (160, 50)) as pilot:
        await to_advice(pilot)
        row = next(line for line in text(pilot) if "HIGH  spark.hadoop" in line)
        assert "│" in row and page(pilot).count("why    who may read") == 1


async def test_what_may_not_be_read_is_said_with_what_it_needs() -> None:
    async with shown(Scene(situation()), (120, 36)) as pilot:
        await to_advice(pilot)
        seen = page(pilot)
        assert "rolebindings forbidden  list rolebindings" in seen
        assert "?  which rights it has" in seen and "rolebindings may not be read; needs list rolebindings" in seen


async def test_it_says_that_it_reads_and_shows_what_comes() -> None:
    scene = Slow()
    async with shown(scene) as pilot:
        await to_advice(pilot)
        assert "reading roles, policies" in page(pilot)
        scene.coming.set_result(ADVICE)
        await settled(pilot)
        assert "1 high" in page(pilot) and scene.asked.count(("advise", "")) == 1


async def test_a_failure_is_a_state_and_not_an_empty_page() -> None:
    scene = Slow()
    async with shown(scene, (120, 36)) as pilot:
        await to_advice(pilot)
        scene.coming.set_exception(ReachError("the cluster does not answer", hint="look at the network"))
        await settled(pilot)
        await press(pilot, "slash", "escape")
        seen = page(pilot)
        assert "advice could not be read: the cluster does not answer" in seen and "look at the network" in seen
        assert "no advice" not in seen


async def test_from_an_application_it_is_about_that_one_and_its_namespace() -> None:
    scene = Scene(situation())
    async with shown(scene) as pilot:
        await press(pilot, "enter", "a")
        assert ("advise", KEY) in scene.asked and "etl-orders › advice" in text(pilot)[0]


async def test_enter_opens_the_application_and_the_filter_narrows() -> None:
    async with shown(Scene(situation()), (120, 36)) as pilot:
        await to_advice(pilot)
        await press(pilot, "slash", *"!high", "enter")
        assert "HIGH" not in page(pilot) and "MED" in page(pilot)
        await press(pilot, "escape", "g", "enter")
        assert "apps › etl-orders" in text(pilot)[0]


async def test_r_reads_it_again() -> None:
    scene = Scene(situation())
    async with shown(scene) as pilot:
        await to_advice(pilot)
        await press(pilot, "r")
        assert scene.asked.count(("advise", "")) == 2
