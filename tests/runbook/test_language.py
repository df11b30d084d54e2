"""The short language: one verb a step, ends that need not be written, and what it is expanded to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from console.actions.effects import Effect, ObjectRef
from console.base.errors import DocumentError
from console.runbook import say, schema
from console.runbook.authors.checklist import checklist
from console.runbook.context.happened import happened
from console.runbook.context.query import with_query
from console.runbook.context.scope import in_scope
from console.runbook.language.ends import ENDS
from console.runbook.language.link import link, texts
from console.runbook.language.proof import lines
from console.runbook.model import Runbook, Step
from console.runbook.steps import Enter, Finish, each, enter, judge, runs, todo
from console.runbook.titles import plain_title, title_of
from console.runbook.walk import (
    Applied,
    ChangeRefused,
    Entered,
    Intent,
    Judged,
    Skipped,
    Started,
    Verified,
    Walk,
    apply,
    fold,
)  # fmt: skip

HEAD = """\
apiVersion: console/v1
kind: Runbook
id: operator-down
title: The Spark operator does not work
about: component spark-operator
match: {findings: [operator-down]}
objects: {operator: workload}
"""
VERIFY = """\
verify:
  that: operator.status.availableReplicas >= 1
  for: 2m
  within: 10m
"""


def book(steps: str, verify: str = VERIFY, head: str = HEAD) -> Runbook:
    return schema.load(f"{head}steps:\n{steps}{verify}", "r.yaml")


def step(runbook: Runbook, id: str) -> Step:
    found = runbook.step(id)
    assert found is not None, [s.id for s in runbook.steps]
    return found


def walk_of(runbook: Runbook) -> Walk:
    return fold([Started(1.0, "w", runbook.id, "1.0.0", "", "", {}, {}, {}, "Component//spark-operator", "t", "t")])


def test_a_walk_begins_only_where_the_runbook_is_for_what_is_seen() -> None:
    runbook = book("- do: {patch: operator, merge: {spec: {replicas: 1}}}\n")
    first = runbook.steps[0]
    assert (first.id, [b.goto for b in first.branches]) == ("applies", ["patch-operator", "not-applicable"])
    there = judge(runbook, first, {"applies": {"now": True, "because": "it is down"}}, 1.0)
    gone = judge(runbook, first, {"applies": {"now": False, "because": "nothing of it"}}, 1.0)
    unseen = judge(runbook, first, {"applies": {"because": "the cluster cannot be seen"}}, 1.0)
    assert (there.goto, gone.goto, unseen.goto) == ("patch-operator", "not-applicable", "handed-over")


def test_a_procedure_on_demand_asks_no_such_thing() -> None:
    runbook = book("- note: Read this\n", "", HEAD + "on_demand: true\n")
    assert runbook.steps[0].id == "read-this"


def test_steps_run_from_top_to_bottom_and_a_check_leads_on_where_it_says_nothing() -> None:
    runbook = book(
        """\
- check: Can its image be pulled?
  finding: executor-image-pull
  then: handed over
- do: {patch: operator, merge: {spec: {replicas: 1}}}
  when: operator.spec.replicas == 0
  then: verify
- id: undo
  do: {patch: operator, merge: {spec: {paused: false}}}
