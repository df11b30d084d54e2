"""Reading: pages, watches, logs, reviews, discovery and what stands behind the API server's proxies."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

from console.base.errors import ForbiddenError, ReachError, UsageError
from console.wire.connection import Connection
from console.wire.errors import GoneError, InvalidError, NotFoundError, QuietError, status_error
from console.wire.paths import object_path, proxy_path
from tests.wire.peer import Peer, Streams, recorded


def page(names: list[str], more: str = "", version: str = "7") -> dict[str, object]:
    return {
        "kind": "PodList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": version, "continue": more},
        "items": [{"metadata": {"name": name}} for name in names],
    }


async def test_pages_follow_their_token_and_the_next_is_asked_for_early(peer: Peer, connection: Connection) -> None:
    streams = Streams(peer, "/api/v1/pods")
    last = dict(reversed(page(["d"]).items()))  # metadata after items, as custom resources are listed
    streams.lists(page(["a", "b"], "1"), page(["c"], "2"), last)
    names, asked = [], []
    async for one in connection.reader.pages("/api/v1/pods", {"labelSelector": "x"}, size=2):
        names += [item["metadata"]["name"] for item in json.loads(one.body)["items"]]
        await asyncio.sleep(0.05)
        asked.append(peer.count("/api/v1/pods"))
    assert names == ["a", "b", "c", "d"] and asked == [2, 3, 3]
    assert [a.query.get("continue", "") for a in peer.asked] == ["", "1", "2"]
    assert all(a.query["limit"] == "2" and a.query["labelSelector"] == "x" for a in peer.asked)
    assert peer.asked[0].headers["accept-encoding"] == "gzip"


async def test_a_list_token_that_ended(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/pods", recorded("kubernetes/list_rv_exact_old_410.json"), status=410)
    with pytest.raises(GoneError, match="too old"):
        _ = [one async for one in connection.reader.pages("/api/v1/pods")]


async def test_a_watch_gives_lines_whatever_the_chunks(peer: Peer, connection: Connection) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        big = b'{"a":"' + b"x" * 700_000 + b'"}'
        text = b'{"n":1}\n\n{"n":2}\n' + big + b"\n" + b'{"n":3}'
        for at in range(0, len(text), 60_001):
            await response.write(text[at : at + 60_001])
        return response

    peer.on("GET", "/api/v1/pods", handler)
    lines = [line async for line in connection.reader.watch("/api/v1/pods", {"labelSelector": "x"}, "42")]
    assert [len(line) for line in lines] == [0, 7, 7, 700_008, 7]
    sent = peer.last("/api/v1/pods")
    assert sent.query == {"labelSelector": "x", "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": "42"}
    assert sent.headers["accept-encoding"] == "identity"


async def test_a_silent_watch_ends_after_its_idle_time(peer: Peer, connection: Connection) -> None:
    streams = Streams(peer, "/api/v1/pods")
    streams.feed({"n": 1})
    watch = connection.reader.watch("/api/v1/pods", None, "1", idle=0.3)
    assert [await anext(watch), await anext(watch)] == [b"", b'{"n": 1}']
    with pytest.raises(QuietError, match=r"was silent for 0\.3 s"):
        await anext(watch)
    streams.cut()


async def test_a_watch_outlives_the_limit_of_a_request(peer: Peer, connection: Connection) -> None:
    object.__setattr__(connection.target, "timeout", 0.1)
    streams = Streams(peer, "/api/v1/pods")
    watch = connection.reader.watch("/api/v1/pods", None, "1")
    assert await anext(watch) == b""
    task = asyncio.create_task(anext(watch))
    await streams.opened.wait()
    await asyncio.sleep(0.3)
    streams.feed({"late": True})
    assert await task == b'{"late": true}'
    streams.cut()
    with pytest.raises(StopAsyncIteration):
        await anext(watch)


def test_an_error_inside_a_watch_is_the_same_error() -> None:
    event = json.loads(recorded("kubernetes/watch_old_rv_410.jsonl"))
    assert isinstance(status_error(event["object"]), GoneError)


async def test_logs(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/namespaces/jobs/pods/p/log", b"one\ntwo\n", content_type="text/plain")
    body = await connection.reader.log("jobs", "p", container="c", tail=10, since=0.4, limit_bytes=99, previous=True)
    assert body == b"one\ntwo\n"
    query = peer.last(".*/log").query
    assert query == {
        "container": "c", "tailLines": "10", "sinceSeconds": "1", "limitBytes": "99", "previous": "true"
    }  # fmt: skip
    assert [line async for line in connection.reader.follow_log("jobs", "p")] == [b"one", b"two"]
    peer.answer(".*/log", recorded("kubernetes/pod_logs_early_400.json"), status=400)
    with pytest.raises(InvalidError, match="is waiting to start: ContainerCreating"):
        await connection.reader.log("jobs", "p")


async def test_reviews(peer: Peer, connection: Connection) -> None:
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    peer.answer(reviews, recorded("kubernetes/ssar_default.json"), method="POST", status=201)
    assert not (await connection.reader.may("patch", "pods", namespace="jobs", subresource="log")).allowed
    assert json.loads(peer.last(reviews, "POST").body)["spec"]["resourceAttributes"] == {
        "verb": "patch", "resource": "pods", "namespace": "jobs", "subresource": "log"
    }  # fmt: skip


async def test_discovery(peer: Peer, connection: Connection) -> None:
    peer.answer("/apis", recorded("kubernetes/apis.json"))
    groups = await connection.reader.groups()
    assert groups["apps"] == ("v1",) and groups["policy"][0] == "v1beta1"
    kinds = [{"name": "sparkapplications", "kind": "SparkApplication", "namespaced": True, "verbs": ["list"]},
             {"name": "sparkapplications/status", "kind": "SparkApplication", "namespaced": True}]  # fmt: skip
    peer.answer("/apis/sparkoperator.k8s.io/v1beta2", {"resources": kinds})
    found = await connection.reader.resource("sparkoperator.k8s.io/v1beta2", "SparkApplication")
    assert (found.plural, found.namespaced) == ("sparkapplications", True)
    with pytest.raises(NotFoundError):
        await connection.reader.resource("sparkoperator.k8s.io/v1beta2", "Nope")
    assert peer.count("/apis/spark.*") == 1


# Proxies


async def test_what_stands_behind_a_proxy_answers_for_itself(peer: Peer, connection: Connection) -> None:
    target = "/api/v1/namespaces/mon/services/https:prom:9090/proxy/api/v1/query"
    peer.answer(target, '{"status":"error","errorType":"bad_data"}', status=400)
    answer = await connection.reader.service_proxy(
        "mon", "prom", 9090, "/api/v1/query", {"query": "up{}"}, scheme="https"
    )
    assert (answer.status, answer.content_type) == (400, "application/json")
    assert peer.last(target).query == {"query": "up{}"}


async def test_a_busy_backend_is_asked_once(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/.*", "busy", status=503, headers={"Retry-After": "1"}, content_type="text/plain")
    assert (await connection.reader.pod_proxy("jobs", "p", 4040, "api/v1/version")).status == 503
    assert peer.count("/api/v1/.*") == 1


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (403, 'services "prom" is forbidden: User "u" cannot get resource "services/proxy"', ForbiddenError),
        (404, 'services "prom" not found', NotFoundError),
        (503, "error trying to reach service: dial tcp 10.0.0.1:9090: connect: connection refused", ReachError),
        (503, 'no endpoints available for service "prom"', ReachError),
    ],
)
async def test_refusals_of_the_api_server_itself_are_errors(
    peer: Peer, connection: Connection, status: int, message: str, kind: type[Exception]
) -> None:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "code": status,
    }
    peer.answer("/api/v1/.*", body, status=status)
    with pytest.raises(kind) as caught:
        await connection.reader.service_proxy("mon", "prom", 9090, "/")
    assert message in str(caught.value)


# Paths


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "a%2fb", "a\\b", "a\0"])
def test_a_name_cannot_leave_its_place(name: str) -> None:
    with pytest.raises(UsageError):
        object_path("v1", "pods", "jobs", name, "log") if name else object_path("v1", "")
    with pytest.raises(UsageError):
        proxy_path("pods", "jobs", name, "", "x")


def test_paths() -> None:
    assert object_path("v1", "pods", "a", "b", "log") == "/api/v1/namespaces/a/pods/b/log"
    assert object_path("apps/v1", "deployments") == "/apis/apps/v1/deployments"
    assert object_path("v1", "events", "a", "pod?x=1#y z") == "/api/v1/namespaces/a/events/pod%3Fx=1%23y%20z"
    assert proxy_path("pods", "a", "b", 4040, "/x") == "/api/v1/namespaces/a/pods/b:4040/proxy/x"
