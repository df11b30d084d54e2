"""The alerts of the platform: rules of their shapes fire in a real Prometheus, and each leads to a runbook."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from console.base.clock import WallClock
from console.board.model import Board, Cluster
from console.cli.main import run
from console.facts.model import Alert, Origin
from console.runbook.match import rank
from console.sources.files.runbooks import Library
from console.sources.prometheus.client import Prometheus as Reader
from console.wire.endpoint import UrlEndpoint
from tests.cluster.monitoring import Prometheus
from tests.cluster.parts import require_parts
from tests.cluster.processes import wait_until
from tests.slo.history import served

PAGE = Path(__file__).parents[2] / "docs" / "platform.md"
ROW = re.compile(r"^\| ([A-Z]\w+) \|", re.MULTILINE)
LINK = "https://docs.example/runbooks/{}.md"
FAILED = 'sum(rate(shape_failed_total{{kind="{}"}}[5m])) / sum(rate(shape_done_total[5m]))'
SPENT = "sum(rate(shape_cost_total[5m])) * 24 * 30 / sum(shape_budget)"
GOOD = "(1 - avg_over_time(shape_good[1h])) / (1 - 0.999)"
SHAPES = {
    "HighFailureRate": f"({FAILED.format('much')}) > 0.05",
    "PlatformDown": 'up{job="shape"} == 0',
    "DriverOOM": "sum(rate(shape_killed_total[5m])) > 0",
    "ErrorBudgetBurnRateCritical": '(1 - sum_over_time(up{job="shape"}[30d]) / 30 / 24 / 3600) / (1 - 0.999) > 10',
    "ElevatedFailureRate": f"({FAILED.format('more')}) > 0.02 and ({FAILED.format('more')}) < 0.05",
    "HighLatency": "histogram_quantile(0.95, sum(rate(shape_start_seconds_bucket[5m])) by (le)) > 10",
    "LowThroughput": 'sum(rate(shape_failed_total{kind="more"}[1h])) * 3600 < 500',
    "ErrorBudgetBurnRateElevated": f"{GOOD} > 2 and {GOOD} <= 10",
    "ExecutorLoss": "sum(rate(shape_killed_total[5m])) > 0.1",
    "HighGCTime": "sum(rate(shape_gc_total[5m])) / sum(rate(shape_task_total[5m])) > 0.2",
    "StagingJobBacklog": "sum(shape_waiting) > 10",
    "HighPodFailureRate": 'sum(rate(shape_phase{phase="Failed"}[5m])) / sum(rate(shape_phase[5m])) > 0.05',
    "PVCCapacityNearLimit": "shape_used_bytes / shape_capacity_bytes > 0.9",
    "NodeResourcePressure": 'shape_node{condition="MemoryPressure",status="true"} == 1',
    "SparkBudgetWarning50": f"{SPENT} > 0.5",
    "SparkBudgetCritical80": f"{SPENT} > 0.8",
    "SparkBudgetExceeded100": f"{SPENT} > 1",
    "SparkCostAnomalyDetected": "abs(shape_spend - avg_over_time(shape_spend[7d])) "
    "> 3 * stddev_over_time(shape_spend[7d])",
    "SparkIdleExecutors": "sum by (app_id) (shape_tasks) == 0",
    "SparkHighGCTime": "rate(shape_gc_total[5m]) * 100 > 20",
    "SparkDataSkewDetected": "max by (stage) (shape_task_seconds) / avg by (stage) (shape_task_seconds) > 5",
    "SparkCostSpike": "rate(shape_cost_total[5m]) / rate(shape_cost_total[5m] offset 1h) > 2",
    "SparkBudgetRunoutForecast": "predict_linear(shape_cost_total[1h], 30 * 86400) / on () shape_budget > 0.9",
}
"""Name of an alert of the platform -> an expression of the same shape, in words of our own."""
NO_PROMQL = {"ElevatedFailureRate": "(a / b) > 0.02 and < 0.05", "ErrorBudgetBurnRateElevated": "(a / b) > 2 and <= 10"}


def leads_to(alert: Alert) -> str:
    """The runbook that the alert leads to, `` where there is none."""
    board = Board(0.0, Cluster(), "DEGRADED", alerts=(alert,))
    found = [one for one in rank(Library.read(()).runbooks.values(), board, alert=alert) if one.alert == alert.name]
    return found[0].runbook if found else ""


def covered(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, str]], str]:
    """Exit code, rows by alert, and what is told beside them, of `console runbooks coverage`."""
    code = run(["runbooks", "coverage", "-o", "json", *arguments])
    said = capsys.readouterr()
    return code, {row["alert"]: row for row in json.loads(said.out)["alerts"]}, said.err


def test_the_page_lists_every_alert_of_the_platform_once() -> None:
    assert sorted(ROW.findall(PAGE.read_text())) == sorted(SHAPES) and len(SHAPES) == 23


def test_each_alert_leads_to_a_runbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(groups({**SHAPES, **NO_PROMQL})))
    code, rows, told = covered(capsys, "--alerts", str(file))
    assert set(rows) == set(SHAPES) and {row["runbook"] for row in rows.values()} <= set(Library.read(()).runbooks)
    assert rows["DriverOOM"]["runbook"] == "spark-oom"
    assert "23 lead to a runbook, 0 lack one" in told and code == 0
    assert {name: row["wrong"] for name, row in rows.items() if row["wrong"]} == {
        "ElevatedFailureRate": "no PromQL: at 1:20 '<' has nothing on its left",
        "ErrorBudgetBurnRateElevated": "no PromQL: at 1:17 '<=' has nothing on its left",
    }
    assert rows["HighLatency"]["place"].startswith(f"{file}:")
    assert run(["runbooks", "coverage", "--alerts", str(file)]) == code
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 24 and not any("  lacks  " in line for line in shown)


def test_a_waiver_lets_an_alert_be_without_a_runbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, waivers = tmp_path / "rules.yaml", tmp_path / "waivers.yaml"
    file.write_text(yaml.safe_dump({"kind": "PrometheusRule", "spec": groups({"NobodysAlert": "up == 0"})}))
    waived = {"what": "alert", "names": ["NobodysAlert"], "because": "it is told elsewhere"}
    waivers.write_text(yaml.safe_dump({"apiVersion": "console/v1", "kind": "Waivers", "waivers": [waived]}))
    assert covered(capsys, "--alerts", str(file))[0] == 1
    code, rows, _ = covered(capsys, "--alerts", str(file), "--waivers", str(waivers))
    assert (code, rows["NobodysAlert"]["waived"]) == (0, "it is told elsewhere")


def test_an_alert_of_a_configmap_leads_by_its_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = {"alert": "AnyName", "expr": "up", "labels": {"runbook": LINK.format("spark-oom")}}
    held = yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]})
    file = tmp_path / "map.yaml"
    file.write_text(yaml.safe_dump({"kind": "ConfigMap", "data": {"a.yaml": held}}))
    code, rows, _ = covered(capsys, "--alerts", str(file))
    assert (code, rows["AnyName"]["runbook"], rows["AnyName"]["because"]) == (
        0, "spark-oom", "the alert names it as its runbook",
    )  # fmt: skip


def test_a_file_without_an_alert_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("replicas: 1\n")
    assert run(["runbooks", "coverage", "--alerts", str(file)]) == 2
    assert f"no alert is in {file}" in capsys.readouterr().err


def test_a_link_among_annotations_leads_to_a_runbook_of_ours() -> None:
    alert = Alert("AnyName", {"alertname": "AnyName"}, Origin("prometheus", "test"))
    assert leads_to(alert) == ""
    assert leads_to(replace(alert, annotations={"runbook_url": LINK.format("spark-oom")})) == "spark-oom"


def past(end: float) -> dict[str, Any]:
    def slope(each: float) -> Any:
        return lambda at: (at - end + 2 * 3600) * each

    series: dict[str, Any] = {
        'shape_failed_total{kind="much"}': slope(0.1),
        'shape_failed_total{kind="more"}': slope(0.03),
        "shape_done_total": slope(1.0),
        'up{job="shape"}': lambda at: float(at < end - 300),
        "shape_killed_total": slope(0.5),
        'shape_start_seconds_bucket{le="10"}': slope(0.1),
        'shape_start_seconds_bucket{le="60"}': slope(1.0),
        'shape_start_seconds_bucket{le="+Inf"}': slope(1.0),
        "shape_good": lambda at: float(not end - 1000 <= at < end - 970),
        "shape_gc_total": slope(0.3),
        "shape_task_total": slope(1.0),
        "shape_waiting": lambda _: 12.0,
        'shape_phase{phase="Failed"}': lambda at: float(at % 60 < 30),
        'shape_phase{phase="Running"}': lambda _: 1.0,
        "shape_used_bytes": lambda _: 95.0,
        "shape_capacity_bytes": lambda _: 100.0,
        'shape_node{condition="MemoryPressure",status="true"}': lambda _: 1.0,
        "shape_cost_total": lambda at: max(0.0, at - end + 7200) + max(0.0, at - end + 1800) * 4,
        "shape_budget": lambda _: 700.0,
        "shape_spend": lambda at: 1.0 + (at % 60 < 30) * 0.1 + (at > end - 60) * 100.0,
        'shape_tasks{app_id="a"}': lambda _: 0.0,
    }
    series |= {f'shape_task_seconds{{stage="1",task="{n}"}}': lambda _: 1.0 for n in range(9)}
    series['shape_task_seconds{stage="1",task="9"}'] = lambda _: 100.0
    return series


def groups(shapes: dict[str, str]) -> dict[str, Any]:
    rules = [
        {"alert": name, "expr": expr, "annotations": {"runbook_url": LINK.format("of-the-platform")}}
        for name, expr in shapes.items()
    ]
    return {"groups": [{"name": "platform", "interval": "1s", "rules": rules}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("platform")
    rules = folder / "rules.yaml"
    rules.write_text(yaml.safe_dump(groups(SHAPES)))
    config = {"global": {"evaluation_interval": "1s"}, "rule_files": [str(rules)], "scrape_configs": []}
    end = time.time()
    made = served(folder / "prometheus", past(end), end - 7200, end, 30.0, config)
    yield made
    made.stop()


@pytest.mark.parts
@pytest.mark.xdist_group("monitoring")
async def test_every_alert_fires_in_a_real_prometheus_and_leads_where_the_table_says(
    server: Prometheus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def firing() -> set[str]:
        return {one["metric"]["alertname"] for one in server.query('ALERTS{alertstate="firing"}')}

    wait_until("every alert fires", lambda: firing() == set(SHAPES), seconds=60)
    reader = Reader(UrlEndpoint(server.url), WallClock())
    alerts = await reader.annotated(await reader.alerts())
    await reader.close()
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(groups(SHAPES)))
    _, rows, _ = await asyncio.to_thread(covered, capsys, "--alerts", str(file))
    assert {one.name: leads_to(one) for one in alerts} == {name: row["runbook"] for name, row in rows.items()}
    assert all(one.annotations["runbook_url"] for one in alerts)


@pytest.mark.parts
@pytest.mark.xdist_group("monitoring")
def test_one_rule_that_is_no_promql_keeps_the_whole_file_out(tmp_path: Path) -> None:
    promtool = require_parts("prometheus", "promtool")["promtool"]
    for name, shapes, code in (("whole", SHAPES, 0), ("torn", {**SHAPES, **NO_PROMQL}, 1)):
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(groups(shapes)))
        checked = subprocess.run([promtool, "check", "rules", file], capture_output=True, timeout=60)
        assert bool(checked.returncode) == bool(code), checked.stderr
