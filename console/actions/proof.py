"""What shows by itself that a change worked: the verification of a step that states none of its own.

Data for the engine: expressions of the runbook language over `object`, the target as it is at the time of the look
(of a verb that makes an object, the one that was made). `object.gone` is true where it does not exist any more, and a
field that is not there makes the answer unknown, unless the expression says what stands for it.
"""

from __future__ import annotations

from msgspec import Struct


class Proof(Struct, frozen=True):
    """A verification as a runbook would write it.

    Attributes:
        until: must hold.
        hold: how long without a break.
        deadline: until when it must have begun to hold, else the change did not help.
    """

    until: str
    hold: str = "0s"
    deadline: str = "10m"


_SEEN = "object.status.observedGeneration|default(0) >= object.metadata.generation"
_ROLLED: dict[str, tuple[str, ...]] = {
    "Deployment": (
        "object.status.updatedReplicas|default(0) == object.spec.replicas",
        "object.status.availableReplicas|default(0) == object.spec.replicas",
        "object.status.replicas|default(0) == object.spec.replicas",
    ),
    "StatefulSet": (
        "object.status.updatedReplicas|default(0) == object.spec.replicas",
        "object.status.availableReplicas|default(0) == object.spec.replicas",
    ),
    "DaemonSet": (
        "object.status.updatedNumberScheduled|default(0) == object.status.desiredNumberScheduled",
        "object.status.numberAvailable|default(0) == object.status.desiredNumberScheduled",
    ),
}


def rolled_out(kind: str) -> Proof | None:
    """That every pod of a workload is of its present template, and available, for a minute."""
    parts = _ROLLED.get(kind)
    return Proof(" and ".join((_SEEN, *parts)), hold="1m", deadline="15m") if parts else None


def equals(path: str, value: str | bool) -> str:
    """`object.spec.suspend|default(false) == true`: a field that is not there is none, and false."""
    absent, said = ("false", str(value).lower()) if isinstance(value, bool) else ("''", repr(value))
    return f"object.{path}|default({absent}) == {said}"


GONE = Proof("object.gone", deadline="5m")
