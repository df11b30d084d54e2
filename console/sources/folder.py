"""A folder of saved evidence → `Facts`, judged by the same engine as a live cluster.

Every file is optional and known by its content: Kubernetes lists, objects, watch streams and timelines (JSON, lines of
JSON, YAML), `kubectl` tables and descriptions, events, logs, Spark's REST answers and event logs, metrics in text,
answers of Prometheus and Alertmanager. What cannot be read is listed in `Facts.unread` with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from console.base.errors import UsageError
from console.health import logs as logtext
from console.health.facts import (
    Alert,
    Condition,
    Container,
    Event,
    Facts,
    Log,
    Node,
    Origin,
    Pod,
    RestDocument,
    Sample,
    SourceState,
    Workload,
)
from console.sources import decode, folder_eventlog, folder_json, folder_rest, folder_text
from console.sources.folder_bytes import Piece, Reader
from console.sources.folder_collected import unwrapped
from console.sources.folder_merge import EventSet, Newest, PodGenerations, drop_echoes

MAX_SAMPLES = 400_000
_SPARK_KINDS = frozenset({"SparkApplication", "ScheduledSparkApplication", "SparkCluster", "SparkConnect"})
_NO_LOG = re.compile(r"^\s*(?:unable to retrieve container logs for |failed to try resolving symlinks)")
_LOGLIKE = re.compile(
    r"(?m)^(?:Traceback \(most recent call last\)|Exception in thread |Error: |[\w.$]+(?:Exception|Error)\b)"
)
_JSON_START = re.compile(r"\{\s*[\"}]|\{\s*$|\[\s*[\[{\"\]]|\[\s*$")
_KERNEL = re.compile(
    r"NVRM: Xid|XidCriticalError|Driver/library version mismatch|Full thread dump|Memory cgroup out of memory|oom-kill:"
    r"|Out of memory: Killed process"
)


def read_folder(path: Path) -> Facts:
    """All facts of a folder of evidence.

    Raises:
        UsageError: it does not exist, is no folder, or may not be read.
    """
    if not path.exists():
        raise UsageError(f"there is no folder {str(path)!r}", hint="give a folder of saved evidence")
    if not path.is_dir():
        raise UsageError(f"{str(path)!r} is no folder", hint="give the folder that holds the saved evidence")
    try:
        next(path.iterdir(), None)
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    reader = Reader(path)
    harvest = _Harvest(reader.unread)
    for piece in reader.pieces():
        try:
            harvest.take(piece)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            reader.unread.append((piece.locator, f"not understood: {type(error).__name__}"))
    return harvest.facts()


@dataclass
class _Harvest:
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
    folders: dict[str, str] = field(default_factory=dict)
    event_logs: dict[str, folder_eventlog.EventLog] = field(default_factory=dict)

    # one file -------------------------------------------------------------------------------------------------------

    def take(self, piece: Piece) -> None:
        text = piece.text.lstrip("\ufeff")
        self.folders[piece.locator] = piece.locator.rpartition("/")[0]
        parts = unwrapped(text)
        if len(parts) > 1 or parts[0][1] is not text:
            for pod, own in parts:
                self._log(Piece(piece.locator, own, piece.cut), own, pod)
            return
        head = text.lstrip()[:200]
        if not head:
            return
        if folder_eventlog.is_event(head):
            self._event_log(piece, text)
        elif _JSON_START.match(head) and not _structured_log(text):
            self._json(piece, text)
        elif head.startswith("Error from server"):
            self.unread.append((piece.locator, f"kubectl was refused: {head.splitlines()[0][:160]}"))
        elif _NO_LOG.match(head):
            self.unread.append((piece.locator, "the container's log had already been removed from the node"))
        elif folder_text.is_describe(text):
            pods, events = folder_text.described(text)
            self._echoes(pods, events, piece.locator)
        elif folder_text.is_pod_table(text):
            self._echoes(folder_text.pod_table(text), [], piece.locator)
        elif folder_text.is_event_table(text):
            self._echoes([], folder_text.event_table(text), piece.locator)
        elif folder_text.is_exposition(text):
            self._samples(folder_text.samples(text, Origin("prometheus", piece.locator)))
        elif folder_text.is_yaml(text) and logtext.role_of_text(text) == "other":
            documents, wrong = folder_text.yaml_documents(text)
            self._documents(documents, piece.locator, wrong)
        elif head.lower().startswith(("<!doctype html", "<html")):
            self.unread.append((piece.locator, "an HTML page, not the answer that was asked for"))
        else:
            self._log(piece, text)

    def _event_log(self, piece: Piece, text: str) -> None:
        key = folder_eventlog.group_key(piece.locator)
        log = self.event_logs.setdefault(key, folder_eventlog.EventLog(piece.locator))
        log.feed(text, folder_eventlog.order(piece.locator))

    def _json(self, piece: Piece, text: str) -> None:
        values, wrong = folder_json.documents(text)
        if wrong == folder_json.CUT and not all(
            isinstance(v, dict) and ("status" in v or _is_event(v)) for v in values
        ):
            values, wrong = [], "cut off before its status: nothing of it can be judged"
        if not values and len(text.splitlines()) > 3 and logtext.role_of_text(text) != "other":
            self._log(piece, text)
            return
        self._documents(values, piece.locator, "" if piece.cut else wrong)

    def _documents(self, values: list[Any], locator: str, wrong: str) -> None:
        known = 0
        for value in values:
            known += self._value(value, locator, 0)
        if wrong:
            self.unread.append((locator, wrong))
        elif values and not known:
            self.unread.append((locator, "of no kind of evidence that is known"))

    # one value ------------------------------------------------------------------------------------------------------

    def _value(self, value: Any, locator: str, depth: int, *, gone: bool = False) -> int:
        """How much was understood of one JSON or YAML value."""
        if depth > 3:
            return 0
        if isinstance(value, dict):
            kind = value.get("kind")
            if kind == "Table":
                return self._table(value, locator, depth)
            if kind == "Status" and "status" in value:
                self._status(value, locator)
                return 1
            if isinstance(value.get("items"), list) and (isinstance(kind, str) and kind.endswith("List")):
                return self._list(value, locator, depth)
            if isinstance(value.get("type"), str) and isinstance(value.get("object"), dict):
                return self._watch(value, locator, depth)
            if _is_object(value):
                return self._object(value, locator, gone=gone)
        document = folder_rest.spark_document(value, locator)
        if document is not None:
            self.rest.append(document)
            return 1
        found = folder_rest.prometheus_samples(value, locator)
        if found is not None:
            self._samples(found)
            return 1
        alerts = folder_rest.alerts(value, locator)
        if alerts is not None:
            self.alerts.extend(alerts)
            return 1
        if isinstance(value, list):
            return sum(self._value(v, locator, depth + 1) for v in value if isinstance(v, dict) and _is_kubernetes(v))
        if isinstance(value, dict):
            inner = [v for v in value.values() if isinstance(v, dict) and _is_kubernetes(v)]
            return sum(self._value(v, locator, depth + 1) for v in inner[:50])
        return 0

    def _watch(self, value: dict[str, Any], locator: str, depth: int) -> int:
        word, inner = value["type"], value["object"]
        if word == "BOOKMARK":
            return 1
        if word == "ERROR":
            self._status(inner, locator)
            return 1
        if not _is_object(inner):
            return self._value(inner, locator, depth + 1)
        return self._object(inner, locator, gone=word == "DELETED")

    def _list(self, value: dict[str, Any], locator: str, depth: int) -> int:
        kind = str(value.get("kind", ""))[: -len("List")]
        meta = value.get("metadata")
        pods: list[Pod] = []
        for item in value["items"]:
            if not isinstance(item, dict):
                continue
            if kind and not item.get("kind"):
                item = {**item, "kind": kind, "apiVersion": item.get("apiVersion", value.get("apiVersion", ""))}
            if _is_pod(item):
                pod = self._pod(item, locator, gone=False)
                if pod is not None:
                    pods.append(pod)
            elif _is_object(item):
                self._object(item, locator)
        stamp = str(meta.get("resourceVersion", "")) if isinstance(meta, dict) else ""
        whole = isinstance(meta, dict) and not meta.get("continue")
        if kind in ("Pod", "") and stamp.isdigit() and whole and not value.get("_cut"):
            self.pods.saw_list(int(stamp), pods)
        return 1

    def _table(self, value: dict[str, Any], locator: str, depth: int) -> int:
        done = 0
        for row in value.get("rows", []) if isinstance(value.get("rows"), list) else []:
            inner = row.get("object") if isinstance(row, dict) else None
            if isinstance(inner, dict) and _is_object(inner) and ("spec" in inner or "status" in inner):
                done += self._object(inner, locator)
        return done or 1

    def _object(self, value: dict[str, Any], locator: str, *, gone: bool = False) -> int:
        kind = value.get("kind")
        if _is_event(value):
            meta: Any = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
            name = f"{meta.get('namespace', '')}/{meta['name']}" if meta.get("name") else ""
            event = decode.event(value, Origin("kubernetes", locator))
            self.events.add(_placed(event, locator), name)
        elif _is_pod(value):
            self._pod(value, locator, gone=gone)
        elif kind == "Node" or (not kind and _has(value, "status", "nodeInfo")):
            node = decode.node(value, Origin("kubernetes", f"{locator}: Node {value['metadata'].get('name')}"))
            stamp = str(value["metadata"].get("resourceVersion", ""))
            rank = int(stamp) if stamp.isdigit() else 0
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

    def _pod(self, value: dict[str, Any], locator: str, *, gone: bool) -> Pod | None:
        meta = value.get("metadata", {})
        place = f"{locator}: Pod {meta.get('namespace', '')}/{meta.get('name', '')}"
        pod = decode.pod(value, Origin("kubernetes", place), gone=gone)
        self.pods.add(pod)
        return pod

    def _status(self, value: dict[str, Any], locator: str) -> None:
        code = value.get("code")
        if isinstance(code, int) and code < 400:
            return
        message = str(value.get("message", ""))[:160]
        self.unread.append((locator, f"the API answered {value.get('code', '?')}: {message}"))

    def _echoes(self, pods: list[dict[str, Any]], events: list[dict[str, Any]], locator: str) -> None:
        for pod in pods:
            self._pod(pod, locator, gone=False)
        for event in events:
            self.events.add(decode.event(event, Origin("kubernetes", locator)), "")

    def _samples(self, found: Iterable[Sample]) -> None:
        for sample in found:
            if len(self.samples) >= MAX_SAMPLES:
                self.unread.append((sample.origin.locator, f"more than {MAX_SAMPLES} samples of metrics"))
                return
            self.samples.append(sample)

    def _log(self, piece: Piece, text: str, pod: str = "") -> None:
        role = logtext.role_of_text(text)
        if role == "other" and not _is_log(text):
            self.unread.append((piece.locator, "of no kind of evidence that is known"))
            return
        if role == "submit":
            driver = folder_text.submitted_driver(text)
            if driver is not None:
                self._pod(driver, piece.locator, gone=False)
        origin = Origin("log", f"{piece.locator} [{pod}]" if pod else piece.locator)
        self.logs.append(Log(subject=pod, text=text, origin=origin, role=role, truncated=bool(piece.cut)))

    # the whole ------------------------------------------------------------------------------------------------------

    def facts(self) -> Facts:
        events = self.events.all()
        read = list(self.pods.merged())
        read += _told_of(events, read)
        read += _counted(self.samples, read)
        for app in _operated(
            events, self.spark.all(), alone=not any("spark-role" in p.labels for p in self.pods.merged())
        ):
            self.spark.add(app, "")
        pods = drop_echoes(read)
        nodes = tuple(n for _, n in sorted(self.nodes.values(), key=lambda pair: pair[1].name))
        logs = tuple(_subject(one, pods) for one in self.logs)
        for log in self.event_logs.values():
            self.rest.extend(log.documents())
            if trouble := log.trouble():
                self.unread.append((log.locator, trouble))
        docs = folder_rest.with_app_ids(self.rest, self.folders)
        named = {p.labels.get("spark-app-selector", "") for p in pods} | {doc.app_id for doc in docs}
        named.update(i for log in logs for i in logtext.app_ids(log.text)[:1])
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
        )
        return replace(facts, at=_latest(facts), sources=_sources(facts))


def _is_kubernetes(value: dict[str, Any]) -> bool:
    kind = value.get("kind")
    return (
        _is_object(value) or kind == "Table" or (isinstance(kind, str) and kind.endswith("List") and "items" in value)
    )


def _is_object(value: dict[str, Any]) -> bool:
    meta = value.get("metadata")
    if not isinstance(meta, dict):
        return False
    if _is_event(value):
        return True
    return (
        isinstance(meta.get("name"), str)
        and bool(meta["name"])
        and (isinstance(value.get("kind"), str) or "spec" in value or "status" in value)
    )


def _is_event(value: dict[str, Any]) -> bool:
    return "reason" in value and (
        isinstance(value.get("involvedObject"), dict) or isinstance(value.get("regarding"), dict)
    )


def _is_pod(value: dict[str, Any]) -> bool:
    kind = value.get("kind")
    if kind is not None:
        return kind == "Pod" and isinstance(value.get("metadata"), dict) and bool(value["metadata"].get("name"))
    return _has(value, "spec", "containers") or _has(value, "status", "containerStatuses")


def _has(value: dict[str, Any], part: str, key: str) -> bool:
    inner = value.get(part)
    return isinstance(inner, dict) and key in inner


def _structured_log(text: str) -> bool:
    first = text.lstrip().partition("\n")[0][:200_000]
    if not first.startswith("{") or not re.search(r'"(?:log\.)?level"', first):
        return False
    return logtext.is_head(first) and re.search(r'"(?:msg|message)" ?:', first) is not None


def _is_log(text: str) -> bool:
    lines = text[:40_000].splitlines()[:200]
    if any(logtext.is_head(line) for line in lines):
        return True
    part = text[:400_000]
    return _LOGLIKE.search(part) is not None or _KERNEL.search(part) is not None


def _placed(event: Event, locator: str) -> Event:
    return replace(event, origin=Origin("kubernetes", f"{locator}: Event {event.reason} of {event.about}"))


_SPARK_POD = re.compile(r"-driver$|-exec-(\d+)$")


_ENDED_BY = frozenset({"Evicted", "Preempted", "TaintManagerEviction", "ScaleDown", "Disrupted", "NodeShutdown"})


def _told_of(events: Iterable[Event], known: Iterable[Pod]) -> list[Pod]:
    """Spark pods that only events still speak of, by the names that Spark gives them.

    Where the pods of the namespace were saved as well, only those that something outside of them ended: one that waited
    once and is not there any more waits no longer.
    """
    spark = [p for p in known if "spark-role" in p.labels]
    listed = {p.namespace for p in spark}
    seen = {(p.namespace, p.name) for p in known}
    apps = {(p.namespace, _stem(p.name)): p.labels for p in spark}
    out: dict[tuple[str, str], Pod] = {}
    for event in events:
        found = _SPARK_POD.search(event.name) if event.kind == "Pod" else None
        key = (event.namespace, event.name)
        if found is None or key in out or key in seen:
            continue
        if event.namespace in listed and event.reason not in _ENDED_BY:
            continue
        labels = {"spark-role": "executor" if found.group(1) else "driver"}
        if found.group(1):
            labels["spark-exec-id"] = found.group(1)
        near = apps.get((event.namespace, _stem(event.name)), {})
        labels.update({k: v for k, v in near.items() if k in _APP_LABELS})
        out[key] = Pod(event.namespace, event.name, event.origin, labels=labels)
    return list(out.values())


_APP_LABELS = ("spark-app-selector", "spark-app-name", "sparkoperator.k8s.io/app-name")


def _stem(name: str) -> str:
    """What Spark's pods of one application share: `etl-1f3a` of `etl-1f3a-exec-7` and of `etl-1f3a-driver`."""
    return re.sub(r"-driver$|-exec-\d+$", "", name)


