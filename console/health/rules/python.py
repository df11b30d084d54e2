"""Python workers that crash (I12), and errors of the application's own code, which have no class."""

from __future__ import annotations

import re

from console.health import deaths
from console.health.case import Case
from console.health.evidence import of_hit, of_pod, of_rest, of_workload
from console.health.logs import Hit
from console.health.model import Confidence, Evidence, Finding
from console.health.rule import Answer, Rule, finding, severity_of
from console.health.victims import executor_of
from console.health.wordings import WORDINGS

_MODULE = re.compile(r"No module named '?([\w.]+)'?")
_FATAL = re.compile(r"Fatal Python error: ([^\n\\]{1,80})")
_LAST_ERROR = re.compile(r"(?m)^((?:[\w.]+\.)?\w*(?:Error|Exception|Exit|Interrupt)\b[^\n]{0,200})$")
_USER_CLASS = re.compile(
    r"\[(USER_RAISED_EXCEPTION|PYTHON_EXCEPTION|DIVIDE_BY_ZERO|CAST_INVALID_INPUT|[A-Z_]+(?:\.[A-Z_]+)?)\]"
)


def worker_crash(case: Case) -> Answer:
    """Python workers that ended without being asked to."""
    hits = case.hits("python-crash", roles=("driver", "executor"))
    fatal = case.hits("python-fatal", roles=("driver", "executor"))
    stages = [
        of_rest(case.rest.origin("stages"), f"stage {s}.{a} failureReason: {row.get('failureReason')}")
        for (s, a), row in case.rest.stages.items()
        if "Python worker exited unexpectedly" in str(row.get("failureReason") or "")
    ]
    if not hits and not fatal and not stages:
        return "no Python worker crashed"
    killed = [v for v in case.victims if v.kind in ("python-oom", "container-oom")]
    if killed:
        return "Python workers died because their container ran out of memory: that is I01"
    hits = [h for h in hits if not _after_sigterm(case, h)]
    if not hits and not fatal and not stages:
        return "Python workers crashed only after their executor had been told to stop"
    said = next((m.group(1).strip() for h in fatal if (m := _FATAL.search(h.record.body))), "")
    complete = bool(case.executors) and all(deaths.ending(p)[1] is not None for p in case.executors)
    lost = [p for p in case.executors if deaths.over(p) and _status_lost(p)]
    questions: list[str] = []
    confidence: Confidence = "high"
    if not said:
        questions.append("where it crashed: run again with spark.python.worker.faulthandler.enabled=true")
        if not complete or lost:
            confidence = "medium"
            questions.insert(
                0,
                "whether it was killed for memory: the executor container's state.terminated.reason (OOMKilled "
                "would make it I01)",
            )
    return [
        finding(
            case,
            "python-worker-crash",
            "I12",
            severity_of(case),
            confidence,
            "Python worker crashed" + (f": {said}" if said else " (no traceback: it ended, it raised nothing)"),
            detail="a native library, a signal or os._exit in the worker; not an exception of Python",
            evidence=[*[of_hit(h) for h in (*fatal[:2], *hits[:3])], *stages[:1]],
            ruled_out=[
                (
                    "I01",
                    "no executor container has the reason OOMKilled"
                    if complete and not lost
                    else "no OOMKilled is known",
                ),
                ("user code", "an exception would come with a traceback and [PYTHON_EXCEPTION]"),
            ],
            questions=questions,
            data={"fatal": said, "crashes": len(hits)},
        )
    ]


def _status_lost(pod: object) -> bool:
    from console.health.facts import Pod

    assert isinstance(pod, Pod)
    end = deaths.ending(pod)[1]
    return end is None or end.reason == "ContainerStatusUnknown"


def _after_sigterm(case: Case, hit: Hit) -> bool:
    """Whether its process had received SIGTERM before: its workers die with it."""
    return any(h.log is hit.log and h.line < hit.line for h in case.hits("sigterm", roles=("executor", "driver")))


