"""Calls to the API server that fail at its certificate: the pod has no token and no CA, or the CA does not fit."""

from __future__ import annotations

from console.apps.evidence import of_pod
from console.facts.model import Pod
from console.findings.case import Case
from console.findings.ends import End, ends_of
from console.findings.figures.kinds import KindFigures
from console.findings.rule import Answer, Rule, finding, severity_of

_CLIENT = ("io.fabric8.kubernetes.client", "KubernetesClientException")
_REFUSED = ("PKIX path building failed", "unable to find valid certification path", "SSLHandshakeException")
UNMOUNTED, REFUSED = "api-token-not-mounted", "api-certificate-refused"


def api_certificate(case: Case) -> Answer:
    """The Kubernetes client of the driver does not trust the API server."""
    end = next((e for e in ends_of(case) if e.role in ("driver", "submit", "other") and _of_the_api(e)), None)
    if end is None:
        return "no call to the API server failed at its certificate"
    pod = case.driver
    if pod is None or not _without_token(pod):
        step = (
            "the pod's service account token (its CA lies beside it), then the proxy or CA in front of the API server"
        )
        return [
            finding(
                case,
                REFUSED,
                None,
                severity_of(case, fatal=end.sure),
                "medium",
                "the certificate of the API server is not trusted by the driver",
                detail=f"the CA comes with the token of the service account; for the platform: {step}",
                evidence=[end.proof],
                ruled_out=[("a store's certificate", "the call was one to the API server")],
                questions=["whether the pod mounts /var/run/secrets/kubernetes.io/serviceaccount with a ca.crt"],
                data=KindFigures(owner="platform", step=step, line=end.what.line),
            )
        ]
    step = "automountServiceAccountToken: true in the pod or its service account, or a projected token"
    return [
        finding(
            case,
            UNMOUNTED,
            None,
            severity_of(case, fatal=end.sure),
            "high" if end.sure else "medium",
            "the driver has no token of its service account: it knows neither a CA nor itself to the API server",
            detail=f"automountServiceAccountToken is false; for the owner of the job: {step}; the trust store of the "
            "image is not at fault",
            evidence=[end.proof, of_pod(pod, "automountServiceAccountToken: false")],
            ruled_out=[("tls-refused", "the CA of the API server comes with the token, which is not mounted")],
            data=KindFigures(owner="owner of the job", step=step, line=end.what.line),
        )
    ]


def _of_the_api(end: End) -> bool:
    chain = "\n".join(end.what.links)
    return any(word in chain for word in _CLIENT) and any(word in chain for word in _REFUSED)


def _without_token(pod: Pod) -> bool:
    """Whether the pod says that it gets no token, and mounts none itself."""
    projected = any("projected" in volume for volume in pod.volumes)
    return pod.security.get("automountServiceAccountToken") is False and not projected


RULES = [Rule(UNMOUNTED, None, api_certificate)]
