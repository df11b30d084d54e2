"""What a verb says for its own proof is an expression of the runbook language, true when it worked and false before."""

from __future__ import annotations

from typing import Any

import pytest

from console.actions import verb_of, verbs
from console.base.units import parse_duration
from console.runbook import template

ROLLED = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "readyReplicas": 3}


def workload(kind: str, **status: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": status}


def app(state: str, **spec: Any) -> dict[str, Any]:
    return {"kind": "SparkApplication", "spec": spec, "status": {"applicationState": {"state": state}}}


DAEMONS = {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}
CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("scale", {"to": 3}, workload("Deployment", **ROLLED), workload("Deployment", replicas=3)),
    ("scale", {"to": 0}, {"kind": "StatefulSet", "spec": {"replicas": 0}, "status": {}}, workload("StatefulSet")),
    ("scale", {"to": 2}, {"kind": "SparkConnect", "status": {"state": "Ready"}}, {"kind": "SparkConnect"}),
    ("restart", {}, workload("Deployment", **ROLLED), workload("Deployment", **{**ROLLED, "observedGeneration": 1})),
    ("restart", {}, workload("StatefulSet", **ROLLED), workload("StatefulSet", **{**ROLLED, "updatedReplicas": 2})),
    ("rollback", {}, workload("DaemonSet", **DAEMONS), workload("DaemonSet", **{**DAEMONS, "numberAvailable": 1})),
    ("pause", {}, {"kind": "Deployment", "spec": {"paused": True}}, {"kind": "Deployment", "spec": {}}),
    ("cordon", {}, {"kind": "Node", "spec": {"unschedulable": True}}, {"kind": "Node", "spec": {}}),
    ("uncordon", {}, {"kind": "Node", "spec": {}}, {"kind": "Node", "spec": {"unschedulable": True}}),
    ("label", {"labels": {"a/b": "x", "old": None}}, {"metadata": {"labels": {"a/b": "x"}}},
     {"metadata": {"labels": {"a/b": "x", "old": "y"}}}),
    ("suspend", {}, app("SUSPENDED"), app("SUSPENDING")),
    ("suspend", {}, {"kind": "CronJob", "spec": {"suspend": True}}, {"kind": "CronJob", "spec": {}}),
    ("suspend", {}, {"kind": "Job", "spec": {"suspend": True}, "status": {}},
     {"kind": "Job", "spec": {"suspend": True}, "status": {"active": 1}}),
    ("resume", {}, app("RUNNING"), app("RESUMING")),
    ("resume", {}, {"kind": "CronJob", "spec": {}}, {"kind": "CronJob", "spec": {"suspend": True}}),
    ("trigger", {}, app("RUNNING"), app("SUBMITTED")),
    ("trigger", {}, {"kind": "CronJob", "status": {"active": 1}}, {"kind": "CronJob"}),
    ("rerun", {}, app("COMPLETED"), app("PENDING_RERUN")),
    ("rerun", {}, {"status": {"currentState": {"currentStateSummary": "RunningHealthy"}}}, {"status": {}}),
    ("create", {}, {"kind": "Job", "status": {"succeeded": 1}}, {"kind": "Job", "status": {"active": 1}}),
    ("create", {}, {"kind": "Pod", "status": {"phase": "Running"}}, {"kind": "Pod", "status": {"phase": "Pending"}}),
    ("evict", {}, {"kind": "Pod", "gone": True}, {"kind": "Pod", "gone": False}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "keys", "worked", "before"), CASES)
def test_a_proof_holds_when_it_worked_and_not_before(
    name: str, keys: dict[str, Any], worked: dict[str, Any], before: dict[str, Any]
) -> None:
    proof = verb_of(name).proof(keys, worked.get("kind", ""))
    assert proof is not None
    assert template.evaluate(proof.until, {"object": worked}) is True
    assert template.evaluate(proof.until, {"object": before}) is False
    assert parse_duration(proof.deadline) > parse_duration(proof.hold) >= 0


def test_what_only_a_runbook_knows_is_left_to_it() -> None:
    silent = [name for name, verb in verbs().items() if verb.proof({"key": "a"}, "Node") is None]
    assert {"patch", "delete", "script", "restore", "taint", "untaint"} <= set(silent)
