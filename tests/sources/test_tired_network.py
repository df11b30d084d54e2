"""The live picture of a real API server over a tired network: no row is lost or doubled, the word is right while it
lasts, and what heals is noticed without a key."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.base.clock import WallClock
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.config import ContextRef
from console.wire.connection import Connection
from console.wire.reader import Reader
from tests.cluster.controlplane import KubeApi
from tests.sources.test_real_cluster import executor
from tests.sources.world import picture
from tests.wire.faulty import Choice, Fault, Faulty, everything, lists_of_pods, refusal, tired, watches, watches_of_pods
from tests.wire.peer import kubeconfig, until

pytestmark = pytest.mark.parts

MANY = 24
_PAGES = Reader.pages
PAGE = b"<html><body>Sign in</body></html>"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.sources.cluster.reflector._LONGEST_WAIT", 3.0)


@pytest.fixture
async def network(kube_api: KubeApi) -> AsyncIterator[Faulty]:
    async with tired(kube_api.url, kube_api.authority) as between:
        yield between


def pods_of(source: ClusterSource) -> tuple[str, str]:
    """How far the pods can be trusted: the word and its reason."""
    return next(((s.state, s.detail) for s in source.snapshot().sources if s.name == "pods"), ("loading", ""))


@dataclass
class Scene:
    """Executors of one namespace, and who looks at them through the network."""

    api: KubeApi
    namespace: str
    source: ClusterSource

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    @property
    def word(self) -> str:
        return pods_of(self.source)[0]

    @property
    def detail(self) -> str:
        return pods_of(self.source)[1]

    @property
    def names(self) -> list[str]:
        """Of the pods that are there, each as often as it is there."""
        return sorted(pod.name for pod in self.source.snapshot().pods if not pod.gone)


@pytest.fixture
async def scene(kube_api: KubeApi, network: Faulty, tmp_path: Path) -> AsyncIterator[Scene]:
    namespace = kube_api.new_namespace("tired")
    scene_path = f"/api/v1/namespaces/{namespace}/pods"
    for number in range(MANY):
        kube_api.create(scene_path, executor(f"etl-exec-{number}"))
    config = kubeconfig(tmp_path, network.url, {"token": kube_api.viewer.token}, namespace=namespace)
    connection = await Connection.open(ContextRef(kubeconfig=config), identify=False)
    source = ClusterSource(connection, Scope(namespaces=(namespace,)), WallClock())
    yield Scene(kube_api, namespace, source)
    await source.stop()
    await connection.close()


ALL = sorted(f"etl-exec-{number}" for number in range(MANY))

BUSY = refusal(429, "TooManyRequests", "too many requests, please try again later", **{"Retry-After": "1"})
BROKEN = refusal(500, "InternalError", "etcdserver: leader changed")
OLD = refusal(410, "Expired", "too old resource version: 1 (2)")
LOGIN_PAGE = Fault(status=200, body=PAGE, content_type="text/html")


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        pytest.param(lists_of_pods(Fault(reset=3000)), "closed|reset|lost|payload", id="a-list-is-reset-in-its-middle"),
        pytest.param(lists_of_pods(Fault(end=3000)), "no JSON|makes no sense|payload", id="a-list-ends-in-its-middle"),
        pytest.param(everything(BUSY), "too many requests", id="429-with-a-time-to-wait"),
        pytest.param(everything(BROKEN), "leader changed", id="500-for-everything"),
        pytest.param(everything(LOGIN_PAGE), "web pages", id="a-login-page-for-everything"),
        pytest.param(everything(Fault(silent=True)), "", id="connections-that-stay-open-and-say-nothing"),
    ],
)
async def test_a_cluster_that_cannot_be_read_at_first_is_called_so_and_then_read(
    choice: Choice, says: str, scene: Scene, network: Faulty
) -> None:
    network.begin(choice)
    await scene.source.start()
    await until(lambda: network.met >= 1 and (not says or scene.word == "unreachable"), 20)
    assert scene.names != ALL and scene.word in ("unreachable", "loading")
    if says:
        assert any(word in scene.detail for word in says.split("|")), scene.detail
    network.heal()
    await until(lambda: scene.word == "fresh", 40)
    assert scene.names == ALL


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        pytest.param(everything(Fault(reset=0)), "closed|reset|lost|disconnected", id="every-connection-is-reset"),
        pytest.param(everything(BUSY), "too many requests", id="429-with-a-time-to-wait"),
        pytest.param(everything(BROKEN), "leader changed", id="500-for-everything"),
        pytest.param(everything(LOGIN_PAGE), "", id="a-login-page-for-everything"),
    ],
)
async def test_what_was_read_stays_and_is_called_late_until_the_network_is_well(
    choice: Choice, says: str, scene: Scene, network: Faulty
) -> None:
    await scene.source.start()
    await until(lambda: scene.word == "fresh", 30)
    network.begin(choice)
    await until(lambda: scene.word == "late", 20)
    assert scene.names == ALL
    assert any(word in scene.detail for word in says.split("|")), scene.detail
    scene.api.create(scene.path, executor("etl-exec-new"))
    scene.api.delete(f"{scene.path}/etl-exec-0", gracePeriodSeconds="0")
    network.heal()
    await until(lambda: scene.word == "fresh", 40)
    changed = sorted({*ALL, "etl-exec-new"} - {"etl-exec-0"})
    await until(lambda: scene.names == changed, 10)


async def test_a_server_that_is_broken_is_not_stormed(scene: Scene, network: Faulty) -> None:
    await scene.source.start()
    await until(lambda: scene.word == "fresh", 30)
    network.begin(lambda request: BROKEN if request.path.endswith("/pods") else None)
    began = asyncio.get_running_loop().time()
    await until(lambda: network.met >= 4, 40)
    assert asyncio.get_running_loop().time() - began > 2.0


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(OLD, id="as-its-answer"),
        pytest.param(
            Fault(status=200, body=json.dumps({"type": "ERROR", "object": json.loads(OLD.body)}).encode() + b"\n"),
            id="as-an-event",
        ),
    ],
)
async def test_a_watch_that_is_too_old_begins_with_a_new_list(gone: Fault, scene: Scene, network: Faulty) -> None:
    await scene.source.start()
    await until(lambda: scene.word == "fresh", 30)
    scene.api.delete(f"{scene.path}/etl-exec-1", gracePeriodSeconds="0")
    await until(lambda: "etl-exec-1" not in scene.names, 10)
    known = scene.api.get(scene.path)["metadata"]["resourceVersion"]
    network.begin(watches_of_pods(gone, until=int(known)))
    scene.api.delete(f"{scene.path}/etl-exec-2", gracePeriodSeconds="0")
    scene.api.create(scene.path, executor("etl-exec-1"))  # another pod of that name
    await until(lambda: network.met >= 1, 10)
    await until(lambda: scene.names == sorted({*ALL} - {"etl-exec-2"}), 30)
    await until(lambda: scene.word == "fresh", 30)


async def test_the_token_of_a_list_that_ended_between_its_pages_begins_the_list_anew(
    scene: Scene, network: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.sources.cluster.reflector.Reader.pages", _small_pages)
    ended = [refusal(410, "Expired", "The provided continue parameter is too old")]
    network.begin(lambda request: ended.pop() if "continue" in request.query and ended else None)
    await scene.source.start()
    await until(lambda: scene.word == "fresh", 30)
    assert scene.names == ALL and network.met == 1


async def test_two_seconds_for_each_answer_and_a_thin_line_are_no_trouble(scene: Scene, network: Faulty) -> None:
    network.begin(lambda request: Fault(delay=0.0 if watches(request) else 2.0, rate=64 * 1024))
    await scene.source.start()
    await until(lambda: scene.word == "fresh", 60)
    assert scene.names == ALL
    scene.api.create(scene.path, executor("etl-exec-new"))
    await picture(scene.source, lambda facts: any(pod.name == "etl-exec-new" for pod in facts.pods), 30)
    assert scene.word == "fresh"


async def test_a_watch_that_is_open_and_mute_is_begun_anew_and_goes_on_where_it_was(
    scene: Scene, network: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.sources.cluster.reflector.IDLE", 2.0)
    await scene.source.start()
    await until(lambda: scene.word == "fresh", 30)
    lists = sum(1 for asked in network.asked if "/pods?" in asked and "watch=true" not in asked)
    mute = [Fault(silent=True)]
    network.begin(lambda request: mute.pop() if mute and request.path.endswith("/pods") and watches(request) else None)
    await until(lambda: network.met == 1, 10)
    scene.api.create(scene.path, executor("etl-exec-new"))
    await until(lambda: "etl-exec-new" in scene.names, 30)
    assert sum(1 for asked in network.asked if "/pods?" in asked and "watch=true" not in asked) == lists


async def test_a_token_that_expired_is_renewed_by_its_plugin_without_a_word(
    kube_api: KubeApi, network: Faulty, tmp_path: Path
) -> None:
    namespace = kube_api.new_namespace("tired")
    path = f"/api/v1/namespaces/{namespace}/pods"
    kube_api.create(path, executor("etl-exec-1"))
    token, plugin = tmp_path / "token", tmp_path / "plugin"
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    plugin.write_text(
        f"#!{sys.executable}\nimport json\n"
        f"print(json.dumps({{**{answer!r}, 'status': {{'token': open({str(token)!r}).read()}}}}))\n"
    )
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    how = {"apiVersion": answer["apiVersion"], "command": str(plugin), "interactiveMode": "Never"}
    token.write_text(kube_api.viewer.token)
    ended = f"Bearer {kube_api.viewer.token}"
    config = kubeconfig(tmp_path, network.url, {"exec": how}, namespace=namespace)
    connection = await Connection.open(ContextRef(kubeconfig=config), identify=False)
    source = ClusterSource(connection, Scope(namespaces=(namespace,)), WallClock())
    try:
        await source.start()
        await until(lambda: pods_of(source)[0] == "fresh", 30)
        unauthorized = refusal(401, "Unauthorized", "Unauthorized")
        token.write_text(kube_api.token)
        network.begin(lambda request: unauthorized if request.headers["Authorization"] == ended else None)
        kube_api.create(path, executor("etl-exec-2"))
        await picture(source, lambda facts: len(facts.pods) == 2, 30)
        assert network.met and pods_of(source)[0] == "fresh"
    finally:
        await source.stop()
        await connection.close()


def _small_pages(
    reader: Any, path: str, query: dict[str, str] | None = None, *, size: int = 0, accept: str = ""
) -> Any:
    return _PAGES(reader, path, query, size=7, accept=accept)
