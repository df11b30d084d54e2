"""Who may do what in the simulated cluster, and what may speak to whom: objects that are there to be read and judged.

The API server of a drill does not enforce them: what it refuses is said by `kube.access`.
"""

from __future__ import annotations

from typing import Any

from console.drill.ids import Ids
from console.drill.objects import build
from console.drill.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    NETWORKPOLICIES,
    ROLEBINDINGS,
    ROLES,
    SERVICEACCOUNTS,
    Resource,
)
from console.drill.world import World

Object = dict[str, Any]
DAY = 86400.0
RBAC = "rbac.authorization.k8s.io"
DRIVER = {
    "apiGroups": [""],
    "resources": ["pods", "services", "configmaps", "persistentvolumeclaims"],
    "verbs": ["create", "get", "list", "watch", "patch", "update", "delete", "deletecollection"],
}
ANYWHERE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "delete", "get", "list", "watch"]}
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def add_rights(world: World, namespace: str, seed: int) -> None:
    """The rights of Spark's account as charts give them, one of them too wide, and a policy for Connect alone.

    Args:
        seed: identifiers of their own, so that the rest of the world does not depend on these objects.
    """
    ids = Ids(seed ^ 0x5EC)

    def add(resource: Resource, name: str, space: str, body: Object, labels: dict[str, str] | None = None) -> None:
        made = build(
            resource,
            name,
            world.start - 120 * DAY,
            ids,
            namespace=space,
            labels=labels,
            manager="helm",
            generation=resource is NETWORKPOLICIES,
            body=body,
        )
        world.store.create(resource, made)

    helm = {"app.kubernetes.io/managed-by": "Helm"}
    add(SERVICEACCOUNTS, "spark", namespace, {}, helm)
    add(CLUSTERROLES, "cluster-admin", "", {"rules": [EVERYTHING]})
    add(ROLES, "spark-role", namespace, {"rules": [DRIVER]}, helm)
    add(ROLEBINDINGS, "spark-role", namespace, _binding("Role", "spark-role", namespace), helm)
    add(CLUSTERROLES, "spark-connect", "", {"rules": [ANYWHERE]}, helm)
    add(CLUSTERROLEBINDINGS, "spark-connect", "", _binding("ClusterRole", "spark-connect", namespace), helm)
    connect = {
        "podSelector": {"matchLabels": {"app": "spark-connect"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"port": 15002, "protocol": "TCP"}]}],
    }
    add(NETWORKPOLICIES, "spark-connect-ingress", namespace, {"spec": connect}, helm)


def _binding(kind: str, role: str, namespace: str) -> Object:
    return {
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "spark", "namespace": namespace}],
    }
