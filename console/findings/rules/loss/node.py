"""Executors that went silent: missed heartbeats (I07), pods that vanished, nodes that are not ready (I06)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.apps.evidence import of_event, of_hit, of_node
from console.facts.logs import Hit
from console.findings.case import Case, ClusterView
from console.findings.figures.loss import HeartbeatFigures, LostNodeFigures, VanishedFigures
from console.findings.lost.victims import Victim, count_of, nodes_of
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, WorldRule, finding, severity_of
from console.findings.rules.loss.words import shaky_nodes
from console.findings.simple import DeathRule


def heartbeat(case: Case) -> Answer:
    """Executors that the driver removed because no heartbeat came."""
    lost = [v for v in case.victims if v.kind == "heartbeat"]
    hits = case.hits("heartbeat", roles=("driver",))
    own = case.hits("heartbeat-failure", roles=("executor",))
    if not lost and not hits and not own:
        return "no executor was removed for missing heartbeats"
    if not lost and not own and _all_of_the_dead(case, hits):
        return "the executors whose heartbeats were missed had died of something else"
    together = _together(case, lost)
    questions = [
        "what held the executor: its GC log or jvmGcTime (I03), CPU throttling "
        "(container_cpu_cfs_throttled_periods_total), "
        "its node (Ready condition), the network"
    ]
    if together:
        questions.insert(
            0, "whether the driver itself stood still: all executors were removed at once (driver heap, event loop)"
        )
    return [
        finding(
            case,
            "executor-heartbeat",
            "I07",
            severity_of(case),
            "high" if hits or own else "medium",
            f"{count_of(lost) if lost else 'executors'} removed: no heartbeat within the timeout",
            detail="all at once: look at the driver first"
            if together
            else "the executor stood still or could not reach the driver",
            evidence=[
                *(of_hit(h) for h in (*hits[:2], *own[:1])),
                *(e for v in lost[-2:] for e in v.evidence),
                *shaky_nodes(case.world, {v.node for v in lost}),
            ],
            ruled_out=[("I01", "its container was not OOMKilled before the driver gave it up")],
            questions=questions,
            data=HeartbeatFigures(executors=tuple(v.executor for v in lost), nodes=nodes_of(lost), together=together),
        )
    ]


def _all_of_the_dead(case: Case, hits: Iterable[Hit]) -> bool:
    """Whether all that the driver says of heartbeats is about executors of which another end is known."""
    dead = {v.executor for v in case.victims if v.kind not in ("heartbeat", "unknown")}
    return all(any(f"executor {one} " in h.text for one in dead) for h in hits)


def _together(case: Case, lost: Sequence[Victim]) -> bool:
    """Whether all executors but one at most went silent within seconds."""
    times = sorted(v.at for v in lost if v.at is not None)
    return len(times) > 1 and times[-1] - times[0] < 5 and len(lost) >= max(2, len(case.app.executors) - 1)


def node_not_ready(world: ClusterView) -> Answer:
    """Nodes with Spark pods that are not ready or under pressure."""
    out: list[Finding] = []
    for name, node in world.nodes.items():
        ready = node.condition("Ready")
        if ready is None or ready.status == "True":
            continue
        used = world.on_node(name)
        lost = [p for p in world.troubled if p.node == name and p.reason in ("NodeLost", "NodeUnreachable")]
        if not used and not lost:
            continue
        out.append(
            finding(
                None,
                "node-not-ready",
                "I06",
                "critical",
                "high",
                f"node {name} is not ready ({ready.reason or ready.status}) with {len(used)} Spark pods on it",
                subject=node.key,
                since=ready.since,
                detail=ready.message,
                evidence=[
                    of_node(node, f"Ready={ready.status} {ready.reason}: {ready.message}"),
                    *[
                        of_event(e)
                        for e in world.events.get(node.key, [])
                        if e.type == "Warning" or "NotReady" in e.reason
                    ][:2],
                ],
                questions=["whether it comes back: the kubelet's log, the cloud's view of the machine"],
                data=LostNodeFigures(node=name, pods=tuple(p.key for p in used)),
            )
        )
    return out or "every node that carries Spark pods is ready"


VANISHED = DeathRule(
    code="executor-vanished",
    class_="I06",
    kinds=("vanished",),
    holds_not="no executor's pod vanished without a word",
    title="{who} vanished: the pod disappeared and how it ended is not known",
    confidence="low",
    questions=("the pod's last object and events (kept evidence, audit log), its node's conditions at that time",),
    figures=lambda _, lost: VanishedFigures(executors=tuple(v.executor for v in lost), nodes=nodes_of(lost)),
    after=("node-not-ready",),
)


RULES = [
    WorldRule("node-not-ready", "I06", node_not_ready),
    Rule("executor-heartbeat", "I07", heartbeat, after=("node-not-ready", "executor-gc-pressure")),
    VANISHED,
]
