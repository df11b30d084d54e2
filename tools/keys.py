"""The README's key table, made from the bindings: `python -m tools.keys` rewrites it, `--check` only compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from console.tui.keys import GLOBAL, MOVES, KeyBinding
from console.tui.navigation import number_keys, page_classes

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCK = re.compile(r"(<!-- keys -->\n).*?(<!-- /keys -->)", re.DOTALL)
GROUPS: tuple[tuple[str, tuple[KeyBinding, ...]], ...] = (
    ("most pages", number_keys()),
    ("everywhere", GLOBAL),
    ("moving", MOVES),
    *((page.name, page.keys) for page in page_classes() if page.keys),
)
WHERE = {"question": "walk, its question opened with `d`", "to paste": "walk, a text to paste opened"}
"""Pages that a reader of the table knows by the way to them."""
ANSWERS = "| walk | `1`…`9` | Answer with the choice of that number. |"


def table() -> str:
    """The keys as a Markdown table."""
    rows = ["| where | key | what it does |", "| --- | --- | --- |"]
    for where, keys in GROUPS:
        rows += [ANSWERS] if where == "walk" else []
        rows += [f"| {WHERE.get(where, where)} | `{key.label}` | {key.tip} |" for key in keys]
    return "\n".join(rows) + "\n"


def main() -> int:
    text = README.read_text()
    made = BLOCK.sub(lambda found: found.group(1) + table() + found.group(2), text)
    if "--check" in sys.argv:
        return 0 if made == text else 1
    README.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
