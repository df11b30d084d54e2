"""The second person, simulated and real: another identity approves, in a place where who walks may not write."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Effect, Preview
from console.base.errors import RefusedError
from console.drill.kube.access import DenyRule, User
from console.live.doctor.checks import _second_person
from console.operate.approvals.giving import approve, requests
from console.operate.approvals.request import (
    ApprovalRequest,
)
from console.operate.approvals.waiting import SecondPerson
from console.operate.gate import pass_gate
from console.operate.person import Question, Reply
from console.operate.policy import ChangeRules
from console.runbook.walk import AnyEvent, Applied, ApprovalAsked, Approved, ChangeRefused
from console.settings.model import Approvals, Policy
from console.wire.config import ContextRef
from console.wire.connection import Connection
from console.wire.paths import object_path
from console.wire.writer import Writer
from tests.operate.conftest import GRANTED, YES, Cluster, Passage, Says
from tests.operate.objects import NEW, OLD, create, raise_overhead, spark_path

RULES = ChangeRules(mode="write", second_person="always", approval_wait=60.0)
PREVIEW = Preview(
    Effect("w-1/1", "raise", "Raise it", "patch", patch={"spec": {"a": 1}}), ("-a: 0", "+a: 1"), True, generation=3
)
ASKED = ApprovalRequest("w-1", "ada", "u-1", "approvals", PREVIEW, 2e9)


# on a cluster


@dataclass
class Two:
    """Who walks and who approves, each as the cluster knows them."""

    cluster: Cluster
    place: str
    walker: Connection
    approver: Connection

    def passage(self, folder: Path) -> Passage:
        return Passage(self.walker, folder / "run", [])

    def second(self, **changes: Any) -> SecondPerson:
        fields = {"place": self.place, "wait": 60.0, "look": 0.05, **changes}
        return SecondPerson(self.walker.reader, Writer(self.walker), self.walker.identity, "w-1", **fields)

    def rules(self, **changes: Any) -> ChangeRules:
        return replace(RULES, approvals=self.place, **changes)

    def overhead(self) -> str:
        path = spark_path(self.cluster.namespace, "etl-orders")
        return str(self.cluster.kube.get(path)["spec"]["executor"]["memoryOverhead"])


@pytest.fixture
async def two(cluster: Cluster) -> AsyncIterator[Two]:
    place = await asyncio.to_thread(cluster.kube.new_namespace, "approvals")
    refs = await asyncio.to_thread(grant, cluster, place)
    walker, approver = [await Connection.open(ref) for ref in refs]
    yield Two(cluster, place, walker, approver)
    await walker.close()
    await approver.close()


def grant(cluster: Cluster, place: str) -> tuple[ContextRef, ContextRef]:
    """Ada may change applications and not write in the place; Grace may read, and approve."""
    names = [f"{name}-{cluster.namespace}" for name in ("ada", "grace")]
    if cluster.session is not None:
        for name in names:
            cluster.session.kube.access.tokens[f"token-{name}"] = User(name)
        writes = ("create", "update", "patch", "delete")
        cluster.session.deny(
            DenyRule(writes, namespaces=(place,), users=(names[0],)), DenyRule(("impersonate",), users=(names[0],)),
            DenyRule(writes, namespaces=(cluster.namespace,), users=(names[1],)),
        )  # fmt: skip
        paths = [cluster.folder / f"{name}.kubeconfig" for name in names]
        for name, path in zip(names, paths, strict=True):
            cluster.relay.kubeconfig(path, f"token-{name}", namespace=cluster.namespace)
        return ContextRef(kubeconfig=str(paths[0])), ContextRef(kubeconfig=str(paths[1]))
    leases, spark = ("coordination.k8s.io", "leases"), ("sparkoperator.k8s.io", "sparkapplications")
    bind(cluster, cluster.namespace, names[0], *GRANTED)
    bind(cluster, place, names[0], (*leases, ("get", "list")))
    bind(cluster, cluster.namespace, names[1], (*leases, ("get", "list")), (*spark, ("get",)))
    bind(cluster, place, names[1], (*leases, ("get", "list", "create", "delete")))
    return cluster.ref(as_user=names[0]), cluster.ref(as_user=names[1])


def bind(cluster: Cluster, namespace: str, user: str, *rules: tuple[str, str, tuple[str, ...]]) -> None:
    """A Role of these rules in a namespace, for one user."""
    made = [{"apiGroups": [group], "resources": [name], "verbs": list(verbs)} for group, name, verbs in rules]
    cluster.kube.grant(user, *made, namespace=namespace)


@contextmanager
def at_a_terminal(two: Two, *argv: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`console` as the approver, in a process of its own with a terminal of its own; the end where one types."""
    config = two.cluster.folder / "approver.yaml"
    config.write_text(f"contexts:\n  {two.approver.identity.context}: {{mode: guarded}}\n")
    ref, (theirs, ours) = two.approver.ref, pty.openpty()
    words = ["--kubeconfig", str(ref.kubeconfig), "--config", str(config), "-n", two.cluster.namespace]
    words += ["--as", ref.as_user] if ref.as_user else []
    code = "import os, sys; os.setsid(); os.open(sys.argv.pop(1), os.O_RDWR); from console.cli.main import main; main()"
    call = [sys.executable, "-c", code, os.ttyname(ours), *argv, *words]
    env = os.environ | {"CONSOLE_STATE_DIR": str(two.cluster.folder / "theirs")}
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    try:
        yield process, theirs
    finally:
        process.kill()
        process.communicate()
        os.close(theirs)
        os.close(ours)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    said, narrated = process.communicate(timeout=120)
    return process.returncode, said, narrated


