"""Python that cannot start, or lacks what the code expects of it (I12)."""

from __future__ import annotations

import re

from console.apps.evidence import of_hit
from console.facts.logs import Hit, LogRole
from console.facts.wordings import WORDINGS
from console.findings.case import Case
from console.findings.figures.python import PythonModuleFigures
from console.findings.rule import Answer, Rule, finding, severity_of
from console.findings.simple import LogRule

_ROLES: tuple[LogRole, ...] = ("driver", "executor")
_MODULE = re.compile(r"No module named '?(?P<module>[\w.]+)'?")


MODULE_MISSING = LogRule(
    code="python-module-missing",
    class_="I12",
    wordings=("python-module",),
    roles=_ROLES,
    pattern=_MODULE,
    holds_not="no module was missing",
    title="Python module missing in the image: {module}",
    detail="the worker cannot import it: the image or its version differs from what the code expects",
    confidence="medium",
    questions=("whether driver and executors run the same image, and since when (tag or digest)",),
    figures=lambda _, hits: PythonModuleFigures(module=_module(hits[0])),
)

NOT_FOUND = LogRule(
    code="python-not-found",
    class_=None,
    wordings=("python-missing",),
    roles=_ROLES,
    counts=lambda hit: "python" in hit.text.lower(),
    holds_not="every program that was to be run was there",
    title="the Python that is configured does not exist in the image",
    detail="PYSPARK_PYTHON or spark.pyspark.python names a path that is not there",
    confidence="high",
    fatal=True,
    quoted=2,
    ruled_out=(("I12", "no worker crashed: none could be started"),),
)


def _module(hit: Hit) -> str:
    """The module that a place says is missing; `` where it names none."""
    found = _MODULE.search(hit.text) or _MODULE.search(hit.record.body)
    return found["module"] if found is not None else ""


def environment(case: Case) -> Answer:
    """Packages or versions of Python that do not fit, as Spark's own check says."""
    other = case.hits("python-package", "python-version", roles=_ROLES)
    if not other or any(_module(h) for h in case.hits("python-module", roles=_ROLES)):
        return "driver and executors have the Python and the packages that they need"
    version = any(w in other[0].record.body + other[0].text for w in WORDINGS["python-version"])
    return [
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
    ]


RULES = [
    MODULE_MISSING,
    Rule("python-environment", "I12", environment),
    NOT_FOUND,
]
