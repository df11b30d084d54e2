"""Dependency drawings: what is read, and what is said not to be readable."""

from __future__ import annotations

import pytest

from console.workstreams.build import build
from console.workstreams.grammar import art
from console.workstreams.model import Section

KNOWN = {f"WS-1-0{n}" for n in range(1, 10)} | {"F01", "F02"}


def read(text: str) -> art.Art:
    found = art.read(Section("Dependency Graph", 3, 1, ("", "```", *text.strip("\n").split("\n"), "```")), KNOWN)
    assert found is not None
    return found


def needs(text: str) -> dict[str, str]:
    drawn = read(text)
    assert not drawn.unread, drawn.unread
    return {name[-1]: "".join(parent[-1] for parent in parents) for name, parents in drawn.needs.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WS-1-01 → WS-1-02 → WS-1-03", {"1": "", "2": "1", "3": "2"}),
        ("WS-1-01 (a → b) ──── WS-1-02 (x + y)", {"1": "", "2": "1"}),
        ("WS-1-01 -> WS-1-02", {"1": "", "2": "1"}),
        ("WS-1-02 <- WS-1-01", {"2": "1", "1": ""}),
        ("WS-1-01 + WS-1-02 → WS-1-03", {"1": "", "2": "", "3": "12"}),
        ("F01, F02 ──── WS-1-03", {"1": "", "2": "", "3": "12"}),
        ("WS-1-01..WS-1-03 → WS-1-04", {"1": "", "2": "", "3": "", "4": "123"}),
        ("WS-1-01..03 → WS-1-04", {"1": "", "2": "", "3": "", "4": "123"}),
        ("WS-1-01 → independent", {"1": ""}),
        ("WS-1-01 (x)      (independent, CRITICAL priority)", {"1": ""}),
        ("WS-1-03 (Schema + tests) ── DONE", {"3": ""}),
        ("WS-1-01\n├── WS-1-02 → WS-1-03\n└── WS-1-04", {"1": "", "2": "1", "3": "2", "4": "1"}),
        ("WS-1-01\n  ├── WS-1-02\n  │     └── WS-1-03\n  └── WS-1-04", {"1": "", "2": "1", "3": "2", "4": "1"}),
        ("WS-1-01\n  |-- WS-1-02\n  `-- WS-1-03", {"1": "", "2": "1", "3": "1"}),
        ("WS-1-01\n    │\n    ├─> WS-1-02 (x) [PARALLEL]\n    └─> WS-1-03", {"1": "", "2": "", "3": "1"}),
        ("WS-1-01 (a) → WS-1-02\n            → WS-1-03", {"1": "", "2": "1", "3": "1"}),
        ("WS-1-01 ──┬── WS-1-02\n          └── WS-1-03\nWS-1-04 ─── WS-1-03", {"1": "", "2": "1", "3": "14", "4": ""}),
        ("F01 ──── WS-1-01 (x)\n           │\n           └── WS-1-02", {"1": "1", "2": "1"}),
    ],
)
def test_readable(text: str, expected: dict[str, str]) -> None:
    if "F01" in text and "F02" not in text:
        drawn = read(text)
        assert drawn.needs == {"F01": (), "WS-1-01": ("F01",), "WS-1-02": ("WS-1-01",)}
    else:
        assert needs(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "WS-1-01 ──┐\n          ├── WS-1-02",
        "WS-1-01 ─┬─┼─ WS-1-02",
        "WS-1-01     WS-1-02\n  └── WS-1-03",
        "└── WS-1-01",
        "WS-1-01 → something else",
        "→ WS-1-01",
        "WS-1-01 ◄── WS-1-02",
        "WS-1-01..WS-2-09 → WS-1-02",
        "WS-1-01 (open",
        "just words",
        "",
        "\x1b[31m",
    ],
)
def test_unreadable_is_said_with_a_line(text: str) -> None:
    drawn = read(text)
    assert drawn.unread and drawn.unread_line >= 1


def test_no_fence_is_no_drawing() -> None:
    assert art.read(Section("Dependency Graph", 3, 1, ("WS-1-01 → WS-1-02",)), KNOWN) is None


HEAD = (
    "## Feature F01: a\n\n| ID | Dependency | Status |\n|-|-|-|\n| WS-1-01 | - | open |\n| WS-1-02 | WS-1-01 | open |\n"
)


def codes(rows: str, drawing: str) -> list[tuple[str, int | None]]:
    index = build(f"{HEAD}{rows}\n### Dependency Graph\n\n```\n{drawing}\n```\n")
    return [(item.code, item.line) for item in index.problems]


def test_what_follows_through_others_is_no_contradiction() -> None:
    rows = "| WS-1-03 | WS-1-01, WS-1-02 | open |\n"
    assert codes(rows, "WS-1-01 → WS-1-02 → WS-1-03") == []
    assert codes("| WS-1-03 | WS-1-02 | open |\n", "WS-1-01 → WS-1-02\nWS-1-01 + WS-1-02 → WS-1-03") == []


def test_one_entry_for_each_workstream_that_is_drawn_differently() -> None:
    rows = "| WS-1-03 | WS-1-01 | open |\n"
    assert codes(rows, "WS-1-01\n├── WS-1-02\n└── WS-1-03") == []
    assert codes(rows, "WS-1-01 → WS-1-02 → WS-1-03") == [("art-vs-table", 12)]
    assert codes(rows, "WS-1-01\nWS-1-02\nWS-1-03") == [("art-vs-table", 13), ("art-vs-table", 14)]
    assert codes("", "WS-1-01 → WS-1-02 → WS-1-99") == [("art-vs-table", 11)]


def test_drawings_may_leave_things_out() -> None:
    assert codes("| WS-1-03 | WS-1-02, F01 | open |\n", "WS-1-01 → WS-1-02")[0][0] == "cycle"
    assert codes("| WS-1-03 | WS-1-02 | open |\n", "WS-1-01 → WS-1-02") == []
