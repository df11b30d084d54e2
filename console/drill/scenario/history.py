"""Weeks of the fleet before the world began: counters as functions of time, so that nothing has to be played."""

from __future__ import annotations

import bisect
import random
from collections.abc import Callable

from console.drill.scenario.model import FleetDoc
from console.drill.state import cron
from console.drill.state.cluster import ClusterState
from console.drill.state.counters import BUCKETS

DAY = 86400.0
RUN_SECONDS = 45.0
START_SECONDS = 6.5
SLOW_SHARE = 0.008
SLOW_SECONDS = 140.0


class FleetHistory:
    """How many runs the fleet had started, ended well and ended badly at any time before `until`."""

    def __init__(self, fleet: tuple[FleetDoc, ...], since: float, until: float, seed: int) -> None:
        self.fleet, self.since, self.until = fleet, since, until
        dice = random.Random(seed * 7919 + 13)
        self.failures = self._pick(dice, [job.failures for job in fleet])
        self.slow = self._pick(dice, [SLOW_SHARE] * len(fleet))
        self._counted: dict[float, float] = {}

    def _pick(self, dice: random.Random, shares: list[float]) -> list[float]:
        chosen: set[tuple[float, int]] = set()
        for index, (job, share) in enumerate(zip(self.fleet, shares, strict=True)):
            total = cron.count(job.schedule, self.since, self.until)
            for _ in range(round(total * share)):
                tick = cron.next_after(job.schedule, dice.uniform(self.since, self.until - 3700))
                chosen.add((tick, index))
        return sorted(tick for tick, _ in chosen)

    def runs(self, when: float, lag: float = 0.0) -> float:
        """Runs that had begun `lag` seconds before `when`."""
        minute = min(when - lag, self.until) // 60 * 60  # schedules come on whole minutes
        if minute not in self._counted:
            self._counted[minute] = float(sum(cron.count(job.schedule, self.since, minute) for job in self.fleet))
        return self._counted[minute]

    def failed(self, when: float, lag: float = 0.0) -> float:
        """Those of them that ended badly."""
        return float(bisect.bisect_right(self.failures, min(when - lag, self.until)))

    def late(self, when: float, lag: float = 0.0) -> float:
        """Those of them that started slowly."""
        return float(bisect.bisect_right(self.slow, min(when - lag, self.until)))


def write_history(cluster: ClusterState, fleet: tuple[FleetDoc, ...], until: float, days: float) -> None:
    """Give the operator's counters the fleet's past."""
    past = FleetHistory(fleet, until - days * DAY, until, cluster.seed)
    metrics = cluster.operator_metrics
    begun: Callable[[float], float] = lambda t: past.runs(t, 4.0)  # noqa: E731
    started: Callable[[float], float] = lambda t: past.runs(t, 8.0)  # noqa: E731
    ended: Callable[[float], float] = lambda t: past.runs(t, RUN_SECONDS)  # noqa: E731
    failed: Callable[[float], float] = lambda t: past.failed(t, RUN_SECONDS)  # noqa: E731
    good: Callable[[float], float] = lambda t: ended(t) - failed(t)  # noqa: E731
    waited: Callable[[float], float] = lambda t: (  # noqa: E731
        started(t) * START_SECONDS + past.late(t, 8.0) * (SLOW_SECONDS - START_SECONDS)
    )
    for name, history in {
        "spark_application_count": lambda t: past.runs(t),
        "spark_application_submit_count": begun,
        "spark_application_success_count": good,
        "spark_application_failure_count": failed,
        "spark_executor_success_count": good,
        "spark_executor_failure_count": failed,
        "spark_application_start_latency_seconds_count": started,
        "spark_application_start_latency_seconds_sum": waited,
        "spark_application_start_latency_seconds_histogram_count": started,
        "spark_application_start_latency_seconds_histogram_sum": waited,
        "spark_application_success_execution_time_seconds_count": good,
        "spark_application_success_execution_time_seconds_sum": lambda t: good(t) * (RUN_SECONDS - 4.0),
        "spark_application_failure_execution_time_seconds_count": failed,
        "spark_application_failure_execution_time_seconds_sum": lambda t: failed(t) * (RUN_SECONDS - 10.0),
    }.items():
        metrics.counters[name].history = history
    for bound in (*BUCKETS, float("inf")):
        quick: Callable[[float], float] = lambda t: started(t) - past.late(t, 8.0)  # noqa: E731
        metrics.buckets[bound].history = started if bound >= SLOW_SECONDS else quick
