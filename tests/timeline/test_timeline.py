"""The timeline: who did and saw what and when, readable on a page, anchored in the journal, harmless to read."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.actions.effects import Consequence
from console.facts.evidence import Evidence
from console.operate.chain import Chain
from console.operate.journal import Journal
from console.runbook.walk import (
    Answered,
    AnyEvent,
    Applied,
    ApprovalAsked,
    Approved,
    Confirmed,
    Entered,
    Followed,
    HandedOver,
    Intent,
    Judged,
    Noted,
    Offered,
    Previewed,
    Resumed,
    RightsAsked,
    Started,
    Verified,
    WalkEnded,
    WalkLeft,
    fold,
)
from console.timeline.prose import sentence
from console.timeline.record import WalkRecord
from console.timeline.timeline import code, document, fence, markdown, text
from tests.operate.tower import small
from tests.timeline.story import BEGAN, EFFECT, PLANTED, WALK, written
from tests.timeline.story import events as story


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal.db")
    written(journal)
    return journal


def page(journal: Journal) -> str:
    record = WalkRecord.read(journal, WALK)
    return markdown(record.walk, record.events, record.chain, record.hashes)


def tree(journal: Journal) -> dict[str, object]:
    record = WalkRecord.read(journal, WALK)
    return document(record.walk, record.events, record.chain, record.hashes)


def test_the_head_says_what_it_was_and_how_it_ended(journal: Journal) -> None:
    head = page(journal).split("## Objectives")[0]
    assert "# spark-jobs/etl-orders: Give executors more room" in head
    assert "| Outcome | **resolved**: it runs again |" in head
    assert "| Began | 2026-11-24 10:42:07 UTC |" in head
    assert "| Ended | 2026-11-24 10:53:38 UTC (11m) |" in head
    assert "| First change after | 1m |" in head
    assert "| Recovery verified after | 11m |" in head
    assert "| Waiting for people | 1m |" in head
    assert "| Alert | SparkExecutorOOMKilled" in head
    assert "`app` = `spark-jobs/etl-orders` (alert.app)" in head


def test_objectives_before_and_after_and_what_is_not_known(journal: Journal) -> None:
    then, now = "burning, budget 84% left, burn 5m 30.2 · 1h 12.1", "good, budget 82% left, burn 5m 0.00 · 1h no data"
    assert f"| Jobs succeed | {then} | {now} |" in page(journal)


def test_the_change_stands_there_as_it_was_confirmed(journal: Journal) -> None:
    changes = page(journal).split("## Changes")[1].split("## What happened")[0]
    assert "### Raise memoryOverhead to 1200m" in changes
    assert "10:43:14 on SparkApplication spark-jobs/etl-orders, confirmed by ada" in changes
    assert "-    memoryOverhead: 200m\n+    memoryOverhead: 1200m" in changes
    assert "- restart (warning): the operator submits the job from the start" in changes


def test_what_happened_has_a_heading_per_step_and_a_line_per_record(journal: Journal) -> None:
    story = page(journal).split("## What happened")[1].split("## Anchors")[0]
    assert re.findall(r"^### (.*)$", story, re.M) == [
        "10:42:08 step 1: Is it there?",
        "10:42:09 step 2: Which memory?",
        "10:42:41 step 3: Raise memoryOverhead to 1200m",
        "10:43:15 step 4: Does it run again?",
    ]
    assert "- 10:42:39 ada answered: “Overhead: raise it”\n  - asked: Heap or overhead?\n" in story
    assert "  - shown: heap peak 1.6Gi of 2.8Gi\n  - shown: a hint, no proof: heap\n  - not chosen: Nothing\n" in story
    assert "- 10:42:40 note of ada: the heap is flat" in story
    assert "- 10:43:12 ada confirmed" in story
    assert "- 10:43:14 done: applied to spark-jobs/etl-orders (record 11)" in story
    assert "- 10:53:37 effective: held for 10m" in story
    assert "seen: `OOMKilled, exit 137; password=[redacted]` (kubernetes: Pod/spark-jobs/etl-exec-1, 10:42:07)" in story


def test_heads_of_the_journal_are_the_anchors(journal: Journal) -> None:
    anchors = page(journal).split("## Anchors")[1]
    hashes = journal.hashes(WALK)
    for number, kind in ((1, "started"), (10, "intent"), (11, "applied"), (15, "ended")):
        assert f"| {number} | {kind} | `{hashes[number - 1]}` |" in anchors
    assert "chain of the journal is whole" in anchors


def test_no_secret_and_nothing_hostile_reaches_the_page(journal: Journal) -> None:
    for shown in (page(journal), json.dumps(tree(journal))):
        assert PLANTED not in shown
        assert "\x1b" not in shown
        assert "\\u001b" not in shown
        assert "\u202e" not in shown
        assert "\\u202e" not in shown


def test_texts_from_outside_stay_plain_text() -> None:
    assert text("a|b *c* [d](e) <f> `g`\nh") == r"a\|b \*c\* \[d\](e) \<f\> \`g\` h"
    assert code("a`b") == "``a`b``"
    assert code("`a|") == "`` `a¦ ``"
    assert fence("x\n```\ny", "diff") == "````diff\nx\n```\ny\n````"


def test_a_fence_in_the_diff_does_not_end_it(journal: Journal) -> None:
    assert "````diff\n spec:" in page(journal)


def test_the_document_holds_the_same(journal: Journal) -> None:
    found = tree(journal)
    assert found["outcome"] == "resolved"
    assert found["path"] == ["look", "which", "raise", "recovers"]
    assert found["began"] == "2026-11-24T10:42:07Z"
    assert found["seconds"] == {
        "to_first_change": 66.0, "to_verified": 690.0, "to_end": 691.0, "waited_for_people": 60.0,
    }  # fmt: skip
    [write] = found["writes"]  # type: ignore[misc]
    assert write["object"] == "SparkApplication spark-jobs/etl-orders"
    assert (write["confirmed_by"], write["at"], write["undoes"]) == ("ada", "2026-11-24T10:43:14Z", None)
    assert "+    memoryOverhead: 1200m" in write["diff"]
    assert found["journal"] == {"records": 15, "whole": True, "because": "", "head": journal.head(WALK)}
    events = found["events"]
    assert isinstance(events, list)
    assert [e["record"] for e in events] == list(range(1, 16))
    assert "text" not in events[0]
    assert events[4]["says"] == "ada answered: “Overhead: raise it”"


def test_a_journal_that_was_altered_is_called_broken(journal: Journal) -> None:
    db = sqlite3.connect(journal.path)
    db.execute("DROP TRIGGER records_stay")
    db.execute("UPDATE records SET payload = replace(payload, 'overhead', 'heap....') WHERE seq = 5")
    db.commit()
    assert "**broken**: record 5 is not what was written" in page(journal)
    assert tree(journal)["journal"]["whole"] is False  # type: ignore[index]


def test_a_walk_of_two_days_shows_the_day(tmp_path: Path) -> None:
    from msgspec.structs import replace

    from tests.timeline.story import events

    journal = Journal(tmp_path / "other.db")
    for event in events():
        journal.append(WALK, replace(event, at=event.at + 86400) if event.at > 1795516967 else event)
    assert "- 2026-11-25 10:43:12 ada confirmed" in page(journal)


def shown(*events: AnyEvent) -> str:
    """The page of the story's first records, and these."""
    all_of = [*story()[:4], *events]
    return markdown(fold(all_of), all_of, Chain("w", True, len(all_of), ""), ["0" * 64] * len(all_of))


