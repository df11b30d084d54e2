"""Apps: every Spark application, the sick ones first; made line by line, so that thousands cost nothing."""

from __future__ import annotations

from collections.abc import Sequence

from console.apps.model import SparkApp
from console.board.model import Board
from console.findings.model import Finding
from console.live.shown import age, executors, no_app_because, tries
from console.live.situation import Situation
from console.tui.filters import fits
from console.tui.lines import Cell, Line, Span, TableColumn, header, line, row, span, told
from console.tui.words import state_role

COLUMNS = (
    TableColumn("NAME", 0, least=20, names=True),
    TableColumn("NAMESPACE", 14, drop=2, names=True),
    TableColumn("STATE", 14),
    TableColumn("EXEC", 7, "right"),
    TableColumn("TRY", 4, "right", drop=4),
    TableColumn("AGE", 6, "right"),
    TableColumn("BY", 9, drop=3),
    TableColumn("SPARK", 7, drop=5),
    TableColumn("WHY", 0, least=18, drop=1),
)


def matches(app: SparkApp, text: str) -> bool:
    """Whether the filter `text` fits its name, namespace, state, launcher, id or version."""
    return fits(text, app.key, app.state, app.launcher, app.app_id, app.spark_version)


class AppLines:
    """The table as `Lines`: a title line and one line per application, made when visible, then those of `foot`."""

    def __init__(
        self, board: Board, wanted: str = "", marked: frozenset[str] = frozenset(), foot: Sequence[Line] = ()
    ) -> None:
        self._board, self._marked, self._foot = board, marked, foot
        self.apps: Sequence[SparkApp] = [a for a in board.apps if matches(a, wanted)] if wanted else board.apps
        self._worst: dict[str, Finding] = {}
        for finding in board.findings:
            if finding.app:
                self._worst.setdefault(finding.app, finding)
        self._places = {app.key: index + 1 for index, app in enumerate(self.apps)}

    def __len__(self) -> int:
        return len(self.apps) + 1 + len(self._foot)

    def key(self, index: int) -> str:
        return self.apps[index - 1].key if 0 < index <= len(self.apps) else ""

    def find(self, key: str) -> int | None:
        return self._places.get(key)

    def line(self, index: int, width: int) -> Line:
        if index == 0:
            return header(COLUMNS, width)
        if index > len(self.apps):
            return self._foot[index - 1 - len(self.apps)]
        app = self.apps[index - 1]
        worst = self._worst.get(app.key)
        why: Cell = span(worst.title, "crit" if worst.severity == "critical" else "warn") if worst else Span("")
        cells: list[Cell] = [
            span(app.name, "title" if worst else "text"),
            span(app.namespace, "dim"),
            span(app.state, state_role(app.state)),
            executors(app),
            tries(app),
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
    if blind := no_app_because(situation.board):
        return [part for why in blind for part in told(f"no application can be seen: {why}", width, "warn")]
    return [line(span(" no Spark application runs in the namespaces that are watched", "dim"))]
