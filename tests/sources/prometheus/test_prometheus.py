"""Prometheus as it really answers (recordings of 2.42, 2.53 and 3.5), read through `prometheus-api-client`."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote_plus

import pytest
from aiohttp import web

from console.base.clock import WallClock
from console.base.errors import ConsoleError, ForbiddenError, ReachError
from console.facts.model import Alert, Origin
from console.sources.prometheus.client import Prometheus
from console.sources.prometheus.joined import LIMIT, batches, join
from console.wire.connection import Connection
from console.wire.endpoint import ServiceEndpoint, UrlEndpoint
from console.wire.errors import NotFoundError, UnavailableError
from console.wire.http import PLAIN
from tests.wire.peer import Peer, recorded

QUERY = "/api/v1/query"


@pytest.fixture
async def prometheus(peer: Peer) -> AsyncIterator[Prometheus]:
    one = Prometheus(UrlEndpoint(peer.url), WallClock(), timeout=5.0)
    yield one
    await one.close()


def says(peer: Peer, name: str, status: int = 200) -> None:
    peer.answer(QUERY, recorded(f"prometheus/{name}"), status=status)


async def ask(prometheus: Prometheus, query: str = "up", **more: Any) -> Any:
    return (await prometheus.query({"it": query}, **more))["it"]


# What comes back


async def test_a_vector(peer: Peer, prometheus: Prometheus) -> None:
    says(peer, "query_up_by_job.json")
    reading = await ask(prometheus, "sum by (job) (up)", at=1795427877.5, deadline=9.0)
    assert reading.state == "ok" and len(reading.samples) > 5
    sample = reading.samples[0]
    assert sample.labels.keys() == {"job"} and sample.at == reading.at and sample.origin.locator == "sum by (job) (up)"
    assert peer.last(QUERY).query == {"query": "sum by (job) (up)", "time": "1795427877.500", "timeout": "5s"}
    assert prometheus.state().state == "fresh"


async def test_numbers_that_are_none(peer: Peer, prometheus: Prometheus) -> None:
    says(peer, "query_nan_inf.json")
    values = [s.value for s in (await ask(prometheus)).samples]
    assert any(math.isnan(v) for v in values) or any(math.isinf(v) for v in values)
    says(peer, "query_scalar.json")
    assert len((await ask(prometheus)).samples) == 1
    says(peer, "query_string.json")
    assert (await ask(prometheus)).samples == ()
    says(peer, "query_vector_empty.json")
    reading = await ask(prometheus)
    assert (reading.state, reading.samples) == ("ok", ())


async def test_a_range(peer: Peer, prometheus: Prometheus) -> None:
    peer.answer("/api/v1/query_range", recorded("prometheus/range_histogram_quantile.json"))
    reading = await prometheus.query_range("x", 1795427000.0, 1795427600.0, 30.0)
    assert reading.state == "ok" and reading.series and len(reading.series[0].points) > 3
    query = peer.last("/api/v1/query_range").query
    assert (query["start"], query["end"], query["step"]) == ("1795427000", "1795427600", "30")


async def test_notes_about_the_query_are_no_partial_answer(peer: Peer, prometheus: Prometheus) -> None:
    says(peer, "3.5.3/warn_quantile_range.json")
    reading = await ask(prometheus)
    assert reading.state == "ok" and "quantile value should be between" in reading.warnings[0]


async def test_a_partial_answer_is_called_partial(peer: Peer, prometheus: Prometheus) -> None:
    body = json.loads(recorded("prometheus/query_up_by_job.json"))
    body["warnings"] = ["receive store 10.0.0.7:10901: deadline exceeded \u001b[31m"]
    peer.answer(QUERY, body)
    reading = await ask(prometheus)
    assert reading.state == "partial" and reading.samples
    assert reading.detail == "receive store 10.0.0.7:10901: deadline exceeded "
    assert (prometheus.state().state, prometheus.state().detail) == ("partial", reading.detail)


# What is refused, and what fails


@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [
        ("err_parse.json", 400, "parse error"),
        ("err_unknown_function.json", 400, "unknown function"),
        ("err_same_labelset.json", 422, "same labelset"),
        ("err_timeout_heavy.json", 503, "query timed out in expression evaluation"),
    ],
)
async def test_a_refused_query_is_one_request_and_says_why(
    peer: Peer, prometheus: Prometheus, name: str, status: int, detail: str
) -> None:
    says(peer, name, status)
    reading = await ask(prometheus)
    assert reading.state == "refused" and detail in reading.detail and reading.samples == ()
    assert peer.count(QUERY) == 1 and prometheus.requests == 1
    assert prometheus.state().state == "fresh"  # the server is well


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_failing_server_gets_one_request(peer: Peer, prometheus: Prometheus, status: int) -> None:
    """The client's own adapter would send four, with six seconds of waits."""
    peer.answer(QUERY, "upstream connect error", status=status, content_type="text/plain")
    reading = await ask(prometheus)
    assert reading.state == "unreachable" and reading.detail == f"HTTP {status}: upstream connect error"
    assert peer.count(QUERY) == 1
    assert prometheus.state().state == "unreachable"


