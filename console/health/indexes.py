"""Indexes over facts: events by the object that they are about, memory in use by pod."""

from __future__ import annotations

from collections.abc import Iterable

from console.health.facts import Event, Facts

EventIndex = dict[str, list[Event]]


def index_events(events: Iterable[Event]) -> EventIndex:
    """Events by the key of the object that they are about."""
    out: EventIndex = {}
    for event in events:
        out.setdefault(event.about, []).append(event)
    return out


def index_memory(facts: Facts) -> dict[tuple[str, str], float]:
    """Working set in bytes of the Spark container of each pod, where metrics have it."""
    out: dict[tuple[str, str], float] = {}
    for sample in facts.samples:
        if sample.name == "container_memory_working_set_bytes" and sample.labels.get("container"):
            key = (sample.labels.get("namespace", ""), sample.labels.get("pod", ""))
            out[key] = max(out.get(key, 0.0), sample.value)
    return out
