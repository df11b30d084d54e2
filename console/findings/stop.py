"""When an application came to its end of itself: executors that go then are no losses."""

from __future__ import annotations

from functools import cached_property

from console.apps import deaths
from console.facts.model import Pod
from console.findings.applogs import AppLogs

END_OF_LOG = 30.0
"""Seconds before a log's last record in which a SIGTERM without later work is taken for the application's own end."""


class Stop:
    """The end of one application, as its driver's log and pod tell it. `ended` is when it was over (epoch seconds)."""

    def __init__(self, logs: AppLogs, driver: Pod | None, ended: float | None, *, has_pods: bool) -> None:
        self._logs, self._driver, self._ended, self._has_pods = logs, driver, ended, has_pods

    @cached_property
    def began(self) -> float | None:
        """When the driver began to stop: from its log, else from its pod."""
        found = [h.at for h in self._logs.hits("stopping", roles=("driver",)) if h.at is not None]
        if found:
            return min(found)
        if self._driver is not None and deaths.over(self._driver):
            return deaths.ended_at(self._driver)
        return None

    def covers(self, at: float | None) -> bool:
        """Whether the application was stopping already at `at`, or its log ends right there."""
        if at is None:
            return False
        if self.began is not None and at >= self.began - 2:
            return True
        if self._ended is not None and at >= self._ended - deaths.STOP_SLACK:
            return True
        return not self._has_pods and self._ends_the_log(at)

    def _ends_the_log(self, at: float) -> bool:
        """Whether the driver's log ends soon after `at`, and no work is in it from then on."""
        last = min(
            (t for text in self._logs.of("driver") if (t := text.last_time) is not None and t >= at), default=None
        )
        if last is None or at < last - END_OF_LOG:
            return False
        worked = self._logs.hits("task-failed", "task-started", "stage-submitted", "fetch-failed", roles=("driver",))
        return not any(h.at is not None and h.at > at for h in worked)
