"""The walk as a fold: whatever `todo` permits, in whatever order, leads only where the runbook says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.actions.effects import Effect, ObjectRef
from console.actions.patch import VERB as PATCH
from console.base.errors import UsageError
from console.runbook import graph, steps
from console.runbook.model import Branch, Choice, Runbook, Step
from console.runbook.walk import (
    Answered,
    AnyEvent,
    Applied,
    ChangeRefused,
    Confirmed,
    Entered,
    HoldBegan,
    HoldBroke,
    Intent,
    Judged,
    Landed,
    LookedBack,
    Noted,
    Offered,
    Resumed,
    Skipped,
    Started,
    Verified,
    Walk,
    WalkEnded,
    apply,
    decode,
    encode,
    fold,
)
from tests.runbook.longform import LONG

OOM = LONG
TARGET = ObjectRef("v1", "Node", "", "n")


def runbook(*all_steps: Step) -> Runbook:
    return Runbook("b", "1.0.0", "B", "b.yaml", "", "", steps=all_steps)


def started(book: Runbook) -> Started:
    return Started(0.0, "w", book.id, "1", "", "", {}, {}, {}, "", "", "")


EVERY_KIND = runbook(
    Step("first", "decide", "t", branches=(Branch("x", "ask"), Branch("", "wait")), on_unknown="note"),
    Step("wait", "wait", "t", duration="1m", when="x"),
    Step("note", "note", "t", text="x"),
    Step("ask", "ask", "t", choices=(Choice("a", "A", "change"), Choice("b", "B", "manual"))),
    Step("manual", "manual", "t", text="x", next="ask"),
    Step("change", "change", "t", rollback="captured", verify="verify", on_refused="end", on_failed="ask"),
    Step("verify", "verify", "t", until="x", on_effective="script", on_ineffective="ask", on_worse="end",
         on_unknown="end"),
    Step("script", "script", "t", script="s", effect="read", next="end", on_failed="end"),
    Step("end", "end", "t", outcome="resolved"),
)  # fmt: skip


class Chaos:
    """Appends any event that is permitted, and crashes at any boundary."""

    def __init__(self, book: Runbook, data: st.DataObject) -> None:
        self.book, self.data, self.now = book, data, 0.0
        self.events: list[AnyEvent] = [started(book)]
        self.crashes = 0

    def pick(self, *options: Any) -> Any:
        return self.data.draw(st.sampled_from(options))

    def add(self, event: AnyEvent) -> None:
        self.events.append(event)
        if self.crashes < 5 and self.data.draw(st.integers(0, 9)) == 0:
            self.crashes += 1
            self.events.append(Resumed(self.now, "test"))

    def write(self, step: str, effect: Effect, goto: str) -> None:
        rollback = PATCH.inverse(effect, {}) if effect.reversible else None
        self.add(Confirmed(self.now, step, effect.id, "", "x"))
        crashes = self.crashes
        self.add(Intent(self.now, step, effect, {}, 1, rollback))
        if self.crashes == crashes:
            self.add(Applied(self.now, step, effect.id, self.pick(True, True, False), goto=goto))

    def turn(self, walk: Walk) -> bool:
        self.now += 1
        now, book = self.now, self.book
        match steps.todo(book, walk):
            case steps.Nothing():
                return False
            case steps.Enter(step=id):
                step = book.step(id)
                assert step is not None
                self.add(Entered(now, id))
                if step.when and self.pick(True, False) and fold(self.events).current == id:
                    self.add(Skipped(now, id, "not needed", graph.following(book, step)))
            case steps.Judge(step=step):
                goto = self.pick(*[b.goto for b in step.branches], *([step.on_unknown] if step.on_unknown else []))
                self.add(Judged(now, step.id, self.pick("pass", "warn", "fail", "unknown"), "x", goto))
            case steps.AskPerson(step=step):
                value = self.pick(*[c.value for c in step.choices]) if step.choices else "ok"
                self.add(steps.answer(book, step, value, "x", now))
            case steps.MakeChange(step=step) | steps.RunScript(step=step):
                effect = Effect(
                    f"{walk.id}/{walk.intents + 1}", step.id, "t", "patch", TARGET, "merge", {"spec": {"x": 1}},
                    touched=("/spec/x",), reversible=step.rollback == "captured", writes=step.writes,
                )  # fmt: skip
                if step.writes and self.pick(True, False, False):
                    self.add(ChangeRefused(now, step.id, effect.id, "person", "no", graph.route(book, step, "refused")))
                else:
                    self.write(step.id, effect, graph.route(book, step, "applied"))
            case steps.Undo(step=step, rollback=rollback):
                id = step.id if step else ""
                if self.pick(True, False):
                    self.write(id, rollback, "")
                else:
                    self.add(ChangeRefused(now, id, rollback.id, "person", "no"))
            case steps.Offer(step=step, effect=effect):
                self.add(Offered(now, step.id, effect.id, self.pick("yes", "no"), "x"))
            case steps.Hold(step=step):
                verdict = self.pick("began", "broke", "effective", "ineffective", "worse", "unknown")
                if verdict == "began":
                    self.add(HoldBegan(now, step.id, mark=1.0))
                elif verdict == "broke":
                    self.add(HoldBroke(now, step.id))
                else:
                    self.add(Verified(now, step.id, verdict, "x", graph.route(book, step, verdict)))
            case steps.Pause(step=step):
                self.add(steps.waited(book, step, now))
            case steps.Landing(intent=intent, answer="yes"):
                step = book.step(intent.step)
                goto = graph.route(book, step, "applied") if step is not None and not intent.effect.inverse_of else ""
                self.add(Applied(now, intent.step, intent.effect.id, True, goto=goto))
            case steps.Landing(intent=intent):
                self.add(Landed(now, intent.step, intent.effect.id, self.pick("yes", "no", "unknown")))
            case steps.Finish(step=id, outcome=outcome, because=because):
                self.events.append(WalkEnded(now, outcome, because, id))
        return True


@settings(max_examples=250, deadline=None)
@given(st.data(), st.sampled_from([EVERY_KIND, OOM]))
def test_no_order_of_permitted_events_leaves_the_runbook(data: st.DataObject, book: Runbook) -> None:
    chaos = Chaos(book, data)
    reachable, walk = graph.reachable(book), fold(chaos.events)
    for _ in range(120):
        seen = len(chaos.events)
        if not chaos.turn(walk):
            break
        for event in chaos.events[seen:]:
            walk = apply(walk, event)
            _holds(book, walk, reachable)
    assert walk == fold([decode(encode(e)) for e in chaos.events])
    if walk.ended is not None:
        assert isinstance(steps.todo(book, walk), steps.Nothing | steps.Undo)


def _holds(book: Runbook, walk: Walk, reachable: frozenset[str]) -> None:
    """What is true of every walk at every moment."""
    assert set(walk.path) <= reachable
    for source, target in zip(walk.path, walk.path[1:], strict=False):
        step = book.step(source)
        assert step is not None and target in {t for _, t in graph.successors(book, step)}
    ids = [w.id for w in walk.writes]
    assert len(ids) == len(set(ids)) <= walk.intents
    assert (walk.status == "ended") <= (walk.ended is not None)
    assert (walk.in_doubt is None) or walk.pending is not None
    assert sum(s.state == "current" for s in walk.steps) <= 1
    if walk.hold_since is not None:
        assert walk.state(walk.current) is not None
    undone = [w.inverse_of for w in walk.writes if w.inverse_of]
    assert len(undone) == len(set(undone))


def test_events_survive_the_journal() -> None:
    for event in (
        Judged(1.0, "a", "pass", "x", "b", output={"value": 1}),
        HoldBegan(1.0, "a", "x", 2.0),
        Offered(1.0, "a", "w/1", "yes", "me"),
        Noted(1.0, "text", "me"),
    ):
        assert decode(encode(event)) == event
    with pytest.raises(ValueError, match="started"):
        fold([Entered(1.0, "a")])
    with pytest.raises(ValueError, match="started"):
        fold([])


CHANGE = runbook(
    Step("change", "change", "t", rollback="captured", verify="verify", on_refused="end"),
    Step(
        "verify", "verify", "t", until="x", on_effective="end", on_ineffective="end", on_worse="end", on_unknown="end"
    ),
    Step("end", "end", "t", outcome="unresolved"),
)


def effect(id: str = "w/1", **fields: Any) -> Effect:
    return Effect(
        id, "change", "t", "patch", TARGET, "merge", {"spec": {"x": 1}}, touched=("/spec/x",), reversible=True, **fields
    )


def test_a_crash_between_intent_and_result_leaves_the_walk_in_doubt_until_somebody_knows() -> None:
    intent = Intent(2.0, "change", effect(), {"/spec/x": 0}, 1, PATCH.inverse(effect(), {"/spec/x": 0}))
    events: list[AnyEvent] = [started(CHANGE), Entered(1.0, "change"), intent, Resumed(3.0, "me")]
    walk = fold(events)
    assert walk.status == "in doubt" and walk.in_doubt == intent
    assert steps.todo(CHANGE, walk) == steps.Landing(intent, "")
    walk = fold([*events, Landed(4.0, "change", "w/1", "unknown")])
    assert walk.status == "in doubt" and steps.todo(CHANGE, walk) == steps.Landing(intent, "unknown")
    walk = fold([*events, Landed(4.0, "change", "w/1", "yes")])
    assert steps.todo(CHANGE, walk) == steps.Landing(intent, "yes")
    landed = [*events, Landed(4.0, "change", "w/1", "yes"), Applied(5.0, "change", "w/1", True, goto="verify")]
    walk = fold(landed)
    assert [w.id for w in walk.writes] == ["w/1"] and "w/1" in walk.rollbacks and walk.status == "running"
    assert steps.todo(CHANGE, walk) == steps.Enter("verify")


def test_what_did_not_arrive_is_asked_for_again_under_a_new_number() -> None:
    intent = Intent(2.0, "change", effect(), {}, 1)
    walk = fold(
        [started(CHANGE), Entered(1.0, "change"), intent, Resumed(3.0, "me"), Landed(4.0, "change", "w/1", "no")]
    )
    assert walk.status == "running" and walk.writes == () and walk.intents == 1
    todo = steps.todo(CHANGE, walk)
    assert isinstance(todo, steps.MakeChange)


def verified(verdict: Any) -> list[AnyEvent]:
    inverse = PATCH.inverse(effect(), {"/spec/x": 0})
    return [
        started(CHANGE), Entered(1.0, "change"), Intent(2.0, "change", effect(), {"/spec/x": 0}, 1, inverse),
        Applied(3.0, "change", "w/1", True, goto="verify"), Entered(4.0, "verify"),
        Verified(5.0, "verify", verdict, "x", "end"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "offered"), [("ineffective", True), ("worse", True), ("effective", False), ("unknown", False)]
)
def test_only_a_change_that_did_not_help_is_offered_to_be_undone(verdict: Any, offered: bool) -> None:
    todo = steps.todo(CHANGE, fold(verified(verdict)))
    assert isinstance(todo, steps.Offer) == offered
    if isinstance(todo, steps.Offer):
        assert todo.rollback.patch == {"spec": {"x": 0}} and todo.effect.id == "w/1"


def test_a_rollback_is_done_once_and_leaves_the_verdict_alone() -> None:
    events = [*verified("worse"), Offered(6.0, "verify", "w/1", "yes", "me")]
    todo = steps.todo(CHANGE, fold(events))
    assert isinstance(todo, steps.Undo)
    events += [Intent(7.0, "verify", todo.rollback, {}, 2), Applied(8.0, "verify", todo.rollback.id, True)]
    walk = fold(events)
    assert [w.inverse_of for w in walk.writes] == ["", "w/1"] and walk.outputs["verify"]["verdict"] == "worse"
    assert steps.todo(CHANGE, walk) == steps.LookBack(todo.rollback)
    walk = fold([*events, LookedBack(9.0, "verify", todo.rollback.id, "yes", "as before")])
    assert steps.todo(CHANGE, walk) == steps.Enter("end")


def test_a_rollback_that_is_declined_or_refused_lets_the_walk_go_on() -> None:
    declined = [*verified("worse"), Offered(6.0, "verify", "w/1", "no", "me")]
    assert steps.todo(CHANGE, fold(declined)) == steps.Enter("end")
    refused = [
        *verified("worse"),
        Offered(6.0, "verify", "w/1", "yes", "me"),
        ChangeRefused(7.0, "verify", "w/1.undo", "policy", "freeze"),
    ]
    walk = fold(refused)
    assert walk.undo == "" and steps.todo(CHANGE, walk) == steps.Enter("end")
    assert walk.outputs["verify"]["verdict"] == "worse"


def test_a_rollback_after_the_end_does_not_open_the_walk_again() -> None:
    events = [
        *verified("effective"),
        Entered(6.0, "end"),
        WalkEnded(7.0, "unresolved", "x", "end"),
        Offered(8.0, "", "w/1", "yes", "me"),
    ]
    walk = fold(events)
    todo = steps.todo(CHANGE, walk)
    assert isinstance(todo, steps.Undo)
    events += [Intent(9.0, "", todo.rollback, {}, 2), Applied(10.0, "", todo.rollback.id, True)]
    walk = fold(events)
    assert walk.status == "ended" and walk.outcome == "unresolved" and len(walk.writes) == 2
    assert steps.todo(CHANGE, walk) == steps.LookBack(todo.rollback)
    walk = fold([*events, LookedBack(11.0, "", todo.rollback.id, "yes", "as before", ("ada: diagnose it again",))])
    assert steps.todo(CHANGE, walk) == steps.Nothing()
    assert walk.still_to_do == ("ada: diagnose it again",)


def test_a_read_script_is_no_write() -> None:
    read = effect(writes=False)
    walk = fold(
        [started(CHANGE), Entered(1.0, "change"), Intent(2.0, "change", read, {}), Applied(3.0, "change", "w/1", True)]
    )
    assert walk.writes == () and walk.changed is None and walk.outputs["change"]["applied"] is True


def test_an_end_that_is_not_written_is_still_an_end() -> None:
    lost = runbook(Step("note", "note", "t", text="x"))
    walk = fold([started(lost), Entered(1.0, "note"), Answered(2.0, "note", "", "me", "")])
    todo = steps.todo(lost, walk)
    assert isinstance(todo, steps.Finish) and todo.outcome == "unresolved"
    gone = fold([started(lost), Entered(1.0, "elsewhere")])
    todo = steps.todo(lost, gone)
    assert isinstance(todo, steps.Finish) and "has no step 'elsewhere'" in todo.because


def test_a_circle_ends_after_many_steps() -> None:
    book = runbook(Step("a", "note", "t", text="x", next="a"))
    events: list[AnyEvent] = [started(book)]
    for _ in range(steps.MAX_STEPS + 1):
        events += [Entered(1.0, "a"), Answered(1.0, "a", "", "me", "a")]
    todo = steps.todo(book, fold(events))
    assert isinstance(todo, steps.Finish) and todo.outcome == "unresolved"


def test_a_step_that_is_not_needed_is_skipped_but_an_unknown_one_is_not() -> None:
    book = runbook(Step("a", "note", "t", text="x", when="x == 1", next="b"), Step("b", "end", "t", outcome="resolved"))
    walk = fold([started(book)])
    assert [type(e).__name__ for e in steps.enter(book, walk, "a", {"x": 2}, 1.0)] == ["Entered", "Skipped"]
    assert [type(e).__name__ for e in steps.enter(book, walk, "a", {"x": 1}, 1.0)] == ["Entered"]
    assert [type(e).__name__ for e in steps.enter(book, walk, "a", {}, 1.0)] == ["Entered"]


def test_what_cannot_be_judged_is_unknown_never_a_pass() -> None:
    check = Step("a", "check", "t", branches=(Branch("x > 1", "b", "large", "fail"), Branch("", "c", "small")))
    book = runbook(check, Step("b", "end", "t", outcome="resolved"), Step("c", "end", "t", outcome="resolved"))
    assert steps.judge(book, check, {"x": 2}, 1.0).because == "large"
    assert (steps.judge(book, check, {"x": 0}, 1.0).status, steps.judge(book, check, {"x": 0}, 1.0).goto) == (
        "pass",
        "c",
    )
    for ctx in ({}, {"x": "text"}, {"x": None}):
        judged = steps.judge(book, check, ctx, 1.0)
        assert (judged.status, judged.goto) == ("unknown", "c") and "cannot be told" in judged.because
    loud = Step("a", "check", "t", branches=check.branches, on_unknown="b")
    assert steps.judge(book, loud, {}, 1.0).goto == "b"
    numbers = Step("a", "check", "t", branches=(Branch("x", "b"), Branch("", "c")))
    assert steps.judge(book, numbers, {"x": 5}, 1.0).status == "unknown"


def test_only_a_listed_answer_is_an_answer() -> None:
    ask = EVERY_KIND.step("ask")
    assert ask is not None
    assert steps.answer(EVERY_KIND, ask, "b", "me", 1.0).goto == "manual"
    with pytest.raises(UsageError, match="'c' is no answer to step 'ask'"):
        steps.answer(EVERY_KIND, ask, "c", "me", 1.0)


def test_secrets_and_escapes_do_not_reach_the_journal() -> None:
    ctx = {"x": "\x1b[31mit said password=hunter2hunter2 \u202eevil"}
    check = Step("a", "check", "t", shows=("{{ x }}",), branches=(Branch("", "b", "{{ x }}"),))
    book = runbook(check, Step("b", "end", "t", outcome="resolved", text="{{ x }}"))
    judged = steps.judge(book, check, ctx, 1.0)
    ended = steps.finish(book, fold([started(book)]), "b", "resolved", "{{ x }}", ctx, 1.0, {})
    asked = steps.question(Step("n", "note", "{{ x }}", text="{{ x }}", shows=("{{ x }}",)), ctx)
    said = repr((judged, ended, asked))
    assert "hunter2" not in said and "\\x1b" not in said and "\\u202e" not in said and "evil" in said
