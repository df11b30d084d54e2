"""One objective and how it stands."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

SloState = Literal["good", "burning", "exhausted", "no data"]


class Burn(Struct, frozen=True):
    """Error ratio and burn rate over one window. None means no data, which is neither zero nor good."""

    window: float
    """Seconds."""
    ratio: float | None
    rate: float | None
    bad: float | None = None
    total: float | None = None
    low_traffic: bool = False
    factor: float | None = None
    """Alert factor of the pair that this window belongs to, where there is one."""
    covered: float | None = None
    """Share of the window for which there is data, 0–1."""
    awaited: bool = False
    """Whether a recovery waits for this window (`console.slo.recovery`)."""


class Contributor(Struct, frozen=True):
    name: str
    bad: float
    share: float


class SloStatus(Struct, frozen=True):
    """One objective and how it stands. The arithmetic is named and its age given."""

    id: str
    title: str
    objective: float
    period: float
    """Seconds."""
    state: SloState
    reason: str = ""
    """Why there is no data, or which pair of windows burns."""
    burns_until: float | None = None
    """When it is called burning no longer, if nothing more fails (epoch seconds); None where that is not known."""
    held: bool = False
    """It is called burning although the burn is below its factor already; `reason` says until when."""
    budget_left: float | None = None
    """Share of the budget, 1 = untouched, below 0 = overspent."""
    bad: float | None = None
    total: float | None = None
    burns: tuple[Burn, ...] = ()
    severity: Literal["page", "ticket", ""] = ""
    low_traffic: bool = False
    exhausted_in: float | None = None
    """Seconds until the budget is gone at the present burn; one that is good and has this is spending too fast."""
    contributors: tuple[Contributor, ...] = ()
    contributors_by: tuple[str, ...] = ()
    """The labels that a contributor's name is made of."""
    arithmetic: str = ""
    source: str = ""
    queries: tuple[str, ...] = ()
    covered: float | None = None
    measured_at: float | None = None
    runbooks: tuple[str, ...] = ()
    partial: bool = False
    """Some series are missing from the answer; `reason` says why. The figures are of what came."""

    @property
    def unattributed(self) -> float | None:
        """Share of the bad events for which no contributor is known; None without contributors."""
        if not self.contributors:
            return None
        return max(0.0, 1.0 - sum(c.share for c in self.contributors))

    def burn(self, window: float) -> Burn | None:
        return next((b for b in self.burns if b.window == window), None)
