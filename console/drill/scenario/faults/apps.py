"""Faults of applications: what their programs need, and how they are configured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from console.base.units import parse_duration, parse_jvm_size
from console.drill.scenario.faults.base import FaultKind, FaultPlan
from console.drill.spark.memory import Demand
from console.drill.state.resources import SPARKAPPS

NEVER = 1e9
"""Seconds that a task takes whose thread stands for ever."""


def _bytes(value: Any) -> int:
    return parse_jvm_size(str(value).removesuffix("i"))


def _workload(plan: FaultPlan) -> None:
    world, scenario, target, options = plan.world, plan.scenario, plan.target, plan.options
    app = next(app for app in scenario.world.apps if app.name == target)
    file = str(app.spec.get("mainApplicationFile") or f"local:///opt/jobs/{app.name}.py")
    program = world.programs.of(file)
    index = int(options.get("stage", 0))
    stage = program.stages[index]
    old = stage.executor
    demand = Demand(
        _bytes(options["heap"]) if "heap" in options else old.heap,
        _bytes(options["python"]) if "python" in options else old.python,
        _bytes(options["native"]) if "native" in options else old.native,
        parse_duration(options["ramp"]) if "ramp" in options else old.ramp,
    )
    driver = stage.driver
    if "driver" in options:
        sizes = {k: _bytes(v) for k, v in options["driver"].items() if k != "ramp"}
        driver = Demand(**sizes, ramp=parse_duration(options["driver"].get("ramp", 20)))
    changed = replace(stage, executor=demand, driver=driver)
    if "result" in options:
        changed = replace(changed, result_bytes=_bytes(options["result"]))
    if "seconds" in options:
        changed = replace(changed, seconds=parse_duration(str(options["seconds"])))
    if "tail" in options:
        changed = replace(changed, tail=parse_duration(str(options["tail"])))
    if "stands" in options:
        changed = replace(changed, stands=str(options["stands"]), seconds=NEVER)
    if "sparesJvm" in options:
        changed = replace(changed, spares_jvm=bool(options["sparesJvm"]))
    if "lingers" in options:
        program = replace(program, lingers=parse_duration(str(options["lingers"])))
    world.programs.by_file[file] = program.with_stage(index, changed)


def _conf(plan: FaultPlan) -> None:
    world, changes = plan.world, plan.options.get("set") or {}
    app = world.store.get(SPARKAPPS, plan.scenario.world.namespace, plan.target)
    if app is not None:
        conf = {**(app["spec"].get("sparkConf") or {}), **{k: str(v) for k, v in changes.items()}}
        meta = {**app["metadata"], "generation": app["metadata"].get("generation", 1) + 1}
        world.store.update(SPARKAPPS, {**app, "metadata": meta, "spec": {**app["spec"], "sparkConf": conf}})


FAULTS = [
    FaultKind(
        "workload",
        (
            "stage",
            "heap",
            "python",
            "native",
            "ramp",
            "driver",
            "result",
            "sparesJvm",
            "seconds",
            "tail",
            "lingers",
            "stands",
        ),
        "app",
        lambda plan: plan.at(lambda: _workload(plan)),
    ),
    FaultKind("conf", ("set",), "app", lambda plan: plan.at(lambda: _conf(plan))),
]
