"""Groups with a memory: at every moment what is made anew, and the same object where nothing of it changed."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec.structs import replace

from console.apps.census import Census
from console.apps.groups import grouping
from console.facts.model import Facts, Owner, Pod
from tests.apps.test_apps import connect_server
from tests.findings import worlds as w
from tests.findings.changes import Changer, cluster

OTHER = f"spark-{1:032x}"
TWO = w.facts(
    w.cr(status={"sparkApplicationId": w.APP_ID}),
    w.driver(),
    w.executor(1),
    w.executor(2),
    w.driver(name="other-driver", app_id=OTHER),
    w.executor(1, name="other-exec-1", app_id=OTHER, owner="other-driver"),
    w.pod("web", ""),
)


def seen(census: Census, facts: Facts) -> dict[Any, Any]:
    """What the census makes of facts; it must be what is made of them anew."""
    taken, anew = census.take(facts), grouping(facts)
    assert list(taken.groups.items()) == list(anew.groups.items())
    assert taken.others == anew.others
    assert [group.pod_keys for group in taken.groups.values()] == [group.pod_keys for group in anew.groups.values()]
    assert all(taken.groups[gid].like(group) for gid, group in anew.groups.items()), "made of the very objects"
    return dict(taken.groups)


def with_pod(facts: Facts, name: str, /, **changed: Any) -> Facts:
    return replace(facts, pods=tuple(replace(p, **changed) if p.name == name else p for p in facts.pods))


@pytest.mark.parametrize("name", ["etl-driver", "etl-exec-2"])
def test_a_pod_that_changes_moves_its_own_application_only(name: str) -> None:
    census = Census()
    before = seen(census, TWO)
    after = seen(census, with_pod(TWO, name, phase="Failed"))
    moved = {gid[-1] for gid in before if after[gid] is not before[gid]}
    assert len(before) == 2 and len(moved) == 1
    assert seen(census, with_pod(TWO, name, phase="Failed")).keys() == before.keys()


def test_where_nothing_changed_every_application_is_the_same_object() -> None:
    census = Census()
    before, after = seen(census, TWO), seen(census, replace(TWO, at=TWO.at + 5))
    assert [id(g) for g in after.values()] == [id(g) for g in before.values()]
    shuffled = replace(TWO, pods=(*TWO.pods[:-1], w.pod("new", ""), TWO.pods[-1]))
    again = seen(census, shuffled)
    assert [id(g) for g in again.values()] == [id(g) for g in before.values()], "a pod of nobody came"


def test_a_pod_of_no_application_is_the_present_one() -> None:
    census = Census()
    seen(census, TWO)
    seen(census, with_pod(TWO, "web", phase="Failed"))


@pytest.mark.parametrize(
    "joined",
    [
        {"labels": {"spark-role": "executor", "spark-app-selector": OTHER}},
        {"labels": {}},
        {"owners": ()},
        {"name": "etl-exec-9"},
        {"namespace": "elsewhere"},
        {"uid": "another"},
        {"created": 1.0},
        {"ip": "10.9.9.9"},
        {"containers": ()},
    ],
)
def test_a_pod_that_may_belong_elsewhere_now_is_joined_anew(joined: dict[str, Any]) -> None:
    for name in ("etl-exec-1", "etl-driver", "web"):
        census = Census()
        seen(census, TWO)
        seen(census, with_pod(TWO, name, **joined))


def lone(**joined: Any) -> Pod:
    """An executor that names no application but by these fields."""
    return replace(w.executor(7, name="lone-exec-7"), labels={"spark-role": "executor"}, owners=(), **joined)


def called(url: str) -> Any:
    """Containers of an executor that calls its driver there."""
    (main,) = w.executor(7).containers
    return (replace(main, env={"SPARK_DRIVER_URL": f"spark://CoarseGrainedScheduler@{url}:7078"}),)


DRIVER = w.driver()


@pytest.mark.parametrize(
    ("things", "name", "joined"),
    [
        ((DRIVER, replace(lone(), owners=(Owner("v1", "Pod", "x", DRIVER.uid),))), "etl-driver", {"uid": "another"}),
        ((replace(DRIVER, ip="10.9.9.9"), lone(containers=called("10.9.9.9"))), "etl-driver", {"ip": "10.9.9.8"}),
        (
            (replace(DRIVER, ip="10.9.9.9"), lone(containers=called("10.9.9.8"))),
            "lone-exec-7",
            {"containers": called("10.9.9.9")},
        ),
        (
            (replace(DRIVER, name="a", created=5.0), replace(DRIVER, name="b", created=9.0, uid="b")),
            "b",
            {"created": 1.0},
        ),
    ],
    ids=["the driver's uid", "the driver's address", "whom it calls", "the order of attempts"],
)
def test_what_joins_a_pod_indirectly_joins_it_anew(things: Any, name: str, joined: dict[str, Any]) -> None:
    census, facts = Census(), w.facts(*things)
    before = seen(census, facts)
    after = seen(census, with_pod(facts, name, **joined))
    assert {g.name: [p.name for p in (*g.drivers, *g.executors)] for g in before.values()} != {
        g.name: [p.name for p in (*g.drivers, *g.executors)] for g in after.values()
    }


@pytest.mark.parametrize(
    ("joined", "both"),
    [({"uid": "another"}, True), ({"status": {"sparkApplicationId": w.APP_ID}}, False), ({"generation": 0}, False)],
)
def test_what_an_operators_object_is_joined_by_joins_anew(joined: dict[str, Any], both: bool) -> None:
    first = w.cr(name="first")
    owned = replace(lone(), owners=(Owner("sparkoperator.k8s.io/v1beta2", "X", "first", first.uid),))
    by_id = replace(w.executor(8, name="by-id-exec-8"), owners=())
    older = replace(first, spec={"older": True})
    census, facts = Census(), w.facts(replace(first, generation=1), owned, by_id, older)
    seen(census, facts)
    one, other = facts.spark
    seen(census, replace(facts, spark=(replace(one, **joined) if both else one, replace(other, **joined))))


def test_the_operators_object_is_followed_and_so_is_the_driver_that_only_it_tells_of() -> None:
    census, (cr,) = Census(), TWO.spark
    seen(census, TWO)
    failed = {
        "applicationState": {
            "state": "FAILED",
            "errorMessage": "driver container failed with ExitCode: 137, Reason: OOMKilled",
        }
    }
    told = replace(cr, status={**cr.status, **failed})
    seen(census, replace(TWO, spark=(told,)))
    without = replace(TWO, pods=tuple(p for p in TWO.pods if p.name != "etl-driver"))
    assert not seen(census, without)[("kubeflow", w.NS, "etl")].drivers
    assert seen(census, replace(without, spark=(told,)))[("kubeflow", w.NS, "etl")].told
    worse = replace(told, status={**told.status, "terminationTime": w.at(400)})
    seen(census, replace(without, spark=(worse,)))
    assert not seen(census, replace(without, spark=(cr,)))[("kubeflow", w.NS, "etl")].told
    seen(census, replace(TWO, spark=(replace(cr, status={"sparkApplicationId": OTHER}),)))


def test_the_deployment_of_a_connect_server_is_the_present_one() -> None:
    server = connect_server()
    made = w.workload("Deployment", "connect", namespace=server.namespace)
    owned = replace(server, owners=(Owner("apps/v1", "Deployment", "connect", controller=True),))
    facts = w.facts(owned, made)
    census = Census()
    seen(census, facts)
    later = replace(facts, workloads=(replace(made, generation=7),))
    assert {g.deployment.generation for g in seen(census, later).values() if g.deployment is not None} == {7}


@pytest.mark.parametrize("seed", [1, 2])
def test_after_any_change_it_is_what_is_made_anew(seed: int) -> None:
    rng = random.Random(seed)
    changer, census, facts = Changer(rng), Census(), cluster(rng)
    for _ in range(300):
        facts = changer.change(facts)
        seen(census, facts)
