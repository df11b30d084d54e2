"""What each event of a walk says, in a sentence. Texts from outside are clean already; here they stay plain text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from console.actions import verbs
from console.actions.effects import Effect
from console.base.clock import rfc3339, time_of_day
from console.base.shapes import mapping
from console.base.units import human_duration
from console.facts.model import Alert
from console.runbook.events.people import CONFIRMATION
from console.runbook.state import Undone
from console.runbook.state import words_of as subject_words
from console.runbook.walk import (
    Answered,
    AnswerRefused,
    AnyEvent,
    Applied,
    ApprovalAsked,
    Approved,
    Called,
    ChangeRefused,
    Confirmed,
    Edited,
    Entered,
    Escalated,
    EscalationAnswered,
    EvidenceKept,
    Followed,
    GuardOverruled,
    HandedOver,
    HoldBegan,
    HoldBroke,
    Intent,
    Judged,
    Landed,
    LockTaken,
    LookedBack,
    Noted,
    Offered,
    Previewed,
    Resumed,
    RightsAsked,
    RulesWidened,
    Skipped,
    Started,
    TakenOver,
    Verified,
    Walk,
    WalkEnded,
    WalkEvent,
    WalkLeft,
)
from console.slo import words as words_of

if TYPE_CHECKING:
    from console.timeline.record import WalkRecord

SHOWN = ("300", "3600", "21600")
"""Windows, in seconds, whose burn rates tell a person most."""
OUTCOMES = {
    "resolved": "resolved",
    "mitigated": "mitigated",
    "handed_over": "handed over",
    "not_applicable": "not applicable",
    "unresolved": "unresolved",
}


def target_of(effect: Effect) -> str:
    """`SparkApplication spark-jobs/etl-orders`, or what the script is called."""
    if effect.target is not None:
        return effect.about
    return " ".join(effect.argv[1:2]) or "a script"


def meant(walk: Walk) -> tuple[str, ...]:
    """What a walk is about, a line each: runbook and subject, cluster, alert, inputs that were not a default."""
    cluster = walk.cluster
    marks = [str(cluster.get("mode") or ""), "production" if cluster.get("production") else "",
             "drill" if is_drill(walk) else ""]  # fmt: skip
    where = str(cluster.get("context") or cluster.get("server") or "no cluster")
    lines = [
        f"runbook {walk.runbook} {walk.version} on {walk.about or 'no application'}",
        f"cluster {where}" + "".join(f", {mark}" for mark in marks if mark),
    ]
    if walk.alert is not None:
        lines.append(f"alert {alert_words(walk.alert, walk.started)}")
    for name, value in walk.inputs.items():
        if (origin := walk.origins.get(name, "")) not in ("", "default"):
            lines.append(f"{name} = {value} ({origin})")
    return tuple(lines)


def is_drill(walk: Walk) -> bool:
    """Whether it was walked on a simulated cluster."""
    return walk.cluster.get("kind") == "simulated"


def alert_words(alert: Alert, at: float) -> str:
    """`SparkPodOOMKilled, firing for 23m (app=etl, namespace=jobs)` as it stood at a time."""
    since = f" for {human_duration(at - alert.since)}" if alert.since is not None and alert.state == "firing" else ""
    labels = ", ".join(f"{k}={v}" for k, v in sorted(alert.labels.items()) if k != "alertname")
    return f"{alert.name}, {alert.state}{since}" + (f" ({labels})" if labels else "")


def sentence(event: AnyEvent) -> str:
    """One event in one sentence."""
    return _SENTENCES[type(event)](event)


def session(parts: dict[str, Any]) -> str:
    """What tells one session from another: `terminal pts/3, SSH from 10.0.0.5, process 77, in Kubernetes as ada`."""
    if not parts:
        return ""
    kube = parts.get("kubernetes")
    said = [f"in Kubernetes as {kube}" if kube else "in Kubernetes as nobody that is known"]
    if parts.get("pid"):
        origin = f"SSH from {parts['ssh_from']}" if parts.get("ssh_from") else "no SSH session"
        terminal = f"terminal {parts['tty']}" if parts.get("tty") else "no terminal"
        said = [terminal, origin, f"process {parts['pid']}", *said]
    return ", ".join(said)


def _answered(event: Answered) -> str:
    if not event.value:
        return f"{event.by} went on"
    said = f"“{event.label}”" if event.label else event.value
    return f"{event.by} answered: {said}"


def _previewed(event: Previewed) -> str:
    if event.preview.read_only:
        return f"shown, not offered: {event.preview.read_only}"
    return f"asked to confirm: {event.preview.effect.title}"


def _escalated(event: Escalated) -> str:
    until = f", to be answered by {time_of_day(event.due)}" if event.due is not None else ""
    because = f": {' '.join(event.because.split())}" if event.because else ""
    return f"{event.whom} was to be called{until}{because}"


def _escalation_answered(event: EscalationAnswered) -> str:
    if event.answer == "late":
        return "the deadline passed without an answer on record"
    if event.answer == "taken":
        return f"{event.who} took it" + (f", by the word of {event.by}" if event.by not in ("", event.who) else "")
    return f"{event.by} passed it on" + (f": {event.who}" if event.who else "")


def _landed(event: Landed) -> str:
    word = {"yes": "it had arrived", "no": "it had not arrived", "unknown": "whether it arrived is not known"}
    return word[event.answer] + (f": {event.because}" if event.because else "")


def _called(event: Called) -> str:
    what = f"{event.verb} {event.about}" + (" (dry run)" if event.dry_run else "")
    if event.refused:
        return f"the script was not let through: {what}: {event.refused}"
    if not event.status:
        return f"the script sends: {what}" if not event.message else f"the script sent: {what}: {event.message}"
    return f"the server answered {event.status}: {what}" + (f": {event.message}" if event.message else "")


def _kept(event: EvidenceKept) -> str:
    held = (
        f"kept before it is sent: {', '.join(event.holds)}" if event.holds else "nothing could be kept of what it ends"
    )
    lacks = f"; not kept: {'; '.join(event.lacks)}" if event.lacks else ""
    return held + lacks + (f" (to read it again: console incident kept {event.effect})" if event.holds else "")


def _widened(event: RulesWidened) -> str:
    goes = "goes on under them" if event.answer == "yes" else "keeps to those that it began with"
    return f"the rules are wider than when it began ({'; '.join(event.wider)}); by the word of {event.by} it {goes}"


_SENTENCES: dict[type[WalkEvent], Callable[[Any], str]] = {
    Started: lambda e: f"{e.actor} began the walk on {subject_words(e.subject) or 'no application'}",
    Entered: lambda e: "entered",
    Judged: lambda e: f"{e.status}: {e.because}",
    Answered: _answered,
    Skipped: lambda e: f"skipped: {e.because}",
    Previewed: _previewed,
    Confirmed: lambda e: f"{e.by} confirmed" + (f", typing {e.typed}" if e.typed else ""),
    ApprovalAsked: lambda e: (
        f"waits for a second person, who approves {e.digest[:12]} in {e.place} within {human_duration(e.wait)}"
    ),
    Approved: lambda e: f"{e.by} approved {e.digest[:12]} as the second person, in {e.place}",
    ChangeRefused: lambda e: f"not done ({e.by}): {e.because}",
    EvidenceKept: _kept,
    Intent: lambda e: f"about to {_verb(e.effect)} {target_of(e.effect)}",
    Called: _called,
    Applied: lambda e: ("done" if e.ok else "failed") + (f": {e.message}" if e.message else ""),
    Landed: _landed,
    HoldBegan: lambda e: e.because or "it holds",
    HoldBroke: lambda e: f"does not hold: {e.because}" if e.because else "does not hold",
    Verified: lambda e: f"{e.verdict}: {e.because}",
    Offered: lambda e: f"{e.by} asked for the rollback" if e.answer == "yes" else f"{e.by} left the change in place",
    LookedBack: lambda e: f"looked at what the rollback leaves: {e.words}",
    Noted: lambda e: f"note of {e.by}: {e.text}",
    Escalated: _escalated,
    EscalationAnswered: _escalation_answered,
    HandedOver: lambda e: f"{e.by} handed it over" + (f": {e.text}" if e.text else ""),
    AnswerRefused: lambda e: (
        f"{e.by} mistyped the confirmation: {e.because}"
        if e.what == CONFIRMATION
        else f"{e.by} wanted {e.what}, which was refused: {e.because}"
    ),
    Edited: lambda e: f"{e.by} set {e.input} to {e.value}" + (f" instead of {e.was}" if e.was else ""),
    Resumed: lambda e: f"resumed by {e.by}" + (f", {e.because}" if e.because else ""),
    WalkLeft: lambda e: f"{e.by} closed Console: the walk waits where it stands",
    Followed: lambda e: f"{'recurred' if e.kind == 'recurred' else 'it lasts'}: {e.because}",
    RulesWidened: _widened,
    RightsAsked: lambda e: (
        "; ".join(e.words)
        or (
            "the one right that its steps need is there"
            if e.asked == 1
            else f"all {e.asked} rights that its steps need are there"
        )
    ),
    GuardOverruled: lambda e: f"{e.by} went on against a guard ({e.guard}: {e.against}), because: {e.because}",
    LockTaken: lambda e: f"{e.by} took the lock of {e.about} from {e.holder}, because: {e.because}",
    TakenOver: lambda e: f"{e.by} took the walk over from {e.was}, because: {e.because}",
    WalkEnded: lambda e: f"{OUTCOMES[e.outcome]}: {e.because}",
}


def _verb(effect: Effect) -> str:
    if effect.inverse_of:
        return "roll back"
    verb = verbs().get(effect.action)
    return effect.action if verb is None else verb.does


NOBODY_ON_IT = "waits, nobody is on it"
HANDED_OVER = "handed over, waits"
_REFUSED = {
    "person": "declined",
    "policy": "refused by the policy",
    "mode": "refused by the mode",
    "permission": "refused, a right is missing",
    "lock": "refused, it is locked",
    "server": "refused by the API server",
    "changed": "refused, it had changed",
    "obstacle": "refused, something is in the way",
}
"""How a walk ended at a change that somebody or something refused, by who did."""


def outcome(walk: Walk, on_it: str = "") -> str:
    """How a walk ended, or how it waits.

    Args:
        on_it: which process is on it; the journal does not say.
    """
    if walk.recurred:
        return "recurred"
    if walk.outcome:
        said = _REFUSED[_refused_by(walk)] if declined(walk) else OUTCOMES[walk.outcome]
        return f"{said}, rolled back" if walk.rolled_back and walk.outcome == "unresolved" else said
    if on_it:
        return f"{on_it} is on it"
    if walk.handed is not None:
        return HANDED_OVER
    return "in doubt, nobody is on it" if walk.status == "in doubt" else NOBODY_ON_IT


def status(walk: Walk, on_it: str) -> str:
    """Where a walk stands, as scripts read it: what nobody is on neither runs nor holds, it waits."""
    return "waiting" if not on_it and walk.status in ("running", "holding") else walk.status


def declined(walk: Walk) -> bool:
    """Whether it ended because its change was refused: nobody was handed anything."""
    made = [step for step in walk.steps if step.goto]
    return walk.outcome == "handed_over" and not walk.writes and bool(made) and made[-1].state == "refused"


def _refused_by(walk: Walk) -> str:
    """Who or what refused the change at which it ended; a person where an older record does not say."""
    last = next(step.step for step in reversed(walk.steps) if step.goto)
    by = str(mapping(walk.outputs.get(last)).get("by", ""))
    return by if by in _REFUSED else "person"


def because(walk: Walk) -> str:
    """Why it ended so, or why that is not true any more; what was rolled back, and what state that leaves."""
    ended = OUTCOMES[walk.outcome or "unresolved"]
    said = f"{walk.recurred} ({rfc3339(walk.recurred_at)}); it had ended {ended}" if walk.recurred else walk.because
    return " ".join([said, *(f"{_taken_back(walk, undone)}: {undone.left}." for undone in walk.rolled_back)]).strip()


def _taken_back(walk: Walk, undone: Undone) -> str:
    """`Rolled back: Raise executor memory to 4352m`: by the title of the change where that is known."""
    inverse = next((e.inverse_of for e in walk.writes if e.id == undone.effect), "")
    return f"Rolled back: {next((e.title for e in walk.writes if e.id == inverse), undone.title)}"


def rights(walk: Walk) -> dict[str, Any] | None:
    """What was found of the rights of a walk's steps, as scripts read it; None where nobody asked."""
    if walk.rights is None:
        return None
    tree: dict[str, Any] = msgspec.to_builtins(walk.rights)
    return {key: tree[key] for key in ("asked", "missing", "unknown", "rule")}


