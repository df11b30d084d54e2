"""Which resources the simulated API server has: names, kinds, verbs, subresources and what `kubectl get` prints."""

from __future__ import annotations

from dataclasses import dataclass

_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class PrinterColumn:
    """One printed column. `path` is a dotted path into the object for custom resources; empty = computed."""

    name: str
    path: str = ""
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True)
class ServedResource:
    """One resource of the API."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    columns: tuple[PrinterColumn, ...] = ()
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
    PrinterColumn("Suspend", "spec.suspend", "boolean"),
    PrinterColumn("Status", "status.applicationState.state"),
    PrinterColumn("Attempts", "status.executionAttempts"),
    PrinterColumn("Start", "status.lastSubmissionAttemptTime"),
    PrinterColumn("Finish", "status.terminationTime"),
    PrinterColumn("Age", "metadata.creationTimestamp", "date"),
)
SCHEDULED_COLUMNS = (
    PrinterColumn("Schedule", "spec.schedule"),
    PrinterColumn("TimeZone", "spec.timeZone"),
    PrinterColumn("Suspend", "spec.suspend"),
    PrinterColumn("Last Run", "status.lastRun", "date"),
    PrinterColumn("Last Run Name", "status.lastRunName"),
    PrinterColumn("Age", "metadata.creationTimestamp", "date"),
)

NAMESPACES = ServedResource("", "v1", "namespaces", "Namespace", False, ("ns",), subresources=("status",))
NODES = ServedResource("", "v1", "nodes", "Node", False, ("no",), subresources=("status", "proxy"))
PODS = ServedResource(
    "", "v1", "pods", "Pod", True, ("po",), ("all",), subresources=("log", "status", "eviction", "proxy", "resize")
)
EVENTS = ServedResource("", "v1", "events", "Event", True, ("ev",))
EVENTS_V1 = ServedResource("events.k8s.io", "v1", "events", "Event", True, ("ev",), alias="events")
SERVICES = ServedResource("", "v1", "services", "Service", True, ("svc",), ("all",), subresources=("status", "proxy"))
CONFIGMAPS = ServedResource("", "v1", "configmaps", "ConfigMap", True, ("cm",))
SECRETS = ServedResource("", "v1", "secrets", "Secret", True)
SERVICEACCOUNTS = ServedResource("", "v1", "serviceaccounts", "ServiceAccount", True, ("sa",))
QUOTAS = ServedResource("", "v1", "resourcequotas", "ResourceQuota", True, ("quota",), subresources=("status",))
LIMITRANGES = ServedResource("", "v1", "limitranges", "LimitRange", True, ("limits",))
ENDPOINTS = ServedResource("", "v1", "endpoints", "Endpoints", True, ("ep",))
CLAIMS = ServedResource(
    "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, ("pvc",), subresources=("status",)
)
DEPLOYMENTS = ServedResource(
    "apps", "v1", "deployments", "Deployment", True, ("deploy",), ("all",), subresources=("status", "scale")
)
REPLICASETS = ServedResource(
    "apps", "v1", "replicasets", "ReplicaSet", True, ("rs",), ("all",), subresources=("status",)
)
STATEFULSETS = ServedResource(
    "apps", "v1", "statefulsets", "StatefulSet", True, ("sts",), ("all",), subresources=("status", "scale")
)
DAEMONSETS = ServedResource("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",), ("all",), subresources=("status",))
CONTROLLER_REVISIONS = ServedResource("apps", "v1", "controllerrevisions", "ControllerRevision", True)
CRONJOBS = ServedResource("batch", "v1", "cronjobs", "CronJob", True, ("cj",), ("all",), subresources=("status",))
AUTOSCALERS = ServedResource(
    "autoscaling",
    "v2",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
    True,
    ("hpa",),
    ("all",),
    subresources=("status",),
)
SERVICE_MONITORS, POD_MONITORS, RULES = (
    ServedResource("monitoring.coreos.com", "v1", f"{kind.lower()}s", kind, True, (short,), custom=True)
    for kind, short in (("ServiceMonitor", "smon"), ("PodMonitor", "pmon"), ("PrometheusRule", "promrule"))
)
ROUTES = ServedResource("route.openshift.io", "v1", "routes", "Route", True, subresources=("status",), custom=True)
SCALED = ServedResource(
    "keda.sh", "v1alpha1", "scaledobjects", "ScaledObject", True, ("so",), subresources=("status",), custom=True
)
JOBS = ServedResource("batch", "v1", "jobs", "Job", True, (), ("all",), subresources=("status",))
EXTERNAL_SECRETS = ServedResource(
    "external-secrets.io",
    "v1",
    "externalsecrets",
    "ExternalSecret",
    True,
    ("es",),
    subresources=("status",),
    custom=True,
)
SECRET_STORES = ServedResource(
    "external-secrets.io", "v1", "secretstores", "SecretStore", True, ("ss",), subresources=("status",), custom=True
)
SEALED_SECRETS = ServedResource(
    "bitnami.com", "v1alpha1", "sealedsecrets", "SealedSecret", True, subresources=("status",), custom=True
)
BUDGETS = ServedResource(
    "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ("pdb",), subresources=("status",)
)
LEASES = ServedResource("coordination.k8s.io", "v1", "leases", "Lease", True)
SLICES = ServedResource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", True)
NETWORKPOLICIES = ServedResource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",))
WEBHOOKS = ServedResource(
    "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False
)
STORAGECLASSES = ServedResource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False, ("sc",))
VOLUMES = ServedResource("", "v1", "persistentvolumes", "PersistentVolume", False, ("pv",), subresources=("status",))
ROLES = ServedResource("rbac.authorization.k8s.io", "v1", "roles", "Role", True)
ROLEBINDINGS = ServedResource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", True)
CLUSTERROLES = ServedResource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)
CLUSTERROLEBINDINGS = ServedResource(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False
)
CRDS = ServedResource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False, ("crd", "crds")
)
SPARKAPPS = ServedResource(
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
SCHEDULED = ServedResource(
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
CONNECTS = ServedResource(
    "sparkoperator.k8s.io",
    "v1alpha1",
    "sparkconnects",
    "SparkConnect",
    True,
    ("sparkconn",),
    subresources=("status",),
    columns=(PrinterColumn("Status", "status.state"), PrinterColumn("Age", "metadata.creationTimestamp", "date")),
    custom=True,
)
APACHE_APPS = ServedResource(
    "spark.apache.org",
    "v1",
    "sparkapplications",
    "SparkApplication",
    True,
    ("sparkapp",),
    subresources=("status",),
    columns=(
        PrinterColumn("Current State", "status.currentState.currentStateSummary"),
        PrinterColumn("Age", "metadata.creationTimestamp", "date"),
    ),
    custom=True,
)
APACHE_CLUSTERS = ServedResource(
    "spark.apache.org",
    "v1",
    "sparkclusters",
    "SparkCluster",
    True,
    ("sparkcluster",),
    subresources=("status",),
    columns=(
        PrinterColumn("Current State", "status.currentState.currentStateSummary"),
        PrinterColumn("Age", "metadata.creationTimestamp", "date"),
    ),
    custom=True,
)

KUEUE = "kueue.x-k8s.io"
CLUSTER_QUEUES = ServedResource(
    KUEUE, "v1beta2", "clusterqueues", "ClusterQueue", False, ("cq",), subresources=("status",), custom=True
)
LOCAL_QUEUES = ServedResource(
    KUEUE, "v1beta2", "localqueues", "LocalQueue", True, ("lq",), subresources=("status",), custom=True
)
QUEUED = ServedResource(KUEUE, "v1beta2", "workloads", "Workload", True, ("wl",), subresources=("status",), custom=True)
"""What Kueue keeps for each application that has a queue."""

REGISTRY: tuple[ServedResource, ...] = (
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
    CONTROLLER_REVISIONS,
    CRONJOBS,
    EVENTS_V1,
    BUDGETS,
    LEASES,
    SLICES,
    NETWORKPOLICIES,
    WEBHOOKS,
    STORAGECLASSES,
    VOLUMES,
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
    AUTOSCALERS,
    SERVICE_MONITORS,
    POD_MONITORS,
    RULES,
    JOBS,
    EXTERNAL_SECRETS,
    SECRET_STORES,
    SEALED_SECRETS,
    CLUSTER_QUEUES,
    LOCAL_QUEUES,
    QUEUED,
)
REVIEWS: dict[str, tuple[tuple[str, str], ...]] = {
    "authorization.k8s.io": (
        ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
        ("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    ),
    "authentication.k8s.io": (("selfsubjectreviews", "SelfSubjectReview"),),
}
_BY_PATH = {(r.group, r.version, r.plural): r for r in REGISTRY}
_BY_KIND = {(r.api_version, r.kind): r for r in REGISTRY}


def find(group: str, version: str, plural: str) -> ServedResource | None:
    """The resource at a path of the API, or None."""
    return _BY_PATH.get((group, version, plural))


def of_kind(api_version: str, kind: str) -> ServedResource:
    """The resource of a kind, as manifests name it.

    Raises:
        KeyError: the API server has none.
    """
    return _BY_KIND[api_version, kind]


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
