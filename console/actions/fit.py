"""Whether the pods that a change asks for can exist: sizes, and what quotas, limits and nodes say to them. No I/O."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from console.actions.effects import Consequence
from console.apps import memory
from console.base.shapes import mapping
from console.base.text import clean, plural
from console.base.units import human_bytes, parse_quantity

FitLevel = Literal["info", "warning", "stop", "unknown"]
_RANK: tuple[FitLevel, ...] = ("info", "unknown", "warning", "stop")
_QUOTA = {
    "requests.memory": "memory", "memory": "memory", "limits.memory": "memory",
    "requests.cpu": "cpu", "cpu": "cpu", "pods": "pods", "count/pods": "pods",
}  # fmt: skip


class PodRequests(Struct, frozen=True):
    """What the pods of one role ask for: CPUs and bytes each, and how many of them."""

    role: Literal["driver", "executor"]
    cpu: float
    memory: float
    count: int
    selector: dict[str, str] = {}
    tolerations: tuple[dict[str, Any], ...] = ()

    def of(self, resource: str) -> float:
        """The sum over all pods of the role."""
        return self.count * {"cpu": self.cpu, "memory": self.memory, "pods": 1.0}[resource]


class PodAllocation(Struct, frozen=True):
    """What a living pod holds. `mine` belongs to the application that is changed and is freed by its restart."""

    node: str
    cpu: float
    memory: float
    mine: bool = False


def needs(obj: dict[str, Any]) -> tuple[PodRequests, ...]:
    """Driver and executors of a kubeflow SparkApplication; empty for other objects, or where a size is not known."""
    if obj.get("kind") != "SparkApplication" or not str(obj.get("apiVersion")).startswith("sparkoperator.k8s.io/"):
        return ()
    spec = mapping(obj.get("spec"))
    conf = {str(k): str(v) for k, v in mapping(spec.get("sparkConf")).items()}
    dynamic = mapping(spec.get("dynamicAllocation"))
    out = []
    roles: tuple[Literal["driver", "executor"], ...] = ("driver", "executor")
    for role in roles:
        part = mapping(spec.get(role))
        factor, language = spec.get("memoryOverheadFactor"), str(spec.get("type") or "")
        plan = memory.plan(role, conf=conf, spec=part, factor=factor, language=language, complete=True)
        if plan is None or plan.total is None:
            return ()
        count = 1
        if role == "executor":
            wanted = dynamic.get("maxExecutors") if dynamic.get("enabled") is True else part.get("instances")
            said = str(wanted or conf.get("spark.executor.instances") or 1)
            count = int(said) if said.isdigit() else 1
        cpu = part.get("coreRequest") or conf.get(f"spark.kubernetes.{role}.request.cores") or part.get("cores") or 1
        selector = {**mapping(spec.get("nodeSelector")), **mapping(part.get("nodeSelector"))}
        tolerations = part.get("tolerations")
        out.append(
            PodRequests(
                role=role,
                cpu=quantity(cpu),
                memory=plan.total,
                count=count,
                selector={str(k): str(v) for k, v in selector.items()},
                tolerations=tuple(t for t in tolerations if isinstance(t, dict))
                if isinstance(tolerations, list)
                else (),
            )
        )
    return tuple(out)


def change_of(before: tuple[PodRequests, ...], after: tuple[PodRequests, ...]) -> Consequence:
    """`executor pod 712Mi → 1.7Gi × 2, driver pod 896Mi`."""
    old = {need.role: need for need in before}
    words = []
    for need in reversed(after):
        was = old.get(need.role)
        sizes = [f"{human_bytes(need.memory)}, {need.cpu:g} CPU"]
        if was is not None and (was.memory, was.cpu) != (need.memory, need.cpu):
            sizes.insert(0, f"{human_bytes(was.memory)}, {was.cpu:g} CPU")
        times = f" × {was.count} → {need.count}" if was is not None and was.count != need.count else f" × {need.count}"
        words.append(f"{need.role} pod {' → '.join(sizes)}{times if need.count > 1 or 'executor' in need.role else ''}")
    return Consequence("quota", "info", "each pod will ask for: " + "; ".join(words))


def judge_quotas(
    quotas: list[dict[str, Any]], mine: list[PodAllocation], after: tuple[PodRequests, ...]
) -> Consequence:
    """Room in every quota once the present pods of the application are gone."""
    words: list[str] = []
    level: FitLevel = "info"
    for quota in quotas:
        label = clean(str(mapping(quota.get("metadata")).get("name")))
        spec = mapping(quota.get("spec"))
        if spec.get("scopes") or spec.get("scopeSelector"):
            words.append(f"{label} counts only some pods (scopes), not checked")
            level = worse(level, "unknown")
            continue
        for key, resource in _QUOTA.items():
            left = _left(quota, key, resource, mine)
            if left is None:
                continue
            wanted = sum(need.of(resource) for need in after)
            if wanted <= left:
                needed, free = _shown(wanted, resource), _shown(left, resource)
                words.append(f"{key} fits: {needed} needed, {free} left in {label}")
                continue
            short, said = _short(left, resource, after)
            has, asks = _shown(max(0.0, left), resource), _shown(wanted, resource)
            words.insert(0, f"{label} has only {has} of {key}, {asks} needed: room for {said}")
            level = worse(level, short)
    return Consequence("quota", level, "; ".join(words) or "the quotas count nothing that this changes")


def _left(quota: dict[str, Any], key: str, resource: str, mine: list[PodAllocation]) -> float | None:
    """What a quota leaves of a resource once `mine` are gone; None where it does not count it."""
    spec, status = mapping(quota.get("spec")), mapping(quota.get("status"))
    hard = mapping(status.get("hard") or spec.get("hard"))
    if key not in hard:
        return None
    freed = {"cpu": sum(p.cpu for p in mine), "memory": sum(p.memory for p in mine), "pods": float(len(mine))}
    return quantity(hard[key]) - quantity(mapping(status.get("used")).get(key, 0)) + freed[resource]


def _short(left: float, resource: str, after: tuple[PodRequests, ...]) -> tuple[FitLevel, str]:
    """How grave it is that a quota is short, and in words for how many pods there is room."""
    driver = sum(n.of(resource) for n in after if n.role == "driver")
    if left < driver:
        return "stop", "not even the driver"
    each = next((n for n in after if n.role == "executor"), None)
    one = each.of(resource) / max(1, each.count) if each else 0.0
    count = max(0, int((left - driver) // one)) if one else 0
    return "stop" if count < 1 else "warning", f"driver and {plural(count, 'executor')}"


def judge_limits(ranges: list[dict[str, Any]], after: tuple[PodRequests, ...]) -> Consequence | None:
    """Whether a LimitRange would reject the new pods; None where there is no LimitRange."""
    if not ranges:
        return None
    for item in ranges:
        label = clean(str((item.get("metadata") or {}).get("name")))
        for limit in (item.get("spec") or {}).get("limits") or []:
            if limit.get("type") not in ("Container", "Pod"):
                continue
            for need in after:
                for resource, value in (("memory", need.memory), ("cpu", need.cpu)):
                    most = (limit.get("max") or {}).get(resource)
                    if most is not None and value > quantity(most):
                        size = human_bytes(value) if resource == "memory" else f"{value:g} CPU"
                        return Consequence(
                            "limit range", "stop",
                            f"LimitRange {label} allows at most {clean(str(most))} {resource} per {limit['type']}; "
                            f"{need.role} pods of {size} would be rejected",
                        )  # fmt: skip
    return Consequence("limit range", "info", "within every LimitRange of the namespace")


def judge_nodes(
    nodes: list[dict[str, Any]], pods: list[PodAllocation] | None, after: tuple[PodRequests, ...]
) -> Consequence:
    """On how many nodes one executor fits, and whether all executors do. `pods` None: what is taken is not known."""
    need = next((n for n in after if n.role == "executor"), after[-1])
    able = [n for n in nodes if _schedulable(n, need)]
    if not nodes:
        return Consequence("nodes", "unknown", "no node is known")
    if not able:
        words = f"none of {plural(len(nodes), 'node')} takes such pods (selector, taints, cordoned)"
        return Consequence("nodes", "stop", words)
    big = [n for n in able if _allocatable(n, "memory") >= need.memory and _allocatable(n, "cpu") >= need.cpu]
    size, of_all = f"an executor of {human_bytes(need.memory)}", plural(len(able), "node")
    if not big:
        most = human_bytes(max(_allocatable(n, "memory") for n in able))
        return Consequence("nodes", "stop", f"{size} fits on no node, even an empty one: the largest has {most}")
    if pods is None:
        words = f"{size} fits on {len(big)} of {of_all} if they are empty; what is taken is not known"
        return Consequence("nodes", "unknown", words)
    rooms = [_room(node, pods, need) for node in big]
    room, places = sum(rooms), sum(1 for many in rooms if many)
    level: FitLevel = "info" if room >= need.count else "warning"
    rest = "" if room >= need.count else f"; room for {room} of {need.count} at present"
    return Consequence("nodes", level, f"{size} fits on {places} of {of_all} now{rest}")


def _room(node: dict[str, Any], pods: list[PodAllocation], need: PodRequests) -> int:
    """For how many such pods a node has room beside the pods of others."""
    name = str(node["metadata"].get("name"))
    taken = [p for p in pods if p.node == name and not p.mine]
    memory = _allocatable(node, "memory") - sum(p.memory for p in taken)
    cpu = _allocatable(node, "cpu") - sum(p.cpu for p in taken)
    return max(0, int(min(memory // need.memory if need.memory else 0, cpu // need.cpu if need.cpu else 1e6)))


def _schedulable(node: dict[str, Any], need: PodRequests) -> bool:
    spec, labels = node.get("spec") or {}, (node.get("metadata") or {}).get("labels") or {}
    if spec.get("unschedulable") is True or any(labels.get(k) != v for k, v in need.selector.items()):
        return False
    conditions = (node.get("status") or {}).get("conditions") or []
    if any(c.get("type") == "Ready" and c.get("status") != "True" for c in conditions):
        return False
    hard = [t for t in spec.get("taints") or [] if t.get("effect") in ("NoSchedule", "NoExecute")]
    return all(any(_tolerates(toleration, taint) for toleration in need.tolerations) for taint in hard)


def _tolerates(toleration: dict[str, Any], taint: dict[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("key") in (None, ""):
        return toleration.get("operator") == "Exists"
    if toleration.get("key") != taint.get("key"):
        return False
    return toleration.get("operator") == "Exists" or (toleration.get("value") or "") == (taint.get("value") or "")


def _allocatable(node: dict[str, Any], resource: str) -> float:
    return quantity(((node.get("status") or {}).get("allocatable") or {}).get(resource, 0))


def worse(one: FitLevel, other: FitLevel) -> FitLevel:
    """The graver of two levels."""
    return max(one, other, key=_RANK.index)


def _shown(value: float, resource: str) -> str:
    return human_bytes(value) if resource == "memory" else f"{value:g}"


def quantity(text: Any) -> float:
    """A Kubernetes quantity as a number; 0 where it is none."""
    try:
        return parse_quantity(text)
    except ValueError:
        return 0.0
