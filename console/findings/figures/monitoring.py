"""Figures of findings about the monitoring itself."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class RuleGroupFigures(Figures, frozen=True, kw_only=True):
    """Rules of one group that Prometheus cannot evaluate, or not in time. `file` is where it loaded them from."""

    CODES: ClassVar = ("monitoring-rule-error", "monitoring-rule-late")

    rules: tuple[str, ...]
    file: str


class SilentRules(Figures, frozen=True, kw_only=True):
    """Rules of one group that can never give anything. `series`: what they read and nobody exports, each with why."""

    CODES: ClassVar = ("monitoring-series-missing", "monitoring-selector-empty")

    rules: tuple[str, ...]
    file: str
    series: tuple[str, ...]


class SilentObjective(Figures, frozen=True, kw_only=True):
    """An objective that counts nothing. `series`: what it reads and nobody exports, each with why."""

    CODES: ClassVar = ("monitoring-objective-blind",)

    series: tuple[str, ...]


class LabelsNotKept(Figures, frozen=True, kw_only=True):
    """kube-state-metrics without Spark's labels.

    Attributes:
        containers: of Spark that run now.
        allow_list: the argument that it needs.
    """

    CODES: ClassVar = ("monitoring-pod-labels",)

    containers: float
    allow_list: str


class TargetsDown(Figures, frozen=True, kw_only=True):
    """Targets (`host:port`) of one scrape job that do not answer, `of` how many it has."""

    CODES: ClassVar = ("monitoring-target-down",)

    targets: tuple[str, ...]
    of: int


class ScrapesMissing(Figures, frozen=True, kw_only=True):
    """Targets (`host:port`) of which scrapes are missing."""

    CODES: ClassVar = ("monitoring-scrape-gap",)

    targets: tuple[str, ...]


class WrittenRuleFigures(Figures, frozen=True, kw_only=True):
    """Rules that are written in an object and that no Prometheus has: those that are meant, `of` how many are lost."""

    CODES: ClassVar = ("monitoring-rule-invalid", "monitoring-rule-not-loaded", "monitoring-rules-not-mounted")

    rules: tuple[str, ...]
    of: int
