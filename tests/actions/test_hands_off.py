"""What somebody else works on is left alone, by the signs that they leave; a resting sign holds up nobody."""

from __future__ import annotations

from typing import Any

import pytest

from console.actions import handsoff, verb_of
from console.actions.beside import FoundBeside
from console.actions.effects import Effect, ObjectRef

NODE = ObjectRef("v1", "Node", "", "gpu-7")
CORDON = Effect("w/1", "s", "Cordon it", "cordon", NODE)


def node(labels: dict[str, str] | None = None, *taints: str, **spec: Any) -> dict[str, Any]:
    body = {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints], **spec}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gpu-7", "labels": labels or {}}, "spec": body}


def who(obj: dict[str, Any], **beside: Any) -> str:
    seen = {key: FoundBeside((value,)) for key, value in beside.items()}
    return "; ".join(verb_of("cordon").obstacles(CORDON, obj, seen))


SENTINEL, UPGRADE = "dgxc.nvidia.com/nvsentinel-state", "nvidia.com/gpu-driver-upgrade-state"


@pytest.mark.parametrize(
    ("labels", "actor"),
    [
        ({SENTINEL: "quarantined"}, "NVSentinel works on it (quarantined)"),
        ({SENTINEL: "remediating"}, "NVSentinel"),
        ({SENTINEL: "drain-failed"}, ""),
        ({SENTINEL: "remediation-failed"}, ""),
        ({"nvsentinel.dgxc.nvidia.com/managed": "false"}, "an external remediation has it"),
        ({"nvsentinel.dgxc.nvidia.com/managed": "true"}, ""),
        ({UPGRADE: "drain-required"}, "the GPU operator upgrades its driver (drain-required)"),
        ({UPGRADE: "upgrade-required"}, ""),
        ({UPGRADE: "upgrade-done"}, ""),
        ({UPGRADE: "upgrade-failed"}, ""),
        ({"nvidia.com/gpu.deploy.driver": "paused-for-driver-upgrade"}, "has paused its parts"),
        ({"nvidia.com/gpu.deploy.driver": "true"}, ""),
        ({"nvidia.com/mig.config.state": "rebooting"}, "the MIG manager"),
        ({"nvidia.com/mig.config.state": "success"}, ""),
    ],
)
def test_a_label_says_who_is_at_it(labels: dict[str, str], actor: str) -> None:
    said = who(node(labels))
    assert actor in said and bool(said) is bool(actor)


@pytest.mark.parametrize(
    ("taint", "actor"),
    [
        ("ToBeDeletedByClusterAutoscaler", "the cluster autoscaler is deleting it"),
        ("karpenter.sh/disrupted", "Karpenter is taking it away"),
        ("cloud.google.com/impending-node-termination", "Google is ending it"),
        ("team-a", ""),
    ],
)
def test_a_taint_says_who_takes_the_node_away(taint: str, actor: str) -> None:
    said = who(node({}, taint))
    assert actor in said and bool(said) is bool(actor)


def reboot(name: str = "gpu-7", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "m-1"}, "spec": {"nodeName": name}, "status": status}


def test_a_remediation_that_is_asked_for_and_not_over_counts_and_another_nodes_does_not() -> None:
    assert who(node(), RebootNode=reboot(startTime="t")) == "NVSentinel's janitor is at it (RebootNode m-1)"
    assert who(node(), RebootNode=reboot(completionTime="t")) == ""
    assert who(node(), GPUReset=reboot("gpu-8")) == ""
    claim = {"metadata": {"name": "c-1", "deletionTimestamp": "t"}, "status": {"nodeName": "gpu-7"}}
    assert who(node(), NodeClaim=claim) == "Karpenter deletes its NodeClaim c-1"
    assert who(node(), NodeClaim={**claim, "metadata": {"name": "c-1"}}) == ""


def test_whatever_the_verb_and_a_way_back_too() -> None:
    ill = node({SENTINEL: "draining"})
    for action in ("patch", "label", "taint", "uncordon"):
        effect = Effect("w/1.undo", "s", "Undo", action, NODE, inverse_of="w/1")
        assert any("NVSentinel" in why for why in verb_of(action).obstacles(effect, ill, {}))
    assert {one.kind for one in handsoff.reads(CORDON)} >= {"RebootNode", "NodeClaim"}
    assert handsoff.reads(Effect("w/1", "s", "x", "patch", ObjectRef("v1", "Pod", "a", "b"))) == ()


