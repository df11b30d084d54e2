"""Kueue for SparkApplications, as v0.19 does it: what bears the name of a queue runs when its cluster queue has room.

It acts while a pod of its manager is ready. What it holds back it suspends, whoever would have it run. One flavor of
each resource is reckoned with, and nobody is preempted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.base.units import parse_quantity
from console.drill.control.leader import ControllerProcess
from console.drill.spark.memory import Role, sizing
from console.drill.state.admission import plain
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.objects import build, owner
from console.drill.state.resources import CLUSTER_QUEUES, LOCAL_QUEUES, QUEUED, SPARKAPPS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
GROUP = "kueue.x-k8s.io"
QUEUE, UID = f"{GROUP}/queue-name", f"{GROUP}/job-uid"
LABELS = {"app.kubernetes.io/name": "kueue", "control-plane": "controller-manager"}
LEASE = ("kueue-system", "c1f6bfd2.kueue.x-k8s.io")
CONTROLLER = f"{SPARKAPPS.group}/sparkapplication-kueue-controller"
OVER = ("COMPLETED", "FAILED")
NO_ROOM, NEVER = "WaitingForQuota", "ExceedsMaxQuota"


class Kueue:
    """The manager: suspends, keeps Workloads, lets in by priority and age."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster, self.store = cluster, cluster.store
        self.process = ControllerProcess(cluster, LABELS, LEASE)
        self.process.on_start(self._soon)
        self._planned = False
        self.store.listen(SPARKAPPS, self._app)
        self.store.listen(CLUSTER_QUEUES, lambda _change: self._soon())
        self.store.listen(LOCAL_QUEUES, lambda _change: self._soon())

    def _app(self, change: ObjectChange) -> None:
        if QUEUE not in (change.object["metadata"].get("labels") or {}):
            return
        old, new = change.previous, change.object
        if change.type != "MODIFIED" or old is None or _shape(old) != _shape(new):
            self._soon()

    def _soon(self) -> None:
        if not self._planned:
            self._planned = True
            self.process.after(0.05, self._round)
            self.cluster.heap.after(0.06, self._done)

    def _done(self) -> None:
        self._planned = False

    def _round(self) -> None:
        """Look at everything once."""
        apps = [app for app in self.store.all(SPARKAPPS) if QUEUE in (app["metadata"].get("labels") or {})]
        for workload in list(self.store.all(QUEUED)):
            if not any(app["metadata"]["uid"] == workload["metadata"]["labels"].get(UID) for app in apps):
                self.store.delete(QUEUED, workload["metadata"]["namespace"], workload["metadata"]["name"])
        for app in apps:
            workload = self._workload(app)
            if _state(app) in OVER and not _is(workload, "Finished"):
                self._say(workload, Finished=(True, "Succeeded" if _state(app) == "COMPLETED" else "Failed", ""))
        for queue in list(self.store.all(CLUSTER_QUEUES)):
            self._queue(queue)
        for app in apps:
            workload = self._workload(app)
            held = not _is(workload, "Admitted")
            if _state(app) not in OVER and held != bool(app["spec"].get("suspend")):
                self._suspend(app, held)

    def _suspend(self, app: Object, held: bool) -> None:
        if held and _state(app):
            self.cluster.recorder.record(app, "Normal", "Stopped", "Not admitted by cluster queue", CONTROLLER)
        self.store.update(SPARKAPPS, {**app, "spec": {**app["spec"], "suspend": held}})

    def _workload(self, app: Object) -> Object:
        meta = app["metadata"]
        mine = (w for w in self.store.all(QUEUED, meta["namespace"]) if w["metadata"]["labels"].get(UID) == meta["uid"])
        return next(mine, None) or self._made(app)

    def _made(self, app: Object) -> Object:
        meta, now = app["metadata"], self.cluster.heap.now
        requests = [{"name": name, "resources": asked} for name, _, asked in _asked(app)]
        made = build(
            QUEUED,
            f"sparkapplication-{meta['name']}-{self.cluster.ids.hex(5)}",
            now,
            self.cluster.ids,
            namespace=meta["namespace"],
            labels={UID: meta["uid"]},
            owners=[owner(app, controller=True, block=True)],
            manager="kueue",
            body={
                "spec": {
                    "active": True,
                    "queueName": meta["labels"][QUEUE],
                    "priority": 0,
                    "podSets": [{"name": name, "count": count, "template": {}} for name, count, _ in _asked(app)],
                },
                "status": {"conditions": [], "resourceRequests": requests},
            },
        )
        created = self.store.create(QUEUED, made)
        text = f"Created Workload: {meta['namespace']}/{made['metadata']['name']}"
        self.cluster.recorder.record(app, "Normal", "CreatedWorkload", text, CONTROLLER)
        if _state(app) in ("SUBMITTED", "RUNNING") and (name := self._cluster_queue(created)):
            return self._admit(created, name)
        return created

    def _cluster_queue(self, workload: Object) -> str:
        meta = workload["metadata"]
        local = self.store.get(LOCAL_QUEUES, meta["namespace"], workload["spec"]["queueName"])
        return str(local["spec"]["clusterQueue"]) if local is not None else ""

    def _queue(self, queue: Object) -> None:
        """Let in what fits, the first to come first; those behind one that waits may pass it."""
        name = queue["metadata"]["name"]
        mine = [w for w in self.store.all(QUEUED) if self._cluster_queue(w) == name and not _is(w, "Finished")]
        used = _sum(a for w in mine if _is(w, "Admitted") for a in _requests(w))
        stopped = queue["spec"].get("stopPolicy", "None") != "None"
        waiting = sorted((w for w in mine if not _is(w, "Admitted")), key=lambda w: w["metadata"]["creationTimestamp"])
        most = _nominal(queue)
        for workload in waiting:
            reason, text = ("Suspended", f"ClusterQueue {name} is inactive") if stopped else _lack(workload, most, used)
            if reason:
                self._say(
                    workload,
                    QuotaReserved=(False, reason, text),
                    Admitted=(False, "NoReservation", "The workload has no reservation"),
                )
            else:
                self._admit(workload, name)
                used = _sum((used, *_requests(workload)))
        self._report(queue, stopped)

    def _admit(self, workload: Object, queue: str) -> Object:
        parts = [
            {
                "name": one["name"],
                "flavors": dict.fromkeys(one["resources"], "default"),
                "resourceUsage": one["resources"],
            }
            for one in workload["status"]["resourceRequests"]
        ]
        status = {**workload["status"], "admission": {"clusterQueue": queue, "podSetAssignments": parts}}
        return self._say(
            {**workload, "status": status},
            QuotaReserved=(True, "QuotaReserved", f"Quota reserved in ClusterQueue {queue}"),
            Admitted=(True, "Admitted", "The workload is admitted"),
        )

    def _say(self, workload: Object, **conditions: tuple[bool, str, str]) -> Object:
        status = dict(workload["status"])
        for kind, (value, reason, text) in conditions.items():
            told = {"type": kind, "status": str(value), "reason": reason, "message": text}
            before = next((c for c in status["conditions"] if c["type"] == kind), None)
            if before is not None and {k: before[k] for k in told} == told:
                continue
            rest = [c for c in status["conditions"] if c["type"] != kind]
            status["conditions"] = [*rest, {**told, "lastTransitionTime": stamp(self.cluster.heap.now)}]
            if kind == "QuotaReserved":
                self.cluster.recorder.record(
                    workload, "Normal" if value else "Warning", reason, text, "kueue-admission"
                )
        return self.store.update(QUEUED, {**workload, "status": status})

    def _report(self, queue: Object, stopped: bool) -> None:
        name = queue["metadata"]["name"]
        self._counted(CLUSTER_QUEUES, queue, lambda w: self._cluster_queue(w) == name, stopped)
        for local in list(self.store.all(LOCAL_QUEUES)):
            if local["spec"]["clusterQueue"] == name:
                meta = local["metadata"]
                place = (meta["namespace"], meta["name"])
                self._counted(
                    LOCAL_QUEUES,
                    local,
                    lambda w, place=place: (w["metadata"]["namespace"], w["spec"]["queueName"]) == place,
                    stopped,
                )

    def _counted(self, resource: Any, queue: Object, belongs: Any, stopped: bool) -> None:
        mine = [w for w in self.store.all(QUEUED) if belongs(w) and not _is(w, "Finished")]
        inside = [w for w in mine if _is(w, "Admitted")]
        total = _sum(a for w in inside for a in _requests(w))
        flavor = {"name": "default", "resources": [{"name": k, "total": plain(k, v)} for k, v in total.items()]}
        reason = (
            ("Stopped", "Can't admit new workloads: is stopped.") if stopped else ("Ready", "Can admit new workloads")
        )
        status = {
            "pendingWorkloads": len(mine) - len(inside),
            "reservingWorkloads": len(inside),
            "admittedWorkloads": len(inside),
            "flavorsReservation": [flavor],
            "conditions": [{"type": "Active", "status": str(not stopped), "reason": reason[0], "message": reason[1]}],
        }
        if queue.get("status") != status:
            self.store.update(resource, {**queue, "status": status})


