"""SLO measurements from Prometheus: all objectives at once, long windows rarely, the last figures of a lost server."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from console.health.facts import Origin, Sample
from console.health.model import SloStatus
from console.health.slo import Measured, evaluate
from console.health.slo_plan import MARK, Answer, Ask, Plan, measured, plan
from console.health.slo_spec import SloSpec

EVERY = 300.0
"""Seconds between two askings of the long windows, and of an expression that was refused."""


class Read(Protocol):
    """What one query gave (`console.sources.prometheus.Reading`)."""

    @property
    def samples(self) -> tuple[Sample, ...]: ...
    @property
    def state(self) -> str:
        """`ok`, `partial`, `refused` (the query is wrong or too heavy), or why nothing came."""
        ...

    @property
    def detail(self) -> str: ...


class Asks(Protocol):
    """What is needed of a Prometheus: it joins short queries, and isolates one that the server refuses."""

    async def query(
        self, batch: Mapping[str, str], *, at: float | None = None, deadline: float = 15.0
    ) -> Mapping[str, Read]: ...


class SloSource:
    """Reads all objectives of a preset, and what else is asked (`beside`: the queries of components) in the same
    queries. Keeps the answers of long windows, and the last answers of a lost server."""

    def __init__(self, specs: Sequence[SloSpec], prometheus: Asks, beside: Sequence[Ask] = ()) -> None:
        self.plans: tuple[Plan, ...] = tuple(plan(spec) for spec in specs)
        self.beside = tuple(beside)
        self.samples: tuple[Sample, ...] = ()
        """Answers to `beside`, marked with the key of their ask; NaN: it was asked, and there is nothing."""
        self.asked = 0
        """Expressions of the last reading."""
        self._prometheus = prometheus
        self._slow: dict[str, Answer] = {}
        self._refused: dict[str, Answer] = {}
        self._last: dict[str, Measured] = {}

    async def read(self, now: float) -> tuple[SloStatus, ...]:
        """Every objective as it stands at `now`. Never raises for a server: what is missing is said in the status."""
        answers, lost = await self._ask(self._due(now), now)
        for expr, answer in answers.items():
            if answer.problem:
                self._refused[expr] = answer
        self._slow.update({ask.expr: answers[ask.expr] for ask in self._asks() if ask.slow and ask.expr in answers})
        known = {**self._refused, **self._slow, **answers}
        self.samples = tuple(s for ask in self.beside if ask.expr in known for s in _marked(ask, known[ask.expr]))
        out = []
        for item in self.plans:
            if lost and not item.broken:
                old = self._last.get(item.spec.id)
                found = Measured(problem=lost) if old is None else _keep(old, lost)
            else:
                found = self._last[item.spec.id] = measured(item, known)
            out.append(evaluate(item.spec, found, now))
        return tuple(out)

    def _asks(self) -> Iterable[Ask]:
        return (*(ask for item in self.plans for ask in item.asks), *self.beside)

    def _due(self, now: float) -> list[Ask]:
        """What must be asked now."""
        self._refused = {expr: answer for expr, answer in self._refused.items() if 0 <= now - answer.at < EVERY}
        fresh = {expr for expr, answer in self._slow.items() if 0 <= now - answer.at < EVERY}
        return [ask for ask in self._asks() if ask.expr not in self._refused and not (ask.slow and ask.expr in fresh)]

    async def _ask(self, asks: list[Ask], now: float) -> tuple[dict[str, Answer], str]:
        """Answers by expression (each is asked once), and why the server gave none at all."""
        wanted: dict[str, Ask] = {}
        for ask in asks:
            wanted.setdefault(ask.expr, ask)
        self.asked = len(wanted)
        readings = await self._prometheus.query({ask.key: expr for expr, ask in wanted.items()}, at=now)
        answers: dict[str, Answer] = {}
        lost: list[str] = []
        for expr, ask in wanted.items():
            reading = readings[ask.key]
            if reading.state in ("ok", "partial"):
                note = (reading.detail or "the answer is partial") if reading.state == "partial" else ""
                answers[expr] = Answer(reading.samples, note=note, at=now)
            elif reading.state == "refused":
                answers[expr] = Answer(problem=f"Prometheus refuses: {reading.detail}", at=now)
            else:
                lost.append(f"Prometheus {reading.state}: {reading.detail}" if reading.detail else reading.state)
                if not ask.slow:
                    answers[expr] = Answer(note=lost[-1], at=now)
        return ({}, lost[0]) if lost and len(lost) == len(wanted) else (answers, "")


def without(specs: Sequence[SloSpec], reason: str, now: float) -> tuple[SloStatus, ...]:
    """The objectives where there is no Prometheus at all: no data, and why."""
    return tuple(evaluate(spec, Measured(problem=reason), now) for spec in specs)


def _marked(ask: Ask, answer: Answer) -> Iterable[Sample]:
    """The series of an answer under the key of their own ask; a refused ask says nothing."""
    if answer.problem:
        return
    for sample in answer.samples:
        yield replace(sample, labels={**sample.labels, MARK: ask.key})
    if not answer.samples:
        yield Sample("", {MARK: ask.key}, math.nan, answer.at, Origin("prometheus", ask.expr, answer.at))


def _keep(old: Measured, problem: str) -> Measured:
    """The last measurements, with why there are no newer ones; their age speaks for itself."""
    return replace(old, problem=problem, newest=old.newest if old.newest is not None else old.at)