"""
    )
    check = step(runbook, "can-image-be-pulled")
    assert [b.goto for b in check.branches] == ["handed-over", "patch-operator"]
    change = step(runbook, "patch-operator")
    assert (change.verify, change.next, change.rollback) == ("verify", "undo", "captured")
    assert (change.on_refused, change.on_failed, change.on_unknown) == ("declined", "not-applied", "handed-over")
    assert step(runbook, "undo").verify == "verify"
    verify = step(runbook, "verify")
    assert (verify.on_effective, verify.on_ineffective, verify.on_unknown) == ("resolved", "not-fixed", "unclear")
    assert (verify.hold, verify.deadline) == ("2m", "10m")


def test_only_ends_that_are_led_to_are_there_and_their_words_come_from_what_happened() -> None:
    runbook = book("- check: Is it there?\n  that: operator.spec.replicas > 0\n  then: observed\n", "")
    assert {s.id for s in runbook.steps if s.kind == "end"} == {"not-applicable", "handed-over", "observed"}
    assert all("walk." in end.text for end in ENDS.values())


def test_a_runbook_may_say_more_at_an_end() -> None:
    runbook = book("- note: Read this\n- end: handed over\n  text: Call the platform team.\n", "")
    assert [s.text for s in runbook.steps if s.id == "handed-over"] == ["Call the platform team."]


def test_a_change_that_may_be_due_is_not_made_where_that_cannot_be_told() -> None:
    runbook = book("- do: {patch: operator, merge: {spec: {replicas: 1}}}\n  when: operator.spec.replicas == 0\n")
    _, skipped = enter(runbook, walk_of(runbook), "patch-operator", {}, 2.0)
    assert isinstance(skipped, Skipped)
    assert (skipped.goto, "cannot be told" in skipped.because) == ("handed-over", True)
    _, not_due = enter(runbook, walk_of(runbook), "patch-operator", {"operator": {"spec": {"replicas": 2}}}, 2.0)
    assert isinstance(not_due, Skipped) and not_due.because == "not needed here"
    assert len(enter(runbook, walk_of(runbook), "patch-operator", {"operator": {"spec": {"replicas": 0}}}, 2.0)) == 1


def test_a_change_in_the_last_hour_is_a_question() -> None:
    runbook = book("- check: Did it change?\n  changed: operator within 1h\n  then: handed over\n- note: Nothing\n", "")
    check = step(runbook, "change")
    made = {"now": 5000.0, "created": {"operator": 500.0}}
    lately = judge(runbook, check, {**made, "changed": {"operator": 4000.0}}, 1.0)
    long_ago = judge(runbook, check, {**made, "changed": {"operator": 1000.0}}, 1.0)
    assert (lately.goto, long_ago.goto) == ("handed-over", "nothing")
    assert (lately.because, long_ago.because) == ("operator was changed 16m ago", "last changed 1h06m ago")


def test_what_was_only_made_lately_was_changed_by_nobody() -> None:
    runbook = book("- check: Did it change?\n  changed: operator within 1h\n  then: handed over\n- note: Nothing\n", "")
    ctx = {"now": 5000.0, "created": {"operator": 4000.0}, "changed": {"operator": 4001.0}}
    by = {"changed_by": {"operator": "the Spark operator (spark-operator)"}}
    for more, who in ((by, " by the Spark operator (spark-operator)"), ({"changed_by": {}}, "")):
        made = judge(runbook, step(runbook, "change"), {**ctx, **more}, 1.0)
        assert (made.goto, made.because) == ("nothing", f"made 16m ago{who}, and not changed since")


def test_what_is_saved_is_there_for_later_steps() -> None:
    runbook = book("- save: {wanted: operator.spec.replicas * 2}\n- note: So be it\n", "")
    keep = runbook.steps[1]
    kept = judge(runbook, keep, {"operator": {"spec": {"replicas": 2}}}, 1.0)
    assert (kept.output["saved"], kept.goto) == ({"wanted": 4}, "so-be")
    unknown = judge(runbook, keep, {}, 1.0)
    assert (unknown.status, unknown.goto) == ("unknown", "handed-over")


def test_words_that_yaml_takes_for_something_else_are_read_as_they_were_written() -> None:
    runbook = book(
        """\
- note: No
  text: 22:15
- ask: 1.10
  choices:
  - {no: on, then: handed over}
  - {yes: Yes, hint: 0x1F}
- check: True
  that: true
  then: handed over
  because: off