async def test_the_second_person_approves_from_a_process_and_a_terminal_of_their_own(two: Two, tmp_path: Path) -> None:
    made = await asyncio.to_thread(create, two.cluster.kube, two.cluster.namespace)
    passage, ada = two.passage(tmp_path), Waits()
    walk = asyncio.create_task(pass_gate(raise_overhead(made), passage.gate(ada, two.rules(), second=two.second())))
    await asyncio.wait_for(ada.waiting.wait(), 60)
    (request,) = (await requests(two.approver, (two.cluster.namespace,))).open
    with at_a_terminal(two, "approve") as (process, _):
        code, said, _ = await asyncio.to_thread(ended, process)
    assert code == 0 and request.short in said and two.walker.identity.user in said
    with at_a_terminal(two, "approve", request.short, "-o", "json") as (process, _):
        code, said, _ = await asyncio.to_thread(ended, process)
    shown = json.loads(said)
    assert code == 0 and shown["digest"] == request.digest and f"+    memoryOverhead: {NEW}" in shown["diff"]
    with at_a_terminal(two, "approve", request.short) as (process, keys):
        os.write(keys, f"etl\n{two.cluster.namespace}/etl-orders\n".encode())
        code, said, narrated = await asyncio.to_thread(ended, process)
    assert code == 0, narrated
    assert said.startswith(f"approved {request.short} of walk w-1 for ")
    assert f"+    memoryOverhead: {NEW}" in narrated and "2 more tries" in narrated
    assert isinstance(await asyncio.wait_for(walk, 60), Applied)
    assert await asyncio.to_thread(two.overhead) == NEW


