"""How large a fix is: the smallest size that peaks and former attempts carry, twice where nothing does, and no more
than what is allowed."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec import Struct

from console.findings.figures.memory import ResultSizeFigures, SizeProposal
from console.findings.sizing import (
    MIB,
    STEP,
    MeasuredNeed,
    SizeQuestion,
    SizeRoom,
    beside_the_heap,
    covering,
    of_results,
    proposed,
)
from tests.findings.worlds import (
    NS,
    at,
    cr,
    driver,
    ended,
    event,
    executor,
    judge,
    line,
    log,
    node,
    rest,
    workload,
)

GI = 1024 * MIB
OPERATED = {"sparkoperator.k8s.io/app-name": "etl"}
OTHER = "spark-" + "b" * 32


def asked(now: int = 1024, **more: Any) -> SizeProposal:
    return proposed(SizeQuestion(**{"field": "overhead", "now": float(now * MIB), **more}))


def need(size: float) -> MeasuredNeed:
    return MeasuredNeed(size * MIB, "it held that")


# the rules, one by one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mib", [384, 409, 410, 500, 777, 1180, 1344, 2900, 10_000])
def test_a_measured_need_is_covered_with_room_and_not_by_half_more_than_it(mib: int) -> None:
    size = covering(mib * MIB)
    assert mib * MIB * 1.2 <= size <= mib * MIB * 1.5 and size % STEP == 0


def test_peaks_bound_the_need() -> None:
    found = asked(need=need(1344))
    assert (found.value, found.sure) == (
        1792 * MIB,
        "measured",
    ) and found.because == "it held that, with a quarter more"


def test_a_peak_that_does_not_explain_the_kill_bounds_nothing() -> None:
    assert (asked(need=need(900)).sure, asked(need=need(950)).sure) == ("guess", "measured")


def test_what_is_proposed_is_more_than_what_failed() -> None:
    found = asked(need=need(1344), failed=(1664.0 * MIB, 1400.0 * MIB))
    assert (found.value, found.sure) == (2 * 1664 * MIB, "guess")
    assert "1.4Gi and 1.6Gi failed" in found.because
    assert asked(need=need(1344), failed=(1408.0 * MIB,)).value == 1792 * MIB


def test_a_size_that_ran_is_as_much_as_is_needed() -> None:
    found = asked(ran=(3072.0 * MIB, 1600.0 * MIB, 512.0 * MIB))
    assert (found.value, found.sure, found.because) == (1600 * MIB, "tried", "1Gi failed, 1.6Gi ran")
    assert asked(need=need(1344), ran=(1500.0 * MIB,)).sure == "tried"


def test_a_size_that_once_ran_and_failed_since_says_nothing() -> None:
    assert asked(ran=(900.0 * MIB, 1024.0 * MIB)).sure == "guess"
    assert asked(ran=(1600.0 * MIB,), failed=(2048.0 * MIB,)).value == 4096 * MIB


def test_a_container_that_stood_at_its_limit_gets_twice_and_that_is_called_a_guess() -> None:
    found = asked(1100)
    assert (
        (found.value, found.sure) == (2304 * MIB, "guess") and "a guess" in found.because and "twice" in found.because
    )


def test_local_directories_in_memory_count_the_whole_limit() -> None:
    found = asked(200, added=712.0 * MIB)
    assert (found.value, found.sure) == (GI, "guess") and "local directories lie in memory" in found.because


def test_what_is_needed_and_not_allowed_has_no_value_and_words_for_it() -> None:
    room = SizeRoom(1200.0 * MIB, "limit range most")
    found = asked(need=need(1344), room=room)
    assert (found.field, found.value, found.bound) == ("cores", None, 1200 * MIB)
    assert found.because.endswith("limit range most allows at most 1.2Gi: run fewer tasks in each executor")
    of_driver = asked(need=need(1344), room=room, field="driver-overhead")
    assert (of_driver.field, of_driver.value) == ("driver-overhead", None) and "hold less" in of_driver.because


def test_a_guess_is_cut_to_what_is_allowed_as_long_as_that_is_more() -> None:
    found = asked(room=SizeRoom(1500.0 * MIB, "the largest node"))
    assert (found.value, found.sure, found.bound) == (1408 * MIB, "guess", 1500 * MIB)
    assert "the largest node allows at most" in found.because
    assert asked(room=SizeRoom(1100.0 * MIB, "the largest node")).value is None


def test_python_and_the_jvm_itself_are_what_lies_beside_the_heap() -> None:
    both = beside_the_heap(2900.0 * MIB, 1100.0 * MIB, 960.0 * MIB, 3120.0 * MIB)
    assert both is not None and both.size == (960 + 220) * MIB
    python = beside_the_heap(2900.0 * MIB, 1100.0 * MIB, 960.0 * MIB, None)
    assert python is not None and python.size == (960 + 384) * MIB and "Python workers held up to 960Mi" in python.words
    java = beside_the_heap(2900.0 * MIB, 600.0 * MIB, None, 3700.0 * MIB)
    assert java is not None and java.size == 800 * MIB and "Python" not in java.words
    young = beside_the_heap(2900.0 * MIB, 1100.0 * MIB, 960.0 * MIB, 2000.0 * MIB)
    assert young == python, "a heap that had not grown yet says nothing of what lies beside it"
    assert beside_the_heap(2900.0 * MIB, 1100.0 * MIB, 200.0 * MIB, None) is None
    assert beside_the_heap(2900.0 * MIB, 1100.0 * MIB, None, None) is None


def test_results_of_a_stage_are_reckoned_from_the_tasks_that_ended() -> None:
    found = of_results(1050.0 * MIB, 35, 48)
    assert found is not None and found.size == 1440 * MIB and "35 of 48 tasks" in found.words
    assert of_results(1050.0 * MIB, 0, 0) is None and of_results(None, 35, 48) is None


def test_results_bring_the_drivers_heap_with_them() -> None:
    known = asked(field="result-size", need=need(1440), heap=1500.0 * MIB)
    assert (known.value, known.heap, known.sure) == (1920 * MIB, 3456 * MIB, "measured")
    open_ = asked(field="result-size", least=3.0 * GI, heap=2900.0 * MIB)
    assert (open_.value, open_.sure) == (3840 * MIB, "guess")


# what a finding proposes ----------------------------------------------------------------------------------------------


def killed(number: int = 1, code: int = 137, reason: str = "OOMKilled", **more: Any) -> Any:
    more.setdefault("labels", OPERATED)
    return executor(number, ended(code, reason), "Failed", **more)


def measured(number: int, **mib: float) -> dict[str, Any]:
    names = {"heap": "JVMHeapMemory", "python": "ProcessTreePythonRSSMemory", "jvm": "ProcessTreeJVMRSSMemory"}
    return {"id": str(number), "peakMemoryMetrics": {names[k]: v * MIB for k, v in mib.items()}}


def proposal(*things: Any) -> SizeProposal:
    found = [f for f in judge(*things) if getattr(f.data, "proposal", None) is not None]
    assert found, "nothing is proposed"
    return found[0].data.proposal  # type: ignore[attr-defined,no-any-return]


WORLD = (cr(), driver(labels=OPERATED))


def test_python_that_was_measured_decides_the_overhead() -> None:
    found = proposal(*WORLD, killed(), rest("allexecutors", [measured(1, heap=300, python=400)]))
    assert (found.field, found.value, found.sure, found.now) == ("overhead", 1024 * MIB, "measured", 384 * MIB)
    assert "Python workers held up to 400Mi" in found.because


def test_a_killed_container_of_which_nothing_is_measured_gets_twice_the_overhead() -> None:
    found = proposal(*WORLD, killed())
    assert (found.field, found.value, found.sure) == ("overhead", 768 * MIB, "guess")
    assert "what passed the limit lies beside it" in found.because


def test_a_full_heap_gets_twice_and_one_that_ran_larger_says_how_much_it_used() -> None:
    assert (one := proposal(*WORLD, killed(code=52, reason="Error"))).field == "heap" and one.value == GI
    other = executor(2, app_id=OTHER, heap="2g", labels=OPERATED, limits={"memory": "3Gi"})
    peaks = rest("allexecutors", [measured(2, heap=900)], OTHER)
    found = proposal(*WORLD, killed(code=52, reason="Error"), other, peaks)
    assert (found.value, found.sure) == (1152 * MIB, "measured")


def test_executors_of_another_size_that_ended_well_bound_it() -> None:
    well = executor(7, ended(0, "Completed", when=90), "Succeeded", limits={"memory": "1112Mi"}, labels=OPERATED)
    found = proposal(*WORLD, well, killed())
    assert (found.value, found.sure) == (600 * MIB, "tried")


def test_executors_of_a_former_size_that_died_too_are_below_it() -> None:
    before = killed(9, limits={"memory": "1Gi"}, app_id=OTHER, uid="x")
    found = proposal(*WORLD, before, killed())
    assert found.value == 2 * 512 * MIB and "384Mi and 512Mi failed" in found.because


@pytest.mark.parametrize(
    ("things", "bound"),
    [
        ([], None),
        ([node(allocatable={"memory": "4Gi"}), node("node-2", allocatable={"memory": "1Gi"})], 4096 - 512),
        ([node(allocatable={"memory": "4Gi"}),
          workload("LimitRange", "most", spec={"limits": [{"type": "Container", "max": {"memory": "2Gi"}}]})],
         2048 - 512),
        ([workload("LimitRange", "most", namespace="other",
                   spec={"limits": [{"type": "Container", "max": {"memory": "2Gi"}}]})], None),
        ([workload("ResourceQuota", "q", status={"hard": {"limits.memory": "4Gi"}, "used": {"limits.memory": "3Gi"}})],
         1024 + 896 - 896 - 512),
        ([workload("ResourceQuota", "q", spec={"scopes": ["BestEffort"]},
                   status={"hard": {"limits.memory": "1Gi"}})], None),
    ],
)  # fmt: skip
def test_a_bound_is_what_the_tightest_of_them_leaves(things: list[Any], bound: int | None) -> None:
    found = proposal(*WORLD, killed(), *things)
    assert found.bound == (None if bound is None else bound * MIB)


def test_a_metaspace_or_an_array_that_is_too_large_is_no_question_of_size() -> None:
    said = log(line("Executor: java.lang.OutOfMemoryError: Metaspace", "ERROR"), role="executor")
    found = judge(*WORLD, killed(code=52, reason="Error"), said)
    assert [f.data.proposal for f in found if f.code == "executor-oom-heap"] == [None]  # type: ignore[attr-defined]


def test_a_driver_and_its_results() -> None:
    container = proposal(cr(), driver(ended(137, "OOMKilled"), "Failed", labels=OPERATED))
    assert (container.field, container.sure) == ("driver-overhead", "guess")
    said = log(line("TaskSetManager: Total size of serialized results of 35 tasks (1050.0 MiB) is bigger than "
                    "spark.driver.maxResultSize (1024.0 MiB)", "ERROR"))  # fmt: skip
    stage = {"stageId": 2, "attemptId": 0, "status": "FAILED", "numTasks": 48,
             "failureReason": "Job aborted: bigger than spark.driver.maxResultSize (1024.0 MiB)"}  # fmt: skip
    failed = driver(ended(1), "Failed", labels=OPERATED)
    known = proposal(cr(), failed, said, rest("stages", [stage]))
    assert (known.field, known.value, known.heap) == ("result-size", 1920 * MIB, (512 + 1920) * MIB)
    assert proposal(cr(), failed, said).sure == "guess"
    assert issubclass(ResultSizeFigures, Struct)


def test_an_end_from_outside_proposes_nothing() -> None:
    gone = event(f"Pod/{NS}/etl-exec-1", "Evicted", "The node was low on resource: memory.")
    evicted = executor(1, ended(137, "Error"), "Failed", reason="Evicted", labels=OPERATED)
    assert all(getattr(f.data, "proposal", None) is None for f in judge(*WORLD, evicted, gone)) and at(0)


# forty cases ----------------------------------------------------------------------------------------------------------


class Drawn(Struct):
    """A container or a heap that was too small, what it truly needs, and what is known of it; MiB."""

    language: str
    part: str
    known: str
    heap: int
    now: int
    needed: float
    found: SizeProposal

    @property
    def bounded(self) -> bool:
        return self.known != "neither"


def drawn(number: int) -> Drawn:
    dice = random.Random(number)
    language = ("Java", "Scala", "Python")[number % 3]
    part = ("overhead", "heap", "overhead")[number // 3 % 3]
    known = ("peaks", "attempts", "peaks", "neither")[number // 9 % 4]
    tmpfs = known == "neither" and dice.random() < 0.5 and part == "overhead"
    heap = dice.randrange(1024, 8192)
    now = heap if part == "heap" else max(384, int(heap * (0.4 if language == "Python" else 0.1)))
    own = dice.uniform(200, 384)
    needed = max(now * dice.uniform(1.02, 2.5), own + 200)
    limit = heap if part == "heap" else heap + now
    larger = int(needed * dice.uniform(1.02, 1.45))
    pods: list[Any] = []
    peaks: list[Any] = []
    spec = {"type": language, "executor": {"instances": 2, "memory": f"{heap}m", "memoryOverhead": f"{now}m"}}
    code, reason = (52, "Error") if part == "heap" else (137, "OOMKilled")
    if part == "heap":
        spec["executor"]["memoryOverhead"] = "384m"  # type: ignore[index]
        limit = heap + 384
    seen = needed * dice.uniform(0.88, 1)  # Spark reads memory every ten seconds, so a peak is missed by a little
    if known == "peaks" and part == "heap":
        size = int(needed * 1.4)
        pods = [executor(2, app_id=OTHER, heap=f"{size}m", labels=OPERATED, limits={"memory": f"{size + 384}Mi"})]
        peaks = [rest("allexecutors", [measured(2, heap=max(seen, now + 1))], OTHER)]
    elif known == "peaks" and language == "Python":
        jvm = {"jvm": heap + own} if dice.random() < 0.5 else {}
        peaks = [rest("allexecutors", [measured(1, heap=heap * 0.5, python=max(1.0, seen - own), **jvm)])]
    elif known == "peaks":
        peaks = [rest("allexecutors", [measured(1, heap=heap * 0.9, jvm=heap + seen)])]
    elif known == "attempts":
        sizes = (larger, 384) if part == "heap" else (heap, larger)
        pods = [executor(7, ended(0, "Completed", when=90), "Succeeded", heap=f"{sizes[0]}m", labels=OPERATED,
                         limits={"memory": f"{sum(sizes)}Mi"})]  # fmt: skip
    volumes = [{"name": "spark-local-dir-1", "emptyDir": {"medium": "Memory"}}] if tmpfs else []
    dead = killed(1, code, reason, heap=f"{heap}m", limits={"memory": f"{limit}Mi"}, volumes=volumes)
    limits = workload("LimitRange", "most", spec={"limits": [{"type": "Container", "max": {"memory": "24Gi"}}]})
    found = proposal(
        cr(spec=spec), driver(labels=OPERATED), *pods, dead, *peaks, limits, node(allocatable={"memory": "64Gi"})
    )
    return Drawn(language, part, known, heap, now, needed, found)


def test_of_forty_drawn_cases_the_first_change_is_enough_where_the_need_is_bounded() -> None:
    cases = [drawn(number) for number in range(40)]
    bounded = [c for c in cases if c.bounded]
    assert {(c.language, c.part) for c in bounded} == {
        (language, part) for language in ("Java", "Scala", "Python") for part in ("heap", "overhead")
    }
    assert all(c.found.field == c.part and c.found.value is not None for c in cases)
    assert all((c.found.sure == "guess") != c.bounded for c in cases)
    enough = [c for c in bounded if (c.found.value or 0) >= c.needed * MIB]
    modest = [c for c in bounded if (c.found.value or 0) <= c.needed * MIB * 1.5]
    assert len(enough) >= 0.9 * len(bounded), [c for c in bounded if c not in enough]
    assert modest == bounded, [c for c in bounded if c not in modest]
    for case in cases:
        value, bound = case.found.value or 0, case.found.bound
        assert case.now * MIB < value and bound is not None and value <= bound
        assert value % STEP == 0 or case.found.sure == "tried"