""",
        "",
        HEAD.replace("title: The Spark operator does not work", "title: on"),
    )
    note, ask, check = runbook.steps[1:4]
    assert (runbook.title, note.title, note.text, ask.question) == ("on", "No", "22:15", "1.10")
    assert [(c.value, c.label, c.hint) for c in ask.choices] == [("no", "on", ""), ("yes", "Yes", "0x1F")]
    assert (check.title, check.branches[0].when, check.branches[0].because) == ("True", "true", "off")


def test_a_name_is_read_as_yaml_of_today_reads_it() -> None:
    runbook = book(
        "- id: on\n  note: x\n"
        "- {id: a, kind: ask, title: A, question: A, choices: [{value: no, label: No}, {value: b, label: B}]}\n",
        "",
    )
    assert [s.id for s in runbook.steps[1:3]] == ["on", "a"]
    assert runbook.steps[2].choices[0].value == "no"
    with pytest.raises(DocumentError, match="found the truth value true") as caught:
        book("- id: true\n  note: x\n", "")
    assert caught.value.hint == "put it in quotes"


def test_what_is_no_text_stays_what_it_is() -> None:
    runbook = book(
        "- do: {patch: operator, merge: {spec: {paused: no, replicas: 1}}}\n",
        head=f"{HEAD}inputs:\n  night: {{type: enum, choices: [on, off], default: off}}\n"
        "  all: {type: bool, default: off}\n",
    )
    assert step(runbook, "patch-operator").settings["patch"] == {"spec": {"paused": False, "replicas": 1}}
    assert [(i.name, i.choices, i.default) for i in runbook.inputs] == [
        ("night", ("on", "off"), "off"),
        ("all", (), False),
    ]


@pytest.mark.parametrize("nothing", ["~", "", "null"])
def test_nothing_is_no_text(nothing: str) -> None:
    with pytest.raises(DocumentError, match="text is expected here, found nothing"):
        book(f"- note: {nothing}\n", "")


BLOCK = """\
- each: pods|where('spec.nodeName', '==', 'node-7')
  as: pod
  most: 3
  steps:
  - do: {delete: pod}
    irreversible: the pod is made again by its owner
    verify: {that: seen.pod.state == 'absent', for: 0s, within: 5m}
  - note: It is gone
- note: All are gone
"""
PODS = HEAD.replace("objects: {operator: workload}", "objects: {pods: {kind: Pod, labels: {app: x}}}")


def pod(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "jobs", "uid": f"u-{name}"},
        "spec": {"nodeName": "node-7", "containers": [{"name": "c", "env": [{"name": "A", "value": "b"}]}]},
    }


def test_a_block_is_walked_once_for_each_member_of_its_list() -> None:
    runbook = book(BLOCK, "", PODS)
    head = next(s for s in runbook.steps if s.kind == "each")
    begun = each(head, walk_of(runbook), {"pods": [pod("a"), pod("b")]}, 2.0)
    assert begun.goto == "delete-pod@0"
    assert [m["metadata"]["name"] for m in begun.output["members"]] == ["a", "b"]
    assert "spec" not in begun.output["members"][0]  # what a walk keeps of an object is what names it
    walk = apply(walk_of(runbook), begun)
    change = step(runbook, "delete-pod@1")
    assert (change.id, change.verify) == ("delete-pod@1", "delete-pod-proof@1")
    assert step(runbook, "delete-pod-proof@1").on_effective == "gone@1"
    assert step(runbook, "delete-pod-proof@1").on_ineffective == "not-fixed"  # what did not work ends the others too
    assert step(runbook, "gone@0").next == f"{head.id}@1"
    assert each(step(runbook, f"{head.id}@1"), walk, {}, 3.0).goto == "delete-pod@1"
    assert each(step(runbook, f"{head.id}@2"), walk, {}, 3.0).goto == "all-gone"


@pytest.mark.parametrize(
    ("ctx", "words"),
    [
        ({}, "cannot be told"),
        ({"pods": [pod(str(i)) for i in range(4)]}, "4 members, and at most 3 are allowed at once"),
    ],
)
def test_a_list_that_is_too_long_or_not_known_is_handed_over(ctx: dict[str, Any], words: str) -> None:
    runbook = book(BLOCK, "", PODS)
    head = next(s for s in runbook.steps if s.kind == "each")
    found: Judged = each(head, walk_of(runbook), ctx, 2.0)
    assert (found.status, found.goto, words in found.because) == ("unknown", "handed-over", True)


def test_an_empty_list_leads_on() -> None:
    runbook = book(BLOCK, "", PODS)
    head = next(s for s in runbook.steps if s.kind == "each")
    assert each(head, walk_of(runbook), {"pods": []}, 2.0).goto == "all-gone"


@pytest.mark.parametrize(
    ("steps", "line", "words", "hint"),
    [
        ("- chekc: Is it?\n  that: true\n", 9, "'chekc' is no verb of a step", "check"),
        (
            "- check: Is it?\n  do: {patch: operator}\n",
            10,
            "a step has one verb, and this one has 'check' and 'do'",
            "",
        ),
        ("- check: Is it?\n  that: now > 1\n", 9, "leads the same way whatever it finds", "then"),
        ("- check: Is it?\n  thn: next\n  that: now > 1\n", 10, "unknown key 'thn'", "then"),
        ("- do: {pathc: operator}\n", 9, "there is no verb 'pathc'", "patch"),
        ("- do: {patch: operater, merge: {spec: {replicas: 1}}}\n", 9, "there is no object 'operater'", "operator"),
        ("- do: {patch: operator, mrge: {}}\n", 9, "unknown key 'mrge'", "merge"),
        ("- wait: a while\n", 9, "is no time, and nothing says what is waited for", "until"),
        ("- end: handd over\n  text: x\n", 9, "there is no end 'handd over'", "handed over"),
        ("- id: verify\n  note: x\n", 9, "'verify' means something to every runbook", ""),
        ("- ask: Which?\n  choices:\n  - {Yes No: x}\n  - {b: y}\n", 11, "a choice is one word", "then"),
        (
            "- each: pods\n  as: pod\n  steps:\n  - each: x\n    as: y\n    steps: [{note: z}]\n",
            12,
            "no each, run or end",
            "",
        ),
    ],
)
def test_each_mistake_is_named_with_its_line_and_what_would_be_right(
    steps: str, line: int, words: str, hint: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        book(steps, "")
    assert caught.value.line == line
    assert words in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_what_a_walk_is_about_is_one_of_few_things() -> None:
    with pytest.raises(DocumentError, match="nothing that a walk can be about"):
        book("- note: x\n", "", HEAD.replace("component spark-operator", "planet"))
    named = book("- note: x\n", "", HEAD.replace("component spark-operator", "[node, object ConfigMap]"))
    assert [(a.kind, a.of) for a in named.about] == [("node", ""), ("object", "ConfigMap")]


OUTER = HEAD + "inputs: {size: {type: int, default: 3}}\n"
INNER = """\
apiVersion: console/v1
kind: Runbook
id: inner
title: Within another one
about: component spark-operator
match: {findings: [operator-down]}
inputs: {count: {type: int}}
values: {twice: inputs.count * 2}
steps:
- check: Enough?
  that: values.twice > 5
  then: resolved
