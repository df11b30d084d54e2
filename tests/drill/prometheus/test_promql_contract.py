"""The evaluator and a real Prometheus give the same answers over the same samples."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from console.drill.prometheus.promql.engine import Evaluator, parse
from console.drill.prometheus.promql.model import EvalError, Labels, labels_of
from tests.cluster.monitoring import Prometheus
from tests.cluster.parts import require_parts
from tests.drill.prometheus.samples import COUNT, QUERIES, REFUSED, START, STEP, Samples, make

pytestmark = pytest.mark.parts
TIMES = (START + 1200, START + 3007, START + COUNT * STEP - 11, START + COUNT * STEP + 200)


@pytest.fixture(scope="module")
def samples() -> Samples:
    return make()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, samples: Samples) -> Iterator[str]:
    """The address of a Prometheus that holds the samples."""
    tools = require_parts("prometheus", "promtool")
    folder = tmp_path_factory.mktemp("contract")
    text = folder / "samples.om"
    text.write_text(samples.openmetrics())
    command: list[str | Path] = [tools["promtool"], "tsdb", "create-blocks-from", "openmetrics", text, folder / "tsdb"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    server = Prometheus(folder, {"global": {"scrape_interval": "1h"}})
    try:
        yield server.url
    finally:
        server.stop()


def ask(url: str, path: str, **parameters: Any) -> Any:
    answer = requests.get(f"{url}/api/v1/{path}", params=parameters, timeout=20).json()
    if answer["status"] == "error":
        return answer["errorType"]
    return answer["data"]


def close(left: float, right: float) -> bool:
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right or math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)


def ours(samples: Samples, query: str, when: int) -> dict[Labels, float]:
    value = Evaluator(samples, when * 1000, when * 1000).at(parse(query), when * 1000)
    if isinstance(value, float):
        return {(): value}
    return {sample.labels: sample.value for sample in value}


def theirs(data: Any) -> dict[Labels, float]:
    if data["resultType"] == "scalar":
        return {(): float(data["result"][1])}
    return {labels_of(row["metric"]): float(row["value"][1]) for row in data["result"]}


@pytest.mark.parametrize("query", QUERIES)
def test_instant_queries_agree(samples: Samples, real: str, query: str) -> None:
    for when in TIMES:
        mine, other = ours(samples, query, when), theirs(ask(real, "query", query=query, time=when))
        assert mine.keys() == other.keys(), f"at {when}"
        different = {k: (mine[k], other[k]) for k in mine if not close(mine[k], other[k])}
        assert not different, f"at {when}"


def test_order_of_sorted_answers_agrees(samples: Samples, real: str) -> None:
    for query in ("sort(memory)", "sort_desc(memory)", "topk(3, memory)"):
        when = TIMES[1]
        other = [labels_of(row["metric"]) for row in ask(real, "query", query=query, time=when)["result"]]
        assert list(ours(samples, query, when)) == other


@pytest.mark.parametrize(
    "query",
    [
        "sum by (job) (rate(requests_total[5m]))",
        "memory > 140",
        "increase(rare_total[10m])",
        "max_over_time(memory[5m:1m])",
        "memory @ end()",
        "avg_over_time(memory[5m] @ start())",
        "histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m])))",
        "time() - timestamp(up)",
    ],
)
def test_range_queries_agree(samples: Samples, real: str, query: str) -> None:
    start, end, step = START + 600, START + 4000, 47
    data = ask(real, "query_range", query=query, start=start, end=end, step=step)
    other = {(labels_of(row["metric"]), at): float(v) for row in data["result"] for at, v in row["values"]}
    evaluator, expr = Evaluator(samples, start * 1000, end * 1000), parse(query)
    mine = {
        (sample.labels, float(when)): sample.value
        for when in range(start, end + 1, step)
        for sample in evaluator.vector(expr, when * 1000)
    }
    assert mine.keys() == other.keys()
    assert [k for k in mine if not close(mine[k], other[k])] == []


@pytest.mark.parametrize("query", REFUSED)
def test_what_cannot_be_matched_is_refused_by_both(samples: Samples, real: str, query: str) -> None:
    assert ask(real, "query", query=query, time=TIMES[1]) == "execution"
    with pytest.raises(EvalError):
        ours(samples, query, TIMES[1])
