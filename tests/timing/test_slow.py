"""Why is it slow: real event logs with and without each cause. What is estimated is within twice what it really cost,
and work without the cause gives no word about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.apps.assemble import assemble
from console.base.clock import rfc3339
from console.facts.model import RestDocument
from console.facts.rest import RestView, when
from console.findings.case import ClusterView
from console.sources.folder.read import read_folder
from console.timing.former import slower
from console.timing.items import KINDS as MEANINGS
from console.timing.items import TimeReport
from console.timing.report import analyse
from tests.cluster.spark import PySpark
from tests.findings.worlds import T0

LOGS = Path(__file__).parent.parent / "data" / "slow"
KINDS = {
    "skew": ("data-skew",),
    "few-tasks": ("too-few-tasks",),
    "many-tasks": ("too-many-tasks",),
    "retries": ("retries",),
    "driver-gap": ("driver-gap",),
    "python-udf": ("python-udf",),
    "small-files": ("small-files",),
    "no-broadcast": ("broadcast-candidate", "too-many-tasks"),
    "slow-node": ("slow-node",),
    "scheduler-delay": ("scheduler-delay",),
    "late-executors": ("late-executors",),
    "idle-slots": ("idle-slots",),
    "shuffle-wait": ("shuffle-wait",),
    "row-explosion": ("row-explosion", "large-broadcast"),
    "unpruned-scan": ("unpruned-scan",),
    "large-broadcast": ("large-broadcast",),
    "gc": ("gc",),
    "spill": ("spill",),
    "small-writes": ("small-writes",),
    "cross-join": ("cross-join",),
    "repeated-work": ("repeated-work",),
}
"""Cause that was put in → kinds that must be seen. A shuffle that is not needed also has needless tasks."""
ASLEEP = ("skew", "retries", "driver-gap")
"""Causes whose cost is time asleep, so that they are told on a busy machine too."""


def report(folder: Path) -> tuple[TimeReport, float]:
    """What is said of an event log, and the seconds from its second job to the last one's end: the first warms up."""
    facts = read_folder(folder)
    (case,) = ClusterView(facts, assemble(facts)).cases
    begun = [at for job in case.rest.jobs.values() if (at := when(job, "submissionTime")) is not None]
    ended = [at for job in case.rest.jobs.values() if (at := when(job, "completionTime")) is not None]
    return analyse(case.rest), max(ended) - sorted(begun)[1]


def measured(cause: str, folder: Path) -> str:
    """One line of the table: cause, estimated and measured seconds, and what is told of each run."""
    clean, fast = report(folder / f"{cause}-good")
    found, slow = report(folder / f"{cause}-bad")
    told = ", ".join(f"{i.kind} {i.lost:.1f}" + (f" paid {i.paid:.0f}" if i.paid else "") for i in found.items)
    wrong = ", ".join(f"{i.kind} {i.lost:.1f}" for i in clean.items)
    lost = sum(i.lost for i in found.items)
    return (
        f"{cause:16} {lost:6.1f} s {slow - fast:6.1f} s   bad {slow:.1f} s: {told}   good {fast:.1f} s: {wrong or '-'}"
    )


def judged(cause: str, good: Path, bad: Path) -> tuple[float, float]:
    """(estimated, measured) seconds of a cause.

    Raises:
        AssertionError: another cause is seen, or one in the work that has none.
    """
    clean, fast = report(good)
    assert not clean.items, f"{cause}: nothing is wrong with {[(i.kind, i.lost) for i in clean.items]}"
    found, slow = report(bad)
    kinds = {i.kind for i in found.items}
    assert kinds == set(KINDS[cause]), f"{cause}: {[(i.kind, i.lost) for i in found.items]}"
    return sum(i.lost for i in found.items), slow - fast


def test_estimates_are_within_twice_the_truth(capsys: pytest.CaptureFixture[str]) -> None:
    rows = []
    for cause in KINDS:
        estimated, measured = judged(cause, LOGS / f"{cause}-good", LOGS / f"{cause}-bad")
        rows.append((cause, estimated, measured))
    with capsys.disabled():
        print("\ncause          estimated  measured")
        for cause, estimated, measured in rows:
            print(f"{cause:14} {estimated:8.1f}s {measured:8.1f}s")
    for cause, estimated, measured in rows:
        assert measured / 2 <= estimated <= measured * 2, cause


def test_executors_that_ran_nothing_cost_no_time_but_slots() -> None:
    """The same work on one executor and on four."""
    (clean, fast), (found, slow) = (report(LOGS / f"idle-executors-{way}") for way in ("good", "bad"))
    assert clean.items == () and slow - fast == pytest.approx(0, abs=1)
    idle = next(i for i in found.items if i.kind == "idle-executors")
    more = found.slots * found.jobs - clean.slots * clean.jobs
    assert idle.lost == 0 and more / 2 <= idle.paid <= more * 2
    assert {i.kind for i in found.items} == {"idle-executors", "too-few-tasks"} and len(idle.executors) == 3


def test_where_it_comes_from_and_what_would_prove_it() -> None:
    items = {k: report(LOGS / f"{k}-bad")[0].items[0] for k in KINDS}
    assert "stage 2.0: sum at /opt/jobs/job.py" in items["skew"].where
    assert items["python-udf"].where.endswith("BatchEvalPython") and "SQL execution 0" in items["python-udf"].where
    assert items["small-files"].words.startswith("1500 files of")
    assert all(i.confirm and 0 < i.share <= 1 for i in items.values())