@pytest.mark.parametrize(
    ("body", "status", "content_type", "detail"),
    [
        ("404 page not found", 404, "text/plain", "HTTP 404: 404 page not found"),
        ("<html><title>Grafana</title>", 200, "text/html", "makes no sense: a web page"),
        ('{"status":"success"}', 200, "application/json", "makes no sense"),
        ('{"status":"success","data":{"resultType":"vector","result":[{"metric":5,"value":"x"}]}}', 200,
         "application/json", ""),
        ("null", 200, "application/json", ""),
    ],
)  # fmt: skip
async def test_what_is_no_prometheus(
    peer: Peer, prometheus: Prometheus, body: str, status: int, content_type: str, detail: str
) -> None:
    peer.answer(QUERY, body, status=status, content_type=content_type)
    reading = await ask(prometheus)
    assert reading.samples == () and detail in reading.detail


async def test_data_of_before_make_a_lost_server_stale(peer: Peer, prometheus: Prometheus) -> None:
    says(peer, "query_up_by_job.json")
    await ask(prometheus)
    last = prometheus.state().last
    peer.answer(QUERY, "", status=502)
    await ask(prometheus)
    state = prometheus.state()
    assert state.state == "stale" and state.last == last and "HTTP 502" in state.detail


@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (502, UnavailableError), (200, ReachError)])
async def test_a_server_without_rules_says_how(
    peer: Peer, prometheus: Prometheus, status: int, kind: type[Exception]
) -> None:
    peer.answer("/api/v1/rules", "page", status=status, content_type="text/plain")
    with pytest.raises(kind, match=rf"gives no list of its rules \(HTTP {status}\)") as caught:
        await prometheus.rules()
    assert type(caught.value) is kind


async def test_a_query_that_is_refused_is_no_lost_server(peer: Peer, prometheus: Prometheus) -> None:
    peer.answer(QUERY, {"status": "error", "errorType": "execution", "error": "too many samples"}, status=422)
    with pytest.raises(ConsoleError, match="too many samples") as caught:
        await prometheus.alerts()
    assert not isinstance(caught.value, ReachError)


async def test_nobody_there() -> None:
    prometheus = Prometheus(UrlEndpoint("http://127.0.0.1:1"), WallClock())
    reading = await ask(prometheus)
    assert reading.state == "unreachable" and "cannot be reached" in reading.detail
    with pytest.raises(ReachError):
        await prometheus.alerts()
    await prometheus.close()


async def test_the_deadline_is_for_all_of_it(peer: Peer, prometheus: Prometheus) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(300)
        return web.Response()

    peer.on("GET", QUERY, hang)
    began = time.monotonic()
    long = "x" * 5_900
    readings = await prometheus.query({f"q{n}": f"{long}{n}" for n in range(12)}, deadline=0.6)
    assert {r.state for r in readings.values()} == {"unreachable"} and len(readings) == 12
    assert time.monotonic() - began < 150, "half of what the server takes"


# Several queries


def evaluate(peer: Peer, bad: set[str]) -> list[str]:
    """A server that answers joined queries, and refuses any text that holds one of `bad`. Gives what was asked."""
    asked: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        query = request.query["query"]
        asked.append(query)
        if any(word in query for word in bad):
            error = {"status": "error", "errorType": "bad_data", "error": f"no such thing in {query[:20]}"}
            return web.json_response(error, status=400)
        found = re.findall(r'label_replace\(\((\w+)\), "console_query", "(\d+)", "", ""\)', query)
        result = [
            {"metric": {"__name__": expr, "console_query": index}, "value": [1.0, str(len(expr))]}
            for expr, index in found
        ] or [{"metric": {"__name__": query}, "value": [1.0, "1"]}]
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": result}})

    peer.on("GET", QUERY, handler)
    return asked


async def test_short_queries_travel_together(peer: Peer, prometheus: Prometheus) -> None:
    asked = evaluate(peer, set())
    readings = await prometheus.query({"a!": "one", "b": "three", "c": "seventeen"})
    assert len(asked) == 1
    assert {name: [s.value for s in r.samples] for name, r in readings.items()} == {"a!": [3], "b": [5], "c": [9]}
    sample = readings["b"].samples[0]
    assert (sample.name, sample.labels, sample.origin.locator) == ("three", {}, "three")


async def test_the_culprit_stands_alone_and_travels_alone_from_then_on(peer: Peer, prometheus: Prometheus) -> None:
    asked = evaluate(peer, {"bad"})
    batch = {**{f"q{n}": f"good{n}" for n in range(15)}, "x": "bad"}
    readings = await prometheus.query(batch)
    assert {name for name, r in readings.items() if r.state == "refused"} == {"x"}
    assert all(readings[f"q{n}"].samples for n in range(15)) and "no such thing" in readings["x"].detail
    assert len(asked) == 9  # 16 → 8+8 → 4+4 → 2+2 → 1+1
    assert prometheus.requests - prometheus.splits == 1
    asked.clear()
    await prometheus.query(batch)
    assert len(asked) == 2 and "bad" in asked


