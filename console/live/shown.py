"""What is said of a situation, the same by pages and commands: whatever two of them show is computed here. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.apps.model import Member, MemoryPlan, SparkApp
from console.base.text import listed
from console.base.units import human_bytes, human_duration
from console.board.compose import BLIND
from console.board.model import Board, Cluster
from console.facts.model import Alert, SourceState
from console.findings.figures.gpu import is_about
from console.findings.model import Finding
from console.gpu.model import GpuNode
from console.live.situation import Situation
from console.live.trends import SPAN, MemoryTrend

if TYPE_CHECKING:
    from console.runbook.match import Matched

NOT_SEEN = BLIND | {"partial"}
"""States of a source that has not shown everything: of what it would show, nothing seen is not nothing there."""

NO_OBJECTIVES = "no objectives: no Prometheus answers, or the preset names none"


def no_objectives(board: Board) -> str:
    """Why no objective stands there: they were not measured yet, or there are none."""
    prometheus = _source(board, "prometheus")
    if prometheus is None or prometheus.state == "loading":
        return "objectives: not measured yet"
    return NO_OBJECTIVES


def looked_at(cluster: Cluster) -> str:
    """The namespaces of which a picture is, in words; `` where it is of all that may be read."""
    which = "namespace" if len(cluster.scope) == 1 else "namespaces"
    return f"{which} {listed(cluster.scope, 5)}" if cluster.scope else ""


def runbooks_of(situation: Situation, finding: Finding) -> tuple[Matched, ...]:
    """The runbooks that fit a finding, best first; a consequence that none fits is helped by what helps its cause."""
    matches, key = situation.matches, finding.key
    if own := matches.get(key):
        return own
    lead = next((i.findings[0] for i in situation.board.incidents if key in i.findings), "")
    return matches.get(lead, ())


def runbook_names(situation: Situation, finding: Finding) -> tuple[str, ...]:
    """Their ids, each once."""
    return tuple(dict.fromkeys(matched.runbook for matched in runbooks_of(situation, finding)))


def apps_for(situation: Situation, runbook: str) -> tuple[str, ...]:
    """Keys of the applications with a finding that `runbook` fits, in alphabetical order."""
    found = situation.board.findings
    return tuple(
        sorted({f.app for f in found if f.app and any(m.runbook == runbook for m in situation.matches.get(f.key, ()))})
    )


def apps_named(board: Board, name: str) -> tuple[SparkApp, ...]:
    """The applications called `name` or `namespace/name`: several namespaces may have one of that name."""
    return tuple(app for app in board.apps if name in (app.key, app.name))


def age(board: Board, at: float | None) -> str:
    """How long before the board's time, in one word; `?` where it is not known."""
    return "?" if at is None else human_duration(board.at - at)


REFRESHED = 60.0
"""Seconds after which a figure is older than one refresh of any source: its age is said."""


def aged(board: Board, at: float | None) -> str:
    """` (3m ago)` of a figure that is older than one refresh, else empty."""
    return f" ({human_duration(board.at - at)} ago)" if at is not None and board.at - at >= REFRESHED else ""


def slos_aged(board: Board) -> str:
    """`objectives were measured 3m ago` where one is older than one refresh, else empty."""
    oldest = min((s.measured_at for s in board.slos if s.measured_at is not None), default=None)
    return f"objectives were measured {aged(board, oldest).strip(' ()')}" if aged(board, oldest) else ""


def tasks(board: Board, app: SparkApp) -> str:
    """Tasks of the present driver: `188 of 400 completed, 6 failed`, with their age; empty where they are not known."""
    completed, total, failed = (app.tasks.get(word) for word in ("completed", "total", "failed"))
    if completed is None:
        return ""
    said = f"{completed}{f' of {total}' if total else ''} completed{f', {failed} failed' if failed else ''}"
    return said + (aged(board, app.tasks_at) if app.live else "")


def memory_seen(board: Board, trend: MemoryTrend, *, live: bool = True) -> str:
    """The memory of the executors over time: `3.9Gi, highest 3.9Gi of 4.0Gi in 30m`, with the age of the first. Of an
    application that has ended, how high it was; `` where nothing was measured lately."""
    if trend.state != "ready":
        return f"memory no data: {trend.detail}" if live else ""
    known = [(at, value) for at, value in trend.samples if value is not None]
    (at, last), highest = known[-1], max(value for _, value in known)
    limit = f" of {human_bytes(trend.limit)}" if trend.limit is not None else ", limit not known"
    few = f", the latest {trend.pods} of {trend.known} executors" if trend.pods < trend.known else ""
    if not live:
        return f"highest {human_bytes(highest)}{limit} in the last {human_duration(SPAN)}{few}"
    when = aged(board, at) or " now"
    return f"{human_bytes(last)}{when}, highest {human_bytes(highest)}{limit} in {human_duration(SPAN)}{few}"


