"""What each event of a walk says, in a sentence. Texts from outside are clean already; here they stay plain text."""

from __future__ import annotations

from console.base.units import human_duration
from console.runbook.effects import Effect
from console.runbook.walk import (
    Answered,
    AnyEvent,
    Applied,
    Confirmed,
    Ended,
    Entered,
    HoldBegan,
    HoldBroke,
    Intent,
    Judged,
    Landed,
    Noted,
    Offered,
    Previewed,
    Refused,
    Resumed,
    Skipped,
    Started,
    Verified,
)

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
        return f"{effect.target.kind} {effect.target.words}"
    return " ".join(effect.argv[1:2]) or "a script"


def sentence(event: AnyEvent) -> str:
    """One event in one sentence."""
    match event:
        case Started():
            return f"{event.actor} began the walk on {event.subject or 'no application'}"
        case Entered():
            return "entered"
        case Judged():
            return f"{event.status}: {event.because}"
        case Answered():
            return f"{event.by} answered: {event.value}" if event.value else f"{event.by} went on"
        case Skipped():
            return f"skipped: {event.because}"
        case Previewed():
            if event.preview.read_only:
                return f"shown, not offered: {event.preview.read_only}"
            return f"asked to confirm: {event.preview.effect.title}"
        case Confirmed():
            typed = f", typing {event.typed}" if event.typed else ""
            return f"{event.by} confirmed{typed}"
        case Refused():
            return f"not done ({event.by}): {event.because}"
        case Intent():
            return f"about to {_verb(event.effect)} {target_of(event.effect)}"
        case Applied():
            return ("done" if event.ok else "failed") + (f": {event.message}" if event.message else "")
        case Landed():
            word = {"yes": "it had arrived", "no": "it had not arrived", "unknown": "whether it arrived is not known"}
            return word[event.answer] + (f": {event.because}" if event.because else "")
        case HoldBegan():
            return event.because or "it holds"
        case HoldBroke():
            return f"does not hold: {event.because}" if event.because else "does not hold"
        case Verified():
            return f"{event.verdict}: {event.because}"
        case Offered():
            return f"rollback offered, {event.by} said {event.answer}"
        case Noted():
            return f"note of {event.by}: {event.text}"
        case Resumed():
            return f"resumed by {event.by}" + (f", {event.because}" if event.because else "")
        case Ended():
            return f"{OUTCOMES[event.outcome]}: {event.because}"


def _verb(effect: Effect) -> str:
    if effect.inverse_of:
        return "roll back"
    return {"patch": "change", "delete": "delete", "script": "run a script on"}[effect.action]


def duration(seconds: float | None) -> str:
    """`4m`, or a dash where it did not come to that."""
    return "–" if seconds is None else human_duration(seconds)


def objective(was: object) -> str:
    """How an objective stood, of what walks keep: `burning, budget 84%, burn 5m 30.2, 1h 12.1`."""
    if not isinstance(was, dict):
        return "not measured"
    state, left = was.get("state"), was.get("budget_left")
    words = [str(state)] if state else []
    words.append("budget unknown" if not isinstance(left, int | float) else f"budget {left:.0%} left")
    burn = was.get("burn")
    burns = burn if isinstance(burn, dict) else {}
    rates = []
    for seconds, rate in [(w, burns[w]) for w in SHOWN if w in burns] or list(burns.items())[:3]:
        name = human_duration(float(seconds))
        rates.append(f"{name} {rate:.1f}" if isinstance(rate, int | float) else f"{name} no data")
    return ", ".join([*words, *(["burn " + " · ".join(rates)] if rates else [])])
