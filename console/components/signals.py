"""What the signals of a component say: good, bad or nothing, each with its evidence."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from console.base.clock import parse_time
from console.base.redact import redact
from console.base.text import clean, shorten
from console.base.units import human_duration, parse_quantity
from console.components.find import ClusterObject, ComponentObjects
from console.components.spec import Definition, Occurrence, Signal
from console.facts.evidence import Evidence
from console.facts.model import Event, Facts, Sample
from console.facts.objectpaths import walk
from console.facts.replicas import replicas
from console.facts.series import MARK, NOTE, Ask


class SignalResult(Struct, frozen=True):
    """One statement of a signal."""

    bad: bool
    level: str
    words: str
    evidence: Evidence


def asks(definitions: Iterable[Definition]) -> tuple[Ask, ...]:
    """The queries of all metric signals, to be asked together with those of the objectives."""
    return tuple(
        Ask(f"component|{definition.id}|{signal.id}", signal.metric.query)
        for definition in definitions
        for signal in definition.signals
        if signal.metric is not None
    )


def hear(signal: Signal, found: ComponentObjects, facts: Facts) -> Iterable[SignalResult]:
    """What one signal says about what was found. Silence is: it does not know."""
    if signal.ready is not None:
        return _readiness(signal, found)
    if signal.metric is not None:
        return _metric(signal, found, facts)
    if signal.log is not None:
        return _log(signal, found, facts)
    if signal.event is not None:
        return _event(signal, found, facts)
    if signal.field is not None:
        return _field(signal, found, facts)
    if signal.stuck is not None:
        return _stuck(signal, found, facts)
    if signal.rest is not None:
        return _rest(signal, found, facts)
    if signal.source is not None:
        return _source(signal, facts)
    return ()


def _good(signal: Signal, words: str, evidence: Evidence) -> SignalResult:
    return SignalResult(False, signal.level, words, evidence)


def _bad(signal: Signal, detail: str, evidence: Evidence) -> SignalResult:
    return SignalResult(True, signal.level, f"{signal.says} ({detail})" if detail else signal.says, evidence)


def _readiness(signal: Signal, found: ComponentObjects) -> Iterable[SignalResult]:
    """A readiness probe asks the program itself; without one, ready means only that a process runs."""
    probed = [thing for thing in found.things if _has_probe(thing)]
    if not probed:
        return
    for thing in probed:
        counted = replicas(thing.kind, thing.spec, thing.status)
        if counted is not None and 0 < counted[0] <= counted[1]:
            words = f"the readiness probe of {thing.name} passes"
            yield _good(signal, "its readiness probe passes", Evidence("kubernetes", thing.key, words))


def _has_probe(thing: ClusterObject) -> bool:
    template = thing.spec.get("template")
    spec = template.get("spec") if isinstance(template, Mapping) else None
    containers = spec.get("containers") if isinstance(spec, Mapping) else None
    return any(isinstance(c, Mapping) and c.get("readinessProbe") for c in containers or ())


def _metric(signal: Signal, found: ComponentObjects, facts: Facts) -> Iterable[SignalResult]:
    assert signal.metric is not None
    key = f"component|{found.definition.id}|{signal.id}"
    answers = [s for s in facts.samples if s.labels.get(MARK) == key and NOTE not in s.labels]
    values = [sample for sample in answers if math.isfinite(sample.value)]
    if answers and not values and signal.metric.absent == "bad":
        yield _bad(signal, "no series", Evidence("prometheus", signal.metric.query, "no series"))
    for sample in values:
        where = _labels(sample)
        number = f"{sample.value:.6g}{where}"
        evidence = Evidence("prometheus", signal.metric.query, number, sample.at)
        if signal.metric.bad.holds(sample.value):
            yield _bad(signal, f"{number} {signal.metric.bad.words}", evidence)
        else:
            yield _good(signal, f"{signal.id.replace('-', ' ')} {sample.value:.6g}", evidence)


def _labels(sample: Sample) -> str:
    shown = ", ".join(f"{k}={clean(v)}" for k, v in sorted(sample.labels.items()) if k not in (MARK, "__name__"))
    return f" {{{shown}}}" if shown else ""


def _log(signal: Signal, found: ComponentObjects, facts: Facts) -> Iterable[SignalResult]:
    assert signal.log is not None
    mine = {pod.key for pod in found.pods}
    names = {f"{pod.namespace}/{pod.name}" for pod in found.pods}
    bad, good = _pattern(signal.log.bad), _pattern(signal.log.good or r"(?!)")
    for log in facts.logs:
        if log.subject not in mine and "/".join(log.subject.split("/")[:2]) not in names:
            continue
        state: tuple[bool, int, str] | None = None
        for number, line in enumerate(log.text.splitlines(), 1):
            if bad.search(line):
                state = (True, number, line)
            elif good.search(line):
                state = (False, number, line)
        if state is not None:
            excerpt = shorten(clean(redact(state[2])), 300)
            evidence = Evidence("log", f"{log.subject} log line {state[1]}", excerpt, log.origin.at)
            if state[0]:
                yield _bad(signal, _telling(excerpt, bad, 90), evidence)
            else:
                yield _good(signal, f"its log says {_telling(excerpt, good, 60)!r}", evidence)


def _telling(line: str, looked_for: re.Pattern[str], room: int) -> str:
    """The line, shortened; from what was looked for on, where that would be cut off."""
    hit = looked_for.search(line)
    begins = hit.start() if hit is not None and hit.end() > room else 0
    return ("…" if begins else "") + shorten(line[begins:], room)


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _event(signal: Signal, found: ComponentObjects, facts: Facts) -> Iterable[SignalResult]:
    assert signal.event is not None
    pattern = _pattern(signal.event.message or "")
    newest: tuple[float, Event] | None = None
    for event in facts.events:
        at = event.last if event.last is not None else event.first
        if event.reason not in signal.event.reason or at is None or facts.at - at > signal.event.within:
            continue
        if newest is not None and at <= newest[0]:
            continue
        if _concerns(event, signal.event, found) and pattern.search(event.message):
            newest = (at, event)
    if newest is not None:
        at, event = newest
        excerpt = shorten(clean(redact(f"{event.reason}: {event.message}")), 300)
        yield _bad(signal, shorten(excerpt, 90), Evidence("kubernetes", f"event {event.about}", excerpt, at))


def _concerns(event: Event, wanted: Occurrence, found: ComponentObjects) -> bool:
    """Whether an event is about an object of the component, its pods, or what its controllers make."""
    if wanted.anywhere and event.namespace in {thing.namespace for thing in found.things}:
        return True
    if event.kind in ("ReplicaSet", "Pod", "Job"):
        name = f"{event.namespace}/{event.name}"
        if any(name.startswith(f"{thing.namespace}/{thing.name}-") for thing in found.things):
            return True
    return event.about in {*(thing.key for thing in found.things), *(pod.key for pod in found.pods)}


def _field(signal: Signal, found: ComponentObjects, facts: Facts) -> Iterable[SignalResult]:
    rule = signal.field
    assert rule is not None
    for thing in found.things:
        values = list(walk({"spec": thing.spec, "status": thing.status, "metadata": _meta(thing)}, rule.path))
        young = rule.older is not None and thing.created is not None and facts.at - thing.created <= rule.older
        if not values and rule.absent == "bad" and not young:
            yield _bad(signal, f"{thing.name} has no {rule.path}", Evidence("kubernetes", thing.key, f"no {rule.path}"))
        for value in values:
            text = "" if value is None else str(value)
            evidence = Evidence("kubernetes", f"{thing.key} {rule.path}", shorten(clean(text), 300))
            verdict: bool | None = None
            if rule.good is not None:
                verdict = text not in rule.good
            elif rule.bad is not None:
                verdict = text in rule.bad
            elif rule.older is not None and (at := parse_time(text)) is not None:
                verdict = facts.at - at > rule.older
                text = f"{human_duration(facts.at - at)} ago"
            elif rule.number is not None and (number := _number(value)) is not None:
                verdict = rule.number.holds(number)
            if verdict:
                yield _bad(signal, f"{thing.name}: {clean(text) or 'empty'}", evidence)
            elif verdict is False:
                yield _good(signal, f"{signal.id.replace('-', ' ')} {clean(text) or 'empty'}", evidence)


def _meta(thing: ClusterObject) -> dict[str, Any]:
    return {"name": thing.name, "namespace": thing.namespace, "labels": thing.labels, "annotations": thing.annotations}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value) if isinstance(value, int | float) else parse_quantity(str(value))
    except ValueError:
        return None


def _stuck(signal: Signal, found: ComponentObjects, facts: Facts) -> Iterable[SignalResult]:
    """Work that lies unattended: the component's controller does nothing, whatever its replicas say."""
    rule = signal.stuck
    assert rule is not None
    waiting: list[tuple[float, str]] = []
    seen = moved = 0
    for item in (*facts.spark, *facts.workloads):
        if item.kind != rule.kind or (rule.api and item.api_version.split("/")[0] != rule.api) or item.gone:
            continue
        seen += 1
        tree = {"spec": item.spec, "status": item.status}
        value = next(iter(walk(tree, rule.path)), None)
        if ("" if value is None else str(value)) not in rule.values:
            moved += 1
            continue
        named = next(iter(walk(tree, rule.since)), None) if rule.since else item.created
        since = parse_time(named) if isinstance(named, str) else named if isinstance(named, float) else None
        if since is not None and facts.at - since > rule.after:
            waiting.append((facts.at - since, item.key))
    if waiting:
        age, key = max(waiting)
        detail = f"{len(waiting)} of {seen}, the oldest {key} for {human_duration(age)}"
        yield _bad(signal, detail, Evidence("kubernetes", key, f"{rule.path} is one of {', '.join(rule.values)!r}"))
    elif moved:
        words = f"none of {seen} {rule.kind} objects waits longer than {human_duration(rule.after)}"
        yield _good(signal, words, Evidence("kubernetes", rule.kind, words))


def _rest(signal: Signal, found: ComponentObjects, facts: Facts) -> Iterable[SignalResult]:
    rule = signal.rest
    assert rule is not None
    pods = {pod.key for pod in found.pods}
    for document in facts.rest:
        if document.path != rule.document or (document.pod and document.pod not in pods):
            continue
        for value in walk(document.data, rule.path):
            if (number := _number(value)) is None:
                continue
            evidence = Evidence(document.origin.source, document.origin.locator, f"{rule.path} = {number:g}")
            if rule.bad.holds(number):
                yield _bad(signal, f"{rule.path} is {number:g}", evidence)
            else:
                yield _good(signal, f"{rule.path} is {number:g}", evidence)


def _source(signal: Signal, facts: Facts) -> Iterable[SignalResult]:
    """What Console itself noticed as a client."""
    for source in facts.sources:
        if source.name != signal.source:
            continue
        words = f"Console reads it: {source.state}"
        evidence = Evidence("console", f"source {source.name}", f"{words} {source.detail}".strip(), source.last)
        if source.state == "fresh":
            yield _good(signal, words, evidence)
        elif source.state in ("unreachable", "stale", "late", "partial"):
            yield _bad(signal, source.detail or source.state, evidence)
