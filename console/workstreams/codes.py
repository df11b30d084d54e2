"""The closed list of lint codes. A code always has the same severity.

`error` is a contradiction, or something that could not be read and therefore is missing from the figures; `warning` is
doubtful or less exact than it should be; `note` says what was not judged. There is one entry per code and line.

`console workstreams lint --codes` prints this list.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from console.base.text import shorten
from console.workstreams.displayed import displayed
from console.workstreams.model import IndexProblem, ProblemSeverity

LOC_TOLERANCE = 0.10
"""How far a sum of LOC may lie from the declared figure where one of them says `~` (about): a tenth of the latter."""


class Code(Struct, frozen=True):
    """A code, how grave it is, what it says, at which line it stands, and whether it needs workstream files."""

    code: str
    severity: ProblemSeverity
    meaning: str
    at: str
    files: bool = False


def _codes(severity: ProblemSeverity, *rows: tuple[str, str, str]) -> list[Code]:
    return [Code(code, severity, meaning, at, "(--files)" in meaning) for code, meaning, at in rows]


CODES: dict[str, Code] = {
    code.code: code
    for code in [
        *_codes(
            "error",
            ("row-unread", "a data row that cannot be understood; it is counted in rows_unread", "the row"),
            ("row-outside", "looks like a row, but the table above had already ended; it is not counted", "the row"),
            ("table-outside", "looks like a table of workstreams, but belongs to no feature; not counted", "the table"),
            ("heading-unread", "looks like a feature heading, but is none; nothing below it is counted", "the heading"),
            ("id-duplicate", "the id stands in another row too, of this or of another feature", "each further row"),
            ("feature-duplicate", "a second heading with the same feature id", "the second heading"),
            ("dependency-unknown", "a dependency names nothing that exists, or cannot be understood", "the row"),
            ("dependency-ambiguous", "a dependency names an id that several other features have", "the row"),
            ("completed-on-open", "completed, but a dependency is not completed", "the completed row"),
            ("cycle", "workstreams wait for each other", "the first row of the cycle"),
            ("header-vs-rows", "Total Workstreams differs from the rows", "the key line"),
            ("scenario-sum", "Total Scenarios differs from the sum of the rows", "the key line"),
            ("loc-sum", "the LOC of the feature differ from the sum of the rows beyond the tolerance", "the key line"),
            ("status-vs-rows", "the status of the feature contradicts the statuses of its rows", "the key line"),
            ("summary-vs-rows", "a row of the summary differs from the rows of the feature", "the summary row"),
            ("summary-unknown", "the summary names a feature that does not exist", "the summary row"),
            ("summary-duplicate", "the summary names a feature twice", "the second summary row"),
            ("summary-unread", "a row of the summary that cannot be understood", "the summary row"),
            ("total-vs-rows", "the total of the summary differs from all rows", "the total row"),
            ("claim-vs-rows", "a count of workstreams in a cross-reference differs from the rows", "the reference"),
            ("art-vs-table", "the dependency drawing and the table disagree about a workstream", "the drawing"),
            ("date-invalid", "a date that no calendar has", "the date"),
            ("date-order", "dates that exclude each other", "the later date, or the stale footer"),
            ("status-vs-file", "the row and its workstream file disagree about the status (--files)", "the row"),
            ("status-vs-folder", "the row and the folder of its file disagree (--files)", "the row"),
            ("file-vs-folder", "the status in a workstream file and its folder disagree (--files)", "the file"),
            ("file-duplicate", "several files for one workstream (--files)", "the row, or the second file"),
        ),
        *_codes(
            "warning",
            ("status-word", "a status word that is not known; it counts as not completed", "the row or key line"),
            ("value-unread", "a declared figure or date that cannot be read; it was not compared", "the key line"),
            ("key-duplicate", "a key stands twice; the first counts", "the second"),
            ("feature-empty", "a feature without any row that was understood", "the heading"),
            ("table-ignored", "a further table before the first ###; its rows are not workstreams", "the table"),
            ("table-heading", "the table lacks its delimiter row or its heading, or they differ in width", "the table"),
            ("fence-open", "a code fence is never closed; it was taken to end before the next ##", "the fence"),
            ("encoding", "the text is not clean UTF-8", "the first line concerned"),
            ("summary-missing", "the summary lacks a feature", "the heading of the feature"),
            ("wave-reference", "a wave names a workstream that its feature does not have", "the wave row"),
            ("wave-order", "a wave comes before another that it depends on", "the wave row"),
            ("wave-size", "a wave and the row disagree about the size", "the wave row"),
            ("audit-reference", "an audit table names a workstream that does not exist", "the audit row"),
            ("audit-status", "an audit table says done, the workstream is not completed", "the audit row"),
            ("file-missing", "no file for a workstream (--files)", "the row"),
            ("file-unknown", "a file whose workstream is not in the index (--files)", "the file"),
            ("file-unread", "a workstream file that cannot be understood (--files)", "the file"),
            ("file-criteria", "open acceptance criteria in a file that counts as completed (--files)", "the file"),
        ),
        *_codes(
            "note",
            ("art-unread", "the dependency drawing cannot be read reliably; it was not compared", "the drawing"),
        ),
    ]
}


def problem(
    code: str,
    line: int | None,
    message: str,
    *,
    feature: str | None = None,
    workstream: str | None = None,
    declared: object = None,
    derived: object = None,
    file: str = "",
    at: int = 0,
) -> IndexProblem:
    """An entry of a known code. Texts are cleaned and cut: they quote the file."""
    return IndexProblem(
        code=code,
        severity=CODES[code].severity,
        message=shorten(displayed(message), 600),
        line=line,
        feature=None if feature is None else shorten(displayed(feature), 80),
        workstream=workstream,
        declared=None if declared is None else shorten(displayed(str(declared)), 200),
        derived=None if derived is None else shorten(displayed(str(derived)), 200),
        file=file,
        at=at,
    )


def settle(problems: Iterable[IndexProblem]) -> tuple[IndexProblem, ...]:
    """One entry per code and place, in the order of lines; what was said later about the same place is appended."""
    kept: dict[tuple[str, int | None, str, int], IndexProblem] = {}
    more: dict[tuple[str, int | None, str, int], list[IndexProblem]] = {}
    for item in problems:
        where = (item.code, item.line, "" if item.line else item.file, 0 if item.line else item.at)
        if where in kept:
            more.setdefault(where, []).append(item)
        else:
            kept[where] = item
    for where, items in more.items():
        first = kept[where]
        texts = list(dict.fromkeys(item.message for item in items if item.message != first.message))
        tail = "; ".join(texts[:3]) + (f"; and {len(texts) - 3} more" if len(texts) > 3 else "")
        if tail:
            kept[where] = _with_message(first, f"{first.message}; {tail}")
    return tuple(
        sorted(
            kept.values(),
            key=lambda p: (p.line is None, p.line or 0, p.file if p.line is None else "", p.at, p.code),
        )
    )


def _with_message(item: IndexProblem, message: str) -> IndexProblem:
    return problem(
        item.code,
        item.line,
        message,
        feature=item.feature,
        workstream=item.workstream,
        declared=item.declared,
        derived=item.derived,
        file=item.file,
        at=item.at,
    )
