"""Which pod is read for an application."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from msgspec.structs import replace

from console.apps.model import Member, SparkApp
from console.base.clock import WallClock
from console.facts.model import Origin, Pod, RestDocument
from console.live.reads import Reads, _Read, by_name


def driver(uid: str, created: float, *, gone: bool = False) -> Pod:
    return Pod("jobs", "etl-driver", Origin("kubernetes", uid), uid=uid, created=created, gone=gone)


def test_of_two_attempts_with_one_name_the_living_driver_is_read() -> None:
    first, second, third = driver("a", 1.0, gone=True), driver("b", 2.0), driver("c", 0.5, gone=True)
    for pods in permutations((first, second, third)):
        assert by_name(pods)["jobs/etl-driver"].uid == "b"


def test_where_none_lives_the_latest_counts() -> None:
    first, second = driver("a", 1.0, gone=True), driver("b", 2.0, gone=True)
    for pods in permutations((first, second)):
        assert by_name(pods)["jobs/etl-driver"].uid == "b"


def app(attempt: str) -> SparkApp:
    return SparkApp("jobs/etl", "jobs", "etl", "kubeflow", "RUNNING", app_id=attempt)


def measured(attempt: str, heap: float, at: float) -> tuple[RestDocument, ...]:
    row = {"id": "1", "peakMemoryMetrics": {"JVMHeapMemory": heap, "ProcessTreePythonRSSMemory": 0}}
    return (RestDocument("allexecutors", [row], Origin("spark-rest", "x", at), app_id=attempt),)


def peaks(reads: Reads) -> dict[str, tuple[float, float | None]]:
    return {s.labels["application_id"]: (s.value, s.at) for s in reads.peaks()}


async def test_a_peak_that_was_read_stays_with_its_time_when_its_driver_is_gone() -> None:
    nobody: Any = None
    reads = Reads(nobody, WallClock(), 10.0)
    answers = [measured("spark-1", 1500.0, 60.0), measured("spark-1", 645.0, 70.0), measured("spark-2", 1000.0, 80.0)]

    async def answer(of: SparkApp, pod: Pod) -> _Read:
        rest = answers.pop(0) if answers else ()
        return _Read((pod.uid, pod.phase, ""), -100.0, rest=rest)

    reads._read = answer  # type: ignore[method-assign]
    seen = []
    for attempt in ("spark-1", "spark-1", "spark-2", "spark-3"):
        pod = replace(driver(attempt, 1.0), phase="Running")
        one = replace(app(attempt), driver=Member("driver", "driver", "Running", pod="etl-driver", namespace="jobs"))
        await reads.refresh([one], {"jobs/etl-driver": pod})
        seen.append(peaks(reads))
    first = {"spark-1": (1500.0, 60.0)}
    assert seen == [first, first, {**first, "spark-2": (1000.0, 80.0)}, {**first, "spark-2": (1000.0, 80.0)}]
    await reads.refresh([], {})
    assert reads.peaks() == (), "nobody looks at it any more"