def spans(*events: AnyEvent) -> dict[str, float | None]:
    all_of = [*story()[:4], *events]
    return WalkRecord.of(fold(all_of), all_of, Chain("w", True, len(all_of), ""), ["0" * 64] * len(all_of)).spans()


ASKED = BEGAN + 2
"""When the question of the story's first records was asked."""


def test_everybody_who_had_a_hand_in_it_is_named() -> None:
    page = shown(
        HandedOver(ASKED + 8, "ada", "grace: lunch", "which"),
        Resumed(ASKED + 98, "grace"),
        Answered(ASKED + 100, "which", "none", "grace", "declined"),
        HandedOver(ASKED + 101, "console", "nobody answered"),
    )
    assert "| Walked by | ada, then grace |" in page


def test_who_approved_as_the_second_person_is_named_with_the_change_and_the_wait_for_them_is_told() -> None:
    asked = ApprovalAsked(BEGAN + 100, "raise", EFFECT.id, "1a2b3c4d5e6f" + "0" * 52, "console-approvals", 1800.0)
    given = Approved(BEGAN + 400, "raise", EFFECT.id, asked.digest, "oidc:grace", "console-approvals")
    events = story()
    place = next(n for n, event in enumerate(events) if isinstance(event, Intent))
    told = [*events[:place], replace(asked, at=events[place].at), replace(given, at=events[place].at), *events[place:]]
    walk, hashes = fold(told), ["f" * 64] * len(told)
    page = markdown(walk, told, Chain(WALK, True, len(told), "f" * 64), hashes)
    assert "approved by oidc:grace" in page and "waits for a second person, who approves 1a2b3c4d5e6f in" in page
    tree = document(walk, told, Chain(WALK, True, len(told), "f" * 64), hashes)
    assert tree["writes"][0]["approved_by"] == "oidc:grace" and "oidc:grace" in tree["people"]
    waiting = fold(told[: place + 1])
    assert (waiting.status, waiting.confirmed) == ("waiting", "")
    assert waiting.steps[-1].words == "waits for a second person: console approve 1a2b3c4d5e6f"
    approved = fold(told[: place + 2])
    assert (approved.status, approved.confirmed, approved.steps[-1].words) == (
        "running", EFFECT.id, "oidc:grace approved it",
    )  # fmt: skip
    alone = document(fold(events), events, Chain(WALK, True, len(events), "f" * 64), hashes[: len(events)])
    assert alone["writes"][0]["approved_by"] is None


