"""`app`: the application that the walk is about."""

from __future__ import annotations

from typing import Any

from console.apps.model import SparkApp
from console.base.redact import redact_value
from console.runbook.context.plain import plain


def application(app: SparkApp | None) -> dict[str, Any]:
    """The application with `subject` and `live`, without secrets; empty where there is none."""
    if app is None:
        return {}
    tree: dict[str, Any] = redact_value(plain(app))
    return {**tree, "subject": app.subject, "live": app.live}
