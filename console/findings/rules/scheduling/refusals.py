"""Refusals of quota, rights and limits by the API (I16)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from console.apps.evidence import of_event, of_hit, of_rest, of_workload
from console.facts.evidence import Evidence
from console.facts.wordings import WORDINGS
from console.findings.case import Case
from console.findings.figures.refusals import QuotaFigures, RightFigures
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, finding, severity_of

_QUOTA = re.compile(r"exceeded quota: ([^,\s]+), requested: (.*?), used: (.*?), limited: ([^\s\\\"]+)")
_UNSPECIFIED = re.compile(r"failed quota: ([^:\s]+): must specify ([\w.,/ -]{1,80})")
_LIMIT = re.compile(r"(maximum|minimum) \w+ usage per")
_FORBIDDEN = re.compile(r'User \\?"?([^"\\\s]+)\\?"? cannot (\w+) resource \\?"?([\w./]+)')
_WORDINGS = ("quota", "forbidden", "limit-range", "pod-security", "no-account")
_ROLES = ("driver", "submit", "operator", "other")


class Refusal(Struct, frozen=True):
    """What the API said as it refused, and where that stands."""

    text: str
    proof: Evidence


def refused(case: Case) -> Answer:
    """The API refused what the application asked for: quota, rights, limit ranges, Pod Security."""
    if any(f.code == "image-not-spark" for f in case.so_far):
        return "what was refused is another program than Spark"
    told = _told(case)
    by_code = {code: mine for code, means in _MEANS.items() if (mine := [r for r in told if means(r.text)])}
    if "rbac-denied" in by_code or "limit-range" in by_code:
        by_code.pop("account-refused", None)
    return [_MAKERS.get(code, _plain)(case, code, mine) for code, mine in by_code.items()] or "the API refused nothing"


def _told(case: Case) -> list[Refusal]:
    """Everything that may be a refusal: lines of logs, warnings, and the message of the operator."""
    told = [Refusal(h.record.body + " " + h.text, of_hit(h)) for h in case.hits(*_WORDINGS, roles=_ROLES)]
    told += [
        Refusal(e.message, of_event(e)) for e in case.events if e.type == "Warning" and "forbidden" in e.message.lower()
    ]
    message = case.app.message
    if any(w in message for w in ("forbidden", "exceeded quota", "failed quota")):
        cr = case.group.cr if case.group is not None else None
        told.append(
            Refusal(message, of_workload(cr, message) if cr is not None else of_rest(case.rest.origin(""), message))
        )
    return told


def _no_account(text: str) -> bool:
    return "quota" not in text and any(w in text for w in WORDINGS["no-account"])


_MEANS: dict[str, Callable[[str], bool]] = {
    "quota-exceeded": lambda text: "exceeded quota:" in text or "failed quota:" in text,
    "limit-range": lambda text: _LIMIT.search(text) is not None,
    "pod-security": lambda text: "violates PodSecurity" in text,
    "account-refused": _no_account,
    "rbac-denied": lambda text: "exceeded quota" not in text and _FORBIDDEN.search(text) is not None,
}
"""Code → whether a text says that, in the order in which they are told."""


def _quota(case: Case, code: str, told: list[Refusal]) -> Finding:
    """A quota that is used up, or asks for a figure that the pod does not state."""
    used = _QUOTA.search(told[0].text)
    unstated = _UNSPECIFIED.search(told[0].text)
    name, more, detail = "?", "", "exceeded quota"
    if used is not None:
        name, detail = used.group(1), f"requested {used.group(2)}"
        more = f": used {used.group(3)}, limited {used.group(4).rstrip('.')}"
    elif unstated is not None:
        name, detail = unstated.group(1), f"the quota asks for a {unstated.group(2)} that the pod does not state"
    return finding(
        case,
        code,
        "I16",
        severity_of(case),
        "high",
        f"quota {name} refuses new pods{more}",
        detail=detail,
        evidence=[r.proof for r in told[:3]],
        ruled_out=[("I14", "the API refused the pod: it never reached the scheduler")],
        questions=["what holds the quota: finished pods count for object counts, running drivers for CPU and memory"],
        data=QuotaFigures(quota=name, **_wait(case, name, used)),
    )


def _wait(case: Case, quota: str, used: re.Match[str] | None) -> dict[str, Any]:
    """The figures of a wait for a quota, of an application that still waits for it."""
    if not case.app.live or used is None:
        return {}
    asked = dict(part.partition("=")[::2] for part in used.group(2).split(","))
    resource = next(iter(asked)).removeprefix("requests.").removeprefix("limits.")
    holders = case.world.spark_holders(resource, case.app.namespace, case.app.key)
    return {
        "keeper": "quota", "queue": quota, "resource": resource, "holders": holders,
        "lets_in": "an end of one that holds it, a smaller application, or a larger quota",
    }  # fmt: skip


def _right(case: Case, code: str, told: list[Refusal]) -> Finding:
    """A right that the service account of the driver lacks."""
    found = _FORBIDDEN.search(told[0].text)
    account, verb, resource = found.groups() if found is not None else ("", "", "")
    return finding(
        case,
        code,
        "I16",
        severity_of(case, fatal=True),
        "high",
        f"refused by RBAC: {account} may not {verb} {resource}",
        subject=case.driver_subject if case.driver is not None else "",
        detail="the service account of the driver lacks a right that Spark needs",
        evidence=[r.proof for r in told[:3]],
        ruled_out=[("user code", "the API answered 403 before any user code ran")],
        data=RightFigures(account=account, verb=verb, resource=resource),
    )


_TITLES = {
    "limit-range": "a LimitRange refuses the pod's size",
    "pod-security": "Pod Security refuses the pod",
    "account-refused": "the service account does not exist or is not accepted",
}


def _plain(case: Case, code: str, told: list[Refusal]) -> Finding:
    """A refusal of the API that says itself what it is."""
    return finding(case, code, "I16", severity_of(case), "high", _TITLES[code], evidence=[r.proof for r in told[:3]])


_MAKERS: dict[str, Callable[[Case, str, list[Refusal]], Finding]] = {"quota-exceeded": _quota, "rbac-denied": _right}

RULES = [
    Rule("quota-exceeded", "I16", refused, after=("quota-full",)),
]
