"""Prometheus, Alertmanager and Spark as they really are, read by our sources."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from console.base.clock import WallClock
from console.base.errors import ReachError
from console.sources.prometheus.alertmanager import Alertmanager
from console.sources.prometheus.client import Prometheus
from console.sources.spark.rest import SparkRest
from console.wire.endpoint import UrlEndpoint
from tests.cluster.monitoring import Alertmanager as AlertmanagerServer
from tests.cluster.monitoring import Prometheus as PrometheusServer
from tests.cluster.spark import PySpark

pytestmark = pytest.mark.parts


async def test_a_real_prometheus(prometheus_server: Callable[..., PrometheusServer]) -> None:
    alert = {"alert": "Always", "expr": "vector(1)", "labels": {"severity": "page"}}
    rules = {"groups": [{"name": "g", "interval": "1s", "rules": [alert]}]}
    server = await asyncio.to_thread(prometheus_server, {"global": {"scrape_interval": "1s"}, "scrape_configs": []})
    (server.folder / "rules.yml").write_text(str(rules))
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "self", "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}]}],
    }
    (server.folder / "prometheus.yml").write_text(str(config))
    requests.post(f"{server.url}/-/reload", timeout=10).raise_for_status()
    await asyncio.to_thread(server.await_series, 'ALERTS{alertstate="firing"}')
    await asyncio.to_thread(server.await_series, "up == 1")
    prometheus = Prometheus(UrlEndpoint(server.url), WallClock())
    readings = await prometheus.query(
        {
            "up": "up",
            "scalar": "1 + 1",
            "broken": "sum(",
            "unknown": "nonsense(up)",
            "clash": 'sum_over_time({__name__=~"prometheus_.*_total"}[5m])',
            "none": "absent_metric",
        }
    )
    states = {name: r.state for name, r in readings.items()}
    assert states == {
        "up": "ok", "scalar": "ok", "broken": "refused", "unknown": "refused", "clash": "refused", "none": "ok"
    }  # fmt: skip
    assert [(s.labels["job"], s.value) for s in readings["up"].samples] == [("self", 1.0)]
    assert [s.value for s in readings["scalar"].samples] == [2.0] and readings["none"].samples == ()
    assert "same labelset" in readings["clash"].detail and "unknown function" in readings["unknown"].detail
    now = time.time()
    series = await prometheus.query_range("up", now - 10, now + 1, 1)  # the client sends whole seconds
    assert series.state == "ok" and series.series[0].points[-1][1] == 1.0
    assert (await prometheus.check()).state == "fresh"
    (firing,) = await prometheus.alerts()
    assert (firing.name, firing.state, firing.labels["severity"]) == ("Always", "firing", "page")
    assert firing.since is not None and 0 <= time.time() - firing.since < 60
    await prometheus.close()


async def test_a_real_alertmanager(alertmanager_server: Callable[..., AlertmanagerServer]) -> None:
    server = await asyncio.to_thread(alertmanager_server)
    for name in ("One", "Two"):
        alert = {"labels": {"alertname": name, "namespace": "jobs"}, "annotations": {"summary": "x"}}
        requests.post(f"{server.url}/api/v2/alerts", json=[alert], timeout=10).raise_for_status()
    silence = {
        "matchers": [{"name": "alertname", "value": "T.*", "isRegex": True}],
        "startsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "endsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600)),
        "createdBy": "me",
        "comment": "c",
    }
    requests.post(f"{server.url}/api/v2/silences", json=silence, timeout=10).raise_for_status()
    endpoint = UrlEndpoint(server.url)
    source = Alertmanager(endpoint)
    async with asyncio.timeout(20):
        while {a.name: a.silenced for a in await source.alerts()} != {"One": False, "Two": True}:
            await asyncio.sleep(0.1)
    (found,) = await source.silences()
    assert (found.state, found.matchers, found.created_by) == ("active", ('alertname=~"T.*"',), "me")
    await endpoint.close()


@pytest.mark.xdist_group("node")
async def test_a_real_driver(pyspark_home: PySpark, tmp_path: Path) -> None:
    running: Any = await asyncio.to_thread(pyspark_home.run, tmp_path)
    try:
        endpoint = UrlEndpoint(running.ui)
        rest = SparkRest(endpoint, WallClock())
        async with asyncio.timeout(60):
            while True:
                with suppress(ReachError):  # its first answer loads half of the server: it may take its time
                    read = await rest.application(deep=True)
                    if read.document("stages"):
                        break
                await asyncio.sleep(0.3)
        paths = [d.path for d in read.documents]
        assert paths[:4] == ["", "allexecutors", "jobs", "stages"] and "environment" in paths
        assert read.document("allexecutors")[0]["id"] == "driver"
        await endpoint.close()
    finally:
        await asyncio.to_thread(running.process.stop)