- note: Not enough
"""


def linked(steps: str) -> Runbook:
    inner = schema.load(INNER, "inner.yaml")
    return link(book(steps, "", OUTER), {"inner": inner})


def test_another_runbook_is_walked_within_this_one_and_then_it_goes_on() -> None:
    runbook = linked("- run: inner\n  with: {count: '{{ inputs.size }}'}\n- note: And on\n")
    assert judge(runbook, step(runbook, "run-inner.resolved"), {"walk": {"happened": "x"}}, 1.0).goto == "and-on"
    assert step(runbook, "run-inner.handed-over").kind == "end"  # what somebody else has to do ends it all
    begun = runs(step(runbook, "run-inner"), {"inputs": {"size": 3}}, 2.0)
    assert (begun.goto, begun.output) == ("run-inner.applies", {"given": {"count": 3}})


def test_a_runbook_that_is_run_sees_its_own_inputs_and_steps() -> None:
    runbook = linked("- run: inner\n  with: {count: '{{ inputs.size }}'}\n- note: And on\n")
    walk = apply(walk_of(runbook), runs(step(runbook, "run-inner"), {"inputs": {"size": 3}}, 2.0))
    book_of_it, mine = in_scope(runbook, msgspec.structs.replace(walk, current="run-inner.enough"))
    assert (book_of_it.id, mine.inputs, mine.current) == ("inner", {"count": 3}, "enough")
    assert in_scope(runbook, msgspec.structs.replace(walk, current="and-on"))[0] is runbook


def test_a_way_may_lead_to_another_runbook_whose_ends_are_those_of_the_walk() -> None:
    runbook = linked("- check: Down?\n  that: now > 1\n  then: run inner\n- note: And on\n")
    assert step(runbook, "down").branches[0].goto == "run-inner"
    assert step(runbook, "run-inner.resolved").kind == "end"


def test_a_runbook_that_is_a_step_and_a_way_ends_the_walk_on_the_way_alone() -> None:
    runbook = linked("- check: Down?\n  that: now > 1\n  then: run inner\n- run: inner\n- note: And on\n")
    assert step(runbook, "down").next == "run-inner"
    assert step(runbook, "run-inner.resolved").branches[0].goto == "and-on"
    (way,) = {branch.goto for branch in step(runbook, "down").branches} - {"run-inner"}
    assert step(runbook, f"{way}.resolved").kind == "end"
    assert len({s.id for s in runbook.steps}) == len(runbook.steps)


def test_a_runbook_may_end_the_walk_where_it_ends_itself() -> None:
    runbook = linked("- run: inner\n  then: its end\n- note: And on\n")
    assert step(runbook, "run-inner.resolved").kind == "end"


def test_a_circle_of_runbooks_is_not_closed() -> None:
    one = book("- run: two\n", "", HEAD.replace("operator-down\ntitle", "one\ntitle"))
    two = book("- run: one\n", "", HEAD.replace("operator-down\ntitle", "two\ntitle"))
    assert {s.runs for s in link(one, {"one": one, "two": two}).steps if s.kind == "run"} == {"two", "one"}


def test_a_walk_keeps_the_texts_of_all_its_runbooks() -> None:
    runbook = linked("- run: inner\n- note: And on\n")
    again = schema.walked(runbook.text, "as stored", texts(runbook))
    assert [s.id for s in again.steps] == [s.id for s in runbook.steps]


CANARY = """\
- do: {patch: canary, merge: {data: {run: 'yes'}}}
  title: Make the canary
  then: verify