def python_setup(case: Case) -> Answer:
    """Python that cannot start, or a module that the image does not have."""
    out: list[Finding] = []
    module = [
        h
        for h in case.hits("python-module", roles=("driver", "executor"))
        if _MODULE.search(h.text) or _MODULE.search(h.record.body)
    ]
    if module:
        found = _MODULE.search(module[0].text) or _MODULE.search(module[0].record.body)
        out.append(
            finding(
                case,
                "python-module-missing",
                "I12",
                severity_of(case),
                "medium",
                f"Python module missing in the image: {found.group(1) if found else '?'}",
                detail="the worker cannot import it: the image or its version differs from what the code expects",
                evidence=[of_hit(h) for h in module[:3]],
                questions=["whether driver and executors run the same image, and since when (tag or digest)"],
                data={"module": found.group(1) if found else ""},
            )
        )
    other = case.hits("python-package", "python-version", roles=("driver", "executor"))
    if other and not module:
        version = any(w in other[0].record.body + other[0].text for w in WORDINGS["python-version"])
        out.append(
            finding(
                case,
                "python-environment",
                "I12",
                severity_of(case),
                "medium",
                "Python of driver and executors differs" if version else "a Python package is missing or too old",
                detail="driver and executors need the same minor version of Python and the packages that pandas and "
                "Arrow functions use",
                evidence=[of_hit(h) for h in other[:3]],
                ruled_out=[("user code", "Spark's own check of the environment failed, before the code ran")],
                questions=["which image driver and executors run, and PYSPARK_PYTHON of both"],
            )
        )
    start = [h for h in case.hits("python-missing", roles=("driver", "executor")) if "python" in h.text.lower()]
    if start:
        out.append(
            finding(
                case,
                "python-not-found",
                None,
                severity_of(case, fatal=True),
                "high",
                "the Python that is configured does not exist in the image",
                detail="PYSPARK_PYTHON or spark.pyspark.python names a path that is not there",
                evidence=[of_hit(h) for h in start[:2]],
                ruled_out=[("I12", "no worker crashed: none could be started")],
            )
        )
    return out or "Python starts and finds its modules"


_EXPLAINED = (
    "heap",
    "gc-overhead",
    "result-size",
    "broadcast-memory",
    "fetch-failed",
    "missing-output",
    "python-crash",
    "disk-full",
    "s3-denied",
    "s3-throttled",
    "metastore",
    "quota",
    "forbidden",
    "gpu-oom",
    "cuda-fatal",
    "executor-lost-failure",
    "unread-block",
    "cancelled",
    "spark-memory",
    "no-main-class",
    "python-missing",
    "python-module",
    "python-package",
    "python-version",
    "no-account",
    "limit-range",
    "pod-security",
    "webhook",
    "s3-class-missing",
    "history-error",
)


def user_error(case: Case) -> Answer:
    """Exceptions of the application's own code, data or plan. They have no class: the owner mends them."""
    raised = [
        h
        for h in case.hits("python-exception", "user-raised", roles=("driver",))
        if ("Lost task" in h.record.message or h.record.level in ("ERROR", "WARN", "")) and not _platform(h.record.body)
    ]
    stages: list[Evidence] = []
    for (stage, attempt), row in case.rest.stages.items():
        reason = str(row.get("failureReason") or "")
        if _platform(reason):
            continue
        if "PythonException" in reason or "[PYTHON_EXCEPTION]" in reason or "[USER_RAISED_EXCEPTION]" in reason:
            stages.append(of_rest(case.rest.origin("stages"), f"stage {stage}.{attempt} failureReason: {reason}"))
    if raised or stages:
        body = next((h.record.body for h in raised), "")
        return _user(case, raised, stages, _last_error(body) or _named(body) or "an exception in a task")
    stream = [
        h
        for h in case.hits("stream-failed", roles=("driver",))
        if h.record.level in ("ERROR", "FATAL", "") and not _platform(h.record.body)
    ]
    if stream:
        return _user(case, stream, [], "a streaming query ended with an error")
    if case.succeeded:
        return "no exception of the application's own code"
    if any(case.hits(w, roles=("driver", "executor")) for w in _EXPLAINED) or case.victims:
        return "the application's end has another explanation"
    plan = [
        h
        for h in case.hits("analysis", "no-file", roles=("driver", "submit"))
        if not h.record.level or h.record.level in ("ERROR", "FATAL")
    ]
    trace = case.hits("traceback", "main-exception", roles=("driver",))
    if not plan and not trace and (thrown := _thrown(case)):
        named = _CLASS_OF_TASK.search(thrown[-1].record.message)
        return _user(case, thrown[-2:], [], named.group(1) if named else "an exception in a task", confidence="medium")
    if not plan and not trace:
        return "no exception of the application's own code"
    if not case.failed and case.group is not None:
        return "the application did not fail"
    hits = plan or trace
    text = hits[-1].log.text.split("\n", hits[-1].line + 400)
    error = _last_error("\n".join(text[hits[-1].line - 1 : hits[-1].line + 400])) or _named(hits[-1].record.body)
    return _user(
        case,
        hits[-2:],
        [],
        error or "an exception in the driver's code",
        confidence="high" if plan or error else "medium",
    )


