# ruff: noqa: E501  (messages are as wide as what prints them)
"""A webhook's configuration against the Service and the certificate that it names."""

from __future__ import annotations

import base64
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from console.apps.assemble import assemble
from console.base.certificates import read_bundle
from console.facts.model import Workload
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from console.sources.cluster import decode
from tests.findings.worlds import HERE, cr, facts, workload

HOOK = "mutate--v1-pod.sparkoperator.k8s.io"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A CA that holds for thirty days from now on, as a `caBundle`."""
    made: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-out", str(made)]
    subprocess.run([*command, "-subj", "/O=x/CN=spark-operator-ca", "-days", "30"], check=True, capture_output=True)
    return base64.b64encode(made.read_bytes()).decode()


def hooks(bundle: str, policy: str = "Fail", name: str = "spark-operator-webhook", **meta: Any) -> Workload:
    service = {"namespace": "jobs", "name": "webhook-svc", "port": 9443}
    one = {"name": HOOK, "failurePolicy": policy, "clientConfig": {"service": service, "caBundle": bundle}}
    if "spark" not in name:
        one["name"] = "x.other.io"
    tree = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}
    return decode.workload({**tree, "metadata": {"name": name, **meta}, "webhooks": [one]}, HERE)


def answering(*, ready: bool = True, port: int = 9443) -> list[Workload]:
    ends = [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]
    return [
        workload("Service", "webhook-svc", spec={"ports": [{"port": port}]}),
        workload("EndpointSlice", "s1", spec={"endpoints": ends}, labels={"kubernetes.io/service-name": "webhook-svc"}),
    ]


def told(*things: Any, days: float = 0, names: dict[str, frozenset[str]] | None = None) -> list[Finding]:
    world = replace(facts(*things), at=time.time() + days * 86_400, names=names or {})
    return [f for f in diagnose(world, assemble(world)) if f.code == "webhook-misfit"]


def test_a_webhook_that_fits_is_not_spoken_of(bundle: str) -> None:
    assert told(hooks(bundle), *answering()) == [] and told(hooks(bundle)) == [], "what was not read is not missing"
    assert told(hooks("", name="other-webhook"), *answering()) == [], "webhooks of others are theirs"


def test_its_end_is_told_before_and_after_it_came(bundle: str) -> None:
    (soon,) = told(hooks(bundle), *answering(), days=28)
    assert "its CA ends in 1d" in soon.title and soon.severity == "warning" and soon.data.what == "ends soon"
    (over,) = told(hooks(bundle), *answering(), days=40)
    assert "its CA ended 10d ago" in over.title and (over.severity, over.class_) == ("critical", "I17")
    assert "spark-operator-ca" in over.evidence[0].excerpt


@pytest.mark.parametrize(
    ("things", "names", "what"),
    [
        ([], {"Service/jobs": frozenset({"another"})}, "service"),
        (answering(ready=False), {}, "endpoints"),
        (answering(port=443), {}, "port"),
    ],
    ids=["no service", "nobody ready", "no such port"],
)
def test_a_service_that_does_not_answer_is_told(bundle: str, things: Any, names: Any, what: str) -> None:
    (found,) = told(hooks(bundle), *things, names=names)
    assert found.data.what == what and found.subject == "MutatingWebhookConfiguration//spark-operator-webhook"


def test_what_failing_means_follows_from_its_policy() -> None:
    (strict,), (lax,) = told(hooks("")), told(hooks("", policy="Ignore"))
    assert (strict.severity, lax.severity) == ("critical", "warning") and "pods are made without" in lax.detail
    assert told(hooks("", annotations={"cert-manager.io/inject-ca-from": "a/b"})) == [], "it is put there by others"


def test_a_certificate_that_the_api_server_refused_is_told_of_that_webhook(bundle: str) -> None:
    words = f'admission failed: failed calling webhook "{HOOK}": Post "https://x": x509: certificate signed by unknown authority'
    (found,) = told(hooks(bundle), *answering(), cr("FAILED", message=words))
    assert found.data.what == "certificate" and "unknown authority" in found.title and found.open_questions
    assert told(hooks(bundle), *answering(), cr("FAILED", message=words.replace(HOOK, "other.io"))) == []


def test_a_damaged_bundle_is_said_to_be_damaged_and_never_more(bundle: str) -> None:
    assert "cannot be used" in told(hooks("bm90aGluZw=="))[0].title
    pem, rng = base64.b64decode(bundle), random.Random(7)
    (whole,) = read_bundle(bundle)
    assert (
        whole.subject == whole.issuer == "spark-operator-ca" and 29 * 86_400 < whole.ends - whole.begins < 31 * 86_400
    )
    for _ in range(300):
        broken = bytearray(pem)
        broken[rng.randrange(30, len(pem) - 30)] = rng.randrange(256)
        try:
            assert read_bundle(base64.b64encode(broken).decode()) is not None
        except ValueError:
            continue