def cordoned(manager: str, **labels: str) -> dict[str, Any]:
    made = node({key.replace("__", "/"): value for key, value in labels.items()}, unschedulable=True)
    fields = {"f:spec": {"f:unschedulable": {}}}
    entry = {"manager": manager, "operation": "Update", "time": "2026-11-30T01:02:03Z", "fieldsV1": fields}
    made["metadata"]["managedFields"] = [entry] if manager else []
    return made


@pytest.mark.parametrize(
    ("obj", "said", "ours"),
    [
        (node(), "", False),
        (cordoned("kubectl"), "somebody with kubectl at 2026-11-30 01:02Z", False),
        (cordoned("console-oncall"), "Console (console-oncall) at 2026-11-30 01:02Z", True),
        (
            cordoned("kubectl", k8saas__cordon_by="x"),
            "somebody with kubectl at 2026-11-30 01:02Z",
            False,
        ),
        (cordoned(""), "somebody who left no sign", False),
    ],
)
def test_who_cordoned_it_is_told_by_the_last_who_wrote_the_field(obj: Any, said: str, ours: bool) -> None:
    assert handsoff.cordoner(obj) == (said, ours)


def test_a_cordon_that_names_its_maker_is_that_makers() -> None:
    made = cordoned("console-oncall")
    made["metadata"]["labels"]["k8saas.nvidia.com/cordon-by"] = "NVSentinel"
    assert handsoff.cordoner(made) == ("NVSentinel", False)


def uncordon(obj: dict[str, Any], **keys: str) -> list[str]:
    effect = Effect("w/1", "s", "Uncordon it", "uncordon", NODE, arguments=dict(keys))
    return list(verb_of("uncordon").obstacles(effect, obj, {}))


def test_what_somebody_else_cordoned_needs_their_word() -> None:
    (why,) = uncordon(cordoned("kubectl"))
    assert "it was cordoned by somebody with kubectl at" in why and "`agreed`" in why
    assert uncordon(cordoned("kubectl"), agreed="grace") == []
    assert uncordon(cordoned("console-oncall")) == []
    assert uncordon(node()) == []


APP = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "jobs", "etl")


@pytest.mark.parametrize("action", ["suspend", "resume"])
def test_what_waits_in_a_queue_of_kueue_is_neither_suspended_nor_resumed(action: str) -> None:
    verb = verb_of(action)
    effect = Effect("w/1", "s", "x", action, APP, touched=("/spec/suspend",))
    app = {"metadata": {"uid": "u-1", "labels": {"kueue.x-k8s.io/queue-name": "team-a"}}}
    assert next(iter(verb.obstacles(effect, app, {}))).startswith("Kueue decides when it runs (queue team-a)")
    bare: dict[str, Any] = {"metadata": {"uid": "u-1"}}
    assert list(verb.obstacles(effect, bare, {})) == []
    controller = {"kind": "SparkApplication", "uid": "u-1", "controller": True}
    queued = {"metadata": {"ownerReferences": [controller]}, "spec": {"queueName": "team-b"}}
    (why,) = verb.obstacles(effect, bare, {"workloads": FoundBeside((queued,))})
    assert "queue team-b" in why
    foreign = {"metadata": {"ownerReferences": [{**controller, "uid": "u-2"}]}, "spec": {}}
    assert list(verb.obstacles(effect, bare, {"workloads": FoundBeside((foreign,))})) == []


def test_another_field_of_what_waits_in_a_queue_may_be_changed() -> None:
    effect = Effect("w/1", "s", "x", "patch", APP, touched=("/spec/executor/cores",))
    app = {"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "team-a"}}}
    assert list(verb_of("patch").obstacles(effect, app, {})) == []


def test_what_is_being_deleted_and_what_is_of_another_kind_is_refused() -> None:
    gone = {"metadata": {"deletionTimestamp": "2026-11-30T01:02:03Z"}}
    (why,) = verb_of("patch").obstacles(Effect("w/1", "s", "x", "patch", APP), gone, {})
    assert why == "SparkApplication jobs/etl is being deleted since 2026-11-30T01:02:03Z"
    (why,) = verb_of("restart").obstacles(Effect("w/1", "s", "x", "restart", APP), {}, {})
    assert why == ("a restart is for Deployment, StatefulSet, DaemonSet; SparkApplication jobs/etl is none of them")
