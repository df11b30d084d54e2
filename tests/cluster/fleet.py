"""Several nodes without machines: a real control plane with its node controllers, and kwok in the place of kubelets.

Each group of nodes has a kwok of its own, so that `lose` can stop one group's heartbeats: everything that follows
(Ready becomes Unknown, the taint, the eviction of pods that nobody ends any more) is Kubernetes' own doing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cluster.controlplane import ControlPlane, KubeApi
from tests.cluster.inventory import HERE, require
from tests.cluster.kube import MERGE
from tests.cluster.processes import Process, free_port

GRACE = 4
"""Seconds without a heartbeat after which a node counts as lost."""
_GROUP = "console.test/group"
_SHAPE = {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "200Gi", "pods": "110"}


class Fleet:
    """Nodes in groups. `nodes` maps the name of each node to its group."""

    def __init__(self, folder: Path, nodes: dict[str, str]) -> None:
        self._tools = require("kube-controller-manager", "kwok")
        self._plane = ControlPlane(folder)
        self._nodes = nodes
        self._others: list[Process] = []
        self._kwoks: dict[str, Process] = {}

    def start(self) -> KubeApi:
        """Start everything and wait until every node is Ready."""
        kube = KubeApi(self._plane.start())
        logs = self._plane.folder / "logs"
        manager = [
            str(self._tools["kube-controller-manager"]),
            f"--kubeconfig={kube.kubeconfig}",
            "--controllers=node-lifecycle-controller,taint-eviction-controller",
            "--leader-elect=false",
            f"--node-monitor-grace-period={GRACE}s",
            "--node-monitor-period=1s",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
        ]
        self._others.append(Process("kube-controller-manager", manager, logs))
        for name, group in self._nodes.items():
            labels = {_GROUP: group, "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": group}
            kube.create(
                "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
            )
            room = {"status": {"capacity": _SHAPE, "allocatable": _SHAPE}}
            kube.request("PATCH", f"/api/v1/nodes/{name}/status", room, content_type=MERGE)
        for group in sorted(set(self._nodes.values())):
            kwok = [
                str(self._tools["kwok"]),
                f"--kubeconfig={kube.kubeconfig}",
                f"--config={HERE / 'kwok.yaml'}",
                f"--manage-nodes-with-label-selector={_GROUP}={group}",
                "--node-lease-duration-seconds=2",
                "--server-address=",
            ]
            self._kwoks[group] = Process(f"kwok-{group}", kwok, logs)
        for name in self._nodes:
            kube.wait(f"/api/v1/nodes/{name}", lambda node: ready(node) == "True", seconds=60)
        return kube

    def lose(self, group: str) -> None:
        """End the heartbeats of a group of nodes, as when a rack loses its power."""
        self._kwoks.pop(group).stop()

    def stop(self) -> None:
        for process in (*self._kwoks.values(), *self._others):
            process.stop()
        self._plane.stop()


def ready(node: Any) -> str:
    """The status of the node's Ready condition, `` while it has none."""
    conditions = ((node or {}).get("status") or {}).get("conditions") or []
    return next((str(c["status"]) for c in conditions if c["type"] == "Ready"), "")
