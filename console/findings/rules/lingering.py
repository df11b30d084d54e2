"""Applications whose work is done and whose driver pod goes on: another container, a JVM that does not end, a context
that nobody stopped."""

from __future__ import annotations

import re

from console.apps.evidence import of_hit, of_pod, of_rest
from console.base.units import human_duration
from console.facts.evidence import Evidence
from console.facts.model import Container, Pod
from console.facts.rest import text, when
from console.findings.case import Case
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, finding

SLACK = 60.0
"""Seconds that an end may take."""
IDLE = 900.0
"""Seconds without a job after which executors are held for nothing."""
_JOB_DONE = re.compile(r"Job \d+ (?:is )?finished")
_SERVES = re.compile(r"thriftserver|HiveThriftServer2|SparkConnectServer|ReplMain|repl\.Main|Livy|livy|ipykernel")


def lingering(case: Case) -> Answer:
    """The work is done, the driver's pod runs on."""
    driver = case.driver
    if driver is None or driver.main is None or driver.phase != "Running" or driver.deleted is not None:
        return "no driver pod runs"
    found = _held_open(case, driver) or _jvm(case, driver) or _never_stopped(case, driver)
    return [found] if found is not None else "its driver works, or ended with its pod"


def _held_open(case: Case, driver: Pod) -> Finding | None:
    """The Spark container ended, another one keeps the pod in phase Running, and the operator sees no end."""
    end = driver.main.terminated if driver.main is not None else None
    others = [c for c in driver.containers if c is not driver.main and c.role != "init" and c.state == "running"]
    if end is None or end.finished is None or not others:
        return None
    lasts = case.world.now - end.finished
    if lasts < SLACK and not case.world.saved:
        return None
    names = " and ".join(c.name for c in others)
    return finding(
        case,
        "driver-pod-held-open",
        "I18",
        "warning",
        "high",
        f"the driver ended {human_duration(lasts)} ago (exit code {end.exit_code}); {names} keeps its pod running",
        subject=driver.key,
        since=end.finished,
        detail="a pod ends when all its containers have ended: nobody sees before that the application is over, and "
        "its next run waits",
        evidence=[of_pod(driver, _states(driver, others))],
        ruled_out=[("I10", "the driver does not stand still: its container has ended")],
        questions=[
            "how this container is meant to end: a native sidecar (an init container with restartPolicy Always) "
            "ends with the main one, a proxy has a quit endpoint"
        ],
    )


def _states(driver: Pod, others: list[Container]) -> str:
    end = driver.main.terminated if driver.main is not None else None
    told = f"{driver.main.name} terminated ({end.exit_code})" if driver.main is not None and end is not None else ""
    return "; ".join([told, *(f"{c.name} running" for c in others)])


def _jvm(case: Case, driver: Pod) -> Finding | None:
    """The context was stopped, the JVM lives: threads that are no daemons."""
    stops = case.hits("context-stopped", roles=("driver",))
    log = next(iter(case.texts_of("driver")), None)
    if not stops or log is None or driver.main is None or driver.main.state != "running":
        return None
    stop = stops[-1]
    last = log.last_time
    if stop.at is None or stop.log is not log.log:
        return None
    if case.world.now - max(stop.at, last or 0.0) < SLACK and not case.world.saved:
        return None
    began = driver.main.started
    if (began is not None and stop.at < began) or case.hits("shutdown-hook", roles=("driver",)):
        return None
    return finding(
        case,
        "driver-jvm-does-not-end",
        "I18",
        "warning",
        "medium",
        f"Spark stopped {human_duration(case.world.now - stop.at)} ago, the driver's JVM still runs",
        subject=driver.key,
        since=stop.at,
        detail="threads that are no daemons (a client, a pool, a timer of the job) keep a JVM alive after main",
        evidence=[of_hit(stop), of_pod(driver, "its container is running")],
        ruled_out=[("I10", "Spark itself has stopped")],
        questions=["which thread: a thread dump of the driver (jstack, or kill -3), those that are not daemon"],
    )


def _never_stopped(case: Case, driver: Pod) -> Finding | None:
    """No job for long, executors are held, and nothing says that the application waits for work."""
    app = case.app
    if app.launcher == "connect" or not app.running_executors or any(_SERVES.search(a) for a in _arguments(driver)):
        return None
    last, proof = _last_job(case)
    idle = case.world.now - last if last is not None else 0.0
    if last is None or idle < IDLE or case.hits("stopping", "context-stopped", "streaming", roles=("driver",)):
        return None
    return finding(
        case,
        "driver-idle",
        None,
        "warning",
        "low",
        f"no job for {human_duration(idle)} while {app.running_executors} executors are held",
        subject=case.driver_subject,
        since=last,
        detail="the last job has finished, nothing stopped the application",
        evidence=[proof],
        ruled_out=[("I10", "no job and no stage runs")],
        questions=[
            "whether the driver still works on its own (a thread dump), or stop() is never called: the end of "
            "the job's code"
        ],
    )


def _arguments(driver: Pod) -> tuple[str, ...]:
    return driver.main.args if driver.main is not None else ()


def _last_job(case: Case) -> tuple[float | None, Evidence]:
    """When the last job ended, none if one runs or none is known, and what tells it."""
    jobs = list(case.rest.jobs.values())
    proof = of_rest(case.rest.origin("jobs"), f"{len(jobs)} jobs, none RUNNING")
    if jobs:
        running = any(text(j, "status") in ("RUNNING", "UNKNOWN") for j in jobs)
        ends = [at for j in jobs if (at := when(j, "completionTime")) is not None]
        return (None if running or not ends else max(ends)), proof
    done = [h for h in case.hits("job-finished", roles=("driver",)) if _JOB_DONE.search(h.text)]
    begun = case.hits("stage-submitted", "task-started", roles=("driver",))
    if not done or done[-1].at is None or any(b.log is done[-1].log and b.line > done[-1].line for b in begun):
        return None, proof
    log = next((t for t in case.texts_of("driver") if t.log is done[-1].log), None)
    if log is not None and (log.last_time or 0.0) - done[-1].at > IDLE:
        return None, proof  # it goes on logging: it works on something
    return done[-1].at, of_hit(done[-1])


RULES = [
    Rule("driver-pod-held-open", "I18", lingering, after=("operator-down",)),
]
