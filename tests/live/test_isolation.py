"""Somebody else's broken object leaves everything else judged, and every command with its exit code."""

from __future__ import annotations

import asyncio
import copy
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from console.apps import assemble as assembling
from console.base.errors import Exit
from console.board.model import Board
from console.cli import main
from console.facts.notjudged import Isolation
from console.findings.diagnose import Engine
from console.live.crashes import MOST_BYTES, MOST_FILES, CrashFiles
from console.live.live import Live
from console.live.plan import Pace, Plan
from console.settings.load import load
from console.sources.cluster.captured import EvidenceFolder
from console.sources.folder.read import read_folder
from console.wire.config import ContextRef
from tests.findings import worlds as w
from tests.sources.world import World, listed
from tests.wire.peer import Peer, kubeconfig, serving

HUGE = "9" * 400
GOOD = [
    w.raw_pod("etl-driver", "driver", state=w.RUNNING),
    w.raw_pod("etl-exec-1", state=w.ended(137, "OOMKilled"), phase="Failed", owner="etl-driver"),
]


def hostile(tree: Any) -> Any:
    """A pod of another application, with a number of 400 digits wherever a number stands."""
    pod = copy.deepcopy(tree)
    pod["metadata"] |= {"name": "huge-driver", "uid": "uid-huge", "deletionGracePeriodSeconds": int(HUGE)}
    pod["metadata"]["deletionTimestamp"] = w.at(100)
    pod["metadata"]["labels"]["spark-app-selector"] = f"spark-{9:032x}"
    pod["metadata"]["annotations"] = {"spark.executor.memory": HUGE}
    main = pod["spec"]["containers"][0]
    main["resources"] = {"limits": {"memory": HUGE, "cpu": int(HUGE)}, "requests": {"memory": HUGE + "Gi"}}
    main["args"] = ["driver", "--conf", f"spark.executor.memory={HUGE}", "--conf", f"spark.executor.instances={HUGE}"]
    main["env"] = [{"name": "SPARK_EXECUTOR_MEMORY", "value": HUGE}, {"name": "SPARK_DRIVER_MEMORY", "value": HUGE}]
    pod["status"] |= {"startTime": HUGE}
    state = {"terminated": {"exitCode": int(HUGE), "signal": int(HUGE), "reason": HUGE, "finishedAt": HUGE}}
    pod["status"]["containerStatuses"] = [{"name": main["name"], "restartCount": int(HUGE), "state": state}]
    return pod


