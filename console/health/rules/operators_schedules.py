"""Scheduled runs that are missed (I20), and applications that start late (I21)."""

from __future__ import annotations

from console.base.clock import parse_time
from console.health.case import World
from console.health.evidence import of_sample, of_workload
from console.health.facts import Sample
from console.health.model import Finding
from console.health.rule import Answer, WorldRule, finding

LATE = 300.0
SLOW_START = 120.0


def schedules(world: World) -> Answer:
    """Scheduled applications whose run is overdue or refused."""
    out: list[Finding] = []
    for cr in world.facts.spark:
        if cr.kind != "ScheduledSparkApplication" or cr.gone:
            continue
        state = str(cr.status.get("scheduleState") or "")
        due = cr.status.get("nextRun")
        at = parse_time(due) if isinstance(due, str) else None
        suspended = cr.spec.get("suspend") is True
        late = at is not None and world.now - at > LATE and not suspended
        broken = state not in ("", "Scheduled", "New", "Validating")
        if not late and not broken:
            continue
        last = str(cr.status.get("lastRunName") or "")
        running = next((a for a in world.apps if a.namespace == cr.namespace and a.name == last and a.live), None)
        policy = str(cr.spec.get("concurrencyPolicy") or "Allow")
        if broken:
            why = f"schedule state {state}: {cr.status.get('reason') or 'no reason given'}"
        elif running is not None and policy == "Forbid":
            why = f"the previous run {last} is still {running.state} and concurrencyPolicy is Forbid"
        else:
            why = "the operator did not start it"
        out.append(
            finding(
                None,
                "schedule-missed",
                "I20",
                "critical" if late else "warning",
                "high" if broken or running is not None else "medium",
                f"scheduled run of {cr.name} missed: {why}",
                subject=cr.key,
                since=at,
                evidence=[
                    of_workload(
                        cr, f"nextRun {due}, lastRunName {last}, scheduleState {state}, concurrencyPolicy {policy}"
                    )
                ],
                questions=[]
                if running is not None or broken
                else ["whether the operator works, and the time zone of the schedule"],
                data={"lastRun": last, "policy": policy},
            )
        )
    return out or "no schedule is overdue"


def slow_start(world: World) -> Answer:
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
                    data={"share": share},
                )
            )
    return out or "applications start in time, or no histogram says so"


def _series(sample: Sample) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))


RULES = [
    WorldRule("schedule-missed", "I20", schedules),
    WorldRule("start-latency", "I21", slow_start),
]
