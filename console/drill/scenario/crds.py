"""CustomResourceDefinitions of both Spark operators and of Kueue."""

from __future__ import annotations

from typing import Any

from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.objects import build
from console.drill.state.resources import (
    APACHE_APPS,
    APACHE_CLUSTERS,
    CLUSTER_QUEUES,
    CONNECTS,
    CRDS,
    LOCAL_QUEUES,
    QUEUED,
    SCHEDULED,
    SPARKAPPS,
    ServedResource,
)

Object = dict[str, Any]
DAY = 86400.0


def add_crds(cluster: ClusterState) -> None:
    """CustomResourceDefinitions of both Spark operators and of Kueue."""
    queues = (CLUSTER_QUEUES, LOCAL_QUEUES, QUEUED)
    for resource in (SPARKAPPS, SCHEDULED, CONNECTS, APACHE_APPS, APACHE_CLUSTERS, *queues):
        cluster.store.create(CRDS, crd(cluster, resource))


def crd(cluster: ClusterState, resource: ServedResource) -> Object:
    """The definition of one custom resource."""
    columns = [
        {
            "name": c.name,
            "type": c.type,
            "jsonPath": f".{c.path}",
        }
        for c in resource.columns
    ]
    schema = {
        "type": "object",
        "properties": {
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    names = {
        "kind": resource.kind,
        "listKind": f"{resource.kind}List",
        "plural": resource.plural,
        "singular": resource.kind.lower(),
        "shortNames": list(resource.short),
    }
    now = cluster.start - 60 * DAY
    established = {"lastTransitionTime": stamp(now), "status": "True"}
    body = {
        "spec": {
            "conversion": {"strategy": "None"},
            "group": resource.group,
            "names": names,
            "scope": "Namespaced",
            "versions": [
                {
                    "name": resource.version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": columns,
                }
            ],
        },
        "status": {
            "acceptedNames": names,
            "conditions": [
                {**established, "reason": "NoConflicts", "message": "no conflicts found", "type": "NamesAccepted"},
                {
                    **established,
                    "reason": "InitialNamesAccepted",
                    "message": "the initial names have been accepted",
                    "type": "Established",
                },
            ],
            "storedVersions": [resource.version],
        },
    }
    return build(CRDS, f"{resource.plural}.{resource.group}", now, cluster.ids, body=body)
