"""What a safe engine must have, B16 to B25: control of steps, dry run, confirmation, pins, guards, locks, rights."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from console.actions.effects import Effect, ObjectRef, Preview
from console.actions.pins import Pin
from console.base.errors import DocumentError, ForbiddenError
from console.operate import bounds, confirm, kubernetes
from console.operate import gate as gates
from console.operate.gate_context import GateRefusal
from console.operate.identity import other_cluster
from console.operate.journal import JournalledChange
from console.operate.kubernetes import ObjectAddress
from console.operate.locks import Busy, FileLock, Locks, held_by, lock_file, lock_name
from console.operate.person import Reply
from console.operate.policy import ChangeRules, Occasion, mode, needs_second, policy
from console.operate.scripts.process import run
from console.operate.sealing import seal
from console.runbook import schema, steps
from console.runbook.walk import Applied, Entered, Intent, Noted, Resumed, Started, Walk, fold
from console.settings.model import Dates, Freeze
from console.wire.reviews import ApiResource
from tests.operate.conftest import Says
from tests.operate.test_guards import GREW, HeldLocks, way
from tests.operate.test_rights_ahead import Server, looked
from tests.operate.test_scripts import dead
from tests.runbook.requirements.test_authoring import HEAD, RAISE, VERIFY, begun, context, small

APP = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl", "u-1")
PATCH = Effect(
    "w-1/1", "s", "Raise it", "patch", APP, "merge", {"spec": {"a": 1}}, touched=("/spec/a",), reversible=True
)
UNDO = replace(PATCH, id="w-1/1.undo", inverse_of="w-1/1", reversible=False)
WRITE = ChangeRules(mode="write")
NOW = Occasion(1_795_521_600.0, "w-1", frozenset(), (), "", "")


def sent(*more: Any) -> Walk:
    """A walk at its change, whose intent is on the disk."""
    book = small(VERIFY + "steps:\n" + RAISE)
    change = next(s.id for s in book.steps if s.writes)
    first = Started(1.0, "w-1", "small", "1", "", "", {}, {}, {}, "spark-jobs/etl", "ada", "t")
    return fold([first, Entered(2.0, change), Intent(3.0, change, replace(PATCH, step=change), {}, 1, UNDO), *more])


def test_b16_a_change_that_failed_is_never_sent_again_by_itself() -> None:
    book = small(VERIFY + "steps:\n" + RAISE)
    change = next(s for s in book.steps if s.writes)
    failed = steps.route(book, change, "failed")
    walk = sent(Applied(4.0, change.id, "w-1/1", False, "no", goto=failed))
    assert failed == "not-applied" and steps.todo(book, walk) == steps.Enter("not-applied")
    assert steps.route(book, change, "refused") == "declined" and change.timeout > 0
    skipped = small(VERIFY + "steps:\n" + RAISE + "  when: app.state == 'FAILED'\n- escalate: x\n")
    one = next(s for s in skipped.steps if s.writes)
    events = steps.enter(skipped, begun(skipped), one.id, context(skipped), 1.0)
    assert [type(e).__name__ for e in events] == ["Entered", "Skipped"]


async def test_b17_cancelling_kills_the_whole_group_and_a_change_without_a_result_is_in_doubt(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = "import os,sys,time,pathlib as p; p.Path(sys.argv[1]).write_text(str(os.getpid())+'.'); time.sleep(600)"
    task = asyncio.create_task(run(("python", "-c", code, str(note)), timeout=60, env={}))
    async with asyncio.timeout(60):
        while not (note.exists() and note.read_text().endswith(".")):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await dead(int(note.read_text()[:-1]))
    walk = sent(Resumed(9.0, "grace"))
    assert (walk.status, walk.in_doubt is not None, walk.pending) == ("in doubt", True, walk.in_doubt)


class Sends:
    """A writer that notes how each request was sent."""

    def __init__(self) -> None:
        self.dry: list[bool] = []

    async def patch(self, path: str, body: Any, kind: str, *, dry_run: bool = False) -> dict[str, Any]:
        self.dry.append(dry_run)
        return {"metadata": {"generation": 2}}


OBJ = {"kind": "SparkApplication", "metadata": {"name": "etl", "uid": "u-1", "generation": 1}, "spec": {"a": 0}}


async def test_b18_a_dry_run_is_one_of_the_server_and_without_a_writer_nothing_can_be_sent() -> None:
    writer, at = Sends(), ObjectAddress(APP, ApiResource("sparkapplications", "SparkApplication", True), "/x")
    await kubernetes.dry_run(cast(Any, writer), at, PATCH, OBJ, Pin("u-1", 1))
    assert writer.dry == [True]
    gate = dataclasses.replace(way(Says(Reply("yes", "ada")), []), rules=ChangeRules())
    assert gate.writer is None, "a read-only context holds nothing that could write"
    with pytest.raises(GateRefusal, match="read-only"):
        await gates._pass(PATCH, gate)
    kept = {"rules": {"mode": "read-only"}}
    assert bounds.strictest(bounds.then(kept, WRITE), WRITE).mode == "read-only", "a resume does not change the mode"


def test_b19_what_writes_is_refused_until_a_config_says_otherwise_and_an_unknown_effect_is_no_read() -> None:
    denied = mode(PATCH, ChangeRules())
    assert denied is not None and "read-only" in denied.because
    end = "- {id: z, kind: end, title: Z, outcome: resolved, text: z}\n"
    with pytest.raises(DocumentError, match="effect"):
        small("steps:\n- {id: s, kind: script, title: S, script: x, next: z}\n" + end, HEAD.replace("about: app\n", ""))


def test_b20_the_risk_decides_what_is_typed_and_nothing_but_a_yes_is_one() -> None:
    never = replace(PATCH, action="delete", reversible=False)
    assert confirm.tier(PATCH, WRITE) == ("diff", "")
    for effect, rules, objects in ((never, WRITE, 1), (PATCH, replace(WRITE, production=True), 1), (PATCH, WRITE, 2)):
        assert confirm.tier(effect, rules, objects=objects) == ("typed", "spark-jobs/etl")
    preview = Preview(never, (), True, expect="spark-jobs/etl")
    for reply in (None, Reply("no", "a"), Reply("", "a"), Reply("yes", "a"), Reply("yes", "a", "spark-jobs/etl2")):
        assert confirm.agreed(reply, preview)
    yes = Reply("yes", "a", "spark-jobs/etl")
    assert confirm.agreed(yes, preview) == "" and confirm.agreed(yes, preview, terminal=True)
    assert needs_second(never, replace(WRITE, second_person="irreversible"))
    assert policy(never, replace(WRITE, second_person="always"), NOW) is not None, "none can be had, so it is refused"


async def test_b21_a_walk_is_pinned_to_its_cluster_and_every_confirmation_names_it() -> None:
    class Reader:
        async def object(self, path: str) -> dict[str, Any]:
            return {"metadata": {"uid": "another"}}

    identity = SimpleNamespace(server="https://one:6443", ca_hash="c", cluster_uid="u")
    connection = cast(Any, SimpleNamespace(identity=identity, reader=Reader()))
    assert "server is another" in await other_cluster(connection, {"server": "https://two:6443", "ca": "c"})
    assert "CA is another" in await other_cluster(connection, {"server": "https://one:6443", "ca": "d"})
    assert "another UID" in await other_cluster(connection, {"server": "https://one:6443", "ca": "c", "uid": "u"})
    asked = confirm.question(Preview(PATCH, (), True, cluster="prod-eu"), walk="w", now=1.0)
    assert asked.cluster == "prod-eu"


async def test_b22_guards_hold_a_change_back_each_with_its_reason() -> None:
    frozen = Freeze(dates=(Dates("year end", "2026-11-20T00:00:00Z", "2026-12-01T00:00:00Z", "books"),))
    other = JournalledChange("w-2", NOW.now - 60, PATCH, "spark-oom", "spark-jobs/etl")
    walked = replace(NOW, runbook="spark-oom", subject="spark-jobs/etl", recent=(other,))
    for rules, occasion, said in [
        (replace(WRITE, freeze=frozen), NOW, "frozen until 2026-12-01T00:00:00Z by 'year end': books"),
        (replace(WRITE, max_targets=1), replace(NOW, touched=frozenset({"Pod/a/b"})), "max_targets is 1"),
        (WRITE, replace(NOW, recent=(other,)), "policy.cooldown ends in 4m"),
        (replace(WRITE, cooldown=0, max_runs=1), walked, "max_runs_per_hour is 1"),
        (replace(WRITE, deny=("SparkApplication/spark-jobs",)), NOW, "policy.deny"),
    ]:
        denied = policy(PATCH, rules, occasion)
        assert denied is not None and said in denied.because, said
        assert said == "policy.deny" or said == "max_targets is 1" or policy(UNDO, rules, occasion) is None
    with pytest.raises(GateRefusal, match="nobody said why"):
        await gates._not_worse(PATCH, way(Says(), [], worse=GREW))


async def test_b23_an_object_is_locked_by_whoever_changes_it_and_taken_over_for_a_reason(tmp_path: Path) -> None:
    class NoLeases:
        async def lease_get(self, namespace: str, name: str) -> None:
            raise ForbiddenError("no")

    theirs = lock_file(tmp_path / f"{lock_name(APP)}.lock", "grace@there/w-9")
    mine = Locks(cast(Any, NoLeases()), tmp_path, "ada@here/w-1")
    with pytest.raises(Busy, match=r"held by grace@there/w-9 .* on this machine"):
        await mine.take(APP)
    taken = await mine.seize(APP, "her laptop died")
    assert isinstance(taken, FileLock) and taken.kind == "file" and await taken.check() and not await theirs.check()
    assert "because her laptop died" in theirs.why
    events: list[Any] = []
    held = HeldLocks(held_by("held", "grace"), APP)
    await gates._lock(PATCH, way(Says(Reply("she sleeps", "ada")), events, locks=held))
    assert events[0].because == held.seized == "she sleeps"
    await taken.release()


async def test_b24_the_rights_of_the_whole_walk_are_asked_first_and_the_rule_is_shown() -> None:
    found = await looked(Server("delete pods"))
    assert [one.words for one in found.missing] == ["delete pods in namespace jobs"]
    assert 'resources: ["pods"]' in found.rule and 'verbs: ["delete"]' in found.rule


def test_b25_a_secret_reaches_no_record_and_is_never_changed() -> None:
    planted = "hunter2-" + "planted"
    stored = seal(Noted(1.0, f"password={planted}", "ada"))
    assert isinstance(stored, Noted) and planted not in stored.text
    secret = replace(PATCH, target=ObjectRef("v1", "Secret", "spark-jobs", "s3"))
    denied = policy(secret, WRITE, NOW)
    assert denied is not None and "Secret" in denied.because
    with pytest.raises(DocumentError):
        schema.load(HEAD + "inputs: {p: {type: secret, default: abc}}\nsteps:\n- escalate: x\n", "x.yaml")
