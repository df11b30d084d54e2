"""Verbs for workloads: what they come to beside the object, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from console.actions import verb_of
from console.actions.beside import FoundBeside, NoSuchChange
from console.actions.effects import Effect, ObjectRef

UID = "u-1"


def target(kind: str = "Deployment") -> ObjectRef:
    return ObjectRef("apps/v1", kind, "jobs", "proxy", UID)


def effect(action: str, kind: str = "Deployment", **keys: Any) -> Effect:
    return Effect("w/1", "s", "x", action, target(kind), arguments=keys)


def workload(kind: str = "Deployment", replicas: int = 3, **spec: Any) -> dict[str, Any]:
    selector = {"matchLabels": {"app": "proxy"}}
    body = {"replicas": replicas, "selector": selector, "template": {"spec": {"image": "3"}}, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "proxy", "uid": UID}, "spec": body}


SCALED_BY_NONE = {"autoscalers": FoundBeside(), "scaledobjects": FoundBeside()}


def told(action: str, obj: dict[str, Any], beside: Any = None, **keys: Any) -> dict[str, tuple[str, str]]:
    verb, change = verb_of(action), effect(action, obj["kind"], **keys)
    settled = verb.settle(change, obj, beside or {}, 1000.0)
    return {c.topic: (c.level, c.text) for c in verb.consequences(settled, obj, settled.touched, 1000.0, beside or {})}


# -- scale ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("had", "to", "level", "said"),
    [
        (3, 1, "warning", "2 pods of it end; 1 pod is left"),
        (3, 0, "warning", "3 pods of it end; none is left"),
        (3, 2, "warning", "1 pod of it ends; 2 pods are left"),
        (1, 4, "info", "3 pods more; those that run go on"),
    ],
)
def test_how_many_pods_end_or_come_is_said(had: int, to: int, level: str, said: str) -> None:
    assert told("scale", workload(replicas=had), SCALED_BY_NONE, to=to) == {"restart": (level, said)}


def test_the_same_number_ends_nothing() -> None:
    assert told("scale", workload(replicas=2), SCALED_BY_NONE, to=2) == {}


def autoscaler(name: str = "proxy", kind: str = "Deployment") -> FoundBeside:
    spec = {"scaleTargetRef": {"kind": kind, "name": name}, "minReplicas": 2, "maxReplicas": 9}
    return FoundBeside(({"metadata": {"name": "h"}, "spec": spec},))


def test_an_autoscaler_that_would_set_it_again_is_named() -> None:
    found = told("scale", workload(), {**SCALED_BY_NONE, "autoscalers": autoscaler()}, to=1)
    assert found["owner"] == ("warning", "HorizontalPodAutoscaler h keeps it between 2 and 9, and will set it again")
    assert (
        "rests while this is 0"
        in told("scale", workload(), {**SCALED_BY_NONE, "autoscalers": autoscaler()}, to=0)["owner"][1]
    )
    assert "owner" not in told("scale", workload(), {**SCALED_BY_NONE, "autoscalers": autoscaler("other")}, to=1)
    assert "owner" not in told(
        "scale", workload(), {**SCALED_BY_NONE, "autoscalers": autoscaler(kind="StatefulSet")}, to=1
    )
    unread = told("scale", workload(), {**SCALED_BY_NONE, "autoscalers": FoundBeside(error="forbidden")}, to=1)
    assert unread["owner"] == ("unknown", "whether an autoscaler sets it is not known: forbidden")


def held(obj: dict[str, Any], to: int, *, hpa: FoundBeside | None = None, keda: dict[str, Any] | None = None) -> str:
    """What stands in the way of a scaling."""
    scaled = {"metadata": {"name": "q", "annotations": keda}, "spec": {"scaleTargetRef": {"name": "proxy"}}}
    beside = {
        "autoscalers": hpa or FoundBeside(),
        "scaledobjects": FoundBeside((scaled,)) if keda is not None else FoundBeside(),
    }
    return "; ".join(verb_of("scale").obstacles(effect("scale", "Deployment", to=to), obj, beside))


def test_what_an_autoscaler_would_set_back_is_refused_with_what_to_change_instead() -> None:
    said = "HorizontalPodAutoscaler h keeps it between 2 and 9 and would set this back: change its minReplicas"
    assert said in held(workload(replicas=3), 5, hpa=autoscaler())
    assert said in held(workload(replicas=3), 1, hpa=autoscaler())
    assert held(workload(replicas=3), 0, hpa=autoscaler()) == "", "it rests at 0"
    assert held(workload(replicas=0), 3, hpa=autoscaler()) == "", "it is woken by a number"
    assert held(workload(replicas=3), 5, hpa=autoscaler("other")) == ""
    assert held(workload(replicas=3), 5, hpa=FoundBeside(error="forbidden")) == "", "what is not known refuses nothing"


def test_an_autoscaler_without_metrics_leaves_what_is_within_its_bounds() -> None:
    blind = autoscaler()
    blind.items[0]["status"] = {"conditions": [{"type": "ScalingActive", "status": "False"}]}
    assert held(workload(replicas=3), 5, hpa=blind) == ""
    assert "would set this back" in held(workload(replicas=3), 1, hpa=blind)
    assert "would set this back" in held(workload(replicas=3), 10, hpa=blind)
    found = told("scale", workload(), {**SCALED_BY_NONE, "autoscalers": blind}, to=5)
    assert "leaves it alone as long as it has no metrics" in found["owner"][1]


def test_keda_is_paused_first() -> None:
    paused, at = "autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"
    first = f'ScaledObject q sets its replicas: annotate that with {paused}: "true" first'
    assert held(workload(replicas=3), 0, keda={}) == first
    assert held(workload(replicas=3), 0, keda={paused: "true"}) == ""
    assert held(workload(replicas=3), 0, keda={at: "4"}) == f"ScaledObject q holds it at 4: change its {at} instead"
    its_own = autoscaler()
    its_own.items[0]["metadata"]["ownerReferences"] = [{"kind": "ScaledObject", "name": "q"}]
    assert held(workload(replicas=3), 5, keda={}, hpa=its_own) == first, "KEDA made it: one of the two is named"


@pytest.mark.parametrize(
    ("to", "wrong"),
    [(3, False), ("3", False), ("{{ inputs.n }}", False), (0, False), (None, True), ("many", True), (-1, True),
     (True, True), ("1.5", True), (10**8, True)],
)  # fmt: skip
def test_a_number_of_pods_is_a_number(to: Any, wrong: bool) -> None:
    assert bool(list(verb_of("scale").objections({"to": to}))) is wrong


def test_a_server_of_connect_is_scaled_by_its_executors_and_what_has_no_replicas_not_at_all() -> None:
    connect = ObjectRef("sparkoperator.k8s.io/v1alpha1", "SparkConnect", "jobs", "c")
    change = Effect("w/1", "s", "x", "scale", connect, arguments={"to": 4})
    settled = verb_of("scale").settle(change, {"spec": {}}, {}, 0.0)
    assert settled.patch == {"spec": {"executor": {"instances": 4}}}
    assert settled.touched == ("/spec/executor/instances",)
    assert list(verb_of("scale").obstacles(change, {"spec": {}}, {})) == []
    config = Effect("w/1", "s", "x", "scale", ObjectRef("v1", "ConfigMap", "jobs", "c"), arguments={"to": 4})
    assert list(verb_of("scale").obstacles(config, {}, {})) == ["ConfigMap jobs/c has no spec.replicas"]


# -- restart, pause ---------------------------------------------------------------------------------------------------


def test_a_restart_is_marked_as_kubectl_marks_it_and_says_how_pods_are_replaced() -> None:
    settled = verb_of("restart").settle(effect("restart"), workload(), {}, 1_796_000_000.0)
    notes = settled.patch["spec"]["template"]["metadata"]["annotations"]
    assert list(notes) == ["kubectl.kubernetes.io/restartedAt"] and next(iter(notes.values())).startswith("2026-")
    assert told("restart", workload()) == {"restart": ("warning", "its 3 pods are replaced, a few at a time")}
    at_once = told("restart", workload(strategy={"type": "Recreate"}))
    assert at_once["restart"][1] == "its 3 pods end, and only then new ones start"


@pytest.mark.parametrize("action", ["restart", "rollback"])
def test_where_nothing_would_roll_out_it_is_refused(action: str) -> None:
    paused, held = workload(paused=True), workload("StatefulSet", updateStrategy={"type": "OnDelete"})
    assert "paused" in next(iter(verb_of(action).obstacles(effect(action), paused, {})))
    assert "OnDelete" in next(iter(verb_of(action).obstacles(effect(action, "StatefulSet"), held, {})))
    assert list(verb_of(action).obstacles(effect(action), workload(), {})) == []


def test_an_edit_of_a_paused_template_replaces_no_pod_yet() -> None:
    change = Effect("w/1", "s", "x", "patch", target(), touched=("/spec/template/spec/image",))
    (said,) = verb_of("patch").consequences(change, workload(paused=True), change.touched, 0.0)
    assert (said.level, said.text) == ("info", "its rollout is paused: no pod is replaced until it is resumed")
    assert verb_of("patch").consequences(change, workload(), ("/spec/replicas",), 0.0) == []


# -- rollback ---------------------------------------------------------------------------------------------------------


def revision(number: Any, image: str, uid: str = UID) -> dict[str, Any]:
    labels = {"app": "proxy", "pod-template-hash": f"h{number}"}
    meta = {"annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [{"kind": "Deployment", "uid": uid, "controller": True}]}  # fmt: skip
    return {"metadata": meta, "spec": {"template": {"metadata": {"labels": labels}, "spec": {"image": image}}}}


KNOWN = {"revisions": FoundBeside((revision(3, "3"), revision(1, "1"), revision(2, "2"), revision(9, "9", "u-2")))}


def rolled(**keys: Any) -> Effect:
    return verb_of("rollback").settle(effect("rollback", **keys), workload(), KNOWN, 0.0)


def test_a_rollback_goes_to_the_revision_before_without_the_label_of_the_controller() -> None:
    (operation,) = rolled().patch
    assert operation == {
        "op": "replace",
        "path": "/spec/template",
        "value": {"metadata": {"labels": {"app": "proxy"}}, "spec": {"image": "2"}},
    }
    assert rolled(to="1").patch[0]["value"]["spec"] == {"image": "1"}


def test_its_way_back_is_the_revision_that_was_and_holds_no_template() -> None:
    back = verb_of("rollback").inverse(rolled(), {"/spec/template": {"env": "secret"}})
    assert back is not None
    assert (back.action, back.given, back.patch, back.touched) == ("rollback", {"to": 3}, None, ())
    assert (back.inverse_of, back.id, back.reversible) == ("w/1", "w/1.undo", False)


@pytest.mark.parametrize(
    ("keys", "beside", "said"),
    [
        ({"to": 7}, KNOWN, "there is no revision 7; there are: 1, 2, 3"),
        ({}, {"revisions": FoundBeside((revision(3, "3"),))}, "there is no revision before the present one"),
        ({}, {"revisions": FoundBeside(error="forbidden")}, "its former revisions are not known: forbidden"),
        ({}, {}, "its former revisions are not known: it was not read"),
    ],
)
def test_a_revision_that_is_not_there_is_said(keys: dict[str, Any], beside: Any, said: str) -> None:
    with pytest.raises(NoSuchChange, match=said):
        verb_of("rollback").settle(effect("rollback", **keys), workload(), beside, 0.0)


def test_other_workloads_keep_their_templates_as_controller_revisions() -> None:
    data = {"spec": {"template": {"$patch": "replace", "spec": {"image": "1"}}}}
    meta = {"ownerReferences": [{"uid": UID, "controller": True}]}
    kept = tuple({"metadata": meta, "revision": n, "data": data} for n in (1, 2))
    settled = verb_of("rollback").settle(
        effect("rollback", "DaemonSet"), workload("DaemonSet"), {"revisions": FoundBeside(kept)}, 0.0
    )
    assert settled.patch[0]["value"] == {"spec": {"image": "1"}}
    wanted = verb_of("rollback").reads(effect("rollback", "DaemonSet"), workload("DaemonSet"))
    assert [(one.kind, one.labels) for one in wanted] == [("ControllerRevision", {"app": "proxy"})]
