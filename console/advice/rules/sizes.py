"""Memory that is asked for against what a pod, a namespace and a node can give."""

from __future__ import annotations

from collections.abc import Iterator

from console.advice.ground import Ground
from console.advice.model import Advice, Unjudged
from console.advice.rule import AdviceAnswer, GroundRule
from console.advice.view import View
from console.apps.evidence import of_node, of_workload
from console.apps.model import MemoryPlan
from console.base.units import human_bytes, parse_quantity
from console.facts.evidence import Evidence
from console.facts.model import Workload

MEMORY = "https://spark.apache.org/docs/latest/configuration.html#memory-management"
QUOTA = "https://kubernetes.io/docs/concepts/policy/resource-quotas/"
LIMITS = "https://kubernetes.io/docs/concepts/policy/limit-range/"
NODES = "https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/"
_QUOTA_KEYS = ("limits.memory", "requests.memory", "memory")
_ON_KUBERNETES = ("kubeflow", "apache", "submit", "connect")
_COMPARED = {
    "nodes": "whether a node can hold each container",
    "resourcequotas": "whether quotas have room for each container",
    "limitranges": "whether limit ranges allow each container",
}
_BLIND = ("forbidden", "unreachable", "login needed")
_SLACK = 2**20
_A = {"driver": "a driver", "executor": "an executor"}


def unknown(ground: Ground) -> AdviceAnswer:
    """Say what containers could not be compared with, because it was not or may not be read."""
    if not any(plan is not None for v in ground.views for plan in (v.app.driver_memory, v.app.executor_memory)):
        return
    for state in ground.facts.sources:
        what = _COMPARED.get(state.name)
        if what is not None and (state.state in _BLIND or (state.name == "nodes" and state.state == "absent")):
            because = f"{state.name}: {state.state}, {state.detail}" if state.detail else f"{state.name}: {state.state}"
            yield Unjudged("configuration", what, because, state.hint or f"list {state.name}")


def fit(ground: Ground) -> AdviceAnswer:
    """Whether each role's container can be had at all, and all executors together."""
    for view in ground.views:
        if view.app.launcher not in _ON_KUBERNETES:
            continue
        for role, plan in (("driver", view.app.driver_memory), ("executor", view.app.executor_memory)):
            if plan is None or plan.total is None:
                continue
            yield from _node(ground, view, role, plan, plan.total)
            yield from _limit(ground, view, role, plan, plan.total)
            yield from _quota(ground, view, role, plan, plan.total)
            yield from _pod(view, role, plan, plan.total)


def _parts(plan: MemoryPlan) -> str:
    """The sum in words: `heap 4Gi + overhead 410Mi = 4.4Gi`."""
    shown = [f"{name} {human_bytes(part)}" for name, part in plan.parts if part]
    return " + ".join(shown) + f" = {human_bytes(plan.total)}"


def _advise(view: View, role: str, about: str, words: str, because: str, source: str, *proof: Evidence) -> Advice:
    keys = tuple(
        key
        for key in (
            f"spark.{role}.memory",
            f"spark.{role}.memoryOverhead",
            f"spark.{role}.memoryOverheadFactor",
            "spark.memory.offHeap.size",
            "spark.executor.pyspark.memory",
        )
        if role in key or role == "executor"
    )
    return view.advise(
        "memory-does-not-fit",
        "configuration",
        "high",
        words,
        because=because,
        do=f"lower spark.{role}.memory or its overhead, or raise the limit",
        holds_for="every Spark version on Kubernetes",
        source=source,
        about=f"{role} {about}",
        keys=keys,
        evidence=proof,
    )


def _node(ground: Ground, view: View, role: str, plan: MemoryPlan, total: float) -> Iterator[Advice]:
    known = [n for n in ground.facts.nodes if n.allocatable.get("memory")]
    if not known:
        return
    largest = max(known, key=lambda n: n.allocatable["memory"])
    room = largest.allocatable["memory"]
    if total > room:
        words = f"{_A[role]} needs {human_bytes(total)}, the largest node has {human_bytes(room)}"
        because = f"{_parts(plan)}: no node can ever take it, so it stays Pending"
        yield _advise(
            view, role, "node", words, because, NODES, of_node(largest, f"allocatable memory {human_bytes(room)}")
        )


