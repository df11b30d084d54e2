"""Credentials: plugins, token files, renewal. A login that fails is `login needed`, never an anonymous request."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from console.base.errors import LoginNeeded
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.wire.peer import Peer, Pki, kubeconfig, recorded, serving, until

CREDENTIAL = "client.authentication.k8s.io/v1"


def plugin(folder: Path, script: str, **more: Any) -> dict[str, Any]:
    """A user whose credentials come from a Python script; each run adds a line to `runs`."""
    path = folder / "plugin.py"
    prologue = f"import json, os, sys, time\nopen({str(folder / 'runs')!r}, 'a').write('run\\n')\n"
    whole = f"{{'apiVersion': {CREDENTIAL!r}, 'kind': 'ExecCredential', 'status': status}}"
    helper = f"def give(**status): print(json.dumps({whole}))\n"
    path.write_text(prologue + helper + script)
    return {"exec": {"apiVersion": CREDENTIAL, "command": sys.executable, "args": [str(path)], **more}}


def runs(folder: Path) -> int:
    path = folder / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


async def open_with(folder: Path, peer: Peer, user: dict[str, Any]) -> Connection:
    return await Connection.open(ContextRef(kubeconfig=kubeconfig(folder, peer.url, user)), identify=False)


def bearer(peer: Peer, *good: str) -> None:
    """Let `/api/v1/x` answer only these tokens."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") in [f"Bearer {token}" for token in good]:
            return web.json_response({"ok": True})
        return web.Response(body=recorded("kubernetes/badtoken_401.json"), status=401, content_type="application/json")

    peer.on("GET", "/api/v1/x", handler)


async def test_a_plugin_gives_the_token_once(peer: Peer, tmp_path: Path) -> None:
    bearer(peer, "abc")
    connection = await open_with(tmp_path, peer, plugin(tmp_path, "give(token='abc')"))
    for _ in range(3):
        assert await connection.reader.get("/api/v1/x") == b'{"ok": true}'
    assert runs(tmp_path) == 1
    await connection.close()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("sys.stderr.write('noise\\nsession ended, token=hunter2\\n'); sys.exit(3)", "exit code 3: session ended"),
        ("print('hello')", "no ExecCredential"),
        ("give()", "neither a token nor a client certificate"),
        ("give(clientCertificateData='x')", "neither a token nor a client certificate"),
        ("print(json.dumps({'apiVersion': 'v9', 'kind': 'ExecCredential', 'status': {'token': 't'}}))", "v9"),
    ],
)
async def test_a_plugin_that_fails_means_login_needed_and_nothing_is_sent(
    peer: Peer, tmp_path: Path, script: str, says: str
) -> None:
    connection = await open_with(tmp_path, peer, plugin(tmp_path, script))
    with pytest.raises(LoginNeeded) as caught:
        await connection.reader.get("/api/v1/x")
    assert says in caught.value.message and "hunter2" not in str(caught.value)
    assert (caught.value.hint or "").startswith("run: ") and "plugin.py" in (caught.value.hint or "")
    assert peer.asked == []
    await connection.close()


@pytest.mark.parametrize(
    ("spec", "says", "hint"),
    [
        ({"command": "/no/such/plugin", "installHint": "brew install it"}, "not installed", "brew install it"),
        ({"command": "aws", "args": ["--profile", "prod x"], "interactiveMode": "Always"}, "questions",
         "run: aws sso login --profile 'prod x'"),
        ({"command": "gke-gcloud-auth-plugin", "interactiveMode": "Always"}, "questions", "run: gcloud auth login"),
        ({"command": "x", "apiVersion": "v0"}, "needs a command", "mend it in"),
    ],
)  # fmt: skip
async def test_a_plugin_that_cannot_run_says_what_to_do(
    peer: Peer, tmp_path: Path, spec: dict[str, Any], says: str, hint: str
) -> None:
    connection = await open_with(tmp_path, peer, {"exec": {"apiVersion": CREDENTIAL, **spec}})
    with pytest.raises(LoginNeeded) as caught:
        await connection.reader.get("/api/v1/x")
    assert says in caught.value.message and hint in (caught.value.hint or "")
    await connection.close()


async def test_a_plugin_has_no_stdin_and_no_terminal(peer: Peer, tmp_path: Path) -> None:
    script = """
read = sys.stdin.read()
try:
    open('/dev/tty'); tty = 'yes'
except OSError:
    tty = 'no'
give(token=f'{read!r}-{tty}-' + str(json.loads(os.environ['KUBERNETES_EXEC_INFO'])['spec']['interactive']))
"""
    bearer(peer, "''-no-False")
    connection = await open_with(tmp_path, peer, plugin(tmp_path, script))
    assert await connection.reader.get("/api/v1/x") == b'{"ok": true}'
    await connection.close()


