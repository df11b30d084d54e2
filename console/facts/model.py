"""Facts: what a source said, immutable, with its origin and time. Times are epoch seconds (UTC), sizes bytes.

A missing value is None, never zero. `Facts` is the whole input of `health`: one picture, live or from a folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from console.facts.counted import CountedAttempts
from console.facts.leftout import LeftOut
from console.facts.monitoring import Monitoring
from console.facts.notjudged import NotJudged

SourceStateWord = Literal[
    "loading", "fresh", "late", "stale", "partial", "forbidden", "login needed", "unreachable", "absent"
]


class Origin(Struct, frozen=True, gc=False):
    """Where a fact comes from.

    Attributes:
        source: `kubernetes`, `log`, `spark-rest`, `event-log`, `prometheus`, `alertmanager`, `file`, `captured`.
        locator: what to look at again: an API path, a file with line, a query, `pod/ns/name log line 120`.
        at: when it was read or recorded; None where a saved file does not say.
    """

    source: str
    locator: str
    at: float | None = None


class SourceState(Struct, frozen=True, gc=False):
    """How far a source can be trusted now. `since` is when this state began, `last` when data last came; what an
    `optional` one would have told matters to a few components only, which say so themselves."""

    name: str
    state: SourceStateWord
    detail: str = ""
    hint: str = ""
    since: float | None = None
    last: float | None = None
    optional: bool = False


class Owner(Struct, frozen=True, gc=False):
    """One ownerReference."""

    api_version: str
    kind: str
    name: str
    uid: str = ""
    controller: bool = False


class Condition(Struct, frozen=True, gc=False):
    type: str
    status: str
    reason: str = ""
    message: str = ""
    since: float | None = None


class Terminated(Struct, frozen=True, gc=False):
    exit_code: int | None
    reason: str = ""
    message: str = ""
    signal: int | None = None
    started: float | None = None
    finished: float | None = None


class DeviceHealth(Struct, frozen=True, gc=False):
    """What the kubelet says of a device that a container holds (`allocatedResourcesStatus`).

    Attributes:
        resource: `nvidia.com/gpu`, or `claim:NAME/REQUEST` of dynamic resource allocation.
        id: the device's id, `DRIVER/POOL/DEVICE` for one of a claim.
        health: `Healthy`, `Unhealthy` or `Unknown`. A plugin that vanished leaves `Healthy` behind.
    """

    resource: str
    id: str
    health: str
    message: str = ""


class Container(Struct, frozen=True, gc=False):
    """One container: what was asked for (spec) and what became of it (status).

    `state` is waiting, running, terminated or unknown. `terminated` is the current or, after a restart, None;
    `last_terminated` is `lastState.terminated`. `requests` and `limits` hold numbers of base units by resource name.
    """

    name: str
    role: Literal["main", "init", "sidecar"] = "main"
    image: str = ""
    image_id: str = ""
    requests: dict[str, float] = {}
    limits: dict[str, float] = {}
    env: dict[str, str] = {}
    args: tuple[str, ...] = ()
    state: Literal["waiting", "running", "terminated", "unknown"] = "unknown"
    waiting_reason: str = ""
    waiting_message: str = ""
    started: float | None = None
    terminated: Terminated | None = None
    last_terminated: Terminated | None = None
    restarts: int = 0
    ready: bool = False
    devices: tuple[DeviceHealth, ...] = ()
    """Devices whose health the kubelet tells; empty says nothing: most clusters don't tell it."""


MAIN_CONTAINERS = frozenset({"spark-kubernetes-driver", "spark-kubernetes-executor", "spark-connect", "executor"})
"""Names of containers in which Spark itself runs."""


class Pod(Struct, frozen=True, gc=False):
    """A pod as last seen. `gone` is true once it was deleted; then this is its last object.

    `deleted` is when its deletion was asked for: the API's deletionTimestamp minus the grace period.
    """

    namespace: str
    name: str
    origin: Origin
    uid: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owners: tuple[Owner, ...] = ()
    node: str = ""
    ip: str = ""
    phase: str = "Unknown"
    reason: str = ""
    message: str = ""
    created: float | None = None
    deleted: float | None = None
    started: float | None = None
    conditions: tuple[Condition, ...] = ()
    containers: tuple[Container, ...] = ()
    priority_class: str = ""
    service_account: str = ""
    tolerations: tuple[dict[str, Any], ...] = ()
    node_selector: dict[str, str] = {}
    volumes: tuple[dict[str, Any], ...] = ()
    gates: tuple[str, ...] = ()
    """Names of its scheduling gates: while there is one, no scheduler looks at it."""
    security: dict[str, Any] = {}
    resource_version: str = ""
    gone: bool = False

    @property
    def key(self) -> str:
        return f"Pod/{self.namespace}/{self.name}"

    def condition(self, type: str) -> Condition | None:
        for condition in self.conditions:
            if condition.type == type:
                return condition
        return None

    @property
    def ready(self) -> bool:
        """Whether it says that it is."""
        condition = self.condition("Ready")
        return condition is not None and condition.status == "True"

    @property
    def main(self) -> Container | None:
        """The Spark container: by its well-known name, else the first main container."""
        first: Container | None = None
        for container in self.containers:
            if container.role == "main":
                if container.name in MAIN_CONTAINERS:
                    return container
                first = first or container
        return first