def memory_used(board: Board, member: Member) -> str:
    """What a member takes of its limit: `1Gi/2Gi (5m ago)`; the limit alone of one that is over or not measured."""
    if not member.memory_limit:
        return ""
    limit = human_bytes(member.memory_limit)
    if member.death is not None or member.memory_used is None:
        return f"limit {limit}"
    return f"{human_bytes(member.memory_used)}/{limit}{aged(board, member.memory_at)}"


def executors(app: SparkApp) -> str:
    """Running of wanted: `14/20`; `?` where it is not known how many are wanted; `-` of one that has ended."""
    if not app.live:
        return "-"
    return f"{app.running_executors}/{'?' if app.wanted_executors is None else app.wanted_executors}"


def attempt(app: SparkApp) -> str:
    """The number of its latest attempt: `3`, `at least 3` where some may not have been seen, `-` before the first."""
    return "-" if not app.attempt else str(app.attempt) if app.attempt_exact else f"at least {app.attempt}"


def tries(app: SparkApp) -> str:
    """The same for a narrow column: `3`, `3+`."""
    return "" if not app.attempt else f"{app.attempt}{'' if app.attempt_exact else '+'}"


def memory(plan: MemoryPlan) -> str:
    """How a container is made up, every part that it has: `4Gi = heap 2.9Gi + overhead 1.1Gi`."""
    shown = [f"{name} {human_bytes(size)}" for name, size in plan.parts if size or name in ("heap", "overhead")]
    return f"{human_bytes(plan.total)} = {' + '.join(shown)}"


def members(app: SparkApp) -> tuple[Member, ...]:
    """The driver, then the executors: those that died first, and the latest first among them."""
    found = sorted(app.executors, key=lambda m: (not died(m), -(m.ended or m.created or 0.0)))
    return tuple(m for m in (app.driver, *found) if m is not None)


def died(member: Member) -> bool:
    """Whether it ended otherwise than it should."""
    return member.death is not None and not member.death.harmless


def last_change(member: Member) -> float | None:
    """Since when it is as it is: when it ended, else when it was created."""
    return member.ended if member.death is not None and member.ended else member.created


def alert_state(alert: Alert) -> str:
    """`firing`, `pending`, `firing (silenced)`."""
    return alert.state + (" (silenced)" if alert.silenced else "")


def no_app_because(board: Board) -> tuple[str, ...]:
    """Why applications may be there although none is seen: each source that would show them and does not."""
    names = ("cluster", "pods", "sparkapplications")
    return tuple(_standing(s) for s in board.sources if s.name in names and s.state in NOT_SEEN)


def no_gpu_because(board: Board) -> str:
    """Why there may be GPUs although none is seen; empty where the nodes were read."""
    nodes = _source(board, "nodes")
    return f"GPUs unknown: nodes are {_word(nodes)}" if nodes is not None and nodes.state in NOT_SEEN else ""


def measured_ago(board: Board) -> str:
    """` 3m ago`, where the figures of the GPUs are older than one refresh."""
    return aged(board, board.gpus.measured).replace("(", "").replace(")", "")


def gpu_findings(board: Board) -> tuple[Finding, ...]:
    """What is found about GPUs, in the board's order."""
    return tuple(f for f in board.findings if f.code.startswith("gpu-"))


def gpu_findings_on(board: Board, node: GpuNode) -> tuple[Finding, ...]:
    """What is found about the GPUs of one node."""
    mine = {gpu.id for gpu in node.gpus}
    return tuple(f for f in gpu_findings(board) if is_about(f.data, node.name, mine))


def alerts_unknown(board: Board) -> str:
    """Why alerts may fire although none is seen; empty where Prometheus was asked."""
    prometheus = _source(board, "prometheus")
    if prometheus is not None and prometheus.state in ("fresh", "late"):
        return ""
    return f"alerts unknown: Prometheus is {_word(prometheus) if prometheus is not None else 'absent'}"


def _source(board: Board, name: str) -> SourceState | None:
    return next((s for s in board.sources if s.name == name), None)


def _word(source: SourceState) -> str:
    return f"{source.state} ({source.detail})" if source.detail else source.state


def _standing(source: SourceState) -> str:
    return f"{source.name} {_word(source)}"
