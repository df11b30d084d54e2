"""What Spark reserves and what kills a process, as pure arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.drill.spark.memory import JVM_OWN, MI, Demand, Sizing, fate, sizing, use

OVERHEAD_JOB = Demand(heap=1100 * MI, python=480 * MI, ramp=45)


def spec(role: str, **part: object) -> dict[str, object]:
    return {"type": "Python", role: part}


@pytest.mark.parametrize(
    ("application", "role", "limit"),
    [
        (spec("driver", memory="512m"), "driver", 896),  # recorded: 512m + 384m
        (spec("executor", memory="512m", memoryOverhead="200m"), "executor", 712),  # recorded
        (spec("executor", memory="512m", memoryOverhead="1200"), "executor", 1712),  # a bare overhead is MiB
        (spec("executor", memory="4g"), "executor", 4096 + 1638),  # factor 0.4 of a Python job
        ({"type": "Scala", "executor": {"memory": "8g"}}, "executor", 8192 + 819),  # factor 0.1 of a JVM job
        ({"type": "Scala", "executor": {"memory": "1g"}, "memoryOverheadFactor": "0.5"}, "executor", 1024 + 512),
        (
            {"type": "Python", "executor": {"memory": "1g"}, "sparkConf": {"spark.executor.pyspark.memory": "600m"}},
            "executor",
            1024 + 409 + 600,
        ),
    ],
)
def test_limits_follow_sparks_formula(application: dict[str, object], role: str, limit: int) -> None:
    assert sizing(application, role).limit == limit * MI  # type: ignore[arg-type]


def test_an_overhead_too_small_is_a_cgroup_kill() -> None:
    death = fate(Sizing(2900 * MI, 1100 * MI, cores=2), OVERHEAD_JOB)
    assert death is not None and death[1] == "cgroup"


def test_more_heap_does_not_help_against_it() -> None:
    for heap in (4000, 8000, 16000):
        death = fate(Sizing(heap * MI, 1100 * MI, cores=2), OVERHEAD_JOB)
        assert death is not None and death[1] == "cgroup", heap


def test_enough_overhead_helps_and_so_do_fewer_cores() -> None:
    assert fate(Sizing(2900 * MI, 1650 * MI, cores=2), OVERHEAD_JOB) is None
    assert fate(Sizing(2900 * MI, 1100 * MI, cores=1), OVERHEAD_JOB) is None
    assert fate(Sizing(2900 * MI, 1150 * MI, cores=2), OVERHEAD_JOB) is not None


def test_objects_that_do_not_fit_are_a_heap_death_whatever_the_overhead() -> None:
    hungry = Demand(heap=3600 * MI, ramp=40)
    for overhead in (1100, 8000):
        death = fate(Sizing(2900 * MI, overhead * MI, cores=2), hungry)
        assert death is not None and death[1] == "heap"
    assert fate(Sizing(4350 * MI, 1100 * MI, cores=2), hungry) is None


@given(
    heap=st.integers(1000, 20000),
    overhead=st.integers(384, 8000),
    python=st.integers(0, 3000),
    cores=st.integers(1, 4),
    seconds=st.floats(0, 600),
)
def test_a_job_that_survives_never_uses_more_than_its_limit(
    heap: int, overhead: int, python: int, cores: int, seconds: float
) -> None:
    size, demand = Sizing(heap * MI, overhead * MI, cores=cores), Demand(500 * MI, python * MI, ramp=30)
    if fate(size, demand) is None:
        assert use(size, demand, seconds).resident <= size.limit
        assert JVM_OWN + python * cores * MI <= overhead * MI
