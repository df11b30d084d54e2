"""What the shape of a component file cannot say: patterns that do not compile, wrong PromQL, equal ids."""

from __future__ import annotations

import re

import promql_parser

from console.base.document import Document, Path
from console.base.errors import DocumentError
from console.components.spec import Definition


def problems(made: Definition, document: Document) -> list[DocumentError]:
    """Every problem of a component, at its place."""
    out: list[DocumentError] = []
    seen: set[str] = set()
    for index, way in enumerate(made.find):
        try:
            re.compile(way.conf)
        except re.error as error:
            out.append(document.error(("find", index, "conf"), f"this is no regular expression: {error}"))
    for index, signal in enumerate(made.signals):
        at: Path = ("signals", index)
        if signal.id in seen:
            out.append(document.error((*at, "id"), f"there are two signals {signal.id!r}"))
        seen.add(signal.id)
        patterns: list[tuple[Path, str | None]] = []
        if signal.log is not None:
            patterns += [((*at, "log", "bad"), signal.log.bad), ((*at, "log", "good"), signal.log.good)]
        if signal.event is not None:
            patterns.append(((*at, "event", "message"), signal.event.message))
        if signal.needs is not None:
            patterns.append(((*at, "needs", "conf"), signal.needs.conf))
        for place, pattern in patterns:
            try:
                re.compile(pattern or "")
            except re.error as error:
                out.append(document.error(place, f"this is no regular expression: {error}"))
        if signal.metric is not None:
            try:
                promql_parser.parse(signal.metric.query)
            except ValueError as error:
                words = str(error).splitlines()[0]
                out.append(document.error((*at, "metric", "query"), f"this is no PromQL: {words}"))
    return out
