"""Faults of authorization."""

from __future__ import annotations

from console.drill.scenario.faults.base import FaultKind

FAULTS = [
    FaultKind(
        "deny",
        ("verbs", "groups", "resources", "namespaces", "users"),
        None,
        lambda plan: plan.at(lambda: plan.deny(plan.options)),
    )
]
