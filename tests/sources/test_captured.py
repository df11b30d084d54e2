"""What dies is kept: at once, redacted, for the owner only, bounded, and it comes back after a restart."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from console.base.redact import MARK
from console.facts.model import Log, Origin
from console.sources.cluster.captured import EvidenceFolder, redact_pod
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.connection import Connection
from tests.sources.world import World, ended, event, executor, listed, oom_watch, picture, watching
from tests.wire.peer import Peer

SECRET = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl"
LOG = f"""INFO start
spark.hadoop.fs.s3a.secret.key=hunter2
Authorization: Bearer {SECRET}
ERROR java.lang.OutOfMemoryError
"""


@pytest.fixture
def world(peer: Peer) -> World:
    world = World(peer)
    peer.answer("/api/v1/namespaces/[^/]+/pods/[^/]+/log", LOG, content_type="text/plain")
    peer.answer(
        "/api/v1/namespaces/[^/]+/events",
        listed([{
            "metadata": {"name": "e", "namespace": "jobs"}, "reason": "Killing", "message": "password=hunter2",
            "involvedObject": {"kind": "Pod", "name": "etl-exec-1", "namespace": "jobs", "uid": "uid-etl-exec-1"},
        }]),
    )  # fmt: skip
    return world


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceFolder:
    return EvidenceFolder(tmp_path / "evidence" / "cluster")


def files(evidence: EvidenceFolder) -> dict[str, str]:
    return {
        str(path.relative_to(evidence.folder)): path.read_text()
        for path in sorted(evidence.folder.rglob("*"))
        if path.is_file()
    }


async def all_kept(source: ClusterSource) -> None:
    async with asyncio.timeout(60):
        await source.kept()


async def test_the_log_is_read_before_the_pod_is_deleted(
    world: World, connection: Connection, evidence: EvidenceFolder
) -> None:
    """The recorded watch of a real executor: `terminated` comes first, the deletion some events later."""
    watch = oom_watch()
    first = next(i for i, e in enumerate(watch) if "terminated" in json.dumps(e["object"]["status"]))
    async with watching(connection, evidence=evidence) as source:
        world.pods.feed(*watch[: first + 1])
        await picture(source, lambda f: f.logs)
        world.peer.answer(".*/log", {"kind": "Status", "message": "gone"}, status=404)
        world.pods.feed(*watch[first + 1 :])
        facts = await picture(source, lambda f: any(p.gone for p in f.pods))
        await all_kept(source)
        assert "OutOfMemoryError" in facts.logs[0].text and facts.logs[0].role == "executor"
    kept = files(evidence)
    (pod,) = [json.loads(text) for name, text in kept.items() if name.endswith("pod.json")]
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "OOMKilled"
    assert "managedFields" not in pod["metadata"]


async def test_nothing_secret_is_written(world: World, connection: Connection, evidence: EvidenceFolder) -> None:
    dying = executor(version=12, status=ended(137, "OOMKilled"))
    dying["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "hunter2", "note": SECRET}
    dying["spec"]["containers"][0]["env"] = [
        {"name": "SPARK_AUTH_SECRET", "value": "hunter2"},
        {"name": "ORDINARY", "value": "hunter2"},
        {"name": "SPARK_USER", "value": "root"},
    ]
    async with watching(connection, evidence=evidence) as source:
        world.pods.feed(event("ADDED", executor(version=11)), event("MODIFIED", dying))
        await source.seen("pods", 12)
        await all_kept(source)
    kept = files(evidence)
    assert {Path(name).name for name in kept} == {"pod.json", "events.json", "log-spark-kubernetes-executor.txt"}
    for name, text in kept.items():
        assert "hunter2" not in text and SECRET not in text, name
    whole = "\n".join(kept.values())
    assert '"root"' in whole and MARK in whole and "java.lang.OutOfMemoryError" in whole


async def test_what_was_kept_of_other_namespaces_is_not_brought_back(
    world: World, connection: Connection, evidence: EvidenceFolder
) -> None:
    async with watching(connection, evidence=evidence) as source:
        world.pods.feed(event("ADDED", executor(version=11, status=ended(52, "Error"))))
        await source.seen("pods", 11)
        await all_kept(source)
    for namespace, pods in (("elsewhere", 0), ("jobs", 1)):
        async with watching(connection, Scope(namespaces=(namespace,)), evidence=evidence, wait=False) as source:
            await source.loaded()
            facts = source.snapshot()
            assert (len(facts.pods), len(facts.logs)) == (pods, pods)


async def test_only_the_owner_may_read_it(world: World, connection: Connection, evidence: EvidenceFolder) -> None:
    old = os.umask(0o000)
    try:
        async with watching(connection, evidence=evidence) as source:
            world.pods.feed(event("ADDED", executor(version=11, status=ended(52, "Error"))))
            await source.seen("pods", 11)
            await all_kept(source)
    finally:
        os.umask(old)
    for path in (evidence.folder.parent, *evidence.folder.parent.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


async def test_it_comes_back_after_a_restart(world: World, connection: Connection, evidence: EvidenceFolder) -> None:
    async with watching(connection, evidence=evidence) as source:
        world.pods.feed(
            event("ADDED", executor(version=11)),
            event("MODIFIED", executor(version=12, status=ended(137, "OOMKilled"))),
            event("DELETED", executor(version=13, status=ended(137, "OOMKilled"))),
        )
        await source.seen("pods", 13)
        await all_kept(source)
    async with watching(connection, evidence=evidence) as source:
        facts = await picture(source, lambda f: f.pods and f.logs and f.events)
        (pod,) = facts.pods
        assert pod.gone and pod.origin.source == "captured" and pod.main and pod.main.terminated
        assert pod.main.terminated.reason == "OOMKilled" and Path(pod.origin.locator).is_file()
        (log,) = facts.logs
        assert log.subject == "Pod/jobs/etl-exec-1" and "OutOfMemoryError" in log.text
        assert [e.reason for e in facts.events] == ["Killing"]
        before = world.peer.count(".*/log")
        world.pods.feed(event("ADDED", executor(version=20, status=ended(137, "OOMKilled"))))
        await source.seen("pods", 20)
        await all_kept(source)
        assert world.peer.count(".*/log") == before  # known already
        assert [p.gone for p in source.snapshot().pods] == [False]


@pytest.mark.parametrize(
    ("status", "meta", "kept"),
    [
        (ended(137, "OOMKilled"), {}, True),
        (ended(0, "OOMKilled", "Succeeded"), {}, True),
        (ended(52, "Error"), {}, True),
        ({"phase": "Failed", "reason": "Evicted", "message": "node low on memory"}, {}, True),
        (ended(0, "Completed", "Succeeded"), {}, False),
        (None, {}, False),
        (None, {"deletionTimestamp": "2026-11-23T10:00:00Z"}, True),
    ],
)
async def test_who_is_kept(
    world: World, connection: Connection, evidence: EvidenceFolder, status: Any, meta: dict[str, str], kept: bool
) -> None:
    async with watching(connection, evidence=evidence) as source:
        world.pods.feed(event("ADDED", executor(version=11, status=status, **meta)))
        await source.seen("pods", 11)
        await all_kept(source)
    assert bool(files(evidence)) is kept


async def test_a_deletion_that_lost_the_end_does_not_replace_it(
    world: World, connection: Connection, evidence: EvidenceFolder
) -> None:
    async with watching(connection, evidence=evidence) as source:
        world.pods.feed(event("ADDED", executor(version=11, status=ended(137, "OOMKilled"))))
        await source.seen("pods", 11)
        await all_kept(source)
        world.pods.feed(event("DELETED", executor(version=12)))
        await source.seen("pods", 12)
        await all_kept(source)
    (pod,) = [json.loads(text) for name, text in files(evidence).items() if name.endswith("pod.json")]
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "OOMKilled"


async def test_each_restart_of_a_driver_is_kept(world: World, connection: Connection, evidence: EvidenceFolder) -> None:
    def restarted(version: int, count: int) -> Any:
        pod = executor("etl-driver", version=version)
        pod["metadata"]["labels"]["spark-role"] = "driver"
        state = pod["status"]["containerStatuses"][0]
        state |= {"restartCount": count, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
        return pod

    async with watching(connection, evidence=evidence) as source:
        for version, count in ((11, 1), (12, 1), (13, 2)):
            world.pods.feed(event("MODIFIED", restarted(version, count)))
            await source.seen("pods", version)
            await all_kept(source)
        asked = [a.query for a in world.peer.asked if a.path.endswith("/etl-driver/log")]
        assert len(asked) == 2 and all(query["previous"] == "true" for query in asked)


async def test_an_end_and_the_deletion_after_it_are_kept_in_that_order(
    world: World, connection: Connection, evidence: EvidenceFolder
) -> None:
    """The log of the end is still being read when the deletion is told."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        asked.set()
        await go_on.wait()
        return web.Response(text=LOG)

    world.peer.on("GET", ".*/etl-exec-1/log", slow)
    async with watching(connection, evidence=evidence) as source:
        world.pods.feed(event("ADDED", executor(version=11, status=ended(137, "OOMKilled"))))
        await asked.wait()
        gone = executor(version=12, status=ended(137, "OOMKilled"), deletionTimestamp="2026-11-23T10:00:00Z")
        world.pods.feed(
            event("DELETED", gone), event("ADDED", executor("etl-exec-2", version=13, status=ended(52, "E")))
        )
        await picture(source, lambda f: any(log.subject.endswith("exec-2") for log in f.logs))
        go_on.set()
        await all_kept(source)
        await picture(source, lambda f: any(p.name == "etl-exec-1" and p.gone for p in f.pods))
    kept = {name: text for name, text in files(evidence).items() if "etl-exec-1" in name}
    assert len(kept) == 3
    assert json.loads(next(text for name, text in kept.items() if name.endswith("pod.json")))["metadata"][
        "deletionTimestamp"
    ]


