"""Facts and verdicts composed to one board: its order, its one verdict and its summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from console.apps.model import SparkApp
from console.base.text import plural
from console.board.model import Board, Cluster
from console.board.verdict import BoardVerdict, firing, unimportant, verdict
from console.causes.model import Incident
from console.components.model import Component
from console.facts.leftout import LeftOut
from console.facts.model import Alert, Facts, SourceState, SourceStateWord
from console.findings.model import SEVERITY_ORDER, Finding
from console.gpu.model import Fleet
from console.slo.model import SloStatus

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
    lost: Sequence[str] = (),
) -> Board:
    """One board: what is worst stands first, and the verdict is one word.

    Args:
        lost: titles of objectives that had data and have none any more.
    """
    everything = in_part(merged((*facts.sources, *sources)), facts.left_out)
    loud = firing(alerts, apps, slos)
    worst = _worst(findings)
    ordered = tuple(sorted(apps, key=lambda a: (worst.get(a.key, 9), not a.live, a.key)))
    said = verdict(findings, slos, components, loud, everything, lost)
    return Board(
        at=facts.at,
        cluster=cluster,
        verdict=said.word,
        because=said.because,
        summary=summary(said, findings, slos, apps, facts, everything, gpus, loud),
        apps=ordered,
        findings=tuple(findings),
        incidents=tuple(incidents),
        slos=tuple(sorted(slos, key=_slo_order)),
        components=tuple(components),
        alerts=tuple(alerts),
        nodes=facts.nodes,
        gpus=gpus,
        sources=everything,
        pods=live_pods(facts),
        left_out=facts.left_out,
    )


def live_pods(facts: Facts) -> int:
    """Pods that have not ended: completed ones stay in a cluster for hours, and hold nothing."""
    return sum(1 for pod in facts.pods if not pod.gone and pod.phase not in ("Succeeded", "Failed"))


def in_part(sources: Iterable[SourceState], left_out: Iterable[LeftOut]) -> tuple[SourceState, ...]:
    """Sources of which a bound left out what may hide trouble are `partial`, however fresh the rest of them is."""
    beyond = {one.source: one.words for one in reversed(tuple(left_out)) if one.blinds}
    return tuple(
        replace(s, state="partial", detail=s.detail or beyond[s.name]) if s.state == "fresh" and s.name in beyond else s
        for s in sources
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
    kinds = [s for s in known if s.name not in METRIC_SOURCES and not unimportant(s)]
    rest = tuple(s for s in known if s.name in METRIC_SOURCES)
    if not kinds:
        return rest
    worst = min(kinds, key=lambda s: _WORST.index(s.state))
    named = "" if worst.state in ("fresh", "absent") else worst.name
    state: SourceStateWord = "fresh" if worst.state == "absent" else worst.state
    return (SourceState("cluster", state, detail=named, hint=worst.hint, since=worst.since, last=worst.last), *rest)


def unread(sources: Iterable[SourceState]) -> tuple[SourceState, ...]:
    """What cannot be read, or not any more; kinds that matter to a few components only are left out."""
    return tuple(s for s in merged(sources) if s.state in BLIND and s.state != "loading" and not unimportant(s))


def summary(
    said: BoardVerdict,
    findings: Sequence[Finding],
    slos: Sequence[SloStatus],
    apps: Sequence[SparkApp],
    facts: Facts,
    sources: Iterable[SourceState],
    gpus: Fleet = NO_GPUS,
    alerts: Sequence[Alert] = (),
) -> str:
    """The verdict in numbers. What is not known is left out or said, never counted as none.

    Args:
        alerts: those that count.
    """
    parts = [said.because] if said.word in ("UNKNOWN", "LOADING") else []
    if slos:
        burning = sum(1 for s in slos if s.state in ("burning", "exhausted"))
        unknown = sum(1 for s in slos if s.state == "no data")
        parts.append(
            f"{burning} of {plural(len(slos), 'SLO')} burning" + (f", {unknown} without data" if unknown else "")
        )
    else:
        parts.append("SLOs unknown")
    parts.append(plural(len(findings), "finding"))
    if alerts:
        parts.append(f"{plural(len(alerts), 'alert')} firing")
    live = sum(1 for app in apps if app.live)
    parts.append(f"{plural(live, 'app')} live" + (f", {len(apps) - live} ended" if len(apps) > live else ""))
    parts.append(plural(live_pods(facts), "Spark pod"))
    if gpus.nodes:
        counts = gpus.counts
        taken = counts["busy"] + counts["idle"] + counts["held"]
        parts.append(f"{taken} of {plural(sum(counts.values()), 'GPU')} in use")
    if blind := unread(sources):
        parts.append("cannot read " + ", ".join(source.name for source in blind))
    if facts.left_out:
        parts.append(f"{plural(len(facts.left_out), 'list')} cut short")
    return " · ".join(parts)


def _slo_order(slo: SloStatus) -> tuple[int, float, str]:
    order = {"exhausted": 0, "burning": 1, "no data": 2, "good": 3}
    return (order[slo.state], slo.budget_left if slo.budget_left is not None else 1.0, slo.title)


def _worst(findings: Iterable[Finding]) -> dict[str, int]:
    """Key of an application → the order of its worst finding."""
    out: dict[str, int] = {}
    for one in findings:
        out[one.app] = min(out.get(one.app, 9), SEVERITY_ORDER[one.severity])
    return out
