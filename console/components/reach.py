"""Ready components that nobody reaches: Services without endpoints, and endpoints that are silent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from console.base.redact import redact
from console.base.text import clean, plural, shorten
from console.components.find import ClusterObject, ComponentObjects
from console.components.model import Trouble
from console.facts.evidence import Evidence
from console.facts.model import Facts, Workload
from console.facts.objectpaths import walk
from console.facts.replicas import replicas

_SERVICE_OF = "kubernetes.io/service-name"


def of_reach(found: ComponentObjects, facts: Facts) -> Iterable[Trouble]:
    """What keeps others from the pods that are ready. Of Services that were not read nothing is said."""
    spaces = {thing.namespace for thing in found.things}
    services = [one for one in facts.workloads if one.kind == "Service" and one.namespace in spaces and not one.gone]
    if services:
        slices = _slices(facts, spaces)
        for thing in found.things:
            ready = (replicas(thing.kind, thing.spec, thing.status) or (0, 0))[1]
            if ready:
                yield from _endpoints(thing, ready, services, slices, facts)
    yield from _silent(found, facts)


def _endpoints(
    thing: ClusterObject, ready: int, services: list[Workload], slices: Mapping[str, list[Workload]], facts: Facts
) -> Iterable[Trouble]:
    labels = _labels(thing.spec)
    mine = [one for one in services if one.namespace == thing.namespace and _selects(one, labels)]
    troubles = [(one, words) for one in mine if (words := _unanswered(one, slices.get(one.key)))]
    if not mine:
        troubles = [
            (one, f"selects no pod: {_words(one)}")
            for one in services
            if (one.namespace, one.name) == (thing.namespace, thing.name) and _selector(one) and not _any(one, facts)
        ]
    level = "down" if len(troubles) >= len(mine) else "degraded"
    for one, words in troubles:
        text = f"Service {one.name} {words}, while {plural(ready, 'replica')} of {thing.name} {_are(ready)} ready"
        evidence = Evidence("kubernetes", one.key, shorten(clean(text), 300))
        yield Trouble(level, text, thing.key, evidence, "endpoints")  # type: ignore[arg-type]


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _unanswered(service: Workload, slices: list[Workload] | None) -> str:
    """Why nobody answers behind a Service, `` where somebody does or nobody knows."""
    if not slices:
        return ""
    answering = [one for one in slices if any(_ready(end) for end in walk({"spec": one.spec}, "spec.endpoints.*"))]
    if not answering:
        return "has no ready endpoints"
    if service.spec.get("ports") and not any(one.spec.get("ports") for one in answering):
        wanted = ", ".join(dict.fromkeys(str(port) for port in walk({"spec": service.spec}, "spec.ports.*.targetPort")))
        return f"has endpoints without a port ({wanted} is none of the pods')"
    return ""


def _ready(end: Any) -> bool:
    """Whether an endpoint takes connections; one that does not say so does."""
    conditions = end.get("conditions") if isinstance(end, Mapping) else None
    said = conditions.get("ready") if isinstance(conditions, Mapping) else None
    return isinstance(end, Mapping) and bool(end.get("addresses")) and said is not False


def _slices(facts: Facts, spaces: set[str]) -> dict[str, list[Workload]]:
    """Key of a Service -> its slices. Each Service with a selector has one, an empty one too."""
    out: dict[str, list[Workload]] = {}
    for one in facts.workloads:
        if one.kind == "EndpointSlice" and one.namespace in spaces and (name := one.labels.get(_SERVICE_OF)):
            out.setdefault(f"Service/{one.namespace}/{name}", []).append(one)
    return out


def _silent(found: ComponentObjects, facts: Facts) -> Iterable[Trouble]:
    """Scrape targets of ready pods that have not answered for minutes."""
    seen = facts.monitoring
    if seen is None or not seen.down:
        return
    ready = {(pod.namespace, pod.name): pod for pod in found.pods if pod.ready}
    known = {target.key: target for target in seen.targets or ()}
    for outage in seen.down:
        target = known.get((outage.job, outage.instance))
        if target is None or target.health == "up":
            continue
        pod = ready.get((target.labels.get("namespace", ""), target.labels.get("pod", "")))
        if pod is not None:
            why = f": {target.error}" if target.error else ""
            words = f"{pod.name} is ready and silent: {target.url or outage.instance} does not answer Prometheus{why}"
            evidence = Evidence("prometheus", pod.key, shorten(clean(redact(words)), 300), outage.up)
            subject = next((t.key for t in found.things if pod.name.startswith(f"{t.name}-")), pod.key)
            yield Trouble("degraded", shorten(clean(redact(words)), 200), subject, evidence, "silent", outage.up)


def _selector(service: Workload) -> Mapping[str, Any]:
    selector = service.spec.get("selector")
    return selector if isinstance(selector, Mapping) else {}


def _selects(service: Workload, labels: Mapping[str, Any]) -> bool:
    selector = _selector(service)
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _labels(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    for labels in walk({"spec": spec}, "spec.template.metadata.labels"):
        if isinstance(labels, Mapping):
            return labels
    return {}


def _any(service: Workload, facts: Facts) -> bool:
    """Whether it selects pods of anything at all."""
    space = service.namespace
    templates = (_labels(one.spec) for one in facts.workloads if one.namespace == space)
    return any(_selects(service, labels) for labels in templates) or any(
        pod.namespace == space and _selects(service, pod.labels) for pod in facts.pods
    )


def _words(service: Workload) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(_selector(service).items()))
