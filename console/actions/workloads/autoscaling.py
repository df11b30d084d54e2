"""Who else sets the number of pods of a workload: a HorizontalPodAutoscaler, or a ScaledObject of KEDA."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.actions.beside import Beside, ReadWanted, found
from console.actions.effects import Consequence, ObjectRef
from console.base.shapes import mapping, mappings
from console.base.text import clean

HPA, KEDA = "autoscalers", "scaledobjects"
_PAUSED, _PAUSED_AT = "autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"


def reads(namespace: str) -> tuple[ReadWanted, ...]:
    return (
        ReadWanted(HPA, "autoscaling/v2", "HorizontalPodAutoscaler", namespace=namespace),
        ReadWanted(KEDA, "keda.sh/v1alpha1", "ScaledObject", namespace=namespace),
    )


def obstacles(target: ObjectRef, had: Any, to: int | None, beside: Beside) -> Iterator[str]:
    """Who would set the number back at once, with what to do instead."""
    for one in _of(target, beside, KEDA):
        notes = mapping(mapping(one.get("metadata")).get("annotations"))
        if (at := notes.get(_PAUSED_AT)) is not None:
            yield f"ScaledObject {_name(one)} holds it at {clean(str(at))}: change its {_PAUSED_AT} instead"
        elif notes.get(_PAUSED) != "true":
            yield f'ScaledObject {_name(one)} sets its replicas: annotate that with {_PAUSED}: "true" first'
    for one in _of(target, beside, HPA):
        if to == 0 or had == 0 or _made_by_keda(one):
            continue
        least, most = _bounds(one)
        inside = to is not None and least <= to and (not isinstance(most, int) or to <= most)
        if not (_blind(one) and inside):
            yield (
                f"HorizontalPodAutoscaler {_name(one)} keeps it between {least} and {most} and would set this back: "
                "change its minReplicas or maxReplicas instead"
            )


def consequences(target: ObjectRef, to: int | None, beside: Beside) -> Iterator[Consequence]:
    for key in (HPA, KEDA):
        if error := found(beside, key).error:
            what = "an autoscaler" if key == HPA else "KEDA"
            yield Consequence("owner", "unknown", f"whether {what} sets it is not known: {error}")
    for one in _of(target, beside, HPA):
        least, most = _bounds(one)
        tail = "and rests while this is 0" if to == 0 else "and will set it again"
        if to != 0 and _blind(one):
            tail = "and leaves it alone as long as it has no metrics"
        yield Consequence(
            "owner", "warning", f"HorizontalPodAutoscaler {_name(one)} keeps it between {least} and {most}, {tail}"
        )


def _of(target: ObjectRef, beside: Beside, key: str) -> list[dict[str, Any]]:
    """Those of a kind that scale the target. KEDA scales a Deployment where it says no kind."""
    out = []
    for one in found(beside, key).items:
        reference = mapping(mapping(one.get("spec")).get("scaleTargetRef"))
        kind = reference.get("kind") or ("Deployment" if key == KEDA else None)
        if (kind, reference.get("name")) == (target.kind, target.name):
            out.append(one)
    return out


def _bounds(one: dict[str, Any]) -> tuple[int, Any]:
    spec = mapping(one.get("spec"))
    least, most = spec.get("minReplicas"), spec.get("maxReplicas")
    return least if isinstance(least, int) else 1, most if isinstance(most, int) else "?"


def _blind(one: dict[str, Any]) -> bool:
    """Whether it cannot tell how many are due; it holds to its bounds even so."""
    conditions = mappings(mapping(one.get("status")).get("conditions"))
    return any(c.get("type") == "ScalingActive" and c.get("status") == "False" for c in conditions)


def _made_by_keda(one: dict[str, Any]) -> bool:
    return any(o.get("kind") == "ScaledObject" for o in mappings(mapping(one.get("metadata")).get("ownerReferences")))


def _name(one: dict[str, Any]) -> str:
    return clean(str(mapping(one.get("metadata")).get("name")))
