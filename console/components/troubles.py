"""What is wrong with the objects of a component: replicas that lack, and why their pods do not come or do not stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from console.base.clock import parse_time
from console.base.redact import redact
from console.base.text import clean, plural, shorten
from console.components.find import ClusterObject, ComponentObjects
from console.components.model import Trouble
from console.facts.evidence import Evidence
from console.facts.model import Container, Facts, Pod
from console.facts.refusals import create_failures
from console.facts.replicas import replicas

WAITING = {
    "CrashLoopBackOff": "crash-loop",
    "ImagePullBackOff": "image",
    "ErrImagePull": "image",
    "InvalidImageName": "image",
    "ErrImageNeverPull": "image",
    "CreateContainerConfigError": "configuration",
    "CreateContainerError": "configuration",
    "RunContainerError": "configuration",
}
"""Reason for which a container waits -> what kind of cause that is."""
RESTARTED_WITHIN = 900.0
"""Seconds for which a restart of a ready container is still told."""


def of_objects(found: ComponentObjects, facts: Facts) -> Iterable[Trouble]:
    """Why first, then how many: what keeps pods from coming, what pods die of, what controllers count."""
    counted = {
        thing.key: numbers
        for thing in found.things
        if (numbers := replicas(thing.kind, thing.spec, thing.status)) is not None
    }
    alive = any(ready for _, ready in counted.values())
    yield from _refused(found, facts, alive)
    yield from _pods(found, facts.at)
    for thing in found.things:
        if thing.key in counted:
            yield from _replicas(thing, *counted[thing.key], alive)


def _refused(found: ComponentObjects, facts: Facts, alive: bool) -> Iterable[Trouble]:
    """Pods that the API does not let be created."""
    mine = {thing.key: thing for thing in found.things}
    for one in create_failures(facts):
        if one.subject in mine:
            words = f"pods of {mine[one.subject].name} are refused by {one.refusal.words}"
            excerpt = shorten(clean(redact(f"FailedCreate: {one.message}")), 300)
            level = "down" if one.none_ready and not alive else "degraded"
            evidence = Evidence("kubernetes", one.place, excerpt, one.last)
            yield Trouble(level, shorten(words, 180), one.subject, evidence, "refused", one.since)  # type: ignore[arg-type]


def _replicas(thing: ClusterObject, wanted: int, ready: int, alive: bool) -> Iterable[Trouble]:
    """What the controllers say about their replicas."""
    cause = "replicas"
    if wanted == 0:
        words, cause = f"{thing.name} is scaled to zero", "scaled-to-zero"
    elif ready < wanted:
        words = f"{ready} of {plural(wanted, 'replica')} of {thing.name} ready"
    elif stuck := _stuck_rollout(thing.status):
        words, cause = f"{thing.name}: {stuck}", "rollout"
    else:
        return
    level = "down" if not ready and not alive else "degraded"
    since = _changed(thing.status, "Progressing" if cause == "rollout" else "Available")
    if cause == "scaled-to-zero" and since is None:
        since = thing.changed  # at the latest: nobody wrote to it since
    evidence = Evidence("kubernetes", thing.key, words, since)
    yield Trouble(level, words, thing.key, evidence, cause, since)  # type: ignore[arg-type]


def _conditions(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    conditions = status.get("conditions")
    return [c for c in conditions if isinstance(c, Mapping)] if isinstance(conditions, list) else []


def _stuck_rollout(status: Mapping[str, Any]) -> str:
    for condition in _conditions(status):
        if condition.get("type") == "Progressing" and condition.get("status") == "False":
            return f"a rollout is stuck ({condition.get('reason') or 'no reason given'})"
    return ""


def _changed(status: Mapping[str, Any], type: str) -> float | None:
    """When a condition became False."""
    for condition in _conditions(status):
        if condition.get("type") == type and condition.get("status") == "False":
            return parse_time(condition.get("lastTransitionTime"))
    return None


def _pods(found: ComponentObjects, now: float) -> Iterable[Trouble]:
    """Pods that get no node, containers that cannot start, or that restarted a moment ago."""
    ready = any(pod.ready for pod in found.pods)
    level = "degraded" if ready else "down"
    for pod in found.pods:
        subject = _owner(pod, found)
        placed = pod.condition("PodScheduled")
        if pod.phase == "Pending" and placed is not None and placed.reason == "Unschedulable":
            words = f"no node takes {pod.name}: {placed.message}"
            evidence = Evidence("kubernetes", pod.key, shorten(clean(words), 300), placed.since)
            yield Trouble(level, words, subject, evidence, "scheduling", placed.since)  # type: ignore[arg-type]
        for container in pod.containers:
            yield from _container(container, pod, subject, level, now)


def _container(container: Container, pod: Pod, subject: str, level: str, now: float) -> Iterable[Trouble]:
    last = container.last_terminated
    code = "" if last is None or last.exit_code is None else f", last exit code {last.exit_code}"
    if container.waiting_reason in WAITING:
        again = f" after {plural(container.restarts, 'restart')}{code}" if container.restarts else ""
        message = f": {container.waiting_message}" if container.waiting_message else ""
        words = f"{container.waiting_reason} in {pod.name}{again}{message}"
        evidence = Evidence("kubernetes", pod.key, shorten(clean(redact(words)), 300))
        cause = WAITING[container.waiting_reason]
        yield Trouble(level, words, subject, evidence, cause, _unready_since(pod))  # type: ignore[arg-type]
        return
    if last is None or last.finished is None or container.restarts < 2:
        return
    if 0 <= now - last.finished < RESTARTED_WITHIN:
        words = f"{container.name} in {pod.name} restarted {container.restarts} times{code}"
        evidence = Evidence("kubernetes", pod.key, clean(words), last.finished)
        yield Trouble("degraded", words, subject, evidence, "crash-loop", last.finished)


def _unready_since(pod: Pod) -> float | None:
    condition = pod.condition("Ready")
    return condition.since if condition is not None and condition.status == "False" else pod.created


def _owner(pod: Pod, found: ComponentObjects) -> str:
    """Key of the component's object that the pod belongs to; its own where none is."""
    for thing in found.things:
        if thing.namespace == pod.namespace and any(
            owner.name == thing.name or owner.name.startswith(f"{thing.name}-") for owner in pod.owners
        ):
            return thing.key
    return pod.key