_CLASS_OF_TASK = re.compile(r"executor \S+?\): ((?:[\w$]+\.)+[\w$]+(?:: [^\n]{1,120})?)")


def _thrown(case: Case) -> list[Hit]:
    """Exceptions of tasks that made the job give up and that no platform fault explains."""
    if not case.hits("aborting", roles=("driver",)):
        return []
    return [
        h
        for h in case.hits("task-failed", roles=("driver",))
        if _CLASS_OF_TASK.search(h.record.message) and not _platform(h.record.body) and "TaskKilled" not in h.text
    ]


def unexplained(case: Case) -> Answer:
    """A driver that failed and of which nothing tells why."""
    if any(f.severity != "info" or not f.data.get("current", True) for f in case.so_far):
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
            data={"exit_code": killed.exit_code},
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
            f"the application failed and its driver is gone: {case.app.message or 'no reason is given'}"[:160],
            evidence=[of_workload(cr, f"state {case.app.state}: {case.app.message}")],
            questions=[
                "how the driver ended: its last object, events and log (kept evidence); deletion, eviction, a lost "
                "node and a memory kill look the same from here"
            ],
        )
    ]


_PLATFORM = (
    "disk-full",
    "s3-denied",
    "s3-throttled",
    "s3-unreachable",
    "s3-class-missing",
    "metastore",
    "python-module",
    "python-package",
    "python-version",
    "python-crash",
    "python-missing",
    "gpu-oom",
    "cuda-fatal",
    "gpu-absent",
    "heap",
    "gc-overhead",
    "metaspace",
    "direct-memory",
    "native-thread",
    "spark-memory",
    "broadcast-memory",
    "result-size",
    "fetch-exception",
    "executor-lost-failure",
)


def _platform(body: str) -> bool:
    """Whether an exception only passes on a fault that has its own rule."""
    return any(needle in body for word in _PLATFORM for needle in WORDINGS[word])


def _user(
    case: Case, hits: list[Hit], stages: list[Evidence], what: str, confidence: Confidence = "high"
) -> list[Finding]:
    pods = [p for p in case.drivers[-1:] if (e := deaths.ending(p)[1]) is not None and e.exit_code not in (0, None)]
    return [
        finding(
            case,
            "user-error",
            None,
            severity_of(case),
            confidence,
            f"the application's own code failed: {what}",
            detail="an exception of user code, data or plan; no platform fault is behind it",
            evidence=[*[of_hit(h) for h in hits[:3]], *stages[:1], *[of_pod(p) for p in pods]],
            ruled_out=[("I12", "the worker raised an exception with a traceback, it did not crash")]
            if hits or stages
            else [],
            questions=[]
            if confidence == "high"
            else ["whether the code or its data raised it, or a service that it talks to: the quoted exception"],
            data={"executors": sorted({executor_of(case, h) for h in hits if h.log.role == "executor"})},
        )
    ]


def _last_error(text: str) -> str:
    """The last line of a Python traceback, or of a chain of causes."""
    found = [m.group(1) for m in _LAST_ERROR.finditer(text)]
    named = [f for f in found if not f.startswith(("py4j.", "org.apache.spark.SparkException", "Caused"))]
    return (named or found or [""])[-1][:120].strip()


def _named(text: str) -> str:
    found = _USER_CLASS.search(text)
    return found.group(1) if found else ""


RULES = [
    Rule("python-worker-crash", "I12", worker_crash),
    Rule("python-module-missing", "I12", python_setup),
    Rule("user-error", None, user_error),
    Rule("driver-failed", None, unexplained, last=True),
]
