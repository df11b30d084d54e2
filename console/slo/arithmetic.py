"""SLO arithmetic: error ratios, burn rates, budgets, forecasts. Pure; measurements come in, a verdict goes out.

No data is neither zero nor good. Figures from late data keep their age; data older than `STALE` gives no verdict.
"""

from __future__ import annotations

from msgspec import Struct

from console.base.units import human_duration, percent
from console.slo.hysteresis import BurnSigns, exceeds, name_of, signs
from console.slo.model import Burn, Contributor, SloState, SloStatus
from console.slo.recovery import awaited
from console.slo.spec import Pair, SloSpec, promql_duration, tidy
from console.slo.words import rate_over

LATE = 150.0
"""Seconds after which data is called late: more than two scrapes of a minute and an evaluation."""
STALE = 600.0
"""Seconds after which data gives no verdict."""
NO_SIGNS: BurnSigns = {}
BOUNDLESS = 1e6
"""The burn rate that stands for "infinitely fast": any error against an objective of 100 %."""


class Measure(Struct, frozen=True):
    """What was counted in one window. None is no data; 0 is zero.

    Attributes:
        window: seconds.
        bad, total: events (or slices). `ratio`: a ready error ratio, where events are not known.
        covered: share of the window for which there is data.
    """

    window: float
    bad: float | None = None
    total: float | None = None
    ratio: float | None = None
    covered: float | None = None

    @property
    def error_ratio(self) -> float | None:
        if self.total is not None and self.bad is not None:
            return max(0.0, self.bad) / self.total if self.total > 0 else None
        return self.ratio


class Measured(Struct, frozen=True):
    """Everything that was measured for one SLO.

    Attributes:
        at: when it was evaluated. `newest`: time of the newest sample behind it, None where that is not known.
        problem: why something is missing: the refusal of a query, `unreachable`, a series that nobody exports.
        partial: the answer is incomplete; `problem` says why.
        budget_left: a ready figure of an existing rule, used only where events are not known.
        mean_ratio: mean of ratios over the period, where it is known beside the events.
    """

    windows: tuple[Measure, ...] = ()
    at: float | None = None
    newest: float | None = None
    problem: str = ""
    partial: bool = False
    source: str = ""
    queries: tuple[str, ...] = ()
    arithmetic: str = ""
    budget_left: float | None = None
    mean_ratio: float | None = None
    contributors: tuple[tuple[str, float], ...] = ()

    def window(self, seconds: float) -> Measure | None:
        return next((m for m in self.windows if m.window == seconds), None)


def budget(goal: float) -> float:
    """Share of events that may be bad: 1 - objective."""
    return max(0.0, tidy(1.0 - goal))


def burn_rate(ratio: float, goal: float) -> float:
    """How many times faster than allowed the budget is spent; `BOUNDLESS` where nothing is allowed."""
    allowed = budget(goal)
    if allowed == 0:
        return BOUNDLESS if ratio > 0 else 0.0
    return min(ratio / allowed, BOUNDLESS)


def budget_left(bad: float, total: float, goal: float) -> float | None:
    """Share of the budget that is left, from real event counts; below 0 when overspent. None without events.

    Against an objective of 100 % it is 1 without errors and 0 with any.
    """
    if total <= 0:
        return None
    allowed = budget(goal) * total
    if allowed == 0:
        return 1.0 if bad <= 0 else 0.0
    return 1.0 - max(0.0, bad) / allowed


def exhausted_in(left: float, burn: float, period: float) -> float | None:
    """Seconds until the budget is gone at this burn; None when that lies beyond one period."""
    if left <= 0:
        return 0.0
    if left > burn:
        return None
    return left * period / burn


def evaluate(spec: SloSpec, measured: Measured, now: float, before: BurnSigns = NO_SIGNS) -> SloStatus:
    """How the objective stands at `now`.

    Args:
        before: what showed earlier that it burns (`console.slo.hysteresis`).
    """
    burns = tuple(_burn(spec, measured, window) for window in spec.burn_windows)
    whole = measured.window(spec.period) or Measure(spec.period)
    left = _left(spec, measured, whole)
    burning = signs(spec, burns, before, now)
    firing = next((pair for pair in spec.alerting.pairs if name_of(pair) in burning), None)
    sign = now if firing is None else burning[name_of(firing)]
    state, reason = _state(spec, measured, whole, burns, left, firing, sign, now)
    known = state != "no data"
    deciding = firing or spec.alerting.pairs[0]
    pace = next((b.rate for pair in spec.alerting.pairs if (b := _of(burns, pair.long)).rate is not None), None)
    return SloStatus(
        id=spec.id,
        title=spec.title,
        objective=spec.goal,
        period=spec.period,
        state=state,
        reason=reason,
        burns_until=_until(spec, burns, burning),
        held=known and _held(spec, firing, burns),
        budget_left=None if left is None else _round(left),
        bad=_count(whole.bad),
        total=_count(whole.total),
        burns=burns,
        severity=firing.severity if firing is not None and known else "",
        low_traffic=_of(burns, deciding.long).low_traffic,
        exhausted_in=None if left is None or pace is None or not known else exhausted_in(left, pace, spec.period),
        contributors=contributors(measured.contributors, whole.bad),
        contributors_by=spec.contributors.by if spec.contributors is not None else (),
        arithmetic=_arithmetic(spec, measured, whole),
        source=measured.source or spec.origin,
        queries=measured.queries,
        covered=None if whole.covered is None else _round(whole.covered),
        measured_at=measured.newest if measured.newest is not None else measured.at,
        runbooks=spec.runbooks,
        partial=measured.partial,
    )


