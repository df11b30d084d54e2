"""Spark's driver: it asks for executors, runs stages on them, loses some, and ends the way the real one does."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from console.base.units import parse_duration
from console.drill.spark import memory
from console.drill.spark.executorlog import executor_died_of_heap, executor_started, worker_died
from console.drill.spark.pods import executor_pod
from console.drill.spark.program import Program
from console.drill.spark.progress import Executor, Progress
from console.drill.spark.stages import LONGEST_WAIT, NodeAgent, StagedRun
from console.drill.state.cluster import ClusterState
from console.drill.state.objects import StatusError
from console.drill.state.pods import terminated
from console.drill.state.resources import PODS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
TASK_MAX_FAILURES = 4
EXIT_BEFORE_TERM = 0.85
"""Share of executors that stop by themselves when the application ends, before SIGTERM makes them exit 143."""


class Driver(StagedRun):
    """One driver process.

    Args:
        node: where its containers run.
        claim: told about each executor pod that it makes.
    """

    def __init__(
        self,
        cluster: ClusterState,
        node: NodeAgent,
        claim: Callable[[str, Driver], None],
        driver: Object,
        spec: Object,
        app_id: str,
        name: str,
        program: Program,
    ) -> None:
        super().__init__(cluster, node, driver, spec, app_id, name, program)
        self._claim = claim
        asked = (spec.get("executor") or {}).get("deleteOnTermination")
        self.keeps_pods = asked is False or self.conf.get("spark.kubernetes.executor.deleteOnTermination") == "false"
        named = self.conf.get("spark.executor.maxNumFailures")
        self.max_failures = int(named) if named else max(3, 2 * self.instances)
        self._next = 1
        self._wanted = self.instances

    # -- the beginning --------------------------------------------------------------------------------------------

    def begin(self, pod: Object) -> None:
        """The driver's container runs."""
        self.driver, self.driver_ip = pod, pod["status"]["podIP"]
        self.log.begin(self.cluster.heap.now)
        self.cluster.heap.after(self.cluster.ids.jitter(3.6, 4.4), self._context)

    def adopt(self, since: float, place: Callable[[Object], Object]) -> None:
        """It has been running since long ago: executors are there and work on the first stage.

        Args:
            since: when its driver started.
            place: puts an executor pod into the world as a running one.
        """
        driver = self.cluster.store.get(PODS, self.driver["metadata"]["namespace"], self.driver["metadata"]["name"])
        if driver is not None:
            self.driver, self.driver_ip = driver, driver["status"]["podIP"]
        self.log.begin(since)
        self.started = since + 4.0
        self.log.context(self.started)
        stage = Progress(0, self.program.stages[0], since + 20.0)
        for _ in range(self.instances):
            number, self._next = self._next, self._next + 1
            pod = place(executor_pod(self.cluster, self, number))
            executor = Executor(number, pod["metadata"], self.size, pod["status"]["podIP"], since + 5, since + 13.0)
            executor.begin(stage.started, 0, executor.size.cores / stage.plan.seconds)
            self.executors[number] = executor
            self._by_uid[pod["metadata"]["uid"]] = executor
            executor_started(self.cluster.logs.of(pod["metadata"]["uid"]), self, executor, since + 10.0)
            self.log.registered(since + 13.0, executor)
        self.stages.append(stage)
        self.log.stage(stage.started, stage)
        self._predict()

    def _context(self) -> None:
        if self.ended is not None:
            return
        self.started = self.cluster.heap.now
        self.log.context(self.started)
        self.cluster.heap.after(LONGEST_WAIT, lambda: self._enough(waited=True))
        self._allocate()

    def _allocate(self) -> None:
        """Ask for executors until as many live or are on their way as the job wants."""
        if self.ended is not None or self.started is None:
            return
        known = sum(1 for e in self.executors.values() if e.removed is None)
        wanted = min(self._wanted - known, 10)
        if wanted <= 0:
            return
        self.log.request(self.cluster.heap.now, wanted, self._wanted, known)
        for _ in range(wanted):
            number, self._next = self._next, self._next + 1
            try:
                created = self.cluster.create(PODS, executor_pod(self.cluster, self, number))
            except StatusError as error:
                self.log.refused(self.cluster.heap.now, error)
                self.cluster.heap.after(20.0, self._allocate)
                return
            executor = Executor(number, created["metadata"], self.size, asked=self.cluster.heap.now)
            executor.stretch = self.cluster.ids.jitter(0.9, 1.15)
            self.executors[number] = executor
            self._by_uid[created["metadata"]["uid"]] = executor
            self._claim(created["metadata"]["uid"], self)
        if self._wanted - known > wanted:
            self.cluster.heap.after(1.0, self._allocate)

    # -- executors ------------------------------------------------------------------------------------------------

    def pod_changed(self, change: ObjectChange) -> None:
        """A pod of this run changed."""
        pod = change.object
        if pod["metadata"]["uid"] == self.driver["metadata"]["uid"]:
            self.driver = pod
            if change.type == "DELETED" or terminated(pod):
                self._driver_gone()
            return
        executor = self._by_uid[pod["metadata"]["uid"]]
        executor.pod = pod["metadata"]
        if change.type == "DELETED":
            self._lost(executor, executor.deleted, by_task=False)
            return
        ended = terminated(pod)
        if ended:
            if executor.removed is None and not executor.ending:
                executor.ending = True
                executor.spared()
                self.cluster.heap.after(0.15, lambda: self._exited(executor, pod, ended))
        elif pod["status"].get("phase") == "Running" and not executor.host and "podIP" in pod["status"]:
            executor.host = pod["status"]["podIP"]
            executor_started(self.cluster.logs.of(pod["metadata"]["uid"]), self, executor, self.cluster.heap.now)
            self.cluster.heap.after(self.cluster.ids.jitter(3.0, 3.8), lambda: self._register(executor))

    def _register(self, executor: Executor) -> None:
        if executor.ending or executor.removed is not None or self.ended is not None:
            return
        executor.registered = self.cluster.heap.now
        self.log.registered(self.cluster.heap.now, executor)
        if not self.stages:
            self._enough()
        elif self.stages[-1].ended is None:
            self._assign(executor, self.stages[-1])
            self._predict()

    def _exited(self, executor: Executor, pod: Object, ended: Object) -> None:
        """The driver's watch saw the terminated container."""
        if executor.removed is not None or self.ended is not None:
            return
        meta, code = pod["metadata"], ended["exitCode"]
        if "deletionTimestamp" in meta and code == 143 and not pod["status"].get("reason"):
            self._lost(executor, executor.deleted, by_task=False)
            return
        infrastructure = bool(pod["status"].get("reason"))
        reason = self.log.exit_reason(executor, pod, ended)
        self._lost(executor, reason, by_task=code in (52, 137) and not infrastructure)
        if self.keeps_pods:
            self._mark_inactive(meta)
        else:
            self.cluster.delete_pod(meta)

    def cut_off(self, node: str) -> None:
        """A node is gone: with it the driver, or executors, whose heartbeats are missed after two minutes."""
        driver = self.cluster.store.get(PODS, self.driver["metadata"]["namespace"], self.driver["metadata"]["name"])
        if driver is not None and driver["spec"].get("nodeName") == node:
            self._stop(137)
            for executor in self.executors.values():
                if executor.removed is None:
                    self._orphan(executor)
            return
        for executor in self.executors.values():
            pod = self.cluster.store.get(PODS, executor.pod["namespace"], executor.pod["name"])
            if pod is None or pod["spec"].get("nodeName") != node or not executor.active:
                continue
            executor.begin(self.cluster.heap.now, self.stages[-1].index if self.stages else 0, 0.0)
            executor.spared()
            silent = self.cluster.ids.jitter(120.0, 135.0)
            self.cluster.heap.after(silent, lambda e=executor, s=silent: self._silent(e, s))  # type: ignore[misc]

    def _silent(self, executor: Executor, seconds: float) -> None:
        if executor.removed is None and self.ended is None:
            text = f"Executor heartbeat timed out after {int(seconds * 1000)} ms"
            self.log.silent(self.cluster.heap.now, executor, int(seconds * 1000))
            self._lost(executor, text, by_task=True)
            self.cluster.delete_pod(executor.pod)

    def _mark_inactive(self, meta: Object) -> None:
        """The driver labels the pod of a dead executor that it keeps."""
        pod = self.cluster.store.get(PODS, meta["namespace"], meta["name"])
        if pod is not None and pod["metadata"]["uid"] == meta["uid"]:
            labels = {**pod["metadata"]["labels"], "spark-exec-inactive": "true"}
            self.cluster.store.update(PODS, {**pod, "metadata": {**pod["metadata"], "labels": labels}})

    def _lost(self, executor: Executor, reason: str, *, by_task: bool) -> None:
        now = self.cluster.heap.now
        executor.spared()
        if executor.removed is not None:
            return
        running = executor.active
        executor.removed = now
        if self.ended is not None:
            return
        executor.reason = reason
        self.failures += 1
        stage = self.stages[-1] if self.stages and self.stages[-1].ended is None else None
        self.log.lost(now, executor, reason, stage if running else None, by_task)
        if stage is not None and running:
            executor.failed_tasks += executor.size.cores if by_task else 0
            stage.failed += executor.size.cores if by_task else 0
            if not stage.plan.shuffle:
                stage.kept += math.floor(executor.done(now, stage.index))
            self._predict()
        if self.failures > self.max_failures:
            self.log.too_many(now, self.max_failures)
            self.cluster.heap.after(0.6, lambda: self._end(11))
            return
        self.cluster.heap.after(0.8, self._allocate)

    def _kill(self, executor: Executor, how: memory.DeathCause) -> None:
        """Memory ran out in an executor."""
        if executor.ending or executor.removed is not None:
            return
        stage = self.stages[-1]
        if how == "heap":
            executor_died_of_heap(self.cluster.logs.of(executor.pod["uid"]), self, executor, self.cluster.heap.now)
            self._node.end(executor.pod, 52, "Error")
        elif stage.plan.spares_jvm:
            self._worker_killed(executor, stage)
        else:
            self._node.end(executor.pod, 137, "OOMKilled")

    def _worker_killed(self, executor: Executor, stage: Progress) -> None:
        """Only the Python worker died: its tasks fail, the container lives on, and nobody writes an event."""
        now = self.cluster.heap.now
        executor.worker_killed = True
        executor.failed_tasks += executor.size.cores
        stage.failed += executor.size.cores
        stage.rounds = stage.failed // max(1, executor.size.cores * self.instances)
        worker_died(self.log, self.cluster.logs.of(executor.pod["uid"]), now, executor, stage)
        if stage.rounds >= TASK_MAX_FAILURES - 1:
            self._abort(stage, self.log.task_failed(now, stage, TASK_MAX_FAILURES))
        else:
            self._assign(executor, stage)

    def _idle(self) -> None:
        """Dynamic allocation, where it is on, gives back executors that have had nothing to do for its idle timeout."""
        if self.conf.get("spark.dynamicAllocation.enabled") != "true":
            return
        timeout = parse_duration(self.conf.get("spark.dynamicAllocation.executorIdleTimeout", "60s"))
        self.cluster.heap.after(timeout, self._give_back)

    def _give_back(self) -> None:
        if self.ended is not None:
            return
        self._wanted = int(self.conf.get("spark.dynamicAllocation.minExecutors", "0"))
        idle = [executor for executor in self.executors.values() if executor.active][self._wanted :]
        for executor in idle:
            executor.removed = self.cluster.heap.now
            executor.ending = True
            self._dismiss(executor)
        if idle:
            self.log.given_back(self.cluster.heap.now, idle)

    # -- the end --------------------------------------------------------------------------------------------------

    def _stop(self, code: int) -> None:
        self.ended, self.exit_code = self.cluster.heap.now, code
        if self._finish:
            self._finish.cancel()
        for executor in self.executors.values():
            executor.spared()

    def _end(self, code: int) -> None:
        """The context stops: executors are told to, then their pods are deleted, then the process exits."""
        if self.ended is not None:
            return
        self._stop(code)
        self.log.stop(self.cluster.heap.now, code, self.started or self.cluster.heap.now)
        for executor in self.executors.values():
            if executor.removed is None:
                self._dismiss(executor)
        reason = "Error" if code else "Completed"
        self.cluster.heap.after(1.0, lambda: self._node.end(self.driver["metadata"], code, reason))

    def _dismiss(self, executor: Executor) -> None:
        reason = "OOMKilled" if executor.worker_killed else "Completed"
        if executor.worker_killed or self.cluster.ids.jitter(0, 1) < EXIT_BEFORE_TERM:
            self.cluster.heap.after(0.3, lambda: self._node.end(executor.pod, 0, reason, delay=0.4))
        if not self.keeps_pods:
            self.cluster.heap.after(0.5, lambda: self._delete(executor))

    def _delete(self, executor: Executor) -> None:
        self.cluster.delete_pod(executor.pod)

    def terminated_by_signal(self) -> None:
        """The driver got SIGTERM: its shutdown hook stops the context and takes its executors down."""
        if self.ended is None:
            self._stop(143)
            self.log.stop(self.cluster.heap.now, 143, self.started or self.cluster.heap.now)
            for executor in self.executors.values():
                if executor.removed is None:
                    self._dismiss(executor)

    def _driver_dies(self, how: memory.DeathCause) -> None:
        if self.ended is not None:
            return
        if how == "cgroup":
            self._node.end(self.driver["metadata"], 137, "OOMKilled")
        else:
            self.log.driver_heap(self.cluster.heap.now)
            self.cluster.heap.after(0.8, lambda: self._end(1))

    def _driver_gone(self) -> None:
        """The driver's container ended, by itself or not: executors notice and go."""
        if self.ended is not None:
            return
        ended = terminated(self.driver)
        self._stop(int(ended["exitCode"]) if ended else 137)
        for executor in self.executors.values():
            if executor.removed is None:
                self._orphan(executor)

    def _orphan(self, executor: Executor) -> None:
        delay = self.cluster.ids.jitter(2.0, 3.0)
        self.cluster.heap.after(delay, lambda: self._node.end(executor.pod, 0, "Completed"))
