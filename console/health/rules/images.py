"""Images that cannot be pulled (I13)."""

from __future__ import annotations

import re

from console.health import deaths
from console.health.case import Case
from console.health.evidence import of_event, of_pod
from console.health.facts import Event, Pod
from console.health.model import Evidence
from console.health.rule import Answer, Rule, finding

WAITING = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)
_IMAGE = re.compile(r'image "([^"]+)"')
_CAUSES = (
    (
        (
            "unauthorized",
            "403 forbidden",
            "401",
            "authorization failed",
            "no basic auth",
            "pull access denied",
            "denied:",
        ),
        "denied",
        "the registry refuses: pull secret or rights",
    ),
    (("toomanyrequests", "429", "rate limit"), "rate-limit", "the registry limits the rate of pulls"),
    (
        ("no such host", "dial tcp: lookup", "temporary failure in name resolution"),
        "dns",
        "the registry's name does not resolve",
    ),
    (
        (
            "i/o timeout",
            "connection refused",
            "deadline exceeded",
            "tls handshake",
            "connection reset",
            "no route to host",
            "x509",
        ),
        "network",
        "the registry cannot be reached",
    ),
    (("no match for platform", "exec format"), "platform", "the image does not exist for the node's architecture"),
    (
        ("manifest unknown", "not found", "manifest for", "does not exist"),
        "not-found",
        "the tag or the image does not exist",
    ),
    (("pull policy of never",), "never", "the image is not on the node and its pull policy is Never"),
    (("invalid reference format", "couldn't parse image"), "name", "the image's name is wrong"),
    (("no space left", "disk pressure"), "disk", "the node has no room for the image"),
)


def image_pull(case: Case) -> Answer:
    """Driver or executors wait for an image."""
    stuck: list[tuple[Pod, str, str]] = []
    for pod in case.pods:
        if deaths.over(pod) and not pod.gone:
            continue
        for container in pod.containers:
            if container.state == "waiting" and container.waiting_reason in WAITING:
                stuck.append((pod, container.image, container.waiting_message))
    events = [e for e in case.events if _is_pull(e)]
    failing = {e.name for e in events if e.type == "Warning"}
    if not stuck:
        pending = [p for p in case.pods if p.name in failing and (p.phase == "Pending" or not p.containers)]
        known = {p.name for p in case.pods}
        orphaned = [e for e in events if e.type == "Warning" and e.name not in known]
        if not pending and not orphaned:
            return "no Spark pod waits for an image"
        stuck = [(p, _image_of(p), "") for p in pending]
    text = " ".join([m for _, _, m in stuck] + [e.message for e in events]).lower()
    word, why = next(
        ((w, y) for words, w, y in _CAUSES if any(k in text for k in words)), ("unknown", "the reason is not given")
    )
    images = sorted({i for _, i, _ in stuck if i}) or sorted(
        {m.group(1) for e in events if (m := _IMAGE.search(e.message))}
    )
    drivers = [p for p, _, _ in stuck if p in case.drivers]
    subject = drivers[-1].key if drivers else case.subject
    proof: list[Evidence] = [of_pod(p, f"waiting: {_reason(p)}: {m}") for p, _, m in stuck[:3]]
    telling = [e for e in events if e.reason == "Failed" and "pull image" in e.message] or events
    who = "driver" if drivers else f"{len(stuck) or len(failing)} executors"
    return [
        finding(
            case,
            "image-pull",
            "I13",
            "critical" if drivers or case.app.running_executors == 0 else "warning",
            "high",
            f"{who} cannot pull {images[0] if images else 'the image'}: {why}",
            subject=subject,
            detail=why,
            evidence=[*proof, *[of_event(e) for e in telling[-2:]]],
            ruled_out=[("I14", "the pods were placed on a node; they wait for the image")],
            questions=[] if word != "unknown" else ["the text of the event Failed on the pod"],
            data={"images": images, "cause": word, "pods": [p.name for p, _, _ in stuck][:20]},
        )
    ]


def _reason(pod: Pod) -> str:
    return next((c.waiting_reason for c in pod.containers if c.waiting_reason in WAITING), "")


def _image_of(pod: Pod) -> str:
    main = pod.main
    return main.image if main is not None else ""


def _is_pull(event: Event) -> bool:
    if event.kind != "Pod":
        return False
    if event.reason in ("ErrImageNeverPull", "InspectFailed"):
        return True
    return event.reason in ("Failed", "BackOff") and ("pull" in event.message.lower() or "ImagePull" in event.message)


_CONFIG = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PostStartHookError"})


def not_configured(case: Case) -> Answer:
    """Containers that the kubelet cannot create: a Secret, a ConfigMap or a mount that is not there."""
    stuck = [
        (pod, one)
        for pod in case.pods
        if not deaths.over(pod)
        for one in pod.containers
        if one.state == "waiting" and one.waiting_reason in _CONFIG
    ]
    if not stuck:
        return "every container could be created"
    pod, one = stuck[-1]
    return [
        finding(
            case,
            "container-not-created",
            None,
            "critical" if pod in case.drivers or case.app.running_executors == 0 else "warning",
            "high",
            f"{one.name} cannot be created: {one.waiting_message or one.waiting_reason}"[:160],
            subject=pod.key,
            detail=one.waiting_message,
            evidence=[of_pod(p, f"waiting: {c.waiting_reason}: {c.waiting_message}") for p, c in stuck[:3]],
            ruled_out=[("I13", "the image is there"), ("I14", "the pod has a node")],
            data={"pods": [p.name for p, _ in stuck][:20]},
        )
    ]


RULES = [Rule("image-pull", "I13", image_pull), Rule("container-not-created", None, not_configured)]
