"""What all tests share: real parts as fixtures (tests/cluster/parts.py), their workers, and what spares time."""

from __future__ import annotations

import gc
import os
import sys

import pytest
from hypothesis import settings

from tests.cluster.parts import (
    alertmanager_server,
    kube_api,
    kube_state_metrics,
    own_control_plane,
    prometheus_server,
    pyspark_home,
    session_folder,
    spark_node,
)

__all__ = [
    "alertmanager_server",
    "kube_api",
    "kube_state_metrics",
    "own_control_plane",
    "prometheus_server",
    "pyspark_home",
    "session_folder",
    "spark_node",
]

# Hundreds of processes of one session import the same modules: what was compiled is kept, whatever the environment is.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

gc.disable()  # until the tests are collected: nothing of them is garbage

# The same code gets the same answer. HYPOTHESIS_PROFILE=explore looks further, with other examples each time.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever needs no real part is done in seconds; what waits for something that never comes ends after minutes."""
    for item in items:
        if item.get_closest_marker("parts") is None:
            item.add_marker(pytest.mark.timeout(300))


def pytest_collection_finish() -> None:
    """The objects of thousands of tests live as long as the session: they are not looked at again and again."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: two more than there are cores, since whoever waits for a real part leaves one idle."""
    return len(os.sched_getaffinity(0)) + 2
