"""How an objective stands, in words and levels, the same for every face: target, budget, burn, counts, forecast."""

from __future__ import annotations

from typing import Literal

from console.base.units import human_duration, percent
from console.slo.model import Burn, SloState, SloStatus
from console.slo.spec import promql_duration

ObjectiveStanding = SloState | Literal["spending"]
BudgetLevel = Literal["ample", "low", "critical", "no data"]
BurnLevel = Literal["within", "spending", "over", "no data"]
LOW, CRITICAL = 0.5, 0.1
"""Shares of the budget: less than the first is low, no more than the second critical."""
NEAR = 0.2
"""How far a window may be from the one in the head of a column, as a share of that."""


def target(objective: float) -> str:
    """The share that is promised (0.9995), unrounded: `99.95%`."""
    return f"{objective * 100:.10g}%"


def standing(slo: SloStatus) -> ObjectiveStanding:
    """Its state in one word. One that is good, and whose budget will be gone at the present burn, is `spending`."""
    return "spending" if slo.state == "good" and slo.exhausted_in is not None else slo.state


def state(slo: SloStatus) -> str:
    """`burning (page)`, `good, partial`, `spending`."""
    word = f"{standing(slo)} ({slo.severity})" if slo.severity else standing(slo)
    return f"{word}, partial" if slo.partial and slo.state != "no data" else word


def to_tell(slo: SloStatus) -> str:
    """Its reason where the figures beside it do not say that: it is held to be burning, late or partial."""
    return slo.reason if slo.held or slo.partial or slo.state == "good" else ""


def budget_left(left: float | None) -> str:
    """The share that is left (1 = untouched) in percent, or `no data`."""
    return "no data" if left is None else percent(left)


def budget_level(slo: SloStatus) -> BudgetLevel:
    """How good the budget looks. While the objective burns no amount is ample: it is on its way out."""
    if slo.budget_left is None:
        return "no data"
    if slo.state != "good" or slo.budget_left <= CRITICAL:
        return "critical"
    return "low" if slo.budget_left < LOW else "ample"


def burn_rate(burn: Burn | None) -> str:
    """The rate (1 spends the budget exactly in its period), with `~` where events are few; or why there is none."""
    if burn is None or burn.rate is None:
        return "no events" if burn is not None and burn.total == 0 else "no data"
    return rate(burn.rate) + ("~" if burn.low_traffic else "")


def rate(burn: float) -> str:
    """A burn rate in three digits, so that what is below 1, or above the factor of an alert, looks so."""
    if burn < 1:
        return f"{min(burn, 0.99):.2f}"
    return f"{burn:.0f}" if burn >= 100 else f"{burn:.1f}" if burn >= 10 else f"{burn:.2f}"


def rate_over(burn: Burn) -> str:
    """The burn of one window: `0.20 over 1h`, `no data over 5m`."""
    return f"{'no data' if burn.rate is None else rate(burn.rate)} over {promql_duration(burn.window)}"


def ratio(share: float | None) -> str:
    """An error ratio in percent, to a thousandth: objectives of 99.99% allow a hundredth."""
    return "no data" if share is None else f"{share:.3%}"


def covered(share: float | None) -> str:
    """How much of a window has data."""
    return "no data" if share is None else percent(share)


def burn_over(slo: SloStatus, window: float) -> Burn | None:
    """The burn over about `window` seconds: imported objectives have windows of their own (321 s, not 300)."""
    near = [burn for burn in slo.burns if abs(burn.window - window) <= NEAR * window]
    return min(near, key=lambda burn: abs(burn.window - window), default=None)


def burn_level(burn: Burn | None) -> BurnLevel:
    """`over` its alert factor, as the arithmetic of an alert counts it; `spending` more than the period allows."""
    if burn is None or burn.rate is None:
        return "no data"
    if burn.factor is not None and burn.rate > burn.factor:
        return "over"
    return "spending" if burn.rate >= 1 else "within"


def events(count: float) -> str:
    """A number of events: whole, although counts over a window are extrapolated; less than half a one is `<1`."""
    return "<1" if 0 < count < 0.5 else f"{count:.0f}"


def bad_of_total(bad: float | None, total: float | None) -> str:
    """`41/4982`, or `no data`."""
    return "no data" if bad is None or total is None else f"{events(bad)}/{events(total)}"


def gone_in(slo: SloStatus) -> str:
    """When the budget is gone at the present burn: `2h`, `spent`; empty beyond the period and where it is unknown."""
    if slo.budget_left is not None and slo.budget_left <= 0:
        return "spent"
    return "" if slo.exhausted_in is None else human_duration(slo.exhausted_in)