async def test_an_empty_batch(prometheus: Prometheus) -> None:
    assert await prometheus.query({}) == {} and prometheus.requests == 0


def test_joined_queries_stay_short_enough_for_a_url() -> None:
    short = 'sum by (namespace) (increase(failed_total{reason!="", job=~"a|b"}[5m])) > 0'
    queries = [(str(n), short) for n in range(100)] + [("long", "y" * 9_000)]
    groups = batches(queries)
    assert sorted(name for group in groups for name, _ in group) == sorted(name for name, _ in queries)
    sizes = [len(quote_plus(join(group), safe=PLAIN)) for group in groups if len(group) > 1]
    assert sizes and max(sizes) <= LIMIT and len(groups) == 4


async def test_a_query_is_quoted_no_more_than_a_url_needs(peer: Peer, prometheus: Prometheus) -> None:
    text = 'sum by (a, b) (x{c=~"d&e"}) + 1 % 2'
    seen: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.raw_path)
        assert request.query["query"] == text
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": []}})

    peer.on("GET", QUERY, handler)
    assert (await ask(prometheus, text)).state == "ok"
    assert "(a,+b)+(x%7Bc=~%22d%26e%22%7D)+%2B+1+%25+2" in seen[0]


# Alerts, age, the way there


async def test_alerts_with_the_time_they_began(peer: Peer, prometheus: Prometheus) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        out = {"status": "success", "data": {"resultType": "vector", "result": []}}
        for index, name in (("0", "query_alerts_series"), ("1", "query_alerts_for_state")):
            for item in json.loads(recorded(f"prometheus/{name}.json"))["data"]["result"]:
                item["metric"]["console_query"] = index
                out["data"]["result"].append(item)  # type: ignore[index]
        return web.json_response(out)

    peer.on("GET", QUERY, handler)
    alerts = await prometheus.alerts()
    assert peer.count(QUERY) == 1 and len(alerts) >= 2
    for alert in alerts:
        assert alert.name == alert.labels["alertname"] and alert.state in ("firing", "pending")
        assert "console_query" not in alert.labels and "alertstate" not in alert.labels
        assert alert.since is not None and 1.79e9 < alert.since < 1.8e9


async def test_alerts_get_the_annotations_of_their_rules_and_keep_none_where_these_cannot_be_read(
    peer: Peer, prometheus: Prometheus
) -> None:
    origin = Origin("prometheus", "ALERTS")
    alerts = [Alert("DriverOOM", {"alertname": "DriverOOM", "app": app}, origin) for app in ("etl", "ads")]
    link = "https://docs/runbooks/spark-oom.md"
    listed = {"labels": {"alertname": "DriverOOM", "app": "etl"}, "annotations": {"runbook_url": link}}
    group = {"name": "g", "rules": [{"type": "alerting", "name": "DriverOOM", "alerts": [listed]}]}
    peer.answer("/api/v1/rules", json.dumps({"status": "success", "data": {"groups": [group]}}).encode())
    etl, ads = await prometheus.annotated(alerts)
    assert (etl.annotations, ads.annotations) == ({"runbook_url": link}, {})
    peer.answer("/api/v1/rules", b"<html>", status=502)
    assert await prometheus.annotated(alerts) == tuple(alerts)


@pytest.mark.parametrize(
    ("result", "word", "says"),
    [
        ([{"metric": {}, "value": [1.0, "12"]}], "fresh", ""),
        ([{"metric": {}, "value": [1.0, "200"]}], "late", "newest sample 3m old"),
        ([{"metric": {}, "value": [1.0, "900"]}], "stale", "newest sample 15m old"),
        ([], "stale", "no target answers"),
    ],
)
async def test_the_age_of_the_newest_sample(
    peer: Peer, prometheus: Prometheus, result: list[Any], word: str, says: str
) -> None:
    peer.answer(QUERY, {"status": "success", "data": {"resultType": "vector", "result": result}})
    state = await prometheus.check()
    assert state.state == word and says in state.detail


async def test_through_the_api_server(peer: Peer, connection: Connection) -> None:
    path = "/api/v1/namespaces/mon/services/prom:9090/proxy/api/v1/query"
    peer.answer(path, recorded("prometheus/query_up_by_job.json"))
    prometheus = Prometheus(ServiceEndpoint(connection.reader, "mon", "prom", 9090), WallClock())
    assert (await ask(prometheus)).state == "ok"
    assert peer.last(path).headers["authorization"] == "Bearer good"
    peer.answer(path, {"kind": "Status", "apiVersion": "v1", "message": "no proxy for you"}, status=403)
    assert (await ask(prometheus)).state == "forbidden"
    assert prometheus.state().state == "forbidden" and prometheus.label == "service mon/prom:9090"
    with pytest.raises(ForbiddenError):
        await prometheus.alerts()
    await prometheus.close()
