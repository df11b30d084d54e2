"""SLO measurements from Prometheus: all objectives at once, long windows rarely, the last figures of a lost server."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from console.base.errors import ConsoleError
from console.facts.model import Origin, Sample
from console.facts.notjudged import Isolation
from console.facts.series import MARK, NOTE, Ask
from console.slo.arithmetic import Measured, evaluate
from console.slo.asks import ObjectiveQueries, QueryAnswer, measured, plan
from console.slo.found import QUERY, AlertRule, RecordedObjective, found, joined
from console.slo.hysteresis import signs
from console.slo.model import SloStatus
from console.slo.spec import SloSpec

EVERY = 300.0
"""Seconds between two askings of the long windows, and of an expression that was refused."""


class Read(Protocol):
    """What one query gave (`console.sources.prometheus.client.Reading`)."""

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

    async def rules(self) -> tuple[AlertRule, ...]:
        """The alerting rules of the server. Raises ConsoleError where they cannot be read."""
        ...


class SloSource:
    """Reads all objectives of a preset, those that Sloth and Pyrra record, and what else is asked (`beside`: queries
    of components). Keeps the answers of long windows, and the last answers of a lost server."""

    def __init__(
        self,
        specs: Sequence[SloSpec],
        prometheus: Asks,
        beside: Sequence[Ask] = (),
        burnt: dict[str, dict[str, float]] | None = None,
    ) -> None:
        self.plans: tuple[ObjectiveQueries, ...] = tuple(plan(spec) for spec in specs)
        self.beside = tuple(beside)
        self.samples: tuple[Sample, ...] = ()
        """Answers to `beside`, marked with the key of their ask; NaN: it was asked, and there is nothing."""
        self.asked = 0
        """Expressions of the last reading."""
        self.failed = Isolation()
        """Objectives of the last reading that could not be judged."""
        self.signs: dict[str, dict[str, float]] = {} if burnt is None else burnt
        """Objective → what last showed that it burns, so that one look more or less does not change its state."""
        self._prometheus = prometheus
        self._slow: dict[str, QueryAnswer] = {}
        self._refused: dict[str, QueryAnswer] = {}
        self._last: dict[str, Measured] = {}
        self._kept: dict[str, QueryAnswer] = {}
        self._known: tuple[RecordedObjective, ...] = ()
        self._rules: tuple[AlertRule, ...] | None = None
        self._rules_at: float | None = None

    async def read(self, now: float) -> tuple[SloStatus, ...]:
        """Every objective as it stands at `now`. Never raises for a server: what is missing is said in the status."""
        self.failed = Isolation()
        answers, lost = await self._ask(self._due(now), now)
        for expr, answer in answers.items():
            if answer.problem:
                self._refused[expr] = answer
        slow = {ask.expr for ask in self._asks() if ask.slow} | {QUERY}
        self._slow.update({expr: answer for expr, answer in answers.items() if expr in slow})
        known = {**self._refused, **self._slow, **answers}
        if (existing := answers.get(QUERY)) is not None:
            await self._recognise(existing, now)
        self.samples = tuple(s for ask in self.beside for s in self._beside(ask, known.get(ask.expr), lost))
        out = []
        for item in self.plans:
            if lost and not item.broken:
                old = self._last.get(item.spec.id)
                mine = Measured(problem=lost) if old is None else _keep(old, lost)
            else:
                mine = measured(item, known)
                if (recorded := self._recorded(item.spec)) is not None:
                    mine = joined(mine, recorded, item.spec)
                self._last[item.spec.id] = mine
            out.append(self._evaluated(item.spec, mine, now))
        shown = {recorded.spec.id for item in self.plans if (recorded := self._recorded(item.spec)) is not None}
        for other in self._known:
            if other.spec.id not in shown:
                mine = _keep(other.measured, lost) if lost else other.measured
                out.append(self._evaluated(other.spec, mine, now))
        return tuple(out)

    def _evaluated(self, spec: SloSpec, mine: Measured, now: float) -> SloStatus:
        """How an objective stands; no data where its figures cannot be judged."""
        before = self.signs.get(spec.id, {})
        try:
            status = evaluate(spec, mine, now, before)
            if burning := signs(spec, status.burns, before, now):
                self.signs[spec.id] = burning
            else:
                self.signs.pop(spec.id, None)
            return status
        except Exception as error:
            self.failed.note(f"SLO//{spec.id}", "judging the objective", error)
            return evaluate(spec, Measured(problem=f"not judged: {type(error).__name__}"), now)

    def _beside(self, ask: Ask, answer: QueryAnswer | None, lost: str) -> Iterable[Sample]:
        """The answer to an ask, marked; of a kept one the last, with why there is no newer."""
        if answer is not None and not (ask.kept and answer.lost):
            self._kept.update({ask.expr: answer} if ask.kept else {})
            return _marked(ask, answer)
        old = self._kept.get(ask.expr)
        if not ask.kept or old is None:
            return ()
        return _marked(ask, replace(old, note=lost or (answer.note if answer is not None else "")))

    async def _recognise(self, answer: QueryAnswer, now: float) -> None:
        """Take over what Sloth and Pyrra record; their rules are read rarely, and only where there is something."""
        if answer.samples and (self._rules_at is None or not 0 <= now - self._rules_at < EVERY):
            self._rules_at = now
            try:
                self._rules = await self._prometheus.rules()
            except ConsoleError:
                self._rules = None
        self._known = found(answer.samples, self._rules, now)

    def _recorded(self, spec: SloSpec) -> RecordedObjective | None:
        """What records this objective already: the same id, or one that it names."""
        ids = {spec.id, *spec.recorded}
        return next((known for known in self._known if known.spec.id in ids), None)

    def _asks(self) -> Iterable[Ask]:
        return (*(ask for item in self.plans for ask in item.asks), *self.beside)

    def _due(self, now: float) -> list[Ask]:
        """What must be asked now."""
        self._refused = {expr: answer for expr, answer in self._refused.items() if 0 <= now - answer.at < EVERY}
        fresh = {expr for expr, answer in self._slow.items() if 0 <= now - answer.at < EVERY}
        known = {f"{item.spec.id}|" for item in self.plans if self._recorded(item.spec) is not None}
        out = []
        for ask in (*self._asks(), Ask("existing|series|0", QUERY, slow=not self._known)):
            recorded = not ask.slow and "|newest|" not in ask.key and ask.key.split("|")[0] + "|" in known
            if ask.expr not in self._refused and not (ask.slow and ask.expr in fresh) and not recorded:
                out.append(ask)
        return out

    async def _ask(self, asks: list[Ask], now: float) -> tuple[dict[str, QueryAnswer], str]:
        """Answers by expression (each is asked once), and why the server gave none at all."""
        wanted: dict[str, Ask] = {}
        for ask in asks:
            wanted.setdefault(ask.expr, ask)
        self.asked = len(wanted)
        readings = await self._prometheus.query({ask.key: expr for expr, ask in wanted.items()}, at=now)
        answers: dict[str, QueryAnswer] = {}
        lost: list[str] = []
        for expr, ask in wanted.items():
            reading = readings[ask.key]
            if reading.state in ("ok", "partial"):
                note = (reading.detail or "the answer is partial") if reading.state == "partial" else ""
                answers[expr] = QueryAnswer(reading.samples, note=note, at=now)
            elif reading.state == "refused":
                answers[expr] = QueryAnswer(problem=f"Prometheus refuses: {reading.detail}", at=now)
            else:
                lost.append(f"Prometheus {reading.state}: {reading.detail}" if reading.detail else reading.state)
                if not ask.slow:
                    answers[expr] = QueryAnswer(note=lost[-1], at=now, lost=True)
        return ({}, lost[0]) if lost and len(lost) == len(wanted) else (answers, "")


def without(specs: Sequence[SloSpec], reason: str, now: float) -> tuple[SloStatus, ...]:
    """The objectives where there is no Prometheus at all: no data, and why."""
    return tuple(evaluate(spec, Measured(problem=reason), now) for spec in specs)


def _marked(ask: Ask, answer: QueryAnswer) -> Iterable[Sample]:
    """The series of an answer under the key of their own ask. A refused ask, and one that got no answer, say nothing;
    where the answer is not whole, a sample of its own says why."""
    if answer.problem or answer.lost:
        return
    for sample in answer.samples:
        yield replace(sample, labels={**sample.labels, MARK: ask.key})
    origin = Origin("prometheus", ask.expr, answer.at)
    if answer.note:
        yield Sample("", {MARK: ask.key, NOTE: answer.note}, math.nan, answer.at, origin)
    elif not answer.samples:
        yield Sample("", {MARK: ask.key}, math.nan, answer.at, origin)


def _keep(old: Measured, problem: str) -> Measured:
    """The last measurements, with why there are no newer ones; their age speaks for itself."""
    return replace(old, problem=problem, newest=old.newest if old.newest is not None else old.at)
