"""What a real API server says as it refuses a pod is understood, and told of the workload whose pod it was."""

from __future__ import annotations

from typing import Any

import pytest

from console.base.clock import WallClock, rfc3339
from console.facts.refusals import pod_refusal
from console.findings.diagnose import diagnose
from tests.cluster.controlplane import KubeApi
from tests.cluster.kube import KubeError
from tests.components.test_applied import facts_when, watched

CONTAINER: dict[str, Any] = {"name": "main", "image": "registry.local/none:1"}


def refusal_of(kube_api: KubeApi, namespace: str, spec: dict[str, Any]) -> str:
    """The words with which the server refuses the pod."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "refused"}, "spec": spec}
    with pytest.raises(KubeError) as caught:
        kube_api.create(f"/api/v1/namespaces/{namespace}/pods", pod)
    return str(caught.value).partition(": ")[2]


@pytest.mark.parts
def test_its_words_name_what_refuses_the_field_and_the_remedy(kube_api: KubeApi) -> None:
    namespace = kube_api.new_namespace("refused")
    limits = {"type": "Container", "max": {"cpu": "1"}}
    ranged = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": [limits]}}
    kube_api.create(f"/api/v1/namespaces/{namespace}/limitranges", ranged)
    asking = {**CONTAINER, "resources": {"limits": {"cpu": "2"}}}
    found = pod_refusal(refusal_of(kube_api, namespace, {"containers": [asking]}))
    assert (found.kind, found.words) == (
        "limit-range",
        "a LimitRange: maximum cpu usage per Container is 1, but limit is 2",
    )
    asking = {"containers": [CONTAINER], "priorityClassName": "spark-high"}
    found = pod_refusal(refusal_of(kube_api, namespace, asking))
    assert (found.kind, found.words) == ("priority-class", "there is no PriorityClass spark-high")


@pytest.mark.parts
async def test_a_namespace_that_enforces_restricted_refuses_a_pod_that_may_be_root(kube_api: KubeApi) -> None:
    namespace = kube_api.new_namespace("restricted")
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kube_api.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": labels}})
    secured = {**CONTAINER, "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
    pod = {
        "securityContext": {"runAsNonRoot": False, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [secured],
    }
    message = refusal_of(kube_api, namespace, pod)
    mine = {"app": "hive-metastore"}
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "rel-hive-metastore", "labels": mine},
        "spec": {"replicas": 1, "selector": {"matchLabels": mine},
                 "template": {"metadata": {"labels": mine}, "spec": pod}},
    }  # fmt: skip
    kube_api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment)
    about = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "namespace": namespace, "name": "rel-hive-metastore-5d9"}
    at = rfc3339(WallClock().now())
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "refused.1"}, "involvedObject": about,
        "reason": "FailedCreate", "type": "Warning", "message": f"Error creating: {message}",
        "firstTimestamp": at, "lastTimestamp": at,
    }  # fmt: skip
    kube_api.create(f"/api/v1/namespaces/{namespace}/events", event)
    async with watched(kube_api.kubeconfig, namespace) as source:
        facts = await facts_when(source, lambda seen: bool(seen.events) and bool(seen.workloads))
    (finding,) = [one for one in diagnose(facts, ()) if one.code == "pods-refused"]
    assert finding.subject == f"Deployment/{namespace}/rel-hive-metastore"
    assert finding.title == 'pods refused: Pod Security "restricted:latest" (Deployment rel-hive-metastore)'
    assert "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)" in finding.detail
