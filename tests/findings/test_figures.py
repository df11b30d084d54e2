"""Figures: one struct per family, found by the code of its finding, and told as runbooks and scripts read them."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import pytest
from msgspec import to_builtins

from console.findings import figures
from console.findings.figures import Figures, families, figures_of
from console.findings.figures.connect import ConnectFigures
from console.findings.figures.memory import MemoryFigures
from console.findings.figures.operators import MissedRunFigures, OperatorFigures
from console.findings.figures.scheduling import UnplacedDriverFigures, UnschedulableFigures, UnschedulableGpuFigures
from console.findings.figures.storage import ObjectStoreFigures
from tests.findings.worlds import APP_ID, cr, driver, ended, executor, judge, one, rest, sample


def test_a_figure_that_is_not_known_is_told_as_null_and_one_that_does_not_apply_is_left_out() -> None:
    told = to_builtins(one(driver(), executor(1, ended(137, "OOMKilled"), "Failed")).data)
    assert set(told) >= {"heap_peak", "python_rss", "off_heap", "limit", "decided"} and told["heap_peak"] is None
    assert (told["attempts"], told["executors"], told["one_task"]) == ((1,), ("1",), False)
    assert "apps" not in told


def test_two_families_cannot_claim_one_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Figures, frozen=True, kw_only=True):
        CODES: ClassVar[tuple[str, ...]] = ("executor-oom-heap",)

    Other.__module__ = "console.findings.figures.base"
    monkeypatch.setattr(figures.base, "Other", Other, raising=False)
    families.cache_clear()
    with pytest.raises(TypeError, match="executor-oom-heap has figures of Other and of MemoryFigures"):
        families()
    monkeypatch.undo()
    families.cache_clear()
    assert figures_of("executor-oom-heap") is MemoryFigures and figures_of("no-such-code") is Figures


TOLD: dict[str, tuple[Figures, dict[str, Any]]] = {
    "what ties it to nothing": (Figures(), {}),
    "a pod that waits, by the log alone": (
        UnschedulableFigures(pods=(), reason="no executor registered", memory_request=None),
        {"pods": [], "reason": "no executor registered", "memory_request": None},
    ),
    "a standalone driver has no pods and no scheduler": (
        UnplacedDriverFigures(driver="driver-1", alive=0),
        {"driver": "driver-1", "alive": 0},
    ),
    "nodes that nobody read": (
        UnschedulableGpuFigures(pods=("a",), resource="nvidia.com/gpu", allocatable=None),
        {"pods": ["a"], "resource": "nvidia.com/gpu", "allocatable": None},
    ),
    "a store that refuses": (ObjectStoreFigures(bucket="", cause="expired"), {"bucket": "", "cause": "expired"}),
    "a store that throttles": (ObjectStoreFigures(bucket="s3a://b", hits=0), {"bucket": "s3a://b", "hits": 0}),
    "a store that is away": (ObjectStoreFigures(bucket="s3a://b"), {"bucket": "s3a://b"}),
    "a server that never started": (ConnectFigures(), {}),
    "a server that did not restart": (ConnectFigures(restarts=0), {"restarts": 0}),
    "an operator of which only metrics tell": (OperatorFigures(), {}),
    "a schedule, as the operator spells it": (
        MissedRunFigures(last_run="nightly-1", policy="Forbid"),
        {"lastRun": "nightly-1", "policy": "Forbid"},
    ),
}


@pytest.mark.parametrize(("figures", "told"), TOLD.values(), ids=TOLD)
def test_what_is_always_told_is_told_and_the_rest_is_left_out(figures: Figures, told: dict[str, Any]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(figures)) == told


def test_a_peak_is_told_with_the_time_at_which_it_was_read() -> None:
    heap = sample("metrics_executor_JVMHeapMemory_bytes", 300.0, 42.0, executor_id="1", application_id=APP_ID)
    dead = executor(1, ended(137, "OOMKilled"), "Failed")
    data = next(f for f in judge(driver(), dead, heap) if f.code.startswith("executor-oom")).data
    assert isinstance(data, MemoryFigures)
    assert (data.heap_peak, data.peaks_at) == (300.0, heap.at)


def test_a_peak_of_another_attempts_executor_of_that_number_is_not_its_own() -> None:
    heap = [{"id": "1", "peakMemoryMetrics": {"JVMHeapMemory": 300.0}}]
    other = "spark-" + "b" * 32
    mine = {"sparkoperator.k8s.io/app-name": "etl"}
    dead = executor(1, ended(137, "OOMKilled"), "Failed", labels=mine)
    new = driver(name="etl-2-driver", app_id=other, labels=mine)
    for measured, known in ((other, None), (APP_ID, 300.0)):
        found = judge(cr(), driver(labels=mine), dead, new, rest("allexecutors", heap, measured))
        data = next(f for f in found if f.code.startswith("executor-oom")).data
        assert isinstance(data, MemoryFigures) and data.heap_peak == known
