"""Words and evidence that the rules of loss share: how many, of which kind, what their events and nodes say."""

from __future__ import annotations

from collections.abc import Sequence

from console.apps.evidence import of_node
from console.facts.evidence import Evidence
from console.facts.model import Event, Node
from console.findings.lost.victims import Victim
from console.findings.surroundings import Surroundings

OUTSIDE = ("evicted", "preempted", "drained", "node-lost")
TITLES = {
    "evicted": "evicted by the kubelet",
    "preempted": "preempted for pods of higher priority",
    "drained": "lost to a drain, taint or shutdown of its node",
    "node-lost": "lost with its node",
    "disk-limit": "evicted for local storage",
}


def kinds_of(victims: Sequence[Victim]) -> str:
    """What ended them, each kind once."""
    seen = list(dict.fromkeys(v.kind for v in victims))
    return ", ".join(TITLES.get(k, k) for k in seen)


def tells(event: Event) -> bool:
    """Whether an event says why a pod ended."""
    return event.type == "Warning" or event.reason in ("Preempted", "TaintManagerEviction", "Killing")


def shaky_nodes(world: Surroundings, names: set[str]) -> list[Evidence]:
    """Evidence of the nodes among these that are cordoned or not ready."""
    out = []
    for name in sorted(names):
        node = world.nodes.get(name)
        if node is not None and (node.unschedulable or _not_ready(node)):
            out.append(of_node(node, f"node {name} is " + ("cordoned" if node.unschedulable else "not ready")))
    return out


def _not_ready(node: Node) -> bool:
    ready = node.condition("Ready")
    return ready is not None and ready.status != "True"
