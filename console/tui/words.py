"""How states are said on every screen: one word, one role."""

from __future__ import annotations

from console.base.units import human_duration
from console.health.model import Board, Finding, SloStatus, SparkApp
from console.tui.lines import Role, Span, span

SEVERITY: dict[str, tuple[str, Role]] = {
    "critical": ("CRIT", "crit"),
    "warning": ("WARN", "warn"),
    "info": ("INFO", "info"),
}
VERDICT: dict[str, Role] = {"OK": "ok", "DEGRADED": "warn", "BURNING": "crit", "UNKNOWN": "warn"}
SLO_STATE: dict[str, Role] = {"good": "ok", "burning": "crit", "exhausted": "crit", "no data": "warn"}
COMPONENT: dict[str, Role] = {"healthy": "ok", "degraded": "warn", "down": "crit", "unknown": "warn", "absent": "dim"}
SOURCE: dict[str, Role] = {
    "fresh": "ok", "late": "warn", "stale": "crit", "partial": "warn", "loading": "dim", "forbidden": "warn",
    "login needed": "crit", "unreachable": "crit", "absent": "dim",
}  # fmt: skip
_BAD = {"FAILED", "SUBMISSION_FAILED", "FAILING", "OOMKILLED", "EVICTED", "ERROR", "UNKNOWN", "NOTREADY"}
_MOVING = {"PENDING", "SUBMITTED", "PENDING_RERUN", "INVALIDATING", "SUCCEEDING", "SUSPENDING", "RESUMING", "SUSPENDED"}
_DONE = {"COMPLETED", "SUCCEEDED", "FINISHED", "DELETED", "GONE"}


def state_role(state: str) -> Role:
    """The role of a pod's or an application's state word."""
    word = state.upper().replace(" ", "")
    if word in _BAD:
        return "crit"
    if word in _MOVING:
        return "warn"
    return "dim" if word in _DONE else "ok"


def severity(finding: Finding) -> Span:
    return Span(*SEVERITY[finding.severity])


def age(board: Board, at: float | None) -> str:
    """How long before the board's time, in one word; `?` where it is not known."""
    return "?" if at is None else human_duration(board.at - at)


def executors(app: SparkApp) -> str:
    wanted = "?" if app.wanted_executors is None else str(app.wanted_executors)
    return f"{app.running_executors}/{wanted}"


def objective(slo: SloStatus) -> str:
    """The title of an objective; one whose answer is partial says so first, where no column cuts it off."""
    return f"partial: {slo.title}" if slo.partial and slo.state != "no data" else slo.title


def burn(slo: SloStatus, window: float) -> Span:
    """A burn rate; `~` marks few events, a dash no data."""
    found = slo.burn(window)
    if found is None or found.rate is None:
        return Span("–", "dim")
    rate = found.rate
    text = f"{rate:.0f}" if rate >= 100 else f"{rate:.1f}"
    role: Role = "crit" if found.factor and rate >= found.factor else "warn" if rate >= 1 else "text"
    return span(text + ("~" if found.low_traffic else ""), role)
