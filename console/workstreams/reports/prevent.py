"""From an incident class to planned work that bears on it.

Nobody recorded this relation, so it is found by words: each class has words for its cause and words for noticing it
early; a workstream is proposed when its name, or the title of its feature, holds one. Every proposal says which word
was found where, so that a person can judge it. It never claims that the work would have been enough.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from console.workstreams.model import Index


class IncidentClass(Struct, frozen=True):
    """An incident class: what it is, words of its cause, and words of the signals that would have shown it early."""

    id: str
    title: str
    cause: tuple[str, ...]
    early: tuple[str, ...] = ()


_WATCH = ("alert", "metrics", "dashboard", "monitoring", "slo")
_LOGS = ("logging", "log aggregation", "tracing")

CLASSES: dict[str, IncidentClass] = {
    row[0]: IncidentClass(row[0], row[1], row[2], row[3])
    for row in (
        ("I01", "executor container out of memory", ("memory", "oom", "profiling", "load test"), _WATCH),
        ("I02", "executor heap out of memory", ("memory", "oom", "profiling", "load test", "aqe"), _WATCH),
        ("I03", "garbage collection pressure", ("memory", "gc", "profiling", "performance"), _WATCH),
        ("I04", "driver memory", ("memory", "oom", "driver", "load test"), _WATCH),
        ("I05", "fetch failures and stage retries", ("shuffle", "celeborn"), _WATCH),
        ("I06", "executors lost to preemption, drain or eviction", ("eviction", "preempt", "shuffle", "spot"), _WATCH),
        ("I07", "heartbeat and network timeouts", ("network", "timeout", "heartbeat"), _WATCH),
        ("I08", "local disk full", ("disk", "ephemeral", "storage", "shuffle"), _WATCH),
        ("I09", "volume claim pending or filling", ("pvc", "storage", "provisioner", "volume"), _WATCH),
        ("I10", "driver alive without progress", ("stuck", "deadlock", "tracing", "profiling"), (*_WATCH, *_LOGS)),
        ("I11", "skew, stragglers, spill", ("skew", "aqe", "partition", "performance", "benchmark"), _WATCH),
        ("I12", "Python worker crash", ("python", "dependencies", "library", "compatibility"), _LOGS),
        ("I13", "image pull", ("image", "registry", "ghcr", "docker"), _WATCH),
        ("I14", "unschedulable for CPU or memory", ("scaling", "capacity", "quota", "scheduling"), _WATCH),
        ("I15", "unschedulable GPU", ("gpu", "cuda", "mig"), _WATCH),
        ("I16", "quota or permission refused", ("rbac", "quota", "permission", "security standards", "scc"), _LOGS),
        ("I17", "submission or admission refused", ("operator", "webhook", "admission", "validation"), _WATCH),
        ("I18", "application stuck in a state", ("operator", "stuck"), _WATCH),
        ("I19", "operator down or behind", ("operator",), _WATCH),
        ("I20", "scheduled run missed", ("airflow", "schedule", "dag"), _WATCH),
        ("I21", "start latency", ("image", "scaling", "operator", "latency"), _WATCH),
        ("I22", "object store refused", ("s3", "minio", "secret", "credential"), _LOGS),
        ("I23", "object store slow", ("s3", "minio", "performance"), _WATCH),
        ("I24", "metastore down or slow", ("metastore", "hive", "postgresql"), _WATCH),
        ("I25", "event log or History Server", ("history server", "event log"), _WATCH),
        ("I26", "Spark Connect server", ("connect",), _WATCH),
        ("I27", "GPU application fault", ("gpu", "rapids", "cuda"), _WATCH),
        ("I28", "GPU hardware", ("gpu", "cuda"), _WATCH),
        ("I29", "GPU throttled or idle", ("gpu", "utilisation", "utilization"), (*_WATCH, "cost")),
        ("I30", "GPUs disappear", ("gpu", "cuda", "mig"), _WATCH),
    )
}


class Proposal(Struct, frozen=True):
    """Planned work that bears on an incident class.

    Attributes:
        kind: `cause` when a word of the cause was found, `early` when only one of noticing it early was.
        because: where the word was found, for a person to judge.
    """

    number: int
    kind: Literal["cause", "early"]
    word: str
    because: str


def proposals(index: Index, incident: IncidentClass) -> tuple[Proposal, ...]:
    """Workstreams that bear on a class: not completed before completed, cause before early, then in file order."""
    titles = {feature.id: feature.title for feature in index.features}
    out: list[Proposal] = []
    for item in index.workstreams:
        found: Proposal | None = None
        for kind, words in (("cause", incident.cause), ("early", incident.early)):
            for place, text in (("its name", item.name), ("the title of its feature", titles[item.feature])):
                word = _first(words, text[:500])
                if word and found is None:
                    found = Proposal(item.number, kind, word, f"{word!r} stands in {place}")  # type: ignore[arg-type]
        if found:
            out.append(found)
    return tuple(sorted(out, key=lambda p: (index.workstreams[p.number].completed, p.kind != "cause", p.number)))


def _first(words: tuple[str, ...], text: str) -> str | None:
    low = text.lower()
    return next((word for word in words if _pattern(word).search(low)), None)


@lru_cache(maxsize=512)
def _pattern(word: str) -> re.Pattern[str]:
    """The word at the start of a word of the text: `alert` finds `alerting`; short words must match whole."""
    return re.compile(rf"\b{re.escape(word)}" + (r"s?\b" if len(word) <= 4 else ""))
