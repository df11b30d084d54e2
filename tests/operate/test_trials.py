"""Every verb, simulated and real: allowed, refused at each stage, as its dry run said, found after kill -9, undone."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import pytest

from console.actions import verb_of, verbs
from console.actions.effects import STAMP
from console.base.document import parse
from console.drill.kube.access import DenyRule
from console.operate import kubernetes
from console.operate.ahead.diff import diff
from console.operate.ahead.preview import PreviewContext, plan
from console.operate.desk import Desk
from console.operate.gate import pass_gate
from console.operate.journal import Journal
from console.operate.landing import landed
from console.operate.permission import needed
from console.operate.person import Question, Reply, Scripted
from console.operate.policy import ChangeRules
from console.runbook.walk import Applied, ChangeRefused, EvidenceKept, Intent, Previewed
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.kills.processes import Victim
from tests.operate.conftest import Cluster, Passage, Says
from tests.operate.relay import Write
from tests.operate.tower import Shelf, desk
from tests.operate.trials import NODE_HINDERS, TRIALS, Hinder, Trial, left, path_of

TRIED = pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.id)
pytestmark = pytest.mark.usefixtures("nothing_under_way")
NO_OBSTACLE = {
    "patch": "it may set any field of any object: what a runbook asks for beforehand is its own `when`",
}
AROUND = ("Leases", "events", "leases")


@pytest.fixture(autouse=True)
def no_node_is_left(cluster: Cluster) -> Iterator[None]:
    yield
    path = f"/api/v1/nodes/node-{cluster.namespace}"
    if cluster.kube.find(path) is not None:
        cluster.kube.delete(path)


async def agrees(question: Question) -> Reply:
    """Somebody who read it and types what is asked for."""
    return Reply("yes", "ada", question.expect)


def changes(cluster: Cluster) -> list[Write]:
    """What was sent for good, beside locks and events."""
    return [w for w in cluster.relay.writes if not w.dry_run and w.words.split()[1] not in AROUND]


def stands(cluster: Cluster, path: str) -> dict[str, Any] | None:
    return cluster.kube.find(path)


def holds(whole: Any, part: Any) -> bool:
    """Whether all of a part stands in the whole."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(holds(whole.get(key), value) for key, value in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


@TRIED
async def test_it_does_what_its_dry_run_said_and_is_found_and_undone(
    trial: Trial, cluster: Cluster, passage: Passage, tmp_path: Path
) -> None:
    trial.make(cluster.kube, cluster.namespace)
    effect = trial.effect(cluster.namespace)
    before = stands(cluster, path_of(trial.target(cluster.namespace)))
    ended = await pass_gate(effect, passage.gate(Says(agrees), kept=tmp_path / "kept"))
    assert isinstance(ended, Applied) and ended.ok, ended
    assert any(isinstance(e, EvidenceKept) for e in passage.events) is trial.ends
    (sent,) = changes(cluster)
    method, plural = trial.sent.split()
    assert sent.method == method and f"/{plural}" in sent.path
    (preview,) = [e.preview for e in passage.events if isinstance(e, Previewed)]
    (intent,) = [e for e in passage.events if isinstance(e, Intent)]
    assert preview.accepted is True
    after, verb = stands(cluster, left(intent.effect)), verb_of(trial.verb)
    assert trial.came(after)
    if after is not None and verb.lasts:
        assert after["metadata"]["annotations"][STAMP] == effect.id
        if verb.makes(effect):
            assert holds(after, intent.effect.patch), "the result is what was shown"
        else:
            assert diff(before or {}, after) == preview.diff, "the result is what was shown"
        applied = next(event for event in passage.events if isinstance(event, Applied))
        told = "managedFields" in after["metadata"]  # a real server leaves them away of a Node without addresses
        assert (applied.there is not None) is told and (not told or applied.there == int(applied.there or 0))
    assert (await landed(passage.connection.reader, intent))[0] == "yes"
    assert (intent.rollback is None) is (not intent.effect.reversible)
    if intent.rollback is not None:
        undone = await pass_gate(intent.rollback, passage.gate(Says(agrees)))
        assert isinstance(undone, Applied) and undone.ok, undone
        now = stands(cluster, left(intent.effect))
        assert now is None or now["metadata"].get("deletionTimestamp") or diff(before or {}, now) == ()


