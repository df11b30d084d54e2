"""Spark Connect servers: not ready, not reachable, sessions lost (I26)."""

from __future__ import annotations

from console.apps.evidence import of_event, of_hit, of_pod
from console.facts.logs import Hit
from console.facts.model import Container, Pod
from console.findings.case import Case
from console.findings.figures.connect import ConnectFigures
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, finding
from console.findings.rules.operators.submission import unloadable

STARTS = 240.0
"""Seconds after its pod was made in which a server may become ready."""


def connect(case: Case) -> Answer:
    """A Spark Connect server that is not ready, could not start, or lost its sessions."""
    away = case.hits("connect-unreachable")
    if away and case.driver is None:
        return [_unreachable(case, away)]
    classless = [h for h in unloadable(case) if "SparkConnectServer" in h.text]
    lost = case.hits("connect-session")
    if case.app.launcher != "connect" and not classless and not lost:
        return "this is no Spark Connect server"
    if classless:
        return [_without_class(case, [*classless[:2], *lost[:2]])]
    unready = _unready(case)
    if unready is not None:
        return [_not_ready(case, *unready)]
    return [_sessions_lost(case, lost)] if lost else "the Spark Connect server is ready"


def _unreachable(case: Case, away: list[Hit]) -> Finding:
    return finding(
        case,
        "connect-unreachable",
        "I26",
        "critical",
        "medium",
        "clients cannot reach the Spark Connect server (port 15002)",
        evidence=[of_hit(h) for h in away[:3]],
        questions=["the server's pod: is it there, ready, restarting? its Service and its endpoints"],
    )


def _without_class(case: Case, hits: list[Hit]) -> Finding:
    return finding(
        case,
        "connect-not-ready",
        "I26",
        "critical",
        "high",
        "Spark Connect server cannot start: its class is not in the image",
        detail="the 3.5 wheel has no Connect jar: add spark-connect with --packages or use another image",
        evidence=[of_hit(h) for h in hits],
        ruled_out=[("I04", "it never came as far as using memory")],
        data=ConnectFigures(),
    )


def _unready(case: Case) -> tuple[Pod, Container] | None:
    """The server's pod and container, where it restarts, crashes, or takes too long to become ready."""
    driver = case.driver
    if driver is None or driver.gone or case.app.launcher != "connect":
        return None
    main = driver.main
    if main is None or main.ready:
        return None
    waited = case.world.now - (driver.created or case.world.now)
    bad = main.restarts > 0 or waited > STARTS or main.waiting_reason == "CrashLoopBackOff"
    return (driver, main) if bad else None


def _not_ready(case: Case, driver: Pod, main: Container) -> Finding:
    end = main.terminated or main.last_terminated
    why = main.waiting_reason or driver.phase
    words = f"not ready, restarts {main.restarts}, {why}"
    if end is not None:
        words += f", last ended with {end.exit_code} {end.reason}"
    return finding(
        case,
        "connect-not-ready",
        "I26",
        "critical",
        "high",
        f"Spark Connect server is not ready: {why}",
        detail="every session is out; clients must reconnect afterwards",
        evidence=[
            of_pod(driver, words),
            *[of_event(e) for e in case.events_of(driver.key) if e.type == "Warning"][-2:],
        ],
        questions=[] if end is not None else ["the server's log: what it waits for"],
        data=ConnectFigures(restarts=main.restarts),
    )


def _sessions_lost(case: Case, lost: list[Hit]) -> Finding:
    return finding(
        case,
        "connect-session-lost",
        "I26",
        "warning",
        "medium",
        "clients of Spark Connect lost their sessions",
        detail="typical after a restart of the server: clients must reconnect",
        evidence=[of_hit(h) for h in lost[:2]],
        questions=["whether the server restarted: its pod's restarts and last state"],
    )


RULES = [
    Rule("connect-not-ready", "I26", connect, after=("driver-oom-container", "driver-oom-heap")),
]
