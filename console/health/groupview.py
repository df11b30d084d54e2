"""What the objects of an application say of it: configuration, language, state, ids, version, image, times, memory."""

from __future__ import annotations

from typing import Any

from console.base.clock import parse_time
from console.health import deaths, memory
from console.health.facts import Pod
from console.health.groups import SELECTOR, Group
from console.health.model import Member, MemoryPlan
from console.health.restview import RestView, num, text

_LANGUAGES = {"python": "Python", "r": "R", "scala": "Scala", "java": "Java"}


def conf_of(group: Group, rest: RestView) -> dict[str, str]:
    """Spark's configuration: what the object declares, then what the running application said of itself."""
    out: dict[str, str] = {}
    if group.cr is not None:
        spec = group.cr.spec
        for key in ("sparkConf", "hadoopConf"):
            part = spec.get(key)
            if isinstance(part, dict):
                prefix = "spark.hadoop." if key == "hadoopConf" else ""
                out.update({f"{prefix}{k}" if not k.startswith(prefix) else k: str(v) for k, v in part.items()})
        dynamic = spec.get("dynamicAllocation")
        if isinstance(dynamic, dict) and dynamic.get("enabled") is True:
            out.setdefault("spark.dynamicAllocation.enabled", "true")
    out.update(rest.conf)
    return out


def language_of(group: Group) -> str:
    """Python, R, Scala or Java, from the object's type or the driver's arguments; empty where neither tells."""
    if group.cr is not None:
        kind = group.cr.spec.get("type")
        if isinstance(kind, str) and kind.lower() in _LANGUAGES:
            return _LANGUAGES[kind.lower()]
        if group.cr.spec.get("pyFiles"):
            return "Python"
    for pod in reversed(group.drivers):
        main = pod.main
        args = main.args if main is not None else ()
        if any(a == "org.apache.spark.deploy.PythonRunner" or a.endswith(".py") for a in args):
            return "Python"
        if any(a == "org.apache.spark.deploy.RRunner" or a.endswith((".R", ".r")) for a in args):
            return "R"
        if any(a.endswith(".jar") for a in args):
            return "Scala"
    return ""


def state_of(group: Group) -> tuple[str, str]:
    """(state, message) as the object says it, else as the driver's pod shows it."""
    cr = group.cr
    if cr is not None and group.launcher == "kubeflow":
        state = cr.status.get("applicationState")
        if isinstance(state, dict):
            return str(state.get("state") or "NEW"), str(state.get("errorMessage") or "")
        return "NEW", ""
    if cr is not None and group.launcher == "apache":
        current = cr.status.get("currentState")
        if isinstance(current, dict):
            return str(current.get("currentStateSummary") or "Submitted"), str(current.get("message") or "")
        return "Submitted", ""
    if cr is not None and isinstance(cr.status.get("state"), str):
        return str(cr.status["state"] or "New"), ""
    last = group.drivers[-1] if group.drivers else None
    if last is None:
        return "UNKNOWN", "the driver is not among the facts"
    if group.launcher == "connect":
        main = last.main
        return ("Ready" if main is not None and main.ready else "NotReady"), last.message
    end = deaths.ending(last)[1]
    if deaths.over(last):
        code = end.exit_code if end is not None else None
        if last.phase == "Succeeded" or code == 0:
            return "COMPLETED", ""
        if end is None and last.gone:
            return "TERMINATED", "the driver pod was deleted"
        return "FAILED", last.message or (f"driver exit code {code}" if code is not None else "")
    return ("PENDING" if last.phase == "Pending" else "RUNNING"), ""


def over_by_word(state: str) -> bool:
    """Whether a state is final."""
    return state.upper() in ("COMPLETED", "FAILED", "SUBMISSION_FAILED", "SUCCEEDED", "TERMINATED", "RESOURCERELEASED")


