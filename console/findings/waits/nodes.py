"""What pods without a node wait for: which resource or taint, who holds it, whether the cluster grows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from console.base.text import listed, plural
from console.base.units import human_amount
from console.facts.model import Event, Node, Pod
from console.findings.case import Case
from console.findings.rules.scheduling.waiting import Unplaced

_LACKS = re.compile(r"Insufficient ([\w./-]{1,100})")
_NO_ROOM = "request is waiting for cluster resources become available"
"""What YuniKorn says of a pod that fits its queue and no node."""
_GROWS, _STAYS = ("TriggeredScaleUp", "Nominated"), ("NotTriggerScaleUp", "NoCompatibleInstanceTypes")
"""Reasons of the events with which the cluster autoscaler and Karpenter answer."""
_BLOCKS = ("NoSchedule", "NoExecute")


class NodeWait(Struct, frozen=True):
    """The part of the figures of a wait that follows from nodes."""

    keeper: str
    resource: str
    holders: tuple[str, ...]
    never: bool
    lets_in: str


def node_wait(case: Case, waiting: Sequence[Unplaced]) -> NodeWait:
    """What the pods wait for; of no pods, an empty wait."""
    if not waiting:
        return NodeWait("", "", (), False, "")
    last = waiting[-1]
    keeper = "yunikorn" if _NO_ROOM in last.words else "scheduler"
    found = _LACKS.search(last.words)
    resource = found[1].rstrip(".,") if found else ""
    nodes = list(case.world.nodes.values())
    grows = _autoscaler(case, waiting)
    if "untolerated taint" in last.words and (keys := _untolerated(last.pod, nodes)) and not resource:
        return NodeWait(
            keeper, f"taint {listed(keys, 3)} not tolerated", (), False, grows or f"a toleration of {keys[0]}"
        )
    never = bool(resource and nodes) and all(
        _asks(last.pod, resource) > n.allocatable.get(resource, 0.0) for n in nodes
    )
    asked = _asks(last.pod, resource) if resource else 0.0
    words = f"{resource} ({plural(len(waiting), 'pod')} of {human_amount(asked, resource)})" if resource else ""
    holders = case.world.spark_holders(resource, "", case.app.key) if resource or keeper == "yunikorn" else ()
    if never and not grows:
        return NodeWait(keeper, words, holders, True, "a node that is larger than all there are, or a smaller request")
    room = "an end of one that holds it, or more nodes" if resource else ""
    return NodeWait(keeper, words, holders, False, grows or room)


def _asks(pod: Pod, resource: str) -> float:
    return sum(c.requests.get(resource, c.limits.get(resource, 0.0)) for c in pod.containers if c.role != "init")


def _autoscaler(case: Case, waiting: Sequence[Unplaced]) -> str:
    """What an autoscaler says of them; `` where none says anything."""
    events: list[Event] = [e for w in waiting for e in case.events_of(w.pod.key)]
    told = [e for e in events if e.reason in (*_GROWS, *_STAYS)]
    if not told:
        return ""
    last = max(told, key=lambda e: e.last or 0.0)
    if last.reason in _GROWS:
        return f"a new node is on its way ({last.message})"
    return f"the node pools do not grow ({last.message})"


def _untolerated(pod: Pod, nodes: Iterable[Node]) -> list[str]:
    """Taints that keep the pod out, by how many nodes have them, which is what newer schedulers no longer name."""
    counted: dict[str, int] = {}
    for node in nodes:
        for taint in node.taints:
            if taint.get("effect") in _BLOCKS and not any(_tolerates(t, taint) for t in pod.tolerations):
                value = f"={taint['value']}" if taint.get("value") else ""
                counted[f"{taint.get('key')}{value}"] = counted.get(f"{taint.get('key')}{value}", 0) + 1
    return [
        f"{key} ({count} of {len(list(nodes))} nodes)"
        for key, count in sorted(counted.items(), key=lambda p: (-p[1], p[0]))
    ]


def _tolerates(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in (None, "", taint.get("key"))
    return toleration.get("key") == taint.get("key") and (toleration.get("value") or "") == (taint.get("value") or "")
