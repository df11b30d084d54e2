"""Every example of docs/drills.md is played, and shows what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.drill.scenario.faults import faults
from console.drill.scenario.files import read
from console.drill.scenario.model import Scenario
from console.drill.state.resources import EVENTS, NODES, PODS, SPARKAPPS
from tests.drill.conftest import Api, open_api

PAGE = (Path(__file__).parents[2] / "docs" / "drills.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
HEAD = "apiVersion: console.drill/v1\nkind: Scenario\nname: page\ntitle: page\nrunbook: any\nwarmup: 6m\n"


def scenario(block: str) -> Scenario:
    """A block is a whole scenario, a part of a case, or what breaks in one."""
    if block.startswith("apiVersion"):
        return read(block)
    world = next(iter(re.findall(r"^# world: (\S+)$", block, re.M)), "platform")
    data: Any = yaml.safe_load(block)
    case = data if isinstance(data, dict) else {"break": data}
    case |= {"title": "page", "expect": {"outcomes": ["resolved"]}}
    return read(HEAD + yaml.safe_dump({"world": world, "cases": {"default": case}}))


def texts(api: Api) -> str:
    """Everything that the world says: events, statuses, logs."""
    store, cluster = api.session.world.store, api.session.world.cluster
    out = [f"{e['reason']} {e['message']}" for e in store.all(EVENTS)]
    for pod in store.all(PODS):
        out.extend(str(c["state"]) + str(c["lastState"]) for c in pod["status"].get("containerStatuses", ()))
        out.extend(line for _, line in cluster.logs.of(pod["metadata"]["uid"]).lines())
    for run in api.session.world.spark.runs:
        out.extend(line for _, line in cluster.logs.of(run.driver["metadata"]["uid"]).lines())
    out.extend(str(node["status"]["conditions"]) for node in store.all(NODES))
    out.extend(str(app.get("status")) for app in store.all(SPARKAPPS))
    return "\n".join(out)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n", 1)[0][:60])
async def test_an_example_shows_what_the_page_says(block: str) -> None:
    wanted = re.findall(r"^# seen: (.+)$", block, re.M)
    async with open_api(scenario=scenario(block)) as api:
        heard = texts(api)
        await api.session.run_for(180)
        rows = await api.query('ALERTS{alertstate="firing"}')
        heard += texts(api) + " ".join(row["metric"]["alertname"] for row in rows)
        assert [text for text in wanted if text not in heard] == []


def test_the_page_has_an_example_of_every_fault() -> None:
    shown = {fault.kind for block in BLOCKS for case in scenario(block).cases.values() for fault in case.breaks}
    assert set(faults()) - shown == set()
