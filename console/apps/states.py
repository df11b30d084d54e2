"""What the words that launchers have for the state of an application mean."""

from __future__ import annotations

SUCCEEDED = frozenset({"COMPLETED", "SUCCEEDED"})
"""It ended well, and its launcher knows. `FINISHED` of a standalone master says only that the driver is gone."""
FAILED = frozenset({"FAILED", "FAILING", "SUBMISSION_FAILED"})
"""It failed, or its operator is about to say so."""
OVER = frozenset(
    {
        # kubeflow's operator, and Console's own words for a driver that nobody else speaks of
        "COMPLETED",
        "FAILED",
        "SUBMISSION_FAILED",
        "TERMINATED",
        # Apache's operator
        "SUCCEEDED",
        "RESOURCERELEASED",
        # a standalone master, of applications and of drivers
        "FINISHED",
        "KILLED",
        "ERROR",
    }
)

STATES = (
    # kubeflow's operator
    "NEW", "SUBMITTED", "RUNNING", "COMPLETED", "FAILED", "SUBMISSION_FAILED", "PENDING_SUBMISSION", "PENDING_RERUN",
    "INVALIDATING", "SUCCEEDING", "FAILING", "SUSPENDING", "SUSPENDED", "RESUMING", "UNKNOWN", "",
    # Apache's operator
    "Submitted", "ScheduledToRestart", "DriverRequested", "DriverStarted", "DriverStartTimedOut", "DriverReady",
    "DriverReadyTimedOut", "InitializedBelowThresholdExecutors", "RunningHealthy", "RunningWithBelowThresholdExecutors",
    "ExecutorsStartTimedOut", "Succeeded", "DriverEvicted", "Failed", "SchedulingFailure", "ResourceReleased",
    "TerminatedWithoutReleaseResources",
    # Connect servers
    "Ready", "NotReady", "Provisioning",
    # a standalone master, of applications and of drivers; Console's own words for a driver that nobody else speaks of
    "WAITING", "FINISHED", "KILLED", "RELAUNCHING", "ERROR", "TERMINATED", "PENDING", "SUCCEEDED",
)  # fmt: skip
"""Words for the state of an application, of every launcher. Those of Apache's operator may stand in capitals."""


def over(state: str) -> bool:
    """Whether a state is final: nothing will run any more."""
    return state.upper() in OVER
