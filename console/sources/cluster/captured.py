"""Evidence kept on disk before it vanishes: the last object of a dead driver or executor, its events, its log tail.

One folder per pod under `<state>/evidence/<cluster>/<namespace>/<pod>-<uid>`, readable by its owner only, in the plain
formats that `console diagnose DIR` reads: pod.json, events.json, log-<container>.txt. Everything is redacted before it
is written; the whole is bounded in size and age.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from console.base.errors import UsageError
from console.base.jsontext import decode_tree, encode_json
from console.base.paths import private_dir, replace_file
from console.base.redact import MARK, redact, redact_value
from console.base.shapes import mappings
from console.facts.leftout import LeftOut, bounded
from console.facts.model import Event, Log, Origin, Pod
from console.facts.notjudged import NotJudged, not_judged
from console.sources.cluster import decode
from console.sources.cluster.logs import role_of

MAX_BYTES = 200 * 2**20
MAX_AGE = 14 * 86400.0
ASIDE = ".aside"
"""Folder, beside those of clusters, of evidence that could not be read."""
MOST_ASIDE = 20
_LOAD_PODS = 500
_LOAD_LOG = 64 * 2**10
_LOAD_LOGS = 8 * 2**20
_SAFE = re.compile(r"[^A-Za-z0-9._-]+")
_ENV_KEPT = ("SPARK_", "PYSPARK_", "NVIDIA_", "CUDA_", "JAVA_TOOL_OPTIONS", "AIRFLOW_CTX_", "HADOOP_USER_NAME")


class KeptEvidence(Struct, frozen=True):
    """What was loaded back. `unread` says which folders made no sense; `failed`, at which Console itself failed."""

    pods: tuple[Pod, ...] = ()
    events: tuple[Event, ...] = ()
    logs: tuple[Log, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    failed: tuple[NotJudged, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class EvidenceFolder:
    """The evidence folder of one cluster. All methods block on the disk: call them from a thread of a pool."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES, max_age: float = MAX_AGE) -> None:
        self.folder, self._max_bytes, self._max_age = folder, max_bytes, max_age

    def save(self, tree: dict[str, Any], events: list[dict[str, Any]], logs: tuple[Log, ...], at: float) -> Path:
        """Keep one pod.

        Args:
            tree: the Pod as the API gave it; it is redacted here.
            events: core/v1 events about it.
            logs: tails, redacted already.
            at: epoch seconds.

        Returns:
            The folder.
        """
        meta = tree.get("metadata") or {}
        place = self._place(str(meta.get("namespace")), str(meta.get("name")), str(meta.get("uid")))
        for part in (self.folder.parent, self.folder, place.parent, place):
            private_dir(part)
        pod = redact_pod(tree)
        pod.setdefault("apiVersion", "v1")
        pod.setdefault("kind", "Pod")
        replace_file(place / "pod.json", msgspec.json.format(encode_json(pod)))
        if events:
            listed = {"apiVersion": "v1", "kind": "EventList", "items": [redact_object(e) for e in events]}
            replace_file(place / "events.json", msgspec.json.format(encode_json(listed)))
        for log in logs:
            name = f"log-{_SAFE.sub('-', log.container) or 'main'}.txt"
            old = place / name
            data = log.text.encode("utf-8", "replace")
            if not old.exists() or old.stat().st_size <= len(data):
                replace_file(old, data)
        os.utime(place, (at, at))
        return place

    def has(self, namespace: str, name: str, uid: str) -> bool:
        """Whether this pod was kept."""
        return (self._place(namespace, name, uid) / "pod.json").exists()

    def load(self, now: float) -> KeptEvidence:
        """What was kept, the newest first, as facts of origin `captured`; what is too old is deleted.

        What cannot be read any more is set aside, into a folder of its own beside the others: it is said once, and
        tried never again.
        """
        self.prune(now)
        failed: list[NotJudged] = []
        pods: list[Pod] = []
        events: list[Event] = []
        logs: list[Log] = []
        unread: list[tuple[str, str]] = []
        room, without = _LOAD_LOGS, 0
        what = "dead pods kept on disk are read"
        places, left_out = bounded(self._places(), _LOAD_PODS, source="pods", what=what, first="the newest first")
        for place in places:
            try:
                pod, its_events, its_logs = self._read(place, room)
            except OSError as error:
                unread.append((str(place), f"captured evidence cannot be read: {error.strerror or error}"))
                continue
            except Exception as error:
                where: Path | str = place
                with contextlib.suppress(OSError, UsageError):
                    where = self._set_aside(place)
                unread.append((str(place), f"captured evidence cannot be read: {error}; it was set aside: {where}"))
                if not isinstance(error, ValueError):
                    failed.append(not_judged(str(place), "reading kept evidence", error))
                continue
            room -= sum(len(log.text) for log in its_logs)
            without += room <= 0 and any(place.glob("log-*.txt")) and not its_logs
            pods.append(pod)
            events.extend(its_events)
            logs.extend(its_logs)
        if without:
            said = "dead pods kept on disk have their log read"
            left_out = (*left_out, LeftOut("pods", said, len(pods) - without, len(pods), "the newest first"))
        return KeptEvidence(tuple(pods), tuple(events), tuple(logs), tuple(unread), tuple(failed), left_out)

    def read(self, place: Path) -> tuple[Pod, tuple[Event, ...], tuple[Log, ...]]:
        """One kept pod. OSError, ValueError or msgspec.DecodeError where the folder is damaged."""
        return self._read(place, _LOAD_LOGS)

    def prune(self, now: float) -> None:
        """Delete what is older than `max_age`, then the oldest until `max_bytes` hold."""
        total = 0
        for place in self._places():
            try:
                at = place.stat().st_mtime
                total += sum(file.stat().st_size for file in place.iterdir())
            except OSError:
                continue
            if now - at > self._max_age or total > self._max_bytes:
                shutil.rmtree(place, ignore_errors=True)

    def _set_aside(self, place: Path) -> Path:
        """Move a folder out of the way of the next load; at most `MOST_ASIDE` are kept there, the latest."""
        aside = private_dir(private_dir(self.folder.parent / ASIDE) / self.folder.name)
        target = aside / f"{place.parent.name}-{place.name}"
        shutil.rmtree(target, ignore_errors=True)
        try:
            place.rename(target)
        except OSError:
            return place
        for old in sorted(aside.iterdir(), key=lambda p: p.stat().st_mtime, reverse=True)[MOST_ASIDE:]:
            shutil.rmtree(old, ignore_errors=True)
        return target

    def _place(self, namespace: str, name: str, uid: str) -> Path:
        safe = [_SAFE.sub("-", part).strip(".") or "-" for part in (namespace, name, uid[:8])]
        return self.folder / safe[0] / f"{safe[1]}-{safe[2]}"

    def _places(self) -> list[Path]:
        """All pod folders, the newest first."""
        found: list[tuple[float, Path]] = []
        if self.folder.is_dir():
            for place in self.folder.glob("*/*"):
                try:
                    if place.is_dir() and not place.is_symlink():
                        found.append((place.stat().st_mtime, place))
                except OSError:
                    continue
        return [place for _, place in sorted(found, key=lambda pair: pair[0], reverse=True)]

    def _read(self, place: Path, room: int) -> tuple[Pod, tuple[Event, ...], tuple[Log, ...]]:
        at = place.stat().st_mtime
        file = place / "pod.json"
        tree = decode_tree(file.read_bytes())
        pod = decode.pod(tree, Origin("captured", str(file), at), gone=True)
        events: list[Event] = []
        file = place / "events.json"
        if file.exists():
            listed = decode_tree(file.read_bytes())
            for item in mappings(listed.get("items")):
                events.append(decode.event(item, Origin("captured", str(file), at)))
        logs: list[Log] = []
        for file in sorted(place.glob("log-*.txt")):
            data = file.read_bytes()
            take = min(len(data), _LOAD_LOG, max(0, room))
            if take == 0:
                continue
            room -= take
            text = redact(data[-take:].decode("utf-8", "replace"))
            logs.append(
                Log(
                    subject=pod.key,
                    text=text,
                    origin=Origin("captured", str(file), at),
                    container=file.stem.removeprefix("log-"),
                    role=role_of(pod),
                    truncated=take < len(data) or len(data) >= _LOAD_LOG,
                )
            )
        return pod, tuple(events), tuple(logs)


def redact_object(tree: dict[str, Any]) -> dict[str, Any]:
    """An object without managedFields and without secrets."""
    lean: dict[str, Any] = redact_value(_lean(tree))
    return lean


def redact_pod(tree: dict[str, Any]) -> dict[str, Any]:
    """A Pod without managedFields, without secrets, and without the values of variables that are not Spark's own."""
    pod = redact_object(tree)
    spec = pod.get("spec")
    if isinstance(spec, dict):
        for group in ("containers", "initContainers", "ephemeralContainers"):
            for container in mappings(spec.get(group)):
                for variable in mappings(container.get("env")):
                    if "value" in variable and not str(variable.get("name")).startswith(_ENV_KEPT):
                        variable["value"] = MARK
    return pod


def _lean(tree: dict[str, Any]) -> dict[str, Any]:
    meta = {k: v for k, v in (tree.get("metadata") or {}).items() if k != "managedFields"}
    if isinstance(meta.get("annotations"), dict):
        last = "kubectl.kubernetes.io/last-applied-configuration"
        meta["annotations"] = {k: v for k, v in meta["annotations"].items() if k != last}
    return {**tree, "metadata": meta}
