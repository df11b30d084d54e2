"""Bad runbooks: each is refused at the line that is wrong, and passes once its hint is followed."""

# One mistake is one entry of a table, however long its lines.
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from console.base.errors import DocumentError
from console.runbook import schema
from console.runbook.lint.problems import LintProblem, of_error
from console.runbook.lint.run import lint
from console.sources.files.runbooks import Library
from tests.runbook.player import LIBRARY

HEAD = """\
apiVersion: console/v1
kind: Runbook
id: operator-down
title: The Spark operator does not work
owner: platform on-call
reviewed: 2026-11-20
what: Brings the operator back.
when_not_to_use: Somebody works on it.
about: component spark-operator
match: {findings: [operator-down]}
objects: {operator: workload}
"""
VERIFY = """\
verify: {that: operator.status.availableReplicas >= 1, for: 2m, within: 10m}
"""
SCALE = "- do: {patch: operator, merge: {spec: {replicas: 1}}}\n"


class Bad(NamedTuple):
    """`text` has the mark `#!` on its wrong line. `old` → `new` is what the hint says."""

    code: str
    words: str
    hint: str
    text: str
    old: str
    new: str


def head(old: str, new: str) -> str:
    assert old in HEAD
    return HEAD.replace(old, new)


APP = (
    head("about: component spark-operator\n", "about: app\n")
    .replace("objects: {operator: workload}\n", "")
    .replace("operator-down]", "executor-oom-heap]")
)
APP_VERIFY = "verify: {that: app.state == 'RUNNING'}\n"
PODS = head(
    "objects: {operator: workload}\n",
    "objects:\n  operator: workload\n  pods: {kind: Pod, namespace: spark, labels: {app: x}}\n",
)
QUEUE = head(
    "objects: {operator: workload}\n",
    "objects:\n  operator: workload\n  claim: {kind: PersistentVolumeClaim, name: data, namespace: spark}\n",
)

BARE = head("objects: {operator: workload}\n", "")
ONLY_PODS = head("{operator: workload}", "{pods: {kind: Pod, namespace: spark, labels: {app: x}}}")

