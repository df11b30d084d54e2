"""What a server, a kubeconfig or a flag may say at worst: it is refused by name, and nothing else comes out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from console.base.errors import ConsoleError, LoginNeeded, ReachError, UsageError
from console.wire.checks import fits_in_a_header, http_address
from console.wire.config import ContextRef, resolve
from console.wire.connection import Connection
from console.wire.endpoint import UrlEndpoint
from console.wire.errors import http_error
from console.wire.http import retry_after
from console.wire.network import proxy_for
from console.wire.paths import segment
from tests.wire.peer import Peer, kubeconfig

NOWHERE = [
    "http://x:99999",
    "http://x:0",
    "http://[::1",
    "http://x:abc",
    "http://a\0b/",
    "http://x y/",
    "ftp://x",
    "x",
    "",
]


@pytest.mark.parametrize("url", NOWHERE)
def test_an_address_that_cannot_exist_is_none(url: str) -> None:
    assert http_address(url) is None
    with pytest.raises(UsageError, match="no http or https URL"):
        UrlEndpoint(url)


@pytest.mark.parametrize("server", [url for url in NOWHERE if "://" in url])
def test_a_kubeconfig_whose_server_cannot_exist_says_where(server: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config:\d+:\d+: .* is no http or https address"):
        resolve(ContextRef(kubeconfig=kubeconfig(tmp_path, server)))


@pytest.mark.parametrize("proxy", ["http://[::1", "http://x:99999"])
def test_a_proxy_that_cannot_exist_is_said(proxy: str) -> None:
    with pytest.raises(UsageError, match="proxy-url is no URL"):
        proxy_for("https://10.0.0.1", proxy)


@examples(max_examples=150, deadline=None)
@given(st.text(max_size=40))
def test_any_name_is_one_segment_of_a_path_or_refused(name: str) -> None:
    try:
        quoted = segment(name)
    except UsageError:
        return
    assert quoted.isascii() and "/" not in quoted


def test_a_name_that_is_no_utf8_is_no_name() -> None:
    with pytest.raises(UsageError, match="cannot be a name"):
        segment("caf\udce9")


@pytest.mark.parametrize("token", ["a\nb", "a\0b", "a\x7fb"])
async def test_a_token_never_begins_another_header(token: str, peer: Peer, tmp_path: Path) -> None:
    assert not fits_in_a_header(token)
    connection = await Connection.open(
        ContextRef(kubeconfig=kubeconfig(tmp_path, peer.url, {"token": token})), identify=False
    )
    with pytest.raises(LoginNeeded, match="line breaks or control characters"):
        await connection.reader.get("/api/v1/x")
    await connection.close()
    endpoint = UrlEndpoint(peer.url, token=token)
    with pytest.raises(UsageError, match="'Authorization'"):
        await endpoint.get("/x")
    await endpoint.close()
    with pytest.raises(UsageError, match="nobody can be impersonated"):
        resolve(ContextRef(kubeconfig=kubeconfig(tmp_path, peer.url), as_user=token))


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"command": "true", "args": 5}, "must be lists"),
        ({"command": "true", "env": "x"}, "must be lists"),
        ({"command": "a\0b"}, "cannot be run"),
        ({"command": "sh", "args": ["-c", "head -c 100000 /dev/zero | tr '\\0' '['"]}, "no ExecCredential"),
        ({"command": "printf", "args": ['{"apiVersion":"%s","status":{"token":"a\\\\nb"}}']}, "control characters"),
    ],
)
async def test_a_plugin_that_is_wrong_is_a_login_that_is_needed(
    spec: dict[str, Any], says: str, peer: Peer, tmp_path: Path
) -> None:
    version = "client.authentication.k8s.io/v1"
    if spec["command"] == "printf":
        spec = {**spec, "args": [*spec["args"], version]}
    user = {"exec": {"apiVersion": version, **spec}}
    connection = await Connection.open(ContextRef(kubeconfig=kubeconfig(tmp_path, peer.url, user)), identify=False)
    with pytest.raises(LoginNeeded, match=says):
        await connection.reader.get("/api/v1/x")
    await connection.close()


NONSENSE = [
    "5", "[]", '{"status":5}', '{"status":{"userInfo":5}}', '{"status":{"userInfo":{"groups":5}}}', '{"metadata":5}',
    '{"gitVersion":{}}', "[" * 50_000,
]  # fmt: skip


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
async def test_a_server_that_says_nonsense_of_itself_has_no_identity(body: str, peer: Peer, tmp_path: Path) -> None:
    peer.answer("/version", body)
    peer.answer("/api/v1/namespaces/kube-system", body)
    peer.answer("/apis/authentication.*", body, method="POST")
    connection = await Connection.open(ContextRef(kubeconfig=kubeconfig(tmp_path, peer.url)))
    assert (connection.identity.user, connection.identity.version, connection.identity.cluster_uid) == ("u", "", "")
    await connection.close()


ASKED: list[tuple[str, str, Callable[[Connection], Awaitable[Any]]]] = [
    ("POST", '{"status":5}', lambda c: c.reader.may("get", "pods")),
    ("POST", '{"status":{"allowed":"x"}}', lambda c: c.reader.may("get", "pods")),
    ("GET", '{"groups":[5]}', lambda c: c.reader.groups()),
    ("GET", '{"groups":[{"name":"x","versions":5}]}', lambda c: c.reader.groups()),
    ("GET", '{"resources":5}', lambda c: c.reader.resources("v1")),
    ("GET", '{"resources":[{"name":"x","verbs":5}]}', lambda c: c.reader.resources("v1")),
    ("GET", "[" * 50_000, lambda c: c.reader.object("/api/v1/x")),
    ("GET", '{"a":"\\ud800"}', lambda c: c.reader.object("/api/v1/x")),
]


@pytest.mark.parametrize(("method", "body", "ask"), ASKED, ids=range(len(ASKED)))
async def test_an_answer_of_another_shape_is_no_answer(
    method: str, body: str, ask: Callable[[Connection], Awaitable[Any]], peer: Peer, connection: Connection
) -> None:
    peer.answer("/api.*", body, method=method)
    with pytest.raises(ReachError, match=r"makes no sense|no JSON"):
        await ask(connection)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("3", 3.0), ("9" * 400, None), ("60", 10.0), ("²", None), ("-1", None), ("1.5", None), ("", None)],
)
def test_a_server_is_waited_for_as_long_as_makes_sense(said: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": said}) == seconds


@examples(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=80), st.sampled_from([b"[" * 50_000, b'{"message":"\xff"}', b'{"details":{"a":1e400}}'])
    )
)
def test_any_body_of_a_refusal_is_said_on_one_short_line(body: bytes) -> None:
    error = http_error(422, body, "GET /x")
    assert isinstance(error, ConsoleError) and len(error.message) < 400 and "\n" not in error.message
