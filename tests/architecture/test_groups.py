"""Tests that share a part with little room stay together."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("one-worker")
def test_a_group_of_tests_has_one_worker(request: pytest.FixtureRequest) -> None:
    """Versions of pytest and pytest-xdist that do not fit tear groups apart without a word."""
    assert "PYTEST_XDIST_WORKER" not in os.environ or request.node.nodeid.endswith("@one-worker")