BAD = {
    # names of the field
    "a finding that no rule finds": Bad("unknown-finding", "no rule finds 'operator-dwn'", "operator-down", head("findings: [operator-down]", "findings: [operator-dwn] #!").replace("{findings: [operator-dwn] #!}", "\n  findings: [operator-dwn] #!") + "steps:\n" + SCALE + VERIFY, "operator-dwn", "operator-down"),
    "a class that does not exist": Bad("unknown-class", "no incident class I44", "I01 to I30", head("{findings: [operator-down]}", "\n  classes: [I44] #!") + "steps:\n" + SCALE + VERIFY, "I44", "I19"),
    "a check for an unknown finding": Bad("unknown-finding", "no rule finds 'image-pul'", "image-pull", HEAD + "steps:\n- check: Can it be pulled?\n  finding: image-pul #!\n  then: handed over\n" + SCALE + VERIFY, "image-pul #", "image-pull #"),
    "an unknown finding in an expression": Bad("unknown-finding", "no rule finds 'image-pul'", "image-pull", HEAD + "steps:\n- check: Can it be pulled?\n  that: \"'image-pul' in found\" #!\n  then: handed over\n" + SCALE + VERIFY, "'image-pul'", "'image-pull'"),
    "an alert with a typing error": Bad("unknown-alert", "'SparkOperatorDwn'", "SparkOperatorDown", head("{findings: [operator-down]}", "\n  alerts: [SparkOperatorDwn] #!") + "steps:\n" + SCALE + VERIFY, "SparkOperatorDwn", "SparkOperatorDown"),
    "an objective with a typing error": Bad("unknown-objective", "'job-sucess'", "job-success", head("{findings: [operator-down]}", "\n  findings: [operator-down]\n  objectives: [job-sucess] #!") + "steps:\n" + SCALE + VERIFY, "job-sucess", "job-success"),
    # conditions
    "a question that is always true": Bad("constant-condition", "`true` is always true", "something that is seen", HEAD + "steps:\n- check: Is it so?\n  that: true #!\n  then: handed over\n" + SCALE + VERIFY, "that: true", "that: operator.spec.replicas == 0"),
    "a first branch that is always taken": Bad("constant-condition", "is always true", "something that is seen", HEAD + "steps:\n- check: Are there nodes?\n  that: nodes|length >= 0 #!\n  then: handed over\n" + SCALE + VERIFY, ">= 0 #", "== 0 #"),
    "a count that is never below nothing": Bad("constant-condition", "is always true", "something that is seen", HEAD + "steps:\n" + SCALE + "  verify:\n    that: operator.status.availableReplicas|default(0) >= 0 #!\n", ">= 0 #", ">= 1 #"),
    "a verification that cannot be false": Bad("constant-condition", "is always true", "something that is seen", HEAD + "steps:\n" + SCALE + "  verify:\n    that: nodes|length >= 0 #!\n", "nodes|length >= 0", "operator.status.availableReplicas >= 1"),
    "a change that is never due": Bad("constant-condition", "is always false", "something that is seen", HEAD + "steps:\n" + SCALE + "  when: 1 > 2 #!\n" + VERIFY, "1 > 2", "operator.spec.replicas == 0"),
    "a thing compared with itself": Bad("constant-condition", "is always true", "something that is seen", HEAD + "steps:\n" + SCALE + "  when: operator.spec.replicas == operator.spec.replicas #!\n" + VERIFY, "== operator.spec.replicas", "!= operator.status.replicas"),
    "a wait for what cannot be": Bad("constant-condition", "is always false", "something that is seen", HEAD + "steps:\n- wait: until it is there\n  until: nodes|length < 0 #!\n" + SCALE + VERIFY, "nodes|length < 0", "nodes|length > 3"),
    "samples that are counted where there are none": Bad("constant-condition", "is always true", "something that is seen", HEAD + "steps:\n- check: Does anything wait?\n  query: kube_pod_status_unschedulable == 1\n  that: query.samples|length > 0 #!\n  then: handed over\n" + SCALE + VERIFY, "query.samples|length > 0", "query.value > 0"),
    "an answer that never comes": Bad("constant-condition", "is always false", "something that is seen", HEAD + "steps:\n- wait: until nothing waits\n  query: kube_pod_status_unschedulable == 1\n  until: query.samples|length == 0 #!\n" + SCALE + VERIFY, "query.samples|length == 0", "query.value < 1"),
    "an answer that nobody asks for": Bad("unused-query", "nothing asks for the answer", "query.value > 0", HEAD + "steps:\n- check: Is it up?\n  query: kube_pod_info #!\n  that: operator.spec.replicas == 0\n  then: handed over\n" + SCALE + VERIFY, "that: operator.spec.replicas == 0", "that: query.value > 0"),
    "a query without its own step": Bad("unknown-name", "there is no 'query'", "", HEAD + "steps:\n" + SCALE + "  when: query.value > 3 #!\n" + VERIFY, "  when: query.value > 3 #!\n", "  query: count(kube_pod_info)\n  when: query.value > 3\n"),
    "what was before is no value": Bad("unknown-name", "there is no 'restrts'", "", HEAD + "values: {restarts: operator.status.replicas}\nsteps:\n- do: {patch: operator, merge: {spec: {replicas: 1}}} #!\n  verify: {that: values.restarts <= before.restrts}\n", "before.restrts", "before.restarts"),
    # probes
    "a probe of what has no name": Bad("schema", "'operatr' is no name of `objects`", "operator", HEAD + "probes:\n  answers: {of: operatr, port: 8080, get: /healthz} #!\nsteps:\n" + SCALE + "  when: answers.open\n" + VERIFY, "operatr", "operator"),
    "a probe of what has no port": Bad("schema", "it is a PersistentVolumeClaim", "one of Service, Pod", QUEUE + "probes:\n  answers: {of: claim, port: 8080} #!\nsteps:\n" + SCALE + "  when: answers.open and claim.spec.volumeName is defined\n" + VERIFY, "of: claim, port", "of: operator, port"),
    "a port that cannot be": Bad("schema", "70000 is too large: at most 65535", "", HEAD + "probes:\n  answers: {of: operator, port: 70000} #!\nsteps:\n" + SCALE + "  when: answers.open\n" + VERIFY, "70000", "8080"),
    "TLS without a request": Bad("schema", "there is no `get`", "get: /", HEAD + "probes:\n  answers: {of: operator, port: 8443, scheme: https} #!\nsteps:\n" + SCALE + "  when: answers.open\n" + VERIFY, "scheme: https}", "scheme: https, get: /}"),
    "a probe by the name of an object": Bad("schema", "'operator' is an object of this runbook", "call it otherwise", HEAD + "probes:\n  operator: {of: operator, port: 8080} #!\nsteps:\n" + SCALE + "  when: operator.spec.replicas == 0\n" + VERIFY, "probes:\n  operator: {of: operator, port: 8080} #!\n", ""),
    "the status of a port that is only knocked at": Bad("unknown-name", "answers has no 'status'", "", HEAD + "probes:\n  answers: {of: operator, port: 8080}\nsteps:\n" + SCALE + "  when: answers.status == 503 #!\n" + VERIFY, "answers.status == 503", "not answers.open"),
    "an answer that nobody reads": Bad("unused-object", "no step asks what 'answers' answers", "remove it", HEAD + "probes:\n  answers: {of: operator, port: 8080} #!\nsteps:\n" + SCALE + VERIFY, "probes:\n  answers: {of: operator, port: 8080} #!\n", ""),
    # states
    "a state that no application has": Bad("unknown-name", "app.state is never 'RUNING'", "RUNNING", APP + "steps:\n- check: Does it run?\n  that: app.state == 'RUNING' #!\n  then: observed\n- escalate: platform\n", "RUNING", "RUNNING"),
    "one of several states": Bad("unknown-name", "app.state is never 'COMPLETE'", "COMPLETED", APP + "steps:\n- check: Is it over?\n  that: app.state in ['FAILED', 'COMPLETE'] #!\n  then: observed\n- escalate: platform\n", "'COMPLETE'", "'COMPLETED'"),
    "a phase that no claim has": Bad("unknown-name", "claim.status.phase is never 'Boundd'", "Bound", QUEUE + "steps:\n- check: Is it bound?\n  that: claim.status.phase == 'Boundd' #!\n  then: observed\n" + SCALE + VERIFY, "Boundd", "Bound"),
    "what came of reading an object": Bad("unknown-name", "seen.claim.state is never 'gone'", "absent", QUEUE + "steps:\n- check: Is it there?\n  that: seen.claim.state == 'gone' #!\n  then: handed over\n" + SCALE + VERIFY, "'gone'", "'absent'"),
    "a condition of a Deployment": Bad("unknown-name", "type is never 'Availabel'", "Available", HEAD + "steps:\n- check: Is it available?\n  that: operator.status.conditions|where('type', '==', 'Availabel')|length > 0 #!\n  then: observed\n" + SCALE + VERIFY, "Availabel", "Available"),
    "an answer that no choice has": Bad("unknown-name", "steps.which.answer is never 'rais'", "raise", HEAD + "steps:\n- id: which\n  ask: Which?\n  choices:\n  - {leave: Leave it}\n  - {raise: Raise it}\n- check: Was it to be raised?\n  that: steps.which.answer == 'rais' #!\n  else: handed over\n" + SCALE + VERIFY, "'rais'", "'raise'"),
    # fields
    "a field of a live object": Bad("unknown-name", "operator.spec has no 'replcas'", "replicas", HEAD + "steps:\n" + SCALE + "  when: operator.spec.replcas == 0 #!\n" + VERIFY, "replcas", "replicas"),
    "a field of its status": Bad("unknown-name", "operator.status has no 'availableReplica'", "availableReplicas", HEAD + "steps:\n" + SCALE + "verify:\n  that: operator.status.availableReplica >= 1 #!\n", "availableReplica ", "availableReplicas "),
    "a field of each member": Bad("unknown-name", "pod.status has no 'phse'", "phase", PODS + "steps:\n- each: pods\n  as: pod\n  steps:\n  - check: Is it there?\n    that: pod.status.phse == 'Running' #!\n    then: next\n    else: handed over\n" + SCALE + VERIFY, "phse", "phase"),
    "a field below a template": Bad("unknown-field", "spec.template.spec has no field 'nodeSelecter'", "nodeSelector", HEAD + "steps:\n- do:\n    patch: operator\n    merge: {spec: {template: {spec: {nodeSelecter: {pool: system}}}}} #!\n" + VERIFY, "nodeSelecter", "nodeSelector"),
    "a field of a container": Bad("unknown-field", "containers[0] has no field 'imag'", "image", HEAD + "steps:\n- do:\n    patch: operator\n    merge: {spec: {template: {spec: {containers: [{name: operator, imag: a}]}}}} #!\n" + VERIFY, "imag:", "image:"),
    "a field of the specification": Bad("unknown-field", "spec has no field 'replica'", "replicas", HEAD + "steps:\n- do: {patch: operator, merge: {spec: {replica: 1}}} #!\n" + VERIFY, "replica: 1", "replicas: 1"),
    "a field of an application": Bad("unknown-field", "spec.executor has no field 'memoryOverhed'", "memoryOverhead", APP + "steps:\n- do: {patch: app, merge: {spec: {executor: {memoryOverhed: 1g}}}} #!\n" + APP_VERIFY, "memoryOverhed", "memoryOverhead"),
    # sizes
    "a quantity where a JVM size is due": Bad("no-jvm-size", "'4Gi' is no size of a JVM", "write 4g", APP + "steps:\n- do: {patch: app, merge: {spec: {executor: {memory: 4Gi}}}} #!\n" + APP_VERIFY, "4Gi", "4g"),
    "raw bytes": Bad("no-jvm-size", "'4294967296' is no size of a JVM", "write 4g", APP + "steps:\n- do: {patch: app, merge: {spec: {driver: {memory: '4294967296'}}}} #!\n" + APP_VERIFY, "'4294967296'", "4g"),
    "bytes that are worked out": Bad("no-jvm-size", "a number of bytes", "|jvm_size", APP + "values: {more: finding.data.heap * 2}\nsteps:\n- do: {patch: app, merge: {spec: {executor: {memory: '{{ values.more }}'}}}} #!\n" + APP_VERIFY, "values.more }}", "values.more|jvm_size }}"),
    "a size in sparkConf": Bad("no-jvm-size", "'3Gi' is no size of a JVM", "write 3g", APP + "steps:\n- do: {patch: app, merge: {spec: {sparkConf: {spark.executor.memory: 3Gi}}}} #!\n" + APP_VERIFY, "3Gi", "3g"),
    "an unknown operation of JSON Patch": Bad("unknown-operation", "no operation 'set'", "replace", HEAD + "steps:\n- do:\n    patch: operator\n    json: [{op: set, path: /spec/replicas, value: 1}] #!\n" + VERIFY, "op: set", "op: replace"),
    "an operation without a value": Bad("unknown-operation", "`add` needs a value", "add `value`", HEAD + "steps:\n- do:\n    patch: operator\n    json: [{op: add, path: /spec/replicas}] #!\n" + VERIFY, "/spec/replicas}", "/spec/replicas, value: 1}"),
    # habits
    "a reason that is none": Bad("no-reason", "'-' is no reason", "say why", ONLY_PODS + "steps:\n- each: pods\n  as: pod\n  steps:\n  - do: {delete: pod}\n    irreversible: '-' #!\n    verify: {that: seen.pod.state == 'absent'}\n", "'-'", "the pod is made again by its owner"),
    "a promise that is broken": Bad("promise-broken", "promises `changes: none`", "remove `changes: none`", HEAD + "changes: none\nsteps:\n- do: {patch: operator, merge: {spec: {replicas: 1}}} #!\n" + VERIFY, "changes: none\n", ""),
    "a yes that nobody gave": Bad("yes-by-default", "says yes for the person", "ask in a step", HEAD + "inputs:\n  go_ahead: {type: bool, default: true} #!\nsteps:\n" + SCALE + "  when: inputs.go_ahead\n" + VERIFY, "default: true", "default: false"),
    "a change as the first choice": Bad("change-first", "the first choice leads straight to the change", "changes nothing first", HEAD + "steps:\n- ask: What now?\n  choices:\n  - {start: Start it} #!\n  - {leave: Leave it, then: handed over}\n" + SCALE + VERIFY, "  - {start: Start it} #!\n  - {leave: Leave it, then: handed over}\n", "  - {leave: Leave it, then: handed over}\n  - {start: Start it}\n"),
    "the same change over and over": Bad("repeats-itself", "is done again, and no person is asked", "ask", HEAD + "steps:\n- id: again #!\n  do: {patch: operator, merge: {spec: {paused: false}}}\n  verify: {that: operator.spec.paused == false}\n- wait: until it is there\n  until: operator.status.availableReplicas >= 1\n  else: again\n  then: resolved\n", "else: again", "else: not fixed"),
    "an object that nobody uses": Bad("unused-object", "no step asks for 'claim'", "remove it", QUEUE.replace("namespace: spark}", "namespace: spark} #!") + "steps:\n" + SCALE + VERIFY, "  claim: {kind: PersistentVolumeClaim, name: data, namespace: spark} #!\n", ""),
    "a block that ignores its member": Bad("member-unused", "no step of the block uses 'pod'", "do: {delete: pod}", PODS + "steps:\n- each: pods #!\n  as: pod\n  steps:\n  - note: Look at it\n" + SCALE + VERIFY, "note: Look at it", "note: Look at {{ pod.metadata.name }}"),
    "a change that nothing proves": Bad("write-without-verify", "nothing verifies it", "`verify: {that: …", HEAD + "steps:\n- do: {patch: operator, merge: {spec: {replicas: 1}}} #!\n", "steps:\n", VERIFY + "steps:\n"),
    "a step that nobody comes to": Bad("unreachable-step", "no way leads to step 'read-this'", "`then` or `else` lead there", HEAD + "steps:\n- do: {patch: operator, merge: {spec: {replicas: 1}}}\n  then: verify\n  when: operator.spec.replicas == 0\n  unknown: handed over\n- check: Is it up?\n  that: operator.spec.replicas > 0\n  then: handed over\n  else: declined\n- note: Read this #!\n" + VERIFY, "else: declined", "else: next"),
    "a change that nobody comes to": Bad("unreachable-step", "no way leads to step 'patch-operator'", "`then` or `else` lead there", HEAD + "steps:\n- check: Is it up?\n  that: operator.spec.replicas > 0\n  then: handed over\n  else: declined\n- do: {patch: operator, merge: {spec: {replicas: 1}}} #!\n  verify:\n    that: operator.status.availableReplicas >= 1\n", "else: declined", "else: next"),
    "a way to nowhere": Bad("undefined-step", "there is no step 'undo2'", "undo", HEAD + "steps:\n- check: Was it changed?\n  changed: operator within 1h\n  then: undo2 #!\n- id: undo\n  do: {patch: operator, merge: {spec: {replicas: 1}}}\n" + VERIFY, "undo2", "undo"),
    "a filter that does not exist": Bad("template", "there is no filter 'lenght'", "length", HEAD + "steps:\n- check: Are there nodes?\n  that: nodes|lenght > 3 #!\n  then: handed over\n" + SCALE + VERIFY, "lenght", "length"),
    "a name that does not exist": Bad("unknown-name", "there is no 'oprator'", "operator", HEAD + "steps:\n" + SCALE + "  when: oprator.spec.replicas == 0 #!\n" + VERIFY, "oprator", "operator"),
    "a series that nobody exports": Bad("unknown-metric", "no known exporter has a series 'kube_pod_inf'", "kube_pod_info", HEAD + "steps:\n- check: How many?\n  query: count(kube_pod_inf) #!\n  that: query.value > 3\n  then: handed over\n" + SCALE + VERIFY, "kube_pod_inf)", "kube_pod_info)"),
    "a No that changes something": Bad("no-leads-to-write", "goes straight to the write", "`refused: handed over`", HEAD + "steps:\n- do: {patch: operator, merge: {spec: {paused: false}}}\n  refused: other #!\n- id: other\n  do: {patch: operator, merge: {spec: {replicas: 1}}}\n" + VERIFY, "refused: other", "refused: handed over"),
    # what stands beside it
    "a component that nobody has": Bad("unknown-component", "no component of a preset is called 'spark-operatr'", "'spark-operator'", head("about: component spark-operator", "about: component spark-operatr #!") + "steps:\n" + SCALE + VERIFY, "spark-operatr", "spark-operator"),
    "one of several components": Bad("unknown-component", "called 'conect-41'", "'connect-41'", head("about: component spark-operator", "about:\n- component spark-operator\n- component conect-41 #!") + "steps:\n" + SCALE + VERIFY, "conect-41", "connect-41"),
    "a runbook that does not exist": Bad("unknown-runbook", "there is no runbook 'image-pul'", "'image-pull'", HEAD + "steps:\n- run: image-pul #!\n" + SCALE + VERIFY, "image-pul #", "image-pull #"),
    "a way into a runbook that does not exist": Bad("unknown-runbook", "there is no runbook 'image-pul'", "'image-pull'", HEAD + "steps:\n- check: Can it be pulled?\n  finding: image-pull\n  then: run image-pul #!\n" + SCALE + VERIFY, "run image-pul #", "handed over #"),
    "a runbook that runs itself": Bad("runs-itself", "it runs itself", "lead to a step", HEAD + "steps:\n- run: operator-down #!\n" + SCALE + VERIFY, "- run: operator-down #!\n", ""),
    "a circle of runbooks": Bad("runs-itself", "it runs around which runs operator-down: a circle", "escalate", HEAD + "steps:\n- run: around #!\n" + SCALE + VERIFY, "around", "image-pull"),
    "a runbook with a finally, within another": Bad("not-within", "'canary' has a `finally`", "escalate", HEAD + "steps:\n- run: canary #!\n" + SCALE + VERIFY, "canary", "image-pull"),
    # the shape
    "a key that means nothing": Bad("schema", "unknown key 'thne'", "then", BARE + "steps:\n- note: Read this\n  thne: handed over #!\n", "thne", "then"),
    "two verbs in one step": Bad("schema", "a step has one verb", "write two steps", BARE + "steps:\n- note: Read this\n  wait: 5m #!\n", "  wait: 5m", "- wait: 5m"),
    "an end that does not exist": Bad("schema", "there is no end 'handd over'", "handed over", BARE + "steps:\n- note: Read this\n- end: handd over #!\n  text: Call them.\n", "handd", "handed"),
}  # fmt: skip


