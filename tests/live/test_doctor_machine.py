"""What the doctor says of the machine that Console runs on: whether pages can be drawn, and whose clock is right."""

from __future__ import annotations

import os
import time
from email.utils import formatdate
from typing import Any

import pytest

from console.live.doctor.machine import clock, skew, terminal
from console.wire.connection import Connection
from tests.sources.conftest import connection, peer
from tests.wire.peer import Peer

__all__ = ["connection", "peer"]

XTERM = {"TERM": "xterm-256color", "LANG": "en_GB.UTF-8"}


@pytest.mark.parametrize(
    ("environment", "size", "standing", "detail"),
    [
        (XTERM, (120, 40), "ok", "TERM xterm-256color: 120x40: en_GB.UTF-8"),
        (XTERM, None, "ok", "TERM xterm-256color: en_GB.UTF-8"),
        (XTERM, (80, 24), "ok", "TERM xterm-256color: 80x24: en_GB.UTF-8"),
        (XTERM, (79, 24), "limited", "79x24: en_GB.UTF-8: lines are cut"),
        (XTERM, (80, 23), "limited", "80x23: en_GB.UTF-8: lines are cut"),
        ({"TERM": "dumb", "LANG": "C.UTF-8"}, (80, 24), "limited", "no pages can be drawn"),
        ({}, None, "limited", "TERM none: no pages can be drawn"),
        ({**XTERM, "LC_ALL": "C"}, (80, 24), "limited", "80x24: C: signs beyond ASCII may be wrong"),
        ({**XTERM, "LC_ALL": "", "LC_CTYPE": "C.utf8"}, (80, 24), "ok", "C.utf8"),
    ],
)
def test_what_a_terminal_can_show(
    environment: dict[str, str], size: tuple[int, int] | None, standing: str, detail: str
) -> None:
    check = terminal(environment, os.terminal_size(size) if size else None)
    assert check.standing == standing and check.detail.endswith(detail)
    assert bool(check.hint) == (standing != "ok")


@pytest.mark.parametrize(
    ("before", "said", "after", "off"),
    [
        (100.2, 100, 100.4, 0.0),
        (100.9, 100, 101.3, 0.0),  # 100.95 there, and a slow answer
        (101.0, 100, 101.2, 0.0),
        (101.5, 100, 101.6, 0.5),
        (105.5, 100, 106.0, 4.5),
        (95.0, 100, 95.5, -4.5),
    ],
)
def test_clocks_differ_by_what_a_cut_second_and_a_slow_answer_do_not_explain(
    before: float, said: float, after: float, off: float
) -> None:
    assert skew(before, said, after) == pytest.approx(off)


@pytest.mark.parametrize(
    ("ahead", "standing", "words"),
    [
        (0, "ok", "agrees with the API server's"),
        (60 + 2, "limited", "1m behind the API server's: ages are wrong, and locks of others may be taken for old"),
        (-20, "limited", "ahead of the API server's: ages are wrong"),
    ],
)
async def test_a_clock_that_is_off_is_said_with_what_it_spoils(
    ahead: float, standing: str, words: str, peer: Peer, connection: Connection
) -> None:
    said = formatdate(time.time() + ahead, usegmt=True)
    peer.answer("/version", {"gitVersion": "v1.37.2"}, headers={"Date": said})
    check = await clock(connection.reader)
    assert check.standing == standing and words in check.detail


async def test_a_server_without_a_time_leaves_the_clock_unknown(peer: Peer, connection: Connection) -> None:
    peer.answer("/version", {"gitVersion": "v1.37.2"}, headers={"Date": "yesterday"})
    assert (await clock(connection.reader)).standing == "unknown"


async def test_a_server_that_refuses_leaves_the_clock_unknown(peer: Peer, connection: Connection) -> None:
    refusal: dict[str, Any] = {"kind": "Status", "message": "no", "reason": "Forbidden", "code": 403}
    peer.answer("/version", refusal, status=403)
    assert (await clock(connection.reader)).standing == "unknown"