async def test_a_pod_deleted_while_it_ran_is_kept_too(
    world: World, connection: Connection, evidence: EvidenceFolder
) -> None:
    async with watching(connection, evidence=evidence) as source:
        world.pods.feed(event("ADDED", executor(version=11)), event("DELETED", executor(version=12)))
        await source.seen("pods", 12)
        await all_kept(source)
    assert [Path(name).name for name in files(evidence)].count("pod.json") == 1


async def test_a_storm_of_deaths_is_bounded(world: World, connection: Connection, evidence: EvidenceFolder) -> None:
    async with watching(connection, evidence=evidence) as source:
        dead = [executor(f"etl-exec-{n}", version=11 + n, status=ended(137, "OOMKilled")) for n in range(80)]
        world.pods.feed(*(event("ADDED", pod) for pod in dead))
        await source.seen("pods", 90)
        await all_kept(source)
        assert world.peer.count(".*/log") == 24
    assert sum(name.endswith("pod.json") for name in files(evidence)) == 80


async def test_logs_that_cannot_be_read_are_said(
    world: World, connection: Connection, evidence: EvidenceFolder
) -> None:
    world.peer.answer(".*/log", {"kind": "Status", "message": "no pods/log for you"}, status=403)
    async with watching(connection, evidence=evidence) as source:
        world.pods.feed(event("ADDED", executor(version=11, status=ended(52, "Error"))))
        await source.seen("pods", 11)
        await all_kept(source)
        assert source.snapshot().unread == (("log of jobs/etl-exec-1", "forbidden: no pods/log for you"),)


