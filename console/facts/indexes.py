"""Indexes over facts: events by the object that they are about, memory in use by pod."""

from __future__ import annotations

from collections.abc import Iterable

from console.facts.model import Event, Facts

EventIndex = dict[str, list[Event]]


def index_events(events: Iterable[Event]) -> EventIndex:
    """Events by the key of the object that they are about."""
    out: EventIndex = {}
    for event in events:
        out.setdefault(event.about, []).append(event)
    return out


def own_events(index: EventIndex, key: str, uid: str, pods: Iterable[str]) -> list[Event]:
    """Events of an application's object (`key` and `uid`, empty where it has none) and of its pods, in order of time.

    None of a former object of the same name is among them.
    """
    if not index:
        return []
    about = (e for e in index.get(key, ()) if not e.uid or not uid or e.uid == uid)
    unique = {id(e): e for e in (*about, *(e for pod in pods if pod in index for e in index[pod]))}
    return sorted(unique.values(), key=lambda e: e.last or 0.0)


def index_memory(facts: Facts) -> dict[tuple[str, str], tuple[float, float | None]]:
    """Working set in bytes of the Spark container of each pod, and when it was measured, where metrics have it."""
    out: dict[tuple[str, str], tuple[float, float | None]] = {}
    for sample in facts.samples:
        if sample.name == "container_memory_working_set_bytes" and sample.labels.get("container"):
            key = (sample.labels.get("namespace", ""), sample.labels.get("pod", ""))
            out[key] = max(out.get(key, (0.0, None)), (sample.value, sample.at), key=lambda one: one[0])
    return out