@TRIED
async def test_what_was_not_sent_has_not_landed(trial: Trial, cluster: Cluster, passage: Passage) -> None:
    trial.make(cluster.kube, cluster.namespace)
    effect, gate = trial.effect(cluster.namespace), passage.gate(Says())
    assert effect.target is not None
    at = await kubernetes.place(gate.reader, effect.target)
    context = PreviewContext(gate.reader, gate.writer, gate.rules, gate.clock.now, "here")
    planned = await plan(effect, at, context)
    intent = Intent(1.0, "do", planned.effect, planned.pin.before, planned.pin.generation)
    assert (await landed(gate.reader, intent))[0] == "no"


@TRIED
async def test_who_lacks_the_right_is_told_which(trial: Trial, cluster: Cluster, passage: Passage) -> None:
    trial.make(cluster.kube, cluster.namespace)
    effect = trial.effect(cluster.namespace)
    assert effect.target is not None
    rights = needed(effect, await kubernetes.place(passage.connection.reader, effect.target))
    denied = cluster.session.kube.access.denied if cluster.session is not None else []
    before = list(denied)
    connection = await Connection.open(reads_only(cluster, [(right.verb, right.resource) for right in rights]))
    ended = await pass_gate(effect, Passage(connection, passage.folder, passage.events).gate(Says(agrees)))
    await connection.close()
    denied[:] = before
    assert isinstance(ended, ChangeRefused) and ended.by == "permission", ended
    assert rights[0].words in ended.because and rights[0].rule in ended.because
    assert changes(cluster) == []


def reads_only(cluster: Cluster, rights: list[tuple[str, str]]) -> ContextRef:
    """Somebody who may read everything and lock, but lacks these rights."""
    if cluster.session is not None:
        for verb, resource in rights:
            cluster.session.deny(DenyRule(verbs=(verb,), resources=(resource,), namespaces=(cluster.namespace, "")))
        return cluster.ref()
    who = f"reader-{cluster.namespace}"
    reads = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}
    locks = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "update", "delete"]}
    cluster.kube.grant(who, reads, locks)
    return cluster.ref(as_user=who)


@TRIED
async def test_policy_and_mode_say_no_before_anything_is_sent(trial: Trial, cluster: Cluster, passage: Passage) -> None:
    trial.make(cluster.kube, cluster.namespace)
    effect = trial.effect(cluster.namespace)
    assert effect.target is not None
    denying = ChangeRules(mode="write", deny=(effect.target.kind,))
    ended = await pass_gate(effect, passage.gate(Says(agrees), denying))
    assert isinstance(ended, ChangeRefused) and ended.by == "policy", ended
    ended = await pass_gate(effect, passage.gate(Says(agrees), ChangeRules()))
    assert isinstance(ended, ChangeRefused) and ended.by == "mode", ended
    assert changes(cluster) == []
    ended = await pass_gate(effect, passage.gate(Says(agrees), ChangeRules(mode="guarded")))
    if effect.reversible:
        assert isinstance(ended, Applied), ended
    else:
        assert isinstance(ended, ChangeRefused) and ended.by == "mode" and effect.reason in ended.because


HINDERED = [
    pytest.param(trial, hinder, id=f"{trial.id}: {hinder.because}") for trial in TRIALS for hinder in trial.hinders
]


@pytest.mark.parametrize(("trial", "hinder"), HINDERED)
async def test_what_stands_in_its_way_is_said_and_nothing_is_sent(
    trial: Trial, hinder: Hinder, cluster: Cluster, passage: Passage
) -> None:
    trial.make(cluster.kube, cluster.namespace, hinder.patch if hinder.born else None)
    obj = trial.given(cluster.namespace)[hinder.index]
    path = path_of(obj)
    if hinder.born:
        assert holds(cluster.kube.get(path), hinder.patch)
    elif trial.absent:
        cluster.kube.create(path_of({**obj, "metadata": {**obj["metadata"], "name": ""}}), {**obj, **hinder.patch})
    else:
        path += "/status" if "status" in hinder.patch else ""
        cluster.kube.merge(path + (f"?fieldManager={hinder.manager}" if hinder.manager else ""), hinder.patch)
    ended = await pass_gate(trial.effect(cluster.namespace), passage.gate(Says(agrees)))
    assert isinstance(ended, ChangeRefused) and ended.by == hinder.by, ended
    assert hinder.because in ended.because
    assert changes(cluster) == []


@pytest.mark.parametrize("trial", [trial for trial in TRIALS if not trial.absent], ids=lambda trial: trial.id)
async def test_nothing_is_done_to_what_is_being_deleted(trial: Trial, cluster: Cluster, passage: Passage) -> None:
    trial.make(cluster.kube, cluster.namespace)
    path = path_of(trial.target(cluster.namespace))
    cluster.kube.merge(path, {"metadata": {"finalizers": ["console.oncall/held"]}})
    cluster.kube.delete(path)
    ended = await pass_gate(trial.effect(cluster.namespace), passage.gate(Says(agrees)))
    cluster.kube.merge(path, {"metadata": {"finalizers": None}})
    assert isinstance(ended, ChangeRefused) and ended.by == "obstacle", ended
    assert "is being deleted since" in ended.because
    assert changes(cluster) == []


