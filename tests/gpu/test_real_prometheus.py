"""The same fleet read from a real Prometheus: exporters of both generations are scraped by file-based discovery, and
six hours of a past that is known were written into its storage before."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.base.clock import WallClock
from console.facts.model import Facts, Sample
from console.gpu.asks import asks
from console.gpu.build import inventory
from console.gpu.model import Fleet, GpuNode
from console.sources.prometheus.client import Prometheus
from console.sources.prometheus.objectives import SloSource
from console.wire.endpoint import UrlEndpoint
from tests.cluster.monitoring import Prometheus as Server
from tests.cluster.parts import require_parts
from tests.cluster.processes import Process, answers, free_port, wait_until
from tests.findings import worlds as w

pytestmark = [pytest.mark.parts, pytest.mark.xdist_group("gpu-prometheus")]

HOUR = 3600.0
TARGETS = ("legacy", "renamed", "honoured", "mig", "silent")
MINE = {"namespace": "gpu-operator", "container": "nvidia-dcgm-exporter"}


def past(end: float) -> dict[str, Callable[[float], float | None]]:
    """Two cards of `gpu-past` over six hours: one idle for two of them, hot and slowed down at the end; one with an
    error that another one followed. And what kube-state-metrics says of pods."""

    def card(name: str, index: int, **more: str) -> str:
        labels = {"gpu": str(index), "UUID": f"GPU-past-{index}", "Hostname": "gpu-past", **more}
        return name + "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}"

    held = {"exported_pod": "etl-exec-9", "exported_namespace": "spark-prod", "instance": "past:9400", "job": "dcgm"}
    slow, first = end - 1800, end - HOUR
    pod = 'namespace="spark-prod",pod="etl-exec-9"'
    asked: dict[str, Callable[[float], float | None]] = {}
    for number in (1, 2, 3):
        who = f'namespace="spark-prod",pod="etl-exec-{number}"'
        where = f'{who},node="gpu-honoured",resource="nvidia_com_gpu"'
        asked[f"kube_pod_container_resource_requests{{{where}}}"] = lambda at: 1.0
        asked[f'kube_pod_status_phase{{{who},phase="Running"}}'] = lambda at: 1.0
        asked[f'kube_pod_container_resource_requests{{{who},node="gpu-honoured",resource="cpu"}}'] = lambda at: 1.0
    return asked | {
        card("DCGM_FI_DEV_GPU_UTIL", 0, **held): lambda at: 80.0 if at < end - 2 * HOUR else 0.0,
        card("DCGM_FI_DEV_GPU_TEMP", 0, **held): lambda at: 92.0 if at > slow else 60.0,
        card("DCGM_FI_DEV_THERMAL_VIOLATION", 0): lambda at: max(0.0, at - slow) * 0.4e9,
        card("DCGM_FI_DEV_GPU_UTIL", 1, **held): lambda at: 55.0,
        card("DCGM_FI_DEV_XID_ERRORS", 1): lambda at: (
            48.0 if end - HOUR < at < end - 1200 else 45.0 if at > slow else 0.0
        ),
        card("DCGM_EXP_XID_ERRORS_TOTAL", 1, xid="48"): lambda at: 1.0 if at > first else None,
        "kube_pod_container_resource_requests{" + pod + ',node="gpu-past",resource="nvidia_com_gpu"}': lambda at: 2.0,
        "kube_pod_status_phase{" + pod + ',phase="Running"}': lambda at: 1.0,
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, float]]:
    tools = require_parts("prometheus", "promtool")
    folder = tmp_path_factory.mktemp("gpus")
    end = float(int(time.time()) // 60 * 60)
    lines = []
    for name, curve in sorted(past(end).items()):
        at = end - 6 * HOUR
        while at <= end:
            if (value := curve(at)) is not None:
                lines.append(f"{name} {value:.17g} {at:.3f}")
            at += 60
    (folder / "past.om").write_text("\n".join(lines) + "\n# EOF\n")
    command = [
        tools["promtool"],
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "-q",
        folder / "past.om",
        folder / "tsdb",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    port = free_port()
    exporter = Process(
        "exporter",
        [sys.executable, "-m", "tests.gpu.exporter", str(port)],
        folder / "logs",
        cwd=Path(__file__).parents[2],
    )
    try:
        wait_until("the exporter", lambda: answers(f"http://127.0.0.1:{port}/silent"), seconds=30, processes=[exporter])
        prometheus = Server(folder, config(folder, port))
        try:
            prometheus.await_series("count(up == 1) == 5")
            yield prometheus, end
        finally:
            prometheus.stop()
    finally:
        exporter.stop()


def config(folder: Path, port: int) -> dict[str, Any]:
    """One job of file-based discovery for each kind of exporter; only one honours the exporter's labels."""
    jobs = []
    for kind in TARGETS:
        labels = {**MINE, "pod": f"nvidia-dcgm-exporter-{kind}", "instance": f"{kind}:9400"}
        if kind == "silent":
            labels["node"] = "gpu-silent"
        (folder / f"{kind}.json").write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"], "labels": labels}]))
        jobs.append(
            {
                "job_name": f"dcgm-{kind}",
                "metrics_path": f"/{kind}",
                "honor_labels": kind == "honoured",
                "file_sd_configs": [{"files": [f"{kind}.json"]}],
            }
        )
    return {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}


