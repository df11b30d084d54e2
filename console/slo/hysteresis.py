"""When an objective begins to burn and when it has stopped, so that the word does not flap around a factor. Pure.

It begins when both windows of a pair exceed their factor. It ends when the short one has stayed below for its own
length.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from console.facts.model import Alert
from console.slo.model import Burn
from console.slo.spec import Pair, SloSpec, promql_duration

BurnSigns = Mapping[str, float]
"""Pair (`3600/300`, long and short window in seconds) → when it last showed that it burns."""


def signs(spec: SloSpec, burns: Sequence[Burn], before: BurnSigns, now: float) -> dict[str, float]:
    """The pairs that burn at `now`, with when each last showed it.

    Args:
        before: the signs of the last look; those that are older than the short window, or in the future, are over.
    """
    by_window = {burn.window: burn for burn in burns}
    out: dict[str, float] = {}
    for pair in spec.alerting.pairs:
        last = before.get(name_of(pair))
        held = last if last is not None and 0 <= now - last < pair.short else None
        short = by_window.get(pair.short)
        above = short is not None and short.rate is not None and short.rate > pair.threshold(spec.period)
        if exceeds(spec, pair, burns) or (held is not None and above):
            out[name_of(pair)] = now
        elif held is not None:
            out[name_of(pair)] = held
    return out


def alarmed(spec: SloSpec, alerts: Iterable[Alert], now: float) -> dict[str, float]:
    """The signs of the first look: Prometheus has seen both windows exceed the factor of a pair whose alert fires.

    An alert is the objective's where a label holds its id; of its pair where `long` and `short` are its windows, else
    of the most urgent pair where it pages.
    """
    out: dict[str, float] = {}
    for alert in alerts:
        if alert.state != "firing" or spec.id not in alert.labels.values():
            continue
        windows = (alert.labels.get("long", ""), alert.labels.get("short", ""))
        paging = alert.labels.get("severity") in ("page", "critical") and not any(windows)
        for index, pair in enumerate(spec.alerting.pairs):
            named = windows == (promql_duration(pair.long), promql_duration(pair.short))
            if named or (paging and index == 0):
                out[name_of(pair)] = now
    return out


def exceeds(spec: SloSpec, pair: Pair, burns: Sequence[Burn]) -> bool:
    """Both windows above the factor, and enough bad events where the objective asks for some."""
    by_window = {burn.window: burn for burn in burns}
    long, short = by_window.get(pair.long), by_window.get(pair.short)
    if long is None or short is None or long.rate is None or short.rate is None:
        return False
    enough = long.bad is None or long.bad >= spec.alerting.at_least
    factor = pair.threshold(spec.period)
    return enough and long.rate > factor and short.rate > factor


def name_of(pair: Pair) -> str:
    return f"{pair.long:g}/{pair.short:g}"
