"""What a change does beside the field it sets: what restarts, what work is lost, what is not known of the sink."""

from __future__ import annotations

from typing import Any

from console.base.clock import parse_time
from console.base.text import clean, plural
from console.base.units import human_duration
from console.operate.fit import tree
from console.runbook import patches
from console.runbook.effects import Consequence, Effect

_EXEMPT = ("/spec/suspend", "/spec/timeToLiveSeconds")
"""Fields of a SparkApplication whose edit does not invalidate the running application."""
_OVER = frozenset({"COMPLETED", "FAILED", "SUBMISSION_FAILED"})
SINK = "whether running it again is safe for what it writes to is not known here"


def consequences(effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float) -> tuple[Consequence, ...]:
    """What follows from the effect on this object, worked out from it; where nothing is, in the runbook's words."""
    out: list[Consequence] = []
    kind, group = obj.get("kind"), str(obj.get("apiVersion") or "").rpartition("/")[0]
    if kind == "SparkApplication" and group == "sparkoperator.k8s.io":
        out += _application(effect, obj, touched, now)
    elif kind == "ScheduledSparkApplication" and effect.action == "patch":
        out.append(Consequence("next run", "info", "takes effect with the next run; a present run goes on as it is"))
    elif kind == "Pod" and effect.action == "delete":
        out += _pod(obj)
    known = {c.topic for c in out}
    if effect.restarts and "restart" not in known:
        out.append(Consequence("restart", "warning", effect.restarts))
    if effect.loses and "loss" not in known:
        out.append(Consequence("loss", "warning", effect.loses))
    if not effect.reversible and not effect.inverse_of:
        out.append(Consequence("loss", "warning", f"cannot be undone: {effect.reason or 'nothing restores it'}"))
    return tuple(out)


def _application(effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float) -> list[Consequence]:
    state = str(tree(tree(obj.get("status")).get("applicationState")).get("state") or "NEW")
    if effect.action == "delete":
        return [
            Consequence("restart", "warning", "deletes the driver and all executors with it; nothing makes it again"),
            *_lost(obj, state, now),
        ]
    spec = [at for at in touched if at == "/spec" or at.startswith("/spec/")]
    if not spec:
        return []
    if all(at in _EXEMPT for at in spec):
        return _suspended(effect, obj, state, now)
    return [
        Consequence("restart", "warning", "the operator stops driver and executors and submits the job from the start"),
        *_lost(obj, state, now),
        Consequence("sink", "unknown", SINK),
    ]


def _suspended(effect: Effect, obj: dict[str, Any], state: str, now: float) -> list[Consequence]:
    wanted = patches.get(effect.patch, "/spec/suspend") if effect.patch_type == "merge" else patches.MISSING
    if wanted is True:
        words = "the operator kills the driver; resuming submits the job from the start"
        return [Consequence("restart", "warning", words), *_lost(obj, state, now), Consequence("sink", "unknown", SINK)]
    if wanted is False:
        return [Consequence("restart", "warning", "the operator submits the job from the start")]
    return [Consequence("restart", "info", "nothing restarts")]


def _lost(obj: dict[str, Any], state: str, now: float) -> list[Consequence]:
    status = tree(obj.get("status"))
    if state in _OVER:
        return [Consequence("loss", "info", f"it is {state} now: no running work is lost")]
    begun = parse_time(str(status.get("lastSubmissionAttemptTime") or ""))
    alive = sum(1 for word in tree(status.get("executorState")).values() if word == "RUNNING")
    executors = f" on {plural(alive, 'executor')}" if alive else ""
    if begun is None:
        return [Consequence("loss", "unknown", f"it is {clean(state)}; how much work is lost is not known")]
    worked = human_duration(max(0.0, now - begun))
    return [Consequence("loss", "warning", f"the work of {worked}{executors} is lost (state {clean(state)})")]


def _pod(obj: dict[str, Any]) -> list[Consequence]:
    role = str(tree(tree(obj.get("metadata")).get("labels")).get("spark-role") or "")
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
