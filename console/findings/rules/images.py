"""Images that cannot be pulled (I13), and containers that cannot be created."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from console.apps import deaths
from console.apps.evidence import of_event, of_pod
from console.base.text import shorten
from console.facts.evidence import Evidence
from console.facts.model import Event, Pod
from console.findings.case import Case
from console.findings.figures.base import Figures
from console.findings.figures.images import ImagePullFigures
from console.findings.rule import Answer, Rule, finding

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


class Pull(Struct, frozen=True):
    """A pod that waits for an image, and the kubelet's message; `` where only events tell of it."""

    pod: Pod
    image: str
    message: str = ""


def image_pull(case: Case) -> Answer:
    """Driver or executors wait for an image."""
    events = [e for e in case.events if _is_pull(e)]
    failing = {e.name for e in events if e.type == "Warning"}
    pulls = _waiting(case.pods) or _announced(case.pods, failing)
    if not pulls and failing <= {p.name for p in case.pods}:
        return "no Spark pod waits for an image"
    word, why = _cause([*(p.message for p in pulls), *(e.message for e in events)])
    images = _images(pulls, events)
    drivers = [p.pod for p in pulls if p.pod in case.drivers]
    return [
        finding(
            case,
            "image-pull",
            "I13",
            "critical" if drivers or case.app.running_executors == 0 else "warning",
            "high",
            f"{_who(len(pulls) or len(failing), bool(drivers))} cannot pull {next(iter(images), 'the image')}: {why}",
            subject=drivers[-1].key if drivers else case.subject,
            detail=why,
            evidence=_proof(pulls, events),
            ruled_out=[("I14", "the pods were placed on a node; they wait for the image")],
            questions=[] if word != "unknown" else ["the text of the event Failed on the pod"],
            data=ImagePullFigures(pods=tuple(p.pod.name for p in pulls), images=images, cause=word),
        )
    ]


def _who(count: int, driver: bool) -> str:
    return "driver" if driver else f"{count} executors"


def _waiting(pods: Sequence[Pod]) -> list[Pull]:
    """Containers that wait for their image by their own state."""
    return [
        Pull(pod, one.image, one.waiting_message)
        for pod in pods
        if pod.gone or not deaths.over(pod)
        for one in pod.containers
        if one.state == "waiting" and one.waiting_reason in WAITING
    ]


def _announced(pods: Sequence[Pod], failing: set[str]) -> list[Pull]:
    """Pods that have not started and of which warnings say that their image fails."""
    return [
        Pull(pod, pod.main.image if pod.main is not None else "")
        for pod in pods
        if pod.name in failing and (pod.phase == "Pending" or not pod.containers)
    ]


def _cause(messages: Sequence[str]) -> tuple[str, str]:
    """Why an image cannot be pulled: one word, and a sentence."""
    text = " ".join(messages).lower()
    found = ((word, why) for needles, word, why in _CAUSES if any(n in text for n in needles))
    return next(found, ("unknown", "the reason is not given"))


def _images(pulls: Sequence[Pull], events: Sequence[Event]) -> tuple[str, ...]:
    """Names of the images: by the pods, else by what the events say."""
    named = {p.image for p in pulls if p.image}
    return tuple(sorted(named or {m.group(1) for e in events if (m := _IMAGE.search(e.message))}))


def _proof(pulls: Sequence[Pull], events: Sequence[Event]) -> list[Evidence]:
    telling = [e for e in events if e.reason == "Failed" and "pull image" in e.message] or events
    return [
        *[of_pod(p.pod, f"waiting: {_reason(p.pod)}: {p.message}") for p in pulls[:3]],
        *[of_event(e) for e in telling[-2:]],
    ]


def _reason(pod: Pod) -> str:
    return next((c.waiting_reason for c in pod.containers if c.waiting_reason in WAITING), "")


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
            shorten(f"{one.name} cannot be created: {one.waiting_message or one.waiting_reason}", 300, middle=True),
            subject=pod.key,
            detail=one.waiting_message,
            evidence=[of_pod(p, f"waiting: {c.waiting_reason}: {c.waiting_message}") for p, c in stuck[:3]],
            ruled_out=[("I13", "the image is there"), ("I14", "the pod has a node")],
            data=Figures(pods=tuple(p.name for p, _ in stuck)),
        )
    ]


RULES = [Rule("image-pull", "I13", image_pull), Rule("container-not-created", None, not_configured)]
