"""Webhook configurations of Spark operators against the Service and the certificate that they name (I17)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from console.apps.evidence import of_workload
from console.base.certificates import read_bundle
from console.base.clock import rfc3339
from console.base.shapes import mappings
from console.base.text import clean
from console.base.units import human_duration
from console.facts.evidence import Evidence
from console.facts.model import Workload
from console.findings.case import ClusterView
from console.findings.figures.operators import WebhookFigures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding

KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
SOON = 7 * 86_400.0
"""Seconds before its end from which on a certificate is said to end soon."""
_SERVICE_OF = "kubernetes.io/service-name"
_INJECTED = (
    "cert-manager.io/inject-ca-from",
    "cert-manager.io/inject-ca-from-secret",
    "service.beta.openshift.io/inject-cabundle",
)
_UNREAD = "the serving certificate itself: it lies in a Secret, which is not read"
_CALLED = re.compile(r'failed calling webhook "([\w.-]{1,253})"[^\n]{0,600}?(x509: [^\n"]{3,160})')


class Hook(Struct, frozen=True):
    """One webhook of a configuration, with the Service that it calls."""

    of: Workload
    name: str
    namespace: str
    service: str
    port: int
    bundle: str
    fails: bool

    @property
    def where(self) -> str:
        return f"{self.namespace}/{self.service}:{self.port}"


class Misfit(Struct, frozen=True):
    """What does not fit: a word, a sentence, and what shows it. `now`: it fails already."""

    what: str
    says: str
    proof: Evidence
    now: bool = True


def webhooks(world: ClusterView) -> Answer:
    """Webhooks of Spark operators whose Service, endpoints or certificate do not fit."""
    hooks = [hook for kind in KINDS for one in world.workloads.get(kind, []) for hook in _hooks(one)]
    out = [_finding(hook, fault) for hook in hooks if (fault := next(_misfits(world, hook), None)) is not None]
    return out or "webhooks of Spark operators fit their services and certificates, as far as those were read"


def _hooks(of: Workload) -> Iterator[Hook]:
    for row in mappings(of.spec.get("webhooks")):
        client = row.get("clientConfig")
        service = client.get("service") if isinstance(client, dict) else None
        if not isinstance(client, dict) or not isinstance(service, dict):
            continue
        name, space = str(service.get("name") or ""), str(service.get("namespace") or "")
        if "spark" not in f"{of.name} {row.get('name')} {name}":
            continue
        port = service.get("port", 443)
        yield Hook(
            of, str(row.get("name") or ""), space, name, port if isinstance(port, int) else 443,
            str(client.get("caBundle") or ""), row.get("failurePolicy") != "Ignore",
        )  # fmt: skip


def _misfits(world: ClusterView, hook: Hook) -> Iterator[Misfit]:
    yield from _of_service(world, hook)
    yield from _of_bundle(world, hook)
    yield from _refused(world, hook)


def _of_service(world: ClusterView, hook: Hook) -> Iterator[Misfit]:
    called = (hook.namespace, hook.service)
    service = next((s for s in world.workloads.get("Service", []) if (s.namespace, s.name) == called), None)
    names = world.facts.names.get(f"Service/{hook.namespace}")
    if service is None:
        if names is not None and hook.service not in names:
            yield Misfit(
                "service", f"its Service {hook.where} does not exist", of_workload(hook.of, f"calls {hook.where}")
            )
        return
    ports = [row.get("port") for row in mappings(service.spec.get("ports"))]
    if ports and hook.port not in ports:
        yield Misfit("port", f"its Service has no port {hook.port}", of_workload(service, f"ports {ports}"))
    slices = [s for s in world.workloads.get("EndpointSlice", []) if (s.namespace, s.labels.get(_SERVICE_OF)) == called]
    if slices and not any(_ready(end) for s in slices for end in mappings(s.spec.get("endpoints"))):
        yield Misfit(
            "endpoints", f"no pod is ready behind its Service {hook.where}", of_workload(slices[0], "no ready endpoint")
        )


def _ready(end: dict[str, Any]) -> bool:
    said = end.get("conditions")
    return bool(end.get("addresses")) and not (isinstance(said, dict) and said.get("ready") is False)


def _of_bundle(world: ClusterView, hook: Hook) -> Iterator[Misfit]:
    """What of its caBundle can't be trusted, or not for long."""
    if not hook.bundle:
        if not any(key in hook.of.annotations for key in _INJECTED):
            yield Misfit(
                "ca", "it names no CA (caBundle)", of_workload(hook.of, f"webhook {hook.name} without caBundle")
            )
        return
    try:
        held = read_bundle(hook.bundle)
    except ValueError as error:
        yield Misfit(
            "ca", f"its caBundle cannot be used: {error}", of_workload(hook.of, f"webhook {hook.name}: {error}")
        )
        return
    last = max(held, key=lambda one: one.ends)
    words = f"CA {clean(last.subject) or 'without a name'}, until {rfc3339(last.ends)}"
    if world.now >= last.ends:
        yield Misfit(
            "expired", f"its CA ended {human_duration(world.now - last.ends)} ago", of_workload(hook.of, words)
        )
    elif all(world.now < one.begins for one in held):
        yield Misfit("expired", "its CA does not hold yet", of_workload(hook.of, words))
    elif last.ends - world.now < SOON:
        yield Misfit(
            "ends soon", f"its CA ends in {human_duration(last.ends - world.now)}", of_workload(hook.of, words), False
        )


def _refused(world: ClusterView, hook: Hook) -> Iterator[Misfit]:
    """What the API server said of its certificate as it called it, in events and in messages of applications."""
    told = [
        (e.message, Evidence("kubernetes", f"{e.about} event {e.reason}", e.message, e.last))
        for e in world.facts.events
    ]
    for cr in world.facts.spark:
        state = cr.status.get("applicationState")
        message = str(state.get("errorMessage") or "") if isinstance(state, dict) else ""
        told += [(message, of_workload(cr, message))] if message else []
    for message, proof in told:
        if (found := _CALLED.search(message)) is not None and found[1] == hook.name:
            yield Misfit("certificate", f"its certificate does not fit its caBundle: {found[2]}", proof)
            return


def _finding(hook: Hook, fault: Misfit) -> Finding:
    effect = (
        "while it fails the API server refuses what it is asked about"
        if hook.fails
        else "while it fails pods are made without what it adds (failurePolicy Ignore)"
    )
    return finding(
        None,
        "webhook-misfit",
        "I17",
        ("critical" if hook.fails else "warning") if fault.now else "warning",
        "high",
        f"webhook {hook.name} of {hook.of.name}: {fault.says}",
        subject=f"{hook.of.kind}//{hook.of.name}",
        detail=effect if fault.now else "a restart of the operator, or cert-manager, makes a new one",
        evidence=[fault.proof],
        questions=[_UNREAD] if fault.what == "certificate" else [],
        data=WebhookFigures(
            webhook=hook.name, service=f"{hook.namespace}/{hook.service}", what=fault.what, fails=hook.fails
        ),
    )  # fmt: skip


RULES = [WorldRule("webhook-misfit", "I17", webhooks)]