def app_id_of(group: Group, last: Pod | None) -> str:
    """Spark's id of the newest attempt; empty where nothing names one."""
    if last is not None and (selector := last.labels.get(SELECTOR)):
        return selector
    cr_id = group.cr.status.get("sparkApplicationId") if group.cr is not None else None
    if isinstance(cr_id, str) and cr_id:
        return cr_id
    newest = max(group.executors, key=lambda p: p.created or 0.0, default=None)
    if newest is not None and (selector := newest.labels.get(SELECTOR)):
        return selector
    return min(group.app_ids, default="")


def wanted_of(group: Group, conf: dict[str, str]) -> int | None:
    """How many executors are asked for; None where dynamic allocation decides or nothing says so."""
    if conf.get("spark.dynamicAllocation.enabled", "").lower() == "true":
        return None
    executor = group.cr.spec.get("executor") if group.cr is not None else None
    if isinstance(executor, dict) and isinstance(executor.get("instances"), int):
        return int(executor["instances"])
    try:
        return int(conf["spark.executor.instances"])
    except (KeyError, ValueError):
        return 1 if group.launcher == "kubeflow" and group.cr is not None else None


def version_of(group: Group, rest: RestView) -> str:
    """Spark's version as declared, labelled or told by REST; empty where nothing says it."""
    if group.cr is not None and isinstance(group.cr.spec.get("sparkVersion"), str):
        return str(group.cr.spec["sparkVersion"])
    for pod in (*reversed(group.drivers), *group.executors[:1]):
        if version := pod.labels.get("spark-version"):
            return version
    return next((v for a in rest.attempts if (v := text(a, "appSparkVersion"))), "")


def image_of(group: Group) -> str:
    """The image that runs, else the one that is declared."""
    for pod in (*reversed(group.drivers), *group.executors[:1]):
        main = pod.main
        if main is not None and main.image:
            return main.image
    image = group.cr.spec.get("image") if group.cr is not None else None
    return image if isinstance(image, str) else ""


def started_of(group: Group) -> float | None:
    """When the newest attempt began, in seconds since the epoch."""
    starts = [p.created for p in group.drivers if p.created] or [p.created for p in group.executors if p.created]
    if starts:
        return min(starts) if not group.drivers else starts[-1]
    said = group.cr.status.get("lastSubmissionAttemptTime") if group.cr is not None else None
    return parse_time(said) if isinstance(said, str) else (group.cr.created if group.cr is not None else None)


def ended_of(group: Group, driver: Member | None, cr_over: bool) -> float | None:
    """From the driver first: `terminationTime` keeps the first attempt's time during and after the second."""
    if driver is not None:
        return driver.ended
    said = group.cr.status.get("terminationTime") if group.cr is not None and cr_over else None
    return parse_time(said) if isinstance(said, str) else None


def plan_of(
    role: Any,
    group: Group,
    conf: dict[str, str],
    spec: dict[str, Any],
    env_heap: str,
    limit: float | None,
    language: str,
    complete: bool,
) -> MemoryPlan | None:
    """Memory of a driver or an executor as it is configured."""
    part = spec.get(role)
    return memory.plan(
        role,
        conf=conf,
        spec=part if isinstance(part, dict) and group.launcher == "kubeflow" else None,
        factor=spec.get("memoryOverheadFactor"),
        env_heap=env_heap,
        limit=limit,
        language=language,
        complete=complete,
    )


def kind_of(group: Group) -> str:
    """Kind of the object that stands for the application; empty where there is none."""
    if group.cr is not None:
        return group.cr.kind
    if group.launcher in ("kubeflow", "apache"):
        return "SparkApplication"
    if group.launcher == "connect":
        return group.deployment.kind if group.deployment is not None else "Deployment"
    return ""


def tasks_of(rest: RestView) -> dict[str, int]:
    """Tasks over all executors by state, as REST counts them; empty without REST."""
    workers = [row for key, row in rest.executors.items() if key != "driver"]
    if not workers:
        return {}
    return {
        word: int(sum(num(row, field) for row in workers))
        for word, field in (
            ("active", "activeTasks"),
            ("completed", "completedTasks"),
            ("failed", "failedTasks"),
            ("total", "totalTasks"),
        )
    }
