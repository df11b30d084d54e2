"""What the cluster source hands out: one immutable picture, and how it is put together from many parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from console.facts.counted import CountedAttempts
from console.facts.leftout import LeftOut
from console.facts.model import (
    Alert,
    Event,
    Facts,
    Log,
    Node,
    Pod,
    RestDocument,
    Sample,
    SourceState,
    Workload,
)
from console.facts.monitoring import Monitoring
from console.facts.notjudged import NotJudged

RECENT = 6 * 3600.0
"""Seconds for which captured evidence of an application that is no longer there belongs to the picture."""


class ClusterFacts(Struct, frozen=True):
    """What the cluster source knows at `at`. The same object until something changes."""

    generation: int
    at: float
    pods: tuple[Pod, ...] = ()
    nodes: tuple[Node, ...] = ()
    events: tuple[Event, ...] = ()
    spark: tuple[Workload, ...] = ()
    workloads: tuple[Workload, ...] = ()
    logs: tuple[Log, ...] = ()
    sources: tuple[SourceState, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def facts(
        self,
        at: float | None = None,
        *,
        logs: Iterable[Log] = (),
        rest: Iterable[RestDocument] = (),
        samples: Iterable[Sample] = (),
        alerts: Iterable[Alert] = (),
        sources: Iterable[SourceState] = (),
        unread: Iterable[tuple[str, str]] = (),
        monitoring: Monitoring | None = None,
        not_judged: Iterable[NotJudged] = (),
        left_out: Iterable[LeftOut] = (),
        counted: Mapping[str, CountedAttempts] | None = None,
    ) -> Facts:
        """The input of `health`: this picture and what other sources know."""
        return Facts(
            at=self.at if at is None else at,
            pods=self.pods,
            nodes=self.nodes,
            events=self.events,
            spark=self.spark,
            workloads=self.workloads,
            logs=(*self.logs, *logs),
            rest=tuple(rest),
            samples=tuple(samples),
            alerts=tuple(alerts),
            sources=(*self.sources, *sources),
            unread=(*self.unread, *unread),
            monitoring=monitoring,
            not_judged=(*self.not_judged, *not_judged),
            left_out=(*self.left_out, *left_out),
            counted=counted or {},
        )


def all_pods(live: Mapping[str, Pod], gone: Mapping[str, Pod], captured: Mapping[str, Pod], now: float) -> list[Pod]:
    """Live pods, then the vanished, then those that only the disk remembers; one per uid."""
    out = list(live.values())
    out.extend(pod for uid, pod in gone.items() if uid not in live)
    if not captured:
        return out
    selectors = {pod.labels.get("spark-app-selector") for pod in live.values()} - {None}
    names = {(pod.namespace, pod.labels.get("sparkoperator.k8s.io/app-name")) for pod in live.values()}
    for uid, pod in captured.items():
        if uid in live or uid in gone:
            continue
        known = pod.labels.get("spark-app-selector") in selectors
        app = pod.labels.get("sparkoperator.k8s.io/app-name")
        recent = pod.origin.at is not None and now - pod.origin.at < RECENT
        if known or recent or (app is not None and (pod.namespace, app) in names):
            out.append(pod)
    return out


def their_events(
    events: Iterable[Event],
    captured: Mapping[str, tuple[Event, ...]],
    pods: Iterable[Pod],
    others: Iterable[Workload],
) -> list[Event]:
    """Events about nodes, about what is in the picture and what its workloads made, and about pods that could not be
    created; events that were kept of dead pods among them."""
    uids: set[str] = set()
    names: set[tuple[str, str, str]] = set()
    for pod in pods:
        uids.add(pod.uid)
        names.add(("Pod", pod.namespace, pod.name))
    for thing in others:
        uids.add(thing.uid)
        names.add((thing.kind, thing.namespace, thing.name))
    spaces = {namespace for kind, namespace, _ in names if kind == "Pod"}
    out = []
    seen: set[tuple[str, str, str, float | None]] = set()
    for event in events:
        wanted = (
            event.kind == "Node"
            or event.reason == "FailedCreate"
            or _made_by(event, names)
            or (bool(event.uid) and event.uid in uids)
            or (event.kind, event.namespace, event.name) in names
            or (event.kind not in ("Pod", "ReplicaSet", "Job") and event.namespace in spaces)
        )
        if wanted:
            out.append(event)
            seen.add((event.uid, event.reason, event.message, event.last))
    for uid, kept in captured.items():
        if uid in uids:
            out.extend(e for e in kept if (e.uid, e.reason, e.message, e.last) not in seen)
    return out


def _made_by(event: Event, names: set[tuple[str, str, str]]) -> bool:
    """Whether it warns about a ReplicaSet or pod of a workload in the picture: their names begin with its name."""
    if event.type != "Warning" or event.kind not in ("ReplicaSet", "Pod"):
        return False
    above = event.name.rpartition("-")[0]
    if event.kind == "ReplicaSet":
        return ("Deployment", event.namespace, above) in names
    kinds = (("StatefulSet", above), ("DaemonSet", above), ("Deployment", above.rpartition("-")[0]))
    return any((kind, event.namespace, name) in names for kind, name in kinds)


def lacks_pods(workload: Workload) -> bool:
    """Whether fewer of its pods are ready than it wants."""
    wanted, ready = workload.spec.get("replicas", 1), workload.status.get("readyReplicas") or 0
    return isinstance(wanted, int) and isinstance(ready, int) and ready < wanted


def runs_spark(workload: Workload) -> bool:
    """Whether a Deployment or StatefulSet says Spark anywhere in its containers: a Connect server, an operator, a
    History Server, a standalone master."""
    template = workload.spec.get("template")
    spec = template.get("spec") if isinstance(template, dict) else None
    containers = spec.get("containers") if isinstance(spec, dict) else None
    for container in containers if isinstance(containers, list) else []:
        if not isinstance(container, dict):
            continue
        said = [
            container.get("image"),
            container.get("name"),
            *_listed(container, "command"),
            *_listed(container, "args"),
        ]
        said.extend(e.get("name") for e in _listed(container, "env") if isinstance(e, dict))
        if any(isinstance(text, str) and "spark" in text.lower() for text in said):
            return True
        if any(isinstance(p, dict) and p.get("containerPort") == 15002 for p in _listed(container, "ports")):
            return True
    return False


def _listed(tree: Mapping[str, object], key: str) -> list[object]:
    value = tree.get(key)
    return value if isinstance(value, list) else []


def selector_of(workload: Workload) -> str:
    """The pods of a workload as a label selector; `` where it has none that is simple."""
    selector = workload.spec.get("selector")
    labels = selector.get("matchLabels") if isinstance(selector, dict) else None
    if not isinstance(labels, dict) or not labels:
        return ""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
