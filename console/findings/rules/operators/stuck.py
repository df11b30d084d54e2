"""States of an application in which the operator leaves it (I18)."""

from __future__ import annotations

from collections.abc import Iterable

from console.apps import deaths
from console.apps.evidence import of_pod, of_workload
from console.base.clock import parse_time
from console.base.units import human_duration
from console.facts.model import Pod, Workload
from console.findings.case import Case
from console.findings.figures.operators import StuckStateFigures
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, finding

STUCK = 300.0
"""Seconds in a state that should last seconds, after which it is stuck."""
_TRANSIENT = ("SUBMITTED", "PENDING_RERUN", "INVALIDATING", "SUSPENDING", "RESUMING", "FAILING", "SUCCEEDING", "NEW")
_APACHE_TRANSIENT = ("Submitted", "ScheduledToRestart", "DriverRequested", "DriverStarted")
_TIMED_OUT = ("DriverStartTimedOut", "ExecutorsStartTimedOut", "DriverReadyTimedOut", "SchedulingFailure")


def stuck_state(case: Case) -> Answer:
    """The operator does not take the application further."""
    cr = case.group.cr if case.group is not None else None
    if cr is None or case.app.launcher not in ("kubeflow", "apache"):
        return "no operator leads this application"
    state = case.app.state
    if state in _TIMED_OUT:
        return [_gave_up(case, cr)]
    if state.upper() not in _TRANSIENT and state not in _APACHE_TRANSIENT:
        return f"state {state} is none that should pass quickly"
    since = _state_since(case, cr)
    if since is None or not case.world.past(since + STUCK):
        return f"in state {state} for less than {STUCK / 60:.0f} minutes"
    driver = case.driver
    terminating = driver is not None and driver.deleted is not None and not driver.gone
    if driver is not None and driver.phase == "Pending" and not terminating:
        return "the driver pod exists and is Pending: its own reason counts (I13, I14, I15)"
    return [_stuck(case, cr, since, terminating)]


def _gave_up(case: Case, cr: Workload) -> Finding:
    state = case.app.state
    return finding(
        case,
        "start-timed-out",
        "I18",
        "critical",
        "medium",
        f"the operator gave up waiting: {state}",
        detail=case.app.message,
        evidence=[of_workload(cr, f"currentStateSummary {state}: {case.app.message}")],
        questions=["why driver or executors did not come: their pods (Pending, image) and events"],
    )


def _stuck(case: Case, cr: Workload, since: float, terminating: bool) -> Finding:
    """`terminating` says that its driver pod is being deleted and does not go."""
    state, driver = case.app.state, case.driver
    lasts = human_duration(case.world.now - since)
    proof = [of_workload(cr, f"state {state} since {lasts}")]
    if driver is not None:
        proof.append(of_pod(driver, f"driver pod phase {driver.phase}" + (", being deleted" if terminating else "")))
    why = _why(driver, terminating)
    return finding(
        case,
        "state-stuck",
        "I18",
        "critical",
        "high" if terminating or driver is None else "medium",
        f"stuck in {state} for {lasts}: {why}",
        since=since,
        detail=why,
        evidence=proof,
        ruled_out=[("I17", "no submission error is in the status")],
        questions=["whether the operator works: its pod, its leader lease, workqueue_depth, other applications"],
        data=StuckStateFigures(state=state, terminating=terminating),
    )


def _why(driver: Pod | None, terminating: bool) -> str:
    if driver is None:
        return "no driver pod was made"
    if terminating:
        return "its driver pod cannot be deleted (finalizer or lost node)"
    return "the operator does not see " + ("the driver's end" if deaths.over(driver) else "its driver")


def _state_since(case: Case, cr: Workload) -> float | None:
    """Since when it is in its state: by the operator's history, else by the last time that its status or its driver
    tells of (epoch seconds)."""
    history = cr.status.get("stateTransitionHistory")
    if isinstance(history, dict):
        changes = [v.get("lastTransitionTime", "") for v in history.values() if isinstance(v, dict)]
        if (last := _latest(parse_time(str(change)) for change in changes)) is not None:
            return last
    if case.app.state.upper() in ("NEW", "") or not cr.status:
        return cr.created
    told = (cr.status.get("lastSubmissionAttemptTime"), cr.status.get("terminationTime"))
    times = [parse_time(t) for t in told if isinstance(t, str)]
    driver = case.driver
    if driver is not None:
        times += [driver.deleted, deaths.ended_at(driver), driver.created]
    last = _latest(times)
    return last if last is not None else cr.created


def _latest(times: Iterable[float | None]) -> float | None:
    return max((t for t in times if t is not None), default=None)


RULES = [
    Rule("state-stuck", "I18", stuck_state, after=("operator-down", "operator-backlog", "node-not-ready")),
]
