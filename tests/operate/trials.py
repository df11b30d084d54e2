"""The table of verbs: for each what it is tried on, what must be true afterwards, and what must stand in its way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import yaml

from console.actions import verb_of
from console.actions.effects import Effect
from console.runbook import schema
from console.runbook.changes import effect
from console.runbook.model import Runbook
from tests.cluster.kube import Kube, KubeError
from tests.operate.objects import spark_application

Object = dict[str, Any]
HEAD = {"apiVersion": "console/v1", "kind": "Runbook", "id": "trial", "version": "1.0.0", "title": "Try a verb"}
WAYS = dict.fromkeys((f"on_{verdict}" for verdict in ("effective", "ineffective", "worse", "unknown")), "over")
PLURALS = {
    "ConfigMap": "configmaps", "ControllerRevision": "controllerrevisions", "CronJob": "cronjobs",
    "DaemonSet": "daemonsets", "Deployment": "deployments", "HorizontalPodAutoscaler": "horizontalpodautoscalers",
    "Job": "jobs", "Node": "nodes", "Pod": "pods",
    "PodDisruptionBudget": "poddisruptionbudgets", "ReplicaSet": "replicasets",
    "ScheduledSparkApplication": "scheduledsparkapplications", "SparkApplication": "sparkapplications",
    "StatefulSet": "statefulsets",
}  # fmt: skip


class Hinder(NamedTuple):
    """A merge patch of the target (or of another given object), and words of the refusal that follows.

    `by`: who refuses. `manager`: who writes the patch. `born`: the target has it from the start, as it cannot come
    later; the target of a verb that makes it is made beforehand, with `patch`.
    """

    patch: Object
    because: str
    index: int = 0
    by: str = "obstacle"
    manager: str = ""
    born: bool = False


@dataclass(frozen=True)
class Trial:
    """One verb on one object.

    Attributes:
        given: the objects of a namespace, the target first; each may have a status.
        keys: of the step.
        came: whether it is so afterwards, of the object that the verb leaves its trace on (None: it is gone).
        sent: method and resource of its one write.
        hinders: what must stand in its way.
    """

    verb: str
    given: Callable[[str], list[Object]]
    keys: dict[str, Any]
    came: Callable[[Object | None], bool]
    sent: str
    hinders: tuple[Hinder, ...] = ()
    name: str = ""
    absent: bool = False
    """The target is not created before."""
    ends: bool = False
    """It ends something, which is kept before it is sent."""

    @property
    def id(self) -> str:
        return self.name or self.verb

    def target(self, namespace: str) -> Object:
        return self.given(namespace)[0]

    def make(self, kube: Kube, namespace: str, born: Object | None = None) -> None:
        """Create what is given, with its status; the target with fields of its own where it has some."""
        first: Object = {}
        if self.target(namespace)["kind"] == "Node":
            roomy(kube)
        for obj in self.given(namespace)[1 if self.absent else 0 :]:
            obj = _adopted(obj, first)
            if born and not first:
                obj = {**obj, **{part: {**obj[part], **fields} for part, fields in born.items()}}
            status = obj.pop("status", None)
            made = kube.create(path_of({**obj, "metadata": {**obj["metadata"], "name": ""}}), obj)
            first = first or made
            if status is not None:
                kube.merge(path_of(obj) + "/status", {"status": status})

    def book(self, namespace: str) -> Runbook:
        """A runbook that does it."""
        obj = self.target(namespace)
        meta = obj["metadata"]
        target = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": meta["name"]}
        if meta.get("namespace"):
            target["namespace"] = namespace
        step = {
            "id": "do", "kind": "change", "title": f"{self.verb} it", "action": self.verb, "target": target,
            **self.keys, "verify": "look", "on_refused": "over", "on_failed": "over",
        }  # fmt: skip
        look = {"id": "look", "kind": "verify", "title": "Look", "until": "after.written", "progress": "after.written"}
        done = {"id": "done", "kind": "end", "title": "Done", "outcome": "resolved"}
        over = {"id": "over", "kind": "end", "title": "Over", "outcome": "unresolved"}
        steps = [step, {**look, "poll": 0.05, **WAYS, "on_effective": "done"}, done, over]
        return schema.load(yaml.safe_dump({**HEAD, "steps": steps}), "trial.yaml")

    def effect(self, namespace: str) -> Effect:
        """The change that the runbook's step comes to."""
        walk: Any = SimpleNamespace(id="w-1", intents=0)
        book = self.book(namespace)
        return effect(book, walk, book.steps[0], {})


