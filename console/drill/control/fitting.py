"""Whether a node takes a pod, in the scheduler's words, and whether another pod's going could change that."""

from __future__ import annotations

from typing import Any

from console.drill.state.pods import amount_of

Object = dict[str, Any]
UNSCHEDULABLE_TAINT = "node.kubernetes.io/unschedulable"


def requests(pod: Object) -> dict[str, float]:
    """Summed requests of a pod's containers, in base units."""
    out: dict[str, float] = {}
    for container in pod["spec"]["containers"]:
        resources = container.get("resources", {})
        wanted = {**resources.get("limits", {}), **resources.get("requests", {})}
        for name, value in wanted.items():
            out[name] = out.get(name, 0.0) + amount_of(str(value))
    return out


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether a toleration covers a taint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("operator") == "Exists":
        return not toleration.get("key") or bool(toleration["key"] == taint["key"])
    return bool(toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", ""))


def untolerated(spec: Object, node: Object, effects: tuple[str, ...] = ("NoSchedule", "NoExecute")) -> Object | None:
    """The first taint of those effects that a pod's spec does not bear."""
    borne = spec.get("tolerations") or []
    for taint in (node.get("spec") or {}).get("taints", ()):
        if taint["effect"] in effects and not any(tolerates(one, taint) for one in borne):
            return dict(taint)
    return None


def matches(spec: Object, node: Object) -> bool:
    """Whether a node has what a pod's selector and required affinity ask for."""
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    wanted = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not wanted:
        return True
    return any(_term(term, node, labels) for term in wanted.get("nodeSelectorTerms", ()))


def _term(term: Object, node: Object, labels: dict[str, str]) -> bool:
    fields = {"metadata.name": node["metadata"]["name"]}
    return all(_holds(rule, labels) for rule in term.get("matchExpressions", ())) and all(
        _holds(rule, fields) for rule in term.get("matchFields", ())
    )


def _holds(rule: Object, values: dict[str, str]) -> bool:
    value, wanted = values.get(rule["key"]), [str(one) for one in rule.get("values", ())]
    match rule["operator"]:
        case "In":
            return value in wanted
        case "NotIn":
            return value not in wanted
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and value.isdigit() and int(value) > int(wanted[0])
        case "Lt":
            return value is not None and value.isdigit() and int(value) < int(wanted[0])
    return False


def suits(spec: Object, node: Object) -> bool:
    """Whether a pod of that spec may run on a node, apart from room and from whether the node takes new pods."""
    return matches(spec, node) and untolerated(spec, node) is None


def lacking(wanted: dict[str, float], free: dict[str, float]) -> list[str]:
    """What there is too little of, each in the scheduler's words."""
    out = [f"Insufficient {name}" for name, amount in wanted.items() if amount > free.get(name, 0.0)]
    return [*(["Too many pods"] if free.get("pods", 1.0) < 1 else []), *sorted(out)]
