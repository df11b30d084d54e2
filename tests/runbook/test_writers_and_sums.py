"""Who wrote which field of an object, and what the pods of a namespace hold together."""

from __future__ import annotations

from typing import Any

from console.runbook import template
from console.runbook.context.objects import LiveObject, Wanted, wanted, with_objects
from console.runbook.context.writers import MOST_FIELDS
from console.runbook.schema import load
from tests.runbook.boards import board
from tests.runbook.test_language import walk_of

HELM = {
    "manager": "helm",
    "operation": "Update",
    "time": "2026-11-30T08:00:00Z",
    "fieldsV1": {"f:spec": {"f:replicas": {}, "f:containers": {'k:{"name":"op"}': {".": {}, "f:image": {}}}}},
}
ALICE = {"manager": "kubectl-scale", "time": "2026-11-30T09:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
STATUS = {"manager": "kubelet", "time": "2026-11-30T10:00:00Z", "subresource": "status", "fieldsV1": {"f:status": {}}}
HOSTILE = {"manager": "\x1b[31mred", "fieldsV1": {"f:a\x1b": {}, "k:not json": {"f:x": {}}, 7: {}, "f:deep": [1]}}
BOOK = load(
    "apiVersion: console/v1\nkind: Runbook\nid: a\ntitle: A\nabout: cluster\nobjects:\n"
    "  pods: {kind: Pod, namespace: spark, all: true}\nsteps:\n- note: A\n",
    "a.yaml",
)


def seen(*managed: Any) -> dict[str, Any]:
    obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "op", "managedFields": list(managed)}}
    return with_objects({}, BOOK, {"operator": LiveObject("found", obj)}, "cluster")


def test_the_last_one_who_wrote_a_field_is_named_with_the_time() -> None:
    ctx = seen(ALICE, HELM, STATUS)
    last = "(writers.operator|where('fields', 'contains', '{}')|last)"
    assert "kubectl-scale" in template.evaluate(last.format("spec.replicas") + ".manager", ctx)
    assert template.evaluate(last.format("spec.replicas") + ".at", ctx) == 1_796_029_200.0
    assert "elm" in template.evaluate(last.format("spec.containers[op].image") + ".manager", ctx)
    assert "kubectl-scale" in ctx["changed_by"]["operator"]
    assert "managedFields" not in ctx["operator"]["metadata"]


def test_managers_that_say_nothing_or_anything_do_no_harm() -> None:
    many = {"manager": "m", "fieldsV1": {f"f:{n}": {} for n in range(MOST_FIELDS + 50)}}
    wrote = seen(HOSTILE, many, "no entry", {"manager": None, "fieldsV1": None})["writers"]["operator"]
    assert "\x1b" not in str(wrote) and [len(one["fields"]) for one in wrote] == [2, MOST_FIELDS, 0]
    assert seen()["changed_by"] == {} and seen()["writers"] == {"operator": []}


def pod(memory: str | None, phase: str = "Running", **spec: Any) -> dict[str, Any]:
    said = {} if memory is None else {"requests": {"memory": memory, "cpu": "500m"}, "limits": {"memory": memory}}
    return {"spec": {"containers": [{"resources": said}], **spec}, "status": {"phase": phase}}


def test_pods_that_are_not_over_are_summed_as_the_scheduler_counts_them() -> None:
    starting = [{"resources": {"requests": {"memory": "3Gi"}}}]
    sidecar = [{"restartPolicy": "Always", "resources": {"requests": {"memory": "1Gi"}}}]
    pods = [
        pod("1Gi"), pod("1Gi", "Succeeded"), pod(None), pod("1Gi", initContainers=starting),
        pod("1Gi", initContainers=sidecar), pod("1Gi", overhead={"memory": "128Mi"}),
        pod("1Gi", resources={"requests": {"memory": "2Gi"}}),
    ]  # fmt: skip
    gi = 2.0**30
    ctx = {"pods": pods}
    assert template.evaluate("pods|requests('memory')", ctx) == (1 + 0 + 0 + 3 + 2 + 1.125 + 2) * gi
    assert template.evaluate("pods|requests('cpu')", ctx) == 2.5
    assert template.evaluate("pods|limits('memory') > 0", ctx) is True
    assert template.evaluate("pods|limits('nvidia.com/gpu')", ctx) == 0


def test_all_objects_of_a_namespace_are_asked_for_without_labels() -> None:
    (one,) = wanted(BOOK, board(), walk_of(BOOK), {})
    assert isinstance(one, Wanted)
    assert (one.ref.kind, one.ref.namespace, one.ref.name, one.labels) == ("Pod", "spark", "", {})