def test_time_in_which_only_a_person_could_go_on_is_time_spent_waiting_for_people() -> None:
    assert spans(WalkEnded(ASKED + 27, "unresolved", "stopped by ada"))["waited_for_people"] == 27
    note = Noted(ASKED + 5, "hm", "ada", "which")
    assert spans(note, Answered(ASKED + 30, "which", "none", "ada", "declined"))["waited_for_people"] == 30
    handed = HandedOver(ASKED + 10, "ada", "", "which")
    taken = spans(handed, Resumed(ASKED + 70, "grace"), Answered(ASKED + 75, "which", "none", "grace", "declined"))
    assert taken["waited_for_people"] == 75
    raised = Entered(ASKED + 10, "raise")
    answered = Answered(ASKED + 10, "which", "overhead", "ada", "raise")
    preview = next(e for e in story() if isinstance(e, Previewed))
    again = [replace(preview, at=ASKED + at) for at in (12, 20)]
    confirmed = Confirmed(ASKED + 50, "raise", EFFECT.id, "", "ada")
    applying = [Intent(ASKED + 51, "raise", EFFECT), Applied(ASKED + 99, "raise", EFFECT.id, True, goto="recovers")]
    assert spans(answered, raised, *again, confirmed, *applying)["waited_for_people"] == 10 + 38


def test_a_hold_that_was_passed_is_no_recovery_where_the_walk_ended_unresolved() -> None:
    held = Verified(ASKED + 480, "recovers", "effective", "the job ended well", "burn")
    assert spans(held, WalkEnded(ASKED + 500, "unresolved", "stopped by ada"))["to_verified"] is None
    assert spans(held, WalkEnded(ASKED + 500, "mitigated", "no objective"))["to_verified"] == 482
    assert spans(held)["to_verified"] is None, "it goes on"


def test_a_rollback_is_told_as_it_came_about() -> None:
    page = shown(
        Offered(ASKED + 8, "which", EFFECT.id, "yes", "bob"), Offered(ASKED + 9, "which", EFFECT.id, "no", "eve")
    )
    assert "bob asked for the rollback" in page and "eve left the change in place" in page


