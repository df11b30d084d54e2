"""Python workers that crash (I12)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from console.apps import deaths
from console.apps.evidence import of_hit, of_rest
from console.facts.evidence import Evidence
from console.facts.logs import Hit, cut_short
from console.facts.model import Pod
from console.findings.case import Case
from console.findings.figures.python import PythonCrashFigures
from console.findings.rule import Answer, Rule, finding, severity_of

_FATAL = re.compile(r"Fatal Python error: ([^\n\\]{1,80})")


def worker_crash(case: Case) -> Answer:
    """Python workers that ended without being asked to."""
    hits = case.hits("python-crash", roles=("driver", "executor"))
    fatal = case.hits("python-fatal", roles=("driver", "executor"))
    stages = _stages(case)
    if not hits and not fatal and not stages:
        return "no Python worker crashed"
    if any(v.kind in ("python-oom", "container-oom") for v in case.victims):
        return "Python workers died because their container ran out of memory: that is I01"
    more, hits = cut_short(hits), [h for h in hits if not _after_sigterm(case, h)]
    if not hits and not fatal and not stages:
        return "Python workers crashed only after their executor had been told to stop"
    said = _interpreters_word(fatal)
    no_oom = _no_container_was_oomkilled(case)
    return [
        finding(
            case,
            "python-worker-crash",
            "I12",
            severity_of(case),
            "high" if said or no_oom else "medium",
            "Python worker crashed" + (f": {said}" if said else " (no traceback: it ended, it raised nothing)"),
            detail="a native library, a signal or os._exit in the worker; not an exception of Python",
            evidence=[*[of_hit(h) for h in (*fatal[:2], *hits[:3])], *stages[:1]],
            ruled_out=[
                ("I01", "no executor container has the reason OOMKilled" if no_oom else "no OOMKilled is known"),
                ("user code", "an exception would come with a traceback and [PYTHON_EXCEPTION]"),
            ],
            questions=[] if said else _questions(no_oom),
            data=PythonCrashFigures(fatal=said, crashes=len(hits), more=more),
        )
    ]


def _stages(case: Case) -> list[Evidence]:
    return [
        of_rest(case.rest.origin("stages"), f"stage {s}.{a} failureReason: {row.get('failureReason')}")
        for (s, a), row in case.rest.stages.items()
        if "Python worker exited unexpectedly" in str(row.get("failureReason") or "")
    ]


def _interpreters_word(fatal: Sequence[Hit]) -> str:
    """What Python's fault handler says first; `` where it says nothing."""
    return next((m.group(1).strip() for h in fatal if (m := _FATAL.search(h.record.body))), "")


def _no_container_was_oomkilled(case: Case) -> bool:
    """Whether every executor's end is known, so that none of them was killed for memory."""
    return bool(case.executors) and all(_end_is_known(pod) for pod in case.executors)


def _end_is_known(pod: Pod) -> bool:
    end = deaths.ending(pod)[1]
    return end is not None and not (deaths.over(pod) and end.reason == "ContainerStatusUnknown")


def _questions(no_oom: bool) -> list[str]:
    where = "where it crashed: run again with spark.python.worker.faulthandler.enabled=true"
    memory = (
        "whether it was killed for memory: the executor container's state.terminated.reason (OOMKilled "
        "would make it I01)"
    )
    return [where] if no_oom else [memory, where]


def _after_sigterm(case: Case, hit: Hit) -> bool:
    """Whether its process had received SIGTERM before: its workers die with it."""
    return any(h.log is hit.log and h.line < hit.line for h in case.hits("sigterm", roles=("executor", "driver")))


RULES = [Rule("python-worker-crash", "I12", worker_crash)]
