"""Fixtures of the sources: a peer, and connections to it."""

from __future__ import annotations

from tests.wire.conftest import connection, peer

__all__ = ["connection", "peer"]
