"""The page of what changed since the last good run: one key on the page of an application."""

from __future__ import annotations

from console.findings.against.compare import Change, Comparison
from console.live.against import AgainstRead
from tests.tui.scenes import KEY, Scene, situation
from tests.tui.test_pages import press, shown, text

MEMORY = Change("configuration", "spark.executor.memory", "4g", "2g", 120.0, "memory is what ran out")
FOUND = Comparison("spark-prod/etl-1", "spark-1", None, True, (MEMORY,), ("image", "configuration"), ("node",))


async def test_d_shows_changes_with_what_they_explain_and_what_is_not_known() -> None:
    scene = Scene(situation())
    scene.changed = AgainstRead("ready", FOUND, unread=(("secrets", "forbidden"),))
    async with shown(scene, (120, 36)) as pilot:
        await press(pilot, "enter", "d")
        seen = "\n".join(text(pilot))
        assert ("against", (KEY, "")) in scene.asked and "etl-orders › changes" in seen
        assert "configuration: spark.executor.memory: 4g → 2g" in seen and "memory is what ran out" in seen
        assert "2 of 3 parts" in seen and "not known: node" in seen and "secrets not read: forbidden" in seen
        await press(pilot, "g", *"etl-1", "enter")
        assert scene.asked[-1] == ("against", (KEY, "etl-1"))


async def test_that_no_good_run_is_known_is_said() -> None:
    async with shown(Scene(situation()), (120, 36)) as pilot:
        await press(pilot, "enter", "d")
        assert "no good run of it is known here" in "\n".join(text(pilot))