class Node(Struct, frozen=True, gc=False):
    name: str
    origin: Origin
    uid: str = ""
    labels: dict[str, str] = {}
    capacity: dict[str, float] = {}
    allocatable: dict[str, float] = {}
    conditions: tuple[Condition, ...] = ()
    taints: tuple[dict[str, Any], ...] = ()
    unschedulable: bool = False
    kubelet_version: str = ""
    created: float | None = None

    @property
    def key(self) -> str:
        return f"Node//{self.name}"

    def condition(self, type: str) -> Condition | None:
        return next((c for c in self.conditions if c.type == type), None)


class Event(Struct, frozen=True, gc=False):
    """A Kubernetes event of core/v1 or events.k8s.io/v1, one shape. `first`/`last` fall back to eventTime."""

    namespace: str
    origin: Origin
    type: str = "Normal"
    reason: str = ""
    message: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""
    count: int = 1
    first: float | None = None
    last: float | None = None
    reporter: str = ""

    @property
    def about(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


class Workload(Struct, frozen=True, gc=False):
    """A Deployment, StatefulSet, DaemonSet, Job, Service, PVC, ResourceQuota, LimitRange or any other object that is
    judged by a few of its fields. `spec` and `status` are plain trees without managedFields, secrets redacted."""

    api_version: str
    kind: str
    namespace: str
    name: str
    origin: Origin
    uid: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owners: tuple[Owner, ...] = ()
    generation: int = 0
    created: float | None = None
    spec: dict[str, Any] = {}
    status: dict[str, Any] = {}
    managers: tuple[str, ...] = ()
    changed: float | None = None
    """When it was last written to, its status apart, by its managed fields; None where those were not read."""
    writers: tuple[tuple[str, float], ...] = ()
    """Managers of its fields, its status apart, with when each wrote last."""
    gone: bool = False

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


class Log(Struct, frozen=True, gc=False):
    """The text of a log, or the end of it. `subject` is `Pod/ns/name` or `ns/name/container`; for a saved file
    that belongs to no known pod, the executor id or `driver`."""

    subject: str
    text: str
    origin: Origin
    container: str = ""
    role: Literal["driver", "executor", "submit", "master", "worker", "operator", "other"] = "other"
    truncated: bool = False


class RestDocument(Struct, frozen=True, gc=False):
    """One answer of Spark's REST API.

    `path` is relative to the application: `executors`, `allexecutors`, `jobs`, `stages`, `sql`, `environment`,
    `stages/3/0/taskSummary`; `` is the application itself, `applications` the list, `master` a master's JSON.
    """

    path: str
    data: Any
    origin: Origin
    app_id: str = ""
    pod: str = ""


class Sample(Struct, frozen=True, gc=False):
    """One sample of a series at `at`."""

    name: str
    labels: dict[str, str]
    value: float
    at: float | None
    origin: Origin


_NO_IDENTITY = frozenset({"alertname", "alertstate", "__name__"})


class Alert(Struct, frozen=True, gc=False):
    """An alert, from `ALERTS`, from Alertmanager, or from a payload: `firing`, `pending` or `resolved`.

    `ends`: when it ended, or until when its sender vouches for it.
    """

    name: str
    labels: dict[str, str]
    origin: Origin
    state: str = "firing"
    annotations: dict[str, str] = {}
    since: float | None = None
    silenced: bool = False
    ends: float | None = None

    @property
    def key(self) -> str:
        """Its name and what tells it from others of that name: `SparkPodOOMKilled{app=etl,namespace=jobs}`."""
        labels = ",".join(f"{k}={v}" for k, v in sorted(self.labels.items()) if k not in _NO_IDENTITY)
        return f"{self.name}{{{labels}}}"


class Facts(Struct, frozen=True, gc=False):
    """Everything that is known at `at`. Missing kinds are empty; `sources` says whether empty means none or unknown."""

    at: float
    pods: tuple[Pod, ...] = ()
    nodes: tuple[Node, ...] = ()
    events: tuple[Event, ...] = ()
    spark: tuple[Workload, ...] = ()
    """SparkApplication, ScheduledSparkApplication, SparkCluster, SparkConnect objects, told apart by `api_version`."""
    workloads: tuple[Workload, ...] = ()
    logs: tuple[Log, ...] = ()
    rest: tuple[RestDocument, ...] = ()
    samples: tuple[Sample, ...] = ()
    alerts: tuple[Alert, ...] = ()
    sources: tuple[SourceState, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    """What could not be read: (locator, reason)."""
    monitoring: Monitoring | None = None
    """What Prometheus says of itself; None where there is none, or it was not asked."""
    not_judged: tuple[NotJudged, ...] = ()
    """What Console failed at while it read: objects of which nothing is known but that they are there."""
    left_out: tuple[LeftOut, ...] = ()
    """What bounds left out of all this."""
    counted: Mapping[str, CountedAttempts] = {}
    """How often applications were tried as earlier looks counted it, by what `apps.attempts.object_of` calls them."""
    names: dict[str, frozenset[str]] = {}
    """`Kind/namespace` -> names of all objects of that kind there; what was not read is not in it."""
    saved: bool = False
    """Whether it is saved evidence, which gets no older: what it shows at its end counts, however short it lasts."""
