"""Fixtures of the wire: a peer that speaks HTTP, and certificates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.wire.peer import Peer, Pki, kubeconfig, serving


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with serving(Peer()) as running:
        yield running


@pytest.fixture
async def connection(peer: Peer, tmp_path: Path) -> AsyncIterator[Connection]:
    """A connection to `peer` with the token `good`."""
    opened = await Connection.open(ContextRef(kubeconfig=kubeconfig(tmp_path, peer.url)), identify=False)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki")).make()
