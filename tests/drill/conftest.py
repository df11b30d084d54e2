"""A drill in step mode and small clients for its servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from console.drill.scenario.files import load
from console.drill.scenario.model import Scenario
from console.drill.session import DrillSession

DATA = Path(__file__).parents[1] / "data" / "drill"
APPS = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/spark-prod/sparkapplications"
APP = f"{APPS}/etl-orders"
PODS = "/api/v1/namespaces/spark-prod/pods"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@dataclass
class Api:
    """A client of the simulated API server and its neighbours."""

    session: DrillSession
    http: aiohttp.ClientSession

    async def call(
        self, method: str, path: str, body: Any = None, *, kind: str = "application/json", **query: str
    ) -> tuple[int, Any]:
        """(status, parsed body) of a request to the API server."""
        headers = {"Authorization": f"Bearer {self.session.token}", "Content-Type": kind}
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
        async with self.http.request(
            method, self.session.kube_url + path, params=query, data=data, headers=headers
        ) as r:
            text = await r.text()
            return r.status, json.loads(text) if r.content_type == "application/json" else text

    async def get(self, path: str, **query: str) -> Any:
        """The body of a GET that must succeed."""
        status, body = await self.call("GET", path, **query)
        assert status == 200, body
        return body

    async def patch_app(self, spec: dict[str, Any], **query: str) -> Any:
        """Merge into etl-orders' spec."""
        status, body = await self.call("PATCH", APP, {"spec": spec}, kind=MERGE, **query)
        assert status == 200, body
        return body

    async def prom(self, path: str, **query: str) -> tuple[int, Any]:
        """(status, body) of Prometheus."""
        async with self.http.get(f"{self.session.prometheus_url}/api/v1/{path}", params=query) as r:
            return r.status, await r.json()

    async def query(self, text: str) -> list[Any]:
        """The rows of an instant query."""
        status, body = await self.prom("query", query=text)
        assert status == 200, body
        rows: list[Any] = body["data"]["result"]
        return rows

    async def number(self, text: str) -> float:
        """The only value of an instant query."""
        (row,) = await self.query(text)
        return float(row["value"][1])


SCENARIO = msgspec.structs.replace(load("spark-oom"), warmup=840.0)
YOUNG = msgspec.structs.replace(SCENARIO, warmup=110.0)
"""The same world, not two minutes old: the first executors have just died."""


@contextlib.asynccontextmanager
async def open_api(case: str = "default", scenario: Scenario = SCENARIO, **options: Any) -> AsyncIterator[Api]:
    async with DrillSession.open(scenario, case, step=True, **options) as session, aiohttp.ClientSession() as http:
        yield Api(session, http)


@pytest.fixture
def drill() -> Callable[..., AbstractAsyncContextManager[Api]]:
    """`async with drill("heap") as api`."""
    return open_api


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """The default case, stepped."""
    async with open_api() as opened:
        yield opened


@pytest.fixture
async def young() -> AsyncIterator[Api]:
    """The default case shortly after the first executors died: quick to make."""
    async with open_api(scenario=YOUNG) as opened:
        yield opened


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that other tasks do."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


def state(api: Api) -> str:
    """State of etl-orders."""
    from console.drill.control.operator import state_of
    from console.drill.state.resources import SPARKAPPS

    app = api.session.world.store.get(SPARKAPPS, "spark-prod", "etl-orders")
    return "gone" if app is None else state_of(app)


async def run_to(api: Api, wanted: str, seconds: float = 900.0) -> float:
    """Virtual seconds until etl-orders reaches a state."""
    session, begin = api.session, api.session.now
    while state(api) != wanted:
        assert session.now < begin + seconds, f"still {state(api)} after {seconds} s"
        await session.run_for(1)
    return session.now - begin
