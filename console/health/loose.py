"""Applications without Kubernetes objects: of a standalone master, of a History Server, or of nothing but logs."""

from __future__ import annotations

from console.base.clock import parse_time
from console.health import memory
from console.health.attach import ANONYMOUS, Attached, Belongings, names
from console.health.facts import Facts
from console.health.logs import app_ids
from console.health.model import Launcher, Member, SparkApp
from console.health.restview import RestView, num, rows, text


def loose_apps(attached: Attached, facts: Facts) -> list[SparkApp]:
    """One `SparkApp` per application id that has REST answers or logs but no objects."""
    masters = _master_rows(attached)
    return [_loose(app_id, belongings, masters.get(app_id)) for app_id, belongings in attached.loose.items()]


def master_apps(attached: Attached, facts: Facts) -> list[SparkApp]:
    """Applications that a standalone master lists and that have nothing else."""
    return [
        _loose(app_id, Belongings(), row)
        for app_id, row in _master_rows(attached).items()
        if app_id not in attached.loose
    ]


def _master_rows(attached: Attached) -> dict[str, dict[str, object]]:
    out: dict[str, dict[str, object]] = {}
    for doc in attached.shared_rest:
        if doc.path == "master" and isinstance(doc.data, dict):
            for part in ("completedapps", "activeapps"):
                for row in rows(doc.data.get(part)):
                    if text(row, "id"):
                        out[text(row, "id")] = dict(row)
    return out


def _launcher(app_id: str, listed: bool) -> Launcher:
    if listed or app_id.startswith("app-"):
        return "standalone"
    if app_id.startswith("spark-") and len(app_id) == 38:
        return "submit"
    return "unknown"


def _loose(app_id: str, belongings: Belongings, row: dict[str, object] | None) -> SparkApp:
    rest = RestView(belongings.rest)
    name = text(rest.application, "name") or (text(row, "name") if row else "") or names(belongings.logs)
    attempts = rest.attempts
    last = attempts[-1] if attempts else {}
    completed = any(a.get("completed") is True for a in attempts)
    state = str((row or {}).get("state") or "") or ("FINISHED" if completed else "RUNNING" if attempts else "UNKNOWN")
    if completed and state == "RUNNING":
        state = "FINISHED"
    executors = []
    for key, one in rest.executors.items():
        if key == "driver":
            continue
        active = one.get("isActive") is True
        executors.append(
            Member(
                id=key,
                role="executor",
                state="Running" if active and not completed else ("Failed" if one.get("removeReason") else "Succeeded"),
                node=text(one, "hostPort").rpartition(":")[0],
                created=parse_time(text(one, "addTime")),
                ended=parse_time(text(one, "removeTime")),
                gone=not active,
            )
        )
    ended = num(last, "endTimeEpoch")
    start = num(last, "startTimeEpoch")
    per_executor = (row or {}).get("memoryperexecutor", (row or {}).get("memoryperslave"))
    env = f"{per_executor}m" if isinstance(per_executor, int) else ""
    ids = app_id or next((i for log in belongings.logs for i in app_ids(log.text)[:1]), "")
    return SparkApp(
        key=f"/{name or app_id or 'application'}" + (f" {app_id}" if app_id and name else ""),
        namespace="",
        name=name or app_id or "application",
        launcher=_launcher(app_id, row is not None),
        state=state,
        app_id=ids,
        spark_version=text(last, "appSparkVersion"),
        executors=tuple(executors),
        running_executors=sum(1 for m in executors if m.state == "Running"),
        attempt=len(attempts),
        started=start / 1000 if start > 0 else None,
        ended=ended / 1000 if ended > 0 else None,
        executor_memory=memory.plan("executor", conf=rest.conf, env_heap=env, complete=bool(rest.conf)),
        driver_memory=memory.plan("driver", conf=rest.conf, complete=bool(rest.conf)),
        conf=rest.conf,
        why_not="no object of it is among the facts" if app_id != ANONYMOUS else "nothing names this application",
    )
