"""Executors that never come, told without their pods: by the driver, by Spark's REST, by a standalone master."""

from __future__ import annotations

from msgspec import Struct

from console.apps.evidence import of_rest
from console.base.shapes import mappings
from console.facts.evidence import Evidence
from console.facts.logs import Hit
from console.facts.model import RestDocument
from console.facts.rest import Row, num, text
from console.findings.case import Case


class Unregistered(Struct, frozen=True):
    """What says that no executor registers.

    Attributes:
        too_big: places where driver or master say that no worker is large enough.
        starved: places where the driver says that it got nothing, after the last task that is known to have run.
        waits: a standalone master lists the application as WAITING.
        idle: Spark's REST shows a running stage of which no task ever ran.
    """

    too_big: tuple[Hit, ...]
    starved: tuple[Hit, ...]
    waits: tuple[Evidence, ...]
    idle: tuple[Evidence, ...]

    @property
    def seen(self) -> bool:
        return bool(self.too_big or self.starved or self.waits or self.idle)

    @property
    def listed(self) -> bool:
        """Whether a master itself says it, so that it is no guess."""
        return bool(self.too_big or self.waits)


def unregistered(case: Case) -> Unregistered:
    """What says that no executor of an application registers."""
    worked = _worked(case)
    return Unregistered(
        too_big=tuple(h for h in case.hits("too-big", roles=("driver", "master")) if worked is None),
        starved=tuple(
            h for h in case.hits("no-resources", roles=("driver",)) if h.at is None or worked is None or h.at > worked
        ),
        waits=_waits_at_master(case),
        idle=_idle_stage(case),
    )


def _worked(case: Case) -> float | None:
    """When an executor last registered or a task last ran; None where neither is known."""
    signs = case.hits("executor-registered", "task-failed", "task-started", "task-running")
    times = [h.at for h in signs if h.at is not None]
    done = any(
        num(r, "totalTasks") > 0 or num(r, "activeTasks") > 0 for k, r in case.rest.executors.items() if k != "driver"
    )
    return max(times, default=None) or (0.0 if done else None)


def _waits_at_master(case: Case) -> tuple[Evidence, ...]:
    """The first standalone master that lists the application as WAITING without a core."""
    for doc in case.world.shared_rest:
        if doc.path != "master" or not isinstance(doc.data, dict):
            continue
        for row in mappings(doc.data.get("activeapps")):
            if row.get("id") == case.app.app_id and row.get("state") == "WAITING" and num(row, "cores") == 0:
                return (_waiting_for(doc, row),)
    return ()


def _waiting_for(doc: RestDocument, row: Row) -> Evidence:
    free = sum(num(w, "memoryfree") for w in mappings(doc.data.get("workers")))
    wants = num(row, "memoryperexecutor") or num(row, "memoryperslave")
    return of_rest(doc.origin, f"{text(row, 'name')} WAITING, wants {wants:.0f} MiB per executor, {free:.0f} MiB free")


def _idle_stage(case: Case) -> tuple[Evidence, ...]:
    """A running stage of which no task ever ran, and no executor: in REST that looks like running."""
    rest = case.rest
    if any(key != "driver" for key in rest.executors) or not rest.of("executors") + rest.of("allexecutors"):
        return ()
    if case.app.running_executors or num(rest.executors.get("driver", {}), "totalCores"):
        return ()
    for (stage, attempt), row in rest.stages.items():
        idle = num(row, "numActiveTasks") + num(row, "numCompleteTasks") + num(row, "numFailedTasks") == 0
        if text(row, "status") == "ACTIVE" and idle and num(row, "numTasks"):
            words = f"stage {stage}.{attempt} ACTIVE with 0 of {num(row, 'numTasks'):.0f} tasks begun, and no executor"
            return (of_rest(rest.origin("stages"), words),)
    return ()
