"""The widgets that paint lines: `Pane` scrolls and selects, `StatusLine` is one line. Only what changed is painted."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from console.tui.lines import BLANK, FixedLines, Line, Lines, Span, cut
from console.tui.palette import Palette


def strip(line: Line, width: int, palette: Palette, *, selected: bool = False) -> Strip:
    """`line` as exactly `width` cells; what does not fit ends in an ellipsis."""
    segments = []
    for span in cut(line, width).spans:
        style = palette.style(span.role)
        segments.append(Segment(palette.shape(span.text), style + palette.cursor if selected else style))
    base = palette.style("text")
    return Strip(segments).adjust_cell_length(width, base + palette.cursor if selected else base)


class StatusLine(Widget):
    """One line at the top or the bottom."""

    DEFAULT_CSS = "StatusLine { height: 1; }"

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._line = BLANK

    def show(self, line: Line) -> None:
        """Paint `line`, unless it stands there already."""
        if line != self._line:
            self._line = line
            self.refresh()

    def render_line(self, y: int) -> Strip:
        return strip(self._line if y == 0 else BLANK, self.size.width, self._palette)


class Pane(ScrollView, can_focus=True):
    """Lines that scroll, with a cursor on those that have a key.

    The cursor stays on its key when lines come and go; when the key is gone it stays near where it was.
    """

    DEFAULT_CSS = """
    Pane { height: 1fr; width: 1fr; scrollbar-size: 0 0; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "down", show=False),
        Binding("k,up", "move(-1)", "up", show=False),
        Binding("g,home", "first", "first", show=False),
        Binding("G,end", "last", "last", show=False),
        Binding("ctrl+f,pagedown", "page(1)", "page down", show=False),
        Binding("ctrl+b,pageup", "page(-1)", "page up", show=False),
        Binding("enter", "open", "open", show=False),
    ]

    class CursorMoved(Message):
        """The cursor stands on another key."""

        def __init__(self, pane: Pane, key: str) -> None:
            super().__init__()
            self.pane, self.key = pane, key

        @property
        def control(self) -> Pane:
            return self.pane

    class Resized(CursorMoved):
        """It is larger or smaller now: what it shows must be laid out anew."""

    class Opened(CursorMoved):
        """Enter was pressed on a key."""

    class Scrolled(CursorMoved):
        """Other lines are in sight now."""

    def __init__(self, palette: Palette, *, id: str | None = None, cursor: bool = True) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._lines: Lines = FixedLines(())
        self._cursor = -1
        self._key = ""
        self._painted: dict[int, Line] = {}
        self._with_cursor = cursor
        self._was_elsewhere = False
        self.steer: Callable[[int], bool] = lambda step: False
        """Asked first when the cursor is to move by -1 or 1; True where that was done elsewhere."""
        self.touched: Callable[[], None] = lambda: None
        """Called when a person moves it themselves."""
        self.cursor_elsewhere = False
        """Whether what is marked stands outside of this pane now."""
        self.follows = False
        """Whether the last line stays in sight when lines are added while it is in sight."""

    @property
    def key(self) -> str:
        """What the cursor stands on; `` where nothing can be selected."""
        return self._key

    def show(self, lines: Lines) -> None:
        """Replace the lines; only visible ones that differ are painted."""
        at_end = self.scroll_offset.y >= len(self._lines) - self.size.height
        self._lines = lines
        if self.cursor_elsewhere != self._was_elsewhere:
            self._was_elsewhere = self.cursor_elsewhere
            self._painted.clear()
            self.refresh()
        self._fit()
        self._settle()
        lowest = max(0, len(lines) - self.size.height)
        if self.scroll_offset.y > lowest or (self.follows and at_end):
            self.scroll_to(y=lowest, animate=False, immediate=True)
        self._repaint_changed()

    def _fit(self) -> None:
        """The virtual size; while everything fits it stays as high as the pane, so that nothing is laid out again."""
        size = Size(self.size.width, max(self.size.height, len(self._lines)))
        if size != self.virtual_size:
            self.virtual_size = size

    def has(self, key: str) -> bool:
        """Whether a line has this key."""
        return self._lines.find(key) is not None

    def select(self, key: str) -> None:
        """Put the cursor on `key`, if it is there."""
        place = self._lines.find(key)
        if place is not None:
            self._put(place)

    def reset(self) -> None:
        """Forget cursor and scroll position: another page is shown."""
        self._cursor, self._key = -1, ""
        self._painted.clear()
        self.scroll_to(y=0, animate=False, immediate=True)
        self.refresh()

    def to_top(self) -> None:
        """Show the first line, with the cursor on the first that can be selected."""
        self._cursor, self._key = -1, ""
        self.scroll_to(y=0, animate=False, immediate=True)

    def to_end(self) -> None:
        """Show the last line."""
        self.scroll_to(y=max(0, len(self._lines) - self.size.height), animate=False, immediate=True)

    @property
    def below(self) -> int:
        """How many lines follow below those in sight."""
        return max(0, len(self._lines) - self.scroll_offset.y - self.size.height)

    @property
    def at_last(self) -> bool:
        """Whether nothing below the cursor can be selected."""
        return self._next(self._cursor, 1) is None

    def selected_text(self) -> str:
        """The text of the line under the cursor without what marks it, or ``."""
        if not 0 <= self._cursor < len(self._lines):
            return ""
        return self._lines.line(self._cursor, self.size.width).text.strip(" ▐│▸")

    def _settle(self) -> None:
        if not self._with_cursor:
            return
        place = self._lines.find(self._key) if self._key else None
        if place is None:
            start = max(0, min(self._cursor, len(self._lines) - 1))
            place = self._next(start - 1, 1)
            if place is None:
                place = self._next(start, -1)
        before = (self._cursor, self._key)
        self._cursor = -1 if place is None else place
        self._key = "" if place is None else self._lines.key(place)
        if (self._cursor, self._key) != before:
            self._painted.clear()
            self.refresh()
            if self._key != before[1]:
                self.post_message(self.CursorMoved(self, self._key))

    def _repaint_changed(self) -> None:
        width, top = self.size.width, self.scroll_offset.y
        for y in range(self.size.height):
            index = top + y
            now = self._lines.line(index, width) if index < len(self._lines) else BLANK
            if self._painted.get(y) != now:
                self.refresh(Region(0, y, width, 1))

    def _next(self, start: int, step: int) -> int | None:
        index = start + step
        while 0 <= index < len(self._lines):
            if self._lines.key(index):
                return index
            index += step
        return None

    def _put(self, place: int) -> None:
        if place == self._cursor:
            return
        old, self._cursor = self._cursor, place
        self._key = self._lines.key(place)
        self._reveal(place)
        for index in (old, place):
            y = index - self.scroll_offset.y
            if 0 <= y < self.size.height:
                self.refresh(Region(0, y, self.size.width, 1))
        self.post_message(self.CursorMoved(self, self._key))

    def _reveal(self, place: int) -> None:
        top, height = self.scroll_offset.y, self.size.height
        first = self._next(-1, 1)
        if place == first:
            self.scroll_to(y=0, animate=False, immediate=True)
        elif place < top:
            self.scroll_to(y=place, animate=False, immediate=True)
        elif place >= top + height:
            self.scroll_to(y=place - height + 1, animate=False, immediate=True)

    def action_move(self, step: int) -> None:
        if self.steer(step):
            return
        self.touched()
        place = self._next(self._cursor, step) if self._with_cursor else None
        if place is not None:
            self._put(place)
        else:
            self.scroll_relative(y=step, animate=False, immediate=True)

    def action_page(self, step: int) -> None:
        self.touched()
        target = self._cursor + step * max(1, self.size.height - 1)
        if not self._with_cursor or self._cursor < 0:
            self.scroll_relative(y=step * max(1, self.size.height - 1), animate=False, immediate=True)
            return
        place = self._next(min(max(target, 0), len(self._lines) - 1) - step, step)
        place = place if place is not None else self._edge(step)
        was, height = self.scroll_offset.y, self.size.height
        whole = 0 <= (place - was if step > 0 else was - place + height - 1) < 2 * height  # nothing between goes unread
        if place != self._cursor and whole and self._in_sight(self._cursor):
            self._put(place)
            return
        self.scroll_relative(y=step * max(1, self.size.height - 1), animate=False, immediate=True)
        seen = self._next(self.scroll_offset.y - 1, 1)
        if self.scroll_offset.y == was:
            self._put(place)
        elif seen is not None and self._in_sight(seen):
            self._put(seen)

    def _in_sight(self, place: int) -> bool:
        return 0 <= place - self.scroll_offset.y < self.size.height

    def _edge(self, step: int) -> int:
        place = self._next(len(self._lines), -1) if step > 0 else self._next(-1, 1)
        return self._cursor if place is None else place

    def action_first(self) -> None:
        self.touched()
        self.scroll_to(y=0, animate=False, immediate=True)
        if self._with_cursor and self._cursor >= 0:
            self._put(self._edge(-1))

    def action_last(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
        if self._with_cursor and self._cursor >= 0:
            self._put(self._edge(1))

    def action_open(self) -> None:
        if self._key:
            self.post_message(self.Opened(self, self._key))

    def on_click(self, event: Click) -> None:
        self.touched()
        index = event.y + self.scroll_offset.y
        if 0 <= index < len(self._lines) and self._lines.key(index):
            self._put(index)

    def on_resize(self, event: Resize) -> None:
        self._fit()
        if self._with_cursor and 0 <= self._cursor < len(self._lines):
            self._reveal(self._cursor)
        self._painted.clear()
        self.refresh()
        self.post_message(self.Resized(self, self._key))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        self._painted.clear()
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Scrolled(self, self._key))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        index = y + self.scroll_offset.y
        line = self._lines.line(index, width) if index < len(self._lines) else BLANK
        self._painted[y] = line
        here = self._with_cursor and not self.cursor_elsewhere
        selected = here and index == self._cursor and self.has_focus_within
        return strip(line, width, self._palette, selected=selected)


class SideLines:
    """Lines of a side pane, set off by a rule."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return max(200, len(self._lines))

    def line(self, index: int, width: int) -> Line:
        edge = Span("│ ", "rule")
        if index >= len(self._lines):
            return Line((edge,))
        return Line((edge, *self._lines.line(index, width - 2).spans))

    def key(self, index: int) -> str:
        return ""

    def find(self, key: str) -> int | None:
        return None
