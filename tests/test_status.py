"""`console status` as text: one row for what many applications share, with what speaks for and against it."""

from __future__ import annotations

from console.cli.board import MOST_MEMBERS, status_text
from tests.tui.scenes import shared


def test_shared_trouble_is_one_row_and_names_only_a_few_of_its_findings() -> None:
    text = status_text(shared(12).board)
    rows = [line for line in text.splitlines() if "executors lost with their node" in line]
    assert len(rows) == MOST_MEMBERS and f"and {12 - MOST_MEMBERS} more" in text
    assert text.count("node-112 does not answer (12 applications)") == 2
    assert "for      12 of 12 had executors on node-112" in text
    assert "against  2 applications on node-112 are well" in text
    assert sum("executors killed at their container limit" in line for line in text.splitlines()) == 1
