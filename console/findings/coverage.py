"""What of saved evidence could not be judged: that nothing was found speaks only of what was looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from console.apps.model import SparkApp
from console.apps.states import SUCCEEDED
from console.base.text import plural, shorten
from console.facts.model import Event, Facts, Log, Pod
from console.findings.case import Case, ClusterView
from console.findings.ends import loud_end
from console.findings.model import Finding

_RUNS = frozenset({"RUNNING", "RUNNINGHEALTHY", "READY", "SUCCEEDING", "FINISHED", "TERMINATED"})
_LOUD = re.compile(r"\b(?:ERROR|FATAL|panic:|Traceback \(most recent call last\))|^E\d{4} ", re.MULTILINE)
_SICK = frozenset({"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "OOMKilled"})
_NAMED = 3
_LASTS = 4
"""How often a warning about a pod is repeated before it is more than a start that was too early."""


class Uncovered(Struct, frozen=True):
    """Something that was read and of which nothing can be said.

    Attributes:
        subject: what it is, `Pod/ns/name` or words.
        why: what is missing, or what was seen that no rule knows.
        grave: whether it means that there may be a fault, so that nothing found is no good news.
    """

    subject: str
    why: str
    grave: bool = True


def unjudged(facts: Facts, apps: Sequence[SparkApp], findings: Sequence[Finding]) -> tuple[Uncovered, ...]:
    """What of these facts was not judged, the grave first; empty where all that was seen had what judges it."""
    view = ClusterView(facts, apps)
    troubled = {f.app for f in findings if f.severity != "info"}
    out = [one for case in view.cases if case.app.key not in troubled and (one := _of_app(case))]
    schedules = any(cr.kind == "ScheduledSparkApplication" for cr in facts.spark)
    if not apps and not schedules and not findings and any(s.state != "absent" for s in facts.sources):
        out.append(Uncovered("Spark", "no Spark application is in what was read"))
    subjects = {f.subject for f in findings}
    out += _of_pods(facts.pods, view, subjects)
    out += _of_events(facts.events, view, subjects)
    quoted = {e.locator.rpartition(":")[0] for f in findings for e in f.evidence}
    out += _of_logs((text.log for text in view.shared), quoted)
    return tuple(sorted(out, key=lambda one: not one.grave))


def _of_app(case: Case) -> Uncovered | None:
    """An application that does not run, or of which nothing says how it is."""
    app, state = case.app, case.app.state.upper()
    if case.failed:
        return Uncovered(app.key, f"it is {app.state}, and no rule knows why")
    if state in SUCCEEDED:
        return None
    driver, told = case.driver, bool(case.belongings.logs or case.belongings.rest)
    if told and (driver is None or driver.phase in ("Running", "Succeeded")):
        return _broken_off(case) if driver is None and case.group is None else None
    if driver is None and (case.group is None or case.group.cr is None or not case.group.cr.status):
        seen = plural(len(case.executors), "executor pod") if case.executors else "its name"
        runs = bool(case.executors) and all(pod.phase == "Running" for pod in case.executors)
        return Uncovered(app.key, f"of it only {seen}: no status, no driver and no log were read", grave=not runs)
    if state in _RUNS and (driver is None or driver.phase in ("Running", "Succeeded")):
        return None
    return Uncovered(app.key, f"it is {app.state or 'in no state'}{_waits(driver, case.events)}, and no rule knows why")


def _broken_off(case: Case) -> Uncovered | None:
    """Of an application that only its logs tell of: one of them ends at an error that nothing explains."""
    said = loud_end(case)
    why = f"its log breaks off at an error that no rule knows: {shorten(said, 200)}"
    return Uncovered(case.app.key, why) if said else None


def _waits(driver: Pod | None, events: Iterable[Event]) -> str:
    """What its driver shows, and the last warning about it."""
    last = next((e for e in reversed(list(events)) if e.type == "Warning"), None)
    shown = f", its driver {driver.phase}" if driver is not None else ""
    times = f" ({last.count} times)" if last is not None and last.count > 1 else ""
    return f"{shown}; {last.reason}{times}: {last.message}" if last is not None else shown


def _of_pods(pods: Iterable[Pod], view: ClusterView, subjects: set[str]) -> list[Uncovered]:
    """Sick pods that are no application's."""
    own = {p.key for case in view.cases for p in case.pods}
    sick = [p for p in pods if p.key not in own and p.key not in subjects and _sick(p)]
    if not sick:
        return []
    named = ", ".join(f"{p.namespace}/{p.name} {_sick(p)}" for p in sick[:_NAMED])
    return [Uncovered(plural(len(sick), "sick pod") + " of no application", named)]


def _sick(pod: Pod) -> str:
    for one in pod.containers:
        end = one.terminated or one.last_terminated
        for word in (one.waiting_reason, end.reason if end is not None else ""):
            if word in _SICK:
                return word
    return pod.reason or "Failed" if pod.phase == "Failed" else ""


def _of_events(events: Iterable[Event], view: ClusterView, subjects: set[str]) -> list[Uncovered]:
    """Warnings about objects that are no application's."""
    own = {p.key for case in view.cases for p in case.pods} | {case.subject for case in view.cases} | subjects
    loud = [e for e in events if e.type == "Warning" and e.about not in own]
    if not loud:
        return []
    worst = sorted(loud, key=lambda e: -e.count)[:_NAMED]
    named = "; ".join(f"{e.reason} ({e.count} times) of {e.about}: {shorten(e.message, 120)}" for e in worst)
    lasting = any(e.count >= _LASTS or e.kind != "Pod" for e in loud)
    return [Uncovered(plural(len(loud), "warning") + " about objects of no application", named, grave=lasting)]


def _of_logs(logs: Iterable[Log], quoted: set[str]) -> list[Uncovered]:
    """Logs of no application that hold errors which no finding quotes."""
    out = []
    for log in logs:
        found = _LOUD.search(log.text) if log.origin.locator not in quoted else None
        if found is not None:
            start = log.text.rfind("\n", 0, found.start()) + 1
            line = log.text[start : start + 300].splitlines()[0]
            out.append(Uncovered(log.origin.locator, f"an error that no rule knows: {line}"))
    return out
