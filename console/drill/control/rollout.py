"""How far a rollout is: the condition Progressing, with its deadline."""

from __future__ import annotations

from typing import Any

from console.base.clock import parse_time
from console.drill.state.ids import stamp

Object = dict[str, Any]
DONE, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"


def complete(deployment: Object, status: Object) -> bool:
    """Whether every wanted pod is one of the present template, and available."""
    wanted = int(deployment["spec"].get("replicas", 1))
    counts = [int(status.get(key, 0)) for key in ("updatedReplicas", "replicas", "availableReplicas")]
    return counts == [wanted] * 3


def progressed(before: Object, status: Object) -> bool:
    """Whether more pods are new, ready or available, or fewer are old, than before."""

    def old(of: Object) -> int:
        return int(of.get("replicas", 0)) - int(of.get("updatedReplicas", 0))

    more = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old(status) < old(before) or any(int(status.get(k, 0)) > int(before.get(k, 0)) for k in more)


def next_condition(
    deployment: Object, before: Object, status: Object, current: Object | None, now: float
) -> Object | None:
    """The condition Progressing after a pass; None where the Deployment has no deadline.

    Args:
        before, status: of the Deployment, before the pass and after it.
        current: the ReplicaSet of its template, where it exists.
    """
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    if not deadline:
        return None
    old: Object | None = next((c for c in before.get("conditions", ()) if c["type"] == "Progressing"), None)
    meta = deployment["metadata"]
    subject = f'ReplicaSet "{current["metadata"]["name"]}"' if current else f'Deployment "{meta["name"]}"'
    if deployment["spec"].get("paused"):
        return _made(old, "Unknown", "DeploymentPaused", "Deployment is paused", now)
    if old is not None and old["reason"] == "DeploymentPaused":
        return _made(old, "Unknown", "DeploymentResumed", "Deployment is resumed", now)
    return _pace(deployment, before, status, subject, old, now)


def _pace(deployment: Object, before: Object, status: Object, subject: str, old: Object | None, now: float) -> Object:
    """Whether a rollout that is not paused has ended, goes on, or takes too long."""
    settled = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    done, further = complete(deployment, status), progressed(before, status)
    if old is not None and old["reason"] == DONE:
        if settled:
            return old
        if not done and not further:
            return _made(old, "True", "NewReplicaSetCreated", f"Created new {_lowered(subject)}", now)
    if done:
        return _made(old, "True", DONE, f"{subject} has successfully progressed.", now)
    if old is None or further:
        return _made(old, "True", "ReplicaSetUpdated", f"{subject} is progressing.", now, again=True)
    since = parse_time(old["lastUpdateTime"]) or now
    if now - since > float(deployment["spec"]["progressDeadlineSeconds"]):
        return _made(old, "False", TIMED_OUT, f"{subject} has timed out progressing.", now)
    return old


def _lowered(subject: str) -> str:
    return subject.replace("ReplicaSet", "replica set", 1)


def _made(old: Object | None, status: str, reason: str, text: str, now: float, *, again: bool = False) -> Object:
    if old is not None and (old["status"], old["reason"]) == (status, reason) and not again:
        return old
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else stamp(now)
    made: Object = {"lastTransitionTime": since, "lastUpdateTime": stamp(now), "message": text, "reason": reason}
    return {**made, "status": status, "type": "Progressing"}
