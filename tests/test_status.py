"""`console status` as text: one row for what many applications share, with what speaks for and against it."""

from __future__ import annotations

from console.cli.board.status import MOST_MEMBERS, status_document, status_text
from tests.tui.scenes import shared


def test_one_drain_is_one_row_and_its_members_are_counted_and_can_be_listed() -> None:
    text = status_text(shared(12))
    assert not [line for line in text.splitlines() if "executors lost with their node" in line]
    assert text.count("node-112 does not answer (12 applications)") == 2
    assert "for      12 of 12 had executors on node-112" in text
    assert "against  2 applications on node-112 are well" in text
    assert f" and {12 - MOST_MEMBERS} more: --members lists what was found" in text
    assert sum("executors killed at their container limit" in line for line in text.splitlines()) == 1
    opened = status_text(shared(12), opened=True)
    assert len([line for line in opened.splitlines() if "executors lost with their node" in line]) == 12


def test_json_holds_every_member_of_a_shared_cause() -> None:
    document = status_document(shared(12))
    (incident,) = [one for one in document["incidents"] if one["key"].startswith("node:")]
    lost = [f for f in document["findings"] if f["key"] in incident["findings"]]
    assert len(lost) == len(incident["findings"]) >= 12
