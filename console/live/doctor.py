"""What Console needs, asked one by one: each check says ok, limited, missing or unknown, and what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator
from typing import Literal

from msgspec import Struct

from console.base.errors import ConsoleError
from console.live.plan import Plan

Standing = Literal["ok", "limited", "missing", "unknown"]

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


class Check(Struct, frozen=True):
    name: str
    standing: Standing
    detail: str
    hint: str = ""


async def checks(plan: Plan) -> AsyncIterator[Check]:
    """Every check, as it is made. Nothing is written to the cluster."""
    yield _python()
    yield _state(plan)
    settings = plan.settings
    where = str(settings.file) if settings.exists else "no config file: defaults hold"
    yield Check("config", "ok", where)
    from console.wire.connection import Connection

    try:
        connection = await Connection.open(plan.ref)
    except ConsoleError as error:
        yield Check("cluster", "missing", error.message, error.hint or "")
        return
    try:
        identity = connection.identity
        words = f"{identity.server} {identity.version} as {identity.user or 'an unnamed user'}"
        yield Check("cluster", "ok", words)
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
        async for check in _prometheus(plan, connection):
            yield check
    finally:
        await connection.close()


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    terminal = os.environ.get("TERM", "none")
    return Check("program", "ok", f"Python {version}, SQLite {sqlite3.sqlite_version}, TERM {terminal}")


def _state(plan: Plan) -> Check:
    folder = plan.state
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check(
            "state folder", "missing", f"{folder}: {error.strerror}", "set CONSOLE_STATE_DIR to a folder of yours"
        )
    if not os.access(folder, os.W_OK):
        return Check(
            "state folder", "missing", f"{folder} cannot be written", "set CONSOLE_STATE_DIR to a folder of yours"
        )
    if free < 100 * 2**20:
        return Check("state folder", "limited", f"{folder}: {free // 2**20} MiB free", "the journal needs room")
    return Check("state folder", "ok", str(folder))


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
    finally:
        await metrics.close()
