"""Summary, totals, waves, audit tables, cross-references and dates against the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.workstreams import values
from console.workstreams.codes import problem
from console.workstreams.derive import Derived, agrees, count
from console.workstreams.model import Index, Key, Number, Problem, SummaryRow


def lint_tail(index: Index) -> Iterator[Problem]:
    """Everything outside the features, and the dates everywhere."""
    yield from _summary(index)
    yield from _claims(index)
    yield from _waves(index)
    yield from _audits(index)
    yield from _dates(index)


def _by_feature(index: Index) -> dict[str, Derived]:
    """Figures per feature id; headings with the same id count together."""
    numbers: dict[str, list[int]] = {}
    unread: dict[str, int] = {}
    for feature, members in zip(index.features, index.members, strict=True):
        numbers.setdefault(feature.id, []).extend(members)
        unread[feature.id] = unread.get(feature.id, 0) + len(feature.unread)
    return {
        name: count([index.workstreams[n] for n in dict.fromkeys(found)], unread[name])
        for name, found in numbers.items()
    }


def _summary(index: Index) -> Iterator[Problem]:
    if not index.summary:
        return
    figures = _by_feature(index)
    everything = count(index.workstreams, index.rows_unread)
    seen: dict[str, int] = {}
    for row in index.summary:
        if not row.feature:
            yield from _summary_row("total-vs-rows", row, everything, "the total")
            continue
        if row.feature not in figures:
            yield problem(
                "summary-unknown",
                row.line,
                f"the summary names {row.feature}, which is no feature of this index",
                feature=row.feature,
                declared=row.label,
            )
        elif row.feature in seen:
            yield problem(
                "summary-duplicate",
                row.line,
                f"the summary already names {row.feature} in line {seen[row.feature]}",
                feature=row.feature,
            )
        else:
            yield from _summary_row("summary-vs-rows", row, figures[row.feature], row.feature)
        seen.setdefault(row.feature, row.line)
    for feature in index.features:
        if feature.id not in seen:
            seen[feature.id] = feature.line
            yield problem(
                "summary-missing", feature.line, f"the summary has no row for {feature.id}", feature=feature.id
            )


def _summary_row(code: str, row: SummaryRow, found: Derived, name: str) -> Iterator[Problem]:
    more = found.unread
    wrong: list[tuple[str, Number, str]] = []
    if row.total and not agrees(row.total, found.total, more=more):
        wrong.append(("total", row.total, str(found.total)))
    if row.completed and not agrees(row.completed, found.completed, more=more):
        wrong.append(("completed", row.completed, str(found.completed)))
    loose = more + found.other
    if row.begun and row.waiting:
        if not agrees(row.begun, found.begun, more=loose):
            wrong.append(("in progress", row.begun, str(found.begun)))
        if not agrees(row.waiting, found.waiting, more=loose) or (
            not more and not row.begun.at_least and not row.waiting.at_least and _sum(row) != found.open and found.other
        ):
            wrong.append(("backlog", row.waiting, str(found.open - found.begun)))
    elif row.waiting and not agrees(row.waiting, found.open, more=more):
        wrong.append(("backlog", row.waiting, str(found.open)))
    elif row.begun and not agrees(row.begun, found.begun, more=loose):
        wrong.append(("in progress", row.begun, str(found.begun)))
    if wrong:
        said = ", ".join(f"{declared} {what} (rows: {derived})" for what, declared, derived in wrong)
        yield problem(
            code,
            row.line,
            f"the summary declares for {name}: {said}",
            feature=row.feature or None,
            declared=", ".join(f"{what} {declared}" for what, declared, _ in wrong),
            derived=", ".join(f"{what} {derived}" for what, _, derived in wrong),
        )


def _sum(row: SummaryRow) -> int:
    return (row.begun.value if row.begun else 0) + (row.waiting.value if row.waiting else 0)


def _claims(index: Index) -> Iterator[Problem]:
    figures = _by_feature(index)
    for claim in index.claims:
        found = figures[claim.feature]
        if not agrees(claim.count, found.total, more=found.unread):
            yield problem(
                "claim-vs-rows",
                claim.line,
                f"{claim.count} workstreams are declared here for {claim.feature}, its rows hold {found.total}",
                feature=claim.feature,
                declared=claim.count,
                derived=found.total,
            )


def _waves(index: Index) -> Iterator[Problem]:
    by_key = {(item.feature, item.id): item for item in index.workstreams}
    by_id = index.by_id()
    planned: dict[int, int] = {}
    placed: list[tuple[int, int, int]] = []
    for step, wave in enumerate(index.waves):
        for entry in wave.items:
            item = by_key.get((entry.feature, entry.id))
            if item is None and not entry.feature and len(by_id.get(entry.id, ())) == 1:
                item = index.workstreams[by_id[entry.id][0]]
            if item is None:
                where = f"in feature {entry.feature}" if entry.feature else "in the index, or not only once"
                yield problem(
                    "wave-reference",
                    entry.line,
                    f"the wave names {entry.id or 'nothing'}, which is not {where}",
                    feature=entry.feature or None,
                    workstream=entry.id or None,
                )
                continue
            planned.setdefault(item.number, step)
            placed.append((item.number, step, entry.line))
            size = item.scope.size if item.scope else ""
            if entry.effort and size and entry.effort.upper() != size:
                yield problem(
                    "wave-size",
                    entry.line,
                    f"the wave calls {item.id} {entry.effort}, its row {size}",
                    feature=item.feature,
                    workstream=item.id,
                    declared=entry.effort,
                    derived=size,
                )
    for number, step, line in placed:
        waiting = index.workstreams[number]
        late = [n for link in index.links[number] for n in link.members if planned.get(n, step) > step]
        if late:
            names = ", ".join(index.workstreams[n].id for n in late[:5])
            yield problem(
                "wave-order",
                line,
                f"{waiting.id} is planned before {names}, which it depends on",
                feature=waiting.feature,
                workstream=waiting.id,
                declared=index.waves[step].title,
                derived=index.waves[planned[late[0]]].title,
            )


def _audits(index: Index) -> Iterator[Problem]:
    by_id = index.by_id()
    for audit in index.audits:
        for name in audit.ids:
            found = [index.workstreams[n] for n in by_id.get(name, ())]
            if not found:
                yield problem(
                    "audit-reference",
                    audit.line,
                    f"{audit.audit} is answered by {name}, which is not in the index",
                    feature=audit.feature,
                    workstream=name,
                )
                continue
            own = [item for item in found if item.feature == audit.feature] or found
            word = values.status(audit.status).word
            if word in ("done", "completed", "closed") and not any(item.completed for item in own):
                yield problem(
                    "audit-status",
                    audit.line,
                    f"{audit.audit} is {audit.status.replace('*', '')!r}, but {name} is not completed",
                    feature=audit.feature,
                    workstream=name,
                    declared=audit.status,
                    derived=own[0].status.text,
                )


def _dates(index: Index) -> Iterator[Problem]:
    """Dates of reviews, audits and reports, and the date at the foot, which should be the latest."""
    footer = _first_date(index.updated)
    late: list[tuple[Key, str, str]] = []
    for feature_id, key in _dated(index):
        found = values.dates(key.value)
        for text in found:
            if values.real_date(text) is None:
                yield problem(
                    "date-invalid", key.line, f"{key.name}: no calendar has {text}", feature=feature_id, declared=text
                )
        real = [text for text in found if values.real_date(text)]
        if footer and real and max(real) > footer:
            late.append((key, max(real), feature_id or ""))
    if index.updated:
        if not values.dates(index.updated.value):
            yield problem(
                "value-unread",
                index.updated.line,
                "Last updated holds no date like 2026-02-13",
                declared=index.updated.value,
            )
        for text in values.dates(index.updated.value)[:1]:
            if values.real_date(text) is None:
                yield problem("date-invalid", index.updated.line, f"no calendar has {text}", declared=text)
    if len(late) == 1:
        key, text, feature_id = late[0]
        yield problem(
            "date-order",
            key.line,
            f"{key.name} {text} is after the last update of this file, {footer}",
            feature=feature_id or None,
            declared=text,
            derived=footer,
        )
    elif late and index.updated:
        latest = max(text for _, text, _ in late)
        yield problem(
            "date-order",
            index.updated.line,
            f"last updated {footer}, but {len(late)} dates in this file are later, the latest {latest}",
            declared=footer,
            derived=latest,
        )
    yield from _reviews(index)


def _reviews(index: Index) -> Iterator[Problem]:
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


def _dated(index: Index) -> Iterator[tuple[str | None, Key]]:
    """Keys that speak of the past and may hold a date."""
    for feature in index.features:
        for key in feature.keys:
            if key.name.lower() in ("audit source", "oneshot report", "source", "review date"):
                yield feature.id, key
    for review in index.reviews:
        for key in review.keys:
            if key.name.lower() in ("review date", "previous"):
                yield review.feature, key


def _first_date(key: Key | None) -> str:
    found: Sequence[str] = values.dates(key.value) if key else ()
    return next((text for text in found if values.real_date(text)), "")
