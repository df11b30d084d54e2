"""Rules that change while a walk waits: stricter ones bind at once, wider ones are told and asked for again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.operate import bounds
from console.operate.journal import Journal
from console.operate.person import Reply
from console.operate.policy import ChangeRules
from console.runbook.walk import ChangeRefused, RulesWidened
from console.settings.model import Dates, Freeze
from console.timeline.prose import sentence
from console.wire.connection import Connection
from tests.operate.conftest import YES, Cluster, Says
from tests.operate.objects import OLD, create, running, spark_path
from tests.operate.test_desk import OVERHEAD
from tests.operate.tower import INPUTS, ORIGINS, desk, small

NIGHT = Freeze(dates=(Dates("night", "2026-11-29T22:00:00Z", "2026-11-30T22:00:00Z"),))
STRICT = ChangeRules("read-only", True, ("prod",), ("Node",), 1, 600.0, "always", NIGHT, max_runs=1)
WIDE = ChangeRules("write", False, (), (), 10, 60.0, "never", Freeze(), stop_when_worse=False)


def test_of_two_sets_of_rules_the_strictest_of_each_binds() -> None:
    assert bounds.strictest(STRICT, WIDE) == bounds.strictest(WIDE, STRICT) == STRICT
    assert bounds.wider(WIDE, STRICT) == ()
    assert bounds.wider(STRICT, STRICT) == ()
    assert bounds.wider(STRICT, WIDE) == (
        "mode read-only → write",
        "less of it counts as production",
        "policy.deny without Node",
        "policy.max_targets 1 → 10",
        "policy.cooldown 600s → 60s",
        "policy.max_runs_per_hour 1 → 6",
        "policy.stop_when_worse yes → no",
        "policy.second_person always → never",
        "policy.freeze has fewer windows",
    )


def test_what_a_walk_keeps_of_its_rules_is_read_back() -> None:
    assert bounds.then({"rules": bounds.kept(STRICT)}, WIDE) == STRICT
    old = bounds.then({"mode": "read-only", "production": False, "server": "x"}, WIDE)
    assert bounds.wider(old, WIDE) == ("mode read-only → write",), "an older journal holds the mode only"


def test_another_place_for_approvals_is_told_and_binds_nobody_before_a_yes() -> None:
    here, there = (ChangeRules("write", second_person="always", approvals=place) for place in ("here", "there"))
    assert bounds.strictest(here, there).approvals == "" and bounds.strictest(here, here) == here
    assert bounds.wider(here, there) == ("policy.approvals.namespace here → there",)
    assert bounds.wider(ChangeRules("write", second_person="always"), there) == (
        "policy.approvals.namespace none → there",
    )
    assert bounds.wider(ChangeRules("write", approvals="here"), ChangeRules("write", approvals="there")) == ()
    assert bounds.then({"rules": bounds.kept(here)}, there).approvals == "here"


@pytest.mark.parametrize("answer", ["yes", "no", None])
async def test_a_walk_begun_read_only_and_resumed_under_wider_rules_asks_before_it_writes(
    answer: str | None, cluster: Cluster, connection: Connection, tmp_path: Path
) -> None:
    create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    journal = Journal(tmp_path / "journal.db")

    def at(mode: Any) -> Any:
        rules = ChangeRules(mode=mode, cooldown=0)
        return desk(connection, cluster.namespace, tmp_path, journal=journal, rules=rules)

    first, runbook = at("read-only"), small()
    walk_id = await first.start(runbook, INPUTS, ORIGINS, f"{cluster.namespace}/etl-orders", Says(stays))
    while first.question(walk_id) is None:
        await asyncio_turn()
    await first.leave(walk_id)
    person = Says(OVERHEAD, None if answer is None else Reply(answer, "ada"), YES)
    second = at("write")
    await second.resume(walk_id, person)
    await second.wait(walk_id)
    (told,) = [e for e in journal.read(walk_id) if isinstance(e, RulesWidened)]
    assert [q.kind for q in person.asked][:2] == ["ask", "rules"]
    assert "mode read-only → write" in person.asked[1].text and "mode read-only → write" in sentence(told)
    executor = cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["spec"]["executor"]
    if answer == "yes":
        assert executor["memoryOverhead"] != OLD
    else:
        assert executor["memoryOverhead"] == OLD
        (no,) = [e for e in journal.read(walk_id) if isinstance(e, ChangeRefused)]
        assert no.by == "mode"


async def test_stricter_rules_bind_a_resumed_walk_at_once(
    cluster: Cluster, connection: Connection, tmp_path: Path
) -> None:
    create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    journal = Journal(tmp_path / "journal.db")
    first = desk(connection, cluster.namespace, tmp_path, journal=journal)
    walk_id = await first.start(small(), INPUTS, ORIGINS, f"{cluster.namespace}/etl-orders", Says(stays))
    while first.question(walk_id) is None:
        await asyncio_turn()
    await first.leave(walk_id)
    rules = ChangeRules(mode="write", cooldown=0, deny=("SparkApplication",))
    second = desk(connection, cluster.namespace, tmp_path, journal=journal, rules=rules)
    person = Says(OVERHEAD, YES)
    await second.resume(walk_id, person)
    await second.wait(walk_id)
    assert [q.kind for q in person.asked] == ["ask"]
    (no,) = [e for e in journal.read(walk_id) if isinstance(e, ChangeRefused)]
    assert no.because.startswith("policy.deny holds 'SparkApplication'")


async def stays(question: object) -> Reply:
    import asyncio

    await asyncio.Event().wait()
    raise AssertionError


async def asyncio_turn() -> None:
    import asyncio

    await asyncio.sleep(0.005)
