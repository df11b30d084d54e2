"""When an objective has recovered: the one definition, whatever windows its alerts have.

The windows of its paging pairs are waited for; those of ticket pairs are said. The long window of a slower paging pair
is said too: it holds the incident for hours after its short window shows that the pair can't fire any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.base.clock import moment
from console.slo.model import SloStatus
from console.slo.spec import Pair
from console.slo.words import rate_over

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


def words(status: SloStatus, changed: float | None = None) -> str:
    """`burn 0.00 over 5m, 0.20 over 1h`, the other windows that still burn, and whether it is called burning still.

    Args:
        changed: see `still_burns`.
    """
    waited = sorted((burn for burn in status.burns if burn.awaited), key=lambda burn: burn.window)
    slower = sorted((burn for burn in status.burns if not burn.awaited), key=lambda burn: burn.window)
    others = [burn for burn in slower if burn.rate is not None and burn.rate >= CALM]
    rest = f" (not waited for: {', '.join(map(rate_over, others))})" if others else ""
    called = still_burns(status, changed)
    also = f"; still called {status.state}: {called}" if called else ""
    return f"burn {', '.join(map(rate_over, waited)) or 'no data'}{rest}{also}"


def still_burns(status: SloStatus, changed: float | None = None) -> str:
    """Why an objective that has recovered is called burning or spent all the same, and until when; `` where it is not.

    Args:
        changed: since when nothing more should fail: short windows forget what failed before.
    """
    if status.state not in ("burning", "exhausted") or not recovered(status):
        return ""
    until = ""
    if status.burns_until is not None:
        until = f", until {moment(status.burns_until, to_the_minute=True)} if nothing more fails"
    elif changed is not None and status.burns and status.state == "burning":
        over = [b for b in status.burns if b.factor is not None and b.rate is not None and b.rate > b.factor]
        short = min((b.window for b in over if not b.awaited), default=None)
        if short is not None:
            until = f", at the latest until {moment(changed + 2 * short, to_the_minute=True)} if nothing more fails"
    return f"{status.reason or status.state}{until}"
