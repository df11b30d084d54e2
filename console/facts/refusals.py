"""Why the API refused to create a pod: what refused it, which field, and what would let it pass. Kinds are data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from console.base.clock import parse_time
from console.base.text import clean, shorten
from console.facts.model import Event, Facts, Workload
from console.facts.replicas import replicas

RefusalKind = Literal[
    "pod-security", "security-context-constraint", "quota", "limit-range", "service-account", "priority-class",
    "webhook", "rights", "invalid", "other",
]  # fmt: skip


class PodRefusal(Struct, frozen=True):
    """A pod that was not created.

    Attributes:
        by: what refused it, in words: `Pod Security "restricted:latest"`, `quota team`.
        fields: what of the pod it is about, as the API names it.
        remedy: what lets the pod pass.
    """

    kind: RefusalKind
    by: str
    fields: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def words(self) -> str:
        """Who refuses it and why, in one line."""
        return f"{self.by}: {'; '.join(self.fields)}" if self.fields else self.by


class _Form(Struct, frozen=True):
    """How one kind of refusal is worded. `by` and `remedy` may use the named groups of `pattern`."""

    kind: RefusalKind
    pattern: re.Pattern[str]
    by: str
    remedy: str
    fields: re.Pattern[str] | None = None


_PROFILE_FIELDS = re.compile(r"([A-Za-z][^(),:\"]*?) (\((?:[^()]*must (?:not )?set [^()]*|[^()]*)\))")
_SCC_FIELDS = re.compile(
    r"\.?((?:spec|metadata|containers|initContainers|securityContext|volumes)\b[\w.\[\]/-]*): "
    r"((?:Invalid value|Forbidden): .+?)(?=, (?:provider |\.?(?:spec|metadata|containers|initContainers)\b)|\]*$)"
)
_FORMS = (
    _Form(
        "pod-security",
        re.compile(r'violates PodSecurity \\?"(?P<profile>[^"\\]+)\\?": ?(?P<rest>.*)', re.DOTALL),
        'Pod Security "{profile}"',
        "set these fields in the pod template (with an image whose user is a number), or give the namespace a wider "
        "pod-security.kubernetes.io/enforce label",
        _PROFILE_FIELDS,
    ),
    _Form(
        "security-context-constraint",
        re.compile(r"unable to validate against any security context constraint:? ?(?P<rest>.*)", re.DOTALL),
        "every security context constraint that its account may use",
        "leave user and group ids unset, so that those of the namespace are taken, or give the service account a "
        "constraint that allows them (oc adm policy add-scc-to-user)",
        _SCC_FIELDS,
    ),
    _Form(
        "quota",
        re.compile(
            r"exceeded quota: (?P<quota>[^,\s]+), (?P<rest>requested: .*?, used: .*?, limited: [^\s\\\"]+)", re.DOTALL
        ),
        "quota {quota}",
        "free what holds the quota, ask for less, or have the quota raised",
        re.compile(r"(requested: .*)"),
    ),
    _Form(
        "quota",
        re.compile(r"failed quota: (?P<quota>[^:\s]+): (?P<rest>must specify [^\"\\]{1,120})", re.DOTALL),
        "quota {quota}",
        "state these requests and limits in the pod template, or give the namespace a LimitRange with defaults",
        re.compile(r"(must specify .*)"),
    ),
    _Form(
        "limit-range",
        re.compile(r"(?P<rest>(?:maximum|minimum) [\w./-]+ usage per \w+ is [^\"\\\]]{1,120})"),
        "a LimitRange",
        "ask for a size within the LimitRange",
        re.compile(r"(.+)"),
    ),
    _Form(
        "service-account",
        re.compile(r'service ?account \\?"?(?P<account>[\w./-]+)\\?"? (?:was )?not found', re.IGNORECASE),
        "its service account {account} does not exist",
        "create the service account, or name one that exists in serviceAccountName",
    ),
    _Form(
        "priority-class",
        re.compile(r"no PriorityClass with name (?P<name>\S+) was found"),
        "there is no PriorityClass {name}",
        "create the PriorityClass, or leave priorityClassName out",
    ),
    _Form(
        "webhook",
        re.compile(
            r'(?:admission webhook|failed calling webhook) \\?"(?P<name>[^"\\]+)\\?"(?: denied the request)?:? '
            r"?(?P<rest>.{0,160})",
            re.DOTALL,
        ),
        "the admission webhook {name}",
        "do what the webhook asks for, or have its owner look at why it does not answer",
        re.compile(r"(.+)"),
    ),
    _Form(
        "rights",
        re.compile(r'User \\?"?(?P<user>[^"\\\s]+)\\?"? cannot (?P<rest>\w+ resource \\?"?[\w./]+)'),
        "{user} may not {rest}",
        "give the account this right",
    ),
    _Form("invalid", re.compile(r"is invalid: (?P<rest>.{1,200})", re.DOTALL), "the pod template is not valid",
          "correct the field", re.compile(r"(.+)")),
)  # fmt: skip
_BETWEEN = (" ", ": ")
RECENT = 3600.0
"""Seconds for which a refusal counts whose workload is not read, so that nobody knows whether it has its pods."""


class CreateFailure(Struct, frozen=True):
    """A workload whose pods are not created.

    Attributes:
        subject: key of the workload, of its ReplicaSet where the Deployment is not known.
        place: what said so: the event's object, or the workload's condition.
        since: the first time that is known; `last` the last.
        none_ready: none of its pods is ready; None where its replicas are not known.
    """

    subject: str
    refusal: PodRefusal
    message: str
    place: str
    since: float | None
    last: float | None
    none_ready: bool | None = None


def create_failures(facts: Facts) -> tuple[CreateFailure, ...]:
    """Every workload that lacks pods because their creation failed: by its events, and by the condition that outlives
    them. One that has all its pods by now is none of them."""
    known = {workload.key: workload for workload in facts.workloads if not workload.gone}
    told: dict[str, CreateFailure] = {}
    for one in (*_from_conditions(known.values()), *_from_events(facts.events, known)):
        told[one.subject] = _joined(told[one.subject], one) if one.subject in told else one
    judged = (_lasting(one, known.get(one.subject), facts.at) for one in told.values())
    return tuple(one for one in judged if one is not None)


def _from_conditions(workloads: Iterable[Workload]) -> Iterable[CreateFailure]:
    for workload in workloads:
        for condition in _conditions(workload):
            if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
                message, at = str(condition.get("message") or ""), parse_time(condition.get("lastTransitionTime"))
                yield CreateFailure(workload.key, pod_refusal(message), message, workload.key, at, at)


def _from_events(events: Iterable[Event], known: Mapping[str, Workload]) -> Iterable[CreateFailure]:
    for event in events:
        if event.reason == "FailedCreate":
            first, last = event.first or event.last, event.last or event.first
            place = f"event {event.about}"
            yield CreateFailure(_owner(event, known), pod_refusal(event.message), event.message, place, first, last)


def _joined(one: CreateFailure, other: CreateFailure) -> CreateFailure:
    """What was said last, since what was said first."""
    newest = other if (other.last or 0.0) >= (one.last or 0.0) else one
    return replace(newest, since=min((at for at in (one.since, other.since) if at is not None), default=None))


def _lasting(one: CreateFailure, workload: Workload | None, now: float) -> CreateFailure | None:
    """The failure, if pods still lack; where nobody knows that, if it is recent."""
    counted = replicas(workload.kind, workload.spec, workload.status) if workload is not None else None
    if counted is not None:
        return replace(one, none_ready=counted[1] == 0) if counted[1] < counted[0] else None
    return one if one.last is None or now - one.last <= RECENT else None


def _conditions(workload: Workload) -> list[Mapping[str, Any]]:
    conditions = workload.status.get("conditions")
    return [c for c in conditions if isinstance(c, Mapping)] if isinstance(conditions, list) else []


def _owner(event: Event, known: Mapping[str, Workload]) -> str:
    """Key of the workload that a person knows: the Deployment of a ReplicaSet, the CronJob of a Job."""
    above = {"ReplicaSet": "Deployment", "Job": "CronJob"}.get(event.kind)
    if above is not None:
        key = f"{above}/{event.namespace}/{event.name.rpartition('-')[0]}"
        if key in known:
            return key
    return event.about


def pod_refusal(message: str) -> PodRefusal:
    """What a refusal of the API says, by whatever refused it; its own words where it has none of the known forms."""
    for form in _FORMS:
        found = form.pattern.search(message)
        if found is None:
            continue
        said = {name: clean(value or "") for name, value in found.groupdict().items()}
        return PodRefusal(
            form.kind, form.by.format_map(said), _fields(form.fields, found.groupdict().get("rest") or ""), form.remedy
        )
    return PodRefusal("other", shorten(clean(message), 200))


def _fields(pattern: re.Pattern[str] | None, text: str) -> tuple[str, ...]:
    if pattern is None:
        return ()
    told: Iterable[str] = (
        _BETWEEN[pattern is _SCC_FIELDS].join(part for part in found.groups() if part)
        for found in pattern.finditer(text)
    )
    return tuple(dict.fromkeys(shorten(clean(one).strip(), 160) for one in told))
