"""When an objective has recovered: the one definition, whatever windows its alerts have.

The windows of its paging pairs are waited for; those of ticket pairs are said. The long window of a slower paging pair
is said too: it holds the incident for hours after its short window shows that the pair can't fire any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.slo.model import Burn, SloStatus
from console.slo.spec import Pair, promql_duration
from console.slo.words import rate

CALM = 1.0
"""Below this burn rate the budget lasts for the period."""


def awaited(pairs: Sequence[Pair]) -> frozenset[float]:
    """Windows (seconds) whose burn must be below 1: both of the most urgent paging pair, the short ones of the others.

    An objective that never pages waits for both windows of its most urgent pair.

    Args:
        pairs: the alert windows, the most urgent first.
    """
    paging = [pair for pair in pairs if pair.severity == "page"] or list(pairs[:1])
    first = {window for pair in paging[:1] for window in (pair.long, pair.short)}
    return frozenset(first | {pair.short for pair in paging})


def recovered(status: SloStatus) -> bool | None:
    """Whether the burn is over. The spent budget stays spent and does not count here.

    None when it cannot be known: no data, or no events in a window that is waited for.
    """
    if status.state == "no data":
        return None
    rates = [burn.rate for burn in status.burns if burn.awaited] or [None]
    if any(one is not None and one >= CALM for one in rates):
        return False
    return None if None in rates else True


def words(status: SloStatus) -> str:
    """`burn 0.00 over 5m, 0.20 over 1h`, and the other windows that still burn."""
    waited = sorted((burn for burn in status.burns if burn.awaited), key=lambda burn: burn.window)
    slower = sorted((burn for burn in status.burns if not burn.awaited), key=lambda burn: burn.window)
    others = [burn for burn in slower if burn.rate is not None and burn.rate >= CALM]
    rest = f" (not waited for: {', '.join(map(_rate, others))})" if others else ""
    return f"burn {', '.join(map(_rate, waited)) or 'no data'}{rest}"


def _rate(burn: Burn) -> str:
    return f"{'no data' if burn.rate is None else rate(burn.rate)} over {promql_duration(burn.window)}"
