"""A disruption budget counts its pods that are well, and says how many may go."""

from __future__ import annotations

from typing import Any

import msgspec

from console.drill.scenario.model import FaultDoc
from tests.drill.conftest import MERGE, YOUNG, open_api

BUDGETS = "/apis/policy/v1/namespaces/spark-prod/poddisruptionbudgets"


def budget(minimum: int) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "catalog"},
        "spec": {"minAvailable": minimum, "selector": {"matchLabels": {"app": "hive-metastore"}}},
    }


async def test_a_budget_lets_go_what_is_well_beyond_its_least() -> None:
    fault = FaultDoc(kind="create", options={"object": budget(1)}, at=-60.0, short=True)
    case = msgspec.structs.replace(YOUNG.case("default"), break_=(fault,))
    async with open_api(scenario=msgspec.structs.replace(YOUNG, cases={"default": case})) as api:
        for minimum, allowed in ((1, 0), (0, 1)):
            await api.call("PATCH", f"{BUDGETS}/catalog", {"spec": {"minAvailable": minimum}}, kind=MERGE)
            await api.session.run_for(1)
            status = (await api.get(f"{BUDGETS}/catalog"))["status"]
            assert (status["currentHealthy"], status["disruptionsAllowed"]) == (1, allowed)