@pytest.fixture(scope="module")
def samples(server: tuple[Server, float]) -> tuple[tuple[Sample, ...], int, tuple[str, ...]]:
    """The answers to the three questions, in how many requests, and how each was answered."""
    import asyncio

    async def read() -> tuple[tuple[Sample, ...], int, tuple[str, ...]]:
        prometheus = Prometheus(UrlEndpoint(server[0].url), WallClock())
        now = time.time()
        said = await prometheus.query({ask.key: ask.expr for ask in asks()}, at=now)
        before = prometheus.requests
        source = SloSource((), prometheus, asks())
        await source.read(now)
        count = prometheus.requests - before
        await prometheus.close()
        return source.samples, count, tuple(f"{r.state} {r.detail}".strip() for r in said.values())

    return asyncio.run(read())


@pytest.fixture(scope="module")
def fleet(samples: tuple[tuple[Sample, ...], int, tuple[str, ...]]) -> Fleet:
    names = ("gpu-legacy", "gpu-renamed", "gpu-honoured", "gpu-mig", "gpu-silent", "gpu-past")
    nodes = tuple(w.node(n, capacity={"nvidia.com/gpu": "4"}, allocatable={"nvidia.com/gpu": "4"}) for n in names)
    return inventory(Facts(at=time.time(), nodes=nodes, samples=samples[0]), ()).fleet


def node(fleet: Fleet, name: str) -> GpuNode:
    found = fleet.node(name)
    assert found is not None
    return found


def test_a_real_prometheus_takes_the_questions_in_one_request(
    samples: tuple[tuple[Sample, ...], int, tuple[str, ...]],
) -> None:
    _, requests, states = samples
    assert states == ("ok", "ok", "ok")
    assert requests <= 2


@pytest.mark.parametrize("name", ["gpu-legacy", "gpu-renamed", "gpu-honoured"])
def test_both_generations_are_the_same_machine(fleet: Fleet, name: str) -> None:
    machine = node(fleet, name)
    assert (machine.exporter, machine.labelled, len(machine.gpus)) == ("series", True, 4)
    assert [g.state for g in machine.gpus] == ["busy", "idle", "free", "faulty"]
    assert [g.holder.pod if g.holder else "" for g in machine.gpus] == ["etl-exec-1", "etl-exec-2", "", "etl-exec-3"]
    first = machine.gpus[0]
    assert first.utilisation == 0.95
    assert (first.memory_used, first.memory_total) == (60 * 2.0**30, 80 * 2.0**30)
    assert "memory_temperature" in first.unsupported and first.memory_temperature is None
    assert fleet.generation == "both"


def test_instances_of_a_divided_card(fleet: Fleet) -> None:
    (card, *_rest) = node(fleet, "gpu-mig").gpus
    assert [(s.profile, s.state) for s in card.slices] == [
        ("3g.40gb", "busy"),
        ("2g.20gb", "idle"),
        ("1g.10gb", "free"),
    ]


def test_a_target_that_is_up_and_says_nothing(fleet: Fleet) -> None:
    machine = node(fleet, "gpu-silent")
    assert (machine.exporter, machine.exporter_target) == ("blind", "silent:9400")
    assert {g.state for g in machine.gpus} <= {"free", "unknown"}


def test_the_past_tells_since_when_a_card_is_idle_hot_and_slowed(fleet: Fleet, server: tuple[Server, float]) -> None:
    end = server[1]
    card = node(fleet, "gpu-past").gpus[0]
    assert card.state == "idle" and not card.idle_bound
    assert card.idle_since == pytest.approx(end - 2 * HOUR, abs=600)
    assert card.covered is not None and card.covered > 0.95
    assert card.hot_for == 92.0
    assert card.thermal == pytest.approx(0.4, abs=0.05) and not card.throttle_unsure
    assert card.holder is not None and card.holder.pod == "etl-exec-9"
    assert node(fleet, "gpu-past").claims[0].count == 2


def test_an_error_that_the_gauge_forgot_is_known_with_its_time(fleet: Fleet, server: tuple[Server, float]) -> None:
    card = node(fleet, "gpu-past").gpus[1]
    found = {x.number: x for x in card.xids}
    assert set(found) == {45, 48}
    assert not found[48].latched and not found[48].bound
    assert found[48].since == pytest.approx(server[1] - HOUR, abs=400)
    assert found[45].latched and found[45].since == pytest.approx(server[1] - 1200, abs=400)
