"""One `SparkApp` per application, whatever started it, with its attempts, deaths and memory."""

from __future__ import annotations

from itertools import pairwise

import pytest
from msgspec.structs import replace

from console.apps.assemble import Assembler, assemble
from console.facts.model import Pod
from tests.findings.corpus import ROOT
from tests.findings.worlds import (
    APP_ID,
    NS,
    RUNNING,
    T0,
    apps,
    cr,
    driver,
    ended,
    event,
    executor,
    facts,
    pod,
    rest,
)

OPERATED = {"sparkoperator.k8s.io/app-name": "etl"}
MIB = 2**20


def test_spark_submit_is_known_by_its_labels_alone() -> None:
    (app,) = apps(driver(), executor(1), executor(2))
    assert (app.key, app.launcher, app.state, app.kind) == ("jobs/etl", "submit", "RUNNING", "")
    assert app.app_id == APP_ID and app.language == "Python" and app.spark_version == "4.1.4"
    assert app.driver is not None and app.driver.pod == "etl-driver"
    assert [m.id for m in app.executors] == ["1", "2"] and app.running_executors == 2
    assert app.cpu_requested == 3 and app.memory_requested == 3 * 896 * MIB
    assert not app.writable and "spark-submit" in app.why_not


def test_the_kubeflow_operator_gives_names_states_and_the_right_to_change() -> None:
    (app,) = apps(cr("RUNNING"), driver(labels=OPERATED), executor(1, labels=OPERATED))
    assert (app.key, app.launcher, app.kind, app.state) == ("jobs/etl", "kubeflow", "SparkApplication", "RUNNING")
    assert app.writable and app.wanted_executors == 2 and app.subject == "SparkApplication/jobs/etl"


def test_without_its_object_a_labelled_application_is_known_but_not_changeable() -> None:
    (app,) = apps(driver(labels=OPERATED), executor(1, labels=OPERATED))
    assert app.launcher == "kubeflow" and app.name == "etl" and not app.writable and "could not be read" in app.why_not


def test_both_operators_share_a_plural_and_are_told_apart_by_their_group() -> None:
    apache = cr(
        name="etl",
        api="spark.apache.org/v1",
        status={"currentState": {"currentStateSummary": "RunningHealthy"}, "applicationState": None},
    )
    found = apps(cr("RUNNING"), apache)
    assert {(a.launcher, a.state) for a in found} == {("kubeflow", "RUNNING"), ("apache", "RunningHealthy")}
    assert len({a.key for a in found}) == 2
    assert [a.writable for a in found if a.launcher == "apache"] == [False]


def test_pods_of_the_apache_operator_are_its_own() -> None:
    labels = {"spark.operator/spark-app-name": "etl"}
    (app,) = apps(driver(labels=labels), executor(1, labels=labels))
    assert app.launcher == "apache" and len(app.executors) == 1


@pytest.mark.parametrize(
    ("state", "live"),
    [
        ("RunningHealthy", True),
        ("DriverReady", True),
        ("ScheduledToRestart", True),
        ("Succeeded", False),
        ("Failed", False),
        ("ResourceReleased", False),
    ],
)
def test_an_application_of_the_apache_operator_lives_until_it_ends(state: str, live: bool) -> None:
    status = {"currentState": {"currentStateSummary": state}}
    (app,) = apps(cr(api="spark.apache.org/v1", status=status))
    assert (app.state, app.live) == (state, live)


def connect_server(**extra: object) -> Pod:
    return pod(
        "bi-connect-7d9f-x",
        "connect",
        labels={"spark-role": "", "app": "spark-connect", "spark-app-selector": ""},
        container="spark-connect",
        state=RUNNING,
        ready=True,
        ip="10.0.0.9",
        **extra,  # type: ignore[arg-type]
    )


def test_a_connect_server_is_a_deployment_without_driver_label_or_cr() -> None:
    server = connect_server()
    own = pod("bi-exec-1", owner="bi-connect-7d9f-x", labels={"spark-app-selector": "spark-" + "c" * 32}, state=RUNNING)
    (app,) = apps(server, own)
    assert app.launcher == "connect" and app.state == "Ready"
    assert [m.pod for m in app.executors] == ["bi-exec-1"]
    assert not app.writable


