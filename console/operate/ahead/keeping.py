"""Before it is lost: what a change ends is kept before it is sent, with its events and the ends of its logs.

Redacted and bounded, in a folder of the walk's own, in the formats that `console diagnose FOLDER` reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from console.actions import verb_of
from console.actions.effects import Consequence, Effect, ObjectRef
from console.actions.pins import uid_of
from console.apps.groups import APACHE_NAME, KUBEFLOW_NAME
from console.base.errors import ConsoleError, UsageError
from console.base.jsontext import decode_tree, encode_json
from console.base.paths import private_dir
from console.base.shapes import mappings
from console.base.text import clean, plural
from console.operate import kubernetes
from console.runbook.walk import EvidenceKept
from console.sources.cluster.captured import redact_object, redact_pod
from console.sources.cluster.logs import tail, why_not
from console.wire.paths import object_path
from console.wire.reader import Reader

MOST_PODS = 8
"""Pods of an object whose end is kept: those that failed or restarted first, then drivers."""
MOST_EVENTS = 200
MAX_AGE, MAX_BYTES = 30 * 86400.0, 100 * 2**20
"""Of everything that is kept below one state folder; the oldest gives way."""
WITHIN, READ_SECONDS = 20.0, 8.0
_SAFE = re.compile(r"[^A-Za-z0-9._-]+")


def ended_by(effect: Effect, told: Sequence[Consequence] = ()) -> tuple[ObjectRef, ...]:
    """The objects that are not the same afterwards: deleted, evicted, or restarted with all that runs for them.

    Args:
        told: what the preview says of it: that something restarts, whether the runbook says so or not.
    """
    restarts = effect.restarts or any(one.topic == "restart" and one.level != "info" for one in told)
    mine = restarts or not (verb_of(effect.action).lasts or verb_of(effect.action).runs)
    calls = [c.target for c in effect.allowed if "delete" in c.verbs or c.subresource == "eviction"]
    found = ([effect.target] if mine and effect.target is not None else []) + [one for one in calls if one.name]
    return tuple({(one.kind, one.words): one for one in found}.values())


async def kept(
    effect: Effect, reader: Reader, root: Path, *, step: str, now: float, told: Sequence[Consequence] = ()
) -> EvidenceKept | None:
    """Keep what an effect ends, as far as it can be read in time; None where it ends nothing. Never raises."""
    targets = ended_by(effect, told)
    if not targets:
        return None
    folder = _Folder(root, effect.id)
    try:
        async with asyncio.timeout(WITHIN):
            for target in targets:
                try:
                    await _object(target, reader, folder, now)
                except Exception as error:  # an object that breaks a rule of the API holds up no change
                    folder.lacks.append(f"{target.kind} {target.words}: it makes no sense ({type(error).__name__})")
    except TimeoutError:
        folder.lacks.append(f"not all of it could be read within {WITHIN:.0f}s")
    with contextlib.suppress(OSError):
        prune(root, now)
    return EvidenceKept(now, step, effect.id, folder.holds, tuple(dict.fromkeys(map(clean, folder.lacks))))


class _Folder:
    """Files of one effect, and what could not be had."""

    def __init__(self, root: Path, effect: str) -> None:
        self._place = place_of(root, effect)
        self._root = root
        self._counts: dict[str, int] = {}
        self._objects: list[str] = []
        self.lacks: list[str] = []

    def write(self, what: str, name: str, data: bytes, *, said: str = "", count: int = 1) -> None:
        """A file of `count` things of a kind, or of one that is named in the answer."""
        try:
            for part in (self._root, self._place.parent, self._place):
                private_dir(part)
            path = self._place / (_SAFE.sub("-", name).strip(".") or "-")
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
        except (OSError, UsageError) as error:
            why = error.message if isinstance(error, UsageError) else error.strerror or str(error)
            self.lacks.append(f"{said or name} cannot be saved: {why}")
            return
        if said:
            self._objects.append(said)
        else:
            self._counts[what] = self._counts.get(what, 0) + count

    def events(self, name: str, items: Sequence[dict[str, Any]]) -> None:
        listed = {"apiVersion": "v1", "kind": "EventList", "items": [redact_object(item) for item in items]}
        self.write("event", name, _json(listed), count=len(items))

    @property
    def holds(self) -> tuple[str, ...]:
        return (*self._objects, *(plural(count, what) for what, count in self._counts.items()))


def place_of(root: Path, effect: str) -> Path:
    """Where what an effect ended is kept: a folder in that of its walk."""
    walk, _, number = effect.partition("/")
    return root / (_SAFE.sub("-", walk).strip(".") or "-") / (_SAFE.sub("-", number).strip(".") or "-")


async def _object(target: ObjectRef, reader: Reader, folder: _Folder, now: float) -> None:
    words = f"{target.kind} {target.words}"
    try:
        at = await kubernetes.place(reader, target)
        obj = await reader.object(at.path)
    except ConsoleError as error:
        folder.lacks.append(f"{words}: {error.message}")
        return
    if target.kind != "Pod":
        name = f"{target.kind}-{target.namespace}-{target.name}.json"
        folder.write("", name, _json(redact_object(obj)), said=words)
        await _events(target, obj, reader, folder)
    for pod in [obj] if target.kind == "Pod" else await _pods(target, obj, reader, folder):
        await _pod(pod, reader, folder, now)


async def _pods(target: ObjectRef, obj: dict[str, Any], reader: Reader, folder: _Folder) -> list[dict[str, Any]]:
    """Pods that run for an object, or on a node, at most `MOST_PODS` of them; the sick and drivers first."""
    query = {"labelSelector": _selector(target, obj)} if target.namespace else {}
    if (target.api_version, target.kind) == ("v1", "Node"):
        query = {"fieldSelector": f"spec.nodeName={target.name}"}
    if not any(query.values()):
        return []
    path = object_path("v1", "pods", target.namespace)
    try:
        body = await reader.get(path, {**query, "limit": "500"}, timeout=READ_SECONDS)
        items = mappings(decode_tree(body).get("items"))
    except (ConsoleError, msgspec.DecodeError) as error:
        folder.lacks.append(f"pods of {target.words}: {getattr(error, 'message', error)}")
        return []
    items.sort(key=_matters)
    if len(items) > MOST_PODS:
        rest = [str((pod.get("metadata") or {}).get("name")) for pod in items[MOST_PODS:]]
        folder.lacks.append(f"{len(rest)} of {len(items)} pods of {target.words}, {rest[0]} among them")
    return items[:MOST_PODS]


def _selector(target: ObjectRef, obj: dict[str, Any]) -> str:
    """The labels of the pods that run for it; `` where none are known."""
    if target.kind in ("SparkApplication", "SparkConnect"):
        return f"{APACHE_NAME if target.api_version.startswith('spark.apache.org') else KUBEFLOW_NAME}={target.name}"
    labels = ((obj.get("spec") or {}).get("selector") or {}).get("matchLabels")
    return ",".join(f"{key}={value}" for key, value in labels.items()) if isinstance(labels, dict) else ""


def _matters(pod: dict[str, Any]) -> tuple[bool, bool, str]:
    meta, status = pod.get("metadata") or {}, pod.get("status") or {}
    restarts = sum(int(c.get("restartCount") or 0) for c in mappings(status.get("containerStatuses")))
    sick = status.get("phase") == "Failed" or restarts > 0
    return not sick, (meta.get("labels") or {}).get("spark-role") != "driver", str(meta.get("name"))


async def _events(target: ObjectRef, obj: dict[str, Any], reader: Reader, folder: _Folder) -> None:
    namespace = target.namespace or "default"
    query = {"fieldSelector": f"involvedObject.uid={uid_of(obj)}", "limit": str(MOST_EVENTS)}
    try:
        body = await reader.get(object_path("v1", "events", namespace), query, timeout=READ_SECONDS)
        items = mappings(decode_tree(body).get("items"))
    except (ConsoleError, msgspec.DecodeError) as error:
        folder.lacks.append(f"events of {target.words}: {getattr(error, 'message', error)}")
        return
    if items:
        folder.events(f"events-{target.kind}-{target.name}.json", items)


async def _pod(pod: dict[str, Any], reader: Reader, folder: _Folder, now: float) -> None:
    """A pod, and the end of the log of each of its containers: of the run before too, where there was one."""
    meta = pod.get("metadata") or {}
    namespace, name = str(meta.get("namespace")), str(meta.get("name"))
    whole = {"apiVersion": "v1", "kind": "Pod", **redact_pod(pod)}
    folder.write("pod", f"Pod-{namespace}-{name}.json", _json(whole))
    await _events(ObjectRef("v1", "Pod", namespace, name), pod, reader, folder)
    for container, previous in _containers(pod):
        try:
            log = await tail(
                reader, namespace, name, container=quote(container), previous=previous, at=now, timeout=READ_SECONDS
            )
        except ConsoleError as error:
            folder.lacks.append(f"log of {name}: {why_not(error)}")
            continue
        if log.text.strip():
            which = "-previous" if previous else ""
            folder.write("log", f"{name}-{container}{which}.log", log.text.encode("utf-8", "replace"))


def _containers(pod: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    for status in mappings((pod.get("status") or {}).get("containerStatuses")):
        if isinstance(status, dict) and isinstance(status.get("name"), str):
            yield status["name"], False
            if status.get("restartCount"):
                yield status["name"], True


def read_back(root: Path, effect: str) -> dict[str, Any]:
    """File name → its object, its events, or its text; empty where it has given way."""
    found: dict[str, Any] = {}
    place = place_of(root, effect)
    for file in sorted(place.iterdir()) if place.is_dir() else ():
        data = file.read_bytes()
        found[file.name] = decode_tree(data) if file.suffix == ".json" else data.decode("utf-8", "replace")
    return found


def prune(root: Path, now: float) -> None:
    """Delete what is too old, then the oldest until the bound holds."""
    places = sorted((p for p in root.glob("*/*") if not p.is_symlink()), key=lambda p: p.stat().st_mtime, reverse=True)
    total = 0
    for place in places:
        total += sum(file.stat().st_size for file in place.iterdir())
        if now - place.stat().st_mtime > MAX_AGE or total > MAX_BYTES:
            shutil.rmtree(place, ignore_errors=True)


def _json(value: Any) -> bytes:
    return msgspec.json.format(encode_json(value))
