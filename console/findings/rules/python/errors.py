"""Errors of the application's own code, data or plan, which have no class: the owner mends them."""

from __future__ import annotations

import re

from console.apps import deaths
from console.apps.evidence import of_hit, of_pod, of_rest
from console.base.text import shorten
from console.facts.chainwords import JAVA_OWNERS
from console.facts.evidence import Evidence
from console.facts.logs import Hit
from console.facts.wordings import WORDINGS
from console.findings.case import Case
from console.findings.ends import End, ends_of, outranking
from console.findings.figures.kinds import KindFigures
from console.findings.figures.python import UserErrorFigures
from console.findings.lost.victims import executor_of
from console.findings.model import Confidence, Finding
from console.findings.rule import Answer, Rule, finding, severity_of

_LAST_ERROR = re.compile(r"(?m)^((?:[\w.]+\.)?\w*(?:Error|Exception|Exit|Interrupt)\b[^\n]{0,200})$")
_USER_CLASS = re.compile(
    r"\[(USER_RAISED_EXCEPTION|PYTHON_EXCEPTION|DIVIDE_BY_ZERO|CAST_INVALID_INPUT|[A-Z_]+(?:\.[A-Z_]+)?)\]"
)
_CLASS_OF_TASK = re.compile(r"executor \S+?\): ((?:[\w$]+\.)+[\w$]+(?:: [^\n]{1,120})?)")
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
"""Wordings of faults that have a rule of their own: where one is in the logs, the end has another explanation."""
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
"""Wordings of platform faults: an exception that holds one only passes it on."""
_OF_PYTHON = ("PythonException", "[PYTHON_EXCEPTION]", "[USER_RAISED_EXCEPTION]")


def user_error(case: Case) -> Answer:
    """Exceptions of the application's own code, data or plan. They have no class: the owner mends them."""
    if elsewhere := _explained_elsewhere(case):
        return elsewhere
    end = next((e for e in ends_of(case) if e.role in ("driver", "submit", "other")), None)
    raised, stages = _raised(case), _failed_stages(case)
    if raised or stages:
        body = next((h.record.body for h in raised), "")
        what = _last_error(body) or _named(body) or "an exception in a task"
        return _user(case, raised, stages, what, _sure(end) if end is not None else "high", end)
    if end is not None and end.what.wrapped:
        return "what was written only passes an error on"
    if streams := _failed_streams(case):
        if end is None or _sure(end) != "high":
            return "a streaming query failed, and not in code of the application"
        return _user(case, streams, [], _headline(end), "high", end)
    return _without_raise(case, end)


def _explained_elsewhere(case: Case) -> str:
    """Why an error of its own is not looked for: the end has a known kind, or the driver's pod says how it ended."""
    for one in case.so_far:
        if isinstance(one.data, KindFigures) and one.confidence != "low" and one.severity == "critical":
            return f"another finding explains it: {one.code}"
    outranked = outranking(case)
    return f"the driver's pod says how it ended: {outranked}" if outranked else ""


def _without_raise(case: Case, end: End | None) -> Answer:
    """What the main program or its tasks ended with, where Spark reports no exception of Python."""
    if case.succeeded:
        return "no exception of the application's own code"
    if any(case.hits(w, roles=("driver", "executor")) for w in _EXPLAINED) or case.victims:
        return "the application's end has another explanation"
    if end is not None and _sure(end) == "low":
        return "the innermost frames are not the application's own"
    if held := _of_the_program(case, end) or _of_tasks(case, end):
        return held
    if end is not None and end.sure and _sure(end) == "high":
        return _user(case, [], [], _headline(end), "high", end)
    return "no exception of the application's own code"


_NOT_FOUND = ("FileNotFoundError", "NotADirectoryError", "IsADirectoryError")
"""What the code looks for may be a mount that is missing."""
_ITS_OWN_STATES = ("22", "42", "38", "39", "P0", "21", "23")
"""Classes of SQLSTATE that are said of data, plan or code of the job."""
_ITS_OWN = re.compile(
    r"AnalysisException|ParseException|\bSparkRuntimeException|USER_RAISED_EXCEPTION|NoSuch(?:Table|Namespace|"
    r"Database)Exception|"
    r"Path does not exist|PATH_NOT_FOUND|TABLE_OR_VIEW_NOT_FOUND|UNRESOLVED_COLUMN|PARSE_SYNTAX_ERROR"
)
_FROM_OUTSIDE = re.compile(
    r"java\.(?:net|sql|nio)\.|javax\.net|IOException|Timeout|Connection|gaierror|socket|OperationalError|"
    r"InterfaceError|"
    r"Unauthorized|Forbidden|AccessDenied|ClientError|HTTPError|MemoryError|OutOfMemory|OSError|PermissionError|"
    r"BlockingIOError|BrokenPipe|ModuleNotFound|ImportError|LinkageError|NoSuchMethod|NoClassDef|ClassNotFound|"
    r"Kafka|grpc|"
    r"boto|azure|google\.|KubernetesClient|Throttl|Py4JNetworkError|Py4JError|SystemExit|KeyboardInterrupt|SecurityException|StackOverflow"
)
"""Errors that code of the job passes on when something outside fails."""


_LOCAL_FILE = re.compile(r"(?:FileNotFoundException|NoSuchFileException|FileNotFoundError)\b[^\n]{0,40}?[:'\" ]/\w")
"""A file of the pod's own that is not there: the job names it wrongly, or a volume or ConfigMap was not mounted."""


