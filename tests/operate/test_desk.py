"""Walks at the desk, simulated and real: from first record to last, stopped, left, resumed, rolled back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from console.actions.effects import STAMP
from console.base.errors import Exit, UsageError
from console.operate.desk import Desk
from console.operate.journal import Journal
from console.operate.locks import Busy
from console.operate.person import Question, Reply
from console.operate.policy import ChangeRules
from console.runbook.walk import (
    Applied,
    Intent,
    Landed,
    Offered,
    Resumed,
    Started,
    Verified,
    WalkEnded,
    WalkLeft,
)
from console.sources.files.runbooks import Library
from console.timeline.prose import because, outcome, sentence
from console.wire.connection import Connection
from tests.operate.conftest import NO, YES, Cluster, Says
from tests.operate.objects import NEW, OLD, create, running, spark_path
from tests.operate.tower import INPUTS, ORIGINS, SMALL, Seen, Shelf, desk, small

OVERHEAD = Reply("overhead", "ada")


@pytest.fixture
def app(cluster: Cluster) -> str:
    create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    return f"{cluster.namespace}/etl-orders"


def state(cluster: Cluster, word: str) -> None:
    path = spark_path(cluster.namespace, "etl-orders") + "/status"
    cluster.kube.merge(path, {"status": {"applicationState": {"state": word}}})


def overhead(cluster: Cluster) -> str:
    return str(cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["spec"]["executor"]["memoryOverhead"])


async def begin(at: Desk, app: str, person: Any) -> str:
    return await at.start(small(), INPUTS, ORIGINS, app, person)


async def test_a_walk_from_start_to_resolved(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    seen = Seen()
    at = desk(connection, cluster.namespace, tmp_path, on_change=seen)
    walk_id = await begin(at, app, Says(OVERHEAD, YES))
    walk = await at.wait(walk_id)
    assert (walk.outcome, walk.because, walk.status) == ("resolved", "it runs again", "ended")
    assert walk.path == ("look", "which", "raise", "recovers", "resolved")
    assert [e.id for e in walk.writes] == [f"{walk_id}/1"]
    assert at.exit_code(walk) == Exit.OK
    assert overhead(cluster) == NEW
    events = at._env.journal.read(walk_id)
    first = events[0]
    assert isinstance(first, Started)
    assert first.text == SMALL.read_text()
    assert (first.inputs, first.origins) == (INPUTS, ORIGINS)
    assert first.cluster["uid"] == connection.identity.cluster_uid
    assert at._env.journal.verify(walk_id).ok
    assert seen.walks[-1] == walk == at.walks()[0]
    assert [q.kind for q in seen.questions if q] == ["ask", "confirm"]
    assert at.question(walk_id) is None


async def test_every_published_walk_is_what_the_journal_holds(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    held: list[tuple[int, int]] = []
    journal = Journal(tmp_path / "journal.db")

    def published(walk: Any, question: Any) -> None:
        held.append((walk.events, len(journal.read(walk.id))))

    at = desk(connection, cluster.namespace, tmp_path, on_change=published)
    await at.wait(await begin(at, app, Says(OVERHEAD, YES)))
    assert held
    assert all(shown == stored for shown, stored in held)


async def test_a_no_leads_where_the_runbook_says(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    at = desk(connection, cluster.namespace, tmp_path)
    walk = await at.wait(await begin(at, app, Says(OVERHEAD, NO)))
    assert (walk.outcome, walk.path[-1]) == ("handed_over", "declined")
    assert at.exit_code(walk) == Exit.REFUSED
    assert overhead(cluster) == OLD


async def test_a_question_that_nobody_answers_waits_for_the_next_person(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    at = desk(connection, cluster.namespace, tmp_path)
    walk_id = await begin(at, app, Says(None))
    walk = await at.wait(walk_id)
    assert walk.handed is not None and walk.handed.text == "nobody answered: Which memory?"
    assert (walk.status, walk.outcome, at.exit_code(walk)) == ("handed over", None, Exit.UNHEALTHY)
    await at.resume(walk_id, Says(OVERHEAD, NO))
    assert (await at.wait(walk_id)).path[-1] == "declined"


async def test_a_text_that_was_mistyped_is_asked_for_again_and_the_third_time_is_no(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    typo, right = (Reply("yes", "ada", typed, terminal=True) for typed in (app[:-1], app))
    rules = ChangeRules(mode="write", cooldown=0, production=True)
    person = Says(OVERHEAD, typo, typo, right)
    at = desk(connection, cluster.namespace, tmp_path, rules=rules)
    walk = await at.wait(await begin(at, app, person))
    assert overhead(cluster) == NEW and walk.outcome == "resolved"
    assert [q.reason.partition(":")[0] for q in person.asked[1:]] == [
        "", f"{app[:-1]!r} is not {app!r}", f"{app[:-1]!r} is not {app!r}",
    ]  # fmt: skip
    assert "2 more tries" in person.asked[2].reason and "1 more try" in person.asked[3].reason
    at = desk(connection, cluster.namespace, tmp_path, rules=rules)
    walk = await at.wait(await begin(at, app, Says(OVERHEAD, typo, typo, typo, right)))
    assert walk.path[-1] == "declined" and len(walk.writes) == 0


async def test_the_proposed_value_is_set_otherwise_within_the_limits_that_the_runbook_states(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    def edit(value: str) -> Reply:
        return Reply("edit", "ada", value)

    person = Says(OVERHEAD, edit("64g"), edit("nonsense"), edit("1500m"), YES)
    at = desk(connection, cluster.namespace, tmp_path)
    walk_id = await begin(at, app, person)
    walk = await at.wait(walk_id)
    first, large, wrong, new = person.asked[1:]
    assert first.editable is not None
    assert (first.editable.value, first.editable.limits) == (NEW, "1g to 8g")
    assert "'64g' is above 8g" in large.reason and "limits: 1g to 8g" in wrong.reason
    assert new.reason == "" and new.preview is not None and any("1500m" in line for line in new.preview.diff)
    assert overhead(cluster) == "1500m" and walk.inputs["size"] == "1500m"
    said = [sentence(event) for event in at._env.journal.read(walk_id)]
    assert f"ada set size to 1500m instead of {NEW}" in said
    assert "ada wanted 64g, which was refused: size: '64g' is above 8g (limits: 1g to 8g)" in said


async def test_an_answer_that_is_no_choice_is_asked_again(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    person = Says(Reply("heep", "ada"), Reply("none", "ada"))
    at = desk(connection, cluster.namespace, tmp_path)
    walk = await at.wait(await begin(at, app, person))
    assert walk.path[-1] == "declined"
    assert person.asked[1].reason == "'heep' is none of the answers"
    at = desk(connection, cluster.namespace, tmp_path)
    walk_id = await begin(at, app, Says(*[Reply("heep", "ada")] * 3))
    with pytest.raises(UsageError, match="is no answer"):
        await at.wait(walk_id)
    left = at.walks()[0]
    assert (left.id, left.outcome, left.notes[0].by) == (walk_id, None, "console"), "it can be resumed"
    assert "the walk stopped here: 'heep' is no answer" in left.notes[0].text


async def test_a_change_that_does_not_help_is_offered_back(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    async def fails(question: Question) -> Reply:
        asyncio.get_running_loop().call_later(0.2, state, cluster, "FAILED")
        state(cluster, "PENDING_RERUN")
        return YES

    person = Says(OVERHEAD, fails, YES, YES)
    at = desk(connection, cluster.namespace, tmp_path)
    walk = await at.wait(await begin(at, app, person))
    assert [q.kind for q in person.asked] == ["ask", "confirm", "rollback", "confirm"]
    assert "ineffective" in person.asked[2].text
    shows = person.asked[2].shows
    assert any(line.startswith("deaths since the change: ") for line in shows)
    assert f"changes back spec.executor.memoryOverhead: {NEW} → {OLD}" in shows
    (undone,) = walk.rolled_back
    assert undone.left.startswith(f"spec.executor.memoryOverhead is {OLD} again, as before the change; the application")
    assert walk.outcome == "unresolved" and outcome(walk) == "unresolved, rolled back"
    (offered,) = [e for e in at._env.journal.read(walk.id) if isinstance(e, Offered)]
    assert offered.asked == person.asked[2].text and offered.shown == person.asked[2].shows
    assert (offered.label, offered.others) == ("roll it back", ("leave it as it is",))
    assert overhead(cluster) == OLD
    assert [e.inverse_of for e in walk.writes] == ["", f"{walk.id}/1"]
    obj = cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))
    assert obj["metadata"]["annotations"][STAMP] == f"{walk.id}/1.undo"
    events = cluster.kube.get(f"/api/v1/namespaces/{cluster.namespace}/events")["items"]
    assert sorted(e["reason"] for e in events) == ["ConsoleChange", "ConsoleRollback"]


async def test_a_change_is_rolled_back_after_the_end(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    at = desk(connection, cluster.namespace, tmp_path)
    walk_id = await begin(at, app, Says(OVERHEAD, YES))
    await at.wait(walk_id)
    with pytest.raises(UsageError, match="no change 'nonsense'"):
        await at.rollback(walk_id, "nonsense", Says(YES))
    walk = await at.rollback(walk_id, f"{walk_id}/1", Says(YES))
    assert (walk.status, walk.outcome) == ("ended", "resolved")
    assert overhead(cluster) == OLD
    assert f"memoryOverhead is {OLD} again, as before the change" in because(walk)
    assert at._env.journal.verify(walk_id).ok


async def test_closing_console_on_an_open_walk_is_recorded_with_who_did_it(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    asked = asyncio.Event()

    async def thinks(question: Question) -> Reply:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    mine = desk(connection, cluster.namespace, tmp_path, actor="root@bastion pts/3", session={"tty": "pts/3", "pid": 7})
    walk_id = await begin(mine, app, Says(thinks))
    ended = await begin(mine, app, Says(Reply("none", "ada")))
    await asyncio.gather(asked.wait(), mine.wait(ended))
    await mine.close()
    *_, last = mine._env.journal.read(walk_id)
    assert isinstance(last, WalkLeft) and (last.by, last.step) == ("root@bastion pts/3", "which")
    assert isinstance(mine._env.journal.read(ended)[-1], WalkEnded), "one that has ended is not left"
    other = desk(
        connection, cluster.namespace, tmp_path, actor="root@bastion pts/5", session={"tty": "pts/5", "pid": 9}
    )
    (seen,) = [walk for walk in other.walks() if walk.id == walk_id]
    assert seen.left is not None and seen.left.by == "root@bastion pts/3"
    await other.resume(walk_id, Says(OVERHEAD, YES))
    walk = await other.wait(walk_id)
    began, taken = (e for e in other._env.journal.read(walk_id) if isinstance(e, Started | Resumed))
    assert (began.session["tty"], taken.session["tty"]) == ("pts/3", "pts/5") and walk.left is None
    assert began.session["kubernetes"] == taken.session["kubernetes"] == connection.identity.user
    assert began.impact["since"] is None and walk.impact_after["attempts"] is not None, "what was known at each time"


async def test_a_change_of_an_open_walk_is_undone_and_the_walk_waits_on_where_it_stood(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    async def leaves(question: Question) -> Reply:
        state(cluster, "PENDING_RERUN")
        return YES

    at = desk(connection, cluster.namespace, tmp_path)
    walk_id = await begin(at, app, Says(OVERHEAD, leaves, YES))  # asked again where the new state weighs more
    async with asyncio.timeout(120):
        while at.walks()[0].current != "recovers":
            assert at.active(walk_id), at.walks()[0].because
            await asyncio.sleep(0.01)
    await at.leave(walk_id)
    walk = await at.rollback(walk_id, f"{walk_id}/1", Says(YES))
    assert overhead(cluster) == OLD and walk.ended is None and walk.current == "recovers"
    assert walk.rolled_back and not at.active(walk_id), "nobody verifies what was taken back"


async def test_notes_stand_in_the_journal_whether_it_runs_or_has_ended(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    at = desk(connection, cluster.namespace, tmp_path)

    async def noting(question: Question) -> Reply:
        await at.note(question.walk, "the heap is flat", "ada")
        return OVERHEAD

    walk_id = await begin(at, app, Says(noting, YES))
    await at.wait(walk_id)
    await at.note(walk_id, "told the owner", "grace")
    notes = at.walks()[0].notes
    assert [(n.text, n.by, n.step) for n in notes] == [
        ("the heap is flat", "ada", "which"),
        ("told the owner", "grace", ""),
    ]
    assert at._env.journal.verify(walk_id).ok


async def test_a_walk_that_was_handed_over_waits_is_seen_by_the_next_desk_and_is_taken_up(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    asked = asyncio.Event()

    async def thinks(question: Question) -> Reply:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    mine, other = (desk(connection, cluster.namespace, tmp_path) for _ in range(2))
    assert other.walks() == ()
    walk_id = await begin(mine, app, Says(thinks))
    await asked.wait()
    walk = await mine.hand_over(walk_id, "ada", "grace: the heap is flat")
    assert (walk.status, walk.outcome, walk.ended) == ("handed over", None, None)
    (seen,) = other.walks()
    assert seen.handed is not None and (seen.handed.by, seen.handed.text) == ("ada", "grace: the heap is flat")
    await other.resume(walk_id, Says(OVERHEAD, YES))
    walk = await other.wait(walk_id)
    assert (walk.outcome, walk.handed, overhead(cluster)) == ("resolved", None, NEW)
    assert mine.walks()[0].outcome == "resolved", "the one who left it sees how it went on"
    occasions = [occasion for occasion, kept in walk.impacts if kept["at"]]
    assert occasions == ["when ada handed it over", "until the change “Raise memoryOverhead to 1200m”"], (
        "what it cost by then"
    )
    said = [sentence(event) for event in other._env.journal.read(walk_id)]
    assert said.index("ada handed it over: grace: the heap is flat") < said.index("resumed by ada")


async def test_a_walk_is_stopped(cluster: Cluster, connection: Connection, app: str, tmp_path: Path) -> None:
    at = desk(connection, cluster.namespace, tmp_path)
    asked = asyncio.Event()

    async def thinks(question: Question) -> Reply:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    walk_id = await begin(at, app, Says(thinks))
    await asked.wait()
    walk = await at.stop(walk_id, "ada", "lunch")
    assert (walk.outcome, walk.because) == ("unresolved", "stopped by ada: lunch")
    assert (await at.wait(walk_id)).outcome == "unresolved"
    assert at.question(walk_id) is None
    assert overhead(cluster) == OLD


async def test_what_was_begun_gets_its_result_before_a_walk_is_left(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    at = desk(connection, cluster.namespace, tmp_path)
    arrived, leaving = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def slowly(write: Any) -> None:
        if write.words == "PATCH sparkapplications":
            loop.call_soon_threadsafe(arrived.set)
            await asyncio.sleep(0.3)

    cluster.relay.received = slowly
    walk_id = await begin(at, app, Says(OVERHEAD, YES))
    await arrived.wait()
    await at.leave(walk_id)
    leaving.set()
    assert isinstance(at._env.journal.read(walk_id)[-1], Applied)
    assert overhead(cluster) == NEW
    again = desk(connection, cluster.namespace, tmp_path)
    assert [w.id for w in again.walks()] == [walk_id]
    await again.resume(walk_id, Says())
    assert (await again.wait(walk_id)).outcome == "resolved"


async def test_a_lost_answer_is_looked_for_not_sent_again(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    """The server applies the change, and the connection breaks before it answers."""

    async def broken(write: Any) -> None:
        if write.words == "PATCH sparkapplications":
            raise ConnectionResetError

    cluster.relay.answered = broken
    at = desk(connection, cluster.namespace, tmp_path)
    walk = await at.wait(await begin(at, app, Says(OVERHEAD, YES)))
    assert walk.outcome == "resolved"
    assert len(cluster.relay.on("sparkapplications")) == 1
    kinds = [type(e).__name__ for e in at._env.journal.read(walk.id)]
    assert kinds[kinds.index("Intent") :][:3] == ["Intent", "Landed", "Applied"]


async def test_a_request_that_never_arrived_is_offered_anew(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.operate.landing.SURE_SECONDS", 0.01)
    broken = [True]

    async def lost(write: Any) -> None:
        if write.words == "PATCH sparkapplications" and broken.pop():
            raise ConnectionResetError

    cluster.relay.received = lost
    broken.insert(0, False)
    person = Says(OVERHEAD, YES, YES)
    at = desk(connection, cluster.namespace, tmp_path)
    walk = await at.wait(await begin(at, app, person))
    assert walk.outcome == "resolved"
    assert [q.kind for q in person.asked] == ["ask", "confirm", "confirm"], "the second is asked, never assumed"
    assert [e.id for e in walk.writes] == [f"{walk.id}/2"]
    landed = [e for e in at._env.journal.read(walk.id) if isinstance(e, Landed)]
    assert [(e.answer, e.effect) for e in landed] == [("no", f"{walk.id}/1")]
    assert cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["metadata"]["generation"] == 2


async def test_a_change_that_nobody_can_tell_goes_to_the_person(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    """It arrived, the answer was lost, and somebody wrote the object before it could be looked at."""

    async def broken(write: Any) -> None:
        if write.words == "PATCH sparkapplications" and not write.agent.startswith("python"):
            path = spark_path(cluster.namespace, "etl-orders")
            cluster.kube.merge(path, {"metadata": {"annotations": {STAMP: None}}, "spec": {"driver": {"memory": "1g"}}})
            raise ConnectionResetError

    cluster.relay.answered = broken
    person = Says(OVERHEAD, YES, None)
    at = desk(connection, cluster.namespace, tmp_path)
    walk_id = await begin(at, app, person)
    walk = await at.wait(walk_id)
    assert (walk.status, walk.outcome) == ("in doubt", None)
    assert person.asked[-1].kind == "landed"
    assert at.exit_code(walk) == Exit.UNHEALTHY
    stopped = await at.stop(walk_id, "ada")
    assert stopped.outcome is None, "a walk in doubt cannot be ended"
    again = desk(connection, cluster.namespace, tmp_path)
    await again.resume(walk_id, Says(Reply("look", "ada"), Reply("yes", "ada")))
    walk = await again.wait(walk_id)
    assert walk.outcome == "resolved"
    assert len(cluster.relay.on("sparkapplications")) == 1


async def test_a_runbook_whose_text_changed_is_not_resumed_unless_bound(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    at = desk(connection, cluster.namespace, tmp_path)
    asked = asyncio.Event()

    async def thinks(question: Question) -> Reply:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    walk_id = await begin(at, app, Says(thinks))
    await asked.wait()
    await at.close()
    other = small(SMALL.read_text().replace("on_refused: declined", "on_refused: failed"))
    again = desk(connection, cluster.namespace, tmp_path, library=Shelf({"small": other}))
    with pytest.raises(UsageError, match="has another text"):
        await again.resume(walk_id, Says())
    assert "-    on_refused: declined" in again.drift(walk_id)
    assert "+    on_refused: failed" in again.drift(walk_id)
    with pytest.raises(UsageError, match="not in the library any more"):
        await desk(connection, cluster.namespace, tmp_path, library=Shelf()).resume(walk_id, Says())
    await again.resume(walk_id, Says(OVERHEAD, NO), bind=True)
    walk = await again.wait(walk_id)
    assert walk.path[-1] == "declined", "the stored copy was walked"
    resumed = [e for e in again._env.journal.read(walk_id) if isinstance(e, Resumed)]
    assert [e.because for e in resumed] == ["with the runbook as it was stored"]


async def test_a_walk_that_has_ended_or_is_broken_is_not_resumed(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    at = desk(connection, cluster.namespace, tmp_path)
    walk_id = await begin(at, app, Says(Reply("none", "ada")))
    await at.wait(walk_id)
    with pytest.raises(UsageError, match="has ended"):
        await at.resume(walk_id, Says())
    with pytest.raises(UsageError, match="no walk"):
        await at.resume("w-nonsense", Says())


async def test_a_walk_of_another_cluster_is_not_resumed(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    pinned = {"context": "elsewhere", "server": cluster.relay.url, "ca": "system", "uid": "another"}
    at = desk(connection, cluster.namespace, tmp_path, cluster=pinned)
    walk_id = await begin(at, app, Says(OVERHEAD, YES))
    walk = await at.wait(walk_id)
    assert walk.path[-1] == "declined"
    assert "kube-system has another UID" in str(walk.outputs["raise"]["because"])
    assert overhead(cluster) == OLD


HOLDER = """
import sys, time
from pathlib import Path
from console.operate.locks import lock_walk
held = lock_walk(Path(sys.argv[1]), sys.argv[2], "grace")
print("held", flush=True)
sys.stdin.read()
"""


async def test_two_processes_cannot_be_on_one_walk(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    at = desk(connection, cluster.namespace, tmp_path)
    walk_id = await begin(at, app, Says(None))
    await at.wait(walk_id)
    arguments = [sys.executable, "-c", HOLDER, str(tmp_path / "run"), walk_id]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=rf"held by grace \(process {other.pid}\)"):
            await at.resume(walk_id, Says())
        other.kill()
    await at.resume(walk_id, Says(Reply("none", "ada")))
    await at.wait(walk_id)
    with pytest.raises(UsageError, match="has ended"):
        await at.resume(walk_id, Says())


async def test_a_read_only_context_walks_and_changes_nothing(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    at = desk(connection, cluster.namespace, tmp_path, rules=ChangeRules())
    assert at._env.writer is None
    walk = await at.wait(await begin(at, app, Says(OVERHEAD, YES)))
    assert walk.path[-1] == "declined"
    assert "read-only" in str(walk.outputs["raise"]["because"])
    assert cluster.relay.writes == []
    shown = walk.state("raise")
    assert shown is not None
    assert shown.preview is not None
    assert f"+    memoryOverhead: {NEW}" in shown.preview.diff


async def test_the_order_of_the_records_is_that_of_the_gate(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    at = desk(connection, cluster.namespace, tmp_path)
    walk_id = await begin(at, app, Says(OVERHEAD, YES))
    await at.wait(walk_id)
    events = at._env.journal.read(walk_id)
    assert [type(e).__name__ for e in events] == [
        "Started", "RightsAsked", "Entered", "Judged", "Entered", "Answered", "Entered", "Previewed", "Confirmed",
        "EvidenceKept", "Intent", "Applied", "Entered", "HoldBegan", "Verified", "Entered", "WalkEnded",
    ]  # fmt: skip
    intent, applied, verified, ended = events[10], events[11], events[14], events[16]
    assert isinstance(intent, Intent)
    assert intent.rollback is not None
    assert intent.rollback.patch == {"spec": {"executor": {"memoryOverhead": OLD}}}
    assert isinstance(applied, Applied)
    assert isinstance(verified, Verified)
    assert isinstance(ended, WalkEnded)


FEWER_CORES = """
apiVersion: console/v1
kind: Runbook
id: cores
version: 1.0.0
title: Run fewer tasks in each executor
steps:
  - id: lower
    kind: script
    title: Lower the cores
    script: lower-executor-cores
    effect: write
    target: {apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, namespace: "{{ app.namespace }}", name: "{{ app.name }}"}
    calls:
      - {verbs: [patch], apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, namespace: "{{ app.namespace }}", name: "{{ app.name }}"}
    rollback: captured
    arguments:
      app: {type: spark_app, value: "{{ app.key }}"}
      divide_by: {type: int, value: "2"}
    verify: look
    on_refused: undone
  - {id: look, kind: verify, title: Look, until: app.generation >= 2, hold: 0s, on_effective: done, on_ineffective: undone, on_worse: undone, on_unknown: undone}
  - {id: done, kind: end, title: Done, outcome: mitigated}
  - {id: undone, kind: end, title: Not done, outcome: unresolved}
