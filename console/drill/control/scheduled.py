"""ScheduledSparkApplications: a run of each at its times, and no more of the past than the limits keep."""

from __future__ import annotations

from typing import Any

from console.drill.control.operator import state_of
from console.drill.state.cluster import ClusterState
from console.drill.state.cron import next_after
from console.drill.state.ids import stamp
from console.drill.state.objects import build, owner
from console.drill.state.resources import SCHEDULED, SPARKAPPS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
LABEL = "sparkoperator.k8s.io/scheduled-app-name"


class ScheduledApps:
    """The operator's second controller."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        cluster.store.listen(SCHEDULED, self._changed)
        cluster.store.listen(SPARKAPPS, self._run_changed)

    def _changed(self, change: ObjectChange) -> None:
        if change.type == "ADDED" or (change.previous and change.previous["spec"] != change.object["spec"]):
            self._plan(change.object["metadata"], first=True)

    def _get(self, meta: Object) -> Object | None:
        found = self.cluster.store.get(SCHEDULED, meta["namespace"], meta["name"])
        return found if found and found["metadata"]["uid"] == meta["uid"] else None

    def _plan(self, meta: Object, *, first: bool = False) -> None:
        scheduled = self._get(meta)
        if scheduled is None or scheduled["spec"].get("suspend"):
            return
        status = {k: v for k, v in scheduled.get("status", {}).items() if k != "reason"}
        try:
            when = next_after(str(scheduled["spec"].get("schedule", "")), self.cluster.heap.now)
        except ValueError as error:
            status |= {"reason": str(error), "scheduleState": "FailedValidation"}
            self.cluster.heap.after(0.1, lambda: self._write(meta, status))
            return
        status |= {"nextRun": stamp(when), "scheduleState": "Scheduled"}
        if first:
            self.cluster.heap.after(0.1, lambda: self._write(meta, status))
        else:
            self._write(meta, status)
        self.cluster.heap.at(when, lambda: self._tick(meta, when))

    def _write(self, meta: Object, status: Object) -> None:
        scheduled = self._get(meta)
        if scheduled is not None:
            self.cluster.store.update(SCHEDULED, {**scheduled, "status": status})

    def _tick(self, meta: Object, due: float) -> None:
        scheduled = self._get(meta)
        if scheduled is None or scheduled["spec"].get("suspend"):
            return
        if scheduled.get("status", {}).get("nextRun") != stamp(due):
            return
        policy = scheduled["spec"].get("concurrencyPolicy", "Allow")
        busy = [
            app
            for app in self.cluster.store.each(SPARKAPPS)
            if (app["metadata"].get("labels") or {}).get(LABEL) == meta["name"]
            and state_of(app) not in ("COMPLETED", "FAILED")
        ]
        if not (policy == "Forbid" and busy):
            if policy == "Replace":
                for app in busy:
                    self.cluster.delete(SPARKAPPS, app["metadata"])
            name = f"{meta['name']}-{int(due * 1e9)}"
            template = scheduled["spec"]["template"]
            app = build(
                SPARKAPPS,
                name,
                self.cluster.heap.now,
                self.cluster.ids,
                namespace=meta["namespace"],
                labels={**(meta.get("labels") or {}), LABEL: meta["name"]},
                owners=[owner(scheduled, controller=True, block=True)],
                manager="spark-operator",
                body={"spec": template},
            )
            self.cluster.create(SPARKAPPS, app)
            status = {**scheduled.get("status", {}), "lastRun": stamp(due), "lastRunName": name}
            self._write(meta, status)
        self._plan(meta)

    def _run_changed(self, change: ObjectChange) -> None:
        app, old = change.object, change.previous
        if change.type != "MODIFIED" or old is None:
            return
        state = state_of(app)
        name = (app["metadata"].get("labels") or {}).get(LABEL)
        if not name or state not in ("COMPLETED", "FAILED") or state_of(old) == state:
            return
        self.cluster.heap.after(0.4, lambda: self._remember(app["metadata"]["namespace"], name))

    def _remember(self, namespace: str, name: str) -> None:
        scheduled = self.cluster.store.get(SCHEDULED, namespace, name)
        if scheduled is None:
            return
        status = dict(scheduled.get("status", {}))
        runs = [
            app
            for app in self.cluster.store.each(SPARKAPPS)
            if (app["metadata"].get("labels") or {}).get(LABEL) == name and app["metadata"]["namespace"] == namespace
        ]
        for state, key, limit in (
            ("COMPLETED", "pastSuccessfulRunNames", "successfulRunHistoryLimit"),
            ("FAILED", "pastFailedRunNames", "failedRunHistoryLimit"),
        ):
            past = sorted(
                (app for app in runs if state_of(app) == state),
                key=lambda app: (app["metadata"]["creationTimestamp"], app["metadata"]["name"]),
                reverse=True,
            )
            keep = int(scheduled["spec"].get(limit, 1))
            for app in past[keep:]:
                self.cluster.delete(SPARKAPPS, app["metadata"])
            if past:
                status[key] = [app["metadata"]["name"] for app in past[:keep]]
        self._write(scheduled["metadata"], status)
