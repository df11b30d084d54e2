"""Drivers and applications that failed and of which nothing tells why: what is left when no other rule explains it."""

from __future__ import annotations

from console.apps import deaths
from console.apps.evidence import of_hit, of_pod, of_workload
from console.base.text import shorten
from console.facts.wordings import WORDINGS
from console.findings.case import Case
from console.findings.figures.python import DriverFailedFigures
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, finding, severity_of


def unexplained(case: Case) -> Answer:
    """A driver that failed and of which nothing tells why."""
    if any(f.severity != "info" or f.data.current is False for f in case.so_far):
        return "another finding explains it"
    driver = case.driver
    killed = deaths.death(driver, events=case.events_of(driver.key)) if driver is not None else None
    if driver is not None and killed is not None and _submission(case.app.message):
        return "the submission failed: that is I17"
    if driver is None or killed is None or killed.kind not in ("unknown", "start-error", "user-error"):
        return _driver_gone(case) or _driver_missing(case) or "no driver failed without an explanation"
    last = next((t for t in case.texts_of("driver")), None)
    proof = [of_pod(driver)]
    if case.app.message and case.group is not None and case.group.cr is not None:
        proof.append(of_workload(case.group.cr, case.app.message))
    question = (
        "the driver's log: it is not among the evidence"
        if last is None
        else "the end of the driver's log: nothing in it is known to say why"
    )
    return [
        finding(
            case,
            "driver-failed",
            None,
            severity_of(case, fatal=True),
            "low",
            f"driver failed ({killed.words}); nothing that was read says why",
            subject=driver.key,
            evidence=proof,
            ruled_out=[
                ("I04", "the container's reason is not OOMKilled"),
                ("I06", "no eviction, preemption or deletion is on the pod"),
            ],
            questions=[question],
            data=DriverFailedFigures(exit_code=killed.exit_code),
        )
    ]


def _driver_gone(case: Case) -> list[Finding]:
    """Executors that lost their driver, which never said that it stops."""
    hits = case.hits("driver-gone", roles=("executor",))
    if case.driver is not None or not hits or not case.texts_of("driver") or case.hits("stopping", roles=("driver",)):
        return []
    return [
        finding(
            case,
            "driver-vanished",
            None,
            "critical",
            "low",
            "the driver went away without a word: its log just stops",
            evidence=[of_hit(h) for h in hits[:2]],
            questions=[
                "the driver container's state.terminated: OOMKilled (I04), eviction (I06), deletion look the same here"
            ],
        )
    ]


def _submission(message: str) -> bool:
    return any(word in message for word in WORDINGS["submit-failed"])


def _driver_missing(case: Case) -> list[Finding]:
    """The operator says that the application failed, and no driver is left to tell why."""
    cr = case.group.cr if case.group is not None else None
    if (
        cr is None
        or case.driver is not None
        or _submission(case.app.message)
        or case.app.state.upper() not in ("FAILED", "FAILING")
    ):
        return []
    return [
        finding(
            case,
            "driver-failed",
            None,
            "critical",
            "low",
            shorten(f"the application failed and its driver is gone: {case.app.message or 'no reason is given'}", 160),
            evidence=[of_workload(cr, f"state {case.app.state}: {case.app.message}")],
            questions=[
                "how the driver ended: its last object, events and log (kept evidence); deletion, eviction, a lost "
                "node and a memory kill look the same from here"
            ],
            data=DriverFailedFigures(),
        )
    ]


RULES = [Rule("driver-failed", None, unexplained, last=True)]
