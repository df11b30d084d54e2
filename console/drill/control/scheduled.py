"""ScheduledSparkApplications: a run of each at its times, and no more of the past than the limits keep."""

from __future__ import annotations

from typing import Any

from console.base.clock import parse_time
from console.drill.control.leader import ControllerProcess
from console.drill.control.operator import state_of
from console.drill.state.clock import Happening
from console.drill.state.cluster import ClusterState
from console.drill.state.cron import next_after
from console.drill.state.ids import stamp
from console.drill.state.objects import StatusError, build, owner
from console.drill.state.resources import SCHEDULED, SPARKAPPS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
LABEL = "sparkoperator.k8s.io/scheduled-app-name"


class ScheduledApps:
    """The operator's second controller."""

    def __init__(self, cluster: ClusterState, process: ControllerProcess) -> None:
        self.cluster, self._process = cluster, process
        self._planned: dict[str, Happening] = {}
        process.on_start(self._resync)
        cluster.store.listen(SCHEDULED, self._changed)
        cluster.store.listen(SPARKAPPS, self._run_changed)

    def _changed(self, change: ObjectChange) -> None:
        """Every change of a schedule has it looked at anew, those of its status that the operator writes too."""
        meta = change.object["metadata"]
        if change.type == "DELETED":
            self._drop(meta["uid"])
        elif change.previous is None or change.previous["spec"] != change.object["spec"]:
            self._soon(meta)

    def _resync(self) -> None:
        for scheduled in self.cluster.store.all(SCHEDULED):
            self._soon(scheduled["metadata"])

    def _get(self, meta: Object) -> Object | None:
        found = self.cluster.store.get(SCHEDULED, meta["namespace"], meta["name"])
        return found if found and found["metadata"]["uid"] == meta["uid"] else None

    def _drop(self, uid: str) -> None:
        planned = self._planned.pop(uid, None)
        if planned is not None:
            planned.cancel()

    def _soon(self, meta: Object) -> None:
        self._process.after(0.1, lambda: self._reconcile(meta))

    def _later(self, meta: Object, when: float) -> None:
        """Look at it at a time, and not at any that was planned before."""
        self._drop(meta["uid"])
        life = self._process.life
        self._planned[meta["uid"]] = self.cluster.heap.at(
            when, lambda: self._reconcile(meta) if self._process.active and self._process.life == life else None
        )

    def _reconcile(self, meta: Object) -> None:
        """One pass: a run where one is due. A schedule that is suspended is left as it is."""
        scheduled, now = self._get(meta), self.cluster.heap.now
        if scheduled is None or not self._process.watches(meta["namespace"]) or scheduled["spec"].get("suspend"):
            return
        status = {k: v for k, v in scheduled.get("status", {}).items() if k != "reason"}
        if status.get("scheduleState") == "FailedValidation":
            return  # the real one never looks at its schedule again, whatever becomes of it
        try:
            following = next_after(str(scheduled["spec"].get("schedule", "")), now)
        except ValueError as error:
            self._write(meta, status | {"reason": str(error), "scheduleState": "FailedValidation"})
            return
        due = parse_time(status.get("nextRun"))
        if due is None or status.get("scheduleState") != "Scheduled":
            self._write(meta, status | {"nextRun": stamp(following), "scheduleState": "Scheduled"})
            self._later(meta, following)
        elif due > now:
            # Who brings the next run forward finds it at the time that was written before.
            self._later(meta, due)
        elif self._may_start(scheduled):
            name = self._start(scheduled, now)
            ran = {"lastRun": stamp(now), "lastRunName": name, "nextRun": stamp(following)}
            self._write(meta, status | (ran if name else {}))
            self._later(meta, following)
        else:
            self._later(meta, following)

    def _write(self, meta: Object, status: Object) -> None:
        scheduled = self._get(meta)
        if scheduled is not None:
            self.cluster.store.update(SCHEDULED, {**scheduled, "status": status})

    def _may_start(self, scheduled: Object) -> bool:
        """What its policy makes of the run before."""
        runs = sorted(self._runs(scheduled), key=lambda app: app["metadata"]["creationTimestamp"])
        if not runs or state_of(runs[-1]) in ("COMPLETED", "FAILED"):
            return True
        policy = scheduled["spec"].get("concurrencyPolicy", "Allow")
        if policy == "Replace":
            self.cluster.delete(SPARKAPPS, runs[-1]["metadata"])
        return bool(policy != "Forbid")

    def _runs(self, scheduled: Object) -> list[Object]:
        meta = scheduled["metadata"]
        return [
            app
            for app in self.cluster.store.each(SPARKAPPS)
            if (app["metadata"].get("labels") or {}).get(LABEL) == meta["name"]
            and app["metadata"]["namespace"] == meta["namespace"]
        ]

    def _start(self, scheduled: Object, now: float) -> str:
        """Make a run; its name, empty where it was refused."""
        meta = scheduled["metadata"]
        name = f"{meta['name']}-{int(now * 1e9)}"
        app = build(
            SPARKAPPS,
            name,
            now,
            self.cluster.ids,
            namespace=meta["namespace"],
            labels={**(meta.get("labels") or {}), LABEL: meta["name"]},
            owners=[owner(scheduled, controller=True, block=True)],
            manager="spark-operator",
            body={"spec": scheduled["spec"]["template"]},
        )
        try:
            self.cluster.create(SPARKAPPS, app)
        except StatusError:
            return ""
        return name

    def _run_changed(self, change: ObjectChange) -> None:
        app, old = change.object, change.previous
        if change.type != "MODIFIED" or old is None:
            return
        state = state_of(app)
        name = (app["metadata"].get("labels") or {}).get(LABEL)
        if not name or state not in ("COMPLETED", "FAILED") or state_of(old) == state:
            return
        self._process.after(0.4, lambda: self._remember(app["metadata"]["namespace"], name))

    def _remember(self, namespace: str, name: str) -> None:
        scheduled = self.cluster.store.get(SCHEDULED, namespace, name)
        if scheduled is None:
            return
        status, runs = dict(scheduled.get("status", {})), self._runs(scheduled)
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