finally:
- do: {delete: canary}
  when: not canary.gone
  irreversible: it was made by this walk
- manual: Tell the channel
verify:
  that: canary.data.run == 'yes'
"""
CANARY_HEAD = HEAD.replace(
    "objects: {operator: workload}", "objects: {canary: {kind: ConfigMap, name: canary, namespace: jobs}}"
)


def entered(walk: Walk, *ids: str) -> Walk:
    for id in ids:
        walk = apply(walk, Entered(3.0, id))
    return walk


def changed(walk: Walk) -> Walk:
    target = ObjectRef("v1", "ConfigMap", "jobs", "canary")
    effect = Effect(id="w/1", step="make-canary", title="Make it", action="patch", target=target, writes=True)
    walk = apply(entered(walk, "make-canary"), Intent(3.0, "make-canary", effect))
    return apply(walk, Applied(4.0, "make-canary", "w/1", True, goto="verify"))


def test_what_must_not_stay_is_undone_before_any_end_once_something_was_changed() -> None:
    runbook = book(CANARY, "", CANARY_HEAD)
    first, second = "finally-delete-canary", "finally-tell-channel"
    assert runbook.last[0] == first
    unchanged = entered(walk_of(runbook), "applies", "not-applicable")
    assert isinstance(todo(runbook, unchanged), Finish)
    for end in ("resolved", "not-fixed", "unclear"):
        walk = entered(changed(walk_of(runbook)), end)
        assert todo(runbook, walk) == Enter(first)
        walk = entered(walk, first, second, "return")
        assert todo(runbook, walk) == Enter(end)
        assert isinstance(todo(runbook, entered(walk, end)), Finish)


def test_a_clean_up_that_fails_does_not_keep_the_next_one_from_being_done_and_is_told() -> None:
    runbook = book(CANARY, "", CANARY_HEAD)
    delete = step(runbook, "finally-delete-canary")
    assert {delete.on_refused, delete.on_failed, delete.on_unknown, delete.next} == {"finally-tell-channel"}
    walk = entered(changed(walk_of(runbook)), "resolved", delete.id)
    refused = apply(walk, ChangeRefused(5.0, delete.id, "w/2", "person", "No was said", "finally-tell-channel"))
    assert refused.still_to_do == ("finally-delete-canary was not done: No was said",)


EACH = """\
- do: {patch: canary, merge: {data: {run: 'yes'}}}
  title: Make the canary
finally:
- each: saved.stopped
  as: one
  title: Resume each
  steps:
  - do: {resume: one}
- manual: Tell the channel
verify:
  that: canary.data.run == 'yes'
