"""`action: trigger`: a schedule's run now, as its template describes it, made as its own controller makes one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from console.actions.aftermath import SINK
from console.actions.beside import NOTHING, Beside, ReadWanted, found, owned
from console.actions.effects import Consequence, Effect
from console.actions.making import Making, name_of, stamped
from console.actions.pins import uid_of
from console.actions.proof import Proof
from console.actions.runs.suspend import SCHEDULES
from console.apps.states import over
from console.base.shapes import mapping, mappings
from console.base.text import clean

SCHEDULE_LABEL = "sparkoperator.k8s.io/scheduled-app-name"
_MANUAL = {"cronjob.kubernetes.io/instantiate": "manual"}


class Trigger(Making):
    """The run belongs to the schedule: its history limits count it, and it goes with the schedule."""

    name = "trigger"
    noun = "a trigger"
    asks = "Start a run of"
    does = "start a run of"
    kinds = SCHEDULES
    way_back = "never"
    late = True

    def no_way_back(self, *, target: bool) -> tuple[str, str] | None:
        return "what the run writes stays, although the run can be deleted", "leave `rollback` out"

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        if kind == "CronJob":
            return Proof("object.status.active|default(0) + object.status.succeeded|default(0) >= 1")
        state = "object.status.applicationState.state|default('')"
        return Proof(f"{state} in ['RUNNING', 'COMPLETED']", hold="1m", deadline="15m")

    def collection(self, effect: Effect) -> tuple[str, str] | None:
        assert effect.target is not None
        jobs = effect.target.kind == "CronJob"
        return ("batch/v1", "jobs") if jobs else (effect.target.api_version, "sparkapplications")

    def reads(self, effect: Effect, obj: dict[str, Any]) -> tuple[ReadWanted, ...]:
        target = effect.target
        assert target is not None
        if target.kind == "CronJob":
            return (*super().reads(effect, obj), ReadWanted("runs", "batch/v1", "Job", namespace=target.namespace))
        runs = ReadWanted(
            "runs", target.api_version, "SparkApplication", target.namespace, labels={SCHEDULE_LABEL: target.name}
        )
        return (*super().reads(effect, obj), runs)

    def settle(self, effect: Effect, obj: dict[str, Any], beside: Beside, now: float) -> Effect:
        target, spec = effect.target, mapping(obj.get("spec"))
        assert target is not None
        owner = {"apiVersion": target.api_version, "kind": target.kind, "name": target.name, "uid": uid_of(obj)}
        meta: dict[str, Any] = {
            "name": name_of(target.name, effect),
            "namespace": target.namespace,
            "ownerReferences": [{**owner, "controller": True}],
        }
        if target.kind == "CronJob":
            template = mapping(spec.get("jobTemplate"))
            theirs = mapping(template.get("metadata"))
            notes = {**mapping(theirs.get("annotations")), **_MANUAL}
            meta |= {"labels": mapping(theirs.get("labels")), "annotations": notes}
            return stamped(
                effect, {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template.get("spec")}
            )
        labels = {**mapping(mapping(obj.get("metadata")).get("labels")), SCHEDULE_LABEL: target.name}
        made = {"apiVersion": target.api_version, "kind": "SparkApplication", "metadata": {**meta, "labels": labels}}
        return stamped(effect, {**made, "spec": spec.get("template")})

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        present = _present(effect, obj, beside)
        if present and mapping(obj.get("spec")).get("concurrencyPolicy") in ("Forbid", "Replace"):
            yield f"its run {present} is not over, and its concurrencyPolicy lets only one run at a time"

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        out = [Consequence("restart", "info", "a run starts at once, beside those of the schedule")]
        if (seen := found(beside, "runs")).error:
            out.append(Consequence("owner", "unknown", f"whether another run is under way is not known: {seen.error}"))
        elif present := _present(effect, obj, beside):
            out.append(Consequence("owner", "warning", f"its run {present} is not over: both run at once"))
        return [*out, Consequence("sink", "unknown", SINK)]


def _present(effect: Effect, obj: dict[str, Any], beside: Beside) -> str:
    """The name of a run that is not over; `` where none is known."""
    assert effect.target is not None
    runs = found(beside, "runs").items
    for run in owned(runs, uid_of(obj)) if effect.target.kind == "CronJob" else runs:
        if not _ended(run, effect.target.kind):
            return clean(str(mapping(run.get("metadata")).get("name")))
    return ""


def _ended(run: dict[str, Any], kind: str) -> bool:
    status = mapping(run.get("status"))
    if kind != "CronJob":
        return over(str(mapping(status.get("applicationState")).get("state") or ""))
    conditions = mappings(status.get("conditions"))
    return any(c.get("type") in ("Complete", "Failed") and c.get("status") == "True" for c in conditions)


VERB = Trigger()
