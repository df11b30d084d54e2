"""A world from a scenario: population, programs, the fleet with its history, and the faults at their times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from console.base.units import parse_jvm_size
from console.drill import population
from console.drill.background import add_running
from console.drill.crds import add_crds
from console.drill.faults import inject
from console.drill.history import write_history
from console.drill.ids import stamp
from console.drill.kube.patches import merge
from console.drill.memory import MI, Demand
from console.drill.objects import build, owner
from console.drill.resources import SCHEDULED, SPARKAPPS
from console.drill.rights import add_rights
from console.drill.scenario import AppDoc, Case, Earlier, Scenario, StageDoc
from console.drill.store import private
from console.drill.workload import Stage, Workload
from console.drill.world import World

Object = dict[str, Any]
DAY = 86400.0
SPARK_IMAGE = "registry.local/spark:4.1.4"
OPERATOR_NAMESPACE = "spark-operator"


def workload_of(stages: tuple[StageDoc, ...]) -> Workload:
    """A program from its description."""
    return Workload(tuple(_stage(doc) for doc in stages))


def _stage(doc: StageDoc) -> Stage:
    driver = None
    if doc.driver is not None:
        sizes = {k: parse_jvm_size(str(v).removesuffix("i")) for k, v in doc.driver.items() if k != "ramp"}
        driver = Demand(**sizes, ramp=float(doc.driver.get("ramp", 20.0)))
    return Stage(
        doc.name,
        doc.tasks,
        doc.seconds,
        Demand(doc.heap, doc.python, doc.native, doc.ramp),
        driver,
        doc.shuffle,
        doc.input,
        doc.write,
        doc.result,
        doc.spares_jvm,
    )


def create(
    scenario: Scenario, case: Case, *, seed: int, begin: float, deny: Callable[[Object], None] = lambda _rule: None
) -> World:
    """The world at `begin` minus the warm-up; the caller plays it up to `begin`.

    Args:
        scenario: what to build.
        case: the variant.
        seed: of everything random.
        begin: virtual epoch seconds at which the session begins.
        deny: told about rules that a fault denies.
    """
    world = World(seed=seed, start=begin - scenario.warmup)
    doc = scenario.world
    _platform(world, scenario)
    apps = tuple(_with_spec(app, case) for app in doc.apps)
    for app in apps:
        world.workloads.by_file[main_file(app)] = workload_of(app.stages)
        if app.app_name:
            world.app_names[app.name] = app.app_name
    for fault in case.faults:
        inject(world, scenario, fault, begin, deny)
    for app in apps:
        if app.running:
            add_running(world, doc.namespace, app)
    if case.earlier:
        _failed_before(world, case.earlier)
    world.heap.at(world.start, lambda: _apps(world, doc.namespace, apps, case.earlier))
    world.heap.at(begin - 90.0, lambda: _fleet(world, scenario))
    write_history(world, doc.fleet, begin - 90.0, doc.history_days)
    return world


def main_file(app: AppDoc) -> str:
    """What ties an application to its program."""
    return str(app.spec.get("mainApplicationFile") or f"local:///opt/jobs/{app.name}.py")


def _platform(world: World, scenario: Scenario) -> None:
    doc = scenario.world
    spaces = ("default", "kube-system", OPERATOR_NAMESPACE, "monitoring", doc.namespace)
    for name in dict.fromkeys(spaces):
        population.add_namespace(world, name)
    for number, node in enumerate(doc.nodes, start=1):
        population.add_node(
            world, node.name, number, cpu=node.cpu, memory=node.memory, labels=node.labels, gpus=node.gpus
        )
        if node.gpus:
            world.gpus.add(node.name, node.gpus, node.gpu_model, node.dcgm)
    add_crds(world)
    population.add_deployment(
        world,
        OPERATOR_NAMESPACE,
        "spark-operator-controller",
        "registry.local/spark-operator:2.4.0",
        labels={
            "app.kubernetes.io/name": "spark-operator",
            "app.kubernetes.io/instance": "spark-operator",
            "app.kubernetes.io/component": "controller",
        },
        ports=[("metrics", 8080)],
        memory="512Mi",
        args=["controller", "start", "--enable-metrics=true", "--metrics-bind-address=:8080"],
    )
    population.add_lease(world, OPERATOR_NAMESPACE, "spark-operator-controller-lock", "spark-operator-controller")
    population.add_deployment(
        world,
        doc.namespace,
        "spark-history-server",
        SPARK_IMAGE,
        labels={"app": "spark-history-server", "app.kubernetes.io/component": "history-server"},
        container="history-server",
        ports=[("http", 18080)],
        memory="2Gi",
    )
    population.add_service(
        world, doc.namespace, "spark-history-server", {"app": "spark-history-server"}, [("http", 18080)]
    )
    population.add_deployment(
        world,
        doc.namespace,
        "spark-connect",
        SPARK_IMAGE,
        labels={"app": "spark-connect", "app.kubernetes.io/component": "connect"},
        ports=[("grpc", 15002), ("driver", 7078), ("blockmanager", 7079)],
        memory="2Gi",
    )
    population.add_service(world, doc.namespace, "spark-connect", {"app": "spark-connect"}, [("grpc", 15002)])
    population.add_deployment(
        world,
        doc.namespace,
        "hive-metastore",
        "registry.local/hive:4.0.1",
        labels={"app": "hive-metastore", "app.kubernetes.io/component": "hive-metastore"},
        ports=[("thrift", 9083)],
        memory="1Gi",
    )
    population.add_service(world, doc.namespace, "hive-metastore", {"app": "hive-metastore"}, [("thrift", 9083)])
    population.add_deployment(
        world,
        "monitoring",
        "prometheus",
        "registry.local/prometheus:2.42.0",
        labels={"app.kubernetes.io/name": "prometheus"},
        ports=[("web", 9090)],
        memory="2Gi",
    )
    population.add_service(world, "monitoring", "prometheus", {"app.kubernetes.io/name": "prometheus"}, [("web", 9090)])
    population.add_deployment(
        world,
        "monitoring",
        "alertmanager",
        "registry.local/alertmanager:0.25.0",
        labels={"app.kubernetes.io/name": "alertmanager"},
        ports=[("web", 9093)],
        memory="256Mi",
    )
    population.add_service(
        world, "monitoring", "alertmanager", {"app.kubernetes.io/name": "alertmanager"}, [("web", 9093)]
    )
    if doc.quota:
        population.add_quota(world, doc.namespace, "spark-quota", doc.quota)
    if doc.limits:
        population.add_limits(world, doc.namespace, "spark-limits", doc.limits)
    add_rights(world, doc.namespace, scenario.seed)
    population.add_secret(
        world, doc.namespace, "s3-credentials", {"access-key": "ZHJpbGw=", "secret-key": "ZHJpbGwtc2VjcmV0"}
    )


def _with_spec(app: AppDoc, case: Case) -> AppDoc:
    changed = case.specs.get(app.name)
    return msgspec.structs.replace(app, spec=merge(private(app.spec), changed)) if changed else app


def _failed_before(world: World, earlier: Earlier) -> None:
    """The operator's counters of the runs that failed before the world began."""
    metrics = world.operator_metrics
    for number in range(earlier.failures, 0, -1):
        begun = world.start - number * earlier.every
        if number == earlier.failures:
            metrics.added(begun)
        metrics.submitted(begun + 3.0)
        metrics.step("spark_application_failure_count", begun + earlier.every - 25.0)


