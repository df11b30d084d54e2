"""Walks that are killed at random instants, resumed, and judged when they have ended."""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from console.actions.effects import STAMP
from console.drill.state.resources import SPARKAPPS
from console.live import Live, Plan
from console.operate.journal import Journal
from console.operate.person import Scripted
from console.operate.scripts.runs import processes
from console.rehearse.playing import Rehearsal
from console.runbook.walk import AnyEvent, Applied, ChangeRefused, Intent, Landed, Walk, fold
from console.wire.connection import Connection
from tests.kills.processes import PATIENCE, Victim
from tests.kills.victims import PACE, DrillWalk, SmallWalk, resumed, walk_drill, walk_small
from tests.operate.conftest import YES, Cluster, Says, simulation
from tests.operate.objects import create, running, spark_path
from tests.operate.relay import Relay
from tests.operate.test_desk import OVERHEAD

AGAIN, MOST = 0.5, 6
"""How likely a walk that was killed is killed again when it is resumed, and how often at most."""
SHARES = {"patch": 0.5, "script": 0.35, "drill": 0.15}
FIRST = {"patch": 1.0, "script": 3.0, "drill": 5.0}
"""Seconds within which a walk is killed, as long as nobody has seen how long it takes."""
ENDS = {"patch": ("resolved",), "script": ("mitigated",), "drill": ("resolved", "mitigated", "unresolved")}
"""How a walk may end. What the objectives do in a drill is not what is looked at here."""
LATE = ("did not end in time", "did not answer")
"""What a refusal says of a script or a server that had no time."""


@dataclass
class Tally:
    """What was seen.

    Attributes:
        kills: how often a process was killed on its way, by kind of walk.
        at: the last record of the journal at each kill.
        wrong: what must not be, by walk.
        ends: outcomes of the walks, by kind.
        unreached: processes that gave up by themselves, and changes that were refused: their peer had no time for them.
    """

    kills: Counter[str] = field(default_factory=Counter)
    at: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    spans: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    walks: int = 0
    unreached: int = 0

    def span(self, kind: str) -> float:
        """Seconds that a walk of this kind takes when nobody kills it, as far as was seen."""
        return statistics.median(self.spans.get(kind, [FIRST[kind]])[-9:])

    @property
    def words(self) -> str:
        kinds = ", ".join(f"{count} of a {kind}" for kind, count in sorted(self.kills.items()))
        said = f"{self.kills.total()} kills ({kinds}) on {self.walks} walks, {len(self.wrong)} wrong"
        said += f", {self.unreached} gave up by themselves" if self.unreached else ""
        last = ", ".join(f"{kind} {count}" for kind, count in self.at.most_common())
        ends = ", ".join(f"{end} {count}" for end, count in self.ends.most_common())
        return f"{said}\nthe last record at the kill: {last}\nends: {ends}"


async def killed(
    kind: str, rng: random.Random, tally: Tally, spawn: Callable[[str], Victim], journal: Path, most: int
) -> bool:
    """Let processes walk, and kill each at a random instant, at most `most` of them. False: one came to its end."""
    for _ in range(most):
        victim = spawn(_open_walk(journal))
        try:
            if await victim.line() != "begin":
                tally.unreached += 1
                continue
            if await _walked_on(victim, rng.random() * 1.1 * tally.span(kind), kind, tally) or not await victim.kill():
                return False
        finally:
            await victim.kill()
        tally.kills[kind] += 1
        tally.at[_last(journal)] += 1
        if rng.random() > AGAIN:
            return True
    return True


async def _walked_on(victim: Victim, seconds: float, kind: str, tally: Tally) -> bool:
    """Let it walk for so long; whether it came to its end meanwhile."""
    began = time.monotonic()
    until = began + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            line = await victim.line(left)
        except TimeoutError:
            return False
        if line == "":
            tally.unreached += 1
            return True
        tally.spans.setdefault(kind, []).append(time.monotonic() - began)
        if line.startswith("ended"):
            return True
    return False


def _open_walk(journal: Path) -> str:
    heads = Journal(journal).walks() if journal.exists() else ()
    return heads[0].walk if heads else ""


def _last(journal: Path) -> str:
    walk = _open_walk(journal)
    return type(Journal(journal).read(walk)[-1]).__struct_config__.tag if walk else "none"  # type: ignore[return-value]


