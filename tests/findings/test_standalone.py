"""Applications, drivers and workers of standalone masters, from their JSON as Spark 3.5, 4.1 and 4.3 write it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from console.apps.assemble import assemble
from console.apps.model import SparkApp
from console.apps.standalone import masters, slots
from console.facts.model import Facts, Origin, RestDocument
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from console.sources.folder.read import read_folder

DATA = Path(__file__).parent.parent / "data" / "standalone"
PLACE = "spark/spark-master-0"


def answer(name: str, path: str = "master", *, place: str = PLACE, at: float = 1.0, **changed: Any) -> RestDocument:
    data = {**json.loads((DATA / name).read_text()), **changed}
    return RestDocument(path, data, Origin("spark-rest", f"pod {place}:8080 /json/", at), pod=place)


def seen(*documents: RestDocument) -> tuple[tuple[SparkApp, ...], tuple[Finding, ...]]:
    facts = Facts(at=1795829300.0, rest=documents)
    apps = assemble(facts)
    return apps, diagnose(facts, apps)


def test_a_running_application_of_3_5_with_its_executors_by_worker() -> None:
    (app,), findings = seen(answer("master-3.5.json"), answer("worker-3.5.json", "worker"))
    assert (app.key, app.name, app.namespace) == ("spark/app-20261123090118-0000", "healthy", "spark")
    assert (app.launcher, app.state, app.live) == ("standalone", "RUNNING", True)
    assert [(m.id, m.state, m.node, m.memory_limit) for m in app.executors] == [
        ("0", "Running", "127.0.0.1", 512 * 2**20),
        ("1", "Running", "127.0.0.1", 512 * 2**20),
    ]
    assert (app.running_executors, app.cpu_requested, app.memory_requested) == (2, 2.0, 1024 * 2**20)
    assert app.started == 1795424478.047
    assert app.executor_memory is not None and app.executor_memory.heap == 512 * 2**20
    assert [o.name for o in app.owners] == [PLACE]
    assert not app.writable and "read only" in app.why_not
    assert findings == ()


def test_an_application_of_4_3_that_waits_for_workers_large_enough() -> None:
    apps, findings = seen(answer("master-4.3-waiting.json"), answer("worker-4.3.json", "worker"))
    waiting = next(a for a in apps if a.state == "WAITING")
    assert waiting.executors == () and waiting.running_executors == 0
    assert [(f.class_, f.code) for f in findings if f.app == waiting.key] == [("I14", "unschedulable")]
    assert all(not a.live for a in apps if a is not waiting)


def test_a_lost_worker_of_4_1() -> None:
    pages = (answer("worker-4.1.json", "worker"), answer("worker-4.1-lost.json", "worker"))
    apps, findings = seen(answer("master-4.1-worker-lost.json"), *pages)
    (lost,) = findings
    assert (lost.class_, lost.code, lost.severity, lost.confidence) == ("I06", "worker-lost", "warning", "high")
    assert lost.subject == "SparkWorker/spark/worker-20261128012459-127.0.0.1-39767"
    assert lost.since == 1795829173.593
    assert lost.evidence[0].locator == f"pod {PLACE}:8080 /json/"
    assert "DEAD" in lost.evidence[0].excerpt and "2026-11-28T01:26:13Z" in lost.evidence[0].excerpt
    assert (lost.data.alive, lost.data.cores, lost.data.replaced) == (1, 2, False)
    (app,) = apps
    assert [(m.id, m.state) for m in app.executors] == [("0", "Lost"), ("1", "Lost"), ("2", "Running")]
    assert app.running_executors == 1


def _with_workers(*states: tuple[str, str, str]) -> RestDocument:
    row = json.loads((DATA / "master-4.1-worker-lost.json").read_text())["workers"][0]
    workers = [{**row, "id": f"worker-{when}-{host}-7078", "host": host, "state": word} for when, host, word in states]
    return answer("master-4.1-worker-lost.json", workers=workers)


def test_the_last_worker_that_is_lost_is_critical() -> None:
    _, findings = seen(_with_workers(("20261128012459", "10.0.0.5", "DEAD")))
    assert [(f.code, f.severity) for f in findings] == [("worker-lost", "critical")]
    assert "no worker is left" in findings[0].title


def test_a_worker_that_came_back_is_an_information() -> None:
    _, findings = seen(
        _with_workers(("20261128012459", "10.0.0.5", "DEAD"), ("20261128014000", "10.0.0.5", "ALIVE")),
    )
    assert [(f.code, f.severity, f.data.replaced) for f in findings] == [("worker-lost", "info", True)]


def test_a_worker_that_registered_before_the_lost_one_did_not_take_its_place() -> None:
    _, findings = seen(
        _with_workers(("20261128012459", "10.0.0.5", "DEAD"), ("20261127000000", "10.0.0.5", "ALIVE")),
    )
    assert [(f.severity, f.data.replaced) for f in findings] == [("warning", False)]


def test_executors_that_went_with_a_worker_name_it_as_their_cause() -> None:
    removed = {"id": "1", "hostPort": "10.0.0.5:4400", "isActive": False, "totalCores": 1}
    removed |= {
        "removeReason": "worker lost: 10.0.0.5:7078 got disassociated",
        "removeTime": "2026-11-28T01:26:20.000GMT",
    }
    app_id = "app-20261128012528-0000"
    executors = RestDocument("allexecutors", [removed], Origin("spark-rest", "pod spark/client:4040"), app_id=app_id)
    apps, findings = seen(answer("master-4.1-worker-lost.json"), executors)
    assert [(f.class_, f.code) for f in findings] == [("I06", "worker-lost"), ("I06", "executor-evicted")]
    assert findings[1].causes == (findings[0].key,)
    assert [(m.id, m.state) for m in apps[0].executors] == [("1", "Lost")]


def test_an_application_that_its_master_gave_up_as_a_worker_went_away() -> None:
    """Its executors were started again and again on a worker that was being stopped."""
    page = json.loads((DATA / "master-4.1-worker-lost.json").read_text())
    gone = {**page["activeapps"][0], "state": "FAILED", "duration": 50_000}
    apps, findings = seen(answer("master-4.1-worker-lost.json", activeapps=[], completedapps=[gone]))
    assert [(f.class_, f.code, f.severity) for f in findings] == [
        ("I06", "worker-lost", "warning"),
        ("I06", "standalone-app-failed", "critical"),
    ]
    failed = next(f for f in findings if f.code == "standalone-app-failed")
    assert failed.app == apps[0].key and failed.causes and failed.open_questions


def test_an_application_that_its_master_gave_up_while_every_worker_lived() -> None:
    page = json.loads((DATA / "master-3.5.json").read_text())
    gone = {**page["activeapps"][0], "state": "FAILED"}
    _, findings = seen(answer("master-3.5.json", activeapps=[], completedapps=[gone]))
    assert [(f.class_, f.code, f.confidence) for f in findings] == [(None, "standalone-app-failed", "medium")]


def test_drivers_in_cluster_mode_that_failed_before_their_application_was_known() -> None:
    apps, findings = seen(answer("master-4.1-drivers.json"))
    drivers = {a.key: a for a in apps if "driver-" in a.key}
    assert sorted(drivers) == ["spark/driver-20261128012931-0000", "spark/driver-20261128013014-0001"]
    first = drivers["spark/driver-20261128012931-0000"]
    assert (first.name, first.state, first.live) == ("NoSuchMain", "FAILED", False)
    assert first.driver is not None and first.driver.node == "127.0.0.1"
    assert first.started == 1795829371.804
    told = [f for f in findings if f.app == first.key]
    assert [(f.class_, f.code) for f in told] == [(None, "standalone-driver-failed")]
    assert "work/driver-20261128012931-0000/stderr" in told[0].open_questions[0]


def test_a_driver_that_no_worker_has_room_for() -> None:
    driver = {"id": "driver-1", "starttime": "1795829120000", "state": "SUBMITTED", "cores": 1, "memory": 9000}
    driver |= {"worker": "None", "mainclass": "org.example.Orders"}
    apps, findings = seen(answer("master-3.5.json", activedrivers=[driver]))
    assert [(a.name, a.state) for a in apps if a.key == "spark/driver-1"] == [("Orders", "SUBMITTED")]
    assert [(f.class_, f.code, f.app) for f in findings] == [("I14", "unschedulable", "spark/driver-1")]
    assert "2 cores, 3Gi" in findings[0].detail


def test_a_driver_is_told_from_the_address_that_its_executors_call() -> None:
    driver = {"id": "driver-1", "starttime": "1795829120000", "state": "RUNNING", "cores": 1, "memory": 512}
    driver |= {"worker": "worker-20261128012457-127.0.0.1-34891", "mainclass": "org.example.Orders"}
    apps, _ = seen(
        answer("master-4.1-worker-lost.json", activedrivers=[driver]),
        answer("worker-4.1.json", "worker"),
    )
    (app,) = apps
    assert app.driver is not None and (app.driver.state, app.driver.memory_limit) == ("Running", 512 * 2**20)


def test_of_several_answers_the_newest_counts_whatever_their_order() -> None:
    early = answer("master-4.1-worker-lost.json", workers=[], activeapps=[])
    late = answer("master-4.1-worker-lost.json")
    for documents in ((early, late), (late, early)):
        (master,) = masters(documents)
        assert len(master.workers) == 2 and len(master.apps) == 1


def test_two_masters_stay_apart() -> None:
    other = answer("master-3.5.json", place="team-b/spark-master-0")
    apps, _ = seen(answer("master-4.1-worker-lost.json"), other)
    assert [a.key for a in apps] == ["spark/app-20261128012528-0000", "team-b/app-20261123090118-0000"]


def test_a_folder_with_the_masters_page(tmp_path: Path) -> None:
    shutil.copy(DATA / "master-4.1-worker-lost.json", tmp_path / "page.json")
    shutil.copy(DATA / "worker-4.1.json", tmp_path / "other.json")
    facts = read_folder(tmp_path)
    apps = assemble(facts)
    assert [(a.name, a.launcher, a.state, a.running_executors) for a in apps] == [
        ("deleted", "standalone", "RUNNING", 1)
    ]
    assert [f.code for f in diagnose(facts, apps)] == ["worker-lost"]
    assert facts.unread == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"workers": None, "activeapps": "none"},
        {"workers": [None, 7, {"id": 4}, {"id": "w", "lastheartbeat": "soon", "state": None}]},
        {"activeapps": [{"id": "app-1", "starttime": "x", "cores": None, "state": 3}], "activedrivers": [{"id": None}]},
        {"activedrivers": [{"id": "driver-1", "worker": None, "starttime": "9" * 40}]},
    ],
)
def test_a_page_that_makes_no_sense_is_no_traceback(changed: dict[str, Any]) -> None:
    seen(
        answer("master-4.1-worker-lost.json", **changed),
        answer("worker-4.1.json", "worker", executors=[None, {"id": 1}]),
    )


def test_a_workers_page_without_the_masters() -> None:
    found = slots([answer("worker-4.1.json", "worker")])
    assert {app: {s.driver_host for s in its} for app, its in found.items()} == {
        "app-20261128012528-0000": {"127.0.0.1"}
    }