"""


def test_a_clean_up_of_each_member_goes_on_with_the_next_one_whatever_comes_of_it() -> None:
    runbook = book(EACH, "", CANARY_HEAD)
    each, resume, tell = "finally-resume-each", "finally-resume-one", "finally-tell-channel"
    assert runbook.last[0] == each
    assert (step(runbook, each).next, step(runbook, each).on_unknown) == (tell, tell)
    one = step(runbook, resume)
    assert one.block == each and {one.on_refused, one.on_failed} == {each}
    proof = step(runbook, one.verify)
    assert {proof.on_effective, proof.on_ineffective, proof.on_unknown} == {each}


def test_a_clean_up_holds_changes_and_what_people_do() -> None:
    with pytest.raises(DocumentError, match="`finally` holds `do`, `manual` and `each` steps"):
        book(CANARY.replace("- manual: Tell the channel", "- note: Told"), "", CANARY_HEAD)
    with pytest.raises(DocumentError, match="there is no object 'canry'"):
        book(CANARY.replace("delete: canary", "delete: canry"), "", CANARY_HEAD)


def test_an_end_says_what_was_changed_and_how_it_was_proved() -> None:
    assert happened(walk_of(book("- note: x\n", "")))["happened"] == "Nothing was changed."
    walk = apply(entered(changed(walk_of(book(CANARY, "", CANARY_HEAD))), "verify"),
                 Verified(60.0, "verify", "effective", "held for 2m", "resolved"))  # fmt: skip
    assert happened(walk)["happened"] == "Changed: Make it. Verified: held for 2m."
    assert happened(walk)["wrote"] is True


WATCHED = """\
- wait: until few wait
  query: count(kube_pod_status_unschedulable == 1)
  until: query.value < 3
  for: 2m
- manual: Drain the queue
  query: sum(kube_pod_info)
  until: query.value == 0
  every: 1m
- do: {patch: operator, merge: {spec: {replicas: 1}}}
  query: count(kube_node_info)
  when: query.value > 2
  verify: {query: up, that: query.value == 1, every: 0.2s}
"""


def test_every_step_may_ask_prometheus_and_looks_as_often_as_that_has_something_new() -> None:
    runbook = book(WATCHED, "")
    waited, seen, change = (step(runbook, id) for id in ("until-few-wait", "drain-queue-seen", "patch-operator"))
    assert [s.query for s in (waited, seen, change)] == [
        "count(kube_pod_status_unschedulable == 1)", "sum(kube_pod_info)", "count(kube_node_info)",
    ]  # fmt: skip
    proof = step(runbook, "patch-operator-proof")
    assert (proof.query, [s.poll for s in (waited, seen, proof)]) == ("up", [15.0, 60.0, 1.0])


@pytest.mark.parametrize("samples", [(), None])
def test_no_data_of_a_query_is_unknown_and_never_passes(samples: tuple[()] | None) -> None:
    runbook = book("- check: Do few wait?\n  query: up\n  that: query.value < 3\n  then: observed\n", "")
    asked = with_query({}, samples, "no Prometheus")
    assert judge(runbook, step(runbook, "few-wait"), asked, 1.0).goto == "handed-over"
    assert say.truth("query.value < 3", asked)[0] is None
    assert say.truth("query.samples|length == 0", asked)[0] is None
    assert say.truth("query.state == 'empty'", asked)[0] is (samples is not None)


COMPARED = """\
- do: {patch: operator, merge: {spec: {replicas: 1}}}
  when: operator.spec.replicas == 0
  then: verify
- note: It was {{ before.operator.spec.replicas }}, as before.the.change
"""
RESTARTS = """\
verify:
  that: values.restarts <= before.restarts