def path_of(obj: Object) -> str:
    api, meta = obj["apiVersion"], obj["metadata"]
    where = f"/namespaces/{meta['namespace']}" if meta.get("namespace") else ""
    name = f"/{meta['name']}" if meta["name"] else ""
    return f"{'/apis' if '/' in api else '/api'}/{api}{where}/{PLURALS[obj['kind']]}{name}"


def roomy(kube: Kube) -> None:
    """A node that takes every pod: those that trials take out of service shall not be all that others find."""
    node = made("v1", "Node", "", "roomy", {})
    if kube.find(path_of(node)) is None:
        with contextlib.suppress(KubeError):  # another worker made it
            kube.create("/api/v1/nodes", node)
    room = {"cpu": "512", "memory": "4Ti", "pods": "1000"}
    status = {"capacity": room, "allocatable": room, "conditions": [{"type": "Ready", "status": "True"}]}
    kube.merge(path_of(node) + "/status", {"status": status})
    kube.merge(path_of(node), {"spec": {"taints": None}})


def _adopted(obj: Object, owner: Object) -> Object:
    """The object, with the first one as its controller where it asks for one."""
    meta = dict(obj["metadata"])
    if meta.pop("adopt", False):
        reference = {key: owner["metadata"][key] for key in ("name", "uid")}
        whose = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], **reference, "controller": True}
        meta["ownerReferences"] = [whose]
    return {**obj, "metadata": meta}


def left(effect: Effect) -> str:
    """Path of the object that says whether a change arrived."""
    trace = verb_of(effect.action).trace(effect)
    assert trace is not None
    meta = {"name": trace.name, "namespace": trace.namespace}
    return path_of({"apiVersion": trace.api_version, "kind": trace.kind, "metadata": meta})


def made(api: str, kind: str, namespace: str, name: str, body: Object, **meta: Any) -> Object:
    where = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **where, **meta}, **body}


def template(image: str = "proxy:2") -> Object:
    labels = {"app": "proxy"}
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "proxy", "image": image}]}}


def workload(namespace: str, kind: str = "Deployment", replicas: int = 3, **spec: Any) -> Object:
    counted = {} if kind == "DaemonSet" else {"replicas": replicas}
    named = {"serviceName": "proxy"} if kind == "StatefulSet" else {}
    body = {"selector": {"matchLabels": {"app": "proxy"}}, "template": template(), **counted, **named, **spec}
    return made("apps/v1", kind, namespace, "proxy", {"spec": body})


def _replicas(wanted: int) -> Callable[[Object | None], bool]:
    return lambda obj: obj is not None and obj["spec"]["replicas"] == wanted


def _restarted(obj: Object | None) -> bool:
    notes = (obj or {})["spec"]["template"]["metadata"].get("annotations") or {}
    return "kubectl.kubernetes.io/restartedAt" in notes


def _pod_image(wanted: str) -> Callable[[Object | None], bool]:
    return lambda obj: obj is not None and obj["spec"]["template"]["spec"]["containers"][0]["image"] == wanted


def replica_set(namespace: str, number: int, image: str) -> Object:
    """A revision of a Deployment, as its controller keeps it."""
    labels = {"app": "proxy", "pod-template-hash": f"h{number}"}
    pods = template(image)
    pods["metadata"]["labels"] = labels
    body = {"spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": pods}}
    notes = {"deployment.kubernetes.io/revision": str(number)}
    return made(
        "apps/v1", "ReplicaSet", namespace, f"proxy-h{number}", body, labels=labels, annotations=notes, adopt=True
    )


