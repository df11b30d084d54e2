"""What the code of a job does: its stages, and what each makes an executor and the driver hold.

No Kubernetes object says this. It is a property of the program and its data; faults of a drill change it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from console.drill.memory import MI, Demand

IDLE = Demand()


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: call site as Spark prints it.
        tasks: how many.
        seconds: how long one task runs.
        executor: what an executor holds while it runs tasks of this stage.
        driver: what the driver holds at the end of it; None where results stay on the executors.
        shuffle: whether its output is read by a later stage (and is lost with the executor that wrote it).
        input_bytes: read by one task.
        shuffle_bytes: written by one task.
        result_bytes: sent to the driver by one task.
        spares_jvm: the kernel kills only the Python worker that grew, and the container lives on (cgroup v1).
    """

    name: str
    tasks: int
    seconds: float
    executor: Demand = IDLE
    driver: Demand | None = None
    shuffle: bool = True
    input_bytes: int = 0
    shuffle_bytes: int = 0
    result_bytes: int = 2 * 1024
    spares_jvm: bool = False


@dataclass(frozen=True)
class Workload:
    """The stages of a job, one after the other."""

    stages: tuple[Stage, ...]
    startup: float = 6.0
    fails_with: str = ""
    """An error of the job's own code that ends each run; empty: none."""

    def with_stage(self, index: int, stage: Stage) -> Workload:
        """The same job with one stage changed."""
        return replace(self, stages=(*self.stages[:index], stage, *self.stages[index + 1 :]))


def small() -> Workload:
    """A job of the fleet: half a minute of work that fits anywhere."""
    return Workload(
        (
            Stage(
                "count at /opt/jobs/job.py:21", 8, 4.0, Demand(300 * MI, 60 * MI), input_bytes=48 * MI, shuffle_bytes=MI
            ),
            Stage("save at /opt/jobs/job.py:34", 4, 3.0, Demand(260 * MI, 60 * MI), shuffle=False),
        )
    )


@dataclass
class Workloads:
    """Which program each `mainApplicationFile` is."""

    by_file: dict[str, Workload] = field(default_factory=dict)

    def of(self, main_file: str) -> Workload:
        """The program; one that nobody described is a small one."""
        return self.by_file.get(main_file) or small()