async def test_a_plugin_that_hangs_is_ended(peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.wire import plugin as room

    monkeypatch.setattr(room.issue, "__kwdefaults__", {"deadline": 5.0})
    script = f"""
import subprocess
child = subprocess.Popen(['sleep', '600'])
open({str(tmp_path / "child")!r}, 'w').write(str(child.pid))
time.sleep(600)
"""
    connection = await open_with(tmp_path, peer, plugin(tmp_path, script))
    began = time.monotonic()
    with pytest.raises(LoginNeeded, match="did not answer within"):
        await connection.reader.get("/api/v1/x")
    assert time.monotonic() - began < 300
    stat = Path(f"/proc/{(tmp_path / 'child').read_text()}/stat")
    await until(lambda: not stat.exists() or stat.read_text().split()[2] == "Z")
    await connection.close()


async def test_the_cluster_is_told_to_a_plugin_that_asks(peer: Peer, tmp_path: Path) -> None:
    script = "give(token=json.loads(os.environ['KUBERNETES_EXEC_INFO'])['spec']['cluster']['server'])"
    bearer(peer, peer.url)
    connection = await open_with(tmp_path, peer, plugin(tmp_path, script, provideClusterInfo=True))
    assert await connection.reader.get("/api/v1/x") == b'{"ok": true}'
    await connection.close()


async def test_a_token_that_ends_is_renewed_before_it_is_sent(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.wire.auth._AT_MOST_EVERY", 0.0)
    soon = "time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 2))"
    bearer(peer, "abc")
    connection = await open_with(tmp_path, peer, plugin(tmp_path, f"give(token='abc', expirationTimestamp={soon})"))
    await connection.reader.get("/api/v1/x")
    await connection.reader.get("/api/v1/x")
    assert runs(tmp_path) == 2
    await connection.close()


async def test_a_clock_that_is_ahead_does_not_run_the_plugin_for_every_request(peer: Peer, tmp_path: Path) -> None:
    bearer(peer, "abc")
    user = plugin(tmp_path, "give(token='abc', expirationTimestamp='2020-01-01T00:00:00Z')")
    connection = await open_with(tmp_path, peer, user)
    for _ in range(5):
        await connection.reader.get("/api/v1/x")
    assert runs(tmp_path) == 1
    await connection.close()


async def test_a_failed_login_is_tried_again_when_the_person_says_so(peer: Peer, tmp_path: Path) -> None:
    bearer(peer, "abc")
    script = f"give(token='abc') if os.path.exists({str(tmp_path / 'in')!r}) else sys.exit(1)"
    connection = await open_with(tmp_path, peer, plugin(tmp_path, script))
    for _ in range(3):
        with pytest.raises(LoginNeeded):
            await connection.reader.get("/api/v1/x")
    assert runs(tmp_path) == 1
    (tmp_path / "in").write_text("")
    connection.login_again()
    assert await connection.reader.get("/api/v1/x") == b'{"ok": true}'
    await connection.close()


async def test_a_refused_token_is_renewed_once_for_all_who_wait(peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "n").write_text("")
    name = str(tmp_path / "runs")
    bearer(peer, "t2")
    script = f"time.sleep(0.2); give(token='t' + str(len(open({name!r}).readlines())))"
    connection = await open_with(tmp_path, peer, plugin(tmp_path, script))
    answers = await asyncio.gather(*(connection.reader.get("/api/v1/x") for _ in range(20)))
    assert answers == [b'{"ok": true}'] * 20 and runs(tmp_path) == 2
    await connection.close()


async def test_a_token_refused_for_good_is_not_asked_for_again_and_again(peer: Peer, tmp_path: Path) -> None:
    bearer(peer, "never")
    connection = await open_with(tmp_path, peer, plugin(tmp_path, "give(token='same')"))
    results = await asyncio.gather(*(connection.reader.get("/api/v1/x") for _ in range(12)), return_exceptions=True)
    assert all(isinstance(r, LoginNeeded) for r in results)
    assert "refuses what the exec plugin" in str(results[0]) and runs(tmp_path) == 2
    await connection.close()


async def test_a_token_file_is_read_again(peer: Peer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    bearer(peer, "old")
    connection = await open_with(tmp_path, peer, {"tokenFile": "token"})
    await connection.reader.get("/api/v1/x")
    bearer(peer, "new")
    token.write_text("new")
    assert await connection.reader.get("/api/v1/x") == b'{"ok": true}'
    token.unlink()
    bearer(peer, "newer")
    with pytest.raises(LoginNeeded) as caught:
        await connection.reader.get("/api/v1/x")
    assert str(token) in caught.value.message
    await connection.close()


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ({"token": "bad"}, "refuses the token of user 'u'"),
        ({}, "has none"),
        ({"auth-provider": {"name": "azure"}}, "no longer exists"),
        ({"username": "a", "password": "b"}, "refuses the password of user 'u'"),
    ],
)
async def test_other_logins_that_fail(peer: Peer, tmp_path: Path, user: dict[str, Any], says: str) -> None:
    bearer(peer, "good")
    connection = await open_with(tmp_path, peer, user)
    with pytest.raises(LoginNeeded) as caught:
        await connection.reader.get("/api/v1/x")
    assert says in caught.value.message and caught.value.hint
    await connection.close()


async def test_a_plugin_may_give_a_client_certificate(tmp_path: Path, pki: Pki) -> None:
    async with serving(Peer(), pki.server_context(ask_client=True)) as peer:
        peer.answer("/api/v1/x", {"ok": True})
        pair = {"clientCertificateData": Path(pki.path("client.pem")).read_text(),
                "clientKeyData": Path(pki.path("client.key")).read_text()}  # fmt: skip
        user = plugin(tmp_path, f"give(**{pair!r})")
        path = kubeconfig(tmp_path, peer.url, user, cluster={"certificate-authority": pki.path("ca.pem")})
        connection = await Connection.open(ContextRef(kubeconfig=path), identify=False)
        assert json.loads(await connection.reader.get("/api/v1/x")) == {"ok": True}
        await connection.close()
