"""How the cluster shows a fault: conditions on an application, its pods, its events and its driver's log."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from tests.cluster.spark import SparkApplication


def event(pattern: str) -> Callable[[SparkApplication], bool]:
    """An event about the application or its pods says this."""
    return lambda app: any(re.search(pattern, line) for line in app.events())


def driver_log(pattern: str) -> Callable[[SparkApplication], bool]:
    return lambda app: re.search(pattern, app.log()) is not None


def state(*words: str) -> Callable[[SparkApplication], bool]:
    return lambda app: app.state() in words


def waiting(reason: str) -> Callable[[SparkApplication], bool]:
    """A container of one of its pods waits for this reason."""

    def holds(app: SparkApplication) -> bool:
        states = [c.get("state") or {} for pod in app.pods() for c in pod["status"].get("containerStatuses") or ()]
        return any(re.search(reason, str((s.get("waiting") or {}).get("reason"))) for s in states)

    return holds


def pod_failed(reason: str) -> Callable[[SparkApplication], bool]:
    """One of its pods failed for this reason, or one of its containers did."""

    def holds(app: SparkApplication) -> bool:
        for pod in app.pods():
            status = pod["status"]
            ends = [(c.get("state") or {}).get("terminated") or {} for c in status.get("containerStatuses") or ()]
            if any(re.search(reason, str(end.get("reason"))) for end in (status, *ends)):
                return True
        return False

    return holds


def unschedulable(app: SparkApplication) -> bool:
    conditions = [c for pod in app.pods() for c in pod["status"].get("conditions") or ()]
    return any(c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable" for c in conditions)


def executor_taken(how: str) -> Callable[[SparkApplication], bool]:
    """Takes an executor away once two of them have worked for a while, and waits until it is gone."""

    def holds(app: SparkApplication) -> bool:
        app.wait_for_executors(2)
        time.sleep(5)  # tasks run on both
        taken = app.delete_executor() if how == "deleted" else app.evict_executor()
        path = f"/api/v1/namespaces/{app.kube.namespace}/pods/{taken}"
        app.kube.wait(path, lambda seen: seen is None, seconds=90)
        return True

    return holds
