"""The graph for other programs: Mermaid and DOT. Names are data there, never syntax."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.base.text import shorten
from console.workstreams.displayed import displayed
from console.workstreams.model import Index

MAX_MEMBERS = 40
"""A range or feature with more members keeps one edge from a node of its own instead of one edge per member."""


class _Plan:
    """Nodes and edges of the chosen workstreams. A feature that is waited for as a whole is a node of its own."""

    def __init__(self, index: Index, numbers: Sequence[int]) -> None:
        self.index = index
        self.chosen = set(numbers)
        self.ready = set(index.ready)
        self.by_feature: dict[str, list[int]] = {}
        for number in numbers:
            self.by_feature.setdefault(index.workstreams[number].feature, []).append(number)
        self.groups: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.edges: list[tuple[str, str]] = []
        known: dict[int, str] = {}
        lost: dict[str, str] = {}
        for number in numbers:
            for link in index.links[number]:
                inside = [member for member in link.members if member in self.chosen]
                if link.members and not inside:
                    continue
                if len(link.members) == 1:
                    self.edges.append((f"w{link.members[0]}", f"w{number}"))
                    continue
                if not link.members:
                    group = lost.setdefault(link.text, f"u{len(lost)}")
                    self.groups.setdefault(group, (f"{link.text}?", ()))
                else:
                    group = known.setdefault(id(link.members), f"g{len(known)}")
                    self.groups.setdefault(group, (link.text, link.members))
                self.edges.append((group, f"w{number}"))
        for group, (_, members) in self.groups.items():
            inside = [member for member in members if member in self.chosen]
            self.edges.extend((f"w{member}", group) for member in inside[:MAX_MEMBERS])

    def state(self, number: int) -> str:
        item = self.index.workstreams[number]
        return "completed" if item.completed else "ready" if number in self.ready else "blocked"

    def label(self, number: int) -> str:
        item = self.index.workstreams[number]
        return f"{item.id} {shorten(displayed(item.name), 60)}"

    def heading(self, feature: str) -> str:
        title = next((f.title for f in self.index.features if f.id == feature), "")
        return shorten(f"{displayed(feature)}: {displayed(title)}" if title else displayed(feature), 80)


def mermaid(index: Index, numbers: Sequence[int]) -> str:
    """A Mermaid flowchart of these workstreams; arrows point from what is done first to what waits for it."""
    return "\n".join(_mermaid(_Plan(index, numbers))) + "\n"


def _mermaid(plan: _Plan) -> Iterator[str]:
    yield "flowchart LR"
    for place, (feature, numbers) in enumerate(plan.by_feature.items()):
        yield f'  subgraph f{place}["{_entities(plan.heading(feature))}"]'
        for number in numbers:
            yield f'    w{number}["{_entities(plan.label(number))}"]:::{plan.state(number)}'
        yield "  end"
    for group, (text, _) in plan.groups.items():
        yield f'  {group}(["{_entities(shorten(displayed(text), 60))}"])'
    for start, end in plan.edges:
        yield f"  {start} --> {end}"
    yield "  classDef completed fill:#d5e8d4,stroke:#4d7c4a,color:#1b1b1b"
    yield "  classDef ready fill:#fff2cc,stroke:#b38f00,color:#1b1b1b"
    yield "  classDef blocked fill:#f5f5f5,stroke:#8a8a8a,color:#1b1b1b,stroke-dasharray:4"


def _entities(text: str) -> str:
    """Text inside a quoted Mermaid label: everything that has a meaning there becomes a character entity."""
    return "".join(f"#{ord(char)};" if char in '"#&;<>`\\|[]{}' else char for char in text)


def dot(index: Index, numbers: Sequence[int]) -> str:
    """A DOT digraph of these workstreams, one cluster per feature."""
    return "\n".join(_dot(_Plan(index, numbers))) + "\n"


_FILL = {"completed": "#d5e8d4", "ready": "#fff2cc", "blocked": "#f5f5f5"}


def _dot(plan: _Plan) -> Iterator[str]:
    yield "digraph workstreams {"
    yield '  rankdir="LR";'
    yield '  node [shape="box", style="filled", fontname="Helvetica"];'
    for place, (feature, numbers) in enumerate(plan.by_feature.items()):
        yield f"  subgraph cluster_{place} {{"
        yield f"    label={_quoted(plan.heading(feature))};"
        for number in numbers:
            state = plan.state(number)
            yield f'    w{number} [label={_quoted(plan.label(number))}, fillcolor="{_FILL[state]}", class="{state}"];'
        yield "  }"
    for group, (text, _) in plan.groups.items():
        yield f'  {group} [label={_quoted(shorten(displayed(text), 60))}, shape="ellipse", style="dashed"];'
    for start, end in plan.edges:
        yield f"  {start} -> {end};"
    yield "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