def _apps(world: World, namespace: str, apps: tuple[AppDoc, ...], earlier: Earlier | None) -> None:
    for app in apps:
        if app.running:
            continue
        owners: list[Object] = []
        labels = dict(app.labels)
        spec = {**private(app.spec), "mainApplicationFile": main_file(app)}
        if app.scheduled_by:
            scheduled = build(
                SCHEDULED,
                app.scheduled_by,
                world.start - 40 * DAY,
                world.ids,
                namespace=namespace,
                labels=labels or None,
                annotations=app.annotations or None,
                manager=app.manager,
                body={
                    "spec": {
                        "schedule": app.schedule or "30 2 * * *",
                        "concurrencyPolicy": "Forbid",
                        "successfulRunHistoryLimit": 1,
                        "failedRunHistoryLimit": 1,
                        "template": spec,
                    },
                    "status": {"lastRun": stamp(world.heap.now), "lastRunName": app.name, "scheduleState": "Scheduled"},
                },
            )
            stored = world.store.create(SCHEDULED, scheduled)
            owners = [owner(stored, controller=True, block=True)]
            labels["sparkoperator.k8s.io/scheduled-app-name"] = app.scheduled_by
        made = build(
            SPARKAPPS,
            app.name,
            world.heap.now,
            world.ids,
            namespace=namespace,
            labels=labels or None,
            annotations=None if owners else (app.annotations or None),
            owners=owners or None,
            manager="spark-operator" if owners else app.manager,
            body={"spec": private(spec)},
        )
        if earlier and earlier.app == app.name:
            began = world.start - earlier.failures * earlier.every
            made["metadata"]["creationTimestamp"] = stamp(began)
            made["status"] = {
                "applicationState": {"state": "PENDING_RERUN"},
                "driverInfo": {"podName": f"{app.name}-driver"},
                "executionAttempts": earlier.failures,
                "lastSubmissionAttemptTime": stamp(world.start - earlier.every),
                "submissionAttempts": 1,
                "submissionID": world.ids.uid(),
                "terminationTime": stamp(began + earlier.every - 25.0),
            }
        stored = world.create(SPARKAPPS, made)
        if "status" in stored:
            world.operator.resubmit(stored["metadata"])


def _fleet(world: World, scenario: Scenario) -> None:
    for job in scenario.world.fleet:
        file = f"local:///opt/jobs/{job.name}.py"
        world.workloads.by_file[file] = Workload(
            (
                Stage("count at /opt/jobs/job.py:21", job.tasks, job.seconds, Demand(300 * MI, 60 * MI)),
                Stage("save at /opt/jobs/job.py:34", 2, 2.0, Demand(260 * MI, 60 * MI), shuffle=False),
            ),
            startup=2.0,
        )
        template = {
            "type": "Python",
            "pythonVersion": "3",
            "mode": "cluster",
            "image": SPARK_IMAGE,
            "imagePullPolicy": "IfNotPresent",
            "mainApplicationFile": file,
            "sparkVersion": "4.1.4",
            "restartPolicy": {"type": "Never"},
            "driver": {"cores": 1, "coreRequest": "200m", "memory": "512m", "serviceAccount": "spark"},
            "executor": {"cores": 2, "coreRequest": "500m", "instances": 1, "memory": "1g"},
        }
        body = {
            "spec": {
                "schedule": job.schedule,
                "concurrencyPolicy": "Forbid",
                "successfulRunHistoryLimit": 1,
                "failedRunHistoryLimit": 1,
                "template": template,
            }
        }
        made = build(
            SCHEDULED,
            job.name,
            world.start - 40 * DAY,
            world.ids,
            namespace=scenario.world.namespace,
            manager="argocd-controller",
            labels={"team": "data-platform"},
            body=body,
        )
        world.create(SCHEDULED, made)