"""  # noqa: E501


async def test_a_script_of_the_library_goes_through_the_gate_like_a_patch(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    path = spark_path(cluster.namespace, "etl-orders")
    cluster.kube.merge(path, {"spec": {"executor": {"cores": 2}}})
    library = Library.read()
    runbook = small(FEWER_CORES.replace("generation >= 2", "generation >= 3"))
    shelf = Shelf({"cores": runbook}, library.scripts)
    at = desk(connection, cluster.namespace, tmp_path, library=shelf)
    person = Says(YES)
    walk_id = await at.start(runbook, {}, {}, app, person)
    walk = await at.wait(walk_id)
    assert walk.outcome == "mitigated", walk.because
    preview = person.asked[0].preview
    assert preview is not None
    assert preview.diff[0] == f" patch SparkApplication {app}", "what the server says of what the script sends"
    changed = [line for line in preview.diff if line[0] in "+-"]
    assert changed == ["-    cores: 2", "-    instances: 2", "+    cores: 1", "+    instances: 4"]
    assert f"it may send: patch SparkApplication {app}, and nothing else" in [c.text for c in preview.consequences]
    assert preview.effect.argv[-4:] == ("--app", app, "--divide-by", "2")
    assert {c.topic for c in preview.consequences} >= {"restart", "loss", "sink"}
    asks = next(c.text for c in preview.consequences if c.text.startswith("each pod will ask for"))
    assert " × 2 → 4" in asks, "what more executors need is looked at as for a patch"
    assert {c.topic for c in preview.consequences} >= {"quota", "nodes"}
    obj = cluster.kube.get(path)
    assert (obj["spec"]["executor"]["cores"], obj["spec"]["executor"]["instances"]) == (1, 4)
    assert obj["metadata"]["annotations"][STAMP] == f"{walk_id}/1"
    assert len(cluster.relay.on("sparkapplications")) == 1
    await at.rollback(walk_id, f"{walk_id}/1", Says(YES))
    executor = cluster.kube.get(path)["spec"]["executor"]
    assert (executor["cores"], executor["instances"]) == (2, 2)


async def test_a_script_that_finds_nothing_to_do_is_refused_before_anybody_is_asked(
    cluster: Cluster, connection: Connection, app: str, tmp_path: Path
) -> None:
    runbook = small(FEWER_CORES)
    at = desk(connection, cluster.namespace, tmp_path, library=Shelf({"cores": runbook}, Library.read().scripts))
    person = Says(YES)
    walk = await at.wait(await at.start(runbook, {}, {}, app, person))
    assert person.asked == []
    assert "nothing to lower" in str(walk.outputs["lower"]["because"])