def _counted(samples: Iterable[Sample], known: Iterable[Pod]) -> list[Pod]:
    """Spark pods that only metrics of kube-state-metrics and cAdvisor still speak of, by their container's name."""
    seen = {(p.namespace, p.name) for p in known}
    out: list[Pod] = []
    by_pod: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        labels = sample.labels
        place = (
            labels.get("exported_namespace") or labels.get("namespace", ""),
            labels.get("exported_pod") or labels.get("pod", ""),
        )
        if place[1] and place not in seen:
            by_pod.setdefault(place, []).append(sample)
    for (namespace, name), own in by_pod.items():
        found = _SPARK_POD.search(name)
        role = next((r for s in own if (r := _SPARK_CONTAINERS.get(s.labels.get("container", "")))), "")
        if not role and found is not None:
            role = "executor" if found.group(1) else "driver"
        if role:
            number = name.rpartition("-exec-")[2]
            own_labels = {"spark-role": role}
            if role == "executor" and number.isdigit():
                own_labels["spark-exec-id"] = number
            out.append(_counted_pod(namespace, name, own_labels, own))
    return out


def _counted_pod(namespace: str, name: str, labels: dict[str, str], samples: list[Sample]) -> Pod:
    """A pod as the gauges of kube-state-metrics describe it: those that are 1."""
    said: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.value > 0:
            said.setdefault(sample.name, []).append(sample)
    waits = said.get("kube_pod_container_status_waiting_reason", [])
    reasons = [s.labels.get("reason", "") for s in said.get("kube_pod_status_reason", [])]
    phases = [s.labels.get("phase", "") for s in said.get("kube_pod_status_phase", [])]
    homeless = "kube_pod_status_unschedulable" in said
    container = Container(
        f"spark-kubernetes-{labels['spark-role']}",
        state="waiting" if waits else "unknown",
        waiting_reason=waits[-1].labels.get("reason", "") if waits else "",
    )
    phase = phases[-1] if phases else "Pending" if waits or homeless else "Failed" if reasons else "Unknown"
    return Pod(
        namespace,
        name,
        samples[0].origin,
        labels=labels,
        phase=phase,
        reason=reasons[-1] if reasons else "",
        conditions=(Condition("PodScheduled", "False", "Unschedulable"),) if homeless else (),
        containers=(container,),
    )