def test_a_change_that_is_shown_again_says_so_and_so_does_time_that_nobody_was_there() -> None:
    preview = next(e for e in story() if isinstance(e, Previewed))
    page = shown(preview, preview, Resumed(preview.at + 120, "grace"))
    assert page.count("asked to confirm: Raise memoryOverhead to 1200m") == 2
    assert (
        page.count("to 1200m, again: the answer was none, another value was refused, or what it would change had moved")
        == 1
    )
    assert "resumed by grace; nothing was recorded for 2m before" in page


def test_what_several_say_alike_is_one_line_with_all_their_names() -> None:
    killed = [Evidence("kubernetes", f"Pod/spark-jobs/etl-exec-{n}", "OOMKilled", BEGAN + n) for n in range(14)]
    page = shown(Judged(ASKED + 1, "which", "fail", "they die", "raise", tuple(killed)))
    (line,) = [line for line in page.splitlines() if "OOMKilled" in line and "seen" in line and "etl-exec-0" in line]
    assert "etl-exec-0, 10:42:07, Pod/spark-jobs/etl-exec-1, 10:42:08" in line and line.endswith("and 2 more)")


def test_a_drill_is_told_from_an_incident(journal: Journal) -> None:
    assert "**drill**" not in page(journal)
    begun = story()[0]
    assert isinstance(begun, Started)
    drill = replace(begun, cluster={**begun.cluster, "kind": "simulated", "production": True})
    shown = markdown(fold([drill]), [drill], Chain("w", True, 1, ""), ["0" * 64])
    assert "(https://127.0.0.1:6443) **production** **drill** |" in shown
    assert document(fold([drill]), [drill], Chain("w", True, 1, ""), ["0" * 64])["drill"] is True


def test_the_loss_in_the_timeline_is_the_one_of_the_moment_of_the_change() -> None:
    now = Consequence("loss", "info", "it is FAILED now: no running work is lost")
    told = [replace(e, told=(now,)) if isinstance(e, Intent) else e for e in story()]
    page = markdown(fold(told), told, Chain(WALK, True, len(told), ""), ["0" * 64] * len(told))
    changes = page.split("## Changes")[1].split("## What happened")[0]
    assert "- loss (info): it is FAILED now: no running work is lost" in changes and "restart" not in changes
    tree = document(fold(told), told, Chain(WALK, True, len(told), ""), ["0" * 64] * len(told))
    assert [c["topic"] for c in tree["writes"][0]["consequences"]] == ["loss"]


def test_what_the_question_of_a_rollback_showed_stands_in_the_timeline() -> None:
    asked = Offered(
        ASKED + 8, "which", EFFECT.id, "no", "eve", "It did not help. Roll it back?", "leave it as it is",
        ("roll it back",), ("executors 3 of 6", "deaths since the change: 2 container-oom"),
    )  # fmt: skip
    page = shown(asked)
    assert "eve left the change in place\n  - asked: It did not help. Roll it back?\n" in page
    assert "  - shown: executors 3 of 6\n  - shown: deaths since the change: 2 container-oom\n" in page
    assert "  - not chosen: roll it back" in page


def test_from_where_somebody_began_or_took_up_a_walk_is_told_since_two_may_have_one_name() -> None:
    began = replace(story()[0], session={"pid": 7, "tty": "pts/3", "ssh_from": "10.0.0.5", "kubernetes": "sre:ada"})  # type: ignore[type-var]
    taken = Resumed(ASKED + 98, "root@bastion pts/5", session={"pid": 9})
    all_of = [began, *story()[1:4], WalkLeft(ASKED + 5, "root@bastion pts/3", "which"), taken]
    page = markdown(fold(all_of), all_of, Chain("w", True, len(all_of), ""), ["0" * 64] * len(all_of))
    assert "  - from: terminal pts/3, SSH from 10.0.0.5, process 7, in Kubernetes as sre:ada" in page
    assert "  - from: no terminal, no SSH session, process 9, in Kubernetes as nobody that is known" in page
    assert "root@bastion pts/3 closed Console: the walk waits where it stands" in page
    assert "| Walked by | ada, then root@bastion pts/3, then root@bastion pts/5 |" in page


