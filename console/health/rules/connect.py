"""Spark Connect servers: not ready, not reachable, sessions lost (I26)."""

from __future__ import annotations

from console.health.case import Case
from console.health.evidence import of_event, of_hit, of_pod
from console.health.model import Evidence
from console.health.rule import Answer, Rule, finding
from console.health.rules.operators_submission import unloadable


def connect(case: Case) -> Answer:
    """A Spark Connect server that is not ready, could not start, or lost its sessions."""
    driver = case.driver
    hits = [h for h in unloadable(case) if "SparkConnectServer" in h.text]
    lost = case.hits("connect-session")
    away = case.hits("connect-unreachable")
    if away and case.driver is None:
        return [
            finding(
                case,
                "connect-unreachable",
                "I26",
                "critical",
                "medium",
                "clients cannot reach the Spark Connect server (port 15002)",
                evidence=[of_hit(h) for h in away[:3]],
                questions=["the server's pod: is it there, ready, restarting? its Service and its endpoints"],
            )
        ]
    if case.app.launcher != "connect" and not hits and not lost:
        return "this is no Spark Connect server"
    proof: list[Evidence] = [of_hit(h) for h in (*hits[:2], *lost[:2])]
    if hits:
        return [
            finding(
                case,
                "connect-not-ready",
                "I26",
                "critical",
                "high",
                "Spark Connect server cannot start: its class is not in the image",
                detail="the 3.5 wheel has no Connect jar: add spark-connect with --packages or use another image",
                evidence=proof,
                ruled_out=[("I04", "it never came as far as using memory")],
            )
        ]
    if driver is not None and case.app.launcher == "connect" and not driver.gone:
        main = driver.main
        end = (main.terminated or main.last_terminated) if main is not None else None
        waited = case.world.now - (driver.created or case.world.now)
        if (
            main is not None
            and not main.ready
            and (main.restarts > 0 or waited > 240 or main.waiting_reason == "CrashLoopBackOff")
        ):
            why = main.waiting_reason or driver.phase
            words = f"not ready, restarts {main.restarts}, {why}"
            if end is not None:
                words += f", last ended with {end.exit_code} {end.reason}"
            return [
                finding(
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
                    data={"restarts": main.restarts},
                )
            ]
    if lost:
        return [
            finding(
                case,
                "connect-session-lost",
                "I26",
                "warning",
                "medium",
                "clients of Spark Connect lost their sessions",
                detail="typical after a restart of the server: clients must reconnect",
                evidence=proof,
                questions=["whether the server restarted: its pod's restarts and last state"],
            )
        ]
    return "the Spark Connect server is ready"


RULES = [
    Rule("connect-not-ready", "I26", connect, after=("driver-oom-container", "driver-oom-heap")),
]
