"""Which live objects a walk reads, what templates see of them, and the member of its list that a block is at."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import ObjectRef
from console.base.clock import parse_time
from console.components.model import Component
from console.runbook import schema
from console.runbook.context import writers as who
from console.runbook.context.objects import LiveObject, Wanted, changed_at, shown, subject_ref, wanted, with_objects
from console.runbook.context.podsums import total
from console.runbook.context.scope import in_scope
from console.runbook.context.turns import in_turn, kept, member_of
from console.runbook.model import Runbook
from console.runbook.steps import each
from console.runbook.walk import Walk, apply
from tests.runbook.boards import KEY, app, board
from tests.runbook.test_language import BLOCK, PODS, book, linked, pod, walk_of

EARLY, LATE = "2026-11-30T08:00:00Z", "2026-11-30T09:00:00Z"
OPERATOR = book("- do: {patch: operator, merge: {spec: {replicas: 1}}}\n  then: verify\n")


def at_block(current: str) -> tuple[Runbook, Walk]:
    """A walk of a block over two pods, at this step."""
    runbook = book(BLOCK, "", PODS)
    head = next(s for s in runbook.steps if s.kind == "each")
    walk = apply(walk_of(runbook), each(head, walk_of(runbook), {"pods": [pod("a"), pod("b")]}, 2.0))
    return runbook, replace(walk, current=current)


# -- which are read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "ref"),
    [
        (KEY, ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl-orders")),
        ("Node//n-1", ObjectRef("v1", "Node", "", "n-1")),
        ("Deployment/ops/web", ObjectRef("apps/v1", "Deployment", "ops", "web")),
        ("Deployment/ops/", None),
        ("Unheard/ops/web", None),
        ("Component//spark-operator", None),
        ("cluster", None),
        ("spark-jobs/unseen", None),
    ],
)
def test_a_subject_is_read_where_it_is_one_object_whose_kind_is_known(key: str, ref: ObjectRef | None) -> None:
    assert subject_ref(board(), key) == ref


@pytest.mark.parametrize("missing", ["api_version", "kind"])
def test_an_application_that_is_no_object_of_the_cluster_is_not_read(missing: str) -> None:
    assert subject_ref(board(apps=(app(**{missing: ""}),)), KEY) is None


def test_the_workload_of_a_component_is_its_deployment_before_any_other() -> None:
    found = ("Pod/ops/x", "DaemonSet/ops/d", "StatefulSet/ops/s", "Deployment/ops/web")
    for there, kind, name in (
        (found, "Deployment", "web"),
        (found[:3], "StatefulSet", "s"),
        (found[:2], "DaemonSet", "d"),
    ):
        here = board(
            components=(Component("other", "O", "down"), Component("spark-operator", "S", "down", found=there))
        )
        assert wanted(OPERATOR, here, walk_of(OPERATOR), {}) == (
            Wanted("operator", ObjectRef("apps/v1", kind, "ops", name)),
        )
    nothing = board(components=(Component("spark-operator", "S", "down", found=found[:1]),))
    assert wanted(OPERATOR, nothing, walk_of(OPERATOR), {}) == ()


def test_a_workload_that_is_itself_what_the_walk_is_about_is_read_under_both_names() -> None:
    walk = replace(walk_of(OPERATOR), subject="StatefulSet/ops/s")
    ref = ObjectRef("apps/v1", "StatefulSet", "ops", "s")
    assert wanted(OPERATOR, board(), walk, {}) == (Wanted("object", ref), Wanted("operator", ref))


NAMED = schema.load(
    """\
apiVersion: console/v1
kind: Runbook
id: named
title: Named
about: node
match: {findings: [gpu-hardware]}
objects:
  claim: {kind: PersistentVolumeClaim, name: 'data-{{ inputs.n }}', namespace: '{{ inputs.ns }}'}
  pods: {kind: Pod, namespace: jobs, labels: {app: '{{ inputs.n }}'}}