def _sure(end: End) -> Confidence:
    """How sure it is that an end is the application's own: by the innermost frames and what was thrown."""
    what = end.what
    if what.wrapped or (_FROM_OUTSIDE.search(what.name) and not _ITS_OWN.search(what.line)):
        return "low"
    if what.sqlstate[:2] in _ITS_OWN_STATES or _ITS_OWN.search(what.line):
        return "high"
    if what.name.startswith(JAVA_OWNERS):
        return "low"
    if what.owner == "user":
        return "medium" if what.name in _NOT_FOUND else "high"
    return "medium" if what.name and "." not in what.name else "low"


def _headline(end: End) -> str:
    return shorten(" ".join(end.what.line.split()), 200, middle=True)


def _raised(case: Case) -> list[Hit]:
    """Exceptions of Python and of raise_error that the driver reports of its tasks."""
    return [
        h
        for h in case.hits("python-exception", "user-raised", roles=("driver",))
        if ("Lost task" in h.record.message or h.record.level in ("ERROR", "WARN", "")) and not _platform(h.record.body)
    ]


def _failed_stages(case: Case) -> list[Evidence]:
    out = []
    for (stage, attempt), row in case.rest.stages.items():
        reason = str(row.get("failureReason") or "")
        if any(word in reason for word in _OF_PYTHON) and not _platform(reason):
            out.append(of_rest(case.rest.origin("stages"), f"stage {stage}.{attempt} failureReason: {reason}"))
    return out


def _failed_streams(case: Case) -> list[Hit]:
    return [
        h
        for h in case.hits("stream-failed", roles=("driver",))
        if h.record.level in ("ERROR", "FATAL", "") and not _platform(h.record.body)
    ]


def _of_the_program(case: Case, end: End | None) -> Answer:
    """What the main program ended with: a plan or a file that does not work, else its own trace; `` if neither."""
    plan = [
        h
        for h in case.hits("analysis", "no-file", roles=("driver", "submit"))
        if not h.record.level or h.record.level in ("ERROR", "FATAL")
    ]
    hits = plan or case.hits("traceback", "main-exception", roles=("driver",))
    if not hits:
        return ""
    if not case.failed and case.group is not None:
        return "the application did not fail"
    last = hits[-1]
    lines = last.log.text.split("\n", last.line + 400)[last.line - 1 : last.line + 400]
    error = _last_error("\n".join(lines)) or _named(last.record.body)
    sure = _sure(end) if end is not None else ("high" if plan else "medium")
    what = _headline(end) if end is not None else error
    if sure == "high" and _LOCAL_FILE.search(what):
        sure = "medium"
    return _user(case, hits[-2:], [], what or "an exception in the driver's code", sure, end)


def _of_tasks(case: Case, end: End | None) -> list[Finding]:
    """Exceptions of tasks that made the job give up and that no platform fault explains."""
    if not case.hits("aborting", roles=("driver",)):
        return []
    thrown = [
        (h, named.group(1))
        for h in case.hits("task-failed", roles=("driver",))
        if (named := _CLASS_OF_TASK.search(h.record.message)) is not None
        and not _platform(h.record.body)
        and "TaskKilled" not in h.text
    ]
    if not thrown:
        return []
    return _user(case, [h for h, _ in thrown[-2:]], [], thrown[-1][1], "medium", end)


def _platform(body: str) -> bool:
    """Whether an exception only passes on a fault that has its own rule."""
    return any(needle in body for word in _PLATFORM for needle in WORDINGS[word])


def _user(
    case: Case, hits: list[Hit], stages: list[Evidence], what: str, confidence: Confidence, end: End | None
) -> list[Finding]:
    pods = [p for p in case.drivers[-1:] if (e := deaths.ending(p)[1]) is not None and e.exit_code not in (0, None)]
    quoted = [end.proof] if end is not None else []
    return [
        finding(
            case,
            "user-error",
            None,
            severity_of(case),
            confidence,
            f"the application's own code failed: {what}",
            detail="an exception of user code, data or plan; no platform fault is behind it"
            if confidence == "high"
            else "an exception that looks like one of user code or data",
            evidence=[*quoted, *[of_hit(h) for h in hits[:3]], *stages[:1], *[of_pod(p) for p in pods]],
            ruled_out=[("I12", "the worker raised an exception with a traceback, it did not crash")]
            if hits or stages
            else [],
            questions=[]
            if confidence == "high"
            else [
                "whether the file belongs into the image, or into a volume or ConfigMap that the pod does not have: "
                "volumes of the pod against the application's spec"
                if _LOCAL_FILE.search(what)
                else "whether the code or its data raised it, or a service that it talks to: the quoted exception"
            ],
            data=UserErrorFigures(
                executors=tuple(sorted({executor_of(case.app, h) for h in hits if h.log.role == "executor"}))
            ),
        )
    ]


def _last_error(text: str) -> str:
    """The last line of a Python traceback, or of a chain of causes."""
    found = [m.group(1) for m in _LAST_ERROR.finditer(text)]
    named = [f for f in found if not f.startswith(("py4j.", "org.apache.spark.SparkException", "Caused"))]
    return shorten((named or found or [""])[-1], 200).strip()


def _named(text: str) -> str:
    found = _USER_CLASS.search(text)
    return found.group(1) if found else ""


RULES = [Rule("user-error", None, user_error)]
