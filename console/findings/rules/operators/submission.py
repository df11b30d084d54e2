"""Submissions that fail, by themselves or by a webhook (I17)."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from console.apps.evidence import of_event, of_hit, of_workload
from console.base.text import shorten
from console.facts import logs
from console.facts.chain import decisive
from console.facts.evidence import Evidence
from console.facts.logs import Hit
from console.facts.model import Event
from console.facts.wordings import WORDINGS
from console.findings.case import Case, ClusterView
from console.findings.figures.operators import SubmissionFigures
from console.findings.kinds import CODES, operator_kinds
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, WorldRule, finding

_HOOK = re.compile(
    r"failed calling webhook \\?\"([^\"\\]+)|admission webhook \\?\"([^\"\\]+)\\?\" denied the request:? ?(.{0,160})"
)
_LINE = 300
_TIMEOUT = re.compile(r"[?&]timeout=\w+")


class Attempted(Struct, frozen=True):
    """What tells of a submission that failed: lines of logs about webhooks, warnings, and the operator's message.

    `failed` says that the operator itself calls it failed.
    """

    hooks: list[Hit]
    events: list[Event]
    message: str
    failed: bool

    @property
    def seen(self) -> bool:
        return self.failed or bool(self.hooks or self.events) or "webhook" in self.message

    @property
    def text(self) -> str:
        """Everything that was said, in one."""
        return " ".join([self.message, *(h.record.body for h in self.hooks[:5]), *(e.message for e in self.events)])


def submission_failed(case: Case) -> Answer:
    """spark-submit failed, or an admission webhook refused or did not answer."""
    attempted = _attempted(case)
    if not attempted.seen:
        return _no_class(case) or "the application was submitted"
    if any(f.class_ == "I16" for f in case.so_far):
        return "the submission was refused by quota or RBAC: that is I16"
    known = next((f for f in case.so_far if f.code in CODES and f.severity == "critical"), None)
    if known is not None and "webhook" not in attempted.text:
        return f"why it failed is known: {known.code}"
    text, message = attempted.text, attempted.message
    told = "webhook" in text or "Exception" in text
    why = _webhook(text) or _first_error(message) or "see the operator's message"
    return [
        finding(
            case,
            "submission-failed",
            "I17",
            "critical",
            "high" if told else "medium",
            f"submission failed: {why}",
            detail=shorten(_essence(message), 600, middle=True),
            evidence=_proof(case, attempted),
            ruled_out=[("I18", "the operator gave up: the state is final, not stuck")] if attempted.failed else [],
            questions=[]
            if told
            else ["the operator's log around this time: the output of spark-submit (quota, rights, image, arguments)"],
            data=SubmissionFigures(why=why),
        )
    ]


def _attempted(case: Case) -> Attempted:
    message = case.app.message
    return Attempted(
        hooks=case.hits("webhook", roles=("driver", "submit", "operator", "other")),
        events=[
            e
            for e in case.events
            if e.type == "Warning" and ("webhook" in e.message or e.reason == "SparkApplicationSubmissionFailed")
        ],
        message=message,
        failed=case.app.state.upper() == "SUBMISSION_FAILED"
        or any(word in message for word in WORDINGS["submit-failed"]),
    )


def _no_class(case: Case) -> list[Finding]:
    """A main class that is not there. That of Spark Connect has a rule of its own."""
    hits = unloadable(case, "driver", "submit")
    if not hits or any("SparkConnectServer" in h.text for h in hits):
        return []
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


def _webhook(text: str) -> str:
    """How a webhook stopped it: it refused, or it was not reached; `` where none is spoken of."""
    found = _HOOK.search(text)
    if found is not None and found.group(2):
        return f"webhook {found.group(2)} denied it: {found.group(3)}".strip()
    if found is None and "webhook" not in text:
        return ""
    name = found.group(1) if found is not None else ""
    return f"webhook {name} fails: {_unreached(text)}".replace("  ", " ")


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
    if re.search(r": eof\b", low):
        return "the connection ends without an answer (a proxy or a mesh's sidecar between?)"
    return "it cannot be reached"


def _proof(case: Case, attempted: Attempted) -> list[Evidence]:
    cr = case.group.cr if case.group is not None else None
    message = attempted.message
    return [
        *([of_workload(cr, f"state {case.app.state}: {_essence(message)}")] if cr is not None and message else []),
        *[_told(e) for e in attempted.events[-2:]],
        *[of_hit(h) for h in attempted.hooks[:2]],
    ]


def _essence(message: str) -> str:
    """What matters of the output of spark-submit: from the webhook's name or the first error on."""
    found = _HOOK.search(message)
    if found is not None:
        return message[found.start() :]
    return _first_error(message) or message


def _told(event: Event) -> Evidence:
    return of_event(replace(event, message=_essence(event.message)))


def _first_error(message: str) -> str:
    """The line of a submission's output that decides, cut in the middle."""
    found = decisive(message)
    if found is not None:
        return shorten(" ".join(found.line.split()), _LINE, middle=True)
    lines = [line.strip() for line in message.strip().splitlines()]
    line = next((one for one in lines if "Exception" in one or "rror" in one), lines[0] if lines else "")
    return shorten(line, _LINE, middle=True)


_REFUSED_APP = re.compile(r"(?i)failed to (?:submit|run spark-submit)")
_NAMED = re.compile(r'"name": ?"([\w.-]+)", ?"namespace": ?"([\w.-]+)"')
_NAMED_BACK = re.compile(r'"namespace": ?"([\w.-]+)", ?"name": ?"([\w.-]+)"|SparkApplication ([\w.-]+)/([\w.-]+)')
_LIMITS = ("exceeded quota", "failed quota", "is forbidden: User", "violates PodSecurity")


def refused_submissions(world: ClusterView) -> Answer:
    """Submissions that fail by the operator's log, of applications that nothing else speaks of."""
    known = {(a.namespace, a.name) for a in world.apps}
    found: dict[tuple[str, str], Hit] = {}
    operators = [t for t in world.shared if t.log.role == "operator"]
    for hit in logs.find(operators, "submit-failed", WORDINGS["submit-failed"]):
        key = _application(hit.text)
        if key not in known and (key[1] or _REFUSED_APP.search(hit.text)):
            found[key] = hit
    out = [_refused(namespace, name, hit) for (namespace, name), hit in found.items()]
    return out or "no operator's log tells of a submission that failed"


def _application(line: str) -> tuple[str, str]:
    """(namespace, name) of the application that an operator's line is about; `` where it names none."""
    if (one := _NAMED.search(line)) is not None:
        return one.group(2), one.group(1)
    if (back := _NAMED_BACK.search(line)) is not None:
        return back.group(1) or back.group(3), back.group(2) or back.group(4)
    return "", ""


def _refused(namespace: str, name: str, hit: Hit) -> Finding:
    limited = any(word in hit.text for word in _LIMITS)
    why = _first_error(hit.text.partition("failed to run spark-submit")[2].strip(" :") or hit.text)
    return finding(
        None,
        "submission-refused",
        "I16" if limited else "I17",
        "critical",
        "medium",
        f"submission of {name or 'an application'} failed: {why}",
        subject=f"SparkApplication/{namespace}/{name or 'unknown'}",
        evidence=[of_hit(hit)],
        questions=["the application's status and events: whether a later submission succeeded"],
        data=SubmissionFigures(why=why),
    )


RULES = [
    WorldRule("submission-refused", "I17", refused_submissions),
    Rule(
        "submission-failed",
        "I17",
        submission_failed,
        after=("operator-down", "operator-submit-killed", *(kind.code for kind in operator_kinds())),
        last=True,
    ),
]
