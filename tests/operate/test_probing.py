"""A runbook asks ports through the API server: who listens, who answers what, and what of it cannot be told."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.actions.effects import ObjectRef
from console.drill.kube.access import DenyRule
from console.drill.session import DrillSession
from console.operate.reads.looking import look
from console.operate.reads.probing import answered, probed, unanswered
from console.runbook.context.objects import LiveObject, Wanted, with_objects
from console.runbook.model import Probe
from console.runbook.template import MissingData, evaluate
from console.wire.config import ContextRef
from console.wire.connection import Connection
from console.wire.http import HttpAnswer
from tests.cluster.controlplane import KubeApi
from tests.runbook.test_language import HEAD, book

SPARK = "spark-prod"
DIAL = "error trying to reach service: dial tcp 10.0.0.9:9083: "


@pytest.mark.parametrize(
    ("said", "is_open"),
    [
        (f"{DIAL}connect: connection refused", False),
        (f"{DIAL}i/o timeout", False),
        (f"{DIAL}connect: no route to host", False),
        ("error trying to reach service: dial tcp: lookup gone.svc: no such host", False),
        ('error trying to reach service: proxy error from 127.0.0.1:1 while dialing 10.0.0.9:1, code 503', False),
        ('no endpoints available for service "hive-metastore"', False),
        ('no service port "9" found for service "hive-metastore"', False),
        ("error trying to reach service: EOF", True),
        ("error trying to reach service: read tcp 10.0.0.1:1->10.0.0.9:9083: read: connection reset by peer", True),
        ('error trying to reach service: net/http: HTTP/1.x transport broken: malformed HTTP response', True),
        ("error trying to reach service: tls: first record does not look like a TLS handshake", True),
        ("error trying to reach service: net/http: timeout awaiting response headers", None),
        ("error trying to reach service: context deadline exceeded", None),
        ("the API server did not answer within 5s", None),
    ],
)  # fmt: skip
def test_what_the_proxy_says_tells_a_port_that_is_shut_from_one_that_speaks_no_http(
    said: str, is_open: bool | None
) -> None:
    found = unanswered(said)
    assert (found.tree or {}).get("open") is is_open
    assert (found.state == "unreachable") is (is_open is None) and found.because


def test_an_answer_is_shown_without_its_secrets_and_control_characters() -> None:
    body = b'{"spark": "4.1.4", "password": "hunter2-hunter2"}'
    found = answered(HttpAnswer(200, {}, body), 0.25)
    assert (found["open"], found["status"], found["seconds"]) == (True, 200, 0.25)
    assert found["json"]["spark"] == "4.1.4" and "hunter2" not in str(found)
    odd = answered(HttpAnswer(503, {}, b"\x1b[2Jno \xff store"), 0.1)
    assert odd["status"] == 503 and "\x1b" not in odd["text"] and "json" not in odd


def test_what_could_not_be_asked_is_no_answer_to_any_question() -> None:
    text = "- check: Does it answer?\n  that: answers.open and answers.status == 200\n  then: handed over\n"
    probes = "probes: {answers: {of: operator, port: 8080, get: /healthz}}\n"
    asks = book(
        f"{text}- do: {{patch: operator, merge: {{spec: {{replicas: 1}}}}}}\n  then: verify\n", head=HEAD + probes
    )
    (probe,) = asks.probes
    assert (probe.of, probe.port, probe.get) == ("operator", "8080", "/healthz")

    def asked(one: LiveObject) -> Any:
        return evaluate("answers.open and answers.status == 200", with_objects({}, asks, {"answers": one}, "x"))

    assert asked(LiveObject("found", {"open": True, "status": 200})) is True
    assert asked(LiveObject("found", {"open": True, "status": 503})) is False
    assert asked(LiveObject("found", {"open": False, "because": "refused"})) is False
    for state in ("forbidden", "unreachable"):
        with pytest.raises(MissingData):
            asked(LiveObject(state, None, "why"))  # type: ignore[arg-type]


NAMED = [
    Wanted("metastore", ObjectRef("v1", "Service", SPARK, "hive-metastore")),
    Wanted("history", ObjectRef("apps/v1", "Deployment", SPARK, "spark-history-server")),
    Wanted("gone", ObjectRef("v1", "Service", SPARK, "gone")),
]
PROBES = [
    Probe("thrift", "metastore", "9083"),
    Probe("version", "history", "18080", "/api/v1/version"),
    Probe("page", "history", "18080", "/api/v1/applications/none"),
    Probe("other", "history", "4040"),
    Probe("wrong", "metastore", "9"),
    Probe("nobody", "gone", "80"),
    Probe("unknown", "typo", "80"),
]


async def test_services_and_the_pods_of_workloads_are_asked_in_the_simulated_cluster() -> None:
    async with DrillSession.open("history-server-down", "healthy", step=True) as session:
        connection = await Connection.open(ContextRef(kubeconfig=str(session.kubeconfig)))
        seen = await look(connection.reader, NAMED)
        found = await probed(connection.reader, PROBES, seen)
        is_open = {name: (one.tree or {}).get("open") for name, one in found.items()}
        assert is_open == {
            "thrift": True, "version": True, "page": True, "other": False, "wrong": False, "nobody": False,
            "unknown": None,
        }  # fmt: skip
        assert found["version"].tree["json"] == {"spark": "4.1.4"} and found["page"].tree["status"] == 404
        assert "status" not in found["thrift"].tree, "it speaks no HTTP"
        session.deny(DenyRule(verbs=("get",), resources=("pods/proxy",), namespaces=(SPARK,)))
        denied = (await probed(connection.reader, PROBES[1:2], seen))["version"]
        assert (denied.state, denied.tree) == ("forbidden", None) and "pods/proxy" in denied.because
        await connection.close()


def outside() -> str:
    """An address of this machine that is not its loopback, which an API server does not proxy to."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return "" if address.startswith("127.") else address


