"""Figures of an index for machines: JSON and Prometheus text. Same input, same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.workstreams.codes import CODES
from console.workstreams.displayed import displayed
from console.workstreams.model import Index
from console.workstreams.reports.view import features


def metrics(index: Index) -> dict[str, Any]:
    """Figures as one JSON document, without `apiVersion`. `percent` is rounded down, null where there are no rows."""
    counts: dict[str, Any] = dict(index.counts())
    counts["percent"] = counts["completed"] * 100 // counts["workstreams"] if counts["workstreams"] else None
    return {
        "totals": counts,
        "features": [
            {
                "id": row.id,
                "title": row.title,
                "declared_status": row.declared or None,
                "derived_status": row.derived,
                "declared_total": row.declared_total or None,
                "total": row.total,
                "completed": row.completed,
                "percent": row.percent,
                "ready": row.ready,
                "blocked": row.blocked,
                "rows_unread": row.unread,
                "contradictions": row.errors,
            }
            for row in features(index)
        ],
        "problems": _problem_counts(index),
    }


def _problem_counts(index: Index) -> dict[str, int]:
    """Entries per code. Codes that need workstream files are missing where none were read: they were not judged."""
    out = {code: 0 for code, about in CODES.items() if index.files is not None or not about.files}
    for item in index.problems:
        out[item.code] = out.get(item.code, 0) + 1
    return out


def exposition(index: Index) -> str:
    """Prometheus text exposition (version 0.0.4), ending with a line feed."""
    return "\n".join(_exposition(index)) + "\n"


def _exposition(index: Index) -> Iterator[str]:
    counts = index.counts()
    states = ("completed", "ready", "blocked")
    names = list(dict.fromkeys(displayed(feature.id) for feature in index.features))
    yield from _family("features", "Feature headings in the index.", [("", counts["features"])])
    yield from _family(
        "rows",
        "Data rows in the feature tables, by whether they were understood.",
        [
            (_labels(state="understood"), counts["rows"] - counts["rows_unread"]),
            (_labels(state="unread"), counts["rows_unread"]),
        ],
    )
    yield from _family(
        "workstreams",
        "Workstreams after expansion of ranges, by what follows from the rows.",
        [(_labels(state=state), counts[state]) for state in states],
    )
    own: dict[str, dict[str, int]] = {name: dict.fromkeys(states, 0) for name in names}
    ready = set(index.ready)
    for item in index.workstreams:
        state = "completed" if item.completed else "ready" if item.number in ready else "blocked"
        own[displayed(item.feature)][state] += 1
    yield from _family(
        "feature_workstreams",
        "Workstreams of a feature, by what follows from its rows.",
        [(_labels(feature=name, state=state), own[name][state]) for name in names for state in states],
    )
    problems = _problem_counts(index)
    yield from _family(
        "problems",
        "Entries of lint by code.",
        [(_labels(code=code, severity=CODES[code].severity), number) for code, number in problems.items()],
    )
    yield from _family("contradictions", "Entries of lint with severity error.", [("", counts["contradictions"])])


def _family(name: str, text: str, series: list[tuple[str, int]]) -> Iterator[str]:
    full = f"console_workstreams_{name}" if name != "workstreams" else "console_workstreams"
    yield f"# HELP {full} {text}"
    yield f"# TYPE {full} gauge"
    for labels, value in series:
        yield f"{full}{labels} {value}"


def _labels(**labels: str) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}"


def _escaped(value: str) -> str:
    return displayed(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