def others(board: Board) -> Any:
    """Everything that is judged of the other application, whatever reading it again gives it for an origin."""
    apps = [app for app in board.apps if app.name != "huge"]
    return [(a.key, a.state, a.message, len(a.executors)) for a in apps], [
        (f.key, f.severity, f.detail) for f in board.findings if f.app in {a.key for a in apps}
    ]


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[World]:
    monkeypatch.setenv("CONSOLE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path / "state"))
    async with serving(Peer()) as peer:
        yield World(peer)


def looked(world: World, tmp_path: Path, kept: str = "") -> Board:
    """What a live picture shows once everything was read, and the pod was kept whose folder is named like `kept`."""
    pace = Pace(build=0.05, heartbeat=0.2, metrics=0.2, reads=0.2)
    ref = ContextRef(kubeconfig=kubeconfig(tmp_path, world.peer.url))
    with Live(Plan(load(), ref, state=tmp_path / "state", pace=pace)) as live:
        board = live.settle(20).board
        until = time.monotonic() + 60
        while kept and not list((tmp_path / "state").rglob(f"{kept}/pod.json")) and time.monotonic() < until:
            time.sleep(0.02)
        return board


async def test_a_number_of_400_digits_on_one_pod_leaves_the_others_judged(world: World, tmp_path: Path) -> None:
    world.pods.lists(listed(GOOD))
    sound = await asyncio.to_thread(looked, world, tmp_path)
    world.pods.lists(listed([*GOOD, hostile(GOOD[0])]))
    board = await asyncio.to_thread(looked, world, tmp_path)
    assert others(board) == others(sound) and others(board)[1]
    assert len(board.apps) == 2


async def test_it_is_no_trouble_once_it_is_kept_on_disk(world: World, tmp_path: Path) -> None:
    world.pods.lists(listed([*GOOD, hostile(GOOD[0])]))
    world.peer.answer(f"/api/v1/namespaces/{w.NS}/pods/huge-driver", hostile(GOOD[0]))
    sound = await asyncio.to_thread(looked, world, tmp_path, "huge-driver-*")
    (folder,) = [p for p in (tmp_path / "state" / "evidence").iterdir() if not p.name.startswith(".")]
    assert [p.parent.name for p in folder.rglob("pod.json") if HUGE in p.read_text()] == ["huge-driver-uid-huge"]
    world.pods.lists(listed(GOOD))
    board = await asyncio.to_thread(looked, world, tmp_path)
    assert others(board) == others(sound) and others(board)[1]


def test_it_is_no_trouble_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_STATE_DIR", str(tmp_path / "state"))
    codes = []
    for name, pods in (("sound", GOOD), ("hostile", [*GOOD, hostile(GOOD[0])]), ("alone", [hostile(GOOD[0])])):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pods.json").write_text(json.dumps({"kind": "PodList", "apiVersion": "v1", "items": pods}))
        verdict = Engine().judge(read_folder(folder))
        codes.append((main.run(["diagnose", str(folder)]), verdict.not_judged))
        mine = [f for f in verdict.findings if f.app == f"{w.NS}/etl"]
        assert [f.code for f in mine] == (["executor-oom-container"] if name != "alone" else [])
    assert codes[0] == codes[1] == (Exit.UNHEALTHY, ())


async def test_an_application_that_breaks_console_is_a_finding_with_a_crash_file(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pods.lists(listed(GOOD))
    sound = await asyncio.to_thread(looked, world, tmp_path)
    make = assembling._assembled

    def broken(group: Any, *rest: Any) -> Any:
        if "huge" in group.key:
            raise OverflowError("password=hunter2")
        return make(group, *rest)

    monkeypatch.setattr(assembling, "_assembled", broken)
    world.pods.lists(listed([*GOOD, hostile(GOOD[0])]))
    board = await asyncio.to_thread(looked, world, tmp_path)
    assert others(board) == others(sound)
    (one,) = [f for f in board.findings if f.code == "not-judged"]
    (file,) = (tmp_path / "state" / "crashes").iterdir()
    assert one.evidence[0].locator == file.name and file.name in one.detail
    text = file.read_text()
    assert "OverflowError" in text and "test_isolation.py" in text and "hunter2" not in text
    assert file.stat().st_mode & 0o777 == 0o600


async def test_where_nothing_can_be_judged_that_is_said_and_commands_come_back(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, facts: Any) -> Any:
        raise RecursionError("too deep")

    monkeypatch.setattr(Engine, "judge", broken)
    board = await asyncio.to_thread(looked, world, tmp_path)
    assert [f.subject for f in board.findings] == ["everything"] and board.verdict != "OK"


def test_crash_files_are_few_and_small(tmp_path: Path) -> None:
    files, failed = CrashFiles(tmp_path / "state"), Isolation()
    failed.run(lambda: 1 // 0, 0, subject="x", part="y")
    (one,) = failed.failed
    many = [replace(one, reference=f"crash-{n:012x}.txt", trace="ü" * MOST_BYTES) for n in range(MOST_FILES + 20)]
    files.keep(many)
    kept = list(files.folder.iterdir())
    assert len(kept) == MOST_FILES and all(file.stat().st_size <= MOST_BYTES for file in kept)


def test_a_disk_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    failed = Isolation()
    failed.run(lambda: 1 // 0, 0, subject="x", part="y")
    CrashFiles(tmp_path / "state").keep(failed.failed)


def test_kept_evidence_that_cannot_be_read_is_set_aside_and_said_once(tmp_path: Path) -> None:
    evidence = EvidenceFolder(tmp_path / "evidence" / "cluster")
    for name in ("good", "bad"):
        evidence.save({**GOOD[1], "metadata": {**GOOD[1]["metadata"], "name": name}}, [], (), 1_000.0)
    (bad,) = evidence.folder.glob("*/bad-*")
    (bad / "pod.json").write_text('{"metadata": {"name": []}}')
    first, second = evidence.load(1_001.0), evidence.load(1_002.0)
    assert [p.name for p in first.pods] == [p.name for p in second.pods] == ["good"]
    assert [place for place, _ in first.unread] == [str(bad)] and "set aside" in first.unread[0][1]
    assert second.unread == () and not bad.exists()
    assert [p.name for p in (tmp_path / "evidence" / ".aside" / "cluster").iterdir()] == [f"jobs-{bad.name}"]