@pytest.mark.parametrize("verb", ["create", "trigger"])
async def test_nothing_is_made_in_a_namespace_that_ends(verb: str, cluster: Cluster, passage: Passage) -> None:
    trial = next(one for one in TRIALS if one.verb == verb)
    trial.make(cluster.kube, cluster.namespace)
    path = f"/api/v1/namespaces/{cluster.namespace}"
    cluster.kube.merge(path, {"metadata": {"finalizers": ["console.oncall/held"]}})
    cluster.kube.delete(path)
    ended = await pass_gate(trial.effect(cluster.namespace), passage.gate(Says(agrees)))
    cluster.kube.merge(path, {"metadata": {"finalizers": None}})
    assert isinstance(ended, ChangeRefused) and ended.by == "obstacle", ended
    assert f"namespace {cluster.namespace} is being deleted since" in ended.because
    assert changes(cluster) == []


def untold(verbs: Collection[str], trials: Collection[Trial]) -> list[str]:
    """What the table lacks: a trial for each verb, and in the way of each something that Console itself sees."""
    tried = {trial.verb for trial in trials}
    held = {trial.verb for trial in trials for hinder in trial.hinders if hinder.by == "obstacle"}
    reasons = {"script", *NO_OBSTACLE}
    free = sorted(set(verbs) - held - reasons)
    return [
        *(f"{verb} has no trial" for verb in sorted(set(verbs) - tried - {"script"})),
        *(f"nothing stands in the way of {verb}, and no reason says why" for verb in free),
        *(f"{verb} has a hinder and a reason for none" for verb in sorted(held & reasons)),
        *(f"there is no verb {verb}" for verb in sorted((tried | reasons) - set(verbs))),
    ]  # fmt: skip


def test_every_verb_is_tried_and_something_of_its_own_stands_in_the_way_of_each() -> None:
    """A script is no request of Console's own: `test_script_trial` and `test_guarded_scripts` try it, on both too."""
    assert untold(verbs(), TRIALS) == []


def test_a_verb_without_a_trial_or_without_an_obstacle_is_told() -> None:
    bare = [dataclasses.replace(trial, hinders=()) if trial.verb == "scale" else trial for trial in TRIALS]
    assert untold([*verbs(), "dismiss"], bare) == [
        "dismiss has no trial",
        "nothing stands in the way of dismiss, and no reason says why",
        "nothing stands in the way of scale, and no reason says why",
    ]


async def test_a_rollout_that_somebody_else_paused_is_resumed_only_where_it_was_agreed(
    cluster: Cluster, passage: Passage
) -> None:
    trial = next(one for one in TRIALS if one.verb == "resume-rollout")
    trial.make(cluster.kube, cluster.namespace)
    alone = dataclasses.replace(trial, keys={})
    ended = await pass_gate(alone.effect(cluster.namespace), passage.gate(Says(agrees)))
    assert isinstance(ended, ChangeRefused) and ended.by == "obstacle", ended
    assert "its rollout was paused by " in ended.because and "not by Console: ask them" in ended.because
    person = Says(agrees)
    assert isinstance(await pass_gate(trial.effect(cluster.namespace), passage.gate(person)), Applied)
    assert any("agreed with grace" in line for line in person.asked[0].shows)
    ours = next(one for one in TRIALS if one.verb == "pause").effect(cluster.namespace)
    assert isinstance(await pass_gate(ours, passage.gate(Says(agrees))), Applied)
    ended = await pass_gate(alone.effect(cluster.namespace), passage.gate(Says(agrees)))
    assert isinstance(ended, Applied), "what Console paused, Console may resume"


async def test_a_node_that_somebody_else_cordoned_is_uncordoned_only_where_it_was_agreed(
    cluster: Cluster, passage: Passage
) -> None:
    trial = next(one for one in TRIALS if one.verb == "uncordon")
    trial.make(cluster.kube, cluster.namespace)
    alone = dataclasses.replace(trial, keys={})
    ended = await pass_gate(alone.effect(cluster.namespace), passage.gate(Says(agrees)))
    assert isinstance(ended, ChangeRefused) and ended.by == "obstacle", ended
    assert "it was cordoned by " in ended.because and "not by Console: ask them" in ended.because
    person = Says(agrees)
    assert isinstance(await pass_gate(trial.effect(cluster.namespace), passage.gate(person)), Applied)
    assert any("agreed with grace" in line for line in person.asked[0].shows)
    ours = next(one for one in TRIALS if one.verb == "cordon").effect(cluster.namespace)
    assert isinstance(await pass_gate(ours, passage.gate(Says(agrees))), Applied)
    ended = await pass_gate(alone.effect(cluster.namespace), passage.gate(Says(agrees)))
    assert isinstance(ended, Applied), "what Console cordoned, Console may uncordon"


