"""The Prometheus API over the world's series: answers, refusals, and a stock client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from prometheus_api_client import PrometheusConnect

from console.drill.prometheus.metrics.scraped import Scraped, ScrapeTarget, named
from console.drill.prometheus.promql.engine import SUPPORTED, Evaluator, parse
from console.drill.prometheus.promql.model import VectorSample
from console.drill.prometheus.promql.past import PastSteps
from tests.drill.conftest import Api


async def test_values_are_text_and_times_are_numbers(api: Api) -> None:
    (row,) = await api.query('up{job="spark-operator"}')
    assert row["value"][1] == "1" and isinstance(row["value"][0], float)
    assert row["metric"]["__name__"] == "up"
    status, body = await api.prom("query", query="scalar(vector(1)) / 0")
    assert (status, body["data"]["resultType"], body["data"]["result"][1]) == (200, "scalar", "+Inf")
    status, body = await api.prom("query", query='"hello"')
    assert (body["data"]["resultType"], body["data"]["result"][1]) == ("string", "hello")
    status, body = await api.prom("query", query='up{job="spark-operator"}[1m]')
    assert body["data"]["resultType"] == "matrix" and len(body["data"]["result"][0]["values"]) == 4


@pytest.mark.parametrize(
    ("path", "query", "status", "kind", "text"),
    [
        ("query", {"query": "sum(up"}, 400, "bad_data", "parse error: unclosed left parenthesis"),
        ("query", {"query": "foo(up)"}, 400, "bad_data", 'unknown function with name "foo"'),
        ("query", {}, 400, "bad_data", "parse error: no expression found in input"),
        ("query", {"query": "up", "time": "yesterday"}, 400, "bad_data", 'cannot parse "yesterday" to a valid time'),
        ("query", {"query": "up", "timeout": "abc"}, 400, "bad_data", 'cannot parse "abc" to a valid duration'),
        ("query", {"query": "mad_over_time(up[5m])"}, 422, "execution", "mad_over_time() is not served"),
        ("query", {"query": "limitk(1, up)"}, 422, "execution", "limitk is not served"),
        ("query", {"query": "up * on (job) up"}, 422, "execution", "many-to-many matching not allowed"),
        ("query", {"query": 'rate({__name__=~"spark_application_(success|failure)_count"}[5m])'}, 422, "execution",
         "vector cannot contain metrics with the same labelset"),
        ("query_range", {"query": "up", "start": "10", "end": "5", "step": "1"}, 400, "bad_data", "before start time"),
        ("query_range", {"query": "up", "start": "1", "end": "5", "step": "0"}, 400, "bad_data", "zero or negative"),
        ("query_range", {"query": "up", "start": "1", "end": "50000", "step": "1"}, 400, "bad_data", "11,000 points"),
        ("query_range", {"query": "up[5m]", "start": "1", "end": "5", "step": "1"}, 400, "bad_data", "range vector"),
        ("label/bad-name!/values", {}, 400, "bad_data", 'invalid label name: "bad-name!"'),
        ("series", {}, 400, "bad_data", "no match[] parameter provided"),
    ],
)  # fmt: skip
async def test_refusals_are_those_of_prometheus(
    young: Api, path: str, query: dict[str, str], status: int, kind: str, text: str
) -> None:
    code, body = await young.prom(path, **query)
    assert (code, body["status"], body["errorType"]) == (status, "error", kind)
    assert text in body["error"]


async def test_post_works_like_get_and_unknown_paths_are_404(young: Api) -> None:
    url = young.session.prometheus_url
    async with young.http.post(f"{url}/api/v1/query", data={"query": "1+1"}) as response:
        assert (await response.json())["data"]["result"][1] == "2"
    async with young.http.get(f"{url}/api/v1/nope") as response:
        assert response.status == 404 and await response.text() == "404 page not found\n"
    async with young.http.get(f"{url}/-/ready") as response:
        assert response.status == 200


async def test_weeks_of_history_are_there_and_no_more(api: Api) -> None:
    month = await api.number("sum(increase(spark_application_success_count[30d]))")
    assert month == pytest.approx(30 * 24 * 60 * 1.2, rel=0.02)
    whole = await api.number("sum(increase(spark_application_success_count[90d]))")
    assert whole == pytest.approx(35 * 24 * 60 * 1.2, rel=0.02)
    assert await api.query("spark_application_success_count offset 40d") == []
    start, end = str(api.session.now - 6 * 3600), str(api.session.now)
    status, body = await api.prom("query_range", query="sum(rate(spark_application_success_count[1h]))", start=start,
                                  end=end, step="15m")  # fmt: skip
    assert status == 200 and len(body["data"]["result"][0]["values"]) == 25


async def test_the_start_latency_objective_can_be_computed(api: Api) -> None:
    bucket = "spark_application_start_latency_seconds_histogram"
    share = await api.number(f'sum(increase({bucket}_bucket{{le="120"}}[30d])) / sum(increase({bucket}_count[30d]))')
    assert 0.98 < share < 1
    bounds = {row["metric"]["le"] for row in await api.query(f"{bucket}_bucket")}
    assert {"30", "120", "300", "+Inf"} <= bounds


async def test_counting_by_the_ends_gives_what_counting_every_sample_gives(api: Api) -> None:
    storage, now = api.session.storage, int(api.session.now * 1000)
    for text in ("spark_application_failure_count", "spark_application_success_count"):
        (series,) = Evaluator(storage, now, now).select(parse(text), 6 * 3600_000)
        for start in (now - 300_000, now - 3_600_123, now - 6 * 3_600_000):
            points = series.points(start, now)
            assert series.ends(start, now) == (points[0], points[-1], len(points), 0.0)


def test_a_counter_that_pauses_is_counted_by_its_ends_without_reading_what_lies_between() -> None:
    target, read = ScrapeTarget("spark-operator", "10.244.1.21:8080"), []

    def value(when: float) -> float | None:
        read.append(when)
        return None if when < 1_000_000 or when > 3_000_000 else when

    counter = Scraped(named("x", target, {}), target, value, now=3_001_000_000, monotone=True)
    points = counter.points(999_000_000, 3_001_000_000)
    read.clear()
    assert counter.ends(999_000_000, 3_001_000_000) == (points[0], points[-1], len(points), 0.0)
    assert len(read) < 200, "weeks of samples are not read for two of them"
    nothing = Scraped(named("x", target, {}), target, lambda _when: None, now=3_001_000_000, monotone=True)
    assert nothing.ends(3_000_000_000, 3_001_000_000) is None


@pytest.mark.parametrize(
    "inner",
    [
        "max(timestamp(spark_application_success_count) or timestamp(spark_application_failure_count))",
        "sum(increase(spark_application_start_latency_seconds_histogram_count[1h]))",
        "kube_deployment_spec_replicas",
        "spark_application_success_count offset -20m",
    ],
)
async def test_steps_that_were_kept_are_what_they_would_be_worked_out_anew(api: Api, inner: str) -> None:
    """Asked again as time goes on and applications end."""
    server, storage, expr = api.session.prometheus, api.session.storage, parse(f"({inner})[2h:1m]")
    for _ in range(4):
        now = server.now
        asked = Evaluator(storage, now, now, past=server.past).windows(expr, now)
        assert asked == Evaluator(storage, now, now).windows(expr, now) and asked
        await api.session.run_for(400)


async def test_only_what_has_passed_is_kept(api: Api) -> None:
    past, asked = PastSteps(frozenset({"a"}), lambda: 60_000), []

    def vector(_expr: Any, at: int) -> list[VectorSample]:
        asked.append(at)
        return []

    for text, kept in (
        ("max(a)", True),
        ("a + b", False),
        ("a offset -5m", False),
        ("a @ 7", False),
        ("max_over_time(a[5m:1m])", False),
    ):
        asked.clear()
        for at in (0, 0, 60_000, 60_000):
            past.remembering(parse(text), vector)(parse(text), at)
        assert asked == ([0, 60_000, 60_000] if kept else [0, 0, 60_000, 60_000]), text


def test_a_series_ends_with_its_target_and_is_stale_at_the_next_scrape() -> None:
    target = ScrapeTarget("job", "here", 15.0, since=1000.0)
    gone = Scraped(named("x", target, {}), target, lambda t: 5.0 if t < 1100 else None, now=2_000_000)
    last = gone.points(0, 2_000_000)[-1][0]
    assert gone.latest(last) == (last, 5.0)
    assert gone.latest(last + 14_999) == (last, 5.0)
    assert gone.latest(last + 15_000) is None, "the scrape that misses it marks it stale"
    assert gone.latest(999_000) is None


async def test_dead_executors_vanish_from_the_executors_endpoint(api: Api) -> None:
    before = {row["metric"]["executor_id"] for row in await api.query("metrics_executor_totalTasks_total")}
    assert "driver" in before
    await api.session.run_for(75)
    after = {row["metric"]["executor_id"] for row in await api.query(
        'metrics_executor_totalTasks_total{application_name="etl-orders"}')}  # fmt: skip
    assert not {"1", "2", "3", "4", "5", "6"} & after


async def test_peaks_are_zero_before_the_first_heartbeat_and_python_is_unseen(api: Api) -> None:
    mine = 'application_name="etl-orders",executor_id!="driver"'
    peaks = await api.query(f"metrics_executor_JVMHeapMemory_bytes{{{mine}}}")
    assert peaks and all(float(row["value"][1]) < 1.9 * 2**30 for row in peaks)
    python = await api.query("metrics_executor_ProcessTreePythonRSSMemory_bytes")
    assert {row["value"][1] for row in python} == {"0"}
    await api.patch_app({"sparkConf": {"spark.executor.processTreeMetrics.enabled": "true"}})
    await api.session.run_for(95)
    python = await api.query('max(metrics_executor_ProcessTreePythonRSSMemory_bytes{application_name="etl-orders"})')
    assert float(python[0]["value"][1]) > 500 * 2**20


async def test_alerts_rules_and_targets_tell_one_story(api: Api) -> None:
    _, alerts = await api.prom("alerts")
    firing = {a["labels"]["alertname"]: a for a in alerts["data"]["alerts"] if a["state"] == "firing"}
    assert {"SparkExecutorOOMKilled", "SparkJobSuccessBudgetBurn"} <= set(firing)
    assert firing["SparkExecutorOOMKilled"]["labels"]["app"] == "etl-orders"
    assert firing["SparkExecutorOOMKilled"]["value"] == "1e+00"
    rows = await api.query('ALERTS{alertstate="firing"}')
    assert {row["metric"]["alertname"] for row in rows} == set(firing)
    _, rules = await api.prom("rules")
    (group,) = rules["data"]["groups"]
    assert {r["name"] for r in group["rules"] if r["state"] == "firing"} == set(firing)
    assert {r["health"] for r in group["rules"]} == {"ok"}
    _, targets = await api.prom("targets")
    jobs = {t["labels"]["job"] for t in targets["data"]["activeTargets"]}
    assert {"spark-operator", "kube-state-metrics", "kubelet", "spark-drivers", "prometheus"} <= jobs


async def test_names_labels_and_metadata(young: Api) -> None:
    _, names = await young.prom("label/__name__/values")
    assert "spark_application_failure_count" in names["data"] and "metrics_executor_failedTasks_total" in names["data"]
    _, labels = await young.prom("labels", **{"match[]": "up"})
    assert {"__name__", "instance", "job"} <= set(labels["data"])
    _, values = await young.prom("label/job/values", **{"match[]": "up"})
    assert "kubelet" in values["data"]
    _, metadata = await young.prom("metadata")
    assert not [name for name in metadata["data"] if name.startswith("metrics_")], "Spark writes no HELP and TYPE"
    _, series = await young.prom("series", **{"match[]": 'up{job="spark-operator"}'})
    assert series["data"][0]["service"] == "spark-operator-metrics"


async def test_the_stock_client_works(young: Api) -> None:
    def ask() -> Any:
        client = PrometheusConnect(url=young.session.prometheus_url)
        found = client.custom_query("sum(spark_application_running_count)")
        return client.check_prometheus_connection(), found, client.all_metrics()

    up, found, names = await asyncio.to_thread(ask)
    assert up and found[0]["value"][1].isdigit() and "up" in names


def test_the_list_of_served_functions_is_the_stated_one() -> None:
    wanted = (
        "rate irate increase delta histogram_quantile label_replace clamp_min clamp_max clamp abs ceil floor round "
        "absent absent_over_time vector scalar time timestamp changes resets sort sort_desc predict_linear deriv "
        "last_over_time present_over_time avg_over_time sum_over_time min_over_time max_over_time count_over_time "
        "quantile_over_time stddev_over_time"
    )
    assert set(wanted.split()) <= SUPPORTED


async def test_answers_are_the_same_bytes_each_time(young: Api) -> None:
    first = await young.prom("query", query="sum by (pod) (container_memory_working_set_bytes)")
    assert json.dumps(first) == json.dumps(
        await young.prom("query", query="sum by (pod) (container_memory_working_set_bytes)")
    )
