"""A drill against its world: objects, images and nodes that are not there, times that are none, accepted changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from console.base.document import Path
from console.base.document import walk as tree
from console.base.units import parse_duration
from console.drill.scenario import genesis
from console.drill.scenario.faults import faults
from console.drill.scenario.model import FaultDoc, Scenario, ScenarioCase, WorldDoc
from console.drill.scenario.population import SPARK_IMAGE
from console.drill.scenario.references import Place, place
from console.drill.state.resources import REGISTRY, SCHEDULED, SPARKAPPS, of_kind
from console.drill.world import SimulatedWorld
from console.rehearse.lint.report import DrillReport

MADE = frozenset(
    {
        "ControllerRevision", "Endpoints", "EndpointSlice", "Event", "Job", "Lease", "PersistentVolume", "Pod",
        "ReplicaSet",
    }
)  # fmt: skip
"""Kinds that controllers make while the world runs: which there are when something happens cannot be told before."""
VERBS = ("PATCH", "POST", "PUT", "DELETE")
TIMES = ("until", "every")
EPOCH = 1_768_214_520.0
"""A time at which a world is made only to look at what it holds."""


def check(report: DrillReport, scenario: Scenario) -> None:
    """Add what the cases name that their worlds do not have."""
    made: dict[int, WorldHoldings] = {}
    for name, case in scenario.cases.items():
        own = scenario.world_of(case)
        key = id(own.world)
        if key not in made:
            made[key] = WorldHoldings(own, case)
        created = {where for fault in case.breaks if (where := _created(fault, own.world)) is not None}
        for field, listed in (("faults", case.faults), ("break", case.break_)):
            for index, fault in enumerate(listed):
                _fault(report, ("cases", name, field, index), fault, made[key], case, created)
        _accepted(report, ("cases", name, "accepted"), case, made[key], created)


class WorldHoldings:
    """What a world holds before anything happens to it."""

    def __init__(self, scenario: Scenario, case: ScenarioCase) -> None:
        self.doc = scenario.world
        self.world: SimulatedWorld = genesis.create(scenario, _untouched(case), seed=scenario.seed, begin=EPOCH)
        namespace = self.doc.namespace
        schedules = [app.scheduled_by for app in self.doc.apps if app.scheduled_by]
        schedules += [job.name for job in self.doc.fleet]
        self.later = {(SPARKAPPS.id, namespace, app.name) for app in self.doc.apps}
        self.later |= {(SCHEDULED.id, namespace, name) for name in schedules}
        self.images = {SPARK_IMAGE, *self.world.cluster.images.images}

    def has(self, where: Place) -> bool:
        resource, namespace, name = where
        there = self.world.store.get(resource, namespace, name) is not None
        return there or (resource.id, namespace, name) in self.later

    def names(self, where: Place) -> list[str]:
        """Objects of the same kind, as a drill writes them."""
        resource, _, _ = where
        found = [(o["metadata"].get("namespace", ""), o["metadata"]["name"]) for o in self.world.store.each(resource)]
        found += [(namespace, name) for id, namespace, name in self.later if id == resource.id]
        mine = ("", self.doc.namespace)
        return sorted("/".join((resource.kind, *((ns,) if ns not in mine else ()), name)) for ns, name in set(found))


def _untouched(case: ScenarioCase) -> ScenarioCase:
    return replace(case, faults=(), break_=(), earlier=None)


def _created(fault: FaultDoc, world: WorldDoc) -> tuple[str, str, str] | None:
    """Where an object lies that an entry of `break` makes."""
    manifest = fault.options.get("object")
    if fault.kind != "create" or not isinstance(manifest, dict):
        return None
    resource = of_kind(str(manifest["apiVersion"]), str(manifest["kind"]))
    meta = manifest["metadata"]
    namespace = str(meta.get("namespace") or world.namespace) if resource.namespaced else ""
    return resource.id, namespace, str(meta["name"])


def _fault(
    report: DrillReport,
    at: Path,
    fault: FaultDoc,
    holdings: WorldHoldings,
    case: ScenarioCase,
    created: set[tuple[str, str, str]],
) -> None:
    kind, target = faults()[fault.kind], (*at, fault.kind if fault.short else "target")
    told = at if fault.short else (*at, "options")
    if kind.on == "object":
        where = place(fault.target, holdings.doc.namespace)
        resource, namespace, name = where
        known = resource.kind in MADE or (resource.id, namespace, name) in created or holdings.has(where)
        if not known:
            said = f"the world has no {fault.target}"
            report.known("not-in-world", target, fault.target, holdings.names(where), said)
    elif kind.on == "image":
        images = holdings.images | set(_texts(case))
        if fault.target not in images:
            said = f"nothing in this world has the image {fault.target!r}"
            report.known("not-in-world", target, fault.target, sorted(holdings.images), said)
    nodes = [node.name for node in holdings.doc.nodes]
    for index, node in enumerate(fault.options.get("nodes") or ()):
        report.known("not-in-world", (*told, "nodes", index), str(node), nodes, f"{node!r} is not in this world")
    for key in TIMES:
        if key in fault.options:
            _time(report, (*told, key), fault.options[key])


def _texts(case: ScenarioCase) -> Iterator[str]:
    """Every text of what is changed and made in a case: an image may be named there before anything has it."""
    for fault in case.breaks:
        if faults()[fault.kind].on != "image":
            yield from (value for _, value in tree(fault.options) if isinstance(value, str))
    for spec in case.specs.values():
        yield from (value for _, value in tree(spec) if isinstance(value, str))


def _time(report: DrillReport, at: Path, value: Any) -> None:
    try:
        parse_duration(str(value))
    except ValueError as error:
        report.add("no-time", at, str(error), "write a unit: 90s, 10m, 1h")


def _accepted(
    report: DrillReport, at: Path, case: ScenarioCase, holdings: WorldHoldings, created: set[tuple[str, str, str]]
) -> None:
    """Changes that nobody can make, because there is no such resource, verb or object."""
    resources: Mapping[str, Any] = {resource.id: resource for resource in REGISTRY}
    for index, one in enumerate(case.accepted):
        here = (*at, index)
        said, whole = f"the API has no resource {one.resource!r}", one.resource.partition("/")[0]
        if not report.known("unknown-resource", (*here, "resource"), whole, resources, said):
            continue
        for number, verb in enumerate(one.verbs):
            word = verb.upper()
            report.known("unknown-verb", (*here, "verbs", number), word, VERBS, f"{verb!r} is none of {VERBS}")
        resource = resources[whole]
        loose = any(mark in one.name for mark in "*?[") or "POST" in {verb.upper() for verb in one.verbs}
        if loose or resource.kind in MADE or resource is SPARKAPPS:
            continue
        names = [o["metadata"]["name"] for o in holdings.world.store.each(resource)]
        names += [name for id, _, name in holdings.later | created if id == resource.id]
        said = f"the world has no {resource.kind} {one.name!r}"
        report.known("not-in-world", (*here, "name"), one.name, sorted(set(names)), said)
