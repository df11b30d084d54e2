"""Skew, stragglers and spill (I11): only where they cost a good part of the application's time."""

from __future__ import annotations

from console.apps.evidence import of_rest
from console.base.units import human_duration
from console.facts.rest import num, when
from console.findings.case import Case
from console.findings.figures.timing import LostTimeFigures
from console.findings.model import Confidence
from console.findings.rule import Answer, Rule, finding
from console.timing.items import Slow
from console.timing.report import analyse

SHARE, SECONDS = 0.15, 5.0
_TITLES = {
    "data-skew": "data skew",
    "slow-node": "a slow executor or node",
    "straggler": "stragglers",
    "spill": "spill to disk",
}


def skew(case: Case) -> Answer:
    """Stages whose time goes into one task, or into spilling."""
    if not case.rest.stages:
        return "no stages are known (no REST answers, no event log)"
    report = analyse(case.rest, now=case.world.now if case.app.live else None)
    costly = [i for i in report.items if i.kind in _TITLES and i.share >= SHARE and i.lost >= SECONDS]
    if not costly:
        return f"no skew, straggler or spill costs {SHARE:.0%} of the jobs' time and {SECONDS:.0f} s"
    by_stage: dict[tuple[int, int] | None, list[Slow]] = {}
    for item in costly:
        by_stage.setdefault(item.stage, []).append(item)
    items = max(by_stage.values(), key=lambda found: sum(i.lost for i in found))
    worst = items[0]
    origin = case.rest.origin("stages")
    stage = case.rest.stages.get(worst.stage) if worst.stage is not None else None
    confidence: Confidence = "high" if worst.kind == "data-skew" else "medium"
    if worst.kind == "straggler" or len(case.rest.of("stages/?/?/taskSummary")) > 0:
        confidence = "medium"
    spilled = num(stage, "diskBytesSpilled") if stage is not None else 0.0
    return [
        finding(
            case,
            f"slow-{worst.kind}",
            "I11",
            "warning" if case.app.live else "info",
            confidence,
            f"{_TITLES[worst.kind]} costs about {human_duration(worst.lost)} ({worst.share:.0%} of the jobs' time)",
            since=when(stage, "submissionTime") if stage is not None else None,
            detail=f"{worst.where}; {worst.words}",
            evidence=[of_rest(origin, f"{i.where}: {i.words}") for i in items[:3]],
            ruled_out=[("I10", "the tasks end"), ("I02", "no executor died of it")],
            questions=[worst.confirm],
            data=LostTimeFigures(
                executors=worst.executors,
                kind=worst.kind,
                lost=round(worst.lost, 1),
                share=round(worst.share, 3),
                stage=worst.stage,
                spilled=spilled,
                largest=worst.largest,
                median=worst.usual,
            ),
        )
    ]


RULES = [Rule("slow-data-skew", "I11", skew, after=("executor-gc-pressure",))]
