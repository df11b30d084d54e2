"""Tests of a script, each alone: on a simulated cluster that holds what the test names, through the guarded proxy."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from console.actions import patches
from console.actions.effects import AllowedCall, Effect, ObjectRef
from console.actions.pins import Pin, generation_of, uid_of
from console.drill.scenario.files import read
from console.drill.session import DrillSession
from console.operate import kubernetes
from console.operate.ahead.diff import settled
from console.operate.scripts.process import Finished
from console.operate.scripts.runs import run_guarded
from console.runbook.scripts import ScriptObject, ScriptSpec, ScriptTest, argument_word
from console.wire.calls import Leave
from console.wire.config import ContextRef
from console.wire.connection import Connection

LONGEST = 60.0
"""Wall seconds that one run of a script may take."""
NAMESPACE = "spark-prod"
EMPTY = {"cluster": "script-test", "namespace": NAMESPACE, "nodes": [{"name": "node-1"}], "apps": []}
QUIET = ("leases", "events")
Key = tuple[str, str, str]
Object = dict[str, Any]


class ScriptScore(Struct, frozen=True):
    """How a test of a script went. `problems` is empty where it is as it should be; `said` is the script's output."""

    problems: tuple[str, ...]
    writes: int
    said: str = ""


def try_script(spec: ScriptSpec, name: str) -> ScriptScore:
    """Run one test: first as a dry run, which must leave everything as it is, then for good.

    Raises:
        ConsoleError: the world cannot be made, or the script cannot be started.
    """
    return asyncio.run(_try(spec, spec.tests[name]))


async def _try(spec: ScriptSpec, test: ScriptTest) -> ScriptScore:
    async with DrillSession.open(read(json.dumps(_world(test)), spec.file), step=True) as session:
        connection = await Connection.open(ContextRef(kubeconfig=str(session.kubeconfig)))
        try:
            with tempfile.TemporaryDirectory(prefix="console-script-") as folder:
                return await _both(spec, test, session, connection, Path(folder))
        finally:
            await connection.close()


async def _both(
    spec: ScriptSpec, test: ScriptTest, session: DrillSession, connection: Connection, folder: Path
) -> ScriptScore:
    problems: list[str] = []
    effect, changes = _effect(spec, test), Changes()
    pin = Pin("", 0)
    if effect.target is not None and not _makes(effect):
        obj = await kubernetes.read(connection.reader, await kubernetes.place(connection.reader, effect.target))
        pin = Pin(uid_of(obj), generation_of(obj))
    leaving = session.world.store.watch(changes.note)
    ways: tuple[Leave, ...] = ("dry run", "confirmed") if spec.effect == "write" else ("read",)
    for way in ways:
        done = await run_guarded(effect, way, pin, connection=connection, folder=folder)
        problems += _ended(test, way, done)
        if way != "confirmed":
            problems += [f"its {way} changed {key[0]} {key[2]}" for key in changes.moved]
    leaving()
    if spec.effect == "write":
        problems += _became(test, changes)
    return ScriptScore(tuple(problems), len(session.changes), done.output)


class Changes:
    """What became of objects since the watch began: what they were, and what they are; None where there is none."""

    def __init__(self) -> None:
        self.before: dict[Key, Object | None] = {}
        self.after: dict[Key, Object | None] = {}

    def note(self, change: Any) -> None:
        meta = change.object["metadata"]
        if change.resource.plural not in QUIET:
            key = (change.resource.kind, meta.get("namespace", ""), meta["name"])
            self.before.setdefault(key, None if change.previous is None else settled(change.previous))
            self.after[key] = None if change.type == "DELETED" else settled(change.object)

    @property
    def moved(self) -> list[Key]:
        return [key for key, old in self.before.items() if old != self.after[key]]


def _world(test: ScriptTest) -> dict[str, Any]:
    """A scenario of an empty cluster with the objects of the test."""
    return {
        "apiVersion": "console.drill/v1",
        "kind": "Scenario",
        "name": "script-test",
        "title": "A cluster for one script",
        "runbook": "none",
        "warmup": "1s",
        "world": {**EMPTY, "objects": list(test.objects)},
        "cases": {"default": {"title": "Nothing happens", "expect": {"outcomes": ["resolved"]}}},
    }


def _effect(spec: ScriptSpec, test: ScriptTest) -> Effect:
    argv = [spec.interpreter, spec.path]
    for name, wanted in spec.arguments.items():
        if name in test.arguments:
            word = argument_word(name, wanted.type, test.arguments[name])
            argv += [spec.flag(name), word] if spec.flag(name) else [word]
    refs = [ObjectRef(one.api_version, one.kind, one.namespace, one.name) for one in test.about]
    calls = tuple(
        AllowedCall(tuple(call.verbs), ref, call.subresource)
        for ref in refs
        for call in spec.calls
        if (call.api_version, call.kind) == (ref.api_version, ref.kind)
    )
    return Effect(
        id="test/1",
        step=spec.name,
        title=spec.title,
        action="script",
        target=refs[0] if refs else None,
        argv=tuple(argv),
        timeout=LONGEST,
        touched=spec.touches,
        writes=spec.effect == "write",
        calls=calls,
    )


def _makes(effect: Effect) -> bool:
    return any("create" in call.verbs and call.target == effect.target for call in effect.allowed)


def _key(one: ScriptObject) -> Key:
    return one.kind, one.namespace, one.name


def _ended(test: ScriptTest, way: str, done: Finished) -> Iterator[str]:
    if done.refused:
        yield f"its {way} was not let through: {done.refused[0].refused}"
    elif done.exit_code != test.exit:
        yield f"its {way} {done.words}, not with {test.exit}: {done.output.rstrip().rpartition(chr(10))[2]}"
    if test.says and test.says not in done.output:
        yield f"its {way} does not say {test.says!r}"


def _became(test: ScriptTest, changes: Changes) -> Iterator[str]:
    mine = [_key(one) for one in test.about]
    for key in changes.moved:
        if key not in mine:
            yield f"it changed {key[0]} {key[2]}, which the test does not name under `about`"
    old, new = (side.get(mine[0]) if mine else None for side in (changes.before, changes.after))
    found = {} if old is None or new is None else {at: patches.get(new, at) for at in _fields(old, new)}
    for at, value in found.items():
        if at not in test.changes:
            yield f"it changed {at}, which the test does not expect"
        elif test.changes[at] != (None if value is patches.MISSING else value):
            yield f"{at} is {value!r} afterwards, not {test.changes[at]!r}"
    yield from (f"it did not change {at}" for at in test.changes if at not in found)


def _fields(old: Any, new: Any, at: tuple[str, ...] = ()) -> Iterator[str]:
    """Pointers of the fields that differ."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _fields(old.get(key), new.get(key), (*at, key))
        return
    yield patches.pointer(at)