_SPARK_CONTAINERS = {"spark-kubernetes-driver": "driver", "spark-kubernetes-executor": "executor"}


def _listed(docs: Iterable[RestDocument]) -> set[str]:
    """Ids of the applications that lists of them name."""
    return {
        row["id"]
        for doc in docs
        if doc.path == "applications" and isinstance(doc.data, list)
        for row in doc.data
        if isinstance(row, dict) and isinstance(row.get("id"), str)
    }


_REFUSED = ("SparkApplicationSubmissionFailed", "SparkApplicationFailed")


def _operated(events: Iterable[Event], known: Iterable[Workload], *, alone: bool) -> list[Workload]:
    """Applications that only the operator's events still speak of; beside pods (not `alone`), only failed ones."""
    named = {(w.namespace, w.name) for w in known if w.kind == "SparkApplication"}
    out: dict[tuple[str, str], Workload] = {}
    for event in events:
        key = (event.namespace, event.name)
        if event.kind == "SparkApplication" and key not in named and event.reason.startswith("Spark"):
            if not alone and event.reason not in _REFUSED:
                continue
            out[key] = Workload(
                api_version="sparkoperator.k8s.io/v1beta2",
                kind="SparkApplication",
                namespace=event.namespace,
                name=event.name,
                origin=event.origin,
            )
    return list(out.values())


