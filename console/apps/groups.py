"""Which objects belong to which application, whatever started it.

The join keys, strongest first: the operator's name label, an ownerReference, `spark-app-selector` (the application id,
the same on driver and executors), the driver's address in the executor's environment; where only names were read,
those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from operator import is_

from console.apps.model import Launcher
from console.apps.told import told_driver
from console.facts.model import Facts, Pod, Workload
from console.facts.podnames import stem

KUBEFLOW, APACHE = "sparkoperator.k8s.io", "spark.apache.org"
KUBEFLOW_NAME = "sparkoperator.k8s.io/app-name"
KUBEFLOW_CONNECT = "sparkoperator.k8s.io/connect-name"
APACHE_NAME = "spark.operator/spark-app-name"
SELECTOR, ROLE, EXEC_ID = "spark-app-selector", "spark-role", "spark-exec-id"
_DRIVER_CONTAINER, _EXECUTOR_CONTAINER = "spark-kubernetes-driver", "spark-kubernetes-executor"

_OF_RUN = re.compile(r"-[0-9a-f]{16}$")
"""What Spark adds to the names of executors in each run."""

GroupId = tuple[str, str, str]


@dataclass
class Group:
    """The objects of one application. `drivers` are in order of creation: one per attempt."""

    id: GroupId
    namespace: str
    name: str
    launcher: Launcher
    cr: Workload | None = None
    deployment: Workload | None = None
    drivers: list[Pod] = field(default_factory=list)
    executors: list[Pod] = field(default_factory=list)
    app_ids: set[str] = field(default_factory=set)
    told: bool = False
    """Its driver has no pod: what its custom resource says of it stands for one."""

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def root(self) -> Workload | Pod | None:
        """The object that stands for it: a custom resource or a Deployment, else the newest driver."""
        return self.cr or self.deployment or (self.drivers[-1] if self.drivers else None)

    @property
    def object_uid(self) -> str:
        """The uid of the custom resource or Deployment; empty where it was not read, or there is none."""
        root = self.cr or self.deployment
        return root.uid if root is not None else ""

    @cached_property
    def pod_keys(self) -> tuple[str, ...]:
        """Keys of its pods, drivers first. Read once the group is whole."""
        return tuple(pod.key for pod in (*self.drivers, *self.executors))

    def renewed(self, drivers: list[Pod], executors: list[Pod]) -> Group:
        """The same group with newer objects of the same pods."""
        made = copy(self)  # with `pod_keys`, where they were read
        made.drivers, made.executors = drivers, executors
        return made

    def lead(self, drivers: list[Pod], *, told: bool) -> None:
        """Other drivers take the place of those that it has."""
        self.drivers, self.told = drivers, told
        self.__dict__.pop("pod_keys", None)

    def like(self, other: Group) -> bool:
        """Whether both were made of the very same objects (`is`)."""
        return self.led_like(other) and identical(self.executors, other.executors)

    def led_like(self, other: Group) -> bool:
        """Whether they can differ in their executors only."""
        return (
            self.cr is other.cr
            and self.deployment is other.deployment
            and self.launcher == other.launcher
            and self.name == other.name
            and identical(self.drivers, other.drivers)
            and self.app_ids == other.app_ids
        )


@dataclass
class Grouping:
    """Every application's objects in a stable order, and the pods that are of none by their role."""

    groups: dict[GroupId, Group]
    others: list[Pod]


def identical(one: Sequence[object], other: Sequence[object]) -> bool:
    """Whether both hold the very same objects in the same order."""
    return len(one) == len(other) and all(map(is_, one, other))


def api_group(api_version: str) -> str:
    return api_version.split("/", 1)[0] if "/" in api_version else ""


def role_of(pod: Pod) -> str:
    """driver, executor, connect, or `` for a pod that is not Spark's."""
    role = pod.labels.get(ROLE, "")
    if role == "connect-server":
        return "connect"
    if role in ("driver", "executor"):
        return role
    labels = pod.labels
    if labels.get("app.kubernetes.io/component") == "connect" or labels.get("app") == "spark-connect":
        return "connect"
    for container in pod.containers:
        if container.name == _EXECUTOR_CONTAINER:
            return "executor"
        if container.name == _DRIVER_CONTAINER:
            return "driver"
        if container.name == "spark-connect" or any("SparkConnectServer" in arg for arg in container.args):
            return "connect"
    if EXEC_ID in labels:
        return "executor"
    return ""


