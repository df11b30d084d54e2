"""What the objects of an application say of it: configuration, language, state, ids, version, image, times, memory."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from console.apps import deaths, memory
from console.apps.groups import SELECTOR, Group
from console.apps.model import Member, MemoryPlan
from console.base.clock import parse_time
from console.facts.model import Pod, Workload
from console.facts.rest import RestView, num, text

_VERSION = re.compile(r"(?:^|[^0-9.])v?([34]\.\d{1,2}\.\d{1,2})(?![0-9.])")
"""A version of Spark in a tag such as `3.5.7`, `v4.1.0` or `scala2.12-3.5.7-gpu`."""
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
        return _said(cr, "applicationState", "state", "errorMessage", "NEW")
    if cr is not None and group.launcher == "apache":
        return _said(cr, "currentState", "currentStateSummary", "message", "Submitted")
    if cr is not None and isinstance(cr.status.get("state"), str):
        return str(cr.status["state"] or "New"), ""
    if not group.drivers:
        return "UNKNOWN", "the driver is not among the facts"
    last = group.drivers[-1]
    if group.launcher == "connect":
        main = last.main
        return ("Ready" if main is not None and main.ready else "NotReady"), last.message
    return _state_of_driver(last)


def _said(cr: Workload, part: str, state: str, message: str, default: str) -> tuple[str, str]:
    """(state, message) from a part of the status; the state that an operator begins with where it is not written."""
    said = cr.status.get(part)
    if not isinstance(said, dict):
        return default, ""
    return str(said.get(state) or default), str(said.get(message) or "")


def _state_of_driver(pod: Pod) -> tuple[str, str]:
    if not deaths.over(pod):
        return ("PENDING" if pod.phase == "Pending" else "RUNNING"), ""
    end = deaths.ending(pod)[1]
    code = end.exit_code if end is not None else None
    if pod.phase == "Succeeded" or code == 0:
        return "COMPLETED", ""
    if end is None and pod.gone:
        return "TERMINATED", "the driver pod was deleted"
    return "FAILED", pod.message or (f"driver exit code {code}" if code is not None else "")


def app_id_of(group: Group) -> str:
    """Spark's id of the newest attempt; empty where nothing names one."""
    last = group.drivers[-1] if group.drivers else None
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
    """Spark's version as declared, labelled or told by REST; of a Connect server, which has none of these, as the tag
    of its image or its chart says it. Empty where nothing does."""
    if group.cr is not None and isinstance(group.cr.spec.get("sparkVersion"), str):
        return str(group.cr.spec["sparkVersion"])
    for pod in (*reversed(group.drivers), *group.executors[:1]):
        if version := pod.labels.get("spark-version"):
            return version
    told = next((v for a in rest.attempts if (v := text(a, "appSparkVersion"))), "")
    if told or group.launcher != "connect":
        return told
    return next((v for pod in reversed(group.drivers) if (v := _packaged(pod))), "")


def _packaged(pod: Pod) -> str:
    """The version in the tag of a server's image, else in the label of its chart, which says what the chart is for."""
    main = pod.main
    tag = main.image.rpartition("/")[2].partition("@")[0].partition(":")[2] if main is not None else ""
    for said in (tag, pod.labels.get("app.kubernetes.io/version", "")):
        if found := _VERSION.search(said):
            return found[1]
    return ""


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


class ObjectMeta(Struct, frozen=True, gc=False):
    """What Kubernetes keeps of the object that stands for an application."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    uid: str = ""
    generation: int = 0
    api_version: str = ""
    managers: tuple[str, ...] = ()


def meta_of(group: Group) -> ObjectMeta:
    """Of its custom resource or Deployment, else of its newest driver."""
    root = group.root
    if root is None:
        return ObjectMeta()
    if isinstance(root, Pod):
        return ObjectMeta(root.labels, root.annotations, root.uid, api_version="v1")
    return ObjectMeta(root.labels, root.annotations, root.uid, root.generation, root.api_version, root.managers)


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
