"""What an objective is: its target, its events or time slices, its alert windows. Written in YAML, decoded as it is.

`{window}` in an expression stands for a PromQL duration (`5m`), `{seconds}` for its length as a number. Factors follow
from the share of the budget that a pair of windows may consume before it alerts (2 % in 1 h of 30 days is 14.4), or are
given.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from console.base.decode import Duration
from console.base.document import Document, Path
from console.base.errors import DocumentError

Promql = Annotated[str, Meta(min_length=1)]
Level = Literal["page", "ticket"]


class Pair(Struct, frozen=True, forbid_unknown_fields=True):
    """Two windows that must both burn faster than the factor.

    Attributes:
        long, short: seconds.
        share: share of the period's budget that is gone when it fires (0.02 = 2 %); gives the factor.
        factor: burn rate, where it is known otherwise (existing rules).
        hold: seconds for which a generated alert rule waits (`for:`).
    """

    EXACTLY_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("share", "factor"),)

    long: Duration
    short: Duration
    severity: Level
    share: Annotated[float, Meta(gt=0, le=1)] | None = None
    factor: Annotated[float, Meta(gt=0)] | None = None
    hold: Duration = 0.0

    def threshold(self, period: float) -> float:
        """Burn rate above which the pair alerts, for an SLO of this period."""
        if self.factor is not None:
            return self.factor
        return tidy((self.share or 0.0) * period / self.long)


GOOGLE: tuple[Pair, ...] = (
    Pair(long=3600.0, short=300.0, severity="page", share=0.02, hold=120.0),
    Pair(long=21600.0, short=1800.0, severity="page", share=0.05, hold=900.0),
    Pair(long=86400.0, short=7200.0, severity="ticket", share=0.10, hold=3600.0),
    Pair(long=259200.0, short=21600.0, severity="ticket", share=0.10, hold=10800.0),
)
"""The table of the Google SRE workbook with the customary fourth row: 14.4, 6, 3 and 1 over 30 days."""


class Events(Struct, frozen=True, forbid_unknown_fields=True):
    """Counted events: `total` and one of `bad` and `good`, each with `{window}`."""

    EXACTLY_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("bad", "good"),)

    total: Promql
    bad: Promql | None = None
    good: Promql | None = None


class Slices(Struct, frozen=True, forbid_unknown_fields=True):
    """Time slices: `good` is 1 in a good slice and 0 in a bad one; where it is empty, the slice is not counted."""

    good: Promql
    every: Duration = 60.0


class Ratio(Struct, frozen=True, forbid_unknown_fields=True):
    """A ready error ratio with `{window}`: nothing is known about the number of events."""

    errors: Promql


class Sli(Struct, frozen=True, forbid_unknown_fields=True):
    EXACTLY_ONE: ClassVar[tuple[tuple[str, ...], ...]] = (("events", "slices", "ratio"),)

    events: Events | None = None
    slices: Slices | None = None
    ratio: Ratio | None = None


class Alerting(Struct, frozen=True, forbid_unknown_fields=True):
    """When it alerts.

    Attributes:
        pairs: the alert windows, the most urgent first.
        at_least: bad events that the long window must hold before a pair alerts (guards low traffic).
        few: fewer events than this in the long window make a burn rate doubtful.
    """

    pairs: Annotated[tuple[Pair, ...], Meta(min_length=1, max_length=8)] = GOOGLE
    at_least: Annotated[int, Meta(ge=0)] = 0
    few: Annotated[int, Meta(ge=0)] = 20


class Contributors(Struct, frozen=True, forbid_unknown_fields=True):
    """What burns it: an expression with `{window}` that gives bad events by the labels `by`."""

    bad: Promql
    by: Annotated[tuple[str, ...], Meta(min_length=1)]


class SloBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One SLO as it stands in a preset, under its id.

    `recorded`: ids under which Sloth or Pyrra may record it already; their series are then read, not computed again.
    """

    title: Annotated[str, Meta(min_length=1, max_length=60)]
    objective: Annotated[
        float, Meta(gt=1, le=100, extra={"hint": "an objective is written in percent, for example 99.5"})
    ]
    sli: Sli
    period: Duration = 30 * 86400.0
    description: str = ""
    alerting: Alerting = Alerting()
    contributors: Contributors | None = None
    runbooks: tuple[str, ...] = ()
    links: dict[str, str] = {}
    labels: dict[str, str] = {}
    recorded: tuple[str, ...] = ()


