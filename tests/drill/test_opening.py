"""A drill opens where there is something to see, and the page is there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from console.drill.controllers.kubelet import terminated
from console.drill.resources import PODS
from tests.drill.conftest import SCENARIO, Api, state

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
