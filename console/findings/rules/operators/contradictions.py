"""Where an application's spec, its status and its pods say different things: what did not reach the pods, what the
operator did not see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.apps import deaths
from console.apps.evidence import of_pod, of_workload
from console.base.text import listed
from console.base.units import human_duration
from console.facts.model import Pod, Workload
from console.findings.case import Case
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, finding, severity_of

SLACK = 120.0
"""Seconds that an operator may need to see how a driver ended."""


def not_injected(case: Case) -> Answer:
    """Volumes and tolerations that the application asks for and its driver does not have: the webhook adds them."""
    cr, driver = _kubeflow(case), case.driver
    if cr is None or driver is None or not driver.uid:
        return "no SparkApplication with its driver pod is at hand"
    missing = [*_volumes(cr, driver), *_tolerations(cr, driver)]
    if not missing:
        return "what the application asks for is on its driver"
    return [
        finding(
            case,
            "webhook-not-injecting",
            "I17",
            severity_of(case),
            "medium",
            f"settings of the application did not reach its driver: {listed(missing, 6)}",
            subject=driver.key,
            detail="the operator's webhook adds them as the pod is made; for the platform: is the webhook on, does its "
            "selector cover this namespace, does its certificate fit",
            evidence=[of_workload(cr, f"spec asks for {listed(missing, 6)}"), of_pod(driver)],
            ruled_out=[("user code", "the pod itself lacks what its spec names")],
            questions=[
                "the MutatingWebhookConfiguration (failurePolicy, namespaceSelector), spark.jobNamespaces, and the API "
                "server's log: `Failed calling webhook, failing open`"
            ],
        )
    ]


def _kubeflow(case: Case) -> Workload | None:
    cr = case.group.cr if case.group is not None else None
    return cr if cr is not None and cr.kind == "SparkApplication" and case.app.launcher == "kubeflow" else None


def _volumes(cr: Workload, driver: Pod) -> list[str]:
    mine = cr.spec.get("driver")
    mounts = mine.get("volumeMounts") if isinstance(mine, dict) else None
    declared = {str(v.get("name")) for v in _dicts(cr.spec.get("volumes"))}
    wanted = {str(m.get("name")) for m in _dicts(mounts)} & declared
    have = {str(v.get("name")) for v in driver.volumes}
    return [f"volume {name}" for name in sorted(wanted - have) if not name.startswith("spark-local-dir-")]


def _tolerations(cr: Workload, driver: Pod) -> list[str]:
    mine = cr.spec.get("driver")
    wanted = {
        str(t.get("key")) for t in _dicts(mine.get("tolerations") if isinstance(mine, dict) else None) if t.get("key")
    }
    have = {str(t.get("key")) for t in driver.tolerations}
    return [f"toleration of {key}" for key in sorted(wanted - have)]


def _dicts(value: Any) -> Iterable[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list | tuple) else []


def contradicted(case: Case) -> Answer:
    """The operator's status says something else of the driver than its pod."""
    cr, driver = _kubeflow(case), case.driver
    if cr is None or driver is None or driver.main is None or driver.main.terminated is None:
        return "no driver pod that ended is at hand"
    state, end = case.app.state.upper(), driver.main.terminated
    if state == "FAILED" and end.exit_code == 0 and driver.phase == "Succeeded":
        return [_contradiction(case, cr, driver, "the operator calls it failed, its driver ended well")]
    if state == "RUNNING" and end.finished is not None and case.world.now - end.finished > SLACK:
        since = human_duration(case.world.now - end.finished)
        return [_contradiction(case, cr, driver, f"the operator says RUNNING, its driver ended {since} ago")]
    return "status and driver pod agree"


def _contradiction(case: Case, cr: Workload, driver: Pod, words: str) -> Finding:
    death = deaths.death(driver, events=case.events_of(driver.key))
    return finding(
        case,
        "status-contradicts-pod",
        "I18",
        "warning",
        "medium",
        words,
        evidence=[of_workload(cr, f"state {case.app.state}: {case.app.message}"), of_pod(driver)],
        detail=death.words if death is not None and death.kind != "normal" else "",
        questions=[
            "another container of the pod that still runs (a sidecar), the status of a former attempt, or an operator "
            "that lost its watch: its log, the pod's containers"
        ],
    )


RULES = [
    Rule("webhook-not-injecting", "I17", not_injected, after=("operator-webhook-broken", "operator-down")),
    Rule(
        "status-contradicts-pod",
        "I18",
        contradicted,
        after=("operator-down", "operator-lost-track", "driver-pod-held-open"),
    ),
]