async def test_a_disk_that_cannot_be_written_is_said(world: World, connection: Connection, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with watching(connection, evidence=EvidenceFolder(tmp_path / "file" / "x")) as source:
        world.pods.feed(event("ADDED", executor(version=11, status=ended(52, "Error"))))
        await source.seen("pods", 11)
        await all_kept(source)
        ((_, why),) = source.snapshot().unread
        assert why.startswith("evidence cannot be saved")
        assert source.snapshot().logs  # in memory it is there all the same


async def test_a_slow_log_does_not_hold_up_the_others(
    world: World, connection: Connection, evidence: EvidenceFolder
) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    world.peer.on("GET", ".*/etl-exec-1/log", hang)
    async with watching(connection, evidence=evidence) as source:
        for n in (1, 2):
            world.pods.feed(event("ADDED", executor(f"etl-exec-{n}", version=10 + n, status=ended(52, "Error"))))
        await picture(source, lambda f: any(log.subject.endswith("exec-2") for log in f.logs))


# The folder itself


def save(evidence: EvidenceFolder, name: str, at: float, text: str = "x") -> Path:
    log = Log(f"Pod/jobs/{name}", text, Origin("log", "x"), container="main")
    return evidence.save(executor(name, status=ended(52, "Error")), [], (log,), at)


def test_what_is_too_old_or_too_much_is_deleted(tmp_path: Path) -> None:
    evidence = EvidenceFolder(tmp_path / "e", max_bytes=9_000, max_age=100.0)
    places = [save(evidence, f"p{n}", 1_000.0 + n, "x" * 2_000) for n in range(6)]
    old = save(evidence, "old", 950.0)
    kept = evidence.load(1_060.0)
    assert not old.exists() and [p.exists() for p in places] == [False] * 3 + [True] * 3
    assert [pod.name for pod in kept.pods] == ["p5", "p4", "p3"]


def test_two_ends_of_a_pod_that_are_saved_at_once_leave_it_whole(tmp_path: Path) -> None:
    """The kubelet tells the end of a container, and the deletion of its pod within the same second."""
    evidence = EvidenceFolder(tmp_path / "e")
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(save, evidence, "p", 1_000.0, "a log") for _ in range(400)]:
            done.result()
    kept = evidence.load(1_001.0)
    assert [log.text for log in kept.logs] == ["a log"] and not kept.unread
    assert not list(tmp_path.rglob(".*"))


