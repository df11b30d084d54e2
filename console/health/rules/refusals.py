"""Refusals of quota, rights and limits by the API (I16)."""

from __future__ import annotations

import re

from console.health.case import Case
from console.health.evidence import of_event, of_hit, of_rest, of_workload
from console.health.model import Evidence, Finding
from console.health.rule import Answer, Rule, finding, severity_of
from console.health.wordings import WORDINGS

_QUOTA = re.compile(r"exceeded quota: ([^,\s]+), requested: (.*?), used: (.*?), limited: ([^\s\\\"]+)")
_UNSPECIFIED = re.compile(r"failed quota: ([^:\s]+): must specify ([\w.,/ -]{1,80})")
_FORBIDDEN = re.compile(r'User \\?"?([^"\\\s]+)\\?"? cannot (\w+) resource \\?"?([\w./]+)')


def refused(case: Case) -> Answer:
    """The API refused what the application asked for: quota, rights, limit ranges, Pod Security."""
    out: list[Finding] = []
    texts: list[tuple[str, Evidence]] = [
        (h.record.body + " " + h.text, of_hit(h))
        for h in case.hits(
            "quota",
            "forbidden",
            "limit-range",
            "pod-security",
            "no-account",
            roles=("driver", "submit", "operator", "other"),
        )
    ]
    texts += [(e.message, of_event(e)) for e in case.events if e.type == "Warning" and "forbidden" in e.message.lower()]
    if case.app.message and any(w in case.app.message for w in ("forbidden", "exceeded quota", "failed quota")):
        cr = case.group.cr if case.group is not None else None
        texts.append(
            (
                case.app.message,
                of_workload(cr, case.app.message)
                if cr is not None
                else of_rest(case.rest.origin(""), case.app.message),
            )
        )
    quota = [(t, e) for t, e in texts if "exceeded quota:" in t or "failed quota:" in t]
    limit = [(t, e) for t, e in texts if re.search(r"(maximum|minimum) \w+ usage per", t)]
    security = [(t, e) for t, e in texts if "violates PodSecurity" in t]
    account = [(t, e) for t, e in texts if any(w in t for w in WORDINGS["no-account"]) and "quota" not in t]
    rights = [(t, e) for t, e in texts if _FORBIDDEN.search(t) and "exceeded quota" not in t]
    if quota:
        found = _QUOTA.search(quota[0][0])
        unspecified = _UNSPECIFIED.search(quota[0][0])
        name = found.group(1) if found else unspecified.group(1) if unspecified else "?"
        out.append(
            finding(
                case,
                "quota-exceeded",
                "I16",
                severity_of(case),
                "high",
                f"quota {name} refuses new pods"
                + (f": used {found.group(3)}, limited {found.group(4).rstrip('.')}" if found else ""),
                detail=f"requested {found.group(2)}"
                if found
                else f"the quota asks for a {unspecified.group(2)} that the pod does not state"
                if unspecified
                else "exceeded quota",
                evidence=[e for _, e in quota[:3]],
                ruled_out=[("I14", "the API refused the pod: it never reached the scheduler")],
                questions=[
                    "what holds the quota: finished pods count for object counts, running drivers for CPU and memory"
                ],
                data={"quota": name},
            )
        )
    if limit:
        out.append(_refusal(case, "limit-range", "a LimitRange refuses the pod's size", limit))
    if security:
        out.append(_refusal(case, "pod-security", "Pod Security refuses the pod", security))
    if account and not rights and not limit:
        out.append(_refusal(case, "account-refused", "the service account does not exist or is not accepted", account))
    if rights:
        found = _FORBIDDEN.search(rights[0][0])
        who = (
            f"{found.group(1)} may not {found.group(2)} {found.group(3)}"
            if found
            else "the service account lacks rights"
        )
        out.append(
            finding(
                case,
                "rbac-denied",
                "I16",
                severity_of(case, fatal=True),
                "high",
                f"refused by RBAC: {who}",
                subject=case.driver_subject if case.driver is not None else "",
                detail="the service account of the driver lacks a right that Spark needs",
                evidence=[e for _, e in rights[:3]],
                ruled_out=[("user code", "the API answered 403 before any user code ran")],
                data={
                    "account": found.group(1) if found else "",
                    "verb": found.group(2) if found else "",
                    "resource": found.group(3) if found else "",
                },
            )
        )
    return out or "the API refused nothing"


def _refusal(case: Case, code: str, title: str, texts: list[tuple[str, Evidence]]) -> Finding:
    """A refusal of the API that says itself what it is."""
    return finding(case, code, "I16", severity_of(case), "high", title, evidence=[e for _, e in texts[:3]])


RULES = [
    Rule("quota-exceeded", "I16", refused, after=("quota-full",)),
]