def _subject(log: Log, pods: tuple[Pod, ...]) -> Log:
    """Whose log it is: a pod that its file's name or its own first lines give, else an executor id or its role."""
    base = log.subject or log.origin.locator.rpartition("/")[2].rpartition("!")[2]
    host = log.subject or logtext.process_host(log.text)
    folders = set(log.origin.locator.split("/")[:-1])
    best: Pod | None = None
    for pod in pods:
        named = pod.name in base or pod.name in folders or (bool(host) and host == pod.name)
        if named and (best is None or len(pod.name) > len(best.name) or (pod.created or 0) > (best.created or 0)):
            best = pod
    if best is not None and log.role not in ("submit", "master", "worker", "operator"):
        role = best.labels.get("spark-role", "")
        kept = log.role if log.role != "other" else ("driver" if role == "driver" else "executor" if role else "other")
        return replace(log, subject=f"Pod/{best.namespace}/{best.name}", role=kept)
    if log.role == "executor":
        return replace(log, subject=logtext.executor_id(log.text) or "executor")
    return replace(log, subject=log.role)


def _latest(facts: Facts) -> float:
    """The moment that the evidence speaks of last."""
    times: list[float] = [0.0]
    for pod in facts.pods:
        times.extend(t for t in (pod.created, pod.started, pod.deleted) if t)
        times.extend(c.since for c in pod.conditions if c.since)
        for container in pod.containers:
            end = container.terminated or container.last_terminated
            times.extend(t for t in (container.started, end.finished if end else None) if t)
    times.extend(e.last for e in facts.events if e.last)
    times.extend(s.at for s in facts.samples if s.at)
    for log in facts.logs:
        for line in reversed(log.text[-4_000:].splitlines()):
            at = logtext.time_of(line)
            if at is not None:
                times.append(at)
                break
    return max(times)


def _sources(facts: Facts) -> tuple[SourceState, ...]:
    counts = {
        "pods": len(facts.pods),
        "nodes": len(facts.nodes),
        "events": len(facts.events),
        "applications": len(facts.spark),
        "logs": len(facts.logs),
        "spark-rest": len(facts.rest),
        "metrics": len(facts.samples),
        "alerts": len(facts.alerts),
    }
    return tuple(
        SourceState(
            name, "fresh" if count else "absent", detail=f"{count} read" if count else "nothing of it in the folder"
        )
        for name, count in counts.items()
    )
