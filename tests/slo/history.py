"""A real Prometheus over a made-up past: samples are written to its storage before it starts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.cluster.monitoring import Prometheus
from tests.cluster.parts import require_parts

Curve = Callable[[float], float | None]
"""Value of a series at a time, or None where it has no sample."""


def served(
    folder: Path,
    series: Mapping[str, Curve],
    start: float,
    end: float,
    step: float,
    config: dict[str, Any] | None = None,
) -> Prometheus:
    """A Prometheus that has these series from `start` to `end`, one sample every `step` seconds; it scrapes nothing,
    unless `config` says so."""
    promtool = require_parts("prometheus", "promtool")["promtool"]
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, curve in sorted(series.items()):
        at = start
        while at <= end:
            if (value := curve(at)) is not None:
                lines.append(f"{name} {value} {at:.3f}")
            at += step
    source = folder / "past.om"
    source.write_text("\n".join(lines) + "\n# EOF\n")
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", "-q", source, folder / "tsdb"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return Prometheus(folder, config or {"global": {"scrape_interval": "15s"}, "scrape_configs": []})
