"""Submissions that fail, by themselves or by a webhook (I17)."""

from __future__ import annotations

import re

from msgspec.structs import replace

from console.health import logs
from console.health.case import Case, World
from console.health.evidence import of_event, of_hit, of_workload
from console.health.facts import Event
from console.health.logs import Hit
from console.health.model import Evidence, Finding
from console.health.rule import Answer, Rule, WorldRule, finding
from console.health.wordings import WORDINGS

_HOOK = re.compile(
    r"failed calling webhook \\?\"([^\"\\]+)|admission webhook \\?\"([^\"\\]+)\\?\" denied the request:? ?(.{0,160})"
)
_TIMEOUT = re.compile(r"[?&]timeout=\w+")


def submission_failed(case: Case) -> Answer:
    """spark-submit failed, or an admission webhook refused or did not answer."""
    hooks = case.hits("webhook", roles=("driver", "submit", "operator", "other"))
    events = [
        e
        for e in case.events
        if e.type == "Warning" and ("webhook" in e.message or e.reason == "SparkApplicationSubmissionFailed")
    ]
    failed = case.app.state.upper() == "SUBMISSION_FAILED" or any(
        word in case.app.message for word in WORDINGS["submit-failed"]
    )
    main_class = unloadable(case, "driver", "submit")
    message = case.app.message
    if not hooks and not events and not failed and "webhook" not in message:
        if main_class and not any("SparkConnectServer" in h.text for h in main_class):
            return _no_class(case)
        return "the application was submitted"
    if any(f.class_ == "I16" for f in case.so_far):
        return "the submission was refused by quota or RBAC: that is I16"
    text = " ".join([message, *(h.record.body for h in hooks[:5]), *(e.message for e in events)])
    found = _HOOK.search(text)
    if found is not None and found.group(2):
        why = f"webhook {found.group(2)} denied it: {found.group(3)}".strip()
    elif found is not None or "webhook" in text:
        name = found.group(1) if found is not None else ""
        reason = _unreached(text)
        why = f"webhook {name} fails: {reason}".replace("  ", " ")
    else:
        why = _first_error(message) or "see the operator's message"
    cr = case.group.cr if case.group is not None else None
    proof: list[Evidence] = (
        [of_workload(cr, f"state {case.app.state}: {_essence(message)}")] if cr is not None and message else []
    )
    return [
        finding(
            case,
            "submission-failed",
            "I17",
            "critical",
            "high" if "webhook" in text or "Exception" in text else "medium",
            f"submission failed: {why}",
            detail=_essence(message)[:240],
            evidence=[*proof, *[_told(e) for e in events[-2:]], *[of_hit(h) for h in hooks[:2]]],
            ruled_out=[("I18", "the operator gave up: the state is final, not stuck")] if failed else [],
            questions=[]
            if "webhook" in text or "Exception" in text
            else ["the operator's log around this time: the output of spark-submit (quota, rights, image, arguments)"],
            data={"why": why},
        )
    ]


def _no_class(case: Case) -> list[Finding]:
    hits = unloadable(case, "driver", "submit")
    return [
        finding(
            case,
            "main-class-missing",
            None,
            "critical",
            "high",
            "the main class is not in the image or the jar",
            evidence=[of_hit(h) for h in hits[:2]],
        )
    ]


def unloadable(case: Case, *roles: str) -> list[Hit]:
    """Main classes that could not be loaded; SLF4J says the same of a binding that nobody needs."""
    return [h for h in case.hits("no-main-class", roles=roles) if "SLF4J" not in h.text and "org.slf4j" not in h.text]


def _unreached(text: str) -> str:
    """Why a webhook was not asked. Every such message names the URL with its `?timeout=`, which says nothing."""
    low = _TIMEOUT.sub("", text.lower())
    if "x509" in low:
        return "its certificate is refused"
    if "no endpoints available" in low or ("service " in low and "not found" in low):
        return "its service has no endpoints"
    if "connection refused" in low or "no such host" in low or "no route to host" in low:
        return "nobody serves it"
    if "timeout" in low or "deadline" in low:
        return "it does not answer"
    return "it cannot be reached"


def _essence(message: str) -> str:
    """What matters of the output of spark-submit: from the webhook's name or the first error on."""
    found = _HOOK.search(message)
    if found is not None:
        return message[found.start() :]
    return _first_error(message) or message


def _told(event: Event) -> Evidence:
    return of_event(replace(event, message=_essence(event.message)))


def _first_error(message: str) -> str:
    for line in message.splitlines():
        if "Exception" in line or "rror" in line:
            return line.strip()[:140]
    return message.strip().splitlines()[0][:140] if message.strip() else ""


_REFUSED_APP = re.compile(r"(?i)failed to (?:submit|run spark-submit)")
_NAMED = re.compile(r'"name": ?"([\w.-]+)", ?"namespace": ?"([\w.-]+)"')
_NAMED_BACK = re.compile(r'"namespace": ?"([\w.-]+)", ?"name": ?"([\w.-]+)"|SparkApplication ([\w.-]+)/([\w.-]+)')
_LIMITS = ("exceeded quota", "failed quota", "is forbidden: User", "violates PodSecurity")


def refused_submissions(world: World) -> Answer:
    """Submissions that fail by the operator's log, of applications that nothing else speaks of."""
    known = {(a.namespace, a.name) for a in world.apps}
    found: dict[tuple[str, str], tuple[str, Evidence]] = {}
    for hit in logs.find(
        [t for t in world.shared if t.log.role == "operator"], "submit-failed", WORDINGS["submit-failed"]
    ):
        one, back = _NAMED.search(hit.text), _NAMED_BACK.search(hit.text)
        if one is not None:
            key = (one.group(2), one.group(1))
        elif back is not None:
            key = (back.group(1) or back.group(3), back.group(2) or back.group(4))
        else:
            key = ("", "")
        if key not in known and (key[1] or _REFUSED_APP.search(hit.text)):
            found[key] = (hit.text, of_hit(hit))
    out = []
    for (namespace, name), (text, proof) in found.items():
        limited = any(word in text for word in _LIMITS)
        why = _first_error(text.partition("failed to run spark-submit")[2].strip(" :") or text)
        out.append(
            finding(
                None,
                "submission-refused",
                "I16" if limited else "I17",
                "critical",
                "medium",
                f"submission of {name or 'an application'} failed: {why}",
                subject=f"SparkApplication/{namespace}/{name or 'unknown'}",
                evidence=[proof],
                questions=["the application's status and events: whether a later submission succeeded"],
                data={"why": why},
            )
        )
    return out or "no operator's log tells of a submission that failed"


RULES = [
    WorldRule("submission-refused", "I17", refused_submissions),
    Rule("submission-failed", "I17", submission_failed, after=("operator-down",), last=True),
]
