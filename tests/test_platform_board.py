"""What Console says of each incident of the shared world, over the wire: the finding that names its cause."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from console.live import Live, Pace
from console.rehearse.playing import Rehearsal

WORLD = Path(__file__).parent / "data" / "drill" / "incidents.yaml"
FINDINGS = {
    "image-gone": ("image-pull", "the tag or the image does not exist"),
    "image-private": ("image-pull", "the registry refuses: pull secret or rights"),
    "image-architecture": ("image-pull", "does not exist for the node's architecture"),
    "cordoned": ("unschedulable", "the nodes are cordoned"),
    "quota": ("quota-exceeded", "quota spark-quota refuses new pods"),
    "operator-scaled": ("operator-down", "is scaled to zero"),
    "operator-image": ("operator-down", "ImagePullBackOff"),
    "operator-crashes": ("operator-down", "CrashLoopBackOff"),
    "schedule-overlaps": ("schedule-missed", "is still RUNNING and concurrencyPolicy is Forbid"),
    "metastore-down": ("metastore-down", "connection refused"),
    "history-down": ("component-down", "spark-history-server is scaled to zero"),
    "connect-down": ("component-down", "spark-connect is scaled to zero"),
}


@pytest.mark.parametrize("case", FINDINGS)
def test_the_board_names_the_cause(case: str) -> None:
    code, words = FINDINGS[case]
    with Rehearsal(WORLD, case, step=True) as rehearsal, Live(rehearsal.plan(pace=Pace(metrics=2.0))) as live:
        there = threading.Event()
        live.subscribe(
            lambda seen: there.set() if any(f.code == code and words in f.title for f in seen.board.findings) else None
        )
        live.settle(120)
        assert there.wait(60), [f"{f.code}: {f.title}" for f in live.situation.board.findings]
