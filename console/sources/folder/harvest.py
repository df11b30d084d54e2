"""What the files of a folder hold, one after the other, and the facts that they make together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from console.base.redact import redact, redact_labels, redact_value
from console.base.text import shorten
from console.base.units import parse_count
from console.facts import lognames
from console.facts.model import (
    Alert,
    Event,
    Facts,
    Log,
    Node,
    Origin,
    Pod,
    RestDocument,
    Sample,
)
from console.facts.notjudged import Isolation
from console.sources.cluster import decode
from console.sources.cluster.lists import subject_of
from console.sources.folder import described, exposition
from console.sources.folder import jsontext as folder_json
from console.sources.folder import rest as folder_rest
from console.sources.folder import text as folder_text
from console.sources.folder.collected import plain_text, unwrapped
from console.sources.folder.contents import Piece
from console.sources.folder.hearsay import apps_of_events, pods_of_events, pods_of_metrics
from console.sources.folder.merge import EventSet, Newest, PodGenerations, drop_echoes
from console.sources.folder.recognize import (
    JSON_START,
    NO_LOG,
    has_part,
    is_event,
    is_kubernetes,
    is_log,
    is_log_name,
    is_object,
    is_pod,
    is_structured_log,
)
from console.sources.folder.sections import sections
from console.sources.folder.shipped import processes, shipped
from console.sources.folder.submitted import submitted_driver
from console.sources.folder.tables import is_table, table_objects
from console.sources.folder.whole import in_one_namespace, latest_time, moment, source_states, with_subject
from console.sources.spark import eventlog as folder_eventlog
from console.sources.spark.eventdocs import documents as event_documents

MAX_SAMPLES = 400_000
_SPARK_KINDS = frozenset({"SparkApplication", "ScheduledSparkApplication", "SparkCluster", "SparkConnect"})


@dataclass
class Harvest:
    """Takes one file after the other; `facts` is what they say together."""

    unread: list[tuple[str, str]]
    pods: PodGenerations = field(default_factory=PodGenerations)
    nodes: dict[str, tuple[int, Node]] = field(default_factory=dict)
    events: EventSet = field(default_factory=EventSet)
    spark: Newest = field(default_factory=Newest)
    workloads: Newest = field(default_factory=Newest)
    logs: list[Log] = field(default_factory=list)
    rest: list[RestDocument] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    folders: dict[str, str] = field(default_factory=dict)
    event_logs: dict[str, folder_eventlog.EventLog] = field(default_factory=dict)
    failed: Isolation = field(default_factory=Isolation)
    alone: bool = False
    """Whether the evidence is one file that somebody named: a text of no form that is known is then a log."""

    # one file -------------------------------------------------------------------------------------------------------

    def take(self, piece: Piece) -> None:
        """Whatever one file holds; what cannot be read goes to `unread`."""
        text = plain_text(piece.text.lstrip("\ufeff"))
        self.folders[piece.locator] = piece.locator.rpartition("/")[0]
        parts = unwrapped(text)
        if len(parts) > 1 or parts[0][1] is not text:
            for pod, own in parts:
                self._log(Piece(piece.locator, own, piece.cut), own, pod)
            return
        if folder_eventlog.is_event(text.lstrip()[:200]):
            self._event_log(piece, text)
            return
        pasted = sections(text)
        for part in pasted:
            locator = f"{piece.locator}:{part.line}" if len(pasted) > 1 else piece.locator
            self.folders[locator] = self.folders[piece.locator]
            self._part(Piece(locator, part.text, piece.cut), part.pod)

    def _part(self, piece: Piece, pod: str) -> None:
        """One part of a file: what it is follows from how it is built, never from a word in it."""
        text = piece.text
        head = text.lstrip()[:200]
        if not head:
            return
        if (at := moment(text)) is not None:
            self.moments.append(at)
            return self._part(Piece(piece.locator, text.lstrip().partition("\n")[2], piece.cut), pod)
        if JSON_START.match(head) and not is_structured_log(text):
            self._json(piece, text)
        elif head.startswith("Error from server"):
            self.unread.append((piece.locator, f"kubectl was refused: {shorten(redact(head.splitlines()[0]), 160)}"))
        elif NO_LOG.match(head):
            self.unread.append((piece.locator, "the container's log had already been removed from the node"))
        elif described.is_describe(text):
            objects, events, wrong = described.described(text)
            self._echoes(objects, events, piece.locator)
            self.unread.extend((piece.locator, why) for why in wrong)
        elif is_table(text):
            objects, events, why = table_objects(text)
            self._echoes(objects, events, piece.locator)
            if why:
                self.unread.append((piece.locator, why))
        elif exposition.is_exposition(text):
            self._samples(exposition.samples(text, Origin("prometheus", piece.locator)))
        elif folder_text.is_yaml(text) and self._yaml(piece, text):
            return
        elif head.lower().startswith(("<!doctype html", "<html")):
            self.unread.append((piece.locator, "an HTML page, not the answer that was asked for"))
        else:
            self._log(piece, text, pod)

    def _yaml(self, piece: Piece, text: str) -> bool:
        """Whether a text was YAML: one that reads as a log too, and holds no object of Kubernetes, was none."""
        documents, wrong = folder_text.yaml_documents(text)
        held = any(isinstance(one, dict) and is_kubernetes(one) for one in documents)
        if not held and lognames.role_of_text(text) != "other":
            return False
        self._documents(documents, piece.locator, wrong)
        return True

    def _event_log(self, piece: Piece, text: str) -> None:
        key = folder_eventlog.group_key(piece.locator)
        log = self.event_logs.setdefault(key, folder_eventlog.EventLog(piece.locator))
        log.feed(text, folder_eventlog.order(piece.locator))

    def _json(self, piece: Piece, text: str) -> None:
        values, wrong = folder_json.documents(text)
        if wrong == folder_json.CUT and not all(isinstance(v, dict) and ("status" in v or is_event(v)) for v in values):
            values, wrong = [], "cut off before its status: nothing of it can be judged"
        if not values and len(text.splitlines()) > 3 and lognames.role_of_text(text) != "other":
            self._log(piece, text)
            return
        if values and (lines := shipped(values)) is not None:
            for pod, own in processes(lines):
                self._log(Piece(piece.locator, own, piece.cut), own, pod)
            if wrong:
                self.unread.append((piece.locator, wrong))
            return
        self._documents(values, piece.locator, "" if piece.cut else wrong)

    def _documents(self, values: list[Any], locator: str, wrong: str) -> None:
        known = 0
        for value in values:
            known += self._tried(redact_value(value), locator, 0)
        if wrong:
            self.unread.append((locator, wrong))
        elif values and not known:
            self.unread.append((locator, "of no kind of evidence that is known"))

    # one value ------------------------------------------------------------------------------------------------------

    def _tried(self, value: Any, locator: str, depth: int) -> int:
        """How much was understood of one value; one that Console fails at is said, and those beside it are read."""
        try:
            return self._value(value, locator, depth)
        except Exception as error:
            name = subject_of(value, str(value.get("kind") or "")) if isinstance(value, dict) else ""
            self.failed.note(f"{locator}: {name}" if name else locator, "reading a file", error)
            return 1

    def _value(self, value: Any, locator: str, depth: int, *, gone: bool = False) -> int:
        """How much was understood of one JSON or YAML value."""
        if depth > 3:
            return 0
        if isinstance(value, dict):
            known = self._kubernetes(value, locator, depth, gone=gone)
            if known is not None:
                return known
        if self._answer(value, locator):
            return 1
        if isinstance(value, list):
            inner = [v for v in value if isinstance(v, dict) and is_kubernetes(v)]
        elif isinstance(value, dict):
            inner = [v for v in value.values() if isinstance(v, dict) and is_kubernetes(v)]
        else:
            return 0
        return sum(self._tried(v, locator, depth + 1) for v in inner)

    def _kubernetes(self, value: dict[str, Any], locator: str, depth: int, *, gone: bool) -> int | None:
        """How much was understood of something that the API server gives; None where it is nothing of its."""
        kind = value.get("kind")
        if kind == "Table":
            return self._table(value, locator, depth)
        if kind == "Status" and "status" in value:
            self._status(value, locator)
            return 1
        if isinstance(value.get("items"), list) and is_kubernetes(value):
            return self._list(value, locator, depth)
        if isinstance(value.get("type"), str) and isinstance(value.get("object"), dict):
            return self._watch(value, locator, depth)
        return self._object(value, locator, gone=gone) if is_object(value) else None

    def _answer(self, value: Any, locator: str) -> bool:
        """Whether it was an answer of Spark, Prometheus or Alertmanager."""
        if (document := folder_rest.spark_document(value, locator)) is not None:
            self.rest.append(document)
        elif (found := folder_rest.prometheus_samples(value, locator)) is not None:
            self._samples(found)
        elif (alerts := folder_rest.alerts(value, locator)) is not None:
            self.alerts.extend(alerts)
        else:
            return False
        return True

    def _watch(self, value: dict[str, Any], locator: str, depth: int) -> int:
        word, inner = value["type"], value["object"]
        if word == "BOOKMARK":
            return 1
        if word == "ERROR":
            self._status(inner, locator)
            return 1
        if not is_object(inner):
            return self._value(inner, locator, depth + 1)
        return self._object(inner, locator, gone=word == "DELETED")

    def _list(self, value: dict[str, Any], locator: str, depth: int) -> int:
        kind = str(value.get("kind") or "").removesuffix("List")
        meta = value.get("metadata")
        pods: list[Pod] = []
        for item in value["items"]:
            if not isinstance(item, dict):
                continue
            if kind and not item.get("kind"):
                item = {**item, "kind": kind, "apiVersion": item.get("apiVersion", value.get("apiVersion", ""))}
            if is_pod(item):
                pods.extend(self._pod_of_list(item, locator))
            elif is_object(item):
                self._tried(item, locator, depth + 1)
        stamp = str(meta.get("resourceVersion", "")) if isinstance(meta, dict) else ""
        whole = isinstance(meta, dict) and not meta.get("continue")
        version = parse_count(stamp)
        if kind in ("Pod", "") and version is not None and whole and not value.get("_cut"):
            self.pods.saw_list(version, pods)
        return 1

    def _pod_of_list(self, item: dict[str, Any], locator: str) -> tuple[Pod, ...]:
        try:
            return (self._pod(item, locator, gone=False),)
        except Exception as error:
            self.failed.note(f"{locator}: {subject_of(item, 'Pod')}", "reading a file", error)
            return ()

    def _table(self, value: dict[str, Any], locator: str, depth: int) -> int:
        done = 0
        for row in value.get("rows", []) if isinstance(value.get("rows"), list) else []:
            inner = row.get("object") if isinstance(row, dict) else None
            if isinstance(inner, dict) and is_object(inner) and ("spec" in inner or "status" in inner):
                done += self._tried(inner, locator, depth + 1)
        return done or 1

    def _object(self, value: dict[str, Any], locator: str, *, gone: bool = False) -> int:
        kind = value.get("kind")
        if is_event(value):
            meta: Any = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
            name = f"{meta.get('namespace', '')}/{meta['name']}" if meta.get("name") else ""
            event = decode.event(value, Origin("kubernetes", locator))
            self.events.add(_placed(event, locator), name)
        elif is_pod(value):
            self._pod(value, locator, gone=gone)
        elif kind == "Node" or (not kind and has_part(value, "status", "nodeInfo")):
            node = decode.node(value, Origin("kubernetes", f"{locator}: Node {value['metadata'].get('name')}"))
            stamp = str(value["metadata"].get("resourceVersion", ""))
            rank = parse_count(stamp) or 0
            if node.name not in self.nodes or rank >= self.nodes[node.name][0]:
                self.nodes[node.name] = (rank, node)
        elif isinstance(kind, str) and kind not in ("Pod", "PartialObjectMetadata"):
            meta = value["metadata"]
            place = f"{locator}: {kind} {meta.get('namespace', '')}/{meta.get('name')}"
            workload = decode.workload(value, Origin("kubernetes", place), gone=gone)
            target = self.spark if kind in _SPARK_KINDS else self.workloads
            target.add(workload, meta.get("resourceVersion"))
        else:
            return 0
        return 1

    def _pod(self, value: dict[str, Any], locator: str, *, gone: bool) -> Pod:
        meta = value.get("metadata", {})
        place = f"{locator}: Pod {meta.get('namespace', '')}/{meta.get('name', '')}"
        pod = decode.pod(value, Origin("kubernetes", place), gone=gone)
        self.pods.add(pod)
        return pod

    def _status(self, value: dict[str, Any], locator: str) -> None:
        code = value.get("code")
        if isinstance(code, int) and code < 400:
            return
        message = shorten(str(value.get("message", "")), 160)
        self.unread.append((locator, f"the API answered {value.get('code', '?')}: {message}"))

    def _echoes(self, objects: list[dict[str, Any]], events: list[dict[str, Any]], locator: str) -> None:
        for one in redact_value(objects):
            self._tried(one, locator, 0)
        for event in redact_value(events):
            self.events.add(decode.event(event, Origin("kubernetes", locator)), "")

    def _samples(self, found: Iterable[Sample]) -> None:
        for sample in found:
            if len(self.samples) >= MAX_SAMPLES:
                self.unread.append((sample.origin.locator, f"more than {MAX_SAMPLES} samples of metrics"))
                return
            self.samples.append(replace(sample, labels=redact_labels(sample.labels)))

    def _log(self, piece: Piece, text: str, pod: str = "") -> None:
        role = lognames.role_of_text(text)
        if role == "other" and not (pod or self.alone or is_log(text) or is_log_name(piece.locator)):
            self.unread.append((piece.locator, "of no kind of evidence that is known"))
            return
        if role == "submit":
            driver = submitted_driver(text)
            if driver is not None:
                self._pod(redact_value(driver), piece.locator, gone=False)
        origin = Origin("log", f"{piece.locator} [{pod}]" if pod else piece.locator)
        self.logs.append(Log(subject=pod, text=redact(text), origin=origin, role=role, truncated=bool(piece.cut)))

    # the whole ------------------------------------------------------------------------------------------------------

    def facts(self) -> Facts:
        """All that was taken, at the moment that it speaks of last."""
        others = (*self.spark.all(), *self.workloads.all())
        read, events = in_one_namespace(self.pods.merged(), self.events.all(), others)
        read += pods_of_events(events, read)
        read += pods_of_metrics(self.samples, read)
        for app in apps_of_events(events, self.spark.all(), self.pods.merged()):
            self.spark.add(app, "")
        pods = drop_echoes(read)
        nodes = tuple(n for _, n in sorted(self.nodes.values(), key=lambda pair: pair[1].name))
        logs = tuple(with_subject(one, pods) for one in self.logs)
        for log in self.event_logs.values():
            try:
                self.rest.extend(event_documents(log))
            except Exception as error:
                self.failed.note(log.locator, "reading an event log", error)
            if trouble := log.trouble():
                self.unread.append((log.locator, trouble))
        docs = folder_rest.with_app_ids(self.rest, self.folders)
        named = {p.labels.get("spark-app-selector", "") for p in pods} | {doc.app_id for doc in docs}
        named.update(i for log in logs for i in lognames.app_ids(log.text)[:1])
        named.update(_listed(docs))
        rest = (*docs, *folder_rest.measured(self.samples, named))
        facts = Facts(
            at=0.0,
            pods=pods,
            nodes=nodes,
            events=events,
            spark=self.spark.all(),
            workloads=self.workloads.all(),
            logs=logs,
            rest=rest,
            samples=tuple(self.samples),
            alerts=tuple(self.alerts),
            unread=tuple(sorted(set(self.unread))),
            not_judged=tuple(self.failed.failed),
            saved=True,
        )
        return replace(facts, at=max([latest_time(facts), *self.moments]), sources=source_states(facts))


def _placed(event: Event, locator: str) -> Event:
    return replace(event, origin=Origin("kubernetes", f"{locator}: Event {event.reason} of {event.about}"))


def _listed(docs: Iterable[RestDocument]) -> set[str]:
    """Ids of the applications that lists of them name."""
    return {
        row["id"]
        for doc in docs
        if doc.path == "applications" and isinstance(doc.data, list)
        for row in doc.data
        if isinstance(row, dict) and isinstance(row.get("id"), str)
    }
