"""Executors that fail right after their start, and the driver that gives up because too many failed."""

from __future__ import annotations

from console.apps import deaths
from console.apps.evidence import of_hit, of_pod, of_rest
from console.facts.evidence import Evidence
from console.facts.model import Pod
from console.findings.case import Case
from console.findings.figures.base import Figures
from console.findings.kinds import CODES
from console.findings.lost.victims import count_of
from console.findings.rule import Answer, Rule, finding, severity_of


def start_failed(case: Case) -> Answer:
    """Executors that end with 1 or a start error right after they began."""
    hit = [
        v
        for v in case.victims
        if v.kind == "start-error" or (v.kind == "unknown" and v.exit_code == 1 and v.pod is not None and _young(v.pod))
    ]
    if not hit:
        return "no executor failed to start"
    command = [v for v in hit if v.kind == "start-error"]
    refused = case.hits("jvm-start", roles=("executor",))
    return [
        finding(
            case,
            "executor-start-failed",
            None,
            severity_of(case, fatal=len(hit) >= 3),
            "high" if command or refused else "low",
            f"{count_of(hit)} failed right after the start (exit code {hit[-1].exit_code})"
            + (": the JVM does not start" if refused else ""),
            detail=refused[0].text if refused else hit[-1].words,
            evidence=[*[of_hit(h) for h in refused[:2]], *(e for v in hit[-3:] for e in v.evidence)],
            questions=[]
            if command or refused
            else ["the executor's own log: can it reach the driver's service, is its configuration accepted?"],
        )
    ]


def _young(pod: Pod) -> bool:
    end = deaths.ending(pod)[1]
    if end is None or end.finished is None or end.started is None:
        return False
    return end.finished - end.started < 60


def max_failures(case: Case) -> Answer:
    """The driver gave up because too many executors failed (exit code 11): a consequence."""
    hits = case.hits("max-failures", roles=("driver",))
    pods = [p for p in case.drivers if (e := deaths.ending(p)[1]) is not None and e.exit_code == 11]
    if not hits and not pods and "ExitCode: 11" not in case.app.message:
        return "the driver did not give up because of failed executors"
    number, _, current = case.attempt_of(pods[-1]) if pods else (case.app.attempt, "", True)
    proof: list[Evidence] = [*[of_hit(h) for h in hits[:2]], *[of_pod(p) for p in pods[-2:]]]
    if not proof:
        proof = (
            [of_rest(case.group.cr.origin, case.app.message)]
            if case.group is not None and case.group.cr is not None
            else []
        )
    return [
        finding(
            case,
            "max-executor-failures",
            None,
            severity_of(case, current=current, fatal=True),
            "high",
            "driver gave up: too many executors failed (exit code 11)",
            subject=pods[-1].key if pods else case.driver_subject,
            detail="a consequence: what the executors died of is the cause",
            evidence=proof,
            questions=[]
            if case.victims
            else ["what the executors died of: their states, their logs, the driver's `Lost executor` lines"],
            data=Figures(attempt=number, current=current),
        )
    ]


_CAUSES = (
    "executor-oom-container",
    "executor-oom-overhead",
    "executor-oom-python",
    "executor-oom-heap",
    "executor-gc-overhead",
)


RULES = [
    Rule("executor-start-failed", None, start_failed, after=(*CODES, "unknown-failure")),
    Rule(
        "max-executor-failures",
        None,
        max_failures,
        after=(
            *_CAUSES,
            "executor-evicted",
            "executor-sigterm",
            "executor-killed",
            "quota-exceeded",
            "executor-start-failed",
            *CODES,
        ),
    ),
]
