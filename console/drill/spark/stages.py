"""The stages of a run, one after the other: who works on each, when it is done, and what ends it before that."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from console.base.units import parse_jvm_size
from console.drill.spark import memory
from console.drill.spark.driverlog import DriverLog
from console.drill.spark.needs import NeededServices
from console.drill.spark.program import Program
from console.drill.spark.progress import Executor, Progress, SparkRun
from console.drill.state.clock import Happening
from console.drill.state.cluster import ClusterState

Object = dict[str, Any]
REGISTERED_RATIO, LONGEST_WAIT = 0.8, 30.0
"""Share of the executors that must have registered before the first stage begins, and seconds after which it does."""
STARVING = 15.0
"""Seconds after which a driver says once more that nobody works for it."""


class NodeAgent(Protocol):
    """What a process needs of the node it runs on."""

    def end(self, meta: Object, code: int, reason: str, *, delay: float = ...) -> None:
        """The main container of a pod ended with `code`; the pod's phase follows after `delay` seconds."""


class StagedRun(SparkRun):
    """A run with what moves it through its stages.

    Args:
        node: where its containers run.
    """

    def __init__(
        self,
        cluster: ClusterState,
        node: NodeAgent,
        driver: Object,
        spec: Object,
        app_id: str,
        name: str,
        program: Program,
    ) -> None:
        super().__init__(driver, spec, app_id, name, program)
        self.prefix = f"{name}-{cluster.ids.hex(16)}"
        self.cluster, self._node = cluster, node
        self.log = DriverLog(cluster.logs.of(driver["metadata"]["uid"]), self)
        self.needs = NeededServices(cluster, self)
        self._asked = False
        self._finish: Happening | None = None
        self._driver_fate: Happening | None = None

    def _end(self, code: int) -> None:
        """The context stops and the process exits."""
        raise NotImplementedError

    def _driver_dies(self, how: memory.DeathCause) -> None:
        """The driver's own memory is full."""
        raise NotImplementedError

    def _idle(self) -> None:
        """Its last job is done, and nothing more is asked of its executors."""
        raise NotImplementedError

    def _kill(self, executor: Executor, how: memory.DeathCause) -> None:
        """Memory ran out in an executor."""
        raise NotImplementedError

    # -- the first stage ------------------------------------------------------------------------------------------

    def _enough(self, waited: bool = False) -> None:
        """Begin, once enough executors have registered or it has waited long enough."""
        if self._asked or self.ended is not None:
            return
        active = sum(1 for e in self.executors.values() if e.active)
        if not waited and active < math.ceil(REGISTERED_RATIO * self.instances):
            return
        self._asked = True
        now = self.cluster.heap.now
        if waited:
            self.log.ready_after_waiting(now)
        else:
            self.log.ready(now)
        self.cluster.heap.after(self.program.startup, lambda: self._stage(0))

    def _starve(self) -> None:
        """The tasks of the first stage wait, and nobody has ever come to run them."""
        if self.ended is None and not any(e.registered is not None for e in self.executors.values()):
            self.log.starving(self.cluster.heap.now)
            self.cluster.heap.after(STARVING, self._starve)

    # -- one after the other --------------------------------------------------------------------------------------

    def _stage(self, index: int) -> None:
        if self.ended is not None:
            return
        missing = self.needs.missing()
        if missing is not None:
            self.cluster.heap.after(self.needs.fail(missing), lambda: self._end(1))
            return
        now, plan = self.cluster.heap.now, self.program.stages[index]
        stage = Progress(index, plan, now)
        self.stages.append(stage)
        self.log.stage(now, stage)
        for executor in self.executors.values():
            if executor.active:
                self._assign(executor, stage)
        if plan.driver is not None:
            self.driver_work = (now, plan.driver)
            death = memory.fate(self.driver_size, plan.driver)
            if death:
                self._driver_fate = self.cluster.heap.after(death[0], lambda: self._driver_dies(death[1]))
        self._predict()
        if not index:
            self.cluster.heap.after(STARVING, self._starve)

    def _assign(self, executor: Executor, stage: Progress) -> None:
        now = self.cluster.heap.now
        executor.begin(now, stage.index, executor.size.cores / stage.plan.seconds)
        executor.spared()
        busy = now - executor.work[0][0]
        death = memory.fate(executor.size, stage.plan.executor, busy=busy, jitter=executor.stretch)
        if death:
            executor.fate = self.cluster.heap.after(death[0], lambda: self._kill(executor, death[1]))

    def _predict(self) -> None:
        """Plan the end of the current stage from the executors that work on it now."""
        if self._finish:
            self._finish.cancel()
            self._finish = None
        stage, now = self.stages[-1], self.cluster.heap.now
        rate = sum(e.size.cores / stage.plan.seconds for e in self.executors.values() if e.active)
        if rate <= 0:
            return
        left = stage.plan.tasks - self.done(stage, now)
        most = parse_jvm_size(self.conf.get("spark.driver.maxResultSize", "1g"), "b")
        allowed = math.floor(most / stage.plan.result_bytes) if most else stage.plan.tasks
        held = math.floor((self.driver_size.heap * 0.98 - memory.BASE_LIVE) / stage.plan.result_bytes)
        if min(allowed, held) < stage.plan.tasks:
            until = max(0.0, min(allowed, held) + 1 - self.done(stage, now)) / rate
            if allowed <= held:
                end: Callable[[], None] = lambda: self._too_large(stage, allowed + 1, most)  # noqa: E731
            else:
                end = lambda: self._driver_dies("heap")  # noqa: E731
            self._finish = self.cluster.heap.after(max(0.5, until), end)
        else:
            self._finish = self.cluster.heap.after(max(0.5, left / rate), lambda: self._all_but_one_done(stage))

    def _all_but_one_done(self, stage: Progress) -> None:
        """Every task is done, or all but the one that has most of the data: a single executor works on."""
        now = self.cluster.heap.now
        left = stage.started + stage.plan.tail - now if stage.plan.tail else 0.0
        executor = next((e for e in self.executors.values() if e.active), None)
        if self.ended is not None or left <= 0 or executor is None:
            self._stage_done(stage)
            return
        self._rest(stage)
        executor.begin(now, stage.index, 1 / stage.plan.tail)
        executor.alone = now
        self._finish = self.cluster.heap.after(left, lambda: self._stage_done(stage))

    def _too_large(self, stage: Progress, tasks: int, most: int) -> None:
        if self.ended is None:
            self._abort(stage, self.log.result_too_large(self.cluster.heap.now, tasks, stage, most))

    def _abort(self, stage: Progress, failure: str) -> None:
        """The stage fails, its job with it, and the program does not catch that."""
        stage.failure = failure
        self.log.aborted(self.cluster.heap.now, stage, failure)
        self._rest(stage)
        self.cluster.heap.after(0.6, lambda: self._end(1))

    def _rest(self, stage: Progress) -> None:
        for executor in self.executors.values():
            if executor.active:
                executor.begin(self.cluster.heap.now, stage.index, 0.0)
                executor.spared()

    def _stage_done(self, stage: Progress) -> None:
        if self.ended is not None:
            return
        now = self.cluster.heap.now
        self._rest(stage)
        stage.ended = now
        if self._driver_fate:
            self._driver_fate.cancel()
        self.log.stage_done(now, stage)
        if self.program.fails_with and stage.index == len(self.program.stages) - 1:
            self.log.failed(now, self.program.fails_with)
            self.cluster.heap.after(0.5, lambda: self._end(1))
        elif stage.index + 1 < len(self.program.stages):
            self.cluster.heap.after(0.4, lambda: self._stage(stage.index + 1))
        else:
            self.cluster.heap.after(1.0 + self.program.lingers, lambda: self._end(0))
            self._idle()