def problems(text: str) -> tuple[LintProblem, ...]:
    try:
        book = schema.load(text, "bad.yaml")
    except DocumentError as error:
        return (of_error(error),)
    return lint(book, scripts={}, catalogue=CATALOGUE, today="2026-11-25", runbooks=BESIDE)


AROUND = schema.load(
    HEAD.replace("id: operator-down", "id: around") + "steps:\n- run: operator-down\n- note: Read this\n", "around.yaml"
)
BESIDE = {**LIBRARY.runbooks, AROUND.id: AROUND}


CATALOGUE = replace(
    LIBRARY.catalogue,
    alerts=frozenset({"SparkOperatorDown", "DriverOOM"}),
    objectives=frozenset({"job-success"}),
    components=frozenset({"spark-operator", "connect-41", "hive-metastore"}),
)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_runbook_is_refused_where_it_is_wrong_and_its_hint_mends_it(name: str) -> None:
    bad = BAD[name]
    found = problems(bad.text)
    said = [f"{p.line} {p.code}: {p.message} [{p.key}] ({p.hint})" for p in found]
    assert [p.code for p in found] == [bad.code], said
    line = next(number for number, text in enumerate(bad.text.split("\n"), 1) if "#!" in text)
    assert (found[0].line, bad.words in found[0].message, bad.hint in found[0].hint) == (line, True, True), said
    for words in ("branches", "goto", "on_refused", "on_failed", "on_unknown", "`decide`"):
        assert words not in found[0].hint + found[0].message + found[0].key, said
    assert bad.text.count(bad.old) == 1
    mended = problems(bad.text.replace(bad.old, bad.new))
    assert mended == (), [f"{p.line} {p.code}: {p.message} ({p.hint})" for p in mended]