def test_who_takes_a_walk_up_is_told_what_the_one_before_said() -> None:
    handed = [HandedOver(ASKED + 8, "ada", "grace: the heap is flat", "which"), Resumed(ASKED + 98, "grace")]
    assert "| To know | ada handed it over at 10:42:17Z: grace: the heap is flat |" in shown(*handed)
    left = fold([*story()[:4], WalkLeft(ASKED + 5, "ada", "which")])
    assert left.left is not None and left.left.by == "ada"
    assert fold([*story()[:4], WalkLeft(ASKED + 5, "ada", "which"), Resumed(ASKED + 9, "grace")]).left is None


HELD = Verified(ASKED + 480, "recovers", "effective", "it completed", "burn")


def test_the_row_of_the_recovery_names_every_verification_that_held_and_is_empty_once_it_is_not_true() -> None:
    burn = replace(HELD, at=ASKED + 900, step="burn")
    well = WalkEnded(ASKED + 950, "resolved", "it runs")
    assert "| Recovery verified after | 15m: burn (before it, after 8m: Does it run again?) |" in shown(
        HELD, burn, well
    )
    assert "| Recovery verified after | 8m |" in shown(HELD, well)
    assert "| Recovery verified after | – (so far held, after 8m: Does it run again?) |" in shown(HELD), "it goes on"
    ended = WalkEnded(ASKED + 500, "unresolved", "stopped by ada", impact={"at": 1.0})
    assert "| Recovery verified after | – (only this held, after 8m: Does it run again?) |" in shown(HELD, ended)
    resolved = replace(ended, outcome="resolved", because="it runs")
    again = Followed(ASKED + 900, "recurred", "it is killed again")
    page = shown(HELD, resolved, again)
    assert "| Recovery verified after | – (not any more; it had been after 8m: Does it run again?) |" in page
    assert spans(HELD, resolved, again)["to_verified"] is None


def test_an_objective_that_has_recovered_and_is_called_burning_still_says_why_and_until_when() -> None:
    still = {"job-success": {"title": "Jobs succeed", "state": "burning", "still": "burns 9.4 over 2h, until 14:42Z"}}
    page = shown(HELD, WalkEnded(ASKED + 500, "resolved", "it runs", slo=still))
    assert "burning (burns 9.4 over 2h, until 14:42Z), budget unknown" in page


def test_steps_are_called_by_number_and_title_and_answers_by_their_words_never_by_ids(journal: Journal) -> None:
    told = page(journal)
    steps = [step.id for step in small().steps]
    said = re.sub(r"^### .*$", "", told.split("## What happened")[1], flags=re.M)
    assert not [id for id in steps if f"/{id}" in said or f"({id})" in told]
    assert "answered: “Overhead: raise it”\n" in told and "(overhead)" not in told
    seen = Evidence("runbook", "small/look", "heap 2.8Gi", BEGAN)
    judged = replace(story()[2], evidence=(seen, replace(seen, at=None, excerpt="limit 3.9Gi")))
    walk = fold([*story()[:2], judged, story()[3]])
    open_ = markdown(walk, [*story()[:2], judged, story()[3]], Chain(WALK, True, 4, ""), ["a"] * 4)
    assert "it stands at step 2: Which memory?" in open_
    assert "  - seen: `heap 2.8Gi` (10:42:07)\n  - seen: `limit 3.9Gi`\n" in open_
    assert not [id for id in steps if f"small/{id}" in open_]


def test_what_a_walk_is_about_is_called_as_people_do_and_one_right_is_no_plural() -> None:
    begun = next(event for event in story() if isinstance(event, Started))
    for subject, words in (
        ("Component//hive-metastore", "Component hive-metastore"),
        ("Node//node-041", "Node node-041"),
        ("spark-jobs/etl-orders", "spark-jobs/etl-orders"),
        ("", "no application"),
    ):
        assert sentence(replace(begun, subject=subject)).endswith(f"began the walk on {words}")
    assert sentence(RightsAsked(1.0, 1)) == "the one right that its steps need is there"
    assert sentence(RightsAsked(1.0, 3)) == "all 3 rights that its steps need are there"
