"""What the terminal UI paints of an application whose log, objects and events hold a secret."""

from __future__ import annotations

import pytest

from console.base.redact import redact
from console.board.compose import board
from console.board.model import Cluster
from console.causes.incidents import group
from console.findings.diagnose import Engine
from console.live.situation import Situation
from tests.secrets.everywhere import facts_of, log_of
from tests.secrets.forms import Form, planted
from tests.tui.scenes import Scene
from tests.tui.test_pages import press, shown, text


@pytest.mark.parametrize("form", planted()[7::60], ids=lambda form: f"line {form.line}")
async def test_no_page_shows_a_planted_secret(form: Form) -> None:
    facts = facts_of(form.text)
    verdict = Engine().judge(facts)
    found = group(verdict.findings, verdict.apps, facts)
    judged = board(facts, Cluster(), verdict.apps, verdict.findings, found, gpus=verdict.gpus)
    assert judged.findings
    async with shown(Scene(Situation(judged, phase="live"), log=redact(log_of(form.text))), (160, 50)) as pilot:
        seen = "\n".join(text(pilot))
        for key in ("enter", "l", "escape", "d", "escape", "y", "escape", "escape", "2", "3", "5"):
            await press(pilot, key)
            seen += "\n".join(text(pilot))
    assert form.leaks(seen) == []
