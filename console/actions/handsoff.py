"""Who else works on an object just now, so that it is left alone: controllers that remediate, upgrade, scale or queue.

Only signs that the software itself leaves are read. A node that is merely cordoned says nothing here: who did that is
asked where somebody wants to uncordon it (`cordoner`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.actions.beside import Beside, ReadWanted, found
from console.actions.effects import Effect
from console.actions.owners import managers
from console.apps.remediation import acting
from console.base.shapes import mapping
from console.base.text import clean

_JANITOR = ("RebootNode", "TerminateNode", "GPUReset")
_KUEUE = "kueue.x-k8s.io/queue-name"


def is_node(effect: Effect) -> bool:
    """Whether the target is a node of Kubernetes."""
    return effect.target is not None and (effect.target.api_version, effect.target.kind) == ("v1", "Node")


def reads(effect: Effect) -> tuple[ReadWanted, ...]:
    """Objects that say who works on the target."""
    if not is_node(effect):
        return ()
    return (
        *(ReadWanted(kind, "janitor.dgxc.nvidia.com/v1alpha1", kind) for kind in _JANITOR),
        ReadWanted("NodeClaim", "karpenter.sh/v1", "NodeClaim"),
    )


def of(effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
    """Sentences that say who works on the object, and when they are done."""
    if is_node(effect):
        yield from _of_node(obj, beside)
    if _touches_suspend(effect) and (queue := _labels(obj).get(_KUEUE)):
        yield queued(clean(queue))


def queued(queue: str) -> str:
    """Why nobody but Kueue suspends and resumes what waits in its queue."""
    return (
        f"Kueue decides when it runs (queue {queue}) and sets spec.suspend back at once: "
        "wait for its place, or speak to who owns the queue"
    )


def _touches_suspend(effect: Effect) -> bool:
    return any(at in ("/spec", "/spec/suspend") for at in effect.touched)


def _of_node(node: dict[str, Any], beside: Beside) -> Iterator[str]:
    labels, name = _labels(node), str(mapping(node.get("metadata")).get("name"))
    taints = mapping(node.get("spec")).get("taints")
    yield from map(clean, acting(labels, taints if isinstance(taints, list) else []))
    for kind in _JANITOR:
        for item in found(beside, kind).items:
            mine = mapping(item.get("spec")).get("nodeName") == name
            if mine and not mapping(item.get("status")).get("completionTime"):
                yield f"NVSentinel's janitor is at it ({kind} {clean(str(mapping(item.get('metadata')).get('name')))})"
    for claim in found(beside, "NodeClaim").items:
        meta = mapping(claim.get("metadata"))
        if mapping(claim.get("status")).get("nodeName") == name and meta.get("deletionTimestamp"):
            yield f"Karpenter deletes its NodeClaim {clean(str(meta.get('name')))}"


def cordoner(node: dict[str, Any]) -> tuple[str, bool]:
    """Who cordoned a node, in words, and whether it was Console; (``, False) where it is not cordoned."""
    if mapping(node.get("spec")).get("unschedulable") is not True:
        return "", False
    labels = _labels(node)
    if by := next((value for key, value in labels.items() if key.endswith("/cordon-by")), ""):
        return clean(by), False
    return setter(node, "/spec/unschedulable")


def setter(obj: dict[str, Any], pointer: str) -> tuple[str, bool]:
    """Who set a field last, in words, and whether it was Console."""
    those = sorted(managers(obj, pointer), key=lambda one: one.time)
    if not those:
        return "somebody who left no sign", False
    last = those[-1]
    at = f" at {clean(last.time[:16].replace('T', ' '))}Z" if last.time else ""
    hand = last.name == "kubectl" and last.operation == "Update"  # what `kubectl cordon` and `drain` write as
    return ("somebody with kubectl" if hand else last.words) + at, last.ours


def _labels(obj: dict[str, Any]) -> dict[str, str]:
    return {str(k): str(v) for k, v in mapping(mapping(obj.get("metadata")).get("labels")).items()}