"""


def test_what_was_before_a_change_is_kept_in_front_of_it() -> None:
    runbook = book(COMPARED, RESTARTS, HEAD + "values: {restarts: operator.status.replicas}\n")
    kept = step(runbook, "patch-operator-before")
    assert kept.saves == {
        "before_restarts": "values.restarts",
        "before_operator_spec_replicas": "operator.spec.replicas",
    }
    assert [b.goto for b in runbook.steps[0].branches] == ["patch-operator-before", "not-applicable"]
    assert step(runbook, "verify").until == "values.restarts <= saved.before_restarts"
    note = next(s for s in runbook.steps if s.kind == "note")
    assert note.text == "It was {{ saved.before_operator_spec_replicas }}, as before.the.change"
    now = judge(runbook, kept, {"operator": {"spec": {"replicas": 0}}, "values": {"restarts": 4}}, 1.0)
    assert (now.goto, now.output["saved"]["before_restarts"]) == ("patch-operator", 4)
    unseen = judge(runbook, kept, {}, 1.0)
    assert (unseen.goto, unseen.status, unseen.output) == ("patch-operator", "unknown", {})
    assert say.truth("4 <= saved.before_restarts", {"saved": {}})[0] is None
    assert all(
        "before" not in line.mark + line.text.split(":")[0] for line in checklist(runbook) if line.look == "step"
    )


def test_in_a_block_each_turn_keeps_its_own() -> None:
    head = HEAD.replace("{operator: workload}", "{pods: {kind: Pod, namespace: a, labels: {b: c}}}")
    runbook = book(
        "- each: pods\n  as: pod\n  steps:\n  - do: {label: pod, labels: {a: b}}\n"
        "    verify: {that: pod.metadata.generation > before.pod.metadata.generation}\n",
        "",
        head,
    )
    turn = step(runbook, "label-pod-before@1")
    assert (turn.branches[0].goto, turn.on_unknown) == ("label-pod@1", "label-pod@1")
    assert step(runbook, "each-pod-pods").branches[0].goto == "label-pod-before"


def test_what_is_too_much_is_not_kept() -> None:
    runbook = book("- save: {all: operator}\n  unknown: observed\n- note: Read {{ saved.all }}\n", "")
    told = judge(runbook, step(runbook, "save-all"), {"operator": "x" * 30_000}, 1.0)
    assert told.goto == "observed" and "too much to be kept" in told.because


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2304 * 2**20, "2.2Gi"),
        (2304.0 * 2**20, "2.2Gi"),
        (3, "3"),
        (0.1 + 0.2, "0.3"),
        (True, "yes"),
        (None, "nothing"),
        ([], "none"),
        ([{"metadata": {"name": "nightly"}, "spec": {"suspend": False}}, {"name": "hourly"}], "nightly, hourly"),
        (["a", "b", "c", "d", "e", "f"], "a, b, c, d, e and 1 more"),
        ({"cpu": 2, "ready": False}, "cpu 2, ready no"),
    ],
)
def test_what_is_kept_is_said_as_people_read_it(value: Any, said: str) -> None:
    runbook = book("- save: {wanted: object.it}\n- note: So be it\n", "")
    kept = judge(runbook, runbook.steps[1], {"object": {"it": value}}, 1.0)
    assert (kept.because, kept.output["saved"]) == (f"kept: wanted {said}", {"wanted": value})


def test_when_something_changed_is_kept_as_a_time_and_words_of_the_author_come_first() -> None:
    runbook = book("- save: {was: changed.operator}\n- note: So be it\n", "")
    ctx = {"changed": {"operator": 1_795_000_000.0}}
    assert judge(runbook, runbook.steps[1], ctx, 1.0).because == "kept: was 2026-11-18 11:06:40Z"
    said = 'because: "as it was at {{ saved.was|time }}"'
    runbook = book(f"- save: {{was: changed.operator}}\n  {said}\n- note: So be it\n", "")
    assert judge(runbook, runbook.steps[1], ctx, 1.0).because.startswith("kept: as it was at 2026-11-18")


def test_a_step_is_called_by_what_its_title_said_when_it_was_come_to() -> None:
    runbook = book('- save: {n: inputs.n}\n  title: "Keep {{ inputs.n|jvm_size }} of {{ operator.room }}"\n', "")
    keep = runbook.steps[1]
    assert plain_title(keep) == "Keep <n> of <room>", "nothing is known of it yet"
    (entered,) = enter(runbook, walk_of(runbook), keep.id, {"inputs": {"n": 2**31}, "operator": {"room": "4g"}}, 2.0)
    walk = apply(walk_of(runbook), entered)
    assert title_of(walk.steps[-1], keep) == "Keep 2g of 4g"
    (unknown,) = enter(runbook, walk_of(runbook), keep.id, {}, 2.0)
    assert title_of(apply(walk_of(runbook), unknown).steps[-1], keep) == "Keep <n> of <room>"


def test_a_figure_of_the_finding_stands_beside_a_check_by_its_name_and_not_by_its_path() -> None:
    first, second, third = lines("finding.data.python_rss > values.python_need and app.attempt > 1")
    assert first.startswith("python rss: ") and second.startswith("python need: ") and third.startswith("app.attempt: ")
