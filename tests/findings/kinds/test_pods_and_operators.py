"""What Kubernetes, a mesh or the operator's own pod do to a job is told of them, and what looks like it is not."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from console.facts.model import Log, Origin, Pod
from console.findings.model import Finding
from tests.findings.kinds.forms import BEGAN, FRAME, plain
from tests.findings.worlds import cr, driver, ended, event, executor, judge, line, log, pod

PKIX = "javax.net.ssl.SSLHandshakeException: PKIX path building failed: unable to find valid certification path"
CALL = (
    f"org.apache.spark.SparkException: External scheduler cannot be instantiated\n{FRAME}"
    "Caused by: io.fabric8.kubernetes.client.KubernetesClientException: Operation: [get] for kind: [Pod] failed.\n"
    f"{FRAME}"
    f"Caused by: {PKIX}"
)
SANDBOX = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "
    '"0a": plugin type="whereabouts" failed (add): no free addresses in range 10.0.0.0/24'
)
AGENT = (
    'Exception in thread "main" java.lang.reflect.InvocationTargetException\n'
    "\tat java.instrument/sun.instrument.InstrumentationImpl.loadClassAndStartAgent(Unknown Source)\n"
    "Caused by: java.io.FileNotFoundException: /etc/agent/rules.yaml (No such file or directory)\n"
    "\tat io.acme.agent.Main.premain(Main.java:1)\n"
    "FATAL ERROR in native method: processing of -javaagent failed, processJavaStart failed\n"
)
WATCHER = (
    "[2026-11-24T10:00:09.772+0000] {taskinstance.py:2910} ERROR - Task failed with exception\n"
    "Traceback (most recent call last):\n"
    '  File "/usr/lib/python3.11/site-packages/airflow/providers/cncf/utils/pod_manager.py", line 6, in read\n'
    "    return self._client.read_namespaced_pod(name, namespace)\n"
    "kubernetes.client.exceptions.ApiException: (404)\nReason: Not Found\n"
    'HTTP response body: {"kind":"Status","message":"pods \\"etl-driver\\" not found","code":404}\n'
)
ZAP = '2026-11-20T09:00:00.000Z\tINFO\tsparkapplication/controller.go:164\tReconciling\t{"name": "etl"}\n'


def codes(said: tuple[Finding, ...]) -> list[str]:
    return [f.code for f in said]


def of_operator(text: str) -> tuple[Finding, ...]:
    return judge(Log("", ZAP + text, Origin("log", "operator.log"), role="operator"))


def operator(memory: str) -> Pod:
    return pod("spark-operator-0", "", labels={"app.kubernetes.io/name": "spark-operator"}, limits={"memory": memory})


def without_token(**rest: Any) -> Pod:
    """A failed driver that gets no token of its service account."""
    return replace(driver(ended(1), "Failed", **rest), security={"automountServiceAccountToken": False})


def test_a_pod_without_a_token_is_no_matter_of_the_trust_store() -> None:
    said = judge(without_token(), log(BEGAN + plain(CALL), name="d.log"))
    assert (said[0].code, said[0].confidence) == ("api-token-not-mounted", "high")
    assert "automountServiceAccountToken: false" in {e.excerpt for e in said[0].evidence}


def test_a_pod_that_mounts_a_token_itself_may_have_another_ca() -> None:
    token = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    said = judge(without_token(volumes=[token]), log(BEGAN + plain(CALL)))
    assert (said[0].code, said[0].confidence) == ("api-certificate-refused", "medium")


def test_a_certificate_of_a_store_is_not_that_of_the_api_server() -> None:
    said = judge(without_token(), log(BEGAN + plain(f"a.b.C: {PKIX}")))
    assert not {"api-token-not-mounted", "api-certificate-refused"} & set(codes(said))


def test_a_pod_that_got_no_address_waits_for_one() -> None:
    late = event("Pod/jobs/etl-exec-1", "FailedCreatePodSandBox", SANDBOX, count=9)
    said = judge(driver(), executor(1, {}, "Pending"), late)
    assert "pod-network-failed" in codes(said)
    assert "no free addresses in range" in next(f for f in said if f.code == "pod-network-failed").title


def test_a_pod_that_was_refused_a_network_once_and_runs_is_well() -> None:
    once = event("Pod/jobs/etl-exec-1", "FailedCreatePodSandBox", SANDBOX)
    assert "pod-network-failed" not in codes(judge(driver(), executor(1), once))


def test_an_agent_that_stops_the_jvm_is_no_error_of_the_jobs_code() -> None:
    said = judge(driver(ended(1), "Failed"), log(AGENT))
    assert (said[0].code, said[0].severity) == ("java-agent-failed", "critical")
    assert any("/etc/agent/rules.yaml" in e.excerpt for e in said[0].evidence)
    assert "user-error" not in codes(said)


def test_a_watcher_that_saw_no_driver_says_nothing_of_a_job_that_runs() -> None:
    said = judge(driver(), log(WATCHER, "other"))
    assert [(f.code, f.severity) for f in said] == [("watcher-saw-no-driver", "warning")]


def test_a_watcher_explains_no_driver_that_failed() -> None:
    own = line("SparkContext: Error initializing SparkContext.", "ERROR", 60) + f"com.acme.Odd: the moon\n{FRAME}"
    said = judge(driver(ended(1), "Failed"), log(BEGAN + own, name="d.log"), log(WATCHER, "other", name="airflow.log"))
    assert said[0].code != "watcher-saw-no-driver"
    assert "unknown-failure" in codes(said) or "user-error" in codes(said)


def test_exit_code_53_is_no_eviction_and_for_want_of_rights_no_full_disk() -> None:
    text = line("DiskBlockManager: Failed to create any local dir.", "ERROR", 30)
    began = line("CoarseGrainedExecutorBackend: Started daemon with process name: 15@etl-exec-1", "INFO", 1)
    said = judge(
        driver(), executor(1, ended(53, when=40), "Failed"), log(began + text, "executor", "Pod/jobs/etl-exec-1")
    )
    assert "local-dir-unwritable" in codes(said)
    assert not {"executor-evicted", "local-disk-full"} & set(codes(said))


def test_exit_code_53_alone_may_be_space_or_rights() -> None:
    said = judge(driver(), executor(1, ended(53, when=40), "Failed"))
    found = next(f for f in said if f.code == "local-disk-full")
    assert found.confidence == "medium" and "or it is not writable" in found.title


def test_a_constraint_of_openshift_is_told_with_the_field_that_it_refuses() -> None:
    message = (
        "failed to run spark-submit: io.fabric8.kubernetes.client.KubernetesClientException: Message: pods etl is "
        "forbidden: unable to validate against any security context constraint: ["
        "provider anyuid: Forbidden: not usable, "
        "spec.containers[0].securityContext.runAsUser: Invalid value: 185: must be in the ranges: [1000, 1999]]."
    )
    said = judge(cr("SUBMISSION_FAILED", message=message))
    assert said[0].code == "security-context-refused" and "runAsUser: Invalid value: 185" in said[0].title
    assert "object-rejected" not in codes(said)


def test_an_operator_older_than_the_api_is_not_one_without_its_crds() -> None:
    kinds = "post mutatingwebhookconfigurations.admissionregistration.k8s.io"
    gone = f"the server could not find the requested resource ({kinds})"
    assert codes(of_operator(f"F1120 09:00:09.000001      11 main.go:209] {gone}\n")) == ["operator-api-removed"]
    kind = 'no matches for kind "CustomResourceDefinition" in version "apiextensions.k8s.io/v1beta1"'
    assert codes(of_operator(f"F1120 09:00:09.000001      11 main.go:209] {kind}\n")) == ["operator-api-removed"]
    own = 'no matches for kind "SparkConnect" in version "sparkoperator.k8s.io/v1alpha1"'
    assert codes(of_operator(f"F1120 09:00:09.000001      11 main.go:209] {own}\n")) == ["operator-crd-missing"]


def test_a_webhook_behind_a_mesh_is_not_one_with_a_bad_certificate() -> None:
    said = of_operator("2026/11/20 09:00:09 http: TLS handshake error from 127.0.0.6:4411: EOF\n")
    assert codes(said) == ["operator-webhook-cut"] and "sidecar of a mesh" in said[0].detail
    refused = of_operator(
        "2026/11/20 09:00:09 http: TLS handshake error from 127.0.0.6:1: remote error: tls: bad certificate\n"
    )
    assert codes(refused) == ["operator-webhook-broken"]


def test_a_check_of_the_webhooks_port_is_no_fault() -> None:
    said = of_operator("2026/11/20 09:00:09 http: TLS handshake error from 10.0.0.7:4411: EOF\n")
    assert [(f.code, f.severity) for f in said] == [("operator-webhook-probed", "info")]


def test_a_call_of_a_webhook_that_ends_in_eof_says_so() -> None:
    message = (
        'failed to run spark-submit: failed calling webhook "m.acme": Post "https://w.ops.svc:443/x?timeout=10s": EOF'
    )
    assert "ends without an answer" in judge(cr("SUBMISSION_FAILED", message=message))[0].title


def test_a_killed_submission_names_the_memory_of_the_operators_pod() -> None:
    message = "failed to run spark-submit for SparkApplication jobs/etl: signal: killed"
    said = judge(cr("SUBMISSION_FAILED", message=message), operator("96Mi"))
    assert said[0].code == "operator-submit-killed" and "96Mi" in said[0].title
    assert said[1].code == "submission-failed" and said[1].causes == (said[0].key,)


def test_a_killed_submission_without_the_operators_pod_says_what_is_not_known() -> None:
    said = judge(cr("SUBMISSION_FAILED", message="failed to run spark-submit for jobs/etl: signal: killed"))
    assert said[0].code == "operator-submit-killed" and "was not read" in said[0].title
    other = judge(cr("SUBMISSION_FAILED", message="failed to run spark-submit for jobs/etl: exit status 1"))
    assert "operator-submit-killed" not in codes(other)


def test_a_master_that_reads_a_variable_of_a_service_as_its_port_is_told() -> None:
    began = line("Master: Started daemon with process name: 9@m-0", "INFO", 1)
    thrown = line("SparkUncaughtExceptionHandler: Uncaught exception in thread Thread[main,5,main]", "ERROR", 2)
    text = f'{began}{thrown}java.lang.NumberFormatException: For input string: "tcp://10.0.0.7:7077"\n{FRAME}'
    said = judge(log(text, "master"))
    assert said[0].code == "service-variable-clash" and "tcp://10.0.0.7:7077" in said[0].title
    later = text + line("Master: I have been elected leader! New state: ALIVE", "INFO", 9) * 40
    assert "service-variable-clash" not in codes(judge(log(later, "master")))