def contributors(counted: tuple[tuple[str, float], ...], bad: float | None, most: int = 5) -> tuple[Contributor, ...]:
    """The largest contributors with their share of the bad events (of their own sum where that is larger)."""
    known = sorted(((name, count) for name, count in counted if count > 0), key=lambda item: (-item[1], item[0]))
    whole = max(bad or 0.0, sum(count for _, count in known))
    return tuple(Contributor(name, _round(count), _round(count / whole)) for name, count in known[:most])


def _burn(spec: SloSpec, measured: Measured, window: float) -> Burn:
    measure = measured.window(window) or Measure(window)
    pairs = spec.alerting.pairs
    pair = next((p for p in pairs if p.long == window), None) or next(p for p in pairs if p.short == window)
    ratio = measure.error_ratio
    long = measured.window(pair.long)
    counted = long.total if long is not None else None
    return Burn(
        window=window,
        ratio=None if ratio is None else _round(ratio),
        rate=None if ratio is None else _round(burn_rate(ratio, spec.goal)),
        bad=_count(measure.bad),
        total=_count(measure.total),
        low_traffic=counted is not None and counted < spec.alerting.few,
        factor=_round(pair.threshold(spec.period)),
        covered=None if measure.covered is None else _round(measure.covered),
        awaited=window in awaited(pairs),
    )


def _of(burns: tuple[Burn, ...], window: float) -> Burn:
    return next(burn for burn in burns if burn.window == window)


def _left(spec: SloSpec, measured: Measured, whole: Measure) -> float | None:
    if whole.bad is not None and whole.total is not None:
        return budget_left(whole.bad, whole.total, spec.goal)
    if measured.budget_left is not None:
        return measured.budget_left
    if whole.ratio is not None:
        return budget_left(whole.ratio, 1.0, spec.goal)
    return None


def _state(
    spec: SloSpec,
    measured: Measured,
    whole: Measure,
    burns: tuple[Burn, ...],
    left: float | None,
    firing: Pair | None,
    sign: float,
    now: float,
) -> tuple[SloState, str]:
    behind = measured.newest if measured.newest is not None else measured.at
    age = 0.0 if behind is None else now - behind
    measurable = left is not None or any(burn.rate is not None for burn in burns)
    if not measurable:
        if measured.problem:
            return "no data", measured.problem
        if whole.total is not None:
            return "no data", f"no events in {promql_duration(spec.period)}"
        return "no data", "the queries give nothing"
    if age > STALE:
        return "no data", f"the newest sample is {human_duration(age)} old"
    notes = []
    if age > LATE:
        notes.append(f"data is {human_duration(age)} late")
    if measured.partial:
        notes.append(f"partial: {measured.problem or 'some series are missing'}")
    elif measured.problem:
        notes.append(measured.problem)
    if firing is not None:
        notes.insert(0, _burns(spec, firing, burns, sign, now))
    if left is not None and left <= 0:
        overspent = f", overspent by {percent(-left)}" if left < 0 else ""
        spent = f"the budget is spent{overspent}" if budget(spec.goal) else "an objective of 100% allows no error"
        return "exhausted", "; ".join([spent, *notes])
    return ("burning" if firing is not None else "good"), "; ".join(notes)


def _until(spec: SloSpec, burns: tuple[Burn, ...], burning: dict[str, float]) -> float | None:
    """When the last of the pairs that burn is over by itself; None while a short window is above its factor."""
    pairs = [pair for pair in spec.alerting.pairs if name_of(pair) in burning]
    for pair in pairs:
        short = _of(burns, pair.short).rate
        if short is None or short > pair.threshold(spec.period):
            return None
    return max((burning[name_of(pair)] + pair.short for pair in pairs), default=None)


def _held(spec: SloSpec, firing: Pair | None, burns: tuple[Burn, ...]) -> bool:
    """Whether it burns by what it did before."""
    return firing is not None and not exceeds(spec, firing, burns)


def _burns(spec: SloSpec, firing: Pair, burns: tuple[Burn, ...], sign: float, now: float) -> str:
    """Why it is called burning: both windows exceed the factor, or did so too shortly ago (`sign`)."""
    factor = firing.threshold(spec.period)
    rates = " and ".join(rate_over(_of(burns, w)) for w in (firing.long, firing.short))
    if exceeds(spec, firing, burns):
        return f"burns {rates} ({firing.severity} above {factor:.3g})"
    short, calm = promql_duration(firing.short), human_duration(now - sign)
    until = f"leaves BURNING once the {short} burn was below {factor:.3g} ({firing.severity}) for {short}"
    return f"burn {rates} now: {until}, {calm} so far"


def _arithmetic(spec: SloSpec, measured: Measured, whole: Measure) -> str:
    words = measured.arithmetic or spec.arithmetic
    ratio = whole.error_ratio
    if measured.mean_ratio is not None and ratio is not None and whole.total is not None:
        other = budget_left(measured.mean_ratio, 1.0, spec.goal)
        mine = budget_left(ratio, 1.0, spec.goal)
        if other is not None and mine is not None and abs(other - mine) >= 0.01:
            words += (
                f" ({percent(mine)} left); the mean of ratios would say {percent(other)} left, "
                f"because it weighs quiet hours like busy ones"
            )
    return words


def _round(value: float) -> float:
    return float(f"{value:.6g}")


def _count(value: float | None) -> float | None:
    """A number of events; `increase` extrapolates, so it is not whole."""
    return None if value is None else round(max(0.0, value), 2)