class Waits(Says):
    """Confirms, and does not answer what only another can."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = asyncio.Event()

    async def answer(self, question: Question) -> Reply | None:
        self.asked.append(question)
        if question.kind == "confirm":
            return YES
        self.waiting.set()
        await asyncio.Event().wait()
        return None


async def types(question: Question) -> Reply:
    """What a second person types at their terminal."""
    return Reply("yes", "grace", question.expect, terminal=True)


async def test_a_change_is_made_once_another_identity_has_approved_exactly_it(two: Two, tmp_path: Path) -> None:
    made = await asyncio.to_thread(create, two.cluster.kube, two.cluster.namespace)
    passage, ada, grace = two.passage(tmp_path), Waits(), Says(types)
    walk = asyncio.create_task(pass_gate(raise_overhead(made), passage.gate(ada, two.rules(), second=two.second())))
    await asyncio.wait_for(ada.waiting.wait(), 60)
    assert await asyncio.to_thread(two.overhead) == OLD, "nothing is sent while it waits"
    found = await requests(two.approver, (two.cluster.namespace,))
    (request,) = found.open
    said = "\n".join(ada.asked[-1].shows)
    assert ada.asked[0].text.endswith("After your yes a second person has to approve it.")
    assert ada.asked[-1].kind == "approval" and f"console approve {request.short}" in said
    assert request.walker == two.walker.identity.user and request.walker in said
    written = await lease_of(two, request.namespace, request.name)
    assert written["spec"]["holderIdentity"] == request.walker, "others see in the cluster who asks"
    assert await approve(two.approver, ChangeRules(mode="guarded"), request, grace) > 0
    ended = await asyncio.wait_for(walk, 60)
    assert isinstance(ended, Applied) and ended.ok and await asyncio.to_thread(two.overhead) == NEW
    left = await lease_of(two, two.place, request.approval)
    assert left["spec"]["holderIdentity"] == two.approver.identity.user
    assert left["metadata"]["annotations"] == {
        "console.oncall/digest": request.digest,
        "console.oncall/walk": request.walk,
        "console.oncall/walker": request.walker,
    }
    (shown,) = grace.asked
    assert shown.preview is not None and f"+    memoryOverhead: {NEW}" in shown.preview.diff
    assert shown.terminal and shown.expect == f"{two.cluster.namespace}/etl-orders"
    assert "worked out here from the object as it is: the same change" in shown.text
    assert passage.kinds == ["Previewed", "Confirmed", "ApprovalAsked", "Approved", "Intent", "Applied"]
    asked, given = passage.events[2:4]
    assert isinstance(asked, ApprovalAsked) and asked.digest == request.digest and asked.place == two.place
    assert isinstance(given, Approved) and (given.by, given.digest) == (two.approver.identity.user, request.digest)
    assert (await requests(two.approver, (two.cluster.namespace,))).open == (), "nobody is asked any more"


async def lease_of(two: Two, namespace: str, name: str) -> Any:
    """A Lease as the second person reads it."""
    return await two.approver.reader.object(object_path("coordination.k8s.io/v1", "leases", namespace, name))


async def refused(two: Two, tmp_path: Path, person: Any, **second: Any) -> tuple[ChangeRefused, list[AnyEvent]]:
    made = await asyncio.to_thread(create, two.cluster.kube, two.cluster.namespace)
    passage = two.passage(tmp_path)
    gate = passage.gate(
        person, replace(two.rules(), approvals=second.get("place", two.place)), second=two.second(**second)
    )
    ended = await asyncio.wait_for(pass_gate(raise_overhead(made), gate), 60)
    assert isinstance(ended, ChangeRefused) and await asyncio.to_thread(two.overhead) == OLD
    return ended, passage.events


async def test_where_who_walks_may_write_nobody_is_asked(two: Two, tmp_path: Path) -> None:
    person = Waits()
    ended, _ = await refused(two, tmp_path, person, place=two.cluster.namespace)
    assert (ended.by, person.asked) == ("policy", [])
    assert f"you may create leases.coordination.k8s.io in namespace {two.cluster.namespace} yourself" in ended.because
    assert "policy.approvals.namespace" in ended.because


async def test_nobody_who_approves_in_time_is_a_no(two: Two, tmp_path: Path) -> None:
    ended, _ = await refused(two, tmp_path, Waits(), wait=0.3)
    assert ended.by == "person" and ended.because.startswith("nobody approved it within")
    assert (await requests(two.approver, (two.cluster.namespace,))).open == ()


async def test_who_walks_can_stop_waiting(two: Two, tmp_path: Path) -> None:
    ended, events = await refused(two, tmp_path, Says(YES, Reply("no", "ada")))
    assert ended.because == "ada stopped waiting for a second person" and not any(
        isinstance(e, Approved) for e in events
    )


async def test_only_another_who_types_it_at_a_terminal_approves(two: Two, tmp_path: Path) -> None:
    made = await asyncio.to_thread(create, two.cluster.kube, two.cluster.namespace)
    passage, ada = two.passage(tmp_path), Waits()
    gate = passage.gate(ada, two.rules(), second=two.second())
    walk = asyncio.create_task(pass_gate(raise_overhead(made), gate))
    await asyncio.wait_for(ada.waiting.wait(), 60)
    (request,) = (await requests(two.approver, (two.cluster.namespace,))).open
    guarded, words = ChangeRules(mode="guarded"), f"{two.cluster.namespace}/etl-orders"
    for rules, connection, reply in [
        (guarded, two.approver, None),
        (guarded, two.approver, Reply("no", "grace")),
        (guarded, two.approver, Reply("yes", "grace", "etl-orders", terminal=True)),
        (guarded, two.approver, Reply("yes", "grace", words)),
        (guarded, two.walker, Reply("yes", "ada", words, terminal=True)),
        (ChangeRules(), two.approver, Reply("yes", "grace", words, terminal=True)),
    ]:
        with pytest.raises(RefusedError):
            await approve(connection, rules, request, Says(reply))
    assert not walk.done() and await asyncio.to_thread(two.overhead) == OLD
    walk.cancel()
    await asyncio.gather(walk, return_exceptions=True)
    assert (await requests(two.approver, (two.cluster.namespace,))).open == (), "who leaves takes the request back"


async def test_an_approval_of_what_has_changed_meanwhile_is_not_enough(two: Two, tmp_path: Path) -> None:
    made = await asyncio.to_thread(create, two.cluster.kube, two.cluster.namespace)
    passage, ada = two.passage(tmp_path), Waits()
    walk = asyncio.create_task(pass_gate(raise_overhead(made), passage.gate(ada, two.rules(), second=two.second())))
    await asyncio.wait_for(ada.waiting.wait(), 60)
    (request,) = (await requests(two.approver, (two.cluster.namespace,))).open
    other = {"spec": {"executor": {"memoryOverhead": "300m"}}}
    await asyncio.to_thread(two.cluster.kube.merge, spark_path(two.cluster.namespace, "etl-orders"), other)
    ada.waiting.clear()
    grace = Says(types)
    await approve(two.approver, ChangeRules(mode="guarded"), request, grace)
    assert "it will be asked anew" in grace.asked[0].text
    await asyncio.wait_for(ada.waiting.wait(), 60)
    assert await asyncio.to_thread(two.overhead) == "300m"
    (anew,) = (await requests(two.approver, (two.cluster.namespace,))).open
    assert anew.digest != request.digest and "-    memoryOverhead: 300m" in anew.preview.diff
    walk.cancel()
    await asyncio.gather(walk, return_exceptions=True)


async def test_what_cannot_be_asked_counts_as_a_place_where_who_walks_may_write(two: Two) -> None:
    class Deaf:
        async def object(self, path: str) -> Any:
            return {}

        async def may(self, *what: Any, **more: Any) -> Any:
            raise RefusedError("no reviews here")

    second = replace_reader(two.second(), Deaf())
    assert "could not be asked (no reviews here)" in await second.lacking()
    assert "no place" in await two.second(place="").lacking()
    assert await two.second().lacking() == ""


def replace_reader(second: SecondPerson, reader: Any) -> SecondPerson:
    from dataclasses import replace as changed

    return changed(second, reader=reader)


async def test_doctor_says_before_the_incident_whether_a_second_person_can_be_had(two: Two) -> None:
    for place, standing, said in [
        (two.place, "ok", f"they approve in {two.place}"), (two.cluster.namespace, "missing", "proves nobody else"),
        (None, "missing", "policy.approvals.namespace"),
    ]:  # fmt: skip
        check = await _second_person(Policy(second_person="always", approvals=Approvals(place)), two.walker)
        assert check.standing == standing and said in check.detail
    assert (await _second_person(Policy(), two.walker)).detail == "policy asks for none"
