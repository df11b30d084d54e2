"""Alerting rules: evaluated on their interval as far as time has come, remembered as spans of pending and firing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from console.drill.prometheus.metrics.scraped import Scraped, ScrapeTarget
from console.drill.prometheus.metrics.world_series import WorldStorage
from console.drill.prometheus.promql.engine import Evaluator, parse
from console.drill.prometheus.promql.model import NAME, EvalError, Labels, labels_of, unnamed
from console.drill.prometheus.promql.operators import number

INTERVAL = 30


@dataclass(frozen=True)
class AlertingRule:
    """An alerting rule."""

    alert: str
    expr: str
    hold: float
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass
class ActiveAlert:
    """One alert of a rule, from its first sign to its end. Times in seconds."""

    rule: AlertingRule
    labels: Labels
    active_at: float
    value: float
    annotations: dict[str, str]
    firing_at: float | None = None
    ended_at: float | None = None
    updated_at: float = 0.0

    def state(self, when: float) -> str:
        """`pending`, `firing` or `inactive` at a time."""
        if when < self.active_at or (self.ended_at is not None and when >= self.ended_at):
            return "inactive"
        return "firing" if self.firing_at is not None and when >= self.firing_at else "pending"


@dataclass
class _Health:
    state: str = "unknown"
    error: str = ""
    evaluated: float = 0.0


@dataclass
class RuleManager:
    """All rules of one Prometheus."""

    storage: WorldStorage
    rules: tuple[AlertingRule, ...]
    since: float
    alerts: list[ActiveAlert] = field(default_factory=list)
    health: dict[str, _Health] = field(default_factory=dict)
    _next: float = 0.0

    def __post_init__(self) -> None:
        self._parsed = {rule.alert: parse(rule.expr) for rule in self.rules}
        self._next = -(-self.since // INTERVAL) * INTERVAL
        self.storage.alerts = self.series

    def catch_up(self) -> None:
        """Evaluate everything that is due by now."""
        now = self.storage.now
        while self._next <= now:
            for rule in self.rules:
                self._evaluate(rule, self._next)
            self._next += INTERVAL

    def active(self, when: float) -> list[ActiveAlert]:
        """Pending and firing alerts."""
        self.catch_up()
        return [alert for alert in self.alerts if alert.state(when) != "inactive"]

    def _evaluate(self, rule: AlertingRule, when: float) -> None:
        health = self.health.setdefault(rule.alert, _Health())
        health.evaluated = when
        at = int(when * 1000)
        try:
            vector = Evaluator(self.storage, at, at).vector(self._parsed[rule.alert], at)
        except EvalError as error:
            health.state, health.error = "err", str(error)
            return
        health.state, health.error = "ok", ""
        open_alerts = {a.labels: a for a in self.alerts if a.rule is rule and a.ended_at is None}
        seen: set[Labels] = set()
        for sample in vector:
            own = dict(unnamed(sample.labels))
            labels = labels_of({**own, **self._expand(rule.labels, own, sample.value), "alertname": rule.alert})
            seen.add(labels)
            alert = open_alerts.get(labels)
            if alert is None:
                annotations = self._expand(rule.annotations, own, sample.value)
                alert = ActiveAlert(rule, labels, when, sample.value, annotations)
                self.alerts.append(alert)
            alert.value, alert.updated_at = sample.value, when
            alert.annotations = self._expand(rule.annotations, own, sample.value)
            if alert.firing_at is None and when - alert.active_at >= rule.hold:
                alert.firing_at = when
        for labels, alert in open_alerts.items():
            if labels not in seen:
                alert.ended_at = alert.updated_at = when

    def _expand(self, texts: dict[str, str], labels: dict[str, str], value: float) -> dict[str, str]:
        def replace(match: re.Match[str]) -> str:
            return labels.get(match.group(1), "") if match.group(1) else number(value)

        pattern = re.compile(r"\{\{\s*\$(?:labels\.(\w+)|value)\s*\}\}")
        return {key: pattern.sub(replace, text) for key, text in texts.items()}

    def series(self, name: str, now: int) -> Iterator[Scraped]:
        """`ALERTS` and `ALERTS_FOR_STATE`."""
        if not self._evaluating:
            self.catch_up()
        target = ScrapeTarget("rules", "rules", float(INTERVAL), self.since)
        for alert in list(self.alerts):
            if name == "ALERTS_FOR_STATE":
                labels = labels_of({**dict(alert.labels), NAME: name})
                yield Scraped(labels, target, _while_active(alert), now)
                continue
            for state in ("pending", "firing"):
                labels = labels_of({**dict(alert.labels), "alertstate": state, NAME: name})
                yield Scraped(labels, target, _in_state(alert, state), now)

    @property
    def _evaluating(self) -> bool:
        return self._next <= self.storage.now and any("ALERTS" in rule.expr for rule in self.rules)

    def groups(self) -> list[dict[str, Any]]:
        """`/api/v1/rules` groups, times as epoch seconds."""
        self.catch_up()
        now = self.storage.now
        out = []
        for rule in self.rules:
            health = self.health.get(rule.alert, _Health())
            mine = [a for a in self.alerts if a.rule is rule and a.state(now) != "inactive"]
            states = {a.state(now) for a in mine}
            out.append(
                {
                    "rule": rule,
                    "state": "firing" if "firing" in states else "pending" if states else "inactive",
                    "alerts": mine,
                    "health": health,
                }
            )
        return out


def _while_active(alert: ActiveAlert) -> Any:
    return lambda t: float(int(alert.active_at)) if alert.state(t) != "inactive" else None


def _in_state(alert: ActiveAlert, state: str) -> Any:
    return lambda t: 1.0 if alert.state(t) == state else None