def _state(app: Object) -> str:
    return str((app.get("status") or {}).get("applicationState", {}).get("state", ""))


def _shape(app: Object) -> tuple[Any, ...]:
    return _state(app), bool(app["spec"].get("suspend")), (app["metadata"].get("labels") or {}).get(QUEUE)


def _is(workload: Object, kind: str) -> bool:
    return any(c["type"] == kind and c["status"] == "True" for c in workload["status"]["conditions"])


def _asked(app: Object) -> Iterator[tuple[str, int, dict[str, str]]]:
    """Name, count and requests in all of each part of an application."""
    spec = app["spec"]
    roles: tuple[Role, ...] = ("driver", "executor")
    for role in roles:
        part = spec.get(role) or {}
        count = int(part.get("instances", 2)) if role == "executor" else 1
        size = sizing(spec, role)
        cpu = parse_quantity(str(part.get("coreRequest") or part.get("cores", 1))) * count
        yield role, count, {"cpu": plain("cpu", cpu), "memory": plain("memory", size.request * count)}


def _requests(workload: Object) -> list[dict[str, float]]:
    asked = workload["status"]["resourceRequests"]
    return [{key: parse_quantity(value) for key, value in one["resources"].items()} for one in asked]


def _sum(parts: Any) -> dict[str, float]:
    out: dict[str, float] = {}
    for part in parts:
        for key, value in part.items():
            out[key] = out.get(key, 0.0) + value
    return out


