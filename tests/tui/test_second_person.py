"""A second person on the screen: who walks waits and can stop; who approves reads all of it and types its name."""

from __future__ import annotations

import time

import msgspec

from console.operate.approvals.request import ApprovalRequest
from console.operate.approvals.waiting import question
from tests.tui.scenes import Scene, situation
from tests.tui.test_pages import PREVIEW, press, shown, text
from tests.tui.test_walk import open_walk, replies, walked

REQUEST = ApprovalRequest("w9", "oidc:ada", "u-1", "console-approvals", PREVIEW, time.time() + 900)


async def test_who_walks_sees_who_is_awaited_and_how_they_approve_and_can_only_stop() -> None:
    asked = msgspec.structs.replace(question(REQUEST, context="prod-eu", now=0.0), walk="w1", step="step-20")
    scene = walked(20, asked)
    async with shown(scene, (80, 24)) as pilot:
        await press(pilot, "6")
        assert any("second person" in line for line in text(pilot))
        await press(pilot, "enter")
        screen = "\n".join(text(pilot))
        assert "WAITS FOR A SECOND PERSON" in screen and f"console approve {REQUEST.short}" in screen
        assert "not as oidc:ada" in screen and "1 stop waiting" in screen
        await press(pilot, "y")
        assert replies(scene) == []
        await press(pilot, "N")
        assert replies(scene) == [("no", "")]


async def test_escape_leaves_the_page_and_it_goes_on_waiting() -> None:
    asked = msgspec.structs.replace(question(REQUEST, context="prod-eu", now=0.0), walk="w1", step="step-20")
    scene = walked(20, asked)
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "escape")
        assert pilot.app.main.page.name == "walks" and replies(scene) == []


async def test_what_others_ask_for_stands_above_the_walks_and_is_approved_by_its_name() -> None:
    scene = Scene(situation(walks=(), requests=(REQUEST,)))
    async with shown(scene, (100, 60)) as pilot:
        await press(pilot, "6")
        assert any("oidc:ada asks for a second person" in line for line in text(pilot))
        await press(pilot, "enter")
        screen = "\n".join(text(pilot))
        assert "the same change" in screen and f"digest {REQUEST.short}" in screen
        assert any(line.strip().startswith("+") for line in text(pilot)), "the diff is on the screen"
        await press(pilot, "y")
        assert PREVIEW.effect.target is not None
        await press(pilot, *PREVIEW.effect.target.words, "enter")
        ((digest, person),) = [value for what, value in scene.asked if what == "approve"]
        assert digest == REQUEST.digest
        reply = await person.answer(None)
        assert (reply.value, reply.typed, reply.terminal) == ("yes", PREVIEW.effect.target.words, True)


async def test_nothing_is_approved_before_its_end_was_in_sight() -> None:
    long = msgspec.structs.replace(PREVIEW, diff=tuple(f"+  line-{n}: {n}" for n in range(80)))
    scene = Scene(situation(walks=(), requests=(msgspec.structs.replace(REQUEST, preview=long),)))
    async with shown(scene, (80, 24)) as pilot:
        await press(pilot, "6", "enter", "y")
        assert "read to its end first" in "\n".join(text(pilot))
        await press(pilot, "G", "y")
        assert "to approve it on" in "\n".join(text(pilot))


async def test_what_is_not_asked_any_more_cannot_be_approved() -> None:
    scene = Scene(situation(walks=(), requests=(REQUEST,)))
    async with shown(scene, (80, 24)) as pilot:
        await press(pilot, "6", "enter")
        scene.show(situation(walks=(), requests=()))
        await press(pilot, "y")
        assert "nobody waits for it any more" in "\n".join(text(pilot))
        assert not [value for what, value in scene.asked if what == "approve"]