def groups(facts: Facts) -> dict[GroupId, Group]:
    """Every application of the cluster's objects, in a stable order."""
    return grouping(facts).groups


def grouping(facts: Facts) -> Grouping:
    """Every application of the cluster's objects, and every other pod."""
    out: dict[GroupId, Group] = {}
    by_selector: dict[tuple[str, str], GroupId] = {}
    by_uid: dict[str, GroupId] = {}
    by_host: dict[tuple[str, str], GroupId] = {}
    for cr in facts.spark:
        _add_cr(out, cr, by_selector, by_uid)
    executors: list[Pod] = []
    others: list[Pod] = []
    for pod in facts.pods:
        role = pod.labels.get(ROLE) or role_of(pod)
        if role == "executor":
            executors.append(pod)
            continue
        if role not in ("driver", "executor", ""):
            role = role_of(pod)
        if role == "driver":
            _add_driver(out, pod, by_selector, by_uid, by_host)
        elif role == "connect":
            _add_connect(out, pod, facts.workloads, by_selector, by_uid, by_host)
        else:
            others.append(pod)
    plain = {pod.uid: pod for pod in others if pod.uid}
    for pod in executors:
        _add_executor(out, pod, by_selector, by_uid, by_host, plain)
    for group in out.values():
        group.drivers.sort(key=_birth)
        if group.cr is not None and not group.drivers and (told := told_driver(group.cr)) is not None:
            group.drivers.append(told)
            group.told = True
    return Grouping(out, others)


def _birth(pod: Pod) -> tuple[float, str]:
    return (pod.created or 0.0, pod.uid)


def _add_cr(
    out: dict[GroupId, Group], cr: Workload, by_selector: dict[tuple[str, str], GroupId], by_uid: dict[str, GroupId]
) -> None:
    group = api_group(cr.api_version)
    if cr.kind == "SparkApplication" and group in (KUBEFLOW, APACHE):
        launcher: Launcher = "kubeflow" if group == KUBEFLOW else "apache"
    elif cr.kind == "SparkConnect":
        launcher = "connect"
    else:
        return
    gid = (launcher, cr.namespace, cr.name)
    known = out.get(gid)
    if known is not None and (known.cr is not None and known.cr.generation > cr.generation):
        return
    app_id = cr.status.get("sparkApplicationId")
    made = known or Group(gid, cr.namespace, cr.name, launcher)
    made.cr = cr
    out[gid] = made
    if isinstance(app_id, str) and app_id:
        made.app_ids.add(app_id)
        by_selector[cr.namespace, app_id] = gid
    if cr.uid:
        by_uid[cr.uid] = gid


def _operator_id(pod: Pod) -> GroupId | None:
    labels = pod.labels
    if name := labels.get(KUBEFLOW_NAME):
        return ("kubeflow", pod.namespace, name)
    if name := labels.get(APACHE_NAME):
        return ("apache", pod.namespace, name)
    if name := labels.get(KUBEFLOW_CONNECT):
        return ("connect", pod.namespace, name)
    for owner in pod.owners:
        if owner.kind == "SparkApplication":
            kind = "apache" if api_group(owner.api_version) == APACHE else "kubeflow"
            return (kind, pod.namespace, owner.name)
    return None


def _group(out: dict[GroupId, Group], gid: GroupId, namespace: str, name: str, launcher: Launcher) -> Group:
    group = out.get(gid)
    if group is None:
        group = out[gid] = Group(gid, namespace, name, launcher)
    return group


_LAUNCHERS: dict[str, Launcher] = {"kubeflow": "kubeflow", "apache": "apache", "connect": "connect"}


def _add_driver(
    out: dict[GroupId, Group],
    pod: Pod,
    by_selector: dict[tuple[str, str], GroupId],
    by_uid: dict[str, GroupId],
    by_host: dict[tuple[str, str], GroupId],
) -> None:
    selector = pod.labels.get(SELECTOR, "")
    led = by_selector.get((pod.namespace, selector)) if selector else None
    gid = _operator_id(pod) or led or ("submit", pod.namespace, selector or pod.name)
    name = gid[2] if gid[0] in _LAUNCHERS else pod.name.removesuffix("-driver")
    group = _group(out, gid, pod.namespace, name, _LAUNCHERS.get(gid[0], "submit"))
    group.drivers.append(pod)
    _remember(group, pod, selector, by_selector, by_uid, by_host)


