"""Scheduled runs that are missed (I20), and applications that start late (I21)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from console.apps.evidence import of_sample, of_workload
from console.apps.model import SparkApp
from console.base.clock import parse_time
from console.facts.model import Sample, Workload
from console.findings.case import ClusterView
from console.findings.figures.operators import MissedRunFigures, StartLatencyFigures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding

LATE = 300.0
SLOW_START = 120.0


class Schedule(Struct, frozen=True):
    """A schedule as its status tells it.

    Attributes:
        due: the next run as it is written; `at` the same in epoch seconds, None where that is no time.
        state: its state; `` where the operator has not said one.
        last: name of the run that it started last; `running` is that application, where it still runs.
    """

    cr: Workload
    due: Any
    at: float | None
    state: str
    last: str
    running: SparkApp | None
    policy: str

    @property
    def broken(self) -> bool:
        return self.state not in ("", "Scheduled", "New", "Validating")

    def late(self, now: float) -> bool:
        return self.at is not None and now - self.at > LATE and self.cr.spec.get("suspend") is not True

    @property
    def why(self) -> str:
        """Why its run did not come."""
        if self.broken:
            return f"schedule state {self.state}: {self.cr.status.get('reason') or 'no reason given'}"
        if self.running is not None and self.policy == "Forbid":
            return f"the previous run {self.last} is still {self.running.state} and concurrencyPolicy is Forbid"
        return "the operator did not start it"


def schedules(world: ClusterView) -> Answer:
    """Scheduled applications whose run is overdue or refused."""
    known = [_schedule(world, cr) for cr in world.facts.spark if cr.kind == "ScheduledSparkApplication" and not cr.gone]
    out = [_missed(one, late) for one in known if (late := one.late(world.now)) or one.broken]
    return out or "no schedule is overdue"


def _schedule(world: ClusterView, cr: Workload) -> Schedule:
    due = cr.status.get("nextRun")
    last = str(cr.status.get("lastRunName") or "")
    return Schedule(
        cr=cr,
        due=due,
        at=parse_time(due) if isinstance(due, str) else None,
        state=str(cr.status.get("scheduleState") or ""),
        last=last,
        running=next((a for a in world.apps if a.namespace == cr.namespace and a.name == last and a.live), None),
        policy=str(cr.spec.get("concurrencyPolicy") or "Allow"),
    )


def _missed(one: Schedule, late: bool) -> Finding:
    plain = one.broken or one.running is not None
    words = f"nextRun {one.due}, lastRunName {one.last}, scheduleState {one.state}, concurrencyPolicy {one.policy}"
    return finding(
        None,
        "schedule-missed",
        "I20",
        "critical" if late else "warning",
        "high" if plain else "medium",
        f"scheduled run of {one.cr.name} missed: {one.why}",
        subject=one.cr.key,
        since=one.at,
        evidence=[of_workload(one.cr, words)],
        questions=[] if plain else ["whether the operator works, and the time zone of the schedule"],
        data=MissedRunFigures(last_run=one.last, policy=one.policy),
    )


def suspended(world: ClusterView) -> Answer:
    """Schedules that somebody suspended: none of their runs comes until it is taken back."""
    held = [cr for cr in world.facts.spark if _is_suspended(cr)]
    return [_suspended(cr) for cr in held] or "no schedule is suspended"


def _is_suspended(cr: Workload) -> bool:
    return cr.kind == "ScheduledSparkApplication" and not cr.gone and cr.spec.get("suspend") is True


def _suspended(cr: Workload) -> Finding:
    last = cr.status.get("lastRun")
    ran = f"its last run began {last}" if isinstance(last, str) and last else "no run of it is known"
    writers = ", ".join(cr.managers)
    return finding(
        None,
        "schedule-suspended",
        "I20",
        "info",
        "high",
        f"schedule {cr.name} is suspended: {ran}",
        subject=cr.key,
        detail=f"suspend: true, schedule {cr.spec.get('schedule')}; written by {writers or 'nobody known'}",
        evidence=[
            of_workload(
                cr, f"spec.suspend true, lastRun {last or 'none'}, nextRun {cr.status.get('nextRun') or 'none'}"
            )
        ],
        questions=["who suspended it, and until when it was meant"],
    )


def slow_start(world: ClusterView) -> Answer:
    """Too many applications start slowly, by the operator's histogram."""
    total: dict[tuple[tuple[str, str], ...], Sample] = {}
    for sample in world.samples.get("spark_application_start_latency_seconds_histogram_count", []):
        total[_series(sample)] = sample
    out: list[Finding] = []
    for sample in world.samples.get("spark_application_start_latency_seconds_histogram_bucket", []):
        if sample.labels.get("le") not in ("120", "120.0"):
            continue
        whole = total.get(_series(sample))
        if whole is None or whole.value < 10 or (whole.at or 0) != (sample.at or 0):
            continue
        share = 1 - sample.value / whole.value
        if share > 0.1:
            out.append(
                finding(
                    None,
                    "start-latency",
                    "I21",
                    "warning",
                    "medium",
                    f"{share:.0%} of {whole.value:.0f} applications took more than {SLOW_START:.0f} s to start",
                    subject="Component//spark-operator",
                    evidence=[of_sample(sample), of_sample(whole)],
                    questions=["which phase: submit latency, Pending (I14), image pull (I13), new nodes"],
                    data=StartLatencyFigures(share=share),
                )
            )
    return out or "applications start in time, or no histogram says so"


def _series(sample: Sample) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))


RULES = [
    WorldRule("schedule-missed", "I20", schedules),
    WorldRule("schedule-suspended", "I20", suspended),
    WorldRule("start-latency", "I21", slow_start),
]
