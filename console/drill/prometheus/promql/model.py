"""Values of PromQL: labels, samples, and where series come from. Times are whole milliseconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

Labels = tuple[tuple[str, str], ...]
SamplePoint = tuple[int, float]
NAME = "__name__"
LOOKBACK = 300_000


class EvalError(Exception):
    """The query cannot be evaluated: errorType `execution`, HTTP 422."""


class ParseError(Exception):
    """The query is no PromQL that is served here: errorType `bad_data`, HTTP 400."""


class TimeSeries(Protocol):
    """One time series."""

    @property
    def labels(self) -> Labels:
        """Sorted labels with `__name__`."""
        ...

    def points(self, start: int, end: int) -> list[SamplePoint]:
        """Samples of the closed span, in order of time; stale markers left out."""
        ...

    def latest(self, when: int) -> SamplePoint | None:
        """The sample that an instant selector sees at `when`: at most five minutes old, not stale."""
        ...

    def ends(self, start: int, end: int) -> tuple[SamplePoint, SamplePoint, int, float] | None:
        """First and last sample of the span, their number, and how much counter resets took away.

        None where only `points` can tell; an implementation that can, saves reading weeks of samples.
        """
        ...


class Storage(Protocol):
    """Where series are."""

    def select(self, matchers: list[Matcher], start: int, end: int) -> Iterable[TimeSeries]:
        """Series that match and may have samples in the span."""
        ...


@dataclass(frozen=True)
class Matcher:
    """One label matcher."""

    name: str
    op: str
    value: str

    def test(self) -> Callable[[str], bool]:
        """A test of a label's value (empty where the label is missing)."""
        if self.op == "=":
            return lambda have: have == self.value
        if self.op == "!=":
            return lambda have: have != self.value
        pattern = compiled(self.value)
        if self.op == "=~":
            return lambda have: pattern.fullmatch(have) is not None
        return lambda have: pattern.fullmatch(have) is None


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """A regular expression of a matcher.

    Raises:
        ParseError: it is none.
    """
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise ParseError(f"error parsing regexp: {error}") from None


def matching(matchers: Iterable[Matcher]) -> Callable[[Labels], bool]:
    """A test whether labels pass all matchers."""
    tests = [(m.name, m.test()) for m in matchers]

    def passes(labels: Labels) -> bool:
        have = dict(labels)
        return all(test(have.get(name, "")) for name, test in tests)

    return passes


@dataclass(frozen=True)
class VectorSample:
    """One element of an instant vector."""

    labels: Labels
    value: float


Vector = list[VectorSample]


@dataclass(frozen=True)
class Window:
    """One element of a range vector, with the span it was asked for."""

    labels: Labels
    points: list[SamplePoint]
    start: int
    end: int
    summary: tuple[SamplePoint, SamplePoint, int, float] | None = None


Value = Any
"""float (scalar), str, Vector, or list[Window]."""


def labels_of(mapping: dict[str, str]) -> Labels:
    """Sorted labels without empty ones."""
    return tuple(sorted((k, v) for k, v in mapping.items() if v))


@lru_cache(maxsize=8192)
def without(labels: Labels, *names: str) -> Labels:
    """Labels without some."""
    return tuple(pair for pair in labels if pair[0] not in names)


def only(labels: Labels, names: Iterable[str]) -> Labels:
    """Some of the labels."""
    wanted = set(names)
    return tuple(pair for pair in labels if pair[0] in wanted)


def unnamed(labels: Labels) -> Labels:
    """Labels without the metric's name."""
    return tuple(pair for pair in labels if pair[0] != NAME)


def shown(labels: Labels) -> str:
    """Labels as errors print them: `{__name__="up", job="x"}`."""
    return "{" + ", ".join(f'{k}="{v}"' for k, v in labels) + "}"


def check_unique(vector: Vector) -> Vector:
    """Refuse two elements with the same labels.

    Raises:
        EvalError: there are some.
    """
    if len({sample.labels for sample in vector}) != len(vector):
        raise EvalError("vector cannot contain metrics with the same labelset")
    return vector
