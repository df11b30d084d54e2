"""States of an application in which the operator leaves it (I18)."""

from __future__ import annotations

from console.base.clock import parse_time
from console.base.units import human_duration
from console.health import deaths
from console.health.case import Case
from console.health.evidence import of_pod, of_workload
from console.health.facts import Workload
from console.health.rule import Answer, Rule, finding

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
        return [
            finding(
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
        ]
    if state.upper() not in _TRANSIENT and state not in _APACHE_TRANSIENT:
        return f"state {state} is none that should pass quickly"
    since = _state_since(case, cr)
    if since is None or case.world.now - since < STUCK:
        return f"in state {state} for less than {STUCK / 60:.0f} minutes"
    driver = case.driver
    terminating = driver is not None and driver.deleted is not None and not driver.gone
    pending = driver is not None and driver.phase == "Pending" and not terminating
    if pending:
        return "the driver pod exists and is Pending: its own reason counts (I13, I14, I15)"
    proof = [of_workload(cr, f"state {state} since {human_duration(case.world.now - since)}")]
    if driver is not None:
        proof.append(of_pod(driver, f"driver pod phase {driver.phase}" + (", being deleted" if terminating else "")))
    why = "its driver pod cannot be deleted (finalizer or lost node)" if terminating else "no driver pod was made"
    if driver is not None and not terminating:
        why = (
            "the operator does not see the driver's end"
            if deaths.over(driver)
            else "the operator does not see its driver"
        )
    return [
        finding(
            case,
            "state-stuck",
            "I18",
            "critical",
            "high" if terminating or driver is None else "medium",
            f"stuck in {state} for {human_duration(case.world.now - since)}: {why}",
            since=since,
            detail=why,
            evidence=proof,
            ruled_out=[("I17", "no submission error is in the status")],
            questions=["whether the operator works: its pod, its leader lease, workqueue_depth, other applications"],
            data={"state": state, "terminating": terminating},
        )
    ]


def _state_since(case: Case, cr: Workload) -> float | None:
    history = cr.status.get("stateTransitionHistory")
    if isinstance(history, dict):
        times = [parse_time(str(v.get("lastTransitionTime", ""))) for v in history.values() if isinstance(v, dict)]
        known = [t for t in times if t is not None]
        if known:
            return max(known)
    if case.app.state.upper() in ("NEW", "") or not cr.status:
        return cr.created
    said = cr.status.get("lastSubmissionAttemptTime")
    ended = cr.status.get("terminationTime")
    times = [parse_time(t) for t in (said, ended) if isinstance(t, str)]
    driver = case.driver
    if driver is not None:
        times += [driver.deleted, deaths.ended_at(driver), driver.created]
    known = [t for t in times if t is not None]
    return max(known) if known else cr.created


RULES = [
    Rule("state-stuck", "I18", stuck_state, after=("operator-down", "operator-backlog", "node-not-ready")),
]
