"""All driver processes of the world, and which pod belongs to which."""

from __future__ import annotations

from typing import Any

from console.drill.spark.driver import Driver
from console.drill.spark.executorlog import terminated_gracefully
from console.drill.spark.program import Programs
from console.drill.spark.stages import NodeAgent
from console.drill.state.cluster import ClusterState
from console.drill.state.resources import NODES, PODS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
KEPT_SECONDS = 6 * 3600.0


class Spark:
    """The runs: those that go on, and for the History Server those that ended in the last hours."""

    def __init__(self, cluster: ClusterState, programs: Programs, node: NodeAgent) -> None:
        self.cluster, self.programs, self._node = cluster, programs, node
        self.runs: list[Driver] = []
        self._pods: dict[str, Driver] = {}
        self._servers: list[tuple[dict[str, str], Object, str]] = []
        cluster.store.listen(PODS, self._changed)

    def launch(self, driver: Object, spec: Object, app_id: str, name: str) -> Driver:
        """A driver pod is about to be made; its process starts when the pod runs."""
        program = self.programs.of(str(spec.get("mainApplicationFile", "")))
        run = Driver(self.cluster, self._node, self.watch_pod, driver, spec, app_id, name, program)
        self._forget()
        self.runs.append(run)
        self._pods[driver["metadata"]["uid"]] = run
        return run

    def watch_pod(self, uid: str, run: Driver) -> None:
        """That pod belongs to `run`."""
        self._pods[uid] = run

    def run_of(self, pod: Object) -> Driver | None:
        """The run that a pod belongs to."""
        return self._pods.get(pod["metadata"]["uid"])

    def run_of_uid(self, uid: str) -> Driver | None:
        """The run that a pod belongs or belonged to."""
        return self._pods.get(uid)

    def signal(self, pod: Object) -> None:
        """The process of a pod gets SIGTERM: an executor says so, a driver takes its executors down."""
        role = (pod["metadata"].get("labels") or {}).get("spark-role")
        if role == "executor":
            terminated_gracefully(self.cluster.logs.of(pod["metadata"]["uid"]), self.cluster.heap.now)
        run = self.run_of(pod)
        if run is not None and run.driver["metadata"]["uid"] == pod["metadata"]["uid"]:
            run.terminated_by_signal()

    def serve(self, labels: dict[str, str], spec: Object, name: str) -> None:
        """Pods with those labels are servers that drive an application for their users: each new one begins a run."""
        self._servers.append((labels, spec, name))

    def _changed(self, change: ObjectChange) -> None:
        pod = change.object
        if change.type == "ADDED" and self._servers:
            self._served(pod)
        run = self._pods.get(pod["metadata"]["uid"])
        if run is None:
            return
        if pod["metadata"]["uid"] == run.driver["metadata"]["uid"]:
            was = change.previous["status"].get("phase") if change.previous else None
            runs = pod["status"].get("phase") == "Running" and was == "Pending" and "podIP" in pod["status"]
            if runs and self._runs_here(pod):
                run.begin(pod)
        run.pod_changed(change)

    def cut_off(self, node: str) -> None:
        """Nobody reaches the processes of a node any more: drivers miss the heartbeats of executors there."""
        for run in self.runs:
            if run.ended is None:
                run.cut_off(node)

    def _served(self, pod: Object) -> None:
        """A new pod of a server gets a run of its own."""
        meta = pod["metadata"]
        for labels, spec, name in self._servers:
            mine = labels.items() <= (meta.get("labels") or {}).items() and meta["uid"] not in self._pods
            if mine and pod["status"].get("phase") == "Pending":
                self.launch(pod, spec, f"spark-{self.cluster.ids.hex(32)}", name)

    def _runs_here(self, pod: Object) -> bool:
        """Whether what lies in its image can run on its node."""
        image = self.cluster.images.of(pod["spec"]["containers"][0]["image"])
        node = self.cluster.store.get(NODES, "", pod["spec"].get("nodeName", "")) or {}
        architecture = ((node.get("status") or {}).get("nodeInfo") or {}).get("architecture", "amd64")
        return image.ends is None and architecture in image.architectures

    def _forget(self) -> None:
        limit = self.cluster.heap.now - KEPT_SECONDS
        old = [run for run in self.runs if run.ended is not None and run.ended < limit]
        if old:
            gone = {id(run) for run in old}
            self.runs = [run for run in self.runs if id(run) not in gone]
            self._pods = {uid: run for uid, run in self._pods.items() if id(run) not in gone}