def test_executors_of_an_unseen_driver_are_still_one_application() -> None:
    (app,) = apps(executor(1), executor(2, ended(137, "OOMKilled"), "Failed"))
    assert app.key == "jobs/etl" and app.state == "UNKNOWN" and len(app.executors) == 2


def test_executors_whose_name_differs_from_their_application_are_tied_by_label_and_owner() -> None:
    """Executor names come from the name set in code, not from the CR."""
    (app,) = apps(
        cr("RUNNING"),
        driver(labels=OPERATED),
        executor(1, name="other-3f2a-exec-1", labels=OPERATED),
        executor(2, name="other-3f2a-exec-2"),
    )
    assert len(app.executors) == 2


def test_attempts_are_told_apart_and_count_in_order() -> None:
    first = "spark-" + "1" * 32
    (app,) = apps(
        cr("RUNNING", status={"executionAttempts": 2}),
        driver(ended(11, "Error", 200), "Failed", app_id=first, labels=OPERATED, uid="d1", gone=True),
        executor(1, ended(137, "OOMKilled", 150), "Failed", app_id=first, labels=OPERATED, gone=True),
        driver(created=230, labels=OPERATED, uid="d2"),
        executor(1, created=240, labels=OPERATED),
    )
    assert [(a.number, a.state) for a in app.attempts] == [(1, "Failed"), (2, "Running")]
    assert app.attempt == 2
    old, new = app.executors
    assert old.attempt == 1 and old.death is not None and old.death.kind == "container-oom" and old.gone
    assert new.attempt == 2 and new.death is None and app.running_executors == 1


def test_termination_time_of_a_former_attempt_is_not_the_end_of_a_running_one() -> None:
    (app,) = apps(cr("RUNNING", status={"terminationTime": "2026-11-24T10:01:00Z"}), driver(labels=OPERATED))
    assert app.ended is None


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (ended(137, "OOMKilled"), "container-oom"),
        (ended(0, "OOMKilled"), "python-oom"),
        (ended(52), "heap-oom"),
        (ended(137), "sigkill"),
        (ended(143), "sigterm"),
        (ended(128, "StartError"), "start-error"),
        (ended(0, "Completed"), "normal"),
    ],
)
def test_deaths_of_executors(state: dict[str, object], kind: str) -> None:
    (app,) = apps(driver(), executor(1, state, "Failed"))
    killed = app.executors[0].death
    assert killed is not None and killed.kind == kind


def test_terminated_while_the_phase_is_still_running_is_an_end() -> None:
    (app,) = apps(driver(), executor(1, ended(137, "OOMKilled"), "Running"))
    assert app.executors[0].state == "OOMKilled"


def test_the_reason_of_a_pod_goes_before_its_exit_code() -> None:
    evicted = executor(1, ended(137), "Failed", reason="Evicted", message="The node was low on resource: memory.")
    full = executor(
        2, ended(137), "Failed", reason="Evicted", message='Usage of EmptyDir volume "d" exceeds the limit "1Gi".'
    )
    late = executor(3, ended(137), "Failed", reason="DeadlineExceeded")
    (app,) = apps(driver(), evicted, full, late)
    assert [m.death.kind for m in app.executors if m.death] == ["evicted", "disk-limit", "deadline"]


def test_what_stops_with_the_driver_ends_normally() -> None:
    over = driver(ended(0, "Completed", 305), "Succeeded")
    (app,) = apps(
        over, executor(1, ended(143, when=304), "Failed", deleted=303), executor(2, ended(1, when=306), "Failed")
    )
    assert [m.death.kind for m in app.executors if m.death] == ["normal", "normal"]
    assert app.state == "COMPLETED"


def test_the_operator_remembers_executors_whose_pods_are_gone() -> None:
    (app,) = apps(
        cr("RUNNING", status={"executorState": {"x-exec-1": "FAILED", "x-exec-2": "RUNNING"}}), driver(labels=OPERATED)
    )
    assert {(m.pod, m.state, m.gone) for m in app.executors} == {
        ("x-exec-1", "Failed", True),
        ("x-exec-2", "Running", True),
    }


