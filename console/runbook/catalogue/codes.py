"""Every code that a finding can have: those that rules, kinds and figures are registered with, and the others."""

from __future__ import annotations

from functools import cache

from console.findings.figures import families
from console.findings.kinds import all_kinds, operator_kinds
from console.findings.proof import CITED, RECORDED
from console.findings.rules import all_rules

FURTHER = (
    "connect-session-lost",
    "connect-unreachable",
    "driver-configmap-missing",
    "driver-idle",
    "driver-jvm-does-not-end",
    "driver-vanished",
    "limit-range",
    "main-class-missing",
    "monitoring-no-endpoints",
    "monitoring-port-missing",
    "monitoring-selects-nothing",
    "monitoring-stale",
    "not-judged",
    "operator-backlog",
    "sidecar-crash",
    "start-timed-out",
    "volume-not-mounted",
)
"""Codes that a rule gives beside the one that names it, and that have no figures of their own."""


@cache
def codes() -> frozenset[str]:
    """Codes of all findings."""
    kinds = {kind.code for kind in (*all_kinds(), *operator_kinds())}
    rules = {rule.code for group in all_rules() for rule in group}
    return frozenset({*families(), *kinds, *rules, *FURTHER})


def classes() -> frozenset[str]:
    """Incident classes that a finding can have."""
    return frozenset({*RECORDED, *CITED})
