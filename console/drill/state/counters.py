"""Counters of the operator: weeks of history computed from the fleet's schedules, then what happens in the world."""

from __future__ import annotations

import bisect
from collections.abc import Callable
from typing import Any

from console.base.clock import parse_time

Object = dict[str, Any]
BUCKETS = (30.0, 60.0, 90.0, 120.0, 150.0, 180.0, 210.0, 240.0, 270.0, 300.0)


class StepCounter:
    """A counter over time: a history that is a function, and steps after it, appended in order of time."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._values: list[float] = []
        self.history: Callable[[float], float] = lambda _when: 0.0

    def add(self, when: float, amount: float = 1.0) -> None:
        """It rises (or, for a gauge, falls) by `amount` at `when`."""
        value = (self._values[-1] if self._values else 0.0) + amount
        if self._times and self._times[-1] == when:
            self._values[-1] = value
        else:
            self._times.append(when)
            self._values.append(value)

    def at(self, when: float) -> float:
        """Its value at a time."""
        index = bisect.bisect_right(self._times, when) - 1
        return self.history(when) + (self._values[index] if index >= 0 else 0.0)


class OperatorMetrics:
    """What the kubeflow operator exposes at :8080/metrics, label `app_type`.

    The label says Unknown, as it does on the recorded cluster even for Python applications.
    """

    def __init__(self) -> None:
        self.counters = {
            name: StepCounter()
            for name in (
                "spark_application_count",
                "spark_application_submit_count",
                "spark_application_failed_submission_count",
                "spark_application_success_count",
                "spark_application_failure_count",
                "spark_application_running_count",
                "spark_application_start_latency_seconds_count",
                "spark_application_start_latency_seconds_sum",
                "spark_application_start_latency_seconds_histogram_count",
                "spark_application_start_latency_seconds_histogram_sum",
                "spark_application_success_execution_time_seconds_count",
                "spark_application_success_execution_time_seconds_sum",
                "spark_application_failure_execution_time_seconds_count",
                "spark_application_failure_execution_time_seconds_sum",
                "spark_executor_running_count",
                "spark_executor_success_count",
                "spark_executor_failure_count",
            )
        }
        self.buckets = {bound: StepCounter() for bound in (*BUCKETS, float("inf"))}

    def step(self, name: str, when: float, amount: float = 1.0) -> None:
        """Move one of the counters."""
        self.counters[name].add(when, amount)

    def latency(self, when: float, seconds: float) -> None:
        """An application started `seconds` after it was made."""
        self.step("spark_application_start_latency_seconds_count", when)
        self.step("spark_application_start_latency_seconds_sum", when, seconds)
        self.step("spark_application_start_latency_seconds_histogram_count", when)
        self.step("spark_application_start_latency_seconds_histogram_sum", when, seconds)
        for bound, counter in self.buckets.items():
            if seconds <= bound:
                counter.add(when)

    def added(self, when: float) -> None:
        """An application was made."""
        self.step("spark_application_count", when)

    def submitted(self, when: float) -> None:
        """An application was submitted."""
        self.step("spark_application_submit_count", when)

    def not_submitted(self, when: float) -> None:
        """A submission failed."""
        self.step("spark_application_failed_submission_count", when)

    def started(self, when: float, app: Object) -> None:
        """A driver runs."""
        self.step("spark_application_running_count", when)
        since = parse_time(app["status"].get("lastSubmissionAttemptTime")) or when
        made = parse_time(app["metadata"]["creationTimestamp"]) or when
        first = int(app["status"].get("executionAttempts") or 1) == 1 and app["metadata"].get("generation", 1) == 1
        self.latency(when, max(0.0, when - (made if first else since)))

    def stopped(self, when: float) -> None:
        """A running application was taken down by an edit."""
        self.step("spark_application_running_count", when, -1)

    def ended(self, when: float, app: Object, good: bool) -> None:
        """A run ended."""
        self.stopped(when)
        kind = "success" if good else "failure"
        self.step(f"spark_application_{kind}_count", when)
        since = parse_time(app["status"].get("lastSubmissionAttemptTime")) or when
        self.step(f"spark_application_{kind}_execution_time_seconds_count", when)
        self.step(f"spark_application_{kind}_execution_time_seconds_sum", when, max(0.0, when - since))

    def executor_started(self, when: float) -> None:
        """An executor runs."""
        self.step("spark_executor_running_count", when)

    def executor_ended(self, when: float, good: bool) -> None:
        """An executor ended."""
        self.step("spark_executor_running_count", when, -1)
        self.step(f"spark_executor_{'success' if good else 'failure'}_count", when)
