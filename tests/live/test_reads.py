"""Which pod is read for an application."""

from __future__ import annotations

from itertools import permutations

from console.health.facts import Origin, Pod
from console.live.reads import by_name


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