def test_rest_remembers_executors_and_counts_tasks() -> None:
    rows = [
        {"id": "driver", "isActive": True, "totalTasks": 0},
        {"id": "1", "isActive": True, "activeTasks": 2, "completedTasks": 5, "failedTasks": 1, "totalTasks": 8},
        {"id": "7", "isActive": False, "activeTasks": 0, "completedTasks": 1, "failedTasks": 0, "totalTasks": 1},
    ]
    (app,) = apps(driver(), executor(1), rest("allexecutors", rows))
    assert {m.id: m.gone for m in app.executors} == {"1": False, "7": True}
    assert app.tasks == {"active": 2, "completed": 6, "failed": 1, "total": 9}


def test_what_the_driver_of_a_former_attempt_had_done_is_not_counted_for_the_present_one() -> None:
    first = "spark-" + "1" * 32
    rows = [{"id": "1", "isActive": True, "completedTasks": 500, "totalTasks": 500}]
    mine = [{"id": "1", "isActive": True, "completedTasks": 7, "totalTasks": 9}]
    old = replace(rest("allexecutors", rows), app_id=first, pod=f"{NS}/etl-driver")
    new = replace(rest("allexecutors", mine), app_id=APP_ID, pod=f"{NS}/etl-driver")
    gone = driver(ended(143, "Error", 200), "Failed", app_id=first, labels=OPERATED, uid="d1", gone=True)
    now = driver(created=230, labels=OPERATED, uid="d2")
    assert apps(cr("RUNNING"), gone, old)[0].tasks["completed"] == 500
    (app,) = apps(cr("RUNNING"), gone, now, old)
    assert (app.tasks, app.tasks_at) == ({}, None), "the present one has not answered yet"
    (app,) = apps(cr("RUNNING"), gone, now, old, new)
    assert app.tasks["completed"] == 7
    assembler = Assembler()
    assembler.assemble(facts(cr("RUNNING"), gone, old))
    (app,) = assembler.assemble(replace(facts(cr("RUNNING"), now, old), counted=assembler.counted))
    assert app.tasks == {}, "also where its pods are gone, as far as they were seen"


def test_gpus_are_counted_and_other_devices_of_their_vendor_are_not() -> None:
    limits = {"nvidia.com/mig-1g.10gb": "2", "amd.com/gpu": "1", "nvidia.com/hostdev": "4"}
    (app,) = apps(driver(), executor(1, limits=limits))
    assert (app.executors[0].gpus, app.gpus_requested) == (3, 3)


def test_owners_are_named_from_labels_annotations_and_references() -> None:
    app_cr = cr(
        meta={
            "labels": {
                "sparkoperator.k8s.io/scheduled-app-name": "nightly",
                "dag_id": "load",
                "helm.toolkit.fluxcd.io/name": "h",
            },
            "annotations": {
                "argocd.argoproj.io/tracking-id": "team:sparkoperator.k8s.io/SparkApplication:jobs/etl",
                "meta.helm.sh/release-name": "spark",
            },
            "managedFields": [{"manager": "argocd-controller"}],
        }
    )
    (app,) = apps(app_cr)
    assert {(o.kind, o.name) for o in app.owners} == {
        ("ScheduledSparkApplication", "nightly"),
        ("Argo CD Application", "team"),
        ("Airflow DAG", "load"),
        ("Flux HelmRelease", "h"),
        ("Helm release", "spark"),
    }
    assert app.managers == ("argocd-controller",)


def test_a_standalone_master_lists_applications() -> None:
    master = {
        "url": "spark://m:7077",
        "workers": [],
        "activeapps": [
            {"id": "app-20261124100000-0001", "name": "load", "state": "RUNNING", "memoryperexecutor": 1024}
        ],
        "completedapps": [
            {"id": "app-20261124090000-0000", "name": "old", "state": "FINISHED", "memoryperexecutor": 512}
        ],
    }
    found = apps(rest("master", master, ""))
    assert {(a.name, a.state, a.launcher) for a in found} == {
        ("load", "RUNNING", "standalone"),
        ("old", "FINISHED", "standalone"),
    }
    load = next(a for a in found if a.name == "load")
    assert load.executor_memory is not None and load.executor_memory.heap == 1024 * MIB