KINDS = {
    "DaemonSet": "apps/v1",
    "ConfigMap": "v1",
    "ScaledObject": "keda.sh/v1alpha1",
    "SparkConnect": "sparkoperator.k8s.io/v1alpha1",
    "SparkApplication": "spark.apache.org/v1",
    "CronJob": "batch/v1",
    "Job": "batch/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
    "Widget": "example.com/v1",
}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_and_annotations_of_any_kind_may_be_changed(kind: str) -> None:
    named = f"objects:\n  one: {{kind: {kind}, apiVersion: {KINDS[kind]}, name: x, namespace: spark}}\n"
    patch = "{metadata: {labels: {a: b}, annotations: {c: d}}}"
    steps = f"steps:\n- do: {{patch: one, merge: {patch}}}\nverify: {{that: one.metadata.labels.a == 'b'}}\n"
    assert problems(head("objects: {operator: workload}\n", named) + steps) == ()


def test_a_field_of_a_kind_that_nobody_knows_is_not_written() -> None:
    named = "objects:\n  one: {kind: Widget, apiVersion: example.com/v1, name: x, namespace: spark}\n"
    steps = "steps:\n- do: {patch: one, merge: {spec: {a: b}}}\nverify: {that: one.spec.a == 'b'}\n"
    assert [p.code for p in problems(head("objects: {operator: workload}\n", named) + steps)] == ["unknown-kind"]