def _remember(
    group: Group,
    pod: Pod,
    selector: str,
    by_selector: dict[tuple[str, str], GroupId],
    by_uid: dict[str, GroupId],
    by_host: dict[tuple[str, str], GroupId],
) -> None:
    if selector:
        group.app_ids.add(selector)
        by_selector[pod.namespace, selector] = group.id
    if pod.uid:
        by_uid[pod.uid] = group.id
    if pod.ip:
        by_host.setdefault((pod.namespace, pod.ip), group.id)
    by_host[pod.namespace, pod.name] = group.id


def _add_connect(
    out: dict[GroupId, Group],
    pod: Pod,
    workloads: Iterable[Workload],
    by_selector: dict[tuple[str, str], GroupId],
    by_uid: dict[str, GroupId],
    by_host: dict[tuple[str, str], GroupId],
) -> None:
    name = pod.labels.get(KUBEFLOW_CONNECT, "")
    deployment: Workload | None = None
    if not name:
        owner = next((o for o in pod.owners if o.controller), pod.owners[0] if pod.owners else None)
        if owner is not None and owner.kind == "ReplicaSet":
            name = owner.name.rsplit("-", 1)[0]
        elif owner is not None and owner.kind in ("StatefulSet", "Deployment"):
            name = owner.name
        else:
            name = pod.name
        deployment = next(
            (
                w
                for w in workloads
                if w.name == name and w.namespace == pod.namespace and w.kind in ("Deployment", "StatefulSet")
            ),
            None,
        )
    group = _group(out, ("connect", pod.namespace, name), pod.namespace, name, "connect")
    group.deployment = group.deployment or deployment
    group.drivers.append(pod)
    selector = pod.labels.get(SELECTOR, "")
    main = pod.main
    if not selector and main is not None:
        selector = main.env.get("SPARK_APPLICATION_ID", "")
    _remember(group, pod, selector, by_selector, by_uid, by_host)


def _driver_host(pod: Pod) -> str:
    main = pod.main
    url = main.env.get("SPARK_DRIVER_URL", "") if main is not None else ""
    return url.rpartition("@")[2].rpartition(":")[0] if "@" in url else ""


def _add_executor(
    out: dict[GroupId, Group],
    pod: Pod,
    by_selector: dict[tuple[str, str], GroupId],
    by_uid: dict[str, GroupId],
    by_host: dict[tuple[str, str], GroupId],
    plain: dict[str, Pod],
) -> None:
    selector = pod.labels.get(SELECTOR, "")
    known = by_selector.get((pod.namespace, selector)) if selector else None
    if known is not None and known[0] == "submit":
        out[known].executors.append(pod)
        return
    gid = _operator_id(pod) or known
    if gid is None:
        gid = next((by_uid[o.uid] for o in pod.owners if o.uid in by_uid), None)
    host = ""
    if gid is None and (host := _driver_host(pod)):
        gid = by_host.get((pod.namespace, host))
        service = host.split(".", 1)[0]
        if gid is None and service.endswith("-svc"):
            gid = by_host.get((pod.namespace, service.removesuffix("-svc")))
    if gid is None and not selector and not pod.owners:
        gid = by_host.get((pod.namespace, f"{_OF_RUN.sub('', stem(pod.name))}-driver"))
    if gid is None:
        gid = _new_for_executor(out, pod, selector, host, plain)
    group = out.get(gid)
    if group is None:
        group = _group(out, gid, pod.namespace, gid[2], _LAUNCHERS.get(gid[0], "submit"))
    group.executors.append(pod)
    if selector:
        group.app_ids.add(selector)
        by_selector.setdefault((pod.namespace, selector), gid)


def _new_for_executor(out: dict[GroupId, Group], pod: Pod, selector: str, host: str, plain: dict[str, Pod]) -> GroupId:
    """An executor whose driver is not among the facts, or is a pod of another kind (a notebook in client mode)."""
    driver_owner = next((o for o in pod.owners if o.kind == "Pod"), None)
    service = host.split(".", 1)[0]
    if driver_owner is not None:
        name = stem(driver_owner.name)
    elif service.endswith("-driver-svc"):
        name = service.removesuffix("-driver-svc")
    else:
        name = stem(pod.name)
    gid: GroupId = ("submit", pod.namespace, selector or name)
    launcher: Launcher = "submit"
    client = plain.get(driver_owner.uid) if driver_owner is not None else None
    if client is not None:
        launcher = "unknown"
    if gid not in out:
        out[gid] = Group(gid, pod.namespace, name, launcher)
        if client is not None:
            out[gid].drivers.append(client)
    return gid
