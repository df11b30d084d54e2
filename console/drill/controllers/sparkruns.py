"""All driver processes of the world, and which pod belongs to which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.drill.controllers.spark import Run
from console.drill.resources import PODS
from console.drill.store import Change

if TYPE_CHECKING:
    from console.drill.world import World

Object = dict[str, Any]
KEPT_SECONDS = 6 * 3600.0


class Spark:
    """The runs: those that go on, and for the History Server those that ended in the last hours."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.runs: list[Run] = []
        self._pods: dict[str, Run] = {}
        world.store.listen(PODS, self._changed)

    def launch(self, driver: Object, spec: Object, app_id: str, name: str) -> Run:
        """A driver pod is about to be made; its process starts when the pod runs."""
        workload = self.world.workloads.of(str(spec.get("mainApplicationFile", "")))
        run = Run(self.world, driver, spec, app_id, name, workload)
        self._forget()
        self.runs.append(run)
        self._pods[driver["metadata"]["uid"]] = run
        return run

    def watch_pod(self, uid: str, run: Run) -> None:
        """That pod belongs to `run`."""
        self._pods[uid] = run

    def run_of(self, pod: Object) -> Run | None:
        """The run that a pod belongs to."""
        return self._pods.get(pod["metadata"]["uid"])

    def run_of_uid(self, uid: str) -> Run | None:
        """The run that a pod belongs or belonged to."""
        return self._pods.get(uid)

    def _changed(self, change: Change) -> None:
        pod = change.object
        run = self._pods.get(pod["metadata"]["uid"])
        if run is None:
            return
        if pod["metadata"]["uid"] == run.driver["metadata"]["uid"]:
            was = change.previous["status"].get("phase") if change.previous else None
            if pod["status"].get("phase") == "Running" and was == "Pending":
                run.begin(pod)
        run.pod_changed(change)

    def _forget(self) -> None:
        limit = self.world.heap.now - KEPT_SECONDS
        old = [run for run in self.runs if run.ended is not None and run.ended < limit]
        if old:
            gone = {id(run) for run in old}
            self.runs = [run for run in self.runs if id(run) not in gone]
            self._pods = {uid: run for uid, run in self._pods.items() if id(run) not in gone}
