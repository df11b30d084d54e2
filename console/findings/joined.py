"""All facts and applications of one moment, joined: which events, logs, samples and pods belong to what.

Everything is found on demand and kept: a healthy application costs a rule almost nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from console.apps import deaths
from console.apps.attach import Attached, attach
from console.apps.groups import Group, GroupId, Grouping, grouping
from console.apps.model import SparkApp
from console.facts import logs
from console.facts.indexes import EventIndex, index_events
from console.facts.logs import Hit, Text
from console.facts.model import Event, Facts, Log, Node, Pod, RestDocument, Sample, Workload
from console.facts.wordings import WORDINGS
from console.findings.waits.ledger import KueueLedger, stated
from console.findings.waits.shares import in_queue, named, ranked
from console.gpu.build import Inventory, inventory
from console.gpu.faults import kernel_lines

TextCache = dict[int, Text]
"""Identity of a log → its text; the text holds the log, so that the identity stays its own."""

_INDEX_OF = {
    "events": ("events",),
    "nodes": ("nodes",),
    "samples": ("samples", "_owners"),
    "workloads": ("workloads", "kueue"),
    "pods": ("troubled", "pending", "_leaving"),
}
"""Part of `Facts` → the indexes that follow from nothing else."""


def _life(pod: Pod) -> tuple[float, float]:
    """When a pod was made, and when its main container ended."""
    done = pod.main.terminated if pod.main is not None else None
    return pod.created or 0.0, (done.finished if done is not None else None) or math.inf


def _meets(pod: Pod, nodes: frozenset[str], begun: float, ended: float) -> bool:
    """Whether it was on one of these nodes at that time."""
    began, over = _life(pod)
    return pod.node in nodes and began < ended and over > begun


class KueuePlace(NamedTuple):
    """Where a Workload of Kueue stands: the name of its cluster queue (`` where that was not read), both queues, its
    place among how many, and who is the head where that is another."""

    cluster: str
    local: Workload | None
    object: Workload | None
    place: int | None
    among: int | None
    head: Workload | None


NOWHERE = KueuePlace("", None, None, None, None, None)


class JoinedFacts:
    """All facts and applications of one moment, with the joins that several rules need.

    Args:
        texts: logs with their line starts and hits, kept by the identity of the log where the caller judges a stream.
        grouped: the objects by application, where the caller has them.
        kept: indexes of other facts with the same parts.
    """

    def __init__(
        self,
        facts: Facts,
        apps: Sequence[SparkApp],
        texts: TextCache | None = None,
        grouped: Grouping | None = None,
        kept: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        for indexes in kept:
            self.__dict__.update(indexes)
        self.facts, self.apps = facts, tuple(apps)
        self.now = facts.at
        self._texts: TextCache = {} if texts is None else texts
        self._grouped = grouping(facts) if grouped is None else grouped

    def indexes(self) -> dict[str, dict[str, Any]]:
        """The indexes that were made, by the one part of the facts that they follow from."""
        made = self.__dict__
        return {part: {name: made[name] for name in names if name in made} for part, names in _INDEX_OF.items()}

    def text(self, log: Log) -> Text:
        """The text of a log, made once."""
        made = self._texts.get(id(log))
        if made is None or made.log is not log:
            made = self._texts[id(log)] = Text(log)
        return made

    @property
    def groups(self) -> dict[GroupId, Group]:
        return self._grouped.groups

    @property
    def others(self) -> list[Pod]:
        """Pods that are neither driver nor executor nor Connect server."""
        return self._grouped.others

    @cached_property
    def attached(self) -> Attached:
        return attach(self.facts, self.groups)

    @cached_property
    def events(self) -> EventIndex:
        return index_events(self.facts.events)

    @cached_property
    def nodes(self) -> dict[str, Node]:
        return {n.name: n for n in self.facts.nodes}

    @cached_property
    def troubled(self) -> list[Pod]:
        """Pods with a reason of their own (Evicted, NodeLost, UnexpectedAdmissionError, …)."""
        return [p for p in self.facts.pods if p.reason]

    @cached_property
    def pending(self) -> list[Pod]:
        """Pods that have not started."""
        return [p for p in self.facts.pods if p.phase == "Pending"]

    @cached_property
    def operators(self) -> list[Pod]:
        """Pods of Spark operators."""
        return [p for p in self.others if "spark-role" not in p.labels and "operator" in p.name]

    def on_node(self, name: str) -> list[Pod]:
        """Living Spark pods of a node."""
        return [
            p
            for p in self.facts.pods
            if p.node == name and ("spark-role" in p.labels or "spark-app-selector" in p.labels) and not deaths.over(p)
        ]

    @cached_property
    def samples(self) -> dict[str, list[Sample]]:
        out: dict[str, list[Sample]] = {}
        for sample in self.facts.samples:
            out.setdefault(sample.name, []).append(sample)
        return out

    @cached_property
    def gpus(self) -> Inventory:
        """GPUs, who holds them and what is wrong with them."""
        return inventory(self.facts, self.apps, kernel_lines(self.facts))

    @cached_property
    def workloads(self) -> dict[str, list[Workload]]:
        out: dict[str, list[Workload]] = {}
        for workload in self.facts.workloads:
            out.setdefault(workload.kind, []).append(workload)
        return out

    @cached_property
    def shared(self) -> list[Text]:
        """Logs of no single application."""
        return [self.text(log) for log in self.attached.shared_logs]

    def shared_hits(self, wording: str) -> list[Hit]:
        return logs.find(self.shared, wording, WORDINGS[wording])

    @cached_property
    def kueue(self) -> KueueLedger:
        """Kueue's objects, looked up once."""
        return KueueLedger(
            w for kind in ("Workload", "LocalQueue", "ClusterQueue") for w in self.workloads.get(kind, ())
        )

    # what may be asked from one application -----------------------------------------------------------------------

    def clock(self) -> float:
        return self.now

    def is_past(self, moment: float) -> bool:
        return self.now >= moment

    def nodes_by_name(self) -> dict[str, Node]:
        return self.nodes

    def is_saved(self) -> bool:
        return self.facts.saved

    def measured(self) -> bool:
        return bool(self.facts.samples)

    def one_application(self) -> bool:
        return len(self.apps) == 1

    def documents(self) -> tuple[RestDocument, ...]:
        return self.facts.rest

    def documents_of_none(self) -> list[RestDocument]:
        return self.attached.shared_rest

    def texts_of_none(self, *roles: str) -> list[Text]:
        return [text for text in self.shared if text.log.role in roles]

    def workloads_of(self, kind: str) -> list[Workload]:
        return self.workloads.get(kind, [])

    def kueue_workload_of(self, namespace: str, kind: str, name: str, uid: str) -> Workload | None:
        return self.kueue.of(namespace, kind, name, uid)

    def kueue_place(self, namespace: str, name: str, queue: str) -> KueuePlace | None:
        if (local := self.kueue.local(namespace, queue)) is None:
            return None
        cluster = self.kueue.cluster_of(namespace, queue)
        place, among, head = self.kueue.place(namespace, name, cluster)
        return KueuePlace(cluster, local, self.kueue.clusters.get(cluster), place, among, head)

    def kueue_holders_of(self, cluster: str, resource: str) -> tuple[str, ...]:
        return self.kueue.holders(cluster, resource)

    def kueue_name_of(self, uid: str) -> str:
        return self.kueue.named(uid)

    def shares_of(self, resource: str, namespace: str, but: str) -> tuple[str, ...]:
        held = self._held(("", namespace, resource), lambda pod: not namespace or pod.namespace == namespace)
        return named(held, resource, but)

    def shares_in_queue(self, queue: str, resource: str, but: str) -> tuple[str, ...]:
        return named(self._held((queue, "", resource), in_queue(queue)), resource, but)

    def _held(self, asked: tuple[str, str, str], wanted: Callable[[Pod], bool]) -> tuple[tuple[float, str], ...]:
        """Who holds most of (queue, namespace, resource): reckoned once, however many wait for it."""
        made = self._shares.get(asked)
        if made is None:
            made = self._shares[asked] = ranked(self.groups.values(), asked[2], wanted)
        return made

    @cached_property
    def _shares(self) -> dict[tuple[str, str, str], tuple[tuple[float, str], ...]]:
        return {}

    def applications_on(self, nodes: frozenset[str], but: str) -> tuple[str, ...]:
        own = [_life(p) for g in self.groups.values() if g.key == but for p in (*g.drivers, *g.executors)]
        begun, ended = min((a for a, _ in own), default=0.0), max((b for _, b in own), default=math.inf)
        return tuple(
            g.key
            for g in self.groups.values()
            if g.key != but and any(_meets(p, nodes, begun, ended) for p in (*g.drivers, *g.executors))
        )

    def new_applications(self) -> tuple[str, ...]:
        return self._new

    @cached_property
    def _new(self) -> tuple[str, ...]:
        """Keys of applications without a state, the oldest first."""
        fresh = [cr for cr in self.facts.spark if cr.kind == "SparkApplication" and not cr.gone and not stated(cr)]
        return tuple(cr.key for cr in sorted(fresh, key=lambda cr: (cr.created or 0.0, cr.key)))

    def operator_names(self) -> tuple[str, ...]:
        return tuple(f"{p.namespace}/{p.name} ({p.phase})" for p in self.operators[:3])

    def events_about(self, key: str) -> list[Event]:
        return self.events.get(key, [])

    @cached_property
    def _leaving(self) -> dict[str, list[Pod]]:
        out: dict[str, list[Pod]] = {}
        for pod in self.facts.pods:
            if pod.deleted is not None:
                out.setdefault(pod.node, []).append(pod)
        return out

    def pods_leaving(self, node: str) -> list[Pod]:
        return self._leaving.get(node, [])

    def series_named(self, part: str, end: str) -> dict[str, list[Sample]]:
        return {name: found for name, found in self.samples.items() if part in name and name.endswith(end)}

    def samples_of(self, name: str, app_ids: frozenset[str], pods: frozenset[tuple[str, str]]) -> list[Sample]:
        found = self.samples.get(name, [])
        if not found:
            return []
        by_app, by_pod = self._samples_by_owner(name)
        places = {i for id in app_ids for i in by_app.get(id, ())} | {i for pod in pods for i in by_pod.get(pod, ())}
        return [found[i] for i in sorted(places)]

    def _samples_by_owner(self, name: str) -> tuple[dict[str, list[int]], dict[tuple[str, str], list[int]]]:
        """Places in the samples of a series by application id, and by (namespace, name) of the pod."""
        made = self._owners.get(name)
        if made is None:
            by_app: dict[str, list[int]] = {}
            by_pod: dict[tuple[str, str], list[int]] = {}
            for index, sample in enumerate(self.samples[name]):
                labels = sample.labels
                if (app_id := labels.get("application_id")) is not None:
                    by_app.setdefault(app_id, []).append(index)
                namespace = labels.get("exported_namespace") or labels.get("namespace", "")
                by_pod.setdefault((namespace, labels.get("exported_pod") or labels.get("pod", "")), []).append(index)
            made = self._owners[name] = by_app, by_pod
        return made

    @cached_property
    def _owners(self) -> dict[str, tuple[dict[str, list[int]], dict[tuple[str, str], list[int]]]]:
        return {}