def controller_revision(namespace: str, number: int, image: str) -> Object:
    """A revision of a StatefulSet or DaemonSet, as its controller keeps it."""
    body = {"revision": number, "data": {"spec": {"template": {"$patch": "replace", **template(image)}}}}
    meta: dict[str, Any] = {"labels": {"app": "proxy"}, "adopt": True}
    return made("apps/v1", "ControllerRevision", namespace, f"proxy-c{number}", body, **meta)


def node(namespace: str, *taints: Object, **spec: Any) -> Object:
    body = {**spec, "taints": list(taints)} if taints else spec
    return made("v1", "Node", "", f"node-{namespace}", {"spec": body})


def _taints(obj: Object | None) -> list[str]:
    return [t["key"] for t in (obj or {})["spec"].get("taints") or []]


def _cordoned(wanted: bool) -> Callable[[Object | None], bool]:
    return lambda obj: obj is not None and obj["spec"].get("unschedulable", False) is wanted


SICK = {"key": "console.oncall/ill", "effect": "NoSchedule"}
LEAVING = {"key": "ToBeDeletedByClusterAutoscaler", "value": "1790000000", "effect": "NoSchedule"}
NODE_HINDERS = (
    Hinder(
        {"metadata": {"labels": {"dgxc.nvidia.com/nvsentinel-state": "draining"}}}, "NVSentinel works on it (draining)"
    ),
    Hinder({"spec": {"taints": [LEAVING]}}, "the cluster autoscaler is deleting it"),
)
IMAGES = [(1, "proxy:0"), (2, "proxy:1"), (3, "proxy:2")]


def pod(namespace: str, role: str = "executor") -> Object:
    labels = {"app": "proxy", "spark-role": role}
    body: Object = {"spec": {"containers": [{"name": "c", "image": "spark:4"}]}}
    body["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return made("v1", "Pod", namespace, f"etl-{role}", body, labels=labels)


def budget(namespace: str, allowed: int = 1) -> Object:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "proxy"}}}
    counted = {"disruptionsAllowed": allowed, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2}
    body = {"spec": spec, "status": {**counted, "observedGeneration": 1}}
    return made("policy/v1", "PodDisruptionBudget", namespace, "proxy", body)


def autoscaler(namespace: str, name: str = "another") -> Object:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    body = {"spec": {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": 9}}
    return made("autoscaling/v2", "HorizontalPodAutoscaler", namespace, "busy", body)


def application(namespace: str, state: str = "RUNNING", **more: Any) -> Object:
    app = spark_application(namespace)
    status = {"applicationState": {"state": state}, "driverInfo": {}} if state else None
    return {**app, "spec": {**app["spec"], **more}, **({"status": status} if status else {})}


def schedule(namespace: str, **more: Any) -> Object:
    spec = {"schedule": "0 2 * * *", "concurrencyPolicy": "Forbid", "template": spark_application(namespace)["spec"]}
    api = "sparkoperator.k8s.io/v1beta2"
    return made(api, "ScheduledSparkApplication", namespace, "nightly", {"spec": {**spec, **more}})


def job_spec() -> Object:
    return {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "job:1"}]}}}


def cron(namespace: str, **more: Any) -> Object:
    spec = {"schedule": "0 2 * * *", "jobTemplate": {"metadata": {"labels": {"team": "x"}}, "spec": job_spec()}}
    return made("batch/v1", "CronJob", namespace, "nightly", {"spec": {**spec, **more}})


def config(namespace: str, name: str = "spark-conf", value: str = "spark.executor.cores 4", **more: Any) -> Object:
    return made("v1", "ConfigMap", namespace, name, {"data": {"spark-defaults.conf": value}, **more})


def _suspended(wanted: bool) -> Callable[[Object | None], bool]:
    return lambda obj: obj is not None and obj["spec"].get("suspend", False) is wanted


def _noted(field: str, key: str, value: str) -> Callable[[Object | None], bool]:
    return lambda obj: obj is not None and obj["metadata"][field].get(key) == value


def _gone(obj: Object | None) -> bool:
    return obj is None or "deletionTimestamp" in obj["metadata"]


def _same(patch: Object) -> Hinder:
    """Somebody else did it meanwhile."""
    return Hinder(patch, "already has these values", by="server")


