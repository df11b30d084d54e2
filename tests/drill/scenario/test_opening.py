"""A drill opens where there is something to see, and the page is there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from console.drill.state.pods import terminated
from console.drill.state.resources import PODS
from tests.drill.conftest import APP, SCENARIO, Api, state

Open = Callable[..., AbstractAsyncContextManager[Api]]


@pytest.mark.parametrize("case", sorted(SCENARIO.cases))
@pytest.mark.parametrize("seed", [1, SCENARIO.seed])
async def test_each_case_opens_with_its_picture_and_its_page(drill: Open, case: str, seed: int) -> None:
    async with drill(case, seed=seed) as api:
        session, wanted = api.session, SCENARIO.cases[case].opens
        run = [r for r in session.world.spark.runs if r.name == "etl-orders"][-1]
        if wanted is not None:
            assert state(api) == wanted.state
            assert run.failures >= wanted.executors_lost
            assert sum(stage.failed for stage in run.stages) >= wanted.failed_tasks
        assert (session.alert is not None) is (SCENARIO.cases[case].page is not None)
        if case == "driver":
            pod = session.world.store.get(PODS, "spark-prod", "etl-orders-driver")
            assert pod is not None and (terminated(pod) or {}).get("reason") == "OOMKilled"


async def test_failures_before_the_world_are_in_the_counters_and_on_the_application(young: Api) -> None:
    """Eleven runs failed in the half hour before: the budget burns from the first look on."""
    app = await young.get(APP)
    assert app["status"]["executionAttempts"] == 12
    assert app["metadata"]["creationTimestamp"] < app["status"]["terminationTime"] < "2026-01-12T10:10:00Z"
    failures = "sum(increase(spark_application_failure_count[1h]))"
    assert await young.number(failures) == pytest.approx(11, abs=0.5)
    success = "sum(increase(spark_application_success_count[1h]))"
    assert await young.number(f"{failures} / ({failures} + {success}) / 0.01") > 12
