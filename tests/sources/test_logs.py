"""Logs: their end, redacted and bounded; a log that was collected already is no log."""

from __future__ import annotations

import pytest
from aiohttp import web

from console.base.redact import MARK, redact
from console.sources.cluster import logs
from console.sources.cluster.logs import LogGone, follow, tail
from console.wire.connection import Connection
from console.wire.errors import InvalidError, NotFoundError
from tests.wire.peer import Peer, recorded

LOG = "/api/v1/namespaces/jobs/pods/p/log"
COLLECTED = b"unable to retrieve container logs for containerd://caef0853636bfcda210c051cf2bb299bcfb67f1c1ebb895d51cf6cd011a0234e"


async def test_the_end_of_a_log(peer: Peer, connection: Connection) -> None:
    peer.answer(LOG, "one\npassword=hunter2\nlast\n", content_type="text/plain")
    log = await tail(connection.reader, "jobs", "p", container="c", lines=3, role="driver", at=5.0, previous=True)
    assert (log.subject, log.container, log.role, log.origin.at) == ("Pod/jobs/p", "c", "driver", 5.0)
    assert log.text == f"one\npassword={MARK}\nlast\n" and log.truncated
    assert log.origin.locator == f"{LOG}?container=c&previous=true"
    assert peer.last(LOG).query["tailLines"] == "3"


async def test_what_is_too_long_is_cut_at_the_beginning(peer: Peer, connection: Connection) -> None:
    peer.answer(LOG, "\n".join(f"line {n}" for n in range(1000)), content_type="text/plain")
    log = await tail(connection.reader, "jobs", "p", limit_bytes=100)
    assert log.truncated and log.text.endswith("line 999") and log.text.startswith("line ") and len(log.text) <= 100


async def test_the_end_is_not_lost_to_the_servers_own_limit(
    peer: Peer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_MOST", 1_000)

    async def handler(request: web.Request) -> web.StreamResponse:
        lines = [f"line {n:04d} " + "x" * 20 for n in range(1000)][-int(request.query["tailLines"]) :]
        return web.Response(text="\n".join(lines)[: int(request.query["limitBytes"])])

    peer.on("GET", LOG, handler)
    assert "line 0999" in (await tail(connection.reader, "jobs", "p", lines=1000)).text


@pytest.mark.parametrize(
    ("body", "status", "kind", "why"),
    [
        (COLLECTED, 200, LogGone, "collected already"),
        (recorded("kubernetes/pod_logs_early_400.json"), 400, InvalidError, "not started yet"),
        (b'{"kind":"Status","message":"pods \\"p\\" not found"}', 404, NotFoundError, "the pod is gone"),
    ],
)
async def test_logs_that_are_not_there(
    peer: Peer, connection: Connection, body: bytes, status: int, kind: type[NotFoundError], why: str
) -> None:
    peer.answer(LOG, body, status=status, content_type="text/plain")
    with pytest.raises(kind) as caught:
        await tail(connection.reader, "jobs", "p")
    assert logs.why_not(caught.value) == why
    if status == 200:
        with pytest.raises(LogGone):
            await anext(follow(connection.reader, "jobs", "p"))


async def test_a_log_that_speaks_of_collected_logs_is_a_log(peer: Peer, connection: Connection) -> None:
    peer.answer(LOG, COLLECTED + b"\nsecond\nthird\n", content_type="text/plain")
    assert "third" in (await tail(connection.reader, "jobs", "p")).text


async def test_following(peer: Peer, connection: Connection) -> None:
    peer.answer(LOG, "one\r\ntoken=hunter2\ntwo\n", content_type="text/plain")
    lines = [line async for line in follow(connection.reader, "jobs", "p", container="c", lines=7)]
    assert lines == ["one", f"token={MARK}", "two"]
    assert peer.last(LOG).query == {"container": "c", "tailLines": "7", "follow": "true"}


def test_keys_that_span_lines_are_removed() -> None:
    text = "a\n-----BEGIN PRIVATE KEY-----\nMIIE\nabc\n-----END PRIVATE KEY-----\nb"
    assert redact(text) == f"a\n{MARK}\n{MARK}\n{MARK}\n{MARK}\nb", "lines stay lines: places in a log stay true"
