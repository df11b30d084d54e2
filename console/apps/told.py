"""The driver pod that only the operator's status still speaks of: how it ended, by `errorMessage` (kubeflow) or by the
`lastObservedDriverStatus` of its transitions (Apache)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from console.base.clock import parse_time
from console.facts.model import Container, Origin, Pod, Terminated, Workload

_MESSAGE = re.compile(r"driver (?:container|pod) failed with ExitCode: (-?\d+), Reason: (\w*)")
_NAME = "spark-kubernetes-driver"


def told_driver(cr: Workload) -> Pod | None:
    """The last object of a driver as the status tells it; None where it tells nothing of its end."""
    if not cr.status:
        return None
    return _of_kubeflow(cr) if cr.api_version.startswith("sparkoperator.k8s.io/") else _of_apache(cr)


def _of_kubeflow(cr: Workload) -> Pod | None:
    state = cr.status.get("applicationState")
    found = _MESSAGE.search(str(state.get("errorMessage") or "")) if isinstance(state, dict) else None
    if found is None:
        return None
    info = cr.status.get("driverInfo")
    name = str(info.get("podName") or "") if isinstance(info, dict) else ""
    return _pod(
        cr.namespace,
        name or f"{cr.name}-driver",
        str(cr.status.get("sparkApplicationId") or ""),
        int(found.group(1)),
        found.group(2),
        "",
        "",
        str(cr.status.get("terminationTime") or ""),
        cr.origin,
    )


def _of_apache(cr: Workload) -> Pod | None:
    last: Mapping[str, Any] = next((s for s in _observed(cr.status)), {})
    statuses = last.get("containerStatuses")
    for one in statuses if isinstance(statuses, list) else []:
        state = one.get("state") if isinstance(one, dict) else None
        end = state.get("terminated") if isinstance(state, dict) else None
        if isinstance(end, dict):
            code = end.get("exitCode")
            return _pod(
                cr.namespace,
                f"{cr.name}-driver",
                "",
                code if isinstance(code, int) else None,
                str(end.get("reason") or ""),
                str(last.get("reason") or ""),
                str(last.get("message") or ""),
                str(end.get("finishedAt") or ""),
                cr.origin,
            )
    if last.get("phase") == "Failed" and last.get("reason"):
        return _pod(
            cr.namespace,
            f"{cr.name}-driver",
            "",
            None,
            "",
            str(last["reason"]),
            str(last.get("message") or ""),
            "",
            cr.origin,
        )
    return None


def _observed(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Statuses of the driver that transitions quote, the newest first."""
    history = status.get("stateTransitionHistory")
    states = [status.get("currentState")]
    if isinstance(history, dict):
        numbered = sorted(history.items(), key=lambda pair: int(pair[0]) if str(pair[0]).isdigit() else -1)
        states += [state for _, state in reversed(numbered)]
    for state in states:
        seen = state.get("lastObservedDriverStatus") if isinstance(state, dict) else None
        if isinstance(seen, dict):
            yield seen


@lru_cache(maxsize=4_096)
def _pod(
    namespace: str,
    name: str,
    app_id: str,
    code: int | None,
    reason: str,
    pod_reason: str,
    message: str,
    finished: str,
    origin: Origin,
) -> Pod:
    """The same object for the same words: what did not change is not judged again."""
    end = Terminated(exit_code=code, reason=reason, finished=parse_time(finished or None))
    known = code is not None or bool(reason)
    container = Container(_NAME, state="terminated" if known else "unknown", terminated=end if known else None)
    return Pod(
        namespace,
        name,
        origin,
        labels={"spark-role": "driver", **({"spark-app-selector": app_id} if app_id else {})},
        phase="Succeeded" if code == 0 and reason != "OOMKilled" else "Failed",
        reason=pod_reason,
        message=message,
        containers=(container,),
    )
