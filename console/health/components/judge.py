"""Whether the systems of the platform work, as their users would notice: replicas first, then signals of the function.

A component whose replicas are ready, but about whose function no signal says anything, is unknown, not healthy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from console.base.text import clean, plural, shorten
from console.health.components.find import SOURCE_OF, Found, find
from console.health.components.signals import Said, hear
from console.health.components.spec import Definition, Expectation, Preset
from console.health.facts import Facts, Pod
from console.health.model import Component, Evidence

_RANK = {"down": 0, "degraded": 1, "unknown": 2, "healthy": 3}
_WAITING = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "ErrImageNeverPull",
    }
)
RESTARTED_WITHIN = 900.0
"""Seconds for which a restart of a ready container is still told."""
UNREAD = frozenset({"forbidden", "unreachable", "loading", "login needed", "absent"})


class _Trouble(Struct, frozen=True):
    level: str
    words: str
    evidence: Evidence


def judge(facts: Facts, definitions: Iterable[Definition], preset: Preset | None = None) -> tuple[Component, ...]:
    """Every component that was found, and those that are expected and were not.

    Args:
        facts: what is known. Answers to the components' queries are among the samples (`components_signals.asks`).
        definitions: what components there are.
        preset: what is expected; without it only what was found is judged.
    """
    wanted: Mapping[str, Expectation] = preset.components if preset is not None else {}
    needed = {name for id, what in wanted.items() if what.presence == "required" for name in (id, *what.instead)}
    known = {definition.id: definition for definition in definitions}
    found = find(facts, known.values())
    out: dict[str, Component] = {}
    for id, definition in known.items():
        expectation = wanted.get(id)
        required = id in needed
        if id in found:
            out[id] = _judged(found[id], facts, required)
        elif expectation is not None and required and not any(other in found for other in expectation.instead):
            out[id] = _missing(definition, facts)
    for id, component in list(out.items()):
        out[id] = _leaning(component, known[id], out)
    return tuple(sorted(out.values(), key=lambda c: (_RANK.get(c.state, 0), not c.expected, c.id)))


def _missing(definition: Definition, facts: Facts) -> Component:
    """Nothing was found: absent, or unknown where the kinds that would show it could not be read."""
    states = {source.name: source for source in facts.sources}
    for kind in dict.fromkeys(way.kind for way in definition.find):
        source = states.get(SOURCE_OF.get(kind, ""))
        if source is not None and source.state in UNREAD - {"absent"}:
            return Component(
                definition.id,
                definition.title,
                "unknown",
                f"{source.name}: {source.state}",
                runbooks=definition.runbooks,
                expected=True,
            )
    reason = "expected, but nothing of it was found"
    return Component(definition.id, definition.title, "absent", reason, runbooks=definition.runbooks, expected=True)


def _judged(found: Found, facts: Facts, required: bool) -> Component:
    definition = found.definition
    troubles = [*_replicas(found), *_pods(found, facts.at)] if definition.replicas else []
    said = [what for signal in definition.signals for what in hear(signal, found, facts)]
    troubles += [_Trouble(what.level, what.words, what.evidence) for what in said if what.bad]
    good = [what for what in said if not what.bad]
    troubles.sort(key=lambda trouble: _RANK[trouble.level])
    state, reason = _verdict(troubles, good, definition)
    return Component(
        id=definition.id,
        title=definition.title,
        state=state,  # type: ignore[arg-type]
        reason=shorten(clean(reason), 200),
        found=tuple(thing.key for thing in found.things[:20]),
        evidence=tuple([trouble.evidence for trouble in troubles] + [what.evidence for what in good])[:8],
        runbooks=definition.runbooks,
        expected=required,
    )


def _verdict(troubles: list[_Trouble], good: list[Said], definition: Definition) -> tuple[str, str]:
    if troubles:
        rest = len(troubles) - 1
        return troubles[0].level, troubles[0].words + (f" (and {plural(rest, 'more sign')})" if rest else "")
    if good:
        return "healthy", "; ".join(dict.fromkeys(what.words for what in good))
    if definition.replicas:
        return "unknown", "the replicas are ready, but nothing says whether it works"
    return "unknown", "it is there, but nothing says whether it works"


def _replicas(found: Found) -> Iterable[_Trouble]:
    """What the controllers say about their replicas."""
    counted = [
        (thing, *numbers)
        for thing in found.things
        if (numbers := _count(thing.kind, thing.spec, thing.status)) is not None
    ]
    alive = sum(1 for _, wanted, ready in counted if ready)
    for thing, wanted, ready in counted:
        if wanted == 0:
            words = f"{thing.name} is scaled to zero"
        elif ready >= wanted:
            words = _stuck_rollout(thing.status)
            if not words:
                continue
            words = f"{thing.name}: {words}"
        else:
            words = f"{ready} of {plural(wanted, 'replica')} of {thing.name} ready"
        level = "down" if not ready and not alive else "degraded"
        yield _Trouble(level, words, Evidence("kubernetes", thing.key, words))


def _count(kind: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[int, int] | None:
    """How many replicas are wanted and ready; None for kinds without replicas."""
    if kind == "DaemonSet":
        return _whole(status.get("desiredNumberScheduled"), 0), _whole(status.get("numberReady"), 0)
    if kind in ("Deployment", "StatefulSet"):
        return _whole(spec.get("replicas"), 1), _whole(status.get("readyReplicas"), 0)
    return None


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _stuck_rollout(status: Mapping[str, Any]) -> str:
    conditions = status.get("conditions")
    for condition in conditions if isinstance(conditions, list) else ():
        if not isinstance(condition, dict):
            continue
        if condition.get("type") == "Progressing" and condition.get("status") == "False":
            return f"a rollout is stuck ({condition.get('reason') or 'no reason given'})"
    return ""


def _pods(found: Found, now: float) -> Iterable[_Trouble]:
    """Containers that cannot start, or that restarted a moment ago."""
    ready = any(_ready(pod) for pod in found.pods)
    for pod in found.pods:
        for container in pod.containers:
            if container.waiting_reason in _WAITING:
                message = f": {container.waiting_message}" if container.waiting_message else ""
                words = f"{container.waiting_reason} in {pod.name}{message}"
                evidence = Evidence("kubernetes", pod.key, shorten(clean(words), 300))
                yield _Trouble("degraded" if ready else "down", words, evidence)
                continue
            last = container.last_terminated
            if last is None or last.finished is None or container.restarts < 2:
                continue
            if 0 <= now - last.finished < RESTARTED_WITHIN:
                code = "" if last.exit_code is None else f", last exit code {last.exit_code}"
                words = f"{container.name} in {pod.name} restarted {container.restarts} times{code}"
                yield _Trouble("degraded", words, Evidence("kubernetes", pod.key, clean(words), last.finished))


def _ready(pod: Pod) -> bool:
    condition = pod.condition("Ready")
    return condition is not None and condition.status == "True"


def _leaning(component: Component, definition: Definition, all_: Mapping[str, Component]) -> Component:
    """The component with the trouble of those that it cannot serve without."""
    for signal in definition.signals:
        if signal.needs is None:
            continue
        other = all_.get(signal.needs.component)
        if other is None or other.state not in ("down", "degraded"):
            continue
        level = signal.level if other.state == "down" else "degraded"
        if _RANK[level] < _RANK.get(component.state, 9):
            words = f"{signal.says}: {other.title} is {other.state} ({other.reason})"
            evidence = Evidence("component", other.id, shorten(words, 300))
            component = replace(
                component,
                state=level,
                reason=shorten(words, 200),
                evidence=(evidence, *component.evidence)[:8],
            )
    return component
