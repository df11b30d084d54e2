"""The README's key table, made from the bindings: `python -m tools.keys` rewrites it, `--check` only compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from console.tui.keys import GLOBAL, MOVES, Key
from console.tui.pages.advice import AdvicePage
from console.tui.pages.app import AppPage
from console.tui.pages.apps import AppsPage
from console.tui.pages.components import ComponentsPage
from console.tui.pages.gpu import GpuPage
from console.tui.pages.now import NowPage
from console.tui.pages.runbooks import RunbooksPage
from console.tui.pages.slo import SloPage
from console.tui.pages.walk import WalkPage
from console.tui.pages.workstreams import WorkstreamsPage

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCK = re.compile(r"(<!-- keys -->\n).*?(<!-- /keys -->)", re.DOTALL)
GROUPS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    ("everywhere", GLOBAL),
    ("moving", MOVES),
    ("now", NowPage.keys),
    ("apps", AppsPage.keys),
    ("application", AppPage.keys),
    ("slo", SloPage.keys),
    ("components", ComponentsPage.keys),
    ("gpu", GpuPage.keys),
    ("runbooks", RunbooksPage.keys),
    ("walk", WalkPage.keys),
    ("workstreams", WorkstreamsPage.keys),
    ("advice", AdvicePage.keys),
)


def table() -> str:
    """The keys as a Markdown table."""
    rows = ["| where | key | what it does |", "| --- | --- | --- |"]
    rows += [f"| {where} | `{key.label}` | {key.tip} |" for where, keys in GROUPS for key in keys]
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
