"""What is said before the question, of a cluster: its limits, and the schedule above an application."""

from __future__ import annotations

from console.operate.gate import pass_gate
from console.runbook.walk import Applied
from tests.operate.conftest import NO, YES, Cluster, Passage, Says
from tests.operate.objects import OLD, create, raise_overhead, spark_application, spark_path

SCHEDULE_LABEL = {"labels": {"sparkoperator.k8s.io/scheduled-app-name": "nightly"}}


async def test_a_change_that_no_node_could_hold_is_not_even_asked(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    limits = [{"type": "Container", "max": {"memory": "1Gi"}}]
    body = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": {"limits": limits}}
    cluster.kube.create(f"/api/v1/namespaces/{cluster.namespace}/limitranges", body)
    person = Says()
    ended = await pass_gate(raise_overhead(made), passage.gate(person))
    assert getattr(ended, "by", "") == "policy"
    assert "LimitRange small allows at most 1Gi memory" in getattr(ended, "because", "")
    assert person.asked == []
    assert cluster.relay.on("sparkapplications") == []


async def test_a_way_back_is_offered_whatever_stops_other_changes(cluster: Cluster, passage: Passage) -> None:
    made = create(cluster.kube, cluster.namespace)
    limits = [{"type": "Container", "max": {"memory": "1Gi"}}]
    body = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": {"limits": limits}}
    cluster.kube.create(f"/api/v1/namespaces/{cluster.namespace}/limitranges", body)
    person = Says(YES)
    ended = await pass_gate(raise_overhead(made, reversible=False, inverse_of="w-1/0"), passage.gate(person))
    assert isinstance(ended, Applied)
    [question] = person.asked
    assert question.preview is not None
    assert "stop" in {c.level for c in question.preview.consequences}, "it is said all the same"


async def test_the_schedule_above_an_application_is_read(cluster: Cluster, passage: Passage) -> None:
    template = spark_application(cluster.namespace)["spec"]
    cluster.kube.create(
        spark_path(cluster.namespace, plural="scheduledsparkapplications"),
        {
            "apiVersion": "sparkoperator.k8s.io/v1beta2",
            "kind": "ScheduledSparkApplication",
            "metadata": {"name": "nightly", "namespace": cluster.namespace},
            "spec": {"schedule": "0 2 * * *", "concurrencyPolicy": "Forbid", "template": template},
        },
    )
    made = create(cluster.kube, cluster.namespace, **SCHEDULE_LABEL)
    person = Says(NO)
    await pass_gate(raise_overhead(made), passage.gate(person))
    assert person.asked[0].preview is not None
    texts = [c.text for c in person.asked[0].preview.consequences]
    assert any("schedule 0 2 * * *" in text for text in texts)
    assert any(f"its template says {OLD}" in text for text in texts)