@pytest.mark.parametrize(
    "that",
    [
        "operator.spec.replicas > 0 or nodes|length == 0",
        "operator.spec.somethingOfItsOwn == 1",
        "operator.status.conditions|where('type', '==', 'GpuHealthy')|length > 0",
        "nodes|length > 0",
        "not ('image-pull' in found)",
        "operator.spec.replicas == operator.status.replicas",
    ],
)
def test_what_can_be_either_or_is_not_known_is_let_alone(that: str) -> None:
    text = f'{HEAD}steps:\n- check: Is it so?\n  that: "{that}"\n  then: handed over\n{SCALE}{VERIFY}'
    assert problems(text) == ()


def test_an_alert_of_ones_own_is_let_alone() -> None:
    assert (
        problems(head("{findings: [operator-down]}", "{alerts: [OurOwnThingBroke]}") + "steps:\n" + SCALE + VERIFY)
        == ()
    )


def test_a_runbook_alone_has_the_scripts_beside_it(tmp_path: Path) -> None:
    shipped = LIBRARY.files["spark-oom"]
    for file in ("spark-oom.yaml", "scripts/lower-executor-cores.yaml", "scripts/lower-executor-cores.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text((shipped.parent / file).read_text())
    alone = Library.read([tmp_path / "spark-oom.yaml"], shipped=False)
    assert alone.lint(today="2026-11-25") == Library.read([tmp_path], shipped=False).lint(today="2026-11-25") == ()


@pytest.mark.parametrize("id", sorted(LIBRARY.files))
def test_what_passes_in_its_folder_passes_alone(id: str) -> None:
    """The runbooks and scripts that it needs lie beside it."""
    alone = Library.read([LIBRARY.files[id]], shipped=False)
    assert alone.lint(today="2026-12-02") == ()


def test_a_runbook_alone_runs_those_that_lie_beside_it(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        BARE.replace("id: operator-down", "id: one") + "steps:\n- run: two\n- note: Read this\n"
    )
    (tmp_path / "other.yaml").write_text(BARE.replace("id: operator-down", "id: two") + "steps:\n- note: Read that\n")
    assert [p.code for p in Library.read([tmp_path / "one.yaml"], shipped=False).lint()] == []
    (tmp_path / "other.yaml").unlink()
    assert [p.code for p in Library.read([tmp_path / "one.yaml"]).lint(only=["one"])] == ["unknown-runbook"]
