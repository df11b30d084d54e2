"""Summary, totals, waves, audit tables and cross-references against the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.workstreams.codes import problem
from console.workstreams.derived.figures import Derived, agrees, count
from console.workstreams.grammar import values
from console.workstreams.model import Index, IndexProblem, Number, SummaryRow, WaveItem, Workstream


def lint_tail(index: Index) -> Iterator[IndexProblem]:
    """Everything outside the features."""
    yield from _summary(index)
    yield from _claims(index)
    yield from _waves(index)
    yield from _audits(index)


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


def _summary(index: Index) -> Iterator[IndexProblem]:
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


def _summary_row(code: str, row: SummaryRow, found: Derived, name: str) -> Iterator[IndexProblem]:
    wrong = [*_counts_wrong(row, found), *_open_wrong(row, found)]
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


def _counts_wrong(row: SummaryRow, found: Derived) -> Iterator[tuple[str, Number, int]]:
    """The declared total and completed figures that do not fit, with what the rows say."""
    if row.total and not agrees(row.total, found.total, more=found.unread):
        yield "total", row.total, found.total
    if row.completed and not agrees(row.completed, found.completed, more=found.unread):
        yield "completed", row.completed, found.completed


def _open_wrong(row: SummaryRow, found: Derived) -> Iterator[tuple[str, Number, int]]:
    """The same for what is not completed. A status that says neither begun nor waiting may stand in either column."""
    loose = found.unread + found.other
    if row.begun and not agrees(row.begun, found.begun, more=loose):
        yield "in progress", row.begun, found.begun
    if row.waiting and not row.begun:
        if not agrees(row.waiting, found.open, more=found.unread):
            yield "backlog", row.waiting, found.open
    elif row.waiting and row.begun:
        lost = found.other and not found.unread and _sum_differs(row.begun, row.waiting, found.open)
        if lost or not agrees(row.waiting, found.waiting, more=loose):
            yield "backlog", row.waiting, found.open - found.begun


def _sum_differs(begun: Number, waiting: Number, derived: int) -> bool:
    """Whether two figures that are meant exactly add up to something else."""
    return not begun.at_least and not waiting.at_least and begun.value + waiting.value != derived


def _claims(index: Index) -> Iterator[IndexProblem]:
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


def _waves(index: Index) -> Iterator[IndexProblem]:
    by_key = {(item.feature, item.id): item for item in index.workstreams}
    placed: list[tuple[Workstream, int, int]] = []
    for step, wave in enumerate(index.waves):
        for entry in wave.items:
            item = by_key.get((entry.feature, entry.id)) or _only_one(index, entry)
            if item is None:
                yield _wave_reference(entry)
                continue
            placed.append((item, step, entry.line))
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
    yield from _wave_order(index, placed)


def _only_one(index: Index, entry: WaveItem) -> Workstream | None:
    """What a wave names without its feature, where no other has that id."""
    numbers = () if entry.feature else index.by_id().get(entry.id, ())
    return index.workstreams[numbers[0]] if len(numbers) == 1 else None


def _wave_reference(entry: WaveItem) -> IndexProblem:
    where = f"in feature {entry.feature}" if entry.feature else "in the index, or not only once"
    return problem(
        "wave-reference",
        entry.line,
        f"the wave names {entry.id or 'nothing'}, which is not {where}",
        feature=entry.feature or None,
        workstream=entry.id or None,
    )


def _wave_order(index: Index, placed: Sequence[tuple[Workstream, int, int]]) -> Iterator[IndexProblem]:
    """Workstreams in an earlier wave than what they depend on; `placed` holds (workstream, wave, line)."""
    planned: dict[int, int] = {}
    for item, step, _ in placed:
        planned.setdefault(item.number, step)
    for item, step, line in placed:
        late = [n for link in index.links[item.number] for n in link.members if planned.get(n, step) > step]
        if late:
            names = ", ".join(index.workstreams[n].id for n in late[:5])
            yield problem(
                "wave-order",
                line,
                f"{item.id} is planned before {names}, which it depends on",
                feature=item.feature,
                workstream=item.id,
                declared=index.waves[step].title,
                derived=index.waves[planned[late[0]]].title,
            )


def _audits(index: Index) -> Iterator[IndexProblem]:
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
