"""What the code of a job does: its stages, and what each makes an executor and the driver hold.

No Kubernetes object says this. It is a property of the program and its data; faults of a drill change it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from console.drill.spark.memory import MI, Demand

IDLE = Demand()


@dataclass(frozen=True)
class StagePlan:
    """One stage.

    Attributes:
        name: call site as Spark prints it.
        tasks: how many.
        seconds: how long one task runs.
        tail: how long the one task runs that has most of the data; 0: all are alike.
        executor: what an executor holds while it runs tasks of this stage.
        driver: what the driver holds at the end of it; None where results stay on the executors.
        shuffle: whether its output is read by a later stage (and is lost with the executor that wrote it).
        input_bytes: read by one task.
        shuffle_bytes: written by one task.
        result_bytes: sent to the driver by one task.
        spares_jvm: the kernel kills only the Python worker that grew, and the container lives on (cgroup v1).
        stands: where its threads stand for ever (`socket`, `deadlock`), so that no task of it ends; empty: they work.
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
    tail: float = 0.0
    stands: str = ""


@dataclass(frozen=True)
class Program:
    """The stages of a job, one after the other."""

    stages: tuple[StagePlan, ...]
    startup: float = 6.0
    fails_with: str = ""
    """An error of the job's own code that ends each run; empty: none."""
    lingers: float = 0.0
    """Seconds for which the program goes on after its last job, with all that it holds."""

    def with_stage(self, index: int, stage: StagePlan) -> Program:
        """The same job with one stage changed."""
        return replace(self, stages=(*self.stages[:index], stage, *self.stages[index + 1 :]))


def small() -> Program:
    """A job of the fleet: half a minute of work that fits anywhere."""
    return Program(
        (
            StagePlan(
                "count at /opt/jobs/job.py:21", 8, 4.0, Demand(300 * MI, 60 * MI), input_bytes=48 * MI, shuffle_bytes=MI
            ),
            StagePlan("save at /opt/jobs/job.py:34", 4, 3.0, Demand(260 * MI, 60 * MI), shuffle=False),
        )
    )


@dataclass
class Programs:
    """Which program each `mainApplicationFile` is, and what programs call themselves in the name of an application."""

    by_file: dict[str, Program] = field(default_factory=dict)
    app_names: dict[str, str] = field(default_factory=dict)

    def name_of(self, app: str) -> str:
        """The name that an application's program gives itself: its own, unless the code says another."""
        return self.app_names.get(app, app)

    def of(self, main_file: str) -> Program:
        """The program; one that nobody described is a small one."""
        return self.by_file.get(main_file) or small()