inputs: {n: {type: string}, ns: {type: string}}
values: {ready: object.spec.ready}
steps:
- note: Look
""",
    "named.yaml",
)


def test_names_are_filled_in_and_an_object_whose_name_cannot_be_told_is_not_read() -> None:
    walk = replace(walk_of(NAMED), subject="Node//n-1")
    node = Wanted("object", ObjectRef("v1", "Node", "", "n-1"))
    pods = Wanted("pods", ObjectRef("v1", "Pod", "jobs", ""), {"app": "7"})
    claim = Wanted("claim", ObjectRef("v1", "PersistentVolumeClaim", "spark", "data-7"))
    assert wanted(NAMED, board(), walk, {"inputs": {"n": "7", "ns": "spark"}}) == (node, claim, pods)
    assert wanted(NAMED, board(), walk, {"inputs": {"n": "7"}}) == (node, pods)


def test_in_a_block_the_member_of_the_present_turn_is_read() -> None:
    runbook, walk = at_block("delete-pod@1")
    read = wanted(runbook, board(), walk, {})
    assert Wanted("pod", ObjectRef("v1", "Pod", "jobs", "b")) in read
    plain = replace(walk, outputs={name: {"members": ["a", {"metadata": "b"}]} for name in walk.outputs})
    for turn in (0, 1):
        assert "pod" not in [w.name for w in wanted(runbook, board(), replace(plain, current=f"delete-pod@{turn}"), {})]


@pytest.mark.parametrize("lacking", ["apiVersion", "kind", "name"])
def test_a_member_that_does_not_say_what_it_is_is_not_read(lacking: str) -> None:
    runbook, walk = at_block("delete-pod@0")
    member = {key: value for key, value in pod("a").items() if key != lacking}
    member["metadata"] = {key: value for key, value in member["metadata"].items() if key != lacking}
    walk = replace(walk, outputs={name: {"members": [member]} for name in walk.outputs})
    assert "pod" not in [one.name for one in wanted(runbook, board(), walk, {})]


def test_a_member_of_no_namespace_is_read_as_such() -> None:
    runbook, walk = at_block("delete-pod@0")
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n-1"}}
    walk = replace(walk, outputs={name: {"members": [node]} for name in walk.outputs})
    assert Wanted("pod", ObjectRef("v1", "Node", "", "n-1")) in wanted(runbook, board(), walk, {})


# -- what is seen of them -------------------------------------------------------------------------------------------


def obj(kind: str = "Deployment", **meta: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "n", **meta}, "spec": {"ready": True, "gone": None}}


def managed(manager: str, time: str | None, **more: Any) -> dict[str, Any]:
    said = {} if time is None else {"time": time}
    return {"manager": manager, "fieldsV1": {"f:spec": {}}, **said, **more}


def test_an_object_stands_under_its_name_with_who_changed_it_and_when() -> None:
    one = obj(creationTimestamp=EARLY, managedFields=[managed("helm", EARLY), managed("kubectl-edit", LATE)])
    ctx = with_objects({"a": 1}, OPERATOR, {"operator": LiveObject("found", one)}, "Component//spark-operator")
    assert ctx["operator"] == {**shown(one), "spec": {"ready": True}, "gone": False}
    assert ctx["a"] == 1 and ctx["seen"] == {"operator": {"state": "found", "because": ""}}
    assert ctx["created"] == {"operator": parse_time(EARLY)}
    assert ctx["changed"] == {"operator": parse_time(LATE)} and "kubectl-edit" in ctx["changed_by"]["operator"]
    assert [w["fields"] for w in ctx["writers"]["operator"]] == [["spec"], ["spec"]]
    assert "node" not in ctx and "schedule" not in ctx and "values" not in ctx


def test_of_an_object_of_unknown_age_nobody_is_said_to_have_changed_it() -> None:
    ctx = with_objects({}, OPERATOR, {"operator": LiveObject("found", obj())}, "Component//spark-operator")
    assert (ctx["changed"], ctx["changed_by"], ctx["writers"]) == ({}, {}, {"operator": []})


def test_a_list_stands_under_its_name_and_was_changed_by_nobody() -> None:
    ctx = with_objects({}, OPERATOR, {"pods": LiveObject("found", [obj("Pod")])}, "cluster")
    assert ctx["pods"] == [{**obj("Pod"), "spec": {"ready": True}}]
    assert (ctx["changed"], ctx["changed_by"], ctx["writers"]) == ({}, {}, {})


def test_after_one_that_is_not_there_the_others_are_seen_all_the_same() -> None:
    read = {"a": LiveObject("absent"), "b": LiveObject("forbidden", None, "no"), "c": LiveObject("found", obj())}
    ctx = with_objects({}, OPERATOR, read, "cluster")
    assert (ctx["a"], "b" in ctx, ctx["c"]["gone"]) == ({"gone": True}, False, False)


@pytest.mark.parametrize(
    ("key", "alias"),
    [
        ("Node//n", "node"),
        ("CronJob/jobs/n", "schedule"),
        ("ScheduledSparkApplication/jobs/n", "schedule"),
        ("Deployment/ops/n", ""),
    ],
)
def test_what_the_walk_is_about_has_the_name_of_its_kind_too(key: str, alias: str) -> None:
    ctx = with_objects({}, OPERATOR, {"object": LiveObject("found", obj())}, key)
    assert [name for name in ("node", "schedule") if ctx.get(name) == ctx["object"]] == ([alias] if alias else [])
    assert set(ctx) - {alias} == {"object", "seen", "created", "changed", "writers", "changed_by"}
    assert "node" not in with_objects({}, OPERATOR, {}, "Node//n")


def test_values_of_the_runbook_see_the_objects() -> None:
    ctx = with_objects({}, NAMED, {"object": LiveObject("found", obj("Node"))}, "Node//n")
    assert ctx["values"] == {"ready": True}


def test_a_secret_keeps_its_type_and_no_value_and_other_objects_have_theirs_taken_out() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": "s"},
        "data": {"b": "x", "a": "y"},
    }
    assert shown(secret) == {
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": "s"}, "keys": ["a", "b"],
    }  # fmt: skip
    assert shown({"kind": "Secret"}) == {"kind": "Secret", "metadata": {}, "keys": []}
    noted = {"annotations": {"password": "hunter2hunter2"}, "managedFields": [1]}
    for kind in ("Secret", "ConfigMap"):
        said = shown({"kind": kind, "metadata": noted, "env": [{"name": "PASSWORD", "value": "hunter2hunter2"}]})
        assert "hunter2" not in str(said) and "managedFields" not in str(said)


def test_a_workload_is_cordoned_by_nobody() -> None:
    entry = managed("alice", EARLY, fieldsV1={"f:spec": {"f:unschedulable": {}}})
    for kind, there in (("Node", True), ("Machine", False)):
        one = {**obj(kind, managedFields=[entry]), "spec": {"unschedulable": True}}
        assert ("cordonedBy" in shown(one)) is there


def test_an_object_was_changed_when_its_latest_field_was_written_or_when_it_was_made() -> None:
    made = {"creationTimestamp": EARLY}
    assert changed_at({"metadata": made}) == parse_time(EARLY)
    assert changed_at({"metadata": {**made, "managedFields": [managed("a", LATE), managed("b", EARLY)]}}) == parse_time(
        LATE
    )
    junk = ["no entry", managed("a", None), {"time": 7}, managed("k", LATE, subresource="status")]
    assert changed_at({"metadata": {**made, "managedFields": junk}}) == parse_time(EARLY)
    assert changed_at({}) is None and changed_at({"metadata": {"creationTimestamp": 7}}) is None


# -- who wrote them -------------------------------------------------------------------------------------------------


def test_who_wrote_last_stands_last_and_who_does_not_say_when_stands_first() -> None:
    entries = [managed("b", LATE), managed("", None), managed("a", EARLY)]
    assert [one["manager"] for one in who.writers(obj(managedFields=entries))] == ["?", "a", "b"]
    assert who.changed_by(obj(managedFields=entries)) == "b"
    assert who.changed_by(obj(managedFields=[managed("a", EARLY), managed("b", LATE), managed("c", LATE)])) == "c"
    assert who.changed_by(obj(managedFields=[managed("a", None)])) == ""


def test_members_of_lists_are_named_by_what_tells_them_apart_in_short() -> None:
    fields = {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {}, 'k:"x"': {}, f'k:"{"y" * 80}"': {}}}
    (one,) = who.writers(obj(managedFields=[managed("a", EARLY, fieldsV1=fields)]))
    assert one["fields"] == ["ports", "ports[80,TCP]", "ports[x]", f"ports[{'y' * 59}…]"]


def test_fields_are_followed_twenty_levels_deep() -> None:
    deep: dict[str, Any] = {}
    for _ in range(30):
        deep = {"f:a": deep}
    (one,) = who.writers(obj(managedFields=[managed("a", EARLY, fieldsV1=deep)]))
    assert len(one["fields"]) == 20


# -- blocks and runbooks within runbooks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "name"),
    [
        ("delete-pod@0", "a"),
        ("delete-pod@1", "b"),
        ("delete-pod@2", ""),
        ("delete-pod", ""),
        ("all-gone", ""),
        ("x@0", ""),
    ],
)
def test_a_turn_of_a_block_is_at_its_member(current: str, name: str) -> None:
    runbook, walk = at_block(current)
    found = member_of(walk, runbook)
    assert (None if found is None else (found[0], found[1]["metadata"]["name"])) == (("pod", name) if name else None)
    assert member_of(replace(walk, outputs={}), runbook) is None


def test_a_member_that_was_read_now_is_not_replaced_by_the_one_of_the_list() -> None:
    runbook, walk = at_block("delete-pod@1")
    assert in_turn({"a": 1}, walk, runbook) == {"a": 1, "pod": kept(pod("b"))}
    for read in ({"seen": {"pod": {"state": "absent"}}}, {"seen": {"pod": {}}, "pod": {"gone": True}}):
        assert in_turn(read, walk, runbook) is read
    elsewhere = replace(walk, current="all-gone")
    assert in_turn(read, elsewhere, runbook) is read


def test_of_a_member_is_kept_what_names_it() -> None:
    labelled = {**pod("a"), "metadata": {**pod("a")["metadata"], "labels": {"x": "y"}, "annotations": {"z": "w"}}}
    assert kept(labelled) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "jobs", "uid": "u-a", "labels": {"x": "y"}},
    }
    assert kept({"metadata": {"name": "a"}}) == {"apiVersion": None, "kind": None, "metadata": {"name": "a"}}
    assert [kept(one) for one in ("a", 7, {"metadata": "m"}, {})] == ["a", 7, {"metadata": "m"}, {}]


def test_a_runbook_within_another_sees_its_own_outputs_and_defaults_and_not_those_around_it() -> None:
    runbook = linked("- run: inner\n  with: {count: '{{ inputs.size }}'}\n- note: And on\n")
    part = runbook.parts["run-inner"]
    with_default = replace(part.runbook.inputs[0], name="least", default=2)
    inner = replace(part.runbook, inputs=(*part.runbook.inputs, with_default))
    runbook = replace(runbook, parts={"run-inner": replace(part, runbook=inner)})
    outputs = {"first": {"a": 1}, "run-inner": {"given": {"count": 3}}, "run-inner.enough": {"status": "pass"}}
    walk = replace(walk_of(runbook), inputs={"size": 3}, outputs=outputs, current="run-inner.not-enough")
    _, mine = in_scope(runbook, walk)
    assert mine.outputs == {"enough": {"status": "pass"}}
    assert mine.inputs == {"size": 3, "count": 3, "least": 2}
    for missing in ({}, {"run-inner": {}}):
        assert in_scope(runbook, replace(walk, outputs=missing))[1].inputs == {"size": 3, "least": 2}
    for outside in ("and-on", "unheard"):
        assert in_scope(runbook, replace(walk, current=outside)) == (runbook, replace(walk, current=outside))


# -- sums of pods ---------------------------------------------------------------------------------------------------


def asks(memory: str, **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"memory": memory}}, **more}


def test_starting_containers_count_by_the_greatest_and_those_that_stay_are_added() -> None:
    first = [asks("5Gi"), asks("3Gi"), asks("1Gi", restartPolicy="Always")]
    both = {"spec": {"containers": [asks("1Gi"), "no container"], "initContainers": first}}
    assert total([both, "no pod"], "requests", "memory") == 5 * 2**30
    both["spec"]["containers"] = [asks("8Gi")]
    assert total([both], "requests", "memory") == 9 * 2**30
    for over in ("Succeeded", "Failed"):
        assert total([{**both, "status": {"phase": over}}], "requests", "memory") == 0