def _limit(ground: Ground, view: View, role: str, plan: MemoryPlan, total: float) -> Iterator[Advice]:
    for workload in ground.workloads("LimitRange", view.app.namespace):
        limits = workload.spec.get("limits")
        for item in limits if isinstance(limits, list) else ():
            most = _quantity(item.get("max"), "memory") if isinstance(item, dict) else None
            if most is not None and item.get("type") in ("Container", "Pod") and total > most:
                words = f"{_A[role]} needs {human_bytes(total)}, the namespace allows {human_bytes(most)} per pod"
                because = f"{_parts(plan)}: the API server refuses the pod"
                proof = of_workload(workload, f"max memory per {item['type']} {human_bytes(most)}")
                yield _advise(view, role, workload.name, words, because, LIMITS, proof)


def _quota(ground: Ground, view: View, role: str, plan: MemoryPlan, total: float) -> Iterator[Advice]:
    for workload in ground.workloads("ResourceQuota", view.app.namespace):
        if workload.spec.get("scopes") or workload.spec.get("scopeSelector"):
            continue
        for key in _QUOTA_KEYS:
            hard = _quantity(workload.spec.get("hard"), key)
            if hard is None:
                continue
            proof = of_workload(workload, f"hard {key} {human_bytes(hard)}")
            if total > hard:
                words = f"{_A[role]} needs {human_bytes(total)}, the whole quota is {human_bytes(hard)}"
                because = f"{_parts(plan)}: the API server refuses the pod"
                yield _advise(view, role, workload.name, words, because, QUOTA, proof)
            elif role == "executor":
                yield from _together(view, workload, hard, total, proof)
            break


def _together(view: View, quota: Workload, hard: float, each: float, proof: Evidence) -> Iterator[Advice]:
    """The driver and all executors against the quota."""
    wanted = view.app.wanted_executors
    driver = view.app.driver_memory
    rest = hard - (driver.total or 0.0 if driver is not None else 0.0)
    if wanted is None or wanted * each <= rest:
        return
    possible = max(0, int(rest // each))
    yield view.advise(
        "quota-too-small",
        "configuration",
        "medium",
        f"the quota has room for {possible} of {wanted} executors",
        because=f"{wanted} executors of {human_bytes(each)} and the driver need more than {human_bytes(hard)}, "
        "even if nothing else ran there; the rest is refused again and again",
        do=f"ask for {possible} executors, for smaller ones, or for more quota",
        holds_for="every Spark version on Kubernetes",
        source=QUOTA,
        about=quota.name,
        keys=("spark.executor.instances", "spark.executor.memory"),
        evidence=(proof,),
    )


def _pod(view: View, role: str, plan: MemoryPlan, total: float) -> Iterator[Advice]:
    """A living pod whose limit is below what Spark will use in it (something changed it on its way)."""
    if plan.heap is None or "pod limit" in plan.source or (view.app.launcher != "kubeflow" and not view.whole):
        return
    members = [view.app.driver] if role == "driver" else list(view.app.executors)
    for member in members:
        if member is None or member.gone or member.memory_limit is None or member.attempt != view.app.attempt:
            continue
        if member.memory_limit + _SLACK < total:
            words = f"{_A[role]} is limited to {human_bytes(member.memory_limit)} and sized for {human_bytes(total)}"
            because = f"{_parts(plan)}: it is killed before it can use what Spark gives it"
            proof = Evidence(
                "kubernetes",
                f"Pod/{member.namespace}/{member.pod}",
                f"memory limit {human_bytes(member.memory_limit)}",
            )
            yield _advise(view, role, "pod", words, because, MEMORY, proof)
            return


def _quantity(tree: object, key: str) -> float | None:
    value = tree.get(key) if isinstance(tree, dict) else None
    if not isinstance(value, str | int | float):
        return None
    try:
        return parse_quantity(value)
    except ValueError:
        return None


RULES = [
    GroundRule("memory-fit", "configuration", fit),
    GroundRule("memory-unknown", "configuration", unknown),
]