def _nominal(queue: Object) -> dict[str, float]:
    groups = queue["spec"].get("resourceGroups") or ()
    return {
        str(one["name"]): parse_quantity(str(one["nominalQuota"]))
        for group in groups
        for flavor in group["flavors"]
        for one in flavor["resources"]
    }


def _lack(workload: Object, most: dict[str, float], used: dict[str, float]) -> tuple[str, str]:
    """Why it is not let in: reason and message, both empty where it is."""
    before: dict[str, float] = {}
    for named, asked in zip(workload["status"]["resourceRequests"], _requests(workload), strict=True):
        for key, value in asked.items():
            had, limit = before.get(key, 0.0), most.get(key)
            start = f"couldn't assign flavors to pod set {named['name']}: "
            if limit is None:
                return "NoMatchingFlavor", f"{start}resource {key} unavailable in ClusterQueue"
            if had + value > limit:
                sums = f"({plain(key, had)}) + current podset request ({plain(key, value)})"
                text = f"insufficient quota for {key} in flavor default, previously considered podsets requests {sums}"
                return NEVER, f"{start}{text} > maximum capacity ({plain(key, limit)})"
            if (short := had + value + used.get(key, 0.0) - limit) > 0:
                text = f"insufficient unused quota for {key} in flavor default, {plain(key, short)} more needed"
                return NO_ROOM, start + text
            before[key] = had + value
    return "", ""
