"""`action: suspend`: a schedule starts nothing more; a Job or an application is stopped until it is resumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from console.actions import handsoff, patches
from console.actions.aftermath import APPLICATION
from console.actions.beside import NOTHING, Beside, ReadWanted, found, owned
from console.actions.effects import Consequence, Effect
from console.actions.owners import SCHEDULED
from console.actions.pins import uid_of
from console.actions.proof import Proof, equals
from console.actions.verb import Body, Verb
from console.apps.states import over
from console.base.shapes import mapping
from console.base.text import clean

SUSPEND = "/spec/suspend"
SPARK = "sparkoperator.k8s.io"
SCHEDULES = ((SPARK, SCHEDULED), ("batch", "CronJob"))


class Suspend(Verb):
    name = "suspend"
    noun = "a suspension"
    asks = "Suspend"
    does = "suspend"
    kinds = (*SCHEDULES, ("batch", "Job"), (SPARK, "SparkApplication"))
    way_back = "always"
    wanted: ClassVar[bool] = True

    def body(self, arguments: Mapping[str, Any]) -> Body:
        return Body(patches.setting(SUSPEND, self.wanted), "merge", (SUSPEND,))

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        if kind == "SparkApplication":
            return Proof("object.status.applicationState.state|default('') in ['SUSPENDED', 'COMPLETED', 'FAILED']")
        if kind == "Job":
            return Proof(f"{equals('spec.suspend', True)} and object.status.active|default(0) == 0", hold="30s")
        return Proof(equals("spec.suspend", True), hold="1m", deadline="3m")

    def reads(self, effect: Effect, obj: dict[str, Any]) -> tuple[ReadWanted, ...]:
        assert effect.target is not None
        labels = {"kueue.x-k8s.io/job-uid": uid_of(obj)}
        queued = ReadWanted(
            "workloads", "kueue.x-k8s.io/v1beta2", "Workload", namespace=effect.target.namespace, labels=labels
        )
        return (*super().reads(effect, obj), queued)

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        known = tuple(super().obstacles(effect, obj, beside))
        yield from known
        mine = owned(found(beside, "workloads").items, uid_of(obj))
        if mine and not any("Kueue" in one for one in known):
            queue = clean(str(mapping(mine[0].get("spec")).get("queueName") or "?"))
            yield handsoff.queued(queue)
        if self.wanted and effect.target is not None and effect.target.kind == "SparkApplication":
            state = str(mapping(mapping(obj.get("status")).get("applicationState")).get("state") or "")
            if over(state):
                yield f"it is {clean(state)} already: there is nothing to suspend"

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        kind, group = obj.get("kind"), str(obj.get("apiVersion")).rpartition("/")[0]
        if (kind, group) == APPLICATION:
            return super().consequences(effect, obj, touched, now, beside)
        if kind == "Job":
            active = mapping(obj.get("status")).get("active")
            return [Consequence("restart", "warning" if active else "info", self._of_job(active))]
        return [Consequence("next run", "info", self._of_schedule())]

    def _of_job(self, active: Any) -> str:
        return "its pods are deleted; resumed, it begins with new ones" if active else "it has no pods now"

    def _of_schedule(self) -> str:
        return "no run is started until it is resumed; a present run goes on"


VERB = Suspend()
