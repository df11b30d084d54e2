"""Executors that a full quota keeps away: no event tells it, for the driver makes them itself, and its log is not read
before something is found (I16)."""

from __future__ import annotations

from typing import Any

from console.apps.evidence import of_pod, of_workload
from console.base.units import human_amount, parse_quantity
from console.facts.model import Pod, Workload
from console.findings.case import Case
from console.findings.figures.waits import WaitFigures
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, finding

PATIENCE = 15.0
"""Seconds that a driver runs before its executors may be missed: Spark asks for them in rounds of a second."""


def refused_executors(case: Case) -> Answer:
    """Fewer executors than asked for, none of them Pending, and a quota with no room for one more."""
    app, driver = case.app, case.driver
    if driver is None or driver.phase != "Running" or driver.gone or not app.live:
        return "no driver runs that could ask for executors"
    wanted = app.wanted_executors
    present = [p for p in case.executors if not p.gone and p.phase in ("Pending", "Running")]
    if wanted is None or len(present) >= wanted:
        return "it has as many executors as it asks for"
    if any(p.phase == "Pending" for p in present):
        return "executors of it are Pending: they were not refused"
    since = driver.started or driver.created
    if since is not None and not case.world.past(since + PATIENCE) and not case.world.saved:
        return "its driver has only begun to ask"
    found = _full(case, _asks(case, present))
    if found is None:
        return "no quota of its namespace is too full for one more executor"
    return [_finding(case, driver, *found, wanted - len(present), since)]


def _full(case: Case, asks: dict[str, float]) -> tuple[Workload, str, float] | None:
    """The first quota of its namespace without room for one more executor, of what, and how much is missing."""
    for quota in case.world.workloads("ResourceQuota"):
        scoped = quota.spec.get("scopes") or quota.spec.get("scopeSelector")
        mine = quota.namespace == case.app.namespace and not quota.gone and not scoped
        if mine and (short := _short(quota, asks)) is not None:
            return quota, *short
    return None


def _finding(
    case: Case, driver: Pod, quota: Workload, name: str, lacking: float, absent: int, since: float | None
) -> Finding:
    plain = name.removeprefix("requests.").removeprefix("limits.")
    hard, used = quota.status.get("hard"), quota.status.get("used")
    words = f"{name}: used {_of(used, name)} of {_of(hard, name)}"
    return finding(
        case,
        "executors-refused",
        "I16",
        "critical" if case.app.running_executors == 0 else "warning",
        "medium",
        f"{absent} executors are kept away by quota {quota.name}: {words}",
        since=since,
        detail=f"{human_amount(lacking, plain)} {plain} missing for one more; the driver asks again each second",
        evidence=[
            of_workload(quota, words),
            of_pod(driver, f"Running, {absent} of {case.app.wanted_executors} executors absent and none Pending"),
        ],
        ruled_out=[("I14", "no executor is Pending: the scheduler was never asked")],
        questions=["the driver's log: `exceeded quota` names what was refused"],
        data=WaitFigures(
            keeper="quota",
            queue=quota.name,
            resource=plain,
            missing=human_amount(lacking, plain),
            holders=case.world.spark_holders(plain, case.app.namespace, case.app.key),
            lets_in="an end of one that holds it, fewer or smaller executors, or a larger quota",
        ),
    )  # fmt: skip


def _of(resources: Any, name: str) -> str:
    return str(resources.get(name)) if isinstance(resources, dict) else "?"


def _asks(case: Case, present: list[Pod]) -> dict[str, float]:
    """What one more executor asks for: as those that are there do, else by the configuration; by names of quotas."""
    known = next((p.main for p in (*present, *case.executors) if p.main is not None), None)
    asked: dict[str, float] = {"pods": 1.0, "count/pods": 1.0}
    if known is not None:
        for name, count in known.requests.items():
            asked[f"requests.{name}"] = asked[name] = count
        for name, count in known.limits.items():
            asked[f"limits.{name}"] = count
        return asked
    plan = case.app.executor_memory
    if plan is not None and plan.total is not None:
        asked["requests.memory"] = asked["limits.memory"] = asked["memory"] = plan.total
    cores = case.app.conf.get("spark.kubernetes.executor.request.cores") or case.app.conf.get("spark.executor.cores")
    cpu = _quantity(cores) if cores else 1.0
    if cpu is not None:
        asked["requests.cpu"] = asked["cpu"] = cpu
    gpus = _quantity(case.app.conf.get("spark.executor.resource.gpu.amount", ""))
    if gpus:
        asked["requests.nvidia.com/gpu"] = gpus
    return asked


def _short(quota: Workload, asks: dict[str, float]) -> tuple[str, float] | None:
    """The first resource of which the quota has too little for one more executor, and how much is missing."""
    hard, used = quota.status.get("hard"), quota.status.get("used")
    if not isinstance(hard, dict) or not isinstance(used, dict):
        return None
    for name, asked in asks.items():
        may, taken = _quantity(hard.get(name)), _quantity(used.get(name))
        if may is not None and taken is not None and taken + asked > may:
            return name, taken + asked - may
    return None


def _quantity(value: Any) -> float | None:
    try:
        return parse_quantity(value) if isinstance(value, str | int | float) and value != "" else None
    except (ValueError, ArithmeticError):
        return None


RULES = [Rule("executors-refused", "I16", refused_executors, after=("quota-exceeded",))]
