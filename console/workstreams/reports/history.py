"""Progress over time: figures of earlier versions, a burn-up plot in text, and what changed between two versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from console.base.clock import rfc3339
from console.workstreams.displayed import displayed
from console.workstreams.model import Index


class Point(Struct, frozen=True):
    """An index as it was at a time. `time` is in seconds since the epoch, `commit` empty for the file as it lies."""

    time: float
    commit: str
    path: str
    features: int
    workstreams: int
    completed: int
    ready: int
    blocked: int
    contradictions: int


def point(index: Index, *, time: float, commit: str, path: str) -> Point:
    """The figures of one version."""
    counts = index.counts()
    return Point(
        time=time,
        commit=commit,
        path=path,
        features=counts["features"],
        workstreams=counts["workstreams"],
        completed=counts["completed"],
        ready=counts["ready"],
        blocked=counts["blocked"],
        contradictions=counts["contradictions"],
    )


def burn_up(points: Sequence[Point], *, width: int = 80, height: int = 12, ascii_only: bool = False) -> list[str]:
    """A plot over time: filled up to what was completed, with a line where the total was.

    Args:
        points: in the order of time; between two points the earlier one holds.
        width: of a whole line; height: of the plot without its axis.
    """
    if not points:
        return []
    glyphs = _Glyphs(*(("#", "-", "=", "+", "|", "-") if ascii_only else "█─█└│─"))
    top = max(1, *(p.workstreams for p in points))
    label = len(str(top)) + 1
    columns = max(10, width - label - 1)
    heights = [(p.completed * height / top, p.workstreams * height / top) for p in _at_columns(points, columns)]
    lines: list[str] = []
    for level in range(height, 0, -1):
        value = str(round(top * level / height)) if level in (height, (height + 1) // 2) else ""
        cells = "".join(glyphs.cell(level, completed, total) for completed, total in heights)
        lines.append(f"{value:>{label}}{glyphs.side}{cells.rstrip()}")
    lines.append(f"{'0':>{label}}{glyphs.corner}{glyphs.dash * columns}")
    first, last = ((rfc3339(moment) or "?")[:10] for moment in (points[0].time, points[-1].time))
    gap = columns - len(first) - len(last)
    dates = last if first == last or gap < 1 else first + " " * gap + last
    return [*lines, " " * (label + 1) + dates]


class _Glyphs(NamedTuple):
    fill: str
    total: str
    both: str
    corner: str
    side: str
    dash: str

    def cell(self, level: int, completed: float, total: float) -> str:
        """What stands at a level where so many levels are filled and the total has its line so high."""
        filled = level <= round(completed)
        if level == (max(1, round(total)) if total else 0):
            return self.both if filled else self.total
        return self.fill if filled else " "


def _at_columns(points: Sequence[Point], columns: int) -> list[Point]:
    """The point that holds at each column of a plot."""
    start, end = points[0].time, points[-1].time
    out: list[Point] = []
    place = 0
    for column in range(columns):
        moment = start + (end - start) * column / (columns - 1) if end > start else end
        while place + 1 < len(points) and points[place + 1].time <= moment + 1e-6:
            place += 1
        out.append(points[place])
    return out


class StatusChange(Struct, frozen=True):
    """A workstream whose status changed. `before` or `after` is empty where it did not exist."""

    key: str
    name: str
    before: str
    after: str


class Changes(Struct, frozen=True):
    """What changed between two versions of an index.

    Attributes:
        completed: not completed before (or not there), completed now; `reopened` the other way round.
        added, removed: open workstreams that came, any that went.
        moved: status words that changed without completing anything.
        features_completed: features whose rows are all completed now and were not before.
        totals: (before, after) of completed, workstreams and contradictions.
    """

    completed: tuple[StatusChange, ...]
    reopened: tuple[StatusChange, ...]
    added: tuple[StatusChange, ...]
    removed: tuple[StatusChange, ...]
    moved: tuple[StatusChange, ...]
    features_completed: tuple[str, ...]
    totals: dict[str, tuple[int, int]]


def compare(old: Index, new: Index) -> Changes:
    """Compare two versions by (feature, id)."""
    before = {item.key: item for item in old.workstreams}
    after = {item.key: item for item in new.workstreams}
    completed, reopened, added, moved = [], [], [], []
    for key, item in after.items():
        was = before.get(key)
        change = StatusChange(
            displayed(key), displayed(item.name), displayed(was.status.text) if was else "", displayed(item.status.text)
        )
        if item.completed and (was is None or not was.completed):
            completed.append(change)
        elif was is None:
            added.append(change)
        elif was.completed and not item.completed:
            reopened.append(change)
        elif was.status.word != item.status.word:
            moved.append(change)
    removed = [
        StatusChange(displayed(key), displayed(item.name), displayed(item.status.text), "")
        for key, item in before.items()
        if key not in after
    ]
    done_before, done_after = _done(old), _done(new)
    return Changes(
        completed=tuple(completed),
        reopened=tuple(reopened),
        added=tuple(added),
        removed=tuple(removed),
        moved=tuple(moved),
        features_completed=tuple(name for name in done_after if name not in done_before),
        totals={
            "completed": (old.completed, new.completed),
            "workstreams": (len(old.workstreams), len(new.workstreams)),
            "contradictions": (old.contradictions, new.contradictions),
        },
    )


def _done(index: Index) -> list[str]:
    """Features whose rows were all read and are all completed."""
    return [
        f"{displayed(feature.id)}: {displayed(feature.title)}"
        for feature, members in zip(index.features, index.members, strict=True)
        if members and not feature.unread and all(index.workstreams[n].completed for n in members)
    ]


class MovedFile(Struct, frozen=True):
    """A workstream file that came or changed its folder. `before` is empty for a new file."""

    path: str
    before: str
    id: str
    title: str


def digest_text(changes: Changes, moved: Sequence[MovedFile], *, since: str, until: str) -> str:
    """The digest as plain Markdown."""
    done, total = changes.totals["completed"], changes.totals["workstreams"]
    lines = [
        f"# Workstreams {since} to {until}",
        "",
        f"Completed {done[0]} -> {done[1]} of {total[0]} -> {total[1]}; "
        f"contradictions {changes.totals['contradictions'][0]} -> {changes.totals['contradictions'][1]}.",
    ]
    sections: list[tuple[str, list[str]]] = [
        ("Completed", [_line(change) for change in changes.completed]),
        ("Features completed", list(changes.features_completed)),
        ("Reopened", [f"{_line(change)} ({change.before} -> {change.after})" for change in changes.reopened]),
        ("Status changed", [f"{_line(change)} ({change.before} -> {change.after})" for change in changes.moved]),
        ("Added", [_line(change) for change in changes.added]),
        ("Removed", [_line(change) for change in changes.removed]),
        ("Files that moved to completed", [_file(item) for item in moved]),
    ]
    for title, entries in sections:
        if entries:
            lines += ["", f"## {title} ({len(entries)})", "", *(f"- {entry}" for entry in entries)]
    if all(not entries for _, entries in sections):
        lines += ["", "Nothing changed."]
    return "\n".join(lines) + "\n"


def _line(change: StatusChange) -> str:
    return f"{change.key} {change.name}".rstrip()


def _file(item: MovedFile) -> str:
    origin = f" (from {displayed(item.before)})" if item.before else ""
    return f"{displayed(item.id)} {displayed(item.title)}: {displayed(item.path)}{origin}".strip()
