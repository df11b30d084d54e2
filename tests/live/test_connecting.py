"""How `Live` comes to its cluster: a server that says no at first is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.live import live as module
from console.live.live import Live
from console.live.plan import Plan
from console.settings.load import load
from console.wire.config import ContextRef
from tests.wire.peer import Peer, kubeconfig, serving


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with serving(Peer()) as running:
        yield running


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_a_refusal_while_connecting_is_said_and_asked_about_again(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(module, "_RETRY", (0.05,))
    monkeypatch.setenv("CONSOLE_CONFIG_DIR", str(tmp_path))
    peer.answer("/version", {"gitVersion": "v1.37.2"})
    peer.answer("/version", "not yet", status=status, content_type="text/plain", times=3)
    phases = []
    plan = Plan(load(), ContextRef(kubeconfig=kubeconfig(tmp_path, peer.url)), state=tmp_path / "state")
    live = Live(plan)
    live.subscribe(lambda situation: phases.append((situation.phase, situation.trouble)))
    live.start()
    try:
        async with asyncio.timeout(60):
            while live.failure is not None or not phases or phases[-1][0] == "lost":
                await asyncio.sleep(0.02)
    finally:
        await asyncio.to_thread(live.stop)
    assert phases[0][0] == "lost" and f"HTTP {status}" in phases[0][1]
    assert phases[-1][0] in ("loading", "live")
