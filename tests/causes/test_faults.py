"""Which faults touch in time, and how many applications it takes to call them several."""

from __future__ import annotations

import pytest

from console.causes.faults import GAP, Fault, everybody, runs_of, several, when_begun


def fault(app: str = "a", since: float | None = 0, until: float | None = None) -> Fault:
    """A fault of one application; of none where it has no name."""
    return Fault((), (), frozenset({app} if app else ()), (), since, until)


def runs(*faults: Fault, gap: float = GAP) -> list[list[str]]:
    return [sorted("".join(one.apps) for one in run) for run in runs_of(faults, gap)]


@pytest.mark.parametrize(
    ("apart", "found"),
    [(0, [["a", "b"]]), (900, [["a", "b"]]), (900.1, [["a"], ["b"]]), (9_000, [["a"], ["b"]])],
)
def test_faults_more_than_a_quarter_of_an_hour_apart_are_two(apart: float, found: list[list[str]]) -> None:
    assert runs(fault("a", 100), fault("b", 100 + apart)) == found
    assert runs(fault("b", 100 + apart), fault("a", 100)) == found


def test_the_gap_counts_from_the_end_of_what_lasted_longest() -> None:
    long, short, late = fault("a", 0, 1_000), fault("b", 100, 200), fault("c", 1_000 + GAP)
    assert runs(long, short, late) == [["a", "b", "c"]]
    assert runs(short, late) == [["b"], ["c"]]


def test_what_follows_a_gap_has_its_own_end() -> None:
    assert runs(fault("a", 0), fault("b", 2_000), fault("c", 2_000 + GAP), fault("d", 6_000)) == [
        ["a"],
        ["b", "c"],
        ["d"],
    ]


def test_without_a_gap_only_what_overlaps_is_at_one_time() -> None:
    assert runs(fault("a", 0, 60), fault("b", 60, 90), fault("c", 91), gap=0) == [["a", "b"], ["c"]]


def test_what_began_nobody_knows_when_touches_nothing() -> None:
    assert runs(fault("a", None, 100), fault("b", 100)) == [["b"]]
    assert runs_of([fault("a", None)], GAP) == []


@pytest.mark.parametrize(
    ("apps", "found"),
    [
        ((), False),
        (("a",), False),
        (("",), False),
        (("a", "a"), False),
        (("a", "b"), True),
        (("a", ""), True),
        (("", ""), True),
    ],
)
def test_several_are_two_applications_or_one_and_what_is_none(apps: tuple[str, ...], found: bool) -> None:
    faults = [fault(app) for app in apps]
    assert several(faults) is found
    assert everybody(faults) == frozenset(app for app in apps if app)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ((0, 300), "they began within 5m"),
        ((10, 11), "they began within 1s"),
        ((10, 10.9), "they began in the same second"),
        ((None, 10), "they began in the same second"),
        ((None,), "they began in the same second"),
    ],
)
def test_how_close_together_they_began(times: tuple[float | None, ...], words: str) -> None:
    assert when_begun([fault(since=time) for time in times]) == words