def test_a_share_of_the_time_decides_and_no_size() -> None:
    """The same skew, gap and retries as before, in a run a hundred times as long, are worth no word."""
    for cause in ("skew", "retries", "driver-gap", "slow-node", "gc"):
        facts = read_folder(LOGS / f"{cause}-bad")
        (case,) = ClusterView(facts, assemble(facts)).cases
        (item,) = analyse(case.rest).items
        run = analyse(case.rest)
        rows = [dict(row) for row in case.rest.jobs.values()]
        end = max(at for row in rows if (at := when(row, "completionTime")) is not None)
        long = {"jobId": 999, "status": "SUCCEEDED", "stageIds": [], "submissionTime": rfc3339(end)}
        long["completionTime"] = rfc3339(end + 100 * run.jobs)
        document = RestDocument("jobs", [*rows, long], facts.rest[0].origin, app_id=facts.rest[0].app_id)
        others = [d for d in case.rest.docs if d.path != "jobs"]
        told = [i for i in analyse(RestView([*others, document])).items if i.lost]
        assert item.share >= 0.05 and told == []


def test_the_clock_of_whoever_looks_does_not_matter() -> None:
    """A driver in the middle of a job, asked from a machine whose clock is a day ahead."""
    facts = read_folder(LOGS / "skew-bad")
    (case,) = ClusterView(facts, assemble(facts)).cases
    docs = [d for d in case.rest.docs if d.path not in ("", "jobs", "stages")]
    first = min(at for job in case.rest.jobs.values() if (at := when(job, "submissionTime")) is not None)
    end = max(at for job in case.rest.jobs.values() if (at := when(job, "completionTime")) is not None)
    attempt = {"startTimeEpoch": first * 1000, "duration": (end - first) * 1000, "completed": False}
    jobs = [{**job, "status": "RUNNING", "completionTime": None} for job in case.rest.jobs.values()]
    stages = list(case.rest.stages.values())
    last = max(stages, key=lambda s: s["stageId"])
    stages = [{**s, "status": "ACTIVE", "completionTime": None} if s is last else s for s in stages]
    made = [("", {**case.rest.application, "attempts": [attempt]}), ("jobs", jobs), ("stages", stages)]
    view = RestView([*docs, *(RestDocument(path, data, docs[0].origin, docs[0].app_id) for path, data in made)])
    found = analyse(view, now=end + 86_400)
    assert found.span == pytest.approx(end - first, abs=1) and found.jobs == pytest.approx(end - first, abs=1)
    assert [i.kind for i in found.items] == ["data-skew"]


def test_every_item_says_where_and_what_would_confirm_it() -> None:
    for cause in KINDS:
        for item in report(LOGS / f"{cause}-bad")[0].items:
            assert item.kind in MEANINGS and item.confirm and 0 < item.share <= 1
            assert "/opt/jobs/job.py:" in item.where or "NativeMethodAccessorImpl" in item.where, item  # a writer's
            if item.sql is not None:
                assert f"SQL execution {item.sql}" in item.where


def test_the_critical_path_covers_the_time_from_the_first_job_to_the_last() -> None:
    for cause in KINDS:
        found, _ = report(LOGS / f"{cause}-bad")
        whole = found.path[-1].begun + found.path[-1].seconds - found.path[0].begun
        assert sum(s.seconds for s in found.path) == pytest.approx(whole, abs=0.01)
        assert [s.begun for s in found.path] == sorted(s.begun for s in found.path)
        assert all(sum(s.split.values()) <= 1.02 for s in found.path)


def test_slower_than_every_run_before() -> None:
    runs = [read_folder(LOGS / f"{k}-good") for k in ("skew", "few-tasks")]
    stage = "sum at /opt/jobs/job.py"

    def view(seconds: float) -> RestView:
        row = {"stageId": 1, "attemptId": 0, "status": "COMPLETE", "name": stage, "numTasks": 4}
        times = {"submissionTime": "2026-11-24T10:00:00.000GMT", "completionTime": rfc3339(T0 + seconds)}
        return RestView([RestDocument("stages", [{**row, **times}], runs[0].rest[0].origin)])

    (found,) = slower(view(60), [view(20), view(22), view(19)], 60)
    assert (
        found.kind == "slower-than-before" and found.lost == pytest.approx(40) and "19s to 22s in 3 runs" in found.words
    )
    assert slower(view(24), [view(20), view(22), view(19)], 24) == []
    assert slower(view(60), [view(20)], 60) == [], "one former run is no measure"


@pytest.fixture(scope="module")
def slept(pyspark_home: PySpark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Event logs of real applications: `good` and `bad`, a folder for each cause below. One JVM for each way."""
    folder = tmp_path_factory.mktemp("slept")
    running = [
        pyspark_home.run(
            folder / f"run-{way}",
            master="local[4,4]",
            script=Path(__file__).parent / "slow_workloads.py",
            arguments=[",".join(ASLEEP), way, str(folder), str(folder / way)],
            conf={
                "spark.eventLog.enabled": "true",
                "spark.eventLog.rolling.enabled": "false",
                "spark.eventLog.compress": "true",
            },
        ).process
        for way in ("good", "bad")
    ]
    assert [process.wait(240) for process in running] == [0, 0]
    return folder


@pytest.mark.parts
@pytest.mark.xdist_group("pyspark")
@pytest.mark.parametrize("cause", ASLEEP)
def test_a_real_application_with_and_without_the_cause(slept: Path, cause: str) -> None:
    estimated, _ = judged(cause, slept / "good" / cause, slept / "bad" / cause)
    assert estimated > 1, "the difference itself depends on how busy the machine is: the recorded logs are held to it"
