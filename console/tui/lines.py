"""Lines of text with roles instead of colours: what views return and panes paint. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from rich.cells import cell_len, set_cell_size

from console.base.text import clean, told_apart

TextRole = Literal[
    "text", "dim", "head", "title", "ok", "warn", "crit", "info", "accent", "badge", "badge-prod", "badge-drill", "key",
    "rule", "add", "del", "bar", "bar-crit", "bar-warn", "bar-rest", "input",
]  # fmt: skip


class Span(NamedTuple):
    text: str
    role: TextRole = "text"


class Line(NamedTuple):
    """One line. A line with a `key` can be selected; `key` names what it shows, not where it stands."""

    spans: tuple[Span, ...]
    key: str = ""

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


BLANK = Line(())


def span(text: object, role: TextRole = "text") -> Span:
    """A span of untrusted text."""
    return Span(clean(str(text)), role)


def line(*parts: Span | str, key: str = "") -> Line:
    """A line of spans and plain texts; plain texts are cleaned."""
    return Line(tuple(part if isinstance(part, Span) else span(part) for part in parts), key)


def rule(title: str = "", width: int = 78) -> Line:
    """A horizontal rule that may carry a title."""
    head = f"── {clean(title)} " if title else ""
    return Line((Span(head + "─" * max(0, width - cell_len(head)), "rule"),))


def fit(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """`text` in exactly `width` cells; what does not fit ends in an ellipsis."""
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, max(0, width - 1)) + "…" if width > 0 else ""
    pad = " " * (width - size)
    return text + pad if align == "left" else pad + text


def fit_middle(text: str, width: int, align: Literal["left", "right"] = "left") -> str:
    """`text` in exactly `width` cells; a name that does not fit loses its middle: both ends tell names apart."""
    if cell_len(text) <= width or width < 5:
        return fit(text, width, align)
    text = told_apart(text)
    if cell_len(text) <= width:
        return fit(text, width, align)
    head = width // 2 - 1
    tail = width - 1 - head
    return set_cell_size(text, head) + "…" + set_cell_size(text[::-1], tail)[::-1]


def cut(line: Line, width: int) -> Line:
    """`line` in at most `width` cells; what does not fit ends in an ellipsis."""
    if cell_len(line.text) <= width:
        return line
    spans: list[Span] = []
    left = width
    for part in line.spans:
        size = cell_len(part.text)
        if size < left:
            spans.append(part)
            left -= size
            continue
        spans.append(Span(fit(part.text + " ", left), part.role))
        break
    return line._replace(spans=tuple(spans))


def clipped(text: str, width: int, most: int) -> list[str]:
    """`text` wrapped in at most `most` lines; where more would follow, the last ends in an ellipsis."""
    texts = wrap(text, width)
    return texts if len(texts) <= most else [*texts[: most - 1], fit(f"{texts[most - 1]} …", width).rstrip()]


def told(text: str, width: int, role: TextRole = "dim") -> list[Line]:
    """A sentence that stands alone, in as many lines as it takes."""
    return [Line((Span(" "), Span(part, role))) for part in wrap(text, max(8, width - 2))]


class TableColumn(NamedTuple):
    """A column. `width` 0 shares what is left, by `grow`; the highest `drop` goes first where it is tight.

    `names`: what does not fit loses its middle instead of its end.
    """

    title: str
    width: int
    align: Literal["left", "right"] = "left"
    drop: int = 0
    least: int = 12
    grow: int = 1
    names: bool = False


def layout(columns: Sequence[TableColumn], width: int) -> list[tuple[int, int]]:
    """Which columns are shown in `width` cells and how wide: (index, width), in order. Gaps are one cell."""
    shown = list(range(len(columns)))

    def need(indices: list[int]) -> int:
        return sum(columns[i].width or columns[i].least for i in indices) + max(0, len(indices) - 1)

    while len(shown) > 1 and need(shown) > width:
        victim = max(shown, key=lambda i: (columns[i].drop, i))
        if columns[victim].drop == 0:
            break
        shown.remove(victim)
    left = width - need(shown)
    flexible = [i for i in shown if columns[i].width == 0]
    parts = sum(columns[i].grow for i in flexible)
    more = {i: max(0, left) * columns[i].grow // parts for i in flexible}
    if flexible:
        more[flexible[0]] += max(0, left) - sum(more.values())
    return [(i, columns[i].width or columns[i].least + more[i]) for i in shown]


Cell = Span | str | tuple[Span, ...]


def row(columns: Sequence[TableColumn], cells: Sequence[Cell], width: int, *, key: str = "", lead: str = " ") -> Line:
    """One row of a table, fitted to `width`. A cell of several spans is only padded: its maker fits it."""
    spans = [Span(lead)]
    for place, (index, size) in enumerate(layout(columns, width - cell_len(lead))):
        cell = cells[index]
        gap = " " if place else ""
        if isinstance(cell, str):
            cell = span(cell)
        if isinstance(cell, Span):
            fitted = fit_middle if columns[index].names else fit
            spans.append(Span(gap + fitted(cell.text, size, columns[index].align), cell.role))
        else:
            used = sum(cell_len(part.text) for part in cell)
            spans += [Span(gap), *cell, Span(" " * max(0, size - used))]
    return Line(tuple(spans), key)


def header(columns: Sequence[TableColumn], width: int, lead: str = " ") -> Line:
    """The titles of `columns`."""
    return row(columns, [Span(c.title, "head") for c in columns], width, lead=lead)


def bar(share: float | None, width: int, role: TextRole = "bar") -> tuple[Span, Span]:
    """A bar of `share` (0–1) in eighths of a cell, and its rest. None is drawn as no data."""
    if share is None:
        return Span(fit("no data", width), "dim"), Span("")
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, part = divmod(eighths, 8)
    text = "█" * full + (" ▏▎▍▌▋▊▉"[part] if part else "")
    return Span(text, role), Span("·" * (width - cell_len(text)), "bar-rest")


SPARKS = "▁▂▃▄▅▆▇█"


def spark(values: Sequence[float | None], width: int, top: float | None = None) -> str:
    """The last of `values` as a line of bars in at most `width` cells; what is not known is a blank.

    Args:
        top: the value of the highest bar; None takes the largest of those that are shown.
    """
    per = max(1, -(-len(values) // width)) if width > 0 else 1
    groups = [[v for v in values[at : at + per] if v is not None] for at in range(0, len(values), per)]
    shown = [max(group) if group else None for group in groups][-width:]
    most = top if top is not None else max((v for v in shown if v is not None), default=0.0)

    def one(value: float | None) -> str:
        if value is None:
            return " "
        return SPARKS[0] if most <= 0 else SPARKS[round(max(0.0, min(1.0, value / most)) * (len(SPARKS) - 1))]

    return "".join(map(one, shown))


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken at blanks where possible."""
    out: list[str] = []
    for paragraph in clean(text, lines=True).split("\n"):
        current = ""
        for word in paragraph.split(" "):
            while cell_len(word) > width:
                room = width - cell_len(current) - (1 if current else 0)
                if room < 8:
                    out.append(current)
                    current, room = "", width
                head = set_cell_size(word, room).rstrip()
                out.append(f"{current} {head}" if current else head)
                word, current = word[len(head) :], ""
            if current and cell_len(current) + 1 + cell_len(word) > width:
                out.append(current)
                current = word
            else:
                current = f"{current} {word}" if current else word
        out.append(current)
    return out


class Lines(Protocol):
    """What a pane shows: lines made when they become visible."""

    def __len__(self) -> int: ...

    def line(self, index: int, width: int) -> Line: ...

    def key(self, index: int) -> str: ...

    def find(self, key: str) -> int | None: ...


class FixedLines:
    """Lines that are already made."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._places = {line.key: index for index, line in reversed(list(enumerate(lines))) if line.key}

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, index: int, width: int) -> Line:
        return self._lines[index]

    def key(self, index: int) -> str:
        return self._lines[index].key

    def find(self, key: str) -> int | None:
        return self._places.get(key)
