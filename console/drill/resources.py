"""Which resources the simulated API server has: names, kinds, verbs, subresources and what `kubectl get` prints."""

from __future__ import annotations

from dataclasses import dataclass

_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Column:
    """One printed column. `path` is a dotted path into the object for custom resources; empty = computed."""

    name: str
    path: str = ""
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True)
class Resource:
    """One resource of the API."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    custom: bool = False
    verbs: tuple[str, ...] = _ALL
    alias: str = ""
    """The id of the resource that holds the objects, where two API groups show the same ones (events)."""

    @property
    def id(self) -> str:
        """Plural and group: the key of the store, and how Status messages name it."""
        return self.alias or (f"{self.plural}.{self.group}" if self.group else self.plural)

    @property
    def api_version(self) -> str:
        """`v1` or `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version


SPARK_COLUMNS = (
    Column("Suspend", "spec.suspend", "boolean"),
    Column("Status", "status.applicationState.state"),
    Column("Attempts", "status.executionAttempts"),
    Column("Start", "status.lastSubmissionAttemptTime"),
    Column("Finish", "status.terminationTime"),
    Column("Age", "metadata.creationTimestamp", "date"),
)
SCHEDULED_COLUMNS = (
    Column("Schedule", "spec.schedule"),
    Column("TimeZone", "spec.timeZone"),
    Column("Suspend", "spec.suspend"),
    Column("Last Run", "status.lastRun", "date"),
    Column("Last Run Name", "status.lastRunName"),
    Column("Age", "metadata.creationTimestamp", "date"),
)

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False, ("ns",), subresources=("status",))
NODES = Resource("", "v1", "nodes", "Node", False, ("no",), subresources=("status", "proxy"))
PODS = Resource(
    "", "v1", "pods", "Pod", True, ("po",), ("all",), subresources=("log", "status", "eviction", "proxy", "resize")
)
EVENTS = Resource("", "v1", "events", "Event", True, ("ev",))
EVENTS_V1 = Resource("events.k8s.io", "v1", "events", "Event", True, ("ev",), alias="events")
SERVICES = Resource("", "v1", "services", "Service", True, ("svc",), ("all",), subresources=("status", "proxy"))
CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap", True, ("cm",))
SECRETS = Resource("", "v1", "secrets", "Secret", True)
SERVICEACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount", True, ("sa",))
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota", True, ("quota",), subresources=("status",))
LIMITRANGES = Resource("", "v1", "limitranges", "LimitRange", True, ("limits",))
ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints", True, ("ep",))
CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, ("pvc",), subresources=("status",))
DEPLOYMENTS = Resource(
    "apps", "v1", "deployments", "Deployment", True, ("deploy",), ("all",), subresources=("status", "scale")
)
REPLICASETS = Resource("apps", "v1", "replicasets", "ReplicaSet", True, ("rs",), ("all",), subresources=("status",))
STATEFULSETS = Resource(
    "apps", "v1", "statefulsets", "StatefulSet", True, ("sts",), ("all",), subresources=("status", "scale")
)
DAEMONSETS = Resource("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",), ("all",), subresources=("status",))
CRONJOBS = Resource("batch", "v1", "cronjobs", "CronJob", True, ("cj",), ("all",), subresources=("status",))
ROUTES = Resource("route.openshift.io", "v1", "routes", "Route", True, subresources=("status",), custom=True)
SCALED = Resource(
    "keda.sh", "v1alpha1", "scaledobjects", "ScaledObject", True, ("so",), subresources=("status",), custom=True
)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", True)
SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", True)
NETWORKPOLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",))
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role", True)
ROLEBINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", True)
CLUSTERROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)
CLUSTERROLEBINDINGS = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False)
CRDS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False, ("crd", "crds")
)
SPARKAPPS = Resource(
    "sparkoperator.k8s.io",
    "v1beta2",
    "sparkapplications",
    "SparkApplication",
    True,
    ("sparkapp",),
    subresources=("status",),
    columns=SPARK_COLUMNS,
    custom=True,
)
SCHEDULED = Resource(
    "sparkoperator.k8s.io",
    "v1beta2",
    "scheduledsparkapplications",
    "ScheduledSparkApplication",
    True,
    ("scheduledsparkapp",),
    subresources=("status",),
    columns=SCHEDULED_COLUMNS,
    custom=True,
)
CONNECTS = Resource(
    "sparkoperator.k8s.io",
    "v1alpha1",
    "sparkconnects",
    "SparkConnect",
    True,
    ("sparkconn",),
    subresources=("status",),
    columns=(Column("Status", "status.state"), Column("Age", "metadata.creationTimestamp", "date")),
    custom=True,
)
APACHE_APPS = Resource(
    "spark.apache.org",
    "v1",
    "sparkapplications",
    "SparkApplication",
    True,
    ("sparkapp",),
    subresources=("status",),
    columns=(
        Column("Current State", "status.currentState.currentStateSummary"),
        Column("Age", "metadata.creationTimestamp", "date"),
    ),
    custom=True,
)
APACHE_CLUSTERS = Resource(
    "spark.apache.org",
    "v1",
    "sparkclusters",
    "SparkCluster",
    True,
    ("sparkcluster",),
    subresources=("status",),
    columns=(
        Column("Current State", "status.currentState.currentStateSummary"),
        Column("Age", "metadata.creationTimestamp", "date"),
    ),
    custom=True,
)

REGISTRY: tuple[Resource, ...] = (
    NAMESPACES,
    NODES,
    PODS,
    EVENTS,
    SERVICES,
    CONFIGMAPS,
    SECRETS,
    SERVICEACCOUNTS,
    QUOTAS,
    LIMITRANGES,
    ENDPOINTS,
    CLAIMS,
    DEPLOYMENTS,
    REPLICASETS,
    STATEFULSETS,
    DAEMONSETS,
    CRONJOBS,
    EVENTS_V1,
    LEASES,
    SLICES,
    NETWORKPOLICIES,
    ROLES,
    ROLEBINDINGS,
    CLUSTERROLES,
    CLUSTERROLEBINDINGS,
    CRDS,
    SPARKAPPS,
    SCHEDULED,
    CONNECTS,
    APACHE_APPS,
    APACHE_CLUSTERS,
    ROUTES,
    SCALED,
)
REVIEWS: dict[str, tuple[tuple[str, str], ...]] = {
    "authorization.k8s.io": (
        ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
        ("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    ),
    "authentication.k8s.io": (("selfsubjectreviews", "SelfSubjectReview"),),
}
_BY_PATH = {(r.group, r.version, r.plural): r for r in REGISTRY}


def find(group: str, version: str, plural: str) -> Resource | None:
    """The resource at a path of the API, or None."""
    return _BY_PATH.get((group, version, plural))


def groups() -> dict[str, list[str]]:
    """API groups with their versions, the legacy group (empty name) included."""
    out: dict[str, list[str]] = {}
    for resource in REGISTRY:
        versions = out.setdefault(resource.group, [])
        if resource.version not in versions:
            versions.append(resource.version)
    for group in REVIEWS:
        out.setdefault(group, ["v1"])
    return out
