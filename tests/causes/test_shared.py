"""What must hold before faults that share a thing are one cause, kind by kind: just enough, and just too little."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from console.apps.model import SparkApp
from console.causes.faults import Fault
from console.causes.peers import Peers
from console.causes.shared import CHECKS, CommonCause
from console.causes.traits import Trait
from console.facts.model import Facts
from console.findings.figures import Figures
from console.findings.figures.storage import ObjectStoreFigures
from console.findings.model import Finding
from tests.findings.worlds import node


def app(name: str, *, image: str = "", version: str = "", well: bool = True, **rest: float | None) -> SparkApp:
    started, ended = rest.get("started", 0), rest.get("ended")
    return SparkApp(
        f"jobs/{name}",
        "jobs",
        name,
        "kubeflow",
        "RUNNING",
        image=image,
        spark_version=version,
        running_executors=1 if well else 0,
        started=started,
        ended=ended,
    )


def fault(name: str, since: float | None = 100, *traits: Trait) -> Fault:
    return Fault((), (), frozenset({f"jobs/{name}"}), traits, since, since)


def finding(code: str, app: str, data: Figures | None = None) -> Finding:
    return Finding(
        code, None, "critical", f"Pod/jobs/{app}", 100, "high", code, app=f"jobs/{app}", data=data or Figures()
    )


def causes(kind: str, value: str, faults: list[Fault], apps: list[SparkApp] | None = None) -> list[CommonCause]:
    return CHECKS[kind](kind, value, faults, Peers(apps or [], Facts(at=1_000)))


def names(found: list[CommonCause]) -> list[list[str]]:
    return [sorted(key.partition("/")[2] for one in cause.faults for key in one.apps) for cause in found]


def test_what_lasts_is_one_cause_however_far_apart() -> None:
    lasts, passes = Trait("image", "spark:typo", "pull", lasting=True), Trait("metastore", "hms", "down")
    (one,) = causes("image", "spark:typo", [fault("a", 100, lasts), fault("b", 90_000, lasts)])
    assert one.speaks_for == ["all of them name the same image: spark:typo"]
    assert causes("metastore", "hms", [fault("a", 100, passes), fault("b", 90_000, passes)]) == []
    others = (Trait("image", "hms", "pull", lasting=True), Trait("metastore", "elsewhere", "down", lasting=True))
    assert causes("metastore", "hms", [fault("a", 100, passes, *others), fault("b", 90_000, passes, *others)]) == []


def test_a_fault_of_no_known_time_belongs_to_the_only_run_and_is_told() -> None:
    (one,) = causes("metastore", "hms", [fault("a"), fault("b", None)])
    assert names([one]) == [["a", "b"]] and one.against == ["not all of them say when it began"]
    assert names(causes("metastore", "hms", [fault("a", None), fault("b", None)])) == [["a", "b"]]
    two = [fault("a", 100), fault("b", 110), fault("c", 9_000), fault("d", 9_010), fault("e", None)]
    assert names(causes("metastore", "hms", two)) == [["a", "b"], ["c", "d"]]
    (known,) = causes("metastore", "hms", [fault("a"), fault("b")])
    assert known.against == [] and known.speaks_for[1:] == ["they began in the same second"]


def test_an_operator_is_the_cause_where_three_stand_still_and_none_of_its_own_moved() -> None:
    still = [fault("a", 100), fault("b", 110), fault("c", 120)]
    apps = [app(name) for name in "abc"]
    (one,) = causes("operator", "kubeflow", still, [*apps, app("early", started=160)])
    assert names([one]) == [["a", "b", "c"]] and "the operator itself shows nothing" in one.against
    assert causes("operator", "kubeflow", still[:2], apps) == []
    assert causes("operator", "kubeflow", still, [*apps, app("moved", started=161)]) == []
    assert names(causes("operator", "apache", still, [*apps, app("moved", started=161)])) == [["a", "b", "c"]]
    assert causes("operator", "kubeflow", [fault("a", since) for since in (100, 110, 120)], apps) == []


def test_a_version_is_the_cause_where_three_fail_and_two_others_are_well() -> None:
    hit = [fault(name) for name in "abc"]
    bad = [app(name, version="4.2.0", well=False) for name in "abc"]
    good = [app(name, version="4.1.4") for name in "xy"]
    (one,) = causes("version", "4.2.0", hit, [*bad, *good])
    assert one.speaks_for == [
        "all 3 applications with 4.2.0 fail alike",
        "2 applications with another version do not",
    ]
    assert one.against == []
    assert causes("version", "4.2.0", hit[:2], [*bad[:2], *good]) == []
    assert causes("version", "4.2.0", hit, [*bad, *good[:1]]) == []
    assert causes("version", "4.2.0", hit, [*bad, good[0], app("y", version="4.1.4", well=False)]) == []
    assert causes("version", "4.2.0", hit, [*bad, *good, app("z", version="4.2.0")]) == []
    assert causes("version", "4.2.0", hit[:1] * 3, [*bad, *good]) == []


def test_an_image_is_the_cause_where_two_fail_and_nobody_is_well_with_it() -> None:
    hit = [fault("a"), fault("b")]
    bad = [app(name, image="spark:new", version="4.2.0", well=False) for name in "ab"]
    (one,) = causes("image content", "spark:new", hit, bad)
    assert one.against == ["no application with another one is known to compare with"]
    (one,) = causes("image content", "spark:new", hit, [*bad, *[app(n, image=f"spark:{n}") for n in "xy"], app("z")])
    assert one.speaks_for[1] == "2 applications with another image do not" and one.against == []
    assert names(causes("image content", "spark:new", hit, [*bad, app("x", image="spark:new", well=False)])) == [
        ["a", "b"]
    ]
    assert causes("image content", "spark:new", hit, [*bad, app("x", image="spark:new")]) == []


@pytest.mark.parametrize(
    ("times", "others", "found"),
    [
        ((100, 110, 220), 3, [["a", "b", "c"]]),
        ((100, 110, 221), 3, []),
        ((100, 110), 0, []),
        ((100, 110, 120), 4, []),
        ((100, 110, 120, 500, 510, 520), 0, [["a", "b", "c"], ["d", "e", "f"]]),
        ((120, 100, 110), 3, [["a", "b", "c"]]),
    ],
)
def test_time_alone_is_shared_where_half_of_all_are_hit_within_two_minutes(
    times: tuple[float, ...], others: int, found: list[list[str]]
) -> None:
    hit = [fault(name, time) for name, time in zip("abcdef", times, strict=False)]
    apps = [app(name) for name in "abcdef"[: len(times)]] + [app(f"other-{i}") for i in range(others)]
    assert names(causes("time", "", hit, apps)) == found


def test_who_was_not_there_at_that_time_does_not_count_as_spared() -> None:
    hit = [fault(name, 100) for name in "abc"]
    apps = [app(name) for name in "abc"]
    elsewhen = [app("later", started=101), app("ended", ended=99), app("x"), app("y"), app("z", ended=100)]
    (one,) = causes("time", "", hit, [*apps, *elsewhen])
    assert one.speaks_for[0] == "3 of 6 applications were hit alike"
    assert causes("time", "", hit, [*apps, *elsewhen, app("w", started=100)]) == []
    (one,) = causes("time", "", hit)
    assert one.speaks_for[0] == "3 of 3 applications were hit alike"


def test_a_store_that_refuses_by_its_policy_may_mean_each_identity_by_itself() -> None:
    denied = [
        replace(fault(n), roots=(finding("object-store-denied", n, ObjectStoreFigures(bucket="", cause="policy")),))
        for n in "ab"
    ]
    (one,) = causes("object store", "s3a://lake", denied)
    assert one.against == ["whether they use the same identity is not known"]
    refused = [
        replace(f, roots=(finding("object-store-denied", "a", ObjectStoreFigures(bucket="", cause="none")),))
        for f in denied
    ]
    (other,) = causes("object store", "s3a://lake", refused)
    assert other.against == []


def test_a_full_cluster_is_one_cause_only_for_those_that_wait_at_one_time() -> None:
    waits = [
        replace(fault(n, since), until=until)
        for n, since, until in (("a", 100, 200), ("b", 200, 300), ("c", 300.5, 400))
    ]
    assert names(causes("capacity", "not enough memory", waits)) == [["a", "b"]]


def test_a_node_in_trouble_is_the_cause_of_whatever_was_lost_on_it() -> None:
    lost = [
        replace(fault(n), roots=(finding(code, n),))
        for n, code in (("a", "executor-evicted"), ("b", "executor-sigterm"))
    ]
    assert causes("node", "node-1", lost) == []
    peers = Peers([], Facts(at=1_000, nodes=(node("node-1", cordoned=True),)))
    (one,) = CHECKS["node"]("node", "node-1", lost, peers)
    assert one.speaks_for[0] == "node node-1 is cordoned"
