"""What all tests share: real parts as fixtures (tests/cluster/parts.py)."""

from __future__ import annotations

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