async def test_what_comes_in_its_way_while_somebody_thinks_refuses_it_and_a_way_back_too(
    cluster: Cluster, passage: Passage
) -> None:
    trial = next(one for one in TRIALS if one.verb == "cordon")
    trial.make(cluster.kube, cluster.namespace)
    path = path_of(trial.target(cluster.namespace))

    async def meanwhile(question: Question) -> Reply:
        cluster.kube.merge(path, NODE_HINDERS[0].patch)
        return await agrees(question)

    ended = await pass_gate(trial.effect(cluster.namespace), passage.gate(Says(meanwhile)))
    assert isinstance(ended, ChangeRefused) and ended.by == "obstacle", ended
    assert "NVSentinel works on it" in ended.because and changes(cluster) == []
    cluster.kube.merge(path, {"metadata": {"labels": None}})
    assert isinstance(await pass_gate(trial.effect(cluster.namespace), passage.gate(Says(agrees))), Applied)
    (intent,) = [e for e in passage.events if isinstance(e, Intent)]
    assert intent.rollback is not None
    ended = await pass_gate(intent.rollback, passage.gate(Says(meanwhile)))
    assert isinstance(ended, ChangeRefused) and ended.by == "obstacle", ended


# -- kill -9 ----------------------------------------------------------------------------------------------------------


def walk_trial(pipe: Pipe, number: int, folder: Path, kubeconfig: str, namespace: str, expect: str) -> None:
    """The process that is killed: it walks the runbook of a trial."""
    asyncio.run(_walk_trial(pipe.send, TRIALS[number], folder, kubeconfig, namespace, expect))


async def _walk_trial(
    tell: Callable[[str], None], trial: Trial, folder: Path, kubeconfig: str, namespace: str, expect: str
) -> None:
    connection = await Connection.open(ContextRef(kubeconfig=kubeconfig))
    book = trial.book(namespace)
    here = desk(connection, namespace, folder, library=Shelf({book.id: book}))
    person = Scripted.parse(parse(f"answers: {{do: {expect}}}\n", "answers"))
    walk = await here.wait(await here.start(book, {}, {}, "", person))
    tell(f"ended {walk.outcome}")


@pytest.fixture
async def at(cluster: Cluster, connection: Connection, tmp_path: Path) -> AsyncIterator[Desk]:
    here = desk(connection, cluster.namespace, tmp_path)
    yield here
    await here.close()


@pytest.mark.parametrize("how", ["applied", "lost"])
@TRIED
async def test_killed_while_it_is_sent_it_is_asked_of_the_object_and_done_once(
    trial: Trial, how: str, at: Desk, cluster: Cluster, tmp_path: Path
) -> None:
    trial.make(cluster.kube, cluster.namespace)
    loop, reached, killed = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    async def hold(write: Write) -> None:
        if write in changes(cluster) and not killed.is_set():
            loop.call_soon_threadsafe(reached.set)
            while not killed.is_set():
                await asyncio.sleep(0.005)
            if how == "lost":
                raise ConnectionResetError

    setattr(cluster.relay, "received" if how == "lost" else "answered", hold)
    effect, kubeconfig = trial.effect(cluster.namespace), cluster.ref().kubeconfig
    assert effect.target is not None
    expect = effect.target.words if not effect.reversible else "yes"
    victim = Victim.begin(walk_trial, TRIALS.index(trial), tmp_path, kubeconfig, cluster.namespace, expect)
    await asyncio.wait_for(reached.wait(), 60)
    assert await victim.kill()
    killed.set()
    id = Journal(tmp_path / "journal.db").walks()[0].walk
    await at.resume(id, Says(agrees, agrees), bind=True)
    walk = await asyncio.wait_for(at.wait(id), 60)
    events = Journal(tmp_path / "journal.db").read(id)
    intent = next(e for e in events if isinstance(e, Intent))
    assert walk.outcome == "resolved", events
    assert trial.came(stands(cluster, left(walk.writes[-1])))
    assert [w.status // 100 for w in changes(cluster) if w.status] == [2], "it was done once"
    assert (how == "applied") is (walk.writes[-1].id == intent.effect.id)
