"""What all tests share: real parts as fixtures (tests/cluster/parts.py), and how many workers run them."""

from __future__ import annotations

import os

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

# The same code gets the same answer. HYPOTHESIS_PROFILE=explore looks further, with other examples each time.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one more than there are cores, since whoever waits for a real part leaves one idle."""
    return len(os.sched_getaffinity(0)) + 1
