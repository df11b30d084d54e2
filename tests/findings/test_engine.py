"""The engine remembers what it judged, and says at every moment what a diagnosis without a memory says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from console.apps.assemble import assemble
from console.facts.model import Facts
from console.findings import surroundings
from console.findings.case import ClusterView
from console.findings.diagnose import Engine, diagnose
from console.findings.order import CausesKept, with_causes
from console.findings.rule import Rule
from console.findings.surroundings import QuestionKey, answer, parts_of
from tests.findings import worlds as w
from tests.findings.changes import disagreements, fresh, troubles
from tests.findings.worlds import driver, event, executor, node, pod, rest, sample, workload

TWIN = f"spark-{7:032x}"
LOST = [
    driver(),
    executor(1, w.ended(143, "Error", 300), "Failed", node="node-1", deleted=290),
    executor(2, node="node-2"),
]
HUNG = {"executor_id": "1", "application_id": w.APP_ID}
GC, WORKED = "metrics_executor_totalGCTime_seconds_total", "metrics_executor_totalDuration_seconds_total"
CLAIM = w.pending(1, "Unschedulable", 'persistentvolumeclaim "data" not found', owner="etl-driver")
DROPS = sample("metrics_driver_LiveListenerBus_queue_appStatus_numDroppedEvents_Count", 3, 500)


def used(value: float) -> object:
    labels = {"namespace": w.NS, "pod": "etl-exec-2", "container": "executor"}
    return sample("container_memory_working_set_bytes", value, 500, **labels)


CHANGES = {
    "the node of a deleted executor is cordoned": (
        w.facts(*LOST, node("node-1")),
        w.facts(*LOST, node("node-1", cordoned=True)),
    ),
    "other pods leave the node too": (
        w.facts(*LOST, node("node-1", cordoned=True)),
        w.facts(*LOST, node("node-1", cordoned=True), pod("web-1", "", node="node-1", deleted=280)),
    ),
    "the node of a killed executor ran out of memory": (
        w.facts(driver(), executor(1, w.ended(137, "Error", 300), "Failed", node="node-1")),
        w.facts(
            driver(),
            executor(1, w.ended(137, "Error", 300), "Failed", node="node-1"),
            event("Node//node-1", "SystemOOM", "System OOM encountered, victim process: java", 295),
        ),
    ),
    "garbage collection takes more": (
        w.facts(*LOST[:1], executor(1), sample(GC, 3, 500, **HUNG), sample(WORKED, 100, 500, **HUNG)),
        w.facts(*LOST[:1], executor(1), sample(GC, 60, 500, **HUNG), sample(WORKED, 100, 500, **HUNG)),
    ),
    "the first series arrives": (
        w.facts(driver(), executor(1)),
        w.facts(driver(), executor(1), sample(GC, 60, 500, **HUNG), sample(WORKED, 100, 500, **HUNG)),
    ),
    "claims are read": (
        w.facts(driver(), CLAIM),
        w.facts(driver(), CLAIM, workload("PersistentVolumeClaim", "other", status={"phase": "Bound"})),
    ),
    "another application arrives": (
        w.facts(driver(), DROPS),
        w.facts(driver(), DROPS, driver(name="other-driver", app_id=f"spark-{1:032x}")),
    ),
    "nodes that could take its pods arrive": (
        w.facts(driver(), w.pending(1, "Unschedulable", "3 Insufficient nvidia.com/gpu.", owner="etl-driver")),
        w.facts(
            driver(),
            w.pending(1, "Unschedulable", "3 Insufficient nvidia.com/gpu.", owner="etl-driver"),
            node("gpu-1", allocatable={"nvidia.com/gpu": "4"}),
        ),
    ),
    "time passes": (
        w.facts(w.cr("PENDING_RERUN", status={"lastSubmissionAttemptTime": w.at(0)}), now=100),
        w.facts(w.cr("PENDING_RERUN", status={"lastSubmissionAttemptTime": w.at(0)}), now=1_200),
    ),
    "an executor ended because its driver had": (
        w.facts(driver(), executor(1, w.ended(143, "Error", 300), "Failed")),
        w.facts(driver(w.ended(0, "Completed", 290), "Succeeded"), executor(1, w.ended(143, "Error", 300), "Failed")),
    ),
    "the scheduler says why a pod waits": (
        w.facts(driver(), w.pending(1, "", "", owner="etl-driver")),
        w.facts(
            driver(),
            w.pending(1, "", "", owner="etl-driver"),
            event(f"Pod/{w.NS}/etl-exec-1", "FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu."),
        ),
    ),
    "an executor uses more memory": (w.facts(*LOST, used(1e8)), w.facts(*LOST, used(9e8))),
    "what Spark says of its executors": (
        w.facts(driver(), executor(1), rest("allexecutors", [])),
        w.facts(
            driver(),
            executor(1),
            rest("allexecutors", [{"id": "1", "totalCores": 1, "totalDuration": 100_000, "totalGCTime": 30_000}]),
        ),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_around_an_application_is_seen(change: str) -> None:
    before, after = CHANGES[change]
    after = replace(after, pods=tuple(_the_same(before.pods, after.pods)))
    assert fresh(before) != fresh(after), "the change must mean something"
    engine = Engine()
    engine.judge(before)
    said = engine.judge(after)
    assert (said.apps, said.findings) == fresh(after)


def _the_same(before: tuple[object, ...], after: tuple[object, ...]) -> list[object]:
    """Pods as a source gives them: the very object that was there before, where nothing of it changed."""
    return [next((b for b in before if b == a), a) for a in after]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_change_of_any_fact_it_says_what_a_fresh_diagnosis_says(seed: int) -> None:
    """10,000 changes: `python -m tests.findings.changes`."""
    assert list(disagreements(70, seed)) == []


def test_an_application_is_judged_again_only_when_something_that_it_was_judged_from_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from console.findings import diagnose

    judged: list[str] = []
    count = Rule("count", None, lambda case: judged.append(case.app.name) or "nothing")  # type: ignore[func-returns-value]
    mine, over_all = diagnose.all_rules()
    monkeypatch.setattr(diagnose, "all_rules", lambda: ((*mine, count), over_all))
    engine, facts = Engine(), troubles()
    facts = replace(facts, counted=engine.judge(facts).counted)
    first = set(judged)
    assert len(first) > 3
    facts = replace(facts, counted=engine.judge(facts).counted)  # what was counted goes to the next look
    judged.clear()
    facts = replace(facts, counted=engine.judge(replace(facts)).counted)
    assert judged == []
    pods = tuple(replace(p, message="changed") if p.name == "wait-driver" else p for p in facts.pods)
    engine.judge(replace(facts, pods=pods))
    assert judged == ["wait"]


def test_a_log_that_is_gone_is_forgotten() -> None:
    facts = troubles()
    engine = Engine()
    engine.judge(facts)
    assert engine._texts
    engine.judge(replace(facts, logs=()))
    assert engine._texts == {}


def test_applications_judged_by_one_engine_do_not_depend_on_what_it_saw_before() -> None:
    engine = Engine()
    for facts in (troubles(), Facts(at=0.0), troubles()):
        said = engine.judge(facts)
        assert (said.apps, said.findings) == fresh(facts)


def test_applications_of_one_name_are_judged_on_their_own_objects() -> None:
    facts = w.facts(driver(), executor(1), driver(app_id=TWIN), executor(2, app_id=TWIN, name="twin-exec-2"))
    cases = ClusterView(facts, fresh(facts)[0]).cases
    assert [(case.app.app_id, [pod.name for pod in case.executors]) for case in cases] == [
        (w.APP_ID, ["etl-exec-1"]),
        (TWIN, ["twin-exec-2"]),
    ]


def test_an_application_that_did_not_change_is_the_same_object_with_its_causes_named() -> None:
    facts = w.facts(driver(w.ended(137, "OOMKilled"), "Failed"), executor(1))
    engine = Engine()
    before = engine.judge(facts).apps
    assert any(attempt.cause for app in before for attempt in app.attempts)
    after = engine.judge(replace(facts)).apps
    assert [id(app) for app in after] == [id(app) for app in before]


def test_a_cause_is_named_as_soon_as_it_is_found_and_no_longer_than_it_is() -> None:
    facts = w.facts(driver(w.ended(137, "OOMKilled"), "Failed"), executor(1))
    apps, found = assemble(facts), diagnose(facts, assemble(facts))
    kept = CausesKept()
    others = tuple(replace(one, causes=("driver-oom@elsewhere",)) for one in found)
    for findings in ((), found, others, found, found[:0]):
        named = kept.name(apps, findings)
        assert named == tuple(with_causes(app, findings) for app in apps)
        assert any(attempt.cause for app in named for attempt in app.attempts) == (findings is found)


def test_whoever_waits_for_a_moment_is_judged_again_when_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.findings import diagnose

    judged: list[str] = []
    count = Rule("count", None, lambda case: judged.append(case.app.name) or "nothing")  # type: ignore[func-returns-value]
    mine, over_all = diagnose.all_rules()
    monkeypatch.setattr(diagnose, "all_rules", lambda: ((*mine, count), over_all))
    waits = w.facts(driver(), w.pending(1, "Unschedulable", "3 Insufficient memory.", since=100), now=110)
    engine = Engine()
    for at, codes, again in ((110, [], 1), (129, [], 0), (130, ["unschedulable"], 1), (500, ["unschedulable"], 0)):
        judged.clear()
        said = engine.judge(replace(waits, at=w.facts(now=at).at))
        assert [f.code for f in said.findings] == codes
        assert len(judged) == again, f"at {at}"


def test_indexes_are_taken_over_only_of_facts_that_are_the_same() -> None:
    engine, facts = Engine(), troubles()
    engine.judge(facts)
    seen = engine._indexes["events"]["events"]
    engine.judge(replace(facts, at=facts.at + 1))
    assert engine._indexes["events"]["events"] is seen
    engine.judge(replace(facts, events=facts.events[1:]))
    assert engine._indexes["events"]["events"] is not seen


QUESTIONS = (
    ("clock",),
    ("is_past", w.facts(now=900).at),
    ("is_saved",),
    ("measured",),
    ("nodes_by_name",),
    ("workloads_of", "PersistentVolumeClaim"),
    ("kueue_workload_of", w.NS, "SparkApplication", "held", ""),
    ("kueue_place", w.NS, "of-held", "team"),
    ("kueue_holders_of", "gpus", "nvidia.com/gpu"),
    ("kueue_name_of", "uid-of-holder"),
    ("new_applications",),
    ("events_about", f"Pod/{w.NS}/etl-exec-2"),
    ("documents",),
    ("pods_leaving", "node-1"),
    ("series_named", "GCTime", "total"),
    ("samples_of", GC, frozenset({f"spark-{2:032x}"}), frozenset({(w.NS, "busy-exec-1")})),
)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: str(question[0]))
def test_what_is_said_to_follow_from_one_part_of_the_facts_follows_from_nothing_else(question: QuestionKey) -> None:
    facts = replace(troubles(), rest=(rest("allexecutors", []),), saved=True)
    (part,) = parts_of([question])
    alone = replace(Facts(at=0.0), **{part: getattr(facts, part)})
    said = answer(ClusterView(facts, fresh(facts)[0]), question)
    assert said and said == answer(ClusterView(alone, ()), question)
    assert not answer(ClusterView(Facts(at=0.0), ()), question), "it follows from that part"


def test_the_parts_of_all_questions_are_looked_at() -> None:
    assert {question[0] for question in QUESTIONS} == set(surroundings._PART)
