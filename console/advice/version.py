"""Which Spark version something runs, and how that is known. An image's tag is a name that somebody gave: no proof."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from console.apps.evidence import of_pod, of_rest, of_workload
from console.facts.evidence import Evidence
from console.facts.model import Pod, RestDocument
from console.facts.rest import text
from console.findings.case import Case

_RUNNING = re.compile(r"Running Spark version (\d+\.\d+(?:\.[\w.-]+)?)")
_TAG = re.compile(r"(?:^|[^\d.])v?(\d+\.\d+\.\d+)")


class VersionStatement(Struct, frozen=True):
    """One statement about a version.

    Attributes:
        who: driver, executors, declared.
        proof: `runtime`: the program itself says it; `label`: Spark wrote it on the pod; `declared`: somebody wrote it.
    """

    who: Literal["driver", "executors", "declared"]
    version: str
    proof: Literal["runtime", "label", "declared"]
    evidence: Evidence


def versions(case: Case) -> list[VersionStatement]:
    """Everything that is said about the application's version, the strongest first."""
    out: list[VersionStatement] = []
    mine = {f"{p.namespace}/{p.name}" for p in case.drivers}
    for doc in case.world.rest:
        if doc.path == "version" and doc.pod in mine and (version := served(doc)):
            out.append(VersionStatement("driver", version, "runtime", of_rest(doc.origin, f"spark {version}")))
    for doc in case.rest_docs(""):
        for attempt in doc.data.get("attempts", ()) if isinstance(doc.data, dict) else ():
            if isinstance(attempt, dict) and (version := text(attempt, "appSparkVersion")):
                out.append(
                    VersionStatement("driver", version, "runtime", of_rest(doc.origin, f"appSparkVersion {version}"))
                )
    for part in case.texts_of("driver"):
        found = _RUNNING.search(part.text)
        if found is not None:
            line = part.text.count("\n", 0, found.start()) + 1
            place = f"{part.log.origin.locator}:{line}"
            out.append(VersionStatement("driver", found.group(1), "runtime", Evidence("log", place, found.group(0))))
    out += _labels(case.executors, "executors")
    out += _labels([case.driver] if case.driver is not None else [], "driver")
    cr = case.group.cr if case.group is not None else None
    if cr is not None and isinstance(cr.spec.get("sparkVersion"), str) and cr.spec["sparkVersion"]:
        version = cr.spec["sparkVersion"]
        out.append(VersionStatement("declared", version, "declared", of_workload(cr, f"spec.sparkVersion {version}")))
    return out


def _labels(pods: list[Pod], who: Literal["driver", "executors"]) -> list[VersionStatement]:
    """The label `spark-version` of the newest pods: the driver writes its own version on its executors, and
    spark-submit (an operator's own Spark) writes its version on the driver."""
    found: dict[str, Pod] = {}
    for pod in sorted(pods, key=lambda p: p.created or 0.0):
        if version := pod.labels.get("spark-version", ""):
            found[version] = pod
    return [VersionStatement(who, v, "label", of_pod(p, f"label spark-version: {v}")) for v, p in found.items()]


def best(said: list[VersionStatement]) -> VersionStatement | None:
    """What the driver runs, by the best proof there is; its own label counts least, for spark-submit wrote it."""
    order = {("driver", "runtime"): 0, ("executors", "label"): 1, ("declared", "declared"): 2, ("driver", "label"): 3}
    return min(said, key=lambda s: order.get((s.who, s.proof), 4), default=None)


def served(doc: RestDocument) -> str:
    """The version in an answer of `/api/v1/version`."""
    return text(doc.data, "spark") if isinstance(doc.data, dict) else ""


def is_history_server(pod: Pod) -> bool:
    """By its label or by the class that it runs."""
    labels = (pod.labels.get("app", ""), pod.labels.get("app.kubernetes.io/component", ""))
    if any("history" in label for label in labels):
        return True
    main = pod.main
    return main is not None and any("deploy.history.HistoryServer" in arg for arg in main.args)


def tag_version(image: str) -> str:
    """The version that an image's tag seems to name; `` where it names none."""
    tag = image.partition("@")[0].rpartition("/")[2].rpartition(":")
    found = _TAG.search(tag[2]) if tag[1] else None
    return found.group(1) if found is not None else ""