def escalations(walk: Walk) -> list[dict[str, Any]]:
    """Who was called, as scripts read it; `answer` is null as long as it is open."""
    return [
        {
            "step": one.step,
            "whom": one.whom,
            "because": one.because,
            "paste": one.paste,
            "at": rfc3339(one.at),
            "due": rfc3339(one.due),
            "answer": one.answer or None,
            "who": one.who or None,
            "by": one.by or None,
            "answered": rfc3339(one.answered),
        }
        for one in walk.escalations
    ]


def recovery(record: WalkRecord) -> str:
    """When it was verified that it helped: each verification that held, where the walk ended well and that is true."""
    held = [event for event in record.events if isinstance(event, Verified) and event.verdict == "effective"]
    walk = record.walk
    named = [f"{human_duration(e.at - walk.started)}: {record.titles.get(e.step, e.step)}" for e in held]
    verified = record.spans()["to_verified"]
    if verified is not None:
        return f"{named[-1]} (before it, after {'; '.join(named[:-1])})" if len(named) > 1 else duration(verified)
    if walk.ended is None and held:
        return f"– (so far held, after {'; '.join(named)})"
    if walk.recurred and held:
        return f"– (not any more; it had been after {'; '.join(named)})"
    return f"– (only this held, after {'; '.join(named)})" if held and not walk.recurred and walk.impact_after else "–"


def duration(seconds: float | None) -> str:
    """`4m`, or a dash where it did not come to that."""
    return "–" if seconds is None else human_duration(seconds)


def objective(was: object) -> str:
    """How an objective stood, of what walks keep: `burning, budget 84%, burn 5m 30.2, 1h 12.1`."""
    if not isinstance(was, dict):
        return "not measured"
    state, left = was.get("state"), was.get("budget_left")
    still = f" ({was['still']})" if state and was.get("still") else ""
    words = [f"{state}{still}"] if state else []
    words.append("budget unknown" if not isinstance(left, int | float) else f"budget {words_of.budget_left(left)} left")
    burn = was.get("burn")
    burns = burn if isinstance(burn, dict) else {}
    rates = []
    for seconds, rate in [(w, burns[w]) for w in SHOWN if w in burns] or list(burns.items())[:3]:
        name = human_duration(float(seconds))
        rates.append(f"{name} {words_of.rate(rate)}" if isinstance(rate, int | float) else f"{name} no data")
    return ", ".join([*words, *(["burn " + " · ".join(rates)] if rates else [])])
