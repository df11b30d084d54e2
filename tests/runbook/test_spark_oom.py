"""runbooks/spark-oom.yaml: each kind of death takes its own way; look-alikes and healthy ones change nothing."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.apps.model import Member, SparkApp
from console.board.model import Board
from console.facts.model import Owner, Sample
from console.findings.figures.memory import SizeProposal
from console.findings.model import Finding
from console.runbook import steps
from console.runbook.steps import Asked
from console.runbook.walk import Walk
from tests.runbook.boards import (
    GI,
    KEY,
    MI,
    NOW,
    ORIGIN,
    app,
    board,
    driver,
    executor,
    finding,
    look_alike,
    node,
    oom_death,
    slo,
)
from tests.runbook.player import LIBRARY, Player

BOOK = LIBRARY.runbooks["spark-oom"]
STORY = ["applies", "goes-on", "other", "many", "node", "changed", "fixed"]


def after_change(
    now: float, changed: float, *, memory_fits: bool = True, tasks: bool = True, wanted: int = 2
) -> SparkApp:
    """The same application after a patch: 25 s later a new driver, 20 s later executors, then tasks."""
    age = now - changed
    if age < 25:
        return app(state="PENDING_RERUN", driver=None, executors=(), tasks={})
    begun = changed + 25
    executors: tuple[Member, ...] = ()
    if age > 45:
        death = oom_death(changed + 200) if not memory_fits and age > 200 else None
        state = "OOMKilled" if death else "Running"
        executors = tuple(executor(n, created=begun + 20, state=state, death=death) for n in range(wanted))
    done = int(age - 45) if tasks and age > 45 else 0
    counted = {"completed": done} if tasks else {}
    return app(driver=driver(begun), executors=executors, wanted_executors=wanted, tasks=counted, started=begun)


def story(*findings: Finding, fits: bool = True, slos: Any = None, tasks: bool = True) -> Any:
    """A world that answers a change: the application restarts, and the burn rates fall an hour later."""

    def world(now: float, changed: float | None) -> Board:
        if changed is None:
            return board(*findings, at=now)
        late = now - changed
        rates = slos if slos is not None else (slo(0.4 if late > 900 else 14.2, 0.8 if late > 3600 else 6.1),)
        return board(*findings, at=now, apps=(after_change(now, changed, memory_fits=fits, tasks=tasks),), slos=rates)

    return world


def play(world: Any, **more: Any) -> Player:
    player = Player(BOOK, world, **more)
    player.play()
    return player


def test_an_undecided_container_oom_is_asked_about_raised_and_verified() -> None:
    player = play(story(finding()), answers={"filled": "overhead"})
    walk = player.walk
    assert walk.path == (
        *STORY, "python", "filled", "keep-size", "give", "give-overhead", "give-proof", "next-run", "objectives",
        "objectives-recover", "resolved",
    )  # fmt: skip
    assert walk.outcome == "resolved" and "burn 0.40 over 5m, 0.80 over 1h" in recovery(walk)
    (effect,) = player.effects
    assert effect.patch == {"spec": {"executor": {"memoryOverhead": "2304m"}}}
    assert effect.touched == ("/spec/executor/memoryOverhead",)
    assert (effect.action, effect.patch_type, effect.reversible, effect.writes) == ("patch", "merge", True, True)
    assert effect.target is not None and effect.target.words == KEY and effect.target.uid == "uid-1"
    assert effect.title == "Raise executor memoryOverhead to 2304m"
    assert "restarts" not in effect.restarts and "whole application" in effect.restarts
    assert effect.loses == "the work of the present attempt (40m)"


def test_the_question_shows_what_would_decide_it() -> None:
    player = Player(BOOK, story(finding()))
    player.start()
    step = BOOK.step("filled")
    assert step is not None
    asked = steps.question(step, player.ctx(), BOOK.id)
    assert asked.shows == (
        "container 3.9Gi = heap 2.8Gi + overhead 1.1Gi",
        "heap peak 1.1Gi of 2.8Gi",
        "language Python · local directories on disk",
        "a hint, no proof: overhead",
        "? the Python workers' resident memory",
        "guess: 1.1Gi failed and nothing says how much is needed, so twice that is a guess",
    )
    assert "processTreeMetrics" in asked.text
    assert [c.label for c in asked.choices][1:3] == ["Overhead: raise it to 2304m", "Heap: raise it to 4104m"]
    assert asked.choices[0].label == "Change nothing and hand over", "a tired person takes the first"


def recovery(walk: Walk) -> str:
    """What the steps about objectives showed."""
    states = [s for s in walk.steps if s.step.startswith("objectives")]
    return " ".join([*(s.words for s in states), *(e.excerpt for s in states for e in s.evidence)])


def asked_at(step: str, proposal: SizeProposal) -> Asked:
    """What a step asks where this is proposed."""
    player = Player(BOOK, story(finding("executor-oom-overhead", data={"proposal": proposal})))
    player.start()
    one = BOOK.step(step)
    assert one is not None
    return steps.question(one, player.ctx(), BOOK.id)


def sample(value: float) -> tuple[Sample, ...]:
    return (Sample("x", {}, value, NOW, ORIGIN),)


@pytest.mark.parametrize(
    ("samples", "status", "next_step"),
    [
        (None, "unknown", "filled"),
        ((), "unknown", "filled"),
        (sample(0.0), "unknown", "filled"),
        (sample(200.0 * MI), "pass", "filled"),
        (sample(1000.0 * MI), "pass", "how"),
    ],
)
def test_python_memory_decides_only_where_it_was_measured(samples: Any, status: str, next_step: str) -> None:
    player = play(
        story(finding()),
        samples=samples,
        answers={"filled": "unsure", "how": "none"},
    )
    walk = player.walk
    state = walk.state("python")
    assert state is not None and state.status == status
    assert walk.path[8] == next_step
    assert walk.outcome == "handed_over" and not walk.writes


@pytest.mark.parametrize(
    ("code", "data", "answers", "way", "patch"),
    [
        ("executor-oom-overhead", {}, {"how": "raise"}, "give-overhead",
         {"executor": {"memoryOverhead": "2304m"}}),
        ("executor-oom-python", {"exit_code": 0, "python_rss": 3 * GI}, {"how": "raise"}, "give-overhead",
         {"executor": {"memoryOverhead": "4352m"}}),
        ("executor-oom-container", {"decided": "overhead"}, {"how": "raise"}, "give-overhead",
         {"executor": {"memoryOverhead": "2304m"}}),
        ("executor-oom-container", {"decided": "heap"}, {"how": "raise"}, "give-overhead",
         {"executor": {"memoryOverhead": "2304m"}}),
        ("executor-oom-overhead", {"tmpfs": True, "heap": 512 * MI, "overhead": 200 * MI, "limit": 712 * MI},
         {"how": "raise"}, "give-overhead",
         {"executor": {"memoryOverhead": "1g"}}),
        ("executor-oom-heap", {}, {"how": "raise"}, "give-heap",
         {"executor": {"memory": "5888m"}}),
        ("executor-gc-overhead", {}, {"how": "raise"}, "give-heap",
         {"executor": {"memory": "5888m"}}),
        ("executor-oom-heap", {"one_task": True}, {"how": "raise"}, "give-heap",
         {"executor": {"memory": "5888m"}}),
        ("driver-oom-heap", {}, {"how": "raise"}, "give-driver-heap",
         {"driver": {"memory": "5888m"}}),
        ("driver-oom-container", {}, {"filled": "overhead"}, "give-driver-overhead",
         {"driver": {"memoryOverhead": "2304m"}}),
        ("driver-oom-container", {"decided": "overhead"}, {"how": "raise"}, "give-driver-overhead",
         {"driver": {"memoryOverhead": "2304m"}}),
        ("driver-oom-container", {"decided": "heap"}, {"how": "raise"}, "give-driver-heap",
         {"driver": {"memory": "4104m"}}),
        ("driver-result-size", {}, {"how": "raise"}, "give-result-size",
         {"sparkConf": {"spark.driver.maxResultSize": "3840m"}, "driver": {"memory": "6784m"}}),
    ],
)  # fmt: skip
def test_each_kind_of_oom_takes_its_own_way(
    code: str, data: dict[str, Any], answers: dict[str, str], way: str, patch: dict[str, Any]
) -> None:
    player = play(story(finding(code, data=data)), answers=answers)
    walk = player.walk
    assert walk.path[6] == "fixed" and walk.path[walk.path.index("give") + 1] == way
    assert ("how" in walk.path) == ("filled" not in answers)
    assert [e.patch for e in player.effects] == [{"spec": patch}]
    assert walk.outcome == "resolved", walk.because


def test_where_nothing_larger_is_allowed_fewer_tasks_at_once_are_offered() -> None:
    proposal = SizeProposal(
        field="cores", value=None, bound=1200 * MI, now=1100 * MI, sure="measured",
        because="Python workers held 3Gi, and limit range most allows at most 1.2Gi: run fewer tasks in each executor",
    )  # fmt: skip
    player = play(story(finding("executor-oom-overhead", data={"proposal": proposal})), answers={"how": "cores"})
    assert player.walk.path[6:11] == ("fixed", "python", "filled", "how", "fewer")
    assert any("limit range most allows at most 1.2Gi" in line for line in asked_at("how", proposal).shows)
    assert asked_at("how", proposal).choices[1].label == "Nothing larger is allowed"
    larger = play(story(finding("executor-oom-overhead", data={"proposal": proposal})), answers={"how": "raise"})
    assert larger.walk.path[-3:] == ("keep-size", "owner", "handed-over") and larger.effects == []


def test_what_is_no_question_of_size_is_handed_over() -> None:
    player = play(story(finding("executor-oom-heap", data={"proposal": None})))
    assert player.walk.path[-2:] == ("owner", "handed-over") and player.effects == []
    state = player.walk.state("fixed")
    assert state is not None and "no question of size" in state.words


@pytest.mark.parametrize(
    ("deaths", "later", "end"), [(1, None, "observed"), (1, 120, "handed-over"), (2, None, "handed-over")]
)
def test_an_application_that_goes_on_is_watched_and_left_alone(deaths: int, later: int | None, end: str) -> None:
    """One of two executors was lost and came back. Another loss, or as many as it wants, and it is looked into."""

    def world(now: float, changed: float | None) -> Board:
        took = int(now - NOW)
        died = later is not None and took > later
        lost = executor(3, created=NOW + 1, state="OOMKilled", death=oom_death(now)) if died else None
        one = app(tasks={"completed": 100 + took}, executors=(*app().executors, *([lost] if lost else [])))
        return board(finding("executor-oom-overhead", data={"deaths": deaths}), apps=(one,), at=now)

    player = play(world, answers={"how": "none"})
    assert player.walk.path[-1] == end and player.effects == []
    took = (player.walk.ended or 0) - NOW
    assert (took >= 300) == (end == "observed")
    assert player.walk.path[1] == "goes-on"


def test_one_that_stands_still_is_no_longer_watched_than_it_takes_to_see() -> None:
    player = play(
        lambda now, changed: board(finding("executor-oom-overhead", data={"deaths": 1}), at=now),
        answers={"how": "none"},
    )
    assert player.walk.path[-1] == "handed-over" and "how" in player.walk.path
    assert 600 <= (player.walk.ended or 0) - NOW < 700


@pytest.mark.parametrize("refused", [frozenset[str](), frozenset({"next-run-overhead"})])
def test_the_schedule_gets_the_same_size_and_a_no_to_that_takes_nothing_back(refused: frozenset[str]) -> None:
    owner = Owner("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication", "nightly-etl")
    before = story(finding("executor-oom-overhead"))

    def world(now: float, changed: float | None) -> Board:
        seen = before(now, changed)
        return replace(seen, apps=tuple(replace(one, owners=(owner,)) for one in seen.apps))

    player = Player(BOOK, world, answers={"how": "raise"}, refuse=refused)
    player.start()
    while player.step() and "next-run-overhead" not in player.walk.path:
        pass
    while player.step() and len(player.effects) < 2:
        pass
    first, second = player.effects
    assert first.target is not None and second.target is not None
    assert (first.target.kind, second.target.kind) == ("SparkApplication", "ScheduledSparkApplication")
    assert (second.target.namespace, second.target.name) == ("spark-jobs", "nightly-etl")
    assert second.patch == {"spec": {"template": {"executor": {"memoryOverhead": "2304m"}}}}
    if refused:
        while player.step():
            pass
        assert player.walk.outcome == "resolved" and [w.id for w in player.walk.writes] == ["w/1"]


def test_a_size_of_the_person_wins() -> None:
    player = play(story(finding("executor-oom-overhead")), answers={"how": "raise"}, given={"size": "5g"})
    assert player.effects[0].patch == {"spec": {"executor": {"memoryOverhead": "5g"}}}


def test_fewer_tasks_at_once_is_a_script_with_typed_arguments() -> None:
    player = play(story(finding()), answers={"filled": "cores"})
    (effect,) = player.effects
    assert effect.action == "script" and effect.argv[0] == "python"
    assert effect.argv[1].endswith("/runbooks/scripts/lower-executor-cores.py")
    assert effect.argv[2:] == ("--app", KEY, "--divide-by", "2")
    assert (
        effect.touched == ("/spec/executor/cores", "/spec/executor/instances") and effect.reversible and effect.writes
    )
    assert player.walk.outcome == "resolved"


@pytest.mark.parametrize(
    ("code", "words", "outcome", "end"),
    [
        ("executor-evicted", "executor-evicted on 2 executors", "not_applicable", ["not-applicable"]),
        ("driver-evicted", "driver-evicted on 2 executors", "not_applicable", ["not-applicable"]),
        ("executor-sigterm", "executor-sigterm on 2 executors", "not_applicable", ["not-applicable"]),
        ("executor-deleted", "executor-deleted on 2 executors", "not_applicable", ["not-applicable"]),
        ("executor-killed", "137 without OOMKilled", "handed_over", ["many", "node", "platform", "handed-over"]),
        ("pod-deadline", "pod-deadline on 2 executors", "not_applicable", ["not-applicable"]),
    ],
)
def test_look_alikes_are_named_and_nothing_is_written(code: str, words: str, outcome: str, end: list[str]) -> None:
    player = play(story(look_alike(code)))
    walk = player.walk
    assert walk.path == ("applies", "goes-on", "other", *end)
    assert walk.outcome == outcome and "Nothing was changed" in walk.because
    assert any(words in s.words for s in walk.steps)
    assert player.effects == [] and walk.writes == ()
    state = walk.state("other")
    assert state is not None and any("exitCode 137" in e.excerpt for e in state.evidence)


def test_a_healthy_application_is_left_alone() -> None:
    player = play(story())
    assert player.walk.path == ("applies", "goes-on", "other", "not-applicable")
    assert player.walk.outcome == "not_applicable" and player.effects == []


def test_an_application_that_completed_is_not_run_again() -> None:
    player = play(lambda now, changed: board(finding(), apps=(app(state="COMPLETED"),)))
    assert (
        player.walk.path == ("applies", "goes-on", "other", "not-applicable")
        and player.walk.outcome == "not_applicable"
    )
    assert "would run it again" in player.walk.because and player.effects == []


@pytest.mark.parametrize("launcher", ["apache", "connect", "submit", "standalone"])
def test_what_cannot_be_written_is_handed_over_with_advice(launcher: Any) -> None:
    one = app(launcher=launcher, writable=False, why_not="no writes for this launcher yet")
    player = Player(BOOK, lambda now, changed: board(finding("executor-oom-overhead"), apps=(one,)))
    player.play()
    walk = player.walk
    assert walk.path == (*STORY, "owner", "handed-over")
    assert walk.outcome == "handed_over" and player.effects == []
    state = walk.state("fixed")
    assert state is not None and state.words == f"no writes for this launcher yet ({launcher})"


def test_the_advice_names_setting_size_and_place() -> None:
    one = app(launcher="submit", writable=False)
    player = Player(BOOK, lambda now, changed: board(finding("executor-oom-overhead"), apps=(one,)))
    player.start()
    step = BOOK.step("owner")
    assert step is not None
    text = steps.escalated(BOOK, step, player.ctx(), player.now).paste
    assert "spark.executor.memoryOverhead=2304m" in text and "--conf of spark-submit" in text
    assert "Open: the Python workers' resident memory" in text and "(cannot be said" not in text


def test_a_finding_that_only_names_this_runbook_is_a_look_alike() -> None:
    for code in ("broadcast-timeout", "executor-evicted"):
        other = replace(finding(code), runbooks=("spark-oom",))
        player = play(story(other))
        assert player.walk.path == ("applies", "goes-on", "other", "not-applicable") and player.effects == []


def test_unknown_sizes_are_not_guessed() -> None:
    player = play(lambda now, changed: board(finding(data={"heap": None, "overhead": None})))
    assert player.walk.path[-2:] == ("owner", "handed-over") and player.effects == []


def test_the_wrong_fix_is_found_out_and_its_rollback_offered() -> None:
    player = play(story(finding(), fits=False), answers={"filled": "heap"})
    walk = player.walk
    assert walk.path[-3:] == ("give-heap", "give-proof", "not-fixed")
    assert walk.outcome == "unresolved" and "did not help" in walk.because
    assert walk.offered == ("w/1",) and len(player.effects) == 1
    took = (walk.ended or 0) - (walk.changed or 0)
    assert 200 < took < 300


def test_an_accepted_rollback_puts_the_old_value_back() -> None:
    player = Player(
        BOOK, story(finding(), fits=False), answers={"filled": "heap"}, roll_back="yes",
        before={"/spec/executor/memory": "2900m"},
    )  # fmt: skip
    walk = player.play()
    change, undo = player.effects
    assert undo.patch == {"spec": {"executor": {"memory": "2900m"}}} and undo.inverse_of == change.id
    assert [w.id for w in walk.writes] == ["w/1", "w/1.undo"]
    assert walk.path[-1] == "not-fixed" and walk.outcome == "unresolved"


def test_a_no_changes_nothing() -> None:
    player = play(story(finding()), answers={"filled": "overhead"}, refuse=frozenset({"give-overhead"}))
    assert player.walk.path[-1] == "declined" and player.walk.outcome == "handed_over" and player.walk.writes == ()


def test_silence_is_not_recovery() -> None:
    """Without task counts nobody can say that the new attempt works: unknown, after the whole deadline."""
    player = play(story(finding(), tasks=False), answers={"filled": "overhead"})
    walk = player.walk
    assert walk.path[-2:] == ("give-proof", "unclear") and walk.outcome == "unresolved"
    assert walk.outputs["give-proof"]["verdict"] == "unknown"
    assert (walk.ended or 0) - (walk.changed or 0) >= 45 * 60


def test_a_completed_application_ends_the_hold() -> None:
    def world(now: float, changed: float | None) -> Board:
        if changed is None:
            return board(finding())
        state = "COMPLETED" if now - changed > 60 else "RUNNING"
        one = app(state=state, driver=driver(changed + 25), executors=(), tasks={})
        return board(finding(), apps=(one,), slos=(slo(0.1, 0.2),))

    player = play(world, answers={"filled": "overhead"})
    assert player.walk.outcome == "resolved"
    assert player.walk.outputs["give-proof"] == {"verdict": "effective", "because": "it completed"}


def test_a_completion_of_the_old_attempt_does_not_count() -> None:
    def world(now: float, changed: float | None) -> Board:
        state = "RUNNING" if changed is None else "COMPLETED"
        return board(finding(), apps=(app(state=state, ended=NOW - 10.0),))

    player = play(world, answers={"filled": "overhead"})
    assert player.walk.outputs["give-proof"]["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("slos", "outcome", "end", "words"),
    [
        ((), "mitigated", "mitigated", "no objective is measured"),
        ((slo(None, None),), "mitigated", "mitigated", "no data over 5m"),
        ((slo(0.2, 3.0),), "mitigated", "mitigated", "3.00 over 1h"),
        ((slo(0.2, 0.9),), "resolved", "resolved", "0.90 over 1h"),
        ((slo(0.2, 0.9), slo(50.0, 50.0, id="connect-available")), "resolved", "resolved", "job-success"),
    ],
)
def test_the_objective_decides_between_mitigated_and_resolved(slos: Any, outcome: str, end: str, words: str) -> None:
    player = play(story(finding(), slos=slos), answers={"filled": "overhead"})
    assert (player.walk.outcome, player.walk.path[-1]) == (outcome, end)
    assert words in recovery(player.walk)


def test_other_applications_and_nodes_under_pressure_are_pointed_out() -> None:
    others = [
        finding(app=f"spark-jobs/{name}", subject=f"SparkApplication/spark-jobs/{name}") for name in ("items", "carts")
    ]
    nodes = (node("node-041", "MemoryPressure"),)
    player = Player(BOOK, lambda now, changed: board(finding(), others[0], nodes=nodes), answers={"filled": "unsure"})
    walk = player.play()
    many, pressure = walk.state("many"), walk.state("node")
    assert many is not None and any("spark-jobs/items" in e.excerpt for e in many.evidence)
    assert pressure is not None and "MemoryPressure on node-041" in pressure.words
    assert walk.path[-2:] == ("platform", "handed-over"), "no size of the application mends its node"
    walk = play(lambda now, changed: board(finding(), *others)).walk
    many = walk.state("many")
    assert many is not None and many.words.startswith("2 other applications too")
    assert walk.path[-3:] == ("many", "platform", "handed-over")


def test_nodes_that_cannot_be_seen_are_unknown_not_fine() -> None:
    player = Player(BOOK, lambda now, changed: board(finding(), nodes=()), answers={"filled": "unsure"})
    pressure = player.play().state("node")
    assert pressure is not None and pressure.status == "unknown"


def test_a_finding_of_the_present_attempt_goes_before_an_older_one() -> None:
    old = finding("driver-oom-heap", data={"current": False}, subject="Pod/spark-jobs/etl-orders-driver")
    player = Player(BOOK, lambda now, changed: board(old, finding("executor-oom-overhead")), answers={"how": "none"})
    walk = player.play()
    first = walk.state("applies")
    assert first is not None and "how" in walk.path
    assert any("executor-oom-overhead" in e.excerpt for e in walk.state("fixed").evidence)  # type: ignore[union-attr]


def test_secrets_of_the_configuration_are_not_in_the_data_of_templates() -> None:
    player = Player(BOOK, story(finding()))
    player.start()
    assert "hunter2" not in repr(player.ctx())


def test_hostile_names_stay_names() -> None:
    bad = replace(finding(), title="\x1b[31m{{ 7*7 }}\n[bold]x", evidence=())
    player = Player(BOOK, lambda now, changed: board(bad), answers={"filled": "unsure"})
    walk = player.play()
    state = walk.state("applies")
    assert state is not None and state.words == "{{ 7*7 }} [bold]x"
    assert "\x1b" not in walk.because and "49" not in walk.because
