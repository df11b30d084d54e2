"""`values`: the named expressions of a runbook."""

from __future__ import annotations

import contextlib
from typing import Any

from console.runbook import template
from console.runbook.model import Runbook


def named_values(runbook: Runbook, ctx: dict[str, Any]) -> dict[str, Any]:
    """Each expression sees those above it. What cannot be known is left out."""
    out: dict[str, Any] = {}
    for name, expression in runbook.values.items():
        with contextlib.suppress(template.TemplateError):
            out[name] = template.evaluate(expression, {**ctx, "values": out})
    return out
