"""What each event leaves of a walk, field by field: nothing else moves."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Consequence, Effect, ObjectRef, Preview
from console.facts.evidence import Evidence
from console.facts.model import Alert, Origin
from console.runbook.state import ChangeMade
from console.runbook.walk import (
    Answered,
    AnyEvent,
    Applied,
    ApprovalAsked,
    Approved,
    ChangeRefused,
    Confirmed,
    Edited,
    Entered,
    EvidenceKept,
    HandedOver,
    HoldBegan,
    HoldBroke,
    Intent,
    Judged,
    Landed,
    Noted,
    Offered,
    Previewed,
    Resumed,
    RulesWidened,
    Skipped,
    Started,
    StepState,
    Undone,
    Verified,
    Walk,
    WalkEnded,
    apply,
    fold,
)

EFFECT = Effect("w/2", "now", "Raise it", "patch", ObjectRef("v1", "Node", "", "n"), "merge", {}, reversible=True)
UNDO = replace(EFFECT, id="w/2.undo", inverse_of="w/2")
READ = replace(EFFECT, writes=False)
EARLIER, EARLIER_UNDO = replace(EFFECT, id="w/1"), replace(UNDO, id="w/1.undo", inverse_of="w/1")
INTENT = Intent(6.0, "now", EFFECT, {}, 1, UNDO)
SHOWN = Preview(effect=EFFECT, diff=("-a", "+b"), accepted=True)
SEEN = (Evidence("kubernetes", "Node n", "it is so", 1.0),)
FIRST = StepState("first", "done", "fine", goto="now", entered=1.0, left=2.0)
NOW = StepState("now", "current", "looking", entered=2.0, watched=2.0)
WALK = Walk(
    id="w", runbook="b", version="1", hash="h", text="t", subject="s", status="holding", started=1.0, current="now",
    steps=(FIRST, NOW), path=("first", "now"), outputs={"first": {"status": "pass"}}, writes=(EARLIER,),
    rollbacks={"w/1": EARLIER_UNDO}, pending=INTENT, in_doubt=INTENT, hold_since=5.0, preview=SHOWN, confirmed="w/2",
    notes=(Noted(3.0, "hm", "ada"),), landed="unknown", intents=2, changed=4.0, mark=7.0, offered=("w/1",), events=9,
)  # fmt: skip
"""A walk in which everything that an event may change holds something."""
SETTLED = {"pending": None, "in_doubt": None, "landed": "", "preview": None, "confirmed": ""}
ENDED = replace(WALK, status="ended", outcome="resolved", ended=9.0)


def left(event: AnyEvent, walk: Walk = WALK) -> dict[str, Any]:
    """The fields that the event changed."""
    after = apply(walk, event)
    assert after.events == walk.events + 1
    names = [name for name in Walk.__struct_fields__ if name != "events"]
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(walk, name)}


def steps(**fields: Any) -> tuple[StepState, ...]:
    """The steps of the walk, the present one with these fields."""
    return FIRST, replace(NOW, **fields)


def outputs(**of_now: Any) -> dict[str, Any]:
    return {"first": {"status": "pass"}, "now": of_now}


def test_a_walk_begins_with_what_it_was_started_with() -> None:
    begun = Started(
        1.0, "w", "b", "2.0", "hash", "text", {"size": 1}, {"size": "default"}, {"uid": "u"}, "app", "ada", "console",
        {"slo": {}}, remarks=("no object is named",),
    )  # fmt: skip
    assert fold([begun]) == Walk(
        id="w", runbook="b", version="2.0", hash="hash", text="text", subject="app", status="running", started=1.0,
        inputs={"size": 1}, origins={"size": "default"}, cluster={"uid": "u"}, actor="ada", slo_before={"slo": {}},
        remarks=("no object is named",), events=1,
    )  # fmt: skip
    assert left(begun) == {}, "it begins once"


def test_where_nothing_happened_nothing_is_said() -> None:
    walk = Walk("w", "b", "1", "h", "t", "s", "running", 1.0)
    words = (walk.actor, walk.current, walk.confirmed, walk.because, walk.landed, walk.undo)
    assert (words, walk.events, walk.intents) == (("",) * 6, 0, 0)
    state = StepState("s", "current")
    assert (state.words, state.answer, state.goto, state.measured) == ("", "", "", False)


def test_a_walk_that_begins_anyhow_else_is_none() -> None:
    with pytest.raises(ValueError, match="the first event of a walk must be 'started'"):
        fold([Entered(1.0, "a")])
    with pytest.raises(ValueError, match="a walk has at least the event 'started'"):
        fold([])


def test_a_step_that_is_entered_is_the_present_one_and_nothing_of_the_last_holds() -> None:
    assert left(Entered(10.0, "next")) == {
        "current": "next",
        "status": "running",
        "steps": (FIRST, NOW, StepState("next", "current", entered=10.0, watched=10.0)),
        "path": ("first", "now", "next"),
        "preview": None,
        "confirmed": "",
        "hold_since": None,
        "mark": None,
    }


def test_a_judgement_ends_its_step_and_can_be_asked_for_later() -> None:
    assert left(Judged(10.0, "now", "warn", "it is large", "next", SEEN, {"size": 3})) == {
        "status": "running",
        "steps": steps(state="done", words="it is large", left=10.0, goto="next", status="warn", evidence=SEEN),
        "outputs": outputs(size=3, status="warn", because="it is large"),
    }


def test_an_answer_ends_its_step_with_who_gave_it() -> None:
    assert left(Answered(10.0, "now", "heap", "ada", "next")) == {
        "status": "running",
        "steps": steps(state="done", words="ada: heap", left=10.0, goto="next", answer="heap"),
        "outputs": outputs(answer="heap", by="ada"),
    }
    assert left(Answered(10.0, "now", "", "ada", "next"))["steps"][-1].words == ""


def test_a_second_person_who_is_waited_for_takes_the_confirmation_back_until_they_approved() -> None:
    asked = ApprovalAsked(10.0, "now", "w/2", "1a2b3c4d5e6f7", "approvals", 60.0)
    assert left(asked) == {
        "status": "waiting",
        "confirmed": "",
        "steps": steps(words="waits for a second person: console approve 1a2b3c4d5e6f"),
    }
    given = Approved(11.0, "now", "w/2", asked.digest, "grace", "approvals")
    assert left(given) == {"status": "running", "steps": steps(words="grace approved it")}
    waiting = replace(WALK, confirmed="")
    assert left(given, waiting)["confirmed"] == "w/2"
    assert left(asked, ENDED) == {**left(asked), "status": "waiting"} and "status" not in left(given, ENDED)
    done = replace(WALK, steps=(FIRST,))
    assert "steps" not in left(asked, done), "beside a step that was left nothing is said of a rollback"


def test_what_was_kept_of_an_object_changes_nothing() -> None:
    assert left(EvidenceKept(10.0, "now", "w/2", ("1 pod",))) == {}


def test_a_step_that_is_not_needed_says_why() -> None:
    assert left(Skipped(10.0, "now", "not needed", "next")) == {
        "steps": steps(state="skipped", words="not needed", left=10.0, goto="next")
    }


def test_a_preview_waits_for_a_confirmation_of_its_own() -> None:
    other = replace(SHOWN, diff=("+c",))
    assert left(Previewed(10.0, "now", other)) == {
        "status": "waiting",
        "preview": other,
        "confirmed": "",
        "steps": steps(preview=other),
    }
    assert left(Confirmed(10.0, "now", "w/3", "", "ada")) == {"confirmed": "w/3", "status": "running"}


def test_an_intent_is_pending_and_takes_a_number() -> None:
    later = replace(INTENT, at=10.0)
    assert left(later) == {"pending": later, "status": "running", "intents": 3, "landed": ""}
    assert left(later, ENDED) == {"pending": later, "intents": 3, "landed": ""}, "the walk stays ended"


def test_a_change_that_was_applied_is_a_write_with_its_way_back() -> None:
    done = Applied(10.0, "now", "w/2", True, "patched", 2, 0, "said", "next")
    assert left(done) == {
        **SETTLED,
        "status": "running",
        "writes": (EARLIER, EFFECT),
        "rollbacks": {"w/1": EARLIER_UNDO, "w/2": UNDO},
        "changed": 10.0,
        "sent": (INTENT.at,),
        "last": ChangeMade(INTENT.at),
        "steps": steps(state="done", words="patched", left=10.0, goto="next"),
        "outputs": outputs(applied=True, message="patched", exit_code=0, output="said"),
    }
    assert "rollbacks" not in left(done, replace(WALK, pending=replace(INTENT, rollback=None)))
    assert left(done, replace(WALK, pending=None)) == {k: v for k, v in left(done).items() if k != "pending"}, (
        "one that was in doubt, too"
    )


def test_a_change_that_failed_or_only_read_is_no_write() -> None:
    failed = left(Applied(10.0, "now", "w/2", False, "refused", goto="next"))
    assert failed == {
        **SETTLED,
        "status": "running",
        "steps": steps(state="failed", words="refused", left=10.0, goto="next"),
        "outputs": outputs(applied=False, message="refused", exit_code=None, output=""),
    }
    read = left(Applied(10.0, "now", "w/2", True), replace(WALK, pending=replace(INTENT, effect=READ)))
    assert "writes" not in read and "rollbacks" not in read and "changed" not in read
    unheard = left(Applied(10.0, "now", "w/2", True), replace(WALK, pending=None, in_doubt=None))
    assert "writes" not in unheard, "nothing was about to leave"


def test_a_rollback_that_was_applied_leaves_the_step_and_its_verdict_alone() -> None:
    back = replace(WALK, pending=replace(INTENT, effect=UNDO, rollback=None), undo="w/2")
    done = Applied(10.0, "now", "w/2.undo", True)
    assert left(done, back) == {
        **SETTLED,
        "status": "running",
        "writes": (EARLIER, UNDO),
        "changed": 10.0,
        "sent": (INTENT.at,),
        "last": ChangeMade(INTENT.at),
        "undo": "",
        "undos": (Undone("w/2.undo", "Raise it", 2, "done", "rolled back"),),
    }
    assert left(done, replace(back, status="ended", ended=9.0)).get("status") is None, "an ended walk stays ended"


def test_a_refusal_ends_the_step_that_asked_for_the_change() -> None:
    said = ChangeRefused(10.0, "now", "w/2", "policy", "frozen", "next")
    assert left(said) == {
        **SETTLED,
        "status": "running",
        "steps": steps(state="refused", words="frozen", left=10.0, goto="next"),
        "outputs": outputs(refused=True, by="policy", because="frozen"),
    }


def test_a_rollback_that_is_refused_leaves_the_step_alone() -> None:
    said = ChangeRefused(10.0, "now", "w/2.undo", "policy", "frozen")
    refused = {"undos": (Undone("w/2.undo", "the rollback", 2, "refused", "not rolled back: frozen"),)}
    assert left(said, replace(WALK, undo="w/2")) == {**SETTLED, "status": "running", "undo": "", **refused}
    assert left(said, replace(ENDED, undo="w/2")) == {**SETTLED, "undo": "", **refused}


def test_a_rollback_that_is_shown_leaves_the_step_that_led_to_it_as_it_was() -> None:
    shown = replace(SHOWN, effect=UNDO)
    after = left(Previewed(10.0, "now", shown), replace(WALK, confirmed=""))
    assert after == {
        "preview": shown, "status": "waiting", "undos": (Undone("w/2.undo", "Raise it", 2, "current", "", shown),),
    }  # fmt: skip


def test_a_rollback_that_is_shown_again_is_one_beside_those_of_other_changes() -> None:
    other = Undone("w/1.undo", "the rollback", 1, "refused", "not rolled back: frozen")
    mine = Undone("w/2.undo", "Raise it", 2, "refused", "not rolled back: frozen")
    shown = replace(SHOWN, effect=UNDO)
    after = left(Previewed(10.0, "now", shown), replace(WALK, undos=(other, mine)))
    assert after["undos"] == (other, Undone("w/2.undo", "Raise it", 2, "current", "", shown))


def test_what_landed_is_known_or_in_doubt_and_what_did_not_is_asked_for_again() -> None:
    for answer in ("yes", "unknown"):
        found = left(Landed(10.0, "now", "w/2", answer), replace(WALK, landed=""))  # type: ignore[arg-type]
        assert found == {"landed": answer, "status": "in doubt"}
    assert left(Landed(10.0, "now", "w/2", "no")) == {**SETTLED, "status": "running"}
    assert left(Landed(10.0, "now", "w/2", "no"), ENDED) == SETTLED


def test_a_hold_begins_with_its_mark_and_breaks_without() -> None:
    assert left(HoldBegan(10.0, "now", "holds", 8.0), replace(WALK, status="running")) == {
        "hold_since": 10.0,
        "mark": 8.0,
        "status": "holding",
        "steps": steps(words="holds", measured=True),
    }
    assert apply(WALK, HoldBegan(10.0, "now", "goes on", 8.0, 9.0)).hold_since == 9.0
    assert left(HoldBroke(10.0, "now", "not yet"), replace(WALK, status="running")) == {
        "hold_since": None,
        "mark": None,
        "status": "holding",
        "steps": steps(words="not yet", measured=True),
    }


@pytest.mark.parametrize(
    ("verdict", "status"),
    [("effective", "pass"), ("ineffective", "fail"), ("worse", "fail"), ("unknown", "unknown")],
)
def test_a_verdict_ends_the_hold(verdict: Any, status: str) -> None:
    assert left(Verified(10.0, "now", verdict, "so it is", "next", SEEN), replace(WALK, writes=())) == {
        "status": "running",
        "hold_since": None,
        "mark": None,
        "steps": steps(state="done", words="so it is", left=10.0, goto="next", status=status, evidence=SEEN),
        "outputs": outputs(verdict=verdict, because="so it is"),
    }


def test_a_rollback_is_wanted_only_by_yes() -> None:
    assert left(Offered(10.0, "now", "w/2", "yes", "ada")) == {"offered": ("w/1", "w/2"), "undo": "w/2"}
    assert left(Offered(10.0, "now", "w/2", "no", "ada"), replace(WALK, undo="w/1")) == {
        "offered": ("w/1", "w/2"),
        "undo": "",
    }


def test_a_note_is_kept_and_moves_nothing() -> None:
    note = Noted(10.0, "told the owner", "grace", "now")
    assert left(note) == {"notes": (*WALK.notes, note)}


def test_a_resumed_walk_is_in_doubt_about_what_was_pending() -> None:
    assert left(Resumed(10.0, "ada"), replace(WALK, in_doubt=None)) == {"in_doubt": INTENT, "status": "in doubt"}


def test_a_resumed_walk_watches_anew() -> None:
    calm = replace(WALK, pending=None, in_doubt=None)
    anew = {"status": "running", "preview": None, "confirmed": "", "hold_since": None, "mark": None}
    assert left(Resumed(10.0, "ada"), calm) == {**anew, "steps": steps(watched=10.0)}
    between = replace(calm, steps=steps(state="done", goto="next"))
    assert left(Resumed(10.0, "ada"), between) == anew, "no step was being watched"
    assert left(Resumed(10.0, "ada"), replace(calm, steps=())) == anew
    assert left(Resumed(10.0, "ada"), replace(calm, ended=9.0, status="ended")) == {}, "what has ended stays so"


def test_a_walk_that_is_handed_over_waits_and_what_was_shown_is_shown_anew() -> None:
    gone = HandedOver(10.0, "ada", "grace: the heap is flat", "now")
    asked = {"handed": gone, "preview": None, "confirmed": ""}
    calm = replace(WALK, pending=None, in_doubt=None)
    assert left(gone, calm) == {**asked, "status": "handed over"}
    for doubtful in (replace(calm, pending=INTENT), replace(calm, in_doubt=INTENT)):
        assert left(gone, doubtful) == {**asked, "status": "in doubt"}, "a change that was on its way comes first"
    assert left(gone, ENDED) == {}, "nothing is left to hand over"
    taken = left(Resumed(11.0, "grace"), replace(calm, handed=gone, status="handed over"))
    assert (taken["handed"], taken["status"]) == (None, "running")


def test_an_input_that_a_person_set_anew_needs_a_new_preview() -> None:
    held = replace(WALK, inputs={"size": 1, "app": "a"}, origins={"size": "default", "app": "asked"})
    assert left(Edited(10.0, "now", "size", 2, "1", "ada"), held) == {
        "inputs": {"size": 2, "app": "a"},
        "origins": {"size": "ada", "app": "asked"},
        "preview": None,
        "confirmed": "",
        "status": "running",
    }


def test_a_walk_goes_by_wider_rules_only_when_its_person_says_so() -> None:
    held = replace(WALK, cluster={"uid": "u", "rules": {"mode": "read-only"}})
    wider = RulesWidened(10.0, ("mode",), "yes", "ada", {"mode": "guarded"})
    assert left(wider, held) == {"cluster": {"uid": "u", "rules": {"mode": "guarded"}}}
    assert left(replace(wider, answer="no"), held) == {}


def test_an_end_says_how_it_stands_and_keeps_what_is_in_doubt() -> None:
    over = WalkEnded(10.0, "resolved", "it runs", "now", {"slo": {}})
    ended = {
        "status": "ended",
        "outcome": "resolved",
        "because": "it runs",
        "ended": 10.0,
        "slo_after": {"slo": {}},
        "preview": None,
        "hold_since": None,
    }
    assert left(over) == {**ended, "steps": steps(state="done", words="it runs", left=10.0)}
    assert left(replace(over, step="elsewhere")) == ended, "another step did not end it"
    done = replace(WALK, steps=steps(state="refused"))
    assert left(over, done) == ended, "a step that was left keeps its words"
    assert left(over, replace(WALK, steps=())) == ended


def test_before_any_step_there_is_none_to_change() -> None:
    assert left(Skipped(10.0, "now", "not needed", "next"), replace(WALK, steps=())) == {}


def test_the_latest_visit_of_a_step_is_its_state() -> None:
    again = replace(NOW, step="first", words="again")
    walk = replace(WALK, steps=(FIRST, NOW, again))
    assert (walk.state("first"), walk.state("now"), walk.state("never")) == (again, NOW, None)


def test_a_walk_of_one_step_ends_with_it() -> None:
    only = replace(WALK, steps=(NOW,), path=("now",), status="running")
    ended = apply(only, WalkEnded(10.0, "resolved", "it runs", "now", {}))
    assert [(s.step, s.state, s.words) for s in ended.steps] == [("now", "done", "it runs")]


def test_a_walk_knows_the_alert_that_it_began_with() -> None:
    alert = Alert("SparkPodOOMKilled", {"namespace": "spark-jobs"}, Origin("alertmanager", "here"))
    assert fold([Started(1.0, "w", "b", "1", "", "", {}, {}, {}, "", "", "", {}, alert)]).alert == alert


LASTING = Consequence("next run", "warning", "the next run brings 1100m back: change its template too", "nightly")
MADE = replace(FIRST, preview=replace(SHOWN, effect=EFFECT, consequences=(LASTING,)))


def test_a_change_that_did_not_help_is_still_in_place_and_not_to_be_made_to_last() -> None:
    before = ("tell the owner", LASTING.text)
    tried = replace(WALK, steps=(MADE, NOW), still_to_do=before, changed=5.0, writes=(replace(EFFECT, title="More"),))
    stands = "the change that did not help is still in place: More; undo it, or say why it stays"
    for verdict in ("ineffective", "worse"):
        after = apply(tried, Verified(10.0, "now", verdict, "it failed again", "next"))
        assert after.still_to_do == ("tell the owner", stands)
    assert apply(tried, Verified(10.0, "now", "effective", "held", "next")).still_to_do == before
    assert apply(tried, Verified(10.0, "now", "unknown", "no answer", "next")).still_to_do == before
    nameless = replace(tried, writes=(replace(EFFECT, title="", step="raise"),))
    after = apply(nameless, Verified(10.0, "now", "worse", "it failed again", "next"))
    assert after.still_to_do[-1].startswith("the change that did not help is still in place: raise;")


def test_what_was_undone_or_never_changed_does_not_stand() -> None:
    failed = Verified(10.0, "now", "ineffective", "it failed again", "next")
    undone = replace(WALK, writes=(EFFECT, replace(EFFECT, id="w/1.undo", inverse_of="w/1")), changed=5.0)
    assert apply(undone, failed).still_to_do == undone.still_to_do
    assert apply(replace(WALK, writes=()), failed).still_to_do == WALK.still_to_do


def test_a_change_that_helped_is_kept_although_the_objective_did_not_recover() -> None:
    well = replace(FIRST, step="runs", left=6.0)
    helped = replace(WALK, steps=(well, NOW), changed=5.0, outputs={"runs": {"verdict": "effective"}})
    failed = Verified(10.0, "now", "ineffective", "not reached", "next")
    assert helped.helped and apply(helped, failed).still_to_do == WALK.still_to_do
    assert replace(helped, changed=6.0).helped, "at the same moment"
    for other in (replace(helped, changed=7.0), replace(helped, changed=None), replace(helped, outputs={})):
        assert not other.helped
    assert not replace(helped, steps=(replace(well, left=None), NOW)).helped
    assert not replace(helped, outputs={"runs": {"verdict": "unknown"}}).helped


def test_a_step_at_which_somebody_ended_the_walk_was_not_done() -> None:
    for over in (
        WalkEnded(10.0, "unresolved", "enough", "now", stopped=True),
        WalkEnded(10.0, "unresolved", "stopped by ada: wrong app", "now"),
    ):
        assert apply(WALK, over).steps[-1].state == "stopped"
    assert apply(WALK, WalkEnded(10.0, "unresolved", "it was not stopped by ada", "now")).steps[-1].state == "done"
