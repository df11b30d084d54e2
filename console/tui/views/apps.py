"""Apps: every Spark application, the sick ones first; made line by line, so that thousands cost nothing."""

from __future__ import annotations

from collections.abc import Sequence

from console.health.model import Board, Finding, SparkApp
from console.live.situation import Situation
from console.tui.lines import Cell, Column, Line, Span, header, line, row, span, told
from console.tui.words import age, executors, state_role

COLUMNS = (
    Column("NAME", 0, least=20),
    Column("NAMESPACE", 14, drop=2),
    Column("STATE", 14),
    Column("EXEC", 7, "right"),
    Column("TRY", 3, "right", drop=4),
    Column("AGE", 6, "right"),
    Column("BY", 9, drop=3),
    Column("SPARK", 7, drop=5),
    Column("WHY", 0, least=18, drop=1),
)


def matches(app: SparkApp, text: str) -> bool:
    """Whether the filter `text` fits: every word in the name, namespace, state or launcher; `!word` excludes."""
    hay = f"{app.key} {app.state} {app.launcher} {app.app_id} {app.spark_version}".lower()
    return all(
        (word[1:] not in hay) if word.startswith("!") and len(word) > 1 else word in hay
        for word in text.lower().split()
    )


class AppLines:
    """The table as `Lines`: a title line and one line per application, made when visible."""

    def __init__(self, board: Board, wanted: str = "", marked: frozenset[str] = frozenset()) -> None:
        self._board, self._marked = board, marked
        self.apps: Sequence[SparkApp] = [a for a in board.apps if matches(a, wanted)] if wanted else board.apps
        self._worst: dict[str, Finding] = {}
        for finding in board.findings:
            if finding.app:
                self._worst.setdefault(finding.app, finding)
        self._places = {app.key: index + 1 for index, app in enumerate(self.apps)}

    def __len__(self) -> int:
        return len(self.apps) + 1

    def key(self, index: int) -> str:
        return self.apps[index - 1].key if 0 < index <= len(self.apps) else ""

    def find(self, key: str) -> int | None:
        return self._places.get(key)

    def line(self, index: int, width: int) -> Line:
        if index == 0:
            return header(COLUMNS, width)
        app = self.apps[index - 1]
        worst = self._worst.get(app.key)
        why: Cell = span(worst.title, "crit" if worst.severity == "critical" else "warn") if worst else Span("")
        cells: list[Cell] = [
            span(app.name, "title" if worst else "text"),
            span(app.namespace, "dim"),
            span(app.state, state_role(app.state)),
            executors(app),
            str(app.attempt or ""),
            age(self._board, app.started),
            span(app.launcher, "dim"),
            span(app.spark_version, "dim"),
            why,
        ]
        return row(COLUMNS, cells, width, key=app.key, lead="*" if app.key in self._marked else " ")


def empty(situation: Situation, wanted: str, width: int) -> list[Line]:
    """What stands there when no application does."""
    if situation.phase != "live":
        return [line(span(" applications: not known yet", "dim"))]
    if wanted:
        return [line(span(f" no application fits {wanted!r}", "dim"), span("   esc clears the filter", "dim"))]
    blind = [s for s in situation.board.sources if s.state in ("forbidden", "unreachable", "login needed")]
    if blind:
        return [
            part
            for s in blind
            for part in told(f"no application can be seen: {s.name} {s.state} {s.detail}", width, "warn")
        ]
    return [line(span(" no Spark application runs in the namespaces that are watched", "dim"))]