def problems(journal: Journal, kind: str, changes: Sequence[Any], obj: dict[str, Any], generation: int) -> list[str]:
    """What is wrong with a walk that has ended, and with what it has left.

    Args:
        changes: the real writes of the application that the peer accepted.
        generation: what it was before.
    """
    heads = journal.walks()
    if len(heads) != 1:
        return [f"{len(heads)} walks instead of one"]
    events, chain = journal.read(heads[0].walk), journal.verify(heads[0].walk)
    walk = fold(events)
    intents = {e.effect.id for e in events if isinstance(e, Intent)}
    done = {e.effect for e in events if isinstance(e, Applied) and e.ok}
    undone = {e.effect for e in events if isinstance(e, Landed) and e.answer == "no"}
    stamp = obj["metadata"].get("annotations", {}).get(STAMP)
    refused = "; ".join(f"{e.by}: {e.because}" for e in events if isinstance(e, ChangeRefused))
    if out_of_time(events) and not changes and chain.ok and obj["metadata"]["generation"] == generation:
        return []
    said = {
        f"lost or doubled: {len(changes)} changes in the peer's log": len(changes) == 1,
        f"generation {obj['metadata']['generation']}": obj["metadata"]["generation"] == generation + 1,
        f"a broken chain: {chain.because}": chain.ok,
        f"ended {walk.outcome}: {walk.because}" + (f" (refused by {refused})" if refused else ""): walk.outcome
        in ENDS[kind],
        f"{len(done)} changes with a result": len(done) == 1,
        f"the stamp is {stamp}, the change was {done}": {stamp} == done,
        f"intents {intents} are neither done nor undone": intents == done | undone and not done & undone,
        "something is in doubt": walk.pending is None and walk.in_doubt is None,
        f"its script is still there: {intents}": not any(processes(one) for one in intents),
    }
    return [words for words, ok in said.items() if not ok]


def out_of_time(events: Sequence[AnyEvent]) -> bool:
    """Whether the change was refused before anything was sent because a machine under load kept a script or the server
    from answering in time. Nothing was lost then: who walks is told, and asks again.
    """
    last = next((e for e in reversed(events) if isinstance(e, ChangeRefused)), None)
    late = last is not None and last.by == "server" and any(words in last.because for words in LATE)
    return late and not any(isinstance(event, Intent | Applied) for event in events)


