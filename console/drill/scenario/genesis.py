"""A world from a scenario: population, programs, the fleet with its history, and the faults at their times."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from console.base.units import parse_jvm_size
from console.drill.kube.patches import merge
from console.drill.scenario.background import add_running
from console.drill.scenario.faults import faults
from console.drill.scenario.faults.base import FaultPlan
from console.drill.scenario.history import write_history
from console.drill.scenario.model import AppDoc, Earlier, Scenario, ScenarioCase, StageDoc
from console.drill.scenario.population import SPARK_IMAGE, add, populate
from console.drill.scenario.stock import stock
from console.drill.spark.memory import MI, Demand
from console.drill.spark.program import Program, StagePlan
from console.drill.state.ids import stamp
from console.drill.state.objects import build, owner
from console.drill.state.resources import NAMESPACES, SCHEDULED, SPARKAPPS
from console.drill.state.store import private
from console.drill.world import SimulatedWorld

Object = dict[str, Any]
DAY = 86400.0


def program_of(app: AppDoc) -> Program:
    """A program from its description."""
    return Program(tuple(_stage(doc) for doc in app.stages), lingers=app.lingers)


def _stage(doc: StageDoc) -> StagePlan:
    driver = None
    if doc.driver is not None:
        sizes = {k: parse_jvm_size(str(v).removesuffix("i")) for k, v in doc.driver.items() if k != "ramp"}
        driver = Demand(**sizes, ramp=float(doc.driver.get("ramp", 20.0)))
    return StagePlan(
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
        doc.tail,
    )


def make_distinct(world: SimulatedWorld) -> None:
    """Give the cluster an identity of its own, by which what is kept of it is told from another drill of its seed."""
    space = world.store.get(NAMESPACES, "", "kube-system")
    assert space is not None
    space["metadata"]["uid"] = str(uuid.uuid4())


def create(
    scenario: Scenario,
    case: ScenarioCase,
    *,
    seed: int,
    begin: float,
    deny: Callable[[Object], None] = lambda _rule: None,
) -> SimulatedWorld:
    """The world at `begin` minus the warm-up; the caller plays it up to `begin`.

    Args:
        scenario: what to build.
        case: the variant.
        seed: of everything random.
        begin: virtual epoch seconds at which the session begins.
        deny: told about rules that a fault denies.
    """
    world = SimulatedWorld(seed=seed, start=begin - scenario.warmup)
    doc = scenario.world
    populate(world, scenario)
    stock(world, doc)
    apps = tuple(_with_spec(app, case) for app in doc.apps)
    for app in apps:
        world.programs.by_file[main_file(app)] = program_of(app)
        if app.app_name:
            world.programs.app_names[app.name] = app.app_name
    for fault in case.breaks:
        plan = FaultPlan(world, scenario, fault.target, fault.options, begin + fault.at, begin, deny)
        faults()[fault.kind].plan(plan)
    for app in apps:
        if app.running:
            add_running(world, doc.namespace, app)
    if case.earlier:
        _failed_before(world, case.earlier)
    world.heap.at(world.start, lambda: _apps(world, doc.namespace, apps, case.earlier))
    world.heap.at(begin - 90.0, lambda: _fleet(world, scenario))
    write_history(world.cluster, doc.fleet, begin - 90.0, doc.history_days)
    return world


def main_file(app: AppDoc) -> str:
    """What ties an application to its program."""
    return str(app.spec.get("mainApplicationFile") or f"local:///opt/jobs/{app.name}.py")


def _with_spec(app: AppDoc, case: ScenarioCase) -> AppDoc:
    changed = case.specs.get(app.name)
    return msgspec.structs.replace(app, spec=merge(private(app.spec), changed)) if changed else app


def _failed_before(world: SimulatedWorld, earlier: Earlier) -> None:
    """The operator's counters of the runs that failed before the world began."""
    metrics = world.cluster.operator_metrics
    for number in range(earlier.failures, 0, -1):
        begun = world.start - number * earlier.every
        if number == earlier.failures:
            metrics.added(begun)
        metrics.submitted(begun + 3.0)
        metrics.step("spark_application_failure_count", begun + earlier.every - 25.0)


def _apps(world: SimulatedWorld, namespace: str, apps: tuple[AppDoc, ...], earlier: Earlier | None) -> None:
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
            labels = {**labels, "sparkoperator.k8s.io/scheduled-app-name": app.scheduled_by}
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
            for entry in made["metadata"]["managedFields"]:
                entry["time"] = stamp(began)
            made["status"] = {
                "applicationState": {"state": "PENDING_RERUN"},
                "driverInfo": {"podName": f"{app.name}-driver"},
                "executionAttempts": earlier.failures,
                "lastSubmissionAttemptTime": stamp(world.start - earlier.every),
                "submissionAttempts": 1,
                "submissionID": world.ids.uid(),
                "terminationTime": stamp(began + earlier.every - 25.0),
            }
        stored = world.cluster.create(SPARKAPPS, made)
        if "status" in stored:
            world.operator.resubmit(stored["metadata"])


def _fleet(world: SimulatedWorld, scenario: Scenario) -> None:
    for job in scenario.world.fleet:
        file = f"local:///opt/jobs/{job.name}.py"
        world.programs.by_file[file] = Program(
            (
                StagePlan("count at /opt/jobs/job.py:21", job.tasks, job.seconds, Demand(300 * MI, 60 * MI)),
                StagePlan("save at /opt/jobs/job.py:34", 2, 2.0, Demand(260 * MI, 60 * MI), shuffle=False),
            ),
            startup=2.0,
        )
        values = {"name": job.name, "namespace": scenario.world.namespace, "schedule": job.schedule}
        add(world, "fleet", {**values, "file": file, "spark_image": SPARK_IMAGE})