def test_a_longer_log_is_not_replaced_by_a_shorter_one(tmp_path: Path) -> None:
    evidence = EvidenceFolder(tmp_path / "e")
    save(evidence, "p", 1_000.0, "a long log")
    place = save(evidence, "p", 1_001.0, "short")
    assert (place / "log-main.txt").read_text() == "a long log"


def test_damaged_folders_are_skipped_and_named(tmp_path: Path) -> None:
    evidence = EvidenceFolder(tmp_path / "e")
    good, bad = save(evidence, "good", 1_000.0), save(evidence, "bad", 1_001.0)
    (bad / "pod.json").write_text("{")
    (good / "events.json").write_text('{"items": []}')
    kept = evidence.load(1_002.0)
    assert [p.name for p in kept.pods] == ["good"] and [place for place, _ in kept.unread] == [str(bad)]


@pytest.mark.parametrize("name", ["../../evil", "a/b", "..", "x\n"])
def test_a_hostile_name_stays_in_the_folder(tmp_path: Path, name: str) -> None:
    evidence = EvidenceFolder(tmp_path / "e")
    tree = executor(status=ended(52, "Error"))
    tree["metadata"] |= {"name": name, "namespace": name, "uid": name}
    place = evidence.save(tree, [], (Log("x", "x", Origin("log", "x"), container=name),), 1.0)
    inside = [path.resolve() for path in tmp_path.rglob("*")]
    assert place.resolve() in inside and all(str(p).startswith(str(evidence.folder.resolve())) for p in inside)


def test_a_pod_is_redacted_as_a_whole() -> None:
    tree = {"metadata": {"name": "x"}, "spec": {"containers": [{"args": ["--password=hunter2"], "env": [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}]}}  # fmt: skip
    clean = redact_pod(tree)
    assert "hunter2" not in json.dumps(clean)
    assert clean["spec"]["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"] == {"name": "s", "key": "k"}
