"""Fifty of the kills: `python -m tests.kills` makes a thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kills.killing import kill

FIFTY = {"patch": 32, "script": 14, "drill": 4}


@pytest.mark.parametrize("kind", FIFTY)
async def test_wherever_console_is_killed_its_change_is_made_once_and_the_record_of_it_is_whole(
    kind: str, tmp_path: Path
) -> None:
    tally = await kill(FIFTY[kind], 1, tmp_path, {kind: 1.0}, lambda words: None)
    assert tally.wrong == [], tally.words
    assert tally.kills[kind] >= FIFTY[kind]
