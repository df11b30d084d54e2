"""Facts → evidence: where to look again, and a quotation that is cleaned, redacted and short."""

from __future__ import annotations

import re

from console.apps import deaths
from console.base.redact import redact_short
from console.base.text import clean, shorten
from console.facts.evidence import Evidence
from console.facts.logs import Hit
from console.facts.model import Event, Node, Origin, Pod, Sample, Workload

EXCERPT = 600
"""Characters of a quotation; of a longer one its middle is left out."""
_WHITESPACE = re.compile(r"\s+")


def excerpt(text: str) -> str:
    """A quotation: one line, cleaned, redacted, short."""
    return shorten(_WHITESPACE.sub(" ", clean(redact_short(text[:8_000]))).strip(), EXCERPT, middle=True)


def of_hit(hit: Hit, text: str = "") -> Evidence:
    return Evidence("log", hit.locator, excerpt(text or hit.text), hit.at)


def of_pod(pod: Pod, words: str = "") -> Evidence:
    """The state of a pod as evidence."""
    main, end = deaths.ending(pod)
    if not words:
        if end is not None:
            container = main.name if main is not None else "container"
            words = f"{container} terminated: exit code {end.exit_code}, reason {end.reason or 'none'}"
            words += f", pod phase {pod.phase}"
            if pod.reason:
                words += f", pod reason {pod.reason}: {pod.message}"
        else:
            words = f"phase {pod.phase}" + (f", reason {pod.reason}: {pod.message}" if pod.reason else "")
    at = (end.finished if end is not None else None) or pod.deleted
    return Evidence(pod.origin.source, _place(pod.origin, pod.key), excerpt(words), at)


def of_event(event: Event) -> Evidence:
    words = f"{event.reason}: {event.message}" + (f" (x{event.count})" if event.count > 1 else "")
    return Evidence(event.origin.source, _place(event.origin, event.about), excerpt(words), event.last)


def of_rest(origin: Origin, words: str, at: float | None = None) -> Evidence:
    return Evidence(origin.source, origin.locator, excerpt(words), at)


def of_workload(workload: Workload, words: str) -> Evidence:
    return Evidence(workload.origin.source, _place(workload.origin, workload.key), excerpt(words))


def of_sample(sample: Sample, words: str = "") -> Evidence:
    shown = ", ".join(f'{k}="{v}"' for k, v in sorted(sample.labels.items())[:6])
    return Evidence(
        "prometheus", sample.origin.locator, excerpt(words or f"{sample.name}{{{shown}}} {sample.value:g}"), sample.at
    )


def of_node(node: Node, words: str) -> Evidence:
    return Evidence(node.origin.source, _place(node.origin, node.key), excerpt(words))


def _place(origin: Origin, key: str) -> str:
    return (
        origin.locator
        if origin.locator and (":" in origin.locator or "/" in origin.locator)
        else f"{origin.locator} {key}".strip()
    )
