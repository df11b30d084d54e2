"""Keys and typed texts: what cannot be done is not offered, what was typed is not lost, and no key is silent."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import msgspec
import pytest

from console.base.errors import RefusedError
from console.runbook.walk import Entered, HandedOver, Noted, Resumed, Started, apply, fold
from tests.tui.scenes import KEY, NOW, Scene, situation
from tests.tui.test_pages import press, settled, shown, text
from tests.tui.test_walk import OOM, ask, began, open_walk, replies, stands, walked

OTHER = "ada (process 7)"


def elsewhere() -> Scene:
    """A walk that another process is on."""
    scene = walked(3, None)
    return Scene(msgspec.structs.replace(scene.situation, here=frozenset(), elsewhere={"w1": OTHER}))


async def test_of_a_walk_that_somebody_else_is_on_only_what_can_be_done_is_offered() -> None:
    async with shown(elsewhere(), (160, 24)) as pilot:
        await open_walk(pilot)
        foot = text(pilot)[-1].split("  ")
        assert not {"n note", "h hand over", "x stop", "u undo", "a take it up"} & {part.strip() for part in foot}
        assert {"O take over", "t timeline", "e evidence"} <= {part.strip() for part in foot}
        for key in "nhxa":
            await press(pilot, key)
            assert text(pilot)[-1].strip() == f"{key}: {OTHER} is on it: it is answered there"


async def test_nothing_is_offered_to_be_opened_where_there_is_nothing() -> None:
    async with shown(Scene(situation(walks=())), (120, 24)) as pilot:
        await press(pilot, "6")
        assert "enter" not in text(pilot)[-1]
        await press(pilot, "2")
        assert text(pilot)[-1].startswith(" enter open")


class Refusing(Scene):
    """A source that refuses the first of whatever is written of a walk."""

    def _did(self, what: str, value: Any, result: Any = None) -> Future[Any]:
        before = [1 for did, _ in self.asked if did == what]
        future = super()._did(what, value, result)
        if what in ("note", "hand over", "stop walk", "reply") and not before:
            future = Future()
            future.set_exception(RefusedError(f"{OTHER} is on it"))
        return future


@pytest.mark.parametrize(("key", "what"), [("n", "note"), ("h", "hand over"), ("x", "stop walk")])
async def test_a_text_that_is_refused_stands_there_with_the_reason_to_be_sent_again(key: str, what: str) -> None:
    scene = Refusing(walked(3, ask()).situation)
    async with shown(scene) as pilot:
        await open_walk(pilot)
        await press(pilot, key, *"the heap is flat", "enter")
        screen = "\n".join(text(pilot))
        assert "the heap is flat" in screen and f"{OTHER} is on it" in screen
        await press(pilot, "!", "enter")
        assert [value for did, value in scene.asked if did == what] == ["the heap is flat", "the heap is flat!"]


async def test_what_was_typed_and_not_sent_stands_there_when_the_same_is_asked_again() -> None:
    scene = walked(3, ask())
    async with shown(scene) as pilot:
        await open_walk(pilot)
        await press(pilot, "n", *"half a sent", "escape")
        assert "not sent; what you typed stands there" in text(pilot)[-1]
        await press(pilot, "n")
        assert text(pilot)[-1].strip() == "note: half a sent"
        await press(pilot, *"ence", "enter", "n")
        assert ("note", "half a sentence") in scene.asked
        assert text(pilot)[-1].strip() == "note:", "what was sent is not kept"
        await press(pilot, "escape")
        assert "not sent" not in text(pilot)[-1]


async def test_what_was_typed_is_kept_when_another_page_comes_to_the_front() -> None:
    async with shown(walked(3, ask())) as pilot:
        await open_walk(pilot)
        await press(pilot, "h", *"to grace")
        pilot.app.main.root("now")
        await press(pilot, "6", "enter", "h")
        assert text(pilot)[-1].strip().endswith("to grace")


async def test_a_proposal_is_replaced_by_typing() -> None:
    async with shown(Scene(situation(), log="one\ntwo"), (80, 24)) as pilot:
        await press(pilot, "2", "enter", "4", "slash", *"one", "enter", "slash", *"two", "enter")
        assert pilot.app.main.page.reading.search == "two"


async def test_the_text_that_confirms_a_change_is_typed_anew_each_time() -> None:
    from tests.tui.test_pages import PREVIEW

    async with shown(walked(3, ask("confirm", preview=PREVIEW, expect=KEY))) as pilot:
        await open_walk(pilot)
        await press(pilot, "y", *KEY, "escape", "y")
        assert text(pilot)[-1].strip() == ">"


async def test_an_answer_to_a_question_that_is_not_asked_any_more_can_become_a_note() -> None:
    scene = Refusing(walked(3, ask(choices=())).situation)
    async with shown(scene) as pilot:
        await open_walk(pilot)
        await press(pilot, "enter", *"six", "enter")
        assert replies(scene) == [("six", "")]
        assert any("enter keeps it as a note" in line for line in text(pilot))
        scene.asked.append(("note", "one was refused before"))
        await press(pilot, "enter")
        assert scene.asked[-1] == ("note", "six")


async def test_what_is_said_while_something_is_typed_is_seen_at_once() -> None:
    async with shown(walked(3, ask())) as pilot:
        await open_walk(pilot)
        await press(pilot, "n", *"abc")
        pilot.app.main.say("resumed")
        await settled(pilot)
        screen = text(pilot)
        assert screen[-1].strip() == "resumed" and screen[-2].strip() == "note: abc"


# digits


async def test_a_digit_opens_a_page_unless_the_screen_is_numbered_and_then_the_foot_says_how() -> None:
    async with shown(walked(3, ask()), (80, 24)) as pilot:
        assert "1 now" in text(pilot)[-1] and ": command" in text(pilot)[-1]
        await press(pilot, "2", "enter")
        assert ":1-8 pages" in text(pilot)[-1] and "1 now" not in text(pilot)[-1]
        await press(pilot, "2", "9")
        assert pilot.app.main.page.panel == "evidence"
        assert text(pilot)[-1].strip() == "there is no panel 9: :9 goes to the page"
        await press(pilot, "colon", "6", "enter")
        assert pilot.app.main.page.name == "walks"
        await press(pilot, "enter")
        assert ":1-8 pages" in text(pilot)[-1]
        await press(pilot, "question_mark", "1")
        assert pilot.app.main.page.name == "help" and "does nothing here" in text(pilot)[-1]
        await press(pilot, "escape", "colon", "1", "enter")
        assert pilot.app.main.page.name == "now"


async def test_the_help_says_the_rule_of_digits() -> None:
    async with shown(Scene(situation()), (100, 60)) as pilot:
        await press(pilot, "question_mark")
        assert "while a walk is open it answers" in " ".join(" ".join(text(pilot)).split())


# keys that do nothing


async def test_a_key_that_does_nothing_says_so_and_takes_an_older_notice_away() -> None:
    async with shown(Scene(situation())) as pilot:
        pilot.app.main.say("resumed")
        await press(pilot, "z")
        assert text(pilot)[-1].strip() == "z does nothing here: ? shows the keys that do"
        await press(pilot, "j")
        assert text(pilot)[-1].startswith(" enter open")


async def test_a_key_of_what_enter_opens_says_where_it_works() -> None:
    async with shown(Scene(situation())) as pilot:
        await press(pilot, "l")
        assert text(pilot)[-1].strip() == "l is a key of the application: enter opens it"
    async with shown(walked(3, ask())) as pilot:
        for page in ("1", "6"):
            await press(pilot, page, "y")
            assert text(pilot)[-1].strip() == "y is a key of the walk: enter opens it"
        await press(pilot, "1", "G", "x")
        assert text(pilot)[-1].strip() == "x is a key of the walk: g and enter open it"


def waiting(*walks: Any, **more: Any) -> Scene:
    return Scene(situation(walks=walks, **more))


def begun(id: str, *events: Any) -> Any:
    started = Started(NOW - 600, id, "spark-oom", "1.0.0", "0" * 64, "", {}, {}, {}, KEY, "sre", "console")
    return fold([started, Entered(NOW - 500, "step-1"), *events])


@pytest.mark.parametrize("page", ["1", "6"])
async def test_a_takes_up_the_only_walk_that_waits_wherever_walks_are_listed(page: str) -> None:
    scene = waiting(begun("w1", HandedOver(NOW - 40, "ada", "grace: the heap is flat", "step-1")))
    async with shown(scene, (80, 24)) as pilot:
        await press(pilot, page)
        assert "a take up" in text(pilot)[-1]
        await press(pilot, "a")
        assert ("resume", ("w1", False)) in scene.asked and pilot.app.main.page.name == "walk"


async def test_a_opens_the_walk_that_asks_and_takes_none_where_it_is_not_clear_which() -> None:
    asks = waiting(begun("w1"), here=frozenset({"w1"}), questions={"w1": ask()})
    async with shown(asks, (80, 24)) as pilot:
        await press(pilot, "a")
        assert pilot.app.main.page.name == "walk" and not [what for what, _ in asks.asked if what == "resume"]
    two = waiting(begun("w1"), begun("w2"))
    async with shown(two, (80, 24)) as pilot:
        await press(pilot, "G", "a")
        assert "several wait" in text(pilot)[-1]
        await press(pilot, "g", "a")
        assert [value for what, value in two.asked if what == "resume"] == [("w1", False)]
    other = waiting(begun("w1"), elsewhere={"w1": "ada (process 7)"})
    async with shown(other, (80, 24)) as pilot:
        assert "a take up" not in text(pilot)[-1]
        await press(pilot, "a")
        assert text(pilot)[-1].strip() == "a: ada (process 7) is on it: it is answered there"
    async with shown(Scene(situation()), (80, 24)) as pilot:
        await press(pilot, "a")
        assert text(pilot)[-1].strip() == "a: no walk waits"


async def test_who_takes_a_walk_up_reads_the_notes_and_the_last_word_of_the_one_before_with_the_question() -> None:
    walk = begun(
        "w1", Noted(NOW - 60, "asked the owner, no answer yet", "ada"), HandedOver(NOW - 40, "ada", "I lean to heap")
    )
    walk = apply(walk, Resumed(NOW - 30, "grace"))
    async with shown(waiting(walk, here=frozenset({"w1"}), questions={"w1": ask()}), (80, 24)) as pilot:
        await press(pilot, "a", "d")
        screen = " ".join(text(pilot))
        assert "asked the owner, no answer yet" in screen and "I lean to heap" in screen


async def test_no_sentence_of_the_help_is_cut_off_at_eighty_columns() -> None:
    async with shown(walked(3, ask()), (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "question_mark")
        page = pilot.app.main.page
        lines = [line.text for line in (page.show(80, 24).line(i, 80) for i in range(len(page.show(80, 24))))]
        assert max(map(len, lines)) <= 80
        assert "asked for." in " ".join(" ".join(lines).split()), "the end of the longest sentence"


# the mark of a choice, and walks that wait


async def test_the_choice_that_was_marked_keeps_a_mark_while_the_cursor_is_on_the_steps() -> None:
    scene = walked(3, ask())
    async with shown(scene) as pilot:
        await open_walk(pilot)
        await press(pilot, "k")
        screen = text(pilot)
        assert any(line.startswith(" ▹ 1 the heap") for line in screen) and "1-3 answer" in screen[-1]
        await press(pilot, "j")
        assert any(line.startswith(" ▸ 1 the heap") for line in text(pilot))


async def test_a_choice_that_nobody_marked_has_no_mark_at_all() -> None:
    from console.operate.person import ROLLBACK_CHOICES

    async with shown(walked(3, ask("rollback", choices=ROLLBACK_CHOICES))) as pilot:
        await open_walk(pilot)
        assert not any("▹" in line or line.startswith(" ▸ 1 ") for line in text(pilot))


async def test_an_open_walk_stands_above_all_else_with_the_words_of_its_step() -> None:
    at = Entered(NOW - 50, "executors-recover")
    async with shown(stands(began(at), ask()), (80, 24)) as pilot:
        row = text(pilot)[2]
        title = OOM.step("executors-recover").title  # type: ignore[union-attr]
        assert row.startswith(" WALK  waits for you · ") and title[:20] in row and "executors-recover" not in row
        await press(pilot, "g", "enter")
        assert pilot.app.main.page.name == "walk"


async def test_of_many_open_walks_those_that_ask_and_wait_stand_first_and_the_rest_is_counted() -> None:
    def walk(id: str, *more: Any) -> Any:
        started = Started(NOW - 600, id, "spark-oom", "1.0.0", "0" * 64, "", {}, {}, {}, KEY, "sre", "console")
        return fold([started, Entered(NOW - 500, f"step-of-{id}"), *more])

    walks = [walk("w1"), walk("w2"), walk("w3", HandedOver(NOW - 40, "ada", "", "x")), walk("w4"), walk("w5")]
    shown_here = situation(walks=tuple(walks), here=frozenset({"w1", "w2", "w4", "w5"}), questions={"w4": ask()})
    async with shown(Scene(shown_here), (80, 30)) as pilot:
        rows = text(pilot)[2:6]
        assert "step-of-w4" in rows[0] and "handed over" in rows[1] and "step-of-w1" in rows[2]
        assert rows[3].strip() == "2 more open walks: 6 shows them"


async def test_the_walks_page_names_steps_by_their_titles() -> None:
    async with shown(stands(began(Entered(NOW - 50, "executors-recover"))), (160, 24)) as pilot:
        await press(pilot, "6")
        assert not any("executors-recover" in line for line in text(pilot))


def test_a_walk_whose_runbook_cannot_be_read_is_shown_with_what_is_known() -> None:
    from console.tui.views.walk import present

    started = Started(NOW - 600, "w1", "x", "1.0.0", "0" * 64, "steps: [", {}, {}, {}, KEY, "sre", "console")
    assert present(fold([started])) == "begins"
    assert present(fold([started, Entered(NOW - 5, "scale-down")])) == "scale-down"


async def test_a_cursor_that_was_moved_stays_when_what_the_page_prefers_comes_later() -> None:
    scene = walked(3, None)
    full = scene.situation
    scene = Scene(msgspec.structs.replace(full, board=msgspec.structs.replace(full.board, findings=())))
    async with shown(scene, (80, 24)) as pilot:
        await press(pilot, "j", "g")
        assert pilot.app.main.page.selected == "walk:w1"
        scene.show(full)
        await settled(pilot)
        assert pilot.app.main.page.selected == "walk:w1"


async def test_a_walk_is_taken_from_who_is_on_it_only_with_a_reason() -> None:
    scene = elsewhere()
    async with shown(scene, (160, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "O")
        assert f"take it from {OTHER}: why" in "\n".join(text(pilot))
        for key in ("s", "h", "e", "enter"):
            await press(pilot, key)
        assert ("take over", ("w1", "she")) in scene.asked
