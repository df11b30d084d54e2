"""What a walk is about that is no application: which findings are its own, and which of them it is for."""

from __future__ import annotations

from msgspec.structs import replace

from console.components.model import Component
from console.findings.figures.gpu import GpuError
from console.findings.model import Finding
from console.runbook import schema
from console.runbook.about import findings_of, fits, subject_of
from console.runbook.context.build import build
from console.runbook.context.objects import shown
from console.runbook.inputs import resolve
from console.runbook.walk import Started, fold
from tests.runbook.boards import NOW, alert, board, finding, node

BOOK = schema.load(
    """\
apiVersion: console/v1
kind: Runbook
id: gpu
title: A GPU
about: node
match: {findings: [gpu-hardware], alerts: [SparkPodOOMKilled]}
steps:
- note: Look
""",
    "gpu.yaml",
)


def fault(*nodes: str, gpu: str = "GPU-1") -> Finding:
    figures = GpuError(xid=79, gpu=gpu, nodes=nodes, pods=(), action="reboot")
    return Finding(
        code="gpu-hardware",
        severity="critical",
        confidence="high",
        title=f"fault of {gpu}",
        subject=f"GPU//{gpu}",
        class_="I28",
        since=None,
        data=figures,
    )


def test_a_finding_that_names_one_node_is_about_that_node() -> None:
    here = board(fault("n-1"), fault("n-2", gpu="GPU-2"), nodes=(node("n-1"), node("n-2")))
    assert [f.subject for f in findings_of(here, "Node//n-2")] == ["GPU//GPU-2"]
    assert fits(fault("n-1"), BOOK, here)
    assert subject_of(BOOK, board(fault("n-1"), nodes=(node("n-1"),))).key == "Node//n-1"
    assert set(subject_of(BOOK, here).choices) == {"Node//n-1", "Node//n-2"}


def test_a_finding_that_names_several_nodes_says_of_none_that_it_is_the_one() -> None:
    here = board(fault("n-1", "n-2"), nodes=(node("n-1"), node("n-2")))
    assert not fits(fault("n-1", "n-2"), BOOK, here)
    assert len(findings_of(here, "Node//n-1")) == 1


def test_the_finding_of_a_walk_is_one_of_its_own_subject_whatever_paged() -> None:
    here = board(finding(data={"nodes": ()}), fault("n-1"), fault("n-2", gpu="GPU-2"), nodes=(node("n-1"), node("n-2")))
    for paged in (None, alert()):
        ctx = build(here, app="Node//n-2", walk=None, inputs={}, alert=paged, now=NOW, runbook=BOOK)
        assert ctx["finding"]["data"]["gpu"] == "GPU-2"
    ctx = build(here, app="Node//n-3", walk=None, inputs={}, now=NOW, runbook=BOOK)
    assert "finding" not in ctx


METASTORE = schema.load(
    """\
apiVersion: console/v1
kind: Runbook
id: metastore
title: The metastore
about: component hive-metastore
match: {findings: [metastore-down]}
steps:
- note: Look
""",
    "metastore.yaml",
)


def test_what_an_application_says_of_a_component_leads_to_the_runbook_that_names_it() -> None:
    said = finding("metastore-down", data={"nodes": ()})
    for code, now in (("metastore-down", True), ("executor-lost", False)):
        here = board(replace(said, code=code))
        assert fits(here.findings[0], METASTORE, here) is now
        ctx = build(here, app="Component//hive-metastore", walk=None, inputs={}, now=NOW, runbook=METASTORE)
        assert (ctx["applies"]["now"], "finding" in ctx) == (now, now)
    assert subject_of(METASTORE, board(said)).key == "Component//hive-metastore"


def test_what_is_wrong_with_the_objects_of_a_component_is_not_elsewhere() -> None:
    own = finding("metastore-down", app="x/y", subject="Deployment/hive/metastore", data={"nodes": ()})
    component = Component("hive-metastore", "Hive metastore", "down", found=("Deployment/hive/metastore",))
    here = board(own, replace(own, subject="Pod/x/other"), components=(component,))
    ctx = build(here, app="Component//hive-metastore", walk=None, inputs={}, now=NOW, runbook=METASTORE)
    assert [found["subject"] for found in ctx["elsewhere"]] == ["Pod/x/other"]
    assert ctx["components"]["hive_metastore"]["state"] == "down"


def test_an_alert_that_paged_for_a_component_makes_its_runbook_apply() -> None:
    book = schema.load(METASTORE.text.replace("metastore-down]", "metastore-down], alerts: [MetastoreDown]"), "m.yaml")
    for paged, now in ((alert("MetastoreDown"), True), (alert("Other"), False), (None, False)):
        ctx = build(board(), app="Component//hive-metastore", walk=None, inputs={}, alert=paged, now=NOW, runbook=book)
        assert ctx["applies"]["now"] is now


def test_an_objective_that_burns_anyhow_makes_no_runbook_apply_that_does_not_name_it() -> None:
    """What burned when a walk began counts for its recovery, not for whether it is the right one."""
    named = schema.load(
        METASTORE.text.replace("metastore-down]", "metastore-down], objectives: [job-success]"), "m.yaml"
    )
    for book, now in ((METASTORE, False), (named, True)):
        before = {"job-success": {"state": "burning"}}
        subject = "Component//hive-metastore"
        walk = fold([Started(NOW, "w", book.id, "1.0.0", "", "", {}, {}, {}, subject, "t", "t", before)])
        ctx = build(board(), app=subject, walk=walk, inputs={}, now=NOW, runbook=book)
        assert ctx["applies"]["now"] is now


def test_a_runbook_about_something_may_ask_for_inputs_too() -> None:
    text = BOOK.text.replace("steps:", "inputs: {agreed: {type: string, default: alice}}\nsteps:")
    made = resolve(schema.load(text, "gpu.yaml"), board(fault("n-1"), nodes=(node("n-1"),)))
    assert (made.subject, made.inputs) == ("Node//n-1", {"about": "Node//n-1", "agreed": "alice"})


def test_a_node_that_is_cordoned_says_who_did_that() -> None:
    entry = {"manager": "alice", "operation": "Update", "time": "2026-01-12T10:00:00Z"}
    meta = {"name": "n-1", "managedFields": [{**entry, "fieldsV1": {"f:spec": {"f:unschedulable": {}}}}]}
    free = {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {}}
    cordoned = {**free, "spec": {"unschedulable": True}}
    assert "cordonedBy" not in shown(free)
    (one,) = shown([cordoned])
    assert one["cordonedBy"].startswith("alice") and "managedFields" not in one["metadata"]
