"""The hands of a responder: what a walk shows while it asks, and what each key does then."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import msgspec
import pytest

from console.actions.effects import Consequence
from console.facts.model import SourceState
from console.operate.person import ROLLBACK_CHOICES, Question
from console.runbook.editing import Editable
from console.runbook.inputs import InputMissing, InputRefused, MissingInput
from console.runbook.model import Choice, Input
from console.runbook.walk import (
    Answered,
    Applied,
    ChangeRefused,
    Confirmed,
    Entered,
    HandedOver,
    Intent,
    Judged,
    Offered,
    Previewed,
    Started,
    Verified,
    WalkEnded,
    fold,
)
from tests.runbook import longform
from tests.tui.scenes import KEY, NOW, Scene, situation
from tests.tui.test_pages import PREVIEW, press, shown, text

CHOICES = (Choice("heap", "the heap"), Choice("overhead", "outside the heap"), Choice("cores", "fewer tasks"))
WORDS = "because of what was seen at the {0}th place, which is a long story that no line of eighty cells holds whole"


def walked(steps: int, question: Question | None) -> Scene:
    """A walk of so many steps, the last of which is the present one."""
    events: list[Any] = [
        Started(NOW - 600, "w1", "spark-oom", "1.0.0", "0" * 64, "", {}, {}, {}, KEY, "sre", "console")
    ]
    for number in range(1, steps):
        events += [
            Entered(NOW - 600 + number, f"step-{number}"),
            Judged(NOW - 600 + number, f"step-{number}", "pass", WORDS.format(number), f"step-{number + 1}"),
        ]
    events.append(Entered(NOW - 50, f"step-{steps}"))
    questions = {"w1": question} if question is not None else {}
    here = frozenset({"w1"})
    return Scene(situation(walks=(fold(events),), questions=questions, here=here))


def ask(kind: Any = "ask", **more: Any) -> Question:
    fields = {"choices": CHOICES if kind == "ask" else (), "cluster": "spark-prod/eu-west-1", **more}
    return Question("w1", "step-20", kind, "Which?", "Which memory filled it?", **fields)


def replies(scene: Scene) -> list[tuple[str, str]]:
    return [(reply.value, reply.typed) for what, reply in scene.asked if what == "reply"]


async def open_walk(pilot: Any) -> None:
    await press(pilot, "6", "enter")
    assert pilot.app.main.page.name == "walk"


async def test_the_question_and_the_present_step_are_in_sight_after_twenty_steps() -> None:
    async with shown(walked(20, ask()), (80, 24)) as pilot:
        await open_walk(pilot)
        screen = text(pilot)
        assert any("Which memory filled it?" in line for line in screen)
        assert any("3 fewer tasks" in line for line in screen)
        assert any(line.startswith(" ▸ 20") for line in screen)


async def test_earlier_steps_are_scrolled_to_and_opened_whole_while_something_is_asked() -> None:
    scene = walked(20, ask())
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        assert not any(WORDS.format(1)[-20:] in line for line in text(pilot))
        await press(pilot, "k", "g", "enter")
        assert WORDS.format(1) in " ".join(" ".join(text(pilot)).split())
        walk = scene.situation.walks[0]
        assert any(f"walk     {walk.id} · {walk.runbook}" in line for line in text(pilot)), "cut off in the heading"
        await press(pilot, "escape")
        assert any("Which memory filled it?" in line for line in text(pilot)) and replies(scene) == []


async def test_the_marked_choice_is_moved_with_the_cursor_and_answered_with_enter() -> None:
    scene = walked(3, ask())
    async with shown(scene) as pilot:
        await open_walk(pilot)
        await press(pilot, "j", "enter")
        assert replies(scene) == [("overhead", "")]


async def test_a_digit_leads_nowhere_while_a_step_runs() -> None:
    scene = walked(3, None)
    async with shown(scene, (120, 24)) as pilot:
        await open_walk(pilot)
        for digit in "123456789":
            await press(pilot, digit)
            assert pilot.app.main.page.name == "walk"
        assert "nothing is asked now" in text(pilot)[-1] and "-" in text(pilot)[-1]
        await press(pilot, "minus")
        assert pilot.app.main.page.name == "walks"


async def test_a_digit_that_is_no_answer_names_those_that_are() -> None:
    scene = walked(3, ask())
    async with shown(scene) as pilot:
        await open_walk(pilot)
        await press(pilot, "7")
        assert text(pilot)[-1].strip() == "7 is no answer: this question is answered with 1-3"
        assert replies(scene) == []


async def test_no_on_a_question_with_other_answers_names_them_and_answers_nothing() -> None:
    scene = walked(3, ask())
    async with shown(scene) as pilot:
        await open_walk(pilot)
        await press(pilot, "N")
        assert text(pilot)[-1].strip() == "N: this question is answered with 1-3"
        assert replies(scene) == []


LONG = msgspec.structs.replace(
    PREVIEW,
    diff=tuple(f"+     line-{n}: new" for n in range(40)),
    consequences=tuple(Consequence("loss", "warning", f"warning {n}: " + "what is lost " * 12) for n in range(6)),
)


async def test_a_yes_is_possible_only_when_all_that_must_be_read_was_on_the_screen() -> None:
    scene = walked(20, ask("confirm", preview=LONG))
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "y")
        assert "first read what does not fit" in text(pilot)[-1] and replies(scene) == []
        await press(pilot, "d", "escape", "y")
        assert replies(scene) == [], "it was opened, not read to its end"
        await press(pilot, "d", "G", "escape", "y")
        assert replies(scene) == [("yes", "")]


async def test_what_is_no_warning_makes_room_for_the_diff_and_the_warnings() -> None:
    calm = tuple(Consequence("quota", "info", f"calm {n}") for n in range(12))
    worst = Consequence("next run", "warning", "the next run brings 1100m back " * 3)
    preview = msgspec.structs.replace(PREVIEW, consequences=(*calm, worst))
    scene = walked(20, ask("confirm", preview=preview))
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        screen = " ".join(" ".join(text(pilot)).split())
        assert "+ memoryOverhead: 2g" in screen and ("the next run brings 1100m back " * 3).strip() in screen
        assert "12 more, no warning among them" in screen
        await press(pilot, "y")
        assert replies(scene) == [("yes", "")]


async def test_a_text_that_was_mistyped_stands_with_the_question_that_is_asked_again() -> None:
    again = ask("confirm", preview=PREVIEW, expect=KEY, reason="'spark' is not 'spark-prod/etl-orders': 2 more tries")
    async with shown(walked(3, again)) as pilot:
        await open_walk(pilot)
        assert any("'spark' is not 'spark-prod/etl-orders'" in line for line in text(pilot))


async def test_escape_while_typing_goes_back_to_the_question_and_refuses_nothing() -> None:
    scene = walked(3, ask("confirm", preview=PREVIEW, expect=KEY))
    async with shown(scene) as pilot:
        await open_walk(pilot)
        await press(pilot, "y")
        assert any(f"type {KEY} to apply on spark-prod/eu-west-1" in line for line in text(pilot))
        await press(pilot, "escape")
        assert replies(scene) == []
        await press(pilot, "N")
        assert replies(scene) == [("no", "")]


async def test_the_proposed_value_is_edited_where_it_is_confirmed() -> None:
    edit = Editable("overhead", "memoryOverhead", "jvm_size", "2g", "1100m", "8g")
    scene = walked(3, ask("confirm", preview=PREVIEW, editable=edit))
    async with shown(scene) as pilot:
        await open_walk(pilot)
        assert any("v sets memoryOverhead otherwise: 2g now, 1100m to 8g" in line for line in text(pilot))
        await press(pilot, "v", "backspace", "backspace", *"3g", "enter")
        assert replies(scene) == [("edit", "3g")]


async def test_an_answer_belongs_to_the_question_that_was_on_the_screen() -> None:
    scene = walked(3, ask())
    given: list[Any] = []
    scene.reply = lambda walk, reply, question=None: (given.append(question), scene._did("reply", reply))[1]  # type: ignore[method-assign]
    async with shown(scene) as pilot:
        await open_walk(pilot)
        await press(pilot, "1")
        assert given == [scene.situation.questions["w1"]]


async def test_stop_asks_why_and_escape_goes_on() -> None:
    scene = walked(3, ask())
    async with shown(scene) as pilot:
        await open_walk(pilot)
        await press(pilot, "x", "escape")
        assert not [what for what, _ in scene.asked if what == "stop walk"]
        await press(pilot, "x", *"wrong app", "enter")
        assert ("stop walk", "wrong app") in scene.asked


async def test_a_walk_that_was_handed_over_is_seen_by_the_next_person_who_takes_it_up() -> None:
    events = [
        Started(NOW - 60, "w1", "spark-oom", "1.0.0", "0" * 64, "", {}, {}, {}, KEY, "ada", "console"),
        Entered(NOW - 50, "step-1"),
        HandedOver(NOW - 40, "ada", "grace: the heap is flat", "step-1"),
    ]
    scene = Scene(situation(walks=(fold(events),)))
    async with shown(scene, (120, 30)) as pilot:
        row = next(line for line in text(pilot) if "WALK" in line)
        assert "handed over, waits" in row and "ada, grace: the heap is flat" in row
        await open_walk(pilot)
        screen = text(pilot)
        assert any("ada handed it over 40s ago: grace: the heap is flat" in line for line in screen)
        assert "with the same state folder also console runbook --resume" in " ".join(" ".join(screen).split())
        assert screen[-1].startswith(" a take it up")
        await press(pilot, "a")
        assert ("resume", ("w1", False)) in scene.asked


class Lacking(Scene):
    """A source that begins no walk without the input `size`."""

    def begin(self, runbook: str, *, given: Any = None, **more: Any) -> Future[str]:
        future: Future[str] = Future()
        self.asked.append(("begin", dict(given or {})))
        if "size" not in (given or {}):
            future.set_exception(
                InputMissing(runbook, MissingInput("size", "Size of the heap", "jvm_size", "no source"))
            )
        elif given["size"] == "huge":
            future.set_exception(InputRefused(runbook, Input("size", "jvm_size"), "'huge' is no size"))
        else:
            future.set_result("w1")
        return future


async def test_a_walk_from_the_ui_asks_for_the_inputs_that_it_lacks() -> None:
    scene = Lacking(situation())
    async with shown(scene) as pilot:
        await press(pilot, "r")
        assert any("Size of the heap (jvm_size)" in line for line in text(pilot)[-4:])
        await press(pilot, *"huge", "enter")
        assert any("'huge' is no size" in line for line in text(pilot)[-4:])
        await press(pilot, *["backspace"] * 4, *"2g", "enter")
        assert pilot.app.main.page.name == "walk"
        assert [given for what, given in scene.asked if what == "begin"] == [{}, {"size": "huge"}, {"size": "2g"}]


async def test_escape_at_an_input_walks_nothing() -> None:
    scene = Lacking(situation())
    async with shown(scene) as pilot:
        await press(pilot, "r", "escape")
        assert pilot.app.main.page.name == "now" and len([1 for what, _ in scene.asked if what == "begin"]) == 1


@pytest.mark.parametrize("size", [(80, 24), (80, 12), (40, 10), (160, 50)])
async def test_a_question_keeps_its_answers_in_sight_at_any_size(size: tuple[int, int]) -> None:
    async with shown(walked(20, ask("confirm", preview=LONG)), size) as pilot:
        await open_walk(pilot)
        assert any("Which memory" in line for line in text(pilot))


UNDO = msgspec.structs.replace(
    PREVIEW.effect, id="w1/1.undo", title="Undo: raise memoryOverhead", inverse_of="w1/1", step="recovers"
)


async def test_a_rollback_that_worked_looks_like_one_beside_the_verification_that_failed() -> None:
    events = [
        Started(NOW - 600, "w1", "spark-oom", "1.0.0", "0" * 64, "", {}, {}, {}, KEY, "sre", "console"),
        Entered(NOW - 500, "recovers"),
        Verified(NOW - 400, "recovers", "ineffective", "it failed again", "not-fixed"),
        Previewed(NOW - 390, "recovers", msgspec.structs.replace(PREVIEW, effect=UNDO)),
        Intent(NOW - 380, "recovers", UNDO),
        Applied(NOW - 379, "recovers", "w1/1.undo", True, "memoryOverhead is 1100m again"),
        Entered(NOW - 370, "not-fixed"),
    ]
    scene = Scene(situation(walks=(fold(events),), here=frozenset({"w1"})))
    async with shown(scene, (120, 24)) as pilot:
        await open_walk(pilot)
        screen = text(pilot)
        failed = next(line for line in screen if "it failed again" in line)
        undone = next(line for line in screen if "Undo: raise memoryOverhead" in line)
        assert failed.strip().startswith("✗  1 recovers") and "Undo" not in failed
        assert undone.strip().startswith("✓") and "rolled back: memoryOverhead is 1100m again" in undone


def began(*events: Any) -> list[Any]:
    start = Started(NOW - 600, "w1", "spark-oom", OOM.version, OOM.hash, OOM.text, {}, {}, {}, KEY, "sre", "console")
    return [start, *events]


OOM = longform.LONG
MADE = msgspec.structs.replace(PREVIEW.effect, id="w1/1", step="raise-executor-overhead")
TRIED = began(
    Entered(NOW - 500, "raise-executor-overhead"),
    Previewed(NOW - 480, "raise-executor-overhead", msgspec.structs.replace(PREVIEW, effect=MADE)),
    Confirmed(NOW - 470, "raise-executor-overhead", "w1/1", "", "sre"),
    Intent(NOW - 460, "raise-executor-overhead", MADE, rollback=msgspec.structs.replace(UNDO, restarts="the job")),
)
FAILED = (
    Applied(NOW - 459, "raise-executor-overhead", "w1/1", True, goto="executors-recover"),
    Entered(NOW - 450, "executors-recover"),
    Verified(NOW - 400, "executors-recover", "ineffective", "it failed again", "not-fixed"),
)


def stands(events: Any, question: Question | None = None, here: bool = True) -> Scene:
    questions = {"w1": question} if question is not None else {}
    return Scene(situation(walks=(fold(events),), questions=questions, here=frozenset({"w1"} if here else ())))


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (TRIED, "CHANGING SparkApplication"),
        (TRIED[:-1], "confirmed: rules, object and dry run are looked at once more"),
        ([*TRIED, FAILED[0]], "the change was made; what follows from it is being read"),
        ([*TRIED, *FAILED, Offered(NOW - 390, "executors-recover", "w1/1", "yes", "sre")], "preparing the rollback"),
        (
            [
                *TRIED,
                *FAILED,
                WalkEnded(NOW - 395, "unresolved", "The change did not help.", "not-fixed"),
                Offered(NOW - 390, "executors-recover", "w1/1", "yes", "sre"),
            ],
            "preparing the rollback",
        ),
    ],
)
async def test_nothing_is_called_reading_while_a_change_is_under_way(events: Any, said: str) -> None:
    async with shown(stands(events), (80, 24)) as pilot:
        await open_walk(pilot)
        screen = "\n".join(text(pilot))
        assert said in screen and "nothing is changed" not in screen


async def test_the_badge_of_a_rollback_says_that_it_changes_and_restarts() -> None:
    back = msgspec.structs.replace(UNDO, restarts="the job", inverse_of="w1/1")
    preview = msgspec.structs.replace(PREVIEW, effect=back)
    events = [*TRIED, *FAILED, Offered(NOW - 390, "executors-recover", "w1/1", "yes", "sre"),
              Previewed(NOW - 380, "executors-recover", preview)]  # fmt: skip
    async with shown(stands(events, ask("confirm", preview=preview)), (80, 24)) as pilot:
        await open_walk(pilot)
        screen = text(pilot)
        assert any("ROLLBACK, changes back · restarts the job" in line for line in screen)
        assert not any("only reads" in line for line in screen[:4])


async def test_no_answer_is_marked_where_a_yes_would_take_a_change_back() -> None:
    died = "deaths since the change: 2 OOMKilled at the container's limit"
    asked = ask("rollback", choices=ROLLBACK_CHOICES, shows=(died,))
    scene = stands([*TRIED, *FAILED], asked)
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        screen = text(pilot)
        assert any(died in line for line in screen)
        assert any(line.startswith("   1 roll it back") for line in screen), "no mark stands on it"
        assert any("its diff comes next" in line for line in screen)
        await press(pilot, "enter")
        assert replies(scene) == []


async def test_a_change_that_did_not_help_and_still_stands_is_still_to_do() -> None:
    events = [*TRIED, *FAILED, Entered(NOW - 300, "not-fixed"),
              WalkEnded(NOW - 299, "unresolved", "The change did not help.", "not-fixed")]  # fmt: skip
    async with shown(stands(events), (80, 24)) as pilot:
        await open_walk(pilot)
        screen = text(pilot)
        said = " ".join(" ".join(screen).split())
        assert "the change that did not help is still in place" in said and "next run" not in said
        assert any(line.startswith(" ✗  3 Not fixed") for line in screen), "an end that mended nothing has no tick"


async def test_a_step_at_which_the_walk_was_stopped_has_no_tick() -> None:
    events = began(Entered(NOW - 50, "which-death"),
                   WalkEnded(NOW - 40, "unresolved", "stopped by root", "which-death", stopped=True))  # fmt: skip
    async with shown(stands(events), (80, 24)) as pilot:
        await open_walk(pilot)
        assert next(line for line in text(pilot) if "What ended it?" in line).startswith(" –  1")


async def test_a_change_that_was_refused_hands_nobody_anything() -> None:
    events = began(
        Entered(NOW - 50, "raise-executor-heap"),
        ChangeRefused(NOW - 45, "raise-executor-heap", "w1/1", "person", "sre did not type it in 3 tries", "declined"),
        Entered(NOW - 44, "declined"),
        WalkEnded(NOW - 43, "handed_over", "The change was refused; nothing was changed.", "declined"),
    )
    async with shown(stands(events), (80, 24)) as pilot:
        await open_walk(pilot)
        screen = text(pilot)
        assert any(line.strip() == "DECLINED" for line in screen) and not any("HANDED OVER" in s for s in screen)
        assert any("nobody was handed it" in line for line in screen)
    handed = began(
        Entered(NOW - 50, "advise"),
        Answered(NOW - 45, "advise", "", "sre", "handed-over"),
        Entered(NOW - 44, "handed-over"),
        WalkEnded(NOW - 43, "handed_over", "Handed over to the owner.", "handed-over"),
    )
    async with shown(stands(handed), (80, 24)) as pilot:
        await open_walk(pilot)
        assert any(line.strip() == "HANDED OVER" for line in text(pilot))


@pytest.mark.parametrize(
    ("by", "said"), [("policy", "REFUSED BY THE POLICY"), ("permission", "REFUSED, A RIGHT IS MISSING")]
)
async def test_what_nobody_declined_is_not_called_so(by: str, said: str) -> None:
    events = began(
        Entered(NOW - 50, "raise-executor-heap"),
        ChangeRefused(NOW - 45, "raise-executor-heap", "w1/1", by, "policy.cooldown ends in 5m", "declined"),
        Entered(NOW - 44, "declined"),
        WalkEnded(NOW - 43, "handed_over", "The change was refused: policy.cooldown ends in 5m.", "declined"),
    )
    async with shown(stands(events), (80, 24)) as pilot:
        await open_walk(pilot)
        assert any(line.strip() == said for line in text(pilot))
        assert not any(line.strip() == "DECLINED" for line in text(pilot))


async def test_an_empty_line_ends_and_hands_over_nothing() -> None:
    scene = walked(3, ask())
    async with shown(scene) as pilot:
        await open_walk(pilot)
        for key in "xh":
            await press(pilot, key, "enter")
            assert "nothing was done" in text(pilot)[-1]
            await press(pilot, key, "space", "enter")
        assert not [what for what, _ in scene.asked if what in ("stop walk", "hand over")]


async def test_a_typo_needs_no_second_reading_and_the_reader_answers_like_the_walk() -> None:
    long = ask("confirm", preview=LONG, expect=KEY)
    scene = walked(20, long)
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "d", "y")
        assert "read to its end first" in text(pilot)[-1]
        await press(pilot, "G", "y", *"typo", "enter")
        assert replies(scene) == [("yes", "typo")] and pilot.app.main.page.name == "walk"
        again = msgspec.structs.replace(long, reason="'typo' is not it: nothing was changed, 2 more tries")
        pilot.app.main.arrived(msgspec.structs.replace(scene.situation, questions={"w1": again}))
        await press(pilot, "y", *"x", "enter")
        assert replies(scene)[-1] == ("yes", "x"), "the same change was read already"
        other = msgspec.structs.replace(long, preview=msgspec.structs.replace(LONG, fingerprint="another"))
        pilot.app.main.arrived(msgspec.structs.replace(scene.situation, questions={"w1": other}))
        await press(pilot, "y")
        assert "first read what does not fit" in text(pilot)[-1]


async def test_a_question_that_is_read_whole_is_answered_there_and_its_value_set() -> None:
    scene = walked(20, ask(shows=("what speaks for each of them " * 60,)))
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "d")
        assert "1-3 answer" in text(pilot)[-1]
        await press(pilot, "7")
        assert "7 does nothing here" in text(pilot)[-1] and replies(scene) == []
        await press(pilot, "2")
        assert replies(scene) == [("overhead", "")] and pilot.app.main.page.name == "walk"
    editable = Editable("overhead", "memoryOverhead", "memory", "2304m", "1100m", "21676m")
    scene = walked(20, ask("confirm", preview=LONG, editable=editable))
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "d", "v", *"3g", "enter")
        assert replies(scene) == [("edit", "3g")]


@pytest.mark.parametrize("kind", ["change", "rollback", "question"])
async def test_every_key_that_acts_on_what_is_asked_stands_in_the_foot_at_eighty_columns(kind: str) -> None:
    editable = Editable("overhead", "memoryOverhead", "memory", "2304m", "1100m", "21676m")
    question, answer = {
        "change": (ask("confirm", preview=LONG, editable=editable), ["N no", "v value"]),
        "rollback": (ask("rollback", choices=ROLLBACK_CHOICES), ["y yes", "N no"]),
        "question": (ask(), ["1-3 answer"]),
    }[kind]
    async with shown(walked(120, question), (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "g")
        foot = text(pilot)[-1]
        for key in (*answer, "d details", "n note", "h hand over", "x stop", ":1-8", "?", "↓ "):
            assert key in foot, foot
        if kind == "change":
            await press(pilot, "d", "G", "escape", "g")
            assert all(key in text(pilot)[-1] for key in ("y yes", *answer, "h hand over", "x stop", ":1-8", "?"))


async def test_digits_lead_to_pages_again_once_the_walk_has_ended() -> None:
    events = began(Entered(NOW - 50, "healthy"), WalkEnded(NOW - 40, "not_applicable", "Nothing is wrong.", "healthy"))
    async with shown(stands(events), (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "2")
        assert pilot.app.main.page.name == "apps"


async def test_what_is_typed_after_a_colon_leads_to_the_application_of_that_name_first() -> None:
    async with shown(walked(3, None), (80, 24)) as pilot:
        await press(pilot, "6", "colon", *"etl-orders", "enter")
        assert pilot.app.main.page.name == "app"


async def test_an_end_shows_no_template_and_says_what_comes_next() -> None:
    words = "Not out of memory: executors were evicted. Nothing was changed."
    events = began(Entered(NOW - 50, "not-memory"), WalkEnded(NOW - 40, "not_applicable", words, "not-memory"))
    async with shown(stands(events), (80, 24)) as pilot:
        await open_walk(pilot)
        assert any(line.startswith(" next ") for line in text(pilot))
        await press(pilot, "d")
        screen = "\n".join(text(pilot))
        assert "executors were evicted" in screen and "{{" not in screen


async def test_the_lines_of_a_note_stay_lines() -> None:
    note = Question("w1", "step-3", "note", "A note", "etl: killed\nlimit 3.9Gi\nspark.executor.memoryOverhead=3200m")
    async with shown(walked(3, note), (80, 24)) as pilot:
        await open_walk(pilot)
        assert {"limit 3.9Gi", "spark.executor.memoryOverhead=3200m"} <= {line.strip() for line in text(pilot)}


async def test_a_walk_keeps_the_clock_and_the_freshness_in_sight_and_says_when_it_was_read() -> None:
    scene = walked(3, ask(read_at=NOW - 5))
    late = msgspec.structs.replace(scene.situation.board, sources=(SourceState("prometheus", "stale"),))
    scene = Scene(msgspec.structs.replace(scene.situation, board=late))
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        top = text(pilot)
        assert top[0].rstrip().endswith("Z") and "prometheus stale" in top[0]
        assert any("read at " in line for line in top[:4])


ENDED = [
    *TRIED,
    *FAILED[:2],
    Verified(NOW - 400, "executors-recover", "effective", "it completed", "resolved"),
    WalkEnded(NOW - 395, "resolved", "It runs again.", "resolved"),
]


async def test_an_ended_walk_offers_undo_in_its_foot_only_while_its_change_can_be_undone() -> None:
    back = msgspec.structs.replace(UNDO, inverse_of="w1/1")
    undone = [
        *ENDED,
        Intent(NOW - 300, "executors-recover", back),
        Applied(NOW - 290, "executors-recover", back.id, True),
    ]
    nothing = began(Entered(NOW - 500, "what"), WalkEnded(NOW - 495, "not_applicable", "Nothing is wrong.", "what"))
    for events, offered in ((ENDED, True), (undone, False), (nothing, False)):
        scene = stands(events, here=False)
        async with shown(scene, (80, 24)) as pilot:
            await open_walk(pilot)
            assert text(pilot)[-1].strip().startswith("u undo") is offered
            await press(pilot, "u")
            assert [did for did, _ in scene.asked if did == "rollback"] == (["rollback"] if offered else [])


async def test_while_the_undo_of_an_ended_walk_is_asked_about_it_is_neither_handed_over_nor_ended_again() -> None:
    shown_back = msgspec.structs.replace(PREVIEW, effect=msgspec.structs.replace(UNDO, inverse_of="w1/1"))
    events = [*ENDED, Previewed(NOW - 300, "executors-recover", shown_back)]
    async with shown(stands(events, ask("confirm", preview=shown_back)), (80, 24)) as pilot:
        await open_walk(pilot)
        foot = text(pilot)[-1]
        assert "N no" in foot and "h hand over" not in foot and "x stop" not in foot and "u undo" not in foot
        await press(pilot, "x")
        assert "the walk has ended" in text(pilot)[-1]


@pytest.mark.parametrize(
    ("came", "mark"),
    [
        (ChangeRefused(NOW - 290, "last", "w1/1.undo", "server", "the API server refused it"), "✗"),
        (Applied(NOW - 290, "last", "w1/1.undo", False, "the API server refused it"), "✗"),
    ],
)
async def test_how_an_undo_came_out_stands_on_the_screen_of_a_long_walk_that_has_ended(came: Any, mark: str) -> None:
    back = msgspec.structs.replace(UNDO, inverse_of="w1/1", step="last")
    steps = [
        one
        for n in range(1, 20)
        for one in (Entered(NOW - 600, f"s{n}"), Judged(NOW - 600, f"s{n}", "pass", "so", f"s{n + 1}"))
    ]
    text_of_end = " ".join(["It was stopped, and what that means is told at length here."] * 12)
    events = [*TRIED[:1], *steps, *TRIED[1:], *FAILED[:2], WalkEnded(NOW - 395, "unresolved", text_of_end, "last")]
    shown_back = msgspec.structs.replace(PREVIEW, effect=back)
    confirm = ask("confirm", preview=shown_back)
    asked = [*events, Offered(NOW - 301, "last", "w1/1", "yes", "sre"), Previewed(NOW - 300, "last", shown_back)]
    sent = [Intent(NOW - 295, "last", back)] if isinstance(came, Applied) else []
    scene = stands(asked, confirm)
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        scene.show(stands([*asked, *sent, came]).situation)
        await pilot.pause()
        row = next(line for line in text(pilot) if "↶ Undo: raise" in line)
        assert row.strip().startswith(mark) and "not rolled back: the API server" in row
        await press(pilot, "d")
        assert "the API server refused it" in "\n".join(text(pilot))


async def test_the_cursor_goes_on_with_the_walk_that_went_on_while_its_question_was_read() -> None:
    scene = walked(20, ask("ask", choices=CHOICES))
    async with shown(scene, (80, 24)) as pilot:
        await open_walk(pilot)
        await press(pilot, "d")
        assert pilot.app.main.page.name == "question"
        scene.show(walked(22, None).situation)
        await press(pilot, "escape")
        assert any(line.strip().startswith("▸ 22") for line in text(pilot)), "the step that it stands at is in sight"
        await press(pilot, "k", "k", "enter", "escape")
        assert pilot.app.main.page.selected == "step:20", "who looked at an earlier step comes back to it"
