"""Components: the systems of the platform and whether they work."""

from __future__ import annotations

from console.health.model import Component
from console.tui.lines import BLANK, Cell, Column, Fixed, Line, Lines, Span, header, line, row, span
from console.tui.pages.base import FILTER, Page
from console.tui.words import COMPONENT

COLUMNS = (
    Column("COMPONENT", 26),
    Column("STATE", 9),
    Column("EXPECTED", 8, drop=2),
    Column("FOUND", 0, least=16, drop=1),
    Column("WHY", 0, least=20),
)


class ComponentsPage(Page):
    name = "components"
    filters = True
    keys = (FILTER,)

    def show(self, width: int, height: int) -> Lines:
        shown = [c for c in self.hub.board.components if self.wanted.lower() in f"{c.id} {c.title} {c.state}".lower()]
        if not shown:
            return Fixed([line(span(" no component is known here: choose a preset, or nothing was found", "dim"))])
        out: list[Line] = [header(COLUMNS, width), *(_row(c, width) for c in shown)]
        chosen = next((c for c in shown if f"component:{c.id}" == self.selected), None)
        if chosen is not None and chosen.evidence:
            out.append(BLANK)
            for item in chosen.evidence:
                out.append(line(Span("   seen  ", "ok"), span(item.excerpt)))
                out.append(line(Span("         "), span(f"{item.source} · {item.locator}", "dim")))
        return Fixed(out)


def _row(component: Component, width: int) -> Line:
    cells: list[Cell] = [
        span(component.title),
        span(component.state, COMPONENT[component.state]),
        span("yes" if component.expected else "no", "dim"),
        span(", ".join(component.found) or "–", "dim"),
        span(component.reason),
    ]
    return row(COLUMNS, cells, width, key=f"component:{component.id}")
