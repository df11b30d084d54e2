"""How states are said on every screen: one word, one role."""

from __future__ import annotations

from console.findings.model import Finding
from console.slo import words
from console.slo.model import SloStatus
from console.tui.lines import Span, TextRole, bar, span

SEVERITY: dict[str, tuple[str, TextRole]] = {
    "critical": ("CRIT", "crit"),
    "warning": ("WARN", "warn"),
    "info": ("INFO", "info"),
}
VERDICT: dict[str, TextRole] = {"OK": "ok", "DEGRADED": "warn", "BURNING": "crit", "UNKNOWN": "warn", "LOADING": "info"}
SLO_STATE: dict[words.ObjectiveStanding, TextRole] = {
    "good": "ok", "spending": "warn", "burning": "crit", "exhausted": "crit", "no data": "warn",
}  # fmt: skip
BUDGET: dict[words.BudgetLevel, TextRole] = {
    "ample": "bar", "low": "bar-warn", "critical": "bar-crit", "no data": "bar-crit",
}  # fmt: skip
BURN: dict[words.BurnLevel, TextRole] = {"within": "text", "spending": "warn", "over": "crit", "no data": "warn"}
COMPONENT: dict[str, TextRole] = {
    "healthy": "ok",
    "degraded": "warn",
    "down": "crit",
    "unknown": "warn",
    "absent": "dim",
}
SOURCE: dict[str, TextRole] = {
    "fresh": "ok", "late": "warn", "stale": "crit", "partial": "warn", "loading": "dim", "forbidden": "warn",
    "login needed": "crit", "unreachable": "crit", "absent": "dim",
}  # fmt: skip
_BAD = {
    "FAILED", "SUBMISSION_FAILED", "SCHEDULINGFAILURE", "FAILING", "KILLED", "OOMKILLED", "EVICTED", "ERROR", "UNKNOWN",
    "NOTREADY",
}  # fmt: skip
_MOVING = {"PENDING", "SUBMITTED", "PENDING_RERUN", "INVALIDATING", "SUCCEEDING", "SUSPENDING", "RESUMING", "SUSPENDED"}
_DONE = {"COMPLETED", "SUCCEEDED", "FINISHED", "TERMINATED", "RESOURCERELEASED", "DELETED", "GONE"}


def state_role(state: str) -> TextRole:
    """The role of a pod's or an application's state word."""
    word = state.upper().replace(" ", "")
    if word in _BAD:
        return "crit"
    if word in _MOVING:
        return "warn"
    return "dim" if word in _DONE else "ok"


def severity(finding: Finding) -> Span:
    return Span(*SEVERITY[finding.severity])


def objective(slo: SloStatus) -> str:
    """The title of an objective; one whose answer is partial says so first, where no column cuts it off."""
    return f"partial: {slo.title}" if slo.partial and slo.state != "no data" else slo.title


def slo_role(slo: SloStatus) -> TextRole:
    """The role of an objective's state, the same on every page."""
    return SLO_STATE[words.standing(slo)]


def burn(slo: SloStatus, window: float) -> Span:
    """A burn rate; `~` marks few events, a dash no data."""
    found = words.burn_over(slo, window)
    level = words.burn_level(found)
    return Span("–", "dim") if level == "no data" else span(words.burn_rate(found), BURN[level])


def budget(slo: SloStatus, width: int) -> tuple[Span, Span]:
    """A bar of the budget that is left, and its rest."""
    left = slo.budget_left
    return bar(None if left is None else max(0.0, left), width, BUDGET[words.budget_level(slo)])
