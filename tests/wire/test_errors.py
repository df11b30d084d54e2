"""What an HTTP status means for a person and for a script: whether to ask again, and the exit code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from console.base.errors import Exit, ForbiddenError, LoginNeeded, ReachError
from console.cli.main import run
from console.wire.checks import named
from console.wire.connection import Connection
from console.wire.errors import (
    ApiError,
    ConflictError,
    GoneError,
    InvalidError,
    NotFoundError,
    TooManyError,
    UnavailableError,
    refusal,
)
from console.wire.network import network_error
from tests.wire.peer import Peer, kubeconfig

MEANINGS: list[tuple[int, type[Exception], Exit]] = [
    (400, InvalidError, Exit.UNHEALTHY),
    (403, ForbiddenError, Exit.UNREACHABLE),
    (404, NotFoundError, Exit.UNHEALTHY),
    (405, ApiError, Exit.UNHEALTHY),
    (409, ConflictError, Exit.UNHEALTHY),
    (410, GoneError, Exit.UNHEALTHY),
    (415, InvalidError, Exit.UNHEALTHY),
    (422, InvalidError, Exit.UNHEALTHY),
    (429, TooManyError, Exit.UNREACHABLE),
    (500, UnavailableError, Exit.UNREACHABLE),
    (503, UnavailableError, Exit.UNREACHABLE),
    (504, UnavailableError, Exit.UNREACHABLE),
]


@pytest.mark.parametrize(("status", "kind", "code"), MEANINGS)
async def test_only_a_server_that_cannot_serve_now_is_unreachable(
    peer: Peer, connection: Connection, status: int, kind: type[Exception], code: Exit
) -> None:
    peer.answer("/api/v1/x", {"kind": "Status", "message": "because"}, status=status)
    with pytest.raises(kind, match="because") as caught:
        await connection.send("GET", "/api/v1/x", retry=False)
    assert type(caught.value) is kind and caught.value.exit_code == code  # type: ignore[attr-defined]
    assert isinstance(caught.value, ReachError) == (status in (429, 500, 503, 504))
    assert getattr(caught.value, "status", 403) == status


async def test_a_login_that_is_refused_is_neither(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/x", {}, status=401)
    with pytest.raises(LoginNeeded) as caught:
        await connection.reader.get("/api/v1/x")
    assert caught.value.exit_code == Exit.UNREACHABLE and not isinstance(caught.value, ApiError)


def test_an_answer_that_is_no_refusal_comes_from_somebody_else() -> None:
    assert type(refusal(200, "no list of rules")) is ReachError


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [(400, 1, "it is HTTPS here (HTTP 400)"), (401, 3, "the server refuses the token"), (503, 3, "HTTP 503")],
)
async def test_a_command_ends_with_the_code_of_what_the_server_said(
    peer: Peer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
    code: int,
    says: str,
) -> None:
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("CONSOLE_CONFIG_DIR", str(tmp_path / "config"))
    peer.answer("/version", "it is HTTPS here", status=status, content_type="text/plain")
    where = ["--kubeconfig", kubeconfig(tmp_path, peer.url)]
    assert await asyncio.to_thread(run, ["status", *where]) == code
    assert says in capsys.readouterr().err


def test_a_token_in_the_path_of_a_server_is_in_no_sentence_about_it() -> None:
    """kubectl and client-go send nothing else over plain HTTP, so a drill has its token there."""
    server = "http://127.0.0.1:40911/drill/dXhZVgUoJ-BItKiuJWSNZWePSgMxP3-g"
    for error in (TimeoutError(), aiohttp.ServerDisconnectedError(), aiohttp.ClientPayloadError()):
        said = str(network_error(error, server, 15))
        assert "dXhZ" not in said and "http://127.0.0.1:40911/drill/…" in said
    assert (
        named("https://rancher.example.org/k8s/clusters/c-m-x7f2")
        == "https://rancher.example.org/k8s/clusters/c-m-x7f2"
    )
    assert named("https://a-host-with-a-long-single-label:6443") == "https://a-host-with-a-long-single-label:6443"