class SloSpec(SloBody, frozen=True, kw_only=True):
    """One SLO with its identity and where it was read."""

    id: str
    origin: str = ""
    """`file:line`, or the series or rule that it was read from."""

    @property
    def goal(self) -> float:
        """The objective as a ratio, 0 to 1."""
        return tidy(self.objective / 100)

    @property
    def burn_windows(self) -> tuple[float, ...]:
        """The windows of all pairs, ascending; the period is among them where a pair looks at all of it."""
        return tuple(sorted({w for pair in self.alerting.pairs for w in (pair.long, pair.short)}))

    @property
    def windows(self) -> tuple[float, ...]:
        """Every window that is needed, ascending, the period last."""
        return tuple(sorted({*self.burn_windows, self.period}))

    def bad(self, window: float) -> str | None:
        """PromQL of the bad events in the window ending now; None where only a ratio is known."""
        if self.sli.events is not None:
            events = self.sli.events
            if events.bad is not None:
                return fill(events.bad, window)
            return f"({fill(events.total, window)}) - ({fill(events.good or '', window)})"
        if self.sli.slices is not None:
            return f"({self.total(window)}) - (sum_over_time(({self.sli.slices.good})[{self._grid(window)}]))"
        return None

    def total(self, window: float) -> str | None:
        """PromQL of all events in the window ending now."""
        if self.sli.events is not None:
            return fill(self.sli.events.total, window)
        if self.sli.slices is not None:
            return f"count_over_time(({self.sli.slices.good})[{self._grid(window)}])"
        return None

    def ratio(self, window: float) -> str | None:
        """PromQL of a ready error ratio, where the SLI is one."""
        return fill(self.sli.ratio.errors, window) if self.sli.ratio is not None else None

    def _grid(self, window: float) -> str:
        assert self.sli.slices is not None
        return f"{promql_duration(window)}:{promql_duration(self.sli.slices.every)}"

    @property
    def arithmetic(self) -> str:
        """How the budget is counted, in words."""
        length = promql_duration(self.period)
        if self.sli.events is not None:
            return f"events: bad/total over {length}"
        if self.sli.slices is not None:
            return f"time slices of {promql_duration(self.sli.slices.every)}: bad/total over {length}"
        return f"a ready error ratio over {length}; numbers of events unknown"


def spec(id: str, body: SloBody, origin: str = "") -> SloSpec:
    """The body with its identity."""
    fields = {name: getattr(body, name) for name in SloBody.__struct_fields__}
    return SloSpec(id=id, origin=origin, **fields)


def problems(body: SloBody, document: Document, path: Path) -> list[DocumentError]:
    """What the shape of a document cannot say: windows that do not fit, expressions without their window."""
    out: list[DocumentError] = []
    if body.period < 3600:
        out.append(document.error((*path, "period"), "a period is at least one hour"))
    if body.sli.slices is not None and not 15 <= body.sli.slices.every <= body.period / 100:
        place = (*path, "sli", "slices", "every")
        out.append(document.error(place, "a slice is at least 15s and at most a hundredth of the period"))
    for index, pair in enumerate(body.alerting.pairs):
        at = (*path, "alerting", "pairs", index)
        if pair.short >= pair.long:
            out.append(document.error((*at, "short"), "the short window must be shorter than the long one"))
        if pair.long > body.period:
            out.append(document.error((*at, "long"), "a window cannot be longer than the period"))
        elif (burn := pair.threshold(body.period)) < 0.9:
            words = f"a burn of {burn:g} over {promql_duration(pair.long)} spends less than the budget allows"
            place = (*path, "period") if body.alerting.pairs == GOOGLE else at
            out.append(document.error(place, words, hint="give alerting.pairs that fit the period"))
            break
    places: list[tuple[Path, str | None]] = []
    if body.sli.events is not None:
        places += [(("sli", "events", key), getattr(body.sli.events, key)) for key in ("total", "bad", "good")]
    if body.sli.ratio is not None:
        places.append((("sli", "ratio", "errors"), body.sli.ratio.errors))
    if body.contributors is not None:
        places.append((("contributors", "bad"), body.contributors.bad))
    for at, text in places:
        if text is not None and "{window}" not in text:
            out.append(document.error((*path, *at), "the expression has no {window}", hint="for example [{window}]"))
    return out


def fill(expression: str, window: float) -> str:
    """The expression for one window."""
    filled = expression.replace("{window}", promql_duration(window)).replace("{seconds}", f"{window:.0f}")
    return filled.strip()


def promql_duration(seconds: float) -> str:
    """`5m`, `1h`, `30d`, `90s`."""
    whole = round(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole >= size and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def tidy(value: float) -> float:
    """The number without the noise of binary fractions (0.9990000000000001 is 0.999)."""
    return float(f"{value:.10g}")
