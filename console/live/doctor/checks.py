"""What Console needs, asked one by one: each check says ok, limited, missing or unknown, and what to do."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from console.base.errors import ConsoleError
from console.base.text import joined, listed
from console.live.doctor import machine
from console.live.doctor.machine import Check
from console.live.plan import Plan
from console.operate.identity import address

if TYPE_CHECKING:
    from console.facts.monitoring import Monitoring, Objects
    from console.settings.model import Policy
    from console.wire.connection import Connection

_READS = (
    ("list", "pods", ""),
    ("watch", "pods", ""),
    ("get", "pods/log", ""),
    ("get", "pods/proxy", ""),
    ("list", "events", ""),
    ("list", "nodes", ""),
    ("list", "deployments", "apps"),
    ("list", "sparkapplications", "sparkoperator.k8s.io"),
    ("list", "scheduledsparkapplications", "sparkoperator.k8s.io"),
    ("get", "services/proxy", ""),
)
_WRITES = (
    ("patch", "sparkapplications", "sparkoperator.k8s.io"),
    ("create", "leases", "coordination.k8s.io"),
    ("create", "events", ""),
)
_LACK: dict[str, str] = {
    "pods/log": "causes that only a log shows stay unknown",
    "pods/proxy": "Spark's REST cannot be read: stages and removal reasons stay unknown",
    "events": "scheduling and image problems stay unknown",
    "nodes": "node pressure and free capacity stay unknown",
    "services/proxy": "Prometheus must be reachable by its own URL",
    "leases": "locks are local: two people on two machines are not kept apart",
}


async def checks(plan: Plan) -> AsyncIterator[Check]:
    """Every check, as it is made. Nothing is written to the cluster."""
    yield machine.program()
    yield machine.terminal(os.environ, os.get_terminal_size() if sys.stdout.isatty() else None)
    yield machine.state_folder(plan.state)
    settings = plan.settings
    where = str(settings.file) if settings.exists else "no config file: defaults hold"
    yield Check("config", "ok", where)
    yield _presets(plan)
    from console.wire.connection import Connection

    try:
        connection = await Connection.open(plan.ref)
    except ConsoleError as error:
        yield Check("cluster", "missing", error.message, error.hint or "")
        return
    try:
        identity = connection.identity
        words = f"{address(identity.server)} {identity.version} as {identity.user or 'an unnamed user'}"
        yield Check("cluster", "ok", words)
        yield await machine.clock(connection.reader)
        mode = settings.at(identity.context).mode
        hint = (
            "" if mode != "read-only" else f"to allow changes: contexts.{identity.context}.mode: guarded in the config"
        )
        yield Check("mode", "ok", mode, hint)
        namespace = plan.ref.namespace or identity.namespace or "default"
        for verb, resource, group in _READS:
            yield await _may(connection, verb, resource, group, namespace, writes=False)
        if mode != "read-only":
            for verb, resource, group in _WRITES:
                yield await _may(connection, verb, resource, group, namespace, writes=True)
            yield await _second_person(settings.at(identity.context).values.policy, connection)
        async for check in _prometheus(plan, connection):
            yield check
    finally:
        await connection.close()


def _presets(plan: Plan) -> Check:
    """Preset, component and objective files that do not load, each with its place."""
    from console.settings.presets import load_library

    library = load_library(plan.settings.folders("preset_paths"))
    if not library.problems:
        return Check("presets", "ok", f"{len(library.names())} presets, {len(library.components)} components")
    wrong = listed(map(str, library.problems), 5, "; ")
    return Check("presets", "limited", wrong, "the rest is loaded: console preset list names all problems")


async def _may(connection: object, verb: str, resource: str, group: str, namespace: str, *, writes: bool) -> Check:
    from console.wire.connection import Connection

    assert isinstance(connection, Connection)
    name = f"{verb} {resource}"
    plural, _, sub = resource.partition("/")
    try:
        access = await connection.reader.may(verb, plural, group=group, namespace=namespace, subresource=sub)
    except ConsoleError as error:
        return Check(name, "unknown", error.message)
    if access.allowed:
        return Check(name, "ok", f"allowed in {namespace}")
    rule = f'apiGroups: ["{group}"], resources: ["{resource}"], verbs: ["{verb}"]'
    lack = _LACK.get(resource, "changes are refused" if writes else "")
    return Check(
        name, "limited" if lack else "missing", f"not allowed in {namespace}" + (f"; {lack}" if lack else ""), rule
    )


async def _second_person(policy: Policy, connection: Connection) -> Check:
    """Whether a second person can be had where policy asks for one."""
    from console.operate.approvals.waiting import SecondPerson

    if policy.second_person == "never":
        return Check("second person", "ok", "policy asks for none")
    place = policy.approvals.namespace or ""
    asks = SecondPerson(connection.reader, None, connection.identity, "", place, policy.approvals.wait)
    if lacking := await asks.lacking():
        hint = "changes that need one are refused"
        return Check("second person", "missing", f"asked for ({policy.second_person}): {lacking}", hint)
    return Check("second person", "ok", f"asked for ({policy.second_person}); they approve in {place}")


_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("monitoring targets", ("monitoring-stale", "monitoring-target-down", "monitoring-scrape-gap")),
    ("monitoring rules", ("monitoring-rule-error", "monitoring-rule-late", "monitoring-rule-invalid",
                          "monitoring-rule-not-loaded", "monitoring-rules-not-mounted")),
    ("monitoring series", ("monitoring-series-missing", "monitoring-selector-empty", "monitoring-objective-blind")),
    ("monitoring pod labels", ("monitoring-pod-labels",)),
    ("monitoring objects", ("monitoring-selects-nothing", "monitoring-port-missing", "monitoring-no-endpoints")),
)  # fmt: skip
"""What of monitoring is checked, and the findings that speak of it."""


def monitoring_checks(seen: Monitoring | None) -> list[Check]:
    """Whether Prometheus sees what its rules and objectives read: one check for each part."""
    from console.facts.model import Facts
    from console.findings.case import ClusterView
    from console.findings.rules.monitoring import rule_objects, rules, scraping

    if seen is None:
        return []
    known = (*rules.RULES, *scraping.RULES, *rule_objects.RULES)
    world = ClusterView(Facts(at=seen.at, monitoring=seen), ())
    found = [f for rule in known if not isinstance(answer := rule.check(world), str) for f in answer]
    lost = dict(seen.unread)
    counted = {
        "monitoring targets": (seen.targets, "targets answer", "targets"),
        "monitoring rules": (seen.rules, "rules are evaluated", "rules"),
        "monitoring series": (seen.names, "names of series, all that is read among them", "names of series"),
    }
    out = []
    for name, codes in _PARTS:
        mine = [f for f in found if f.code in codes]
        things, words, what = counted.get(name, ((), "", ""))
        if mine:
            young = _young(seen) if name in ("monitoring objects", "monitoring rules") else ""
            hints = "; ".join(f"{e.locator}: {e.excerpt}" for f in mine[:3] for e in f.evidence[:1])
            said = listed((f.title for f in mine), 4, "; ")
            out.append(Check(name, "limited", joined(said, young, sep="; "), hints))
        elif things is None:
            out.append(Check(name, "unknown", lost.get(what, "it could not be read")))
        elif words:
            out.append(Check(name, "ok", f"{len(things)} {words}"))
        elif name == "monitoring objects" and seen.objects is not None:
            out.append(_objects_check(name, seen, seen.objects))
        elif name == "monitoring pod labels" and seen.pod_labels is not None and seen.pod_labels.spark:
            out.append(Check(name, "ok", "kube-state-metrics keeps Spark's labels"))
    return out


def _objects_check(name: str, seen: Monitoring, objects: Objects) -> Check:
    """Nothing speaks against the monitors and rules; those that are too young for that are not judged yet."""
    from console.findings.rules.monitoring.scraping import too_young

    judged = sum(1 for monitor in objects.monitors if not too_young(seen, monitor))
    said = f"{judged} monitors select what can be scraped"
    waiting = _young(seen)
    if not waiting:
        return Check(name, "ok", said)
    return Check(name, "unknown", f"{said}; {waiting}" if judged else waiting)


def _young(seen: Monitoring) -> str:
    """The monitors and rules of which nobody can say yet whether they match anything, each with its namespace."""
    from console.findings.rules.monitoring.scraping import too_young

    objects = seen.objects
    young = [one for one in (*objects.monitors, *objects.rules) if too_young(seen, one)] if objects is not None else []
    return f"not judged yet, younger than 10 minutes: {', '.join(one.key for one in young)}" if young else ""


async def _prometheus(plan: Plan, connection: object) -> AsyncIterator[Check]:
    from console.live.metrics import Metrics
    from console.wire.connection import Connection

    assert isinstance(connection, Connection)
    settings = plan.settings.at(connection.identity.context)
    metrics = Metrics(plan, settings, connection.reader)
    try:
        answer = await metrics.query("count(up)") if await metrics.find() else None
        state = metrics.sources()[0]
        if answer is None:
            hint = "set prometheus.url or prometheus.service in the config, or say --prometheus URL"
            yield Check("prometheus", "limited", state.detail or state.state, hint)
        elif answer.samples is None:
            yield Check("prometheus", "limited", answer.error)
        else:
            targets = answer.samples[0].value if answer.samples else 0
            yield Check("prometheus", "ok", f"answers; {targets:.0f} targets")
            for check in monitoring_checks(await metrics.survey()):
                yield check
    finally:
        await metrics.close()
