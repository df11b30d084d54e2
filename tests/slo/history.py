"""A real Prometheus over a made-up past: samples are written to its storage before it starts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from console.health.facts import Origin, Sample
from tests.cluster.monitoring import Prometheus
from tests.cluster.parts import require_parts

Curve = Callable[[float], float | None]
"""Value of a series at a time, or None where it has no sample."""


def served(folder: Path, series: Mapping[str, Curve], start: float, end: float, step: float) -> Prometheus:
    """A Prometheus that has these series from `start` to `end`, one sample every `step` seconds."""
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
    return Prometheus(folder, {"global": {"scrape_interval": "15s"}, "scrape_configs": []})


@dataclass
class Reading:
    samples: tuple[Sample, ...]
    state: str
    detail: str


class Client:
    """The few lines of a client that SLO measurements need, over HTTP."""

    def __init__(self, url: str) -> None:
        self.url, self.queries = url, 0
        self.session = requests.Session()
        self.session.trust_env = False

    async def query(
        self, batch: Mapping[str, str], *, at: float | None = None, deadline: float = 15.0
    ) -> dict[str, Reading]:
        return {key: self.one(expr, at) for key, expr in batch.items()}

    def one(self, expr: str, at: float | None) -> Reading:
        self.queries += 1
        parameters: dict[str, Any] = {"query": expr} | ({} if at is None else {"time": at})
        answer = self.session.get(f"{self.url}/api/v1/query", params=parameters, timeout=30).json()
        if answer["status"] != "success":
            return Reading((), "refused", answer["error"])
        rows = answer["data"]["result"]
        origin = Origin("prometheus", expr)
        return Reading(
            tuple(
                Sample(r["metric"].get("__name__", ""), r["metric"], float(r["value"][1]), r["value"][0], origin)
                for r in rows
            ),
            "ok",
            "",
        )