class SmallPeer:
    """The simulated API server behind a relay. Its time stands still, and each walk has a namespace of its own."""

    def __init__(self, cluster: Cluster, connection: Connection) -> None:
        self.cluster, self.connection = cluster, connection

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator[SmallPeer]:
        with simulation() as world:
            relay = Relay(world.kube.url, None).start()
            try:
                cluster = Cluster(world.kube, relay, "default", folder, world.session)
                connection = await Connection.open(cluster.ref(request_timeout=PATIENCE))
                yield cls(cluster, connection)
                await connection.close()
            finally:
                relay.stop()

    async def walk(self, kind: str, rng: random.Random, tally: Tally, most: int) -> None:
        """One walk of a patch or a script, and what there was wrong with it."""
        kube, relay = self.cluster.kube, self.cluster.relay
        namespace = await asyncio.to_thread(kube.new_namespace, "kills")
        folder = Path(tempfile.mkdtemp(dir=self.cluster.folder))
        await asyncio.to_thread(create, kube, namespace)
        await asyncio.to_thread(running, kube, namespace)
        kubeconfig = relay.kubeconfig(folder / "kubeconfig", kube.token, namespace=namespace)
        at = SmallWalk(kind, folder, str(kubeconfig), f"{namespace}/etl-orders")
        journal = folder / "journal.db"
        await killed(kind, rng, tally, lambda walk: Victim.begin(walk_small, at, walk), journal, most)
        ended = await self._end(at, _open_walk(journal), tally)
        obj = await asyncio.to_thread(kube.get, spark_path(namespace, "etl-orders"))
        here = f"/{namespace}/"
        changes = [w for w in relay.on("sparkapplications") if w.status == 200 and here in w.path]
        found = problems(Journal(journal), kind, changes, obj, 1)
        leases = await asyncio.to_thread(kube.get, f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")
        found += ["somebody is locked out by the dead"] if leases["items"] else []
        tally.walks += 1
        tally.ends[f"{kind}: {ended.outcome}"] += 1
        tally.unreached += out_of_time(Journal(journal).read(ended.id))
        tally.wrong += [f"{kind} {ended.id}: {one}" for one in found]
        relay.writes[:] = [w for w in relay.writes if here not in w.path]
        if not found:
            shutil.rmtree(folder)

    async def _end(self, at: SmallWalk, walk: str, tally: Tally) -> Walk:
        """Resume it as a person would, in this process, and let it end. An ended one stays as it is."""
        here = at.desk(self.connection)
        try:
            began = time.monotonic()
            journal = Journal(at.folder / "journal.db")
            if walk and fold(journal.read(walk)).ended is not None:
                return await here.wait(walk)
            inputs, origins = at.given
            answers = Says(*[_answer] * 9)
            if walk:
                await here.resume(walk, answers)
            id = walk or await here.start(at.book(), inputs, origins, at.app, answers)
            ended = await asyncio.wait_for(here.wait(id), PATIENCE)
            if not walk:
                tally.spans.setdefault(at.kind, []).append(time.monotonic() - began)
            return ended
        finally:
            await here.close()


async def _answer(question: object) -> object:
    return {"ask": OVERHEAD, "confirm": YES}.get(getattr(question, "kind", ""))


async def walk_in_a_drill(rng: random.Random, tally: Tally, most: int) -> None:
    """One walk of the shipped runbook in a drill of its own, and what there was wrong with it."""
    answers = {"filled": "overhead", "how": "raise", "give-overhead": "yes", "next-run-overhead": "no"}
    if rng.random() < 0.3:
        answers |= {"filled": "cores", "fewer": "yes"}
    with Rehearsal("spark-oom", step=True) as rehearsal:
        session, plan = rehearsal.session, rehearsal.plan(pace=PACE)
        said = plan.state / "answers.yaml"
        said.write_text(yaml.safe_dump({"answers": answers, "confirm": True}))
        at = DrillWalk(
            plan.state / "config.yaml", str(session.kubeconfig), str(plan.ref.context), str(plan.prometheus),
            str(plan.alertmanager), plan.state, said, rehearsal.case.inputs["app"], session.clock.now(),
        )  # fmt: skip
        namespace, name = at.app.split("/")
        generation = session.world.store.get(SPARKAPPS, namespace, name)["metadata"]["generation"]
        journal = plan.state / "journal.db"
        await killed("drill", rng, tally, lambda walk: Victim.begin(walk_drill, at, walk), journal, most)
        walk = await asyncio.to_thread(_end_in_a_drill, rehearsal, plan, at, _open_walk(journal))
        obj = session.world.store.get(SPARKAPPS, namespace, name)
        found = problems(Journal(journal), "drill", session.changes, obj, generation)
        tally.walks += 1
        tally.ends[f"drill: {walk.outcome}"] += 1
        tally.unreached += out_of_time(Journal(journal).read(walk.id))
        tally.wrong += [f"drill {walk.id}: {one}" for one in found]


def _end_in_a_drill(rehearsal: Rehearsal, plan: Plan, at: DrillWalk, walk: str) -> Walk:
    """Resume the walk in this process, and let time move until it ends. One that has ended stays as it is."""
    if walk and (stands := fold(Journal(plan.state / "journal.db").read(walk))).ended is not None:
        return stands
    with Live(plan) as live:
        live.settle(PATIENCE)
        rehearsal.drive(live)
        id = resumed(live, at, walk, Scripted.read(at.answers, production=False))
        ended: Walk = live.finished(id).result(2 * PATIENCE)
        return ended


async def kill(count: int, seed: int, folder: Path, shares: Mapping[str, float], tell: Callable[[str], None]) -> Tally:
    """Kill `count` processes on their way.

    Args:
        shares: which part of them are processes of each kind of walk.
        tell: called with a line whenever something is wrong, and now and then.
    """
    tally, rng = Tally(), random.Random(seed)

    async def until(kind: str, walk: Callable[[int], Awaitable[None]]) -> None:
        while (left := round(count * shares.get(kind, 0.0)) - tally.kills[kind]) > 0:
            before = len(tally.wrong)
            await walk(min(left, MOST))
            for words in tally.wrong[before:]:
                tell(words)
            if tally.walks % 25 == 0:
                tell(tally.words.splitlines()[0])

    await until("drill", lambda most: walk_in_a_drill(rng, tally, most))
    async with SmallPeer.open(folder) as peer:
        await until("script", lambda most: peer.walk("script", rng, tally, most))
        await until("patch", lambda most: peer.walk("patch", rng, tally, most))
    return tally
