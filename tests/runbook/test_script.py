"""scripts/lower-executor-cores against an API server on the wire: tested values, and a dry run that is one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.runbook.player import LIBRARY

SPEC = LIBRARY.scripts["lower-executor-cores"]
PATH = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/ns/sparkapplications/etl"


class Server:
    """Answers GET with one object and keeps every PATCH."""

    def __init__(self) -> None:
        self.object: dict[str, Any] = {
            "metadata": {"annotations": {"a": "b"}},
            "spec": {"executor": {"cores": 4, "instances": 5}},
        }
        self.patches: list[tuple[str, str, Any]] = []
        self.refuse: tuple[int, str] | None = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def reply(self, code: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                known = self.path == PATH
                self.reply(
                    200 if known else 404, server.object if known else {"kind": "Status", "message": "not found"}
                )

            def do_PATCH(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.patches.append((self.path, self.headers["Content-Type"], body))
                if server.refuse is not None:
                    self.reply(server.refuse[0], {"kind": "Status", "message": server.refuse[1]})
                else:
                    self.reply(200, server.object)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def run(server: Server, tmp_path: Path, *argv: str, dry: bool = False) -> subprocess.CompletedProcess[str]:
    url = f"http://127.0.0.1:{server.http.server_port}"
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": url}}], "users": [{"name": "u", "user": {"token": "t"}}],
    }  # fmt: skip
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    env = {
        "PATH": "/usr/bin:/bin",
        "KUBECONFIG": str(tmp_path / "kubeconfig"),
        "CONSOLE_DRY_RUN": "1" if dry else "0",
    }
    words = argv or ("--app", "ns/etl", "--divide-by", "2")
    return subprocess.run(
        [sys.executable, SPEC.path, *words],
        capture_output=True,
        text=True,
        env=env,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_cores_fall_and_executors_rise_behind_tests_of_their_present_values(server: Server, tmp_path: Path) -> None:
    done = run(server, tmp_path)
    assert done.returncode == 0, done.stderr
    ((path, content_type, body),) = server.patches
    assert (path, content_type) == (PATH, "application/json-patch+json")
    assert body == [
        {"op": "test", "path": "/spec/executor/cores", "value": 4},
        {"op": "replace", "path": "/spec/executor/cores", "value": 2},
        {"op": "test", "path": "/spec/executor/instances", "value": 5},
        {"op": "replace", "path": "/spec/executor/instances", "value": 10},
    ]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["after"] == {"/spec/executor/cores": 2, "/spec/executor/instances": 10} and result["dryRun"] is False
    assert set(result["after"]) == set(SPEC.touches)


def test_a_dry_run_asks_the_server_to_change_nothing(server: Server, tmp_path: Path) -> None:
    assert run(server, tmp_path, dry=True).returncode == 0
    assert [path for path, _, _ in server.patches] == [PATH + "?dryRun=All"]


def test_dynamic_allocation_and_slots_that_need_not_stay_leave_the_number_alone(server: Server, tmp_path: Path) -> None:
    server.object["spec"]["dynamicAllocation"] = {"enabled": True}
    assert run(server, tmp_path).returncode == 0
    body = server.patches[0][2]
    assert [o["path"] for o in body if o["op"] == "replace"] == ["/spec/executor/cores"]


@pytest.mark.parametrize(
    ("argv", "spec", "words"),
    [
        (("--app", "etl", "--divide-by", "2"), {}, "'etl' is no namespace/name"),
        (("--app", "ns/etl", "--divide-by", "1"), {}, "lowers nothing"),
        ((), {"executor": {"cores": 1}}, "one core already"),
        ((), {"executor": {}}, "is not set"),
        (("--app", "ns/gone", "--divide-by", "2"), {}, "the API server said 404"),
    ],
)
def test_what_cannot_be_done_says_why_and_writes_nothing(
    server: Server, tmp_path: Path, argv: tuple[str, ...], spec: Any, words: str
) -> None:
    server.object["spec"] = spec or server.object["spec"]
    done = run(server, tmp_path, *argv)
    assert done.returncode != 0 and words in done.stderr and "Traceback" not in done.stderr
    assert server.patches == []


def test_a_refusal_of_the_server_is_told_in_its_words(server: Server, tmp_path: Path) -> None:
    server.refuse = (422, "the server rejected our request due to a failed test")
    done = run(server, tmp_path)
    assert done.returncode != 0 and "422: the server rejected our request" in done.stderr
