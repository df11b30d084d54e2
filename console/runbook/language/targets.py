"""What `do` is done to: the subject of the walk, the member of a block, or an object that the runbook names."""

from __future__ import annotations

from collections.abc import Mapping

from console.runbook.model import NamedObject, TargetTemplate

SUBJECTS = ("app", "node", "schedule", "object")
"""Names of the live object of what the walk is about."""
GENERAL = frozenset(
    {
        "now",
        "app",
        "before",
        "finding",
        "findings",
        "found",
        "elsewhere",
        "inputs",
        "steps",
        "slos",
        "recovery",
        "alert",
        "cluster",
        "nodes",
        "sources",
        "after",
        "values",
        "saved",
        "subject",
        "walk",
        "applies",
        "created",
        "changed",
        "changed_by",
        "writers",
        "seen",
        "query",
        "components",
        "node",
        "schedule",
        "object",
    }
)
"""Names of the context that an object of a runbook may not have."""
KINDS: dict[str, str] = {
    "ConfigMap": "v1",
    "Node": "v1",
    "Pod": "v1",
    "Service": "v1",
    "PersistentVolumeClaim": "v1",
    "Namespace": "v1",
    "ResourceQuota": "v1",
    "Secret": "v1",
    "Event": "v1",
    "Endpoints": "v1",
    "ServiceAccount": "v1",
    "LimitRange": "v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Ingress": "networking.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "SparkApplication": "sparkoperator.k8s.io/v1beta2",
    "ScheduledSparkApplication": "sparkoperator.k8s.io/v1beta2",
    "SparkConnect": "sparkoperator.k8s.io/v1alpha1",
    "ClusterQueue": "kueue.x-k8s.io/v1beta2",
    "LocalQueue": "kueue.x-k8s.io/v1beta2",
    "Workload": "kueue.x-k8s.io/v1beta2",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
}
"""Kind → the API version that is meant where a runbook gives none."""


def target(name: str, objects: Mapping[str, NamedObject], members: frozenset[str]) -> TargetTemplate | None:
    """The target that `name` means; None where it means nothing. What the kind is stands there where it is certain."""
    if name == "app":
        return TargetTemplate("{{ app.api_version }}", "{{ app.kind }}", "{{ app.name }}", "{{ app.namespace }}")
    if name == "node":
        return TargetTemplate("v1", "Node", "{{ subject.name }}")
    if name in members:
        return TargetTemplate(
            f"{{{{ {name}.apiVersion }}}}",
            f"{{{{ {name}.kind }}}}",
            f"{{{{ {name}.metadata.name }}}}",
            f"{{{{ {name}.metadata.namespace|default('') }}}}",
        )
    one = objects.get(name)
    if one is None and name not in SUBJECTS:
        return None
    if one is not None and not one.workload:
        return None if one.listed else TargetTemplate(one.api_version, one.kind, one.object, one.namespace)
    return TargetTemplate(
        f"{{{{ {name}.apiVersion }}}}",
        f"{{{{ {name}.kind }}}}",
        f"{{{{ {name}.metadata.name }}}}",
        f"{{{{ {name}.metadata.namespace|default('') }}}}",
    )
