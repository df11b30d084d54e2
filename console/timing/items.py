"""What `slow` answers: causes of lost wall time, the chain of stages that the time went into, and the report."""

from __future__ import annotations

from msgspec import Struct

KINDS = {
    "data-skew": "some tasks have far more data than the others",
    "slow-node": "one executor or node is slower than the others at the same work",
    "straggler": "some tasks take far longer than the others at the same data",
    "spill": "data did not fit into the memory of a task and went to disk and back",
    "gc": "the JVM collects garbage instead of working",
    "shuffle-wait": "tasks wait for blocks of other executors",
    "scheduler-delay": "finished or launched tasks wait for the driver",
    "too-many-tasks": "starting tasks takes longer than running them",
    "too-few-tasks": "there are fewer tasks than slots",
    "idle-slots": "slots stood free while tasks waited",
    "late-executors": "tasks waited for executors that came later",
    "idle-executors": "executors were paid for and ran nothing",
    "retries": "work of tasks that failed or was done twice",
    "driver-gap": "no job ran: the driver's own code, planning, listing, commit",
    "small-files": "opening many small files takes longer than reading them",
    "small-writes": "many small files are written",
    "python-udf": "rows go through Python workers",
    "broadcast-candidate": "a large side is shuffled to be joined with a small one",
    "large-broadcast": "much data is collected by the driver and sent to every executor",
    "cross-join": "every row is compared with every other one",
    "row-explosion": "an operator makes far more rows than it gets",
    "unpruned-scan": "most of what is read is thrown away at once",
    "repeated-work": "the same part of a plan is computed again",
    "slower-than-before": "longer than in every former run, at the same input",
    "more-input": "longer than in every former run, and so is the input",
}
"""Kind → what it means."""


class Slow(Struct, frozen=True):
    """One cause of lost time.

    Attributes:
        kind: one of KINDS.
        lost: seconds of wall time, estimated: what the run would be shorter without the cause. 0 for
            `idle-executors`, which cost no time.
        share: of the wall time of all jobs (driver-gap: from the first job's start to the last one's end;
            idle-executors: of the executors' time).
        where: stage, call site and SQL execution, or plan node; the costliest one where there are several.
        confirm: what would prove it.
        stage: (id, attempt) of the costliest stage.
        sql: SQL execution.
        paid: executor-seconds (slots × seconds) that were paid for nothing; only idle-executors say it.
        count: how many stages, executions or operators it was seen in.
    """

    kind: str
    lost: float
    share: float
    words: str
    where: str
    confirm: str
    stage: tuple[int, int] | None = None
    largest: float | None = None
    usual: float | None = None
    executors: tuple[str, ...] = ()
    sql: int | None = None
    paid: float = 0.0
    count: int = 1


class PathStep(Struct, frozen=True):
    """A link of the critical path: a stage, or a gap in which the path waited for the driver (stage None).

    Attributes:
        seconds: of wall time; the steps' sum is the time from the first job's start to the last one's end.
        begun: Unix seconds.
        split: share of its tasks' time by what they did: `cpu`, `gc`, `shuffle wait`, `shuffle write`, `start`
            (scheduler delay and code loading), `other` (blocked: I/O, Python, locks). Empty where it is not known.
        slots: share of the slots that its tasks filled.
    """

    stage: tuple[int, int] | None
    seconds: float
    begun: float
    name: str = ""
    job: int | None = None
    sql: int | None = None
    tasks: int = 0
    split: dict[str, float] = {}
    slots: float | None = None


class TimeReport(Struct, frozen=True):
    """Times in seconds. `jobs` is the wall time in which at least one job ran."""

    span: float | None
    jobs: float
    slots: float
    items: tuple[Slow, ...]
    path: tuple[PathStep, ...] = ()
    """The chain of stages that ended last, back to the first, in order of time."""
    idle: float | None = None
    """Share of the slots' time, while jobs ran, in which no task ran: what executors cost for nothing."""
    missing: tuple[str, ...] = ()
    """What could not be judged, and why."""
