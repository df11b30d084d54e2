"""Applications that have been running since long before the drill: under either operator, or as a Connect server."""

from __future__ import annotations

from typing import Any

from console.drill.scenario.model import AppDoc
from console.drill.scenario.population import add_running_pod
from console.drill.spark.driver import Driver
from console.drill.spark.pods import driver_pod
from console.drill.state.ids import stamp
from console.drill.state.objects import build
from console.drill.state.resources import APACHE_APPS, PODS, SPARKAPPS
from console.drill.state.store import private
from console.drill.world import SimulatedWorld

Object = dict[str, Any]
APACHE_LABEL = "spark.operator/spark-app-name"


def add_running(world: SimulatedWorld, namespace: str, app: AppDoc) -> None:
    """Make an application that has been up for `app.running` seconds, as its operator would show it."""
    since = world.start - app.running
    maker = {"kubeflow": _kubeflow, "apache": _apache, "connect": _connect}[app.operator]
    run = maker(world, namespace, app, since)
    run.adopt(since, lambda pod: add_running_pod(world, pod, since + 9.0))
    for number in run.executors:
        world.spark.watch_pod(run.executors[number].pod["uid"], run)


def _launch(world: SimulatedWorld, driver: Object, app: AppDoc, app_id: str) -> Driver:
    return world.spark.launch(driver, app.spec, app_id, app.app_name or app.name)


def _kubeflow(world: SimulatedWorld, namespace: str, app: AppDoc, since: float) -> Driver:
    app_id, submission = f"spark-{world.ids.hex(32)}", world.ids.uid()
    made = build(
        SPARKAPPS,
        app.name,
        since - 4.0,
        world.ids,
        namespace=namespace,
        labels=app.labels or None,
        annotations=app.annotations or None,
        manager=app.manager,
        body={"spec": private(app.spec)},
    )
    driver, _ = driver_pod(world.cluster, made, app_id, submission)
    run = _launch(world, driver, app, app_id)
    executors = {f"{run.prefix}-exec-{n + 1}": "RUNNING" for n in range(run.instances)}
    made["status"] = {
        "applicationState": {"state": "RUNNING"},
        "driverInfo": {
            "podName": driver["metadata"]["name"],
            "webUIAddress": f"{world.ids.cluster_ip()}:4040",
            "webUIPort": 4040,
            "webUIServiceName": f"{app.name}-ui-svc",
        },
        "executionAttempts": 1,
        "executorState": executors,
        "lastSubmissionAttemptTime": stamp(since),
        "sparkApplicationId": app_id,
        "submissionAttempts": 1,
        "submissionID": submission,
        "terminationTime": None,
    }
    world.store.create(SPARKAPPS, made)
    add_running_pod(world, driver, since)
    _count(world, run)
    return run


def _count(world: SimulatedWorld, run: Driver) -> None:
    """The operator counts it as running, and has for as long as it exists."""
    counters = world.cluster.operator_metrics.counters
    for name, amount in (("spark_application_running_count", 1), ("spark_executor_running_count", run.instances)):
        before = counters[name].history
        counters[name].history = lambda t, before=before, amount=amount: before(t) + amount  # type: ignore[misc]


def _apache(world: SimulatedWorld, namespace: str, app: AppDoc, since: float) -> Driver:
    app_id = f"spark-{world.ids.hex(32)}"
    spec = {
        "mainClass": str(app.spec.get("mainClass", "")),
        "jars": str(app.spec.get("mainApplicationFile", "")),
        "runtimeVersions": {"sparkVersion": str(app.spec.get("sparkVersion", "4.1.4"))},
        "sparkConf": {
            "spark.executor.instances": str(app.spec["executor"].get("instances", 2)),
            "spark.executor.memory": str(app.spec["executor"].get("memory", "1g")),
            "spark.kubernetes.container.image": str(app.spec.get("image", "")),
            **(app.spec.get("sparkConf") or {}),
        },
    }
    state = {"currentStateSummary": "RunningHealthy", "lastTransitionTime": stamp(since + 20)}
    states = ("Submitted", "DriverRequested", "DriverStarted", "DriverReady", "RunningHealthy")
    history = {
        str(number): {"currentStateSummary": word, "lastTransitionTime": stamp(since + 5 * number)}
        for number, word in enumerate(states)
    }
    made = build(
        APACHE_APPS,
        app.name,
        since - 4.0,
        world.ids,
        namespace=namespace,
        labels=app.labels or None,
        annotations=app.annotations or None,
        manager=app.manager,
        body={"spec": spec, "status": {"currentState": state, "stateTransitionHistory": history}},
    )
    stored = world.store.create(APACHE_APPS, made)
    template = {**stored, "spec": app.spec}
    driver, _ = driver_pod(world.cluster, template, app_id, "")
    meta = driver["metadata"]
    kept = {k: v for k, v in meta["labels"].items() if not k.startswith("sparkoperator.k8s.io/")}
    meta |= {"name": f"{app.name}-0-driver", "labels": {**kept, APACHE_LABEL: app.name}}
    add_running_pod(world, driver, since)
    return _launch(world, driver, app, app_id)


def _connect(world: SimulatedWorld, namespace: str, app: AppDoc, since: float) -> Driver:
    """The server is a Deployment's pod in client mode; its executors belong to it."""
    pod = next(
        p for p in world.store.all(PODS, namespace) if (p["metadata"].get("labels") or {}).get("app") == "spark-connect"
    )
    run = _launch(world, pod, app, f"spark-{world.ids.hex(32)}")
    world.spark.serve({"app": "spark-connect"}, app.spec, app.app_name or app.name)
    return run
