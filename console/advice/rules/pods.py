"""Spark pods with more rights on their node than Spark needs, by the Pod Security Standards."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from console.advice.rule import AdviceAnswer, AppRule
from console.advice.view import View
from console.apps.evidence import of_pod
from console.base.shapes import mapping
from console.base.text import plural
from console.facts.model import Pod

STANDARDS = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
_HARMLESS = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
"""Capabilities that the baseline level lets a container add."""


def host(view: View) -> AdviceAnswer:
    """What the baseline level forbids: privileged containers, the host's namespaces, its paths, capabilities."""
    found: dict[str, list[Pod]] = defaultdict(list)
    for pod in _living(view):
        for what in _baseline(pod):
            found[what].append(pod)
    for what, pods in sorted(found.items()):
        roles = " and ".join(sorted({_role(p) for p in pods}))
        yield view.advise(
            "host-access",
            "security",
            "high",
            f"{roles}: {what} ({plural(len(pods), 'pod')})",
            because="code in the job can leave its container and take over the node; the baseline level forbids it",
            do="remove it from the pod template or the volumes of the application",
            holds_for="every Kubernetes version",
            source=f"{STANDARDS}#baseline",
            about=what,
            evidence=tuple(of_pod(p, what) for p in pods[:2]),
        )


def root(view: View) -> AdviceAnswer:
    """Containers that are told to run as root."""
    pods = [(pod, name) for pod in _living(view) for name, context in _contexts(pod) if context.get("runAsUser") == 0]
    if pods:
        yield view.advise(
            "runs-as-root",
            "security",
            "medium",
            f"{plural(len({p.name for p, _ in pods}), 'pod')} run as root",
            because="a way out of the container leads to root on the node; Spark's image runs as uid 185",
            do="remove runAsUser: 0 and set runAsNonRoot: true",
            holds_for="every Kubernetes version",
            source=f"{STANDARDS}#restricted",
            evidence=tuple(of_pod(p, f"container {name or 'of the pod'}: runAsUser 0") for p, name in pods[:2]),
        )


def restricted(view: View) -> AdviceAnswer:
    """What keeps the pods from the restricted level."""
    lacks: dict[str, Pod] = {}
    pods = _living(view)
    for pod in pods:
        for what in _restricted(pod):
            lacks.setdefault(what, pod)
    if lacks:
        yield view.advise(
            "not-restricted",
            "security",
            "low",
            f"its pods do not meet the restricted level: {', '.join(sorted(lacks))}",
            because="they run nevertheless, and have more rights than Spark uses",
            do="set these fields in driver.securityContext and executor.securityContext, or in a pod template",
            holds_for="Kubernetes 1.25 and later",
            source=f"{STANDARDS}#restricted",
            evidence=tuple(of_pod(p, f"lacks {what}") for what, p in sorted(lacks.items())[:3]),
        )


def _living(view: View) -> list[Pod]:
    return [p for p in view.case.pods if not p.gone and p.phase in ("Pending", "Running")]


def _role(pod: Pod) -> str:
    return pod.labels.get("spark-role", "pod")


def _contexts(pod: Pod) -> list[tuple[str, dict[str, Any]]]:
    """(container name, its security context with that of the pod below it) for every container."""
    whole = mapping(pod.security.get("pod"))
    own = mapping(pod.security.get("containers"))
    names = [c.name for c in pod.containers] or list(own)
    return [(name, {**whole, **mapping(own.get(name))}) for name in names]


def _baseline(pod: Pod) -> list[str]:
    out = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.security.get(key) is True]
    for volume in pod.volumes:
        if isinstance(volume.get("hostPath"), dict):
            out.append(f"hostPath {volume['hostPath'].get('path', '?')}")
    for _, context in _contexts(pod):
        if context.get("privileged") is True:
            out.append("privileged container")
        added = mapping(context.get("capabilities")).get("add")
        extra = sorted({str(c) for c in added} - _HARMLESS) if isinstance(added, list) else []
        if extra:
            out.append(f"added capabilities {', '.join(extra)}")
    return list(dict.fromkeys(out))


def _restricted(pod: Pod) -> list[str]:
    out = []
    for _, context in _contexts(pod):
        if context.get("allowPrivilegeEscalation") is not False:
            out.append("allowPrivilegeEscalation: false")
        if context.get("runAsNonRoot") is not True:
            out.append("runAsNonRoot: true")
        if mapping(context.get("seccompProfile")).get("type") not in ("RuntimeDefault", "Localhost"):
            out.append("seccompProfile")
        if "ALL" not in (mapping(context.get("capabilities")).get("drop") or ()):
            out.append("capabilities.drop: ALL")
    return list(dict.fromkeys(out))


RULES = [
    AppRule("host-access", "security", host),
    AppRule("runs-as-root", "security", root),
    AppRule("not-restricted", "security", restricted),
]
