"""The graph in a terminal: every workstream on one line, under the one that it waits for longest.

A workstream that waits for several hangs under the last of them to be done; the others stand behind a `+`. A single
successor follows straight below with an arrow, so that depth grows only where the work forks.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from console.base.text import shorten
from console.workstreams.displayed import displayed
from console.workstreams.model import Index

UNICODE = {"completed": "✓", "ready": "▶", "blocked": "·", "tee": "├─ ", "end": "└─ ", "bar": "│  ", "down": "↓ "}
ASCII = {"completed": "x", "ready": ">", "blocked": ".", "tee": "|- ", "end": "`- ", "bar": "|  ", "down": "v "}
LEGEND = "{completed} completed  {ready} ready  {blocked} blocked  + also waits for"


class GraphLine(Struct, frozen=True):
    """A line of the drawing; `number` is the workstream on it, None for a heading."""

    text: str
    number: int | None = None


def draw(
    index: Index,
    numbers: Sequence[int],
    *,
    width: int = 80,
    ascii_only: bool = False,
    qualify: bool = True,
) -> tuple[GraphLine, ...]:
    """Draw the workstreams `numbers`, at most `width` characters a line.

    Args:
        qualify: name the feature (`F16/WS-016-01`) wherever it is not that of the line above.
    """
    return _Drawing(index, list(numbers), max(40, width), ASCII if ascii_only else UNICODE, qualify).lines()


class _Drawing:
    def __init__(self, index: Index, numbers: list[int], width: int, glyphs: dict[str, str], qualify: bool) -> None:
        self.index, self.numbers, self.width, self.glyphs = index, numbers, width, glyphs
        self.qualify = qualify
        self.chosen = set(numbers)
        self.ready = set(index.ready)
        self.above = {number: self.parents(number) for number in numbers}
        self.level = self.levels()
        self.children: dict[int, list[int]] = {number: [] for number in numbers}
        self.roots: list[int] = []
        self.looped: list[int] = []
        for number in numbers:
            if number not in self.level:
                self.looped.append(number)
            elif self.above[number]:
                self.children[max(self.above[number], key=lambda n: (self.level[n], -n))].append(number)
            else:
                self.roots.append(number)

    def parents(self, number: int) -> list[int]:
        """Chosen workstreams that it waits for; of very long ranges only the beginning."""
        members = {n for link in self.index.links[number] for n in link.members[:500]}
        return sorted(members & self.chosen)

    def levels(self) -> dict[int, int]:
        """How many steps lie before each; those in or behind a cycle are missing."""
        left = {number: len(above) for number, above in self.above.items()}
        below: dict[int, list[int]] = {number: [] for number in self.numbers}
        for number, above in self.above.items():
            for other in above:
                below[other].append(number)
        level = {number: 0 for number, count in left.items() if not count}
        todo = list(level)
        for number in todo:
            for other in below[number]:
                left[other] -= 1
                if not left[other]:
                    level[other] = 1 + max(level[n] for n in self.above[other])
                    todo.append(other)
        return level

    def lines(self) -> tuple[GraphLine, ...]:
        out: list[GraphLine] = []
        todo: list[tuple[int, str, str, int | None]] = []
        waiting = list(reversed(self.roots))
        while waiting or todo:
            if not todo:
                todo.append((waiting.pop(), "", "", None))
            number, lead, prefix, parent = todo.pop()
            if len(prefix) > self.width // 2 and parent is not None:
                out.append(self.line(number, lead, parent, " (continued below)"))
                self.roots.append(number)
                waiting.insert(0, number)
                continue
            out.append(self.line(number, lead, parent))
            below = self.children[number]
            if len(below) == 1:
                todo.append((below[0], prefix + self.glyphs["down"], prefix, number))
                continue
            for place, child in enumerate(reversed(below)):
                end = place == 0
                branch = self.glyphs["end"] if end else self.glyphs["tee"]
                further = prefix + ("   " if end else self.glyphs["bar"])
                todo.append((child, prefix + branch, further, number))
        if self.looped:
            out.append(GraphLine("in or behind a cycle:"))
            out.extend(self.line(number, "  ", None) for number in self.looped)
        return tuple(out)

    def line(self, number: int, lead: str, parent: int | None, tail: str = "") -> GraphLine:
        item = self.index.workstreams[number]
        state = "completed" if item.completed else "ready" if number in self.ready else "blocked"
        home = self.index.workstreams[parent].feature if parent is not None else ""
        name = item.key if self.qualify and item.feature != home else item.id
        text = f"{lead}{self.glyphs[state]} {displayed(name)}"
        also = self.also(number, parent)
        room = self.width - len(text) - len(tail) - 1
        shown = f"  + {', '.join(also)}" if also else ""
        if len(shown) > room // 2 and also:
            shown = f"  + {len(also)} more" if len(also) > 1 or len(shown) > room else shown
        title = shorten(displayed(item.name), max(0, room - len(shown)))
        whole = f"{text} {title}".rstrip() + shown
        return GraphLine(shorten(whole, self.width - len(tail)) + tail, number)

    def also(self, number: int, parent: int | None) -> list[str]:
        """What else it waits for: tokens as written, without those that only mean the line above."""
        out: list[str] = []
        for link in self.index.links[number]:
            if link.state == "done" or link.members == (parent,):
                continue
            out.append(displayed(link.text) + ("?" if link.state in ("unknown", "ambiguous") else ""))
        return out