@pytest.mark.parametrize(
    ("image", "label", "version"),
    [
        ("ghcr.io/acme/spark-custom:3.5.8-gpu", "3.5.7", "3.5.8"),
        ("localhost:5000/spark:latest", "4.1.0", "4.1.0"),
        ("spark@sha256:3.5.7", "", ""),
        ("acme/connect:13.5.71", "N/A", ""),
    ],
)
def test_the_version_of_a_connect_server_is_that_of_its_image_else_of_its_chart(
    image: str, label: str, version: str
) -> None:
    server = connect_server()
    main = replace(server.containers[0], image=image)
    labels = {**server.labels, "app.kubernetes.io/version": label, "spark-version": ""}
    (app,) = apps(replace(server, containers=(main,), labels=labels))
    assert app.spark_version == version


def test_a_connect_server_on_a_standalone_master_is_one_application() -> None:
    led = "app-20261124100000-0001"
    server = connect_server()
    server.labels["spark-app-selector"] = led
    listed = {"id": led, "name": "Spark Connect server", "state": "RUNNING", "memoryperexecutor": 1024}
    master = {"url": "spark://m:7077", "workers": [], "activeapps": [listed, {**listed, "id": f"{led[:-1]}2"}]}
    found = apps(server, rest("master", master, ""))
    assert [(a.launcher, a.app_id) for a in found] == [("standalone", f"{led[:-1]}2"), ("connect", led)]


def test_the_assembler_makes_again_only_what_changed() -> None:
    first, other = driver(), driver(name="b-driver", app_id="spark-" + "b" * 32)
    assembler = Assembler()
    one = assembler.assemble(facts(first, other))
    again = assembler.assemble(facts(first, other))
    assert all(a is b for a, b in zip(one, again, strict=True))
    changed = driver(ended(1), "Failed")
    then = assembler.assemble(facts(changed, other))
    assert [a.key for a in then if any(a is b for b in one)] == ["jobs/b"]
    assert then == assemble(facts(changed, other))
    with_event = assembler.assemble(facts(changed, other, event("Pod/jobs/b-driver", "Preempted", "by x")))
    assert next(a for a in with_event if a.name == "b") is not next(a for a in then if a.name == "b")


def test_ten_thousand_pods_are_assembled_once() -> None:
    pods = [driver(name=f"a{a}-driver", app_id=f"spark-{a:032x}") for a in range(500)]
    pods += [
        executor(e, name=f"a{a}-exec-{e}", app_id=f"spark-{a:032x}", owner=f"a{a}-driver")
        for a in range(500)
        for e in range(19)
    ]
    world = facts(*pods)
    assembler = Assembler()
    first = assembler.assemble(world)
    assert len(first) == 500 and all(len(a.executors) == 19 for a in first)
    assert all(a is b for a, b in zip(first, assembler.assemble(world), strict=True)), "nothing changed"


def test_a_count_that_comes_back_with_the_next_look_makes_nothing_again() -> None:
    """A session gives back what was counted; the count is the same one, though another object."""
    world, assembler = facts(*[driver(name=f"a{a}-driver", app_id=f"spark-{a:032x}") for a in range(3)]), Assembler()
    assembler.assemble(world)
    looks = [assembler.assemble(replace(world, counted=assembler.counted)) for _ in range(3)]
    assert all(a is b for one, other in pairwise(looks) for a, b in zip(one, other, strict=True))


def test_a_recorded_rerun_keeps_both_attempts() -> None:
    from console.sources.folder.read import read_folder

    (app,) = assemble(read_folder(ROOT / "kubernetes-1.37" / "etl-orders"))
    assert [(a.number, a.death.kind if a.death else None) for a in app.attempts] == [
        (1, "max-executor-failures"),
        (2, "normal"),
    ]
    assert app.state == "COMPLETED" and app.generation == 2 and app.namespace == "spark-jobs"
    assert [m.state for m in app.executors if m.attempt == 1] == ["OOMKilled"] * 6
    assert [m.state for m in app.executors if m.attempt == 2] == ["Succeeded"] * 2
    assert app.started is not None and app.started > T0 - 10**6 and NS == "jobs"