BACK = {"rollback": "captured"}
STATIC = Hinder(
    {"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}, "spec": {"nodeName": "roomy"}},
    "it is a static pod", born=True,
)  # fmt: skip
FEWER = "spark.executor.cores 2"
KUEUE = Hinder({"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "team-a"}}}, "Kueue decides when it runs")
DEFAULTS = "spark-defaults.conf"
PAUSED = Hinder({"spec": {"paused": True}}, "its rollout is paused")
TRIALS = (
    Trial("patch", lambda ns: [config(ns)], {"patch": {"data": {DEFAULTS: FEWER}}, **BACK},
          lambda obj: (obj or {})["data"][DEFAULTS] == FEWER, "PATCH configmaps",
          (_same({"data": {DEFAULTS: FEWER}}),)),
    Trial("patch", lambda ns: [config(ns)],
          {"patch_type": "json", "patch": [{"op": "replace", "path": f"/data/{DEFAULTS}", "value": FEWER}], **BACK},
          lambda obj: (obj or {})["data"][DEFAULTS] == FEWER, "PATCH configmaps", name="patch by a JSON Patch"),
    Trial("patch", lambda ns: [application(ns)], {"patch": {"spec": {"executor": {"memoryOverhead": "1g"}}}, **BACK},
          lambda obj: (obj or {})["spec"]["executor"]["memoryOverhead"] == "1g", "PATCH sparkapplications",
          name="patch an application", ends=True),
    Trial("delete", lambda ns: [pod(ns)], {"irreversible": "the driver asks for another one"}, _gone, "DELETE pods",
          (STATIC,), ends=True),
    Trial("scale", lambda ns: [workload(ns), autoscaler(ns)], {"to": 1}, _replicas(1), "PATCH deployments",
          (_same({"spec": {"replicas": 1}}),
           Hinder({"spec": {"scaleTargetRef": {"name": "proxy"}}}, "HorizontalPodAutoscaler busy keeps it between", 1)),
          ends=True),
    Trial("scale", lambda ns: [workload(ns, "StatefulSet", 0)], {"to": 2}, _replicas(2), "PATCH statefulsets",
          name="scale a StatefulSet"),
    Trial("restart", lambda ns: [workload(ns)], {}, _restarted, "PATCH deployments", (PAUSED,), ends=True),
    Trial("restart", lambda ns: [workload(ns, "DaemonSet")], {}, _restarted, "PATCH daemonsets",
          (Hinder({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}}, "is OnDelete"),),
          name="restart a DaemonSet", ends=True),
    Trial("rollback", lambda ns: [workload(ns), *(replica_set(ns, *one) for one in IMAGES)], {},
          _pod_image("proxy:1"), "PATCH deployments", (PAUSED,), ends=True),
    Trial("rollback", lambda ns: [workload(ns, "StatefulSet"), *(controller_revision(ns, *one) for one in IMAGES)],
          {"to": 1}, _pod_image("proxy:0"), "PATCH statefulsets", name="rollback to a revision", ends=True),
    Trial("pause", lambda ns: [workload(ns)], {}, lambda obj: bool((obj or {})["spec"].get("paused")),
          "PATCH deployments", (Hinder({"spec": {"paused": True}}, "its rollout is paused already, by "),)),
    Trial("resume-rollout", lambda ns: [workload(ns, paused=True)], {"agreed": "grace"},
          lambda obj: not (obj or {})["spec"].get("paused"), "PATCH deployments",
          (Hinder({"spec": {"paused": None}}, "its rollout is not paused: there is nothing to resume"),)),
    Trial("cordon", lambda ns: [node(ns)], {}, _cordoned(True), "PATCH nodes", NODE_HINDERS),
    Trial("taint", lambda ns: [node(ns)], {"key": "console.oncall/ill", "taint_effect": "NoExecute"},
          lambda obj: "console.oncall/ill" in _taints(obj), "PATCH nodes", name="taint that ends pods", ends=True),
    Trial("uncordon", lambda ns: [node(ns, unschedulable=True)], {"agreed": "grace"}, _cordoned(False), "PATCH nodes",
          NODE_HINDERS),
    Trial("taint", lambda ns: [node(ns)], {"key": "console.oncall/ill"},
          lambda obj: "console.oncall/ill" in _taints(obj), "PATCH nodes", NODE_HINDERS),
    Trial("untaint", lambda ns: [node(ns, SICK)], {"key": "console.oncall/ill"},
          lambda obj: "console.oncall/ill" not in _taints(obj), "PATCH nodes", NODE_HINDERS),
    Trial("evict", lambda ns: [pod(ns), budget(ns)], {},
          _gone, "POST pods",
          (Hinder({"status": {"disruptionsAllowed": 0, "currentHealthy": 1}}, "budget proxy", 1), STATIC), ends=True),
    Trial("label", lambda ns: [config(ns)], {"labels": {"team": "payments"}}, _noted("labels", "team", "payments"),
          "PATCH configmaps",
          (_same({"metadata": {"labels": {"team": "payments"}}}),
           Hinder({"metadata": {"labels": {"team": "orders"}}}, "metadata.labels.team is kept by Argo CD",
                  manager="argocd-controller"))),
    Trial("annotate", lambda ns: [workload(ns)], {"annotations": {"note": "seen by {{ 'on-call' }}"}},
          _noted("annotations", "note", "seen by on-call"), "PATCH deployments",
          (_same({"metadata": {"annotations": {"note": "seen by on-call"}}}),
           Hinder({"metadata": {"annotations": {"note": "due"}}}, "metadata.annotations.note is kept by Flux",
                  manager="kustomize-controller"))),
    Trial("suspend", lambda ns: [schedule(ns)], {}, _suspended(True), "PATCH scheduledsparkapplications"),
    Trial("suspend", lambda ns: [application(ns)], {}, _suspended(True), "PATCH sparkapplications",
          (KUEUE, Hinder({"status": {"applicationState": {"state": "COMPLETED"}}}, "it is COMPLETED already")),
          name="suspend an application", ends=True),
    Trial("suspend", lambda ns: [cron(ns)], {}, _suspended(True), "PATCH cronjobs", name="suspend a CronJob"),
    Trial("resume", lambda ns: [cron(ns, suspend=True)], {}, _suspended(False), "PATCH cronjobs"),
    Trial("resume", lambda ns: [application(ns, "SUSPENDED", suspend=True)], {}, _suspended(False),
          "PATCH sparkapplications", (KUEUE,), name="resume an application", ends=True),
    Trial("restore", lambda ns: [config(ns), config(ns, "spark-conf-before", "spark.executor.cores 2")],
          {"key": DEFAULTS, "source": "spark-conf-before"},
          lambda obj: (obj or {})["data"][DEFAULTS] == "spark.executor.cores 2", "PATCH configmaps",
          (Hinder({"immutable": True}, "it is immutable"), Hinder({"data": {DEFAULTS: None}}, "has no key", 1))),
    Trial("trigger", lambda ns: [schedule(ns), application(ns, "RUNNING")], {},
          lambda obj: obj is not None and obj["spec"]["type"] == "Python", "POST sparkapplications",
          (Hinder({"metadata": {"labels": {"sparkoperator.k8s.io/scheduled-app-name": "nightly"}}},
                  "its run etl-orders is not over", 1),)),
    Trial("trigger", lambda ns: [cron(ns)], {},
          lambda obj: obj is not None and obj["metadata"]["ownerReferences"][0]["name"] == "nightly", "POST jobs",
          name="trigger a CronJob"),
    Trial("rerun", lambda ns: [application(ns, "COMPLETED")], {},
          lambda obj: "console.oncall/rerun" in (obj or {})["spec"]["driver"].get("annotations", {}),
          "PATCH sparkapplications", (Hinder({"spec": {"suspend": True}}, "it is suspended"),), ends=True),
    Trial("create", lambda ns: [made("batch/v1", "Job", ns, "canary", {})], {"template": {"spec": job_spec()}},
          lambda obj: obj is not None and obj["spec"]["template"]["spec"]["containers"][0]["image"] == "job:1",
          "POST jobs", (Hinder({"spec": job_spec()}, "canary is there already, made at "),), absent=True),
)  # fmt: skip
