"""The number of an attempt never falls while somebody watches, nor from one command to the next."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from console.apps.assemble import Assembler
from console.apps.model import SparkApp
from console.facts.counted import CountedAttempts
from console.facts.model import Facts, Owner, Pod, Workload
from console.live.shown import attempt
from tests.findings.worlds import cr, driver, ended, facts

OPERATED = {"sparkoperator.k8s.io/app-name": "etl"}
IDS = [f"spark-{n:032x}" for n in range(60)]


class Watched:
    """One object, looked at again and again; `again` is the next command."""

    def __init__(self) -> None:
        self.known: dict[str, CountedAttempts] = {}
        self.assembler = Assembler()

    def look(self, *objects: Pod | Workload) -> SparkApp:
        seen: Facts = replace(facts(*objects), counted=self.known)
        (app,) = self.assembler.assemble(seen)
        self.known = dict(self.assembler.counted)
        (twice,) = self.assembler.assemble(replace(seen, counted=self.known))
        assert (twice.attempt, twice.attempt_exact) == (app.attempt, app.attempt_exact), "a second look says the same"
        return app

    def again(self) -> None:
        self.assembler = Assembler()
        self.known = {key: replace(one, watched=False) for key, one in self.known.items()}


def object_(state: str, said: int | None, app_id: int | None = None, generation: int = 1, uid: str = "u") -> Workload:
    status = {"executionAttempts": said, "sparkApplicationId": IDS[app_id] if app_id is not None else None}
    return replace(cr(state, status={k: v for k, v in status.items() if v is not None}), generation=generation, uid=uid)


def driver_(app_id: int, *, dead: bool = False) -> Pod:
    state = ended(1, "Error", 100.0 * app_id + 90) if dead else None
    phase = "Failed" if dead else "Running"
    created = 100.0 * app_id
    pod = driver(state, phase, app_id=IDS[app_id], labels=OPERATED, created=created, uid=f"d{app_id}", gone=dead)
    return replace(pod, owners=(Owner("sparkoperator.k8s.io/v1beta2", "SparkApplication", "etl", "u"),))


def test_attempt_27_becomes_28_and_not_14_after_the_fix() -> None:
    watched = Watched()
    assert watched.look(object_("RUNNING", 27, 27), driver_(27)).attempt == 27
    edited = watched.look(object_("INVALIDATING", 27, 27, 2), driver_(27))
    waits = watched.look(object_("PENDING_RERUN", None, None, 2), driver_(27, dead=True))
    submitted = watched.look(object_("PENDING_RERUN", None, None, 2), driver_(27, dead=True), driver_(28))
    counted = watched.look(object_("SUBMITTED", 1, None, 2), driver_(27, dead=True), driver_(28))
    runs = watched.look(object_("RUNNING", 1, 28, 2), driver_(28))
    assert [app.attempt for app in (edited, waits, submitted, counted, runs)] == [27, 27, 28, 28, 28]
    assert runs.attempt_exact and runs.operator_attempts == 1
    assert attempt(runs) == "28"
    assert [a.number for a in counted.attempts] == [27, 28]
    later = watched.look(object_("RUNNING", 14, 41, 2), driver_(41))
    assert (later.attempt, later.attempt_exact) == (41, True)


def test_the_next_command_goes_on_counting_and_says_at_least_where_it_was_not_looked() -> None:
    watched = Watched()
    watched.look(object_("RUNNING", 27, 27), driver_(27))
    watched.again()
    app = watched.look(object_("RUNNING", 14, 50, 2), driver_(50))
    assert (app.attempt, attempt(app)) == (41, "at least 41")
    watched.again()
    assert attempt(watched.look(object_("RUNNING", 14, 50, 2), driver_(50))) == "at least 41"
    assert attempt(watched.look(object_("RUNNING", 15, 51, 2), driver_(51))) == "at least 42"


def test_an_edit_that_nobody_saw_and_that_counted_further_is_no_smaller_number() -> None:
    watched = Watched()
    watched.look(object_("RUNNING", 3, 3), driver_(3))
    watched.again()
    app = watched.look(object_("RUNNING", 4, 9, 2), driver_(9))
    assert attempt(app) == "at least 4", "three and four, or four of which three were seen"
    watched.again()
    assert attempt(watched.look(object_("RUNNING", 1, 10, 3), driver_(10))) == "at least 5"


def test_one_attempt_before_an_edit_and_one_after_are_two() -> None:
    watched = Watched()
    assert attempt(watched.look(object_("RUNNING", 1, 1), driver_(1))) == "1"
    watched.look(object_("RUNNING", 1, 1, 2), driver_(1))
    watched.again()
    assert attempt(watched.look(object_("RUNNING", 1, 2, 2), driver_(2))) == "at least 2"


def test_an_object_that_was_edited_before_the_first_look_is_counted_from_below() -> None:
    assert attempt(Watched().look(object_("RUNNING", 1, 1, 2), driver_(1))) == "at least 1"
    kept = (driver_(1, dead=True), driver_(2, dead=True), driver_(3))
    app = Watched().look(object_("RUNNING", 1, 3, 2), *kept)
    assert attempt(app) == "at least 3" and [a.number for a in app.attempts] == [1, 2, 3]


def test_a_retry_is_counted_once_whether_its_driver_or_its_count_is_seen_first() -> None:
    old = driver_(1, dead=True)
    by_pod = Watched()
    by_pod.look(object_("RUNNING", 1, 1), driver_(1))
    assert by_pod.look(object_("PENDING_RERUN", 1), old, driver_(2)).attempt == 2
    assert by_pod.look(object_("SUBMITTED", 2), old, driver_(2)).attempt == 2
    by_count = Watched()
    by_count.look(object_("RUNNING", 1, 1), driver_(1))
    seen = by_count.look(object_("SUBMITTED", 2), old)
    assert (seen.attempt, [a.number for a in seen.attempts]) == (2, [1])
    assert by_count.look(object_("SUBMITTED", 2, 2), old).attempt == 2
    last = by_count.look(object_("RUNNING", 2, 2), old, driver_(2))
    assert [a.number for a in last.attempts] == [1, 2] and last.attempt == 2


def test_what_died_keeps_its_number_when_the_evidence_before_it_goes() -> None:
    watched = Watched()
    all_three = watched.look(object_("RUNNING", 3, 3), driver_(1, dead=True), driver_(2, dead=True), driver_(3))
    assert [a.number for a in all_three.attempts] == [1, 2, 3]
    watched.again()
    assert [a.number for a in watched.look(object_("RUNNING", 3, 3), driver_(2, dead=True), driver_(3)).attempts] == [
        2,
        3,
    ]
    assert [a.number for a in watched.look(driver_(3)).attempts] == [3], "the object may not be read any more"


def test_an_object_that_may_be_read_again_tells_more_than_its_pods_did() -> None:
    watched = Watched()
    assert attempt(watched.look(driver_(26, dead=True), driver_(27))) == "at least 2"
    app = watched.look(object_("RUNNING", 27, 27), driver_(26, dead=True), driver_(27))
    assert [a.number for a in app.attempts] == [26, 27]


def test_another_object_of_the_same_name_is_counted_by_itself() -> None:
    watched = Watched()
    watched.look(object_("RUNNING", 27, 27), driver_(27))
    assert attempt(watched.look(object_("RUNNING", 1, 28, uid="v"), driver_(28))) == "1"


RECORDED = (
    (1, "", None, None), (1, "SUBMITTED", 1, None), (1, "SUBMITTED", 1, 1), (1, "RUNNING", 1, 1), (2, "RUNNING", 1, 1),
    (2, "INVALIDATING", 1, 1), (2, "PENDING_RERUN", None, None), (2, "SUBMITTED", 1, None), (2, "SUBMITTED", 1, 2),
    (2, "RUNNING", 1, 2), (2, "SUCCEEDING", 1, 2), (2, "COMPLETED", 1, 2),
)  # fmt: skip
"""(generation, state, executionAttempts, run) of an application that a real operator 2.4 ran, and that was edited."""


def test_a_real_operator_that_begins_anew_does_not_take_the_number_down() -> None:
    watched = Watched()
    numbers = [watched.look(object_(state, said, run, gen)).attempt for gen, state, said, run in RECORDED]
    assert numbers == [0, *[1] * 6, *[2] * 5]


def happened(chance: random.Random, length: int) -> Iterator[tuple[int, Workload, list[Pod]]]:
    """(attempts there were, the object, its pods) step by step: an operator that retries, and is edited."""
    truth, said, generation = 1, 1, 1
    yield 1, object_("RUNNING", 1, 1), [driver_(1)]
    for _ in range(length):
        old, new = truth, truth + 1
        dead, begun = driver_(old, dead=True), [driver_(old, dead=True), driver_(new)]
        if chance.random() < 0.3:
            generation += 1
            yield old, object_("RUNNING", said, old, generation), [driver_(old)]
            yield old, object_("INVALIDATING", said, old, generation), [driver_(old)]
            yield old, object_("PENDING_RERUN", None, None, generation), [driver_(old)]
            said = 0
        else:
            yield old, object_("RUNNING", said, old, generation), [dead]
        yield old, object_("PENDING_RERUN", said or None, None, generation), [dead]
        truth, said = new, said + 1
        yield new, object_("PENDING_RERUN", said - 1 or None, None, generation), begun
        yield new, object_("SUBMITTED", said, None, generation), begun
        yield new, object_("SUBMITTED", said, new, generation), begun
        yield new, object_("RUNNING", said, new, generation), [driver_(new)]


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_the_number_never_falls_and_is_never_more_than_there_were(seed: int) -> None:
    chance, watched, shown, before = random.Random(seed), Watched(), 0, list[Pod]()
    late, gaps = seed % 2, seed % 4 >= 2
    for truth, object_now, pods in happened(chance, 12):
        seen, before = (before if late and chance.random() < 0.3 else pods), pods
        if gaps and chance.random() < 0.5:
            watched.again()
            continue
        app = watched.look(object_now, *seen)
        assert shown <= app.attempt <= truth
        assert late or app.attempt == truth or not app.attempt_exact
        assert gaps or app.attempt_exact
        shown = app.attempt
