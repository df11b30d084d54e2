"""Dates of reviews, audits and reports, and the date at the foot of an index, against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.workstreams.codes import problem
from console.workstreams.grammar import values
from console.workstreams.model import Index, IndexProblem, KeyLine


def lint_dates(index: Index) -> Iterator[IndexProblem]:
    """Dates that no calendar has or that exclude each other; the one at the foot should be the latest."""
    footer = _first_date(index.updated)
    late: list[tuple[KeyLine, str, str | None]] = []
    for feature_id, key in _dated(index):
        found = values.dates(key.value)
        for text in found:
            if values.real_date(text) is None:
                yield problem(
                    "date-invalid", key.line, f"{key.name}: no calendar has {text}", feature=feature_id, declared=text
                )
        latest = max((text for text in found if values.real_date(text)), default="")
        if footer and latest > footer:
            late.append((key, latest, feature_id))
    if index.updated:
        yield from _footer(index.updated)
        yield from _late(index.updated, footer, late)
    yield from _reviews(index)


def _footer(updated: KeyLine) -> Iterator[IndexProblem]:
    """The date at the foot itself."""
    found = values.dates(updated.value)
    if not found:
        said = "Last updated holds no date like 2026-02-13"
        yield problem("value-unread", updated.line, said, declared=updated.value)
    elif values.real_date(found[0]) is None:
        yield problem("date-invalid", updated.line, f"no calendar has {found[0]}", declared=found[0])


def _late(updated: KeyLine, footer: str, late: Sequence[tuple[KeyLine, str, str | None]]) -> Iterator[IndexProblem]:
    """Dates after the last update: one stands where it is, several say that the foot is stale."""
    if len(late) == 1:
        key, text, feature_id = late[0]
        yield problem(
            "date-order",
            key.line,
            f"{key.name} {text} is after the last update of this file, {footer}",
            feature=feature_id,
            declared=text,
            derived=footer,
        )
    elif late:
        latest = max(text for _, text, _ in late)
        yield problem(
            "date-order",
            updated.line,
            f"last updated {footer}, but {len(late)} dates in this file are later, the latest {latest}",
            declared=footer,
            derived=latest,
        )


def _reviews(index: Index) -> Iterator[IndexProblem]:
    for review in index.reviews:
        date, previous = _first_date(review.key("Review Date")), _first_date(review.key("Previous"))
        key = review.key("Previous")
        if date and previous and key and previous > date:
            yield problem(
                "date-order",
                key.line,
                f"the previous review of {review.feature} ({previous}) is after the review ({date})",
                feature=review.feature,
                declared=previous,
                derived=date,
            )


def _dated(index: Index) -> Iterator[tuple[str | None, KeyLine]]:
    """Keys that speak of the past and may hold a date."""
    for feature in index.features:
        for key in feature.keys:
            if key.name.lower() in ("audit source", "oneshot report", "source", "review date"):
                yield feature.id, key
    for review in index.reviews:
        for key in review.keys:
            if key.name.lower() in ("review date", "previous"):
                yield review.feature, key


def _first_date(key: KeyLine | None) -> str:
    found: Sequence[str] = values.dates(key.value) if key else ()
    return next((text for text in found if values.real_date(text)), "")