@contextlib.contextmanager
def web(address: str) -> Iterator[int]:
    """An HTTP server that answers 200 to `/ok` and 500 to all else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/ok" else 500)
            self.end_headers()
            self.wfile.write(b'{"up": true}')

        def log_message(self, *_: Any) -> None:
            return

    with http.server.ThreadingHTTPServer((address, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextlib.contextmanager
def deaf(address: str, *, says: bytes) -> Iterator[int]:
    """A port that takes connections, says something that is no HTTP, and hangs up."""
    with socket.create_server((address, 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    with peer:
                        peer.recv(10)
                        peer.sendall(says)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.mark.parts
async def test_a_real_api_server_says_the_same_of_ports_of_pods(kube_api: KubeApi, tmp_path: Path) -> None:
    if not (address := outside()):
        pytest.skip("this machine has no address beside its loopback")
    space = kube_api.new_namespace("probing")
    container = {"name": "a", "image": "registry.local/a"}
    pod = {"metadata": {"name": "a", "labels": {"app": "a"}}, "spec": {"containers": [container]}}
    pods = f"/api/v1/namespaces/{space}/pods"
    kube_api.create(pods, pod)
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
    kube_api.merge(f"{pods}/a/status", {"status": status})
    connection = await Connection.open(ContextRef(kubeconfig=str(kube_api.kubeconfig)))
    with web(address) as http, deaf(address, says=b"") as mute, deaf(address, says=b"\x00thrift\n") as binary:
        with socket.create_server((address, 0)) as taken:
            shut = taken.getsockname()[1]
        seen = await look(connection.reader, [Wanted("a", ObjectRef("v1", "Pod", space, "a"))])
        asked = {
            "ok": (http, "/ok"),
            "bad": (http, "/bad"),
            "mute": (mute, ""),
            "binary": (binary, "/"),
            "shut": (shut, ""),
        }
        probes = [Probe(name, "a", str(port), path) for name, (port, path) in asked.items()]
        found = await asyncio.wait_for(probed(connection.reader, probes, seen), 60)
    await connection.close()
    assert {name: (one.tree or {}).get("open") for name, one in found.items()} == {
        "ok": True, "bad": True, "mute": True, "binary": True, "shut": False,
    }, found  # fmt: skip
    assert (found["ok"].tree["status"], found["ok"].tree["json"]) == (200, {"up": True})
    assert found["bad"].tree["status"] == 500
