"""Who has members on a node: kept from one look to the next, and at every moment what is counted anew."""

from __future__ import annotations

import random

from msgspec.structs import replace

from console.apps.assemble import assemble
from console.apps.model import SparkApp
from console.causes.tenants import Tenants
from tests.findings import worlds as w

NODES = ("n1", "n2", "n3", "")


def apps(rng: random.Random) -> list[SparkApp]:
    things = []
    for number in range(4):
        app_id = f"spark-{number:032x}"
        things.append(w.driver(name=f"app-{number}-driver", app_id=app_id, node=rng.choice(NODES)))
        things += [
            w.executor(
                one,
                name=f"app-{number}-exec-{one}",
                app_id=app_id,
                owner=f"app-{number}-driver",
                node=rng.choice(NODES),
            )
            for one in (1, 2)
        ]
    return list(assemble(w.facts(*things)))


def counted(found: list[SparkApp], node: str) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for app in found:
        for member in (*((app.driver,) if app.driver else ()), *app.executors):
            if member.node == node:
                out.setdefault(app.key, []).append(member.pod)
    return out


def test_applications_that_come_move_and_go_are_where_they_are_now() -> None:
    rng, tenants = random.Random(1), Tenants()
    there = apps(rng)
    for _ in range(60):
        index = rng.randrange(len(there))
        match rng.randrange(4):
            case 0:
                del there[index]
            case 1:
                there[index] = replace(there[index], message="changed")
            case _:
                fresh = apps(rng)
                there = [next(a for a in fresh if a.key == one.key) if rng.random() < 0.3 else one for one in there]
        there = there or apps(rng)
        tenants.see(there)
        for node in ("n1", "n2", "n3", "nowhere"):
            said = {app.key: [m.pod for m in members] for app, members in tenants.on(node)}
            assert said == counted(there, node)
            assert all(any(app is one for one in there) for app, _ in tenants.on(node)), "as it is now"


def test_a_member_that_stays_where_it_is_is_the_newer_one_there() -> None:
    one = w.executor(1, node="n1", ready=True)
    (before,) = assemble(w.facts(w.driver(node="n1"), one, w.executor(2, node="n2")))
    (after,) = assemble(w.facts(w.driver(node="n1"), replace(one, phase="Failed"), w.executor(2, node="n2")))
    tenants = Tenants()
    tenants.see([before])
    tenants.see([after])
    assert [(app is after, [m.state for m in there]) for app, there in tenants.on("n1")] == [
        (True, ["Running", "Failed"])
    ]
    moved = replace(after, executors=(replace(after.executors[0], node="n3"), *after.executors[1:]))
    tenants.see([moved])
    assert [[m.pod for m in there] for _, there in tenants.on("n3")] == [["etl-exec-1"]]
    assert [[m.role for m in there] for _, there in tenants.on("n1")] == [["driver"]]
