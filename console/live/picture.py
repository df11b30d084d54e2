"""Facts and verdicts composed to one board, and the runbooks that fit it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.base.text import plural
from console.health.facts import Alert, Facts, SourceState, SourceStateWord
from console.health.gpu.model import Fleet
from console.health.model import (
    SEVERITY_ORDER,
    Board,
    Cluster,
    Component,
    Finding,
    Incident,
    SloStatus,
    SparkApp,
)
from console.runbook.match import Matched, rank
from console.runbook.model import Runbook
from console.sources.kinds import OPTIONAL

NO_GPUS = Fleet()
BLIND = frozenset({"loading", "stale", "forbidden", "login needed", "unreachable"})


def board(
    facts: Facts,
    cluster: Cluster,
    apps: Sequence[SparkApp],
    findings: Sequence[Finding],
    incidents: Sequence[Incident] = (),
    slos: Sequence[SloStatus] = (),
    components: Sequence[Component] = (),
    alerts: Sequence[Alert] = (),
    sources: Sequence[SourceState] = (),
    gpus: Fleet = NO_GPUS,
) -> Board:
    """One board: what is worst stands first, and the verdict is one word."""
    everything = (*facts.sources, *sources)
    ordered = tuple(sorted(apps, key=lambda a: _app_order(a, findings)))
    word = verdict(findings, slos, components, everything)
    return Board(
        at=facts.at,
        cluster=cluster,
        verdict=word,
        summary=summary(findings, slos, apps, facts, everything, gpus),
        apps=ordered,
        findings=tuple(findings),
        incidents=tuple(incidents),
        slos=tuple(sorted(slos, key=_slo_order)),
        components=tuple(components),
        alerts=tuple(alerts),
        nodes=facts.nodes,
        gpus=gpus,
        sources=merged(everything),
        pods=sum(1 for pod in facts.pods if not pod.gone),
    )


def merged(sources: Iterable[SourceState]) -> tuple[SourceState, ...]:
    """One state per name; the last one said wins."""
    return tuple({source.name: source for source in sources}.values())


METRIC_SOURCES = ("prometheus", "alertmanager", "history", "standalone")
_WORST: tuple[SourceStateWord, ...] = (
    "login needed", "unreachable", "stale", "forbidden", "late", "partial", "loading", "fresh", "absent",
)  # fmt: skip


def condensed(sources: Iterable[SourceState]) -> tuple[SourceState, ...]:
    """For a narrow screen: all kinds of the cluster as one, by the worst of them, and the other sources."""
    known = merged(sources)
    kinds = [s for s in known if s.name not in METRIC_SOURCES and not _unimportant(s)]
    rest = tuple(s for s in known if s.name in METRIC_SOURCES)
    if not kinds:
        return rest
    worst = min(kinds, key=lambda s: _WORST.index(s.state))
    named = "" if worst.state in ("fresh", "absent") else worst.name
    state: SourceStateWord = "fresh" if worst.state == "absent" else worst.state
    return (SourceState("cluster", state, detail=named, hint=worst.hint, since=worst.since, last=worst.last), *rest)


def _unimportant(source: SourceState) -> bool:
    """A kind by which only a few components are found, and which may not be read here: they say so themselves."""
    return source.name in OPTIONAL and source.state in ("forbidden", "absent")


def verdict(
    findings: Iterable[Finding],
    slos: Iterable[SloStatus],
    components: Iterable[Component],
    sources: Iterable[SourceState],
) -> str:
    """BURNING: an objective burns. DEGRADED: something is wrong. UNKNOWN: the cluster cannot be read. Else OK."""
    if any(slo.state in ("burning", "exhausted") and (slo.severity or slo.state == "exhausted") for slo in slos):
        return "BURNING"
    if any(f.severity in ("critical", "warning") for f in findings):
        return "DEGRADED"
    if any(c.expected and c.state in ("down", "degraded") for c in components):
        return "DEGRADED"
    if any(s.name == "pods" and s.state in BLIND for s in sources):
        return "UNKNOWN"
    return "OK"


def summary(
    findings: Sequence[Finding],
    slos: Sequence[SloStatus],
    apps: Sequence[SparkApp],
    facts: Facts,
    sources: Iterable[SourceState],
    gpus: Fleet = NO_GPUS,
) -> str:
    """The verdict in numbers. What is not known is left out or said, never counted as none."""
    parts = []
    if slos:
        burning = sum(1 for s in slos if s.state in ("burning", "exhausted"))
        unknown = sum(1 for s in slos if s.state == "no data")
        parts.append(
            f"{burning} of {plural(len(slos), 'SLO')} burning" + (f", {unknown} without data" if unknown else "")
        )
    else:
        parts.append("SLOs unknown")
    parts.append(plural(len(findings), "finding"))
    live = sum(1 for app in apps if app.live)
    parts.append(f"{live} of {plural(len(apps), 'app')} live")
    parts.append(plural(sum(1 for pod in facts.pods if not pod.gone), "Spark pod"))
    if gpus.nodes:
        counts = gpus.counts
        taken = counts["busy"] + counts["idle"] + counts["held"]
        parts.append(f"{taken} of {plural(sum(counts.values()), 'GPU')} in use")
    blind = [s.name for s in merged(sources) if s.state in BLIND and s.state != "loading" and not _unimportant(s)]
    if blind:
        parts.append("cannot read " + ", ".join(blind))
    return " · ".join(parts)


def matches(runbooks: Sequence[Runbook], shown: Board, alerts: Iterable[Alert]) -> dict[str, tuple[Matched, ...]]:
    """Runbooks for each finding, alert, objective and application that has any."""
    out: dict[str, tuple[Matched, ...]] = {}
    ranked = rank(runbooks, shown)
    for finding in shown.findings:
        fitting = tuple(m for m in ranked if m.finding == finding.key)
        if fitting:
            out[finding.key] = fitting
            if finding.app:
                out.setdefault(f"app:{finding.app}", fitting)
    for slo in shown.slos:
        fitting = tuple(m for m in ranked if m.slo == slo.id)
        if fitting:
            out[f"slo:{slo.id}"] = fitting
    for alert in alerts:
        fitting = tuple(rank(runbooks, shown, alert=alert))
        if fitting:
            out[f"alert:{alert.name}"] = fitting
    return out


def _slo_order(slo: SloStatus) -> tuple[int, float, str]:
    order = {"exhausted": 0, "burning": 1, "no data": 2, "good": 3}
    return (order[slo.state], slo.budget_left if slo.budget_left is not None else 1.0, slo.title)


def _app_order(app: SparkApp, findings: Sequence[Finding]) -> tuple[int, int, str]:
    worst = min((SEVERITY_ORDER[f.severity] for f in findings if f.app == app.key), default=9)
    return (worst, 0 if app.live else 1, app.key)
