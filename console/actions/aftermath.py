"""What a change does beside the field it sets: what restarts, what work is lost, what is not known of the sink."""

from __future__ import annotations

from typing import Any

from console.actions import patches
from console.actions.effects import Consequence, Effect
from console.apps.states import over
from console.base.clock import parse_time, time_of_day
from console.base.shapes import mapping
from console.base.text import clean, plural
from console.base.units import human_duration

APPLICATION = ("SparkApplication", "sparkoperator.k8s.io")
_EXEMPT = ("/spec/suspend", "/spec/timeToLiveSeconds")
"""Fields of a SparkApplication whose edit does not invalidate the running application."""
SINK = "whether running it again is safe for what it writes to is not known here"


def of_edit(effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float) -> list[Consequence]:
    """What an edit of these fields does to what runs."""
    kind, group = obj.get("kind"), str(obj.get("apiVersion") or "").rpartition("/")[0]
    if kind == "ScheduledSparkApplication" and effect.patch is not None:
        return [Consequence("next run", "info", "takes effect with the next run; a present run goes on as it is")]
    if group == "apps" and any(at == "/spec" or at.startswith("/spec/template") for at in touched):
        return _rolled(obj)
    if (kind, group) != APPLICATION:
        return []
    spec = [at for at in touched if at == "/spec" or at.startswith("/spec/")]
    if not spec:
        return []
    if all(at in _EXEMPT for at in spec):
        return _suspended(effect, obj, now)
    return [
        Consequence("restart", "warning", "the operator stops driver and executors and submits the job from the start"),
        *_lost(obj, now),
        Consequence("sink", "unknown", SINK),
    ]


def _rolled(obj: dict[str, Any]) -> list[Consequence]:
    """A workload gets another template."""
    spec, status = mapping(obj.get("spec")), mapping(obj.get("status"))
    if spec.get("paused") is True:
        return [Consequence("restart", "info", "its rollout is paused: no pod is replaced until it is resumed")]
    count = status.get("desiredNumberScheduled", spec.get("replicas"))
    pods = f"its {plural(count, 'pod')}" if isinstance(count, int) and count else "its pods"
    if mapping(spec.get("strategy")).get("type") == "Recreate":
        return [Consequence("restart", "warning", f"{pods} end, and only then new ones start")]
    return [Consequence("restart", "warning", f"{pods} are replaced, a few at a time")]


def of_deletion(obj: dict[str, Any], now: float) -> list[Consequence]:
    """What goes with the object."""
    kind, group = obj.get("kind"), str(obj.get("apiVersion") or "").rpartition("/")[0]
    if (kind, group) == APPLICATION:
        words = "deletes the driver and all executors with it; nothing makes it again"
        return [Consequence("restart", "warning", words), *_lost(obj, now)]
    return _pod(obj) if kind == "Pod" else []


def with_the_runbooks(effect: Effect, found: list[Consequence]) -> tuple[Consequence, ...]:
    """What was worked out; where nothing was, the runbook's words; and that it cannot be undone, where that is so."""
    out, known = list(found), {c.topic for c in found}
    if effect.restarts and "restart" not in known:
        out.append(Consequence("restart", "warning", effect.restarts))
    if effect.loses and "loss" not in known:
        out.append(Consequence("loss", "warning", effect.loses))
    if not effect.reversible and not effect.inverse_of:
        out.append(Consequence("loss", "warning", f"cannot be undone: {effect.reason or 'nothing restores it'}"))
    return tuple(out)


def _suspended(effect: Effect, obj: dict[str, Any], now: float) -> list[Consequence]:
    wanted = patches.get(effect.patch, "/spec/suspend") if effect.patch_type == "merge" else patches.MISSING
    if wanted is True:
        words = "the operator kills the driver; resuming submits the job from the start"
        return [Consequence("restart", "warning", words), *_lost(obj, now), Consequence("sink", "unknown", SINK)]
    if wanted is False:
        return [Consequence("restart", "warning", "the operator submits the job from the start")]
    return [Consequence("restart", "info", "nothing restarts")]


BETWEEN = frozenset({"FAILING", "PENDING_RERUN", "INVALIDATING", "SUBMISSION_FAILED"})
"""States of an application whose attempt is over and whose next one has not begun."""


def _lost(obj: dict[str, Any], now: float) -> list[Consequence]:
    status = mapping(obj.get("status"))
    state = str(mapping(status.get("applicationState")).get("state") or "NEW")
    if over(state):
        return [Consequence("loss", "info", f"it is {state} now: no running work is lost")]
    begun = parse_time(str(status.get("lastSubmissionAttemptTime") or ""))
    alive = sum(1 for word in mapping(status.get("executorState")).values() if word == "RUNNING")
    executors = f" on {plural(alive, 'executor')}" if alive else ""
    if begun is None:
        return [Consequence("loss", "unknown", f"it is {clean(state)}; how much work is lost is not known")]
    if state in BETWEEN and not alive:
        words = f"no attempt runs now (state {state}): what the last one did since {time_of_day(begun)} is lost already"
        return [Consequence("loss", "info", words)]
    worked = f"{human_duration(max(0.0, now - begun))} at {time_of_day(now)}"
    words = f"the work since {time_of_day(begun)}{executors} is lost: {worked} (state {clean(state)})"
    return [Consequence("loss", "warning", words)]


def _pod(obj: dict[str, Any]) -> list[Consequence]:
    role = str(mapping(mapping(obj.get("metadata")).get("labels")).get("spark-role") or "")
    if role == "executor":
        lost = "its running tasks, cached blocks and shuffle files are lost and computed again"
        return [
            Consequence("restart", "info", "the driver asks for another executor"),
            Consequence("loss", "warning", lost),
        ]
    if role == "driver":
        return [
            Consequence("restart", "warning", "the application ends; whether it starts again is its restart policy's"),
            Consequence("sink", "unknown", SINK),
        ]
    return []
