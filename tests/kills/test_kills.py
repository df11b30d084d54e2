"""Fifty of the kills: `python -m tests.kills` makes a thousand."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from console.runbook.walk import Applied, ChangeRefused
from tests.kills.killing import kill, out_of_time

FIFTY = {"patch": 32, "script": 14, "drill": 4}


@pytest.mark.parametrize("kind", FIFTY)
async def test_wherever_console_is_killed_its_change_is_made_once_and_the_record_of_it_is_whole(
    kind: str, tmp_path: Path
) -> None:
    tally = await kill(FIFTY[kind], 1, tmp_path, {kind: 1.0}, lambda words: None)
    assert tally.wrong == [], tally.words
    assert tally.kills[kind] >= FIFTY[kind]


def test_a_change_that_a_loaded_machine_had_no_time_for_is_not_lost_and_any_other_refusal_is() -> None:
    late = ChangeRefused(
        1.0, "s", "w/1", "server", "the script's dry run killed: it did not end in time: it said nothing"
    )
    assert out_of_time([late])
    assert not out_of_time([replace(late, because="nothing would change")])
    assert not out_of_time([replace(late, by="policy")])
    assert not out_of_time([late, Applied(2.0, "s", "w/1", True)]) and not out_of_time([])
