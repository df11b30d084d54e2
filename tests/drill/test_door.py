"""Who is let in to a drill's servers: whoever has this session's token, from this machine, and no page of a browser."""

from __future__ import annotations

import time

import aiohttp
import pytest
import yarl
from aiohttp import encode_basic_auth
from aiohttp.test_utils import make_mocked_request

from console.drill import door
from console.drill.session import DrillSession
from console.drill.state.clock import PacedClock
from tests.drill.conftest import APP, YOUNG, Api


def servers(api: Api) -> dict[str, str]:
    bare = f"drill:{api.session.token}@"
    return {
        "kube": f"{api.session.kube_url}{APP}",
        "prometheus": f"{api.session.prometheus_url.replace(bare, '')}/api/v1/query?query=up",
        "alertmanager": f"{api.session.alertmanager_url.replace(bare, '')}/api/v2/alerts",
    }


@pytest.mark.parametrize("server", ["kube", "prometheus", "alertmanager"])
async def test_without_the_token_nothing_is_told(young: Api, server: str) -> None:
    url = servers(young)[server]
    wrong = {"Authorization": "Bearer drill-token"}
    for headers in ({}, wrong):
        async with young.http.get(url, headers=headers) as response:
            assert response.status == 401
    right = {"Authorization": f"Bearer {young.session.token}"}
    async with young.http.get(url, headers=right) as response:
        assert response.status == 200


@pytest.mark.parametrize("server", ["kube", "prometheus", "alertmanager"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example.com"},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_page_of_somebody_else_is_refused_even_with_the_token(
    young: Api, server: str, headers: dict[str, str]
) -> None:
    known = {"Authorization": f"Bearer {young.session.token}"}
    async with young.http.get(servers(young)[server], headers={**known, **headers}) as response:
        assert response.status == 403 and "is refused" in await response.text()


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Host": "127.0.0.1:80"}, ""),
        ({"Host": "localhost:80", "Origin": "http://localhost:80"}, ""),
        ({"Host": "[::1]:80", "Sec-Fetch-Site": "same-origin"}, ""),
        ({"Host": "127.0.0.1:80", "Sec-Fetch-Site": "none"}, ""),
        ({}, "a foreign Host"),
        ({"Host": ""}, "a foreign Host"),
        ({"Host": "[::1"}, "a foreign Host"),
        ({"Host": "127.0.0.1.evil.example.com"}, "a foreign Host"),
        ({"Host": "localhost:80", "Origin": "http://127.0.0.1:80"}, "a foreign Origin"),
        ({"Host": "localhost:80", "Origin": "https://localhost:80"}, "a foreign Origin"),
        ({"Host": "localhost:80", "Sec-Fetch-Site": "same-site"}, "a page of another site"),
    ],
)
def test_only_this_machine_and_no_page_is_let_in(headers: dict[str, str], why: str) -> None:
    request = make_mocked_request("GET", "/", headers={**headers})
    assert door.foreign(request) == why


@pytest.mark.parametrize(
    ("header", "brought"),
    [
        ("Bearer abc", b"abc"),
        ("bearer  abc ", b"abc"),
        ("Bearer a b", b"a b"),
        ("Bearer \udc80", b"?"),
        ("Digest abc", b""),
        ("abc", b""),
        ("", b""),
        (encode_basic_auth("drill", "a:b"), b"a:b"),
        ("Basic !!!!", b""),
        ("Basic ZHJpbGw6!YWJj", b""),
        ("Basic abc", b""),
    ],
)
def test_what_somebody_brings_as_a_token(header: str, brought: bytes) -> None:
    assert door._brought(header) == brought


async def test_who_brings_no_token_is_asked_for_one(young: Api) -> None:
    async with young.http.get(servers(young)["prometheus"], headers={"Authorization": ""}) as response:
        assert (response.status, await response.text()) == (401, "Unauthorized\n")
        assert response.headers["WWW-Authenticate"] == "Basic"


async def test_a_path_behind_the_token_is_the_one_that_was_asked_for(young: Api) -> None:
    """What is escaped in it stays so: a name with a slash is no path."""
    kube, token = young.session.kube_url, young.session.token
    name = f"{APP.rpartition('/')[0]}/a%2Fb"
    async with young.http.get(yarl.URL(f"{kube}/drill/{token}{name}", encoded=True)) as response:
        behind = await response.text()
    headers = {"Authorization": f"Bearer {token}"}
    async with young.http.get(yarl.URL(f"{kube}{name}", encoded=True), headers=headers) as response:
        assert await response.text() == behind


async def test_a_token_in_the_path_is_what_kubectl_needs(young: Api) -> None:
    url = f"{young.session.kube_url}/drill"
    async with young.http.get(f"{url}/{young.session.token}{APP}") as response:
        assert (await response.json())["metadata"]["name"] == "etl-orders"
    async with young.http.get(f"{url}/nobody{APP}") as response:
        assert response.status == 401


async def test_another_session_has_another_token(young: Api) -> None:
    async with DrillSession.open(YOUNG, step=True) as other:
        assert other.token != young.session.token
        async with young.http.get(f"{other.prometheus_url}/api/v1/query", params={"query": "up"}) as response:
            assert response.status == 200
        headers = {"Authorization": encode_basic_auth("drill", young.session.token)}
        bare = other.prometheus_url.replace(f"drill:{other.token}@", "")
        async with young.http.get(f"{bare}/api/v1/query", params={"query": "up"}, headers=headers) as response:
            assert response.status == 401


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND"])
async def test_a_method_that_no_api_has_is_405(young: Api, method: str) -> None:
    headers = {"Authorization": f"Bearer {young.session.token}"}
    async with young.http.request(method, young.session.kube_url + APP, headers=headers) as response:
        assert response.status == 405 and (await response.json())["reason"] == "MethodNotAllowed"


@pytest.mark.parametrize("path", ["/openapi/v3/api", "/openapi/v3/apis/apps", "/openapi/v3/x"])
async def test_a_path_that_breaks_off_is_404(young: Api, path: str) -> None:
    headers = {"Authorization": f"Bearer {young.session.token}"}
    async with young.http.get(young.session.kube_url + path, headers=headers) as response:
        assert response.status == 404


async def test_a_served_drill_begins_now() -> None:
    async with DrillSession.open("spark-oom", now=True) as session, aiohttp.ClientSession() as http:
        assert isinstance(session.clock, PacedClock) and session.clock.speed == 1.0
        assert abs(time.time() - session.now) < 1.0
        async with http.get(f"{session.alertmanager_url}/api/v2/alerts") as response:
            assert "SparkExecutorOOMKilled" in {a["labels"]["alertname"] for a in await response.json()}
