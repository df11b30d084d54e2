"""Logs of the operators, of all versions and layouts, tell of the operators' own trouble."""

from __future__ import annotations

import pytest

from console.facts.lognames import role_of_text
from console.facts.model import Log, Origin
from console.findings.model import Finding
from tests.findings.worlds import cr, judge

KLOG = (
    "I1120 09:00:00.000001      10 main.go:147] Starting the Spark Operator\n"
    "I1120 09:00:01.000001      10 controller.go:160] Starting the workers of the SparkApplication controller\n"
)
ZAP = (
    "2026-11-20T09:00:00.000Z\tINFO\tsparkapplication/controller.go:164\tReconciling SparkApplication\t"
    '{"name": "etl", "namespace": "jobs", "state": "NEW"}\n'
)
JSON = (
    '{"level":"info","ts":"2026-11-20T09:00:00.000Z","logger":"controller","msg":"Starting workers",'
    '"controller":"spark-application-controller"}\n'
)
APACHE = "26/11/20 09:00:00 INFO o.a.s.k.o.SparkOperator: org.apache.spark.k8s.operator.SparkOperator starts\n"


def of_klog(text: str) -> str:
    return f"{KLOG}E1120 09:00:05.000001      10 reflector.go:138] {text}\n"


def of_zap(text: str) -> str:
    return (
        f'{ZAP}2026-11-20T09:00:05.000Z\tERROR\tcontroller/controller.go:316\tReconciler error\t{{"error": "{text}"}}\n'
    )


def of_json(text: str) -> str:
    quoted = text.replace('"', '\\"')
    return f'{JSON}{{"level":"error","ts":"2026-11-20T09:00:05.000Z","msg":"Reconciler error","error":"{quoted}"}}\n'


def of_apache(text: str) -> str:
    return f"{APACHE}26/11/20 09:00:05 ERROR o.a.s.k.o.reconciler.SparkAppReconciler: {text}\n"


LAYOUTS = (of_klog, of_zap, of_json, of_apache)
TROUBLES = {
    "operator-rights-missing": "failed to list *v1.Pod: pods is forbidden: User "
    '"system:serviceaccount:ops:op" cannot list '
    'resource "pods" in API group "" at the cluster scope',
    "operator-crd-missing": 'no matches for kind "SparkConnect" in version "sparkoperator.k8s.io/v1alpha1"',
    "operator-object-malformed": "json: cannot unmarshal number into Go struct field "
    "SparkPodSpec.items.spec.driver.memory "
    "of type string",
    "operator-webhook-broken": "tls: private key does not match public key",
    "operator-port-taken": "listen tcp :8080: bind: address already in use",
    "operator-submit-broken": "fork/exec /opt/spark/bin/spark-submit: no such file or directory",
    "operator-throttled": "client rate limiter Wait returned an error: context deadline exceeded",
    "operator-lost-track": "failed to update status of etl: etcdserver: leader changed",
    "operator-field-unknown": "strict decoding error: unknown field spec.driver.priorityClass",
    "operator-api-unreachable": "Get https://10.96.0.1:443/api: dial tcp 10.96.0.1:443: i/o timeout",
}


def found(text: str, *things: object) -> tuple[Finding, ...]:
    assert role_of_text(text) == "operator"
    return judge(Log("", text, Origin("log", "operator.log"), role="operator"), *things)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("code", TROUBLES)
def test_trouble_of_the_operator_is_told_in_every_layout(code: str, layout) -> None:  # type: ignore[no-untyped-def]
    said = found(layout(TROUBLES[code]))
    assert said[0].code == code, [(f.code, f.title) for f in said]
    assert said[0].evidence[0].locator == "operator.log:2" or said[0].evidence[0].locator == "operator.log:3"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            KLOG + "panic: runtime error: invalid memory address or nil pointer dereference\ngoroutine 1 [running]:\n",
            "operator-panic",
        ),
        (
            "Usage of /usr/bin/spark-operator:\nflag provided but not defined: -webhook-fail-on-error\n",
            "operator-flag-unknown",
        ),
        (ZAP + "Error: unknown flag: --controller-threads\n", "operator-flag-unknown"),
        (
            KLOG
            + "2026/11/20 09:00:09 http: TLS handshake error from 10.0.0.1:3: remote error: tls: bad certificate\n",
            "operator-webhook-broken",
        ),
    ],
)
def test_what_a_go_program_prints_itself_is_told(text: str, code: str) -> None:
    assert found(text)[0].code == code


def test_conflicts_of_two_writers_and_work_that_goes_well_are_nothing() -> None:
    text = of_zap(
        "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version"
    )
    assert found(text + ZAP * 3) == ()


def test_an_error_that_nobody_knows_is_quoted_and_not_sure() -> None:
    said = found(of_klog("odd thing happened to jobs/etl: moon is full"))
    assert (said[0].code, said[0].confidence) == ("operator-error", "low")
    assert "moon is full" in said[0].title


def test_a_pod_that_was_started_with_the_operators_image_is_not_the_operator() -> None:
    text = "+ exec /usr/bin/tini -s -- /usr/bin/spark-operator driver --class x\n" + KLOG
    assert role_of_text(text) != "operator"


def test_a_submission_that_fails_stands_behind_the_operators_own_trouble() -> None:
    said = found(
        of_zap(TROUBLES["operator-submit-broken"]), cr("SUBMISSION_FAILED", message="failed to run spark-submit: x")
    )
    assert said[0].code == "operator-submit-broken" and said[1].causes
