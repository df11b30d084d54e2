"""The picture of the house in docs/ARCHITECTURE.md, drawn from the imports: `python -m tools.house` rewrites it,
`--check` only compares.

An arrow means "imports". What follows from other arrows is left out, so the picture stays readable.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import grimp

ARCHITECTURE = Path(__file__).resolve().parents[1] / "docs" / "ARCHITECTURE.md"
BLOCK = re.compile(r"(<!-- house -->\n).*?(<!-- /house -->)", re.DOTALL)
EVERYWHERE = "base"
"""The room that all others may import: its arrows would only be noise."""


def rooms(graph: grimp.ImportGraph) -> dict[str, set[str]]:
    """Room → the rooms that it imports."""
    out: dict[str, set[str]] = {}
    for module in graph.modules:
        if module.count(".") == 0:
            continue
        room = module.split(".")[1]
        below = {m.split(".")[1] for m in graph.find_modules_directly_imported_by(module) if m.count(".")}
        out.setdefault(room, set()).update(below - {room, EVERYWHERE})
    out.pop("__main__", None)
    out.pop(EVERYWHERE, None)
    return out


def reduced(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without the arrows that follow from longer ways."""
    reach: dict[str, set[str]] = {}

    def below(room: str) -> set[str]:
        if room not in reach:
            reach[room] = set().union(*(({one} | below(one)) for one in edges.get(room, ())))
        return reach[room]

    return {
        room: {one for one in ends if not any(one in below(other) for other in ends if other != one)}
        for room, ends in edges.items()
    }


def picture() -> str:
    """The rooms as a Mermaid flowchart."""
    edges = reduced(rooms(grimp.build_graph("console")))
    lines = ["```mermaid", "flowchart TD"]
    lines += [f"  {room} --> {' & '.join(sorted(ends))}" for room, ends in sorted(edges.items()) if ends]
    return "\n".join([*lines, "```", ""])


def main() -> int:
    text = ARCHITECTURE.read_text()
    made = BLOCK.sub(lambda found: found.group(1) + picture() + found.group(2), text)
    if "--check" in sys.argv:
        return 0 if made == text else 1
    ARCHITECTURE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
