"""Figures of one refresh of everything that Prometheus is asked: seven objectives, forty components, 64 GPUs.

Run: `python -m tests.benchmarks.objectives`. A server on loopback, in a process of its own, answers joined queries as
Prometheus does, with series for 64 GPUs; what is measured is the processor time of this process and the number of
queries. Exit code 1 when a refresh needs more than 12 queries or 0.3 s.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from msgspec.structs import replace

QUERIES, SECONDS = 12, 0.3
PRESET, COMPONENTS, GPUS = "core-gpu-iceberg", 40, 64
_NAMED = re.compile(r'"console_query", "(\d+)", "", ""\)$')


def server() -> None:
    """Answer queries until killed; prints the URL."""
    from tests.gpu.expositions import Card, exposition, scraped

    cards = [
        Card(index, busy=0.5, used=2**33, pod=f"etl-{node}-exec-{index}", node=f"gpu-{node}")
        for node in range(GPUS // 8)
        for index in range(8)
    ]
    gpus = [
        {"__name__": s.name, **s.labels}
        for s in scraped(exposition(cards), 0.0, job="dcgm-exporter", instance="e:9400")
    ]

    def series(expr: str, ask: dict[str, str], at: float) -> list[dict[str, Any]]:
        found: list[dict[str, str]] = [{}]
        if "DCGM_FI_" in expr:
            found = gpus
        elif expr.startswith("{__name__") or "ALERTS" in expr:
            found = []
        value = at - 20 if "timestamp" in expr else 0.5
        return [{"metric": {**labels, **ask}, "value": [at, f"{value:.3f}"]} for labels in found]

    async def query(request: web.Request) -> web.Response:
        at = float(request.query.get("time", time.time()))
        parts = request.query["query"].split(" or label_replace((")
        result: list[dict[str, Any]] = []
        for part in parts:
            named = _NAMED.search(part)
            result += series(
                part.removeprefix("label_replace(("), {"console_query": named.group(1)} if named else {}, at
            )
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": result}})

    async def other(request: web.Request) -> web.Response:
        data: Any = {"rules": {"groups": []}, "targets": {"activeTargets": []}}.get(request.match_info["what"], ["up"])
        return web.json_response({"status": "success", "data": data})

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/api/v1/query", query)
        app.router.add_get("/api/v1/{what:.+}", other)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


def forty() -> list[Any]:
    """The shipped components, and copies of some with queries of their own, until there are forty."""
    from console.settings.presets import load_library

    shipped = list(load_library().components.values())
    out = list(shipped)
    for index in range(COMPONENTS - len(shipped)):
        one = shipped[index]
        signals = tuple(
            replace(s, metric=replace(s.metric, query=f"{s.metric.query} + {index}")) if s.metric is not None else s
            for s in one.signals
        )
        out.append(replace(one, id=f"{one.id}-copy", signals=signals))
    return out


async def measure(url: str) -> list[tuple[str, int, float]]:
    """(which refresh, queries, seconds of processor time): the first one, one soon after, one with long windows."""
    from console.base.clock import WallClock
    from console.components.judge import judge
    from console.components.signals import asks
    from console.facts.model import Facts
    from console.gpu import asks as gpu_asks
    from console.gpu.build import inventory
    from console.settings.presets import load_library
    from console.sources.files.runbooks import read_catalogue
    from console.sources.prometheus.client import Prometheus
    from console.sources.prometheus.monitoring import MonitoringSource
    from console.sources.prometheus.objectives import SloSource
    from console.wire.endpoint import UrlEndpoint

    preset = load_library().preset(PRESET)
    specs, components = preset.specs(), forty()
    assert len(specs) == 7 and len(components) == COMPONENTS
    prometheus = Prometheus(UrlEndpoint(url), WallClock())
    await prometheus.query({"warm": "vector(1)"})  # the client is imported
    source = SloSource(specs, prometheus, (*asks(components), *gpu_asks.asks()))
    monitoring = MonitoringSource(prometheus, specs, read_catalogue())
    now, out = time.time(), []
    for name, later in (("first refresh", 0.0), ("15 s later", 15.0), ("5 min later, long windows", 301.0)):
        asked, began = prometheus.requests, time.process_time()
        slos = await source.read(now + later)
        await prometheus.alerts()
        facts = Facts(at=now + later, samples=source.samples)
        judge(facts, components, preset)
        inventory(facts, ())
        out.append((name, prometheus.requests - asked, time.process_time() - began))
        assert len(slos) == 7 and all(s.measured_at for s in slos), [s.reason for s in slos]
    asked, began = prometheus.requests, time.process_time()
    await monitoring.read(now)
    out.append(("monitoring itself, every 5 min", prometheus.requests - asked, time.process_time() - began))
    await prometheus.close()
    return out


def main(say: Callable[[str], None] = print) -> int:
    """Print the figures. 1 when one is over its budget."""
    child = subprocess.Popen([sys.executable, "-m", __spec__.name, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        figures = asyncio.run(measure(child.stdout.readline().strip()))
    finally:
        child.kill()
        child.wait()
    over = False
    for name, queries, seconds in figures:
        mine = queries > QUERIES or seconds > SECONDS
        over |= mine
        say(f"{name:<32} {queries:>3} queries {seconds:>7.3f} s{'   over budget' if mine else ''}")
    say(json.dumps({name: [queries, round(seconds, 3)] for name, queries, seconds in figures}))
    return 1 if over else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        server()
    else:
        sys.exit(main())
