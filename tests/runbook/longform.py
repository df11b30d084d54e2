"""A runbook that is written in the long form throughout: what tests of that form break, step and walk."""

from __future__ import annotations

from pathlib import Path

from console.runbook import schema
from console.runbook.model import Runbook

FILE = Path(__file__).parents[1] / "data" / "runbooks" / "long-form.yaml"
LONG: Runbook = schema.load(FILE.read_text(encoding="utf-8"), FILE.name)
