"""Spark's driver: it asks for executors, runs stages on them, loses some, and ends the way the real one does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from console.drill import memory
from console.drill.controllers.kubelet import terminated
from console.drill.heap import Happening
from console.drill.memory import Demand, Sizing
from console.drill.objects import ApiError
from console.drill.resources import PODS
from console.drill.sparklog import DriverLog, executor_died_of_heap, executor_started
from console.drill.sparkpods import executor_pod
from console.drill.store import Change
from console.drill.workload import Stage, Workload

if TYPE_CHECKING:
    from console.drill.world import World

Object = dict[str, Any]
HEARTBEAT = 10.0


@dataclass
class Executor:
    """One executor as the driver knows it.

    `work` holds (since, stage index, tasks per second): tasks done are a function of time.
    """

    number: int
    pod: Object
    size: Sizing
    host: str = ""
    asked: float = 0.0
    registered: float | None = None
    removed: float | None = None
    reason: str = ""
    failed_tasks: int = 0
    work: list[tuple[float, int, float]] = field(default_factory=list)
    fate: Happening | None = None
    ending: bool = False
    stretch: float = 1.0

    @property
    def active(self) -> bool:
        """Registered and not lost."""
        return self.registered is not None and self.removed is None

    def done(self, now: float, stage: int | None = None) -> float:
        """Tasks finished until `now`, of one stage or of all."""
        now = min(now, self.removed) if self.removed is not None else now
        total = 0.0
        for index, (since, number, rate) in enumerate(self.work):
            until = self.work[index + 1][0] if index + 1 < len(self.work) else now
            if since > now:
                break
            if stage is None or stage == number:
                total += max(0.0, min(until, now) - since) * rate
        return total

    def busy(self, now: float) -> float:
        """Seconds of work until `now`, summed over its cores."""
        now = min(now, self.removed) if self.removed is not None else now
        total = 0.0
        for index, (since, _stage, rate) in enumerate(self.work):
            until = self.work[index + 1][0] if index + 1 < len(self.work) else now
            if rate > 0 and since < now:
                total += (min(until, now) - since) * self.size.cores
        return total


@dataclass
class Progress:
    """One stage of a run."""

    index: int
    plan: Stage
    started: float
    ended: float | None = None
    kept: float = 0.0
    """Tasks whose output survives although their executor is gone."""
    failed: int = 0
    failure: str = ""
    done_at_end: float = 0.0


class Run:
    """One driver process from SparkContext to its end."""

    def __init__(self, world: World, driver: Object, spec: Object, app_id: str, name: str, workload: Workload) -> None:
        self.world, self.driver, self.spec, self.app_id, self.name = world, driver, spec, app_id, name
        self.workload = workload
        self.size = memory.sizing(spec, "executor")
        self.driver_size = memory.sizing(spec, "driver")
        executor = spec.get("executor") or {}
        self.instances = int(executor.get("instances") or 2)
        self.prefix = f"{name}-{world.ids.hex(16)}"
        conf = spec.get("sparkConf") or {}
        named = conf.get("spark.executor.maxNumFailures")
        self.max_failures = int(named) if named else max(3, 2 * self.instances)
        self.executors: dict[int, Executor] = {}
        self.stages: list[Progress] = []
        self.failures = 0
        self.started: float | None = None
        self.ended: float | None = None
        self.exit_code: int | None = None
        self.driver_ip = ""
        self.log = DriverLog(world.log(driver), self)
        self._by_uid: dict[str, Executor] = {}
        self._next = 1
        self._finish: Happening | None = None
        self._driver_fate: Happening | None = None
        self._driver_work: tuple[float, Demand] | None = None

    # -- life of the driver ---------------------------------------------------------------------------------------

    def begin(self, pod: Object) -> None:
        """The driver's container runs."""
        self.driver, self.driver_ip = pod, pod["status"]["podIP"]
        self.log.begin(self.world.heap.now)
        self.world.heap.after(self.world.ids.jitter(3.6, 4.4), self._context)

    def _context(self) -> None:
        if self.ended is not None:
            return
        self.started = self.world.heap.now
        self.log.context(self.started)
        self._allocate()

    def _allocate(self) -> None:
        """Ask for executors until as many live or are on their way as the job wants."""
        if self.ended is not None or self.started is None:
            return
        known = sum(1 for e in self.executors.values() if e.removed is None)
        wanted = min(self.instances - known, 10)
        if wanted <= 0:
            return
        self.log.request(self.world.heap.now, wanted, self.instances, known)
        for _ in range(wanted):
            number, self._next = self._next, self._next + 1
            pod = executor_pod(self, number)
            try:
                created = self.world.create(PODS, pod)
            except ApiError as error:
                self.log.refused(self.world.heap.now, number, error)
                self.world.heap.after(20.0, self._allocate)
                return
            executor = Executor(number, created["metadata"], self.size, asked=self.world.heap.now)
            executor.stretch = self.world.ids.jitter(0.9, 1.15)
            self.executors[number] = executor
            self._by_uid[created["metadata"]["uid"]] = executor
            self.world.spark.watch_pod(created["metadata"]["uid"], self)
        if self.instances - known > wanted:
            self.world.heap.after(1.0, self._allocate)

    # -- executors ------------------------------------------------------------------------------------------------

    def pod_changed(self, change: Change) -> None:
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
            if executor.removed is None:
                self._lost(
                    executor, f"The executor with id {executor.number} was deleted by a user or the framework.", False
                )
            return
        status = pod["status"]
        if status.get("phase") == "Running" and not executor.host and not terminated(pod):
            executor.host = status["podIP"]
            executor_started(self.world.log(pod), self, executor, self.world.heap.now)
            self.world.heap.after(self.world.ids.jitter(3.0, 3.8), lambda: self._register(executor))
        ended = terminated(pod)
        if ended and executor.removed is None and not executor.ending:
            executor.ending = True
            if executor.fate:
                executor.fate.cancel()
            self.world.heap.after(0.15, lambda: self._exited(executor, pod, ended))

    def _register(self, executor: Executor) -> None:
        if executor.ending or executor.removed is not None or self.ended is not None:
            return
        executor.registered = self.world.heap.now
        self.log.registered(self.world.heap.now, executor)
        if not self.stages:
            active = sum(1 for e in self.executors.values() if e.active)
            if active >= math.ceil(0.8 * self.instances):
                self.log.ready(self.world.heap.now)
                self.world.heap.after(self.workload.startup, lambda: self._stage(0))
        elif self.stages[-1].ended is None:
            self._assign(executor, self.stages[-1])
            self._predict()

    def _exited(self, executor: Executor, pod: Object, ended: Object) -> None:
        """The driver's watch saw the terminated container."""
        if executor.removed is not None or self.ended is not None:
            return
        meta, code = pod["metadata"], ended["exitCode"]
        if "deletionTimestamp" in meta and code == 143 and not pod["status"].get("reason"):
            reason = f"The executor with id {executor.number} was deleted by a user or the framework."
            self._lost(executor, reason, False)
        else:
            self._lost(executor, self.log.exit_reason(executor, pod, ended), code in (52, 137))
            self.world.delete_pod(meta)

    def _lost(self, executor: Executor, reason: str, by_task: bool) -> None:
        now = self.world.heap.now
        stage = self.stages[-1] if self.stages and self.stages[-1].ended is None else None
        running = executor.active and stage is not None
        executor.removed, executor.reason = now, reason
        if executor.fate:
            executor.fate.cancel()
        if self.ended is not None:
            return
        self.failures += 1
        self.log.lost(now, executor, reason, stage if running else None, by_task)
        if stage is not None and running:
            executor.failed_tasks += executor.size.cores if by_task else 0
            stage.failed += executor.size.cores if by_task else 0
            if not stage.plan.shuffle:
                stage.kept += math.floor(executor.done(now, stage.index))
            self._predict()
        if self.failures > self.max_failures:
            self.log.too_many(now, self.max_failures)
            self.world.heap.after(0.6, lambda: self._end(11))
            return
        self.world.heap.after(0.8, self._allocate)

    def kill_executor(self, executor: Executor, how: memory.Death) -> None:
        """Memory ran out in an executor."""
        if executor.ending or executor.removed is not None:
            return
        if how == "heap":
            log = self.world.log_of(executor.pod["uid"])
            executor_died_of_heap(log, self, executor, self.world.heap.now)
            self.world.kubelet.end(executor.pod, 52, "Error")
        else:
            self.world.kubelet.end(executor.pod, 137, "OOMKilled")

    # -- stages ---------------------------------------------------------------------------------------------------

    def _stage(self, index: int) -> None:
        if self.ended is not None:
            return
        now, plan = self.world.heap.now, self.workload.stages[index]
        stage = Progress(index, plan, now)
        self.stages.append(stage)
        self.log.stage(now, stage)
        for executor in self.executors.values():
            if executor.active:
                self._assign(executor, stage)
        if plan.driver is not None:
            self._driver_work = (now, plan.driver)
            death = memory.fate(self.driver_size, plan.driver)
            if death:
                self._driver_fate = self.world.heap.after(death[0], lambda: self._driver_dies(death[1]))
        self._predict()

    def _assign(self, executor: Executor, stage: Progress) -> None:
        now = self.world.heap.now
        executor.work.append((now, stage.index, executor.size.cores / stage.plan.seconds))
        if executor.fate:
            executor.fate.cancel()
        busy = now - executor.work[0][0]
        death = memory.fate(executor.size, stage.plan.executor, busy=busy, jitter=executor.stretch)
        if death:
            executor.fate = self.world.heap.after(death[0], lambda: self.kill_executor(executor, death[1]))

    def done(self, stage: Progress, now: float) -> float:
        """Tasks of a stage whose results exist at `now`."""
        if stage.ended is not None and now >= stage.ended:
            return float(stage.plan.tasks)
        alive = sum(e.done(now, stage.index) for e in self.executors.values() if e.registered and e.removed is None)
        return min(float(stage.plan.tasks), stage.kept + alive)

    def _predict(self) -> None:
        """Plan the end of the current stage from the executors that work on it now."""
        if self._finish:
            self._finish.cancel()
            self._finish = None
        stage, now = self.stages[-1], self.world.heap.now
        rate = sum(e.size.cores / stage.plan.seconds for e in self.executors.values() if e.active)
        if rate > 0:
            left = stage.plan.tasks - self.done(stage, now)
            self._finish = self.world.heap.after(max(0.5, left / rate), lambda: self._stage_done(stage))

    def _stage_done(self, stage: Progress) -> None:
        if self.ended is not None:
            return
        now = self.world.heap.now
        for executor in self.executors.values():
            if executor.active:
                executor.work.append((now, stage.index, 0.0))
                if executor.fate:
                    executor.fate.cancel()
        stage.ended = now
        if self._driver_fate:
            self._driver_fate.cancel()
        self.log.stage_done(now, stage)
        if self.workload.fails_with and stage.index == len(self.workload.stages) - 1:
            self.log.failed(now, self.workload.fails_with)
            self.world.heap.after(0.5, lambda: self._end(1))
        elif stage.index + 1 < len(self.workload.stages):
            self.world.heap.after(0.4, lambda: self._stage(stage.index + 1))
        else:
            self.world.heap.after(1.0, lambda: self._end(0))

    # -- the end --------------------------------------------------------------------------------------------------

    def _end(self, code: int) -> None:
        if self.ended is not None:
            return
        self.ended, self.exit_code = self.world.heap.now, code
        if self._finish:
            self._finish.cancel()
        self.log.stop(self.ended, code, self.started or self.ended)
        for executor in self.executors.values():
            if executor.fate:
                executor.fate.cancel()
            if executor.removed is None:
                self.world.delete_pod(executor.pod)
        self.world.heap.after(
            1.0, lambda: self.world.kubelet.end(self.driver["metadata"], code, "Error" if code else "Completed")
        )

    def terminated_by_signal(self) -> None:
        """The driver got SIGTERM: its shutdown hook stops the context and takes its executors down."""
        if self.ended is not None:
            return
        self.ended, self.exit_code = self.world.heap.now, 143
        if self._finish:
            self._finish.cancel()
        self.log.stop(self.ended, 143, self.started or self.ended)
        for executor in self.executors.values():
            if executor.fate:
                executor.fate.cancel()
            if executor.removed is None:
                self.world.delete_pod(executor.pod)

    def _driver_dies(self, how: memory.Death) -> None:
        if self.ended is not None:
            return
        if how == "cgroup":
            self.world.kubelet.end(self.driver["metadata"], 137, "OOMKilled")
        else:
            self.log.driver_heap(self.world.heap.now)
            self.world.heap.after(0.8, lambda: self._end(1))

    def _driver_gone(self) -> None:
        """The driver's container ended, by itself or not: executors notice and go."""
        if self.ended is None:
            self.ended = self.world.heap.now
            ended = terminated(self.driver)
            self.exit_code = ended["exitCode"] if ended else 143
            if self._finish:
                self._finish.cancel()
            for executor in self.executors.values():
                if executor.fate:
                    executor.fate.cancel()
                if executor.removed is None:
                    delay = self.world.ids.jitter(2.0, 3.0)
                    self.world.heap.after(delay, lambda e=executor: self.world.kubelet.end(e.pod, 0, "Completed"))  # type: ignore[misc]

    # -- what others read -----------------------------------------------------------------------------------------

    def memory_of(self, executor: Executor, now: float) -> memory.Use:
        """Memory of an executor at `now`."""
        current: tuple[float, int] | None = None
        for since, stage, rate in executor.work:
            if since <= now and rate > 0:
                current = (since, stage)
        if current is None:
            idle = min(1.0, max(0.0, now - executor.asked) / 20.0)
            return memory.use(executor.size, Demand(), 0.0, busy=4.0 * idle)
        demand = self.workload.stages[current[1]].executor
        stretched = Demand(demand.heap, demand.python, demand.native, demand.ramp * executor.stretch)
        return memory.use(executor.size, stretched, now - current[0], busy=now - executor.work[0][0])

    def resident(self, uid: str, now: float) -> int:
        """Resident bytes of one of its pods' containers, never more than the limit: the kernel sees to that."""
        executor = self._by_uid.get(uid)
        if executor is None:
            return min(self.driver_memory(now).resident, self.driver_size.limit)
        return min(self.memory_of(executor, now).resident, executor.size.limit)

    def cpu_seconds(self, uid: str, now: float) -> float:
        """CPU time of one of its pods' containers."""
        executor = self._by_uid.get(uid)
        if executor is None:
            return 8.0 + 0.15 * max(0.0, now - (self.started or now))
        return 6.0 + 0.9 * executor.busy(now)

    def driver_memory(self, now: float) -> memory.Use:
        """Memory of the driver at `now`."""
        if self._driver_work is None or now < self._driver_work[0]:
            return memory.use(self.driver_size, Demand(), 0.0, busy=8.0)
        since, demand = self._driver_work
        return memory.use(self.driver_size, demand, now - since)


class Spark:
    """All driver processes of the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.runs: list[Run] = []
        self._pods: dict[str, Run] = {}
        world.store.listen(PODS, self._changed)

    def launch(self, driver: Object, spec: Object, app_id: str, name: str) -> Run:
        """A driver pod was made; its process starts when the pod runs."""
        workload = self.world.workloads.of(str(spec.get("mainApplicationFile", "")))
        run = Run(self.world, driver, spec, app_id, name, workload)
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
        """The run that a pod belonged to, by the pod's uid."""
        return self._pods.get(uid)

    def _changed(self, change: Change) -> None:
        run = self._pods.get(change.object["metadata"]["uid"])
        if run is None:
            return
        pod = change.object
        if pod["metadata"]["uid"] == run.driver["metadata"]["uid"]:
            was = change.previous["status"].get("phase") if change.previous else None
            if pod["status"].get("phase") == "Running" and was == "Pending":
                run.begin(pod)
        run.pod_changed(change)
